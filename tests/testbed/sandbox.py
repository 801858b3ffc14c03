# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a function where it cannot leave anything behind.

A sandbox is a process tree with PID, mount and network namespaces of its own, a private /run and a
private /etc, and when it wants a place in the hierarchy of control groups. When its first process ends, for whatever reason, the kernel kills every other
process in it and drops its namespaces with their links, routes, mounts and files: no clean-up code
has to run, so SIGKILL and crashes leave as little behind as success does.
"""

import contextlib
import ctypes
import errno
import os
import signal
import sys
import traceback

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_RDONLY = 0x1
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    _check(libc.unshare(flags), "unshare")


def setns(fd, kind=0):
    _check(libc.setns(fd, kind), "setns")


def mount(source, target, kind=None, flags=0, data=None):
    def encode(text):
        return None if text is None else os.fsencode(text)

    _check(libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags),
                      encode(data)), f"mount {target}")


CGROUPS = "/sys/fs/cgroup"
# Below CGROUPS, of everything in this sandbox: the hierarchy is one for the whole machine.
_groups = None


def mount_groups():
    """Control groups of version 2 where systems have them; returns the name of the one below which
    the sandbox may make others. They go with it."""
    mount("cgroup2", CGROUPS, "cgroup2")
    os.mkdir(f"{CGROUPS}/{_groups}")
    return _groups


def _remove_groups():
    for folder, _, _ in os.walk(f"{CGROUPS}/{_groups}", topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _stop_propagation():
    """Makes every mount of this namespace private. Inside a chroot "/" may be no mount point: then
    entering our own mount namespace anew leads out of it, and the chroot's folder becomes "/"."""
    try:
        mount("none", "/", None, MS_REC | MS_PRIVATE)
        return
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    folder = os.getcwd()
    root = os.open("/", os.O_PATH)
    with open("/proc/self/ns/mnt", "rb") as namespace:
        setns(namespace.fileno(), CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    os.fchdir(root)
    os.close(root)
    mount(".", ".", None, MS_BIND | MS_REC)
    os.chdir(os.getcwd())
    mount(".", "/", None, MS_MOVE)
    os.chroot(".")
    os.chdir(folder)


def _private_mounts():
    _stop_propagation()
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    # What the caller keeps below /run must stay visible in nested sandboxes, so only the
    # outermost one covers it.
    if not os.path.isdir("/run/godwit-bed"):
        mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
        os.mkdir("/run/godwit-bed")
    os.makedirs("/run/godwit-bed/layers", exist_ok=True)
    layer = f"/run/godwit-bed/layers/{os.urandom(8).hex()}"
    os.mkdir(layer)
    mount("tmpfs", layer, "tmpfs", 0, "mode=755")
    os.mkdir(f"{layer}/netns")
    os.mkdir(f"{layer}/state")
    for directory in ("/run/netns", "/run/godwit", "/run/bed"):
        os.makedirs(directory, exist_ok=True)
    mount(f"{layer}/netns", "/run/netns", None, MS_BIND)
    mount(f"{layer}/state", "/run/bed", None, MS_BIND)
    mount("tmpfs", "/run/godwit", "tmpfs", 0, "mode=755")
    os.mkdir(f"{layer}/etc")
    os.mkdir(f"{layer}/etc-work")
    # A copy-on-write /etc: programs may rename files over /etc/resolv.conf, which a bind mount
    # of that one file would not allow.
    mount("overlay", "/etc", "overlay", 0,
          f"lowerdir=/etc,upperdir={layer}/etc,workdir={layer}/etc-work")


def _as_first_process(main):
    """Runs as PID 1 of the sandbox: starts `main`, reaps orphans, ends when `main` ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _private_mounts()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        exit_with(main)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        pid, status = os.wait()
        if pid == child:
            return _exit_code(status)


def _exit_code(status):
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def exit_with(function):
    """The end of a forked process."""
    code = 70
    try:
        code = function() or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        code = 130
    except BaseException:  # the last line of defence of a forked process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _supervise(main):
    global _groups
    _groups = f"godwit-bed-{os.urandom(8).hex()}"
    die_with_parent()
    unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET)
    child = os.fork()
    if child == 0:
        die_with_parent()
        exit_with(lambda: _as_first_process(main))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    code = _exit_code(os.waitpid(child, 0)[1])
    _remove_groups()
    return code


def start(main):
    """Starts `main` in a new sandbox. Returns the PID to wait for; killing it ends the sandbox."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        exit_with(lambda: _supervise(main))
    return pid


def run(main):
    """Runs `main` in a new sandbox and returns its exit code. Ctrl-C and SIGTERM reach `main`."""
    pid = start(main)
    before = {number: signal.signal(number, handler) for number, handler in (
        (signal.SIGINT, signal.SIG_IGN),
        (signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM)),
        (signal.SIGHUP, lambda *_: os.kill(pid, signal.SIGTERM)))}
    try:
        return _exit_code(os.waitpid(pid, 0)[1])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
