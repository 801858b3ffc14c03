# SPDX-License-Identifier: GPL-2.0-or-later
"""The desktop of the test bed itself: a window of each GTK is read, worked and seen in it."""

import subprocess
import sys

import desktop
import net
from scenario import scenario_for

WINDOW = """
import sys
import gi
gi.require_version("Gtk", sys.argv[1])
from gi.repository import Gtk

four = sys.argv[1] == "4.0"

def build(application):
    window = Gtk.ApplicationWindow(application=application, title="Trial")
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
    label = Gtk.Label(label="_Greeting", use_underline=True)
    entry = Gtk.Entry()
    label.set_mnemonic_widget(entry)
    button = Gtk.Button(label="_Repeat", use_underline=True)
    answer = Gtk.Label(label="nothing")
    button.connect("clicked", lambda *_: answer.set_text(entry.get_text()))
    for child in (label, entry, button, answer):
        box.append(child) if four else box.add(child)
    window.set_child(box) if four else window.add(box)
    window.present() if four else window.show_all()

application = Gtk.Application(application_id="org.godwit.Trial")
application.connect("activate", build)
application.run([])
"""


def brightness(path):
    """Of the picture's middle, 0 to 255."""
    done = subprocess.run(["convert", path, "-gravity", "center", "-crop", "40x40+0+0", "-resize",
                           "1x1!", "-depth", "8", "gray:-"], capture_output=True, check=True)
    return done.stdout[0]


@scenario_for(("3.0", "4.0"), lambda version: f"desktop_gtk{version[0]}", bare=True)
def desktop_works(context, version):
    """What is typed and pressed arrives; the dark theme is dark."""
    screen = desktop.Desktop(context, language="de", dark=True, size=(320, 240))
    screen.start(sys.executable, "-c", WINDOW, version)
    screen.type_into("Greeting", "ahoj")
    screen.press("push button", "Repeat")
    screen.find("label", "ahoj")
    screen.activate(screen.find("frame", "Trial"))
    screen.key("alt+g", "ctrl+a")
    screen.type_keys("moin")
    screen.key("alt+r")
    screen.find("label", "moin")
    path = screen.take_picture(f"trial-gtk{version[0]}")
    net.check(brightness(path) < 96, f"a dark window has brightness {brightness(path)}")
