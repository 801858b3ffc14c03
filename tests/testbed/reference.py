# SPDX-License-Identifier: GPL-2.0-or-later
"""charon-cmd, the reference client: proves that the bed works, and is what we compare with."""

import signal
import subprocess

import gateway
import net

CONFIG = "/run/bed/charon-cmd.conf"


def start(pki, user="alice", password=None, host="vpn.example.org", remote_ts=("0.0.0.0/0",),
          extra=(), type_password=True):
    """Starts charon-cmd with EAP; returns its process. Without `type_password` it stays half open,
    waiting for one."""
    plugins = " ".join(name for name in gateway.PLUGINS.split() if name != "vici")
    with open(CONFIG, "w", encoding="ascii") as file:
        file.write(gateway.render({"charon-cmd": {
            "load": plugins, "plugins": {"kernel-libipsec": {"load": "yes"}}}}))
    command = ["charon-cmd", "--host", host, "--profile", "ikev2-eap",
               "--identity", user, "--remote-identity", "vpn.example.org",
               "--cert", pki.certificate("root")]
    for selector in remote_ts:
        command += ["--remote-ts", selector]
    command += extra
    # What stdbuf(1) does, without its start-up time: lines appear when they are written.
    unbuffered = {"LD_PRELOAD": "/usr/libexec/coreutils/libstdbuf.so", "_STDBUF_O": "L"}
    process = net.Process(command, env={"STRONGSWAN_CONF": CONFIG, **unbuffered},
                          stdin=subprocess.PIPE)
    if type_password:
        password = gateway.USERS[user] if password is None else password
        process.popen.stdin.write(f"{password}\n".encode())
        process.popen.stdin.flush()
    return process


def connect(pki, **options):
    process = start(pki, **options)
    process.read_until(r"CHILD_SA cmd\S* established", 10)
    return process


def disconnect(process):
    process.signal(signal.SIGINT)
    net.check(process.wait(10) == 0, "charon-cmd did not end with exit code 0")


def end(process, patience=3):
    """Ends it for a measurement: once in some dozen runs it does not end by itself, of which its figures
    know nothing."""
    process.signal(signal.SIGINT)
    try:
        process.wait(patience)
    except net.Failure:
        process.kill()


def connect_only(pki):
    """The part of a connection before the password: an IKE SA that stays half open."""
    process = start(pki, type_password=False)
    process.read_until("EAP_MSCHAPV2 authentication", 10)
    return process
