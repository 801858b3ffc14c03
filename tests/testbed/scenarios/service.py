# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that godwitd makes for the machine's users."""

import os
import signal

import bus
import caller
import client
import gateway
import net
from caller import MANAGER, PATH, SESSION, Caller, profile
from scenario import scenario

PASSWORD = gateway.USERS["alice"]


def start(context, **options):
    """(the gateway, the bus)."""
    host = gateway.Gateway(context.pki)
    host.start(**options)
    return host, bus.Bus(context)


def as_user(name):
    return Caller(bus.USERS[name])


def connect(who, context, name="work", options="@a{sv} {}", wait="connected", **keys):
    """The object of a connection that this caller asks for, with its password."""
    keys.setdefault("password", PASSWORD)
    who.sessions()
    path, = who.manager("Connect", f"('{name}', {profile(context, **keys)}, {options})")
    if wait:
        who.wait_state(path, wait)
    return path


def forget_what_is_over():
    """The service writes it when it has told of the end."""
    path = "/run/godwit/autoconnect"
    net.wait_until(lambda: os.path.exists(path), 5, "word of what is not connected again")
    os.unlink(path)


@scenario
def sessions_are_private(context):
    """To another user there is a number, and nothing to do; root sees and ends it."""
    start(context)
    before = net.snapshot()
    alice, bob = as_user("alice1"), as_user("bob1")
    path = connect(alice, context)
    net.check(not bob.sessions(), "bob1 sees a session of alice1")
    net.check(bob.property(PATH, "OtherSessions", MANAGER) == 1, "bob1 is not told of one session")
    net.check(alice.property(PATH, "OtherSessions", MANAGER) == 0, "alice1 is told of others")
    for method, arguments in (("Disconnect", "()"), ("GetTrace", "()"), ("GetLog", "()"),
                              ("GetTraffic", "()"), ("CancelSecrets", "(uint32 1,)"),
                              ("ProvideSecrets", "(uint32 1, {'password': @ay [0x61]})")):
        bob.refused("Unknown|NotFound|NotAuthorized|AccessDenied", path, SESSION, method, arguments)
    bob.refused("Unknown|NotFound", path, caller.PROPERTIES, "GetAll", f"('{SESSION}',)")
    net.check(alice.property(path, "State") == "connected", "alice1 is not connected any more")
    net.check(not bob.heard(path=path), f"bob1 hears of it: {bob.heard(path=path)[:1]}")
    root = Caller()
    net.check(list(root.sessions()) == [path], "root does not see it")
    root.session(path, "Disconnect")
    net.check(alice.wait_ended(path)[0] == "user", "alice1's session ended otherwise")
    net.check_unchanged(before)


@scenario
def two_users_with_two_sessions_each(context):
    """Split tunnels beside each other; each is ended by its owner, the host is as before."""
    connection = gateway.default_connection()
    connection["children"]["net"]["local_ts"] = f"{net.SPLIT4}, {net.SPLIT6}"
    start(context, connections={"rw": connection})
    before = net.snapshot()
    users = [as_user(name) for name in ("alice1", "bob1")]
    paths = [(one, connect(one, context, name, tunnel="'split'", wait=None))
             for one in users for name in ("first", "second")]
    for one, path in paths:
        one.wait_state(path, "connected")
    for one in users:
        net.check(len(one.sessions()) == 2, f"{len(one.sessions())} own sessions, not 2")
        net.check(one.property(PATH, "OtherSessions", MANAGER) == 2, "not 2 sessions of others")
    interfaces = {one.property(path, "Interface") for one, path in paths}
    net.check(len(interfaces) == 4, f"interfaces: {interfaces}")
    net.ping(net.HOST4)
    one, path = paths.pop()
    one.session(path, "Disconnect")
    one.wait_ended(path)
    net.ping(net.HOST4)
    for one, path in paths:
        one.session(path, "Disconnect")
        one.wait_ended(path)
    net.check_unchanged(before)


@scenario
def who_is_far_away_is_refused(context):
    """eve1 is logged in from elsewhere: an administrator must agree, and nobody can be asked."""
    start(context)
    before = net.snapshot()
    eve = as_user("eve1")
    eve.refused("NotAuthorized", PATH, MANAGER, "Connect",
                f"('work', {profile(context)}, @a{{sv}} {{}})")
    client.wait_no_worker()
    net.check_unchanged(before)


