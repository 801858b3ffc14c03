# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic through a tunnel, and what it cost."""

import os
import re
import subprocess

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
                                      *(["check"] if check else [])],
                                     namespace=tunnel.namespace(receiver))
        self.receiving.read_until("^ready", 10)
        self.sending_command = [program, "send", tunnel.address(receiver), str(port), str(streams),
                                amount]
        self.namespace = tunnel.namespace(sender)
        self.sending = None

    def begin(self):
        self.sending = net.Process(self.sending_command, namespace=self.namespace)

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


# ---- datagrams ----

LOSS_MAX = 0.001
STEP_SECONDS = 0.2
STEPS = 6


def datagrams(programs, tunnel, octets, rate, seconds=STEP_SECONDS, at_once=1, quiet=60):
    """Sends from a to b until nothing has come for `quiet` ms; (sent, received, seconds). `at_once`: so
    many are given to the kernel in one, as QUIC does."""
    program = os.path.join(programs, "datagrams")
    receiving = net.Process([program, "receive", str(PORT), str(quiet)],
                            namespace=tunnel.namespace("b"), stdin=subprocess.PIPE)
    receiving.read_until("^ready", 10)
    sent, took = net.run(program, "send", tunnel.address("b"), str(PORT), str(octets), f"{rate:.0f}",
                         str(seconds), str(at_once), namespace=tunnel.namespace("a")).split()
    receiving.popen.stdin.close()
    net.check(receiving.wait(30) == 0, f"the receiver failed: {receiving.tail()}")
    return int(sent), int(receiving.output.split()[-1]) // octets, float(took)


def lossless(programs, tunnel, octets, at_once=1):
    """The highest rate found, in datagrams a second, of which next to nothing was lost."""
    sent, received, seconds = datagrams(programs, tunnel, octets, 0, at_once=at_once)
    best, low, high = 0, 0, sent / seconds
    if sent - received <= sent * LOSS_MAX:
        return high
    # What passes a flood is near what passes without loss.
    rate = received / seconds
    for _ in range(STEPS):
        for _ in range(2):  # another program's turn on the processor must not count
            sent, received, seconds = datagrams(programs, tunnel, octets, rate, at_once=at_once)
            if sent - received <= sent * LOSS_MAX:
                break
        if sent - received <= sent * LOSS_MAX:
            best = max(best, received / seconds)
            low = max(low, rate)
        else:
            high = min(high, rate)
        rate = (low + high) / 2 if low else rate / 2
        if low and high / low < 1.03:
            break
    return best


# ---- round trips ----

def pings(tunnel, count, interval=0.002):
    """Round-trip times in milliseconds, of ICMP from a to b; the lost are left out."""
    output = net.run("ping", "-n", "-i", str(interval), "-c", str(count), "-W", "1",
                     tunnel.address("b"), namespace=tunnel.namespace("a"), ok=False)
    found = [float(text) for text in re.findall(r" time=([\d.]+) ms", output)]
    net.check(len(found) > count / 2, f"{count - len(found)} of {count} pings were lost")
    return found


def pings_under_load(programs, tunnel, count):
    """While one TCP stream fills the tunnel in the same direction."""
    flow = Streams(programs, tunnel, "a", str(count * 0.002 + 0.5))
    flow.begin()
    flow.receiving.read_until("^connected", 10)
    found = pings(tunnel, count)
    flow.end(30)
    return found


# ---- memory ----

def resident_megabytes(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            total += int(re.search(r"^VmRSS:\s+(\d+)", file.read(), re.MULTILINE).group(1))
    return total * 1024 / 1e6
