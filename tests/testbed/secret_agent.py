# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent of NetworkManager that asks with our auth dialog's own window, as those do that know no
mode without one. A process of its own, which ends with the sandbox:

    secret_agent.py BUILD"""

import os
import subprocess
import sys
import threading

from gi.repository import Gio, GLib

NAME, PATH = "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager/SecretAgent"
INTERFACE = f"{NAME}.SecretAgent"
ALLOW_INTERACTION, REQUEST_NEW = 1, 2
VPN_HINTS = 1  # else NetworkManager does not let a service ask in the middle
INTROSPECTION = f"""<node><interface name="{INTERFACE}">
  <method name="GetSecrets">
    <arg type="a{{sa{{sv}}}}" direction="in"/><arg type="o" direction="in"/>
    <arg type="s" direction="in"/><arg type="as" direction="in"/><arg type="u" direction="in"/>
    <arg type="a{{sa{{sv}}}}" direction="out"/>
  </method>
  <method name="CancelGetSecrets"><arg type="o" direction="in"/><arg type="s" direction="in"/></method>
  <method name="SaveSecrets"><arg type="a{{sa{{sv}}}}" direction="in"/><arg type="o" direction="in"/></method>
  <method name="DeleteSecrets"><arg type="a{{sa{{sv}}}}" direction="in"/><arg type="o" direction="in"/></method>
</interface></node>"""


class Agent:
    def __init__(self, build):
        self.build, self.dialog = build, None
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, None)
        node = Gio.DBusNodeInfo.new_for_xml(INTROSPECTION)
        self.bus.register_object(PATH, node.interfaces[0], self.on_call, None, None)
        self.bus.call_sync(NAME, "/org/freedesktop/NetworkManager/AgentManager",
                           f"{NAME}.AgentManager", "RegisterWithCapabilities",
                           GLib.Variant("(su)", ("org.godwit.TestAgent", VPN_HINTS)), None,
                           Gio.DBusCallFlags.NONE, -1, None)

    def on_call(self, _bus, _sender, _path, _interface, method, arguments, invocation):
        if method == "GetSecrets":
            threading.Thread(target=self.get, args=(arguments.unpack(), invocation), daemon=True).start()
        else:
            if method == "CancelGetSecrets" and self.dialog:
                self.dialog.terminate()
            invocation.return_value(None)

    def get(self, arguments, invocation):
        connection, _, _, hints, flags = arguments
        secrets = self.ask(connection, hints, flags)
        if secrets is None:
            GLib.idle_add(invocation.return_dbus_error, f"{INTERFACE}.UserCanceled", "No answer.")
        else:
            answer = GLib.Variant("(a{sa{sv}})", (
                {"vpn": {"secrets": GLib.Variant("a{ss}", secrets)}},))
            GLib.idle_add(invocation.return_value, answer)

    def ask(self, connection, hints, flags):
        """As nm-applet did before it had windows of its own."""
        vpn, common = connection["vpn"], connection["connection"]
        command = [os.path.join(self.build, "nm-godwit-auth-dialog"), "-u", common["uuid"], "-n",
                   common["id"], "-s", vpn["service-type"]]
        command += ["-i"] if flags & ALLOW_INTERACTION else []
        command += ["-r"] if flags & REQUEST_NEW else []
        for hint in hints:
            command += ["-t", hint]
        self.dialog = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for kind, table in (("DATA", vpn.get("data", {})), ("SECRET", vpn.get("secrets", {}))):
            for key, value in table.items():
                self.dialog.stdin.write(f"{kind}_KEY={key}\n{kind}_VAL={value}\n\n")
        self.dialog.stdin.write("DONE\n\n")
        self.dialog.stdin.flush()
        lines = []
        for line in self.dialog.stdout:
            lines.append(line.rstrip("\n"))
            if lines[-2:] == ["", ""]:
                self.dialog.stdin.write("QUIT\n\n")
                self.dialog.stdin.flush()
                break
        if self.dialog.wait() != 0:
            return None
        return dict(zip(lines[:-2:2], lines[1:-2:2]))


if __name__ == "__main__":
    Agent(sys.argv[1])
    print("registered", flush=True)
    GLib.MainLoop().run()
