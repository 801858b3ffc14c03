# SPDX-License-Identifier: GPL-2.0-or-later
"""What leaves the host, and by which way: what the user lets out, what others would like to draw off."""

import os
import signal

import gateway
import laptop
import leaks
import net
import roam
import transfer
from chatter import Chatter
from client import connected, processes, program, start_as_alice, worker
from scenario import scenario
from scenarios.tunnels import check_inside, check_outside, only_ipv4, split, start

LAN4, LAN6 = "192.168.7.1", "fd77::1"


def another_link(address4, address6):
    """The gateway's host is also in a network next door, where these are its addresses; the other
    end is ours."""
    net.batch(None, "link add lan0 type veth peer name lan1 netns gw",
              *(f"addr add {address}.2/24 dev lan0" for address in [address4.rpartition(".")[0]]),
              f"addr add {address6[:-1]}2/64 dev lan0 nodad", "link set lan0 up")
    net.batch("gw", f"addr add {address4}/24 dev lan1", f"addr add {address6}/64 dev lan1 nodad",
              "link set lan1 up")
    net.wait_until(lambda: "state UP" in net.run("ip", "link", "show", "lan0"), 5, "carrier of lan0")
    # Link-local addresses must not come up between two snapshots.
    for namespace in (None, "gw"):
        net.wait_until(lambda: "tentative" not in net.run("ip", "-6", "addr", namespace=namespace)
                       and "fe80" in net.run("ip", "-6", "addr", "show", "dev",
                                             "lan1" if namespace else "lan0", namespace=namespace),
                       5, "link-local address")


@scenario
def routes_of_the_dhcp_server_take_nothing(context):
    """DHCP option 121 may bring routes of any length, router advertisements too: TunnelVision."""
    start(context)
    transfer.start_server()
    for to in (f"{net.FAR_HOST4}/32", "198.51.100.0/24", "0.0.0.0/1", "128.0.0.0/1"):
        net.run("ip", "route", "add", to, "via", net.GATEWAY4, "dev", "cl0")
    for to in (f"{net.FAR_HOST6}/128", "2000::/3"):
        net.run("ip", "-6", "route", "add", to, "via", net.GATEWAY6, "dev", "cl0")
    check_outside(net.FAR_HOST4)
    with connected(context):
        for address in (net.HOST4, net.HOST6, net.FAR_HOST4, net.FAR_HOST6):
            check_inside(address)


@scenario
def interface_is_removed(context):
    """By another program, and with it addresses and routes: the connection ends, and says why."""
    gate = start(context)
    before = net.snapshot()
    client = start_as_alice(context)
    client.wait_connected()
    net.run("ip", "link", "del", "godwit0")
    net.check(client.wait_end() == 6, "another exit code")
    net.check("removed the tunnel's interface" in client.output, f"it says: {client.output[-200:]}")
    net.check_unchanged(before)
    gate.wait_log("received DELETE for IKE_SA")


@scenario
def kill_switch_outlasts_the_interface(context):
    """Somebody removes it, again and again: nothing leaves beside it, and all is made again."""
    start(context)
    with connected(context, "--kill-switch", "connected") as client:
        outside = net.Process(["ping", "-n", "-i", "0.01", "-I", "cl0", net.FAR_HOST4])
        for times in range(1, 4):
            net.run("ip", "link", "del", "godwit0")
            told = r"removed the tunnel's interface\..* is held until[\s\S]*?Connected again[\s\S]*?"
            client.process.read_until(f"(?:{told}){{{times}}}", 10)
            net.ping(net.HOST4)
        outside.signal(signal.SIGINT)
        outside.wait(10)
        net.check(", 0 received" in outside.output, f"traffic has left: {outside.output[-200:]}")


@scenario
def local_networks_with_addresses_of_others_take_nothing(context):
    """An access point may give its network the addresses of any server: TunnelCrack's LocalNet."""
    start(context)
    transfer.start_server()
    another_link(net.FAR_HOST4, net.FAR_HOST6)
    check_outside(net.FAR_HOST4)
    check_outside(net.FAR_HOST6)
    with connected(context):
        check_inside(net.FAR_HOST4)
        check_inside(net.FAR_HOST6)


