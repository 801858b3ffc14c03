# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's certificate and private key are on a token (PKCS#11)."""

import os
import pwd
import re
import signal
import subprocess

import bus
import client
import gateway
import net
import tokens
from caller import Caller, octets
from client import connected, expect_refusal
from machine import Machine
from scenario import scenario, scenario_for
from scenarios.authentication import start
from scenarios.nm_service import add, start as nm_start
from tokens import Token, uri


# As in pcscd's own file.
PCSC = """<action id="{}"><description>x</description><message>x</message><defaults>
<allow_any>no</allow_any><allow_inactive>no</allow_inactive><allow_active>yes</allow_active>
</defaults></action>"""


def by_token(*more, certificate=None, pin=tokens.PIN):
    """Arguments for `connected` and Client."""
    arguments = ("--auth", "certificate", "--certificate", certificate or uri(), *more)
    return arguments, {"user": None, "key_password": pin}


def attempt(context, *more, **options):
    arguments, options = by_token(*more, **options)
    return client.Client(context, *arguments, **options)


def connect(who, context, **more):
    """The object of a connection by the bus; `more` keys of its profile."""
    with open(context.pki.certificate("root"), "rb") as file:
        keys = {"gateway": "'vpn.example.org'", "auth": "'certificate'", "ca": octets(file.read()),
                "certificate": octets(uri().encode()), **more}
    profile = ", ".join(f"'{key}': <{value}>" for key, value in keys.items())
    who.sessions()
    path, = who.manager("Connect", f"('work', {{{profile}}}, @a{{sv}} {{}})")
    return path


@scenario_for(["user-rsa2048", "user-ecdsa256", "user-ecdsa384", "user-ed25519"],
              lambda name: f"token_with_{name.replace('-', '_')}")
def key_on_a_token(context, name):
    """RFC 7427 signatures that the token makes; only the certificate's URI is given."""
    host = start(context, gateway.certificate_connection())
    Token(context, name)
    arguments, options = by_token()
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)
        net.check("alice@example.org" in host.sas(), "the gateway does not list the user")


@scenario
def one_of_several_certificates(context):
    """The URI fits two: a person chooses."""
    host = start(context, gateway.certificate_connection())
    before = net.snapshot()
    Token(context).add_certificate("gw-ecdsa256")
    terminal = client.Terminal(
        [client.program(context), "connect", "vpn.example.org", "--standalone", "--auth", "certificate",
         "--certificate", "pkcs11:token=Alice", "--ca", context.pki.certificate("root")],
        client.environment(context))
    shown = terminal.read_until(r"Certificate, 1 to 2: $", 10) and terminal.output
    net.check(len(re.findall(r"issued by .*Test root.*, until 20\d\d-", shown)) == 2, shown)
    alices = re.search(r"^ +(\d)  .*CN=alice@example.org", shown, re.M)
    net.check(alices, shown)
    terminal.type("3\n")
    terminal.read_until(r"3\n.*Certificate, 1 to 2: $", 5)
    terminal.type(alices.group(1) + "\n")
    terminal.read_until("PIN: $", 10)
    terminal.type(tokens.PIN + "\n")
    terminal.read_until(r"^  Interface .*\n", 15)
    net.ping(net.HOST4)
    net.check("alice@example.org" in host.sas(), "the gateway does not list the user")
    terminal.type("\003")
    net.check(terminal.wait() == 0, terminal.output)
    net.check_unchanged(before)


@scenario
def chosen_certificate_is_remembered(context):
    """It stands in the profile then; only the PIN is asked for after that."""
    host = start(context, gateway.certificate_connection())
    Token(context).add_certificate("gw-ecdsa256")
    path = "/run/bed/card.conf"
    with open(path, "w", encoding="ascii") as file:
        file.write("[godwit]\ngateway=vpn.example.org\nauth=certificate\n"
                   f"certificate=pkcs11:token=Alice\nca={context.pki.certificate('root')}\n")
    for again in (False, True):
        terminal = client.Terminal([client.program(context), "connect", path, "--standalone"],
                                   client.environment(context))
        if not again:
            terminal.read_until(r"Certificate, 1 to 2: $", 10)
            alices = re.search(r"^ +(\d)  .*CN=alice@example.org", terminal.output, re.M)
            terminal.type(alices.group(1) + "\n")
            terminal.read_until(r"Remember my choice\? yes or no: $", 5)
            terminal.type("yes\n")
        terminal.read_until("PIN: $", 10)
        terminal.type(tokens.PIN + "\n")
        terminal.read_until(r"^  Interface .*\n", 15)
        net.check(("Certificate, 1" in terminal.output) != again, terminal.output)
        net.check("alice@example.org" in host.sas(), "the gateway does not list the user")
        terminal.type("\003")
        net.check(terminal.wait() == 0, terminal.output)


