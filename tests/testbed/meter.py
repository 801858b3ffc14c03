# SPDX-License-Identifier: GPL-2.0-or-later
"""The outage meter: small numbered UDP datagrams at a steady pace, echoed by the protected host.

    meter.py echo                      the protected host
    meter.py send ADDRESS INTERVAL FILE    the laptop

FILE is a table in shared memory: how many datagrams were sent, then when each was sent and when its
echo came, in seconds of CLOCK_MONOTONIC, 0 for never. Each of these is written in one go, so that
the reader sees what it was or what it is.
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
DATAGRAM = struct.Struct("!Q24x")
ROWS = 1 << 20
# After a stall of the machine at most this many are made up for at once.
BURST = 4


class Table:
    """See above. (struct.pack_into() would clear the octets first.)"""

    SIZE = 8 + 16 * ROWS

    def __init__(self, path):
        with open(path, "r+b") as file:
            octets = memoryview(mmap.mmap(file.fileno(), 0))
        self.counts, self.times = octets.cast("Q"), octets.cast("d")

    def count(self):
        return self.counts[0]

    def sent(self, number):
        return self.times[1 + 2 * number]

    def came(self, number):
        return self.times[2 + 2 * number]

    def note_sent(self, number):
        self.times[1 + 2 * number] = time.monotonic()
        self.counts[0] = number + 1

    def note_came(self, number):
        if not self.came(number):
            self.times[2 + 2 * number] = time.monotonic()


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
        table.note_came(DATAGRAM.unpack_from(data)[0])


def send(address, interval, path):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    table = Table(path)
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
        table.note_sent(number)
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
            file.truncate(Table.SIZE)
        self.table = Table(self.path)
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

    def _first_since(self, moment):
        """The number of the first datagram sent at that moment or later."""
        low, high = 0, self.table.count()
        while low < high:
            middle = (low + high) // 2
            if self.table.sent(middle) < moment:
                low = middle + 1
            else:
                high = middle
        return low

    def answer_since(self, moment):
        """When the first answer came to one sent since; None as long as there is none."""
        came = map(self.table.came, range(self._first_since(moment), self.table.count()))
        return min(filter(None, came), default=None)

    def wait_answer(self, moment, timeout):
        """Milliseconds from the moment to the first answer to what was sent since."""
        answer = net.wait_until(lambda: self.answer_since(moment), timeout,
                                "answer through the tunnel")
        return (answer - moment) * 1000

    def lost(self, since, until):
        """How many of those sent in that time have no answer."""
        return sum(not self.table.came(number)
                   for number in range(self._first_since(since), self._first_since(until)))


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        echo()
    send(sys.argv[2], float(sys.argv[3]), sys.argv[4])
