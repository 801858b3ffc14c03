# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that can be wrong, each with its own sentence and exit code, and nothing left over."""

import os
import re

import gateway
import net
import reference
import sandbox
from client import Client, REFUSALS, alice, expect_refusal, start_as_alice
from scenario import scenario, scenario_for


def start(context, connection=None, **options):
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection or gateway.default_connection()}, **options)
    return host


def refused(context, reason, *arguments, timeout=20, **options):
    """One connection attempt as alice that must end with `reason`; returns the client."""
    before = net.snapshot()
    client = start_as_alice(context, *arguments, **options)
    expect_refusal(client, reason, before, timeout)
    return client


def check_no_credentials(host):
    """The gateway has seen neither an EAP message nor the user's name as one."""
    log = host.log()
    net.check("EAP/RES" not in log, "an EAP response left before the gateway was authenticated")
    net.check("received EAP identity" not in log, "the EAP identity left too early")


@scenario
def exit_codes_are_distinct(context):
    codes = [code for code, _ in REFUSALS.values()]
    net.check(len(codes) == len(set(codes)), "two reasons share an exit code")


@scenario
def wrong_password(context):
    """One attempt, no storm: the next one could lock the account."""
    host = start(context)
    refused(context, "auth-failed", password="not the password")
    attempts = host.count("EAP-MS-CHAPv2 verification failed")
    net.check(attempts == 1, f"{attempts} attempts with the wrong password")
    # Beside those that ask for another group.
    begun = host.count(r"generating IKE_SA_INIT response 0 \[ SA ")
    net.check(begun == 1, "it connected again by itself")


@scenario
def unknown_user(context):
    host = start(context)
    before = net.snapshot()
    client = Client(context, "--user", "mallory", password="anything")
    expect_refusal(client, "auth-failed", before)
    net.check(host.count("received EAP identity 'mallory'") == 1, "not exactly one attempt")


@scenario
def wrong_authority(context):
    host = start(context)
    refused(context, "gateway-untrusted", ca="other-root")
    check_no_credentials(host)


@scenario
def authority_not_in_the_system_store(context):
    host = start(context)
    refused(context, "gateway-untrusted", ca=None)
    check_no_credentials(host)


@scenario_for(["gw-expired", "gw-future"], lambda name: f"certificate_{name.replace('-', '_')}")
def certificate_outside_its_dates(context, name):
    host = start(context, gateway.default_connection(name))
    client = refused(context, "gateway-expired")
    net.check(re.search(r"20\d\d", client.output), "the message does not show the date")
    check_no_credentials(host)


@scenario
def certificate_of_another_name(context):
    """The gateway claims our name, its certificate has others: both are shown."""
    host = start(context, gateway.default_connection("gw-wrong-name"))
    client = refused(context, "gateway-identity-mismatch")
    for name in ("vpn.example.org", "mail.example.net", "www.example.net"):
        net.check(name in client.output, f"the message does not name {name}")
    check_no_credentials(host)


@scenario
def gateway_identifies_as_another(context):
    """Certificate and identity agree with each other, but not with what the user asked for."""
    connection = gateway.default_connection("gw-wrong-name")
    connection["local"]["id"] = None
    host = start(context, connection)
    refused(context, "gateway-identity-mismatch")
    check_no_credentials(host)


@scenario
def remote_identity_that_the_gateway_does_not_have(context):
    host = start(context)
    before = net.snapshot()
    client = start_as_alice(context, "--remote-identity", "other.example.org")
    code = client.wait_end()
    net.check(code in (REFUSALS["gateway-identity-mismatch"][0], REFUSALS["auth-failed"][0]),
              f"exit code {code}; it said: {client.process.tail()}")
    net.check_unchanged(before)
    check_no_credentials(host)


@scenario
def certificate_not_for_servers(context):
    host = start(context, gateway.default_connection("gw-client-use"))
    before = net.snapshot()
    client = start_as_alice(context)
    code = client.wait_end()
    net.check(code in (11, 14), f"exit code {code}; it said: {client.process.tail()}")
    net.check_unchanged(before)
    check_no_credentials(host)


