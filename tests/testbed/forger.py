# SPDX-License-Identifier: GPL-2.0-or-later
"""One who sits in the internet between laptop and gateway: sees all, writes whatever source address
he likes, has no key."""

import os
import re
import socket
import struct

import net
import sandbox

ETH_P_IP = 0x0800
IPPROTO_UDP = 17
NATT_PORT = 4500
MARKER = bytes(4)
SO_RCVBUFFORCE = 33
INFORMATIONAL, RESPONSE, SEALED = 37, 0x20, 46


def socket_in(namespace, *kind):
    """A socket of another network namespace."""
    with open("/proc/self/ns/net", "rb") as own, open(f"/run/netns/{namespace}", "rb") as other:
        sandbox.setns(other.fileno(), sandbox.CLONE_NEWNET)
        try:
            return socket.socket(*kind)
        finally:
            sandbox.setns(own.fileno(), sandbox.CLONE_NEWNET)


class Forger:
    """Made when the network is there; listens from then on."""

    def __init__(self):
        self.raw = socket_in("internet", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.ear = socket_in("internet", socket.AF_PACKET, socket.SOCK_DGRAM,
                             socket.htons(ETH_P_IP))
        # Whatever else goes by until somebody asks what was heard.
        self.ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.ear.bind(("gw", ETH_P_IP))
        self.ear.setblocking(False)

    def send(self, source, target, payload):
        """One datagram over IPv4; both ends are (address, port)."""
        udp = struct.pack("!HHHH", source[1], target[1], 8 + len(payload), 0)
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, IPPROTO_UDP, 0,
                             socket.inet_aton(source[0]), socket.inet_aton(target[0]))
        self.raw.sendto(header + udp + payload, (target[0], 0))

    def heard(self):
        """(source, target, payload) of the datagrams that the gateway sent from its port 4500."""
        while True:
            try:
                packet, where = self.ear.recvfrom(65536)
            except BlockingIOError:
                return
            start = (packet[0] & 15) * 4
            if where[2] == socket.PACKET_OUTGOING or packet[9] != IPPROTO_UDP:
                continue
            ports = struct.unpack_from("!HH", packet, start)
            if ports[0] == NATT_PORT:
                source, target = (socket.inet_ntoa(packet[at:at + 4]) for at in (12, 16))
                yield (source, ports[0]), (target, ports[1]), packet[start + 8:]


def is_answer(payload):
    """A response of an INFORMATIONAL exchange, in UDP of port 4500."""
    return (payload[:4] == MARKER and len(payload) > 32 and payload[22] == INFORMATIONAL
            and payload[23] & RESPONSE)


def spis(host):
    """(initiator's IKE SPI, responder's, SPI of the ESP that the client receives)."""
    listing = host.sas()
    ike = re.search(r"([0-9a-f]{16})_i\*? ([0-9a-f]{16})_r", listing)
    esp = re.search(r"out\s+([0-9a-f]{8}),", listing)
    return bytes.fromhex(ike[1]), bytes.fromhex(ike[2]), bytes.fromhex(esp[1])


def esp(spi, sequence):
    """A packet of that SA whose ICV cannot be right."""
    return spi + struct.pack("!I", sequence) + os.urandom(80)


def ike(initiator, responder, message_id, flags, exchange=INFORMATIONAL):
    """A protected message of that IKE SA whose ICV cannot be right."""
    sealed = struct.pack("!BBH", 41, 0, 4 + 80) + os.urandom(80)
    return (MARKER + initiator + responder
            + struct.pack("!BBBBII", SEALED, 0x20, exchange, flags, message_id, 28 + len(sealed))
            + sealed)


class Lure:
    """Counts what the laptop sends to addresses to which it has no reason to."""

    def __init__(self, *addresses):
        net.run("nft", "-f", "-", namespace="internet", input_text=f"""table ip lure {{
            counter lured {{ }}
            chain through {{ type filter hook prerouting priority -300;
                iifname "up*" ip daddr {{ {', '.join(addresses)} }} counter name lured
            }}
        }}""")

    def packets(self):
        listing = net.run("nft", "list", "counters", "table", "ip", "lure", namespace="internet")
        return int(re.search(r"packets (\d+)", listing)[1])
