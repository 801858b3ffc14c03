# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that go another way than the others, told apart by their control groups."""

import os
import re
import sys

import bus
import caller
import client
import gateway
import leaks
import net
import sandbox
from caller import MANAGER, PATH, SESSION
from scenario import scenario

GATEWAYS = (net.GATEWAY4, net.GATEWAY6)
WHOAMI = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "whoami.py")
SLICE = "user.slice/user-{uid}.slice/user@{uid}.service/app.slice"


class Groups:
    """The control groups of the users at the machine, as a desktop makes them."""

    def __init__(self):
        self.top = sandbox.mount_groups()

    def make(self, user, name):
        """A group that the user may divide; its path."""
        path = f"{sandbox.CGROUPS}/{self.top}/{SLICE.format(uid=user.uid)}/{name}"
        os.makedirs(path)
        for one in (path, f"{path}/cgroup.procs"):
            os.chown(one, user.uid, user.uid)
        return path


def enter(group, user):
    def inside():
        with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")
        user.become()
    return inside


class Bed(leaks.Trial):
    """A Trial in which the gateway's host tells who asks, inside and outside of the tunnel."""

    def __init__(self, context, level="connected", **keys):
        self.keys = keys
        super().__init__(context, level)
        self.groups = Groups()
        self.user = bus.USERS["alice1"]
        self.script = os.path.join(bus.reachable(os.path.dirname(WHOAMI), "whoami"), "whoami.py")
        self.server = net.Process([sys.executable, WHOAMI, "serve", str(leaks.BESIDE_PORT),
                                   *GATEWAYS], namespace="gw")
        self.server.read_until("^ready", 10)
        uplink = self.bed[leaks.DEVICES[0]]
        self.outside = {net.GATEWAY4: uplink.outside4(), net.GATEWAY6: uplink.address6}
        self.desktop = self.groups.make(self.user, "app-terminal-1.scope")

    def profile(self):
        return caller.profile(self.context, password=gateway.USERS["alice"],
                              kill_switch=caller.text("off" if self.level == "off" else "connected"),
                              dpd="uint64 1", dead_after="uint64 1", **self.keys)

    def command(self, *before):
        return [*before, sys.executable, self.script, "ask", str(leaks.BESIDE_PORT), *GATEWAYS]

    def start(self, command, group=None):
        return net.Process(command, enter=enter(group or self.desktop, self.user),
                           env={**client.environment(self.context), **self.user.environment()})

    def godwit_run(self, way):
        return self.start(self.command(client.program(self.context), "run", way, "--"))

    def ways(self, process):
        """By gateway address: "outside", "inside", or what it said."""
        net.check(process.wait(20) == 0, f"it failed: {process.tail()}")
        found = {}
        for line in process.output.splitlines():
            address, _, said = line.partition(" ")
            seen = said.removeprefix("sees ")
            found[address] = ("outside" if seen == self.outside[address]
                              else "inside" if re.match(r"10\.77\.0\.|2001:db8:77::", seen)
                              else line)
        return found

    def expect(self, way, process, what):
        found = self.ways(process)
        net.check(found == dict.fromkeys(GATEWAYS, way), f"{what}: {found}, not {way}")

    def no_leak(self):
        seen = self.witnesses.seen()
        net.check(not any(seen.values()), f"seen outside: {seen}: {self.witnesses.examples()}")


@scenario(bare=True)
def a_program_leaves_beside_the_tunnel(context):
    """... while the same program beside it, and all others, use it; the kill switch is on."""
    bed = Bed(context)
    bed.connect()
    beside, within = bed.godwit_run("--outside"), bed.start(bed.command())
    bed.expect("inside", within, "the program as it is")
    bed.expect("outside", beside, "the program beside the tunnel")
    bed.for_a_while(0.1)
    bed.no_leak()
    bed.alice.session(bed.session, "Disconnect")
    bed.alice.wait_ended(bed.session)
    tables = net.run("nft", "list", "tables")
    net.check("godwit" not in tables, f"left behind: {tables}")


@scenario(bare=True)
def applications_of_the_profile_leave_beside_it(context):
    """Those that run when the connection begins and those that begin later; of its owner alone."""
    bed = Bed(context, exclude_apps="'whoami'")
    before = bed.groups.make(bed.user, "app-gnome-org.example.Whoami-7.scope")
    other = bus.USERS["admin1"]
    foreign = bed.groups.make(other, "app-whoami-8.scope")
    bed.connect()
    bed.expect("outside", bed.start(bed.command(), before), "an application that was there")
    later = bed.groups.make(bed.user, "app-whoami-9.scope")
    name = os.path.basename(later)
    net.wait_until(lambda: name in net.run("nft", "list", "table", "inet", "godwit"), 5,
                   "rule for a new application")
    bed.expect("outside", bed.start(bed.command(), later), "an application that has begun")
    bed.expect("inside", bed.start(bed.command()), "another application")
    process = net.Process(bed.command(), enter=enter(foreign, other), env=other.environment())
    bed.expect("inside", process, "somebody else's application")
    bed.no_leak()