@scenario
def host_that_answers_tcp_alone(context):
    """UDP is dropped on the way, or the service hangs."""
    net.silent_gateway()
    client = refused(context, "udp-blocked", "--timeout", "4", timeout=10)
    net.check("answers TCP" in client.output, "it does not say what it knows")


@scenario
def gateway_that_never_answers(context):
    net.run("nft", "-f", "-", namespace="gw", input_text="""table inet off { chain in {
        type filter hook input priority 0; policy drop
        meta l4proto icmpv6 accept
    }
}""")
    client = refused(context, "gateway-unreachable", "--timeout", "3", timeout=10)
    net.check(re.search(r"\b3(\.\d+)? ?s", client.output),
              "the message does not say after how long")


@scenario
def port_unreachable(context):
    """The host is there, but nothing listens."""
    refused(context, "port-unreachable", timeout=10)


FIREWALL = """table inet firewall {
    chain in {
        type filter hook input priority 0
        meta l4proto udp reject with icmpx admin-prohibited
    }
}"""


@scenario
def firewall_refuses(context):
    """As port-unreachable looks, but it says that somebody forbids it."""
    net.run("nft", "-f", "-", namespace="gw", input_text=FIREWALL)
    refused(context, "udp-blocked", timeout=10)


@scenario
def no_common_ike_proposal(context):
    connection = gateway.default_connection()
    connection["proposals"] = "aes128-sha256-modp2048"
    start(context, connection)
    refused(context, "no-proposal-chosen", "--ike-proposals", "aes256gcm16-prfsha384-x25519")


@scenario
def no_common_esp_proposal(context):
    connection = gateway.default_connection()
    connection["children"]["net"]["esp_proposals"] = "aes128-sha256"
    start(context, connection)
    refused(context, "no-proposal-chosen", "--esp-proposals", "aes256gcm16")


@scenario
def traffic_selectors_unacceptable(context):
    connection = gateway.default_connection()
    connection["children"]["net"]["local_ts"] = f"{net.HOST4}/32"
    start(context, connection)
    refused(context, "ts-unacceptable", "--tunnel", "split", "--remote-ts", "172.16.0.0/16")


@scenario
def traffic_selectors_without_our_address(context):
    """The gateway narrows our side to a network in which the assigned address does not lie."""
    connection = gateway.default_connection()
    connection["children"]["net"]["remote_ts"] = "172.16.0.0/16"
    start(context, connection)
    refused(context, "ts-unacceptable")


@scenario
def no_address_pool(context):
    connection = gateway.default_connection()
    connection["pools"] = None
    start(context, connection)
    refused(context, "address-unavailable")


@scenario
def address_pool_is_exhausted(context):
    connection = gateway.default_connection()
    connection["pools"] = "pool4"
    start(context, connection, pools={"pool4": {"addrs": "10.77.0.1-10.77.0.1"}})
    holder = reference.connect(context.pki, user="bob", remote_ts=(f"{net.HOST4}/32",))
    refused(context, "address-unavailable")
    reference.disconnect(holder)


@scenario
def preshared_key_differs(context):
    start(context, gateway.psk_connection())
    before = net.snapshot()
    client = Client(context, "--auth", "psk", "--identity", "alice@example.org",
                    psk="not the right one", ca=None)
    expect_refusal(client, "auth-failed", before)


@scenario
def user_certificate_of_an_unknown_authority(context):
    start(context, gateway.certificate_connection())
    before = net.snapshot()
    client = Client(context, "--auth", "certificate", "--certificate",
                    context.pki.certificate("gw-unknown-ca"), "--private-key",
                    context.pki.key("gw-unknown-ca"))
    expect_refusal(client, "auth-failed", before)


@scenario
def private_key_password_is_wrong(context):
    before = net.snapshot()
    client = Client(context, "--auth", "certificate", "--certificate",
                    context.pki.certificate("user-rsa2048"), "--private-key",
                    context.pki.encrypted_key("user-rsa2048"), key_password="not it")
    code = client.wait_end()
    net.check(code not in (0, 1) and code > 0, f"exit code {code}")
    net.check(re.search("(?i)password", client.output), f"it said: {client.process.tail()}")
    net.check_unchanged(before)


