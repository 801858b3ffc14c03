# SPDX-License-Identifier: GPL-2.0-or-later
"""godwit-tray: its icon in a panel, its menu, its window."""

import os
import re
import statistics

import bus
import net
import tray
from scenario import scenario, scenario_for
from scenarios import nm_service

ROUNDS = 5


def enlarge(screen, size=(480, 1230)):
    for change in (("windowsize", *map(str, size)), ("windowmove", "10", "10")):
        net.run("xdotool", "search", "--name", "^Godwit$", *change)
    screen.find("frame", "Godwit")


@scenario(timeout=60)
def tray_connects(context):
    """From the icon's menu to a tunnel; the window tells what there is, and its button ends it."""
    _, _, screen, _, program = tray.start(context, size=(700, 1300))
    program.give_profile()
    program.start("--hidden")
    net.check(program.icon() == "off", f"the icon is {program.icon()}")
    screen.wait_for(program.offered, "icon in the panel")
    program.choose("work")
    program.wait_icon("on")
    net.ping(net.HOST4)
    program.click()
    screen.press("push button", "Details of work")
    screen.find("label", "Verified Identity")
    enlarge(screen)
    screen.take_picture("tray-connection")
    screen.press("push button", "Disconnect")
    program.wait_icon("off")


@scenario(timeout=60)
def tray_shows_what_others_began(context):
    """A connection of the command line appears, is watched, and is ended from the menu."""
    _, system, screen, _, program = tray.start(context, panel=None)
    path = program.give_profile()
    os.environ["XDG_CURRENT_DESKTOP"] = "pop:GNOME"
    program.start()
    screen.find("label", "The panel of this desktop shows no icons.*AppIndicator.")
    system.run(None, "connect", path)
    program.wait_icon("on")
    program.choose("Disconnect")
    program.wait_icon("off")
    code, output, _ = system.run(None, "status")
    net.check(code == 0 and "Nothing is connected." in output, output)


PANELS = ("xfce4-panel", "lxqt-panel", "mate-panel", "xapp")


@scenario_for(PANELS, lambda kind: f"tray_returns_to_{kind}", bare=True, timeout=60)
def tray_returns(context, kind):
    """The icon is offered anew when the panel has crashed; until then the window says so."""
    _, screen, panel, program = tray.start_stage(context, panel=kind)
    program.give_profile()
    program.start()
    screen.wait_for(program.offered, "icon in the panel")
    net.check(not screen.all("label", "The panel of this desktop shows no icons.*"),
              "the panel is not seen")
    panel.stop()
    screen.find("label", "The panel of this desktop shows no icons.*")
    panel.start()
    screen.wait_for(program.offered, "icon in the panel again")
    screen.wait_gone("label", "The panel of this desktop shows no icons.*")
    screen.take_picture(f"tray-{kind}")


@scenario_for(PANELS, lambda kind: f"tray_is_drawn_in_{kind}", bare=True, timeout=60)
def tray_is_drawn(context, kind):
    """Where the panel does not find our drawings by name, it is given pictures."""
    stage, screen, _, program = tray.start_stage(context, panel=kind, size=(400, 100))
    empty = screen.still()
    os.environ["XDG_DATA_DIRS"] = "/usr/share"
    program.start("--hidden")
    screen.wait_for(lambda: screen.still() != empty, "icon in the panel")
    off = screen.still()
    stage.play("connect|full;wait")
    stage.begin("work")
    screen.wait_for(lambda: screen.still() not in (empty, off), "other icon in the panel")
    screen.take_picture(f"tray-drawn-{kind}")
    net.check(program.read("IconName") == "", program.read("IconName"))


@scenario(bare=True)
def tray_icon_has_words(context):
    """For screen readers in the panel, and for those who point at it."""
    stage, screen, _, program = tray.start_stage(context)
    program.start("--hidden")
    net.check(program.read("IconAccessibleDesc") == "Godwit: Not connected", "not said to be off")
    program.give_profile("work")
    stage.play("connect|full;wait")
    program.choose("work")
    program.wait_icon("on")
    tip = program.read("ToolTip")[2]
    net.check(tip == "work: Connected\nvpn.example.org\n0:00", tip)
    net.check(program.read("IconAccessibleDesc") == tip, "screen readers are told something else")
    tray.call(program.item_name(), "/StatusNotifierItem", tray.ITEM, "ProvideXdgActivationToken", "(s)",
              "godwit_TIME0")
    program.click()
    screen.find("frame", "Godwit")


