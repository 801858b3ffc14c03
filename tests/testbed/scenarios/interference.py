# SPDX-License-Identifier: GPL-2.0-or-later
"""Another program sets the tunnel's interface down, or takes its addresses, routes or rules away."""

import re
import signal

import bus
import caller
import client
import gateway
import net
import transfer
from client import connected, start_as_alice
from scenario import scenario
from scenarios.tunnels import check_inside, start

RESTORED = "they are set again"


def addresses_go():
    net.run("ip", "addr", "flush", "dev", "godwit0")


def link_goes_down():
    net.run("ip", "link", "set", "godwit0", "down")


def routes_go():
    """Whatever table of ours there is; `ip route flush` goes on until nothing comes back."""
    for family in ("-4", "-6"):
        listing = net.run("ip", family, "route", "show", "table", "all")
        for table in sorted(set(re.findall(r" table (\d+)", listing))):
            net.run("ip", family, "route", "flush", "table", table)


def rules_go():
    """As systemd-networkd does it when it starts, unless ManageForeignRoutingPolicyRules=no."""
    for family in ("-4", "-6"):
        rules = re.findall(r"^(\d+):.* proto static", net.run("ip", family, "rule"), re.M)
        net.check(rules, "there are no rules")
        net.run("ip", family, "-batch", "-",
                input_text="".join(f"rule del pref {rule}\n" for rule in rules))


def state():
    """Rules of the same priority may come back in another order."""
    return sorted(net.snapshot().splitlines())


def interfere():
    """Everything is as it was, before long, and carries."""
    before = state()
    for take in (link_goes_down, addresses_go, routes_go, rules_go):
        take()
        net.wait_until(lambda: state() == before, 5, f"all again after {take.__name__}")
        check_inside(net.FAR_HOST4)
        check_inside(net.FAR_HOST6)


@scenario
def what_others_take_of_a_tunnel_comes_back(context):
    start(context)
    transfer.start_server()
    with connected(context) as tunnel:
        interfere()
    net.check(tunnel.output.count(RESTORED) == 1, f"it says: {tunnel.output[-600:]}")


@scenario
def service_sets_again_what_others_take_of_a_tunnel(context):
    start(context)
    transfer.start_server()
    bus.Bus(context)
    before = net.snapshot()
    alice = caller.Caller(bus.USERS["alice1"])
    alice.sessions()
    work = caller.profile(context, password=gateway.USERS["alice"])
    path, = alice.manager("Connect", f"('work', {work}, @a{{sv}} {{}})")
    alice.wait_state(path, "connected")
    interfere()
    net.check(alice.property(path, "State") == "connected", "it is not connected any more")
    alice.session(path, "Disconnect")
    alice.wait_ended(path)
    net.check_unchanged(before)


def fight():
    """Somebody who sets it down as soon as it is up, for as long as there is one to fight with."""
    return net.Process(["sh", "-c", "while :; do ip link set godwit0 down; done"])


@scenario
def who_fights_for_the_interface_ends_the_connection(context):
    start(context)
    before = net.snapshot()
    tunnel = start_as_alice(context)
    tunnel.wait_connected()
    other = fight()
    net.check(tunnel.wait_end() == 6, "another exit code")
    net.check("keeps setting the tunnel's interface down" in tunnel.output,
              f"it says: {tunnel.output[-300:]}")
    other.kill()
    net.check_unchanged(before)


@scenario
def kill_switch_holds_whoever_fights_for_the_interface(context):
    start(context)
    with connected(context, "--kill-switch", "connected") as tunnel:
        outside = net.Process(["ping", "-n", "-i", "0.01", "-I", "cl0", net.FAR_HOST4])
        other = fight()
        tunnel.process.read_until(r"keeps setting the tunnel's interface down.* is held until", 10)
        other.kill()
        tunnel.process.read_until(r"is held until[\s\S]*?Connected again", 20)
        net.ping(net.HOST4)
        outside.signal(signal.SIGINT)
        outside.wait(10)
        net.check(", 0 received" in outside.output, f"traffic has left: {outside.output[-200:]}")
