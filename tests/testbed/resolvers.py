# SPDX-License-Identifier: GPL-2.0-or-later
"""Name servers of a scenario, and what resolves names on the client's host.

    192.168.9.53 on the client's link, which DHCP named: it knows of no tunnel
    10.99.0.1, 2001:db8:99::1 behind the gateway

Every answer is the address of its own, so that it tells who gave it. What leaves the client by its
link for a port of DNS is counted. systemd-resolved and openresolv are not installed: tests/run has
unpacked them to build/unpacked.
"""

import contextlib
import glob
import json
import os
import re
import shutil
import socket

import bus
import net
import sandbox

OUTSIDE, OUTSIDE_SAYS = "192.168.9.53", "203.0.113.9"
INSIDE_SAYS = "10.99.7.7"
DOMAIN = "corp.example.org"
BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"""
COUNT = """table inet dns {
    counter beside { }
    chain in {
        type filter hook prerouting priority -400;
        iifname "gw0" meta l4proto { tcp, udp } th dport { 53, 853 } counter name beside
    }
}"""
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNPACKED = os.path.join(TOP, "build/unpacked")


def serve(namespace, addresses, says):
    """A name server that knows every name."""
    server = net.Process(["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv",
                          "--no-hosts", "--user=root", "--pid-file=", "--bind-interfaces",
                          "--except-interface=lo", "--log-queries", "--log-facility=-",
                          f"--listen-address={','.join(addresses)}", f"--address=/#/{says}", "--local=/#/"],
                         namespace=namespace)
    server.read_until("started", 10)
    return server


class Names:
    """The servers on both sides, and the count of what goes to the wrong one."""

    def __init__(self):
        # Private addresses: those that a full tunnel leaves to the link.
        net.batch("gw", f"addr add {OUTSIDE}/24 dev gw0")
        net.batch(None, "addr add 192.168.9.2/24 dev cl0")
        point_to(OUTSIDE)
        net.run("nft", "-f", "-", namespace="gw", input_text=COUNT)
        self.outside = serve("gw", [OUTSIDE], OUTSIDE_SAYS)
        self.inside = serve("gw", [net.HOST4, net.HOST6], INSIDE_SAYS)

    def beside(self):
        """Packets so far that left the client for a name server beside the tunnel."""
        listing = json.loads(net.run("nft", "-j", "list", "counters", namespace="gw"))
        return sum(item["counter"]["packets"] for item in listing["nftables"] if "counter" in item)

    @contextlib.contextmanager
    def nothing_beside(self):
        before = self.beside()
        yield
        leaked = self.beside() - before
        net.check(leaked == 0, f"{leaked} packets went to a name server beside the tunnel")


def ask(name):
    """What a program gets; "" = nothing."""
    found = re.findall(r"^(\S+)\s+STREAM", net.run("getent", "ahostsv4", name, ok=False), re.M)
    return found[0] if found else ""


def expect(name, says):
    answer = ask(name)
    net.check(answer == says, f"{name} is {answer or 'unknown'}, not {says}")


def send_question(name, server):
    """A program asks a server of its own choice and does not wait; whether it could send."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        try:
            asker.sendto(bytes.fromhex("471101000001000000000000") + labels +
                         bytes.fromhex("0000010001"), (server, 53))
            return True
        except OSError:
            return False


def refused():
    """Packets that our firewall has refused so far."""
    listing = net.run("nft", "list", "chain", "inet", "godwit", "refused")
    return int(re.search(r"packets (\d+)", listing)[1])


def wait_for(name, says, timeout=10):
    net.wait_until(lambda: ask(name) == says, timeout, f"answer {says} for {name}")


def point_to(*servers):
    """/etc/resolv.conf as a program writes it that knows only of the link: replaced at once."""
    with open("/etc/resolv.conf.new", "w", encoding="ascii") as file:
        file.writelines(f"nameserver {server}\n" for server in servers)
        file.write("options timeout:1 attempts:2\n")
    os.replace("/etc/resolv.conf.new", "/etc/resolv.conf")


def resolv_conf():
    with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
        return file.read()


# ---- the system bus ----

def start_bus():
    os.makedirs("/run/dbus", exist_ok=True)
    sandbox.mount("tmpfs", "/run/dbus", "tmpfs", 0, "mode=755")
    with open("/run/bed/bus.conf", "w", encoding="ascii") as file:
        file.write(BUS)
    bus = net.Process(["dbus-daemon", "--config-file", "/run/bed/bus.conf", "--nofork",
                       "--print-address"])
    bus.read_until("unix:", 10)
    return bus


def wait_name(name):
    net.run("gdbus", "wait", "--system", "--timeout", "20", name)


# ---- systemd-resolved ----

def unpacked(package, pattern):
    found = glob.glob(os.path.join(UNPACKED, package, pattern), recursive=True)
    net.check(found, f"{package} is not unpacked below {UNPACKED}: `tests/run testbed` does it")
    return found[0]


