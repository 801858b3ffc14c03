#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a tunnel is out when the laptop moves, beside charon-cmd on the same moves."""

import os
import random
import signal
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import client  # noqa: E402
import gateway  # noqa: E402
import laptop  # noqa: E402
import measuring  # noqa: E402
import net  # noqa: E402
import reference  # noqa: E402
from laptop import Kind  # noqa: E402
from meter import Meter  # noqa: E402

# Milliseconds each way; a move that costs nothing but the exchange costs twice that.
DELAY = 10
KINDS = (Kind("wifi0", delay=DELAY), Kind("eth0", delay=DELAY),
         Kind("wwan0", families="6", nat=0, delay=DELAY),
         # Another network of the same private addresses: the laptop has the address it had.
         Kind("wifi1", delay=DELAY, like="wifi0"))
GIVE_UP = 5
MOVES = {("46", "46"): "private to private IPv4", ("46", "6"): "private IPv4 to IPv6",
         ("6", "46"): "IPv6 to private IPv4", None: "same address elsewhere"}


def sequence(count, seed):
    """(source, target) of every move."""
    choice = random.Random(seed)
    names = [kind.device for kind in KINDS]
    at, moves = names[0], []
    for _ in range(count):
        target = choice.choice([name for name in names if name != at])
        moves.append((at, target))
        at = target
    return moves


def name_of(source, target):
    kinds = {kind.device: kind for kind in KINDS}
    if "wifi" in source and "wifi" in target:
        return MOVES[None]
    return MOVES[kinds[source].families, kinds[target].families]


class Ours:
    name = "godwit"

    def __init__(self, context):
        self.client = client.start_as_alice(context)
        self.client.wait_connected()

    def end(self):
        if self.client.process.popen.poll() is None:
            self.client.process.signal(signal.SIGINT)
            try:
                self.client.process.wait(5)
            except net.Failure:
                self.client.process.kill()


class Theirs:
    name = "charon-cmd"

    def __init__(self, context):
        self.process = reference.connect(context.pki)

    def end(self):
        reference.end(self.process)


class Column:
    """One client's moves: by kind of move what each cost."""

    def __init__(self):
        self.outages, self.lost, self.stuck = {}, {}, {}

    def add(self, kind, outage, lost):
        self.outages.setdefault(kind, []).append(outage)
        self.lost.setdefault(kind, []).append(lost)

    def rows(self, name):
        for kind in (*MOVES.values(), None):
            kinds = [kind] if kind else [*MOVES.values()]
            times = [value for one in kinds for value in self.outages.get(one, [])]
            lost = [value for one in kinds for value in self.lost.get(one, [])]
            stuck = sum(self.stuck.get(one, 0) for one in kinds)
            if not times and not stuck:
                continue
            figures = ([statistics.median(times), min(times), max(times), statistics.mean(lost)]
                       if times else [])
            text = " ".join(f"{value:8.1f}" for value in figures) or 35 * " "
            print(f"{name:11} {kind or 'all':24} {len(times) + stuck:5} {text} "
                  f"{stuck:6}", flush=True)


def start_over(bed, at, left):
    """A client that did not come back is started again behind the first uplink, where any can
    connect (charon-cmd is given an IPv4 address of the gateway): the moves go on from there."""
    home = KINDS[0].device
    if at != home:
        bed.prepare()
        bed.move(at, home)
    while left and left[0][1] == home:
        left.pop(0)
    if left:
        left[0] = (home, left[0][1])
    return home


def run_moves(context, bed, which, moves, column):
    """All moves with one client, as long as it comes back."""
    left, at = list(moves), moves[0][0]
    bed[at].plug()
    while left:
        connection, back = which(context), True
        with Meter() as meter:
            while left and back:
                source, at = left.pop(0)
                kind = name_of(source, at)
                bed.prepare()
                # The answers of the move before are all in, and nobody is still busy with it.
                net.let_pass(0.3)
                moment = bed.move(source, at)
                try:
                    outage = meter.wait_answer(moment, GIVE_UP)
                except net.Failure:
                    column.stuck[kind] = column.stuck.get(kind, 0) + 1
                    back = False
                    continue
                net.let_pass(0.2)
                lost = meter.lost(moment - 0.2, moment + outage / 1000 + 0.1)
                column.add(kind, outage, lost)
        connection.end()
        if not back:
            at = start_over(bed, at, left)
    bed[at].unplug()


def measure(context, options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bed = laptop.Laptop(context, *KINDS)
    moves = sequence(options.moves, options.seed)
    print(f"{options.moves} moves each, seed {options.seed}; round trip {2 * DELAY} ms; a datagram "
          "of 32 octets through the tunnel every 5 ms")
    print(f"{'':43} outage, milliseconds          lost    not back")
    print(f"{'':37} moves   median      min      max per move  in {GIVE_UP} s")
    for which in (Ours, Theirs):
        host = gateway.Gateway(context.pki)
        connection = gateway.default_connection()
        connection["pools"] = "pool4"
        connection["children"]["net"]["local_ts"] = "0.0.0.0/0"
        host.start({"rw": connection})
        column, before = Column(), bed.leaked()
        run_moves(context, bed, which, moves, column)
        column.rows(which.name)
        print(f"{which.name:11} {bed.leaked() - before} packets left beside the tunnel", flush=True)
        host.stop()
    return 0


def main():
    parser = measuring.parser("Measures what moving costs.")
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = measuring.options_of(parser)
    return measuring.run(options, measure, options)


if __name__ == "__main__":
    sys.exit(main())
