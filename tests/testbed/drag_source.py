#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A window from which a file can be dragged, as from a file manager's. Argument: its URI."""

import sys

import gi

gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402


def main():
    Gtk.init()
    window = Gtk.Window(title="Files", default_width=200, default_height=200)
    source = Gtk.DragSource(actions=Gdk.DragAction.COPY, content=Gdk.ContentProvider.new_for_bytes(
        "text/uri-list", GLib.Bytes(f"{sys.argv[1]}\r\n".encode())))
    window.add_controller(source)
    loop = GLib.MainLoop()
    window.connect("close-request", lambda _: loop.quit())
    window.present()
    loop.run()


main()
