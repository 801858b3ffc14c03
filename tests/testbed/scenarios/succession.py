# SPDX-License-Identifier: GPL-2.0-or-later
"""Several IKE SAs one after the other in one connection: a gateway that is lost and comes back, one
that wants the authentication repeated, one that sends us to another."""

import contextlib
import hashlib
import json
import re
import signal
import socket
import sys
import threading
import time

import gateway
import net
import transfer
from client import Terminal, connected, environment, expect_refusal, program, start_as_alice
from pings import pinged
from scenario import scenario

# A lost gateway is noticed soon.
EAGER = ("--dpd", "1", "--dead-after", "3")
AGAIN = r"Connected again"


def start(context, **options):
    host = gateway.Gateway(context.pki)
    host.start(**options)
    return host


class Stream:
    """A TCP transfer through the tunnel at a steady pace, with a checksum at its end."""

    PACE = 2_000_000

    def __init__(self, seconds):
        self.size = seconds * self.PACE
        self.digest, self.received, self.problem = hashlib.sha256(), 0, None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            with socket.create_connection((net.HOST4, transfer.PORT), timeout=60) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                request = {"direction": "down", "size": self.size}
                connection.sendall(json.dumps(request).encode() + b"\n")
                while self.received < self.size:
                    data = connection.recv(20_000)
                    net.check(data, "the stream ended early")
                    self.digest.update(data)
                    self.received += len(data)
                    net.let_pass(len(data) / self.PACE)
        except (OSError, net.Failure) as problem:
            self.problem = problem

    def finish(self, timeout=60):
        self.thread.join(timeout)
        net.check(not self.thread.is_alive(), f"the stream stands at {self.received} octets")
        net.check(not self.problem, f"the stream broke: {self.problem}")
        net.check(self.digest.hexdigest() == transfer.expected_digest(self.size),
                  "the stream arrived with another checksum")


@contextlib.contextmanager
def streaming(seconds):
    transfer.start_server()
    stream = Stream(seconds)
    net.wait_until(lambda: stream.received > 100_000 or stream.problem, 10, "stream")
    yield stream
    stream.finish()


@contextlib.contextmanager
def another_password():
    users = dict(gateway.USERS)
    gateway.USERS["alice"] = "another one"
    yield
    gateway.USERS.update(users)


def status(context):
    listing = net.run(program(context), "status", "--json", env=environment(context))
    return json.loads(listing)[0]


def check_nothing_leaks(context):
    """While it reconnects the tunnel still takes everything."""
    for command in (("ip", "route", "get", net.FAR_HOST4), ("ip", "route", "get", net.FAR_HOST6)):
        way = net.run(*command)
        net.check("dev godwit0" in way, f"beside the tunnel: {way.strip()}")
    with open("/etc/resolv.conf", encoding="utf-8") as file:
        net.check(net.HOST4 in file.read(), "DNS is no longer the tunnel's")
    net.check(status(context)["state"] == "reconnecting", "the status does not tell")


@contextlib.contextmanager
def lost(host):
    """SIGKILL of the gateway, with traffic that makes it be missed; yields what starts it again."""
    pings = net.Process(["ping", "-n", "-q", "-i", "0.2", net.HOST4])

    def again():
        host.launch()
        host.configure({"rw": gateway.default_connection()})
    host.stop(signal.SIGKILL)
    yield again
    pings.kill()


@scenario(timeout=90)
def gateway_is_killed_and_comes_back(context):
    """SIGKILL of the gateway: noticed, connected again as soon as it is back, with the same
    address; nothing goes beside the tunnel meanwhile, and a TCP stream lives on."""
    host = start(context)
    with connected(context, *EAGER) as client:
        with streaming(8):
            host.stop(signal.SIGKILL)
            killed = time.monotonic()
            client.process.read_until(r"Reconnecting: .*stopped answering", 20)
            noticed = time.monotonic() - killed
            check_nothing_leaks(context)
            host.launch()
            host.swanctl("--load-all", "--clear")
            back = time.monotonic()
            client.process.read_until(AGAIN, 30)
            again = time.monotonic() - back
        net.check(status(context)["state"] == "connected", "the status does not tell")
        net.ping(net.HOST4)
        net.ping(net.HOST6)
    return f"noticed after {noticed:.1f} s, connected {again:.1f} s after its return"


@scenario(timeout=90)
def gateway_is_restarted(context):
    """A Delete of a connection that has lasted is no last word; of a young one it is."""
    host = start(context)
    with connected(context, *EAGER) as client:
        connected_at = time.monotonic()
        with streaming(14):
            net.let_pass(10.5 - (time.monotonic() - connected_at))
            host.stop()
            client.process.read_until(r"Reconnecting: .*closed the connection", 5)
            check_nothing_leaks(context)
            host.launch()
            host.swanctl("--load-all", "--clear")
            client.process.read_until(AGAIN, 30)
        net.ping(net.HOST4)