@scenario(bare=True)
def tray_tells_what_is_wrong_beside(context):
    """One is connected, another one is refused: the icon wants to be looked at, its words, its menu and
    the window tell both."""
    stage, screen, _, program = tray.start_stage(context, panel=None)
    program.give_profile("work")
    stage.play("connect|full;wait")
    program.start("--hidden")
    program.choose("work")
    program.wait_icon("on")
    stage.play("end|auth-failed|")
    program.choose("office")
    program.wait_icon("attention")
    refused = "office: The gateway refused the credentials."
    tip = program.read("ToolTip")[2]
    net.check(tip == f"work: Connected\nvpn.example.org\n0:00\n{refused}", tip)
    program.choose(refused)
    window = screen.find("frame", "Godwit")
    screen.find("label", re.escape(refused), window)
    screen.find_text("Connected", window)
    net.check(not screen.all("label", "Needs your attention"), "what is connected is not told")
    screen.press("push button", "Dismiss")
    program.wait_icon("on")


@scenario(timeout=60)
def tray_tells_of_held_traffic(context):
    """Traffic is held while no godwitd runs, as after the start of a computer: the icon says so. What
    is no network cannot be saved, and is in nobody's way; what godwitd refuses is told in front."""
    system = bus.Bus(context)
    system.run(None, "killswitch", "on")
    system.kill()
    screen = tray.desktop.Desktop(context)
    tray.install_icons(context)
    program = tray.Tray(context, screen)
    program.give_profile()
    program.start("--hidden")
    program.wait_icon("blocked")
    program.click()
    screen.press("push button", "Sign In to the Network")
    screen.find_text("Web and DNS traffic may leave for 300 seconds; connect when you have signed in\\.",
                     screen.find("dialog"))
    screen.take_picture("tray-portal")
    screen.key("Escape")
    screen.wait_gone("dialog")
    _, said, _ = system.run(None, "killswitch", "status")
    net.check("A captive portal may be used" in said, said)
    screen.activate(screen.find("frame", "Godwit"))
    screen.key("ctrl+comma")
    preferences = screen.find("frame", "Preferences")
    save = r"Networks That Stay Reachable.*"
    screen.type_into(save, ", ".join(f"192.0.2.{i}/32" for i in range(40)), preferences)
    screen.press("push button", "Save", preferences)
    screen.find_text(".*more networks are excepted than can be.*", screen.find("dialog"))
    screen.key("Escape")
    screen.wait_gone("dialog")
    screen.type_into(save, "192.0.2.0/24, printer", preferences)
    screen.wait_for(lambda: "SENSITIVE" not in screen.find("push button", "Save", preferences).states,
                    "Save that cannot be pressed")
    screen.press("check box", "Hold Traffic While Nothing Is Connected", preferences)
    program.wait_icon("off")


STATES = {
    "off": "",
    "connecting": "phase|init|;wait",
    "on": "connect|full;wait",
    "roaming": "put|KillSwitch|connected;connect|full;phase|reconnecting|The gateway stopped answering.;wait",
    "attention": "ask|password|Password|Please say it",
    "blocked": "",
}


@scenario_for(STATES, lambda state: f"tray_is_true_when_{state}", bare=True, timeout=60)
def tray_is_true(context, state):
    """Killed and started again, it shows what is so; so it does when the bus has been away."""
    stage, screen, _, program = tray.start_stage(context)
    program.give_profile()
    if state == "blocked":
        stage.manager("SetKillSwitch", "(bas)", True, [])
    elif state != "off":
        stage.play(STATES[state])
        stage.begin("work")
    program.start("--hidden")
    program.wait_icon(state)
    program.click()
    screen.find("frame", "Godwit")
    if state in ("roaming", "blocked"):
        screen.find("push button", "Sign In to the Network")
    screen.take_picture(f"tray-state-{state}")
    program.kill()
    program.start("--hidden")
    program.wait_icon(state)
    stage.stop()
    program.click()
    screen.find("label", "This computer's system bus is not there.*")
    stage.start()
    screen.wait_gone("label", "This computer's system bus is not there.*")
    program.choose("work")
    screen.wait_for(lambda: program.icon() != "off", "icon of another state")


@scenario(bare=True, timeout=90)
def tray_keeps_up(context):
    """500 changes end in the true icon, in the panel as well."""
    stage, screen, _, program = tray.start_stage(context, size=(400, 100))
    program.give_profile()
    program.start("--hidden")
    screen.wait_for(program.offered, "icon in the panel")
    pictures = {"off": screen.still()}

    def learn():
        """Until each state looks as it did before."""
        before = dict(pictures)
        for state, other in (("on", "off"), ("off", "on")):
            program.choose("work")
            program.wait_icon(state)
            screen.wait_for(lambda: screen.still() != pictures[other], "other icon in the panel")
            pictures[state] = screen.still()
        return pictures == before
    screen.wait_for(learn, "pictures of the icon")
    stage.play("".join("phase|reconnecting|x;connect|full;" for _ in range(250)) + "wait")
    program.choose("work")
    program.wait_icon("on")
    screen.wait_for(lambda: screen.still() == pictures["on"], "true icon in the panel")


