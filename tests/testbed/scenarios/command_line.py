# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of the machine's users: through godwitd, polkit and a real gateway."""

import json
import os
import re
import signal

import bus
import client
import gateway
import net
from scenario import scenario

PASSWORD = gateway.USERS["alice"]
SYSTEM_PROFILES = "/usr/local/etc/godwit"


def start(context, **options):
    """(the gateway, the bus)."""
    host = gateway.Gateway(context.pki)
    host.start(**options)
    return host, bus.Bus(context)


def expect(done, code, pattern="", errors=""):
    """What `Bus.run` has returned: exit code, what is in its output and in its errors."""
    found, output, said = done
    net.check(found == code, f"exit code {found}, not {code}; it said: {output[-500:]}{said}")
    net.check(re.search(pattern, output, re.M), f"no '{pattern}' in: {output[-800:]}")
    net.check(re.search(errors, said) if errors else not said, f"no '{errors}' in: {said}")
    return output


@scenario
def user_connects_sees_and_ends_it(context):
    """connect returns while the tunnel stays; status, list and log tell of it; disconnect ends it."""
    _, system = start(context)
    before = net.snapshot()
    bus.give_profile(context, "alice1")
    shown = expect(system.run("alice1", "connect", "work"), 0,
                   r"^ +\d+\.\d ms  Contacting the gateway(.*\n)+Connected to work in \d+ ms\n"
                   r"  Gateway .*vpn\.example\.org, .*\n(.*\n)+godwit disconnect work ends it\.\n\Z")
    net.check(PASSWORD not in shown, "the password is shown")
    net.ping(net.HOST4)
    expect(system.run("alice1", "status"), 0, r"\Awork\n  Gateway (.*\n)+  Interface  godwit0\n")
    state, = json.loads(expect(system.run("alice1", "status", "--json"), 0))
    net.check((state["state"], state["origin"], state["owner"]) == ("connected", "cli", 2001),
              f"status: {state}")
    net.check(state["received"]["packets"] > 0, f"no packets in {state}")
    expect(system.run("alice1", "list"), 0, r"^  work +vpn\.example\.org, connected\n")
    expect(system.run("alice1", "log"), 0, r"\A.*\d  Looking up the gateway.*\n(.*\n)*.*Tunnel")
    expect(system.run("alice1", "connect", "work"), 30, errors="\"work\" is connected, or about to be")
    output = system.run("alice1", "doctor", "work")[1]
    net.check("Gateway: a tunnel is up, and leads to " in output, output)
    expect(system.run(None, "status"), 0, r"Begun by +cli, for user 2001\n")
    expect(system.run("alice1", "disconnect"), 0, r"\ADisconnected work\.\n\Z")
    expect(system.run("alice1", "status"), 0, r"\ANothing is connected\.\n")
    net.check_unchanged(before)


@scenario
def question_and_ctrl_c_on_a_users_terminal(context):
    """The password is asked for; in the foreground Ctrl-C ends it; during the question it gives up."""
    _, system = start(context)
    before = net.snapshot()
    path = bus.give_profile(context, "alice1")
    with open(path, encoding="utf-8") as file:
        kept = file.read()
    bus.write(path, re.sub(r"password=.*\n", "", kept), 0o600)
    terminal = system.terminal("alice1", "connect", "work", "--foreground")
    terminal.read_until(r"Password: $", 10)
    terminal.type(PASSWORD + "\n")
    terminal.read_until(r"^  Interface .*\n", 10)
    net.ping(net.HOST4)
    terminal.type("\003")
    net.check(terminal.wait() == 0 and "Disconnected." in terminal.output, terminal.output[-300:])
    net.check(PASSWORD not in terminal.output, "the password is shown")
    net.check_unchanged(before)
    terminal = system.terminal("alice1", "connect", "work")
    terminal.read_until(r"Password: $", 10)
    terminal.type("\003")
    net.check(terminal.wait() == 0 and "Disconnected." in terminal.output, terminal.output[-300:])
    expect(system.run("alice1", "status"), 0, r"\ANothing is connected\.\n")
    net.check_unchanged(before)


