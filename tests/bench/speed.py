#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast the datapath is, beside others, all in one run and in turn."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "testbed")]

import goals  # noqa: E402
import net  # noqa: E402
import pictures  # noqa: E402
import sandbox  # noqa: E402
from measures import Bench  # noqa: E402

PICTURES = "build/bench"
COMMANDS = {
    "all": (Bench.start, Bench.all),
    "cpu": (Bench.start, Bench.cpu),
    "gateway": (Bench.start_gateway, Bench.gateway),
    "latency": (Bench.start, Bench.latency),
    "pictures": (Bench.start, Bench.pictures),
    "pps": (Bench.start, Bench.pps),
    "quic": (Bench.start, Bench.quic),
    "scaling": (Bench.start_scaling, Bench.scaling),
    "soak": (Bench.start_soak, Bench.soak),
    "throughput": (Bench.start, Bench.throughput),
}


def step_forward():
    """Before what else the machine does. Linux shares its processors among sessions first."""
    os.setsid()
    os.nice(-15)
    if os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("-15")


def save(path, table, options, load):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"load": load, "kernel": platform.release(), "processors": os.cpu_count(),
                   "rounds": options.rounds, "seconds": options.seconds, "units": table.units,
                   "figures": table.values, "samples": table.samples,
                   "goals": goals.evaluate(table)}, file)


def report(bench, options, load):
    print(f"{platform.machine()}, {os.cpu_count()} processors that carry both ends and the traffic, "
          f"Linux {platform.release()}; load before {load:.1f}, after {os.getloadavg()[0]:.1f}; "
          f"{options.rounds} rounds, TCP (CUBIC) for {options.seconds:g} s each. Ratios: median of those of "
          "each round.")
    bench.table.print()
    goals.show(bench.table)
    for tunnel in bench.tunnels:
        if options.command != "gateway" and tunnel.dropped():
            print(f"{tunnel.name} dropped: {tunnel.dropped()}")


def run(options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    step_forward()
    bench, load = Bench(options), os.getloadavg()[0]
    start, measure = COMMANDS[options.command]
    try:
        start(bench)
        measure(bench)
    except net.Failure as failure:
        print(f"It could not be measured: {failure}", file=sys.stderr)
        return 1
    if bench.table.values:
        report(bench, options, load)
    if options.command == "pictures":
        pictures.draw(bench.table, PICTURES)
    if options.json:
        save(options.json, bench.table, options, load)
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--build", action="append", help="build directory; several take turns")
    parser.add_argument("--cipher", action="append",
                        help="aes256gcm, gnutls (the same by GnuTLS alone), chacha20, null, or as in "
                             "profiles; several take turns")
    parser.add_argument("--alone", dest="beside", action="store_false",
                        help="without wireguard-go, strongSwan and plain veth")
    parser.add_argument("--seconds", type=float, default=1, help="of each TCP measurement")
    parser.add_argument("--streams", type=int, default=8, help="beside one; 1: one alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gigabytes", type=float, default=10, help="of soak, each way")
    parser.add_argument("--json", metavar="FILE", help="every figure of every round")
    options = parser.parse_args()
    options.build = options.build or ["build"]
    options.cipher = options.cipher or ["aes256gcm", "gnutls", "null"]
    return options


def main():
    options = parse()
    if os.geteuid() != 0:
        print("The measurement makes network namespaces and needs root.", file=sys.stderr)
        return 77
    for build in options.build:
        if subprocess.run(["make", "-s", "-C", build, "bench-programs"], check=False).returncode:
            print(f"What is to be measured cannot be built in {build}.", file=sys.stderr)
            return 2
    options.programs = os.path.join(os.path.abspath(options.build[0]), "tests", "bench")
    # Ctrl-C does not reach a session of its own.
    pid = sandbox.start(lambda: run(options))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(pid, signal.SIGTERM))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
