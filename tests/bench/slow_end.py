# SPDX-License-Identifier: GPL-2.0-or-later
"""A tunnel of which one end is on processors a quarter as fast as those that carry the other end and
the traffic: then it alone is what the traffic waits for, and a machine with two processors has time
to spare even when that end uses two or three of its own. slow_processor.c makes them so: it is the
real datapath, whose threads sleep three times as long as they have just worked, and of which no more
than one, or two or three, work at the same time."""

import contextlib
import os

from ends import Datapath

SLOWNESS = 4


@contextlib.contextmanager
def before_all_else():
    """What is started meanwhile, threads and programs, has the processor whenever it wants it: who is
    slow by measure must not wait for others, too. A part of the machine stays free."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class SlowEnd(Datapath):
    """Its end a has so many slow processors for itself."""

    def __init__(self, number, build, processors, name):
        super().__init__(number, build, name=name)
        self.environment_a = {"PROCESSORS": str(processors), "SLOWNESS": str(SLOWNESS)}

    def front(self, end):
        slow = os.path.join(os.path.dirname(self.program), "datapath_slow")
        return slow if end == "a" else self.program

    def environment(self, end):
        return self.environment_a if end == "a" else {}
