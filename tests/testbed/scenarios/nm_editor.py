# SPDX-License-Identifier: GPL-2.0-or-later
"""The connection editor: in nm-connection-editor over NetworkManager, and in windows of both GTKs."""

import os
import re

import desktop
import editor_form
import gateway
import net
import networkmanager
import tokens
from scenario import scenario, scenario_for
from scenarios import nm_service

GTKS = (3, 4)


def expected(context, keys):
    """What a connection with these keys holds."""
    values = {}
    for key in keys:
        # What is chosen already cannot be chosen again.
        if key.name not in editor_form.HIDDEN and (key.name, key.value) != ("auth", "eap"):
            values[key.name] = (editor_form.by_value(key.value) if key.type == "file" else key.value)
    if "timeout" in values:  # NetworkManager's own, which waits a little longer than we do
        values["timeout"] = str(int(values["timeout"]) + 2)
    return values


def with_files(context, methods):
    files = {"ca": context.pki.certificate("root"),
             "certificate": context.pki.certificate("user-rsa2048"),
             "private-key": context.pki.key("user-rsa2048")}
    for keys in methods.values():
        for key in keys:
            if key.type == "file":
                key.value = files[key.name]
    return methods


def without_flags(found):
    return {key: text for key, text in found.items() if not key.endswith("-flags")}


def tell(context, way, found):
    """What was read again, for people: build/keys/WAY.txt."""
    os.makedirs(f"{context.build}/keys", exist_ok=True)
    with open(f"{context.build}/keys/{way}.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{key:24}{text[:50]}\n" for key, text in sorted(found.items()))


def check_same(found, wanted, way):
    different = sorted(key for key in wanted.keys() | found.keys()
                       if found.get(key) != wanted.get(key))
    net.check(not different, f"{way}: " + "; ".join(
        f"{key} is {found.get(key)!r:.80}, not {wanted.get(key)!r:.80}" for key in different))


def fresh(methods, method):
    """The keys of a method that no method before it has, and what it cannot do without."""
    before = [key.name for other in list(methods)[:list(methods).index(method)]
              for key in methods[other]]
    return [key for key in methods[method] if key.name not in editor_form.HIDDEN
            and (key.name not in before or key.name in ("gateway", "auth"))]


@scenario_for([(gtk, method) for gtk in GTKS for method in ("eap", "certificate", "psk")],
              lambda case: f"editor_keys_gtk{case[0]}_{case[1]}", timeout=120, bare=True)
def editor_sets_every_key(context, case):
    """Every key of the table by hand, saved, opened and saved again: it is the same."""
    gtk, method = case
    keys = fresh(with_files(context, editor_form.key_table(context)), method)
    wanted = expected(context, keys)
    screen = desktop.Desktop(context)
    form = editor_form.Form(context, screen, gtk)
    form.set_all([key for key in keys if key.name == "auth"])
    form.set_all([key for key in keys if key.name != "auth"])
    found = without_flags(form.save())
    check_same(found, wanted, f"GTK {gtk}")
    tell(context, f"gtk{gtk}-{method}", found)
    form.close()
    return f"{len(wanted)} keys"


@scenario(timeout=120, bare=True)
def editor_key_table(context):
    """Every key that is no secret by nmcli, exported and imported again: what was set is what is
    read. A key that the table gains is tested by itself."""
    manager = networkmanager.NetworkManager(context)
    methods = with_files(context, editor_form.key_table(context))
    seen = set()
    for method, keys in methods.items():
        wanted = expected(context, keys)
        wanted["auth"] = method
        secrets = {name: wanted.pop(name) for name in list(wanted) if name in editor_form.SECRETS}
        add(manager, method, wanted)
        check_same(data_of(method), wanted, "nmcli")
        tell(context, f"nmcli-{method}", wanted)
        manager.nmcli("connection", "export", method, f"/run/bed/{method}.conf")
        with open(f"/run/bed/{method}.conf", "a", encoding="utf-8") as file:
            if "private-key" in secrets:  # without it nothing can be imported
                file.write(f"private-key={secrets['private-key']}\n")
        manager.nmcli("connection", "delete", method)
        manager.nmcli("connection", "import", "type", "godwit", "file", f"/run/bed/{method}.conf")
        found = {key: text for key, text in data_of(method).items()
                 if key not in editor_form.SECRETS}
        check_same(found, wanted, "export and import")
        tell(context, f"import-{method}", found)
        seen |= wanted.keys()
    return f"{len(seen)} keys"


