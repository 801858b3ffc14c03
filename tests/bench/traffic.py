# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic through a tunnel, and what it cost."""

import os
import re
import sys
import time

import net
from ends import OTHER

PORT = 9200
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """Of all threads so far: theirs in user space and in the kernel."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
    return total / 1e9


def machine_seconds():
    """Of the whole machine so far, whoever it was."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / TICKS


class Meter:
    """CPU time of both ends between its making and take()."""

    def __init__(self, tunnel):
        self.tunnel = tunnel
        self.before = self.now()

    def now(self):
        return {"a": cpu_seconds(self.tunnel.pids("a")), "b": cpu_seconds(self.tunnel.pids("b")),
                "machine": machine_seconds()}

    def take(self):
        return {name: value - self.before[name] for name, value in self.now().items()}


class Streams:
    """TCP from one end to the other."""

    def __init__(self, programs, tunnel, sender, amount, streams=1, check=False, port=PORT):
        program = os.path.join(programs, "stream")
        receiver = OTHER[sender]
        self.amount = amount
        self.receiving = net.Process([program, "receive", str(port), str(streams),
                                      *(["check"] if check else [])], namespace=receiver)
        self.receiving.read_until("^ready", 10)
        self.sending_command = [program, "send", tunnel.address(receiver), str(port), str(streams),
                                amount]
        self.sender = sender
        self.sending = None

    def begin(self):
        self.sending = net.Process(self.sending_command, namespace=self.sender)

    def end(self, timeout):
        """Octets received, and Gbit/s of all streams together."""
        for process in (self.sending, self.receiving):
            code = process.wait(timeout)
            net.check(code == 0, f"stream ended with exit code {code}: {process.tail()}")
        lines = re.findall(r"^(\d+) ([\d.]+)$", self.receiving.output, re.MULTILINE)
        octets = sum(int(octets) for octets, _ in lines)
        longest = max(float(seconds) for _, seconds in lines)
        return octets, octets * 8 / longest / 1e9


def throughput(programs, tunnel, senders, seconds, streams=1):
    """Gbit/s and CPU-seconds per gigabyte; `senders` "a", "b" or "ab" for both at once."""
    flows = [Streams(programs, tunnel, sender, str(seconds), streams, port=PORT + number)
             for number, sender in enumerate(senders)]
    meter = Meter(tunnel)
    for flow in flows:
        flow.begin()
    results = [flow.end(seconds + 30) for flow in flows]
    spent = meter.take()
    gigabytes = sum(octets for octets, _ in results) / 1e9
    return {"gbits": sum(gbits for _, gbits in results),
            **{f"cpu {name}": value / gigabytes for name, value in spent.items()}}
