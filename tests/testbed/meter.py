# SPDX-License-Identifier: GPL-2.0-or-later
"""The outage meter: small numbered UDP datagrams at a steady pace, echoed by the protected host.

    meter.py echo                      the protected host
    meter.py send ADDRESS INTERVAL FILE    the laptop

FILE is a table in shared memory: when each datagram was sent and when its echo came, in seconds of
CLOCK_MONOTONIC, 0 for never.
"""

import mmap
import os
import select
import socket
import struct
import sys
import time

import net

PORT = 9200
ROW = struct.Struct("=dd")
HEAD = struct.Struct("=Q")
DATAGRAM = struct.Struct("!Q24x")
ROWS = 1 << 20
# After a stall of the machine at most this many are made up for at once.
BURST = 4


def echo():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udp.bind(("::", PORT))
        print("ready", flush=True)
        while True:
            data, peer = udp.recvfrom(2048)
            try:
                udp.sendto(data, peer)
            except OSError:
                pass


def take(udp, table):
    while True:
        try:
            data = udp.recv(2048)
        except BlockingIOError:
            return
        except OSError:
            continue
        now = time.monotonic()
        number, = DATAGRAM.unpack_from(data)
        sent, came = ROW.unpack_from(table, HEAD.size + number * ROW.size)
        if not came:
            ROW.pack_into(table, HEAD.size + number * ROW.size, sent, now)


def send(address, interval, path):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with open(path, "r+b") as file:
        table = mmap.mmap(file.fileno(), 0)
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.connect((address, PORT))
    udp.setblocking(False)
    print(f"ready {udp.getsockname()[0]}", flush=True)
    due = time.monotonic()
    for number in range(ROWS):
        while True:
            left = due - time.monotonic()
            if left <= 0:
                break
            if select.select([udp], [], [], left)[0]:
                take(udp, table)
        ROW.pack_into(table, HEAD.size + number * ROW.size, time.monotonic(), 0)
        HEAD.pack_into(table, 0, number + 1)
        try:
            udp.send(DATAGRAM.pack(number))
        except OSError:
            pass  # no route, no buffer: lost as any other
        due = max(due + interval, time.monotonic() - BURST * interval)


class Meter:
    """The stream for the time of a `with`."""

    def __init__(self, address=net.HOST4, interval=0.005, path="/run/bed/meter"):
        self.address, self.interval, self.path = address, interval, path

    def __enter__(self):
        with open(self.path, "wb") as file:
            file.truncate(HEAD.size + ROWS * ROW.size)
        with open(self.path, "r+b") as file:
            self.table = mmap.mmap(file.fileno(), 0)
        program = [sys.executable, os.path.abspath(__file__)]
        self.server = net.Process([*program, "echo"], namespace="gw")
        self.server.read_until("^ready", 10)
        self.sender = net.Process([*program, "send", self.address, str(self.interval), self.path])
        self.source = self.sender.read_until(r"^ready (\S+)", 10)[1]
        self.wait_answer(time.monotonic(), 10)
        return self

    def __exit__(self, *_):
        self.sender.kill()
        self.server.kill()

    def _sent(self):
        return HEAD.unpack_from(self.table, 0)[0]

    def row(self, number):
        """(sent, came) of one datagram."""
        return ROW.unpack_from(self.table, HEAD.size + number * ROW.size)

    def _first_since(self, moment):
        """The number of the first datagram sent at that moment or later."""
        low, high = 0, self._sent()
        while low < high:
            middle = (low + high) // 2
            if self.row(middle)[0] < moment:
                low = middle + 1
            else:
                high = middle
        return low

    def answer_since(self, moment):
        """When the first answer came to one sent since; None as long as there is none."""
        came = [row[1] for row in map(self.row, range(self._first_since(moment), self._sent()))
                if row[1] > row[0]]
        return min(came, default=None)

    def wait_answer(self, moment, timeout):
        """Milliseconds from the moment to the first answer to what was sent since."""
        answer = net.wait_until(lambda: self.answer_since(moment), timeout,
                                "answer through the tunnel")
        return (answer - moment) * 1000

    def lost(self, since, until):
        """How many of those sent in that time have no answer."""
        return sum(not self.row(number)[1]
                   for number in range(self._first_since(since), self._first_since(until)))


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        echo()
    send(sys.argv[2], float(sys.argv[3]), sys.argv[4])
