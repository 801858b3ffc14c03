# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose a connection of NetworkManager's is: what its owner may with it, and what nobody may."""

import os
import re

import bus
import gateway
import net
import networkmanager
from caller import Caller
from scenario import scenario
from scenarios.nm_service import by_value, start

PASSWORD = gateway.USERS["alice"]
PLUGIN = "org.freedesktop.NetworkManager.VPN.Plugin"


nmcli = networkmanager.NetworkManager.by_user


def must(done):
    code, said = done
    net.check(code == 0, f"exit code {code}: {said}")
    return said


def must_not(done, words):
    code, said = done
    net.check(code != 0 and re.search(words, said), f"exit code {code}, not '{words}': {said}")


def add_own(context, user, name, **keys):
    """A connection that this user makes for himself."""
    values = {"gateway": "vpn.example.org", "user": "alice",
              "ca": by_value(context.pki.certificate("root")), **keys}
    data = ", ".join(f"{key} = {value}" for key, value in values.items())
    return nmcli(user, "connection", "add", "type", "vpn", "con-name", name,
                 "vpn-type", "godwit", "vpn.data", data, "vpn.secrets", f"password={PASSWORD}",
                 "connection.permissions", f"user:{user}")


@scenario
def nm_keeps_users_apart(context):
    """alice1's own connection is nothing to bob1: neither NetworkManager nor godwitd shows it to him
    or lets him end it. She does both, and NetworkManager hears of it. What is for everybody is
    root's at godwitd."""
    _, manager = start(context, polkit=True)
    must(add_own(context, "alice1", "own"))
    must_not(nmcli("bob1", "connection", "up", "own"), "unknown connection|not.*authorized")
    must(nmcli("alice1", "connection", "up", "own"))
    net.ping(net.HOST4)
    net.check("own" in manager.bus.run("alice1", "status")[1], "alice1 does not see her connection")
    for command in (("status",), ("disconnect", "own")):
        code, said, errors = manager.bus.run("bob1", *command)
        net.check("10.77" not in said + errors, f"bob1 is told: {said}{errors}")
    net.check(code != 0, "bob1 ended the connection of alice1")
    net.check("no permission" in nmcli("bob1", "connection", "down", "own")[1], "bob1 ended it")
    net.ping(net.HOST4)
    code, _, errors = manager.bus.run("alice1", "disconnect", "own")
    net.check(code == 0, f"alice1's disconnect: {errors}")
    net.wait_until(lambda: "own" not in manager.nmcli("connection", "show", "--active"), 5,
                   "end of it in NetworkManager")
    for_everybody = ("connection", "modify", "own", "connection.permissions", "")
    must_not(nmcli("alice1", *for_everybody), "Insufficient privileges")
    manager.nmcli(*for_everybody)
    must(nmcli("alice1", "connection", "up", "own"))
    net.check("10.77" not in manager.bus.run("alice1", "status")[1], "it is alice1's at godwitd")
    net.check("10.77" in manager.bus.run(None, "status")[1], "root does not see it")


@scenario
def nm_opens_files_as_their_user(context):
    """A path in a connection, or among its secrets, is opened with the rights of the user that the
    connection belongs to."""
    _, manager = start(context, polkit=True)
    for name in ("alice1", "bob1"):
        path = f"{bus.USERS[name].home}/root.pem"
        with open(context.pki.certificate("root"), encoding="ascii") as file:
            bus.write(path, file.read(), 0o600)
        os.chown(path, bus.USERS[name].uid, bus.USERS[name].uid)
    must(add_own(context, "alice1", "own", ca=f"{bus.USERS['alice1'].home}/root.pem"))
    must(nmcli("alice1", "connection", "up", "own"))
    must(nmcli("alice1", "connection", "down", "own"))
    others = f"{bus.USERS['bob1'].home}/root.pem"
    must(add_own(context, "alice1", "others", ca=others))
    must_not(nmcli("alice1", "connection", "up", "others"), "failed")
    must(add_own(context, "alice1", "secret", auth="certificate"))
    must(nmcli("alice1", "connection", "modify", "secret", "vpn.secrets", f"private-key={others}"))
    must_not(nmcli("alice1", "connection", "up", "secret"), "failed")
    for key in ("ca", "private-key"):
        net.check(f"{key}: {others}: Permission denied" in manager.log(),
                  f"{key} of bob1 was not refused: {manager.log()[-500:]}")


@scenario
def nm_gives_no_rights_that_a_user_lacks(context):
    """A kill switch that lasts is the administrator's, and the service on the bus is
    NetworkManager's alone."""
    _, manager = start(context, polkit=True)
    must(add_own(context, "alice1", "own", **{"kill-switch": "always"}))
    must_not(nmcli("alice1", "connection", "up", "own"), "failed")
    net.check("Only a connection for everybody" in manager.log(), manager.log()[-500:])
    net.check(net.run("nft", "list", "ruleset") == "", "alice1 has set the firewall")
    must(nmcli("alice1", "connection", "modify", "own", "+vpn.data", "kill-switch = connected"))
    must(nmcli("alice1", "connection", "up", "own"))
    names = manager.service_names()
    net.check(len(names) == 1, f"services on the bus: {names}")
    alice = Caller(bus.USERS["alice1"])
    for method, arguments in (("Disconnect", "()"), ("Connect", "(@a{sa{sv}} {},)"),
                              ("NewSecrets", "(@a{sa{sv}} {},)")):
        alice.refused("AccessDenied", "/org/freedesktop/NetworkManager/VPN/Plugin", PLUGIN, method,
                      arguments, to=names[0])
    alice.refused("AccessDenied", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                  f"('{networkmanager.SERVICE}.Connection_77', uint32 0)", to="org.freedesktop.DBus")
    net.ping(net.HOST4)
