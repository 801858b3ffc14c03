/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pki.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "vectors.h"

static void must(int code)
{
    ck_assert_msg(code >= 0, "GnuTLS: %s", gnutls_strerror(code));
}

gnutls_x509_privkey_t pki_key(enum pki_kind kind, unsigned number)
{
    static gnutls_x509_privkey_t keys[PKI_KINDS][PKI_KEYS];
    static const struct {
        gnutls_pk_algorithm_t algorithm;
        unsigned bits;
    } kinds[PKI_KINDS] = {
        [PKI_RSA2048] = {GNUTLS_PK_RSA, 2048},
        [PKI_RSA1024] = {GNUTLS_PK_RSA, 1024},
        [PKI_P256] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
        [PKI_P384] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1)},
        [PKI_P521] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1)},
        [PKI_ED25519] = {GNUTLS_PK_EDDSA_ED25519, 0},
        [PKI_ED448] = {GNUTLS_PK_EDDSA_ED448, 0},
        [PKI_PSS2048] = {GNUTLS_PK_RSA_PSS, 2048},
        [PKI_DSA2048] = {GNUTLS_PK_DSA, 2048},
    };
    gnutls_x509_privkey_t *key = &keys[kind][number];

    if (*key == NULL) {
        must(gnutls_x509_privkey_init(key));
        must(gnutls_x509_privkey_generate(*key, kinds[kind].algorithm, kinds[kind].bits, 0));
    }
    return *key;
}

static void add_name(gnutls_x509_crt_t crt, const char *name)
{
    const char *value = strchr(name, ':') + 1;
    unsigned char address[16];
    unsigned len = 4;

    if (strncmp(name, "dns:", 4) == 0) {
        must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, value,
                                                  (unsigned)strlen(value), GNUTLS_FSAN_APPEND));
    } else if (strncmp(name, "email:", 6) == 0) {
        must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_RFC822NAME, value,
                                                  (unsigned)strlen(value), GNUTLS_FSAN_APPEND));
    } else if (strncmp(name, "uri:", 4) == 0) {
        must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_URI, value,
                                                  (unsigned)strlen(value), GNUTLS_FSAN_APPEND));
    } else {
        if (inet_pton(AF_INET, value, address) != 1) {
            ck_assert_int_eq(inet_pton(AF_INET6, value, address), 1);
            len = 16;
        }
        must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, len,
                                                  GNUTLS_FSAN_APPEND));
    }
}

static void set_constraints(gnutls_x509_crt_t crt, const struct pki_spec *spec)
{
    gnutls_x509_name_constraints_t constraints;
    gnutls_datum_t permitted = {.data = (unsigned char *)(uintptr_t)spec->permitted_dns};
    gnutls_datum_t excluded = {.data = (unsigned char *)(uintptr_t)spec->excluded_dns};

    if (spec->permitted_dns == NULL && spec->excluded_dns == NULL) {
        return;
    }
    must(gnutls_x509_name_constraints_init(&constraints));
    if (spec->permitted_dns != NULL) {
        permitted.size = (unsigned)strlen(spec->permitted_dns);
        must(gnutls_x509_name_constraints_add_permitted(constraints, GNUTLS_SAN_DNSNAME,
                                                        &permitted));
    }
    if (spec->excluded_dns != NULL) {
        excluded.size = (unsigned)strlen(spec->excluded_dns);
        must(gnutls_x509_name_constraints_add_excluded(constraints, GNUTLS_SAN_DNSNAME, &excluded));
    }
    must(gnutls_x509_crt_set_name_constraints(crt, constraints, 1));
    gnutls_x509_name_constraints_deinit(constraints);
}

static void add_extensions(gnutls_x509_crt_t crt, const struct pki_spec *spec)
{
    unsigned usage = spec->usage != 0 ? spec->usage : spec->ca ? GNUTLS_KEY_KEY_CERT_SIGN : 0;

    if (spec->ca) {
        must(gnutls_x509_crt_set_basic_constraints(crt, 1, spec->no_path_limit_but_zero ? 0 : -1));
    }
    if (usage != 0) {
        must(gnutls_x509_crt_set_key_usage(crt, usage));
    }
    for (size_t i = 0; i < 6 && spec->names[i] != NULL; i++) {
        add_name(crt, spec->names[i]);
    }
    if (spec->raw_names.len > 0) {
        must(gnutls_x509_crt_set_extension_by_oid(crt, GNUTLS_X509EXT_OID_SAN, spec->raw_names.data,
                                                  spec->raw_names.len, 0));
    }
    for (size_t i = 0; i < 3 && spec->purposes[i] != NULL; i++) {
        must(gnutls_x509_crt_set_key_purpose_oid(crt, spec->purposes[i], 0));
    }
    set_constraints(crt, spec);
    if (spec->critical_oid != NULL) {
        must(gnutls_x509_crt_set_extension_by_oid(crt, spec->critical_oid, "\x05\x00", 2, 1));
    }
}

