# SPDX-License-Identifier: GPL-2.0-or-later
"""What processes are doing: for the log of a test that hangs."""

import contextlib
import os
import subprocess
import time

WRITE_S = 30  # for all processes together: what hangs is ended soon after


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, which may hold anything: the first is the state."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def age(pid):
    """Seconds since the process began; 0 when it is gone."""
    with contextlib.suppress(OSError), open("/proc/uptime", encoding="utf-8") as file:
        return float(file.read().split()[0]) - int(_stat(pid)[19]) / os.sysconf("SC_CLK_TCK")
    return 0


def _families():
    """The children of every process that has some."""
    families = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            families.setdefault(int(_stat(name)[1]), []).append(int(name))
    return families


def children(pid):
    return _families().get(pid, [])


def below(pid):
    """The processes that come from this one, parents first."""
    families = _families()
    found = list(families.get(pid, ()))
    for one in found:
        found += families.get(one, ())
    return found


def write(pids, file):
    """Every thread of these processes, and where it is in the program (eu-stack of elfutils)."""
    until = time.monotonic() + WRITE_S
    threads = ["ps", "-Lo", "pid,tid,stat,wchan:32,etime,cputime,args"]
    for command in ([*threads, "-p", ",".join(map(str, pids))],
                    *(["eu-stack", "-p", str(pid)] for pid in pids)):
        left = until - time.monotonic()
        if left <= 0:
            print(f"no time for {' '.join(command)} and what follows", file=file, flush=True)
            return
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, timeout=min(left, WRITE_S / 2),
                           check=False)