@scenario
def certificate_and_key_do_not_belong_together(context):
    before = net.snapshot()
    client = Client(context, "--auth", "certificate", "--certificate",
                    context.pki.certificate("user-rsa2048"), "--private-key",
                    context.pki.key("user-ecdsa256"))
    expect_refusal(client, "profile", before)


def profile_refused(context, text, *words):
    """A profile with a mistake: the message has its file, line and key."""
    path = "/run/bed/office.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    before = net.snapshot()
    client = Client(context, host=path, ca=None, password="x")
    expect_refusal(client, "profile", before)
    for word in (path, *words):
        net.check(word in client.output, f"the message lacks '{word}': {client.process.tail()}")


@scenario
def profile_with_an_unknown_key(context):
    profile_refused(context, "[godwit]\ngateway=vpn.example.org\ncolour=blue\n", "3", "colour")


@scenario
def profile_with_a_bad_value(context):
    profile_refused(context, "[godwit]\ngateway=vpn.example.org\nuser=alice\nport=many\n",
                    "4", "port", "many")


@scenario
def profile_that_is_not_there(context):
    before = net.snapshot()
    client = Client(context, host="/run/bed/absent.conf", ca=None, password="x")
    expect_refusal(client, "profile", before)
    net.check("/run/bed/absent.conf" in client.output, "the message does not name the file")


@scenario
def unreadable_authority_file(context):
    before = net.snapshot()
    client = start_as_alice(context, "--ca", "/run/bed/absent.pem", ca=None)
    expect_refusal(client, "profile", before)
    net.check("/run/bed/absent.pem" in client.output, "the message does not name the file")


@scenario
def authority_file_that_is_no_certificate(context):
    with open("/run/bed/garbage.pem", "w", encoding="ascii") as file:
        file.write("-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n"
                   "-----END CERTIFICATE-----\n")
    before = net.snapshot()
    client = start_as_alice(context, "--ca", "/run/bed/garbage.pem", ca=None)
    expect_refusal(client, "profile", before)


@scenario
def not_root(context):
    """A copy in /run, because the checkout may be where only root may look."""
    def become_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    copy = "/run/bed/bin"
    os.mkdir(copy, 0o755)
    for name in ("godwit", "godwit-tunnel"):
        net.run("cp", os.path.join(context.build, name), copy)
    before = net.snapshot()
    os.chmod("/run/bed", 0o755)
    elsewhere = type(context)(context.pki, copy, context.scratch)
    client = Client(elsewhere, *alice(), ca=None, password="x", enter=become_nobody)
    expect_refusal(client, "not-root", before)


@scenario
def tun_device_is_missing(context):
    def hide_tun():
        sandbox.unshare(sandbox.CLONE_NEWNS)
        sandbox.mount("tmpfs", "/dev/net", "tmpfs")
    start(context)
    refused(context, "no-tun", enter=hide_tun)


@scenario
def name_without_an_address(context):
    """The resolver refuses: the name server's host has no name service."""
    with open("/etc/resolv.conf", "w", encoding="ascii") as file:
        file.write(f"nameserver {net.GATEWAY4}\noptions timeout:1 attempts:1\n")
    client = refused(context, "resolve", host="no-such-gateway.example.org")
    net.check("no-such-gateway.example.org" in client.output, "the message does not name it")


@scenario
def password_is_missing(context):
    """No descriptor, no terminal: it says so instead of waiting."""
    start(context)
    before = net.snapshot()
    client = Client(context, *alice())
    expect_refusal(client, "secret-missing", before)


@scenario_for(["--no-such-option", "--port=99999", "--auth=magic"],
              lambda text: f"command_line_{text.strip('-').replace('=', '_').replace('-', '_')}")
def bad_command_line(context, option):
    before = net.snapshot()
    client = start_as_alice(context, option)
    code = client.wait_end(5)
    net.check(code in (2, 3), f"exit code {code}; it said: {client.process.tail()}")
    net.check(client.output.strip(), "it says nothing")
    net.check_unchanged(before)