@scenario
def system_profile_connects_without_its_secrets(context):
    """Root's own file; who sits at the machine may connect with it, and reads nothing secret."""
    start(context)
    before = net.snapshot()
    root, alice, eve = Caller(), as_user("alice1"), as_user("eve1")
    saved = profile(context, password=PASSWORD)
    for one in (alice, eve):
        one.refused("NotAuthorized", PATH, MANAGER, "SaveSystemProfile",
                    f"('office', {saved}, false)")
    root.manager("SaveSystemProfile", f"('office', {saved}, false)")
    root.refused("Busy|Exists|InvalidProfile", PATH, MANAGER, "SaveSystemProfile",
                 f"('office', {saved}, false)")
    state = os.stat(f"{bus.PROFILES}/office.conf")
    net.check(state.st_mode & 0o777 == 0o600 and state.st_uid == 0, f"mode {state.st_mode:o}")
    listed = alice.manager("ListSystemProfiles")[0]
    net.check([(name, why) for name, _, why in listed] == [("office", "")], f"listed: {listed}")
    net.check(not {"password", "ca"} & set(listed[0][1]), f"listed: {sorted(listed[0][1])}")
    eve.refused("NotAuthorized", PATH, MANAGER, "ConnectSystem", "('office', @a{sv} {})")
    alice.refused("NotFound", PATH, MANAGER, "ConnectSystem", "('home', @a{sv} {})")
    alice.sessions()
    path, = alice.manager("ConnectSystem", "('office', @a{sv} {})")
    alice.wait_state(path, "connected")
    net.ping(net.HOST4)
    alice.session(path, "Disconnect")
    alice.wait_ended(path)
    root.manager("DeleteSystemProfile", "('office',)")
    alice.refused("NotFound", PATH, MANAGER, "ConnectSystem", "('office', @a{sv} {})")
    net.check_unchanged(before)


@scenario
def system_profile_is_connected_at_the_start(context):
    """Also after kill -9 of the service; what somebody has ended is not connected again."""
    _, system = start(context)
    root = Caller()
    root.manager("SaveSystemProfile",
                 f"('office', {profile(context, password=PASSWORD, autoconnect='true')}, false)")
    before = net.snapshot()
    for _ in range(2):
        system.kill()
        system.godwitd()
        (path, facts), = net.wait_until(root.sessions, 5, "session").items()
        net.check((facts["Origin"], facts["Owner"]) == ("autoconnect", 0), f"facts: {facts}")
        root.wait_state(path, "connected")
        net.ping(net.HOST4)
    root.session(path, "Disconnect")
    root.wait_ended(path)
    system.kill(signal.SIGTERM)
    system.godwitd()
    net.check(not root.sessions(), "it is connected again")
    forget_what_is_over()
    net.check_unchanged(before)


NOBODY4 = "192.0.2.99"  # no host has it


def _of(root, name):
    return [(path, facts) for path, facts in root.sessions().items() if facts["Name"] == name]


@scenario
def kill_switch_waits_beside_another_profile(context):
    """kill -9 of the service while the gateway does not answer: of two profiles that are connected
    again the first to begin leaves the other its kill switch."""
    host, system = start(context)
    root = Caller()
    first = profile(context, password=PASSWORD, autoconnect="true", host=NOBODY4)
    keys = profile(context, password=PASSWORD, autoconnect="true", kill_switch=caller.text("connected"))
    root.manager("SaveSystemProfile", f"('branch', {first}, false)")
    root.manager("SaveSystemProfile", f"('office', {keys}, false)")
    system.kill()
    system.godwitd()
    (path, _), = net.wait_until(lambda: _of(root, "office"), 5, "session")
    root.wait_state(path, "connected")
    outside = net.Process(["ping", "-n", "-i", "0.01", "-I", "cl0", net.FAR_HOST4])
    os.kill(host.process.pid, signal.SIGSTOP)
    system.kill()
    system.godwitd()
    (path, facts), = net.wait_until(lambda: _of(root, "office"), 5, "session")
    net.check(facts["State"] in ("connecting", "reconnecting"), f"it is {facts['State']}")
    os.kill(host.process.pid, signal.SIGCONT)
    root.wait_state(path, "connected")
    outside.signal(signal.SIGINT)
    outside.wait(10)
    net.check(", 0 received" in outside.output, f"traffic has left: {outside.output[-200:]}")
    root.session(path, "Disconnect")
    root.wait_ended(path)
    forget_what_is_over()


