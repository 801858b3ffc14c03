# SPDX-License-Identifier: GPL-2.0-or-later
"""The windows of gui/questions: read and worked as a person with a keyboard, a mouse or a screen
reader does it."""

import os
import re

import bus
import desktop
import net
from scenario import scenario, scenario_for

SIGN_IN = """[form]
name=Work
message=Enter the code of your token.\\nIt changes every minute.
may-remember=true
[user]
kind=text
label=User name
value=alice
[password]
kind=secret
label=Password
"""
# What a hostile gateway and a connection from elsewhere would like to be shown.
HOSTILE = """[form]
name=<b>Work</b>\u202ekroW
message=\x1b[31mred\\n<a href="x">click</a> \u202e\u2066 &amp;\\n{long}
error=The password was not accepted, 2 tries left.
[password]
kind=secret
label=Password
""".format(long="x" * 65536)
CHANGE = """[form]
name=Work
error=Your password has expired.
[old]
kind=secret
label=Password
[new]
kind=new
label=New password
prompt=At least 12 characters.
"""
CHOICE = """[form]
name=Work
[certificate]
kind=choice
label=Your certificate
choices=a;alice@example.org;issued by Example CA, until 1 March 2027;b;alice (old);issued by Old CA;
[pin]
kind=secret
label=PIN
"""
TRUST = """[trust]
expected=vpn.example.org
why=No authority that this computer knows has issued its certificate.
names=vpn.example.org;192.0.2.1;
subject=CN=vpn.example.org
issuer=CN=Example Root\u202e, O=<i>Example</i>
from=1767225600
to={end}
fingerprint=9f3a11c2d47e5b608192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8
"""
VALID = TRUST.format(end=1830297600)
EXPIRED = TRUST.format(end=1767312000)
ALL = {"sign_in": SIGN_IN, "hostile": HOSTILE, "change": CHANGE, "choice": CHOICE, "trust": VALID,
       "expired": EXPIRED}


def show(context, text, times=None, env=None, **appearance):
    """(the desktop, the program that shows it)"""
    screen = desktop.Desktop(context, **{"size": (760, 860), **appearance})
    bus.write("/run/bed/question", text)
    program = screen.start(os.path.join(context.build, "tests/testbed/show_question"),
                           "/run/bed/question", *([str(times)] if times else []), env=env)
    if not times:
        screen.find("dialog")
        screen.wait_for(screen.focused, "focus")
    return screen, program


def must_say(screen, program, *lines):
    net.check(program.wait(10) == 0, "show_question has failed")
    said = screen.log("show_question").strip().split("\n")
    net.check(sorted(said) == sorted(lines), f"it said {said}, not {list(lines)}")


def must_show(screen, text):
    screen.wait_for(lambda: any(node.text == text for node in screen.all("label")), repr(text))


@scenario(bare=True)
def question_is_answered_by_keyboard(context):
    """What is missing has the focus; Enter answers when all is there."""
    screen, program = show(context, SIGN_IN)
    button = screen.find("push button", "Connect")
    net.check(screen.focused().name == "Password", f"the focus is on {screen.focused().name}")
    net.check("SENSITIVE" not in button.states, "an empty password can be sent")
    screen.find("label", "Enter the code of your token.\nIt changes every minute.")
    screen.type_keys("s3cret")
    screen.wait_for(lambda: "SENSITIVE" in button.states, "Connect that can be pressed")
    screen.key("alt+u")
    screen.wait_for(lambda: screen.focused() and screen.focused().name == "User name", "Alt+U")
    screen.key("ctrl+a")
    screen.type_keys("bob")
    screen.key("alt+r", "alt+p", "Return")
    must_say(screen, program, "user=bob", "password=s3cret", "remember=1")


@scenario_for(("escape", "button"), lambda way: f"question_is_cancelled_by_{way}", bare=True)
def question_is_cancelled(context, way):
    screen, program = show(context, SIGN_IN)
    screen.type_keys("s3cret")
    if way == "escape":
        screen.key("Escape")
    else:
        screen.press("push button", "Cancel")
    must_say(screen, program, "cancelled")


@scenario(bare=True)
def question_asks_a_new_password_twice(context):
    screen, program = show(context, CHANGE)
    note = "The two are not the same."
    screen.type_keys("old")
    screen.key("Return")  # to what is missing next
    screen.wait_for(lambda: screen.focused().name == "New password", "next field")
    screen.type_keys("correct horse")
    screen.key("Return")
    screen.wait_for(lambda: screen.focused().name == "New password, once more", "next field")
    screen.type_keys("correct house")
    screen.find("alert", note)
    screen.key("Return")
    net.check(program.poll() is None, "it has accepted two that differ")
    screen.key("ctrl+a")
    screen.type_keys("correct horse")
    screen.wait_gone("alert", note)
    screen.key("Return")
    must_say(screen, program, "old=old", "new=correct horse", "remember=0")