struct pki_cert pki_issue(const struct pki_spec *spec)
{
    struct pki_cert made = {.key = spec->key != NULL ? spec->key : pki_key(PKI_P256, 0)};
    struct pki_cert self;
    const struct pki_cert *issuer;
    gnutls_digest_algorithm_t hash = spec->hash != 0 ? spec->hash : GNUTLS_DIG_SHA256;
    gnutls_privkey_t signer;
    static gnutls_x509_crt_t issued[4096]; /* still reachable at the end: no leak */
    static uint32_t serial;
    uint8_t number[4] = {1, (uint8_t)(serial >> 16), (uint8_t)(serial >> 8), (uint8_t)serial};

    ck_assert_uint_lt(serial, sizeof(issued) / sizeof(issued[0]));
    must(gnutls_x509_crt_init(&made.crt));
    issued[serial++] = made.crt;
    must(gnutls_x509_crt_set_version(made.crt, 3));
    must(gnutls_x509_crt_set_serial(made.crt, number, sizeof(number)));
    must(gnutls_x509_crt_set_activation_time(made.crt, spec->from != 0 ? spec->from
                                                                       : PKI_NOW - 365 * PKI_DAY));
    must(gnutls_x509_crt_set_expiration_time(made.crt, spec->until != 0 ? spec->until
                                                                        : PKI_NOW + 365 * PKI_DAY));
    if (spec->subject != NULL) {
        must(gnutls_x509_crt_set_dn(made.crt, spec->subject, NULL));
    }
    if (spec->public_key != NULL) {
        must(gnutls_x509_crt_set_pubkey(made.crt, spec->public_key));
    } else {
        must(gnutls_x509_crt_set_key(made.crt, made.key));
    }
    add_extensions(made.crt, spec);
    self = made;
    issuer = spec->issuer != NULL ? spec->issuer : &self;
    must(gnutls_privkey_init(&signer));
    must(gnutls_privkey_import_x509(signer, issuer->key, GNUTLS_PRIVKEY_IMPORT_COPY));
    switch ((int)gnutls_privkey_get_pk_algorithm(signer, NULL)) {
    case GNUTLS_PK_EDDSA_ED25519:
        hash = GNUTLS_DIG_SHA512;
        break;
    case GNUTLS_PK_EDDSA_ED448:
        hash = GNUTLS_DIG_SHAKE_256;
        break;
    default:
        break;
    }
    must(gnutls_x509_crt_privkey_sign(made.crt, issuer->crt, signer, hash, 0));
    gnutls_privkey_deinit(signer);
    return made;
}

struct bytes pki_der(gnutls_x509_crt_t crt)
{
    gnutls_datum_t der;
    struct bytes copy;

    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der));
    copy = bytes_of(octets_copy(bytes_of(der.data, der.size)), der.size);
    gnutls_free(der.data);
    return copy;
}

struct bytes pki_pem(const struct pki_cert *const *certs, size_t n)
{
    size_t len = 0;
    char *text = NULL;
    struct bytes copy;

    for (size_t i = 0; i < n; i++) {
        gnutls_datum_t pem;

        must(gnutls_x509_crt_export2(certs[i]->crt, GNUTLS_X509_FMT_PEM, &pem));
        text = realloc(text, len + pem.size);
        ck_assert_ptr_nonnull(text);
        memcpy(text + len, pem.data, pem.size);
        len += pem.size;
        gnutls_free(pem.data);
    }
    copy = bytes_of(octets_copy(bytes_of(text, len)), len);
    free(text);
    return copy;
}

struct cert_chain *pki_chain(const struct pki_cert *const *certs, size_t n)
{
    struct bytes ders[CERT_CHAIN_MAX];
    struct cert_chain *chain;

    ck_assert_uint_le(n, CERT_CHAIN_MAX);
    for (size_t i = 0; i < n; i++) {
        ders[i] = pki_der(certs[i]->crt);
    }
    ck_assert_int_eq(cert_chain_from_der(&chain, ders, n), OK);
    return chain;
}
