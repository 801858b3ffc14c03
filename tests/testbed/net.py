# SPDX-License-Identifier: GPL-2.0-or-later
"""The network of a scenario: the client's namespace (the sandbox's own) and the gateway's.

    client cl0 192.0.2.2, 2001:db8:1::2 ---- gw0 192.0.2.1, 2001:db8:1::1 gateway
                                              lo  the protected hosts
"""

import difflib
import mmap
import os
import re
import select
import struct
import subprocess
import sys
import time

import sandbox

CLIENT4, GATEWAY4 = "192.0.2.2", "192.0.2.1"
CLIENT6, GATEWAY6 = "2001:db8:1::2", "2001:db8:1::1"
# Inside the subnets that split tunnels cover, and outside of them.
HOST4, HOST6 = "10.99.0.1", "2001:db8:99::1"
FAR_HOST4, FAR_HOST6 = "198.51.100.1", "2001:db8:51::1"
SPLIT4, SPLIT6 = "10.99.0.0/16", "2001:db8:99::/48"
# Duplicate address detection would cost a second per scenario.
NO_DAD = ("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
RESOLV_CONF = b"# the resolver of this machine\nnameserver 192.0.2.53\nsearch home.example\n"


class Failure(Exception):
    """A scenario did not behave; the text says how."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def run(*command, namespace=None, input_text=None, timeout=60, ok=True, env=None):
    """Runs a command to its end; returns its standard output. Raises Failure if it fails."""
    done = subprocess.run(command, input=input_text, capture_output=True, text=True,
                          timeout=timeout, check=False, preexec_fn=entering(namespace),
                          env={**os.environ, **(env or {})})
    if ok and done.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit {done.returncode}: "
                      f"{(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def entering(namespace):
    """A preexec_fn for subprocess that moves the child into a named network namespace."""
    def enter():
        sandbox.die_with_parent()
        if namespace:
            with open(f"/run/netns/{namespace}", "rb") as handle:
                sandbox.setns(handle.fileno(), sandbox.CLONE_NEWNET)
    return enter


def let_pass(seconds):
    """Time that is itself what is tested or measured; for everything else there is wait_until()."""
    time.sleep(seconds)


def wait_until(condition, timeout, what, every=0.005):
    """Polls a condition that has no file descriptor to wait on."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"no {what} after {timeout} s")
        let_pass(every)


class Process:
    """A program of which we read the output while it runs, errors included."""

    def __init__(self, command, namespace=None, env=None, stdin=subprocess.DEVNULL, pass_fds=(),
                 enter=None):
        self.name = os.path.basename(command[0])
        self.output = ""
        move = entering(namespace)

        started = mmap.mmap(-1, 8)

        def prepare():
            move()
            if enter:
                enter()
            started[:] = struct.pack("d", time.monotonic())
        self.popen = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, pass_fds=pass_fds,
                                      preexec_fn=prepare,
                                      env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
        # Of the program, not of the copy of Python that becomes it.
        self.started, = struct.unpack("d", started)

    @property
    def pid(self):
        return self.popen.pid

    def _read(self, timeout):
        """Reads what is there; False at the end of the output."""
        ready, _, _ = select.select([self.popen.stdout], [], [], max(0, timeout))
        if not ready:
            return True
        data = os.read(self.popen.stdout.fileno(), 65536)
        self.output += data.decode(errors="replace")
        return bool(data)

    def read_until(self, pattern, timeout):
        """Waits for output that matches; returns the match. Fails at the end of the output."""
        deadline = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.output, re.MULTILINE)
            if found:
                return found
            left = deadline - time.monotonic()
            check(left > 0, f"{self.name}: no '{pattern}' after {timeout} s; "
                            f"it said: {self.tail()}")
            if not self._read(left):
                found = re.search(pattern, self.output, re.MULTILINE)
                if found:
                    return found
                code = self.popen.wait()
                raise Failure(f"{self.name} ended with exit code {code}, no '{pattern}'; "
                              f"it said: {self.tail()}")

    def matches(self, pattern):
        """Reads what has come and tells whether the output matches; for callers that select."""
        if not self._read(0):
            raise Failure(f"{self.name} ended; it said: {self.tail()}")
        return re.search(pattern, self.output, re.MULTILINE)

    def wait(self, timeout):
        """Waits for the end of the process, returns its exit code (negative for a signal)."""
        deadline = time.monotonic() + timeout
        while self._read(deadline - time.monotonic()):
            check(time.monotonic() < deadline,
                  f"{self.name} still runs after {timeout} s; it said: {self.tail()}")
        try:
            return self.popen.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} closed its output but still runs") from None

    def tail(self):
        return " | ".join(self.output.strip().splitlines()[-6:]) or "(nothing)"

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()


