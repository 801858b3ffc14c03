# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that NetworkManager makes through our VPN service and godwitd."""

import base64
import os
import re

import bus
import client
import gateway
import net
import networkmanager
import pki
from scenario import scenario

SERVICE = "nm-godwit-servi"  # as the kernel cuts it
PASSWORD = gateway.USERS["alice"]


def start(context, polkit=False, others=(), **options):
    """(the gateway, NetworkManager with cl0 up)."""
    host = gateway.Gateway(context.pki)
    host.start(**options)
    net.batch(None, "addr flush dev cl0", "link set cl0 down")
    manager = networkmanager.NetworkManager(context, polkit=polkit, others=others)
    manager.wired("cl0", f"{net.CLIENT4}/24", net.GATEWAY4)
    return host, manager


def by_value(path):
    with open(path, "rb") as file:
        return "base64:" + base64.b64encode(file.read()).decode()


def data(context, authority="root", **keys):
    """vpn.data: the usual connection by name and password, its authority by value."""
    values = {"gateway": "vpn.example.org", "user": "alice",
              "ca": by_value(context.pki.certificate(authority)), **keys}
    return ", ".join(f"{key} = {value}" for key, value in values.items())


def add(manager, context, name="work", password=PASSWORD, **keys):
    """Without the "ifname --" of many a guide, which makes an interface called "--": GNOME Settings
    lists no VPN that names one."""
    manager.nmcli("connection", "add", "type", "vpn", "con-name", name, "vpn-type",
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
    net.wait_until(lambda: not client.processes(SERVICE), 20, "end of the service")


@scenario
def nm_has_ipv6_alone(context):
    """On the way to the gateway and inside."""
    connection = gateway.default_connection()
    connection["pools"] = "pool6"
    connection["children"]["net"]["local_ts"] = "::/0"
    _, manager = start(context, connections={"rw": connection})
    net.run("sysctl", "-q", "-w", "net.ipv6.conf.cl0.disable_ipv6=0")
    manager.nmcli("connection", "modify", "wired-cl0", "ipv4.method", "disabled",
                  "ipv4.addresses", "", "ipv4.gateway", "", "ipv6.method", "manual",
                  "ipv6.addresses", f"{net.CLIENT6}/64", "ipv6.gateway", net.GATEWAY6)
    manager.nmcli("connection", "up", "wired-cl0")
    add(manager, context, gateway=net.GATEWAY6, **{"remote-identity": "vpn.example.org"})
    manager.nmcli("connection", "up", "work")
    net.ping(net.HOST6)
    net.check("godwit0" in net.run("ip", "-6", "route", "get", net.FAR_HOST6), "not through the tunnel")
    net.check("godwit0" not in net.run("ip", "-4", "address"), "it has an address of IPv4")
    manager.nmcli("connection", "down", "work")


@scenario
def nm_runs_several_at_once(context):
    """Two connections, each with a service process of its own; one goes, the other stays."""
    connection = gateway.default_connection()
    connection["children"]["net"]["local_ts"] = f"{net.SPLIT4}, {net.SPLIT6}"
    _, manager = start(context, connections={"rw": connection})
    for name in ("work", "lab"):
        add(manager, context, name=name, tunnel="split")
        manager.nmcli("connection", "up", name)
    net.check(len(client.processes(SERVICE)) == 2, "not two services")
    net.check("godwit" in net.run("ip", "route", "get", net.HOST4), "not through a tunnel")
    net.check("godwit" not in net.run("ip", "route", "get", net.FAR_HOST4), "all through a tunnel")
    manager.nmcli("connection", "down", "work")
    net.ping(net.HOST4)
    manager.nmcli("connection", "down", "lab")


@scenario
def nm_asks_for_the_password(context):
    """No secret is kept: nmcli asks on the terminal what our dialog tells it to ask."""
    _, manager = start(context)
    add(manager, context, password=None)
    manager.nmcli("connection", "modify", "work", "+vpn.data", "password-flags = 2")
    terminal = manager.terminal("connection", "up", "work")
    terminal.read_until("Password.*: *$", 10)
    terminal.type(PASSWORD + "\n")
    terminal.read_until("successfully activated", 20)
    net.ping(net.HOST4)
    manager.nmcli("connection", "down", "work")


@scenario
def nm_asks_in_the_middle(context):
    """The worker finds that the private key is encrypted; nmcli asks for its password."""
    name = "user-ecdsa256"
    _, manager = start(context, connections={"rw": gateway.certificate_connection()})
    manager.nmcli("connection", "add", "type", "vpn", "con-name", "work", "vpn-type",
                  "godwit", "vpn.data", data(context, auth="certificate",
                                             certificate=by_value(context.pki.certificate(name))))
    key = by_value(context.pki.encrypted_key(name))
    manager.nmcli("connection", "modify", "work", "vpn.secrets", f"private-key={key}")
    terminal = manager.terminal("connection", "up", "work")
    terminal.read_until("rivate key's password.*: *$", 10)
    terminal.type(pki.KEY_PASSWORD + "\n")
    terminal.read_until("successfully activated", 20)
    net.ping(net.HOST4)
    manager.nmcli("connection", "down", "work")


@scenario
def nm_asks_for_what_was_not_required(context):
    """NetworkManager was told that no password is needed, but the gateway wants one: it is asked for
    in the middle, with no words of the gateway's."""
    _, manager = start(context)
    add(manager, context, password=None, **{"password-flags": "4"})
    terminal = manager.terminal("connection", "up", "work")
    terminal.read_until("Password.*: *$", 10)
    net.check("UTF-8" not in terminal.output, f"it says: {terminal.output}")
    terminal.type(PASSWORD + "\n")
    terminal.read_until("successfully activated", 20)
    net.ping(net.HOST4)
    manager.nmcli("connection", "down", "work")


STRONGSWAN = """[connection]
id=office
type=vpn
[vpn]
service-type=org.freedesktop.NetworkManager.strongswan
address=vpn.example.org
certificate={certificate}
encap=no
ipcomp=no
method=eap
password-flags=0
proposal=yes
ike=aes256gcm16-prfsha384-x25519;aes256-sha256-modp2048
esp=aes256gcm16
user=alice
virtual=yes
[vpn-secrets]
password={password}
"""


@scenario
def nm_imports_and_exports(context):
    """A connection of NetworkManager-strongswan becomes one of ours and works; exported and imported
    again it is the same."""
    _, manager = start(context)
    with open("/run/bed/office.nmconnection", "w", encoding="utf-8") as file:
        file.write(STRONGSWAN.format(certificate=context.pki.certificate("root"), password=PASSWORD))
    manager.nmcli("connection", "import", "type", "godwit", "file", "/run/bed/office.nmconnection")
    manager.nmcli("connection", "up", "office")
    net.ping(net.HOST4)
    manager.nmcli("connection", "down", "office")
    # What nmcli exports has no secrets.
    shown = ("-g", "vpn.data", "connection", "show", "office")
    first = manager.nmcli(*shown)
    manager.nmcli("connection", "export", "office", "/run/bed/office.conf")
    manager.nmcli("connection", "delete", "office")
    manager.nmcli("connection", "import", "type", "godwit", "file", "/run/bed/office.conf")
    second = manager.nmcli(*shown)
    net.check("aes256gcm16-prfsha384-x25519" in first and second == first,
              f"it is another connection after export and import: {first} {second}")


@scenario
def nm_imports_where_a_secret_is_kept(context):
    """What NetworkManager-strongswan keeps in the keyring, or asks for each time, so do we."""
    _, manager = start(context)
    text = STRONGSWAN.format(certificate=context.pki.certificate("root"), password="").replace(
        "password-flags=0", "password-flags={flags}").partition("[vpn-secrets]")[0]
    for method, key in (("eap", "password"), ("psk", "psk")):
        for flags in (1, 2):
            bus.write("/run/bed/office.nmconnection", text.format(flags=flags).replace(
                "method=eap", f"method={method}"))
            manager.nmcli("connection", "import", "type", "godwit", "file",
                          "/run/bed/office.nmconnection")
            data = manager.nmcli("-g", "vpn.data", "connection", "show", "office")
            net.check(f"{key}-flags = {flags}" in data, f"{method}, {flags}: {data}")
            manager.nmcli("connection", "delete", "office")


CUT = "[godwit]\ngatew"
CONTROL = ("[connection]\nid=of\\nfice\n[vpn]\naddress=vpn.example.org\nmethod=eap\n"
           "service-type=org.freedesktop.NetworkManager.strongswan\n")
# What a file holds, and the word that the refusal must have.
REFUSED = {
    "empty": (b"", "empty"),
    "cut": (CUT.encode(), "neither key=value"),
    "binary": (bytes(range(256)) * 16, "unknown group|must come first"),
    "unknown": (b"[godwit]\ngatway=vpn.example.org\n", 'did you mean "gateway"'),
    "type": (b"[godwit]\ngateway=vpn.example.org\nport=many\n", "port"),
    "newline": (b"[godwit]\ngateway=vpn.example.org\nuser=a\\nb\n", "user: .*control"),
    "escape": (b"[godwit]\ngateway=vpn.example.org\nuser=a\x1b[2Jb\n", "user: .*control"),
    "encoding": (b"[godwit]\ngateway=vpn.example.org\nuser=a\xff\xfeb\n", "user: .*UTF-8"),
    "key": (b"[godwit]\ngate\x1b[2Jway=x\n", "unknown key"),
    "theirs": (CONTROL.encode(), "control"),
    "agent": (STRONGSWAN.replace("method=eap", "method=age\\tnt").encode(), 'authenticate, "age.nt"'),
    "named": (b"[godwit]\ngateway=vpn.example.org\nca=/run/bed/pipe\n", "not a regular file"),
}


@scenario
def nm_refuses_what_it_cannot_import(context):
    """Each with one clear line, without a control character, and nothing is imported."""
    _, manager = start(context)
    os.mkfifo("/run/bed/pipe")
    os.mkdir("/run/bed/folder")
    with open("/run/bed/huge", "wb") as file:
        file.truncate(100 << 20)
    bus.write("/run/bed/secret", "[godwit]\ngateway=vpn.example.org\n", 0o600)
    for name, (content, _) in REFUSED.items():
        with open(f"/run/bed/{name}", "wb") as file:
            file.write(content)
    words = {"huge": "larger", "pipe": "not a regular file", "folder": "folder",
             "absent": "No such file", "secret": "Permission denied",
             **{name: word for name, (_, word) in REFUSED.items()}}
    for name, word in words.items():
        code, said = manager.by_user("alice1", "connection", "import", "type", "godwit", "file",
                                     f"/run/bed/{name}", timeout=10)
        net.check(code != 0 and re.search(word, said), f"{name}: {said}")
        net.check(said.count("\n") == 1 and said.strip().isprintable(), f"{name}: {said!r}")
    net.check(manager.nmcli("-g", "TYPE", "connection", "show").count("vpn") == 0,
              "something was imported")
    # What is no name in the name of a file is no reason to refuse.
    path = "/run/bed/of\x1bfice\nother.conf"
    bus.write(path, "[godwit]\ngateway=vpn.example.org\n")
    said = manager.nmcli("connection", "import", "type", "godwit", "file", path)
    net.check("of?fice?other" in said, f"it is called: {said!r}")
