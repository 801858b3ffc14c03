# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkManager's auth dialog: its window, GNOME's keyring, and agents of several kinds."""

import os
import signal
import sys
import time

import client
import desktop
import keyring
import net
from auth_dialog import UUID, AuthDialog
from scenario import scenario, scenario_for
from scenarios import nm_service

AGENT_OWNED = {"user": "alice", "password-flags": "1"}
REFUSED = "The gateway refused the credentials."
NOT_SAVED = {"user": "alice", "password-flags": "2"}
SIZE = (640, 560)


def type_password(screen, password):
    """Into the window of the dialog, which then goes."""
    screen.wait_for(lambda: screen.focused() and screen.focused().name == "Password", "the question")
    screen.type_keys(password)
    screen.key("Return")
    screen.wait_gone("dialog")


def must_be_up(manager):
    net.wait_until(lambda: "work:activated" in manager.nmcli(
        "-t", "-f", "NAME,STATE", "connection", "show", "--active"), 20, "connection")
    net.ping(net.HOST4)


def start(context):
    return desktop.Desktop(context, size=SIZE)


@scenario(bare=True)
def dialog_answers_the_agent(context):
    """As nm-applet runs it; nothing is asked when nobody may be, or nothing is missing."""
    screen = start(context)
    dialog = AuthDialog(context, "-i", data=NOT_SAVED, name="Büro")
    screen.find("label", "Sign in to “\u2068Büro\u2069”")
    type_password(screen, "s3cret")
    net.check(dialog.answers() == {"password": "s3cret"}, "another password came")
    net.check(AuthDialog(context, data=NOT_SAVED).answers() == {}, "something is known")
    known = AuthDialog(context, "-i", data={"user": "alice"}, secrets={"password": "known"})
    net.check(known.answers() == {"password": "known"}, "what is known was not given")
    # Line ends would make other keys of it.
    torn = AuthDialog(context, data={"user": "alice"}, secrets={"password": "a\n=evil\n=b"})
    net.check(torn.answers() == {}, "a secret with line ends was given")


@scenario_for(("escape", "quit", "agent_gone"), lambda way: f"dialog_leaves_by_{way}", bare=True)
def dialog_leaves(context, way):
    """The person cancels; the agent needs it no more, and says so or not."""
    screen = start(context)
    dialog = AuthDialog(context, "-i", data=NOT_SAVED)
    screen.find("dialog")
    screen.wait_for(screen.focused, "focus")
    if way == "escape":
        screen.key("Escape")
    elif way == "quit":
        dialog.write("QUIT\n\n")
    else:
        # An agent that was killed: its ends of both pipes are closed.
        dialog.process.stdin.close()
        dialog.process.stdout.close()
        net.check(dialog.process.wait(10) == 1, f"it ended with {dialog.process.returncode}")
        return
    dialog.must_be_cancelled()


@scenario(bare=True)
def dialog_stays_when_the_agent_has_said_all(context):
    """Some close our standard input after DONE, and wait for what we print."""
    screen = start(context)
    dialog = AuthDialog(context, "-i", data=NOT_SAVED)
    dialog.process.stdin.close()
    type_password(screen, "s3cret")
    net.check(dialog.process.stdout.read() == b"password\ns3cret\n\n\n", "another answer")
    net.check(dialog.process.wait(5) == 0, "it does not end")


@scenario(bare=True)
def dialog_tells_what_to_ask(context):
    """The mode without a window, for GNOME Shell and nmcli: a key file, and it ends by itself."""
    start(context)
    hints = ("-t", "x-vpn-message:Token\x1b[2J", "-t", "user", "-t", "password")
    began = time.monotonic()
    file = AuthDialog(context, "--external-ui-mode", "-i", *hints, data=NOT_SAVED).keyfile()
    net.check(time.monotonic() - began < 10, "it waits for a word that does not come")
    net.check(dict(file["VPN Plugin UI"]) == {
        "Version": "2", "Title": "Authenticate VPN Work", "Description": "Token?[2J"},
        f"another heading: {dict(file['VPN Plugin UI'])}")
    net.check(dict(file["user"]) == {"Value": "alice", "Label": "User name", "IsSecret": "true",
                                     "ForceEcho": "true", "ShouldAsk": "true"}, "another name")
    net.check(dict(file["password"]) == {"Value": "", "Label": "Password", "IsSecret": "true",
                                         "ForceEcho": "false", "ShouldAsk": "true"},
              "another password")


