# SPDX-License-Identifier: GPL-2.0-or-later
"""What a gateway says, wherever godwit-tray shows it: markup, control characters, overrides of the
direction, 64 KiB and what is not UTF-8."""

import re

import gateway
import net
import tray
from scenario import scenario
from scenarios.tray import enlarge
from scenarios.tray_trace import open_trace

EVIL = "<b>bold</b> & \x1b[2J\u202ereversed\u202c _x"
SHOWN = r"<b>bold</b> & \?\[2J\?reversed\? _x"
LONG = f"{EVIL}{' long' * 13000}"
# Controls but the line feed, and what hides or reorders text but our own isolates.
HARMFUL = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2067"
                     "\u206a-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e007f]")
MOST = 2_200  # characters in one place
PROPERTIES = ("Gateway", "GatewayAddress", "GatewayIdentity", "DnsMethod", "DnsAnswers", "Interface",
              "Addresses", "Dns", "Domains")
FACTS = ("gateway-auth", "gateway-subject", "gateway-version", "local-id", "user-auth")


def check_harmless(screen):
    """All that is on the screen, as a screen reader has it; how much of it is the gateway's."""
    found = 0
    for node in screen.root.walk():
        for text in node.words:
            net.check(not HARMFUL.search(text), f"{HARMFUL.findall(text)} in {text[:80]!r}")
            net.check(len(text) <= MOST, f"{len(text)} characters: {text[:80]!r}")
            found += "bold</b>" in text
    return found


def check_markup_free(text):
    net.check("‹b›bold‹/b› ＆" in text and not HARMFUL.search(text) and
              not set("<>&").intersection(text), text[:300])


@scenario(bare=True, timeout=60)
def tray_bears_hostile_words(context):
    """Names, banners, addresses and phases: in the list, on the page, in the trace, the menu, the
    tooltip and the notifications."""
    stage, screen, _, program = tray.start_stage(context, size=(700, 1300))
    shown = tray.Notifications(screen)
    program.start("--hidden")
    stage.play(";".join(["phase|init|x", f"phase|gateway-verified|{LONG}", f"trace|{LONG}|0", "connect|full",
                         *(f"put|{name}|{LONG}" for name in PROPERTIES),
                         *(f"fact|{name}|{LONG}" for name in FACTS),
                         f"banner|{EVIL}\n{LONG}", f"phase|moving|{EVIL}", "wait"]))
    stage.begin(EVIL)
    program.wait_icon("on")
    screen.wait_for(shown.titles, "notification")
    check_markup_free(net.run("cat", shown.PATH).strip())
    program.click()
    screen.press("push button", f"Details of {SHOWN}")
    screen.find("label", SHOWN + r"\n(?s:.*)")
    labels = [label for _, label, _ in program.menu()]
    net.check(any("<b>bold</b> & ?[2J?reversed? __x" in label for label in labels), labels)
    net.check(not any(HARMFUL.search(label) or len(label) > 70 for label in labels), labels)
    tip = program.read("ToolTip")
    check_markup_free(tip[2])
    net.check(len(tip[2]) < 1000, f"a tooltip of {len(tip[2])} characters")
    net.check(program.read("IconAccessibleDesc") == tip[2], "screen readers are told something else")
    enlarge(screen)
    found = check_harmless(screen)
    net.check(found >= len(PROPERTIES) + 5, f"only {found} places show it")
    screen.take_picture("tray-hostile")
    window = open_trace(screen, SHOWN)
    screen.find("label", f"The gateway has proved .*{SHOWN}.*|.*: {SHOWN}.*", window)
    check_harmless(screen)
    screen.take_picture("tray-hostile-trace")


@scenario(bare=True, timeout=60)
def tray_asks_hostile_questions(context):
    """Prompts, certificates to choose from, and a gateway that is to be trusted. Who cancels has no
    failure to read about."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(700, 900))
    program.start("--hidden", inspected=True)
    for name, script in {"password": f"ask|password|{LONG}|{EVIL}\n{LONG}",
                         "choice": f"choose|{LONG}|{LONG}|{LONG}", "trust": f"trust|{LONG}"}.items():
        stage.play(script)
        stage.begin(name)
        dialog = screen.find("dialog")
        screen.find("push button", "Trust|Connect", dialog)
        net.check(check_harmless(screen) > 1, "it is not shown")
        screen.take_picture(f"tray-hostile-{name}")
        net.check(program.inspect() == [], program.inspect())
        screen.press("push button", "Cancel", dialog)
        program.wait_icon("off")
        screen.wait_gone("dialog")


@scenario(bare=True, timeout=60)
def tray_fails_with_hostile_words(context):
    """Why it has failed, in the window, the notification and the report."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(700, 900))
    shown = tray.Notifications(screen)
    program.start("--hidden")
    program.item("office")  # from now on it hears of ends
    stage.play(f"end|auth-failed|{LONG}")
    stage.begin(EVIL)
    screen.wait_for(shown.titles, "notification")
    check_markup_free(net.run("cat", shown.PATH).strip())
    program.click()
    screen.find("label", f"{SHOWN}: The gateway refused the credentials\\.")
    screen.find("label", f"{SHOWN} long.*…")
    net.check(check_harmless(screen) > 1, "it is not shown")
    screen.take_picture("tray-hostile-failure")
    screen.press("push button", "Copy Report")
    report = screen.wait_for(screen.clipboard, "report in the clipboard")
    net.check(not HARMFUL.search(report) and "<b>bold</b> & ?[2J" in report, report[:400])


@scenario(timeout=60)
def tray_asks_about_a_hostile_certificate(context):
    """Its holder and its names are not UTF-8, and long: a real gateway shows it, a person trusts it."""
    connection = gateway.default_connection("gw-hostile")
    _, _, screen, _, program = tray.start(context, panel=None, size=(700, 900),
                                          gateway_options={"connections": {"rw": connection}})
    path = program.give_profile("work", ca=None)
    program.start("--hidden", inspected=True)
    program.choose("work")
    dialog = screen.find("dialog")
    screen.find_text(".*evil.*\\?\\[2J\\?.*reversed.* long.*…", dialog)
    check_harmless(screen)
    net.check(program.inspect() == [], program.inspect())
    screen.take_picture("tray-hostile-certificate")
    screen.press("push button", "Trust", dialog)
    program.wait_icon("on")
    net.check("gateway-fingerprint=" in program.read_profile(path), "it is not remembered")
    program.click()
    screen.press("push button", "Details of work")
    screen.find("label", "Verified Identity")
    check_harmless(screen)
