# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates for the test bed, made with openssl into a directory of the caller."""

import os
import ssl
import subprocess
import time

GATEWAY_NAME = "vpn.example.org"
GATEWAY_SAN = "DNS:vpn.example.org,IP:192.0.2.1,IP:2001:db8:1::1"
KEY_PASSWORD = "correct horse"

KEY_TYPES = {
    "rsa2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa4096": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
    "ecdsa256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ecdsa384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ecdsa521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "ed25519": ["-algorithm", "ED25519"],
    "ed448": ["-algorithm", "ED448"],
}
ALL_KEY_TYPES = [kind for kind in KEY_TYPES if kind != "rsa4096"]

DAY = 86400
HOSTILE = b"<b>evil</b>\x1b[2J\xff\xfe\xe2\x80\xaereversed\xc0\xaf" + b" long" * 400
PLACE = b"a" * len(HOSTILE)


def certificate(key, issuer="root", **other):
    spec = {"key": key, "issuer": issuer, "use": "serverAuth", "san": GATEWAY_SAN,
            "subject": f"/O=Godwit test/CN={GATEWAY_NAME}", "start": -DAY, "end": 30 * DAY,
            "pss": False, "ca": False, "forged": None}
    return {**spec, **other}


def authority(name, key, issuer):
    return certificate(key, issuer, subject=f"/O=Godwit test/CN={name}", use=None, san=None, ca=True)


def _certificates():
    table = {
        "root": authority("Test root", "rsa2048", "root"),
        "intermediate": authority("Test intermediate", "ecdsa256", "root"),
        "other-root": authority("Unrelated root", "ecdsa256", "other-root"),
        "gw-pss": certificate("rsa2048", pss=True),
        "gw-intermediate": certificate("rsa2048", "intermediate"),
        "gw-expired": certificate("ecdsa256", start=-20 * DAY, end=-10 * DAY),
        "gw-future": certificate("ecdsa256", start=10 * DAY),
        "gw-wrong-name": certificate("ecdsa256", subject="/O=Godwit test/CN=mail.example.net",
                               san="DNS:mail.example.net,DNS:www.example.net"),
        "gw-self-signed": certificate("ecdsa256", "gw-self-signed"),
        "gw-unknown-ca": certificate("ecdsa256", "other-root"),
        # Of an authority that nobody knows, so that its signature need not be right.
        "gw-hostile": certificate("ecdsa256", "other-root", forged=(PLACE, HOSTILE),
                                  subject=f"/O=Godwit test/CN={GATEWAY_NAME}/description={PLACE.decode()}",
                                  san=f"{GATEWAY_SAN},DNS:{PLACE.decode()}"),
        "gw-client-use": certificate("ecdsa256", use="clientAuth"),
    }
    for kind in ALL_KEY_TYPES:
        table[f"gw-{kind}"] = certificate(kind)
        table[f"user-{kind}"] = certificate(kind, use="clientAuth", san="email:alice@example.org",
                                      subject="/O=Godwit test/CN=alice@example.org")
    return table


CERTIFICATES = _certificates()


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")


def _stamp(offset):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + offset))


def _forge(path, old, new):
    """Puts octets of the same length in the place of others; OpenSSL itself would not read the result."""
    with open(path, encoding="ascii") as file:
        der = ssl.PEM_cert_to_DER_cert(file.read())
    with open(path, "w", encoding="ascii") as file:
        file.write(ssl.DER_cert_to_PEM_cert(der.replace(old, new)))


class Pki:
    """Makes keys and certificates when they are first asked for."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def key(self, name):
        """The unencrypted PKCS#8 PEM key of a certificate of the table."""
        path = self._path(f"{name}.key")
        if not os.path.exists(path):
            kind = CERTIFICATES[name]["key"]
            _openssl("genpkey", *KEY_TYPES[kind], "-out", path + ".new")
            os.rename(path + ".new", path)
        return path

    def encrypted_key(self, name):
        """The same key as encrypted PKCS#8, password KEY_PASSWORD."""
        path = self._path(f"{name}.enc.key")
        if not os.path.exists(path):
            _openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", self.key(name),
                     "-passout", f"pass:{KEY_PASSWORD}", "-out", path + ".new")
            os.rename(path + ".new", path)
        return path

    def certificate(self, name):
        """The PEM certificate called `name` in CERTIFICATES."""
        path = self._path(f"{name}.pem")
        if not os.path.exists(path):
            self._issue(name, CERTIFICATES[name], path)
        return path

    def make_all(self):
        for name in CERTIFICATES:
            self.certificate(name)
            if name.startswith("user-"):
                self.encrypted_key(name)

    def _extensions(self, spec):
        lines = ["[ext]", "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid:always"]
        if spec["ca"]:
            lines += ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
        else:
            lines += ["basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature",
                      f"extendedKeyUsage={spec['use']}", f"subjectAltName={spec['san']}"]
        return lines

    def _issue(self, name, spec, path):
        work = self._path(f"{name}.ca")
        os.makedirs(work, exist_ok=True)
        with open(f"{work}/index", "w", encoding="ascii"):
            pass
        with open(f"{work}/config", "w", encoding="ascii") as config:
            config.write("\n".join([
                "[ca]", "default_ca=here", "[here]", f"database={work}/index",
                f"new_certs_dir={work}", "rand_serial=yes", "policy=any", "unique_subject=no",
                "[any]", "O=optional", "CN=supplied", "description=optional",
                "[req]", "distinguished_name=dn", "[dn]",
                *self._extensions(spec), ""]))
        key, issuer = self.key(name), spec["issuer"]
        _openssl("req", "-new", "-config", f"{work}/config", "-key", key, "-out", f"{work}/csr",
                 "-subj", spec["subject"])
        if issuer == name:
            signer = ["-selfsign", "-keyfile", key]
        else:
            signer = ["-cert", self.certificate(issuer), "-keyfile", self.key(issuer)]
        padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"]
        padding = padding if spec["pss"] else []
        digest = "null" if CERTIFICATES[issuer]["key"].startswith("ed") else "sha256"
        _openssl("ca", "-batch", "-notext", "-config", f"{work}/config", "-in", f"{work}/csr",
                 "-extensions", "ext", "-md", digest, "-startdate", _stamp(spec["start"]),
                 "-enddate", _stamp(spec["end"]), "-out", path + ".new", *signer, *padding)
        if spec["forged"]:
            _forge(path + ".new", *spec["forged"])
        os.rename(path + ".new", path)
