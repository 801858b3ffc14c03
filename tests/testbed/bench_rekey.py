#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets lost while keys are renewed every few seconds, beside charon-cmd under the same traffic."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import client  # noqa: E402
import gateway  # noqa: E402
import measuring  # noqa: E402
import net  # noqa: E402
import queues  # noqa: E402
import reference  # noqa: E402

PORT = 9100
FLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flow.py")
# What the log of the gateway says once for each.
COUNTED = {
    "child": r"outbound CHILD_SA net\{\d+\} established",
    "ike": r"IKE_SA rw\[\d+\] rekeyed between",
    "child by client": r"parsed CREATE_CHILD_SA request \d+ \[ N\(REKEY_SA\)",
    "ike by client": r"parsed CREATE_CHILD_SA request \d+ \[ SA No KE \]",
    "child by gateway": r"generating CREATE_CHILD_SA request \d+ \[ N\(REKEY_SA\)",
    "ike by gateway": r"generating CREATE_CHILD_SA request \d+ \[ SA No KE \]",
}
# Seconds. A rekeying by one side begins the lifetime anew for the other: the client's end between two
# of the gateway's, so that both take turns. charon-cmd never rekeys: there the gateway does it all.
CLIENT_CHILD, CLIENT_IKE = 4, 6
GATEWAY_BESIDE = (("--child", "net", 7), ("--ike", "rw", 10))
GATEWAY_ALONE = (("--child", "net", 3.5), ("--ike", "rw", 5))


def start_gateway(context):
    connection = gateway.default_connection()
    connection["pools"] = "pool4"
    connection["children"]["net"]["local_ts"] = "0.0.0.0/0"
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection})
    # What the client loses is in question, not what the gateway's small buffers do.
    queues.roomy(host.process.pid)
    net.run("ip", "link", "set", "ipsec0", "txqueuelen", "5000", namespace="gw")
    return host


def inner_address():
    return re.search(r"src (\S+)", net.run("ip", "route", "get", net.HOST4)).group(1)


def end_of_flow(local, peer, options, namespace=None):
    process = net.Process([sys.executable, FLOW, local, peer, str(PORT), str(options.mbit),
                           str(options.seconds)], namespace=namespace, stdin=subprocess.PIPE)
    process.read_until("^ready", 10)
    return process


def rekey_by_gateway(host, schedule, deadline):
    """Until shortly before the deadline, each kind in its own interval."""
    due = [[time.monotonic() + interval, kind, name, interval] for kind, name, interval in schedule]
    while due:
        at, kind, name, interval = turn = min(due)
        if at > deadline - 2:
            return
        net.let_pass(max(0, at - time.monotonic()))
        host.swanctl("--rekey", kind, name)
        turn[0] = at + interval


def flow(host, options, schedule):
    """The traffic for its time; returns the figures of both directions together."""
    address = inner_address()
    before = queues.dropped()
    counts = {name: host.count(text) for name, text in COUNTED.items()}
    ends = [end_of_flow(net.HOST4, address, options, "gw"),
            end_of_flow(address, net.HOST4, options)]
    for process in ends:
        process.popen.stdin.write(b"go\n")
        process.popen.stdin.flush()
    rekey_by_gateway(host, schedule, time.monotonic() + options.seconds)
    results = []
    for process in ends:
        process.wait(options.seconds + 60)
        results.append(json.loads(process.output.splitlines()[-1]))
    figures = {name: sum(result[name] for result in results) for name in results[0]}
    # In the order of `ends`: what one has sent the other has received.
    figures["lost"] = [results[0]["sent"] - results[1]["received"],
                       results[1]["sent"] - results[0]["received"]]
    figures["places"] = queues.since(before)
    figures.update({name: host.count(text) - counts[name] for name, text in COUNTED.items()})
    return figures


def ours(context, options, rekeying=True):
    host = start_gateway(context)
    lifetimes = ("--child-lifetime", str(CLIENT_CHILD), "--ike-lifetime", str(CLIENT_IKE))
    connection = client.start_as_alice(context, *(lifetimes if rekeying else ()))
    connection.wait_connected()
    figures = flow(host, options, GATEWAY_BESIDE if rekeying else ())
    connection.disconnect()
    host.stop()
    return figures


def theirs(context, options, rekeying=True):
    host = start_gateway(context)
    process = reference.start(context.pki)
    process.read_until(r"CHILD_SA cmd\S* established", 10)
    figures = flow(host, options, GATEWAY_ALONE if rekeying else ())
    reference.end(process)
    host.stop()
    return figures


def row(name, figures):
    rekeyed = "  ".join(f"{figures[f'{kind} by client']:3} + {figures[f'{kind} by gateway']:3}"
                        f" = {figures[kind]:3}" for kind in ("child", "ike"))
    down, up = figures["lost"]
    print(f"{name:21} {figures['sent']:9} {down:6} {up:6} {figures['twice']:6}  {rekeyed}",
          flush=True)
    for place, count in sorted(figures["places"].items(), key=lambda item: -item[1]):
        print(f"{'':21}   {count} dropped: {place}", flush=True)


def measure(context, options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    net.set_up()
    print(f"{options.seconds:.0f} s each, {options.mbit:.0f} Mbit/s each way in datagrams of 1300 "
          "octets. Load of the machine: " + ", ".join(f"{load:.1f}" for load in os.getloadavg()))
    print(f"{'':31} lost in tunnel           rekeyings asked by client + gateway = done")
    print(f"{'':21}      sent   down     up  twice  {'Child SA':15}  IKE SA")
    control = argparse.Namespace(mbit=options.mbit, seconds=min(20, options.seconds))
    for name, run in (("godwit", ours), ("charon-cmd", theirs)):
        row(f"{name}, keys kept", run(context, control, False))
        row(name, run(context, options))
    return 0


def main():
    parser = measuring.parser("Measures what rekeying loses.")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--mbit", type=float, default=100, help="each way")
    options = measuring.options_of(parser)
    return measuring.run(options, measure, options)


if __name__ == "__main__":
    sys.exit(main())
