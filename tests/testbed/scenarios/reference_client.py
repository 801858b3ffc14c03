# SPDX-License-Identifier: GPL-2.0-or-later
"""The bed against strongSwan's own client: a failure here is the bed's, not ours."""

import gateway
import net
import reference
import transfer
from scenario import scenario


@scenario
def reference_connects_with_eap_mschapv2(context):
    """Name and password, ping of small and large packets, addresses of both families."""
    host = gateway.Gateway(context.pki)
    host.start()
    before = net.snapshot()
    process = reference.connect(context.pki, remote_ts=("0.0.0.0/0", "::/0"))
    net.check("10.77.0.1" in net.run("ip", "addr"), "the client has no address of the pool")
    for size in (56, 1372, 9000):
        net.ping(net.HOST4, size)
    net.check("ESP:AES_GCM_16-128" in host.sas(), "the gateway lists another algorithm")
    reference.disconnect(process)
    net.check_unchanged(before)


@scenario(alone=True)
def reference_transfers_with_checksum(context):
    """10 MB each way through the tunnel; the server sees the inner address."""
    host = gateway.Gateway(context.pki)
    host.start()
    transfer.start_server()
    process = reference.connect(context.pki)
    for direction in ("up", "down"):
        _, source, _ = transfer.transfer(net.HOST4, direction, 10_000_000)
        net.check(source == "10.77.0.1", f"transfer from {source}, not from the tunnel's address")
    reference.disconnect(process)


@scenario
def reference_is_refused_with_a_wrong_password(context):
    host = gateway.Gateway(context.pki)
    host.start()
    process = reference.start(context.pki, password="wrong")
    process.read_until("EAP-MS-CHAPv2 failed|authentication failed", 10)
    net.check("established" not in process.output, "charon-cmd reports success")
    reference.end(process)
    host.wait_log("EAP-MS-CHAPv2 verification failed")
