#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Failures of connections under NetworkManager: how each is made to happen, what NetworkManager must
be told, and our words. Run by itself it prints all of them as they were met: one line for each."""

import dataclasses
import os
import re
import sys
from typing import Callable

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bus  # noqa: E402
import gateway  # noqa: E402
import measuring  # noqa: E402
import net  # noqa: E402

LOGIN, CONNECT, CONFIG = "login-failed", "connect-failed", "bad-ip-config"
DROP = """table inet off {
    chain in {
        type filter hook input priority 0; policy drop
        meta l4proto icmpv6 accept
    }
}"""
REJECT = """table inet firewall {
    chain in {
        type filter hook input priority 0
        meta l4proto udp reject with icmpx admin-prohibited
    }
}"""


def edited(**changes):
    """The gateway's usual connection with other values; those of its Child SA with "child_"."""
    def make():
        connection = gateway.default_connection(changes.get("certificate", "gw-ecdsa256"))
        for key, value in changes.items():
            if key.startswith("child_"):
                connection["children"]["net"][key.removeprefix("child_")] = value
            elif key != "certificate":
                connection[key] = value
        return connection
    return make


def firewall(rules):
    return lambda host, manager: net.run("nft", "-f", "-", namespace="gw", input_text=rules)


BABBLER = """
import os, select, socket
held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
for one, port in zip(held, (500, 4500)):
    one.bind(("", port))
print("ready", flush=True)
while True:
    for one in select.select(held, [], [])[0]:
        asked, client = one.recvfrom(65536)
        for answer in (os.urandom(100), asked, asked[:28], asked[:8] + os.urandom(8) + asked[16:]):
            one.sendto(answer, client)
"""


def babble(host, _manager):
    """Who answers is no gateway."""
    host.stop()
    net.Process([sys.executable, "-c", BABBLER], namespace="gw").read_until("^ready", 10)


def without_resolver(_host, _manager):
    bus.write("/etc/resolv.conf", f"nameserver {net.GATEWAY4}\noptions timeout:1 attempts:1\n")


def without_service(_host, _manager):
    os.unlink(f"{bus.SERVICES}/{bus.NAME}.service")
    net.run("busctl", "--system", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
            "org.freedesktop.DBus", "ReloadConfig")


@dataclasses.dataclass
class Failure:
    """`reason`: its name, or a pattern of names; `keys` of the connection; `gateway`: makes the
    gateway's connection; `pools`: its addresses;
    `before`, `after` it was up: what happens to the world, with the gateway and NetworkManager;
    `failure`: what NetworkManager is told ("" = it refuses at once)."""
    reason: str
    failure: str
    words: str
    keys: dict = dataclasses.field(default_factory=dict)
    gateway: Callable = gateway.default_connection
    pools: dict = None
    before: Callable = None
    after: Callable = None


