# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkManager of the machine's package in a scenario, with our VPN service of the build."""

import contextlib
import os
import re
import socket
import subprocess

import bus
import client
import net
import sandbox

CONFIG = """[main]
auth-polkit={polkit}
dns={dns}
rc-manager=unmanaged
plugins=keyfile
no-auto-default=*
[device]
match-device=interface-name:cl0,interface-name:eth0,interface-name:wifi0
managed=1
[logging]
level=INFO
domains=ALL
"""
ACTIONS = "/usr/share/polkit-1/actions/org.freedesktop.NetworkManager.policy"
POLICIES = "/usr/share/dbus-1/system.d"
SERVICE = "org.freedesktop.NetworkManager.godwit"
LOG = bus.NETWORK_LOG
NAMES = "/usr/lib/NetworkManager/VPN"


class Journal:
    """What of journald a program needs that logs to it: GLib's looks at where its standard error
    leads."""

    def __init__(self):
        os.makedirs("/run/systemd/journal", exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind("/run/systemd/journal/stdout")
        self.listener.listen()
        self.stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.stream.connect("/run/systemd/journal/stdout")
        # Nobody reads until the test does.
        net.run("sysctl", "-q", "-w", "net.unix.max_dgram_qlen=1000")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind("/run/systemd/journal/socket")
        self.received = []

    def entries(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.received.append(self.socket.recv(65536).decode(errors="replace"))
        return self.received


class NetworkManager:
    """Runs with a bus of its own from the start; its programs end with the sandbox. `polkit`: it is
    asked what users may; else everybody may everything. `journal`: errors go
    to one, instead of the log. `others`: VPN plugins of the machine's besides. `dns`: whom it tells
    of name servers, with the `policies` of the bus that this one needs. `more`: for the bus."""

    def __init__(self, context, polkit=False, journal=False, others=(), dns="none", policies=(), **more):
        self.context = context
        if polkit:
            more["actions"] = (ACTIONS,)
        policies = (*policies, f"{POLICIES}/org.freedesktop.NetworkManager.conf",
                    bus.find(context, "nm-plugin/nm-godwit-service.conf"))
        theirs = [f"nm-{name}-service" for name in others]
        self.bus = bus.Bus(context, **more, policies=(
            *policies, *(f"{POLICIES}/{name}.conf" for name in theirs)))
        # Where there is no udev a /sys that can be written to makes every device unmanaged.
        sandbox.mount("none", "/sys", None, sandbox.MS_REMOUNT | sandbox.MS_BIND | sandbox.MS_RDONLY)
        with open(bus.find(context, "generated/nm-godwit-service.name"), encoding="utf-8") as file:
            text = re.sub(r"^(program|plugin|auth-dialog)=.*/", rf"\1={context.build}/", file.read(),
                          flags=re.M)
        kept = {f"{name}.name": bus.read(f"{NAMES}/{name}.name") for name in theirs}
        for folder in ("/etc/NetworkManager/system-connections", "/var/lib/NetworkManager", NAMES):
            bus.cover(folder)
        for name, content in {"nm-godwit-service.name": text, **kept}.items():
            bus.write(f"{NAMES}/{name}", content)
        bus.cover("/run/NetworkManager")
        bus.write("/run/bed/NetworkManager.conf", CONFIG.format(
            polkit="true" if polkit else "false", dns=dns))
        self.journal = Journal() if journal else None
        self.process = None
        self.launch()

    def launch(self):
        with open(LOG, "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/NetworkManager", "--config", "/run/bed/NetworkManager.conf",
                 "--config-dir", "/run/bed/none", "--debug"],
                stdin=subprocess.DEVNULL, stdout=log,
                stderr=self.journal.stream if self.journal else log,
                preexec_fn=sandbox.die_with_parent, env={**os.environ, "LC_ALL": "C.UTF-8"})
        net.wait_until(lambda: "running" in self.nmcli("-t", "-f", "RUNNING", "general", ok=False), 10,
                       "NetworkManager on the bus")

    def nmcli(self, *arguments, ok=True, timeout=60, input_text=None):
        return net.run("nmcli", *arguments, ok=ok, timeout=timeout, input_text=input_text)

    def nmcli_says(self, *arguments, timeout=60):
        """Its words, whether or not it fails."""
        done = subprocess.run(["nmcli", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False,
                              preexec_fn=sandbox.die_with_parent,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        return done.stdout

    def start_up(self, name):
        """nmcli that takes a connection up, while the caller goes on."""
        return subprocess.Popen(["nmcli", "connection", "up", name], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                preexec_fn=sandbox.die_with_parent)

    def active_vpns(self):
        """States of the VPN connections that are not over, by name, as nmcli tells them."""
        lines = self.nmcli("-t", "-f", "TYPE,NAME,STATE", "connection", "show", "--active")
        return dict(line.split(":")[1:] for line in lines.splitlines() if line.startswith("vpn:"))

    def stop(self, number):
        """The bus and what else runs stays."""
        self.process.send_signal(number)
        self.process.wait(20)

    @staticmethod
    def by_user(user, *arguments, timeout=60):
        """(exit code, what it says) of that user's nmcli."""
        user = bus.USERS[user]
        done = subprocess.run(["nmcli", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=timeout, check=False, preexec_fn=user.become,
                              env={**os.environ, "LC_ALL": "C.UTF-8", **user.environment()})
        return done.returncode, done.stdout

    @staticmethod
    def service_names():
        """Of our VPN service on the bus, one for each connection."""
        names = net.run("busctl", "--system", "list", "--acquired", "--no-legend", "--no-pager")
        return re.findall(rf"^({re.escape(SERVICE)}\S*)", names, re.M)

    def add(self, name, gateway, *settings, **keys):
        """A connection of ours by name and password; its certification authority does not matter."""
        data = ", ".join(f"{key} = {value}"
                         for key, value in {"gateway": gateway, "user": "alice", **keys}.items())
        self.nmcli("connection", "add", "type", "vpn", "con-name", name, "vpn-type",
                   "godwit", "vpn.data", data, *settings)
        self.nmcli("connection", "modify", name, "vpn.secrets", "password=secret")

    @staticmethod
    def terminal(*arguments):
        """nmcli on a terminal of its own, asking for what it needs."""
        return client.Terminal(["nmcli", "--ask", *arguments], {})

    def wired(self, device, address, gateway, metric=100, more=()):
        """A connection of that device, up; `more` settings of it."""
        self.nmcli("connection", "add", "type", "ethernet", "con-name", f"wired-{device}",
                   "ifname", device,
                   "ipv4.method", "manual", "ipv4.addresses", address, "ipv4.gateway", gateway,
                   "ipv4.route-metric", str(metric),
                   "ipv6.method", "disabled", "connection.autoconnect", "no", *more)
        self.nmcli("device", "set", device, "managed", "yes")
        self.nmcli("connection", "up", f"wired-{device}")

    @staticmethod
    def resolver():
        """What it would write to resolv.conf, were it let."""
        path = "/run/NetworkManager/no-stub-resolv.conf"
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def log():
        """What it and its services have said so far."""
        with open(LOG, encoding="utf-8", errors="replace") as file:
            return file.read()