@scenario
def token_signs_with_pss(context):
    host = start(context, gateway.certificate_connection())
    Token(context)
    arguments, options = by_token("--rsa-pss")
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)
    host.wait_log("authentication of 'alice@example.org' with RSA_EMSA_PSS_SHA2_256")


@scenario_for(["user-rsa2048", "user-ecdsa256"],
              lambda name: f"token_with_old_method_of_{name.replace('-', '_')}")
def token_signs_with_old_methods(context, name):
    """Authentication methods 1 and 9: the gateway does not announce RFC 7427."""
    start(context, gateway.certificate_connection(), charon={"signature_authentication": "no"})
    Token(context, name)
    arguments, options = by_token()
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)


@scenario
def only_the_key_is_on_a_token(context):
    start(context, gateway.certificate_connection())
    Token(context)
    arguments, options = by_token("--private-key", uri(type="private"),
                                  certificate=context.pki.certificate("user-rsa2048"))
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)


@scenario(timeout=60)
def connection_with_a_token_is_made_again(context):
    """After the gateway was lost godwit-token signs once more; nobody is asked for the PIN."""
    host = start(context, gateway.certificate_connection())
    Token(context)
    arguments, options = by_token("--dpd", "1", "--dead-after", "1")
    with connected(context, *arguments, **options) as one:
        pings = net.Process(["ping", "-n", "-q", "-i", "0.2", net.HOST4])
        host.stop(signal.SIGKILL)
        host.launch()
        host.configure({"rw": gateway.certificate_connection()})
        one.process.read_until("Connected again", 40)
        pings.kill()
        net.ping(net.HOST4)


@scenario(timeout=60)
def token_is_taken_out_and_put_in_again(context):
    """A lost gateway cannot be connected to without it, and is when it is there again."""
    host = start(context, gateway.certificate_connection())
    Token(context)
    tokens.moody(context, "good")
    arguments, options = by_token("--dpd", "1", "--dead-after", "1")
    with connected(context, *arguments, **options) as one:
        tokens.moody(context, "gone")
        pings = net.Process(["ping", "-n", "-q", "-i", "0.2", net.HOST4])
        host.stop(signal.SIGKILL)
        host.launch()
        host.configure({"rw": gateway.certificate_connection()})
        one.process.read_until("Reconnecting: .*“Alice” was taken out", 30)
        tokens.moody(context, "back")
        one.process.read_until("Connected again", 30)
        pings.kill()
        net.ping(net.HOST4)


@scenario
def worker_with_a_token_is_replaced(context):
    """Another worker has another godwit-token, and the PIN that was right."""
    start(context, gateway.certificate_connection())
    Token(context)
    arguments, options = by_token()
    with connected(context, *arguments, **options) as one:
        helper = client.processes("godwit-token")
        os.kill(client.worker(), signal.SIGKILL)
        one.process.read_until("Connected again", 20)
        net.check(client.processes("godwit-token") not in ([], helper), "godwit-token is the old one")
        net.ping(net.HOST4)


@scenario
def wrong_pin_is_asked_for_again_on_the_terminal(context):
    """An ordinary user through godwitd: asked by name of the token, told of the wrong one."""
    start(context, gateway.certificate_connection())
    Token(context)
    system = bus.Bus(context)
    terminal = system.terminal("alice1", "connect", "vpn.example.org", "--auth", "certificate",
                               "--certificate", uri(), "--ca", context.pki.certificate("root"))
    terminal.read_until("PIN of the token “Alice”\nPIN: *$", 10)
    terminal.type("000000\n")
    terminal.read_until("wrong[^\n]*Alice[^\n]*\nPIN: *$", 10)
    terminal.type(tokens.PIN + "\n")
    terminal.read_until("^Connected", 15)
    net.check(terminal.wait(10) == 0, f"the terminal shows {terminal.output[-300:]!r}")
    net.check(tokens.PIN not in terminal.output, "the terminal shows the PIN")
    net.ping(net.HOST4)


