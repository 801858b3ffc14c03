# SPDX-License-Identifier: GPL-2.0-or-later
"""Tokens with certificates and private keys: SoftHSM as every program in the sandbox has it."""

import os
import pwd
import shutil

import net

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
CONFIG = "/etc/softhsm/softhsm2.conf"
STORE = "/run/bed/tokens"
PIN = "271828"
CERTIFICATE_ID, OTHER_ID = "01", "02"
USER = "godwit"


def uri(label="Alice", identity=CERTIFICATE_ID, **more):
    """The PKCS#11 URI of what has that ID."""
    rest = "".join(f";{name}={value}" for name, value in more.items())
    return f"pkcs11:token={label};id=%{identity}{rest}"


class Token:
    """A token that godwit-token sees, with the certificate `name` of the PKI and its key."""

    def __init__(self, context, name="user-rsa2048", label="Alice", certificate=None):
        self.context = context
        self.label = label
        if not os.path.exists(STORE):
            os.mkdir(STORE)
            os.chmod(os.path.dirname(CONFIG), 0o755)
            with open(CONFIG, "w", encoding="ascii") as file:
                file.write(f"directories.tokendir = {STORE}\nobjectstore.backend = file\n"
                           "log.level = ERROR\n")
            os.chmod(CONFIG, 0o644)
        net.run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN,
                "--so-pin", "31415926")
        net.run("softhsm2-util", "--import", context.pki.key(name), "--token", label, "--label",
                "key", "--id", CERTIFICATE_ID, "--pin", PIN)
        self.add_certificate(certificate or name, CERTIFICATE_ID)
        self.give_away()

    def add_certificate(self, name, identity=OTHER_ID):
        der = "/run/bed/certificate.der"
        net.run("openssl", "x509", "-in", self.context.pki.certificate(name), "-outform", "DER",
                "-out", der)
        net.run("pkcs11-tool", "--module", MODULE, "--token-label", self.label, "--login", "--pin",
                PIN, "--write-object", der, "--type", "cert", "--id", identity, "--label", name)
        self.give_away()

    def forget_public_key(self):
        """Which smart cards do not show beside the certificate."""
        net.run("pkcs11-tool", "--module", MODULE, "--token-label", self.label, "--login", "--pin",
                PIN, "--delete-object", "--type", "pubkey", "--id", CERTIFICATE_ID)

    @staticmethod
    def give_away():
        owner = pwd.getpwnam(USER)
        for folder, _, names in os.walk(STORE):
            for name in (folder, *(os.path.join(folder, name) for name in names)):
                os.chown(name, owner.pw_uid, owner.pw_gid)

    @staticmethod
    def take_out():
        for name in os.listdir(STORE):
            shutil.rmtree(os.path.join(STORE, name))


def moody(context, mood):
    """From now on SoftHSM is behind a module that behaves badly when it signs: moody.c."""
    module = "/run/bed/moody.so"
    if not os.path.exists(module):
        # Where the user godwit comes by.
        shutil.copy(os.path.join(context.build, "tests/testbed/moody.so"), module)
        os.makedirs("/etc/pkcs11/modules", exist_ok=True)
        with open("/etc/pkcs11/modules/softhsm2.module", "w", encoding="ascii") as file:
            file.write(f"module: {module}\n")
    with open("/run/bed/mood", "w", encoding="ascii") as file:
        file.write(mood)
