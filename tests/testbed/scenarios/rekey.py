# SPDX-License-Identifier: GPL-2.0-or-later
"""Rekeying of the Child SA and of the IKE SA, by either side, under traffic that loses nothing."""

import re

import gateway
import net
import transfer
from client import connected, expect_refusal, start_as_alice
from pings import pinged
from scenario import scenario, scenario_for

REKEYED_CHILD = r"outbound CHILD_SA net\{\d+\} established"
REKEYED_IKE = r"IKE_SA rw\[\d+\] rekeyed between"


def start(context, connection=None, child=None, **options):
    """The usual gateway; `connection` and `child` are merged into its configuration."""
    host = gateway.Gateway(context.pki)
    merged = gateway.default_connection()
    merged.update(connection or {})
    merged["children"]["net"].update(child or {})
    host.start(connections={"rw": merged}, **options)
    return host


def rekeyed(host, pattern, times, timeout=20):
    net.wait_until(lambda: host.count(pattern) >= times, timeout,
                   f"{times} times '{pattern}' in the log of the gateway")


def one_of_each(host):
    """In the end there is one IKE SA and one Child SA."""
    def quiet():
        listing = host.sas()
        return (len(re.findall(r"#\d+, ESTABLISHED", listing)) == 1 and
                len(re.findall(r"#\d+, reqid \d+, INSTALLED", listing)) == 1 and
                not re.search(r"REKE|DELET", listing))
    net.wait_until(quiet, 15, "one IKE SA with one Child SA at the gateway")


@scenario_for(["none", "x25519", "ecp256", "modp2048"], lambda group: f"gateway_rekeys_child_{group}")
def gateway_rekeys_child(context, group):
    pfs = "" if group == "none" else f"-{group}"
    host = start(context, child={"esp_proposals": f"aes128gcm16{pfs}-noesn,aes128gcm16-noesn"})
    with connected(context):
        with pinged():
            for times in range(1, 4):
                host.swanctl("--rekey", "--child", "net")
                rekeyed(host, REKEYED_CHILD, times)
        one_of_each(host)


@scenario
def gateway_rekeys_ike(context):
    host = start(context)
    with connected(context):
        with pinged():
            for times in range(1, 4):
                host.swanctl("--rekey", "--ike", "rw")
                rekeyed(host, REKEYED_IKE, times)
        one_of_each(host)
        with pinged():
            host.swanctl("--rekey", "--child", "net")
            rekeyed(host, REKEYED_CHILD, 1)


@scenario(timeout=60)
def gateway_rekeys_both_all_the_time(context):
    host = start(context, connection={"rekey_time": "5s", "over_time": "10s", "rand_time": "0"},
                 child={"rekey_time": "2s", "life_time": "20s", "rand_time": "0"})
    with connected(context):
        with pinged():
            rekeyed(host, REKEYED_IKE, 2, 40)
            rekeyed(host, REKEYED_CHILD, 3, 40)


@scenario_for(["none", "x25519", "ecp384"], lambda group: f"client_rekeys_child_{group}")
def client_rekeys_child(context, group):
    """With the group that we send, with one that we do not send first, and without any."""
    pfs = "" if group == "none" else f"-{group}"
    host = start(context, child={"esp_proposals": f"aes128gcm16{pfs}-noesn"})
    with connected(context, "--child-lifetime", "2"):
        with pinged():
            rekeyed(host, REKEYED_CHILD, 3)
    net.check(host.count(r"CREATE_CHILD_SA request \d+ \[ N\(REKEY_SA\)") >= 3,
              "the client did not ask")


@scenario(timeout=60)
def client_rekeys_child_after_so_many_octets(context):
    """In either direction; the files arrive as they were."""
    host = start(context)
    transfer.start_server()
    with connected(context, "--child-octets", "2M"):
        for direction in ("up", "down"):
            times = host.count(REKEYED_CHILD)
            transfer.transfer(net.HOST4, direction, 12_000_000)
            rekeyed(host, REKEYED_CHILD, times + 1)
        one_of_each(host)
    net.check(host.count(r"parsed CREATE_CHILD_SA request \d+ \[ N\(REKEY_SA\)") >= 2,
              "the client did not ask")


@scenario
def client_rekeys_ike(context):
    host = start(context)
    with connected(context, "--ike-lifetime", "2"):
        with pinged():
            rekeyed(host, REKEYED_IKE, 3)
        one_of_each(host)


@scenario(timeout=60)
def both_sides_rekey_all_the_time(context):
    """Rekeyings of both kinds from both sides: they cross again and again."""
    host = start(context, connection={"rekey_time": "2s", "over_time": "10s", "rand_time": "0"},
                 child={"rekey_time": "2s", "life_time": "20s", "rand_time": "0"})
    with connected(context, "--child-lifetime", "2", "--ike-lifetime", "2"):
        with pinged():
            rekeyed(host, REKEYED_IKE, 8, 40)
            rekeyed(host, REKEYED_CHILD, 8, 40)


@scenario(timeout=60)
def gateway_is_lost(context):
    """The gateway dies without a word: traffic that nobody answers makes the client ask, and end."""
    host = start(context)
    before = net.snapshot()
    client = start_as_alice(context, "--dpd", "2", "--dead-after", "4", "--no-reconnect")
    client.wait_connected()
    host.stop(9)
    pings = net.Process(["ping", "-n", "-q", "-i", "0.2", net.HOST4])
    expect_refusal(client, "gateway-lost", before)
    pings.kill()


@scenario
def idle_connection_is_left_alone(context):
    """But for answers that a busy machine gives too late, which is no idle connection."""
    host = start(context)
    with connected(context, "--dpd", "1"):
        net.ping(net.HOST4)
        for _ in range(4):
            parsed = host.count("parsed INFORMATIONAL request")
            net.let_pass(4)
            if host.count("parsed INFORMATIONAL request") == parsed:
                return
    raise net.Failure("it was asked, again and again")


LOSS = """table inet loss {
    chain in { type filter hook input priority 0; udp dport 4500 numgen random mod 10 0 drop; }
    chain out { type filter hook output priority 0; udp sport 4500 numgen random mod 10 0 drop; }
}"""


@scenario(timeout=60)
def rekeyed_with_loss_outside(context):
    """A tenth of all datagrams is lost each way: the tunnel stays up through every rekeying."""
    host = start(context, child={"rekey_time": "3s", "life_time": "30s", "rand_time": "0"})
    with connected(context, "--child-lifetime", "4", "--ike-lifetime", "5"):
        net.run("nft", "-f", "-", namespace="gw", input_text=LOSS)
        pings = net.Process(["ping", "-n", "-q", "-i", "0.01", net.HOST4])
        rekeyed(host, REKEYED_CHILD, 5, 50)
        pings.signal(2)
        pings.wait(10)
        net.run("nft", "delete", "table", "inet", "loss", namespace="gw")
        net.ping(net.HOST4)
