# SPDX-License-Identifier: GPL-2.0-or-later
"""strongSwan as the gateway of a scenario: configuration, start, what it says afterwards."""

import os
import re
import signal

import net
from pki import GATEWAY_NAME

USERS = {"alice": "Pa$$w0rd für Alice", "bob": "hunter2"}
PSK = "a shared secret of some length"
PLUGINS = ("openssl aesni random nonce x509 revocation constraints pubkey pkcs1 pkcs7 pkcs8 pem "
           "aes sha1 sha2 hmac kdf cmac ctr ccm gcm mgf1 curve25519 attr kernel-libipsec "
           "kernel-netlink socket-default vici eap-identity eap-mschapv2 eap-md5 eap-gtc")
ADDRESSES4, ADDRESSES6 = "10.77.0.0/24", "2001:db8:77::/112"


def render(tree, depth=0):
    """strongSwan's configuration syntax; its parser wants braces on lines of their own."""
    pad = "    " * depth
    lines = []
    for key, value in tree.items():
        if isinstance(value, dict):
            lines += [f"{pad}{key}", pad + "{", render(value, depth + 1).rstrip("\n"), pad + "}"]
        elif value is not None:
            lines.append(f"{pad}{key} = {value}")
    return "\n".join(line for line in lines if line) + "\n"


def default_connection(certificate="gw-ecdsa256"):
    """EAP-MSCHAPv2, addresses of both families, a full tunnel. Scenarios edit the result."""
    return {
        "local_addrs": "%any",
        "send_cert": "always",
        "pools": "pool4, pool6",
        "local": {"auth": "pubkey", "certs": f"{certificate}.pem", "id": GATEWAY_NAME},
        "remote": {"auth": "eap-mschapv2", "eap_id": "%any", "id": "%any"},
        "children": {"net": {"local_ts": "0.0.0.0/0, ::/0", "mode": "tunnel"}},
    }


def certificate_connection(certificate="gw-ecdsa256"):
    connection = default_connection(certificate)
    connection["remote"] = {"auth": "pubkey", "cacerts": "root.pem", "id": "%any"}
    return connection


def psk_connection():
    connection = default_connection()
    connection["local"] = {"auth": "psk", "id": GATEWAY_NAME}
    connection["remote"] = {"auth": "psk", "id": "%any"}
    return connection


def default_pools():
    return {"pool4": {"addrs": ADDRESSES4, "dns": net.HOST4},
            "pool6": {"addrs": ADDRESSES6, "dns": net.HOST6}}


class Gateway:
    """One strongSwan in a namespace. Its files are in /run/bed/NAME."""

    def __init__(self, pki, name="gateway", namespace="gw"):
        self.pki = pki
        self.namespace = namespace
        self.directory = f"/run/bed/{name}"
        self.log_path = f"{self.directory}/charon.log"
        self.vici = f"unix://{self.directory}/vici"
        self.process = None
        self.environment = {"STRONGSWAN_CONF": f"{self.directory}/strongswan.conf",
                            "SWANCTL_DIR": f"{self.directory}/swanctl"}

    def _install(self, certificates):
        for folder in ("x509", "x509ca", "private"):
            os.makedirs(f"{self.directory}/swanctl/{folder}", exist_ok=True)

        def link(source, folder, name):
            target = f"{self.directory}/swanctl/{folder}/{name}"
            if not os.path.exists(target):
                os.symlink(source, target)
        link(self.pki.certificate("root"), "x509ca", "root.pem")
        for name in certificates:
            folder = "x509ca" if name == "intermediate" else "x509"
            link(self.pki.certificate(name), folder, f"{name}.pem")
            if folder == "x509":
                link(self.pki.key(name), "private", f"{name}.pem")

    def start(self, connections=None, pools=None, certificates=(), charon=None):
        """Starts charon and loads the configuration. `certificates` are installed beside those that
        the connections name; `charon` is merged into strongswan.conf."""
        connections = connections or {"rw": default_connection()}
        named = [connection["local"].get("certs", "").removesuffix(".pem")
                 for connection in connections.values()]
        self._install([name for name in [*named, *certificates] if name])
        settings = {
            "load": PLUGINS,
            "plugins": {"kernel-libipsec": {"load": "yes"}, "vici": {"socket": self.vici}},
            "filelog": {"log": {"path": self.log_path, "flush_line": "yes", "default": "1",
                                "ike": "2", "enc": "1", "cfg": "2"}},
            "syslog": {"daemon": {"default": "-1"}, "auth": {"default": "-1"}},
        }
        for key, value in (charon or {}).items():
            if isinstance(value, dict):
                settings[key] = {**settings.get(key, {}), **value}
            else:
                settings[key] = value
        with open(f"{self.directory}/strongswan.conf", "w", encoding="utf-8") as file:
            file.write(render({"charon-systemd": settings,
                               "libtls": {}, "swanctl": {"load": "pem pkcs1 x509 pkcs8 openssl"}}))
        self.launch()
        self.configure(connections, pools)

    def launch(self):
        """Starts the daemon and waits for its control socket."""
        socket = self.vici.removeprefix("unix://")
        if os.path.exists(socket):
            os.unlink(socket)
        self.process = net.Process(["charon-systemd"], namespace=self.namespace, env=self.environment)
        net.wait_until(lambda: os.path.exists(socket), 10, "control socket of charon")

    def configure(self, connections, pools=None):
        """Replaces connections, pools and secrets of the running daemon."""
        secrets = {f"eap-{name}": {"id": name, "secret": '"%s"' % password.replace('"', '\\"')}
                   for name, password in USERS.items()}
        secrets["ike-psk"] = {"secret": f'"{PSK}"'}
        tree = {"connections": connections,
                "pools": default_pools() if pools is None else pools, "secrets": secrets}
        with open(f"{self.directory}/swanctl/swanctl.conf", "w", encoding="utf-8") as file:
            file.write(render(tree))
        self.swanctl("--load-all", "--clear")

    def swanctl(self, *arguments):
        return net.run("swanctl", *arguments, "--uri", self.vici, namespace=self.namespace,
                       env=self.environment)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, pattern, timeout=5):
        return net.wait_until(lambda: re.search(pattern, self.log()), timeout,
                              f"'{pattern}' in the log of the gateway")

    def sas(self):
        """The negotiated associations as swanctl prints them."""
        return self.swanctl("--list-sas")

    def count(self, pattern):
        """How often a pattern occurs in the log."""
        return len(re.findall(pattern, self.log()))

    def terminate(self, ike="rw"):
        """Deletes the IKE SA from the gateway's side."""
        return self.swanctl("--terminate", "--ike", ike, "--timeout", "5")

    def stop(self, number=signal.SIGTERM):
        if self.process:
            self.process.signal(number)
            self.process.popen.wait(10)
            self.process = None
