# SPDX-License-Identifier: GPL-2.0-or-later
"""A laptop with uplinks that come and go, each with a router of its own, and the gateway far away.

    laptop wifi0 ---- lan r1 wan ----(cable with a delay)---- up1
           eth0  ---- lan r2 wan -- lan c2 wan ------------- up2  internet  gw ---- gw0 gateway
           wwan0 ---- lan r3 wan -------------------------- up3

The laptop is the sandbox's own namespace. c2: the second translator of a double NAT.
"""

import dataclasses
import ipaddress
import json
import os
import re
import subprocess
import time

import net

FORWARDING = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
# Set by hand, the link-local address is there at once; neighbour discovery needs it.
ROUTER6, LAPTOP6 = "fe80::1", "fe80::2"
GATEWAY4_OTHER = "192.0.2.3"
# The laptop's addresses in its networks.
HOSTS = (2, 3, 4, 5)
# What NetworkManager gives to the routes of a device by its kind.
METRICS = {"eth": 100, "wifi": 600, "wwan": 700}
GATEWAY_ADDRESSES = (net.GATEWAY4, GATEWAY4_OTHER, net.GATEWAY6)

# Nothing comes in that nobody asked for, as at every home router.
GUARD = """table inet guard {
    chain in { type filter hook input priority 0; iifname "wan" meta l4proto udp drop; }
    chain through { type filter hook forward priority 0; iifname "wan" ct state new drop; }
}"""

# What must never be seen outside of the tunnel, and whatever else is not IKE or ESP in UDP.
WATCH = """table inet watch {
    counter leaked { }
    counter seen { }
    set inside4 { type ipv4_addr; flags interval;
                  elements = { 10.77.0.0/24, 10.99.0.0/16, 198.51.100.0/24 } }
    set inside6 { type ipv6_addr; flags interval;
                  elements = { 2001:db8:77::/112, 2001:db8:99::/48, 2001:db8:51::/48 } }
    chain from_laptop {
        type filter hook prerouting priority -400;
        iifname "lan" counter name seen
        iifname "lan" ip saddr @inside4 counter name leaked
        iifname "lan" ip daddr @inside4 counter name leaked
        iifname "lan" ip6 saddr @inside6 counter name leaked
        iifname "lan" ip6 daddr @inside6 counter name leaked
    }
}"""

NO_ICMP = """table inet silent {
    chain out { type filter hook output priority 0;
                icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }
}"""


def nft(namespace, rules):
    net.run("nft", "-f", "-", namespace=namespace, input_text=rules)


def wait_for_addresses():
    """Nothing comes to a new address of IPv6 before a worker of the kernel has had the lock for which
    everybody waits who changes a network, and be it one of another namespace."""
    net.wait_until(lambda: not net.run("ip", "-6", "addr", "show", "tentative"), 10,
                   "addresses that can be used")


@dataclasses.dataclass
class Kind:
    """What an uplink is like. `nat`: how many routers translate IPv4; IPv6 never is, but with `nat`
    nothing unasked comes in either. `mtu`: between its router and the internet, `silent` without a
    word when a packet is too large. `udp`: "pass", "drop" or "reject". `delay`: milliseconds each
    way. `like`: has the same IPv4 addresses as the uplink of that name, as private networks do."""
    device: str
    families: str = "46"
    nat: int = 1
    mtu: int = 1500
    silent: bool = False
    udp: str = "pass"
    delay: float = 0
    metric: int = 0
    like: str = ""


