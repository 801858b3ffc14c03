# SPDX-License-Identifier: GPL-2.0-or-later
"""Every algorithm of the table, negotiated with the gateway and carrying traffic.

ESN is not here: strongSwan's user-space ESP refuses it. Unit tests and the simulator have it.
"""

import os
import re

import gateway
import net
import transfer
from client import connected, expect_refusal, start_as_alice
from scenario import scenario, scenario_for

IKE = [
    "aes128gcm8-prfsha256-x25519", "aes256gcm8-prfsha384-x448", "aes128gcm12-prfsha512-ecp256",
    "aes256gcm12-prfaescmac-ecp384", "aes128gcm16-prfsha256-ecp521",
    "aes256gcm16-prfsha384-modp2048", "aes128ccm8-prfsha256-modp3072",
    "aes256ccm8-prfsha512-x25519", "aes128ccm12-prfsha384-x25519", "aes256ccm12-prfsha256-ecp256",
    "aes128ccm16-prfsha256-modp4096", "aes256ccm16-prfsha512-x448",
    "chacha20poly1305-prfsha256-x25519", "aes128-sha256-modp6144", "aes192-sha384-modp8192",
    "aes256-sha512-ecp384", "aes128-aescmac-prfaescmac-x25519", "aes128ctr-sha256-x25519",
    "aes192ctr-sha384-x25519", "aes256ctr-sha512-ecp521", "aes256-sha256-prfsha512-x25519",
]
IKE_LEGACY = ["aes128-sha1-prfsha1-modp1024", "3des-sha1-prfsha1-modp1536"]
ESP = [
    *(f"aes{bits}{mode}{icv}" for mode in ("gcm", "ccm") for icv in (8, 12, 16)
      for bits in (128, 256)),
    "chacha20poly1305", "aes128-sha256", "aes192-sha384", "aes256-sha512", "aes128ctr-sha256",
    "aes192ctr-sha384", "aes256ctr-sha512", "aes128-aescmac", "aes256ctr-aescmac",
]
ESP_LEGACY = ["aes128-sha1", "3des-sha1"]

INTEGRITY = {"sha1": "HMAC_SHA1_96", "sha256": "HMAC_SHA2_256_128", "sha384": "HMAC_SHA2_384_192",
             "sha512": "HMAC_SHA2_512_256", "aescmac": "AES_CMAC_96"}
PRF = {"sha1": "PRF_HMAC_SHA1", "sha256": "PRF_HMAC_SHA2_256", "sha384": "PRF_HMAC_SHA2_384",
       "sha512": "PRF_HMAC_SHA2_512", "aescmac": "PRF_AES128_CMAC"}


def listed_name(word):
    """How swanctl lists what a proposal calls `word`."""
    if word.startswith("prf"):
        return PRF[word[3:]]
    if word in INTEGRITY:
        return INTEGRITY[word]
    for pattern, name in ((r"aes(\d+)(gcm|ccm)(\d+)", None), (r"aes(\d+)ctr", "AES_CTR-{}"),
                          (r"aes(\d+)", "AES_CBC-{}"), (r"x25519", "CURVE_25519"),
                          (r"x448", "CURVE_448"), (r"ecp(\d+)", "ECP_{}"),
                          (r"modp(\d+)", "MODP_{}"), (r"3des", "3DES_CBC"),
                          (r"chacha20poly1305", "CHACHA20_POLY1305")):
        found = re.fullmatch(pattern, word)
        if found and name is None:
            return f"AES_{found[2].upper()}_{found[3]}-{found[1]}"
        if found:
            return name.format(*found.groups())
    raise ValueError(word)


def listed(proposal, ike):
    """The whole of a proposal in swanctl's words and order."""
    words = proposal.split("-")
    if ike and not any(word.startswith("prf") for word in words):
        words.insert(-1, "prf" + words[1])
    return "/".join(listed_name(word) for word in words)


def check_library(context, esp, client):
    """Whose ciphers the client says it has: the faster library's where it was built in."""
    with open(os.path.join(context.build, "config.h"), encoding="utf-8") as config:
        built_in = "#define HAVE_IPSEC_MB 1" in config.read()
    faster = re.match(r"aes\d+gcm|chacha20|aes\d+-sha", esp)
    wanted = "intel-ipsec-mb" if built_in and faster and processor_has_aes() else "GnuTLS"
    shown = re.search(r"^  ESP +(.*)$", client.output, re.MULTILINE)
    net.check(shown and f"{esp}, {wanted}" in shown[1], f"not {wanted} for {esp}: {client.output}")


