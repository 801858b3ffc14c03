# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw calls on the system bus by a process of a user's own, and what the service tells it.

The process reads a request a line (JSON) and answers each with a line. Arguments are GVariant text.
"""

import json
import os
import re
import select
import socket
import sys
import time

import net
import sandbox

MANAGER, SESSION = "org.godwit.VPN1.Manager", "org.godwit.VPN1.Session"
NAME, PATH = "org.godwit.VPN1", "/org/godwit/VPN1"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
LATEST_EVENTS = 10000


class Refused(Exception):
    """A call has failed: `name` is the error's name on the bus."""

    def __init__(self, name, text):
        self.name, self.text = name, text.removeprefix(f"GDBus.Error:{name}: ")
        super().__init__(f"{name}: {self.text}")


class _Served:
    """What runs in the process."""

    def __init__(self, connection):
        # Only here: the caller of fork() may have no threads of GLib's.
        from gi.repository import Gio, GLib
        self.gio, self.glib = Gio, GLib
        self.channel = connection.makefile("rw", encoding="utf-8")
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, None)
        self.bus.set_exit_on_close(False)
        self.events = []
        self.bus.signal_subscribe(NAME, None, None, None, None, Gio.DBusSignalFlags.NONE,
                                  lambda _bus, _sender, path, interface, member, values:
                                  self._note([path, interface, member, values.unpack()]))
        self.bus.signal_subscribe("org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
                                  "/org/freedesktop/DBus", NAME, Gio.DBusSignalFlags.NONE,
                                  lambda *call: self._owned(*call[5].unpack()))
        self.loop = GLib.MainLoop()
        GLib.io_add_watch(connection.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP,
                          self._requested)

    def _note(self, event):
        self.events = [*self.events[-LATEST_EVENTS:], [time.monotonic(), *event]]

    def _owned(self, _name, _before, owner):
        """Another service: the numbers of its sessions begin anew."""
        if owner:
            self.events = []

    def _requested(self, *_):
        line = self.channel.readline()
        if not line:
            self.loop.quit()
            return False
        request = json.loads(line)
        getattr(self, f"_{request.pop('do')}")(**request)
        return True

    def answer(self, answer):
        self.channel.write(json.dumps(answer, default=list) + "\n")
        self.channel.flush()

    def _descriptor(self, content, seal):
        descriptor = os.memfd_create("profile", os.MFD_ALLOW_SEALING)
        os.write(descriptor, content.encode("latin-1"))
        if seal:
            import fcntl
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
                        | fcntl.F_SEAL_WRITE)
        return descriptor

    def _arguments(self, text):
        return self.glib.Variant.parse(None, text, None, None)

    def _call(self, path, interface, method, arguments, timeout, memory=None, seal=True,
              process=None, to=NAME):
        descriptors = None
        if memory is not None:
            descriptors = self.gio.UnixFDList.new()
            descriptors.append(self._descriptor(memory, seal))
        if process is not None:
            descriptors = self.gio.UnixFDList.new()
            descriptors.append(os.pidfd_open(process))

        def done(bus, result):
            try:
                reply = bus.call_with_unix_fd_list_finish(result)
                self.answer({"result": reply[0].unpack()})
            except self.glib.Error as error:
                name = self.gio.DBusError.get_remote_error(error) or error.domain
                self.answer({"error": name, "text": error.message})

        self.bus.call_with_unix_fd_list(to, path, interface, method, self._arguments(arguments),
                                        None, self.gio.DBusCallFlags.NONE, int(timeout * 1000),
                                        descriptors, None, done)

    def _flood(self, count, path, interface, method, arguments, timeout):
        """All at once; answers with how often each error came, "" for success."""
        counts, left = {}, [count]

        def done(bus, result):
            name = ""
            try:
                bus.call_finish(result)
            except self.glib.Error as error:
                name = self.gio.DBusError.get_remote_error(error) or error.domain
            counts[name] = counts.get(name, 0) + 1
            left[0] -= 1
            if left[0] == 0:
                self.answer({"result": counts})

        for _ in range(count):
            self.bus.call(NAME, path, interface, method, self._arguments(arguments), None,
                          self.gio.DBusCallFlags.NONE, int(timeout * 1000), None, done)

    def _heard(self):
        self.answer({"result": self.events})


