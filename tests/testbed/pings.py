# SPDX-License-Identifier: GPL-2.0-or-later
"""Echoes all the while that something else happens, and whether they all came back."""

import contextlib
import re

import net


def buffers_full():
    """UDP datagrams that full socket buffers of either host have dropped so far."""
    total = 0
    for namespace in (None, "gw"):
        rows = [line.split() for line in
                net.run("cat", "/proc/net/snmp", namespace=namespace).splitlines()
                if line.startswith("Udp:")]
        row = dict(zip(*rows))
        total += int(row["RcvbufErrors"]) + int(row["SndbufErrors"])
    return total


@contextlib.contextmanager
def pinged(interval=0.01, lossless=True, address=net.HOST4):
    """Pings all the while. `lossless`: every echo comes back once, but for those that full buffers
    of a machine that stalls have dropped."""
    full = buffers_full()
    pings = net.Process(["ping", "-n", "-i", str(interval), address])
    yield
    pings.signal(2)
    pings.wait(10)
    came = [int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", pings.output)]
    # What is on its way when ping is stopped does not count: no hole before the last that came.
    lost = max(came, default=0) - len(set(came))
    net.check(came and (not lossless or lost <= buffers_full() - full), f"{lost} echoes lost")
    net.check(not lossless or len(came) == len(set(came)), "an echo came twice")