FAILURES = {
    "wrong_password": Failure("auth-failed", LOGIN, "refused the credentials",
                              {"password": "wrong"}),
    "unknown_user": Failure("auth-failed", LOGIN, "refused the credentials", {"user": "mallory"}),
    "unknown_key": Failure("profile", "", 'unknown key "gatway"', {"gatway": "x"}),
    "unknown_name": Failure("resolve", CONNECT, "could not be resolved",
                            {"gateway": "no-such-gateway.example.org"}, before=without_resolver),
    "no_answer": Failure("gateway-unreachable", CONNECT, "does not answer", {"timeout": "3"},
                         before=firewall(DROP)),
    # Whether the host answers TCP may not be known yet.
    "nonsense": Failure("(?:udp-blocked|gateway-unreachable)", CONNECT,
                        "does not (get through|answer)", {"timeout": "3"}, before=babble),
    "gateway_down": Failure("port-unreachable", CONNECT, "Nothing listens",
                            before=lambda host, _: host.stop()),
    "udp_blocked": Failure("udp-blocked", CONNECT, "does not get through",
                           before=firewall(REJECT)),
    "no_common_ike_algorithms": Failure(
        "no-proposal-chosen", CONNECT, "none of the offered algorithms",
        {"ike-proposals": "aes256gcm16-prfsha384-x25519"},
        edited(proposals="aes128-sha256-modp2048")),
    "no_common_esp_algorithms": Failure(
        "no-proposal-chosen", CONNECT, "none of the offered algorithms",
        {"esp-proposals": "aes256gcm16"}, edited(child_esp_proposals="aes128-sha256")),
    "wrong_authority": Failure("gateway-untrusted", CONNECT, "not issued by a trusted authority",
                               {"authority": "other-root"}),
    "expired_certificate": Failure("gateway-expired", CONNECT, "outside its validity dates",
                                   gateway=edited(certificate="gw-expired")),
    "another_name": Failure("gateway-identity-mismatch", CONNECT,
                            "its certificate is for: vpn.example.org", {"gateway": net.HOST4}),
    "other_networks": Failure("ts-unacceptable", CONFIG, "traffic selectors",
                              {"tunnel": "split", "remote-ts": "172.16.0.0/16"},
                              edited(child_local_ts=f"{net.HOST4}/32")),
    "no_address": Failure("address-unavailable", CONFIG, "no internal address",
                          gateway=edited(pools=None)),
    "no_tun_device": Failure("no-tun", CONNECT, "TUN device cannot be opened",
                             before=lambda *_: bus.cover("/dev/net")),
    "no_service": Failure("service-unavailable", CONNECT, "godwitd is not available",
                          before=without_service),
    "gateway_closes": Failure("gateway-closed", CONNECT, "closed the connection",
                              {"reconnect": "no"}, after=lambda host, _: host.terminate()),
    "gateway_dies": Failure("gateway-lost", CONNECT, "stopped answering",
                            {"reconnect": "no", "dpd": "1", "dead-after": "1"},
                            after=lambda host, _: (host.stop(9), net.run(
                                "ping", "-n", "-q", "-c", "1", "-W", "0.1", net.HOST4, ok=False))),
}


def meet(host, manager, add, failure, name="work"):
    """Makes it happen to the connection of that name; (what nmcli says, our line of the log, what
    NetworkManager was told)."""
    if failure.before:
        failure.before(host, manager)
    add(manager, **failure.keys)
    said = manager.nmcli_says("connection", "up", name)
    if failure.after:
        net.check("successfully" in said, f"it does not come up: {said}")
        failure.after(host, manager)
    net.wait_until(lambda: not manager.active_vpns(), 20, "end of the connection")
    log = manager.log()
    lines = re.findall(rf"godwit-WARNING \*\*: [\d:.]+: ({failure.reason}: .*)", log)
    told = re.findall(r"dbus: failure: ([\w-]+)", log)
    return said.strip(), lines[-1] if lines else "", told[-1] if told else ""


def check(met, failure):
    said, line, told = met
    net.check(failure.after or "successfully" not in said, "it is connected")
    net.check(re.search(failure.words, line), f"the log does not say '{failure.words}': {line}")
    net.check(told == failure.failure, f"NetworkManager was told '{told}', not '{failure.failure}'")


def in_sandbox(context, name, failure):
    from scenarios import nm_service
    net.set_up()
    host, manager = nm_service.start(context, connections={"rw": failure.gateway()},
                                     pools=failure.pools)
    met = meet(host, manager, lambda manager, **keys: nm_service.add(manager, context, **keys),
               failure)
    check(met, failure)
    said, line, told = met
    print(f"{name}\n  reason  {line.partition(':')[0]}\n  NetworkManager  {told or 'refused at once'}\n"
          f"  nmcli   {said.splitlines()[0]}\n  log     {line}", flush=True)
    return 0


def of_worker(context):
    """What the worker may say besides: a stand-in says it."""
    from scenarios import nm_config, nm_failures
    net.set_up()
    manager = nm_config.start(context)
    for reason, sentence in nm_failures.reasons().items():
        failure = nm_failures.told(reason, sentence)
        met = meet(None, manager, lambda manager, gateway: manager.add(gateway, gateway), failure,
                   f"down-{reason}")
        check(met, failure)
        print(f"  {reason:26} {met[2]:15} {met[1]}", flush=True)
    return 0


def main():
    parser = measuring.parser("Prints failures as NetworkManager's users see them.")
    options = measuring.options_of(parser)
    code = 0
    for name, failure in FAILURES.items():
        code |= measuring.run(options, in_sandbox, name, failure)
    print("Every reason, as the worker tells it (a stand-in):", flush=True)
    return code | measuring.run(options, of_worker)


if __name__ == "__main__":
    sys.exit(main())