@scenario(bare=True)
def dialog_shows_what_the_gateway_says(context):
    """In the middle of a handshake: new secrets, with the gateway's words, and why when it is again."""
    screen = start(context)
    hints = ("-t", "x-vpn-message:<b>Code</b> of your\u202e token", "-t", "x-dynamic-challenge:password")
    keys = keyring.Keyring()
    keys.store(UUID, "password", "kept")
    dialog = AuthDialog(context, "-i", *hints, data=AGENT_OWNED)
    screen.find("label", r"<b>Code</b> of your\? token")
    type_password(screen, "123456")
    net.check(dialog.answers() == {"password": "123456"}, "another code came")
    net.check(keys.lookup(UUID, "password") == "kept", "a code for once was kept")
    dialog = AuthDialog(context, "-i", "-r", data=AGENT_OWNED)
    screen.find("alert", "The gateway did not accept the last answer.")
    type_password(screen, "new")
    net.check(dialog.answers() == {"password": "new"}, "another password came")
    net.check(keys.lookup(UUID, "password") == "new", "the keyring has the old one")


@scenario(bare=True)
def dialog_keeps_beside_an_old_agent(context):
    """Whose entry names no schema, so that it stays: what was stored last counts."""
    screen = start(context)
    keys = keyring.Keyring()
    keys.store(UUID, "password", "old", schema=())
    dialog = AuthDialog(context, "-i", "-r", data=AGENT_OWNED)
    type_password(screen, "new")
    net.check(dialog.answers() == {"password": "new"}, "another password came")
    known = AuthDialog(context, "-i", data=AGENT_OWNED).answers()
    net.check(known == {"password": "new"}, f"what was stored is not what is found: {known}")


@scenario(bare=True)
def dialog_and_keyring(context):
    """What is typed is kept under NetworkManager's names, and found there; not what may not be."""
    screen = start(context)
    keys = keyring.Keyring()
    dialog = AuthDialog(context, "-i", data=AGENT_OWNED)
    type_password(screen, "s3cret")
    net.check(dialog.answers() == {"password": "s3cret"}, "another password came")
    net.check(keys.lookup(UUID, "password") == "s3cret", "it is not in the keyring")
    for options in ((), ("-i",)):
        known = AuthDialog(context, *options, data=AGENT_OWNED).answers()
        net.check(known == {"password": "s3cret"}, f"it was not found: {known}")
    other = "00000000-2c3f-4f0a-9c0e-0d5b0c5b8a11"
    keys.store(other, "password", "gehéim of nm-applet")
    known = AuthDialog(context, data=AGENT_OWNED, uuid=other).answers()
    net.check(known == {"password": "gehéim of nm-applet"}, f"another agent's was not found: {known}")
    known = AuthDialog(context, data=NOT_SAVED, uuid=other).answers()
    net.check(known == {}, "the keyring was asked for what is not kept")
    file = AuthDialog(context, "--external-ui-mode", "-i", data=AGENT_OWNED).keyfile()
    net.check(file["password"]["Value"] == "s3cret" and file["password"]["ShouldAsk"] == "false",
              "the keyring was not asked")


def lock(keys):
    keys.lock()


def silence(keys):
    keys.silence()


def refuse(keys):
    keys.refuse()


def kill(keys):
    keys.kill()


# What is done to the keyring before, and what the window says of it.
TROUBLES = {"locked": (lock, "The keyring is locked."), "silent": (silence, "The keyring does not answer."),
            "refusing": (refuse, "The keyring refuses: .*"), "dead": (kill, "There is no keyring.")}


@scenario_for(TROUBLES, lambda case: f"dialog_without_keyring_{case}", bare=True)
def dialog_without_keyring(context, case):
    """It says so, asks nevertheless, and does not wait for ever."""
    trouble, sentence = TROUBLES[case]
    screen = start(context)
    keys = keyring.Keyring()
    keys.store(UUID, "password", "kept")
    trouble(keys)
    dialog = AuthDialog(context, "-i", data=AGENT_OWNED)
    screen.find("label", f"{sentence} What you type will not be remembered\\.")
    type_password(screen, "s3cret")
    net.check(dialog.answers() == {"password": "s3cret"}, "another password came")


@scenario(bare=True)
def dialog_outlives_the_keyring(context):
    """The keyring is killed while the window is open: the answer comes, and why it is not kept."""
    screen = start(context)
    keys = keyring.Keyring()
    dialog = AuthDialog(context, "-i", data=AGENT_OWNED)
    screen.find("dialog")
    keys.kill()
    type_password(screen, "s3cret")
    net.check(dialog.answers() == {"password": "s3cret"}, "another password came")
    net.check("There is no keyring." in screen.log("auth-dialog"), screen.log("auth-dialog"))