@scenario
def smart_card_readers_are_open_to_godwit_token(context):
    """pcscd asks polkit, which would refuse whoever is not at the machine."""
    asked = [f"org.debian.pcsc-lite.access_{what}" for what in ("pcsc", "card")]
    bus.Bus(context)
    bus.write("/usr/share/polkit-1/actions/org.debian.pcsc-lite.policy",
              "<policyconfig>" + "".join(PCSC.format(action) for action in asked)
              + "</policyconfig>")

    def may(user, action):
        one = net.Process(["sleep", "60"], enter=lambda: os.setuid(user))
        command = ["pkcheck", "--action-id", action, "--process", str(one.popen.pid)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=20)
        one.kill()
        return done.returncode == 0
    godwit, eve = pwd.getpwnam(tokens.USER).pw_uid, bus.USERS["eve1"].uid
    for action in asked:
        net.check(may(godwit, action), f"{action} is refused to godwit")
        net.check(not may(eve, action), f"{action} is allowed to eve1")
    net.check(not may(godwit, "org.godwit.VPN1.connect"), "the rule allows more than it should")


@scenario
def pin_is_a_form_on_the_bus(context):
    """What the form says, that the PIN comes out nowhere, and that to cancel it ends it all."""
    start(context, gateway.certificate_connection())
    Token(context)
    system = bus.Bus(context)
    before = net.snapshot()
    alice = Caller(bus.USERS["alice1"])
    path = connect(alice, context)
    asked = net.wait_until(lambda: (form := alice.property(path, "Form"))[0] and form, 10, "a form")
    net.check("PIN" in str(asked) and "Alice" in str(asked), f"the form: {asked}")
    net.check(asked[1][0][4] == {"once": True}, f"the PIN may be remembered: {asked}")
    worker, helper = client.worker(), client.processes("godwit-token")
    net.check(len(helper) == 1, f"{len(helper)} godwit-token run, not 1")
    net.check(client.status_of(helper[0])["Uid"].split()[0] != "0", "godwit-token runs as root")
    net.check(int(client.status_of(helper[0])["CapEff"], 16) == 0, "godwit-token has capabilities")
    alice.session(path, "Disconnect")
    net.check(alice.wait_ended(path)[0] == "user", "it ended otherwise")
    net.wait_until(lambda: not set(client.processes()) & {worker, *helper}, 5, "end of both")
    net.check(system.pid(), "godwitd has ended too")
    net.check_unchanged(before)


@scenario
def wrong_pin_from_a_descriptor(context):
    """It is tried once: every other try brings the token nearer to its lock."""
    start(context, gateway.certificate_connection())
    Token(context)
    before = net.snapshot()
    expect_refusal(attempt(context, pin="000000"), "pin-wrong", before)


@scenario
def absent_token(context):
    """Those that are there are named."""
    start(context, gateway.certificate_connection())
    Token(context)
    before = net.snapshot()
    one = attempt(context, certificate=uri("Bob"))
    expect_refusal(one, "token-missing", before)
    net.check("“Alice”" in one.output, f"it does not name Alice: {one.process.tail()}")


@scenario
def certificate_that_the_token_lacks(context):
    start(context, gateway.certificate_connection())
    Token(context)
    before = net.snapshot()
    expect_refusal(attempt(context, certificate=uri(identity="77")), "token-object", before)


@scenario
def key_of_another_certificate(context):
    """What belongs together is told before the gateway hears of it."""
    start(context, gateway.certificate_connection())
    Token(context, certificate="user-ecdsa256")
    before = net.snapshot()
    one = attempt(context)
    expect_refusal(one, "profile", before)
    net.check("belong together" in one.output, f"it said: {one.process.tail()}")


@scenario
def module_that_crashes(context):
    """One connection ends, with a sentence."""
    start(context, gateway.certificate_connection())
    Token(context)
    before = net.snapshot()
    system = bus.Bus(context)
    terminal = system.terminal("alice1", "connect", "vpn.example.org", "--auth", "certificate",
                               "--certificate", uri(), "--ca", context.pki.certificate("root"))
    terminal.read_until("PIN: *$", 10)
    helper, = client.processes("godwit-token")
    os.kill(helper, signal.SIGKILL)
    terminal.read_until("module that drives the token has crashed", 10)
    net.check(terminal.wait(10) == client.REFUSALS["token-failed"][0], "another exit code")
    net.check_unchanged(before)


