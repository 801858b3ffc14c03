# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that systemd has booted: it is process 1 of a PID namespace of its own inside of the
sandbox, with the units of the build as they are installed, and the bus.

It has no units but these, so that nothing of the machine's own is begun, and shares the network and
the files of the scenario.
"""

import os
import re
import shutil

import bus
import net
import sandbox

CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x02000000, 0x04000000, 0x08000000
SBIN, LIBEXEC = "/usr/local/sbin", "/usr/local/libexec/godwit"
POLICIES = "/usr/share/dbus-1/system.d"
UNITS, NOTHING = "/run/units", "/run/bed/nothing"
LOG = "/run/bed/machine.log"
PROPERTY = re.compile(r"^(\w+)=(.*)$", re.M)
PLAIN = {
    "bed.target": "[Unit]\nRequires=dbus.socket sysinit.target\nAfter=dbus.socket\n",
    "sysinit.target": "[Unit]\nDefaultDependencies=no\n",
    "basic.target": "[Unit]\nDefaultDependencies=no\nRequires=sysinit.target\n",
    "shutdown.target": "[Unit]\nDefaultDependencies=no\n",
    "local-fs.target": "[Unit]\nDefaultDependencies=no\n",
    "network-pre.target": "[Unit]\n",
    "multi-user.target": "[Unit]\n",
}
# What the tests cannot wait for, and where the journal would be.
HASTE = """[Service]
StandardOutput=append:{log}
StandardError=append:{log}
WatchdogSec=2
ExecStart=
ExecStart={sbin}/godwitd --idle-exit=1
"""


def _install(context):
    """What `make install` does with them."""
    policy = bus.read(f"{POLICIES}/org.freedesktop.systemd1.conf")
    for folder in (SBIN, "/usr/local/libexec", bus.ETC, bus.SERVICES, POLICIES,
                   "/etc/dbus-1/system.d", "/run/dbus", "/run/systemd", UNITS):
        bus.cover(folder)
    os.mkdir(LIBEXEC)
    os.makedirs("/etc/godwit", exist_ok=True)  # ConfigurationDirectory=
    for folder, name in ((SBIN, "godwitd"), (LIBEXEC, "godwit-token"), (LIBEXEC, "godwit-tunnel")):
        shutil.copy(os.path.join(context.build, name), folder)
    shutil.copy(bus.find(context, f"generated/{bus.NAME}.service"), bus.SERVICES)
    shutil.copy(bus.find(context, f"client/daemon/{bus.NAME}.conf"), POLICIES)
    bus.write(f"{POLICIES}/org.freedesktop.systemd1.conf", policy)
    os.makedirs(f"{UNITS}/godwitd.service.d")
    os.mkdir(NOTHING)
    for name in ("godwitd.service", "godwit-killswitch.service"):
        shutil.copy(bus.find(context, f"generated/{name}"), UNITS)
    for name in ("dbus.service", "dbus.socket"):
        shutil.copy(f"/lib/systemd/system/{name}", UNITS)
    for name, text in PLAIN.items():
        bus.write(f"{UNITS}/{name}", text)
    bus.write(f"{UNITS}/godwitd.service.d/haste.conf", HASTE.format(log=LOG, sbin=SBIN))


def _add_worker_user(context):
    """As systemd-sysusers does at the installation, on a machine that lacks the user."""
    for name in ("passwd", "group", "shadow", "gshadow"):
        path = f"/etc/{name}"
        if os.path.exists(path):
            bus.write(path, re.sub(r"^godwit:.*\n", "", bus.read(path), flags=re.M))
    net.run("systemd-sysusers", bus.find(context, "generated/godwit.conf"))
    net.run("getent", "passwd", "godwit")


def _become_first_process(group):
    with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")
    sandbox.unshare(sandbox.CLONE_NEWNS | sandbox.CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWUTS
                    | CLONE_NEWIPC)
    child = os.fork()
    if child:
        sandbox.die_with_parent()
        os.waitpid(child, 0)
        os._exit(1)
    sandbox.die_with_parent()
    sandbox.mount("proc", "/proc", "proc")
    for folder in ("fs", "kernel", "vm"):  # systemd raises limits of the whole machine
        path = f"/proc/sys/{folder}"
        sandbox.mount(path, path, None, sandbox.MS_BIND)
        sandbox.mount(None, path, None,
                      sandbox.MS_BIND | sandbox.MS_REMOUNT | sandbox.MS_RDONLY)
    net.run("umount", sandbox.CGROUPS)
    sandbox.mount("cgroup2", sandbox.CGROUPS, "cgroup2")
    environment = {"PATH": os.environ["PATH"], "container": "bed", "SYSTEMD_UNIT_PATH": UNITS,
                   "SYSTEMD_GENERATOR_PATH": NOTHING, "SYSTEMD_LOG_TARGET": "null"}
    os.execve("/lib/systemd/systemd", ["systemd", "--system", "--unit=bed.target"], environment)


class Machine:
    """Booted; nothing of ours runs."""

    def __init__(self, context):
        _install(context)
        _add_worker_user(context)
        group = f"{sandbox.CGROUPS}/{sandbox.mount_groups()}/machine"
        os.mkdir(group)
        self.outer = os.fork()
        if self.outer == 0:
            sandbox.exit_with(lambda: _become_first_process(group))
        self.first = net.wait_until(self._first_process, 10, "first process of the machine")
        net.wait_until(lambda: self.systemctl("is-active", "bed.target", ok=False).strip() == "active",
                       20, "boot of the machine")

    def _first_process(self):
        children = bus.read(f"/proc/{self.outer}/task/{self.outer}/children").split()
        named = children and bus.read(f"/proc/{children[0]}/comm") == "systemd\n"
        return children[0] if named else None

    def run(self, *command, ok=True):
        """In its namespaces: systemd does not speak with processes that it has no number of."""
        return net.run("nsenter", "-t", self.first, "-p", "-m", "-r", "-C", *command, ok=ok)

    def systemctl(self, *arguments, ok=True):
        return self.run("systemctl", "--no-pager", *arguments, ok=ok)

    def show(self, unit):
        return dict(PROPERTY.findall(self.systemctl("show", unit)))

    def wait(self, unit, key, pattern, timeout=15):
        return net.wait_until(lambda: re.fullmatch(pattern, self.show(unit)[key]), timeout,
                              f"{key} '{pattern}' of {unit}")[0]
