# SPDX-License-Identifier: GPL-2.0-or-later
"""A path that carries less than before, told or not, and later more again."""

import re
import time

import net
import transfer
from laptop import Kind
from roam import moving
from scenario import scenario_for


def tun_mtu():
    return int(re.search(r"mtu (\d+)", net.run("ip", "-o", "link", "show", "dev", "godwit0"))[1])


def narrow(uplink, mtu):
    """From the laptop's router on: what comes back is not its business."""
    net.batch(uplink.edge, f"link set wan mtu {mtu}")


def answers(address, size):
    try:
        net.ping(address, size=size, count=1)
    except net.Failure:
        return False
    return True


@scenario_for(["4", "6"], lambda family: f"ipv6_inside_a_small_path_of_ipv{family}", bare=True,
              timeout=60)
def ipv6_inside(context, family):
    """An IPv6 link carries 1280 octets (RFC 8200 5): ESP that is larger than the path is cut, by its
    routers or, since those of IPv6 do not, by this host once they have told their MTU."""
    with moving(context, Kind("eth0", families=family, mtu=1290, delay=1)):
        transfer.transfer(net.HOST6, "up", 1_000_000, timeout=20)
        net.wait_until(lambda: tun_mtu() == 1280, 20, "MTU of 1280")
        net.wait_until(lambda: answers(net.HOST6, 1232), 20, "answer to 1280 octets")


@scenario_for([False, True], lambda silent: "path_narrows" + ("_without_a_word" if silent else ""),
              bare=True, timeout=240)
def path_narrows(context, silent):
    """TCP goes on, the connection stays, and what was lost comes back with the path."""
    with moving(context, Kind("wifi0", delay=1, silent=silent)) as trip:
        at_first = tun_mtu()
        transfer.transfer(net.HOST4, "up", 1_000_000)
        narrow(trip.bed["wifi0"], 1300)
        moment = time.monotonic()
        transfer.transfer(net.HOST4, "up", 1_000_000, timeout=40)
        found = time.monotonic() - moment
        net.check(tun_mtu() < at_first, f"still an MTU of {tun_mtu()}")
        trip.unhurt(moment, lost=20)
        for host in (net.HOST4, net.HOST6):
            transfer.transfer(host, "up", 1_000_000, timeout=5)
        narrow(trip.bed["wifi0"], 1500)
        net.wait_until(lambda: tun_mtu() == at_first, 150, f"MTU of {at_first} again")
        raised = time.monotonic() - moment
        trip.same_ike_sa()
    return f"found after {found:.1f} s, raised after {raised:.0f} s"