class Resolved:
    """systemd-resolved as on a desktop: /etc/resolv.conf leads to its stub, DHCP has named a server
    for the link. `own_bus`: there is none yet, and no NetworkManager that tells it of DHCP."""

    def __init__(self, own_bus=True):
        self.libraries = os.path.dirname(unpacked("libsystemd-shared", "**/libsystemd-shared-*.so"))
        for path, line in (("/etc/passwd", "systemd-resolve:x:992:992::/:/usr/sbin/nologin\n"),
                           ("/etc/group", "systemd-resolve:x:992:\n")):
            with open(path, encoding="utf-8") as file:
                known = "systemd-resolve:" in file.read()
            if not known:
                with open(path, "a", encoding="utf-8") as file:
                    file.write(line)
        os.makedirs("/run/systemd/resolve", exist_ok=True)
        sandbox.mount("tmpfs", "/run/systemd/resolve", "tmpfs", 0, "mode=755")
        shutil.chown("/run/systemd/resolve", "systemd-resolve", "systemd-resolve")
        if own_bus:
            start_bus()
        else:
            bus.reload()  # it did not know the user
        self.process = None
        self.start()
        if own_bus:
            self.ctl("dns", "cl0", OUTSIDE)
            self.ctl("domain", "cl0", "home.example")
        if os.path.lexists("/etc/resolv.conf"):
            os.unlink("/etc/resolv.conf")
        os.symlink("../run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf")

    def start(self):
        self.process = net.Process([unpacked("systemd-resolved", "**/systemd/systemd-resolved")],
                                   env={"LD_LIBRARY_PATH": self.libraries,
                                        "SYSTEMD_LOG_LEVEL": "info"})
        wait_name("org.freedesktop.resolve1")

    def ctl(self, *arguments):
        return net.run(unpacked("systemd-resolved", "**/bin/resolvectl"), *arguments,
                       env={"LD_LIBRARY_PATH": self.libraries})


def start_refusing_resolved():
    """Something that has its name, to which resolv.conf leads, and knows none of its methods."""
    start_bus()
    refuser = net.Process(["/usr/bin/python3", "-c", "from gi.repository import Gio, GLib\n"
                           "Gio.bus_own_name(Gio.BusType.SYSTEM, 'org.freedesktop.resolve1', 0)\n"
                           "GLib.MainLoop().run()\n"])
    wait_name("org.freedesktop.resolve1")
    point_to("127.0.0.53")
    return refuser


# ---- openresolv ----

def install_openresolv():
    """Where it belongs, by mounts that only this sandbox sees; DHCP has named a server."""
    program, library = (os.path.dirname(unpacked("openresolv", pattern))
                        for pattern in ("**/sbin/resolvconf", "**/lib/resolvconf"))
    sandbox.mount("overlay", "/usr/sbin", "overlay", 0, f"lowerdir={program}:/usr/sbin")
    sandbox.mount("overlay", "/usr/lib", "overlay", 0, f"lowerdir={library}:/usr/lib")
    os.makedirs("/run/resolvconf", exist_ok=True)
    sandbox.mount("tmpfs", "/run/resolvconf", "tmpfs", 0, "mode=755")
    os.unlink("/etc/resolv.conf")
    dhcp(OUTSIDE)


def dhcp(*servers):
    """What a DHCP client does with the servers of a lease where there is openresolv."""
    net.run("resolvconf", "-a", "cl0", "-m", "100",
            input_text="".join(f"nameserver {server}\n" for server in servers))


# ---- NetworkManager's dnsmasq ----

class Dnsmasq:
    """As NetworkManager starts it, and what of NetworkManager has to do with it (fake_networkmanager.py)."""

    def __init__(self):
        start_bus()
        self.process = None
        self.start()
        self.manager = net.Process(["/usr/bin/python3", os.path.join(TOP, "tests/testbed/fake_networkmanager.py"),
                                    OUTSIDE])
        self.manager.read_until("^ready", 20)
        point_to("127.0.0.1")

    def start(self):
        self.process = net.Process(
            ["dnsmasq", "--no-resolv", "--keep-in-foreground", "--no-hosts", "--bind-interfaces",
             "--pid-file=", "--listen-address=127.0.0.1", "--cache-size=0", "--user=root",
             "--conf-file=/dev/null", "--log-facility=-", "--log-queries",
             "--enable-dbus=org.freedesktop.NetworkManager.dnsmasq"])
        wait_name("org.freedesktop.NetworkManager.dnsmasq")

    def renew(self, *servers):
        """DHCP has named other servers."""
        self.manager.output = ""
        net.run("gdbus", "call", "--system", "--dest", "org.freedesktop.NetworkManager",
                "--object-path", "/org/freedesktop/NetworkManager", "--method",
                "org.example.Test.Renew", str(list(servers)))
