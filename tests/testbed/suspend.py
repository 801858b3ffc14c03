# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine's sleep, as programs see it, without the machine's sleep.

What a suspend does to a program, and how it is done here:
  - logind says PrepareForSleep and waits for those who asked for a moment: python-dbusmock's logind
    on a bus of the sandbox's own;
  - nothing runs: SIGSTOP;
  - CLOCK_BOOTTIME has gone on, CLOCK_MONOTONIC has not: asleep.c, loaded by /etc/ld.so.preload of
    the sandbox. A time namespace cannot, since its offsets are fixed once a program runs in it;
  - timers on CLOCK_BOOTTIME that came due expire at once, and those that wait for the clock to be set
    are told so: set from outside by pidfd_getfd(2).
Not done: devices that lose their state (the uplinks of laptop.py do that, when told).
"""

import os
import re
import shutil
import signal
import struct

import net
import sandbox

ASLEEP, PRELOADED = "/run/bed/asleep", "/run/bed/asleep.so"
BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"""
LOGIND = ("--dest", "org.freedesktop.login1", "--object-path", "/org/freedesktop/login1",
          "--method")
CLOCK_REALTIME, CLOCK_BOOTTIME = 0, 7
TFD_TIMER_CANCEL_ON_SET = 2
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
ITIMERSPEC = struct.Struct("=qqqq")


def expect_preload():
    """What is preloaded comes before the sanitizers' runtime, which does not expect that; for programs
    that start others before there is a Suspend."""
    options = os.environ.get("ASAN_OPTIONS", "")
    os.environ["ASAN_OPTIONS"] = ":".join(filter(None, (options, "verify_asan_link_order=0")))


class Suspend:
    """Made before the client starts. `logind` False: only the clocks tell. On a bus of its own
    unless there is one (bus.py)."""

    def __init__(self, context, logind=True, bus=None):
        self.slept = 0
        with open(ASLEEP, "wb") as file:
            file.write(struct.pack("=q", 0))
        os.chmod(ASLEEP, 0o644)
        # The worker's user may not reach the build, as below /root.
        shutil.copy(os.path.join(context.build, "tests/testbed/asleep.so"), PRELOADED)
        with open("/etc/ld.so.preload", "w", encoding="ascii") as file:
            file.write(f"{PRELOADED}\n")
        expect_preload()
        if logind and not bus:
            self._start_bus()
        self.logind = self._start_logind() if logind else None

    def _start_bus(self):
        os.makedirs("/run/dbus", exist_ok=True)
        sandbox.mount("tmpfs", "/run/dbus", "tmpfs", 0, "mode=755")
        with open("/run/bed/bus.conf", "w", encoding="ascii") as file:
            file.write(BUS)
        self.bus = net.Process(["dbus-daemon", "--config-file", "/run/bed/bus.conf", "--nofork",
                                "--print-address"])
        self.bus.read_until("unix:", 10)

    @staticmethod
    def _start_logind():
        logind = net.Process(["/usr/bin/python3", "-m", "dbusmock", "--system", "--logfile",
                              "/run/bed/logind.log", "--template", "logind"])
        net.run("gdbus", "wait", "--system", "--timeout", "20", "org.freedesktop.login1")
        return logind

    def _call(self, method, *arguments):
        return net.run("gdbus", "call", "--system", *LOGIND, method, *arguments)

    def _prepare(self, begin):
        self._call("org.freedesktop.DBus.Mock.EmitSignal", "org.freedesktop.login1.Manager",
                   "PrepareForSleep", "b", f"[<{'true' if begin else 'false'}>]")

    def inhibitors(self):
        """Who delays the sleep."""
        listing = self._call("org.freedesktop.login1.Manager.ListInhibitors")
        return re.findall(r"\('[^']*sleep[^']*', '([^']*)'", listing)

    def sleep(self, seconds, pids, meanwhile=None):
        """These processes sleep; `meanwhile` happens to the world around. `seconds` are what their
        clocks show afterwards."""
        if self.logind:
            net.wait_until(self.inhibitors, 5, "wish for a moment before the sleep")
            self._prepare(True)
            net.wait_until(lambda: not self.inhibitors(), 5, "end of what delays the sleep")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        if meanwhile:
            meanwhile()
        self.slept += seconds
        with open(ASLEEP, "r+b") as file:
            file.write(struct.pack("=q", int(self.slept * 1e9)))
        for pid in pids:
            _expire_timers(pid, seconds)
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)
        if self.logind:
            self._prepare(False)


def _expire_timers(pid, seconds):
    """What is left of the timers after so much time."""
    process = sandbox.libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    for name in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{name}") != "anon_inode:[timerfd]":
            continue
        with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as file:
            facts = dict(line.split(":", 1) for line in file)
        left = [int(part) for part in re.findall(r"\d+", facts["it_value"])]
        clock, flags = int(facts["clockid"]), int(facts["settime flags"], 8)
        told = clock == CLOCK_REALTIME and flags & TFD_TIMER_CANCEL_ON_SET
        if not any(left) or (clock != CLOCK_BOOTTIME and not told):
            continue
        interval = [int(part) for part in re.findall(r"\d+", facts["it_interval"])]
        nanoseconds = 1 if told else max(1, left[0] * 10**9 + left[1] - int(seconds * 1e9))
        fd = sandbox.libc.syscall(SYS_PIDFD_GETFD, process, int(name), 0)
        timer = ITIMERSPEC.pack(*interval, *divmod(nanoseconds, 10**9))
        net.check(sandbox.libc.timerfd_settime(fd, 0, timer, None) == 0, "a timer cannot be set")
        os.close(fd)
    os.close(process)