def batch(namespace, *lines):
    """ip(8) in one call; `namespace` None is the client's."""
    where = ("-n", namespace) if namespace else ()
    run("ip", *where, "-batch", "-", input_text="\n".join(lines) + "\n")


def start_gateway(namespace, device):
    """The gateway's host; its other end is `device` in a namespace that exists, not yet up."""
    run("ip", "netns", "add", "gw")
    for one in (namespace, "gw"):
        run("sysctl", "-q", "-w", *NO_DAD, namespace=one)
    batch(namespace, "link set lo up", f"link add {device} type veth peer name gw0 netns gw")
    batch("gw",
          "link set lo up",
          f"addr add {GATEWAY4}/24 dev gw0",
          f"addr add {GATEWAY6}/64 dev gw0 nodad",
          # No link-local address that appears late and makes the gateway send a MOBIKE update.
          "link set gw0 addrgenmode none",
          "link set gw0 up",
          *[f"addr add {address}/32 dev lo" for address in (HOST4, FAR_HOST4)],
          *[f"addr add {address}/128 dev lo nodad" for address in (HOST6, FAR_HOST6)])


def name_the_gateway(*addresses):
    """Beside its usual address, in the file of hosts."""
    with open("/etc/resolv.conf", "wb") as file:
        file.write(RESOLV_CONF)
    os.chmod("/etc/resolv.conf", 0o644)
    with open("/etc/hosts", "a", encoding="ascii") as file:
        file.write(f"\n{GATEWAY4} vpn.example.org\n{GATEWAY6} vpn6.example.org\n")
        file.writelines(f"{address} vpn.example.org\n" for address in addresses)


def set_up():
    """Builds the network in the current sandbox."""
    start_gateway(None, "cl0")
    batch(None,
          f"addr add {CLIENT4}/24 dev cl0",
          f"addr add {CLIENT6}/64 dev cl0 nodad",
          "link set cl0 up")
    run("ip", "route", "add", "default", "via", GATEWAY4, "dev", "cl0")
    run("ip", "-6", "route", "add", "default", "via", GATEWAY6, "dev", "cl0")
    name_the_gateway()
    # Link-local addresses appear when the links are up; snapshots must not race with that.
    wait_until(lambda: "tentative" not in run("ip", "-6", "addr")
               and "fe80" in run("ip", "-6", "addr", "show", "dev", "cl0")
               and "state UP" in run("ip", "link", "show", "dev", "cl0"), 5, "link that is up")


def snapshot():
    """Everything of the host that a tunnel may change, as text."""
    parts = []
    for command in ("link", "addr", "rule", "-6 rule", "route show table all",
                    "-6 route show table all"):
        text = run("ip", "-o", *command.split())
        parts.append(f"== ip {command}\n" + re.sub(r" expires \d+sec| qlen \d+", "", text))
    parts.append(f"== nftables\n{run('nft', '-s', 'list', 'ruleset')}")
    with open("/etc/resolv.conf", "rb") as file:
        content = file.read()
    state = os.lstat("/etc/resolv.conf")
    parts.append(f"== resolv.conf {state.st_mode:o} {state.st_uid}:{state.st_gid}\n{content!r}\n")
    for setting in ("ipv4/conf/all/src_valid_mark", "ipv4/conf/all/rp_filter", "ipv4/ip_forward"):
        with open(f"/proc/sys/net/{setting}", encoding="ascii") as file:
            parts.append(f"== {setting} {file.read()}")
    parts.append(f"== /etc {sorted(os.listdir('/etc'))}\n")
    state = [os.path.join(folder, name) for folder, _, names in os.walk("/run/godwit")
             for name in names if name != "ways"]  # what worked where may stay
    parts.append(f"== /run/godwit {state}\n")
    return "".join(parts)


def check_unchanged(before):
    after = snapshot()
    changes = [line for line in difflib.unified_diff(before.splitlines(), after.splitlines(),
                                                     lineterm="", n=0)
               if not line.startswith(("---", "+++", "@@"))]
    check(not changes, "the host is not as before: " + " ; ".join(changes))


def ping(address, size=56, count=2, timeout=10):
    """Pings through whatever route leads there; every echo must come back."""
    run("ping", "-n", "-q", "-i", "0.05", "-W", "3", "-c", str(count), "-s", str(size), address,
        timeout=timeout)


def silent_gateway():
    """Holds the IKE ports of the gateway's host and never answers."""
    holder = Process([sys.executable, "-c",
                      "import socket, signal\n"
                      "held = []\n"
                      "for port in (500, 4500):\n"
                      "    held.append(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))\n"
                      "    held[-1].bind(('::', port))\n"
                      "print('ready', flush=True)\n"
                      "signal.pause()\n"], namespace="gw")
    holder.read_until("^ready", 10)
    return holder
