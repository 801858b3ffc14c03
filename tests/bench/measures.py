# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of the benchmark: its tunnels, and what is measured of each in turn."""

import os
import sys

import ends
import figures
import net
import rivals
import slow_end
import soak
import through_gateway
import traffic

WIREGUARD = os.path.abspath("build/bench/wireguard-go")
WAYS = {"a": "a to b", "b": "b to a", "ab": "both ways at once"}
SIZES = (64, 512, 1300)
SIZES_DRAWN = (64, 128, 256, 512, 1024, 1300)
PINGS = 500
CHILDREN = 1000
SOAKED = ("aes256gcm", "chacha20")
REKEY_SOAK = 1000  # milliseconds


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text:78}\r", end="", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.programs = options.programs
        self.table = figures.Table()
        self.tunnels = []

    def start(self):
        ends.set_up()
        self._up(self._chosen())

    def _up(self, tunnels):
        for tunnel in tunnels:
            tunnel.start()
        self.tunnels += tunnels

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

    def rounds(self, title, measure, tunnels=None):
        """Calls measure(tunnel) for each in turn, and again."""
        for number in range(self.options.rounds):
            for tunnel in tunnels or self.tunnels:
                progress(f"{title}, {number + 1} of {self.options.rounds}: {tunnel.name}")
                measure(tunnel)
        progress("")

    def _tcp(self, tunnel, ways, streams=1):
        got = traffic.throughput(self.programs, tunnel, ways, self.options.seconds, streams)
        count = "1 stream" if streams == 1 else f"{streams} streams"
        self.table.add(f"TCP, {count}, {WAYS[ways]}", "Gbit/s", tunnel.name, got["gbits"])
        return got

    # ---- what is measured ----

    def _cpu(self, tunnel, way):
        got = self._tcp(tunnel, way)
        if tunnel.pids("a"):
            sent, received = got[f"cpu {way}"], got[f"cpu {ends.OTHER[way]}"]
            for end, seconds in (("the sending end", sent), ("the receiving end", received),
                                 ("one end", (sent + received) / 2)):
                self.table.add(f"CPU of {end}", "s/GB", tunnel.name, seconds)

    def cpu(self):
        for way in ends.OUTER:
            self.rounds(f"TCP, 1 {WAYS[way]}", lambda tunnel: self._cpu(tunnel, way))

    def throughput(self):
        self.cpu()
        many = self.options.streams
        for ways, streams in (("ab", 1), ("a", many), ("b", many), ("ab", many)):
            if streams > 1 or (many > 1 and ways == "ab"):
                self.rounds(f"TCP, {streams} {WAYS[ways]}",
                            lambda tunnel: self._tcp(tunnel, ways, streams))

    def pps(self, sizes=SIZES):
        for octets in sizes:
            self.rounds(f"UDP, {octets} octets", lambda tunnel: self.table.add(
                f"UDP, {octets} octets, loss below 0.1 %", "1,000/s", tunnel.name,
                traffic.lossless(self.programs, tunnel, octets) / 1000))

    def quic(self):
        self.rounds("UDP, 1300 octets by 40", lambda tunnel: self.table.add(
            "UDP, 1300 octets, 40 at once, loss below 0.1 %", "1,000/s", tunnel.name,
            traffic.lossless(self.programs, tunnel, 1300, at_once=40) / 1000))

    def _pings(self, tunnel):
        for load, times in (("idle", traffic.pings(tunnel, PINGS)),
                            ("under load", traffic.pings_under_load(self.programs, tunnel, PINGS))):
            self.table.sample(f"ping {load}", tunnel.name, times)
            for part, value in (("median", 0.5), ("99th of 100", 0.99)):
                self.table.add(f"ping {load}, {part}", "ms", tunnel.name,
                               figures.quantile(times, value))

    def latency(self):
        self.rounds("ping", self._pings)

    def memory(self):
        for tunnel in self.tunnels:
            if tunnel.pids("a"):
                self.table.add("resident memory of one end", "MB", tunnel.name,
                               traffic.resident_megabytes(tunnel.pids("a")))

    def _stream(self, tunnel, way, what):
        got = traffic.throughput(self.programs, tunnel, way, self.options.seconds)
        self.table.add(f"TCP, 1 stream, {what}", "Gbit/s", tunnel.name, got["gbits"])
        self.table.add(f"CPU of end a, {what}", "s/GB", tunnel.name, got["cpu a"])

    def _slow(self, tunnel):
        for way, what in (("a", "sends"), ("b", "receives")):
            self._stream(tunnel, way, f"a slow end {what}, processors")

    def scaling(self):
        """Beside itself: with many Child SAs, and with two and three processors for one end (slow_end.py)."""
        build = self.options.build[0]
        children = [ends.Datapath(101, build, name="1"),
                    ends.Datapath(102, build, children=CHILDREN, name=f"{CHILDREN:,}")]
        slow = [slow_end.SlowEnd(110 + processors, build, processors, name)
                for processors, name in ((1, "one"), (2, "two"), (3, "three"))]
        self._up(children)
        self.rounds("Child SAs", lambda tunnel: self._stream(tunnel, "a", "Child SAs installed"),
                    children)
        with slow_end.before_all_else():
            self._up(slow)
            self.rounds("processors", self._slow, slow)

    def pictures(self):
        self.pps(SIZES_DRAWN)
        self.latency()

    def all(self):
        self.throughput()
        self.latency()
        self.pps()
        self.quic()
        self.memory()
        self.scaling()

    # ---- with networks of their own ----

    def start_scaling(self):
        ends.set_up()

    def start_gateway(self):
        net.set_up()
        build = os.path.abspath(self.options.build[0])
        self.tunnels = [through_gateway.Godwit(build), through_gateway.CharonCmd(build)]

    def gateway(self):
        def one(tunnel):
            tunnel.start()
            for way, title in (("a", "up"), ("b", "down")):
                got = traffic.throughput(self.programs, tunnel, way, self.options.seconds)
                self.table.add(f"TCP, 1 stream, {title}", "Gbit/s", tunnel.name, got["gbits"])
                for end, who in (("a", "client"), ("b", "gateway")):
                    self.table.add(f"CPU of the {who}, {title}", "s/GB", tunnel.name,
                                   got[f"cpu {end}"])
            times = traffic.pings(tunnel, PINGS)
            self.table.add("ping idle, median", "ms", tunnel.name, figures.quantile(times, 0.5))
            tunnel.stop()
        self.rounds("at a gateway", one)

    def start_soak(self):
        ends.set_up()
        self._up([ends.Datapath(number, self.options.build[0], cipher, rekey=REKEY_SOAK)
                  for number, cipher in enumerate(SOAKED, 1)])

    def soak(self):
        octets = int(self.options.gigabytes * 1e9)
        for tunnel in self.tunnels:
            before = {end: tunnel.counters(end) for end in ends.OUTER}
            counters = soak.carry(self.programs, tunnel, octets, streams=4, timeout=3600)
            soak.check_dropped(counters, "replay", "send")
            print(f"{tunnel.name}: {self.options.gigabytes:g} GB each way at once, compared, with "
                  f"{soak.keys_used(before, counters)} keys: nothing wrong, nothing dropped")
