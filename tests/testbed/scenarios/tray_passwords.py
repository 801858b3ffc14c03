# SPDX-License-Identifier: GPL-2.0-or-later
"""Passwords that godwit-tray remembers, in GNOME's keyring, and what else it keeps of answers."""

import os

import gateway
import keyring
import net
import tokens
import tray
from scenario import scenario, scenario_for

HOST = "vpn.example.org"
RIGHT = gateway.USERS["alice"]


def answer(screen, password, remember=False, label="Password"):
    """In the window that asks, which then goes."""
    dialog = screen.find("dialog")
    screen.fill(screen.find("password text", label, dialog), password)
    if remember:
        screen.tick(screen.find("check box", "Remember what I type", dialog))
    screen.press("push button", "Connect", dialog)
    screen.wait_for(lambda: dialog not in screen.all("dialog"), "end of the dialog")


def must_not_ask(screen):
    net.check(not screen.all("dialog"), "it asks for what it knows")


@scenario(timeout=90)
def tray_remembers_a_password(context):
    """It is kept when it was right, used without a question, asked for again with the reason when the
    gateway does not take it any more, sent once only, and forgotten with the profile."""
    host, _, screen, _, program = tray.start(context, panel=None, size=(700, 900))
    keys = keyring.Keyring()
    path = program.give_profile(HOST, password=None)
    program.start("--hidden")
    program.choose(HOST)
    answer(screen, RIGHT, remember=True)
    program.wait_icon("on")
    screen.wait_for(lambda: keys.lookup_profile(HOST, HOST) == RIGHT, "password in the keyring")
    net.check("password" not in program.read_profile(path), "it stands in the profile")
    program.choose("Disconnect")
    program.wait_icon("off")
    program.choose(HOST)
    program.wait_icon("on")
    must_not_ask(screen)
    program.choose("Disconnect")
    program.wait_icon("off")
    # Somebody has given the account another password: the one of the keyring is wrong.
    keys.store_profile(HOST, HOST, "outdated")
    refusals = host.count("EAP_MSCHAPV2 failed")
    program.choose(HOST)
    screen.find("alert", "The gateway refused the credentials.", screen.find("dialog"))
    net.check(host.count("EAP_MSCHAPV2 failed") == refusals + 1, "it was sent more than once")
    screen.take_picture("tray-password-refused")
    answer(screen, RIGHT)
    program.wait_icon("on")
    screen.wait_for(lambda: keys.lookup_profile(HOST, HOST) == RIGHT, "the right one in the keyring")
    program.choose("Disconnect")
    program.wait_icon("off")
    program.click()
    screen.press("push button", f"Details of {HOST}")
    program.choose_in_window("More", "Delete…")
    screen.press("push button", "Delete")
    screen.wait_for(lambda: not os.path.exists(path), "end of the file")
    screen.wait_for(lambda: keys.lookup_profile(HOST, HOST) == "", "end of the password")


TROUBLES = {"locked": (lambda keys: keys.lock(), "The keyring is locked."),
            "silent": (keyring.Keyring.silence, "The keyring does not answer."),
            "refusing": (keyring.Keyring.refuse, "The keyring refuses: .*"),
            "dead": (keyring.Keyring.kill, "There is no keyring.")}


@scenario_for(TROUBLES, lambda case: f"tray_without_keyring_{case}", bare=True, timeout=60)
def tray_without_keyring(context, case):
    """It says so, asks nevertheless, and the connection goes on."""
    trouble, sentence = TROUBLES[case]
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(700, 900))
    keys = keyring.Keyring()
    keys.store_profile("work", HOST, "kept")
    trouble(keys)
    program.give_profile()
    stage.play("ask|password|Password|;connect|full;wait")
    program.start("--hidden")
    program.choose("work")
    screen.find("label", f"{sentence} What you type will not be remembered\\.")
    net.check(not screen.all("check box", "Remember what I type"), "it offers what it cannot do")
    answer(screen, RIGHT)
    program.wait_icon("on")


