# SPDX-License-Identifier: GPL-2.0-or-later
"""The connection editor of NetworkManager's plugin in a desktop: worked as by hand."""

import base64
import os
import re
import subprocess

import bus
import net

PLUGIN = "libnm-vpn-plugin-godwit.so"
SERVICE = "org.freedesktop.NetworkManager.godwit"
EMPTY = """[connection]
id=work
uuid=7e7d3e8e-5a0e-4000-8000-000000000001
type=vpn

[vpn]
service-type={service}
"""
# What NetworkManager has of its own, and what does not work under it: the editor does not show it.
HIDDEN = ("name", "autoconnect", "exclude-apps", "include-apps")
# Kept among vpn.secrets: nmcli's export leaves them out.
SECRETS = ("password", "psk", "private-key", "private-key-password")
FIELDS = ("text", "password text", "check box", "combo box", "push button")


def start_new(screen):
    """nm-connection-editor with a new connection of ours; its window."""
    screen.start("nm-connection-editor", "--create", "--type=vpn")
    dialog = screen.find("dialog")
    screen.choose_words(screen.find("combo box", within=dialog), "Godwit (IKEv2)")
    screen.press("push button", "Create…", dialog)
    return screen.find("frame", "Editing .*")


class Key:
    """A line of the key table's samples."""

    def __init__(self, line):
        (self.method, self.name, self.type, self.label, self.value, self.words,
         place) = line.split("\t")
        self.place = int(place)


def key_table(context):
    """The samples by method of authentication."""
    methods = {}
    for line in net.run(f"{context.build}/tests/testbed/key_table").splitlines():
        key = Key(line)
        methods.setdefault(key.method, []).append(key)
    return methods


def by_value(path):
    with open(path, "rb") as file:
        return "base64:" + base64.b64encode(file.read()).decode()


def key_file(path):
    """vpn.data and vpn.secrets of a connection in one: text by key."""
    from gi.repository import GLib
    file = GLib.KeyFile()
    file.load_from_file(path, GLib.KeyFileFlags.NONE)
    found = {}
    for group in ("vpn", "vpn-secrets"):
        if file.has_group(group):
            found.update({key: file.get_string(group, key) for key in file.get_keys(group)[0]})
    found.pop("service-type", None)
    return found


class Form:
    """The editor in a window of GTK 3 or 4 (tests/testbed/show_editor.c)."""

    def __init__(self, context, screen, gtk, text="", path="/run/bed/connection"):
        self.context, self.screen, self.gtk, self.path = context, screen, gtk, path
        bus.write(path, EMPTY.format(service=SERVICE) + text)
        self.process = screen.start(f"{context.build}/tests/testbed/show_editor{gtk}",
                                    f"{context.build}/{PLUGIN}", path)
        self.window = screen.find("frame", "VPN")
        screen.activate(self.window)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.screen.programs.clear()
        self.screen.wait_gone("frame", "VPN")

    def fields(self, within=None):
        """What is typed into or pressed, as far as it is seen, by its name."""
        found = {}
        for seen in self.screen.look(within or self.window):
            if seen.role in FIELDS and seen.shown:
                found.setdefault(seen.name.partition(": Choose…")[0], seen.node)
        return found

    def field(self, label):
        return self.fields()[label]

    def set(self, key, node):
        if key.type == "bool":
            self.screen.tick(node, key.value == "true")
        elif key.type == "choice":
            self.screen.choose(node, key.words, key.place)
        elif key.type == "file":
            self.choose_file(node, key.value)
        else:
            self.screen.fill(node, key.value)
        if key.type == "secret":
            self.keep(key.label, "Kept for all users", 1)

    def keep(self, label, words, place):
        """Where the secret of that label is to be kept."""
        self.screen.choose(self.field(f"{label}: where it is kept"), words, place)

    def _place_entry(self):
        """A file dialog has one for paths when a slash is typed, which gets lost before it has the
        keyboard."""
        self.screen.send_keys("/")
        def entry():
            focused = self.screen.focused()
            return focused and focused.role == "text" and focused.text.startswith("/") and focused
        return entry() if self.screen.becomes(entry, 1) else None

    def choose_file(self, node, path):
        node.act()
        self.screen.find("file chooser|dialog|widget", node.name.partition(":")[0])
        entry = self.screen.wait_for(self._place_entry, "entry for a path")
        # Keys would race with what it makes of them: names that begin so.
        entry.replace_text(path)
        self.screen.wait_for(lambda: entry.text == path, f"{path} in the dialog")
        self.screen.key("Return")
        self.screen.wait_gone("file chooser|dialog|widget", node.name.partition(":")[0])

    def set_all(self, keys):
        """Those of the first page, then those behind the button, page by page."""
        left = self._set_seen(keys, self.window)
        self.screen.press("push button", "Advanced…", self.window)
        window = self.screen.find("dialog", "Advanced settings")
        tabs = self.screen.find("page tab list", within=window)
        for page, _ in enumerate(tabs.children):
            if left:
                tabs.select_child(page)
                left = self._set_seen(left, window)
        net.check(not left, f"the editor does not have {[key.name for key in left]}")
        self.screen.press("push button", "Close", window)
        self.screen.wait_gone("dialog", "Advanced settings")

    def _set_seen(self, keys, window):
        """Those that are to be seen there; the rest."""
        fields = self.screen.wait_for(lambda: len(found := self.fields(window)) > 1 and found,
                                      "page of settings")
        for key in keys:
            if key.label in fields:
                self.set(key, fields[key.label])
        return [key for key in keys if key.label not in fields]

    def said(self):
        """What the window says of the connection as it is now: "good", or why not."""
        return [node.name for node in self.window.children[0].children if node.role == "label"][-1]

    def save(self):
        """The connection as it was written."""
        os.unlink(self.path)
        self.screen.press("push button", "Save", self.window)
        self.screen.wait_for(lambda: self.said() == "saved", "saved connection")
        return key_file(self.path)


def cycles(context, screen, gtk, count):
    """What stays after so many editors: (how many ended, of how many, octets more each time)."""
    bus.write("/run/bed/connection", EMPTY.format(service=SERVICE))
    done = subprocess.run([f"{context.build}/tests/testbed/show_editor{gtk}",
                           f"{context.build}/{PLUGIN}", "/run/bed/connection", str(count)],
                          capture_output=True, text=True, timeout=100, check=False)
    found = re.match(r"(\d+) of (\d+) ended, (-?\d+) octets", done.stdout)
    net.check(found, f"exit {done.returncode}: {done.stderr[-300:]}")
    return tuple(int(number) for number in found.groups())
