# SPDX-License-Identifier: GPL-2.0-or-later
"""Translators on the way: from one to another, two in a row, and those that change their mind."""

import roam
from laptop import Kind
from roam import CABLE4, WIFI4, moving
from scenario import scenario, scenario_for

OPEN = Kind("eth0", families="4", nat=0, delay=roam.DELAY)
DOUBLE = Kind("eth0", families="4", nat=2, delay=roam.DELAY)


@scenario(bare=True)
def from_behind_a_nat_to_no_nat_and_back(context):
    with moving(context, WIFI4, OPEN) as trip:
        trip.move("wifi0", "eth0")
        trip.seen_from(trip.bed["eth0"].address4)
        trip.move("eth0", "wifi0")
        trip.seen_from(trip.bed["wifi0"].outside4())
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def to_a_double_nat_and_back(context):
    with moving(context, WIFI4, DOUBLE) as trip:
        trip.move("wifi0", "eth0")
        trip.seen_from(trip.bed["eth0"].outside4())
        trip.move("eth0", "wifi0")
        trip.same_ike_sa()
    return trip.result()


@scenario_for([False, True],
              lambda other: "nat_rebinds_to_another_" + ("address" if other else "port"), bare=True,
              timeout=60)
def nat_rebinds(context, other):
    """In the middle of traffic; the gateway follows what it can authenticate."""
    with moving(context, WIFI4) as trip:
        for _ in range(3):
            trip.back_since(trip.bed["wifi0"].rebind(address=other), within=roam.LOST)
            trip.seen_from(trip.bed["wifi0"].outside4(other))
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True, timeout=60)
def double_nat_rebinds(context):
    with moving(context, DOUBLE) as trip:
        trip.back_since(trip.bed["eth0"].rebind(address=True), within=roam.LOST)
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def nat_forgets_everything(context):
    """As after a restart of the router."""
    with moving(context, WIFI4) as trip:
        for _ in range(3):
            trip.back_since(trip.bed["wifi0"].forget())
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True, timeout=60)
def nat_rebinds_during_a_move(context):
    with moving(context, WIFI4, CABLE4) as trip:
        for source, target in (("wifi0", "eth0"), ("eth0", "wifi0")):
            trip.bed.move(source, target)
            trip.back_since(trip.bed[target].rebind(address=True), within=roam.LOST)
    return trip.result()
