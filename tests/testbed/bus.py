# SPDX-License-Identifier: GPL-2.0-or-later
"""The system bus of a scenario: a real dbus-daemon and a real polkitd, users at the machine, and
godwitd of the build, which the bus starts when somebody asks for it.

Nothing of it is the machine's own: /run, /etc, the folders of D-Bus services and of polkit's actions
and rules are the sandbox's. logind alone is missing; seated.c and the files that libsystemd reads
stand in for it, so that polkit takes alice1 and bob1 for users in front of the screen, and eve1 for
somebody from far away.
"""

import base64
import contextlib
import dataclasses
import os
import re
import shutil
import signal
import subprocess

import client
import gateway
import net
import sandbox

NAME, PATH = "org.godwit.VPN1", "/org/godwit/VPN1"
LOG = "/run/bed/bus.log"
NETWORK_LOG = "/run/bed/NetworkManager.log"
PROGRAMS = "/run/programs"
# Where a build without --prefix has its configuration.
ETC = "/usr/local/etc"
PROFILES = f"{ETC}/godwit"
SERVICES = "/usr/share/dbus-1/system-services"
SESSION = """UID={uid}
USER={name}
ACTIVE={active}
IS_DISPLAY=1
STATE=active
REMOTE={remote}
TYPE={kind}
CLASS=user
"""
ADMINISTRATORS = "sudo"
COMPLAINT = re.compile(r"\((?:godwit|nm-godwit)[^)]*\): .*-CRITICAL \*\*.*")


@dataclasses.dataclass
class User:
    name: str
    uid: int
    seated: bool = True
    administrator: bool = False
    password: str = "correct horse battery"

    @property
    def home(self):
        return f"/run/bed/home/{self.name}"

    @property
    def runtime(self):
        return f"/run/user/{self.uid}"

    def environment(self):
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "SHELL": "/bin/sh",
                "XDG_RUNTIME_DIR": self.runtime}

    def become(self):
        """In a process of its own, before the program."""
        os.initgroups(self.name, self.uid)
        os.setgid(self.uid)
        os.setuid(self.uid)
        sandbox.die_with_parent()  # changing the user has undone it
        os.chdir(self.home)


USERS = {user.name: user for user in (
    User("alice1", 2001), User("bob1", 2002), User("eve1", 2003, seated=False),
    User("admin1", 2004, seated=False, administrator=True))}


def _append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def cover(path):
    """An empty folder that nobody else sees, over one of the machine's."""
    os.makedirs(path, exist_ok=True)
    sandbox.mount("tmpfs", path, "tmpfs", 0, "mode=755")


def _add_user(user):
    """With a session of logind's for who sits in front of the machine."""
    _append("/etc/passwd", f"{user.name}:x:{user.uid}:{user.uid}::{user.home}:/bin/sh\n")
    _append("/etc/group", f"{user.name}:x:{user.uid}:\n")
    for folder in (user.home, user.runtime):
        os.makedirs(folder, mode=0o700)
        os.chown(folder, user.uid, user.uid)
    write(f"/run/systemd/users/{user.uid}", f"NAME={user.name}\nSTATE=active\n"
           f"DISPLAY={user.uid}\nSESSIONS={user.uid}\nACTIVE_SESSIONS={user.uid}\n")
    seated = user.seated
    session = SESSION.format(uid=user.uid, name=user.name, active="1", remote="0" if seated else "1",
                             kind="wayland" if seated else "tty")
    write(f"/run/systemd/sessions/{user.uid}", session + ("SEAT=seat0\n" if seated else ""))


def set_passwords():
    """So that PAM knows the users; only where polkit asks for a password, since it takes a moment."""
    for user in USERS.values():
        shadow = net.run("openssl", "passwd", "-6", "-stdin", input_text=user.password).strip()
        _append("/etc/shadow", f"{user.name}:{shadow}:19000:0:99999:7:::\n")


def _administrators():
    text = read("/etc/group")
    names = ",".join(user.name for user in USERS.values() if user.administrator)
    write("/etc/group", re.sub(rf"^({ADMINISTRATORS}:.*:).*$", rf"\1{names}", text, flags=re.M))


