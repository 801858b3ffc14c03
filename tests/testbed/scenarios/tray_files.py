# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections of godwit-tray that come from files and go to files."""

import base64
import os
import re
import shutil

import bus
import desktop
import net
import tray
from scenario import scenario

FOLDER = f"{desktop.HOME}/files"


def start(context, **options):
    """(screen, tray) with one profile; its page is open."""
    _, screen, _, program = tray.start_stage(context, panel=None, **options)
    os.makedirs(FOLDER)
    program.give_profile(name="work", **{"user": "alice"})
    program.start()
    screen.press("push button", "Details of work")
    return screen, program


@scenario(bare=True, timeout=60)
def tray_duplicates(context):
    """Another connection like one that there is, with a name of its own."""
    screen, program = start(context)
    program.choose_in_window("More", "Duplicate…")
    screen.find("frame", "New Connection")
    net.check(screen.find("text", "Name").text == "work 2", "the name is not a free one")
    screen.type_into("User.*", "bob")
    screen.press("push button", "Save")
    screen.wait_gone("frame", "New Connection")
    text = program.read_profile(program.path_of("work 2"))
    net.check("user=bob" in text and "password=" in text, text)
    net.check("user=alice" in program.read_profile(program.path_of("work")), "the first has changed")


@scenario(bare=True, timeout=60)
def tray_exports(context):
    """To a file, with secrets when they are asked for; it comes back by the button."""
    screen, program = start(context)
    path = f"{FOLDER}/whole.godwit"
    program.choose_in_window("More", "Export…")
    chooser = screen.find("widget|dialog", "Export the Connection")
    box = screen.find("check box", "With passwords and private keys", chooser)
    net.check("CHECKED" not in box.states, "secrets are exported unasked")
    screen.click(chooser, box)  # the entry of the name keeps the Tab key for itself
    screen.wait_for(lambda: "CHECKED" in box.states, "ticked box")
    screen.fill(screen.find("text", "Name:", chooser), path)
    screen.press("push button", "Export", chooser)
    screen.wait_for(lambda: os.path.exists(path), "exported file")
    net.check("password=" in bus.read(path), "the password is missing")
    os.unlink(program.path_of("work"))
    screen.wait_gone("push button", "Details of work")
    program.choose_in_window("Add a Connection", "Import From a File…")
    chooser = screen.find("widget|dialog", "Import a Connection")
    place = ("text", "GtkFileChooserEntry|", chooser)  # GTK 4.18 gives it no name
    screen.wait_for(lambda: screen.all(*place) or screen.key("ctrl+l"), "place for a path")
    screen.fill(screen.find(*place), f"{FOLDER}/whole.godwit")
    # It does nothing until the chooser has looked at the file.
    for _ in range(10):
        screen.press("push button", "Import", chooser)
        if screen.becomes(lambda: os.path.exists(program.path_of("work")), 1):
            break
    screen.find("push button", "Details of work")
    net.check("password=" in program.read_profile(program.path_of("work")), "no password came back")


SERVICES = f"{desktop.RUNTIME}/services"
APPLICATIONS, TYPES = "/usr/local/share/applications", "/usr/local/share/mime"
QUESTION = "Import “.?work.?”\\?"  # with marks that keep what the name has in its own direction


def install(context, screen):
    """What an installation has: the program is known to the desktop and is started by the bus."""
    bus.cover("/usr/local/share")
    os.makedirs(APPLICATIONS)
    os.makedirs(f"{TYPES}/packages")
    shutil.copy(bus.find(context, "generated/org.godwit.Tray.desktop"), APPLICATIONS)
    shutil.copy(bus.find(context, "gui/data/org.godwit.Tray.xml"), f"{TYPES}/packages")
    service = bus.read(bus.find(context, "generated/org.godwit.Tray.service"))
    bus.write(f"{SERVICES}/org.godwit.Tray.service", re.sub(
        r"^Exec=\S*/", "Exec=/usr/bin/env DBUS_SYSTEM_BUS_ADDRESS="
        f"{os.environ['DBUS_SYSTEM_BUS_ADDRESS']} {context.build}/", service, flags=re.M))
    screen.reload_bus()
    net.run("update-mime-database", TYPES)
    net.run("update-desktop-database", APPLICATIONS)
    os.environ["PATH"] += f":{context.build}"


