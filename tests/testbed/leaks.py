# SPDX-License-Identifier: GPL-2.0-or-later
"""What leaves a laptop beside its tunnel while things happen to both: the rows of the leak table.

Programs of a user send all the time (chatter.py). On every uplink two witnesses count what is not IKE
or ESP to the gateway, DHCP or the link's own chatter: the router's nftables, and tcpdump on the
laptop's device, behind its firewall.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time

import bus
import caller
import client
import gateway
import laptop
import net
import sandbox
from chatter import Chatter
from laptop import Kind
from meter import Meter
from suspend import Suspend

DEVICES = ("wifi0", "eth0")
# "off": what there would be to see.
LEVELS = ("off", "connected", "always")
GATEWAYS4 = f"{net.GATEWAY4}, {laptop.GATEWAY4_OTHER}"
# What may leave beside the tunnel from an outer address: of programs that shall.
BESIDE_PORT = 9299
# How our worker asks whether a gateway that does not answer is there at all.
ASKED = "{ 80, 443, 4500 }"
# Neighbour and listener discovery, and what a host says about a datagram that came for nobody.
WITNESS = f"""table inet witness {{
    counter outside {{ }}
    counter dns {{ }}
    counter inner {{ }}
    chain from_laptop {{
        type filter hook prerouting priority -399;
        iifname != "lan" return
        ip daddr {{ {GATEWAYS4} }} udp dport {{ 500, 4500 }} return
        ip6 daddr {net.GATEWAY6} udp dport {{ 500, 4500 }} return
        ip daddr {{ {GATEWAYS4} }} tcp dport {ASKED} return
        ip6 daddr {net.GATEWAY6} tcp dport {ASKED} return
        ip daddr {{ {GATEWAYS4} }} icmp type destination-unreachable return
        ip6 daddr {net.GATEWAY6} icmpv6 type destination-unreachable return
        icmpv6 type {{ 130, 131, 132, 133, 134, 135, 136, 137, 143 }} return
        ip protocol igmp return
        udp dport {{ 67, 547 }} return
        udp dport {BESIDE_PORT} ip saddr != {gateway.ADDRESSES4} return
        udp dport {BESIDE_PORT} ip6 saddr != {gateway.ADDRESSES6} return
        counter name outside
        meta l4proto {{ tcp, udp }} th dport {{ 53, 853 }} counter name dns
        ip saddr {gateway.ADDRESSES4} counter name inner
        ip6 saddr {gateway.ADDRESSES6} counter name inner
    }}
}}"""
ALLOWED = " or ".join((
    "arp", "igmp", f"udp port {BESIDE_PORT}", "udp port 67", "udp port 547", "(icmp6 and (ip6[40] >= 130 and ip6[40] <= 143))",
    "(ip6 proto 0)",  # listener reports have the router alert before them
    *(f"(dst host {address} and (udp port 500 or udp port 4500 or icmp or icmp6 or "
      "tcp port 80 or tcp port 443 or tcp port 4500))"
      for address in laptop.GATEWAY_ADDRESSES)))
DUMP = "/run/bed/leaks.dump"
MARK_PORT = 9202


class Witnesses:
    """Counts of what has left by any uplink, since the start or the last `reset`."""

    def __init__(self, bed):
        self.bed, self.marks = bed, 0
        for uplink in bed.uplinks.values():
            laptop.nft(uplink.router, WITNESS)
        self._dump()
        self.reset()

    @staticmethod
    def _dump():
        # On all devices: it would end when its device goes down.
        with open(DUMP, "wb") as file:
            process = subprocess.Popen(
                ["tcpdump", "-i", "any", "-nn", "-l", "-t", "-s", "128", "--immediate-mode",
                 "-Z", "root", f"not ({ALLOWED})"],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, text=True,
                preexec_fn=sandbox.die_with_parent)
        line = ""
        while "listening on" not in line:
            line = process.stderr.readline()
            net.check(line, "tcpdump has ended")

    @staticmethod
    def _dumped():
        with open(DUMP, encoding="utf-8") as file:
            return file.read()

    def _captured(self):
        """Lines of tcpdump about the uplinks, up to now: tcpdump may be late, and lose packets when it
        is slow, a mark too."""
        self.marks += 1
        sent = []

        def seen():
            if not sent or time.monotonic() > sent[-1] + 0.5:
                one.sendto(bytes(self.marks), ("127.0.0.1", MARK_PORT))
                sent.append(time.monotonic())
            return f".{MARK_PORT}: UDP, length {self.marks}\n" in self._dumped()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            net.wait_until(seen, 10, "mark in what tcpdump says")
        return re.findall(rf"^(?:{'|'.join(DEVICES)}) +Out .*", self._dumped(), re.M)

    def _now(self):
        found = {"outside": 0, "dns": 0, "inner": 0, "captured": 0}
        for uplink in self.bed.uplinks.values():
            listing = json.loads(net.run("nft", "-j", "list", "counters", "table", "inet", "witness",
                                         namespace=uplink.router))
            for item in listing["nftables"]:
                if "counter" in item:
                    found[item["counter"]["name"]] += item["counter"]["packets"]
        found["captured"] = len(self._captured())
        return found

    def reset(self):
        self.before = self._now()

    def seen(self):
        now = self._now()
        return {name: now[name] - self.before[name] for name in now}

    def examples(self):
        """The last lines of tcpdump, for people."""
        return " | ".join(self._captured()[-3:])


class Trial:
    """A laptop with Wi-Fi and cable, on the Wi-Fi; a gateway; the bus; chatter; nothing connected."""

    def __init__(self, context, level, asleep=False):
        self.context, self.level = context, level
        self.bed = laptop.Laptop(context, *(Kind(device) for device in DEVICES))
        self.host = gateway.Gateway(context.pki)
        self.host.start()
        self.bed[DEVICES[0]].plug()
        self.bus = bus.Bus(context)
        self.suspend = Suspend(context, bus=self.bus) if asleep else None
        self.witnesses = Witnesses(self.bed)
        self.chatter = Chatter(bus.USERS["bob1"], *DEVICES)
        # What is measured can be seen: nothing holds it yet.
        net.wait_until(lambda: all(self.witnesses.seen()[kind] for kind in
                                   ("outside", "dns", "captured")), 5, "chatter on the uplink")
        self.sign_in()
        self.session = self.meter = None
        if level == "always":
            self.root.manager("SetKillSwitch", "(true, @as [])")
            self.witnesses.reset()

    def sign_in(self):
        self.root, self.alice = caller.Caller(), caller.Caller(bus.USERS["alice1"])

    def connect(self):
        """From then on nothing may be seen; with "always" it may not before either."""
        self.alice.sessions()
        self.session, = self.alice.manager("Connect", f"('work', {self.profile()}, @a{{sv}} {{}})")
        self.alice.wait_state(self.session, "connected")
        if self.level != "always":
            self.witnesses.reset()
        if self.meter:
            self.meter.__exit__()
        self.meter = Meter().__enter__()

    def profile(self):
        level = "off" if self.level == "off" else "connected"
        return caller.profile(self.context, password=gateway.USERS["alice"],
                              kill_switch=caller.text(level), dpd="uint64 1", dead_after="uint64 1")

    def wait_state(self, state):
        self.alice.wait_state(self.session, state)

    def works_since(self, moment, timeout=15):
        self.meter.wait_answer(moment, timeout)

    def for_a_while(self, seconds=0.3):
        """So many packets of the chatter, whatever becomes of them."""
        net.let_pass(seconds)


# ---- the rows: what happens while it is connected ----

def connect(trial):
    trial.for_a_while()


def roam(trial):
    trial.works_since(trial.bed.move(*DEVICES))


def sleep(trial):
    """It wakes up in another network."""
    trial.suspend.sleep(600, client.processes(), lambda: trial.bed.move(*DEVICES))
    trial.works_since(time.monotonic())


def gateway_dead(trial):
    trial.bed.silence(*laptop.GATEWAY_ADDRESSES)
    trial.wait_state("reconnecting")
    trial.for_a_while()
    trial.works_since(trial.bed.silence())


def worker_killed(trial):
    os.kill(client.worker(), signal.SIGKILL)
    trial.works_since(time.monotonic())


def daemon_killed(trial):
    trial.bus.kill()
    trial.for_a_while()
    if trial.level == "always":
        trial.bus.godwitd()
        trial.for_a_while()


def dns_change(trial):
    """A DHCP client renews the address and names the router as the resolver, as dhclient does."""
    uplink = trial.bed[DEVICES[0]]
    with open("/etc/resolv.conf.dhcp", "w", encoding="ascii") as file:
        file.write(f"nameserver {uplink.lan4[1]}\nnameserver {uplink.lan6[1]}\n")
    os.rename("/etc/resolv.conf.dhcp", "/etc/resolv.conf")
    moment = trial.bed.change(*uplink.renumbered())
    trial.works_since(moment)


def reboot(trial):
    """The power is off, and with it everything that no disk keeps; then the service starts before
    the network, as its unit wants it, and somebody signs in and connects."""
    uplink = trial.bed[DEVICES[0]]
    uplink.unplug()
    trial.bus.power_off()
    trial.bus.start()
    trial.bus.godwitd()
    uplink.plug()
    trial.sign_in()
    trial.connect()
    trial.for_a_while()


def disconnect(trial):
    trial.alice.session(trial.session, "Disconnect")
    trial.alice.wait_ended(trial.session)
    trial.for_a_while()


ROWS = {function.__name__: function for function in (
    connect, roam, sleep, gateway_dead, worker_killed, daemon_killed, dns_change, reboot, disconnect)}


def measure(context, row, level):
    """(packets, DNS queries) outside that should not be, and an example."""
    trial = Trial(context, level, asleep=row == "sleep")
    trial.connect()
    ROWS[row](trial)
    seen = trial.witnesses.seen()
    if row == "disconnect" and level != "always":
        # Afterwards everything may leave, but for what is of the tunnel.
        return seen["inner"], 0, trial.witnesses.examples()
    return max(seen["outside"], seen["captured"]), seen["dns"], trial.witnesses.examples()
