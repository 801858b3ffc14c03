# SPDX-License-Identifier: GPL-2.0-or-later
"""The gateway's side: its other addresses, gateways without MOBIKE, those who pretend to be it."""

import re
import time

import forger
import laptop
import net
import roam
from laptop import Kind
from roam import CABLE, MOBILE, WIFI, WIFI4, moving
from scenario import scenario

OPEN = Kind("eth0", families="4", nat=0, delay=roam.DELAY)
STRANGER = "192.0.2.66"

@scenario(bare=True, timeout=60)
def another_address_of_the_gateway(context):
    """One after the other dies, of both families, until the last of them is left."""
    addresses = [net.GATEWAY6, net.GATEWAY4, laptop.GATEWAY4_OTHER]
    with moving(context, WIFI) as trip:
        for _ in range(2):
            used = re.search(r"local\s.* @ (\S+)\[", trip.host.sas())[1]
            addresses.remove(used)
            dead = [address for address in laptop.GATEWAY_ADDRESSES if address not in addresses]
            trip.back_since(trip.bed.silence(*dead), within=roam.LOST)
            net.wait_until(lambda: any(f"@ {one}[" in trip.host.sas() for one in addresses), 5,
                           "IKE SA at another address of the gateway")
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True, timeout=60)
def without_mobike_a_new_ike_sa_takes_over(context):
    """The gateway gives the same internal address; the TCP connection goes on."""
    with moving(context, WIFI, CABLE, mobike=False) as trip:
        trip.move("wifi0", "eth0", within=roam.LATER)
        trip.seen_through("eth0")
        trip.move("eth0", "wifi0", within=roam.LATER)
        net.check(trip.host.count(r"IKE_SA rw\[\d+\] established") >= 3, "no new IKE SA")
        trip.one_ike_sa()
    return trip.result()


@scenario(bare=True, timeout=60)
def without_mobike_to_the_other_family(context):
    with moving(context, WIFI, MOBILE, mobike=False) as trip:
        trip.move("wifi0", "wwan0", within=roam.LATER)
        trip.seen_through("wwan0")
        trip.one_ike_sa()
    return trip.result()


@scenario(bare=True, timeout=60)
def gateway_restarts_during_a_move(context):
    """The IKE SA is unknown there: a fresh one with the same internal address."""
    with moving(context, WIFI, CABLE, arguments=("--dead-after", "60")) as trip:
        trip.host.stop(9)
        moment = trip.bed.move("wifi0", "eth0")
        trip.host.launch()
        trip.host.swanctl("--load-all", "--clear")
        trip.back_since(moment, within=40000)
    return trip.result()


@scenario(bare=True)
def update_races_with_rekeying(context):
    """Both kinds of SA are rekeyed by the gateway while the laptop moves. What it has sent to where
    the laptop was it repeats in its own time."""
    charon = {"retransmit_timeout": "0.5", "retransmit_base": "1.3", "retransmit_tries": "12"}
    with moving(context, WIFI, CABLE, charon=charon) as trip:
        at, to = "wifi0", "eth0"
        for kind, name in (("--ike", "rw"), ("--child", "net")) * 3:
            trip.host.swanctl("--rekey", kind, name)
            trip.move(at, to)
            at, to = to, at
        trip.one_ike_sa()
        net.check(re.search("INSTALLED", trip.host.sas()), "no Child SA is left")
    return trip.result()


@scenario(bare=True)
def forged_packets_move_nothing(context):
    """Right SPIs and a wrong ICV, from the gateway's other address and from a stranger's."""
    with moving(context, OPEN) as trip:
        intruder = forger.Forger()
        lure = forger.Lure(STRANGER, laptop.GATEWAY4_OTHER)
        initiator, responder, spi = forger.spis(trip.host)
        inner = (trip.bed["eth0"].address4, int(re.search(r"remote\s.* @ \S+\[(\d+)\]",
                                                          trip.host.sas())[1]))
        moment, arrived = time.monotonic(), roam.received("eth0")
        for number in range(200):
            for address in (STRANGER, laptop.GATEWAY4_OTHER, net.GATEWAY4):
                source = (address, forger.NATT_PORT)
                intruder.send(source, inner, forger.esp(spi, 10_000 + number))
                for flags in (0, forger.RESPONSE, 8, 8 | forger.RESPONSE):
                    intruder.send(source, inner,
                                  forger.ike(initiator, responder, number % 8, flags))
        trip.unhurt(moment)
        net.check(roam.received("eth0") - arrived >= 1000, "the forged packets did not arrive")
        net.check(lure.packets() == 0, f"{lure.packets()} packets went to the forger")
        trip.same_ike_sa()
    return "nothing moved"


@scenario(bare=True)
def replayed_answers_move_nothing(context):
    """The gateway's answers to earlier moves come again, from where they came and from elsewhere."""
    with moving(context, OPEN, WIFI4) as trip:
        intruder = forger.Forger()
        for source, target in (("eth0", "wifi0"), ("wifi0", "eth0")):
            trip.move(source, target)
        trip.seen_through("eth0")
        heard = [(source, payload) for source, _, payload in intruder.heard()
                 if forger.is_answer(payload)]
        net.check(len(heard) >= 2, f"only {len(heard)} answers to moves were heard")
        lure = forger.Lure(STRANGER)
        client = (trip.bed["eth0"].address4, 4500)
        moment = time.monotonic()
        for _ in range(20):
            for source, payload in heard:
                intruder.send(source, client, payload)
                intruder.send((STRANGER, forger.NATT_PORT), client, payload)
        trip.unhurt(moment)
        trip.seen_through("eth0")
        net.check(lure.packets() == 0, f"{lure.packets()} packets went to the forger")
        trip.same_ike_sa()
    return trip.result()