@scenario(bare=True, timeout=60)
def tray_is_started_by_a_file(context):
    """A file with a connection is opened as from a file manager: the bus starts the program, which
    tells what is in the file and asks. What is opened later comes to the same program."""
    stage, screen, _, program = tray.start_stage(context, panel=None)
    install(context, screen)
    os.makedirs(FOLDER)
    path = f"{FOLDER}/work.godwit"
    os.rename(program.give_profile(**{"kill-switch": "always", "exclude": "198.51.100.0/24"}), path)
    kind = net.run("gio", "info", "-a", "standard::content-type", path)
    net.check("application/x-godwit-profile" in kind, kind)
    net.run("gio", "open", path)
    question = screen.find("dialog", QUESTION)
    for words in ("vpn.example.org", "alice", r".*CN=Test root.*\nvalid until \d+ \w+ 20\d\d\n"
                  "SHA-256 fingerprint [0-9A-F]{4}( [0-9A-F]{4}){3}…", "198.51.100.0/24", "Always"):
        screen.find_text(words, question)
    screen.take_picture("tray-import")
    screen.press("push button", "Import", question)
    screen.find("push button", "Details of work")
    net.check("password=" in program.read_profile(program.path_of("work")), "it lost its password")
    net.run("gapplication", "launch", tray.NAME)
    net.run("gapplication", "launch", tray.NAME, path)
    screen.press("push button", "Cancel", screen.find("dialog", QUESTION))
    net.check(len(screen.all("frame", "Godwit")) == 1, "there are several windows")
    net.check(os.listdir(os.path.dirname(program.path_of("work"))) == ["work.conf"], "imported twice")
    bus.write(path, "[godwit]\nmtu=many\n")
    net.run("gio", "open", path)
    screen.find("label", ".*mtu.*", screen.find("dialog", "The File Cannot Be Imported"))
    with open(context.pki.certificate("root"), "rb") as file:
        authority = file.read()
    two = base64.b64encode(authority + b"\0" + authority).decode()
    bus.write(path, f"[godwit]\ngateway=vpn.example.org\nca=base64:{two}\n")
    net.run("gio", "open", path)
    screen.find("label", "Certification authority: .* cannot be read.")
    net.check(not screen.all("push button", "Import"), "what cannot be shown is offered")
    net.run("gapplication", "action", tray.NAME, "quit")
    screen.wait_gone("frame", "Godwit")


def place_window(screen, name, left, top):
    number = screen.wait_for(lambda: net.run("xdotool", "search", "--onlyvisible", "--name",
                                             f"^{name}$", ok=False).strip(), f"window {name}")
    net.run("xdotool", "windowmove", "--sync", number, str(left), str(top))


@scenario(bare=True, timeout=60)
def tray_takes_drops(context):
    """A file that is dropped on the window is imported, once it was asked."""
    _, screen, _, program = tray.start_stage(context, panel=None)
    os.makedirs(FOLDER)
    path = f"{FOLDER}/work.godwit"
    os.rename(program.give_profile(), path)
    program.start()
    screen.find("frame", "Godwit")
    place_window(screen, "Godwit", 400, 50)
    screen.start("/usr/bin/python3", bus.find(context, "tests/testbed/drag_source.py"), f"file://{path}")
    place_window(screen, "Files", 20, 100)
    net.run("xdotool", "mousemove", "100", "220", "mousedown", "1")
    for x in range(110, 640, 10):
        net.run("xdotool", "mousemove", str(x), "400")
    net.run("xdotool", "mouseup", "1")
    question = screen.find("dialog", QUESTION)
    screen.press("push button", "Import", question)
    screen.find("push button", "Details of work")
