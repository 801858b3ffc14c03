# SPDX-License-Identifier: GPL-2.0-or-later
"""A laptop whose network NetworkManager looks after, with a running transfer through a VPN."""

import contextlib
import os

import client
import laptop
import net
import networkmanager
import roam
import suspend
import transfer
from scenario import scenario
from scenarios.nm_service import add

KINDS = (laptop.Kind("wifi0", families="4", delay=5), laptop.Kind("eth0", families="4", delay=5))
# Seconds without any device; more than a moment is for whoever measures.
GAP = float(os.environ.get("NM_GAP", "0"))


class Journey:
    """A laptop with its gateway and NetworkManager, a VPN over wifi0, and a TCP connection in it."""

    def __init__(self, context, persistent, sleeps=False):
        self.bed = laptop.Laptop(context, *KINDS)
        self.host = roam.start_gateway(context)
        transfer.start_server()
        if sleeps:
            suspend.expect_preload()
        self.manager = networkmanager.NetworkManager(context)
        self.suspend = suspend.Suspend(context, bus=self.manager.bus) if sleeps else None
        self.arrive("wifi0", 600)
        add(self.manager, context)
        if persistent:
            self.manager.nmcli("connection", "modify", "work", "vpn.persistent", "yes")
        self.manager.nmcli("connection", "up", "work")

    def arrive(self, device, metric=100):
        uplink = self.bed[device]
        uplink.associate()
        self.manager.wired(device, f"{uplink.address4}/{uplink.lan4.prefixlen}", str(uplink.lan4[1]),
                           metric)

    @contextlib.contextmanager
    def transferring(self):
        """The TCP connection survives what happens meanwhile, within one IKE SA, and nothing goes
        beside the tunnel."""
        with transfer.Steady(net.HOST4) as steady:
            self.goes_on(steady)
            yield steady
            self.goes_on(steady)
        net.check(self.manager.active_vpns() == {"work": "activated"}, "the connection is not up")
        net.check(self.host.count(r"IKE_SA rw\[\d+\] established") == 1, "another IKE SA was made")
        net.check(not self.bed.leaked(), f"{self.bed.leaked()} packets left beside the tunnel")

    @staticmethod
    def goes_on(steady):
        before = steady.octets
        net.wait_until(lambda: steady.octets > before + 65536, 15, "traffic")


def without_address(device):
    return "inet " not in net.run("ip", "addr", "show", "dev", device)


@scenario(bare=True, timeout=60 + int(GAP))
def nm_changes_the_device(context):
    """From Wi-Fi to cable and back: a persistent connection moves by MOBIKE."""
    journey = Journey(context, persistent=True)
    with journey.transferring() as steady:
        journey.arrive("eth0")
        for there, gone in (("eth0", "wifi0"), ("wifi0", "eth0")):
            if there == "wifi0":
                journey.manager.nmcli("connection", "up", "wired-wifi0")
            journey.manager.nmcli("connection", "down", f"wired-{gone}")
            net.wait_until(lambda there=there: f"@ {journey.bed[there].outside4()}["
                           in journey.host.sas(), 10, f"IKE SA from {there}")
            journey.goes_on(steady)


@scenario(bare=True, timeout=60 + int(GAP))
def nm_has_no_device_for_a_while(context):
    """A persistent connection waits for one, another one even, and then goes on."""
    journey = Journey(context, persistent=True)
    with journey.transferring() as steady:
        for gone, there in (("wifi0", "wifi0"), ("wifi0", "eth0")):
            journey.manager.nmcli("connection", "down", f"wired-{gone}")
            net.wait_until(lambda gone=gone: without_address(gone), 5, "end of the address")
            net.let_pass(GAP)
            if there == gone:
                journey.manager.nmcli("connection", "up", f"wired-{there}")
            else:
                journey.arrive(there)
            journey.goes_on(steady)


@scenario(bare=True)
def nm_ends_what_is_not_to_persist(context):
    """Without vpn.persistent the connection ends with its device, and leaves nothing."""
    journey = Journey(context, persistent=False)
    journey.manager.nmcli("connection", "down", "wired-wifi0")
    net.wait_until(lambda: not journey.manager.active_vpns(), 10, "end of the connection")
    net.wait_until(lambda: not client.processes("godwit-tunnel"), 10, "end of the worker")
    net.wait_until(lambda: "godwit" not in net.run("ip", "link"), 5, "end of the interface")


@scenario(bare=True)
def nm_sleeps(context):
    """logind tells NetworkManager and godwitd of the lid that is closed and opened."""
    journey = Journey(context, persistent=True, sleeps=True)
    with journey.transferring():
        journey.suspend.sleep(600, client.processes("godwit"))
        net.wait_until(lambda: "wake requested" in journey.manager.log(), 5,
                       "NetworkManager that is awake")
