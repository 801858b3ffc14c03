#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the scenarios of the test bed, each in a sandbox of its own.

    run.py [--build DIR] [--jobs N] [--logs DIR] [-v] [--suite SUITE] [NAME...]

NAME is a scenario, a file of scenarios, or a part of a scenario's name. Without one: the suite. The
last line is "N passed, N failed, N skipped".

Scenarios run in real time beside each other, on machines that do other things as well. So one that
fails in a suite is told at once and played again in the end, by itself; what fails then has failed,
and what does not is told as unsteady. By name nothing is played again: that is for whoever mends.
When very many fail it is no matter of a slow machine: the suite ends there.
"""

import argparse
import contextlib
import importlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bus  # noqa: E402
import net  # noqa: E402
import pki  # noqa: E402
import sandbox  # noqa: E402
import scenario  # noqa: E402
import stacks  # noqa: E402

SUITES = {
    "testbed": ("reference_client", "tunnels", "authentication", "token", "algorithms", "lifecycle",
                "children", "dns", "rekey", "race", "succession", "crash", "soak", "datapath", "bad_input", "trust",
                "host", "interference", "nm_service", "nm_config", "nm_failures", "nm_dns", "nm_life", "nm_rights", "nm_roam", "service", "service_users", "command_line"),
    "roam": ("roam_moves", "roam_nat", "roam_gateway", "roam_sleep", "roam_random", "path_mtu"),
    "leaks": ("leaks", "apps", "booted", "service_cycles"),
    "desktop": ("desktop", "questions", "auth_dialog", "nm_editor", "nm_editor_looks", "tray",
                "tray_files", "tray_hostile", "tray_hosts", "tray_lives", "tray_looks", "tray_networks",
                "tray_trace", "first_connection", "tray_passwords"),
    "pictures": ("pictures",),
}


TOO_MANY = 12  # failures
GRACE_S = 60  # for the end of a scenario whose time is over


def collect(suite, names):
    """The scenarios of a suite in the order of its files, or those of all that match a name."""
    for file in (file for files in SUITES.values() for file in files):
        importlib.import_module(f"scenarios.{file}")
    if not names:
        return [entry for entry in scenario.REGISTRY if entry.file in SUITES[suite]]
    return [entry for entry in scenario.REGISTRY
            if any(name in (entry.name, entry.file) or name in entry.name for name in names)]


class Running:
    """A scenario in its sandbox."""

    def __init__(self, entry, context, logs, again=False):
        self.entry, self.again = entry, again
        self.logs = os.path.join(logs, entry.name + ("-again" if again else ""))
        shutil.rmtree(self.logs, ignore_errors=True)
        self.result = os.path.join(context.scratch, entry.name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.result)
        self.started = time.monotonic()
        self.pid = sandbox.start(lambda: self._main(context))
        self.ended = os.pidfd_open(self.pid)
        self.stuck = ""

    def _main(self, context):
        signal.alarm(self.entry.timeout)
        signal.signal(signal.SIGALRM, self._too_long)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        verdict, text = "ok", ""
        try:
            if not self.entry.bare:
                net.set_up()
            text = self.entry.function(context) or ""
            bus.check_log()
        except scenario.Skip as reason:
            verdict, text = "skip", str(reason)
        except net.Failure as reason:
            verdict, text = "FAIL", str(reason)
        except Exception as reason:
            verdict = "FAIL"
            text = f"{type(reason).__name__}: {reason}\n{traceback.format_exc()}"
        if verdict == "FAIL":
            self._keep_logs(text)
        with open(self.result, "w", encoding="utf-8") as file:
            file.write(f"{verdict}\n{text}")
        return 0

    def _too_long(self, *_):
        with open("/run/bed/stacks", "w", encoding="utf-8") as file:
            stacks.write(stacks.below(os.getpid()), file)
        raise net.Failure(f"not finished after {self.entry.timeout} s")

    def _keep_logs(self, text):
        with open("/run/bed/processes", "wb") as file:
            subprocess.run(["ps", "-eLo", "pid,tid,stat,wchan:32,etime,args"], stdout=file, check=False)
        shutil.copytree("/run/bed", self.logs, symlinks=True, dirs_exist_ok=True,
                        ignore=lambda folder, names: [
                            name for name in names
                            if not os.path.isdir(f"{folder}/{name}")
                            and not os.path.isfile(f"{folder}/{name}")])
        with open(f"{self.logs}/reason", "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def end_when_stuck(self):
        """What neither ends in its time nor can say so is ended with all of its sandbox."""
        seconds = self.entry.timeout + GRACE_S
        if self.stuck or time.monotonic() - self.started < seconds:
            return
        self.stuck = f"not over after {seconds} s"
        os.makedirs(self.logs, exist_ok=True)
        with open(f"{self.logs}/stacks", "w", encoding="utf-8") as file:
            stacks.write(stacks.below(self.pid), file)
        for first in stacks.children(self.pid):
            os.kill(first, signal.SIGKILL)

    def wait(self):
        os.close(self.ended)
        return os.waitpid(self.pid, 0)[1]

    def verdict(self, status):
        if self.stuck:
            return "FAIL", self.stuck
        try:
            with open(self.result, encoding="utf-8") as file:
                verdict, _, text = file.read().partition("\n")
        except FileNotFoundError:
            verdict, text = "FAIL", f"the scenario died (wait status {status})"
        return verdict, text


def report(running, status, verbose):
    verdict, text = running.verdict(status)
    seconds = time.monotonic() - running.started
    name = running.entry.name
    if verdict == "ok":
        print(f"ok {name} {seconds:.1f} s{': ' if text else ''}{text}", flush=True)
    elif verdict == "skip":
        print(f"skip {name} {text}", flush=True)
    else:
        line = text.splitlines()[0] if text else ""
        print(f"FAIL {name} {text if verbose else line}\n     logs: {running.logs}", flush=True)
    return verdict


def find_next(waiting, beside, jobs):
    """The first one that may run beside those: `jobs` that are busy, and as many that are idle."""
    if any(entry.alone for entry in beside):
        return None
    for entry in waiting:
        if entry.alone:
            return None if beside else entry
        if sum(other.idle == entry.idle for other in beside) < jobs:
            return entry
    return None


def next_ended(active):
    """Waits for one of these that run."""
    while True:
        ready = select.select([running.ended for running in active], [], [], 1)[0]
        for running in active:
            if running.ended in ready:
                return running
            running.end_when_stuck()


def play(entries, context, options, jobs):
    """Keeps `jobs` sandboxes busy; returns the entries per verdict."""
    verdicts = {"ok": [], "FAIL": [], "skip": []}
    # Those that wait for long begin early, so that nobody waits for them in the end.
    waiting, active = sorted(entries, key=lambda entry: (not entry.alone, not entry.idle)), []
    while waiting or active:
        while entry := find_next(waiting, [running.entry for running in active], jobs):
            waiting.remove(entry)
            active.append(Running(entry, context, options.logs))
        running = next_ended(active)
        active.remove(running)
        verdicts[report(running, running.wait(), options.verbose)].append(running.entry)
        if len(verdicts["FAIL"]) == TOO_MANY and waiting and not options.names:
            print(f"After {TOO_MANY} failures {len(waiting)} scenarios were not played.", flush=True)
            waiting = []
    return verdicts


def play_again(entries, context, options):
    """Each by itself."""
    verdicts = {"ok": [], "FAIL": [], "skip": []}
    for entry in entries:
        running = Running(entry, context, options.logs, again=True)
        next_ended([running])
        verdicts[report(running, running.wait(), options.verbose)].append(entry)
    return verdicts


def run_all(entries, context, options):
    """Returns the count per verdict."""
    verdicts = play(entries, context, options, options.jobs)
    if 0 < len(verdicts["FAIL"]) < TOO_MANY and not options.names:
        again = play_again(verdicts["FAIL"], context, options)
        if again["ok"]:
            print("unsteady, well the second time: "
                  + " ".join(entry.name for entry in again["ok"]), flush=True)
        verdicts["ok"] += again["ok"]
        verdicts["FAIL"] = again["FAIL"]
    return {verdict: len(found) for verdict, found in verdicts.items()}


def inside(options):
    """The runner's own sandbox: holds the certificates and, through nesting, every scenario."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scratch = "/run/godwit-bed/scratch"
    os.makedirs(scratch, exist_ok=True)
    context = scenario.Context(pki.Pki("/run/godwit-bed/pki"), options.build, scratch)
    entries = collect(options.suite, options.names)
    if not entries:
        print(f"no scenario matches {' '.join(options.names)}", file=sys.stderr)
        return 2
    context.pki.make_all()
    counts = run_all(entries, context, options)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped", flush=True)
    return 1 if counts["FAIL"] else 0


def main():
    parser = argparse.ArgumentParser(description="Runs the scenarios of the test bed.")
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser.add_argument("--build", default=os.path.join(top, "build"),
                        help="build directory with godwit and godwit-tunnel")
    parser.add_argument("--logs", help="where to keep the logs of failures")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--suite", choices=SUITES, default="testbed")
    parser.add_argument("--list", action="store_true", help="print the names of the scenarios")
    parser.add_argument("-v", dest="verbose", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if options.list:
        for entry in collect(options.suite, options.names):
            print(entry.name)
        return 0
    if os.geteuid() != 0:
        print("The test bed makes network namespaces and needs root.", file=sys.stderr)
        return 77
    options.build = os.path.abspath(options.build)
    options.logs = os.path.abspath(options.logs or os.path.join(options.build, "testbed-logs"))
    sys.dont_write_bytecode = True
    return sandbox.run(lambda: inside(options))


if __name__ == "__main__":
    sys.exit(main())