@scenario(bare=True)
def only_some_applications_use_the_tunnel(context):
    """The kill switch holds these, also while the gateway is silent, and nobody else."""
    bed = Bed(context, include_apps="'whoami'")
    bed.chatter.process.kill()
    bed.connect()
    known = bed.groups.make(bed.user, "app-whoami-7.scope")
    net.wait_until(lambda: "app-whoami-7" in net.run("nft", "list", "table", "inet", "godwit"), 5,
                   "rule for a new application")
    bed.expect("inside", bed.start(bed.command(), known), "an application of the profile")
    bed.expect("outside", bed.start(bed.command()), "another application")
    bed.expect("inside", bed.godwit_run("--inside"), "a program that shall use it")
    refused = bed.godwit_run("--outside")
    net.check(refused.wait(10) != 0 and "Only some programs use this connection" in refused.output,
              f"godwit run --outside: {refused.tail()}")
    bed.bus.kill()
    found = bed.ways(bed.start(bed.command(), known))
    net.check(not {"inside", "outside"} & set(found.values()),
              f"an application of the profile without the service: {found}")
    bed.expect("outside", bed.start(bed.command()), "another application")


@scenario(bare=True)
def only_the_family_that_the_tunnel_lacks(context):
    """Programs beside the tunnel have IPv6 although the gateway carries IPv4 alone; others do not."""
    bed = Bed(context, request_ipv6="false")
    bed.connect()
    bed.expect("outside", bed.godwit_run("--outside"), "a program beside the tunnel")
    found = bed.ways(bed.start(bed.command()))
    net.check(found[net.GATEWAY4] == "inside" and found[net.GATEWAY6] not in ("inside", "outside"),
              f"another program: {found}")
    bed.no_leak()


@scenario(bare=True)
def what_cannot_be_led_is_refused(context):
    """Processes of others, groups that are not one's own, ways that there are not."""
    bed = Bed(context)
    code, _, errors = bed.bus.run("alice1", "run", "--outside", "--", "true")
    net.check(code != 0 and "Nothing is connected." in errors, f"without a connection: {errors}")
    bed.connect()
    for words, sentence in ((("true",), "Either --outside or --inside"),
                            (("--outside", "--inside", "true"), "Either --outside or --inside"),
                            (("--inside", "true"), "has no include-apps"),
                            (("--outside", "--connection", "nothing", "true"), "nothing"),
                            (("--outside",), "missing")):
        one = bed.start([client.program(context), "run", *words])
        net.check(one.wait(10) != 0 and sentence in one.output, f"{words}: {one.tail()}")
    alone = bed.groups.make(bed.user, "app-sleep-1.scope")
    own, foreign = (net.Process(["sleep", "100"], enter=enter(alone, user))
                    for user in (bed.user, bus.USERS["bob1"]))
    for pid, way, sentence in ((foreign.pid, "outside", "The process is not yours."),
                               (own.pid, "outside", "holds processes of other users"),
                               (bed.alice.pid, "outside", "has no control group of its own"),
                               (own.pid, "up", "outside")):
        text = bed.alice.refused("NotReady|InvalidArgs", bed.session, SESSION, "AddProcess",
                                 f"(handle 0, '{way}')", process=pid)
        net.check(sentence in text, f"process {pid}: {text}")
    bed.alice.refused("InvalidArgs", bed.session, SESSION, "AddProcess", "(handle 0, 'outside')")
    bed.alice.refused("NotReady", bed.session, SESSION, "AddProcess", "(handle 0, 'outside')",
                      memory="not a process")
    # What is held for everybody is not one user's to open.
    foreign.kill()
    bed.root.manager("SetKillSwitch", "(true, @as [])")
    bed.alice.refused("NotAuthorized", bed.session, SESSION, "AddProcess", "(handle 0, 'outside')",
                      process=own.pid)
    for key in ("exclude", "exclude_apps"):
        value = {"exclude": "'198.51.100.0/24'", "exclude_apps": "'whoami'"}[key]
        keys = caller.profile(context, password="x", **{key: value})
        bed.alice.refused("NotAuthorized", PATH, MANAGER, "Connect", f"('', {keys}, @a{{sv}} {{}})")
    keys = caller.profile(context, include_apps="'whoami'")
    bed.root.refused("InvalidProfile", PATH, MANAGER, "Connect",
                     f"('', {keys}, {{'host-configuration': <false>}})")
    bed.no_leak()