@scenario(bare=True)
def question_shows_the_password_when_asked(context):
    screen, program = show(context, SIGN_IN, size=(480, 560))
    screen.type_keys("s3cret")
    check = screen.find("check box", "Show what I type")
    left, top = (int(number) for number in re.search(r"Position: (\d+),(\d+)", net.run(
        "xdotool", "getactivewindow", "getwindowgeometry")).groups())
    above = f"{check.size[0]}x{check.place[1]}+{left}+{top}"

    def entries(name):
        """What is seen above the check box, the password being selected."""
        screen.key("alt+p")
        path = screen.take_picture(name, "/run/bed")
        return net.run("convert", path, "-crop", above, "-format", "%#", "info:")

    hidden = entries("hidden")
    screen.key("alt+s")
    screen.wait_for(lambda: "CHECKED" in check.states, "Alt+S")
    net.check(entries("shown") != hidden, "it stays hidden")
    screen.key("Return")
    must_say(screen, program, "user=alice", "password=s3cret", "remember=0")


@scenario(bare=True)
def question_offers_a_choice(context):
    screen, program = show(context, CHOICE)
    screen.find("label", "issued by Example CA, until 1 March 2027")
    screen.find("radio button", r"alice \(old\)")
    net.check(screen.focused().name == "alice@example.org", f"the focus is on {screen.focused().name}")
    screen.key("Tab", "space")
    screen.wait_for(lambda: "CHECKED" in screen.find("radio button", r"alice \(old\)").states, "choice")
    screen.key("alt+p")
    screen.type_keys("1234")
    screen.press("push button", "Connect")
    must_say(screen, program, "certificate=b", "pin=1234", "remember=0")


@scenario(bare=True)
def question_is_harmless_whatever_the_gateway_says(context):
    screen, _ = show(context, HOSTILE)
    shown = screen.tree()
    for bad in ("\x1b", "\u202e", "x" * 1000):
        net.check(bad not in shown, f"{bad[:3]!r} is shown")
    screen.find("alert", "The password was not accepted, 2 tries left.")
    screen.find("label", r'\?\[31mred\n<a href="x">click</a> \?\? &amp;\nx+…')
    net.check(screen.find("dialog").size[1] <= 860, "it is higher than the screen")


@scenario_for(("large", "mirrored"), lambda look: f"question_has_room_{look}", bare=True)
def question_has_room(context, look):
    """Text of twice the size, and from right to left: all of it is in the window."""
    text, scale = (CHANGE, 2.0) if look == "large" else (CHANGE + "[window]\nright-to-left=true\n", 1.0)
    screen, _ = show(context, text, scale=scale, size=(1280, 900))
    window, cancel = screen.find("dialog"), screen.find("push button", "Cancel")
    middle = window.size[0] / 2
    net.check((cancel.place[0] > middle) == (look == "mirrored"), f"Cancel is at {cancel.place}")
    last = screen.find("password text", "New password, once more")
    net.check(last.place[1] + last.size[1] < window.size[1], f"the last field is at {last.place}")
    if look == "large":
        net.check(window.size[0] > 700, f"the window is {window.size[0]} wide")


@scenario(bare=True)
def question_of_trust_takes_no_enter(context):
    """Enter is not a yes; only the button is."""
    screen, program = show(context, VALID)
    for fact in ("vpn.example.org\n192.0.2.1", "CN=Example Root?, O=<i>Example</i>",
                 "9F3A 11C2 D47E 5B60\n8192 A3B4 C5D6 E7F8\n091A 2B3C 4D5E 6F70\n8192 A3B4 C5D6 E7F8",
                 "from 1 January 2026 to 1 January 2028"):
        must_show(screen, fact)
    screen.tick(screen.find("check box", "Trust it from now on"), False)
    screen.press("push button", "Trust")
    must_say(screen, program, "trusted once")


@scenario(bare=True)
def question_of_trust_is_cancelled_by_enter(context):
    screen, program = show(context, EXPIRED)
    must_show(screen, "from 1 January 2026 to 2 January 2026: it has expired")
    screen.key("Return")
    must_say(screen, program, "cancelled")


@scenario(bare=True, timeout=90)
def question_leaves_nothing_behind(context):
    """Two kinds of window, opened and closed: every one of them is freed."""
    screen, program = show(context, CHANGE, times=20)
    net.check(program.wait(60) == 0, "show_question has failed")
    net.check(screen.log("show_question").strip() == "left=0",
              f"windows stay: {screen.log('show_question')}")
