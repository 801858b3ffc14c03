# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that NetworkManager makes through our VPN service and godwitd."""

import base64

import client
import gateway
import net
import networkmanager
from scenario import scenario

PASSWORD = gateway.USERS["alice"]


def start(context, **options):
    """(the gateway, NetworkManager with cl0 up)."""
    host = gateway.Gateway(context.pki)
    host.start(**options)
    net.batch(None, "addr flush dev cl0", "link set cl0 down")
    manager = networkmanager.NetworkManager(context)
    manager.wired("cl0", f"{net.CLIENT4}/24", net.GATEWAY4)
    return host, manager


def data(context, **keys):
    """vpn.data: the usual connection by name and password, its authority by value."""
    with open(context.pki.certificate("root"), "rb") as file:
        authority = base64.b64encode(file.read()).decode()
    values = {"gateway": "vpn.example.org", "user": "alice", "ca": f"base64:{authority}", **keys}
    return ", ".join(f"{key.replace('_', '-')} = {value}" for key, value in values.items())


def add(manager, context, name="work", password=PASSWORD, **keys):
    manager.nmcli("connection", "add", "type", "vpn", "con-name", name, "ifname", "--", "vpn-type",
                  "godwit", "vpn.data", data(context, **keys))
    if password:
        manager.nmcli("connection", "modify", name, "vpn.secrets", f"password={password}")


@scenario
def nm_connects(context):
    """Up by nmcli, traffic through it, addresses and routes set by NetworkManager, down again."""
    _, manager = start(context)
    add(manager, context)
    manager.nmcli("connection", "up", "work")
    net.ping(net.HOST4)
    net.check("godwit0" in net.run("ip", "route", "get", net.FAR_HOST4), "not through the tunnel")
    manager.nmcli("connection", "down", "work")
    net.wait_until(lambda: not client.processes("godwit-tunnel"), 5, "end of the worker")
    net.wait_until(lambda: not client.processes("nm-godwit-service"), 20, "end of the service")
