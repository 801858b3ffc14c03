#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connect time, memory and the cost of doing nothing, beside strongSwan's charon-cmd, alternating
in one run; or the connect time of two builds, in turn."""

import argparse
import json
import os
import signal
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bus  # noqa: E402
import client  # noqa: E402
import gateway  # noqa: E402
import measuring  # noqa: E402
import net  # noqa: E402
import phases  # noqa: E402
import reference  # noqa: E402

BLOCK = 5  # runs of one build before it is the other's turn


def memory(pids):
    """(resident, proportional) KiB by program."""
    found = {}
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        found[client.status_of(pid)["Name"]] = tuple(
            int(fields[name].split()[0]) for name in ("Rss", "Pss"))
    return found


def once_ours(context):
    timeline = phases.Timeline()
    ours = client.start_as_alice(context)
    timeline.follow(ours.process, "^Connected")
    kib = memory(client.processes())
    ours.disconnect()
    timeline.close()
    return timeline, kib


def once_through_service(context, system, running):
    """As alice1, who sits at the machine; `running`: or godwitd starts for it."""
    if running:
        system.godwitd()
    timeline = phases.Timeline()
    ours = client.start_as_alice(context, user=bus.USERS["alice1"])
    timeline.follow(ours.process, "^Connected")
    net.check(ours.wait_end() == 0, f"godwit failed: {ours.process.tail()}")
    kib = memory(client.processes())
    code, _, errors = system.run("alice1", "disconnect")
    net.check(code == 0, f"godwit disconnect: {errors}")
    system.kill()
    timeline.close()
    return timeline, kib


def once_theirs(context):
    timeline = phases.Timeline()
    process = reference.start(context.pki)
    timeline.follow(process, r"CHILD_SA cmd\S* established")
    kib = memory([process.pid])
    reference.end(process)
    timeline.close()
    return timeline, kib


def megabytes(runs, name=None):
    """Medians of (resident, proportional), of one program or of all together."""
    return [statistics.median(sum(kib[which] for program, kib in run[1].items()
                                  if name in (None, program)) for run in runs) / 1024
            for which in (0, 1)]


def row(name, runs):
    times = [timeline.configured() for timeline, _ in runs]
    resident, proportional = megabytes(runs)
    print(f"{name:31} {statistics.median(times):7.1f} {min(times):7.1f} {max(times):7.1f}   "
          f"{resident:6.1f} {proportional:6.1f}")
    programs = sorted(runs[0][1])
    for program in programs if len(programs) > 1 else ():
        resident, proportional = megabytes(runs, program)
        print(f"  {program:53}   {resident:6.1f} {proportional:6.1f}")


def phase_table(runs):
    print("Where that goes, medians in milliseconds: " + "; ".join(
        f"({letter}) {name}" for letter, name in zip("abcdefg", runs)))
    print(" " * 37 + "".join(f"{letter:>8}" for letter, _ in zip("abcdefg", runs)))
    columns = [list(zip(*(timeline.phases() for timeline, _ in found))) for found in runs.values()]
    for number, phase in enumerate(phases.PHASES):
        print(f"{phase:37}" + "".join(f"{statistics.median(column[number]):8.1f}"
                                      for column in columns))


def prepare(context):
    """The gateway and the bus; the ways of connecting by name."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    net.set_up()
    gateway.Gateway(context.pki).start()
    system = bus.Bus(context)
    return {"godwit, standalone": lambda: once_ours(context),
            "godwit through godwitd": lambda: once_through_service(context, system, True),
            "godwit, which starts godwitd": lambda: once_through_service(context, system, False)}


def measure(context, count):
    rows = {**prepare(context), "charon-cmd": lambda: once_theirs(context)}
    runs = {name: [] for name in rows}
    for _ in range(count):
        for name, once in rows.items():
            runs[name].append(once())
    print(f"{count} runs each, alternating; start of the program to the last route, EAP-MSCHAPv2, "
          "full tunnel")
    print(f"{'':31}    milliseconds          all processes, MB")
    print(f"{'':31}  median     min     max   resident  proportional")
    for name, found in runs.items():
        row(name, found)
    phase_table(runs)
    return 0


def block(context, out):
    """A few runs of one build, the first for caches; tells their milliseconds by way."""
    times = {name: [once()[0].configured() for _ in range(1 + BLOCK)][1:]
             for name, once in prepare(context).items()}
    os.write(out, json.dumps(times).encode())
    return 0


def compare(builds, count):
    """Before all other programs of the machine, so that what these do counts for next to nothing."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    blocks = {build: [] for build in builds}
    for number in range(max(1, count // BLOCK)):
        for build in builds[::-1 if number % 2 else 1]:
            reader, writer = os.pipe()
            code = measuring.run(argparse.Namespace(build=build), block, writer)
            os.close(writer)
            with os.fdopen(reader, "rb") as file:
                told = file.read()
            if code:
                return code
            blocks[build].append(json.loads(told))
    print(f"{max(1, count // BLOCK)} blocks of {BLOCK} runs each, in turn; start of the program to the "
          f"last route, milliseconds\n{'':31}     old     new   new / old, of paired blocks")
    for name in blocks[builds[0]][0]:
        old, new = ([statistics.median(one[name]) for one in blocks[build]] for build in builds)
        ratio = statistics.median(b / a for a, b in zip(old, new))
        print(f"{name:31} {statistics.median(old):7.1f} {statistics.median(new):7.1f} {ratio:7.3f}")
    return 0


def switches(pids):
    """Context switches of every thread so far."""
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            facts = client.status_of(f"{pid}/task/{thread}")
            total += int(facts["voluntary_ctxt_switches"]) + int(facts["nonvoluntary_ctxt_switches"])
    return total


def wakeups(pids, seconds):
    net.let_pass(2)  # until what follows a connection is done
    before = switches(pids)
    net.let_pass(seconds)
    return (switches(pids) - before) * 60 / seconds


def idle_ours(context, seconds):
    system = bus.Bus(context)
    code, _, errors = system.run("alice1", "connect", "vpn.example.org", *client.alice(),
                                 "--ca", context.pki.certificate("root"), "--password-fd", "0",
                                 input_text=gateway.USERS["alice"] + "\n")
    net.check(code == 0, f"godwit connect: {errors}")
    return wakeups(client.processes(), seconds)


def idle_theirs(context, seconds):
    return wakeups([reference.connect(context.pki).pid], seconds)


def measure_idle(context, name, idle, seconds):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    net.set_up()
    gateway.Gateway(context.pki).start()
    print(f"{name:31} {idle(context, seconds):7.1f}", flush=True)
    return 0


def main():
    parser = measuring.parser("Measures connect time and memory.")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--idle", type=int, default=60, metavar="SECONDS")
    parser.add_argument("--old", metavar="DIR", help="build whose connect time is compared")
    options = measuring.options_of(parser)
    if options.old:
        return compare([os.path.abspath(options.old), options.build], options.runs)
    code = measuring.run(options, measure, options.runs)
    if options.idle:
        print("Wake-ups (context switches of all threads) a minute, connected, without traffic, "
              f"in {options.idle} s", flush=True)
        for name, idle in (("godwitd and its worker", idle_ours), ("charon-cmd", idle_theirs)):
            code |= measuring.run(options, measure_idle, name, idle, options.idle)
    return code


if __name__ == "__main__":
    sys.exit(main())
