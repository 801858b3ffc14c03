# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkManager's connections when something under them dies, hangs, or is not there."""

import contextlib
import os
import re
import signal

import bus
import client
import gateway
import net
import transfer
from scenario import scenario, scenario_for
from scenarios.crash import nothing_leaks
from scenarios.nm_service import PASSWORD, SERVICE, add, start


def is_inside():
    """What is for a host that is reached through the tunnel alone or not at all."""
    return "dev godwit" in net.run("ip", "route", "get", net.FAR_HOST4, ok=False)


def host_is_free():
    net.wait_until(lambda: "godwit" not in net.run("ip", "link") and not is_inside()
                   and net.run("nft", "list", "ruleset") == "", 5, "host without a tunnel")


def nothing_is_left(manager):
    """Of a connection: with NetworkManager, at godwitd and on the host."""
    net.wait_until(lambda: not manager.active_vpns(), 10, "end of it in NetworkManager")
    net.wait_until(lambda: not client.processes("godwit-tunnel"), 10, "end of the worker")
    host_is_free()
    net.wait_until(lambda: net.HOST4 not in manager.resolver(), 5, "resolv.conf without the tunnel")


def works(manager):
    """Up, through it, down."""
    manager.nmcli("connection", "up", "work", timeout=20)
    net.check(is_inside(), "not through the tunnel")
    net.ping(net.HOST4)
    manager.nmcli("connection", "down", "work")
    nothing_is_left(manager)


def up(context, **keys):
    host, manager = start(context)
    add(manager, context, **keys)
    manager.nmcli("connection", "up", "work")
    return host, manager


def lent():
    """What nm-godwit-service has of godwitd's memory, by inode."""
    folder = f"/proc/{client.processes(SERVICE)[0]}/fd"
    found = set()
    for number in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed since
            if "godwit-lent" in os.readlink(f"{folder}/{number}"):
                found.add(os.stat(f"{folder}/{number}").st_ino)
    return found


def inner(manager):
    """What NetworkManager and godwitd have set on the host, as lines."""
    told = (net.run("ip", "address", "show", "godwit0"), net.run("ip", "route"),
            net.run("ip", "-6", "route"), manager.resolver(),
            re.sub(r"packets \d+ bytes \d+", "", net.run("nft", "list", "table", "inet", "godwit")))
    return {line for part in told for line in part.splitlines()}


@scenario_for((signal.SIGKILL, signal.SIGTERM), lambda number: f"nm_outlives_{number.name.lower()}")
def nm_goes_on_without_godwitd(context, number):
    """godwitd is killed, or started again as systemctl does: what NetworkManager has set stays, a TCP
    connection goes on, nothing goes beside the tunnel. As often as that happens."""
    host, manager = up(context, **{"kill-switch": "connected"})
    transfer.start_server()
    net.wait_until(lambda: net.HOST4 in manager.resolver(), 5, "server in resolv.conf")
    before = inner(manager)
    with nothing_leaks(), transfer.Steady(net.HOST4) as stream:
        kept = net.wait_until(lent, 10, "state that is lent")
        for _ in range(3):
            manager.bus.kill_one(number)
            kept = net.wait_until(lambda kept=kept: lent() - kept, 10, "connection anew")
            came = stream.octets
            net.wait_until(lambda came=came: stream.octets > came or stream.problem, 10,
                           "octet through the TCP connection")
    net.wait_until(lambda: inner(manager) == before, 5,
                   f"host as it was, beside {sorted(inner(manager) ^ before)}")
    net.check(host.sas().count("ESTABLISHED") == 1, "the gateway keeps an old IKE SA")
    manager.nmcli("connection", "down", "work")
    nothing_is_left(manager)
    host.wait_log("received DELETE for IKE_SA")


