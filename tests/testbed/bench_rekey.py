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
import net  # noqa: E402
import pki  # noqa: E402
import reference  # noqa: E402
import sandbox  # noqa: E402
import scenario  # noqa: E402

PORT = 9100
FLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flow.py")
CHILD, IKE = r"outbound CHILD_SA net\{\d+\} established", r"IKE_SA rw\[\d+\] rekeyed between"
COUNTED = {
    "child": CHILD, "ike": IKE,
    "child asked by client": r"parsed CREATE_CHILD_SA request \d+ \[ N\(REKEY_SA\)",
    "ike asked by client": r"parsed CREATE_CHILD_SA request \d+ \[ SA No KE \]",
}


def start_gateway(context, rekeying):
    connection = gateway.default_connection()
    connection["pools"] = "pool4"
    connection["children"]["net"]["local_ts"] = "0.0.0.0/0"
    if rekeying:
        connection.update(rekey_time="7s", over_time="60s", rand_time="1s")
        connection["children"]["net"].update(rekey_time="4s", life_time="60s", rand_time="1s")
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection})
    return host


def dropped():
    """Datagrams that full socket buffers dropped, and packets that full TUN devices dropped."""
    sockets = devices = 0
    for namespace in (None, "gw"):
        rows = [line.split() for line in
                net.run("cat", "/proc/net/snmp", namespace=namespace).splitlines()
                if line.startswith("Udp:")]
        row = dict(zip(*rows))
        sockets += int(row["RcvbufErrors"]) + int(row["SndbufErrors"])
        for link in json.loads(net.run("ip", "-j", "-s", "link", namespace=namespace)):
            statistics = link["stats64"]
            devices += statistics["tx"]["dropped"] + statistics["rx"]["dropped"]
    return sockets, devices


def inner_address():
    return re.search(r"src (\S+)", net.run("ip", "route", "get", net.HOST4)).group(1)


def end_of_flow(local, peer, options, namespace=None):
    process = net.Process([sys.executable, FLOW, local, peer, str(PORT), str(options.mbit),
                           str(options.seconds)], namespace=namespace, stdin=subprocess.PIPE)
    process.read_until("^ready", 10)
    return process


def flow(host, options, by_hand):
    """The traffic for its time; returns the figures of both directions together."""
    address = inner_address()
    before, counts = dropped(), {name: host.count(text) for name, text in COUNTED.items()}
    ends = [end_of_flow(net.HOST4, address, options, "gw"),
            end_of_flow(address, net.HOST4, options)]
    for process in ends:
        process.popen.stdin.write(b"go\n")
        process.popen.stdin.flush()
    deadline = time.monotonic() + options.seconds
    kinds = [("--child", "net"), ("--ike", "rw")]
    while by_hand and time.monotonic() < deadline - 5:
        time.sleep(5)
        host.swanctl("--rekey", *kinds[0])
        kinds.reverse()
    results = []
    for process in ends:
        process.wait(options.seconds + 60)
        results.append(json.loads(process.output.splitlines()[-1]))
    figures = {name: sum(result[name] for result in results) for name in results[0]}
    figures["lost"] = figures["sent"] - figures["received"]
    figures["sockets"], figures["devices"] = (after - was for after, was in
                                              zip(dropped(), before))
    figures.update({name: host.count(text) - counts[name] for name, text in COUNTED.items()})
    return figures


def ours(context, options, rekeying=True):
    host = start_gateway(context, rekeying)
    lifetimes = ("--child-lifetime", "3", "--ike-lifetime", "5") if rekeying else ()
    connection = client.start_as_alice(context, *lifetimes)
    connection.wait_connected()
    figures = flow(host, options, rekeying)
    connection.disconnect()
    host.stop()
    return figures


def theirs(context, options, rekeying=True):
    host = start_gateway(context, rekeying)
    process = reference.start(context.pki)
    process.read_until(r"CHILD_SA cmd\S* established", 10)
    figures = flow(host, options, rekeying)
    reference.end(process)
    host.stop()
    return figures


def row(name, figures):
    by_client = f"{figures['child asked by client']}/{figures['ike asked by client']}"
    print(f"{name:21} {figures['sent']:9} {figures['lost']:6} {figures['sockets']:8} "
          f"{figures['devices']:8} {figures['twice']:6} {figures['child']:6} {figures['ike']:6} "
          f"{by_client:>10}", flush=True)


def measure(context, options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    net.set_up()
    print(f"{options.seconds:.0f} s each, {options.mbit:.0f} Mbit/s each way in datagrams of 1300 "
          "octets; godwit: rekeyed by both sides, charon-cmd: by the gateway")
    print(f"{'':40} of these in full:          rekeyed     asked by")
    print(f"{'':21}      sent   lost  sockets  devices  twice  child    ike     client")
    control = argparse.Namespace(mbit=options.mbit, seconds=min(20, options.seconds))
    for name, run in (("godwit", ours), ("charon-cmd", theirs)):
        row(f"{name}, keys kept", run(context, control, False))
        row(name, run(context, options))
    return 0


def main():
    parser = argparse.ArgumentParser(description="Measures what rekeying loses.")
    parser.add_argument("--build", required=True, help="build directory")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--mbit", type=float, default=50, help="each way")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("The measurement makes network namespaces and needs root.", file=sys.stderr)
        return 77
    build = os.path.abspath(options.build)
    return sandbox.run(lambda: measure(
        scenario.Context(pki.Pki("/run/bed/pki"), build, "/run/bed"), options))


if __name__ == "__main__":
    sys.exit(main())
