#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One end of a steady stream of numbered datagrams, both ways; counts what arrives.

    flow.py LOCAL PEER PORT MBIT SECONDS

Says "ready", starts at a line on standard input, ends with a line of JSON.
"""

import json
import select
import socket
import struct
import sys
import time

SIZE = 1300
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
# After a stall at most this many are made up for at once; a burst would only fill queues.
BURST = 20
QUIET = 2


def drain(udp, seen):
    """Takes what has come; returns whether there was any."""
    came = False
    while True:
        try:
            data = udp.recv(2048)
        except BlockingIOError:
            return came
        except ConnectionRefusedError:
            continue
        came = True
        number, = struct.unpack_from("!I", data)
        if number >= len(seen):
            seen.extend(bytes(number + 100000 - len(seen)))
        seen[number] = min(255, seen[number] + 1)


def main():
    local, peer, port, mbit, seconds = sys.argv[1:]
    port, seconds = int(port), float(seconds)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (SO_SNDBUFFORCE, SO_RCVBUFFORCE):
        udp.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
    udp.bind((local, port))
    udp.connect((peer, port))
    udp.setblocking(False)
    print("ready", flush=True)
    sys.stdin.readline()
    gap = SIZE * 8 / (float(mbit) * 1e6)
    padding = bytes(SIZE - 4)
    seen = bytearray()
    sent, start = 0, time.monotonic()
    due = start
    end = start + seconds
    now = start
    while now < end:
        due = max(due, now - BURST * gap)
        while due <= now:
            try:
                udp.send(struct.pack("!I", sent) + padding)
            except (BlockingIOError, ConnectionRefusedError):
                break
            sent += 1
            due += gap
        drain(udp, seen)
        select.select([udp], [], [], max(0, min(due + 3 * gap, end) - time.monotonic()))
        now = time.monotonic()
    while select.select([udp], [], [], QUIET)[0]:
        drain(udp, seen)
    print(json.dumps({"sent": sent, "received": sum(map(bool, seen)),
                      "twice": sum(count > 1 for count in seen)}), flush=True)


if __name__ == "__main__":
    main()
