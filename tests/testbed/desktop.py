# SPDX-License-Identifier: GPL-2.0-or-later
"""A desktop of a scenario's own, without a screen: X server, window manager, session bus and the
accessibility bus, through which programs are read and worked as a screen reader does it.

    with a language, a theme and a text size:
        screen = desktop.Desktop(context, language="de", dark=True)
        screen.start("nm-connection-editor")
        screen.press("push button", "Add")
        screen.type_into("Gateway", "vpn.example.org")
        screen.take_picture("editor")          # build/pictures/editor.png

Everything of it ends with the sandbox: /tmp, HOME and the runtime folder are its own as well.
"""

import contextlib
import os
import re
import struct
import subprocess
import time
import zlib

import accessibility
import bus
import client
import languages
import net
import sandbox

HOME = "/run/bed/home/desktop"
RUNTIME = "/run/bed/runtime"
LOGS = "/run/bed/desktop"
FRAMES = "/tmp/frames"
FRAME = f"{FRAMES}/Xvfb_screen0"  # what is on the screen, as it is kept by the X server
STILL = 0.3  # seconds without a change
WIDTH, HEIGHT = 1280, 1000
LOOK_EVERY = 0.02  # s: a whole tree of widgets is asked for each time

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={runtime}/bus</listen>
  <servicedir>{runtime}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
# Nothing but accessibility is started by the bus; a scenario may add files beside it.
ACCESSIBILITY = "/usr/share/dbus-1/services/org.a11y.Bus.service"

# GTK 3 and 4 read the same words. Nothing moves or blinks, so that pictures are alike.
SETTINGS = """[Settings]
gtk-theme-name={theme}
gtk-icon-theme-name=Adwaita
gtk-application-prefer-dark-theme={dark}
gtk-font-name=DejaVu Sans 10
gtk-xft-dpi={dpi}
gtk-xft-antialias=1
gtk-enable-animations={animations}
gtk-cursor-blink=0
"""