@scenario(timeout=90)
def another_address_after_a_restart(context):
    """The gateway has another pool when it is back: the host follows, all is undone at the end."""
    host = start(context)
    with connected(context, *EAGER) as client:
        pings = net.Process(["ping", "-n", "-q", "-i", "0.2", net.HOST4])
        host.stop(signal.SIGKILL)
        client.process.read_until("Reconnecting", 20)
        pings.kill()
        host.launch()
        host.configure({"rw": gateway.default_connection()},
                       {"pool4": {"addrs": "10.78.0.0/24", "dns": net.FAR_HOST4},
                        "pool6": {"addrs": gateway.ADDRESSES6, "dns": net.HOST6}})
        client.process.read_until(AGAIN + r".*10\.78\.0\.1/32", 30)
        net.ping(net.HOST4)
        net.ping(net.HOST6)
        addresses = net.run("ip", "-o", "addr", "show", "dev", "godwit0")
        net.check("10.78.0.1/32" in addresses and "10.77." not in addresses,
                  f"other addresses: {addresses}")
        with open("/etc/resolv.conf", encoding="utf-8") as file:
            net.check(net.FAR_HOST4 in file.read(), "DNS did not follow")
        net.check(status(context)["addresses"][0] == "10.78.0.1", "the status did not follow")


@scenario(timeout=90)
def password_changes_while_the_gateway_is_away(context):
    """Wrong credentials end it: no account is locked by trying."""
    host = start(context)
    before = net.snapshot()
    client = start_as_alice(context, *EAGER)
    client.wait_connected()
    pings = net.Process(["ping", "-n", "-q", "-i", "0.2", net.HOST4])
    host.stop(signal.SIGKILL)
    client.process.read_until("Reconnecting", 20)
    pings.kill()
    with another_password():
        host.launch()
        host.configure({"rw": gateway.default_connection()})
    expect_refusal(client, "auth-failed", before, 30)
    failures = host.count("EAP_MSCHAPV2 verification failed|EAP method EAP_MSCHAPV2 failed")
    net.check(failures <= 2, f"{failures} attempts with the wrong password")


@scenario(timeout=60)
def disconnect_while_reconnecting(context):
    host = start(context)
    with connected(context, *EAGER) as client:
        pings = net.Process(["ping", "-n", "-q", "-i", "0.2", net.HOST4])
        host.stop(signal.SIGKILL)
        client.process.read_until("Reconnecting", 20)
        pings.kill()
    net.check(re.search("^Disconnected", client.output, re.MULTILINE), "no last word")


@scenario(timeout=90, idle=True)
def typed_password_serves_again(context):
    """The user is asked once, whenever the gateway comes back; unless it is refused: then once more."""
    host = start(context)
    before = net.snapshot()
    terminal = Terminal([program(context), "connect", "vpn.example.org", "--standalone", *EAGER,
                         "--user", "alice", "--ca", context.pki.certificate("root")],
                        environment(context))
    terminal.read_until("(?i)password", 5)
    terminal.type(gateway.USERS["alice"] + "\n")
    terminal.read_until("^Connected(.*\n)+  Interface .*\n", 15)
    with lost(host) as again:
        terminal.read_until("Reconnecting", 20)
        again()
        terminal.read_until(AGAIN, 30)
    net.check(len(re.findall("(?im)^password", terminal.output)) == 1, "it was asked for again")
    with lost(host) as again, another_password():
        terminal.read_until("(?s)Connected again.*Reconnecting", 20)
        again()
        terminal.read_until("refused the credentials(.*\n)+.*(?i:password)", 30)
        terminal.type("another one\n")
        terminal.read_until("(?s)refused the credentials.*" + AGAIN, 30)
    net.ping(net.HOST4)
    terminal.type("\x03")
    net.check(terminal.wait() == 0, "it did not end well")
    net.check_unchanged(before)


@scenario
def second_address_of_the_name(context):
    """The first one of the name's addresses is nobody's."""
    start(context)
    # RFC 6724 prefers it: it is the nearer one.
    with open("/etc/hosts", "a", encoding="ascii") as file:
        file.write("192.0.2.3 vpn.example.org\n")
    with connected(context, "--trace") as client:
        net.check("192.0.2.3" in client.output, "the dead address was not tried")
        net.check(f"{net.GATEWAY4}:4500" in client.output, "another gateway")
        net.ping(net.HOST4)