@scenario(bare=True)
def dialog_says_what_it_needs(context):
    start(context)
    for env, options, words in (({"DISPLAY": ":99"}, ("-i",), "no display"),
                                ({}, ("-s", "org.example"), "another VPN service"),
                                ({}, ("--nonsense",), "nonsense")):
        dialog = AuthDialog(context, *options, data=NOT_SAVED, env=env)
        dialog.must_be_cancelled()
        log = desktop.Desktop.log("auth-dialog")
        net.check(words in log, f"it does not say {words}: {log}")


@scenario(timeout=60)
def dialog_of_nm_applet(context):
    """All real: the keyring has an old password, which we find and the gateway refuses; nm-applet says
    so in a window of its own, with what we tell it to ask, and keeps the new one, with which the
    connection is up the next time without a question."""
    screen = start(context)
    keys = keyring.Keyring()
    _, manager = nm_service.start(context)
    nm_service.add(manager, context, password=None)
    manager.nmcli("connection", "modify", "work", "+vpn.data", "password-flags = 1")
    uuid = manager.nmcli("-g", "connection.uuid", "connection", "show", "work").strip()
    keys.store(uuid, "password", "of last year")
    screen.start("nm-applet")
    net.wait_until(lambda: "org.freedesktop.nm-applet" in manager.log(), 15, "nm-applet as an agent")
    manager.nmcli("--wait", "0", "connection", "up", "work")
    screen.find("label", REFUSED)
    screen.wait_for(lambda: screen.focused() and screen.focused().role == "password text", "focus")
    screen.type_keys(nm_service.PASSWORD)
    screen.key("Return")
    must_be_up(manager)
    net.wait_until(lambda: keys.lookup(uuid, "password") == nm_service.PASSWORD, 5,
                   "password in the keyring")
    manager.nmcli("connection", "down", "work")
    manager.nmcli("connection", "up", "work")
    net.ping(net.HOST4)
    net.check(not screen.all("dialog"), "it has asked again")
    manager.nmcli("connection", "down", "work")


def start_agent(context, screen):
    """NetworkManager, its gateway, and an agent that asks with our window."""
    _, manager = nm_service.start(context)
    screen.start(sys.executable, os.path.join(os.path.dirname(os.path.dirname(__file__)),
                                              "secret_agent.py"), context.build)
    net.wait_until(lambda: "org.godwit.TestAgent" in manager.log(), 15, "agent")
    nm_service.add(manager, context, password=None)
    manager.nmcli("connection", "modify", "work", "+vpn.data", "password-flags = 2")
    return manager


@scenario(timeout=60)
def dialog_asks_again_for_what_is_wrong(context):
    """A wrong password, and then, with the reason, the right one."""
    screen = start(context)
    manager = start_agent(context, screen)
    manager.nmcli("--wait", "0", "connection", "up", "work")
    type_password(screen, "wrong")
    screen.find("label", REFUSED)
    type_password(screen, nm_service.PASSWORD)
    must_be_up(manager)
    manager.nmcli("connection", "down", "work")


@scenario(timeout=60)
def dialog_asks_three_times_at_most(context):
    """An account is not locked by us; what NetworkManager is told is that the login failed."""
    screen = start(context)
    manager = start_agent(context, screen)
    manager.nmcli("--wait", "0", "connection", "up", "work")
    for password in ("wrong", "wrong too", "wrong as well"):
        if password != "wrong":
            screen.find("label", REFUSED)
        type_password(screen, password)
    net.wait_until(lambda: "login-failed" in manager.log(), 20, "end")
    net.wait_until(lambda: not client.processes("godwit-tunnel"), 5, "end of the worker")
    net.check(not screen.all("dialog"), "it asks once more")


@scenario_for(("connection", "service"), lambda what: f"dialog_goes_with_the_{what}", timeout=60)
def dialog_goes(context, what):
    """Somebody takes the connection down while it asks for its password, or our service dies."""
    screen = start(context)
    manager = start_agent(context, screen)
    manager.nmcli("--wait", "0", "connection", "up", "work")
    screen.find("dialog")
    if what == "connection":
        manager.nmcli("connection", "down", "work")
    else:
        for pid in client.processes(nm_service.SERVICE):
            os.kill(pid, signal.SIGKILL)
    screen.wait_gone("dialog")
    net.wait_until(lambda: "work" not in manager.nmcli("-g", "NAME", "connection", "show", "--active"),
                   10, "end of the connection")
