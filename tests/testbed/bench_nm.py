#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`nmcli connection up` to its return: our plugin beside NetworkManager-strongswan's, in turn, over the
same NetworkManager and gateway, with what each part takes."""

import os
import re
import signal
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bus  # noqa: E402
import client  # noqa: E402
import gateway  # noqa: E402
import measuring  # noqa: E402
import net  # noqa: E402
from scenarios import nm_service  # noqa: E402

WARM_UP = 20
CONFIG = "/run/bed/charon-nm.conf"
# Of our connections: what the log tells when, in the order in which it happens.
STEPS = (("NetworkManager starts our service", r"starting godwit"),
         ("godwitd has made the interface", r"new Tun device"),
         ("the gateway is asked", r"godwit-Message: (\S+): init"),
         ("the tunnel is up", r"godwit-Message: (\S+): established"),
         ("NetworkManager routes through it", r"policy: set 'ours' \(godwit\d+\) as default for IPv4"))


def prepare(context):
    """The gateway and NetworkManager, with a connection of each kind."""
    plugins = " ".join(name for name in gateway.PLUGINS.split() if name != "vici")
    bus.write(CONFIG, gateway.render({"charon-nm": {
        "load": plugins, "plugins": {"kernel-libipsec": {"load": "yes"}},
        "syslog": {"daemon": {"default": "-1"}, "auth": {"default": "-1"}}}}))
    os.environ["STRONGSWAN_CONF"] = CONFIG
    _, manager = nm_service.start(context, others=("strongswan",))
    nm_service.add(manager, context, name="ours")
    manager.nmcli("connection", "add", "type", "vpn", "con-name", "theirs",
                  "vpn-type", "strongswan", "vpn.data",
                  f"address = vpn.example.org, certificate = {context.pki.certificate('root')}, "
                  "method = eap, user = alice, virtual = yes, encap = no, password-flags = 0")
    manager.nmcli("connection", "modify", "theirs", "vpn.secrets",
                  f"password={gateway.USERS['alice']}")
    return manager


def kill(*names):
    """Ends programs whose names start so, and waits until they are gone."""
    for name in names:
        for pid in client.processes(name):
            os.kill(pid, signal.SIGKILL)
    net.wait_until(lambda: not any(client.processes(name) for name in names), 10, "end of services")


def moment(found, today):
    """A time of the log in seconds since 1970: NetworkManager's own, or GLib's time of the day."""
    if found.lastindex:
        hours, minutes, seconds = found[1].split(":")
        return today + 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    line = found.string[found.string.rfind("\n", 0, found.start()) + 1:found.start()]
    return float(re.search(r"\[(\d+\.\d+)\]", line)[1])


def up(manager, name):
    """Milliseconds of nmcli, and until each of the steps."""
    said = len(manager.log())
    begin = time.time()
    manager.nmcli("connection", "up", name)
    end = time.time()
    net.check("dev godwit" in net.run("ip", "route", "get", net.FAR_HOST4) or name == "theirs",
              "not through the tunnel")
    log = manager.log()[said:]
    today = begin - begin % 86400
    steps = [(moment(re.search(pattern, log), today) - begin) * 1000 for _, pattern in STEPS] \
        if name == "ours" else []
    manager.nmcli("connection", "down", name)
    net.wait_until(lambda: not client.processes("godwit-tunnel"), 10, "end of the worker")
    net.wait_until(lambda: "godwit" not in net.run("ip", "link"), 10, "end of the interface")
    return (end - begin) * 1000, steps


def row(text, values):
    print(f"{text:50} {statistics.median(values):7.1f} {min(values):7.1f} {max(values):7.1f}",
          flush=True)


def measure(context, options):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    net.set_up()
    manager = prepare(context)
    # A service of ours is made for each connection, theirs is one for all.
    kinds = {"ours": ("ours", lambda: manager.bus.godwitd()),
             "ours, which starts godwitd": ("ours", lambda: kill("godwitd")),
             "NetworkManager-strongswan": ("theirs", lambda: None),
             "NetworkManager-strongswan, which starts charon-nm": ("theirs", lambda: kill("charon-nm"))}
    runs = {kind: [] for kind in kinds}
    for number in range(options.runs + 1):
        for kind, (name, before) in kinds.items():
            before()
            run = up(manager, name)
            if number > 0:  # the first is for caches
                runs[kind].append(run)
    print(f"{options.runs} runs each, in turn; nmcli connection up to its return, EAP-MSCHAPv2, "
          f"full tunnel\n{'':50} milliseconds\n{'':50}  median     min     max")
    for kind, found in runs.items():
        row(kind, [milliseconds for milliseconds, _ in found])
    print("ours, from the start of nmcli until")
    for number, (text, _) in enumerate(STEPS):
        row(f"  {text}", [steps[number] for _, steps in runs["ours"]])
    return 0


def cost(name):
    """(resident KiB, descriptors) of the one program of that name."""
    pid, = client.processes(name)
    return int(client.status_of(pid)["VmRSS"].split()[0]), len(os.listdir(f"/proc/{pid}/fd"))


def cycle(context, options):
    """Up and down, again and again: what NetworkManager and godwitd keep of it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    net.set_up()
    manager = prepare(context)
    names, before = ("NetworkManager", "godwitd"), {}
    for number in range(WARM_UP + options.cycles + 1):
        if number == WARM_UP:
            before = {name: cost(name) for name in names}, net.snapshot()
        up(manager, "ours")
    net.wait_until(lambda: not client.processes(nm_service.SERVICE), 30, "end of the services")
    net.check_unchanged(before[1])
    print(f"{options.cycles} times up and down; links, addresses, routes, rules, firewall and "
          "resolv.conf as before")
    code = 0
    for name in names:
        (first, open_first), (last, open_last) = before[0][name], cost(name)
        change = 100 * (last - first) / first
        print(f"  {name:15} {first:6} KiB resident, then {last:6} ({change:+.1f} %); "
              f"{open_first} descriptors, then {open_last}")
        code |= name == "godwitd" and (change > 2 or open_last > open_first)
    return code


def main():
    parser = measuring.parser("Measures connections through NetworkManager.")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--cycles", type=int, default=100)
    options = measuring.options_of(parser)
    code = measuring.run(options, measure, options) if options.runs else 0
    return code | (measuring.run(options, cycle, options) if options.cycles else 0)


if __name__ == "__main__":
    sys.exit(main())
