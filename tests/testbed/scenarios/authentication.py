# SPDX-License-Identifier: GPL-2.0-or-later
"""Who the gateway is and who the user is: every key type, chain and method."""

import gateway
import net
import pki
from client import (Terminal, connected, environment, expect_refusal, processes, program, stat_of,
                    worker)
from client import start_as_alice
from scenario import scenario, scenario_for

GATEWAY_CERTIFICATES = [*(f"gw-{kind}" for kind in pki.ALL_KEY_TYPES), "gw-pss"]
USER_CERTIFICATES = [f"user-{kind}" for kind in pki.ALL_KEY_TYPES]


def named(prefix):
    return lambda value: f"{prefix}_{value.replace('-', '_')}"


def start(context, connection, **options):
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection}, **options)
    return host


def by_certificate(context, name, encrypted=False):
    """Arguments for `connected` that authenticate with a user certificate."""
    key = context.pki.encrypted_key(name) if encrypted else context.pki.key(name)
    arguments = ("--auth", "certificate", "--certificate", context.pki.certificate(name),
                 "--private-key", key)
    options = {"user": None}
    if encrypted:
        options["key_password"] = pki.KEY_PASSWORD
    return arguments, options


@scenario_for(GATEWAY_CERTIFICATES, named("gateway_with"))
def gateway_certificate(context, name):
    """RFC 7427 signatures of every key type, with PSS where the certificate's chain uses it."""
    host = start(context, gateway.default_connection(name),
                 charon={"rsa_pss": "yes" if name == "gw-pss" else "no"})
    with connected(context):
        net.ping(net.HOST4)
    scheme = {"gw-pss": "RSA_EMSA_PSS", "gw-rsa2048": "RSA_EMSA_PKCS1", "gw-ed25519": "ED25519",
              "gw-ed448": "ED448"}.get(name, "ECDSA")
    net.check(f"authentication of 'vpn.example.org' (myself) with {scheme}" in host.log(),
              f"the gateway did not sign with {scheme}")


@scenario_for(["gw-rsa2048", "gw-ecdsa256", "gw-ecdsa384", "gw-ecdsa521"],
              named("old_method_gateway_with"))
def gateway_with_old_methods(context, name):
    """Authentication methods 1, 9, 10 and 11: the gateway does not announce RFC 7427."""
    start(context, gateway.default_connection(name), charon={"signature_authentication": "no"})
    with connected(context):
        net.ping(net.HOST4)


@scenario
def gateway_behind_an_intermediate_authority(context):
    """The gateway sends its chain; only the root is trusted."""
    start(context, gateway.default_connection("gw-intermediate"), certificates=("intermediate",))
    with connected(context):
        net.ping(net.HOST4)


@scenario
def trusted_bundle_of_many_authorities(context):
    """The CA file is a bundle in which the right root comes last."""
    bundle = "/run/bed/bundle.pem"
    with open(bundle, "wb") as file:
        for name in ("other-root", "intermediate", "root"):
            with open(context.pki.certificate(name), "rb") as part:
                file.write(part.read())
    start(context, gateway.default_connection())
    with connected(context, "--ca", bundle, ca=None):
        net.ping(net.HOST4)


@scenario_for(USER_CERTIFICATES, named("certificate_of"))
def user_certificate(context, name):
    host = start(context, gateway.certificate_connection())
    arguments, options = by_certificate(context, name)
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)
        net.check("alice@example.org" in host.sas(), "the gateway does not list the user")


@scenario_for(USER_CERTIFICATES, named("encrypted_key_of"))
def user_certificate_with_encrypted_key(context, name):
    start(context, gateway.certificate_connection())
    arguments, options = by_certificate(context, name, encrypted=True)
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)


@scenario_for(["user-rsa2048", "user-ecdsa256", "user-ecdsa384", "user-ecdsa521"],
              named("old_method_certificate_of"))
def user_certificate_with_old_methods(context, name):
    start(context, gateway.certificate_connection(), charon={"signature_authentication": "no"})
    arguments, options = by_certificate(context, name)
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)