class Uplink:
    """One of the laptop's; made by Laptop."""

    def __init__(self, kind, number, lan_number, build):
        self.kind, self.number, self.device = kind, number, kind.device
        self.router, self.edge = f"r{number}", f"c{number}" if kind.nat > 1 else f"r{number}"
        # The second device of a kind gets the next number, and so on.
        self.metric = kind.metric or METRICS[re.match("[a-z]+", kind.device)[0]] + number
        if kind.nat:
            self.lan4 = ipaddress.ip_network(f"192.168.{lan_number}.0/24")
        else:
            self.lan4 = ipaddress.ip_network(f"203.0.113.{16 * lan_number}/28")
        self.lan6 = ipaddress.ip_network(f"2001:db8:2{number:02}::/64")
        self.router_mac, self.mac = (f"02:00:00:00:{number:02}:{end}" for end in ("0a", "0b"))
        self.host = HOSTS[0]
        self.ports = 20000
        self.cable = None
        self._build(build)

    # ---- addresses ----

    @property
    def address4(self):
        return str(self.lan4[self.host])

    @property
    def address6(self):
        return str(self.lan6[self.host])

    def outside4(self, other=False):
        """Where the gateway sees this uplink's IPv4."""
        return f"198.18.{self.number}.{3 if other else 2}" if self.kind.nat else self.address4

    def outside(self):
        """Every address that the gateway may see this uplink's traffic come from."""
        four = [self.outside4(), self.outside4(other=True)] if "4" in self.kind.families else []
        return four + ([self.address6] if "6" in self.kind.families else [])

    # ---- the network behind it ----

    def _build(self, build):
        number, kind = self.number, self.kind
        namespaces = sorted({self.router, self.edge}, reverse=True)
        for namespace in namespaces:
            net.run("ip", "netns", "add", namespace)
            net.run("sysctl", "-q", "-w", *FORWARDING, *net.NO_DAD, namespace=namespace)
        net.batch(None, f"link add {self.device} type veth peer name lan netns {self.router}",
                  f"link set {self.device} addrgenmode none address {self.mac}")
        net.batch(self.router, "link set lo up", f"link set lan address {self.router_mac}",
                  f"addr add {self.lan4[1]}/{self.lan4.prefixlen} dev lan",
                  f"addr add {self.lan6[1]}/64 dev lan nodad",
                  f"addr add {ROUTER6}/64 dev lan nodad", "link set lan up")
        if kind.nat > 1:
            self._chain_routers()
        self._connect(build)
        if kind.nat:
            for namespace in namespaces:
                self._translate(namespace, "masquerade")
                nft(namespace, GUARD)
        nft(self.router, WATCH)
        self.set_udp(kind.udp)
        if kind.silent:
            # The internet's side cannot be told from that of the other uplinks: all are silent.
            nft("internet", "table inet silent { }\ndelete table inet silent\n" + NO_ICMP)
            nft(self.edge, NO_ICMP)
        if "4" not in kind.families:
            net.batch(self.edge, f"route del default via 198.18.{number}.1")

    def _chain_routers(self):
        number = self.number
        net.batch(self.router, f"link add wan type veth peer name lan netns {self.edge}",
                  f"addr add 100.64.{number}.2/24 dev wan",
                  f"addr add 2001:db8:e{number:02}::2/64 dev wan nodad",
                  "addr add fe80::2/64 dev wan nodad", "link set wan up")
        net.batch(self.edge, "link set lo up", f"addr add 100.64.{number}.1/24 dev lan",
                  f"addr add 2001:db8:e{number:02}::1/64 dev lan nodad",
                  f"addr add {ROUTER6}/64 dev lan nodad", "link set lan up",
                  f"route add {self.lan6} via 2001:db8:e{number:02}::2")
        net.batch(self.router, f"route add default via 100.64.{number}.1",
                  f"route add default via 2001:db8:e{number:02}::1")

    def _connect(self, build):
        number, mtu = self.number, self.kind.mtu
        if self.kind.delay:
            program = os.path.join(build, "tests/testbed/cable")
            self.cable = net.Process([program, self.edge, "wan", "internet", f"up{number}"],
                                     stdin=subprocess.PIPE)
            self.cable.read_until("^ready", 10)
            self.weather()
        else:
            net.batch(self.edge, f"link add wan type veth peer name up{number} netns internet")
        wan6 = f"2001:db8:f{number:02}"
        # Routers that have been there for long do not have to ask for each other's address.
        macs = {end: f"02:00:00:00:{number:02}:{end}" for end in ("01", "02")}
        net.batch(self.edge, f"link set wan address {macs['02']}", f"link set wan mtu {mtu} up",
                  f"addr add 198.18.{number}.2/24 dev wan", f"addr add 198.18.{number}.3/24 dev wan",
                  f"addr add {wan6}::2/64 dev wan nodad", "addr add fe80::2/64 dev wan nodad",
                  f"route add default via 198.18.{number}.1", f"route add default via {wan6}::1",
                  *(f"neigh replace {address} lladdr {macs['01']} dev wan nud permanent"
                    for address in (f"198.18.{number}.1", f"{wan6}::1")))
        net.batch("internet", f"link set up{number} address {macs['01']}",
                  f"link set up{number} mtu {mtu} up",
                  f"addr add 198.18.{number}.1/24 dev up{number}",
                  f"addr add {wan6}::1/64 dev up{number} nodad",
                  f"addr add {ROUTER6}/64 dev up{number} nodad",
                  f"route add {self.lan6} via {wan6}::2",
                  *(f"neigh replace {address} lladdr {macs['02']} dev up{number} nud permanent"
                    for address in (f"198.18.{number}.2", f"198.18.{number}.3", f"{wan6}::2")))
        if not self.kind.nat:
            net.batch("internet", f"route add {self.lan4} via 198.18.{number}.2")

    def _translate(self, namespace, udp):
        nft(namespace, f"""table ip nat {{
            chain out {{ type nat hook postrouting priority 100; }}
        }}
        flush chain ip nat out
        add rule ip nat out oifname "wan" ip protocol udp {udp}
        add rule ip nat out oifname "wan" masquerade
        """)

    # ---- what happens to it; lines for ip(8) in the laptop ----

    def there(self):
        """As NetworkManager does it when the network is configured."""
        dev, metric = self.device, self.metric
        lines = []
        if "4" in self.kind.families:
            source = self.address4
            lines += [f"addr add {source}/{self.lan4.prefixlen} dev {dev} noprefixroute",
                      f"route add {self.lan4} dev {dev} proto kernel scope link src {source} "
                      f"metric {metric}",
                      f"route add default via {self.lan4[1]} dev {dev} proto dhcp src {source} "
                      f"metric {metric}"]
        if "6" in self.kind.families:
            # The router's advertisement has also told where it is.
            lines += [f"neigh replace {ROUTER6} lladdr {self.router_mac} dev {dev} nud stale",
                      f"addr replace {LAPTOP6}/64 dev {dev} nodad",
                      f"addr add {self.address6}/64 dev {dev} noprefixroute",
                      f"route add {self.lan6} dev {dev} proto ra metric {metric}",
                      f"route add default via {ROUTER6} dev {dev} proto ra metric {metric}"]
        return lines

    def left(self):
        """The addresses and routes alone; IPv4 routes go with their address."""
        lines = [f"addr flush dev {self.device} scope global"]
        if "6" in self.kind.families:
            lines += [f"route del {self.lan6} dev {self.device}",
                      f"route del default via {ROUTER6} dev {self.device}"]
        return lines

    def gone(self):
        """As NetworkManager does it when the network is left."""
        return [f"addr flush dev {self.device}", f"link set {self.device} down"]

    def associate(self):
        """The link alone, as a cable or a Wi-Fi is up before DHCP begins; at both ends."""
        # DHCP and duplicate address detection tell the router of its neighbour.
        net.batch(self.router, "link set lan up",
                  *(f"neigh replace {network[host]} lladdr {self.mac} dev lan nud permanent"
                    for network in (self.lan4, self.lan6) for host in HOSTS))
        net.batch(None, f"link set {self.device} up")
        for namespace, device in ((None, self.device), (self.router, "lan")):
            net.wait_until(lambda: "state UP" in net.run("ip", "link", "show", device,
                                                         namespace=namespace),
                           5, f"carrier of {device}")

    def plug(self):
        self.associate()
        net.batch(None, *self.there())
        wait_for_addresses()

    def unplug(self):
        """Left in order: addresses, routes, link."""
        net.batch(None, *self.gone())

    def pull(self):
        """The cable alone: no carrier, addresses and routes stay until somebody removes them."""
        net.batch(self.router, "link set lan down")

    def renumbered(self):
        """Another address of the same network: the old one goes first."""
        lines = self.left()
        self.host = HOSTS[(HOSTS.index(self.host) + 1) % len(HOSTS)]
        return [*lines, *self.there()]

    # ---- what happens behind it ----

    def rebind(self, address=False):
        """Its NAT forgets everything; what comes next leaves by another port, with `address` also
        by another address. Returns when that was."""
        self.ports += 1000
        where = self.outside4(address)
        self._translate(self.edge, f"snat to {where}:{self.ports}-{self.ports + 999}")
        return self.forget()

    def forget(self):
        """Every router on the way loses its state. Returns when that was."""
        for namespace in {self.router, self.edge}:
            net.run("conntrack", "-F", namespace=namespace)
        return time.monotonic()

    def set_udp(self, how):
        """"pass", "drop" or "reject" (with ICMP, as firewalls do)."""
        verdict = {"pass": "accept", "drop": "drop",
                   "reject": "reject with icmpx type admin-prohibited"}[how]
        nft(self.router, f"""table inet block {{
            chain through {{ type filter hook forward priority 10; }}
        }}
        flush chain inet block through
        add rule inet block through meta l4proto udp {verdict}
        """)

    def cut(self, off=True):
        """The internet behind the router goes away, without a word, while the link stays. Returns
        when."""
        nft("internet", f"table inet cut{self.number} {{ }}\ndelete table inet cut{self.number}\n")
        if off:
            nft("internet", f"""table inet cut{self.number} {{ chain through {{
                type filter hook forward priority -10;
                iifname "up{self.number}" drop; oifname "up{self.number}" drop
            }}
            }}""")
        return time.monotonic()

    def weather(self, delay=None, jitter=0, loss=0, duplicates=0):
        """Of the cable: milliseconds, milliseconds, and thousandths of all frames."""
        delay = self.kind.delay if delay is None else delay
        self.cable.popen.stdin.write(
            f"{delay * 1000:.0f} {jitter * 1000:.0f} {loss} {duplicates}\n".encode())
        self.cable.popen.stdin.flush()

    def seen(self):
        """Packets from the laptop so far: (all, those that belong into the tunnel)."""
        listing = json.loads(net.run("nft", "-j", "list", "counters", namespace=self.router))
        found = {item["counter"]["name"]: item["counter"]["packets"]
                 for item in listing["nftables"] if "counter" in item}
        return found["seen"], found["leaked"]


