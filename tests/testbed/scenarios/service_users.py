# SPDX-License-Identifier: GPL-2.0-or-later
"""godwit(1) as the machine's users have it: through godwitd."""

import json
import termios

import bus
import client
import gateway
import languages
import net
import resolvers
from caller import Caller
from scenario import scenario, scenario_for
from scenarios.service import connect, start

PASSWORD = gateway.USERS["alice"]


def sign_on(context, name="alice1", *arguments, **options):
    """`godwit connect` of that user, to its end."""
    one = client.start_as_alice(context, *arguments, user=bus.USERS[name], **options)
    return one.wait_end(), one


@scenario
def an_ordinary_user_connects(context):
    """The first call starts the service; godwit returns when the tunnel is up."""
    host, system = start(context)
    before = net.snapshot()
    net.check(not system.pid(), "godwitd runs before anybody asks for it")
    code, one = sign_on(context)
    net.check(code == 0, f"exit code {code}: {one.process.tail()}")
    one.wait_connected()
    net.ping(net.HOST4)
    code, listing, _ = system.run("alice1", "status")
    net.check(code == 0 and "vpn.example.org" in listing and "10.77.0." in listing,
              f"status ({code}): {listing}")
    _, listing, _ = system.run("alice1", "status", "--json")
    net.check("10.77.0." in json.dumps(json.loads(listing)), f"status --json: {listing}")
    code, _, errors = system.run("alice1", "disconnect")
    net.check(code == 0, f"disconnect: exit code {code}: {errors}")
    host.wait_log("received DELETE for IKE_SA")
    net.check_unchanged(before)


@scenario
def a_session_of_another_user_is_a_number(context):
    """Neither godwit status nor list tells more, and it cannot be ended; root may do both."""
    _, system = start(context)
    before = net.snapshot()
    alice = Caller(bus.USERS["alice1"])
    path = connect(alice, context)
    for command in (("status",), ("status", "--json"), ("list",)):
        _, listing, _ = system.run("bob1", *command)
        net.check("work" not in listing and "10.77" not in listing, f"bob1 sees: {listing}")
    code, _, _ = system.run("bob1", "disconnect", "work")
    net.check(code != 0, "bob1 ended the session of alice1")
    code, listing, _ = system.run(None, "status")
    net.check(code == 0 and "10.77.0." in listing, f"root sees ({code}): {listing}")
    code, _, errors = system.run(None, "disconnect", "work")
    net.check(code == 0, f"root's disconnect: exit code {code}: {errors}")
    net.check(alice.wait_ended(path)[0] == "user", "alice1's session ended otherwise")
    net.check_unchanged(before)


@scenario
def password_is_asked_for_on_the_terminal(context):
    _, system = start(context)
    terminal = system.terminal("alice1", "connect", "vpn.example.org", "--user", "alice", "--ca",
                               context.pki.certificate("root"))
    terminal.read_until("(?i)password[^\n]*: *", 10)
    terminal.type(PASSWORD + "\n")
    terminal.read_until("^Connected", 15)
    net.check(terminal.wait(10) == 0, f"the terminal shows {terminal.output[-300:]!r}")
    net.check(PASSWORD not in terminal.output, "the terminal shows the password")
    net.ping(net.HOST4)


@scenario
def who_is_not_at_the_machine_is_refused(context):
    """eve1 is logged in from elsewhere: an administrator must agree, and nobody can be asked."""
    _, system = start(context)
    before = net.snapshot()
    code, one = sign_on(context, "eve1")
    net.check(code == 31 and "not allowed" in one.output, f"exit code {code}: {one.process.tail()}")
    client.wait_no_worker()
    net.check_unchanged(before)


@scenario
def an_administrator_agrees_on_the_terminal(context):
    """polkit asks for the administrator's password; godwit brings the agent that can ask."""
    _, system = start(context)
    bus.set_passwords()
    terminal = system.terminal("eve1", "connect", "vpn.example.org", "--user", "alice", "--ca",
                               context.pki.certificate("root"))
    terminal.read_until("AUTHENTICATING(.*\n)+Password: ", 10)
    # The agent throws away what was typed before it has turned off the echo.
    net.wait_until(lambda: not termios.tcgetattr(terminal.descriptor)[3] & termios.ECHO, 5,
                   "question without echo")
    terminal.type(bus.USERS["admin1"].password + "\n")
    terminal.read_until("AUTHENTICATION COMPLETE(.*\n)+.*assword[^\n]*: *", 10)
    terminal.type(PASSWORD + "\n")
    terminal.read_until("^Connected", 15)
    net.check(terminal.wait(10) == 0, f"the terminal shows {terminal.output[-300:]!r}")


REFUSED = {
    "wrong_password": ("auth-failed", {"password": "not the right one"}, ()),
    "untrusted_gateway": ("gateway-untrusted", {"ca": "other-root"}, ()),
    "other_algorithms": ("no-proposal-chosen", {}, ("--esp-proposals", "aes256gcm16-esn")),
}


@scenario_for(REFUSED, lambda name: f"service_says_why_{name}")
def service_says_why(context, name):
    """The same sentence and exit code as with --standalone."""
    start(context)
    reason, options, arguments = REFUSED[name]
    before = net.snapshot()
    one = client.start_as_alice(context, *arguments, user=bus.USERS["alice1"], **options)
    client.expect_refusal(one, reason, before)


@scenario
def service_says_why_in_the_language_of_who_asks(context):
    """What the worker has made of it too: its service, and whoever asks beside, are English."""
    languages.install(context, "de")
    start(context)
    asking = [(client.start_as_alice(context, user=bus.USERS[name], password="not the right one",
                                     language=language), words)
              for name, language, words in (
                  ("alice1", languages.LOCALES["de"], "falscher Benutzername oder falsches Passwort"),
                  ("bob1", None, "wrong user name or password"))]
    for one, words in asking:
        code = one.wait_end()
        net.check(code == 15 and words in one.output,
                  f"{one.user.name}: exit code {code}; it said: {one.process.tail()}")
    # What godwitd itself says, of name servers.
    resolvers.Names()
    german = client.start_as_alice(context, "--foreground", user=bus.USERS["alice1"],
                                   language=languages.LOCALES["de"])
    german.process.read_until(r"10\.99\.0\.1 antwortet in [\d.]+ ms$", 10)
    german.disconnect()
