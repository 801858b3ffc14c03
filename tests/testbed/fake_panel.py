#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What shows icons on a desktop that is too large for the test bed, without showing them: it asks and
listens as KDE's Plasma does (plasma-workspace, statusnotifieritem and libdbusmenuqt), or GNOME's
extension AppIndicator; what it holds then is what a person would see. Both keep what they were told
until a signal says that it is another.

    fake_panel.py plasma|gnome

    org.godwit.Bed.Panel at /Panel:
        Shown() -> JSON: icon ("" = a drawing of sizes), status, words, menu [[label, enabled, state]]
        Do(what): "activate", "middle", "scroll", "context", or an item's label
"""

import json
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

WATCHER, WATCHER_PATH = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
ITEM, ITEM_PATH = "org.kde.StatusNotifierItem", "/StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
PROPERTIES = "org.freedesktop.DBus.Properties"
PANEL = "org.godwit.Bed.Panel"
HOSTED_AFTER = 300  # milliseconds: Plasma's watcher is there before its panel


class Menu:
    """Items by their number, with what was told of them."""

    def __init__(self, bus, service, path):
        self.menu = dbus.Interface(bus.get_object(service, path, introspect=False), MENU)
        self.order, self.items = [], {}
        for signal, handler in (("LayoutUpdated", self.on_layout),
                                ("ItemsPropertiesUpdated", self.on_properties)):
            bus.add_signal_receiver(handler, signal, MENU, service, path)
        self.read()

    def on_layout(self, _revision, _parent):
        self.read()

    def on_properties(self, updated, removed):
        for number, properties in updated:
            self.items.get(number, {}).update(properties)
        for number, names in removed:
            for name in names:
                self.items.get(number, {}).pop(name, None)

    def shown(self):
        return [[str(item.get("label", "")), bool(item.get("enabled", True)),
                 int(item.get("toggle-state", -1))]
                for item in (self.items[number] for number in self.order)
                if item.get("visible", True) and item.get("type") != "separator"]

    def choose(self, label):
        self.tell(next(number for number in self.order if self.items[number].get("label") == label),
                  "clicked")
        self.tell(0, "closed")

    def tell(self, number, event):
        """Without an answer: the program may end of it."""
        self.menu.Event(number, event, self.NOTHING, dbus.UInt32(0), ignore_reply=True)


class PlasmaMenu(Menu):
    NOTHING = dbus.String("", variant_level=1)

    def read(self):
        _, (_, _, children) = self.menu.GetLayout(0, 1, dbus.Array(signature="s"))
        self.order = [int(number) for number, _, _ in children]
        self.items = {int(number): dict(properties) for number, properties, _ in children}

    def open(self):
        if self.menu.AboutToShow(0):
            self.read()
        self.tell(0, "opened")


class GnomeMenu(Menu):
    NOTHING = dbus.Int32(0, variant_level=1)

    def read(self):
        _, (_, properties, children) = self.menu.GetLayout(0, -1, ["type", "children-display"])
        assert properties.get("children-display") == "submenu", "the root has no menu"
        self.order = [int(number) for number, _, _ in children]
        self.items = {int(number): dict(properties) for number, properties in
                      self.menu.GetGroupProperties(self.order, dbus.Array(signature="s"))}

    def open(self):
        self.tell(0, "opened")
        if self.menu.AboutToShow(0):
            self.read()


class Item:
    def __init__(self, bus, service, path):
        self.bus, self.service, self.path = bus, service, path
        item = bus.get_object(service, path, introspect=False)
        self.item, self.asks = dbus.Interface(item, ITEM), dbus.Interface(item, PROPERTIES)
        bus.add_signal_receiver(self.on_signal, None, ITEM, service, path, member_keyword="member")
        self.held = dict(self.asks.GetAll(ITEM))
        self.menu = self.MENU(bus, service, self.held["Menu"])

    def icon(self, kind):
        """Its name; sizes where a drawing is shown instead."""
        name, drawings = str(self.held[f"{kind}Name"]), self.held[f"{kind}Pixmap"]
        sizes = [int(width) for width, height, octets in drawings
                 if width == height and len(octets) == 4 * width * height]
        return sizes if sizes and (self.LIKES_DRAWINGS or not name) else name

    def shown(self):
        attention = self.held["Status"] == "NeedsAttention"
        return {"icon": self.icon("AttentionIcon" if attention else "Icon"),
                "status": str(self.held["Status"]), "words": self.words(),
                "menu": self.menu.shown()}

    def do(self, what):
        if what == "activate":
            self.item.ProvideXdgActivationToken("godwit_TIME0")
            self.item.Activate(10, 10)
        elif what == "middle":
            self.item.SecondaryActivate(10, 10)
        elif what == "scroll":
            self.item.Scroll(120, "vertical")
        elif what == "context":
            self.item.ContextMenu(10, 10)
        else:
            self.menu.open()
            self.menu.choose(what)


class PlasmaItem(Item):
    MENU, LIKES_DRAWINGS = PlasmaMenu, True

    def on_signal(self, *arguments, member):
        if member == "NewStatus":
            self.held["Status"] = arguments[0]
        else:
            self.held = dict(self.asks.GetAll(ITEM))

    def words(self):
        _, _, title, more = self.held["ToolTip"]
        return f"{title}{more}"


class GnomeItem(Item):
    MENU, LIKES_DRAWINGS = GnomeMenu, False

    def on_signal(self, *arguments, member):
        name = member.removeprefix("New")
        if arguments:
            self.held[name] = arguments[0]
            return
        for each in (name, f"{name}Name", f"{name}Pixmap", f"{name}AccessibleDesc"):
            if each in self.held:
                self.held[each] = self.asks.Get(ITEM, each)

    def words(self):
        return str(self.held["IconAccessibleDesc"])


class Watcher(dbus.service.Object):
    def __init__(self, bus, kind):
        super().__init__(bus, WATCHER_PATH)
        self.bus, self.kind, self.items = bus, kind, {}
        self.hosted = kind is GnomeItem
        if not self.hosted:
            GLib.timeout_add(HOSTED_AFTER, self.host)

    def host(self):
        self.hosted = True
        self.StatusNotifierHostRegistered()

    @dbus.service.method(WATCHER, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, service, sender=None):
        path = service if service.startswith("/") else ITEM_PATH
        if service.startswith("/"):
            service = sender
        # Not while the item waits for the answer.
        GLib.idle_add(self.add, str(service), str(path))

    def add(self, service, path):
        self.items[service + path] = self.kind(self.bus, service, path)
        self.StatusNotifierItemRegistered(service + path)
        self.bus.watch_name_owner(service, lambda owner: owner or self.items.pop(service + path, None))

    @dbus.service.signal(WATCHER, signature="s")
    def StatusNotifierItemRegistered(self, item):
        pass

    @dbus.service.signal(WATCHER)
    def StatusNotifierHostRegistered(self):
        pass

    def all(self):
        return {"RegisteredStatusNotifierItems": dbus.Array(self.items, signature="s"),
                "IsStatusNotifierHostRegistered": self.hosted, "ProtocolVersion": dbus.Int32(0)}

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, _interface):
        return self.all()

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, _interface, name):
        return self.all()[name]


class Panel(dbus.service.Object):
    def __init__(self, bus, watcher):
        super().__init__(bus, "/Panel")
        self.watcher = watcher

    @dbus.service.method(PANEL, out_signature="s")
    def Shown(self):
        return json.dumps([item.shown() for item in self.watcher.items.values()])

    @dbus.service.method(PANEL, in_signature="s")
    def Do(self, what):
        next(iter(self.watcher.items.values())).do(what)


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    watcher = Watcher(bus, {"plasma": PlasmaItem, "gnome": GnomeItem}[sys.argv[1]])
    panel = Panel(bus, watcher)
    names = [dbus.service.BusName(name, bus) for name in (PANEL, WATCHER)]
    GLib.MainLoop().run()
    return panel, names


if __name__ == "__main__":
    main()
