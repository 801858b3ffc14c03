#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections through the bus, one after the other: what godwitd keeps of them, and whether the host
is always restored, also when godwitd or its worker is killed at a random moment."""

import os
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cycles  # noqa: E402
import measuring  # noqa: E402
import net  # noqa: E402

STEPS = 10


def told(count):
    """Prints a line now and then."""
    def progress(number, cost):
        if number % max(1, count // STEPS) == 0:
            print(f"  {number:5}   {cost[0]:6} KiB resident   {cost[1]:3} descriptors", flush=True)
    return progress


def prepare():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    net.set_up()


def plain(context, options):
    count = options.cycles
    prepare()
    print(f"{count} times connected and disconnected through the bus, after {cycles.WARM_UP} of "
          "warming up", flush=True)
    started = time.monotonic()
    before, after = cycles.connect_and_disconnect(context, count, told(count))
    change = 100 * (after[0] - before[0]) / before[0]
    print(f"  resident memory of godwitd {before[0]} KiB, then {after[0]} KiB ({change:+.1f} %); "
          f"descriptors {before[1]}, then {after[1]}")
    print("  rules, routes, addresses, links, nftables and files in /run as before; "
          f"{time.monotonic() - started:.0f} s")
    return 0 if abs(change) <= 2 else 1


def kills(context, options):
    count = options.kills
    prepare()
    print(f"{count} times connected, with kill -9 within {cycles.KILL_WITHIN * 1000:.0f} ms",
          flush=True)
    seed, victims = cycles.kill_at_random(context, count, options.seed, told(count))
    print("  killed: " + ", ".join(f"{name} {times}" for name, times in sorted(victims.items())) +
          f"; the host was restored each time (seed {seed})")
    return 0


def main():
    parser = measuring.parser("Measures many connections through the bus.")
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, help="of the moments of the kills")
    options = measuring.options_of(parser)
    parts = [part for part, count in ((plain, options.cycles), (kills, options.kills)) if count]
    return max(measuring.run(options, part, options) for part in parts)


if __name__ == "__main__":
    sys.exit(main())