def processor_has_aes():
    with open("/proc/cpuinfo", encoding="utf-8") as information:
        flags = re.search(r"^flags\s*:(.*)$", information.read(), re.MULTILINE)
    return flags is not None and {"aes", "pclmulqdq"} <= set(flags[1].split())


def negotiate(context, ike=None, esp=None, *arguments):
    connection = gateway.default_connection()
    if ike:
        connection["proposals"] = ike
        arguments += ("--ike-proposals", ike)
    if esp:
        connection["children"]["net"]["esp_proposals"] = esp
        arguments += ("--esp-proposals", esp)
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection})
    with connected(context, *arguments) as client:
        for size in (0, 57, 1372, 3000):
            net.ping(net.HOST4, size, count=1)
        net.ping(net.HOST6, 1000, count=1)
        sas = host.sas()
        if ike:
            net.check(f"  {listed(ike, True)}\n" in sas, f"no {listed(ike, True)} in: {sas}")
        if esp:
            net.check(f"ESP:{listed(esp, False)}\n" in sas, f"no {listed(esp, False)} in: {sas}")
            check_library(context, esp, client)


@scenario_for(IKE, lambda text: f"ike_{text}")
def ike_algorithms(context, text):
    negotiate(context, text, None)


@scenario_for(IKE_LEGACY, lambda text: f"ike_legacy_{text}")
def ike_legacy_algorithms(context, text):
    negotiate(context, text, None, "--legacy")


@scenario_for(ESP, lambda text: f"esp_{text}")
def esp_algorithms(context, text):
    negotiate(context, None, text)


@scenario_for(ESP_LEGACY, lambda text: f"esp_legacy_{text}")
def esp_legacy_algorithms(context, text):
    negotiate(context, None, text, "--legacy")


@scenario_for(["aes128-sha1", "aes256-sha256", "aes192-sha384", "aes128-sha512"],
              lambda text: f"many_packets_at_once_{text}")
def many_packets_at_once(context, text):
    """Where libraries work on several packets side by side, the gateway understands them all."""
    connection = gateway.default_connection()
    connection["children"]["net"]["esp_proposals"] = text
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection})
    transfer.start_server()
    with connected(context, "--esp-proposals", text, "--legacy"):
        for direction in ("up", "down"):
            transfer.transfer(net.HOST4, direction, 5_000_000)


@scenario
def legacy_needs_its_switch(context):
    before = net.snapshot()
    client = start_as_alice(context, "--ike-proposals", "3des-sha1-modp1024")
    code = client.wait_end(5)
    net.check(code in (2, 3), f"exit code {code}: legacy algorithms are offered without the switch")
    net.check("3des" in client.output, "the message does not name the algorithm")
    net.check_unchanged(before)


@scenario_for(["aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048", "aes128-sha256-ecp256"],
              lambda text: f"default_proposals_meet_{text}")
def default_proposals(context, text):
    """The gateway accepts one suite only; our defaults have it, after INVALID_KE_PAYLOAD."""
    connection = gateway.default_connection()
    connection["proposals"] = text
    host = gateway.Gateway(context.pki)
    host.start({"rw": connection})
    with connected(context):
        net.ping(net.HOST4)
        net.check(f"  {listed(text, True)}\n" in host.sas(), f"not {text}: {host.sas()}")


@scenario
def esn_is_offered_and_may_be_declined(context):
    """This gateway has no ESN: it must find the alternative in our default proposal."""
    host = gateway.Gateway(context.pki)
    host.start()
    with connected(context):
        net.check("EXT_SEQ" in host.log(), "no sequence number transform was offered")
        net.ping(net.HOST4)


@scenario
def esn_alone_finds_no_common_proposal(context):
    host = gateway.Gateway(context.pki)
    host.start()
    before = net.snapshot()
    client = start_as_alice(context, "--esp-proposals", "aes256gcm16-esn")
    expect_refusal(client, "no-proposal-chosen", before)