def _serve(ours, theirs, user):
    ours.close()
    if user:
        os.environ.update(user.environment())
        user.become()
    served = _Served(theirs)
    served.answer({"result": None})
    served.loop.run()


class Caller:
    """Ends with the scenario, or by leave(); it is then gone from the bus."""

    def __init__(self, user=None):
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            sandbox.exit_with(lambda: _serve(ours, theirs, user))
        theirs.close()
        self.socket = ours
        self.file = ours.makefile("rw", encoding="utf-8")
        self._read(20)

    def _read(self, timeout):
        ready, _, _ = select.select([self.socket], [], [], timeout)
        net.check(ready, f"no answer from the bus after {timeout} s")
        line = self.file.readline()
        net.check(line, "the caller on the bus has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"], answer["text"])
        return answer["result"]

    def _ask(self, **request):
        self.file.write(json.dumps(request) + "\n")
        self.file.flush()
        return self._read(request.get("timeout", 20) + 10)

    def leave(self):
        self.file.close()
        self.socket.close()
        os.waitpid(self.pid, 0)

    # ---- calls ----

    def call(self, path, interface, method, arguments="()", timeout=20, **more):
        return self._ask(do="call", path=path, interface=interface, method=method,
                         arguments=arguments, timeout=timeout, **more)

    def manager(self, method, arguments="()", **more):
        return self.call(PATH, MANAGER, method, arguments, **more)

    def session(self, path, method, arguments="()", **more):
        return self.call(path, SESSION, method, arguments, **more)

    def property(self, path, name, interface=SESSION):
        return self.call(path, PROPERTIES, "Get", f"('{interface}', '{name}')")[0]

    def sessions(self):
        """What it sees: properties by object. From now on it hears the signals."""
        objects, = self.call(PATH, OBJECTS, "GetManagedObjects")
        return {path: interfaces[SESSION] for path, interfaces in objects.items()
                if SESSION in interfaces}

    def flood(self, count, path, interface, method, arguments="()", timeout=60):
        """The calls all at once: how often each error came, "" for success."""
        return self._ask(do="flood", count=count, path=path, interface=interface,
                         method=method, arguments=arguments, timeout=timeout)

    def refused(self, expected, path, interface, method, arguments="()", **more):
        """The call must fail so (a regular expression of the error's name); returns the text."""
        try:
            result = self.call(path, interface, method, arguments, **more)
        except Refused as refusal:
            net.check(re.search(expected, refusal.name), f"{method}{arguments[:80]}: {refusal}, not "
                                                f"{expected}")
            return refusal.text
        raise net.Failure(f"{method}{arguments[:80]} was done: {result}")

    # ---- signals ----

    def heard(self, member=None, path=None):
        """Signals so far: (when, path, interface, member, values)."""
        return [event for event in self._ask(do="heard")
                if member in (None, event[3]) and path in (None, event[1])]

    def wait_state(self, path, state, timeout=20):
        """The session's state; that it has ended in another way is a failure."""
        def reached():
            ended = self.heard("Ended", path)
            net.check(not ended, f"the session has ended: {ended and ended[0][4]}")
            return self.property(path, "State") == state
        net.wait_until(reached, timeout, f"state '{state}' of the session")

    def wait_ended(self, path, timeout=20):
        """(reason, sentence, detail, hint)."""
        return net.wait_until(lambda: self.heard("Ended", path), timeout,
                              "end of the session")[0][4]


def octets(data):
    """GVariant text of ay."""
    return "@ay [" + ", ".join(f"0x{octet:02x}" for octet in data) + "]"


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def profile(context, user="alice", password=None, host="vpn.example.org", ca="root", **more):
    """GVariant text of a profile: with name and password, and whatever keys besides."""
    with open(context.pki.certificate(ca), "rb") as file:
        values = {"gateway": text(host), "user": text(user), "ca": octets(file.read())}
    if password is not None:
        values["password"] = octets(password.encode())
    values.update({key.replace("_", "-"): value for key, value in more.items()})
    return "{" + ", ".join(f"'{key}': <{value}>" for key, value in values.items()) + "}"
