# SPDX-License-Identifier: GPL-2.0-or-later
"""The lid is closed for an hour, and what the world looks like when it is opened again."""

import contextlib
import time

import client
import net
import roam
from roam import CABLE, WIFI, WIFI4, moving
from scenario import scenario, scenario_for
from suspend import Suspend

HOUR = 3600


class Sleeper:
    """The laptop's sleep during a trip."""

    def __init__(self, suspend):
        self.suspend = suspend
        self.trip = None

    def sleep(self, meanwhile=None, seconds=HOUR):
        """Returns the moment of waking."""
        pids = [*client.processes(), self.trip.meter.sender.pid]
        self.suspend.sleep(seconds, pids, meanwhile)
        return time.monotonic()


@contextlib.contextmanager
def dozing(context, *kinds, logind=True, **options):
    sleeper = Sleeper(Suspend(context, logind))
    with moving(context, *kinds, **options) as trip:
        sleeper.trip = trip
        yield trip, sleeper


def forgets(trip):
    """The gateway gives the client up, which hears nothing of it."""
    trip.bed["wifi0"].cut()
    trip.host.swanctl("--terminate", "--ike", "rw", "--force")
    trip.bed["wifi0"].cut(off=False)
    net.check("ESTABLISHED" not in trip.host.sas(), "the gateway still has the IKE SA")


@scenario_for([True, False],
              lambda logind: "an_hour_of_sleep" + ("" if logind else "_without_logind"), bare=True)
def an_hour_of_sleep(context, logind):
    """The gateway still knows us: the connection goes on as it was."""
    with dozing(context, WIFI, logind=logind) as (trip, sleeper):
        trip.back_since(sleeper.sleep())
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def nat_forgets_during_sleep(context):
    with dozing(context, WIFI4) as (trip, sleeper):
        trip.back_since(sleeper.sleep(trip.bed["wifi0"].rebind), within=2000)
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def wakes_in_another_network(context):
    with dozing(context, WIFI, CABLE) as (trip, sleeper):
        trip.back_since(sleeper.sleep(lambda: trip.bed.move("wifi0", "eth0")))
        trip.seen_through("eth0")
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True, timeout=60)
def wakes_without_network(context):
    """The network is configured seconds after the machine is awake."""
    with dozing(context, WIFI) as (trip, sleeper):
        sleeper.sleep(trip.bed["wifi0"].unplug)
        net.let_pass(3)
        trip.back_since(trip.bed.arrive("wifi0"))
    return trip.result()


@scenario(bare=True, timeout=60)
def gateway_has_forgotten_the_sleeper(context):
    """A new IKE SA with the same internal address; the TCP connection goes on."""
    with dozing(context, WIFI) as (trip, sleeper):
        trip.back_since(sleeper.sleep(lambda: forgets(trip)), within=roam.LATER)
        trip.one_ike_sa()
    return trip.result()


@scenario(bare=True, timeout=60)
def lifetimes_end_during_sleep(context):
    """Both kinds of SA should have been rekeyed long ago."""
    with dozing(context, WIFI, arguments=("--child-lifetime", "900", "--ike-lifetime", "1800")) as (
            trip, sleeper):
        trip.back_since(sleeper.sleep())
        net.wait_until(lambda: trip.host.count(r"IKE_SA rw\[\d+\] rekeyed between"), 10,
                       "rekeying of the IKE SA")
    return trip.result()


@scenario(bare=True, timeout=60)
def naps(context):
    """Asleep and awake again, many times in a row."""
    with dozing(context, WIFI, CABLE) as (trip, sleeper):
        for number in range(6):
            source, target = ("wifi0", "eth0") if number % 2 == 0 else ("eth0", "wifi0")
            trip.back_since(sleeper.sleep(lambda: trip.bed.move(source, target), 7 * number))
        trip.same_ike_sa()
    return trip.result()
