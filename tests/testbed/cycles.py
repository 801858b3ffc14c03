# SPDX-License-Identifier: GPL-2.0-or-later
"""Connecting and disconnecting through the bus, many times: what godwitd keeps of it, and what the
host does."""

import contextlib
import os
import random
import signal
import time

import bus
import caller
import client
import gateway
import net

# Memory that is taken once, for all connections to come.
WARM_UP = 20
# Seconds after Connect in which a kill strikes: before, while and after it is connected.
KILL_WITHIN = 0.25


class Cycles:
    """A gateway, the bus and root, whose connections nobody counts."""

    def __init__(self, context):
        self.context = context
        self.host = gateway.Gateway(context.pki)
        self.host.start()
        self.bus = bus.Bus(context)
        self.bus.godwitd()
        self.before = net.snapshot()
        self.root = caller.Caller()
        self.root.sessions()
        self.request = f"('cycle', {caller.profile(context, password=gateway.USERS['alice'])}, " \
                       "@a{sv} {})"

    def begin(self):
        path, = self.root.manager("Connect", self.request)
        return path

    def end(self, path):
        self.root.session(path, "Disconnect")
        return self.root.wait_ended(path)

    def once(self):
        path = self.begin()
        self.root.wait_state(path, "connected")
        net.check(self.end(path)[0] == "user", "it ended by itself")

    def cost(self):
        """(resident KiB, descriptors) of godwitd."""
        pid = self.bus.pid()
        return (int(client.status_of(pid)["VmRSS"].split()[0]),
                len(os.listdir(f"/proc/{pid}/fd")))

    def restored(self):
        """Waits until the host is as before."""
        deadline = time.monotonic() + 10
        while True:
            try:
                return net.check_unchanged(self.before)
            except net.Failure:
                if time.monotonic() > deadline:
                    raise

    def killed(self, chance):
        """One connection in which godwitd or its worker is killed at some moment."""
        path = self.begin()
        net.let_pass(chance.uniform(0, KILL_WITHIN))
        victim = chance.choice(("godwitd", "godwit-tunnel"))
        found = client.processes(victim)
        if victim == "godwitd":
            self.bus.kill()
            self.bus.godwitd()
            self.root.sessions()
        else:
            for pid in found[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._end_whatever_is_left(path)
        self.restored()
        return victim

    def _end_whatever_is_left(self, path):
        """The worker was replaced, or the session has ended."""
        try:
            self.root.session(path, "Disconnect")
        except caller.Refused as refusal:
            net.check("Unknown" in refusal.name or "NotFound" in refusal.name, str(refusal))
        net.wait_until(lambda: path not in self.root.sessions(), 10, "end of the session")


def connect_and_disconnect(context, count, progress=None):
    """Returns (KiB, descriptors) of godwitd before and after `count` connections."""
    cycles = Cycles(context)
    for _ in range(WARM_UP):
        cycles.once()
    before = cycles.cost()
    for number in range(count):
        cycles.once()
        if progress:
            progress(number + 1, cycles.cost())
    after = cycles.cost()
    cycles.restored()
    net.check(after[1] == before[1], f"there were {before[1]} descriptors, now {after[1]}")
    return before, after


def kill_at_random(context, count, seed=None, progress=None):
    """Returns (seed, how often which was killed)."""
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    chance = random.Random(seed)
    cycles = Cycles(context)
    victims = {}
    for number in range(count):
        try:
            victim = cycles.killed(chance)
        except net.Failure as failure:
            raise net.Failure(f"seed {seed}, cycle {number + 1}: {failure}") from None
        victims[victim] = victims.get(victim, 0) + 1
        if progress:
            progress(number + 1, cycles.cost())
    cycles.once()
    cycles.restored()
    return seed, victims
