# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened on a connection, as godwit-tray shows it and hands it out."""

import os

import bus
import desktop
import gateway
import net
import tray
from scenario import scenario, scenario_for

# A first connection, as a gateway of strongSwan's has it; the last message is sent twice.
LADDER = """phase|init|192.0.2.1:500
trace|IKE_SA_INIT #0 request  SA(aes256gcm16/aes128gcm16-prfsha384-x25519/ecp384) KE(x25519) Ni(32) N(NAT_DETECTION_SOURCE_IP, NAT_DETECTION_DESTINATION_IP, IKEV2_FRAGMENTATION_SUPPORTED)|1
trace|IKE_SA_INIT #0 response  N(COOKIE 32 octets)|0
trace|IKE_SA_INIT #0 request  N(COOKIE 32 octets) SA(aes256gcm16-prfsha384-x25519) KE(x25519) Ni(32)|1
trace|IKE_SA_INIT #0 response  SA(aes256gcm16-prfsha384-x25519) KE(x25519) Nr(32) CERTREQ(2 authorities)|0
phase|gateway-answered|aes256gcm16-prfsha384-x25519
trace|IKE_AUTH #1 request  SK { IDi(alice) CERTREQ(1 authority) CP(REQUEST IP4_ADDRESS, IP4_DNS) SA(esp aes256gcm16) TSi(0.0.0.0/0) TSr(0.0.0.0/0) }|1
trace|IKE_AUTH #1 response  SK { IDr(vpn.example.org) CERT(CN=vpn.example.org) AUTH(ECDSA with SHA2-256) EAP(request 1 Identity) }|0
phase|gateway-verified|vpn.example.org
trace|(dropped: it is not authentic)|0
trace|IKE_AUTH #2 request  SK { EAP(response 1 Identity) }|1
trace|IKE_AUTH #2 request  SK { EAP(response 1 Identity) }|1|again"""
SCRIPT = "traced;" + LADDER.replace("\n", ";")


def open_trace(screen, name="work"):
    screen.press("push button", f"Details of {name}")
    screen.press("push button", "Show Trace")
    return screen.find("frame|widget|dialog", "Trace")


@scenario(bare=True, timeout=60)
def tray_follows_a_trace(context):
    """Live, searched, copied and saved; 3,000 messages are no burden."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(1000, 900))
    program.give_profile()
    program.start()
    stage.play(f"{SCRIPT};ask|user|User|;{'trace|INFORMATIONAL #7 request  SK {{ }}|1;' * 3000}"
               "trace|INFORMATIONAL #8 response  SK { }|0;wait")
    path = stage.begin("work")
    window = open_trace(screen)
    screen.find("label", r"IKE_AUTH #2 request \(again\)", window)
    copy, save, messages = (screen.find("(push|toggle) button", name, window)
                            for name in ("Copy", "Save", "Messages"))
    search = screen.find("text|search box", "Search", window)
    screen.fill(search, "cookie")
    screen.wait_for(lambda: len(screen.all("label", "IKE_SA_INIT #0 re.*", window)) == 2,
                    "two messages with a cookie")
    copy.act()
    screen.find("label", "Copied", window)
    lines = screen.clipboard().splitlines()
    net.check(len(lines) == 2 and "  ← IKE_SA_INIT #0 response  N(COOKIE 32 octets)" in lines[0], lines)
    screen.fill(search, "no such")
    screen.find("label", "Nothing was found.", window)
    screen.fill(search, "#8 resp")
    before = tray.cpu_seconds(program.process.pid)
    stage.call(path, "Session", "ProvideSecrets", "(ua{say})", 1, {"user": b"alice"})
    screen.find("label", "INFORMATIONAL #8 response", window)
    spent = tray.cpu_seconds(program.process.pid) - before
    screen.fill(search, "")
    screen.find("label", "INFORMATIONAL #8 response", window)  # it is at the end
    messages.act()
    screen.wait_gone("label", "INFORMATIONAL.*")
    screen.find("label", "Looking up the gateway", window)
    target = f"{desktop.HOME}/trace.txt"
    save.act()
    chooser = screen.find("widget|dialog", "Save the Trace")
    screen.fill(screen.find("text", "Name:", chooser), target)
    screen.press("push button", "Save", chooser)
    screen.wait_for(lambda: os.path.exists(target) and len(bus.read(target).splitlines()) >= 4,
                    "saved trace")
    net.check("IKE_AUTH" not in bus.read(target), "the log has messages in it")
    return f"3,000 messages while the window is open: {spent:.1f} s of a processor"


LOOKS = {"light": {}, "dark": {"dark": True, "contrast": True}, "german_large": {"language": "de", "scale": 2.0},
         "hebrew": {"language": "he"}}


@scenario_for(LOOKS, lambda look: f"tray_trace_looks_{look}", bare=True, timeout=60)
def tray_trace_looks(context, look):
    """For somebody to look at: build/pictures/tray-trace-*. Nothing is cut, all is reached."""
    stage, screen, _, program = tray.start_stage(context, panel=None, size=(1000, 900), **LOOKS[look])
    stage.play(f"{SCRIPT};wait")
    stage.begin("work")
    program.start(inspected=True)
    program.wait_icon("connecting")
    screen.press("push button", ".*work")
    screen.press("push button", "Show Trace|Mitschnitt zeigen")
    screen.find("label", "IKE_AUTH #2 request.*")
    wrong = program.inspect()
    net.check(not wrong, "; ".join(wrong))
    screen.take_picture(f"tray-trace-{look}")


@scenario(timeout=60)
def tray_reports(context):
    """A real failure: its trace is shown, and its report has what an administrator needs, and no
    password."""
    _, _, screen, _, program = tray.start(context, panel=None)
    program.give_profile(password="not-the-password")
    program.start("--hidden")
    program.choose("work")
    program.wait_icon("attention")
    program.click()
    screen.press("push button", "Copy Report")
    report = screen.wait_for(screen.clipboard, "report in the clipboard")
    for part in ("Godwit 0.", "auth-failed: work", "gateway=vpn.example.org", "user=alice",
                 "password=(…)", "→ IKE_SA_INIT #0 request", "← IKE_AUTH #1 response"):
        net.check(part in report, f"no {part!r} in {report}")
    net.check("not-the-password" not in report and gateway.USERS["alice"] not in report, report)
    screen.press("push button", "Show Trace")
    window = screen.find("frame|widget|dialog", "Trace")
    screen.find("label", "IKE_AUTH #[1-9] request", window)
    screen.find("label", "The gateway refused the credentials.*", window)
    screen.take_picture("tray-trace-failure")
