# SPDX-License-Identifier: GPL-2.0-or-later
"""The keyring of a scenario's desktop: GNOME's, unlocked, and what secret-tool sees in it."""

import os
import signal
import subprocess
import sys

import desktop
import net
import sandbox

SETTING = ("setting-name", "vpn", "setting-key")
SCHEMA = ("xdg:schema", "org.freedesktop.NetworkManager.Connection")

REFUSING = """
from gi.repository import Gio, GLib
Gio.bus_own_name(Gio.BusType.SESSION, "org.freedesktop.secrets", 0, None, None, None)
GLib.MainLoop().run()
"""


class Keyring:
    """Runs from the start; ends with the sandbox."""

    def __init__(self):
        # Without a person and without a prompter it can be unlocked by its password alone.
        os.makedirs(f"{desktop.HOME}/.local/share/keyrings", mode=0o700, exist_ok=True)
        with open(f"{desktop.LOGS}/keyring.log", "ab") as log:
            self.process = subprocess.Popen(
                ["gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock"],
                stdin=subprocess.PIPE, stdout=log, stderr=log, preexec_fn=sandbox.die_with_parent)
        self.process.stdin.write(b"login")
        self.process.stdin.close()
        net.wait_until(lambda: self.lookup("none", "none") == "" and self._unlocked(), 15,
                       "an unlocked keyring")

    @staticmethod
    def _unlocked():
        return "false" in net.run(
            "gdbus", "call", "--session", "--dest", "org.freedesktop.secrets", "--object-path",
            "/org/freedesktop/secrets/aliases/default", "--method",
            "org.freedesktop.DBus.Properties.Get", "org.freedesktop.Secret.Collection", "Locked",
            ok=False)

    @staticmethod
    def lock():
        """Everything of it; secret-tool of Debian 12 crashes at that."""
        net.run("gdbus", "call", "--session", "--dest", "org.freedesktop.secrets", "--object-path",
                "/org/freedesktop/secrets", "--method", "org.freedesktop.Secret.Service.Lock",
                "['/org/freedesktop/secrets/aliases/default']")

    @staticmethod
    def lookup(uuid, key):
        """What is kept under that name, "" = nothing."""
        return net.run("secret-tool", "lookup", "connection-uuid", uuid, *SETTING, key,
                       *SCHEMA, ok=False)

    @staticmethod
    def lookup_profile(name, gateway, key="password"):
        """What godwit-tray keeps for the profile of that name, "" = nothing."""
        return net.run("secret-tool", "lookup", "profile", name, "kind", "user", "gateway", gateway,
                       "secret", key, ok=False)

    @staticmethod
    def store_profile(name, gateway, value, key="password"):
        """As godwit-tray does it."""
        net.run("secret-tool", "store", "--label", "VPN", "profile", name, "kind", "user", "gateway",
                gateway, "secret", key, "xdg:schema", "org.godwit.Secret", input_text=value)

    @staticmethod
    def store(uuid, key, value, schema=SCHEMA):
        """As another agent does it; without a schema, as old ones did."""
        net.run("secret-tool", "store", "--label", "VPN", "connection-uuid", uuid, *SETTING, key,
                *schema, input_text=value)

    def silence(self):
        self.process.send_signal(signal.SIGSTOP)

    def refuse(self):
        """Somebody with its name has none of its objects."""
        self.kill()
        with open(f"{desktop.LOGS}/refusing.log", "ab") as log:
            subprocess.Popen([sys.executable, "-c", REFUSING], stdin=subprocess.DEVNULL, stdout=log,
                             stderr=log, preexec_fn=sandbox.die_with_parent)
        net.wait_until(self._is_owned, 10, "a keyring that refuses")

    @staticmethod
    def _is_owned():
        return "true" in net.run(
            "gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path", "/",
            "--method", "org.freedesktop.DBus.NameHasOwner", "org.freedesktop.secrets")

    def kill(self):
        self.process.kill()
        self.process.wait()
        net.wait_until(lambda: not self._is_owned(), 10, "end of the keyring on the bus")