def add(manager, name, data):
    escaped = ",".join(f"{key}={text}".replace("\\", "\\\\").replace(",", "\\,")
                       for key, text in data.items())
    manager.nmcli("connection", "add", "type", "vpn", "con-name", name, "vpn-type",
                  "godwit", "vpn.data", escaped)


def data_of(name):
    """Of the connection's file, where there is one of that name."""
    folder = "/etc/NetworkManager/system-connections"
    return without_flags(editor_form.key_file(os.path.join(folder, f"{name}.nmconnection")))


# ---- nm-connection-editor over NetworkManager ----

def edit(screen, manager, name):
    """The window of that connection, at the page of the editor."""
    uuid = manager.nmcli("-g", "connection.uuid", "connection", "show", name).strip()
    screen.start("nm-connection-editor", f"--edit={uuid}")
    window = screen.find("frame", f"Editing {name}")
    screen.find("text", "Gateway", window)
    return window


def save(screen, window):
    button = screen.find("push button", "Save", window)
    screen.wait_for(lambda: "SENSITIVE" in button.states, "a connection that can be saved")
    button.act()


@scenario(timeout=60, bare=True)
def nm_editor_creates(context):
    """nm-connection-editor makes a connection with our form; nmcli has what was typed."""
    manager = networkmanager.NetworkManager(context)
    screen = desktop.Desktop(context)
    window = editor_form.start_new(screen)
    screen.type_into("Gateway", "vpn.example.org", window)
    screen.type_into("User name", "alice", window)
    screen.type_into("Password", "s e c r e t", window)
    screen.choose(screen.find("combo box", "Password: where it is kept", window),
                  "Kept for all users", 1)
    screen.take_picture("nm-connection-editor")
    save(screen, window)
    screen.wait_for(lambda: "VPN connection 1" in manager.nmcli("-g", "NAME", "connection"),
                    "saved connection")
    found = editor_form.key_file("/etc/NetworkManager/system-connections/VPN connection 1.nmconnection")
    check_same(without_flags(found), {"gateway": "vpn.example.org", "user": "alice",
                                      "password": "s e c r e t"}, "nm-connection-editor")


@scenario(timeout=60, bare=True)
def nm_editor_keeps(context):
    """One key is changed; what the form does not know, and what is wrong, stays as it was."""
    manager = networkmanager.NetworkManager(context)
    screen = desktop.Desktop(context)
    before = {"gateway": "vpn.example.org", "user": "alice", "zz-of-the-future": "1=2",
              "mtu": "abc", "mobike": "perhaps", "tunnel": "sideways", "dns-servers": "x" * 65536}
    add(manager, "work", before)
    window = edit(screen, manager, "work")
    screen.type_into("User name", "bob", window)
    save(screen, window)
    screen.wait_for(lambda: data_of("work").get("user") == "bob", "saved connection")
    check_same(data_of("work"), {**before, "user": "bob"}, "nm-connection-editor")


# ---- what is wrong ----

@scenario_for(GTKS, lambda gtk: f"editor_says_why_gtk{gtk}", timeout=60, bare=True)
def editor_says_why(context, gtk):
    """The reason stands beside the field, a screen reader is told it, and nothing can be saved."""
    screen = desktop.Desktop(context)
    form = editor_form.Form(context, screen, gtk, "gateway=vpn.example.org\n")
    fields = form.fields()
    for label, text, reason in (
            ("Gateway", "https://vpn", "a host name or an address is wanted, not a URL"),
            ("Gateway", "vpn example", "neither a host name nor an address"),
            ("Gateway", "", "missing"),
            ("Gateway's identity", "a\nb", "it contains a control character"),
            ("Own identity", "a\x1b[31m", "it contains a control character"),
            ("User name", "x" * 1025, "longer than 1024 octets"),
            ("User name", "a\u202eb", "it contains a control character"),
            ("Password", "a\nb", "it contains a control character")):
        before = fields[label].text
        screen.fill(fields[label], text)
        screen.find("label", f".*{reason}")
        screen.wait_for(lambda: reason in fields[label].description, f"'{reason}' in its description")
        screen.wait_for(lambda: reason in form.said(), f"'{reason}' as the reason not to save")
        net.check("SENSITIVE" not in fields["Save"].states, f"{label} {text!r} can be saved")
        screen.fill(fields[label], before)
        screen.wait_for(lambda: form.said() == "good", "a connection that is right again")


