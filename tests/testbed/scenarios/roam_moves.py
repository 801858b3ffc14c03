# SPDX-License-Identifier: GPL-2.0-or-later
"""From one network to another, of either family, in every order of coming and going."""

import time

import client
import laptop
import net
import roam
import transfer
from laptop import Kind
from roam import CABLE, MOBILE, WIFI, WIFI4, moving
from scenario import scenario, scenario_for


@scenario(bare=True)
def reference_client_moves(context):
    """The bed itself: charon-cmd goes to the other uplink and back."""
    import reference
    from meter import Meter
    bed = laptop.Laptop(context, WIFI, CABLE)
    host = roam.start_gateway(context)
    bed["wifi0"].plug()
    process = reference.connect(context.pki)
    with Meter() as meter:
        trip = roam.Trip(bed, host, None, meter)
        trip.move("wifi0", "eth0")
        trip.seen_through("eth0")
        trip.move("eth0", "wifi0")
        trip.seen_through("wifi0")
    reference.end(process)
    return trip.result()


@scenario(bare=True)
def wifi_to_cable_and_back(context):
    with moving(context, WIFI, CABLE) as trip:
        for _ in range(3):
            trip.move("wifi0", "eth0")
            trip.seen_through("eth0")
            trip.move("eth0", "wifi0")
            trip.seen_through("wifi0")
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def cable_comes_before_wifi_goes(context):
    """The better network is there before the other is left: nothing is lost."""
    with moving(context, WIFI, CABLE) as trip:
        moment = time.monotonic()
        trip.bed["eth0"].plug()
        trip.seen_through("eth0")
        trip.all_by("eth0", "wifi0")
        trip.bed["wifi0"].unplug()
        trip.unhurt(moment)
        trip.same_ike_sa()
    return "nothing lost"


@scenario(bare=True)
def cable_is_pulled_while_wifi_is_there(context):
    """The addresses and routes of the cable stay, as for seconds under NetworkManager."""
    with moving(context, CABLE, WIFI, at=("eth0", "wifi0")) as trip:
        moment = time.monotonic()
        trip.bed["eth0"].pull()
        trip.back_since(moment, within=roam.PROMPT + 4000)
        trip.seen_through("wifi0")
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def ipv4_to_ipv6_and_back(context):
    with moving(context, WIFI4, MOBILE) as trip:
        for _ in range(2):
            trip.move("wifi0", "wwan0")
            trip.seen_through("wwan0")
            trip.move("wwan0", "wifi0")
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def ipv4_alone_to_ipv6_alone(context):
    open4 = Kind("eth0", families="4", nat=0, delay=roam.DELAY)
    with moving(context, open4, MOBILE) as trip:
        trip.move("eth0", "wwan0")
        trip.move("wwan0", "eth0")
        trip.seen_through("eth0")
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def the_same_address_in_another_network(context):
    """Private networks have the same addresses: only the gateway can tell that it is another."""
    elsewhere = Kind("wifi1", families="4", delay=roam.DELAY, like="wifi0")
    with moving(context, WIFI4, elsewhere) as trip:
        trip.move("wifi0", "wifi1")
        trip.move("wifi1", "wifi0")
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def address_changes_in_place(context):
    with moving(context, WIFI) as trip:
        for _ in range(3):
            trip.back_since(trip.bed.change(*trip.bed["wifi0"].renumbered()))
        trip.same_ike_sa()
    return trip.result()


@scenario(bare=True)
def address_appears_and_vanishes(context):
    """A better network that is gone before anything could come of it."""
    with moving(context, WIFI, CABLE) as trip:
        trip.bed["eth0"].associate()
        for _ in range(5):
            moment = trip.bed.change(*trip.bed["eth0"].there(), *trip.bed["eth0"].left())
            trip.back_since(moment)
        trip.seen_through("wifi0")
        trip.same_ike_sa()
    return trip.result()


@scenario_for([10, 60], lambda seconds: f"network_comes_back_after_{seconds}_seconds",
              timeout=120, bare=True, idle=True)
def network_comes_back(context, seconds):
    """Neither the tunnel nor its routes go while there is no network at all."""
    with moving(context, WIFI) as trip:
        trip.bed["wifi0"].unplug()
        net.let_pass(seconds)
        net.check("10.77.0.1" in net.run("ip", "addr"), "the tunnel's address is gone")
        trip.back_since(trip.bed.arrive("wifi0"))
    return trip.result()


@scenario(bare=True, timeout=60)
def internet_goes_while_the_link_stays(context):
    """No event tells: the traffic that nobody answers does."""
    with moving(context, WIFI) as trip:
        trip.bed["wifi0"].cut()
        net.let_pass(8)
        trip.back_since(trip.bed["wifi0"].cut(off=False), within=5000)
    return trip.result()


@scenario(bare=True, timeout=60)
def internet_goes_and_another_uplink_has_it(context):
    """Both are up; the better one leads nowhere any more."""
    with moving(context, CABLE, WIFI, at=("eth0", "wifi0")) as trip:
        trip.back_since(trip.bed["eth0"].cut(), within=roam.LOST)
        trip.seen_through("wifi0")
    return trip.result()


@scenario_for([False, True], lambda silent: "mtu_of_1300" + ("_without_icmp" if silent else ""),
              bare=True, timeout=60)
def mtu_of_1300(context, silent):
    """Large packets pass after the move, and large ones again after the move back."""
    small = Kind("eth0", mtu=1300, silent=silent, delay=1)
    with moving(context, Kind("wifi0", delay=1), small) as trip:
        for source, target in (("wifi0", "eth0"), ("eth0", "wifi0")):
            trip.move(source, target)
            for direction in ("up", "down"):
                transfer.transfer(net.HOST4, direction, 1_000_000, timeout=20)
    return trip.result()


@scenario_for(["drop", "reject"], lambda how: f"udp_is_blocked_by_{how}", bare=True, timeout=60,
              idle=True)
def udp_blocked_at_the_start(context, how):
    """The internet is there, UDP is not: said as it is, not as a dead gateway."""
    bed = laptop.Laptop(context, Kind("wifi0", udp=how))
    roam.start_gateway(context)
    bed["wifi0"].plug()
    before = net.snapshot()
    tunnel = client.start_as_alice(context)
    client.expect_refusal(tunnel, "udp-blocked", before, timeout=45)


@scenario(bare=True, timeout=60, idle=True)
def udp_is_blocked_in_the_next_network(context):
    """What is wrong shows, and is told from a dead gateway; the way back is found at once."""
    with moving(context, WIFI, Kind("eth0", udp="drop", delay=roam.DELAY)) as trip:
        trip.bed.move("wifi0", "eth0")
        trip.tunnel.process.read_until("answers TCP, but neither UDP", 60)
        trip.move("eth0", "wifi0")
    return trip.result()


@scenario(bare=True)
def a_blocked_network_is_not_preferred(context):
    """The cable has the better metric and lets no UDP through: the tunnel stays where it works."""
    with moving(context, WIFI, Kind("eth0", udp="drop", delay=roam.DELAY)) as trip:
        moment = time.monotonic()
        trip.bed["eth0"].plug()
        trip.back_since(moment, within=3000)
        net.let_pass(3)
        trip.seen_through("wifi0")
        trip.same_ike_sa()
    return trip.result()
