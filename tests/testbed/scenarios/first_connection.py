# SPDX-License-Identifier: GPL-2.0-or-later
"""A new user's first connection in godwit-tray: server, name, password, Connect. Its pictures are
build/pictures/first-connection-*."""

import os

import gateway
import keyring
import net
import sandbox
import tray
from scenario import scenario, scenario_for

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
SERVER = "vpn.example.org"
# So that there is time for a picture of the progress.
SILENCE = "table inet silent { chain in { type filter hook input priority 0; meta l4proto udp drop; }; }"

FEW = 10  # changes in two seconds: a spinner makes many more


def trust_authority(context):
    """As if the gateway's certificate came from one that every computer knows."""
    sandbox.mount(context.pki.certificate("root"), AUTHORITIES, None, sandbox.MS_BIND)


def enlarge(screen, size=(480, 760)):
    for change in (("windowsize", *map(str, size)), ("windowmove", "10", "10")):
        net.run("xdotool", "search", "--name", "^Godwit$", *change)


def focus(screen, name):
    screen.wait_for(lambda: screen.focused() and screen.focused().name == name, f"focus on {name}")


def open_page(screen):
    """Where there are connections already."""
    screen.activate(screen.find("frame", "Godwit"))
    screen.wait_for(lambda: screen.all("list item", "office"), "list")
    screen.key("ctrl+n")
    screen.wait_for(lambda: "FOCUSED" in screen.find("text").states, "focus in the first field")


def fill_in(screen, server=SERVER, user="alice", password=gateway.USERS["alice"]):
    """By the keyboard alone, as the focus goes."""
    screen.activate(screen.find("frame", "Godwit"))
    for name, text in (("Server", server), ("User Name", user), ("Password", password)):
        focus(screen, name)
        screen.type_keys(text)
        if name != "Password":
            screen.key("Return")


@scenario(timeout=60)
def first_connection(context):
    """Four actions from the start of the app to a working tunnel; the profile is there afterwards."""
    trust_authority(context)
    _, _, screen, _, program = tray.start(context, size=(500, 800))
    net.run("nft", "-f", "-", namespace="gw", input_text=SILENCE)
    program.start()
    screen.find("label", "Connect to a VPN")
    enlarge(screen)
    screen.take_picture("first-connection-1")
    fill_in(screen)
    screen.take_picture("first-connection-2")
    path = program.path_of(SERVER)
    screen.key("Return")
    screen.find("label", "Connecting.*")
    net.check(not os.path.exists(path), "it is written before it has worked")
    screen.take_picture("first-connection-3")
    net.run("nft", "delete", "table", "inet", "silent", namespace="gw")
    screen.find("label", "Verified Identity")
    net.ping(net.HOST4)
    screen.take_picture("first-connection-4")
    text = program.read_profile(path)
    net.check("password" not in text and "user=alice" in text and "gateway=vpn.example.org" in text, text)


@scenario(timeout=60)
def first_connection_is_mended(context):
    """A wrong password is told on the page, with all that was typed; the right one goes into the
    keyring, and nothing is asked the next time."""
    trust_authority(context)
    _, _, screen, _, program = tray.start(context, panel=None, size=(500, 800))
    keys = keyring.Keyring()
    program.start()
    enlarge(screen)
    fill_in(screen, password="wrong")
    screen.tick(screen.find("check box", "Remember the password"))
    screen.press("push button", "Connect")
    screen.find("label", f"{SERVER}: The gateway refused the credentials.")
    screen.find("push button", "Show Trace")
    focus(screen, "Password")
    screen.take_picture("first-connection-refused")
    net.check(not os.path.exists(program.path_of(SERVER)), "it is written and does not work")
    net.check(screen.find("text", "User Name").text == "alice", "what was typed is gone")
    place = screen.find("push button", "Connect").place
    screen.type_into("Password", gateway.USERS["alice"])
    screen.still()
    now = screen.find("push button", "Connect").place
    net.check(now == place, f"Connect was at {place} and is at {now} once one types")
    screen.press("push button", "Connect")
    program.wait_icon("on")
    screen.wait_for(lambda: keys.lookup_profile(SERVER, SERVER) == gateway.USERS["alice"],
                    "password in the keyring")


WRONG = {
    "server": (SERVER, None, "Nothing listens for IKE on the gateway's host.", "Server", None),
    "host": ("not a host", None, None, "Server", "Server: .*"),
    "method": (SERVER, gateway.certificate_connection, "The gateway refused the credentials.",
               "More Settings…", "If the gateway wants a certificate.*"),
}


@scenario_for(WRONG, lambda case: f"first_connection_points_to_{case}", timeout=60)
def first_connection_points(context, case):
    """To the field where it can be mended, in words where the failure has none."""
    server, connection, sentence, name, advice = WRONG[case]
    trust_authority(context)
    options = {"connections": {"rw": connection()}} if connection else {}
    host, _, screen, _, program = tray.start(context, panel=None, gateway_options=options,
                                             size=(500, 800))
    if case == "server":
        host.stop()
    program.start()
    enlarge(screen)
    fill_in(screen, server)
    screen.key("Return")
    if sentence:
        screen.find("label", f"{server}: {sentence}")
    if advice:
        screen.find("alert", advice)
    focus(screen, name)
    screen.take_picture(f"first-connection-points-to-{case}")


