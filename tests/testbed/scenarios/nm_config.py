# SPDX-License-Identifier: GPL-2.0-or-later
"""What NetworkManager sets up of what a gateway assigns. The worker is a stand-in (fake_worker.c),
which assigns several of everything."""

import re

import net
import networkmanager
from caller import Caller, octets
from scenario import scenario

HERE4, HERE6 = {"10.9.0.5/32", "10.9.1.5/32"}, {"fd99::5/128", "fd99:1::5/128"}
NETWORKS4, NETWORKS6 = {"10.20.0.0/16", "10.30.4.0/24"}, {"fd20::/16", "fd30::/48"}
SERVERS4, SERVERS6 = ["10.20.0.1", "10.20.0.2"], ["fd20::1", "fd20::2"]
DOMAINS = ["corp.example", "intern.example"]


def start(context, **more):
    net.batch(None, "addr flush dev cl0", "link set cl0 down")
    manager = networkmanager.NetworkManager(context, worker="tests/unit/fake_worker", **more)
    manager.wired("cl0", f"{net.CLIENT4}/24", net.GATEWAY4)
    return manager


def shown(manager, name="work"):
    """What nmcli tells of an active connection, a list for each name: "IP4.DNS": [...]."""
    facts = {}
    for line in manager.nmcli("-t", "connection", "show", name).splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(re.sub(r"\[\d+\]", "", key), []).append(value.replace("\\:", ":"))
    return facts


def addresses(family):
    text = net.run("ip", f"-{family}", "-o", "addr", "show", "dev", "godwit0", "scope", "global")
    return set(re.findall(r"inet6? (\S+)", text))


def routes(family):
    """Of the tunnel: metric by destination. The kernel's for an address of its own are none."""
    text = net.run("ip", f"-{family}", "route", "show", "dev", "godwit0")
    return {to: int(metric) for to, metric in
            re.findall(r"^(\S+) .*proto static .*metric (\d+)", text, re.M)}


def mtu():
    return int(re.search(r"mtu (\d+)", net.run("ip", "link", "show", "dev", "godwit0"))[1])


def with_length(names, length):
    return {name.removesuffix(length) if name.endswith(length) else name for name in names}


def same(is_there, wanted, what):
    net.check(is_there == wanted, f"{what}: {is_there}, not {wanted}")


def take_down(manager, name="work"):
    manager.nmcli("connection", "down", name)
    net.wait_until(lambda: "godwit" not in net.run("ip", "link"), 5, "end of the interface")


@scenario
def nm_sets_up_everything(context):
    """Several addresses and servers of both families, routes, domains, MTU and banner, on the host
    and in what nmcli tells; other ones while it is up; then nothing of it."""
    manager = start(context)
    before = net.run("ip", "route") + net.run("ip", "-6", "route")
    manager.add("work", "everything")
    manager.nmcli("connection", "up", "work")
    facts = shown(manager)
    for name, wanted in (("IP4.DNS", SERVERS4), ("IP6.DNS", SERVERS6), ("IP4.DOMAIN", DOMAINS),
                         ("IP6.DOMAIN", DOMAINS), ("VPN.BANNER", ["Welcome.\\nBe good."])):
        same(facts.get(name), wanted, name)
    net.wait_until(lambda: addresses(4) == HERE4 and addresses(6) == HERE6, 5, "addresses")
    same(set(routes(4)), NETWORKS4 | set(SERVERS4) | {"default"}, "routes")
    same(set(routes(6)), NETWORKS6 | set(SERVERS6) | {"default"}, "routes")
    same(mtu(), 1380, "MTU")
    net.wait_until(lambda: "nameserver 10.20.0.1\n" in manager.resolver(), 5, "server in resolv.conf")
    net.run("ip", "addr", "add", "192.0.2.99/24", "dev", "cl0")  # then the worker tells others
    net.wait_until(lambda: addresses(4) == {"10.9.0.6/32"}
                   and addresses(6) == {"fd99::5/128", "fd99:2::5/128"} and mtu() == 1290, 5,
                   "other addresses and another MTU")
    net.run("ip", "addr", "del", "192.0.2.99/24", "dev", "cl0")
    take_down(manager)
    net.wait_until(lambda: net.run("ip", "route") + net.run("ip", "-6", "route") == before, 5,
                   "routes as before")
    net.wait_until(lambda: "10.20.0" not in manager.resolver(), 5, "resolv.conf without the tunnel")
    same(net.run("nft", "list", "ruleset"), "", "firewall")


