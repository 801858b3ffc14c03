# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection and what goes through it: address families, routes, DNS, packet sizes, bulk data."""

import ipaddress
import pwd
import re

import gateway
import net
import transfer
from client import connected, processes, status_of, worker
from scenario import scenario


def start(context, change=None, pools=None, charon=None):
    """A gateway with the usual connection after `change` has edited it."""
    connection = gateway.default_connection()
    if change:
        change(connection)
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection}, pools, charon=charon)
    return host


def only_ipv4(connection):
    connection.update(pools="pool4")
    connection["children"]["net"]["local_ts"] = "0.0.0.0/0"


def only_ipv6(connection):
    connection.update(pools="pool6")
    connection["children"]["net"]["local_ts"] = "::/0"


def split(connection):
    connection["children"]["net"]["local_ts"] = f"{net.SPLIT4}, {net.SPLIT6}"


def source_of(address):
    """The address from which a host behind (or beside) the tunnel sees us."""
    return transfer.transfer(address, "up", 1000)[1]


def is_inner(address):
    inner = (ipaddress.ip_network(gateway.ADDRESSES4), ipaddress.ip_network(gateway.ADDRESSES6))
    return any(ipaddress.ip_address(address) in network for network in inner)


def check_inside(address):
    source = source_of(address)
    net.check(is_inner(source), f"{address} sees {source}: not through the tunnel")


def check_outside(address):
    source = source_of(address)
    net.check(not is_inner(source), f"{address} sees {source}: through the tunnel")


@scenario
def connects_over_ipv4_with_both_families_inside(context):
    start(context)
    transfer.start_server()
    with connected(context):
        for address in (net.HOST4, net.HOST6):
            net.ping(address)
            check_inside(address)


@scenario
def connects_over_ipv6_with_both_families_inside(context):
    start(context)
    transfer.start_server()
    with connected(context, "--remote-identity", "vpn.example.org", host=net.GATEWAY6):
        for address in (net.HOST4, net.HOST6):
            net.ping(address)
            check_inside(address)


@scenario
def connects_to_a_bare_ipv4_address(context):
    """The certificate has the address as subjectAltName; the gateway identifies with it."""
    def by_address(connection):
        connection["local"]["id"] = net.GATEWAY4
    start(context, by_address)
    with connected(context, host=net.GATEWAY4):
        net.ping(net.HOST4)


@scenario
def only_ipv4_inside(context):
    start(context, only_ipv4)
    with connected(context):
        net.ping(net.HOST4)


@scenario
def only_ipv6_inside(context):
    start(context, only_ipv6)
    with connected(context):
        net.ping(net.HOST6)


@scenario
def only_ipv6_inside_over_ipv6(context):
    start(context, only_ipv6)
    with connected(context, "--remote-identity", "vpn.example.org", host=net.GATEWAY6):
        net.ping(net.HOST6)


@scenario
def full_tunnel_takes_everything(context):
    start(context)
    transfer.start_server()
    with connected(context, "--tunnel", "full"):
        for address in (net.HOST4, net.HOST6, net.FAR_HOST4, net.FAR_HOST6):
            check_inside(address)


@scenario
def split_tunnel_by_traffic_selectors(context):
    start(context, split)
    transfer.start_server()
    with connected(context, "--tunnel", "split"):
        for address in (net.HOST4, net.HOST6):
            check_inside(address)
        for address in (net.FAR_HOST4, net.FAR_HOST6):
            check_outside(address)


@scenario
def split_tunnel_by_subnet_attributes(context):
    """The gateway allows everything but names its subnets in the configuration payload."""
    pools = gateway.default_pools()
    pools["pool4"]["subnet"] = net.SPLIT4
    pools["pool6"]["subnet"] = net.SPLIT6
    start(context, pools=pools)
    transfer.start_server()
    with connected(context, "--tunnel", "split"):
        check_inside(net.HOST4)
        check_outside(net.FAR_HOST4)
        check_outside(net.FAR_HOST6)


@scenario
def dns_is_applied_and_restored(context):
    pools = gateway.default_pools()
    pools["pool4"]["25"] = "corp.example.org"
    start(context, pools=pools)
    with connected(context):
        with open("/etc/resolv.conf", encoding="utf-8") as file:
            text = file.read()
        for server in (net.HOST4, net.HOST6):
            net.check(f"nameserver {server}\n" in text, f"{server} is not in resolv.conf: {text!r}")
        net.check("192.0.2.53" not in text, f"the old server is still in resolv.conf: {text!r}")
        net.check("corp.example.org" in text, f"the domain is not in resolv.conf: {text!r}")


@scenario
def many_attributes_at_once(context):
    """Several DNS servers and domains, Unity split-include, application version, an unknown one."""
    pools = gateway.default_pools()
    pools["pool4"].update({"dns": f"{net.HOST4}, 10.99.0.2", "25": "a.example.org, b.example.org",
                           "split_include": net.SPLIT4, "7": "gateway 1.0", "16389": "x",
                           "nbns": "10.99.0.3"})
    start(context, pools=pools)
    with connected(context) as tunnel:
        net.ping(net.HOST4)
        tunnel.process.read_until(r"DNS .*10\.99\.0\.2", 2)


@scenario
def pings_of_every_size(context):
    """Up to 9,000 octets: fragments inside the tunnel, none lost, both families."""
    start(context)
    with connected(context):
        for size in (0, 56, 1000, *range(1250, 1480, 10), 1372, 4000, 9000):
            net.ping(net.HOST4, size, count=1)
            net.ping(net.HOST6, size, count=1)


