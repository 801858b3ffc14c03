# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkManager of the machine's package in a scenario, with our VPN service of the build."""

import os
import re
import subprocess

import bus
import client
import net
import sandbox

CONFIG = """[main]
auth-polkit=false
dns=none
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
POLICIES = "/usr/share/dbus-1/system.d"
SERVICE = "org.freedesktop.NetworkManager.godwit"
LOG = "/run/bed/NetworkManager.log"
NAMES = "/usr/lib/NetworkManager/VPN"


class NetworkManager:
    """Runs with a bus of its own from the start; its programs end with the sandbox."""

    def __init__(self, context):
        self.context = context
        self.bus = bus.Bus(context, policies=(f"{POLICIES}/org.freedesktop.NetworkManager.conf",
                                              bus.find(context, "nm-plugin/nm-godwit-service.conf")))
        # Where there is no udev a /sys that can be written to makes every device unmanaged.
        sandbox.mount("none", "/sys", None, sandbox.MS_REMOUNT | sandbox.MS_BIND | sandbox.MS_RDONLY)
        for folder in ("/etc/NetworkManager/system-connections", "/var/lib/NetworkManager", NAMES):
            bus.cover(folder)
        with open(bus.find(context, "generated/nm-godwit-service.name"), encoding="utf-8") as file:
            text = re.sub(r"^(program|plugin|auth-dialog)=.*/", rf"\1={context.build}/", file.read(),
                          flags=re.M)
        bus.write(f"{NAMES}/nm-godwit-service.name", text)
        os.makedirs("/run/NetworkManager", exist_ok=True)
        bus.write("/run/bed/NetworkManager.conf", CONFIG)
        with open(LOG, "wb") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/NetworkManager", "--config", "/run/bed/NetworkManager.conf",
                 "--config-dir", "/run/bed/none", "--debug"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=sandbox.die_with_parent, env={**os.environ, "LC_ALL": "C.UTF-8"})
        net.wait_until(lambda: "running" in self.nmcli("-t", "-f", "RUNNING", "general", ok=False), 10,
                       "NetworkManager on the bus")

    def nmcli(self, *arguments, ok=True, timeout=60, input_text=None):
        return net.run("nmcli", *arguments, ok=ok, timeout=timeout, input_text=input_text)

    @staticmethod
    def terminal(*arguments):
        """nmcli on a terminal of its own, asking for what it needs."""
        return client.Terminal(["nmcli", "--ask", *arguments], {})

    def wired(self, device, address, gateway, metric=100):
        """A connection of that device, up."""
        self.nmcli("connection", "add", "type", "ethernet", "con-name", f"wired-{device}",
                   "ifname", device,
                   "ipv4.method", "manual", "ipv4.addresses", address, "ipv4.gateway", gateway,
                   "ipv4.route-metric", str(metric),
                   "ipv6.method", "disabled", "connection.autoconnect", "no")
        self.nmcli("device", "set", device, "managed", "yes")
        self.nmcli("connection", "up", f"wired-{device}")

    @staticmethod
    def log():
        """What it and its services have said so far."""
        with open(LOG, encoding="utf-8", errors="replace") as file:
            return file.read()
