#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What NetworkManager does with its dnsmasq, and nothing else of it: tells it the servers of the
link at the start, when DHCP has named others (org.example.Test.Renew), when it is asked to (Reload),
and when dnsmasq has been restarted; and says so in the property that says so."""

import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NM, PATH = "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"
DNS_MANAGER = f"{NM}.DnsManager"
DNSMASQ, DNSMASQ_PATH = f"{NM}.dnsmasq", "/uk/org/thekelleys/dnsmasq"
DNS_RC = 2


class DnsManager(dbus.service.Object):
    def __init__(self, bus, servers):
        super().__init__(bus, f"{PATH}/DnsManager")
        self.servers = servers

    def configuration(self):
        one = {"nameservers": dbus.Array(self.servers, "s"), "interface": "cl0",
               "domains": dbus.Array(["home.example"], "s"), "priority": dbus.Int32(100),
               "vpn": False}
        return dbus.Array([dbus.Dictionary(one, "sv")], "a{sv}")

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, _interface, _name):
        return self.configuration()

    @dbus.service.signal(dbus.PROPERTIES_IFACE, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, invalidated):
        pass


class Manager(dbus.service.Object):
    def __init__(self, bus, dns):
        super().__init__(bus, PATH)
        self.bus, self.dns = bus, dns
        bus.watch_name_owner(DNSMASQ, lambda owner: owner and self.tell())

    def tell(self):
        plugin = self.bus.get_object(DNSMASQ, DNSMASQ_PATH, introspect=False)
        plugin.SetServersEx(dbus.Array([[f"{server}@cl0"] for server in self.dns.servers], "as"),
                            dbus_interface=DNSMASQ, reply_handler=lambda: print("told", flush=True),
                            error_handler=lambda error: print(error, flush=True))

    @dbus.service.method(NM, in_signature="u")
    def Reload(self, flags):
        print(f"reload {flags}", flush=True)
        if flags & DNS_RC:
            self.tell()

    @dbus.service.method("org.example.Test", in_signature="as")
    def Renew(self, servers):
        self.dns.servers = [str(server) for server in servers]
        self.tell()
        self.dns.PropertiesChanged(DNS_MANAGER, {"Configuration": self.dns.configuration()}, [])


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    dns = DnsManager(bus, sys.argv[1:])
    manager = Manager(bus, dns)
    name = dbus.service.BusName(NM, bus)
    print("ready", flush=True)
    GLib.MainLoop().run()
    del name, manager


if __name__ == "__main__":
    main()