@scenario
def mtu_fits_the_path(context):
    """The largest packet that the TUN takes crosses a 1,400-octet path without fragments."""
    for namespace, device in ((None, "cl0"), ("gw", "gw0")):
        net.run("ip", "link", "set", device, "mtu", "1400", namespace=namespace)
    start(context)
    transfer.start_server()
    with connected(context):
        mss = transfer.transfer(net.HOST4, "up", 100_000)[2]
        net.check(1000 < mss < 1400 - 40 - 50, f"an MSS of {mss} on a 1,400-octet path")


@scenario
def mtu_of_the_profile_is_the_path_s(context):
    """--mtu names what the path carries, not what the tunnel does."""
    start(context)
    with connected(context, "--mtu", "1400"):
        link = net.run("ip", "-o", "link", "show", "dev", "godwit0")
        mtu = int(re.search(r"mtu (\d+)", link).group(1))
        net.check(1280 < mtu < 1400 - 40, f"an MTU of {mtu} on a path said to carry 1,400 octets")


@scenario
def path_too_small_for_ipv6_inside(context):
    """A 1,280-octet path carries an inner link of 1,280 octets: ESP goes in IP fragments."""
    for namespace, device in ((None, "cl0"), ("gw", "gw0")):
        net.run("ip", "link", "set", device, "mtu", "1280", namespace=namespace)
    start(context)
    transfer.start_server()
    with connected(context):
        transfer.transfer(net.HOST4, "up", 1_000_000)
        transfer.transfer(net.HOST6, "up", 1_000_000)



@scenario(timeout=120, alone=True)
def hundred_megabytes_each_way(context):
    start(context)
    transfer.start_server()
    with connected(context):
        for direction in ("up", "down"):
            speed, source, _ = transfer.transfer(net.HOST4, direction, 100_000_000)
            net.check(is_inner(source), f"transfer from {source}: not through the tunnel")
            print(f"     {direction}: {speed * 8 / 1e6:.0f} Mbit/s", flush=True)


@scenario(timeout=120, alone=True)
def ten_megabytes_each_way_over_ipv6(context):
    start(context)
    transfer.start_server()
    with connected(context, "--remote-identity", "vpn.example.org", host=net.GATEWAY6):
        for direction in ("up", "down"):
            transfer.transfer(net.HOST6, direction, 10_000_000)


@scenario
def starts_at_port_4500_when_told(context):
    host = start(context)
    with connected(context, "--port", "4500"):
        net.ping(net.HOST4)
    net.check(f"to {net.GATEWAY4}[500]" not in host.log(), "something went to port 500")


@scenario
def floats_from_port_500_to_4500(context):
    host = start(context)
    with connected(context):
        net.check(f"to {net.GATEWAY4}[500]" in host.log(), "IKE_SA_INIT did not go to port 500")
        net.check(f"to {net.GATEWAY4}[4500]" in host.log(), "IKE_AUTH did not go to port 4500")


@scenario
def two_users_one_after_the_other(context):
    host = start(context)
    for user in ("alice", "bob"):
        with connected(context, user=user):
            net.ping(net.HOST4)
            net.check(f"remote '{user}'" in host.sas() or user in host.sas(),
                      f"the gateway does not list {user}")
        net.check("ESTABLISHED" not in host.sas(), "the gateway still has an IKE SA")


def also_lets_through(network):
    def change(connection):
        connection["children"]["net"]["remote_ts"] = f"dynamic, {network}"
    return change


@scenario
def only_the_assigned_addresses_are_reached(context):
    """A gateway that lets more through does not reach the host's other addresses."""
    net.run("ip", "addr", "add", "203.0.113.9/32", "dev", "lo")
    start(context, also_lets_through("203.0.113.0/24"))
    with connected(context):
        inner = ipaddress.ip_network(gateway.ADDRESSES4)[1]
        for address, comes_back in ((inner, True), ("203.0.113.9", False)):
            answer = net.run("ping", "-n", "-q", "-c", "2", "-i", "0.1", "-W", "1", "-I", net.HOST4,
                             str(address), namespace="gw", ok=False)
            net.check((" 0% packet loss" in answer) == comes_back, f"{address}: {answer}")


@scenario
def worker_has_no_privilege(context):
    """User godwit, no capability in any set, no_new_privs; and secrets in no command line."""
    start(context)
    with connected(context):
        status = status_of(worker())
        uid = str(pwd.getpwnam("godwit").pw_uid)
        net.check(status["Uid"].split() == [uid] * 4, f"the worker's users: {status['Uid']}")
        net.check("0" not in status["Gid"].split(), f"the worker's group IDs: {status['Gid']}")
        net.check("0" not in status["Groups"].split(), f"its other groups: {status['Groups']}")
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            net.check(int(status[kind], 16) == 0, f"the worker's {kind} is {status[kind]}")
        scouts = processes("godwit-scout")
        net.check(len(scouts) == 1, f"{len(scouts)} scouts are running, not 1")
        for pid in (worker(), *scouts):
            status = status_of(pid)
            net.check(status["NoNewPrivs"] == "1", f"no_new_privs is not set in {status['Name']}")
            net.check(status["Seccomp"] == "2", f"{status['Name']} has no filter of system calls")
        for pid in processes():
            for name in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    net.check(gateway.USERS["alice"].encode() not in file.read(),
                              f"the password is in the {name} of a process")
        net.ping(net.HOST4)
