# SPDX-License-Identifier: GPL-2.0-or-later
"""godwit-tray on a desktop of the scenario's own, with a panel that hosts its icon, beside a real
godwitd and a real gateway. The icon and its menu are read and worked as a panel does it."""

import base64
import contextlib
import dataclasses
import os
import re
import shutil
import signal
import time

from gi.repository import Gio, GLib

import bus
import client
import desktop
import gateway
import languages
import net

ITEM = "org.kde.StatusNotifierItem"
WATCHER = ("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher")
MENU = "com.canonical.dbusmenu"
NAME = "org.godwit.Tray"
TIMEOUT = 10_000  # milliseconds
XFCONF = "/usr/share/dbus-1/services/org.xfce.Xfconf.service"
XFCE_PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="{dark}"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=8;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="{size}"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray"/>
  </property>
</channel>
"""
LXQT_PANEL = """[General]
__userfile__=true
[panel1]
alignment=-1
desktop=0
iconSize=22
panelSize=32
plugins=statusnotifier
position=Bottom
width=100
width-percent=true
[statusnotifier]
type=statusnotifier
alignment=Left
"""

# Settings of GNOME's kind, in a file.
MATE_PANEL = """[org/mate/panel/general]
object-id-list=['tray']
toplevel-id-list=['bottom']

[org/mate/panel/toplevels/bottom]
expand=true
orientation='bottom'
size=32

