# SPDX-License-Identifier: GPL-2.0-or-later
"""The service as systemd starts, confines, watches and ends it."""

import os
import signal
import sys

import caller
import client
import gateway
import leaks
import net
from bus import Bus
from machine import Machine
from scenario import scenario
from scenarios.apps import WHOAMI
from scenarios.service import connect

UNIT, HOLD = "godwitd.service", "godwit-killswitch.service"


def confined(pid):
    """What systemd and the service itself have left of root."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return int(status["CapBnd"], 16).bit_count(), status["NoNewPrivs"], status["Seccomp"]


def question():
    """The command that asks the gateway's host where it comes from; who answers has begun."""
    port = str(leaks.BESIDE_PORT)
    server = net.Process([sys.executable, WHOAMI, "serve", port, net.GATEWAY4], namespace="gw")
    server.read_until("^ready", 10)
    return sys.executable, WHOAMI, "ask", port, net.GATEWAY4


@scenario(timeout=60)
def under_systemd(context):
    """The bus starts it; a tunnel works in its confinement, and a program in a scope of its own leaves
    beside it; what hangs is killed and started again, and the host put back; without anything to do
    it ends; the kill switch has a unit."""
    gateway.Gateway(context.pki).start()
    machine = Machine(context)
    before = net.snapshot()
    net.check(machine.show(UNIT)["ActiveState"] == "inactive", "it runs before anybody asks")
    root = caller.Caller()
    path = connect(root, context)
    net.ping(net.HOST4)
    net.ping(net.HOST6)
    with open("/etc/resolv.conf", encoding="ascii") as file:
        net.check(net.HOST4 in file.read(), "the resolver is not the tunnel's")
    state = machine.show(UNIT)
    net.check(state["ActiveState"] == "active" and state["NRestarts"] == "0", f"state: {state}")
    found = confined(Bus.pid())
    net.check(found == (5, "1", "2"), f"capabilities, no_new_privs, seccomp: {found}")
    said = machine.run(client.program(context), "run", "--outside", "--", *question())
    net.check(f"{net.GATEWAY4} sees {net.CLIENT4}" in said, f"a program in a scope of its own: {said}")
    os.kill(Bus.pid(), signal.SIGSTOP)
    machine.wait(UNIT, "NRestarts", "1")
    machine.wait(UNIT, "ActiveState", "inactive")
    net.check_unchanged(before)
    path = connect(root, context)
    root.session(path, "Disconnect")
    root.wait_ended(path)
    machine.wait(UNIT, "ActiveState", "inactive")
    net.check(machine.show(UNIT)["Result"] == "success", "it ended otherwise than well")
    net.check_unchanged(before)
    machine.systemctl("start", HOLD)
    net.check(machine.show(HOLD)["ConditionResult"] == "no", "nobody has set the kill switch")
    root.manager("SetKillSwitch", "(true, @as [])")
    net.run("nft", "flush", "ruleset")
    machine.systemctl("start", HOLD)
    net.check("refused" in net.run("nft", "list", "table", "inet", "godwit"), "nothing is held")
    root.manager("SetKillSwitch", "(false, @as [])")
    net.check_unchanged(before)
