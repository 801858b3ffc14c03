# SPDX-License-Identifier: GPL-2.0-or-later
"""Several IKE SAs one after the other in one connection: a gateway that is lost and comes back."""

import contextlib
import hashlib
import json
import re
import signal
import socket
import threading
import time

import gateway
import net
import transfer
from client import connected, environment, expect_refusal, program, start_as_alice
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
                    time.sleep(len(data) / self.PACE)
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


@scenario(timeout=90)
def gateway_is_killed_and_comes_back(context):
    """SIGKILL of the gateway: noticed, connected again as soon as it is back, with the same
    address; nothing goes beside the tunnel meanwhile, and a TCP stream lives on."""
    host = start(context)
    with connected(context, *EAGER) as client:
        with streaming(8):
            host.stop(signal.SIGKILL)
            client.process.read_until(r"Reconnecting: .*stopped answering", 20)
            check_nothing_leaks(context)
            host.launch()
            host.swanctl("--load-all", "--clear")
            client.process.read_until(AGAIN, 30)
        net.check(status(context)["state"] == "connected", "the status does not tell")
        net.ping(net.HOST4)
        net.ping(net.HOST6)


@scenario(timeout=90)
def gateway_is_restarted(context):
    """A Delete of a connection that has lasted is no last word; of a young one it is."""
    host = start(context)
    with connected(context, *EAGER) as client:
        connected_at = time.monotonic()
        with streaming(14):
            time.sleep(10.5 - (time.monotonic() - connected_at))
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
    users = dict(gateway.USERS)
    gateway.USERS["alice"] = "another one"
    host.launch()
    host.configure({"rw": gateway.default_connection()})
    gateway.USERS.update(users)
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