# Keys of ours and settings of NetworkManager's, and what becomes of them: routes of IPv4 with their
# metrics (None = all of them), servers, domains.
SPLIT = NETWORKS4 | set(SERVERS4)
SETTINGS = (
    ({"tunnel": "split"}, (), SPLIT, SERVERS4, DOMAINS),
    ({}, ("ipv4.never-default", "yes"), SPLIT, SERVERS4, DOMAINS),
    ({}, ("ipv4.never-default", "yes", "ipv6.never-default", "yes"), SPLIT, SERVERS4, DOMAINS),
    ({}, ("ipv4.ignore-auto-routes", "yes"), set(), SERVERS4, DOMAINS),
    ({}, ("ipv4.ignore-auto-dns", "yes"), SPLIT | {"default"}, None, None),
    ({}, ("ipv4.ignore-auto-dns", "yes", "ipv4.dns", "10.20.0.9", "ipv4.dns-search", "own.example"),
     SPLIT | {"default"}, ["10.20.0.9"], ["own.example"]),
    ({}, ("ipv4.dns-search", "own.example"), SPLIT | {"default"}, SERVERS4,
     ["own.example", *DOMAINS]),
    ({}, ("ipv4.routes", "10.40.0.0/16"), SPLIT | {"default", "10.40.0.0/16"}, SERVERS4, DOMAINS),
    ({"tunnel": "split", "include": "10.50.0.0/16"}, (), {"10.50.0.0/16", *SERVERS4}, SERVERS4,
     DOMAINS),
    ({"dns": "off"}, (), NETWORKS4 | {"default"}, None, None),
    ({"dns": "domains"}, (), SPLIT | {"default"}, SERVERS4, DOMAINS),
    ({"dns": "all", "tunnel": "split"}, (), SPLIT, SERVERS4, [*DOMAINS, "~"]),
    ({"dns-servers": "10.20.0.7", "dns-domains": "own.example"}, (),
     NETWORKS4 | {"default", "10.20.0.7"}, ["10.20.0.7"], ["own.example"]),
)


@scenario
def nm_obeys_settings(context):
    """The profile's keys about routes and DNS, and NetworkManager's own settings over them."""
    manager = start(context)
    for keys, settings, wanted, servers, domains in SETTINGS:
        case = f"{keys} {settings}"
        gateway = "everything-split" if "tunnel" in keys else "everything"
        manager.add("work", gateway, *settings, "ipv4.route-metric", "700", **keys)
        manager.nmcli("connection", "up", "work")
        facts = shown(manager)
        same(routes(4), {to: 700 for to in wanted}, case)
        same(facts.get("IP4.DNS"), servers, case)
        same([*facts.get("IP4.SEARCHES", []), *facts.get("IP4.DOMAIN", [])], domains or [], case)
        take_down(manager)
        manager.nmcli("connection", "delete", "work")


