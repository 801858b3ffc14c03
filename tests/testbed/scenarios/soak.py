# SPDX-License-Identifier: GPL-2.0-or-later
"""Rekeying while the network misbehaves: load, loss, a small path, a gateway that dies."""

import contextlib
import os
import re
import threading
import time

import gateway
import net
import pki
import transfer
from client import CONNECT_TIMEOUT, Client, connected, expect_refusal, start_as_alice
from pings import pinged
from scenario import scenario
from scenarios.rekey import REKEYED_CHILD, REKEYED_IKE
from scenarios.rekey import start as start_rekeying

# Octets of TCP under way: so few that no queue overflows, whoever stalls.
SMALL_WINDOWS = ("net.ipv4.tcp_rmem=4096 16384 65536", "net.ipv4.tcp_wmem=4096 16384 65536")
# The peer asks again soon, so that a lost datagram costs a scenario little.
IMPATIENT = {"retransmit_timeout": "0.5", "retransmit_base": "1.3", "retransmit_tries": "12"}

# Every datagram may be lost, whatever it carries.
LOSS = """table inet loss {
    chain in { type filter hook input priority 0; udp dport 4500 numgen random mod 100 < 10 drop; }
    chain out { type filter hook output priority 0; udp sport 4500 numgen random mod 100 < 10 drop; }
}"""

# IKE on port 4500 has a marker of four zeros. SPI, exchange, flags, message ID and what follows the
# first payload header (of a fragment: its number) tell one datagram from another.
MESSAGE = "@th,96,64 . @th,224,64 . @th,352,32"
FIRST_COPIES = f"""table inet once {{
    set seen {{ typeof {MESSAGE}; size 65535; flags dynamic; }}
    chain lose {{ @th,64,32 0 udp length > %d {MESSAGE} != @seen \\
        add @seen {{ {MESSAGE} }} counter drop; }}
    chain in {{ type filter hook input priority 0; udp dport 4500 jump lose; }}
    chain out {{ type filter hook output priority 0; udp sport 4500 jump lose; }}
}}"""


def filtered(rules):
    net.run("nft", "-f", "-", namespace="gw", input_text=rules)


def small_windows():
    for setting in SMALL_WINDOWS:
        net.run("sysctl", "-q", "-w", setting)
        net.run("sysctl", "-q", "-w", setting, namespace="gw")


class Transfers:
    """TCP transfers with checksums, both directions, again and again for the time of a `with`."""

    def __init__(self, size, timeout=30):
        self.size, self.timeout = size, timeout
        self.done = 0
        self.problem = None
        self.over = False
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self):
        try:
            while not self.over:
                for direction in ("up", "down"):
                    transfer.transfer(net.HOST4, direction, self.size, self.timeout)
                    self.done += 1
        except (OSError, ValueError) as problem:
            self.problem = f"{type(problem).__name__}: {problem}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over = True
        if kind is None:
            self.thread.join(2 * self.timeout)
            net.check(self.problem is None, f"transfer {self.done + 1}: {self.problem}")
            net.check(not self.thread.is_alive() and self.done >= 2, "the transfers do not end")


def rekey_by_hand(host, times, timeout):
    """The gateway rekeys both kinds, until each has happened so often, whoever did it."""
    deadline = time.monotonic() + timeout
    while True:
        children, ikes = host.count(REKEYED_CHILD), host.count(REKEYED_IKE)
        if children >= times and ikes >= times:
            return
        net.check(time.monotonic() < deadline,
                  f"{children} Child SAs and {ikes} IKE SAs rekeyed after {timeout} s")
        for kind, name, pattern, before in (("--child", "net", REKEYED_CHILD, children),
                                            ("--ike", "rw", REKEYED_IKE, ikes)):
            host.swanctl("--rekey", kind, name)
            # A collision may take the request away: it is not repeated before it had its time.
            with contextlib.suppress(net.Failure):
                net.wait_until(lambda: host.count(pattern) > before, 1.5, "rekeying")


@scenario(timeout=90)
def transfers_during_rekeying_from_both_sides(context):
    """Nothing is lost of pings every 5 ms and of transfers, while both kinds are rekeyed."""
    host = start_rekeying(context)
    transfer.start_server()
    small_windows()
    with connected(context, "--child-lifetime", "2", "--ike-lifetime", "3"):
        with pinged(0.005), Transfers(4_000_000):
            rekey_by_hand(host, 4, 60)
        net.ping(net.HOST4)


@scenario(timeout=120)
def transfers_during_rekeying_with_loss(context):
    """A tenth of everything outside is lost each way: all is rekeyed, the tunnel never goes down."""
    host = start_rekeying(context, charon=IMPATIENT)
    transfer.start_server()
    with connected(context, "--child-lifetime", "3", "--ike-lifetime", "60",
                   "--dead-after", "60") as tunnel:
        filtered(LOSS)
        with pinged(0.02, lossless=False), Transfers(100_000, 60):
            rekey_by_hand(host, 2, 80)
        net.check(host.count("IKE_SA rw.* established") == 1 and tunnel.process.popen.poll() is None,
                  "the tunnel went down")
        net.run("nft", "delete", "table", "inet", "loss", namespace="gw")
        net.ping(net.HOST4)