[org/mate/panel/objects/tray]
object-type='applet'
applet-iid='{applet}'
toplevel-id='bottom'
position=0
"""
MATE_SERVICES = "/usr/share/dbus-1/services/org.mate.panel.applet."
MATE_APPLETS = {"mate-panel": ("NotificationAreaAppletFactory", "NotificationArea"),
                "xapp": ("MateXAppStatusAppletFactory", "MateXAppStatusApplet")}
# What speaks for Cinnamon's panel, too; its place is another one in each version.
XAPP_WATCHER = "/etc/xdg/autostart/xapp-sn-watcher.desktop"


def install_icons(context):
    """Where an installation has them, and a panel looks for them."""
    source = bus.find(context, "gui/icons")
    if not os.path.isdir("/usr/local/share/icons/hicolor/symbolic"):
        if not os.path.isdir(languages.CATALOGUES):
            bus.cover("/usr/local/share")
        shutil.copytree(source, "/usr/local/share/icons", dirs_exist_ok=True)


class Panel:
    """xfce4-panel, lxqt-panel or mate-panel at the bottom of the screen; "xapp" is Cinnamon's way to show
    icons, with MATE's panel."""

    def __init__(self, screen, kind="xfce4-panel", dark=False, size=32):
        self.screen, self.kind = screen, kind
        config = f"{desktop.HOME}/.config"
        if kind == "xfce4-panel":
            shutil.copy(XFCONF, f"{desktop.RUNTIME}/services/")
            self._write(f"{config}/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml",
                        XFCE_PANEL.format(dark=str(dark).lower(), size=size))
        elif kind in MATE_APPLETS:
            factory, applet = MATE_APPLETS[kind]
            shutil.copy(f"{MATE_SERVICES}{factory}.service", f"{desktop.RUNTIME}/services/")
            self._write(f"{config}/glib-2.0/settings/keyfile",
                        MATE_PANEL.format(applet=f"{factory}::{applet}"))
        else:
            self._write(f"{config}/lxqt/panel.conf", LXQT_PANEL)
        screen.reload_bus()
        if kind == "xapp":
            self._start("mate-panel")
        self.start()

    @staticmethod
    def _write(path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        bus.write(path, text)

    def _start(self, program):
        return self.screen.start(program, env={"GSETTINGS_BACKEND": "keyfile",
                                               "XDG_CURRENT_DESKTOP": "X-Cinnamon"})

    def start(self):
        program = self.kind
        if program == "xapp":
            program = re.search(r"^Exec=(.+)$", bus.read(XAPP_WATCHER), re.M)[1]
        self.process = self._start(program)
        self.wait_hosting(True)

    def stop(self):
        """As when it crashes."""
        self.screen.programs = [entry for entry in self.screen.programs if entry[1] != self.process]
        self.process.kill()
        self.process.wait()
        self.wait_hosting(False)

    def wait_hosting(self, wanted):
        def hosting():
            with contextlib.suppress(GLib.Error):
                return call(*WATCHER, "org.freedesktop.DBus.Properties", "Get", "(ss)", WATCHER[0],
                            "IsStatusNotifierHostRegistered")[0]
            return False
        self.screen.wait_for(lambda: hosting() == wanted, f"panel {'there' if wanted else 'gone'}")


ITEMS = {"Add a Connection": 2, "More": 3}  # of its menu


def call(name, path, interface, method, signature=None, *arguments):
    return Gio.bus_get_sync(Gio.BusType.SESSION, None).call_sync(
        name, path, interface, method, GLib.Variant(signature, arguments) if signature else None, None,
        Gio.DBusCallFlags.NO_AUTO_START, TIMEOUT, None).unpack()


class Tray:
    """The program. `profiles`: names of files, each of the usual connection, and their keys."""

    def __init__(self, context, screen):
        self.context, self.screen = context, screen
        self.process = None

    # ---- profiles ----

    def give_profile(self, name="work", **more):
        with open(self.context.pki.certificate("root"), "rb") as file:
            authority = base64.b64encode(file.read()).decode()
        keys = {"gateway": "vpn.example.org", "user": "alice", "password": gateway.USERS["alice"],
                "ca": f"base64:{authority}", **more}
        folder = f"{desktop.HOME}/.config/godwit"
        os.makedirs(folder, exist_ok=True)
        part = f"{folder}/.{name}.part"
        bus.write(part, "[godwit]\n" + "".join(f"{key}={value}\n" for key, value in keys.items()
                                              if value is not None), 0o600)
        os.rename(part, f"{folder}/{name}.conf")
        return f"{folder}/{name}.conf"

    @staticmethod
    def path_of(name):
        return f"{desktop.HOME}/.config/godwit/{name}.conf"

    @staticmethod
    def read_profile(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    # ---- the program ----

    def start(self, *arguments, inspected=False):
        """Until its icon is offered. `inspected`: so that inspect() can be asked."""
        env = {"LD_PRELOAD": f"{self.context.build}/tests/testbed/inspect.so"} if inspected else None
        self.process = self.screen.start(f"{self.context.build}/godwit-tray", *arguments, env=env)
        self.screen.wait_for(self.item_name, "icon on the bus")
        self.screen.wait_for(lambda: self.icon() is not None, "icon that tells what it is")

    def _inspect_once(self):
        path = "/run/bed/inspected"
        if os.path.exists(path):
            os.unlink(path)
        self.process.send_signal(signal.SIGUSR1)
        self.screen.wait_for(lambda: os.path.exists(path), "inspection")
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def inspect(self):
        """What is wrong with its windows, a line each (inspect.c), once nothing has come to its place
        since the last look."""
        before, now = None, self._inspect_once()
        for _ in range(10):
            if not now or now == before:
                break
            net.let_pass(0.1)
            before, now = now, self._inspect_once()
        return now

    def kill(self):
        self.screen.programs = [entry for entry in self.screen.programs if entry[1] != self.process]
        self.process.kill()
        self.process.wait()

    def item_name(self):
        return f"{ITEM}-{self.process.pid}-1"

    def read(self, name):
        with contextlib.suppress(GLib.Error):
            return call(self.item_name(), "/StatusNotifierItem", "org.freedesktop.DBus.Properties",
                        "Get", "(ss)", ITEM, name)[0]
        return None

    def icon(self):
        """"on" of "godwit-on-symbolic"; None while there is none."""
        name = self.read("IconName")
        return name and name.removeprefix("godwit-").removesuffix("-symbolic")

    def wait_icon(self, state, timeout=20):
        try:
            self.screen.wait_for(lambda: self.icon() == state, f"icon {state}", timeout)
        except net.Failure as failure:
            raise net.Failure(f"{failure}: it is {self.icon()}, {self.read('ToolTip')}") from None

    def offered(self):
        """Whether the watcher knows it, so that panels show it."""
        items = call(*WATCHER, "org.freedesktop.DBus.Properties", "Get", "(ss)", WATCHER[0],
                     "RegisteredStatusNotifierItems")[0]
        return any(self.item_name() in item for item in items)

    def click(self):
        call(self.item_name(), "/StatusNotifierItem", ITEM, "Activate", "(ii)", 0, 0)

    # ---- its menu ----

    def menu(self):
        """[(number, label, properties)] of what is to be seen, in its order."""
        path = self.read("Menu")
        call(self.item_name(), path, MENU, "AboutToShow", "(i)", 0)
        _, (_, _, items) = call(self.item_name(), path, MENU, "GetLayout", "(iias)", 0, -1, [])
        return [(number, properties.get("label", ""), properties)
                for number, properties, _ in items if properties.get("visible", True)]

    def item(self, label):
        """The number of that item, once it can be chosen."""
        return self.screen.wait_for(
            lambda: next((number for number, text, properties in self.menu()
                          if text == label and properties.get("enabled", True)), None),
            f"item {label!r} of the menu")

    def press(self, number):
        """False: it is no more."""
        with contextlib.suppress(GLib.Error):
            call(self.item_name(), self.read("Menu"), MENU, "Event", "(isvu)", number, "clicked",
                 GLib.Variant("i", 0), 0)
            return True
        return False

    def choose(self, label):
        """Does what the item of the menu with that label is for; it may just be made anew."""
        self.screen.wait_for(lambda: self.press(self.item(label)), f"item {label!r} of the menu")

    def time_click(self, label):
        """Milliseconds until "on" is shown, and its parts: until godwitd begins, until it is connected,
        and until that is shown."""
        number = self.item(label)
        times = [boottime()]
        net.check(self.press(number), "the item is gone")
        while self.icon() != "on":
            net.check(boottime() - times[0] < 20, "it does not connect")
            net.let_pass(0.001)
        shown = boottime()
        session = only_session()
        times += [session["Started"] / 1e6, session["Connected"] / 1e6, shown]
        return [1000 * (shown - times[0]), *(1000 * (b - a) for a, b in zip(times, times[1:]))]

    # ---- its window ----

    def choose_in_window(self, button, label):
        """An item of the menu of that button, by keyboard."""
        screen = self.screen
        screen.activate(screen.find("frame", "Godwit"))
        # Two widgets may have the name, of which one can be pressed: in GTK 4.18 one that toggles.
        screen.wait_for(lambda: next((node for node in screen.all("(push|toggle) button", button)
                                      if node.actions), None), f"button {button!r}").act()
        # Twice around and more: the menu may just be appearing, and its first item have no name yet.
        for _ in range(3 * ITEMS[button]):
            focused = screen.wait_for(screen.focused, "item of the menu")
            if focused.name == label:
                screen.key("Return")
                return
            screen.key("Down")
            screen.wait_for(lambda: screen.focused() != focused, "next item of the menu")
        raise net.Failure(f"no item {label!r} in the menu")


def start(context, panel="xfce4-panel", gateway_options=None, dark=False, **options):
    """(gateway, bus, screen, panel, tray): everything but the tray itself runs."""
    host = gateway.Gateway(context.pki)
    host.start(**(gateway_options or {}))
    system = bus.Bus(context)
    screen = desktop.Desktop(context, dark=dark, **options)
    install_icons(context)
    shown = Panel(screen, panel, dark=dark) if panel else None
    return host, system, screen, shown, Tray(context, screen)


def memory_kib(pid):
    """What is the program's alone."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def godwit(context, *arguments):
    """The command line beside it, as the same user."""
    return net.run(client.program(context), *arguments, timeout=30)


class Stage:
    """A system bus of its own with a stand-in for godwitd (tests/unit/fake_service.c), whose sessions
    do what they are told, for what a gateway does not do at will."""

    FOLDER = "/run/bed/stage"

    def __init__(self, context, screen):
        self.screen = screen
        os.makedirs(f"{self.FOLDER}/services")
        bus.write(f"{self.FOLDER}/services/org.godwit.VPN1.service",
                  f"[D-BUS Service]\nName=org.godwit.VPN1\n"
                  f"Exec={context.build}/tests/unit/fake_service\n")
        bus.write(f"{self.FOLDER}/bus.conf", desktop.BUS_CONFIG.format(runtime=self.FOLDER))
        os.environ.update(FAKE_SCRIPT=f"{self.FOLDER}/script", FAKE_CALLS=f"{self.FOLDER}/calls",
                          DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={self.FOLDER}/bus")
        self.play("connect|full;wait")
        self.start()

    def start(self):
        self.bus = self.screen.start_bus(f"{self.FOLDER}/bus.conf")

    def stop(self):
        self.bus.kill()
        self.bus.wait()
        os.unlink(f"{self.FOLDER}/bus")

    def play(self, script):
        bus.write(f"{self.FOLDER}/script", script)

    @staticmethod
    def call(path, interface, method, signature=None, *arguments):
        return Gio.DBusConnection.new_for_address_sync(
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"], Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None).call_sync(
                "org.godwit.VPN1", path, f"org.godwit.VPN1.{interface}", method,
                GLib.Variant(signature, arguments) if signature else None, None,
                Gio.DBusCallFlags.NONE, TIMEOUT, None).unpack()

    def manager(self, method, signature=None, *arguments):
        return self.call("/org/godwit/VPN1", "Manager", method, signature, *arguments)

    def calls(self):
        """What it was asked, a line each."""
        with open(f"{self.FOLDER}/calls", encoding="utf-8") as file:
            return file.read()

    def begin(self, name):
        """A session that somebody else begins; its path."""
        return self.manager("Connect", "(sa{sv}a{sv})", name, {}, {})[0]


def start_stage(context, panel="xfce4-panel", **options):
    """(stage, screen, panel, tray): with the stand-in."""
    screen = desktop.Desktop(context, **options)
    stage = Stage(context, screen)
    install_icons(context)
    shown = Panel(screen, panel, dark=options.get("dark", False)) if panel else None
    return stage, screen, shown, Tray(context, screen)


def only_session():
    """Its properties, as godwitd tells them."""
    objects, = Gio.bus_get_sync(Gio.BusType.SYSTEM, None).call_sync(
        "org.godwit.VPN1", "/org/godwit/VPN1", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
        None, None, Gio.DBusCallFlags.NO_AUTO_START, TIMEOUT, None).unpack()
    found, = (interfaces["org.godwit.VPN1.Session"] for path, interfaces in objects.items()
              if "/session/" in path)
    return found


def boottime():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def milliseconds(work):
    start = time.monotonic()
    work()
    return (time.monotonic() - start) * 1000


@dataclasses.dataclass
class Load:
    """What the program takes while nobody touches it."""
    percent: float  # of one processor
    kib: int

    def __str__(self):
        return f"{self.percent:.1f} % of a processor, {self.kib // 1024} MiB of its own"


def load(pid, seconds=3):
    net.let_pass(1)  # what was just done has come to rest: it is what is measured that needs time
    before = cpu_seconds(pid)
    net.let_pass(seconds)
    return Load(100 * (cpu_seconds(pid) - before) / seconds, memory_kib(pid))


class Notifications:
    """What the desktop is asked to show."""

    PATH = "/run/bed/notifications"

    def __init__(self, screen):
        self.screen = screen
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_notifications.py")
        screen.start("/usr/bin/python3", script, self.PATH)
        screen.wait_for(lambda: os.path.exists(self.PATH), "stand-in for notifications")

    def titles(self):
        with open(self.PATH, encoding="utf-8") as file:
            return [line.partition(" | ")[0] for line in file]

    def wait(self, *titles):
        """Until these, and no others, were shown since the last time."""
        self.screen.wait_for(lambda: len(self.titles()) >= len(titles), f"notification {titles[-1]!r}")
        net.check(self.titles() == list(titles), f"notifications: {self.titles()}")
        self.last = bus.read(self.PATH)
        bus.write(self.PATH, "")