@scenario
def nm_ends_what_cannot_go_on(context):
    """The password is another one when godwitd comes back: the connection ends with the reason, and
    the next one works."""
    host, manager = up(context)
    gateway.USERS["alice"] = "another"
    host.configure({"rw": gateway.default_connection()})
    gateway.USERS["alice"] = PASSWORD
    net.wait_until(lent, 10, "state that is lent")
    manager.bus.kill_one()
    nothing_is_left(manager)
    net.check("auth-failed: " in manager.log(), f"the log: {manager.log()[-300:]}")
    host.configure({"rw": gateway.default_connection()})
    works(manager)


@scenario
def nm_ends_without_another_godwitd(context):
    """There is none any more: NetworkManager is told why, and nothing is left."""
    _, manager = up(context)
    path, words = MISSING["godwitd"]
    kept = bus.read(path)
    os.unlink(path)
    bus.reload()
    net.wait_until(lent, 10, "state that is lent")
    manager.bus.kill()
    net.wait_until(lambda: not manager.active_vpns(), 10, "end of it in NetworkManager")
    net.check(words in manager.log(), f"the log: {manager.log()[-300:]}")
    bus.write(path, kept)
    bus.reload()
    manager.bus.godwitd()
    nothing_is_left(manager)
    works(manager)


@scenario
def nm_goes_on_when_godwitd_dies_before_it_is_up(context):
    """Another godwitd is asked, three times; then that is the end, with a word about it."""
    host, manager = start(context)
    add(manager, context)
    for deaths in (1, 4):
        os.kill(host.process.pid, signal.SIGSTOP)
        before = manager.log().count("init: 192.0.2.1")
        started = manager.start_up("work")
        for number in range(deaths):
            net.wait_until(lambda number=number, before=before:
                           manager.log().count("init: 192.0.2.1") > before + number, 10, "attempt")
            manager.bus.kill_one()
        os.kill(host.process.pid, signal.SIGCONT)
        net.check((started.wait(15) == 0) == (deaths == 1), f"after {deaths} deaths of godwitd")
        manager.nmcli("connection", "down", "work", ok=False)
        nothing_is_left(manager)


@scenario
def nm_cleanup_takes_what_is_lent(context):
    """Our VPN service hangs when godwitd dies, so that nobody takes over what it had lent: an
    administrator's cleanup restores the host. What comes to after that ends, and the next one works."""
    _, manager = up(context, **{"kill-switch": "connected"})
    net.wait_until(lent, 10, "state that is lent")
    with stopped(client.processes(SERVICE)[0]):
        manager.bus.kill()
        net.check("godwit" in net.run("nft", "list", "ruleset"), "the kill switch did not stay")
        said = net.run(client.program(context), "cleanup")
        net.check("after 1 connection" in said, f"the cleanup says: {said}")
        net.check(net.run("nft", "list", "ruleset") == "", "the kill switch is left")
    nothing_is_left(manager)
    works(manager)


@scenario_for(("service", "manager"), lambda what: f"nm_ends_with_godwitd_and_the_{what}")
def nm_two_die(context, what):
    """godwitd dies, and with it our VPN service or NetworkManager: nobody brings back what was lent, and
    the next godwitd, which systemd starts, cleans up."""
    _, manager = up(context, **{"kill-switch": "connected"})
    net.wait_until(lent, 10, "state that is lent")
    service = client.processes(SERVICE)[0]
    os.kill(service, signal.SIGSTOP)
    manager.bus.kill()
    if what == "service":
        os.kill(service, signal.SIGKILL)
        net.wait_until(lambda: not manager.active_vpns(), 10, "end of it in NetworkManager")
    else:
        manager.stop(signal.SIGKILL)
        os.kill(service, signal.SIGCONT)
        net.wait_until(lambda: not client.processes(SERVICE), 10, "end of the service")
        manager.launch()
        manager.nmcli("connection", "up", "wired-cl0")
    manager.bus.godwitd()
    host_is_free()
    works(manager)


