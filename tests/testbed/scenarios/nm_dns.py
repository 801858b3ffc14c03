# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom names are asked of when NetworkManager tells systemd-resolved or its own dnsmasq."""

import gateway
import net
import networkmanager
import resolvers
from resolvers import DOMAIN, INSIDE_SAYS, OUTSIDE_SAYS, expect, wait_for
from scenario import scenario, scenario_for
from scenarios.nm_service import add

INSIDE = "host." + DOMAIN
ELSEWHERE = "www.elsewhere.example"
WAYS = ("systemd-resolved", "dnsmasq")


def start(context, way, split):
    """(names, NetworkManager that tells `way` of a server outside, systemd-resolved or None)."""
    connection = gateway.default_connection()
    pools = gateway.default_pools()
    if split:
        connection["children"]["net"]["local_ts"] = f"{net.SPLIT4}, {net.SPLIT6}"
        pools["pool4"]["25"] = DOMAIN
    host = gateway.Gateway(context.pki)
    names = resolvers.Names()
    host.start({"rw": connection}, pools)
    net.batch(None, "addr flush dev cl0", "link set cl0 down")
    policies = (resolvers.unpacked("systemd-resolved", "**/org.freedesktop.resolve1.conf"),) \
        if way == "systemd-resolved" else ()
    manager = networkmanager.NetworkManager(context, dns=way, policies=policies)
    resolved = None
    if way == "systemd-resolved":
        resolvers.point_to()  # else it would be the servers' of every link
        resolved = resolvers.Resolved(own_bus=False)
    else:
        resolvers.point_to("127.0.0.1")
    manager.wired("cl0", f"{net.CLIENT4}/24", net.GATEWAY4, more=(
        "+ipv4.addresses", "192.168.9.2/24", "ipv4.dns", resolvers.OUTSIDE,
        "ipv4.dns-search", "home.example"))
    wait_for(ELSEWHERE, OUTSIDE_SAYS)
    return names, manager, resolved


@scenario_for(WAYS, lambda way: f"nm_tells_{way.replace('-', '_')}_of_a_full_tunnel", timeout=60)
def nm_full(context, way):
    """Every name is asked of the gateway's servers."""
    names, manager, _ = start(context, way, split=False)
    add(manager, context)
    manager.nmcli("connection", "up", "work")
    wait_for(ELSEWHERE, INSIDE_SAYS)
    with names.nothing_beside():
        expect(INSIDE, INSIDE_SAYS)
        expect("www.third.example", INSIDE_SAYS)
    manager.nmcli("connection", "down", "work")
    wait_for(ELSEWHERE, OUTSIDE_SAYS)


@scenario(timeout=60)
def nm_kill_switch_holds_names(context):
    """systemd-resolved would ask beside the tunnel for what the link's own connection claims."""
    names, manager, resolved = start(context, "systemd-resolved", split=False)
    add(manager, context, **{"kill-switch": "connected"})
    manager.nmcli("connection", "up", "work")
    # A question meanwhile would fail, and be asked with the link's domain, which takes its time.
    net.wait_until(lambda: net.HOST4 in resolved.ctl("dns", "godwit0"), 10, "server of the tunnel")
    with names.nothing_beside():
        expect(ELSEWHERE, INSIDE_SAYS)
        before = resolvers.refused()
        resolvers.send_question("printer.home.example", "127.0.0.53")
        net.wait_until(lambda: resolvers.refused() > before, 10, "question that is refused")
        net.check(not resolvers.send_question(ELSEWHERE, resolvers.OUTSIDE),
                  "a program may ask outside")
    manager.nmcli("connection", "down", "work")
    wait_for(ELSEWHERE, OUTSIDE_SAYS)


@scenario_for(WAYS, lambda way: f"nm_tells_{way.replace('-', '_')}_of_domains", timeout=60)
def nm_split(context, way):
    """What is in the gateway's domains is asked of its servers, the rest of the link's."""
    names, manager, _ = start(context, way, split=True)
    add(manager, context, tunnel="split")
    manager.nmcli("connection", "up", "work")
    wait_for(INSIDE, INSIDE_SAYS)
    with names.nothing_beside():
        expect(DOMAIN, INSIDE_SAYS)
    expect(ELSEWHERE, OUTSIDE_SAYS)
    expect("x" + DOMAIN, OUTSIDE_SAYS)
    manager.nmcli("connection", "down", "work")
    wait_for(INSIDE, OUTSIDE_SAYS)
