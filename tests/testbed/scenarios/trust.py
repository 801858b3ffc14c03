# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway whose certificate nobody vouches for: a person is asked, before anything of hers is sent."""

import os
import re
import signal
import subprocess

import bus
import caller
import client
import gateway
import net
from caller import Caller, profile
from client import REFUSALS, Terminal, environment, program
from scenario import scenario, scenario_for

CONNECTED = r"^  Interface .*\n"


def start(context, certificate):
    host = gateway.Gateway(context.pki)
    host.start({"rw": gateway.default_connection(certificate)})
    return host


def fingerprint(context, name):
    done = subprocess.run(["openssl", "x509", "-in", context.pki.certificate(name), "-noout",
                           "-fingerprint", "-sha256"], capture_output=True, text=True, check=True)
    return done.stdout.rpartition("=")[2].strip().replace(":", "").lower()


def blocks(digits):
    """As they are shown: two lines of eight times four."""
    parts = [digits[i:i + 4] for i in range(0, 64, 4)]
    return " ".join(parts[:8]) + r"\n +" + " ".join(parts[8:])


def check_no_credentials(host):
    log = host.log()
    net.check("EAP/RES" not in log and "received EAP identity" not in log,
              "something of the user's left before the gateway was trusted")


def expect_end(terminal, reason):
    code, sentence = REFUSALS[reason]
    found = terminal.wait()
    net.check(found == code, f"exit code {found}, not {code}: {terminal.output[-500:]}")
    net.check(re.search(sentence, terminal.output), f"no '{sentence}': {terminal.output[-500:]}")


@scenario(timeout=60)
def trusted_gateway_is_remembered(context):
    """Asked once with all facts, then never again; another certificate is refused at once."""
    host, system = start(context, "gw-self-signed"), bus.Bus(context)
    before = net.snapshot()
    path = bus.give_profile(context, "alice1")
    bus.write(path, re.sub(r"ca=.*\n", "", bus.read(path)), 0o600)
    digits = fingerprint(context, "gw-self-signed")
    terminal = system.terminal("alice1", "connect", "work")
    terminal.read_until(r"Trust it\? yes \(and remember\), once or no: $", 10)
    for fact in (r"made its certificate itself", r"  You connect to +vpn\.example\.org\n",
                 r"  The certificate is for +vpn\.example\.org, 192\.0\.2\.1, 2001:db8:1::1\n",
                 r"  Issued by +.*CN=vpn\.example\.org", r"  Valid +from \d+ \w+ 20\d\d to \d",
                 r"  SHA-256 fingerprint +" + blocks(digits)):
        net.check(re.search(fact, terminal.output), f"no '{fact}': {terminal.output}")
    check_no_credentials(host)
    terminal.type("perhaps\n")
    terminal.read_until(r"perhaps\n.*Trust it\? .*: $", 5)
    check_no_credentials(host)
    terminal.type("yes\n")
    net.check(terminal.wait() == 0 and re.search(CONNECTED, terminal.output, re.M), terminal.output)
    net.ping(net.HOST4)
    net.check(f"gateway-fingerprint={digits}\n" in bus.read(path), bus.read(path))
    net.check(system.run("alice1", "disconnect")[0] == 0, "it did not end")
    code, output, errors = system.run("alice1", "connect", "work")
    net.check(code == 0, f"{output}{errors}")
    net.check(system.run("alice1", "disconnect")[0] == 0, "it did not end")
    asked = host.count("received EAP identity")
    host.stop()
    host.start({"rw": gateway.default_connection()})
    terminal = system.terminal("alice1", "connect", "work")
    expect_end(terminal, "gateway-changed")
    net.check(fingerprint(context, "gw-ecdsa256") in terminal.output, terminal.output)
    net.check(host.count("received EAP identity") in (0, asked), "the user's name left")
    net.check_unchanged(before)


@scenario_for([("gw-unknown-ca", "gateway-untrusted", r"authority that issued"),
               ("gw-expired", "gateway-expired", r"has expired"),
               ("gw-future", "gateway-expired", r"not valid yet"),
               ("gw-wrong-name", "gateway-identity-mismatch", r"another name")],
              lambda case: f"question_about_{case[0].replace('-', '_')}")
def question_about(context, case):
    """No ends it, with what is wrong; yes, for this time alone, connects. Neither shows the user."""
    certificate, reason, why = case
    host = start(context, certificate)
    before = net.snapshot()
    for answer in ("no", "yes"):
        terminal = Terminal([program(context), "connect", "vpn.example.org", "--standalone", "--user",
                             "alice", "--ca", context.pki.certificate("root")], environment(context))
        terminal.read_until(r"Trust it\? yes or no: $", 10)
        net.check(re.search(why, terminal.output), f"no '{why}': {terminal.output}")
        check_no_credentials(host)
        terminal.type(answer + "\n")
        if answer == "no":
            expect_end(terminal, reason)
            check_no_credentials(host)
    terminal.read_until(r"Password: $", 10)
    terminal.type(gateway.USERS["alice"] + "\n")
    terminal.read_until(CONNECTED, 10)
    net.ping(net.HOST4)
    terminal.type("\003")
    net.check(terminal.wait() == 0, terminal.output[-300:])
    net.check_unchanged(before)


@scenario
def trust_is_asked_by_the_service(context):
    """The form has the facts; another fingerprint than the one that is shown is no answer; a worker in
    the place of one that crashed knows whom to trust. Of a profile of root's nobody is asked."""
    host = start(context, "gw-unknown-ca")
    bus.Bus(context)
    before = net.snapshot()
    alice, root = Caller(bus.USERS["alice1"]), Caller()
    digits = fingerprint(context, "gw-unknown-ca")
    alice.sessions()

    def begin():
        path, = alice.manager("Connect", f"('work', {profile(context, password=gateway.USERS['alice'])},"
                                         " @a{sv} {})")
        return path, *net.wait_until(lambda: (form := alice.property(path, "Form"))[0] and form, 10,
                                     "the question")

    def answer(path, number, value):
        alice.session(path, "ProvideSecrets", f"(uint32 {number}, {{'gateway-fingerprint': "
                                              f"{caller.octets(value.encode())}}})")
    path, number, (field,) = begin()
    net.check((field[0], field[3]) == ("gateway-fingerprint", "trust"), f"{field}")
    facts = field[4]
    net.check(facts["problems"] == ["unknown-authority"] and facts["fingerprint"] == digits and
              facts["expected"] == "vpn.example.org" and "Unrelated root" in facts["issuer"] and
              facts["not-before"] < facts["not-after"], f"{facts}")
    answer(path, number, "0" * 64)
    net.check(alice.wait_ended(path)[0] == "gateway-untrusted", "it ended otherwise")
    check_no_credentials(host)
    path, number, _ = begin()
    answer(path, number, digits)
    alice.wait_state(path, "connected")
    worker = client.worker()
    os.kill(worker, signal.SIGKILL)
    net.wait_until(lambda: client.processes("godwit-tunnel") not in ([], [worker]), 10, "another worker")
    alice.wait_state(path, "connected")
    net.ping(net.HOST4)
    alice.session(path, "Disconnect")
    alice.wait_ended(path)
    root.manager("SaveSystemProfile",
                 f"('office', {profile(context, password=gateway.USERS['alice'])}, false)")
    path, = alice.manager("ConnectSystem", "('office', @a{sv} {})")
    net.check(alice.wait_ended(path)[0] == "gateway-untrusted", "it ended otherwise")
    root.manager("DeleteSystemProfile", "('office',)")
    net.check_unchanged(before)