@scenario(bare=True, timeout=60)
def first_connection_is_cancelled(context):
    """While it is tried; what was typed stays, and can be taken to the form of all settings."""
    stage, screen, _, program = tray.start_stage(context, panel=None)
    stage.play("phase|init|;wait")
    program.start()
    open_page(screen)
    fill_in(screen)
    screen.key("Return")
    screen.find("label", "Connecting.*")
    focus(screen, "Cancel")
    screen.key("Return")
    focus(screen, "Connect")
    net.check(program.icon() == "off", f"the icon is {program.icon()}")
    net.check(not os.path.exists(program.path_of(SERVER)), "it is written without a connection")
    screen.press("push button", "More Settings…")
    screen.find("frame", "New Connection")
    screen.take_picture("tray-new")
    screen.press("push button", "Save")
    screen.wait_for(lambda: os.path.exists(program.path_of(SERVER)), "file")
    screen.find("push button", f"Details of {SERVER}")


@scenario_for((True, False), lambda moves: f"first_connection_{'moves' if moves else 'stands_still'}",
              bare=True, timeout=60)
def first_connection_moves(context, moves):
    """Something moves while it is tried, except for those who want nothing to move; for them what is
    shown of a connection changes with what it tells alone."""
    stage, screen, _, program = tray.start_stage(context, size=(500, 800), animations=moves)
    stage.play("phase|init|;wait")
    program.start()
    open_page(screen)
    for name, text in (("Server", SERVER), ("User Name", "alice"), ("Password", "correct horse")):
        screen.type_into(name, text)
    screen.press("push button", "Connect")
    screen.find("label", "Connecting.*")
    if moves:
        screen.wait_for(lambda: screen.changes() > FEW, "movement")
        return
    screen.wait_for(lambda: screen.changes() == 0, "time in which nothing moves")
    screen.press("push button", "Cancel")
    focus(screen, "Connect")
    stage.play("connect|full;traffic;phase|reconnecting|x;wait")
    stage.begin("work")
    program.wait_icon("roaming")
    screen.key("alt+Left")
    screen.press("push button", "Details of work")
    screen.find("label", "Verified Identity")
    # The time, and rates where there are some, once a second; each may be seen half drawn.
    screen.wait_for(lambda: screen.changes() <= FEW, "time in which next to nothing moves")


LOOKS = {"dark": {"dark": True}, "german": {"language": "de"}}


@scenario_for(LOOKS, lambda look: f"first_connection_looks_{look}", bare=True, timeout=60)
def first_connection_looks(context, look):
    """For somebody to look at: build/pictures/first-connection-*."""
    _, screen, _, program = tray.start_stage(context, panel=None, size=(500, 800), **LOOKS[look])
    program.start()
    enlarge(screen)
    open_page(screen)
    screen.take_picture(f"first-connection-{look}")


@scenario(timeout=90)
def first_connection_trusts(context):
    """A gateway that nobody vouches for is asked about, with its facts; the second connection asks
    nothing, and one with another certificate is warned of."""
    options = {"connections": {"rw": gateway.default_connection("gw-self-signed")}}
    host, _, screen, _, program = tray.start(context, panel=None, gateway_options=options,
                                             size=(600, 900))
    program.start()
    enlarge(screen)
    fill_in(screen, password="wrong")
    screen.key("Return")
    dialog = screen.find("dialog")
    screen.find("label", "Is this your gateway\\?", dialog)
    screen.find("alert", "It has made its certificate itself.*", dialog)
    net.check("EAP/RES" not in host.log(), "something of the user's has left")
    screen.take_picture("first-connection-trust")
    screen.press("push button", "Trust", dialog)
    # Nobody is asked about it again when the password is another one.
    screen.find("label", f"{SERVER}: The gateway refused the credentials.")
    screen.type_into("Password", gateway.USERS["alice"])
    screen.press("push button", "Connect")
    program.wait_icon("on")
    net.ping(net.HOST4)
    net.check("gateway-fingerprint=" in program.read_profile(program.path_of(SERVER)), "it is not pinned")
    screen.press("push button", "Disconnect")
    program.wait_icon("off")
    screen.press("push button", "Connect", screen.find("frame", "Godwit"))
    screen.fill(screen.find("password text", "Password", screen.find("dialog")), gateway.USERS["alice"])
    screen.find("label", f"Sign in to .*{SERVER}.*")
    screen.press("push button", "Connect", screen.find("dialog"))
    program.wait_icon("on")
    screen.press("push button", "Disconnect")
    program.wait_icon("off")
    host.stop()
    host.start({"rw": gateway.default_connection("gw-ecdsa256")})
    program.choose(SERVER)
    screen.find("label", "This Is Not the Gateway That You Trusted")
    screen.take_picture("first-connection-changed")
    program.wait_icon("attention")
