#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of fuzz_esp and fuzz_tun: seeds_esp.py CORPUS_FOLDER"""
import os
import struct
import sys


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(protocol, upper, v6=False, tos=0, df=True, ident=1):
    if v6:
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(upper), protocol, 64) + bytes([0xFD, 1] + [0] * 13 + [1]) + bytes(
            [0xFD, 2] + [0] * 13 + [1]) + upper
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(upper), ident, 0x4000 if df else 0, 64, protocol, 0,
                       bytes([10, 1, 0, 1]), bytes([10, 2, 0, 1]))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + upper


def pseudo(protocol, length, v6):
    addresses = (bytes([0xFD, 1] + [0] * 13 + [1, 0xFD, 2] + [0] * 13 + [1]) if v6 else bytes([10, 1, 0, 1, 10, 2, 0, 1]))
    return addresses + struct.pack("!II", length, protocol)


def tcp(sequence, payload, flags=0x10, options=b"", v6=False, **keys):
    head = struct.pack("!HHIIBBHHH", 1000, 443, sequence, 9, (20 + len(options)) << 2, flags, 500, 0, 0) + options
    body = head + payload
    value = checksum(pseudo(6, len(body), v6) + body)
    return ip(6, body[:16] + struct.pack("!H", value) + body[18:], v6, **keys)


def udp(payload, v6=False, **keys):
    body = struct.pack("!HHHH", 1000, 53, 8 + len(payload), 0) + payload
    value = checksum(pseudo(17, len(body), v6) + body) or 0xFFFF
    return ip(17, body[:6] + struct.pack("!H", value) + body[8:], v6, **keys)


def frame(packet, flags=0, kind=0, size=0, start=0, offset=0):
    data = struct.pack("<BBHHHH", flags, kind, 0, size, start, offset) + packet
    return struct.pack("!H", len(data)) + data


def datagram(content, flags=1, tos=0):
    return struct.pack("!BBH", flags, tos, len(content)) + content


SYN = bytes.fromhex("020405b401030307")
TUN = {
    "plain": b"\x05\x00" + frame(udp(b"x" * 40)) + frame(udp(b"y" * 40, v6=True)),
    "tso4": b"\x05\x00" + frame(tcp(7, b"a" * 3000, 0x19), 1, 1, 1000, 20, 16),
    "tso6": b"\x05\x00" + frame(tcp(7, b"a" * 3000, 0x99, v6=True), 1, 4, 1000, 40, 16),
    "uso4": b"\x05\x00" + frame(udp(b"u" * 900), 1, 5, 300, 20, 6),
    "uso6": b"\x05\x00" + frame(udp(b"u" * 900, v6=True), 1, 5, 300, 40, 6),
    "checksum": b"\x05\x00" + frame(tcp(7, b"a" * 31), 1, 0, 0, 20, 16),
    "syn": b"\x02\x00" + frame(tcp(7, b"", 2, SYN)) + frame(tcp(7, b"", 18, SYN, v6=True)),
    "too-big": b"\x02\x40" + frame(tcp(7, b"a" * 800)) + frame(tcp(7, b"a" * 1400, v6=True)),
    "fragmented": b"\x02\x40" + frame(udp(b"f" * 1500, df=False)),
    "runs": b"\x05\x00" + b"".join(frame(udp(bytes(n))) for n in (100, 100, 100, 60, 100, 200)),
}
ESP = {
    "one": b"\x40" + datagram(udp(b"x" * 50)),
    "stream4": b"\x40" + b"".join(datagram(tcp(i * 64, b"s" * 64, ident=i)) for i in range(6)),
    "stream6": b"\x40" + b"".join(datagram(tcp(i * 64, b"s" * 64, v6=True)) for i in range(6)),
    "pushed": b"\x40" + b"".join(datagram(tcp(i * 64, b"s" * 64, 0x18 if i % 3 == 2 else 0x10, ident=i)) for i in range(9)),
    "ecn": b"\x40" + datagram(udp(b"e" * 9, tos=2), tos=3) + datagram(udp(b"e" * 9), 17, 3),
    "syn": b"\x00" + datagram(tcp(1, b"", 18, SYN)) + datagram(tcp(1, b"", 18, SYN, v6=True), 17),
    "dummy": b"\x40" + datagram(b"\1\2\2\x3b", 3) + datagram(b"\0" * 60 + b"\1\2\2\x3b", 19),
    "tfc": b"\x40" + datagram(udp(b"x" * 50) + b"\0" * 300 + b"\0\4", 3),
    "trailer": b"\x40" + datagram(b"\xff\4", 3) + datagram(udp(b"") + b"\0\1", 19),
    "ike": b"\x40" + datagram(b"\0\0\0\0" + b"i" * 60, 0) + datagram(b"\xff", 16) + datagram(b"i" * 60, 24),
    "forged": b"\x40" + datagram(bytes.fromhex("0102030400000001") + b"z" * 60, 0),
    "singles": b"\x40" + b"".join(datagram(tcp(i * 64, b"s" * 64, ident=i), 49) for i in range(6)) + datagram(
        tcp(384, b"s" * 64, ident=6)),
    "replay": b"\x40" + datagram(udp(b"x" * 50), 5) + datagram(udp(b"x" * 50), 1),
}

for name, seeds in (("fuzz_tun", TUN), ("fuzz_esp", ESP)):
    os.makedirs(os.path.join(sys.argv[1], name), exist_ok=True)
    for seed, octets in seeds.items():
        with open(os.path.join(sys.argv[1], name, seed), "wb") as out:
            out.write(octets)