@scenario
def nm_hears_of_a_dead_service(context):
    """SIGKILL of nm-godwit-service: the session that it held ends, and NetworkManager knows."""
    host, manager = up(context)
    os.kill(client.processes(SERVICE)[0], signal.SIGKILL)
    nothing_is_left(manager)
    host.wait_log("received DELETE for IKE_SA")
    works(manager)


@scenario
def nm_device_is_deleted(context):
    """Somebody deletes the tunnel's device, and all would go beside it: so the connection ends."""
    host, manager = up(context)
    manager.nmcli("device", "delete", "godwit0")
    nothing_is_left(manager)
    net.check("host-config: " in manager.log(), f"the log: {manager.log()[-300:]}")
    host.wait_log("received DELETE for IKE_SA")
    works(manager)


@scenario_for((signal.SIGTERM, signal.SIGKILL), lambda number: f"nm_{number.name.lower()}_ends_it")
def nm_is_started_again(context, number):
    """NetworkManager ends while the connection is up: so does the session. The next NetworkManager
    finds nothing in its way."""
    _, manager = up(context)
    manager.stop(number)
    net.wait_until(lambda: not client.processes("godwit-tunnel"), 10, "end of the worker")
    manager.launch()
    manager.nmcli("connection", "up", "wired-cl0")
    works(manager)


def begin(manager):
    """nmcli that takes it up; its service has its name already. NetworkManager (1.42) forgets
    that it was told to take a connection down when the name comes while it does so."""
    before = set(manager.service_names())
    started = manager.start_up("work")
    net.wait_until(lambda: set(manager.service_names()) - before, 20, "service")
    return started


@contextlib.contextmanager
def stopped(pid):
    """The process hangs for the time of a `with`."""
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@scenario
def nm_leaves_a_godwitd_that_hangs(context):
    """Disconnected while godwitd does not answer, before and after its Connect: NetworkManager goes on
    at once, and no session is left when godwitd comes to."""
    host, manager = start(context)
    add(manager, context)
    with stopped(manager.bus.godwitd()):
        begin(manager)
        manager.nmcli("connection", "down", "work", timeout=5)
    manager.nmcli("connection", "up", "work")
    net.wait_until(lambda: len(client.processes("godwit-tunnel")) == 1, 10, "one worker")
    with stopped(manager.bus.pid()):
        manager.nmcli("connection", "down", "work", timeout=5)
        net.wait_until(lambda: not is_inside(), 5, "route beside the tunnel")
    nothing_is_left(manager)
    host.wait_log("received DELETE for IKE_SA")


@scenario(timeout=60)
def nm_disconnects_at_every_moment(context):
    """nmcli takes it down while it begins, a little later each time: nothing is left, and the next
    one works."""
    _, manager = start(context)
    add(manager, context)
    for number in range(9):
        before = manager.log().count("godwit-Message")
        started = begin(manager)
        net.wait_until(lambda number=number, before=before:
                       manager.log().count("godwit-Message") >= before + number
                       or started.poll() is not None, 10, "phase")
        manager.nmcli("--wait", "15", "connection", "down", "work", ok=False, timeout=15)
        started.wait(15)
    nothing_is_left(manager)
    works(manager)


MISSING = {
    "godwitd": (f"{bus.SERVICES}/{bus.NAME}.service", "not provided by any"),
    "policy": ("/usr/share/dbus-1/system.d/org.godwit.VPN1.conf", "godwitd is not available"),
}


@scenario_for(MISSING, lambda what: f"nm_says_that_there_is_no_{what}")
def nm_is_not_installed(context, what):
    """godwitd, or its policy of the bus, is not there: it fails at once, and says what."""
    _, manager = start(context)
    add(manager, context)
    path, words = MISSING[what]
    os.unlink(path)
    bus.reload()
    manager.nmcli("connection", "up", "work", ok=False, timeout=30)
    net.check(words in manager.log(), f"the log: {manager.log()[-300:]}")
    nothing_is_left(manager)
