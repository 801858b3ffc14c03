# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures of the README and of software centres: `tests/run pictures` makes them anew, into
gui/data/pictures. Nothing here checks anything."""

import os

import desktop
import editor_form
import net
import networkmanager
import transfer
import tray
from scenario import scenario, scenario_for

ICONS = {
    "off": "", "connecting": "phase|init|;wait", "on": "connect|full;wait",
    "roaming": "connect|full;phase|reconnecting|The gateway stopped answering.;wait",
    "attention": "ask|password|Password|Please say it", "blocked": "",
}
COLOURS = "96"  # few enough for small files, more than anybody sees on these


def keep(context, name, *convert):
    """A picture of few colours; its path."""
    folder = os.path.join(context.build, "pictures", "kept")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{name}.png")
    net.run("convert", *convert, "-strip", "+dither", "-colors", COLOURS, "-define",
            "png:compression-level=9", f"PNG8:{path}")
    return path


def keep_window(context, screen, title, name):
    """What is in that window, once it stays as it is."""
    screen.take_picture(f"whole-{name}")
    number = net.run("xdotool", "search", "--onlyvisible", "--name", title).split()[-1]
    path = os.path.join(context.build, "pictures", f"window-{name}.png")
    net.run("import", "-window", number, path)
    keep(context, name, path)


def connect(context, **options):
    """(screen, tray): somebody with three connections, of which one is on."""
    _, _, screen, _, program = tray.start(context, size=(1000, 1000), **options)
    for name, gateway in (("Home", "home.example.net"), ("Office", "vpn.example.org"),
                          ("University", "vpn.example.edu")):
        program.give_profile(name, gateway=gateway)
    program.start()
    program.choose("Office")
    program.wait_icon("on")
    return screen


@scenario(timeout=90)
def picture_window(context):
    """A connection that carries traffic."""
    screen = connect(context)
    transfer.start_server()
    screen.press("push button", "Details of Office")
    screen.find("image", "Traffic of the last minute")
    net.run("xdotool", "search", "--name", "^Godwit$", "windowsize", "460", "860")
    for kib in (40, 260, 300, 120, 380, 420, 200, 90, 340, 400, 310, 150, 230):  # what a graph likes
        transfer.transfer(net.HOST4, "down", kib * 1024)
        net.ping(net.HOST4, size=1300, count=18)
    keep_window(context, screen, "^Godwit$", "window")


@scenario(timeout=60)
def picture_assistant(context):
    """What somebody sees who starts it for the first time, and has typed what it wants."""
    _, _, screen, _, program = tray.start(context, size=(1000, 1000))
    program.start()
    screen.find("label", "Connect to a VPN")
    for name, text in (("Server", "vpn.example.org"), ("User Name", "alice"),
                       ("Password", "correct horse")):
        screen.type_into(name, text)
    keep_window(context, screen, "^Godwit$", "assistant")


@scenario(timeout=60)
def picture_connections(context):
    """The list, in the dark."""
    keep_window(context, connect(context, dark=True), "^Godwit$", "connections")


@scenario_for((False, True), lambda dark: f"picture_icons_{'dark' if dark else 'light'}", bare=True,
              timeout=90)
def picture_icons(context, dark):
    """The icon in a panel on a screen of twice the pixels, in each of its states."""
    os.environ["GDK_SCALE"] = "2"
    stage, screen, _, program = tray.start_stage(context, size=(800, 300), dark=dark)
    program.give_profile("work")
    before, parts = panel_now(screen, "empty"), []
    for state, script in ICONS.items():
        path = None
        if state == "blocked":
            stage.manager("SetKillSwitch", "(bas)", True, [])
        elif script:
            stage.play(script)
            path = stage.begin("work")
        program.start("--hidden")
        program.wait_icon(state)
        screen.wait_for(lambda: panel_now(screen, state)[1] != before[1], "icon in the panel")
        whole, _ = panel_now(screen, state)
        parts += ["(", whole, "-crop", "64x64+0+236", "+repage", ")"]
        program.kill()
        if path:
            stage.call(path, "Session", "Disconnect")
        screen.wait_for(lambda: panel_now(screen, "empty")[1] == before[1], "empty panel")
    keep(context, f"icons-{'dark' if dark else 'light'}", *parts, "+append")


def panel_now(screen, name):
    """(path, octets)"""
    path = screen.take_picture(f"icon-{name}", "/run/bed")
    with open(path, "rb") as file:
        return path, file.read()


@scenario(timeout=120, bare=True)
def picture_editor(context):
    """The editor in NetworkManager's own program."""
    networkmanager.NetworkManager(context)
    screen = desktop.Desktop(context)
    window = editor_form.start_new(screen)
    screen.type_into("Connection name", "Office", window)
    screen.type_into("Gateway", "vpn.example.org", window)
    screen.type_into("User name", "alice", window)
    keep_window(context, screen, "^Editing", "editor")
