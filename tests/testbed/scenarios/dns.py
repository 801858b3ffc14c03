# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom names are asked of: each way to set DNS, with the real programs, and nothing beside the
tunnel."""

import os
import signal

import gateway
import net
import resolvers
from client import connected, processes, program, start_as_alice
from resolvers import DOMAIN, INSIDE_SAYS, OUTSIDE_SAYS, expect, wait_for
from scenario import scenario, scenario_for

INSIDE = "host." + DOMAIN
ELSEWHERE = "www.elsewhere.example"


def start(context, domains=None, split=False):
    """A gateway with name servers; (gateway, names)."""
    connection = gateway.default_connection()
    pools = gateway.default_pools()
    if domains:
        pools["pool4"]["25"] = domains
    if split:
        connection["children"]["net"]["local_ts"] = f"{net.SPLIT4}, {net.SPLIT6}"
    host = gateway.Gateway(context.pki)
    names = resolvers.Names()
    host.start({"rw": connection}, pools)
    return names


def told(tunnel, method):
    """The summary says how, and that a server answers by the tunnel."""
    tunnel.process.read_until(rf"^  DNS .*\({method}\)", 5)
    tunnel.process.read_until(r"10\.99\.0\.1 answers in [\d.]+ ms$", 10)


def all_inside(names):
    with names.nothing_beside():
        expect(INSIDE, INSIDE_SAYS)
        expect(ELSEWHERE, INSIDE_SAYS)


def domains_inside(names):
    with names.nothing_beside():
        expect(INSIDE, INSIDE_SAYS)
        expect(DOMAIN, INSIDE_SAYS)
    expect(ELSEWHERE, OUTSIDE_SAYS)
    expect("x" + DOMAIN, OUTSIDE_SAYS)


def killed(context, client):
    """godwit, by SIGKILL; then what is left is cleaned up."""
    client.process.kill()
    net.wait_until(lambda: not processes(), 5, "end of the worker whose godwit was killed")
    net.run(program(context), "cleanup")


# ---- systemd-resolved ----

@scenario
def resolved_gets_every_name_in_a_full_tunnel(context):
    names = start(context)
    resolvers.Resolved()
    expect(ELSEWHERE, OUTSIDE_SAYS)
    with connected(context) as tunnel:
        told(tunnel, "systemd-resolved")
        all_inside(names)
        with names.nothing_beside():
            net.check(not resolvers.send_question(ELSEWHERE, resolvers.OUTSIDE),
                      "a program may ask outside")
            # systemd-resolved would ask there for what DHCP has claimed for its own server.
            before = resolvers.refused()
            resolvers.send_question("printer.home.example", "127.0.0.53")
            net.wait_until(lambda: resolvers.refused() > before, 10, "question that is refused")
    wait_for(ELSEWHERE, OUTSIDE_SAYS)
    net.check(resolvers.send_question(ELSEWHERE, resolvers.OUTSIDE), "nobody may ask outside any more")


@scenario
def resolved_gets_the_domains_in_a_split_tunnel(context):
    names = start(context, DOMAIN, split=True)
    resolved = resolvers.Resolved()
    with connected(context, "--tunnel", "split") as tunnel:
        told(tunnel, "systemd-resolved")
        domains_inside(names)
        net.check(f"~{DOMAIN}" in resolved.ctl("domain", "godwit0"), "the domain is searched too")
    wait_for(INSIDE, OUTSIDE_SAYS)


@scenario
def resolved_is_restarted(context):
    """What it was told is told again; meanwhile nothing goes beside the tunnel."""
    names = start(context)
    resolved = resolvers.Resolved()
    with connected(context), names.nothing_beside():
        resolved.process.kill()
        resolved.start()
        wait_for(INSIDE, INSIDE_SAYS)
        # Where its restart takes long, resolv.conf stands in.
        net.wait_until(lambda: net.HOST4 in resolved.ctl("dns", "godwit0"), 10,
                       "server of the tunnel's link")


@scenario
def resolved_dies(context):
    """It does not come back: resolv.conf is written, and is the old link again in the end."""
    names = start(context)
    resolved = resolvers.Resolved()
    with connected(context), names.nothing_beside():
        resolved.process.kill()
        net.wait_until(lambda: f"nameserver {net.HOST4}" in resolvers.resolv_conf(), 10,
                       "other way to set DNS")
        all_inside(names)
    net.check(os.path.islink("/etc/resolv.conf"), "resolv.conf is no link any more")


@scenario
def resolved_hangs(context):
    names = start(context)
    resolved = resolvers.Resolved()
    resolved.process.signal(signal.SIGSTOP)
    with connected(context) as tunnel:
        told(tunnel, "/etc/resolv.conf")
        all_inside(names)
    resolved.process.signal(signal.SIGCONT)
    net.check(os.path.islink("/etc/resolv.conf"), "resolv.conf is no link any more")


@scenario
def resolved_refuses(context):
    names = start(context)
    resolvers.start_refusing_resolved()
    with connected(context) as tunnel:
        told(tunnel, "/etc/resolv.conf")
        all_inside(names)


@scenario
def resolved_is_bypassed(context):
    """DHCP replaces the link to systemd-resolved's stub by a file of its own."""
    names = start(context)
    resolvers.Resolved()
    client = start_as_alice(context)
    client.wait_connected()
    with names.nothing_beside():
        resolvers.point_to(resolvers.OUTSIDE)
        net.wait_until(lambda: f"nameserver {net.HOST4}" in resolvers.resolv_conf(), 5,
                       "resolv.conf of ours")
        all_inside(names)
    client.disconnect()
    net.check(f"nameserver {resolvers.OUTSIDE}\n" in resolvers.resolv_conf(),
              "resolv.conf is not as DHCP wrote it")