# ---- the authentication is repeated (RFC 4478) ----

REAUTHENTICATING = {"reauth_time": "16s", "over_time": "12s", "rand_time": "0"}


def start_reauthenticating(context, **more):
    connection = gateway.default_connection()
    connection.update(REAUTHENTICATING, **more)
    return start(context, connections={"rw": connection})


def left_at(host):
    """How many IKE SAs and Child SAs the gateway has."""
    listing = host.sas()
    return (len(re.findall(r"#\d+, ESTABLISHED", listing)),
            len(re.findall(r"#\d+, reqid \d+, INSTALLED", listing)))


def reauthenticated(context, **more):
    host = start_reauthenticating(context, **more)
    with connected(context) as client:
        with streaming(20), pinged(interval=0.002):
            client.process.read_until("Authenticating again", 30)
            client.process.read_until(AGAIN + r".*10\.77\.0\.1/32", 10)
            net.wait_until(lambda: left_at(host) == (1, 1), 10, "end of the IKE SA before")
        net.check(host.count(r"assigning virtual IP 10\.77\.0\.1 ") ==
                  host.count("assigning virtual IP 10") >= 2, "another address")


@scenario(timeout=90)
def authentication_is_repeated(context):
    """The new IKE SA stands before the old one goes: neither an echo nor an octet is lost."""
    reauthenticated(context)


@scenario(timeout=90)
def authentication_is_repeated_at_a_gateway_with_one_session_per_user(context):
    """The gateway deletes the old IKE SA by itself when the new one comes."""
    reauthenticated(context, unique="replace")


def refuse_repeated_authentication(context):
    """(gateway, snapshot before, client) after the gateway has refused it."""
    host = start_reauthenticating(context)
    before = net.snapshot()
    client = start_as_alice(context)
    client.wait_connected()
    with another_password():
        reload(host)
    client.process.read_until("Authenticating again: .*refused the credentials", 30)
    return host, before, client


def reload(host):
    connection = gateway.default_connection()
    connection.update(REAUTHENTICATING)
    host.configure({"rw": connection})


@scenario(timeout=90, idle=True)
def repeated_authentication_is_refused(context):
    """The old IKE SA carries on to its end, and the reason can be seen the while; one more attempt
    then, and no other."""
    host, before, client = refuse_repeated_authentication(context)
    net.ping(net.HOST4)
    expect_refusal(client, "auth-failed", before, 40)
    failures = host.count("EAP method EAP_MSCHAPV2 failed")
    net.check(failures == 2, f"{failures} attempts with the wrong password")


@scenario(timeout=90, idle=True)
def repeated_authentication_is_refused_while_the_old_one_stands(context):
    """So gateways do that allow a user one IKE SA: when that has ended the next one is let in."""
    host, before, client = refuse_repeated_authentication(context)
    reload(host)
    client.process.read_until(f"Reconnecting: .*closed(.*\\n)+.*{AGAIN}", 30)
    net.ping(net.HOST4)
    client.disconnect()
    net.check_unchanged(before)


# ---- redirection (RFC 5685) ----

OTHER4 = "192.0.3.1"


def start_other(context, certificate="gw-ecdsa256", children=None):
    """A second gateway with the same protected hosts behind it."""
    net.run("ip", "netns", "add", "gw2")
    net.run("sysctl", "-q", "-w", "net.ipv6.conf.all.accept_dad=0",
            "net.ipv6.conf.default.accept_dad=0", namespace="gw2")
    net.batch(None, "link add cl1 type veth peer name gw1 netns gw2",
              "link set cl1 addrgenmode none", "addr add 192.0.3.2/24 dev cl1", "link set cl1 up")
    net.batch("gw2", "link set lo up", "link set gw1 addrgenmode none",
              f"addr add {OTHER4}/24 dev gw1", "link set gw1 up",
              f"addr add {net.HOST4}/32 dev lo", f"addr add {net.FAR_HOST4}/32 dev lo",
              f"addr add {net.HOST6}/128 dev lo nodad")
    net.wait_until(lambda: "state UP" in net.run("ip", "link", "show", "dev", "cl1"), 5, "link")
    host = gateway.Gateway(context.pki, "other", "gw2")
    connection = gateway.default_connection(certificate)
    connection["children"] = children or connection["children"]
    if certificate != "gw-ecdsa256":
        connection["local"]["id"] = None
    host.start(connections={"rw": connection})
    return host


def redirect(host, to):
    host.swanctl("--redirect", "--ike", "rw", "--gateway", to)


