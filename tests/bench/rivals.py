# SPDX-License-Identifier: GPL-2.0-or-later
"""Other tunnels in user space, both ends each, with what they take by default."""

import os
import socket
import subprocess

import gateway
import net
import pki
from ends import OTHER, OUTER, Tunnel

WG_PORT = 51820


def _wireguard_keys():
    """Private and public key, hexadecimal."""
    private = subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-outform", "DER"],
                             capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
                            input=private, capture_output=True, check=True).stdout
    return private[-32:].hex(), public[-32:].hex()


class WireGuard(Tunnel):
    """wireguard-go, ChaCha20-Poly1305."""
    name = "wireguard-go"

    def __init__(self, number, program):
        super().__init__(number)
        self.program = program

    def start(self):
        keys = {end: _wireguard_keys() for end in OUTER}
        for end in OUTER:
            other, device = OTHER[end], f"wg-{end}"
            process = net.Process([self.program, "-f", device], namespace=end)
            self.processes[end] = process
            path = f"/var/run/wireguard/{device}.sock"
            net.wait_until(lambda: os.path.exists(path), 10, "control socket of wireguard-go")
            orders = [f"private_key={keys[end][0]}", f"listen_port={WG_PORT}",
                      f"public_key={keys[other][1]}", f"endpoint={OUTER[other]}:{WG_PORT}",
                      "allowed_ip=0.0.0.0/0"]
            self._order(path, orders)
            self.addresses_add(end, device)
            net.batch(end, f"link set {device} up")

    @staticmethod
    def _order(path, lines):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(path)
            control.sendall(("set=1\n" + "\n".join(lines) + "\n\n").encode())
            answer = control.recv(4096).decode()
        net.check("errno=0" in answer, f"wireguard-go answers {answer}")


class StrongSwan(Tunnel):
    """Both ends with the plugin kernel-libipsec, AES-256-GCM as ours."""
    name = "strongSwan"

    def __init__(self, number):
        super().__init__(number)
        self.hosts = {}

    def _connection(self, end):
        other = OTHER[end]
        names = {one: f"{one}.example.org" for one in OUTER}
        return {"local_addrs": OUTER[end], "remote_addrs": OUTER[other],
                "proposals": "aes256gcm16-prfsha256-x25519",
                "local": {"auth": "psk", "id": names[end]},
                "remote": {"auth": "psk", "id": names[other]},
                "children": {"net": {"local_ts": f"{self.address(end)}/32",
                                     "remote_ts": f"{self.address(other)}/32",
                                     "esp_proposals": "aes256gcm16"}}}

    def start(self):
        certificates = pki.Pki("/run/bed/pki")
        for end in OUTER:
            host = gateway.Gateway(certificates, name=f"swan-{end}", namespace=end)
            host.start({"net": self._connection(end)}, pools={})
            net.batch(end, f"addr add {self.address(end)}/32 dev lo")
            self.hosts[end], self.processes[end] = host, host.process
        self.hosts["a"].swanctl("--initiate", "--child", "net", "--timeout", "10")

    def stop(self):
        for host in self.hosts.values():
            host.stop()
