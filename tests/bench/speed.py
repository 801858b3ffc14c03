#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast the datapath is, beside others, all in one run and in turn."""

import argparse
import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "testbed")]

import ends  # noqa: E402
import figures  # noqa: E402
import net  # noqa: E402
import sandbox  # noqa: E402
import traffic  # noqa: E402

WAYS = {"a": "a to b", "b": "b to a"}


def tunnels_of(options):
    """One of godwit's for each build and cipher, and those of others that were asked for."""
    ciphers = options.cipher or ["aes256gcm"]
    tunnels = []
    for build in options.build:
        for cipher in ciphers:
            name = f"godwit {cipher}" if len(options.build) == 1 else f"{build} {cipher}"
            tunnels.append(ends.Datapath(len(tunnels) + 1, build, cipher, name=name))
    return tunnels


def start(tunnels):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.nice(-15)
    ends.set_up()
    for tunnel in tunnels:
        tunnel.start()
    print("Load of the machine: " + ", ".join(f"{load:.1f}" for load in os.getloadavg()))


def throughput(options):
    tunnels = tunnels_of(options)
    start(tunnels)
    table = figures.Table()
    for _ in range(options.rounds):
        for way, title in WAYS.items():
            for tunnel in tunnels:
                got = traffic.throughput(options.programs, tunnel, way, options.seconds)
                sender, receiver = (got[f"cpu {end}"] for end in (way, ends.OTHER[way]))
                table.add(tunnel.name, f"{title}, Gbit/s", got["gbits"])
                table.add(tunnel.name, "sending end, CPU-s/GB", sender)
                table.add(tunnel.name, "receiving end, CPU-s/GB", receiver)
    print(f"TCP, one stream, {options.rounds} times {options.seconds} s each way, in turn")
    table.print()
    for tunnel in tunnels:
        if tunnel.dropped():
            print(f"{tunnel.name} dropped: {tunnel.dropped()}")
    return 0


COMMANDS = {"throughput": throughput}


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--build", action="append",
                        help="build directory; several are compared in turn")
    parser.add_argument("--cipher", action="append",
                        help="aes256gcm, chacha20, null, or as in profiles; may be repeated")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    options.build = options.build or ["build"]
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
    return sandbox.run(lambda: COMMANDS[options.command](options))


if __name__ == "__main__":
    sys.exit(main())