def give_profile(context, user, name="work", **more):
    """Puts a profile of the usual connection into the folder of that user; its path. The certificate
    stands in it: who uses it may not read the bed's files."""
    with open(context.pki.certificate("root"), "rb") as file:
        authority = base64.b64encode(file.read()).decode()
    keys = {"gateway": "vpn.example.org", "user": "alice", "password": gateway.USERS["alice"],
            "ca": f"base64:{authority}", **more}
    user = USERS[user]
    path = f"{user.home}/.config/godwit/{name}.conf"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write(path, "[godwit]\n" + "".join(f"{key}={value}\n" for key, value in keys.items()), 0o600)
    for one in (f"{user.home}/.config", os.path.dirname(path), path):
        os.chown(one, user.uid, user.uid)
    return path


def find(context, name):
    """A file of ours, made or written."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for folder in (context.build, top):
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    raise net.Failure(f"there is no {name}")


def reachable(folder, name):
    """A path by which every user comes to the folder, whose own may lead through root's home."""
    path = f"{PROGRAMS}/{name}"
    os.makedirs(path, exist_ok=True)
    sandbox.mount(folder, path, None, sandbox.MS_BIND)
    return path


def check_log():
    """What the sanitizers found in godwitd, or in what NetworkManager has started, is a failure, and so
    is what a library complains of."""
    for path in filter(os.path.exists, (LOG, NETWORK_LOG)):
        report = client.SANITIZER.search(read(path)) or COMPLAINT.search(read(path))
        net.check(not report, f"it was reported: {report and report[0]}")


def _started_by_bus(service, environment, command):
    """A D-Bus service file without systemd, with that command in that environment."""
    service = re.sub(r"^Exec=(.*)", rf"Exec=/usr/bin/env {environment} {command}", service, flags=re.M)
    return re.sub(r"^SystemdService=.*\n", "", service, flags=re.M)


def reload():
    """It reads its files of services and policies again."""
    net.run("busctl", "--system", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
            "org.freedesktop.DBus", "ReloadConfig")


