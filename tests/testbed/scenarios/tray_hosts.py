# SPDX-License-Identifier: GPL-2.0-or-later
"""The icon and its menu in panels that are too large to be installed for a test: asked, heard and
worked as those do it (fake_panel.py)."""

import json

from gi.repository import GLib

import bus
import net
import tray
from scenario import scenario_for

PANEL = "org.godwit.Bed.Panel"


class StandIn:
    """A panel of that kind; `items` is what it shows."""

    def __init__(self, context, screen, kind):
        self.screen = screen
        self.command = ("/usr/bin/python3", bus.find(context, "tests/testbed/fake_panel.py"), kind)
        self.start()

    def start(self):
        self.process = self.screen.start(*self.command)

    def stop(self):
        self.screen.programs = [entry for entry in self.screen.programs if entry[1] != self.process]
        self.process.kill()
        self.process.wait()

    @property
    def items(self):
        try:
            return json.loads(tray.call(PANEL, "/Panel", PANEL, "Shown")[0])
        except GLib.Error:
            return []

    def wait(self, what, condition):
        """Until it shows one icon of which that is true."""
        try:
            self.screen.wait_for(lambda: len(items := self.items) == 1 and condition(items[0]), what)
        except net.Failure as failure:
            raise net.Failure(f"{failure}; it shows {self.items}") from None

    def wait_words(self, words):
        self.wait(f"words {words!r}", lambda item: item["words"] == words)

    def wait_menu(self, *menu):
        """[label, enabled, state of its mark or -1] each."""
        self.wait(f"menu {menu}", lambda item: item["menu"] == [list(entry) for entry in menu])

    def do(self, what):
        tray.call(PANEL, "/Panel", PANEL, "Do", "(s)", what)

    def choose(self, program, label):
        """Once its menu is that of the program, and that has it."""
        def is_true(item):
            menu = [words for _, words, properties in program.menu() if "type" not in properties]
            return label in menu and menu == [words for words, _, _ in item["menu"]]
        self.wait(f"{label!r} in the menu", is_true)
        self.do(label)


OTHERS = (("broken", False, 0), ("office", True, 0))  # the computer's
ENDS = (("Open Godwit", True, -1), ("Quit", True, -1))


@scenario_for(("plasma", "gnome"), lambda kind: f"tray_is_hosted_like_{kind}", bare=True, timeout=60)
def tray_is_hosted(context, kind):
    """Such a panel shows what is so at any moment, from what it is told; each click does what it is for;
    when it has crashed it is given the icon again."""
    stage, screen, _, program = tray.start_stage(context, panel=None)
    panel = StandIn(context, screen, kind)
    program.give_profile("a_b")
    program.start()
    panel.wait_words("Godwit: Not connected")
    screen.find("frame", "Godwit")
    screen.wait_gone("label", "The panel of this desktop shows no icons.*")
    panel.wait_menu(("Not connected", False, -1), ("a__b", True, 0), *OTHERS, *ENDS)
    off = panel.items[0]["icon"]
    # Plasma has a drawing rather than a name, and gives it no colour of its own.
    net.check(off == ([16, 22, 24, 32, 48, 64] if kind == "plasma" else "godwit-off-symbolic"), off)
    stage.play("connect|full;wait")
    panel.choose(program, "a__b")
    panel.wait_words("a_b: Connected\nvpn.example.org\n0:00")
    panel.wait_menu(("a__b — Connected", False, -1), ("10.1.0.5/32, 2001:db8::5/128", False, -1), ("a__b", True, 1),
                    *OTHERS, ("Disconnect", True, -1), *ENDS)
    panel.wait("icon on", lambda item: kind == "plasma" or item["icon"] == "godwit-on-symbolic")
    panel.stop()
    screen.find("label", "The panel of this desktop shows no icons.*")
    panel.start()
    panel.wait_words("a_b: Connected\nvpn.example.org\n0:00")
    screen.wait_gone("label", "The panel of this desktop shows no icons.*")
    panel.do("scroll")
    panel.do("context")
    panel.do("middle")
    panel.wait_words("Godwit: Not connected")
    stage.play("ask|password|Password|Please say it")
    stage.begin("asks")
    panel.wait("attention", lambda item: item["status"] == "NeedsAttention" and (
        kind == "plasma" or item["icon"] == "godwit-attention-symbolic"))
    panel.choose(program, "Disconnect")
    panel.wait("end of it", lambda item: item["status"] == "Active")
    stage.play("connect|full;wait;vanish")
    paths = {name: stage.begin(name) for name in ("one", "two")}
    panel.wait("connection", lambda item: item["words"].partition(":")[0] in paths
               and ": Connected" in item["words"])
    panel.wait("each with its name", lambda item: {"Disconnect — one", "Disconnect — two"} <= {
        words for words, _, _ in item["menu"]})
    name = panel.items[0]["words"].partition(":")[0]
    stage.call(paths.pop(name), "Session", "ProvideSecrets", "(ua{say})", 1, {"user": b"alice"})  # goes on
    # Other words with the same icon.
    panel.wait_words(f"{paths.popitem()[0]}: Connected\nvpn.example.org\n0:00")
    panel.choose(program, "Disconnect")
    panel.wait_words("Godwit: Not connected")
    program.kill()
    screen.wait_for(lambda: not panel.items, "panel without the icon")
    program.start("--hidden")
    panel.wait_words("Godwit: Not connected")
    panel.do("activate")
    screen.find("frame", "Godwit")
    panel.choose(program, "Quit")
    screen.wait_for(lambda: not panel.items, "panel without the icon")
    net.check(program.process.wait(10) == 0, "it has not ended well")
