# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection of a laptop that moves: what scenarios of moving share."""

import contextlib
import difflib
import re
import time

import client
import gateway
import laptop
import net
import transfer
from laptop import Kind
from meter import Meter

# Milliseconds each way of the usual uplinks.
DELAY = 10
WIFI = Kind("wifi0", delay=DELAY)
CABLE = Kind("eth0", delay=DELAY)
WIFI4 = Kind("wifi0", families="4", delay=DELAY)
CABLE4 = Kind("eth0", families="4", delay=DELAY)
MOBILE = Kind("wwan0", families="6", nat=0, delay=DELAY)
# What an exchange of one round trip costs, and what a client and a machine under tests may add.
PROMPT = 2 * DELAY + 1000
# Until traffic that nobody answers makes a client look for another path.
LOST = 10000
# A new IKE SA: the path has to be found dead before.
LATER = 15000


def received(device):
    with open(f"/sys/class/net/{device}/statistics/rx_packets", encoding="ascii") as file:
        return int(file.read())


class Trip:
    """What a scenario gets from `moving`."""

    def __init__(self, bed, host, tunnel, meter):
        self.bed, self.host, self.tunnel, self.meter = bed, host, tunnel, meter
        self.outages = []

    def move(self, source, target, within=PROMPT):
        """One address is gone, the other is up."""
        self.back_since(self.bed.move(source, target), within)

    def back_since(self, moment, within=PROMPT):
        """The tunnel carries again what is sent since `moment`, within so many milliseconds. The
        machine may be busy with other tests: only twice the time is a failure."""
        if self.tunnel:
            self.tunnel.process.matches("")  # what it says must not fill its pipe
        outage = self.meter.wait_answer(moment, within / 500)
        self.outages.append(outage)

    def unhurt(self, since, lost=0):
        """Nothing, or hardly anything, was lost since then."""
        now = time.monotonic()
        self.meter.wait_answer(now, 5)
        missing = self.meter.lost(since, now)
        net.check(missing <= lost, f"{missing} datagrams lost")

    def seen_from(self, *addresses, timeout=5):
        """The gateway's peer is at one of these addresses."""
        wanted = "|".join(map(re.escape, addresses))
        net.wait_until(lambda: re.search(rf"remote\s.* @ ({wanted})\[", self.host.sas()), timeout,
                       f"IKE SA with {' or '.join(addresses)} at the gateway")

    def seen_through(self, device):
        """The gateway's peer is behind this uplink."""
        self.seen_from(*self.bed[device].outside())

    def all_by(self, target, source):
        """What the gateway sends comes by `target`, and nothing is under way by `source` any more."""
        before = (0, -1)

        def quiet():
            nonlocal before
            came, old = received(target), received(source)
            if old != before[1]:
                before = (came, old)
            return came - before[0] > 50
        net.wait_until(quiet, 20, f"quiet at {source}")

    def one_ike_sa(self):
        net.wait_until(lambda: len(re.findall(r"#\d+, ESTABLISHED", self.host.sas())) == 1, 20,
                       "one IKE SA at the gateway")

    def same_ike_sa(self):
        net.check(self.host.count(r"IKE_SA rw\[\d+\] established") == 1,
                  "another IKE SA was established")

    def result(self):
        return "outage " + ", ".join(f"{outage:.0f}" for outage in self.outages) + " ms"


def unchanged(before, devices):
    """The host is as before; the uplinks themselves are as the scenario left them."""
    own = re.compile(rf"\b({'|'.join(devices)})\b")
    was, now = ([line for line in text.splitlines() if not own.search(line)]
                for text in (before, net.snapshot()))
    changes = [line for line in difflib.unified_diff(was, now, lineterm="", n=0)
               if not line.startswith(("---", "+++", "@@"))]
    net.check(not changes, "the host is not as before: " + " ; ".join(changes))


def start_gateway(context, mobike=True, charon=None, change=None):
    connection = gateway.default_connection()
    connection["mobike"] = "yes" if mobike else "no"
    if change:
        change(connection)
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection}, charon=charon)
    return host


@contextlib.contextmanager
def moving(context, *kinds, at=None, arguments=(), host=None, prepared=None, **options):
    """A connected laptop: a datagram goes through the tunnel every 5 ms and one TCP connection all
    the time. Nothing may leave beside the tunnel, the TCP connection and the inner address stay to
    the end, and then the host is as before. `at`: where it starts, the first of `kinds` if not
    told. `prepared`: called with the network before the connection."""
    bed = laptop.Laptop(context, *kinds)
    host = host or start_gateway(context, **options)
    transfer.start_server()
    for name in at or (kinds[0].device,):
        bed[name].plug()
    if prepared:
        prepared(bed)
    before = net.snapshot()
    tunnel = client.start_as_alice(context, *arguments)
    tunnel.wait_connected()
    with Meter() as meter, transfer.Steady(net.HOST4):
        trip = Trip(bed, host, tunnel, meter)
        yield trip
        meter.wait_answer(time.monotonic(), 5)
        bed.prepare()
    leaked = bed.leaked()
    net.check(not leaked, f"{leaked} packets left beside the tunnel")
    tunnel.disconnect()
    unchanged(before, bed.uplinks)
