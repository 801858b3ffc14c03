#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration: a private gateway, a connection by name and password, traffic through it."""

import os
import shlex
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bus  # noqa: E402
import gateway  # noqa: E402
import measuring  # noqa: E402
import net  # noqa: E402
import transfer  # noqa: E402

MEGABYTES = 20


def tell(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


class Echo:
    """Prints what the program says, indented."""

    def __init__(self):
        self.at_line_start = True

    def __call__(self, text):
        for line in text.splitlines(keepends=True):
            print(("    | " if self.at_line_start else "") + line, end="")
            self.at_line_start = line.endswith("\n")
        sys.stdout.flush()


def start_gateway(context):
    tell("1. A gateway starts: strongSwan, in a network namespace of its own on this machine.")
    net.set_up()
    host = gateway.Gateway(context.pki)
    host.start()
    transfer.start_server()
    print(f"    Its name is vpn.example.org, its address {net.GATEWAY4}. Behind it is a private\n"
          f"    host, {net.HOST4}.")


def show(*command):
    print("    $ godwit " + shlex.join(command), flush=True)


def connect(context, system):
    command = ["connect", "vpn.example.org", "--user", "alice", "--ca",
               context.pki.certificate("root")]
    tell("2. Godwit connects for an ordinary user. The system bus starts its service, godwitd;\n"
         "   Alice types her password.")
    show(*command[:-1], "ca.pem")
    terminal = system.terminal("alice1", *command)
    echo = Echo()
    terminal.read_until("(?i)password[^\n]*: *", 10, echo)
    terminal.type(gateway.USERS["alice"] + "\n")
    terminal.read_until("^Connected", 15, echo)
    code = terminal.wait(10, echo)
    net.check(code == 0, f"godwit ended with exit code {code}")


def command_of_alice(system, *command):
    show(*command)
    code, said, errors = system.run("alice1", *command)
    Echo()(said + errors)
    net.check(code == 0, f"godwit ended with exit code {code}")


def use(system):
    tell("3. What is connected now:")
    command_of_alice(system, "status")
    tell(f"4. Traffic through the tunnel, to the private host {net.HOST4}:")
    answer = net.run("ping", "-n", "-c", "3", "-i", "0.1", "-W", "2", net.HOST4)
    summary = answer.strip().splitlines()
    Echo()("\n".join(summary[-2:]) + "\n")
    for direction, word in (("up", "sent"), ("down", "received")):
        speed, source, _ = transfer.transfer(net.HOST4, direction, MEGABYTES * 1_000_000)
        print(f"    {MEGABYTES} MB {word} with the right checksum, {speed * 8 / 1e6:.0f} Mbit/s "
              f"(our address there: {source})", flush=True)


def disconnect(system, before):
    tell("5. Godwit says goodbye to the gateway and puts everything back.")
    command_of_alice(system, "disconnect", "vpn.example.org")
    net.check_unchanged(before)
    print("    Addresses, routes, rules and /etc/resolv.conf are as they were before.")


def demonstrate(context):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    print("Godwit connects to a gateway on this machine: nothing outside is contacted or changed.")
    try:
        start_gateway(context)
        system = bus.Bus(context)
        before = net.snapshot()
        connect(context, system)
        use(system)
        disconnect(system, before)
    except KeyboardInterrupt:
        tell("Interrupted. The gateway, the tunnel and their namespaces are gone.")
        return 130
    except (net.Failure, OSError, ValueError) as reason:
        tell(f"The demonstration failed: {reason}")
        return 1
    tell(f"Done in {time.monotonic() - started:.1f} s. Nothing is left behind.")
    return 0


def main():
    options = measuring.options_of(
        measuring.parser("Shows a connection from its start to its end."))
    return measuring.run(options, demonstrate)


if __name__ == "__main__":
    sys.exit(main())
