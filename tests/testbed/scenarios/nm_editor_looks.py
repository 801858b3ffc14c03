# SPDX-License-Identifier: GPL-2.0-or-later
"""How the connection editor looks and is reached: pictures of every page in build/pictures, languages,
directions, large text, the keyboard."""

import desktop
import editor_form
import net
from scenario import scenario_for

GTKS = (3, 4)
# What it is like, and words that stand on it then.
LOOKS = {
    "light": ({}, "Certification authority", "Advanced…"),
    "dark": ({"dark": True}, "Certification authority", "Advanced…"),
    "german": ({"language": "de"}, "Zertifizierungsstelle", "Erweitert …"),
    "german_dark_large": ({"language": "de", "dark": True, "scale": 1.5}, "Zertifizierungsstelle",
                          "Erweitert …"),
    "contrast": ({"contrast": True}, "Certification authority", "Advanced…"),
}
CASES = ((3, "light"), (3, "german"), (4, "dark"), (4, "german_dark_large"), (4, "contrast"))
CONNECTION = "gateway=vpn.example.org\nauth=certificate\nca={}\nmtu=abc\n"


def fits(screen, window):
    """Nothing reaches beyond the screen."""
    net.check(window.size[0] <= desktop.WIDTH and window.size[1] <= desktop.HEIGHT,
              f"the window is {window.size} large")


@scenario_for(CASES, lambda case: f"editor_looks_gtk{case[0]}_{case[1]}", timeout=120, bare=True)
def editor_looks(context, case):
    """A picture of each page."""
    gtk, look = case
    options, words, button = LOOKS[look]
    screen = desktop.Desktop(context, **options)
    form = editor_form.Form(context, screen, gtk, CONNECTION.format(
        editor_form.by_value(context.pki.certificate("root"))))
    screen.find("label", words, form.window)
    screen.take_picture(f"editor-gtk{gtk}-{look}")
    fits(screen, form.window)
    screen.press("push button", button, form.window)
    window = screen.find("dialog")
    tabs = screen.find("page tab list", within=window)
    for page, _ in enumerate(tabs.children):
        tabs.select_child(page)
        screen.take_picture(f"editor-gtk{gtk}-{look}-{page}")
    fits(screen, window)


@scenario_for(GTKS, lambda gtk: f"editor_by_keyboard_gtk{gtk}", timeout=60, bare=True)
def editor_by_keyboard(context, gtk):
    """The Tab key goes through the fields in the order in which they stand; a letter reaches one."""
    screen = desktop.Desktop(context)
    form = editor_form.Form(context, screen, gtk)
    wanted = ["Gateway", "Gateway's identity", "Certification authority: Choose…", "Own identity",
              "User name", "Password", "Show passwords", "Advanced…"]
    came = []
    for _ in range(20):
        focused = screen.focused()
        if focused is not None:
            # A button's own label is part of its name in GTK 3, and comes first in GTK 4.8.
            came += [name for name in wanted
                     if focused.name in (name, f"{name} {name[:-9]}", name.removesuffix(": Choose…"))]
        if came and came[-1] == wanted[-1]:
            break
        screen.key("Tab")
        # The lists of GTK 3 do not say that they have the focus.
        screen.wait_for(lambda: screen.focused() != focused, "step")
    order = sorted(set(came), key=came.index)
    net.check(order == wanted, f"the Tab key goes: {order}")
    screen.key("alt+g")
    screen.type_keys("vpn.example.org")
    screen.wait_for(lambda: form.field("Gateway").text == "vpn.example.org", "typed text")


@scenario_for(GTKS, lambda gtk: f"editor_from_right_gtk{gtk}", timeout=60, bare=True)
def editor_from_right(context, gtk):
    """Where people write from the right, the labels stand there."""
    screen = desktop.Desktop(context, language="he")
    form = editor_form.Form(context, screen, gtk, "gateway=vpn.example.org\n")
    screen.take_picture(f"editor-gtk{gtk}-hebrew")
    label = screen.find("label", "Gateway", form.window)
    field = form.field("Gateway")
    net.check(label.place[0] > field.place[0],
              f"the label is at {label.place}, its field at {field.place}")