class Desktop:
    """Runs from the start. `contrast` is the high-contrast theme, `scale` that of the text; without
    `animations` people have said that nothing shall move."""

    def __init__(self, context, language="en", dark=False, contrast=False, scale=1.0, size=None,
                 animations=False):
        self.context, self.language = context, language
        self.programs = []
        self._own_tmp()
        for folder in (HOME, RUNTIME, f"{RUNTIME}/services", LOGS, FRAMES):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        self._appearance(dark, contrast, scale, animations)
        os.environ.update(self._environment(language, dark, contrast))
        self._start_screen(size or (WIDTH, HEIGHT))
        # GTK 4 asks the screen for it, not its own settings.
        net.run("xprop", "-root", "-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER",
                f"Xft.dpi:\t{round(96 * scale)}\n")
        self._start_bus()
        self._start_window_manager()
        self.root = accessibility.Node(accessibility.connect())
        self.eye = accessibility.Eye(self.root.bus)

    # ---- its parts ----

    def _own_tmp(self):
        """An empty /tmp, in which the build is still where it was."""
        top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        kept = {path: os.open(path, os.O_PATH) for path in {top, self.context.build}
                if path.startswith("/tmp/")}
        here = os.getcwd()
        sandbox.mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777")
        for path, handle in sorted(kept.items()):
            os.makedirs(path, exist_ok=True)
            sandbox.mount(f"/proc/self/fd/{handle}", path, None, sandbox.MS_BIND | sandbox.MS_REC)
            os.close(handle)
        os.chdir(here if os.path.isdir(here) else "/")
        # Where each X server, always number 0, keeps its keyboard while it compiles it.
        sandbox.mount("tmpfs", "/var/lib/xkb", "tmpfs", 0, "mode=755")

    def _appearance(self, dark, contrast, scale, animations):
        theme = ("HighContrastInverse" if dark else "HighContrast") if contrast else "Adwaita"
        for version in ("gtk-3.0", "gtk-4.0"):
            os.makedirs(f"{HOME}/.config/{version}", exist_ok=True)
            bus.write(f"{HOME}/.config/{version}/settings.ini", SETTINGS.format(
                theme=theme, dark=int(dark), dpi=round(96 * 1024 * scale), animations=int(animations)))

    def _environment(self, language, dark, contrast):
        locale = languages.LOCALES[language]
        environment = {
            "HOME": HOME, "XDG_RUNTIME_DIR": RUNTIME, "XDG_CONFIG_HOME": f"{HOME}/.config",
            "XDG_DATA_HOME": f"{HOME}/.local/share", "XDG_CACHE_HOME": f"{HOME}/.cache",
            "XDG_STATE_HOME": f"{HOME}/.local/state", "XDG_SESSION_TYPE": "x11",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={RUNTIME}/bus",
            "GDK_BACKEND": "x11", "GSK_RENDERER": "cairo", "GSETTINGS_BACKEND": "memory",
            "GIO_USE_VFS": "local", "LC_ALL": locale, "LANG": locale, "LANGUAGE": language,
            "ADW_DISABLE_PORTAL": "1", "ADW_DEBUG_COLOR_SCHEME": "prefer-dark" if dark else "default",
            "ADW_DEBUG_HIGH_CONTRAST": str(int(contrast)), **client.environment(self.context)}
        if not locale.startswith("C."):
            environment["LOCPATH"] = languages.compiled_locale(self.context, locale)
            languages.give_catalogue(language)
        return environment

    def _run(self, name, *command, **options):
        """A program that stays; its output is a log of the scenario."""
        with open(f"{LOGS}/{name}.log", "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    preexec_fn=sandbox.die_with_parent, **options)

    def _run_until_ready(self, name, make_command):
        """Waits until it has written a line to the descriptor that its command names; the line."""
        ready, write = os.pipe()
        process = self._run(name, *make_command(write), pass_fds=[write])
        os.close(write)
        with open(ready, encoding="utf-8") as lines:
            said = lines.readline().strip()
        net.check(said, f"{name} has ended: {self.log(name)[-300:]}")
        return process, said

    def _start_screen(self, size):
        self.screen, number = self._run_until_ready("Xvfb", lambda fd: (
            "Xvfb", "-displayfd", str(fd), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten",
            "tcp", "-noreset", "-nocursor", "-fbdir", FRAMES))
        os.environ["DISPLAY"] = f":{number}"
        # For a character without a key xdotool changes the keyboard, and what it then types may
        # come to a program that has the one of before: "für" without its "ü".
        net.run("setxkbmap", "de", "nodeadkeys")

    def start_bus(self, config):
        """A dbus-daemon, which takes calls by now."""
        process, _ = self._run_until_ready("dbus-daemon", lambda fd: (
            "dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile",
            f"--print-address={fd}"))
        return process

    def _start_bus(self):
        net.run("cp", ACCESSIBILITY, f"{RUNTIME}/services/")
        bus.write(f"{RUNTIME}/bus.conf", BUS_CONFIG.format(runtime=RUNTIME))
        self.bus = self.start_bus(f"{RUNTIME}/bus.conf")

    @staticmethod
    def reload_bus():
        """It knows what lies in its folder of services by now."""
        net.run("busctl", "--user", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                "org.freedesktop.DBus", "ReloadConfig")

    def _start_window_manager(self):
        self.manager = self._run("openbox", "openbox", "--sm-disable")
        net.wait_until(lambda: "window id" in net.run(
            "xprop", "-root", "_NET_SUPPORTING_WM_CHECK", ok=False), 15, "window manager")
        # Where it is it would bring up a help text now and then.
        net.run("xdotool", "mousemove", "9999", "9999")

    # ---- programs ----

    def start(self, *command, env=None):
        """A program with windows; its log has its name."""
        name = os.path.basename(command[0])
        process = self._run(name, *command, env={**os.environ, **(env or {})})
        self.programs.append((name, process))
        return process

    @staticmethod
    def log(name):
        with open(f"{LOGS}/{name}.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def check_running(self):
        """A program that crashes or that a sanitizer stops is a failure at once."""
        for name, process in self.programs:
            code = process.poll()
            net.check(code in (None, 0), f"{name} has ended with {code}: {self.log(name)[-500:]}")

    # ---- what is on the screen ----

    def look(self, within=None):
        """Every widget as it is now, hidden ones too."""
        return self.eye.look(within or self.root)

    def _matching(self, role, name, within):
        for seen in self.look(within):
            with contextlib.suppress(accessibility.Gone):
                if ((role is None or re.fullmatch(role, seen.role))
                        and (name is None or re.fullmatch(name, seen.name)) and seen.shown):
                    yield seen.node

    def all(self, role=None, name=None, within=None):
        """Every widget to be seen whose whole role (as AT-SPI calls it) and name match the
        expressions."""
        return list(self._matching(role, name, within))

    def first(self, role=None, name=None, within=None):
        """The first of them; None when there is none."""
        return next(self._matching(role, name, within), None)

    def tree(self, within=None):
        """Roles, names, descriptions and states, indented, for those who write a test."""
        lines = []

        def add(node, depth):
            with contextlib.suppress(accessibility.Gone):
                lines.append(f"{'  ' * depth}{node.role} {node.name!r} {node.description!r} "
                             f"{' '.join(sorted(node.states)).lower()}")
                for child in node.children:
                    add(child, depth + 1)
        add(within or self.root, 0)
        return "\n".join(lines)

    def find(self, role=None, name=None, within=None, timeout=20):
        """The first such widget, as soon as there is one."""
        return self.wait_for(lambda: self.first(role, name, within),
                             f"{role or 'widget'} {name!r} on the screen", timeout)

    def find_text(self, words, within):
        """The first label that reads so, whatever it is called."""
        return self.wait_for(lambda: next((node for node in self.all("label", within=within)
                                           if re.fullmatch(words, node.text)), None), f"text {words!r}")

    def wait_for(self, condition, what, timeout=20):
        """What the condition gives, as soon as it is true."""
        def seen():
            self.check_running()
            began = time.monotonic()
            found = self._seen(condition)
            if not found:
                # Asking takes the program's time, which it needs for what is awaited.
                net.let_pass(min(time.monotonic() - began, 0.2))
            return found
        try:
            return net.wait_until(seen, timeout, what, LOOK_EVERY)
        except net.Failure:
            self.check_running()
            bus.write(f"{LOGS}/tree", self.tree())
            self.take_picture("failure", LOGS)
            raise

    @staticmethod
    def _seen(condition):
        with contextlib.suppress(accessibility.Gone):
            return condition()
        return None

    def becomes(self, condition, timeout):
        """Whether it does in that time."""
        with contextlib.suppress(net.Failure):
            return bool(net.wait_until(lambda: self._seen(condition), timeout, "it", LOOK_EVERY))
        return False

    def wait_gone(self, role=None, name=None, timeout=20):
        self.wait_for(lambda: not self.first(role, name), f"end of {role} {name!r}", timeout)

    def activate(self, window):
        """Waits until it has the keyboard, which a window manager that was busy may have given to
        nobody."""
        def is_active():
            if "ACTIVE" in window.states:
                return True
            net.run("xdotool", "search", "--onlyvisible", "--name", f"^{re.escape(window.name)}$",
                    "windowactivate", ok=False)
            return False
        self.wait_for(is_active, "active window")

    # ---- working ----

    def press(self, role, name=None, within=None, timeout=20):
        """Does what a widget is for: presses a button, ticks a box, opens a list; the widget. A list
        may be made anew in the middle of it: then that in the new one."""
        def pressed():
            node = self.first(role, name, within)
            if node:
                node.act()
            return node
        return self.wait_for(pressed, f"{role or 'widget'} {name!r} that can be pressed", timeout)

    def type_into(self, name, text, within=None):
        """Replaces what the entry of that name holds, and waits until it does; the entry."""
        return self.fill(self.find("(password )?text", name, within), text)

    def fill(self, node, text):
        node.replace_text(text)
        # A password may show itself as bullets.
        self.wait_for(lambda: len(node.text) == len(text), f"{text[:40]!r} in {node.name!r}")
        return node

    def tick(self, node, on=True):
        """Sets a box; by the keyboard where it has no other way (GTK 4.8)."""
        if ("CHECKED" in node.states) == on:
            return
        if node.actions:
            node.act()
        else:
            self.reach(node)
            self.key("space")
        self.wait_for(lambda: ("CHECKED" in node.states) == on, f"{node.name!r} as {on}")

    def choose(self, node, words, place):
        """An entry of a list that opens: by what it is called, or (GTK 4.8) by its place."""
        items = [seen.node for seen in self.look(node) if seen.role == "menu item"]
        if items:
            net.check(items[place].name == words, f"{node.name!r} has {items[place].name!r} there")
            items[place].act()
        else:
            node.select_child(place)

    def choose_words(self, node, words):
        """In a list of GTK 3 whose order is somebody else's."""
        next(seen.node for seen in self.look(node)
             if seen.role == "menu item" and seen.name == words).act()

    def reach(self, node):
        """Goes there, with the Tab key where there is no other way."""
        if node.focus():
            return
        for _ in range(60):
            if any("FOCUSED" in seen.states for seen in self.look(node)):
                return
            before = self.focused()
            self.key("Tab")
            # Nobody has it for a moment: a Tab then would pass over the one that is about to.
            self.wait_for(lambda: self.focused() not in (None, before), "another widget with the focus")
        raise net.Failure(f"the Tab key does not come to {node.name!r}")

    @staticmethod
    def click(window, node):
        """With the mouse: what neither a screen reader nor a test reaches in another way."""
        (left, top), (width, height) = node.place, node.size
        net.run("xdotool", "search", "--onlyvisible", "--name", f"^{re.escape(window.name)}$",
                "mousemove", "--window", "%1", str(left + width // 2), str(top + height // 2),
                "click", "1")

    # Keys go to the window that has the focus.

    @staticmethod
    def key(*names):
        """Presses them one after the other: "Tab", "alt+g"."""
        net.run("xdotool", "key", "--clearmodifiers", *names)

    @staticmethod
    def send_keys(text):
        """To whatever takes them."""
        net.run("xdotool", "type", "--clearmodifiers", "--delay", "2", text)

    def type_keys(self, text):
        """Into the entry that has the focus. A window tells that before the X server gives it the
        keyboard, so that keys may be lost: then once more."""
        entry = self.wait_for(self.focused, "widget with the focus")
        for _ in range(3):
            wanted = (len(text), len(entry.text) + len(text))
            self.send_keys(text)
            if self.becomes(lambda: len(entry.text) in wanted, 5):
                return
            entry = self.wait_for(self.focused, "widget with the focus")
            self.key("ctrl+a")
        raise net.Failure(f"keys do not come to {entry.name!r}")

    def focused(self):
        """The widget that has the keyboard's focus; None when none has."""
        return next((seen.node for seen in self.look() if "FOCUSED" in seen.states), None)

    @staticmethod
    def clipboard():
        """The text in it; "" when there is none."""
        return net.run("/usr/bin/python3", "-c", "import gi; gi.require_version('Gdk', '3.0'); "
                       "gi.require_version('Gtk', '3.0'); "
                       "from gi.repository import Gdk, Gtk; print(Gtk.Clipboard.get("
                       "Gdk.SELECTION_CLIPBOARD).wait_for_text() or '', end='')")

    @staticmethod
    def pixels():
        """All that is on the screen."""
        with open(FRAME, "rb") as file:
            return file.read()

    def still(self):
        """The same, once nothing has moved for a moment, or after some seconds."""
        now, since = self.pixels(), time.monotonic()
        deadline = since + 5
        while since + STILL > time.monotonic() < deadline:
            net.let_pass(STILL / 6)
            before, now = now, self.pixels()
            if now != before:
                since = time.monotonic()
        return now

    def changes(self, seconds=2):
        """How often something was seen to move in that time; 50 times a second is looked."""
        count, last, deadline = 0, self.pixels(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            net.let_pass(LOOK_EVERY)
            before, last = last, self.pixels()
            count += last != before
        return count

    def take_picture(self, name, folder=None):
        """The whole screen as a PNG, once it is still; its path."""
        folder = folder or os.path.join(self.context.build, "pictures")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"{name}.png")
        write_png(path, self.still())
        return path


def write_png(path, frame):
    """`frame` as X servers keep it: a header of xwd, colours, then blue, green, red and nothing for each
    pixel."""
    header = struct.unpack_from(">20I", frame)
    (start, width, height), (bits, stride), colours = header[:1] + header[4:6], header[11:13], header[19]
    net.check(bits == 32 and header[7] == 0, "the screen is of another kind")
    pixels = memoryview(frame)[start + 12 * colours:]
    lines = bytearray((3 * width + 1) * height)
    for y in range(height):
        line = pixels[y * stride:y * stride + 4 * width]
        at, end = y * (3 * width + 1) + 1, (y + 1) * (3 * width + 1)
        for colour in range(3):
            lines[at + colour:end:3] = line[2 - colour::4]

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n"
                   + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b""))
