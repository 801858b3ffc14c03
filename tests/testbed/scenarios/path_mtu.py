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


@scenario_for([False, True], lambda silent: "path_narrows" + ("_without_a_word" if silent else ""),
              bare=True, timeout=120)
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
        net.wait_until(lambda: tun_mtu() == at_first, 75, f"MTU of {at_first} again")
        raised = time.monotonic() - moment
        trip.same_ike_sa()
    return f"found after {found:.1f} s, raised after {raised:.0f} s"
