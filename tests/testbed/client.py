# SPDX-License-Identifier: GPL-2.0-or-later
"""Our client as a scenario sees it: started, connected, refused, disconnected, and what it left."""

import contextlib
import os
import pty
import re
import select
import signal
import time

import gateway
import net

# What godwit(1) documents: reason -> exit code and the words that its sentence has.
REFUSALS = {
    "usage": (2, r"command line"),
    "profile": (3, r"profile"),
    "not-root": (4, r"root"),
    "no-tun": (5, r"TUN device"),
    "resolve": (7, r"could not be resolved"),
    "gateway-unreachable": (8, r"does not answer"),
    "port-unreachable": (9, r"Nothing listens"),
    "udp-blocked": (28, r"IKE does not get through"),
    "no-proposal-chosen": (10, r"none of the offered algorithms"),
    "gateway-untrusted": (11, r"not issued by a trusted authority"),
    "gateway-expired": (12, r"outside its validity dates"),
    "gateway-identity-mismatch": (13, r"not who you asked for"),
    "auth-failed": (15, r"refused the credentials"),
    "secret-missing": (19, r"password is needed"),
    "ts-unacceptable": (20, r"traffic selectors"),
    "address-unavailable": (21, r"no internal address"),
    "gateway-refused": (22, r"refused the connection"),
    "gateway-closed": (23, r"closed the connection"),
    "gateway-lost": (24, r"stopped answering"),
    "worker-died": (26, r"ended unexpectedly"),
    "redirected": (27, r"to another gateway"),
    "token-missing": (33, r"token with the certificate or key is not there"),
    "token-object": (34, r"does not hold what the profile names"),
    "pin-wrong": (35, r"PIN of the token is wrong"),
    "token-unsupported": (38, r"cannot sign in a way that is needed"),
    "gateway-changed": (39, r"another certificate than the one that you trusted"),
    "token-failed": (37, r"token, or the program part that drives it, failed"),
}
SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer.*|.*: runtime error: .*|"
                       r"SUMMARY: \w+Sanitizer.*")
CONNECT_TIMEOUT = 15


def _descriptor(text):
    """A pipe that holds a secret and its line end; returns the end to read."""
    reader, writer = os.pipe()
    os.write(writer, text.encode() + b"\n")
    os.close(writer)
    return reader


class Client:
    """One `godwit connect --standalone`, or through godwitd when it is that of a `user` (bus.py)."""

    def __init__(self, context, *arguments, host="vpn.example.org", password=None, psk=None,
                 key_password=None, ca="root", enter=None, namespace=None, user=None,
                 language=None):
        command = [program(context), "connect", *([host] if host else [])]
        command += [] if user else ["--standalone"]
        self.user = user
        if ca:
            command += ["--ca", context.pki.certificate(ca)]
        descriptors = []
        for option, secret in (("--password-fd", password), ("--psk-fd", psk),
                               ("--private-key-password-fd", key_password)):
            if secret is not None:
                descriptors.append(_descriptor(secret))
                command += [option, str(descriptors[-1])]
        command += arguments
        self.secrets = [secret for secret in (password, psk, key_password) if secret]
        self.process = net.Process(
            command, pass_fds=descriptors, enter=user.become if user else enter, namespace=namespace,
            env={**environment(context), **(user.environment() if user else {}),
                 **({"LC_ALL": "", "LC_MESSAGES": language} if language else {})})
        for descriptor in descriptors:
            os.close(descriptor)

    @property
    def output(self):
        return self.process.output

    def wait_connected(self, timeout=CONNECT_TIMEOUT):
        # The summary comes a line at a time.
        self.process.read_until(r"^Connected(.*\n)+  Interface .*\n", timeout)

    def wait_end(self, timeout=20):
        """Waits for the end; returns the exit code. Sanitizer reports, secrets in the output and
        processes that stay behind are failures."""
        code = self.process.wait(timeout)
        report = SANITIZER.search(self.output)
        if report:
            with open("/run/bed/sanitizer-report", "w", encoding="utf-8") as file:
                file.write(self.output)
            raise net.Failure(f"a sanitizer reported: {report.group(0)}")
        for secret in self.secrets:
            net.check(secret not in self.output, "the output shows a secret")
        if not self.user:
            net.wait_until(lambda: not processes(), 5, "end of every process of the client")
        return code

    def disconnect(self, number=signal.SIGINT):
        self.process.signal(number)
        code = self.wait_end()
        net.check(code == 0, f"exit code {code} after {signal.Signals(number).name}; "
                             f"it said: {self.process.tail()}")