class Laptop:
    """The whole network; `kinds` in the order of the numbers. Nothing is plugged in yet."""

    def __init__(self, context, *kinds):
        net.run("ip", "netns", "add", "internet")
        net.start_gateway("internet", "gw")
        net.batch("gw", f"addr add {GATEWAY4_OTHER}/24 dev gw0",
                  "route add default via 192.0.2.254",
                  f"route add default via {ROUTER6} dev gw0")
        net.run("sysctl", "-q", "-w", *FORWARDING, namespace="internet")
        net.batch("internet", "addr add 192.0.2.254/24 dev gw",
                  "addr add 2001:db8:1::fe/64 dev gw nodad", f"addr add {ROUTER6}/64 dev gw nodad",
                  "link set gw up")
        net.batch(None, "link set lo up")
        net.name_the_gateway(net.GATEWAY6)
        # TCP asks again within a second once the path is back, so that no scenario waits for it, and
        # as often as its usual patience of a quarter of an hour needs then.
        for namespace in (None, "gw"):
            net.run("sysctl", "-q", "-w", "net.ipv4.tcp_rto_max_ms=1000", "net.ipv4.tcp_retries2=255",
                    *net.NO_DAD, namespace=namespace)
        numbers = {kind.device: number for number, kind in enumerate(kinds, 1)}
        self.uplinks = {kind.device: Uplink(kind, numbers[kind.device],
                                            numbers[kind.like or kind.device], context.build)
                        for kind in kinds}
        self._ip = None

    def __getitem__(self, device):
        return self.uplinks[device]

    def prepare(self):
        """Starts the ip(8) of the next change, so that its start costs no time then."""
        if not self._ip:
            self._ip = subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def change(self, *lines):
        """All in one moment; returns when that was (time.monotonic())."""
        self.prepare()
        moment = time.monotonic()
        _, errors = self._ip.communicate("\n".join(lines) + "\n")
        net.check(self._ip.returncode == 0, f"ip: {errors.strip()}")
        self._ip = None
        wait_for_addresses()
        return moment

    def move(self, source, target):
        """One address is gone, the other is up; returns when."""
        self[target].associate()
        return self.change(*self[source].gone(), *self[target].there())

    def arrive(self, target):
        """The only address is up; returns when."""
        self[target].associate()
        return self.change(*self[target].there())

    def leaked(self):
        """Packets that went out beside the tunnel."""
        return sum(uplink.seen()[1] for uplink in self.uplinks.values())

    def silence(self, *addresses):
        """These addresses of the gateway do not answer any more (none: all do). Returns when."""
        nft("internet", "table inet dead { }\ndelete table inet dead\n")
        families = {"ip": [a for a in addresses if ":" not in a],
                    "ip6": [a for a in addresses if ":" in a]}
        rules = "".join(f"{family} {end} {{ {', '.join(dead)} }} drop\n"
                        for family, dead in families.items() if dead for end in ("daddr", "saddr"))
        nft("internet", "table inet dead { chain through { type filter hook forward priority 0;\n"
            f"{rules} }}\n}}")
        return time.monotonic()
