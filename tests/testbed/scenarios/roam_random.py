# SPDX-License-Identifier: GPL-2.0-or-later
"""A day of moving about: random moves, sleeps and rebindings under one TCP connection.

ROAM_MOVES (30) and ROAM_SEED (of the clock) in the environment say how many and which.
"""

import os
import random
import statistics
import time

import net
import roam
from laptop import Kind
from scenario import scenario
from scenarios.roam_sleep import dozing

MOVES = int(os.environ.get("ROAM_MOVES", "30"))
SEED = int(os.environ.get("ROAM_SEED", str(time.time_ns() % 1_000_000)))
KINDS = (roam.WIFI, roam.CABLE, roam.MOBILE, Kind("wifi1", delay=25, like="wifi0"),
         Kind("eth1", nat=2, delay=5), Kind("eth2", families="4", nat=0, delay=40),
         Kind("wwan1", mtu=1300, delay=30))
# Until it is said to be stuck.
PATIENCE = 20


class Day:
    """What happens next, and to what."""

    def __init__(self, trip, sleeper):
        self.trip, self.sleeper = trip, sleeper
        self.choice = random.Random(SEED)
        self.at = KINDS[0].device
        self.done = {}
        self.events = [(self.moves, 6), (self.overlaps, 3), (self.rebinds, 3), (self.sleeps, 2),
                       (self.wakes_elsewhere, 2), (self.flaps, 1), (self.renumbers, 1)]

    def other(self):
        return self.choice.choice([kind.device for kind in KINDS if kind.device != self.at])

    def moves(self):
        source, self.at = self.at, self.other()
        return self.trip.bed.move(source, self.at)

    def overlaps(self):
        """Both for a while, the old one goes."""
        source, self.at = self.at, self.other()
        self.trip.bed[self.at].plug()
        net.let_pass(self.choice.random() * 0.3)
        return self.trip.bed.change(*self.trip.bed[source].gone())

    def rebinds(self):
        uplink = self.trip.bed[self.at]
        return uplink.rebind(self.choice.random() < 0.5) if uplink.kind.nat else uplink.forget()

    def sleeps(self):
        return self.sleeper.sleep(seconds=self.choice.choice((3, 60, 7200)))

    def wakes_elsewhere(self):
        return self.sleeper.sleep(self.moves, seconds=self.choice.choice((3, 60, 7200)))

    def flaps(self):
        """Gone and back, and gone and back."""
        uplink = self.trip.bed[self.at]
        lines = [*uplink.left(), *uplink.there()]
        return self.trip.bed.change(*lines * self.choice.randrange(1, 4))

    def renumbers(self):
        return self.trip.bed.change(*self.trip.bed[self.at].renumbered())

    def next(self):
        event = self.choice.choices([one for one, _ in self.events],
                                    [weight for _, weight in self.events])[0]
        name = event.__name__
        self.done[name] = self.done.get(name, 0) + 1
        before = self.at
        moment = event()
        try:
            self.trip.back_since(moment, within=PATIENCE * 500)
        except net.Failure as problem:
            raise net.Failure(f"event {len(self.trip.outages) + 1} of seed {SEED}, {name} "
                              f"({before} to {self.at}): {problem}") from None


@scenario(bare=True, timeout=60 + 8 * MOVES)
def a_random_day(context):
    with dozing(context, *KINDS) as (trip, sleeper):
        day = Day(trip, sleeper)
        for _ in range(MOVES):
            day.next()
            trip.bed.prepare()
            net.let_pass(day.choice.random() * 0.3)
    outages = trip.outages
    done = ", ".join(f"{count} {name}" for name, count in sorted(day.done.items()))
    return (f"seed {SEED}, {done}; outage median {statistics.median(outages):.0f} ms, "
            f"longest {max(outages):.0f} ms, IKE SAs {trip.host.count('established between')}")