@scenario
def gateway_with_the_address_of_a_server_takes_nothing(context):
    """Whoever forges the name of the gateway chooses an address that goes beside the tunnel:
    TunnelCrack's ServerIP. Only our own packets do."""
    start(context)
    transfer.start_server()
    check_outside(net.GATEWAY4)
    with connected(context):
        check_inside(net.GATEWAY4)
        check_inside(net.GATEWAY6)


@scenario
def local_network_is_reached_when_allowed(context):
    start(context)
    transfer.start_server()
    another_link(LAN4, LAN6)
    for level in ("off", "connected"):
        with connected(context, "--kill-switch", level):
            check_outside(LAN4)
            check_outside(LAN6)
            check_inside(net.FAR_HOST4)
        with connected(context, "--kill-switch", level, "--no-local-network"):
            check_inside(LAN4)
            check_inside(LAN6)


@scenario
def excluded_networks_go_beside_the_tunnel(context):
    start(context)
    transfer.start_server()
    for level in ("off", "connected"):
        with connected(context, "--kill-switch", level,
                       "--exclude", f"198.51.100.0/24,{net.FAR_HOST6}"):
            check_outside(net.FAR_HOST4)
            check_outside(net.FAR_HOST6)
            check_inside(net.HOST4)
            check_inside(net.HOST6)


@scenario
def included_networks_alone_go_through_a_split_tunnel(context):
    """Whatever the gateway names. Its DNS servers would go through it too."""
    pools = gateway.default_pools()
    for pool in pools.values():
        pool.pop("dns")
    start(context, pools=pools)
    transfer.start_server()
    with connected(context, "--tunnel", "split", "--include", "198.51.100.0/24,2001:db8:51::/48"):
        check_inside(net.FAR_HOST4)
        check_inside(net.FAR_HOST6)
        check_outside(net.HOST4)
        check_outside(net.HOST6)


@scenario
def included_network_without_an_address_is_not_reached(context):
    start(context, only_ipv4)
    transfer.start_server()
    with connected(context, "--tunnel", "split", "--include", "10.99.0.0/16,2001:db8:51::/48"):
        check_inside(net.HOST4)
        check_outside(net.HOST6)
        route = net.run("ip", "-6", "route", "get", net.FAR_HOST6, ok=False)
        net.check(not route, f"{net.FAR_HOST6} goes outside: {route}")


@scenario
def split_tunnel_s_networks_stay_inside(context):
    """Whoever asks by the uplink itself is refused."""
    start(context, split)
    with connected(context, "--tunnel", "split", "--kill-switch", "connected"):
        net.ping(net.HOST4)
        for address, leaves in ((net.HOST4, False), (net.HOST6, False), (net.FAR_HOST4, True)):
            answer = net.run("ping", "-n", "-q", "-c", "1", "-W", "1", "-I", "cl0", address, ok=False)
            net.check((" 0% packet loss" in answer) == leaves, f"{address}: {answer}")


@scenario
def inner_address_is_not_reached_from_outside(context):
    """CVE-2019-14899: whoever shares the network could find out what goes on in the tunnel."""
    start(context)
    pings = ("ping", "-n", "-q", "-c", "2", "-i", "0.05", "-W", "0.3", "-I", net.GATEWAY4)
    # So that an answer could go back the same way.
    with connected(context, "--exclude", "192.0.2.0/24"):
        listing = net.run("ip", "-4", "-o", "addr", "show", "dev", "godwit0")
        inner = listing.split()[3].split("/")[0]
        net.run("ip", "route", "replace", inner, "via", net.CLIENT4, "dev", "gw0", "table", "77",
                namespace="gw")
        net.run("ip", "rule", "add", "pref", "1", "from", net.GATEWAY4, "table", "77",
                namespace="gw")
        for address, comes_back in ((net.CLIENT4, True), (inner, False)):
            answer = net.run(*pings, address, namespace="gw", ok=False)
            net.check((" 0% packet loss" in answer) == comes_back, f"{address}: {answer}")


