# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs of a laptop send all the time, whatever becomes of the network: datagrams and TCP to
hosts near and far, also from the address of an uplink and bound to its device, and DNS queries to the
resolvers of /etc/resolv.conf, to the router's and to a public one.

    chatter.py DEVICE...
"""

import contextlib
import fcntl
import os
import re
import signal
import socket
import struct
import sys

import bus
import net

PORT = 9201
INTERVAL = 0.005
PUBLIC_RESOLVERS = ("198.51.100.53", "2001:db8:51::53")
QUERY = struct.pack("!6H", 0x676f, 0x0100, 1, 0, 0, 0) + b"\7example\3org\0" + b"\0\1\0\1"
TARGETS = (net.HOST4, net.FAR_HOST4, net.HOST6, net.FAR_HOST6)
SIOCGIFADDR = 0x8915


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp(kind):
    one = socket.socket(kind, socket.SOCK_DGRAM)
    one.setblocking(False)
    return one


def resolvers():
    with open("/etc/resolv.conf", encoding="ascii", errors="replace") as file:
        return re.findall(r"^nameserver\s+(\S+)", file.read(), re.M)


def address_of(device):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        request = struct.pack("256s", device.encode())
        with contextlib.suppress(OSError):
            return socket.inet_ntoa(fcntl.ioctl(one.fileno(), SIOCGIFADDR, request)[20:24])


def send(one, data, address, port):
    """Refusals of the host are what the firewall may answer with."""
    with contextlib.suppress(OSError):
        one.sendto(data, (address, port))


def knock(address):
    """The first segment of a TCP connection."""
    with socket.socket(family(address), socket.SOCK_STREAM) as tcp:
        tcp.setblocking(False)
        with contextlib.suppress(OSError):
            tcp.connect((address, 80))


def bound(device):
    """What insists on the uplink: by its address, and by its name."""
    address = address_of(device)
    if not address:
        return
    router = address.rpartition(".")[0] + ".1"
    for by_name in (False, True):
        with contextlib.suppress(OSError), udp(socket.AF_INET) as one:
            if by_name:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            one.bind((address, 0))
            send(one, b"bound", net.FAR_HOST4, PORT)
            send(one, QUERY, router, 53)


def chat(devices):
    sockets = {kind: udp(kind) for kind in (socket.AF_INET, socket.AF_INET6)}
    signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    turn = 0
    print("ready", flush=True)
    while True:
        signal.sigwait([signal.SIGALRM])
        for address in TARGETS:
            send(sockets[family(address)], b"datagram", address, PORT)
        for address in (*PUBLIC_RESOLVERS, *resolvers()):
            send(sockets[family(address)], QUERY, address, 53)
        bound(devices[turn % len(devices)])
        if turn % 8 == 0:
            knock(TARGETS[turn // 8 % len(TARGETS)])
        turn += 1


class Chatter:
    """Runs as that user until the scenario ends."""

    def __init__(self, user, *devices):
        folder, name = os.path.split(os.path.abspath(__file__))
        program = os.path.join(bus.reachable(folder, "testbed"), name)
        self.process = net.Process([sys.executable, program, *devices], enter=user.become)
        self.process.read_until("^ready", 10)


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, lambda *_: None)
    chat(sys.argv[1:])