@scenario
def nm_holds_what_the_tunnel_does_not_carry(context):
    """The firewall is godwitd's under NetworkManager too: of a full tunnel without IPv6, IPv6 does
    not leave beside it; of the kill switch nothing does. It is gone with the connection."""
    manager = start(context)
    net.run("sysctl", "-q", "-w", "net.ipv6.conf.cl0.disable_ipv6=0")
    net.run("ip", "-6", "addr", "add", f"{net.CLIENT6}/64", "dev", "cl0", "nodad")
    for name, keys, settings, held4, held6 in (
            ("plain", {}, (), False, True),
            ("open", {"block-other-family": "no"}, (), False, False),
            ("part", {}, ("ipv4.never-default", "yes"), False, False),
            ("held", {"kill-switch": "connected"}, (), True, True)):
        manager.add(name, "happy", *settings, **keys)
        manager.nmcli("connection", "up", name)
        for held, address in ((held4, net.GATEWAY4), (held6, net.GATEWAY6)):
            said = net.run("ping", "-c", "1", "-W", "0.3", address, ok=False)
            net.check((" 1 received" in said) != held, f"{name}: {address}: {said}")
        take_down(manager, name)
    same(net.run("nft", "list", "ruleset"), "", "firewall")


@scenario
def nm_is_up_while_the_gateway_asks_anew(context):
    """NetworkManager passes over a question of a connection that is up: its owner is asked by godwitd
    alone, and what comes of the answer is set up."""
    manager = start(context)
    manager.add("work", "reconnects")
    manager.nmcli("connection", "up", "work")
    net.wait_until(lambda: "godwit answer" in manager.log(), 5, "word about it in the log")
    root = Caller()
    path, = root.sessions()
    form = root.property(path, "Form")[0]
    root.session(path, "ProvideSecrets",
                 f"(uint32 {form}, {{'password': {octets(b'opensesame')}}})")
    net.wait_until(lambda: addresses(4) == {"10.9.0.6/32"}, 5, "another address")
    take_down(manager)


OTHER_ROUTER = "192.0.2.9"


def way_to(address, *more):
    return net.run("ip", "route", "get", address, *more, ok=False)


@scenario
def nm_excludes(context):
    """What the user excluded leaves by the uplink that the host prefers, now another one, with or
    without a kill switch; what the tunnel and the links have in it stays theirs. A local network
    may be had by the tunnel alone. Afterwards nothing of it is left."""
    manager = start(context)
    manager.nmcli("connection", "modify", "wired-cl0", "+ipv4.addresses", "10.66.0.2/24")
    manager.nmcli("connection", "up", "wired-cl0")
    before = net.snapshot()
    manager.add("work", "everything", exclude=r"198.51.100.0/24\,10.0.0.0/8\,2001:db8:51::/48",
                **{"kill-switch": "connected"})
    manager.nmcli("connection", "up", "work")
    for address, way in ((net.FAR_HOST4, f"via {net.GATEWAY4} dev cl0"),
                         ("203.0.113.7", "dev godwit0"),
                         ("10.50.0.1", f"via {net.GATEWAY4} dev cl0"),
                         ("10.20.0.9", "dev godwit0"),   # the tunnel's
                         (SERVERS4[0], "dev godwit0"),
                         ("10.66.0.9", "dev cl0 "),      # the link's
                         (net.FAR_HOST6, r"^$")):
        net.check(re.search(way, way_to(address)), f"{address}: {way_to(address)}")
    manager.nmcli("connection", "modify", "wired-cl0", "ipv4.gateway", OTHER_ROUTER)
    manager.nmcli("device", "reapply", "cl0")
    net.wait_until(lambda: f"via {OTHER_ROUTER} dev cl0" in way_to(net.FAR_HOST4), 5,
                   "route by the other router")
    manager.nmcli("connection", "modify", "wired-cl0", "ipv4.gateway", net.GATEWAY4)
    manager.nmcli("device", "reapply", "cl0")
    take_down(manager)
    net.wait_until(lambda: net.snapshot() == before, 5, "host as before")
    manager.add("lab", "everything", **{"local-network": "false"})
    manager.nmcli("connection", "up", "lab")
    net.check("dev godwit0" in way_to("10.66.0.9"), f"a local network: {way_to('10.66.0.9')}")
    net.check("dev cl0" in way_to("10.66.0.9", "mark", "0x676f"), "our own packets, too")
    take_down(manager, "lab")
    net.wait_until(lambda: net.snapshot() == before, 5, "host as before")
