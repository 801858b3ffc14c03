# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways that make a Child SA for each network, or none before the IKE SA stands."""

import re

import gateway
import net
from client import connected, expect_refusal, start_as_alice
from scenario import scenario, scenario_for

FAR_NET = "198.51.100.0/24"


def start(context, childless=None, children=None):
    connection = gateway.default_connection()
    connection["childless"] = childless
    if children:
        connection["children"] = {name: {"local_ts": networks, "mode": "tunnel"}
                                  for name, networks in children.items()}
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection})
    return host


def installed(host):
    return re.findall(r"(\w+): #\d+, reqid \d+, INSTALLED", host.sas())


def wait_for(host, *names):
    net.wait_until(lambda: sorted(installed(host)) == sorted(names), 10,
                   f"the Child SAs {', '.join(names)} at the gateway")


def ping_all(*addresses):
    for address in addresses:
        net.ping(address)


@scenario_for(["force", "allow", "never"], lambda mode: f"childless_{mode}")
def first_child_sa_on_its_own(context, mode):
    host = start(context, childless=mode)
    with connected(context, "--childless"):
        ping_all(net.HOST4, net.HOST6)
        wait_for(host, "net")
        created = host.count(r"CREATE_CHILD_SA request \d+ \[")
        net.check((created > 0) == (mode != "never"), f"{created} CREATE_CHILD_SA requests")


@scenario
def childless_gateway_refuses_other_clients(context):
    start(context, childless="force")
    before = net.snapshot()
    client = start_as_alice(context)
    expect_refusal(client, "gateway-refused", before)
    net.check("childless" in client.output, f"it does not say what to try: {client.output}")


@scenario
def each_network_by_a_child_sa_of_its_own(context):
    host = start(context, children={"near": net.SPLIT4, "far": FAR_NET})
    with connected(context, "--tunnel", "split", "--remote-ts", f"{net.SPLIT4}, {FAR_NET}"):
        wait_for(host, "near", "far")
        ping_all(net.HOST4, net.FAR_HOST4)
        for name in ("near", "far", "near"):
            host.swanctl("--rekey", "--child", name)
            net.wait_until(lambda: re.search(r"inbound CHILD_SA .* established", host.log()), 10,
                           "a rekeyed Child SA")
            ping_all(net.HOST4, net.FAR_HOST4)
        wait_for(host, "near", "far")
        host.swanctl("--rekey", "--ike", "rw")
        net.wait_until(lambda: host.count(r"IKE_SA rw\[\d+\] rekeyed") > 0, 10, "a rekeyed IKE SA")
        ping_all(net.HOST4, net.FAR_HOST4)
        wait_for(host, "near", "far")


@scenario
def each_family_by_a_child_sa_of_its_own(context):
    host = start(context, children={"four": "0.0.0.0/0", "six": "::/0"})
    with connected(context):
        wait_for(host, "four", "six")
        ping_all(net.HOST4, net.HOST6)


@scenario
def each_network_after_a_childless_beginning(context):
    host = start(context, "force", {"near": net.SPLIT4, "far": FAR_NET, "six": net.SPLIT6})
    with connected(context, "--childless", "--tunnel", "split", "--remote-ts",
                   f"{net.SPLIT4}, {FAR_NET}, {net.SPLIT6}"):
        wait_for(host, "near", "far", "six")
        ping_all(net.HOST4, net.FAR_HOST4, net.HOST6)


@scenario
def network_that_the_gateway_does_not_know(context):
    """The others are had all the same."""
    host = start(context, children={"near": net.SPLIT4})
    with connected(context, "--tunnel", "split", "--remote-ts",
                   f"{net.SPLIT4}, 203.0.113.0/24"):
        wait_for(host, "near")
        net.ping(net.HOST4)


@scenario
def deleted_child_sa_is_made_again(context):
    """One that the gateway ends after a while; one that it ends at once is its word."""
    host = start(context)
    with connected(context):
        net.wait_until(lambda: re.search(r"installed 1[1-9]s ago", host.sas()), 20,
                       "a Child SA of eleven seconds")
        first = re.search(r"net: #(\d+)", host.sas())[1]
        host.swanctl("--terminate", "--child", "net")
        net.wait_until(lambda: re.search(rf"net: #(?!{first},)\d+, reqid \d+, INSTALLED",
                                         host.sas()), 10, "another Child SA")
        ping_all(net.HOST4, net.HOST6)
