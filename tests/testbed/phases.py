# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the time of one connect goes, seen from outside of any program: the kernel's notices of
links, routes, rules and firewall, the IKE messages on the uplink, and what the program says."""

import select
import socket
import struct
import time

import net

SO_TIMESTAMPNS = 35
ETH_P_ALL = 3
NETLINK_NETFILTER = 12
RTM_NEWLINK, RTM_NEWROUTE, RTM_NEWRULE = 16, 24, 32
# Groups of rtnetlink: links; IPv4 and IPv6 routes and rules. Of nfnetlink: nf_tables.
ROUTE_GROUPS = 0x1 | 0x40 | 0x80 | 0x400 | (1 << (19 - 1))
NFT_GROUPS = 1 << (7 - 1)
NFT_MSG_NEWGEN = (10 << 8) | 15
IKE_PORTS = (500, 4500)
IKE_RESPONSE = 0x20

# Each is counted from the end of the one before; the third and fourth take turns.
PHASES = ("until the TUN device is there", "until the first message leaves",
          "waiting for the gateway", "between its answers and our requests",
          "until the firewall is set", "until the last route", "until it is said")


def _messages(data):
    """The type of each netlink message."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if length < 16:
            return
        yield kind
        data = data[(length + 3) & ~3:]


def _ike_message(packet):
    """Whether that Ethernet frame has an IKE message, and whether that is a response; else None."""
    if packet[12:14] != b"\x08\x00" or packet[23] != socket.IPPROTO_UDP:
        return None
    udp = packet[14 + (packet[14] & 0xf) * 4:]
    ports, ike = struct.unpack_from("!HH", udp), udp[8:]
    if not set(ports) & set(IKE_PORTS):
        return None
    if 4500 in ports:
        if ike[:4] != bytes(4):
            return None
        ike = ike[4:]
    return bool(ike[19] & IKE_RESPONSE) if len(ike) >= 28 else None


class Timeline:
    """Of one program, from its start; moments in seconds of CLOCK_MONOTONIC."""

    def __init__(self, device="cl0"):
        self.notices = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.notices.bind((0, ROUTE_GROUPS))
        self.firewall = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.firewall.bind((0, NFT_GROUPS))
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.wire.bind((device, ETH_P_ALL))
        self.started = self.link = self.route = self.said = None
        self.generations, self.exchange = [], []
        self.readers = {self.notices: self._read_notices, self.firewall: self._read_firewall,
                        self.wire: self._read_wire}

    def close(self):
        for sock in self.readers:
            sock.close()

    def _read_notices(self):
        now = time.monotonic()
        for kind in _messages(self.notices.recv(65536)):
            if kind == RTM_NEWLINK and self.link is None:
                self.link = now
            elif kind in (RTM_NEWROUTE, RTM_NEWRULE):
                self.route = now

    def _read_firewall(self):
        now = time.monotonic()
        for kind in _messages(self.firewall.recv(65536)):
            if kind == NFT_MSG_NEWGEN:
                self.generations.append(now)

    def _read_wire(self):
        packet, ancillary, _, _ = self.wire.recvmsg(65536, 64)
        response = _ike_message(packet)
        if response is not None:
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            at = seconds + nanoseconds / 1e9 - time.time() + time.monotonic()
            self.exchange.append((at, response))

    def follow(self, process, pattern, timeout=10):
        """Reads all of it until the process says that it is connected."""
        deadline = time.monotonic() + timeout
        output = process.popen.stdout
        while True:
            ready, _, _ = select.select([*self.readers, output], [], [],
                                        max(0, deadline - time.monotonic()))
            net.check(ready, f"{process.name} did not connect: {process.tail()}")
            for sock in ready:
                if sock is not output:
                    self.readers[sock]()
            if output in ready and process.matches(pattern):
                self.said = time.monotonic()
                break
        while ready := select.select(list(self.readers), [], [], 0)[0]:
            for sock in ready:
                self.readers[sock]()
        net.check(self.route, "no route appeared")
        self.started = process.started

    def _gateway(self):
        """(seconds that we waited for the gateway, seconds in which it waited for us)."""
        theirs = ours = 0
        for before, after in zip(self.exchange, self.exchange[1:]):
            if after[1] and not before[1]:
                theirs += after[0] - before[0]
            else:
                ours += after[0] - before[0]
        return theirs, ours

    def configured(self):
        """Milliseconds from the start to the last route or rule."""
        return (self.route - self.started) * 1000

    def phases(self):
        """Milliseconds of each of PHASES."""
        theirs, ours = self._gateway()
        first, last = self.exchange[0][0], self.exchange[-1][0]
        # One that makes its device late has none of its own before the first message.
        link = min(self.link or first, first)
        walls = [at for at in self.generations if last < at < self.route]
        wall = walls[-1] if walls else last
        return [1000 * seconds for seconds in (
            link - self.started, first - link, theirs, ours, wall - last, self.route - wall,
            self.said - self.route)]