# ---- /etc/resolv.conf ----

@scenario
def resolv_conf_is_kept_against_dhcp(context):
    names = start(context)
    client = start_as_alice(context)
    client.wait_connected()
    told(client, "/etc/resolv.conf")
    with names.nothing_beside():
        all_inside(names)
        for number in (1, 2, 3):
            resolvers.point_to(f"192.0.2.{number}")
            net.wait_until(lambda: f"nameserver {net.HOST4}" in resolvers.resolv_conf(), 5,
                           "resolv.conf of ours")
        all_inside(names)
    client.disconnect()
    net.check("nameserver 192.0.2.3\n" in resolvers.resolv_conf(),
              f"resolv.conf is not as DHCP wrote it last: {resolvers.resolv_conf()!r}")


@scenario
def resolv_conf_is_fought_over(context):
    """Another program puts its own back as soon as we do: it ends, ours wins in the end."""
    start(context)
    client = start_as_alice(context)
    client.wait_connected()
    ours = resolvers.resolv_conf()
    turns = 0
    while "keeps writing" not in client.output:
        resolvers.point_to(resolvers.OUTSIDE)
        turns += 1
        net.check(turns < 10000, "the fight goes on")
        client.process.matches("keeps writing")
    net.wait_until(lambda: resolvers.resolv_conf() == ours, 10, "resolv.conf of ours")
    client.disconnect()
    net.check(f"nameserver {resolvers.OUTSIDE}\n" in resolvers.resolv_conf(),
              "resolv.conf is not as the other program wrote it")


@scenario
def silent_name_server(context):
    names = start(context)
    names.inside.kill()
    with connected(context) as tunnel:
        tunnel.process.read_until(r"ms  DNS: none of 2 servers answers$", 15)
        status = net.run(program(context), "status", "--json")
        net.check('"dns-answers": "none of 2 servers answers"' in status,
                  f"the status does not tell: {status}")


@scenario
def split_tunnel_without_means_to_tell_domains_apart(context):
    """Then every name is asked inside, unless the user wants only the domains."""
    names = start(context, DOMAIN, split=True)
    with connected(context, "--tunnel", "split") as tunnel:
        told(tunnel, "/etc/resolv.conf")
        all_inside(names)
    with connected(context, "--tunnel", "split", "--dns", "domains") as tunnel:
        tunnel.process.read_until(r"^  DNS .*can tell domains apart", 5)
        expect(ELSEWHERE, OUTSIDE_SAYS)


@scenario
def name_server_outside_of_the_split_networks(context):
    """The gateway carries it, but does not name its network: it gets a route of its own."""
    names = start(context, DOMAIN)
    with connected(context, "--tunnel", "split") as tunnel:
        told(tunnel, "/etc/resolv.conf")
        all_inside(names)
        net.check("godwit0" not in net.run("ip", "route", "get", "10.99.0.2"), "a route too many")


@scenario
def name_server_that_the_tunnel_does_not_carry(context):
    """It would be asked beside the tunnel: left alone."""
    start(context, DOMAIN, split=True)
    with connected(context, "--tunnel", "split", "--dns-servers", net.FAR_HOST4) as tunnel:
        tunnel.process.read_until(r"^  DNS .*does not reach the servers", 5)
        expect(ELSEWHERE, OUTSIDE_SAYS)


# ---- openresolv ----

@scenario
def openresolv_takes_our_servers_alone(context):
    names = start(context)
    resolvers.install_openresolv()
    with connected(context) as tunnel:
        told(tunnel, "openresolv")
        with names.nothing_beside():
            all_inside(names)
            resolvers.dhcp(resolvers.OUTSIDE, "192.0.2.54")
            all_inside(names)
        resolvers.dhcp(resolvers.OUTSIDE)
    expect(ELSEWHERE, OUTSIDE_SAYS)


# ---- NetworkManager's dnsmasq ----

@scenario_for((False, True), lambda split: "dnsmasq_gets_the_domains_in_a_split_tunnel" if split else
              "dnsmasq_gets_every_name_in_a_full_tunnel")
def dnsmasq(context, split):
    names = start(context, DOMAIN, split=split)
    dnsmasq = resolvers.Dnsmasq()
    expected = domains_inside if split else all_inside
    wait_for(ELSEWHERE, OUTSIDE_SAYS)
    with connected(context, "--tunnel", "split" if split else "full") as tunnel:
        told(tunnel, "NetworkManager's dnsmasq")
        expected(names)
        dnsmasq.renew(resolvers.OUTSIDE)
        wait_for(INSIDE, INSIDE_SAYS)
        expected(names)
        dnsmasq.process.kill()
        dnsmasq.start()
        wait_for(INSIDE, INSIDE_SAYS)
    wait_for(INSIDE, OUTSIDE_SAYS)


# ---- a killed client ----

RESOLVERS = {"resolved": resolvers.Resolved, "openresolv": resolvers.install_openresolv,
             "dnsmasq": resolvers.Dnsmasq}


@scenario_for(RESOLVERS, lambda resolver: f"{resolver}_after_a_kill")
def after_a_kill(context, resolver):
    """What it left behind is taken back by the next one."""
    start(context)
    RESOLVERS[resolver]()
    before = net.snapshot()
    client = start_as_alice(context)
    client.wait_connected()
    wait_for(ELSEWHERE, INSIDE_SAYS)
    killed(context, client)
    net.check_unchanged(before)
    wait_for(ELSEWHERE, OUTSIDE_SAYS)