@scenario(timeout=60)
def redirected_while_up(context):
    """By address and back by name; every echo comes back all the while."""
    host, other = start(context), start_other(context)
    with connected(context) as client:
        with pinged():
            redirect(host, OTHER4)
            client.process.read_until(f"Redirected: {OTHER4}", 10)
            client.process.read_until(AGAIN + f": {OTHER4}", 10)
            net.wait_until(lambda: left_at(host) == (0, 0), 10, "end at the first gateway")
            redirect(other, "vpn.example.org")
            client.process.read_until(AGAIN + f": {net.GATEWAY4}", 10)
            net.wait_until(lambda: left_at(other) == (0, 0), 10, "end at the second gateway")
        net.check(status(context)["gateway"].startswith(net.GATEWAY4), "the status is wrong")


@scenario(timeout=60)
def redirected_with_several_child_sas(context):
    """Each network's traffic goes over with the others."""
    children = {"near": {"local_ts": net.SPLIT4}, "far": {"local_ts": "198.51.100.0/24"}}
    connection = gateway.default_connection()
    connection["children"] = children
    host = start(context, connections={"rw": connection})
    start_other(context, children=children)
    with connected(context, "--tunnel", "split", "--remote-ts",
                   f"{net.SPLIT4}, 198.51.100.0/24") as client:
        net.check(left_at(host) == (1, 2), "not one Child SA for each network")
        with pinged(), pinged(address=net.FAR_HOST4):
            redirect(host, OTHER4)
            client.process.read_until(AGAIN + f": {OTHER4}", 10)
            net.wait_until(lambda: left_at(host) == (0, 0), 10, "end at the first gateway")


@scenario(timeout=60)
def redirected_to_a_stranger(context):
    """Whoever we are sent to must be who the user asked for: else the connection stays."""
    host, other = start(context), start_other(context, "gw-wrong-name")
    with connected(context) as client:
        with pinged():
            redirect(host, OTHER4)
            client.process.read_until("Redirected: .*not who you asked for", 10)
        net.check(left_at(host) == (1, 1), "the connection did not stay")
        net.check("EAP/RES" not in other.log(), "the stranger was told of the user")


@scenario(timeout=60, idle=True)
def redirected_to_a_silent_gateway(context):
    """Nobody is there: the connection stays where it is."""
    host = start(context)
    with connected(context) as client:
        with pinged():
            redirect(host, "192.0.2.77")
            client.process.read_until("Redirected: .*does not answer.*Next attempt in", 30)
        net.check(left_at(host) == (1, 1), "the connection did not stay")


# Answers every IKE_SA_INIT with REDIRECT to the address that it is given, as RFC 5685 3 says: our
# nonce is its licence.
REDIRECTOR = """
import socket, struct, sys
to = socket.inet_aton(sys.argv[1])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", 500))
print("ready", flush=True)
while True:
    data, peer = udp.recvfrom(65535)
    kind, at, nonce = data[16], 28, b""
    while kind and at < len(data):
        following, _, length = struct.unpack_from("!BBH", data, at)
        if kind == 40:
            nonce = data[at + 4:at + length]
        kind, at = following, at + length
    body = struct.pack("!BBH", 0, 0, 16407) + bytes([1, 4]) + to + nonce
    payload = struct.pack("!BBH", 0, 0, 4 + len(body)) + body
    udp.sendto(data[:8] + bytes(8) + bytes([41, 0x20, 34, 0x20]) + bytes(4) +
               struct.pack("!I", 28 + len(payload)) + payload, peer)
    print("redirected", flush=True)
"""


def start_redirector(namespace, to):
    process = net.Process([sys.executable, "-c", REDIRECTOR, to], namespace=namespace)
    process.read_until("^ready", 10)
    return process


@scenario
def redirected_at_the_start(context):
    start_redirector("gw", OTHER4)
    other = start_other(context)
    with connected(context) as client:
        net.check(f"Redirected: {OTHER4}" in client.output, "it does not tell")
        net.ping(net.HOST4)
    # Once more when it asks for another group.
    net.check(other.count(r"N\(REDIR_FROM\)") == other.count("parsed IKE_SA_INIT request"),
              "it did not say where from")


@scenario
def redirected_in_a_circle(context):
    """RFC 5685 7: five times, then enough."""
    other = start_other(context)
    other.stop(signal.SIGKILL)
    redirectors = [start_redirector("gw", OTHER4), start_redirector("gw2", net.GATEWAY4)]
    before = net.snapshot()
    client = start_as_alice(context)
    expect_refusal(client, "redirected", before)
    net.check("more than 5 times" in client.output, f"it said: {client.process.tail()}")
    for redirector in redirectors:
        redirector.matches("ready")
    times = sum(redirector.output.count("redirected") for redirector in redirectors)
    net.check(times == 6, f"asked {times} gateways")