@scenario
def token_that_is_to_be_touched(context):
    """The user is told while it waits; the gateway waits too."""
    start(context, gateway.certificate_connection())
    Token(context)
    tokens.moody(context, "slow")
    arguments, options = by_token()
    with connected(context, *arguments, **options) as one:
        net.check("Token: touch it" in one.output, f"nobody says so: {one.process.tail()}")
        net.ping(net.HOST4)


@scenario
def module_has_no_rights(context):
    """It can start no program, signal none, and make no links, pipes or raw sockets."""
    start(context, gateway.certificate_connection())
    Token(context)
    tokens.moody(context, "rights")
    arguments, options = by_token()
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)


@scenario_for(["crash", "refuse"], lambda mood: f"module_that_signs_with_{mood}")
def module_that_does_not_sign(context, mood):
    """After the gateway has answered."""
    start(context, gateway.certificate_connection())
    Token(context)
    tokens.moody(context, mood)
    before = net.snapshot()
    expect_refusal(attempt(context), {"crash": "token-failed", "refuse": "token-unsupported"}[mood],
                   before)


@scenario(timeout=60)
def token_under_systemd(context):
    """What the unit lets the service do is enough for godwit-token and a module."""
    start(context, gateway.certificate_connection())
    machine = Machine(context)
    Token(context)
    root = Caller()
    path = connect(root, context, **{"private-key-password": octets(tokens.PIN.encode())})
    root.wait_state(path, "connected")
    net.ping(net.HOST4)
    helper, = client.processes("godwit-token")
    net.check(client.status_of(helper)["Seccomp"] == "2", "godwit-token is not confined")
    net.check(machine.show("godwitd.service")["ActiveState"] == "active", "another service")
    root.session(path, "Disconnect")
    net.check(root.wait_ended(path)[0] == "user", "it ended otherwise")


@scenario
def nm_connects_with_a_token(context):
    """NetworkManager hands the URI on, and keeps the PIN among its secrets."""
    _, manager = nm_start(context, connections={"rw": gateway.certificate_connection()})
    Token(context)
    add(manager, context, password=None, auth="certificate", certificate=uri())
    manager.nmcli("connection", "modify", "work", "vpn.secrets",
                  f"private-key-password={tokens.PIN}")
    manager.nmcli("connection", "up", "work")
    net.ping(net.HOST4)
    manager.nmcli("connection", "down", "work")
    net.wait_until(lambda: not client.processes("godwit-to"), 5, "end of godwit-token")


@scenario
def doctor_lists_tokens(context):
    """With the URI that a profile takes, to root and to others."""
    Token(context)
    system = bus.Bus(context)
    os.chmod(tokens.STORE, 0o755)
    wanted = "“Alice” has the certificate “user-rsa2048”: pkcs11:token=Alice;id=%01"
    _, listing, _ = system.run(None, "doctor")
    net.check(wanted in listing, f"root is told: {listing}")
    Token.take_out()
    _, listing, _ = system.run("alice1", "doctor")
    net.check("Token" not in listing, f"alice1 is told: {listing}")


@scenario
def nm_asks_for_the_pin(context):
    """No secret is kept: nmcli asks on the terminal, and once more after a wrong one."""
    _, manager = nm_start(context, connections={"rw": gateway.certificate_connection()})
    Token(context)
    add(manager, context, password=None, auth="certificate", certificate=uri())
    terminal = manager.terminal("connection", "up", "work")
    terminal.read_until("PIN of the token “Alice”(.*\n)*.*password.*: *$", 10)
    terminal.type("000000\n")
    # nmcli begins with what was typed before.
    terminal.read_until("wrong. PIN of the token “Alice”.*\n.*password.*: •{6}$", 10)
    terminal.type("\x15" + tokens.PIN + "\n")
    terminal.read_until("successfully activated", 20)
    net.check(tokens.PIN not in terminal.output, "the terminal shows the PIN")
    net.ping(net.HOST4)