@scenario(timeout=60)
def tray_remembers_a_certificate(context):
    """Several on a token fit: the one that a person chose is used from now on when she wants that, and
    not by itself."""
    options = {"connections": {"rw": gateway.certificate_connection()}}
    _, _, screen, _, program = tray.start(context, panel=None, size=(700, 900), gateway_options=options)
    tokens.Token(context).add_certificate("gw-ecdsa256")
    path = program.give_profile(user=None, password=None, auth="certificate",
                                certificate="pkcs11:token=Alice")
    program.start("--hidden")
    for remember in (False, True):
        program.choose("work")
        button = screen.find("radio button", ".*CN=alice@example.org.*", screen.find("dialog"))
        screen.take_picture("tray-certificates")
        screen.tick(button)
        if remember:
            screen.tick(screen.find("check box", "Remember my choice"))
        screen.press("push button", "Connect")
        screen.wait_gone("radio button")
        answer(screen, tokens.PIN, label="PIN")
        program.wait_icon("on")
        program.choose("Disconnect")
        program.wait_icon("off")
        net.check(("certificate=pkcs11:token=Alice\n" in program.read_profile(path)) != remember,
                  program.read_profile(path))
    program.choose("work")
    screen.find("password text", "PIN")
    net.check(not screen.all("radio button"), "it asks again which")
    net.check("id=%01" in program.read_profile(path), program.read_profile(path))


@scenario(bare=True, timeout=60)
def tray_outlives_the_keyring(context):
    """Killed while the window is open: the connection comes, and why the password is not kept."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(700, 900))
    keys = keyring.Keyring()
    program.give_profile()
    stage.play("ask|password|Password|;connect|full;wait")
    program.start()
    program.choose("work")
    screen.find("password text", "Password")
    keys.kill()
    answer(screen, RIGHT, remember=True)
    program.wait_icon("on")
    screen.find("label", "The Password Was Not Remembered")
    screen.find("label", "There is no keyring.")


@scenario(bare=True, timeout=60)
def tray_keeps_no_codes(context):
    """What is asked after the password is good for once; a gateway of another name gets nothing."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(700, 900))
    keys = keyring.Keyring()
    keys.store_profile("work", "elsewhere.example.org", "for another gateway")
    program.give_profile()
    evil = "<b>Code</b>\u202e\x1b[2J " + "long " * 2000
    stage.play(f"ask|password|Password|;ask|password|Password|{evil};connect|full;wait")
    program.start()
    program.choose("work")
    answer(screen, RIGHT, remember=True)
    screen.find("label", r"<b>Code</b>\?\?\[2J long.*(?s:.*)")
    net.check(not screen.all("check box", "Remember what I type"), "a code may be remembered")
    answer(screen, "123456")
    program.wait_icon("on")
    screen.wait_for(lambda: keys.lookup_profile("work", HOST) == RIGHT, "password in the keyring")
    net.check("b'123456'" in stage.calls() or "0x31" in stage.calls(), stage.calls())
    net.check("another gateway" not in stage.calls(), "a password went to another gateway")


@scenario(bare=True, timeout=60)
def tray_keeps_no_pin(context):
    """A token locks itself after a few wrong PINs: none is given but by hand."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(700, 900))
    keys = keyring.Keyring()
    keys.store_profile("work", HOST, "271828", "private-key-password")
    program.give_profile()
    stage.play("ask|private-key-password|PIN|PIN of the token|once;"
               "ask|private-key-password|PIN|That was wrong.|once;connect|full;wait")
    program.start()
    program.choose("work")
    for prompt in ("PIN of the token", "That was wrong\\."):
        screen.find("label", prompt)
        net.check(not screen.all("check box", "Remember what I type"), "a PIN may be remembered")
        answer(screen, "314159", label="PIN")
    program.wait_icon("on")
    net.check(stage.calls().count("ProvideSecrets") == 2, stage.calls())
    net.check("271828" not in stage.calls(), "a PIN was given unasked")


@scenario(bare=True, timeout=60)
def tray_keeps_no_wrong_password(context):
    """What the gateway asks for a second time in the same words was wrong."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(700, 900))
    keys = keyring.Keyring()
    program.give_profile()
    program.give_profile("home")
    stage.play("ask|password|Password|Password:;ask|password|Password|Password:;connect|full;wait")
    program.start()
    program.choose("work")
    answer(screen, "mistyped", remember=True)
    answer(screen, RIGHT)
    program.wait_icon("on")
    stage.play("ask|password|Password|;connect|full;wait")
    program.choose("home")
    answer(screen, RIGHT, remember=True)
    screen.wait_for(lambda: keys.lookup_profile("home", HOST) == RIGHT, "password in the keyring")
    net.check(keys.lookup_profile("work", HOST) == "", "a wrong password is remembered")


@scenario(bare=True, timeout=60)
def tray_needs_nobody_for_what_it_knows(context):
    """A question that the keyring answers is not worth a notification."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(700, 900))
    shown = tray.Notifications(screen)
    keys = keyring.Keyring()
    keys.store_profile("work", HOST, RIGHT)
    program.give_profile()
    stage.play("ask|password|Password|;connect|full;wait")
    program.start("--hidden")
    program.choose("work")
    program.wait_icon("on")
    shown.wait("work is connected")
    must_not_ask(screen)