def program(context):
    """The path of godwit; its absence is a failure, never a skip: the bed is there to test it."""
    path = os.path.join(context.build, "godwit")
    net.check(os.path.exists(path), f"{path} is not built")
    return path


def environment(context):
    return {"GODWIT_TUNNEL": os.path.join(context.build, "godwit-tunnel"),
            "GODWIT_TOKEN": os.path.join(context.build, "godwit-token"),
            "UBSAN_OPTIONS": "print_stacktrace=1"}


def alice(*arguments):
    """The arguments of the usual connection by name and password."""
    return ("--user", "alice", *arguments)


def start_as_alice(context, *arguments, **options):
    options.setdefault("password", gateway.USERS["alice"])
    return Client(context, *alice(*arguments), **options)


@contextlib.contextmanager
def connected(context, *arguments, stop=signal.SIGINT, user="alice", **options):
    """A connection for the time of a `with`; afterwards the host must be as before. `user` None:
    no name and password, the arguments say how."""
    before = net.snapshot()
    if user:
        options.setdefault("password", gateway.USERS[user])
        arguments = ("--user", user, *arguments)
    client = Client(context, *arguments, **options)
    client.wait_connected()
    yield client
    client.disconnect(stop)
    net.check_unchanged(before)


def expect_refusal(client, reason, before, timeout=20):
    """The client must end with that reason's exit code and sentence, the host as `before`."""
    code = client.wait_end(timeout)
    wanted, words = REFUSALS[reason]
    net.check(code == wanted, f"exit code {code}, not {wanted} ({reason}); "
                              f"it said: {client.process.tail()}")
    net.check(re.search(words, client.output), f"no sentence with '{words}'; "
                                               f"it said: {client.process.tail()}")
    net.check_unchanged(before)


def stat_of(pid):
    """What proc(5) says of a process in `stat`: numbers as text."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return dict(zip(("state", "parent", "group", "session", "tty"), fields))


def parent_of(pid):
    """None when it has ended."""
    with contextlib.suppress(OSError):
        return int(stat_of(pid)["parent"])


def processes(name="godwit"):
    """PIDs in this sandbox of programs whose name starts so."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = status_of(entry)
                if fields["Name"].startswith(name) and not fields["State"].startswith("Z"):
                    found.append(int(entry))
    return found


def wait_no_worker():
    """One that was started before its caller was refused ends by itself."""
    net.wait_until(lambda: not processes("godwit-tunnel"), 5, "end of the worker")


def worker():
    """The PID of the one godwit-tunnel."""
    found = processes("godwit-tunnel")
    net.check(len(found) == 1, f"{len(found)} workers are running, not 1")
    return found[0]


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return {name: value.strip() for name, value in
                (line.split(":", 1) for line in file)}


COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A pseudo-terminal for programs that ask; the program becomes its session's leader."""

    def __init__(self, command, env, enter=None):
        self.output = ""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            if enter:
                enter()
            os.execvpe(command[0], command, {**os.environ, "LC_ALL": "C.UTF-8", **env})

    def read_until(self, pattern, timeout, echo=None):
        deadline = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.output, re.MULTILINE)
            if found:
                return found
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.descriptor], [], [], left)[0]
            net.check(ready, f"no '{pattern}' on the terminal after {timeout} s; it shows: "
                             f"{self.output[-300:]!r}")
            try:
                data = os.read(self.descriptor, 4096)
            except OSError:
                data = b""
            if not data:
                raise net.Failure("the program left the terminal; it shows: "
                                  f"{self.output[-300:]!r}")
            text = COLOURS.sub("", data.decode(errors="replace").replace("\r\n", "\n"))
            self.output += text
            if echo:
                echo(text)

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def wait(self, timeout=10, echo=None):
        """Reads to the end and returns the exit code."""
        with contextlib.suppress(net.Failure):
            self.read_until(r"\Z(?!)", timeout, echo)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