@scenario
def kill_switch_waits_for_what_is_connected_again(context):
    """kill -9 of the service while the gateway does not answer: what it connects by itself holds the
    traffic until it is up again. Of a user's connection, which he alone can make again, the next
    start lets go."""
    host, system = start(context)
    root, alice = Caller(), as_user("alice1")
    keys = profile(context, password=PASSWORD, autoconnect="true", kill_switch=caller.text("connected"))
    root.manager("SaveSystemProfile", f"('office', {keys}, false)")
    system.kill()
    system.godwitd()
    (path, _), = net.wait_until(root.sessions, 5, "session").items()
    root.wait_state(path, "connected")
    inner = root.property(path, "Addresses")
    outside = net.Process(["ping", "-n", "-i", "0.01", "-I", "cl0", net.FAR_HOST4])
    os.kill(host.process.pid, signal.SIGSTOP)
    system.kill()
    system.godwitd()
    (path, facts), = net.wait_until(root.sessions, 5, "session").items()
    net.check(facts["State"] in ("connecting", "reconnecting"), f"it is {facts['State']}")
    os.kill(host.process.pid, signal.SIGCONT)
    root.wait_state(path, "connected")
    net.check(root.property(path, "Addresses") == inner, "it has another address")
    outside.signal(signal.SIGINT)
    outside.wait(10)
    net.check(", 0 received" in outside.output, f"traffic has left: {outside.output[-200:]}")
    root.session(path, "Disconnect")
    root.wait_ended(path)
    connect(alice, context, kill_switch=caller.text("connected"))
    ping = ("ping", "-n", "-q", "-c", "1", "-W", "0.2", "-I", "cl0", net.FAR_HOST4)
    system.kill()
    net.check(", 0 received" in net.run(*ping, ok=False), "traffic leaves while nobody is there")
    system.godwitd()
    net.wait_until(lambda: ", 1 received" in net.run(*ping, ok=False), 5, "traffic")
    forget_what_is_over()


@scenario(idle=True)
def kill_switch_outlasts_failed_attempts(context):
    """kill -9 of the service, twice, while the gateway stays away: what it connects by itself goes on
    holding the traffic after attempts that failed, tells why, and lets go when somebody ends it."""
    host, system = start(context)
    root = Caller()
    before = net.snapshot()
    keys = profile(context, password=PASSWORD, autoconnect="true", timeout="uint64 1",
                   kill_switch=caller.text("connected"))
    root.manager("SaveSystemProfile", f"('office', {keys}, false)")
    system.kill()
    system.godwitd()
    (path, _), = net.wait_until(root.sessions, 5, "session").items()
    root.wait_state(path, "connected")
    outside = net.Process(["ping", "-n", "-i", "0.01", "-I", "cl0", net.FAR_HOST4])
    os.kill(host.process.pid, signal.SIGSTOP)
    for _ in range(2):
        system.kill()
        system.godwitd()
        (path, _), = net.wait_until(root.sessions, 5, "session").items()
        root.wait_state(path, "reconnecting", 20)
        net.check(root.property(path, "LastError")[0] in ("udp-blocked", "gateway-unreachable"),
                  f"the last error is {root.property(path, 'LastError')}")
    outside.signal(signal.SIGINT)
    outside.wait(10)
    net.check(", 0 received" in outside.output, f"traffic has left: {outside.output[-200:]}")
    os.kill(host.process.pid, signal.SIGCONT)
    root.session(path, "Disconnect")
    root.wait_ended(path)
    forget_what_is_over()
    net.check_unchanged(before)


# ---- the end, wanted or not ----

@scenario
def killed_service_leaves_nothing_after_its_restart(context):
    """kill -9; who asks for it next starts it, and the host is as before."""
    _, system = start(context)
    before = net.snapshot()
    alice = as_user("alice1")
    connect(alice, context)
    system.kill()
    system.godwitd()
    net.wait_until(lambda: not alice.sessions(), 5, "end of the session")
    net.wait_until(lambda: not _changes(before), 5, "host that is as before")
    connect(alice, context)
    net.ping(net.HOST4)


