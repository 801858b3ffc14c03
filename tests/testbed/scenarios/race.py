# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway with several addresses and two ports, of which some do not answer."""

import gateway
import net
from client import connected, expect_refusal, start_as_alice
from scenario import scenario, scenario_for

DROP = "table inet race {{ chain in {{\ntype filter hook input priority 0; {} drop\n}}\n}}"


def dead(rule):
    """At the gateway's host nothing that matches comes in."""
    net.run("nft", "-f", "-", namespace="gw", input_text=DROP.format(rule))


def name_also(*addresses):
    """The gateway's name stands for these too, and before its own."""
    with open("/etc/hosts", "r+", encoding="ascii") as file:
        usual = file.read()
        file.seek(0)
        file.writelines(f"{address} vpn.example.org\n" for address in addresses)
        file.write(usual)


def start(context, *addresses):
    host = gateway.Gateway(context.pki)
    host.start()
    name_also(*addresses)
    return host


@scenario_for([4, 6], lambda family: f"dead_address_of_ipv{family}_is_passed_over")
def dead_address_is_passed_over(context, family):
    start(context, net.GATEWAY6)
    dead(f"meta nfproto ipv{family} udp dport {{ 500, 4500 }}")
    with connected(context, "--timeout", "4", "--trace") as client:
        net.check(f"{net.GATEWAY4 if family == 6 else net.GATEWAY6}" in client.output,
                  "the other address is not named")
        net.ping(net.HOST4)


@scenario(timeout=60)
def ten_dead_addresses_are_passed_over(context):
    """The right one is the last: the others look nearer (RFC 6724 5, rule 9)."""
    start(context, net.FAR_HOST4, *[f"192.0.2.{number}" for number in range(101, 110)])
    dead(f"ip daddr {net.GATEWAY4} udp dport {{ 500, 4500 }}")
    with connected(context, "--timeout", "15"):
        net.ping(net.HOST4)


@scenario
def port_500_is_blocked(context):
    start(context)
    dead("udp dport 500")
    with connected(context, "--timeout", "4"):
        net.ping(net.HOST4)


@scenario
def first_port_says_no(context):
    """A refusal of one port is no refusal of the other."""
    host = start(context)
    net.run("nft", "-f", "-", namespace="gw",
            input_text=DROP.format("udp dport 500 reject with icmpx admin-prohibited; udp dport 500"))
    with connected(context, "--timeout", "6"):
        net.ping(net.HOST4)
    net.check(host.count(r"received packet: from \S+ to \S+\[500\]") == 0, "port 500 was open")


@scenario
def refusal_ends_the_race(context):
    """What one address answers holds for all: nobody waits for the dead ones."""
    connection = gateway.default_connection()
    connection["proposals"] = "aes128-sha256-modp2048"
    host = gateway.Gateway(context.pki)
    host.start(connections={"rw": connection})
    name_also("192.0.2.101")
    before = net.snapshot()
    client = start_as_alice(context, "--ike-proposals", "aes256gcm16-prfsha384-x25519",
                            "--timeout", "60")
    expect_refusal(client, "no-proposal-chosen", before, 15)


@scenario
def what_worked_is_asked_first(context):
    start(context)
    dead("udp dport 500")
    with connected(context, "--timeout", "4"):
        pass
    with connected(context, "--trace") as client:
        net.check(f"{net.GATEWAY4}:500" not in client.output, "port 500 was asked again")
    with open("/run/godwit/ways", encoding="ascii") as file:
        net.check("192.0.2" in file.read(), "the way is not there")
    net.run("nft", "flush", "ruleset", namespace="gw")
    # Another network: nothing is known of it.
    net.run("ip", "route", "replace", "default", "via", "192.0.2.254", "dev", "cl0")
    with connected(context, "--trace") as client:
        net.check(f"{net.GATEWAY4}:500" in client.output, "port 500 was not asked")
