#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The leak table: packets and DNS queries that leave beside the tunnel, and must not with the kill
switch."""

import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import leaks  # noqa: E402
import measuring  # noqa: E402
import net  # noqa: E402
import pki  # noqa: E402
import sandbox  # noqa: E402
import scenario  # noqa: E402

RESULT = "/run/godwit-bed/leaks"


def one(context, row, level):
    """In a sandbox of its own, whose result comes back in a file."""
    try:
        packets, queries, examples = leaks.measure(context, row, level)
        text = f"{packets} {queries} {examples}"
    except (net.Failure, OSError) as failure:
        text = f"? ? {failure}"
    with open(RESULT, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


def table(options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    context = scenario.Context(pki.Pki("/run/godwit-bed/pki"), options.build, "/run/godwit-bed")
    context.pki.certificate("gw-ecdsa256")
    print("Seen on the uplink beside IKE, ESP, DHCP and neighbour discovery")
    width = 11 * len(leaks.LEVELS)
    print(f"{'kill switch':18}{'packets':>{width}}{'DNS queries':>{width + 2}}")
    print(" " * 18 + "  ".join("".join(f"{level:>11}" for level in leaks.LEVELS) for _ in range(2)),
          flush=True)
    worst, remarks = 0, []
    for row in leaks.ROWS:
        cells = {}
        for level in leaks.LEVELS:
            sandbox.run(lambda row=row, level=level: one(context, row, level))
            with open(RESULT, encoding="utf-8") as file:
                packets, queries, rest = file.read().split(" ", 2)
            cells[level] = packets, queries
            if packets == "?" or level != "off" and (packets, queries) != ("0", "0"):
                worst = 1
                remarks.append(f"  {row}, {level}: {rest}")
        print(f"{row.replace('_', ' '):18}" + "  ".join(
            "".join(f"{cells[level][which]:>11}" for level in leaks.LEVELS) for which in (0, 1)),
            flush=True)
    print("\n".join(remarks), end="\n" if remarks else "")
    return worst


def main():
    options = measuring.options_of(measuring.parser("Measures what leaves beside the tunnel."))
    return sandbox.run(lambda: table(options))


if __name__ == "__main__":
    sys.exit(main())