class Root:
    """Whoever has every right is held too."""

    @staticmethod
    def become():
        pass


class Leaks:
    """A laptop whose gateway does not answer yet; what left outside, row by row."""

    def __init__(self, context):
        self.bed = laptop.Laptop(context, *(laptop.Kind(device) for device in leaks.DEVICES))
        roam.start_gateway(context)
        self.bed["wifi0"].plug()
        self.before = net.snapshot()
        self.bed.silence(*laptop.GATEWAY_ADDRESSES)
        self.witnesses = leaks.Witnesses(self.bed)
        self.chatter = Chatter(Root, *leaks.DEVICES)
        self.is_seen()
        self.rows = []

    def is_seen(self):
        """What is measured can be seen: nothing holds it yet, or any more."""
        self.witnesses.reset()
        net.wait_until(lambda: all(self.witnesses.seen()[kind] for kind in
                                   ("outside", "dns", "captured")), 5, "chatter on the uplink")

    def row(self, name):
        """Programs have tried for a while, whatever state the connection is in."""
        net.let_pass(0.3)
        seen = self.witnesses.seen()
        self.rows.append(f"{name} {max(seen['outside'], seen['captured'])}/{seen['dns']}")
        net.check(not any(seen.values()), f"outside/DNS: {', '.join(self.rows)}; "
                                          f"{self.witnesses.examples()}")

    def answers(self):
        """The tunnel carries, or does again."""
        self.bed.silence()
        net.wait_until(lambda: " 0% packet loss" in net.run(
            "ping", "-n", "-q", "-c", "1", "-W", "1", net.HOST4, ok=False), 20,
            "answer through the tunnel")

    def result(self):
        self.is_seen()
        self.chatter.process.kill()
        roam.unchanged(self.before, self.bed.uplinks)
        return "outside/DNS: " + ", ".join(self.rows)


def is_held():
    return "table inet godwit" in net.run("nft", "list", "tables")


def cleanup(context, *arguments):
    net.run(program(context), "cleanup", *arguments)


@scenario(timeout=90, bare=True)
def nothing_leaves_while_the_kill_switch_holds(context):
    """At any time, from before the first connection until it is lifted."""
    table = Leaks(context)
    tunnel = start_as_alice(context, "--kill-switch", "always", "--timeout", "60")
    net.wait_until(is_held, 10, "kill switch")
    table.witnesses.reset()
    table.row("connecting")
    table.answers()
    tunnel.wait_connected()
    table.row("connected")
    table.bed.move("wifi0", "eth0")
    table.row("roam")
    table.answers()
    table.bed.silence(*laptop.GATEWAY_ADDRESSES)
    table.row("gateway dead")
    table.answers()
    crashed = worker()
    os.kill(crashed, signal.SIGKILL)
    net.wait_until(lambda: [pid for pid in processes("godwit-tunnel") if pid != crashed], 10,
                   "another worker")
    table.answers()
    table.row("worker kill -9")
    tunnel.disconnect()
    table.row("disconnected")
    cleanup(context)
    table.row("cleaned up")
    cleanup(context, "--kill-switch")
    return table.result()


@scenario(timeout=60, bare=True)
def kill_switch_outlives_its_process(context):
    """And is taken over by the next connection of that name, or lifted by the cleanup."""
    table = Leaks(context)
    table.bed.silence()
    for again in ("", " again"):
        tunnel = start_as_alice(context, "--kill-switch", "connected")
        tunnel.wait_connected()
        if not again:
            table.witnesses.reset()
        table.row(f"connected{again}")
        tunnel.process.kill()
        net.wait_until(lambda: not processes(), 5, "end of the worker whose godwit was killed")
        table.row(f"godwit kill -9{again}")
    cleanup(context)
    return table.result()