def _changes(before):
    try:
        net.check_unchanged(before)
    except net.Failure as failure:
        return str(failure)
    return None


@scenario
def terminated_service_says_goodbye(context):
    """SIGTERM: the gateway gets its Delete, the host is reverted, in time for systemd."""
    host, system = start(context)
    before = net.snapshot()
    alice = as_user("alice1")
    path = connect(alice, context)
    system.kill(signal.SIGTERM)
    host.wait_log("received DELETE for IKE_SA")
    alice.wait_ended(path)
    net.check_unchanged(before)


@scenario
def bus_restarts(context):
    """Without the bus nobody could end the connections: they end by themselves, with a Delete."""
    host, system = start(context)
    before = net.snapshot()
    connect(as_user("alice1"), context)
    system.stop()
    net.wait_until(lambda: not system.pid(), 10, "end of godwitd")
    host.wait_log("received DELETE for IKE_SA")
    net.check_unchanged(before)
    system.start()
    connect(as_user("bob1"), context)
    net.ping(net.HOST4)


@scenario
def service_ends_when_nothing_is_connected(context):
    """A second after the last session; whoever calls next starts it again."""
    host = gateway.Gateway(context.pki)
    host.start()
    system = bus.Bus(context, arguments="--idle-exit=1")
    before = net.snapshot()
    alice = as_user("alice1")
    path = connect(alice, context)
    pid = system.pid()
    alice.session(path, "Disconnect")
    net.check(alice.wait_ended(path)[0] == "user", "the service ended with a session")
    net.wait_until(lambda: not system.pid(), 10, "end of the service")
    connect(alice, context)
    net.check(system.pid() != pid, "it is the same service")
    net.ping(net.HOST4)
    system.kill(signal.SIGTERM)
    net.check_unchanged(before)


@scenario
def bound_session_ends_with_its_owner(context):
    _, system = start(context)
    before = net.snapshot()
    alice = as_user("alice1")
    connect(alice, context, options="{'bound': <true>}")
    alice.leave()
    net.wait_until(lambda: not client.processes("godwit-tunnel"), 5, "end of the worker")
    net.wait_until(lambda: not _changes(before), 5, "host that is as before")


# ---- hostile callers ----

WRONG = (
    ("Connect", "()"), ("Connect", "('name',)"), ("Connect", "(1, 2, 3)"),
    ("Connect", "('n', @a{sv} {}, @as [])"),
    ("Connect", "('n', @a{sv} {}, @a{sv} {})"),
    ("Connect", "('n', {'gateway': <1>}, @a{sv} {})"),
    ("Connect", "('n', {'gateway': <'vpn.example.org'>, 'nonsense': <'x'>}, @a{sv} {})"),
    ("Connect", "('n', {'gateway': <'vpn.example.org'>, 'port': <'500'>}, @a{sv} {})"),
    ("Connect", "('n', {'gateway': <'vpn.example.org'>, 'port': <uint64 70000>}, @a{sv} {})"),
    ("Connect", "('n', {'gateway': <'vpn.example.org'>, 'ca': <'/etc/shadow'>}, @a{sv} {})"),
    ("Connect", "('n', {'gateway': <'vpn.example.org'>, 'private-key': <handle 0>}, @a{sv} {})"),
    ("Connect", "('n', {'gateway': <'vpn.example.org'>}, {'nonsense': <true>})"),
    ("Connect", "('n', {'gateway': <'vpn.example.org'>}, {'bound': <'yes'>})"),
    ("Connect", "('../../../etc/passwd\\n', {'gateway': <'a\\nb'>}, @a{sv} {})"),
    ("ConnectSystem", "('../../etc/shadow', @a{sv} {})"),
    ("ConnectSystem", "('', @a{sv} {})"),
    ("SaveSystemProfile", "('x', @a{sv} {}, true)"),
    ("DeleteSystemProfile", "('../x',)"),
    ("SetKillSwitch", "(true, ['everything'])"),
    ("AllowPortal", "(uint32 100000,)"),
    ("Nonsense", "()"),
)


