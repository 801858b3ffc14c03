# SPDX-License-Identifier: GPL-2.0-or-later
"""How the windows of godwit-tray look and how they are reached: pictures of each page in
build/pictures, and what can be told of them without eyes."""

import contextlib
import os

import accessibility
import net
import tray
from scenario import scenario, scenario_for

LOOKS = {
    "light": {},
    "dark_double": {"dark": True},
    "german_large": {"language": "de", "scale": 2.0},
    "polish_large": {"language": "pl", "scale": 2.0},
    "contrast_dark": {"contrast": True, "dark": True},
    "hebrew": {"language": "he"},
}
THOROUGH = ("light", "german_large", "polish_large", "hebrew")
MORE = "More Settings…|Weitere Einstellungen …|Więcej ustawień…"
# What a person may do something with, or must be told of.
NAMED = {"push button", "check box", "toggle button", "text", "password text", "combo box", "spin button",
         "image", "page tab", "menu item", "frame", "dialog", "list", "alert", "link", "switch",
         "radio button"}


class Looker:
    """Takes a picture of each page that it comes to, and collects what is wrong with it."""

    def __init__(self, context, look):
        self.look = look
        self.thorough = look in THOROUGH
        self.double = look.endswith("_double")
        self.back = "alt+Right" if look == "hebrew" else "alt+Left"
        os.environ["GDK_SCALE"] = "2" if self.double else "1"
        self.stage, self.screen, _, self.program = tray.start_stage(
            context, size=(1320, 3000) if self.double else (720, 1500), **LOOKS[look])
        self.wrong = []

    def _program(self):
        return next(node for node in self.screen.root.children if "godwit" in node.name)

    def _windows(self):
        """How many are open. What is below them is not asked for, which would take long."""
        return sum(node.shown for node in self._program().children)

    def _unnamed(self):
        """Whatever can be pressed, typed into or looked at has a name."""
        # What libadwaita makes a combo box of is its own.
        inner = {node for box in self.screen.all("combo box", within=self._program())
                 for node in box.walk() if node != box}
        for seen in self.screen.look(self._program()):
            if seen.node in inner:
                continue
            with contextlib.suppress(accessibility.Gone):
                role = seen.role
                if role in NAMED and not seen.name and seen.shown:
                    yield f"a {role} has no name: {self.screen.tree(seen.node)[:200]}"
                if role in ("unknown", "invalid") and seen.shown:
                    yield f"{seen.name!r} is {role}"

    def look_at(self, page):
        self.screen.take_picture(f"tray-{self.look}-{page}")
        unnamed = self._unnamed() if self.look == "light" else ()
        self.wrong += [f"{page}: {line}" for line in (*unnamed, *self.program.inspect())]

    def look_at_window(self, page, work, *arguments):
        """One that this opens; it is closed again."""
        self.activate()
        before, pixels = self._windows(), self.screen.still()
        work(*arguments)
        self.screen.wait_for(lambda: self._windows() > before and self.screen.still() != pixels, page)
        self.look_at(page)
        self.screen.key("Escape")
        self.screen.wait_for(lambda: self._windows() == before, f"end of {page}")

    def activate(self):
        """Keys come to the window, once the one before it has gone."""
        self.screen.activate(self.screen.find("frame", "Godwit"))

    def open_page(self, name):
        """Its button, Connect or Disconnect, has the focus then."""
        self.screen.press("push button", f".*{name}.*")

        def opened():
            focused = self.screen.focused()
            return focused and focused.role == "push button" and name not in focused.name
        self.screen.wait_for(opened, f"page of {name}")

    def enlarge(self):
        """So that the whole page of a connection is to be seen."""
        scale = 2 if self.double else 1
        for change in (("windowsize", str(480 * scale), str(1440 * scale)), ("windowmove", "10", "10")):
            net.run("xdotool", "search", "--name", "^Godwit$", *change)


@scenario_for(LOOKS, lambda look: f"tray_looks_{look}", bare=True, timeout=90)
def tray_looks(context, look):
    looker = Looker(context, look)
    screen, stage, program = looker.screen, looker.stage, looker.program
    for name, more in (("Work", {}), ("Home", {"gateway": "home.example.net"}),
                       ("Broken", {"mtu": "many"})):
        program.give_profile(name, **more)
    stage.play("phase|init|;phase|gateway-verified|vpn.example.org;connect|full;traffic;wait")
    program.start(inspected=True)
    program.choose("Work")
    program.wait_icon("on")
    stage.play("rung|--> IKE_SA_INIT request|0;end|auth-failed|EAP-MSCHAPv2: E=691.")
    program.choose("Home")
    screen.find("label", "Home: .*")
    looker.look_at("list")
    looker.look_at_window("preferences", screen.key, "ctrl+comma")
    if looker.thorough:
        looker.look_at_window("shortcuts", screen.key, "ctrl+question")
        looker.activate()
        screen.key("ctrl+n")
        screen.wait_for(lambda: screen.focused() and screen.focused().role == "text", "assistant")
        looker.look_at("new")
        looker.look_at_window("form", screen.press, "push button", MORE)
        looker.activate()
        screen.key(looker.back)
    looker.enlarge()
    looker.open_page("Work")
    looker.look_at("page")
    if looker.thorough:
        focused = screen.focused()
        screen.key(looker.back)
        screen.wait_for(lambda: screen.focused() != focused, "way back")
        looker.open_page("Home")
        looker.look_at("page-off")
        stage.play("ask|password|Password|The code of your token.")
        looker.look_at_window("question", stage.begin, "Asks")
    net.check(not looker.wrong, "; ".join(looker.wrong))


def tab_to(screen, role, name):
    """With the Tab key alone."""
    def there():
        focused = screen.focused()
        return focused and focused.role == role and focused.name == name
    for _ in range(30):
        if there():
            return
        before = screen.focused()
        screen.key("Tab")
        screen.wait_for(lambda: screen.focused() != before, "another widget with the focus")
    raise net.Failure(f"the Tab key does not come to {role} {name!r}")


@scenario(bare=True, timeout=60)
def tray_by_keyboard(context):
    """Connected, looked at and disconnected without a mouse; the keys are told."""
    stage, screen, _, program = tray.start_stage(context, panel=None)
    program.give_profile()
    stage.play("connect|full;wait")
    program.start()
    screen.activate(screen.find("frame", "Godwit"))
    tab_to(screen, "check box", "work")
    screen.key("space")
    program.wait_icon("on")
    tab_to(screen, "push button", "Details of work")
    screen.key("Return")
    screen.wait_for(lambda: screen.focused() and screen.focused().name == "Disconnect", "its page")
    screen.key("Return")
    program.wait_icon("off")
    screen.key("alt+Left")
    tab_to(screen, "check box", "work")
    screen.key("F10")
    screen.wait_for(lambda: screen.focused() and screen.focused().role == "menu item", "menu")
    screen.key("Escape")
    screen.key("ctrl+question")
    screen.find("label", "Keyboard Shortcuts")
