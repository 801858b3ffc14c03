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

import ends  # noqa: E402
import figures  # noqa: E402
import goals  # noqa: E402
import net  # noqa: E402
import rivals  # noqa: E402
import sandbox  # noqa: E402
import traffic  # noqa: E402

WIREGUARD = os.path.abspath("build/bench/wireguard-go")
WAYS = {"a": "a to b", "b": "b to a", "ab": "both ways at once"}
SIZES = (64, 512, 1300)
PINGS = 500


class Bench:
    """One run: its tunnels, all up, and what was found so far."""

    def __init__(self, options):
        self.options = options
        self.programs = options.programs
        self.table = figures.Table()
        self.tunnels = []

    def start(self):
        step_forward()
        ends.set_up()
        self.tunnels = self._chosen()
        for tunnel in self.tunnels:
            tunnel.start()

    def _chosen(self):
        """One of ours for each build and cipher, and those of others."""
        options, chosen = self.options, []
        for build in options.build:
            for cipher in options.cipher:
                name = f"godwit {cipher}" if len(options.build) == 1 else f"{build} {cipher}"
                chosen.append(ends.Datapath(len(chosen) + 1, build, cipher, name=name))
        if options.beside:
            if os.path.exists(WIREGUARD):
                chosen.append(rivals.WireGuard(len(chosen) + 1, WIREGUARD))
            chosen += [rivals.StrongSwan(len(chosen) + 1), ends.Veth()]
        return chosen

    def rounds(self, title, measure):
        """Calls measure(tunnel) for each in turn, and again."""
        for number in range(self.options.rounds):
            for tunnel in self.tunnels:
                progress(f"{title}, {number + 1} of {self.options.rounds}: {tunnel.name}")
                measure(tunnel)
        progress("")

    # ---- what is measured ----

    def throughput(self):
        def one(tunnel, ways, streams):
            got = traffic.throughput(self.programs, tunnel, ways, self.options.seconds, streams)
            count = "1 stream" if streams == 1 else f"{streams} streams"
            self.table.add(f"TCP, {count}, {WAYS[ways]}", "Gbit/s", tunnel.name, got["gbits"])
            if streams == 1 and len(ways) == 1 and tunnel.pids("a"):
                sent, received = got[f"cpu {ways}"], got[f"cpu {ends.OTHER[ways]}"]
                self.table.add("CPU of the sending end", "s/GB", tunnel.name, sent)
                self.table.add("CPU of the receiving end", "s/GB", tunnel.name, received)
                self.table.add("CPU of one end", "s/GB", tunnel.name, (sent + received) / 2)

        kinds = [("a", 1), ("b", 1), ("ab", 1)]
        if self.options.streams > 1:
            kinds += [("a", self.options.streams), ("b", self.options.streams),
                      ("ab", self.options.streams)]
        for ways, streams in kinds:
            self.rounds(f"TCP, {streams} {WAYS[ways]}", lambda tunnel: one(tunnel, ways, streams))

    def cpu(self):
        self.options.streams = 0
        self.throughput()

    def pps(self):
        for octets in SIZES:
            self.rounds(f"UDP, {octets} octets", lambda tunnel: self.table.add(
                f"UDP, {octets} octets, loss below 0.1 %", "1,000/s", tunnel.name,
                traffic.lossless(self.programs, tunnel, octets) / 1000))

    def latency(self):
        def one(tunnel):
            for load, find in (("idle", traffic.pings(tunnel, PINGS)),
                               ("under load", traffic.pings_under_load(self.programs, tunnel, PINGS))):
                self.table.samples.setdefault(f"ping {load}", {}).setdefault(tunnel.name, []).extend(find)
                for part, value in (("median", 0.5), ("99th of 100", 0.99)):
                    self.table.add(f"ping {load}, {part}", "ms", tunnel.name,
                                   figures.quantile(find, value))
        self.rounds("ping", one)

    def memory(self):
        for tunnel in self.tunnels:
            if tunnel.pids("a"):
                self.table.add("resident memory of one end", "MB", tunnel.name,
                               traffic.resident_megabytes(tunnel.pids("a")))

    def all(self):
        self.throughput()
        self.latency()
        self.pps()
        self.memory()


COMMANDS = {"throughput": Bench.throughput, "latency": Bench.latency, "pps": Bench.pps,
            "cpu": Bench.cpu, "all": Bench.all}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text:78}\r", end="", file=sys.stderr, flush=True)


def step_forward():
    """Before what else the machine does. Linux shares its processors among sessions first."""
    os.setsid()
    os.nice(-15)
    if os.path.exists("/proc/self/autogroup"):
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("-15")


def run(options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(options)
    bench.start()
    load = os.getloadavg()
    COMMANDS[options.command](bench)
    print(f"{platform.machine()}, {os.cpu_count()} processors that carry both ends and the traffic, "
          f"Linux {platform.release()}; load before {load[0]:.1f}, after {os.getloadavg()[0]:.1f}; "
          f"{options.rounds} rounds, TCP for {options.seconds:g} s each. Ratios: median of those of "
          "each round.")
    bench.table.print()
    goals.show(bench.table)
    for tunnel in bench.tunnels:
        if tunnel.dropped():
            print(f"{tunnel.name} dropped: {tunnel.dropped()}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"load": load, "kernel": platform.release(), "processors": os.cpu_count(),
                       "rounds": options.rounds, "seconds": options.seconds,
                       "figures": bench.table.values, "samples": bench.table.samples}, file)
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--build", action="append", help="build directory; several take turns")
    parser.add_argument("--cipher", action="append",
                        help="aes256gcm, chacha20, null, or as in profiles; several take turns")
    parser.add_argument("--alone", dest="beside", action="store_false",
                        help="without wireguard-go, strongSwan and plain veth")
    parser.add_argument("--seconds", type=float, default=2, help="of each TCP measurement")
    parser.add_argument("--streams", type=int, default=8, help="beside one; 1: one alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="every figure of every round")
    options = parser.parse_args()
    options.build = options.build or ["build"]
    options.cipher = options.cipher or ["aes256gcm", "null"]
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