@scenario
def preshared_key_on_both_sides(context):
    start(context, gateway.psk_connection())
    with connected(context, "--auth", "psk", "--identity", "alice@example.org", user=None,
                   psk=gateway.PSK, ca=None):
        net.ping(net.HOST4)


@scenario
def preshared_key_with_the_cmac_prf(context):
    """AES-CMAC as PRF with a key that is not 16 octets long (RFC 4615)."""
    connection = gateway.psk_connection()
    connection["proposals"] = "aes128-aescmac-prfaescmac-x25519"
    start(context, connection)
    with connected(context, "--auth", "psk", "--identity", "alice@example.org",
                   "--ike-proposals", "aes128-aescmac-prfaescmac-x25519", user=None,
                   psk=gateway.PSK, ca=None):
        net.ping(net.HOST4)


@scenario
def profile_in_a_file(context):
    """The same connection from a keyfile instead of options."""
    start(context, gateway.default_connection())
    path = "/run/bed/office.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write("[godwit]\ngateway=vpn.example.org\nuser=alice\n"
                   f"ca={context.pki.certificate('root')}\n")
    with connected(context, host=path, user=None, ca=None, password=gateway.USERS["alice"]):
        net.ping(net.HOST4)


@scenario
def gateway_that_has_another_eap_method(context):
    """It wants MD5; we name what the profile allows (RFC 3748 5.3.1) and end when that is refused."""
    connection = gateway.default_connection()
    connection["remote"]["auth"] = "eap-md5"
    host = start(context, connection)
    before = net.snapshot()
    client = start_as_alice(context, "--eap-methods", "mschapv2")
    expect_refusal(client, "auth-failed", before)
    net.check("EAP/RES/NAK" in host.log(), "the client did not refuse EAP-MD5")


@scenario
def password_typed_on_a_terminal(context):
    """It is asked for and not echoed."""
    start(context, gateway.default_connection())
    before = net.snapshot()
    terminal = Terminal([program(context), "connect", "vpn.example.org", "--standalone",
                         "--user", "alice", "--ca", context.pki.certificate("root")], environment(context))
    terminal.read_until("(?i)password", 5)
    terminal.type(gateway.USERS["alice"] + "\n")
    terminal.read_until("^Connected", 15)
    net.ping(net.HOST4)
    # The worker is beyond the terminal's reach and it beyond the worker's; but of the same session,
    # which is what the kernel's autogroups share the processor by.
    pid = worker()
    of_worker = stat_of(pid)
    of_godwit = stat_of(of_worker["parent"])
    net.check(of_godwit["tty"] != "0", "the scenario has no terminal")
    net.check(of_worker["tty"] == "0", "the worker has a terminal")
    net.check(of_worker["group"] == str(pid), "the worker is in another's process group")
    net.check(of_worker["session"] == of_godwit["session"], "the worker is a session of its own")
    terminal.type("\x03")
    code = terminal.wait()
    net.check(code == 0, f"exit code {code} after Ctrl-C")
    net.check(gateway.USERS["alice"] not in terminal.output, "the terminal shows the password")
    net.wait_until(lambda: not processes(), 5, "end of every process of the client")
    net.check_unchanged(before)


@scenario
def fragmented_messages_both_ways(context):
    """RFC 7383: certificates that do not fit, in fragments of 600 octets from the gateway."""
    connection = gateway.certificate_connection("gw-rsa2048")
    connection["fragmentation"] = "force"
    host = start(context, connection, charon={"fragment_size": "600"})
    arguments, options = by_certificate(context, "user-rsa2048")
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)
    net.check("splitting IKE message" in host.log(), "the gateway sent no fragments")
    net.check("received fragment #1" in host.log(), "the client sent no fragments")


@scenario
def gateway_without_fragmentation(context):
    connection = gateway.certificate_connection("gw-rsa2048")
    connection["fragmentation"] = "no"
    start(context, connection)
    arguments, options = by_certificate(context, "user-rsa2048")
    with connected(context, *arguments, **options):
        net.ping(net.HOST4)
