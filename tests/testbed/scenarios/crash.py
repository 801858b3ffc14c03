# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that are ended by a fault: another worker takes the place of one that was, and what a
dead session leaves behind is undone by the next."""

import contextlib
import os
import re
import signal
import time

import gateway
import net
import transfer
from client import Terminal, connected, environment, processes, program, start_as_alice, worker
from meter import Meter
from scenario import scenario

# What may leave the host while a tunnel takes everything; the rest is counted.
WATCH = """table inet watch {
    chain out {
        type filter hook postrouting priority 300;
        oifname "cl0" udp dport { 500, 4500 } accept
        oifname "cl0" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit,
                                    mld-listener-report, mld2-listener-report } accept
        oifname "cl0" counter
    }
}"""


def start(context, **options):
    host = gateway.Gateway(context.pki)
    host.start(**options)
    return host


@contextlib.contextmanager
def nothing_leaks():
    net.run("nft", "-f", "-", input_text=WATCH)
    yield
    listing = net.run("nft", "list", "table", "inet", "watch")
    net.run("nft", "delete", "table", "inet", "watch")
    net.check(re.search(r"counter packets 0 ", listing),
              f"something went beside the tunnel: {listing}")


def kill_worker():
    """SIGKILL; returns its PID and when."""
    pid = worker()
    now = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return pid, now


def inner_addresses():
    return re.findall(r"inet6? ([0-9a-f.:]+)/\d+ scope global",
                      net.run("ip", "addr", "show", "godwit0"))


@scenario
def worker_is_killed(context):
    """SIGKILL of godwit-tunnel under traffic: another one takes its place, with the same addresses;
    a TCP connection lives on, and nothing goes beside the tunnel."""
    host = start(context)
    transfer.start_server()
    with connected(context) as client:
        net.ping(net.HOST6)
        before = inner_addresses()
        with nothing_leaks(), Meter() as meter, transfer.Steady(net.HOST4) as stream:
            net.wait_until(lambda: stream.octets, 10, "octet through the TCP connection")
            pid, killed = kill_worker()
            client.process.read_until(r"Reconnecting: .*signal 9 .*started again", 5)
            outage = meter.wait_answer(killed, 10)
            client.process.read_until("Connected again", 5)
            came = stream.octets
            net.wait_until(lambda: stream.octets > came or stream.problem, 10,
                           "octet through the old TCP connection")
        net.check(worker() != pid, "the worker is the same")
        net.check(inner_addresses() == before, f"{inner_addresses()} in the place of {before}")
        net.check(host.sas().count("ESTABLISHED") == 1, "the gateway keeps the old IKE SA")
        net.ping(net.HOST6)
    return f"outage {outage:.0f} ms"


@scenario
def worker_is_killed_after_a_password_was_typed(context):
    """It is not asked for again."""
    start(context)
    before = net.snapshot()
    terminal = Terminal([program(context), "connect", "vpn.example.org", "--standalone", "--user",
                         "alice", "--ca", context.pki.certificate("root")], environment(context))
    terminal.read_until("(?i)password", 5)
    terminal.type(gateway.USERS["alice"] + "\n")
    terminal.read_until("^Connected", 15)
    kill_worker()
    terminal.read_until("Connected again", 10)
    net.check(len(re.findall("(?i)password", terminal.output)) == 1, "it was asked for again")
    net.ping(net.HOST4)
    terminal.type("\x03")
    code = terminal.wait()
    net.check(code == 0, f"exit code {code} after Ctrl-C")
    net.wait_until(lambda: not processes(), 5, "end of every process of the client")
    net.check_unchanged(before)


@scenario
def worker_is_killed_again_and_again(context):
    """A worker that does not stay is given up: a clear end, everything reverted."""
    start(context)
    before = net.snapshot()
    client = start_as_alice(context)
    client.wait_connected()
    for time_of_crash in range(1, 6):
        kill_worker()
        if time_of_crash < 5:
            client.process.read_until(f"(Connected again(.|\\n)*){{{time_of_crash}}}", 10)
    code = client.wait_end()
    net.check(code == 26 and "happened 5 times" in client.output,
              f"exit code {code}; it said: {client.process.tail()}")
    net.check_unchanged(before)
