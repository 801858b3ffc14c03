# SPDX-License-Identifier: GPL-2.0-or-later
"""godwit-tray over the ends of what it lives with: its service, its profile, the session."""

import os
import re

import bus
import client
import desktop
import net
import suspend
import tray
from scenario import scenario, scenario_for

GENERATOR = "/lib/systemd/user-generators/systemd-xdg-autostart-generator"
AUTOSTART = f"{desktop.HOME}/.config/autostart/org.godwit.Tray.desktop"


@scenario(timeout=60)
def tray_outlives_godwitd(context):
    """godwitd is killed while something is connected: the tray says so, and goes on with the next one."""
    _, system, screen, _, program = tray.start(context, panel=None)
    program.give_profile()
    program.start()
    program.choose("work")
    program.wait_icon("on")
    system.kill()
    program.wait_icon("attention")
    screen.find("label", "work: .*")
    program.choose("work")
    program.wait_icon("on")
    net.ping(net.HOST4)


@scenario(timeout=60)
def tray_outlives_a_profile(context):
    """The profile is deleted while its connection is up: that stays, is seen and can be ended."""
    _, _, screen, _, program = tray.start(context, panel=None)
    path = program.give_profile()
    program.start()
    program.choose("work")
    program.wait_icon("on")
    screen.press("push button", "Details of work")
    screen.find("label", "Verified Identity")
    os.unlink(path)
    screen.wait_gone("push button", "Edit…")
    net.ping(net.HOST4)
    screen.find("label", "Verified Identity")
    screen.press("push button", "Disconnect")
    program.wait_icon("off")
    screen.find("label", "(?s:There is no connection yet.*)")


@scenario(timeout=60)
def tray_wakes_up(context):
    """The machine sleeps for ten minutes: what was up is up, and the time goes on where it would be."""
    _, system, screen, _, program = tray.start(context, panel=None)
    sleeper = suspend.Suspend(context, bus=system)
    program.give_profile()
    program.start()
    program.choose("work")
    program.wait_icon("on")
    screen.press("push button", "Details of work")
    screen.find("label", "Verified Identity")
    sleeper.sleep(600, client.processes("godwit"))
    screen.find("label", "10:[0-5][0-9]")
    program.wait_icon("on")
    net.ping(net.HOST4)
    program.choose("Disconnect")
    program.wait_icon("off")


@scenario(bare=True, timeout=60)
def tray_tells_another_version(context):
    """A godwitd that speaks another language is named, and nothing is asked of it."""
    os.environ["FAKE_API"] = "2"
    stage, screen, _, program = tray.start_stage(context, panel=None)
    program.give_profile()
    program.start()
    screen.find("label", "(?s:.*)The system service is godwitd 0.1.0, which this program does not "
                "understand.(?s:.*)")
    program.choose("work")
    program.wait_icon("attention")
    screen.find("label", "It is of another version than this program.")
    net.check(not os.path.exists(f"{stage.FOLDER}/calls") or "Connect" not in stage.calls(),
              "it was asked all the same")


@scenario_for(("GNOME", "KDE", "XFCE"), lambda name: f"tray_starts_with_{name.lower()}", bare=True,
              timeout=60)
def tray_starts_with_the_session(context, name):
    """What the preferences write is started by the session of that desktop: systemd reads it as they
    have it done. What a desktop has switched off is shown as off."""
    _, screen, _, program = tray.start_stage(context, panel=None)
    program.start()
    screen.activate(screen.find("frame", "Godwit"))
    screen.key("ctrl+comma")
    screen.press("check box", "Start at Login")
    screen.wait_for(lambda: os.path.exists(AUTOSTART), "file of the autostart")
    os.environ["PATH"] += f":{context.build}"
    os.environ["XDG_CURRENT_DESKTOP"] = name
    folder = f"{desktop.RUNTIME}/units"
    os.makedirs(folder)
    net.run(GENERATOR, folder, folder, folder, env={"SYSTEMD_LOG_LEVEL": "debug"})
    unit = bus.read(f"{folder}/app-org.godwit.Tray@autostart.service")
    command = re.search(r"^ExecStart=:?(.*)$", unit, re.M)
    net.check(command and command[1].replace('"', "").endswith("godwit-tray --hidden"), unit)
    net.check(os.path.exists(f"{folder}/xdg-desktop-autostart.target.wants/"
                             "app-org.godwit.Tray@autostart.service"), "it is not wanted")
    program.kill()
    bus.write(AUTOSTART, bus.read(AUTOSTART) + "X-GNOME-Autostart-enabled=false\n")
    program.start()
    screen.activate(screen.find("frame", "Godwit"))
    screen.key("ctrl+comma")
    box = screen.find("check box", "Start at Login")
    net.check("CHECKED" not in box.states, "it is shown as on")
