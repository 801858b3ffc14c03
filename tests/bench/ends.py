# SPDX-License-Identifier: GPL-2.0-or-later
"""The tunnels that are measured: each between the namespaces a and b, which one veth joins. All are
up at the same time, so that measurements can take turns; one without traffic costs nothing."""

import json
import os
import signal
import subprocess

import net

OUTER = {"a": "192.0.2.1", "b": "192.0.2.2"}
OUTER6 = {"a": "2001:db8:1::1", "b": "2001:db8:1::2"}
OTHER = {"a": "b", "b": "a"}
# What is measured: the suite, and the front. "gnutls" is AES-256-GCM by GnuTLS alone; "halves" is for
# tests: each direction changes all the time from one thread to two and back.
CIPHERS = {"aes256gcm": ("aes256gcm16", "datapath_pair"),
           "gnutls": ("aes256gcm16", "datapath_gnutls"),
           "halves": ("aes256gcm16", "datapath_halves"),
           "null": ("aes256gcm16", "datapath_null"),
           "chacha20": ("chacha20poly1305", "datapath_pair")}


def set_up(weather=None):
    """The two namespaces in the current sandbox, joined by a veth; or, for `weather`, the program of
    the test bed's cable and its first line of orders, by that. Returns its process."""
    for name in OUTER:
        net.run("ip", "netns", "add", name)
        net.run("sysctl", "-q", "-w", *net.NO_DAD, namespace=name)
    cable = None
    if weather:
        cable = net.Process([weather[0], "a", "a0", "b", "b0"], stdin=subprocess.PIPE)
        cable.read_until("^ready", 10)
    else:
        net.batch("a", "link add a0 type veth peer name b0 netns b")
    for name, address in OUTER.items():
        net.batch(name, "link set lo up", f"addr add {address}/24 dev {name}0",
                  f"addr add {OUTER6[name]}/64 dev {name}0 nodad", f"link set {name}0 up")
    net.run("ping", "-n", "-q", "-c", "1", "-W", "3", OUTER["b"], namespace="a")
    if weather:
        cable.popen.stdin.write(weather[1].encode() + b"\n")
        cable.popen.stdin.flush()
    return cable


class Tunnel:
    """One process at each end; its `number` makes its addresses."""
    name = None

    def __init__(self, number):
        self.number = number
        self.processes = {}

    def address(self, end):
        return f"10.{self.number}.0.{1 if end == 'a' else 2}"

    def namespace(self, end):
        return end

    def addresses_add(self, end, device):
        net.batch(end, f"addr add {self.address(end)} peer {self.address(OTHER[end])} dev {device} nodad")

    def pids(self, end):
        return [self.processes[end].pid]

    def dropped(self):
        """What either end has dropped since it began, by reason, where it tells."""
        return {}

    def stop(self):
        for process in self.processes.values():
            process.signal(signal.SIGTERM)
            process.wait(10)


class Veth(Tunnel):
    """No tunnel at all."""
    name = "plain veth"

    def __init__(self):
        super().__init__(0)

    def start(self):
        pass

    def address(self, end):
        return OUTER[end]

    def pids(self, end):
        return []


class Datapath(Tunnel):
    """Godwit's datapath with static keys; `ipv6`: inside and outside."""

    def __init__(self, number, build, cipher="aes256gcm", children=1, rekey=0, name=None, ipv6=False):
        super().__init__(number)
        self.ipv6 = ipv6
        self.outer = OUTER6 if ipv6 else OUTER
        self.name = name or f"godwit {cipher}"
        suite, front = CIPHERS.get(cipher, (cipher, "datapath_pair"))
        self.program = os.path.join(os.path.abspath(build), "tests", "bench", front)
        self.options = [suite, str(children), str(rekey)]

    def front(self, _):
        return self.program

    def environment(self, _):
        return {}

    def start(self):
        ready = {}
        for end, outer in self.outer.items():
            process = net.Process([self.front(end), end, outer, *self.options], namespace=end,
                                  stdin=subprocess.PIPE, env=self.environment(end))
            ready[end] = process.read_until(r"^ready (\S+) (\d+) (\d+)$", 10)
            self.processes[end] = process
        for end in OUTER:
            device, _, mtu = ready[end].groups()
            self._order(end, f"peer {self.outer[OTHER[end]]} {ready[OTHER[end]].group(2)}")
            self.counters(end)  # obeyed in turn, so that the other order has been
            # No packet of the kernel's own makes a figure of what was dropped.
            net.batch(end, f"link set {device} addrgenmode none", f"link set {device} mtu {mtu} up")
            self.addresses_add(end, device)

    def address(self, end):
        return f"fd00:{self.number}::{1 if end == 'a' else 2}" if self.ipv6 else super().address(end)

    def _order(self, end, text):
        stdin = self.processes[end].popen.stdin
        stdin.write(text.encode() + b"\n")
        stdin.flush()

    def counters(self, end):
        process = self.processes[end]
        process.output = ""
        self._order(end, "counters")
        return json.loads(process.read_until(r"^(\{.*\})$", 5).group(1))

    def dropped(self):
        found = {}
        for end in OUTER:
            for reason, count in self.counters(end)["dropped"].items():
                if count:
                    found[f"{end}: {reason}"] = count
        return found

    def stop(self):
        for process in self.processes.values():
            process.popen.stdin.close()
            # A sanitizer that has found something says so here.
            net.check(process.wait(20) == 0, f"an end failed: {process.tail()}")
