#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connect time and memory beside strongSwan's charon-cmd, alternating in one run."""

import argparse
import os
import select
import signal
import socket
import statistics
import struct
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

RTM_NEWROUTE, RTM_NEWRULE = 24, 32
# Groups of rtnetlink: IPv4 and IPv6 routes and rules.
GROUPS = 0x40 | 0x80 | 0x400 | (1 << (19 - 1))


class RouteWatch:
    """Notes when the kernel last got a route or a rule."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.socket.bind((0, GROUPS))
        self.last = None

    def read(self):
        data = self.socket.recv(65536)
        length, kind = struct.unpack_from("=IH", data)
        while length:
            if kind in (RTM_NEWROUTE, RTM_NEWRULE):
                self.last = time.monotonic()
            data = data[(length + 3) & ~3:]
            length, kind = struct.unpack_from("=IH", data) if len(data) >= 16 else (0, 0)

    def until(self, process, pattern, timeout=10):
        """Reads both, until the process says that it is connected. Returns milliseconds from the
        start of the process to the last route, or rule."""
        deadline = time.monotonic() + timeout
        routes = self.socket.fileno()
        output = process.popen.stdout.fileno()
        while True:
            ready, _, _ = select.select([routes, output], [], [], deadline - time.monotonic())
            net.check(ready, f"{process.name} did not connect: {process.tail()}")
            if routes in ready:
                self.read()
                continue
            if process.matches(pattern):
                break
        while select.select([routes], [], [], 0)[0]:
            self.read()
        net.check(self.last, "no route appeared")
        return (self.last - process.started) * 1000


def memory(pids):
    """(resident, proportional) KiB by program."""
    found = {}
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        found[client.status_of(pid)["Name"]] = tuple(
            int(fields[name].split()[0]) for name in ("Rss", "Pss"))
    return found


def once_ours(context):
    watch = RouteWatch()
    ours = client.start_as_alice(context)
    milliseconds = watch.until(ours.process, "^Connected")
    kib = memory(client.processes())
    ours.disconnect()
    return milliseconds, kib


def once_theirs(context):
    watch = RouteWatch()
    process = reference.start(context.pki)
    milliseconds = watch.until(process, r"CHILD_SA cmd\S* established")
    kib = memory([process.pid])
    reference.end(process)
    return milliseconds, kib


def megabytes(runs, name=None):
    """Medians of (resident, proportional), of one program or of all together."""
    return [statistics.median(sum(kib[which] for program, kib in run[1].items()
                                  if name in (None, program)) for run in runs) / 1024
            for which in (0, 1)]


def row(name, runs):
    times = [run[0] for run in runs]
    resident, proportional = megabytes(runs)
    print(f"{name:14} {statistics.median(times):7.1f} {min(times):7.1f} {max(times):7.1f}   "
          f"{resident:6.1f} {proportional:6.1f}")
    programs = sorted(runs[0][1])
    for program in programs if len(programs) > 1 else ():
        resident, proportional = megabytes(runs, program)
        print(f"  {program:36}   {resident:6.1f} {proportional:6.1f}")


def measure(context, count):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    net.set_up()
    host = gateway.Gateway(context.pki)
    host.start()
    ours, theirs = [], []
    for _ in range(count):
        ours.append(once_ours(context))
        theirs.append(once_theirs(context))
    print(f"{count} runs each, alternating; start of the program to the last route, EAP-MSCHAPv2, "
          "full tunnel")
    print("                   milliseconds          all processes, MB")
    print("                median     min     max   resident  proportional")
    row("godwit", ours)
    row("charon-cmd", theirs)
    return 0


def main():
    parser = argparse.ArgumentParser(description="Measures connect time and memory.")
    parser.add_argument("--build", required=True, help="build directory")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("The measurement makes network namespaces and needs root.", file=sys.stderr)
        return 77
    build = os.path.abspath(options.build)
    return sandbox.run(lambda: measure(
        scenario.Context(pki.Pki("/run/bed/pki"), build, "/run/bed"), options.runs))


if __name__ == "__main__":
    sys.exit(main())