@scenario(timeout=90, alone=True)
def tray_is_cheap(context):
    """Processor and memory with the icon alone and with the graph, and how soon a click connects."""
    _, _, screen, _, program = tray.start(context)
    program.give_profile()
    program.start("--hidden")
    program.choose("work")
    program.wait_icon("on")
    program.choose("Disconnect")
    program.wait_icon("off")
    quiet = tray.load(program.process.pid)
    clicks, commands = [], []
    for _ in range(ROUNDS):
        clicks.append(program.time_click("work"))
        program.choose("Disconnect")
        program.wait_icon("off")
        commands.append(tray.milliseconds(lambda: tray.godwit(context, "connect", "work")))
        program.wait_icon("on")
        program.choose("Disconnect")
        program.wait_icon("off")
    click, *parts = map(statistics.median, zip(*clicks))
    program.choose("work")
    program.wait_icon("on")
    program.click()
    screen.press("push button", "Details of work")
    screen.find("image", "Traffic of the last minute")
    seen = tray.load(program.process.pid)
    text = (f"click to on {click:.0f} ms, of which {parts[0]:.0f} until godwitd begins, {parts[1]:.0f} "
            f"until it is connected and {parts[2]:.0f} until that is shown (godwit connect "
            f"{statistics.median(commands):.0f} ms; medians of {ROUNDS}); icon alone {quiet}, with the "
            f"graph {seen}")
    net.check(quiet.percent < 0.5 and seen.percent < 3, text)
    return text


@scenario(bare=True, timeout=60)
def tray_keeps_profiles(context):
    """A connection is made, changed, imported and deleted in windows."""
    _, screen, _, program = tray.start_stage(context, panel=None)
    program.start()
    screen.find("list item", "office")  # the computer's
    screen.activate(screen.find("frame", "Godwit"))
    screen.key("ctrl+n")
    screen.press("push button", "More Settings…")
    form = screen.find("frame", "New Connection")
    screen.wait_for(lambda: screen.focused() and screen.focused().name == "Name", "focus on the name")
    net.check(not screen.all("label", ".*\u26a0.*", form), "an empty form is blamed")
    gateway = screen.find("text", "Gateway", form)
    net.check("missing" not in gateway.description, gateway.description)
    screen.key("Return")  # saves, as the button does
    screen.find("label", "Gateway: .*", form)
    screen.find("label", "\u26a0 missing", form)
    screen.wait_for(lambda: screen.focused() and screen.focused().name == "Gateway", "focus on what is missing")
    screen.wait_for(lambda: gateway.description.startswith("missing. "), "its description")
    screen.take_picture("tray-new-missing")
    screen.type_into("Gateway", "vpn.example.org", form)
    screen.wait_gone("label", "\u26a0 missing")
    screen.type_into("User.*", "alice", form)
    screen.take_picture("tray-new")
    screen.press("push button", "Save", form)
    screen.wait_gone("frame", "New Connection")
    path = program.path_of("vpn.example.org")
    net.check(os.stat(path).st_mode & 0o777 == 0o600, "others may read the profile")
    screen.press("push button", "Details of vpn.example.org")
    screen.press("push button", "Edit…")
    net.check(not screen.all("label", "What Happened"), "there is an empty history")
    screen.type_into("User.*", "bob", screen.find("frame", "Edit Connection"))
    screen.press("push button", "Save")
    screen.wait_gone("frame", "Edit Connection")
    screen.wait_for(lambda: "user=bob" in program.read_profile(path), "changed file")
    program.choose_in_window("More", "Delete…")
    screen.press("push button", "Delete")
    screen.wait_for(lambda: not os.path.exists(path), "end of the file")
    screen.wait_gone("push button", "Details of vpn.example.org")
    screen.press("push button", "Details of broken")
    screen.find_text("gateway: missing", screen.find("frame", "Godwit"))


