# SPDX-License-Identifier: GPL-2.0-or-later
"""Where packets get lost on the way: every queue of both namespaces that counts what it drops."""

import ctypes
import json
import os
import re
import socket

import net

PIDFD_GETFD = 438
SO_RCVBUFFORCE = 33
NAMESPACES = (("client", None), ("gateway", "gw"))


def _table(name, namespace):
    """/proc/net/snmp and its like: two lines for each protocol, names and values."""
    rows = [line.split() for line in
            net.run("cat", f"/proc/net/{name}", namespace=namespace).splitlines()]
    return {keys[0].rstrip(":"): dict(zip(keys[1:], map(int, values[1:])))
            for keys, values in zip(rows[::2], rows[1::2])}


def _sockets(namespace):
    """UDP sockets that are open now, by local port."""
    found = {}
    for line in net.run("cat", "/proc/net/udp", "/proc/net/udp6", namespace=namespace).splitlines():
        row = line.split()
        if row[0] != "sl":
            port = int(row[1].rsplit(":", 1)[1], 16)
            found[port] = found.get(port, 0) + int(row[-1])
    return found


def dropped():
    """{place: packets dropped there so far}."""
    places = {}
    for side, namespace in NAMESPACES:
        snmp = _table("snmp", namespace)
        for protocol, counters in (("Udp", ("RcvbufErrors", "SndbufErrors", "MemErrors")),
                                   ("Ip", ("InDiscards", "OutDiscards", "FragFails", "ReasmFails"))):
            for counter in counters:
                places[f"{side} {protocol} {counter}"] = snmp[protocol].get(counter, 0)
        for port, count in _sockets(namespace).items():
            places[f"{side} socket of port {port}"] = count
        for link in json.loads(net.run("ip", "-j", "-s", "link", namespace=namespace)):
            statistics = link["stats64"]
            for way in ("tx", "rx"):
                places[f"{side} {link['ifname']} {way} ({link.get('txqlen', 0)})"] = (
                    statistics[way]["dropped"])
        for queue in json.loads(net.run("tc", "-j", "-s", "qdisc", namespace=namespace)):
            name = f"{side} {queue['dev']} {queue['kind']}"
            places[name] = places.get(name, 0) + queue["drops"]
    backlog = net.run("cat", "/proc/net/softnet_stat").splitlines()
    places["backlog of the processors"] = sum(int(line.split()[1], 16) for line in backlog)
    return places


def since(before):
    """{place: packets} that have dropped any since `before`."""
    more = {place: count - before.get(place, 0) for place, count in dropped().items()}
    return {place: count for place, count in more.items() if count > 0}


def roomy(pid, octets=8 << 20):
    """Enlarges the buffers of all UDP sockets of a process, so that it is not where packets get lost."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    for name in os.listdir(f"/proc/{pid}/fd"):
        if not re.match("socket:", os.readlink(f"/proc/{pid}/fd/{name}")):
            continue
        fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        net.check(fd >= 0, f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
        with socket.socket(fileno=fd) as sock:
            if sock.type & socket.SOCK_DGRAM and sock.family in (socket.AF_INET, socket.AF_INET6):
                sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, octets)
    os.close(pidfd)
