# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole client at a real gateway: strongSwan with kernel-libipsec, as this kernel may have no ESP."""

import re

import client
import gateway
import net
import pki
import reference
import scenario
from ends import Tunnel


class AtGateway(Tunnel):
    """End a is the client in the sandbox's own namespace, b the gateway's protected host."""

    def __init__(self, build):
        super().__init__(0)
        self.context = scenario.Context(pki.Pki("/run/bed/pki"), build, "/run/bed")
        self.host = None
        self.inner = None

    def namespace(self, end):
        return None if end == "a" else "gw"

    def address(self, end):
        return net.HOST4 if end == "b" else self.inner

    def pids(self, end):
        return [self.host.process.pid] if end == "b" else self.client_pids()

    def start(self):
        connection = gateway.default_connection()
        connection["pools"] = "pool4"
        connection["children"]["net"].update(local_ts="0.0.0.0/0", esp_proposals="aes256gcm16")
        self.host = gateway.Gateway(self.context.pki)
        self.host.start({"rw": connection})
        self.connect()
        self.inner = re.search(r"src (\S+)", net.run("ip", "route", "get", net.HOST4)).group(1)

    def stop(self):
        self.disconnect()
        self.host.stop()


class Godwit(AtGateway):
    name = "godwit"
    connection = None

    def connect(self):
        self.connection = client.start_as_alice(self.context)
        self.connection.wait_connected()

    def client_pids(self):
        return client.processes()

    def disconnect(self):
        self.connection.disconnect()


class CharonCmd(AtGateway):
    name = "charon-cmd"
    process = None

    def connect(self):
        self.process = reference.connect(self.context.pki)

    def client_pids(self):
        return [self.process.pid]

    def disconnect(self):
        reference.end(self.process)