@scenario_for(GTKS, lambda gtk: f"editor_offers_tokens_gtk{gtk}", timeout=60, bare=True)
def editor_offers_tokens(context, gtk):
    """The choice among tokens opens, is left in two ways, and the editor lives on."""
    screen = desktop.Desktop(context)
    form = editor_form.Form(context, screen, gtk, "gateway=vpn.example.org\nauth=certificate\n")
    for leave in (lambda dialog: screen.press("push button", "Cancel", dialog),
                  lambda dialog: screen.wait_for(lambda: screen.key("Escape") or not screen.all(
                      "dialog", "Certificate"), "end by Escape")):
        screen.press("push button", "Certificate: On a token….*", form.window)
        dialog = screen.find("dialog", "Certificate")
        screen.find("label", "User certificate", dialog)
        leave(dialog)
        screen.wait_gone("dialog", "Certificate")
    net.check(form.said().startswith("Certificate: missing"), form.said())


# libnma's dialog for what is on a token.
CHOOSER = "Choose a User Certificate"


def is_active(window):
    return net.run("xdotool", "getactivewindow", "getwindowname", ok=False).strip() == window


def until_active(screen, window, is_ready, do):
    """That window has the keyboard; what is done goes to another one, as long as that is ready for it,
    and again when it was not quite."""
    def done():
        if not is_active(window) and is_ready():
            do()
        return screen.becomes(lambda: is_active(window), 1)
    screen.wait_for(done, f"window {window!r}")


def double_click_first():
    """The first row in the chooser of GTK 3: neither a screen reader nor the Tab key reaches it, for
    its program answers nobody while it is open."""
    net.run("xdotool", "search", "--onlyvisible", "--name", f"^{CHOOSER}$", "mousemove", "--window",
            "%1", "60", "90", "click", "--repeat", "2", "--delay", "20", "1", ok=False)


def pick(screen, gtk, label):
    """In libnma's dialogs: the token, then what is on it."""
    dialog = screen.find("dialog", label)
    screen.wait_for(lambda: is_active(label), f"window {label!r}")
    if gtk == 3:
        # That for the certificate; the one for its key waits.
        tokens_of = screen.wait_for(lambda: [node for node in screen.all("combo box", within=dialog)
                                             if "SENSITIVE" in node.states], "list of tokens")[0]
        screen.find("menu item", "Alice…", tokens_of).act(wait=False)
        screen.wait_for(lambda: is_active(CHOOSER), f"window {CHOOSER!r}")
        until_active(screen, label, lambda: is_active(CHOOSER), double_click_first)
    else:
        screen.all("push button", within=dialog)[0].act()
        until_active(screen, CHOOSER, lambda: screen.all("widget", "GtkTreePopover"),
                     lambda: screen.key("Down", "Return"))
        until_active(screen, label, lambda: is_active(CHOOSER), lambda: screen.key("Home", "Return"))
    screen.press("push button", "OK", dialog)
    screen.wait_gone("dialog", label)


@scenario_for(GTKS, lambda gtk: f"editor_picks_from_a_token_gtk{gtk}", timeout=60)
def editor_picks_from_a_token(context, gtk):
    """A certificate on a token is chosen in libnma's dialog; what is saved connects."""
    _, manager = nm_service.start(context, connections={"rw": gateway.certificate_connection()})
    tokens.Token(context).forget_public_key()
    screen = desktop.Desktop(context)
    form = editor_form.Form(context, screen, gtk, "gateway=vpn.example.org\nauth=certificate\n")
    screen.press("push button", "Certificate: On a token….*", form.window)
    pick(screen, gtk, "Certificate")
    screen.wait_for(lambda: form.said() == "good", "a connection that is right")
    found = without_flags(form.save())
    form.close()
    net.check(re.search("^pkcs11:.*token=Alice;.*type=cert", found["certificate"]), f"{found}")
    add(manager, "work", {**found, "ca": editor_form.by_value(context.pki.certificate("root"))})
    manager.nmcli("connection", "modify", "work", "vpn.secrets",
                  f"private-key-password={tokens.PIN}")
    manager.nmcli("connection", "up", "work")
    net.ping(net.HOST4)
    manager.nmcli("connection", "down", "work")


@scenario_for(GTKS, lambda gtk: f"editor_leaves_nothing_gtk{gtk}", timeout=120, bare=True)
def editor_leaves_nothing(context, gtk):
    """Opened and closed 200 times: every editor ends, and memory does not grow."""
    screen = desktop.Desktop(context)
    ended, there, octets = editor_form.cycles(context, screen, gtk, 200)
    net.check(ended == there, f"{there - ended} of {there} objects stayed")
    net.check(octets < 4096, f"{octets} octets more with each editor")
    return f"{octets} octets more each time"