@scenario(timeout=60)
def gateway_dies_while_rekeying(context):
    """The request of a rekeying is never answered: the client ends in the time that it was given."""
    host = start_rekeying(context)
    before = net.snapshot()
    client = start_as_alice(context, "--child-lifetime", "2", "--dead-after", "3",
                            "--no-reconnect")
    client.wait_connected()
    net.wait_until(lambda: host.count(REKEYED_CHILD) >= 1, 20, "rekeying")
    host.stop(9)
    died = time.monotonic()
    expect_refusal(client, "gateway-lost", before, 40)
    seconds = time.monotonic() - died
    net.check(2 <= seconds <= 25, f"lost {seconds:.1f} s after the death of the gateway")


@scenario(timeout=60)
def first_copy_of_every_message_is_lost(context):
    """Requests and responses of authentication, rekeying and the end all come with their first
    retransmission."""
    host = gateway.Gateway(context.pki)
    host.start(connections={"rw": gateway.psk_connection()}, charon=IMPATIENT)
    filtered(FIRST_COPIES % 8)
    with connected(context, "--auth", "psk", "--identity", "alice@example.org",
                   "--child-lifetime", "2", user=None, psk=gateway.PSK, ca=None):
        host.swanctl("--rekey", "--ike", "rw")
        net.wait_until(lambda: host.count(REKEYED_IKE) and host.count(REKEYED_CHILD), 40,
                       "rekeying of both kinds")
        net.ping(net.HOST4)
    lost = int(re.search(r"counter packets (\d+)", net.run(
        "nft", "list", "table", "inet", "once", namespace="gw")).group(1))
    net.check(lost >= 6, f"only {lost} messages were lost")


@scenario(timeout=60)
def large_messages_lose_their_first_copy(context):
    """Only messages of more than 500 octets: certificates and key exchanges."""
    host = gateway.Gateway(context.pki)
    host.start(connections={"rw": gateway.certificate_connection()}, charon=IMPATIENT)
    filtered(FIRST_COPIES % 500)
    with connected(context, "--auth", "certificate", "--certificate",
                   context.pki.certificate("user-rsa2048"), "--private-key",
                   context.pki.key("user-rsa2048"), user=None):
        net.ping(net.HOST4)
    net.check(host.count("retransmit|received retransmit") >= 1, "nothing was retransmitted")


def big_certificates():
    """RSA of 4096 bits all the way; names fill the gateway's certificate."""
    names = ",".join(f"DNS:gateway-{number}.remote-access.example.org" for number in range(20))
    return {
        "big-root": pki.authority("Big root", "rsa4096", "big-root"),
        "big-intermediate": pki.authority("Big intermediate", "rsa4096", "big-root"),
        "gw-big": pki.certificate("rsa4096", "big-intermediate", san=f"{pki.GATEWAY_SAN},{names}"),
        "user-big": pki.certificate("rsa2048", "big-intermediate", use="clientAuth",
                              san="email:alice@example.org",
                              subject="/O=Godwit test/CN=alice@example.org"),
    }


FRAGMENTS = """table inet fragments {
    chain in { type filter hook prerouting priority -500; ip frag-off & 0x3fff != 0 drop; }
}"""


@scenario(timeout=90)
def path_of_1280_with_a_big_certificate_chain(context):
    """IKE fragments itself (RFC 7383): fragments of IP do not pass, as through many middleboxes."""
    pki.CERTIFICATES.update(big_certificates())
    sizes = [os.stat(context.pki.certificate(name)).st_size * 3 // 4
             for name in ("gw-big", "big-intermediate")]
    net.run("ip", "link", "set", "cl0", "mtu", "1280")
    net.run("ip", "link", "set", "gw0", "mtu", "1280", namespace="gw")
    filtered(FRAGMENTS)
    net.run("nft", "-f", "-", input_text=FRAGMENTS)
    host = gateway.Gateway(context.pki)
    folder = f"{host.directory}/swanctl/x509ca"
    os.makedirs(folder)
    os.symlink(context.pki.certificate("big-root"), f"{folder}/root.pem")
    os.symlink(context.pki.certificate("big-intermediate"), f"{folder}/intermediate.pem")
    connection = gateway.certificate_connection("gw-big")
    connection["pools"] = "pool4"
    connection["children"]["net"]["local_ts"] = "0.0.0.0/0"
    host.start(connections={"rw": connection})
    transfer.start_server()
    before = net.snapshot()
    client = Client(context, "--auth", "certificate", "--certificate",
                    context.pki.certificate("user-big"), "--private-key",
                    context.pki.key("user-big"), ca="big-root")
    client.wait_connected(2 * CONNECT_TIMEOUT)
    net.ping(net.HOST4)
    for direction in ("up", "down"):
        transfer.transfer(net.HOST4, direction, 1_000_000)
    client.disconnect()
    net.check_unchanged(before)
    net.check(sum(sizes) >= 3500, f"the chain has only {sum(sizes)} octets")
    net.check(host.count("splitting IKE message") >= 1, "the gateway sent no fragments")
