#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What shows notifications on a desktop, without showing them: each is a line of the file that is
named, "TITLE | BODY"."""

import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.Notifications"


class Notifications(dbus.service.Object):
    def __init__(self, bus, path):
        super().__init__(bus, "/org/freedesktop/Notifications")
        self.path, self.last = path, 0

    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, _program, replaced, _icon, title, body, _actions, _hints, _timeout):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{title} | {body}\n")
        self.last += 1
        return replaced or self.last

    @dbus.service.method(NAME, in_signature="u")
    def CloseNotification(self, number):
        pass

    @dbus.service.method(NAME, out_signature="as")
    def GetCapabilities(self):
        return ["actions", "body"]

    @dbus.service.method(NAME, out_signature="ssss")
    def GetServerInformation(self):
        return "fake", "Godwit", "1", "1.2"


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    shown = Notifications(bus, sys.argv[1])
    open(shown.path, "w", encoding="utf-8").close()
    name = dbus.service.BusName(NAME, bus)
    GLib.MainLoop().run()
    return name


if __name__ == "__main__":
    main()
