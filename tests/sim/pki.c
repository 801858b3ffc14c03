/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pki.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "sim/gateway.h"

#define DAY (24 * 60 * 60)

static struct pki pki;

struct authority {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
};

static gnutls_x509_privkey_t new_key(void)
{
    gnutls_x509_privkey_t key;

    sim_require(gnutls_x509_privkey_init(&key) == 0 &&
                    gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 0, 0) == 0,
                "key generation");
    return key;
}

static gnutls_x509_crt_t new_cert(const char *name, gnutls_x509_privkey_t key, uint8_t serial)
{
    gnutls_x509_crt_t cert;

    sim_require(gnutls_x509_crt_init(&cert) == 0 && gnutls_x509_crt_set_version(cert, 3) == 0 &&
                    gnutls_x509_crt_set_serial(cert, &serial, 1) == 0 &&
                    gnutls_x509_crt_set_key(cert, key) == 0 &&
                    gnutls_x509_crt_set_activation_time(cert, PKI_NOW - 30 * DAY) == 0 &&
                    gnutls_x509_crt_set_expiration_time(cert, PKI_NOW + 30 * DAY) == 0 &&
                    gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                  (unsigned)strlen(name)) == 0,
                "certificate");
    return cert;
}

static struct authority new_authority(const char *name)
{
    struct authority authority;

    authority.key = new_key();
    authority.cert = new_cert(name, authority.key, 1);
    sim_require(gnutls_x509_crt_set_basic_constraints(authority.cert, 1, -1) >= 0 &&
                    gnutls_x509_crt_set_key_usage(authority.cert, GNUTLS_KEY_KEY_CERT_SIGN) >= 0 &&
                    gnutls_x509_crt_sign2(authority.cert, authority.cert, authority.key,
                                          GNUTLS_DIG_SHA512, 0) >= 0,
                "authority");
    return authority;
}

static void free_authority(struct authority *authority)
{
    gnutls_x509_crt_deinit(authority->cert);
    gnutls_x509_privkey_deinit(authority->key);
}

static struct cert_trust *trust_of(const struct authority *authority)
{
    struct cert_trust *trust = NULL;
    gnutls_datum_t pem;
    size_t n = 0;

    sim_require(gnutls_x509_crt_export2(authority->cert, GNUTLS_X509_FMT_PEM, &pem) == 0 &&
                    cert_trust_from_data(&trust, bytes_of(pem.data, pem.size), &n) == OK && n == 1,
                "trust");
    gnutls_free(pem.data);
    return trust;
}

static struct cert_credential *credential_of(const struct authority *authority, const char *name)
{
    struct cert_credential *credential = NULL;
    gnutls_x509_privkey_t key = new_key();
    gnutls_x509_crt_t cert = new_cert(name, key, 2);
    gnutls_datum_t cert_pem, key_pem;
    bool mail = strchr(name, '@') != NULL;

    sim_require(
        gnutls_x509_crt_set_subject_alt_name(cert,
                                             mail ? GNUTLS_SAN_RFC822NAME : GNUTLS_SAN_DNSNAME,
                                             name, (unsigned)strlen(name), GNUTLS_FSAN_SET) == 0 &&
            gnutls_x509_crt_set_key_usage(cert, GNUTLS_KEY_DIGITAL_SIGNATURE) == 0 &&
            gnutls_x509_crt_sign2(cert, authority->cert, authority->key, GNUTLS_DIG_SHA512, 0) >=
                0 &&
            gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &cert_pem) == 0 &&
            gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                              &key_pem) == 0 &&
            cert_credential_new(&credential, bytes_of(cert_pem.data, cert_pem.size),
                                bytes_of(key_pem.data, key_pem.size), (struct bytes){0}) == OK,
        "credential");
    gnutls_free(cert_pem.data);
    gnutls_free(key_pem.data);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_privkey_deinit(key);
    return credential;
}

const struct pki *pki_get(void)
{
    struct authority ours, other;
    struct bytes der;

    if (pki.trust != NULL) {
        return &pki;
    }
    ours = new_authority("Simulated Authority");
    other = new_authority("Another Authority");
    pki.trust = trust_of(&ours);
    pki.other_trust = trust_of(&other);
    pki.gateway = credential_of(&ours, PKI_GATEWAY);
    pki.wrong_name = credential_of(&ours, PKI_OTHER_NAME);
    pki.client = credential_of(&ours, PKI_CLIENT);
    pki.impostor = credential_of(&other, PKI_GATEWAY);
    der = cert_credential_der(pki.client, 0);
    sim_require(cert_credential_elsewhere(&pki.token, &der, 1, (struct bytes){0}) == OK, "token");
    free_authority(&ours);
    free_authority(&other);
    return &pki;
}

void pki_free(void)
{
    cert_trust_free(pki.trust);
    cert_trust_free(pki.other_trust);
    cert_credential_free(pki.gateway);
    cert_credential_free(pki.wrong_name);
    cert_credential_free(pki.client);
    cert_credential_free(pki.token);
    cert_credential_free(pki.impostor);
    pki = (struct pki){0};
}