@scenario
def profiles_that_cannot_be_used(context):
    """Nothing is asked of the service: the file is not the user's to read, or holds nonsense."""
    _, system = start(context)
    path = bus.give_profile(context, "alice1", mtu="3")
    expect(system.run("alice1", "connect", "work"), 3, errors=r"work\.conf:\d+: mtu: ")
    os.chown(path, 0, 0)
    expect(system.run("alice1", "connect", "work"), 3, errors=r"work\.conf.* cannot be read")
    expect(system.run("alice1", "connect", "./wrok.conf"), 3, errors="cannot be read")
    net.check(not system.pid(), "the service was started for it")


@scenario
def kill_switch_of_the_computer(context):
    """An administrator's switch: held while nothing is connected, but for what is excepted."""
    _, system = start(context)
    before = net.snapshot()
    expect(system.run("alice1", "killswitch", "on"), 31, errors="not allowed to do that")
    expect(system.run(None, "killswitch", "on", "--except", "203.0.113.0/24"), 0, r"\ATraffic is held")
    expect(system.run("alice1", "killswitch", "status"), 0,
           r"\ATraffic is held while nothing is connected\.\nExcepted: 203\.0\.113\.0/24\n\Z")
    expect(system.run("alice1", "portal", "60"), 0, "may leave for 60 seconds")
    expect(system.run("alice1", "killswitch", "status"), 0, "A captive portal may be used for another ")
    expect(system.run("alice1", "portal", "0"), 0, "held again")
    bus.give_profile(context, "alice1")
    expect(system.run("alice1", "connect", "work"), 0, r"^Connected to work in ")
    net.ping(net.HOST4)
    expect(system.run("alice1", "disconnect"), 0)
    net.run("nft", "flush", "ruleset")
    net.wait_until(lambda: "table inet godwit" in net.run("nft", "list", "tables"), 5, "rules that are back")
    expect(system.run(None, "killswitch", "off"), 0, r"\ATraffic may leave")
    net.check_unchanged(before)


@scenario
def profile_of_this_computer(context):
    """Users connect with what they cannot read; root adds, changes and deletes it by the service."""
    _, system = start(context)
    before = net.snapshot()
    ca = "/run/bed/ca.pem"
    with open(context.pki.certificate("root"), encoding="ascii") as file:
        bus.write(ca, file.read())
    expect(system.run(None, "profile", "add", "office", "gateway=vpn.example.org", "user=alice",
                      f"ca={ca}", "--system"), 0)
    mode = os.stat(f"{SYSTEM_PROFILES}/office.conf").st_mode & 0o777
    net.check(mode == 0o600, f"the file's mode is {mode:o}")
    # The password is root's to give, on a descriptor; what is not named stays.
    net.run(client.program(context), "profile", "edit", "office", "--system", "--password-fd", "0",
            input_text=PASSWORD + "\n")
    expect(system.run("alice1", "list"), 0, r"^  office +vpn\.example\.org \(this computer's\)\n")
    shown = expect(system.run("alice1", "profile", "show", "office"), 0, r"^  user +alice\n")
    net.check(PASSWORD not in shown, "the password is shown")
    expect(system.run("alice1", "connect", "office"), 0, r"^Connected to office in ")
    net.ping(net.HOST4)
    expect(system.run("alice1", "disconnect", "office"), 0, r"\ADisconnected office\.\n")
    expect(system.run("alice1", "profile", "delete", "office", "--system"), 31,
           errors="You are not allowed to do that")
    expect(system.run(None, "profile", "delete", "office", "--system"), 0, r"\ADeleted\.\n")
    expect(system.run("alice1", "profile", "show", "office"), 32, errors="no profile \"office\"")
    net.check_unchanged(before)