@scenario
def wrong_calls_are_refused(context):
    """Each with an error; the service goes on and nothing has changed."""
    _, system = start(context)
    pid = system.godwitd()
    before = net.snapshot()
    bob = as_user("bob1")
    for method, arguments in WRONG:
        bob.refused("org.", PATH, MANAGER, method, arguments)
    for text in (f"('{'n' * 1000000}', {{'gateway': <'vpn.example.org'>}}, @a{{sv}} {{}})",
                 "('n', {%s}, @a{sv} {})" % ", ".join(f"'k{key}': <'x'>" for key in range(2000)),
                 "('n', {'gateway': %s}, @a{sv} {})" % ("<" * 30 + "'x'" + ">" * 30)):
        bob.refused("InvalidProfile", PATH, MANAGER, "Connect", text)
    for path in (PATH + "/session/0", PATH + "/session/99", "/", "/org/godwit"):
        bob.refused("org.", path, SESSION, "Disconnect")
    bob.refused("org.", PATH, caller.PROPERTIES, "Set", f"('{MANAGER}', 'Version', <'9'>)")
    bob.refused("org.", PATH, caller.PROPERTIES, "Get", f"('{MANAGER}', 'Nonsense')")
    net.check(system.pid() == pid, "godwitd has ended")
    client.wait_no_worker()
    net.check_unchanged(before)


@scenario
def descriptors_must_be_sealed(context):
    """A memfd that its sender can still change, and a huge one, are refused; a sealed one is taken."""
    _, system = start(context)
    bob = as_user("bob1")
    with open(context.pki.certificate("root"), encoding="latin-1") as file:
        certificate = file.read()
    values = profile(context, password=PASSWORD, ca="root")
    values = values[:values.index("'ca'")] + "'ca': <handle 0>, " \
        + values[values.index("'password'"):]
    arguments = f"('work', {values}, @a{{sv}} {{}})"
    bob.sessions()
    bob.refused("InvalidProfile", PATH, MANAGER, "Connect", arguments, memory=certificate, seal=False)
    bob.refused("InvalidProfile", PATH, MANAGER, "Connect", arguments, memory="x" * (4 << 20))
    path, = bob.manager("Connect", arguments, memory=certificate)
    bob.wait_state(path, "connected")


@scenario
def a_flood_of_connects_is_bounded(context):
    """A thousand at once: a user gets so many sessions, others are not kept waiting for theirs."""
    # The gateway has its own idea of a flood.
    _, system = start(context, charon={"block_threshold": "1000"})
    bob, alice = as_user("bob1"), as_user("alice1")
    before = net.snapshot()
    pid = system.godwitd()
    counts = bob.flood(1000, PATH, MANAGER, "Connect",
                       f"('flood', {profile(context)}, @a{{sv}} {{}})")
    net.check(sum(counts.values()) == 1000, f"answers: {counts}")
    net.check(counts.get("", 0) <= 64, f"sessions begun: {counts}")
    net.check(system.pid() == pid, "godwitd has ended")
    path = connect(alice, context)
    alice.session(path, "Disconnect")
    alice.wait_ended(path)
    for path in bob.sessions():
        bob.session(path, "Disconnect")
    net.wait_until(lambda: not bob.sessions(), 10, "end of the sessions of bob1")
    net.check_unchanged(before)
    return ", ".join(f"{count} {name.rpartition('.')[2] or 'begun'}"
                     for name, count in sorted(counts.items()))


@scenario
def secrets_reach_their_own_session_only(context):
    """What bob1 answers to a form of alice1's goes nowhere; so does an answer to an old form."""
    start(context)
    alice, bob = as_user("alice1"), as_user("bob1")
    path = connect(alice, context, password=None, wait=None)
    number = net.wait_until(lambda: alice.property(path, "Form")[0], 10, "form")
    values = f"(uint32 {number}, {{'password': {caller.octets(PASSWORD.encode())}}})"
    bob.refused("org.", path, SESSION, "ProvideSecrets", values)
    bob.refused("org.", path, SESSION, "CancelSecrets", f"(uint32 {number},)")
    alice.refused("NotReady|NotFound", path, SESSION, "ProvideSecrets",
                  values.replace(f"uint32 {number}", f"uint32 {number + 1}"))
    net.check(alice.property(path, "State") == "connecting", "it is not connecting any more")
    alice.session(path, "ProvideSecrets", values)
    alice.wait_state(path, "connected")
    alice.refused("NotReady|NotFound", path, SESSION, "ProvideSecrets", values)