class Bus:
    """The programs in it end with the sandbox. `policies`: more files of D-Bus policy that it is to
    have, by their paths; `actions`: of polkit's. `arguments`: of godwitd. `worker`: another program
    of the build than godwit-tunnel."""

    def __init__(self, context, policies=(), arguments="", worker="godwit-tunnel", actions=()):
        self.context = context
        context.build = reachable(context.build, "build")
        self.policies, self.arguments, self.worker = policies, arguments, worker
        self.daemon = None
        for folder in ("/run/dbus", "/run/systemd", "/run/user", "/run/polkit"):
            cover(folder)
        for folder in ("/run/systemd/users", "/run/systemd/sessions", "/run/systemd/seats",
                       "/run/bed/home"):
            os.makedirs(folder, exist_ok=True)
        cover(ETC)
        for user in USERS.values():
            _add_user(user)
        _administrators()
        self._install_polkit(actions)
        self._install_services()
        self.start()

    def _install_polkit(self, more):
        actions = "/usr/share/polkit-1/actions"
        kept = {path: read(path) for path in (f"{actions}/org.freedesktop.policykit.policy", *more)}
        cover(actions)
        for path, text in kept.items():
            write(path, text)
        shutil.copy(find(self.context, "client/daemon/org.godwit.VPN1.policy"), actions)
        cover("/etc/polkit-1/rules.d")
        os.chmod("/etc/polkit-1/rules.d", 0o755)
        shutil.copy(find(self.context, f"generated/{NAME}.rules"), "/etc/polkit-1/rules.d")

    def _install_services(self):
        service = read(f"{SERVICES}/org.freedesktop.PolicyKit1.service")
        policies = "/usr/share/dbus-1/system.d"
        kept = {path: read(path) for path in (f"{policies}/org.freedesktop.PolicyKit1.conf",
                                               f"{policies}/org.freedesktop.login1.conf")}
        kept.update((f"{policies}/{os.path.basename(path)}", read(path)) for path in self.policies)
        for folder in (SERVICES, policies, "/etc/dbus-1/system.d"):
            cover(folder)
        for path, policy in kept.items():
            write(path, policy)
        shutil.copy(find(self.context, "client/daemon/org.godwit.VPN1.conf"), policies)
        seated = os.path.join(self.context.build, "tests/testbed/seated.so")
        write(f"{SERVICES}/org.freedesktop.PolicyKit1.service",
               _started_by_bus(service, f"LD_PRELOAD={seated}", r"\1"))
        environment = " ".join(f"{name}={value}" for name, value in {
            **client.environment(self.context),
            **{name: os.environ[name] for name in ("ASAN_OPTIONS",) if name in os.environ},
            "GODWIT_TUNNEL": f"{self.context.build}/{self.worker}"}.items())
        write(f"{SERVICES}/{NAME}.service",
               _started_by_bus(read(find(self.context, f"generated/{NAME}.service")), environment,
                               f"{self.context.build}/godwitd {self.arguments}".rstrip()))

    # ---- the bus itself ----

    def start(self):
        ready, write = os.pipe()
        with open(LOG, "ab") as log:
            self.daemon = subprocess.Popen(
                ["dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog",
                 f"--print-address={write}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write],
                preexec_fn=sandbox.die_with_parent)
        os.close(write)
        net.check(os.read(ready, 100), "dbus-daemon has ended")
        os.close(ready)

    def stop(self):
        self.daemon.kill()
        self.daemon.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/run/dbus/system_bus_socket")

    def power_off(self):
        """Every program of the bus is gone at once, and what the kernel knew and /run held with
        them; the links are the caller's."""
        self.daemon.kill()
        for name in ("godwit", "polkitd", "dbus-daemon"):
            for pid in client.processes(name):
                with contextlib.suppress(ProcessLookupError):  # a worker ends with its godwitd
                    os.kill(pid, signal.SIGKILL)
        net.wait_until(lambda: not client.processes(), 5, "end of every process")
        self.stop()
        net.run("nft", "flush", "ruleset")
        for family in ("-4", "-6"):
            net.run("ip", family, "rule", "flush")
            net.run("ip", family, "rule", "add", "lookup", "main", "priority", "32766")
            net.run("ip", family, "route", "flush", "table", "all", ok=False)
        net.batch(None, "link set lo down", "link set lo up")
        for name in os.listdir("/run/godwit"):
            os.unlink(f"/run/godwit/{name}")

    # ---- godwitd ----

    @staticmethod
    def pid():
        """Of godwitd; None when it does not run."""
        found = client.processes("godwitd")
        # Not a child of it that is about to become a worker, or looks for leaks, nor one that has ended.
        found = [pid for pid in found if client.parent_of(pid) not in (None, *found)]
        net.check(len(found) < 2, f"{len(found)} godwitd are running")
        return found[0] if found else None

    def godwitd(self):
        """Starts it, as whoever asks for it does; its PID."""
        net.run("busctl", "--system", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                "org.freedesktop.DBus", "StartServiceByName", "su", NAME, "0")
        return self.pid()

    def kill(self, number=signal.SIGKILL):
        """Ends godwitd and waits until it and its workers are gone, and the bus knows."""
        os.kill(self.pid(), number)
        net.wait_until(lambda: not self.pid() and not client.processes("godwit-tunnel"), 10,
                       "end of godwitd")
        net.wait_until(lambda: not self._owned(), 5, "notice of the bus that godwitd is gone")

    def kill_one(self, number=signal.SIGKILL):
        """Ends godwitd where another one takes its place, which may be there as soon as it is gone."""
        pid = self.pid()
        os.kill(pid, number)
        net.wait_until(lambda: pid not in client.processes("godwitd"), 5, "end of godwitd")

    @staticmethod
    def _owned():
        return "true" in net.run("busctl", "--system", "call", "org.freedesktop.DBus",
                                 "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
                                 "s", NAME)

    # ---- commands of users ----

    def run(self, user, *arguments, timeout=30, input_text=None):
        """`godwit ARGUMENTS` of that user (None = root): (exit code, standard output, errors)."""
        user = USERS.get(user)
        done = subprocess.run(
            [client.program(self.context), *arguments], capture_output=True, text=True,
            input=input_text,
            timeout=timeout, check=False, preexec_fn=user.become if user else None,
            env={**os.environ, "LC_ALL": "C.UTF-8", **client.environment(self.context),
                 **(user.environment() if user else {})})
        report = client.SANITIZER.search(done.stderr)
        net.check(not report, f"a sanitizer reported: {report and report.group(0)}")
        return done.returncode, done.stdout, done.stderr

    def terminal(self, user, *arguments):
        """`godwit ARGUMENTS` of that user on a terminal of its own."""
        user = USERS[user]
        return client.Terminal([client.program(self.context), *arguments],
                               {**client.environment(self.context), **user.environment()},
                               user.become)