@scenario
def service_dies_under_its_users(context):
    """Who waits for it is told within a moment; a command after it starts it again."""
    _, system = start(context)
    before = net.snapshot()
    bus.give_profile(context, "alice1")
    terminal = system.terminal("alice1", "connect", "work", "--foreground")
    terminal.read_until(r"^  Interface .*\n", 10)
    watch = system.terminal("alice1", "status", "work", "--watch")
    watch.read_until(r"Received +.*/s \(", 10)
    system.kill()
    for one in (terminal, watch):
        net.check(one.wait() == 29, one.output[-300:])
        net.check("godwitd is not available. It ended meanwhile." in one.output, one.output[-300:])
    expect(system.run("alice1", "connect", "work"), 0, r"^Connected to work in ")
    expect(system.run("alice1", "disconnect"), 0)
    net.check_unchanged(before)


@scenario
def standalone_connection_is_seen_and_ended(context):
    """root's own one, beside the service's: the same status, the same disconnect."""
    _, system = start(context)
    before = net.snapshot()
    own = client.start_as_alice(context)
    own.wait_connected()
    expect(system.run(None, "status"), 0, r"Begun by +standalone\n")
    expect(system.run(None, "disconnect", "vpn.example.org"), 0, r"\ADisconnected vpn\.example\.org\.\n")
    net.check(own.wait_end() == 0, f"it ended otherwise: {own.process.tail()}")
    net.check_unchanged(before)


@scenario
def doctor_of_a_healthy_machine(context):
    """It finds the service, polkit and the gateway; the clock is all that it may wonder about."""
    _, system = start(context)
    bus.give_profile(context, "alice1")
    code, output, said = system.run("alice1", "doctor", "work", "--json")
    lines = {line["check"]: line for line in json.loads(output)}
    net.check(not said and code == 0, f"exit code {code}: {said}{output}")
    for check in ("TUN device", "System service", "polkit", "Profiles", "Gateway", "Path MTU"):
        net.check(lines.get(check, {}).get("verdict") == "ok", f"{check}: {lines.get(check)}")


@scenario(timeout=90, idle=True)
def status_tells_why_and_what_to_do(context):
    """The password that was typed is refused when the gateway comes back: reason, sentence, hint."""
    host, system = start(context)
    before = net.snapshot()
    path = bus.give_profile(context, "alice1", **{"dpd": 1, "dead-after": 3})
    with open(path, encoding="utf-8") as file:
        kept = file.read()
    bus.write(path, re.sub(r"password=.*\n", "", kept), 0o600)
    terminal = system.terminal("alice1", "connect", "work")
    terminal.read_until(r"Password: $", 10)
    terminal.type(PASSWORD + "\n")
    net.check(terminal.wait() == 0, terminal.output[-300:])

    def shown():
        return json.loads(system.run("alice1", "status", "--json")[1])[0]
    net.check(set(shown()["last-error"].values()) == {None}, f"an error: {shown()['last-error']}")
    pings = net.Process(["ping", "-n", "-q", "-i", "0.2", net.HOST4])
    host.stop(signal.SIGKILL)
    lost = net.wait_until(lambda: (now := shown())["state"] == "reconnecting" and now, 30, "the loss")
    net.check(lost["last-error"]["reason"] == "gateway-lost", f"{lost['last-error']}")
    users = dict(gateway.USERS)
    gateway.USERS["alice"] = "another one"
    host.launch()
    host.configure({"rw": gateway.default_connection()})
    gateway.USERS.update(users)
    error = net.wait_until(lambda: (now := shown()["last-error"])["reason"] == "auth-failed" and now,
                           30, "the refusal")
    pings.kill()
    net.check(error["sentence"] == "The gateway refused the credentials." and
              error["hint"].startswith("Check user name and password"), f"{error}")
    net.wait_until(lambda: "Asks for" in system.run("alice1", "status")[1], 10, "the question")
    expect(system.run("alice1", "status"), 0, r"  Hint +Check user name and password.*\n  Asks for +Pass")
    expect(system.run("alice1", "disconnect", "work"), 0, "Disconnected")
    net.check_unchanged(before)