@scenario(bare=True, timeout=60, idle=True)
def tray_notifies(context):
    """Of what somebody must know, once; not of what a person did, or of what has healed at once."""
    stage, screen, _, program = tray.start_stage(context, panel=None)
    shown = tray.Notifications(screen)
    program.give_profile()
    program.start("--hidden")
    stage.manager("SetKillSwitch", "(bas)", True, [])
    shown.wait("Traffic is held")
    stage.manager("SetKillSwitch", "(bas)", False, [])
    program.wait_icon("off")
    stage.play("connect|full;phase|reconnecting|Lost.;connect|full;wait")
    program.choose("work")
    shown.wait("work is connected")
    program.choose("work")
    program.wait_icon("off")
    stage.play("end|auth-failed|")
    program.choose("work")
    shown.wait("work is not connected")
    stage.play("ask|password|Password|Please")
    stage.begin("asks")
    shown.wait("asks needs your attention")
    program.choose("Disconnect")
    screen.wait_for(lambda: "asks" not in [label for _, label, _ in program.menu()], "end of it")
    stage.play("ask|user|User|;connect|full;wait;phase|reconnecting|Lost.;wait;connect|full;wait")
    path = stage.begin("lost")
    shown.wait("lost needs your attention")
    for told in ("lost is connected", "lost is interrupted", "lost is connected again"):
        stage.call(path, "Session", "ProvideSecrets", "(ua{say})", 1, {"user": b"alice"})  # goes on
        shown.wait(told)


@scenario(bare=True, idle=True)
def tray_leaves_alone_who_looks(context):
    """What the window in front shows is not told once more; what another window of ours hides is."""
    stage, screen, _, program = tray.start_stage(context, panel=None)
    shown = tray.Notifications(screen)
    program.give_profile()
    program.start()
    screen.activate(screen.find("frame", "Godwit"))
    program.choose("work")
    screen.find("label", "Connected")
    program.choose("work")
    screen.wait_gone("label", "Connected")
    stage.play("end|auth-failed|")
    program.choose("work")
    screen.find("label", "work: .*")
    net.check(not shown.titles(), f"it is told: {shown.titles()}")
    screen.key("ctrl+comma")
    screen.activate(screen.find("frame", "Preferences"))
    program.choose("work")
    shown.wait("work is not connected")


@scenario(timeout=60)
def tray_tells_of_networkmanager(context):
    """A connection that NetworkManager has begun is shown by its name; why it failed is told, and how
    it is."""
    _, manager = nm_service.start(context)
    nm_service.add(manager, context, password="wrong")
    screen = tray.desktop.Desktop(context)
    tray.install_icons(context)
    shown = tray.Notifications(screen)
    program = tray.Tray(context, screen)
    program.start("--hidden")
    manager.nmcli("connection", "up", "work", ok=False)
    shown.wait("work is not connected")
    net.check("The gateway refused the credentials. Check" in shown.last, f"it tells: {shown.last}")
    manager.nmcli("connection", "modify", "work", "vpn.secrets", f"password={nm_service.PASSWORD}")
    manager.nmcli("connection", "up", "work")
    shown.wait("work is connected")


@scenario(bare=True, timeout=60)
def tray_has_preferences(context):
    """Starting with the session is a file that desktops know; the kill switch is godwitd's."""
    stage, screen, _, program = tray.start_stage(context, panel=None)
    program.start()
    screen.wait_for(lambda: "ACTIVE" in screen.find("frame", "Godwit").states, "active window")
    screen.key("ctrl+comma")
    screen.find("frame", "Preferences")
    path = f"{tray.desktop.HOME}/.config/autostart/org.godwit.Tray.desktop"
    screen.press("check box", "Start at Login")
    screen.wait_for(lambda: os.path.exists(path), "file of the autostart")
    net.run("desktop-file-validate", path)
    screen.press("check box", "Hold Traffic While Nothing Is Connected")
    program.wait_icon("blocked")
    net.check("SetKillSwitch (true, @as [])" in stage.calls(), stage.calls())
    screen.press("check box", "Let the Local Network Through")
    local = "['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10']"
    screen.wait_for(
        lambda: f"SetKillSwitch (true, {local})" in stage.calls(), "private addresses to be excepted"
    )
    screen.press("check box", "Let the Local Network Through")
    screen.wait_for(
        lambda: stage.calls().count("SetKillSwitch (true, @as [])") == 2, "nothing to be excepted"
    )
    screen.type_into(r"Networks That Stay Reachable.*", "192.0.2.0/24, 2001:db8::/32")
    screen.press("push button", "Save")
    screen.wait_for(lambda: "SetKillSwitch (true, ['192.0.2.0/24', '2001:db8::/32'])" in stage.calls(),
                    "networks to be excepted")
    screen.wait_gone("push button", "Save")
    screen.press("check box", "Start at Login")
    screen.wait_for(lambda: not os.path.exists(path), "end of the file")
