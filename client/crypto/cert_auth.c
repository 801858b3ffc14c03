/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gnutls/crypto.h>
#include <stdio.h>

#include "common/cursor.h"
#include "crypto/cert_internal.h"

/* Signatures in AUTH payloads: RFC 7427, RFC 8420, RFC 4754 and the RSA method of RFC 7296 2.15. */

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384
#define RSA_EXPONENT_MIN 65537
#define RSA_EXPONENT_OCTETS_MAX 8
#define SCHEME_DER_MAX 72

/*
 * Every AlgorithmIdentifier that we accept, compared octet by octet: no DER is parsed here, so
 * there is nothing to mislead (negative salts, wrong mask functions). The first row of a kind is
 * the one that we send.
 */
struct scheme {
    const char *name;
    gnutls_pk_algorithm_t key;
    gnutls_sign_algorithm_t sign;
    gnutls_sign_algorithm_t
        sign_pss_key; /* for keys that are marked RSASSA-PSS themselves; only PSS has it */
    unsigned hash;    /* enum sig_hash */
    uint8_t der_len;
    uint8_t der[SCHEME_DER_MAX];
};

static const struct scheme schemes[] = {
    {"RSASSA-PSS with SHA2-256",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,
     GNUTLS_SIGN_RSA_PSS_SHA256,
     SIG_HASH_SHA2_256,
     67,
     {0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30,
      0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
      0x02, 0x01, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
      0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
      0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x20}},
    {"RSASSA-PSS with SHA2-384",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_PSS_RSAE_SHA384,
     GNUTLS_SIGN_RSA_PSS_SHA384,
     SIG_HASH_SHA2_384,
     67,
     {0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30,
      0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
      0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
      0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
      0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30}},
    {"RSASSA-PSS with SHA2-512",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_PSS_RSAE_SHA512,
     GNUTLS_SIGN_RSA_PSS_SHA512,
     SIG_HASH_SHA2_512,
     67,
     {0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30,
      0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
      0x02, 0x03, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
      0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
      0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x40}},
    {"RSASSA-PSS with SHA2-256",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,
     GNUTLS_SIGN_RSA_PSS_SHA256,
     SIG_HASH_SHA2_256,
     72,
     {0x30, 0x46, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39,
      0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
      0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
      0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
      0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x20, 0xa3, 0x03, 0x02, 0x01, 0x01}},
    {"RSASSA-PSS with SHA2-384",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_PSS_RSAE_SHA384,
     GNUTLS_SIGN_RSA_PSS_SHA384,
     SIG_HASH_SHA2_384,
     72,
     {0x30, 0x46, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39,
      0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
      0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
      0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
      0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30, 0xa3, 0x03, 0x02, 0x01, 0x01}},
    {"RSASSA-PSS with SHA2-512",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_PSS_RSAE_SHA512,
     GNUTLS_SIGN_RSA_PSS_SHA512,
     SIG_HASH_SHA2_512,
     72,
     {0x30, 0x46, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39,
      0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03,
      0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
      0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03,
      0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x40, 0xa3, 0x03, 0x02, 0x01, 0x01}},
    {"RSA PKCS#1 v1.5 with SHA2-256",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_SHA256,
     GNUTLS_SIGN_UNKNOWN,
     SIG_HASH_SHA2_256,
     15,
     {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00}},
    {"RSA PKCS#1 v1.5 with SHA2-384",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_SHA384,
     GNUTLS_SIGN_UNKNOWN,
     SIG_HASH_SHA2_384,
     15,
     {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00}},
    {"RSA PKCS#1 v1.5 with SHA2-512",
     GNUTLS_PK_RSA,
     GNUTLS_SIGN_RSA_SHA512,
     GNUTLS_SIGN_UNKNOWN,
     SIG_HASH_SHA2_512,
     15,
     {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00}},
    {"ECDSA with SHA2-256",
     GNUTLS_PK_ECDSA,
     GNUTLS_SIGN_ECDSA_SHA256,
     GNUTLS_SIGN_UNKNOWN,
     SIG_HASH_SHA2_256,
     12,
     {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}},
    {"ECDSA with SHA2-384",
     GNUTLS_PK_ECDSA,
     GNUTLS_SIGN_ECDSA_SHA384,
     GNUTLS_SIGN_UNKNOWN,
     SIG_HASH_SHA2_384,
     12,
     {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03}},
    {"ECDSA with SHA2-512",
     GNUTLS_PK_ECDSA,
     GNUTLS_SIGN_ECDSA_SHA512,
     GNUTLS_SIGN_UNKNOWN,
     SIG_HASH_SHA2_512,
     12,
     {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04}},
    {"Ed25519",
     GNUTLS_PK_EDDSA_ED25519,
     GNUTLS_SIGN_EDDSA_ED25519,
     GNUTLS_SIGN_UNKNOWN,
     SIG_HASH_IDENTITY,
     7,
     {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70}},
    {"Ed448",
     GNUTLS_PK_EDDSA_ED448,
     GNUTLS_SIGN_EDDSA_ED448,
     GNUTLS_SIGN_UNKNOWN,
     SIG_HASH_IDENTITY,
     7,
     {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71}},
};

#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

/* RFC 4754: curve and hash are fixed, the signature is r | s, each as long as the group order. */
struct old_ecdsa {
    uint8_t method;
    gnutls_ecc_curve_t curve;
    gnutls_sign_algorithm_t sign;
    uint8_t half;
    const char *name;
};

static const struct old_ecdsa old_ecdsa[] = {
    {AUTH_METHOD_ECDSA_256, GNUTLS_ECC_CURVE_SECP256R1, GNUTLS_SIGN_ECDSA_SHA256, 32,
     "ECDSA P-256 with SHA2-256"},
    {AUTH_METHOD_ECDSA_384, GNUTLS_ECC_CURVE_SECP384R1, GNUTLS_SIGN_ECDSA_SHA384, 48,
     "ECDSA P-384 with SHA2-384"},
    {AUTH_METHOD_ECDSA_521, GNUTLS_ECC_CURVE_SECP521R1, GNUTLS_SIGN_ECDSA_SHA512, 66,
     "ECDSA P-521 with SHA2-512"},
};

#define N_OLD_ECDSA (sizeof(old_ecdsa) / sizeof(old_ecdsa[0]))

static const struct old_ecdsa *old_ecdsa_find(uint8_t method)
{
    for (size_t i = 0; i < N_OLD_ECDSA; i++) {
        if (old_ecdsa[i].method == method) {
            return &old_ecdsa[i];
        }
    }
    return NULL;
}

/* Takes RFC 7427's Authentication Data apart; NULL for an AlgorithmIdentifier that we do not
 * accept. */
static const struct scheme *scheme_read(struct reader *r)
{
    struct bytes der = rd_bytes(r, rd_u8(r));

    for (size_t i = 0; i < N_SCHEMES && der.len > 0; i++) {
        if (bytes_equal(der, bytes_of(schemes[i].der, schemes[i].der_len))) {
            return &schemes[i];
        }
    }
    return NULL;
}

static gnutls_datum_t datum_of(struct bytes data)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)data.data,
                            .size = (unsigned)data.len};
}

/* ---- verifying ---- */

/* A tiny or even exponent makes forgeries cheap (CVE-2026-50722, CVE-2026-14957); a huge modulus
 * makes us slow. */
static enum err rsa_key_check(gnutls_pubkey_t key)
{
    gnutls_datum_t n = {0};
    gnutls_datum_t e = {0};
    uint64_t exponent = 0;
    unsigned bits = 0;
    enum err err = OK;
    int code = gnutls_pubkey_export_rsa_raw2(key, &n, &e, GNUTLS_EXPORT_FLAG_NO_LZ);

    if (code < 0) {
        return cert_err(code, ERR_KEY);
    }
    if (e.size == 0 || e.size > RSA_EXPONENT_OCTETS_MAX || n.size == 0 ||
        n.size > RSA_BITS_MAX / 8) {
        err = ERR_KEY;
        goto out;
    }
    for (unsigned i = 0; i < e.size; i++) {
        exponent = exponent << 8 | e.data[i];
    }
    for (bits = n.size * 8; bits > 0 && (n.data[0] >> ((bits - 1) % 8) & 1) == 0; bits--) {
    }
    if (bits < RSA_BITS_MIN || exponent < RSA_EXPONENT_MIN || exponent % 2 == 0 ||
        n.data[n.size - 1] % 2 == 0) {
        err = ERR_KEY;
    }
out:
    gnutls_free(n.data);
    gnutls_free(e.data);
    return err;
}

static enum err key_of(gnutls_x509_crt_t cert, gnutls_pubkey_t *key,
                       gnutls_pk_algorithm_t *algorithm)
{
    int code = gnutls_pubkey_init(key);
    enum err err;

    if (code < 0) {
        return cert_err(code, ERR_CRYPTO);
    }
    code = gnutls_pubkey_import_x509(*key, cert, 0);
    if (code < 0) {
        gnutls_pubkey_deinit(*key);
        return cert_err(code, ERR_UNSUPPORTED);
    }
    *algorithm = (gnutls_pk_algorithm_t)gnutls_pubkey_get_pk_algorithm(*key, NULL);
    err = OK;
    if (*algorithm == GNUTLS_PK_RSA || *algorithm == GNUTLS_PK_RSA_PSS) {
        err = rsa_key_check(*key);
    }
    if (err != OK) {
        gnutls_pubkey_deinit(*key);
    }
    return err;
}

/* One INTEGER in its only DER form: positive, no superfluous leading octet, of fewer than 128
 * octets as each curve's are. */
static bool rd_strict_integer(struct reader *r)
{
    uint8_t tag = rd_u8(r);
    size_t len = rd_u8(r);
    struct bytes value = rd_bytes(r, len);

    return tag == 0x02 && len < 0x80 && value.len > 0 && value.data[0] < 0x80 &&
           (value.len == 1 || value.data[0] != 0 || value.data[1] >= 0x80);
}

/* The library also takes BER and negative numbers, so that one signature would have many spellings.
 */
static bool is_strict_ecdsa(struct bytes signature)
{
    struct reader r = reader_of(signature);
    size_t len = cert_read_sequence(&r);

    return !r.failed && len == r.left && rd_strict_integer(&r) && rd_strict_integer(&r) &&
           rd_done(&r);
}

/* What the library should refuse and does not, by kind of signature. */
static bool is_well_formed(gnutls_sign_algorithm_t sign, struct bytes signature)
{
    switch ((int)sign) {
    case GNUTLS_SIGN_ECDSA_SHA256:
    case GNUTLS_SIGN_ECDSA_SHA384:
    case GNUTLS_SIGN_ECDSA_SHA512:
        return is_strict_ecdsa(signature);
    case GNUTLS_SIGN_EDDSA_ED448:
        /* S is below 2^446 (RFC 8032 5.2.7); Nettle 3.8 does not look at its last octet. */
        return signature.len == 114 && signature.data[113] == 0;
    default:
        return signature.len > 0;
    }
}

static enum err verify(gnutls_pubkey_t key, gnutls_sign_algorithm_t sign, unsigned flags,
                       struct bytes octets, struct bytes signature)
{
    gnutls_datum_t data = datum_of(octets);
    gnutls_datum_t value = datum_of(signature);

    if (signature.len > UINT16_MAX || !is_well_formed(sign, signature)) {
        return ERR_INTEGRITY;
    }
    /* Malformed, of a wrong length and simply wrong are the same thing to the caller. */
    return cert_err(gnutls_pubkey_verify_data2(key, sign, flags, &data, &value), ERR_INTEGRITY);
}

static enum err verify_scheme(gnutls_pubkey_t key, gnutls_pk_algorithm_t algorithm,
                              struct bytes auth_data, struct bytes octets)
{
    struct reader r = reader_of(auth_data);
    const struct scheme *scheme = scheme_read(&r);
    gnutls_sign_algorithm_t sign;
    unsigned flags = 0;

    if (r.failed) {
        return ERR_SYNTAX;
    }
    if (scheme == NULL) {
        return ERR_UNSUPPORTED;
    }
    sign = scheme->sign;
    if (scheme->sign_pss_key != GNUTLS_SIGN_UNKNOWN) {
        flags = GNUTLS_VERIFY_RSA_PSS_FIXED_SALT_LENGTH;
        if (algorithm == GNUTLS_PK_RSA_PSS) {
            sign = scheme->sign_pss_key;
            algorithm = GNUTLS_PK_RSA;
        }
    }
    if (scheme->key != algorithm) {
        return ERR_UNSUPPORTED;
    }
    return verify(key, sign, flags, octets, rd_rest(&r));
}

static enum err verify_old_ecdsa(gnutls_pubkey_t key, const struct old_ecdsa *old,
                                 struct bytes signature, struct bytes octets)
{
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    gnutls_datum_t parts[2];
    gnutls_datum_t der = {0};
    enum err err;
    int code = gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0);

    if (code < 0 || curve != old->curve) {
        return cert_err(code < 0 ? code : GNUTLS_E_ILLEGAL_PARAMETER, ERR_UNSUPPORTED);
    }
    if (signature.len != 2U * old->half) {
        return ERR_INTEGRITY;
    }
    for (size_t i = 0; i < 2; i++) {
        struct bytes part = bytes_of(signature.data + i * old->half, old->half);

        /* DER wants the shortest form of each number. */
        while (part.len > 1 && part.data[0] == 0) {
            part = bytes_of(part.data + 1, part.len - 1);
        }
        parts[i] = datum_of(part);
    }
    code = gnutls_encode_rs_value(&der, &parts[0], &parts[1]);
    if (code < 0) {
        return cert_err(code, ERR_INTEGRITY);
    }
    err = verify(key, old->sign, 0, octets, bytes_of(der.data, der.size));
    gnutls_free(der.data);
    return err;
}

/* Method 1 names no hash: SHA-1 by the book, SHA2-256 by many gateways. */
static enum err verify_old_rsa(gnutls_pubkey_t key, struct bytes signature, struct bytes octets,
                               bool legacy)
{
    enum err err = verify(key, GNUTLS_SIGN_RSA_SHA256, 0, octets, signature);

    if (err != ERR_INTEGRITY) {
        return err;
    }
    err = verify(key, GNUTLS_SIGN_RSA_SHA1, GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1, octets, signature);
    return err == OK && !legacy ? ERR_UNSUPPORTED : err;
}

static enum err verify_auth(gnutls_x509_crt_t cert, uint8_t method, struct bytes auth_data,
                            struct bytes octets, bool legacy)
{
    const struct old_ecdsa *old = old_ecdsa_find(method);
    gnutls_pk_algorithm_t algorithm = GNUTLS_PK_UNKNOWN;
    gnutls_pubkey_t key;
    enum err err;

    if (method != AUTH_METHOD_DIGITAL_SIGNATURE && method != AUTH_METHOD_RSA && old == NULL) {
        return ERR_UNSUPPORTED;
    }
    err = key_of(cert, &key, &algorithm);
    if (err != OK) {
        return err;
    }
    if (method == AUTH_METHOD_DIGITAL_SIGNATURE) {
        err = verify_scheme(key, algorithm, auth_data, octets);
    } else if (old != NULL) {
        err = algorithm == GNUTLS_PK_ECDSA ? verify_old_ecdsa(key, old, auth_data, octets)
                                           : ERR_UNSUPPORTED;
    } else {
        err = algorithm == GNUTLS_PK_RSA ? verify_old_rsa(key, auth_data, octets, legacy)
                                         : ERR_UNSUPPORTED;
    }
    gnutls_pubkey_deinit(key);
    return err;
}

enum err cert_verify_auth(const struct cert_chain *chain, uint8_t method, struct bytes auth_data,
                          struct bytes octets, bool legacy)
{
    return verify_auth(chain->certs[0], method, auth_data, octets, legacy);
}

const char *cert_auth_describe(uint8_t method, struct bytes auth_data, char *out, size_t cap)
{
    const struct old_ecdsa *old = old_ecdsa_find(method);
    struct reader r = reader_of(auth_data);
    const struct scheme *scheme;

    if (old != NULL) {
        snprintf(out, cap, "%s", old->name);
        return out;
    }
    switch (method) {
    case AUTH_METHOD_RSA:
        snprintf(out, cap, "RSA PKCS#1 v1.5");
        break;
    case AUTH_METHOD_PSK:
        snprintf(out, cap, "pre-shared key");
        break;
    case AUTH_METHOD_NULL:
        snprintf(out, cap, "NULL");
        break;
    case AUTH_METHOD_DIGITAL_SIGNATURE:
        scheme = scheme_read(&r);
        snprintf(out, cap, "%s",
                 scheme != NULL ? scheme->name : "signature with an unknown algorithm");
        break;
    default:
        snprintf(out, cap, "method %u", (unsigned)method);
        break;
    }
    return out;
}

/* ---- signing ---- */

/* The hash that is as strong as the key, then stronger ones, then weaker ones. */
static const struct scheme *scheme_choose(const struct cert_credential *credential,
                                          unsigned peer_hashes, bool rsa_pss)
{
    static const unsigned orders[3][3] = {
        {SIG_HASH_SHA2_256, SIG_HASH_SHA2_384, SIG_HASH_SHA2_512},
        {SIG_HASH_SHA2_384, SIG_HASH_SHA2_512, SIG_HASH_SHA2_256},
        {SIG_HASH_SHA2_512, SIG_HASH_SHA2_384, SIG_HASH_SHA2_256},
    };
    bool is_rsa =
        credential->algorithm == GNUTLS_PK_RSA || credential->algorithm == GNUTLS_PK_RSA_PSS;
    bool want_pss = credential->algorithm == GNUTLS_PK_RSA_PSS || (is_rsa && rsa_pss);
    gnutls_pk_algorithm_t key = is_rsa ? GNUTLS_PK_RSA : credential->algorithm;
    unsigned middle =
        is_rsa ? 3072
               : 256; /* the largest key that SHA2-256 serves; above `large` comes SHA2-512 */
    unsigned large = is_rsa ? 7680 : 384;
    const unsigned *order = orders[credential->bits <= middle  ? 0
                                   : credential->bits <= large ? 1
                                                               : 2];

    for (size_t h = 0; h < 3; h++) {
        for (size_t i = 0; i < N_SCHEMES; i++) {
            bool is_pss = schemes[i].sign_pss_key != GNUTLS_SIGN_UNKNOWN;
            bool identity = schemes[i].hash == SIG_HASH_IDENTITY;

            if (schemes[i].key == key && is_pss == want_pss &&
                (schemes[i].hash & peer_hashes) != 0 && (identity || schemes[i].hash == order[h])) {
                return &schemes[i];
            }
        }
    }
    return NULL;
}

/* What has no name in RFC 7427: the curve says the method, and RSA has SHA-1. */
static enum err choose_old(const struct cert_credential *credential, bool legacy,
                           struct cert_signing *out)
{
    for (size_t i = 0; i < N_OLD_ECDSA && credential->algorithm == GNUTLS_PK_ECDSA; i++) {
        if ((unsigned)gnutls_ecc_curve_get_size(old_ecdsa[i].curve) == (credential->bits + 7) / 8) {
            *out = (struct cert_signing){old_ecdsa[i].method, (uint8_t)old_ecdsa[i].sign};
            return OK;
        }
    }
    if (credential->algorithm != GNUTLS_PK_RSA || !legacy) {
        return ERR_UNSUPPORTED;
    }
    *out = (struct cert_signing){AUTH_METHOD_RSA, GNUTLS_SIGN_RSA_SHA1};
    return OK;
}

enum err cert_sign_choose(const struct cert_credential *credential, unsigned peer_hashes,
                          bool rsa_pss, bool legacy, struct cert_signing *out)
{
    const struct scheme *scheme = scheme_choose(credential, peer_hashes, rsa_pss);

    if (scheme == NULL) {
        return choose_old(credential, legacy, out);
    }
    /* A token does not know how its key is marked in the certificate. */
    *out = (struct cert_signing){
        .method = AUTH_METHOD_DIGITAL_SIGNATURE,
        .algorithm = (uint8_t)(credential->algorithm == GNUTLS_PK_RSA_PSS && credential->key != NULL
                                   ? scheme->sign_pss_key
                                   : scheme->sign),
    };
    return OK;
}

/* The row that we send. */
static const struct scheme *scheme_of(uint8_t algorithm)
{
    for (size_t i = 0; i < N_SCHEMES; i++) {
        if ((uint8_t)schemes[i].sign == algorithm ||
            (uint8_t)schemes[i].sign_pss_key == algorithm) {
            return &schemes[i];
        }
    }
    return NULL;
}

bool cert_signing_flags(uint8_t algorithm, unsigned *flags)
{
    const struct scheme *scheme = algorithm != 0 ? scheme_of(algorithm) : NULL;

    *flags = scheme != NULL && scheme->sign_pss_key != GNUTLS_SIGN_UNKNOWN
                 ? GNUTLS_PRIVKEY_FLAG_RSA_PSS_FIXED_SALT_LENGTH
                 : 0;
    return scheme != NULL || algorithm == (uint8_t)GNUTLS_SIGN_RSA_SHA1;
}

/* Right-aligned in `half` octets. */
static void wr_half(struct writer *w, const gnutls_datum_t *number, size_t half)
{
    struct bytes value = bytes_of(number->data, number->size);

    while (value.len > half && value.data[0] == 0) {
        value = bytes_of(value.data + 1, value.len - 1);
    }
    if (value.len > half) {
        w->failed = true;
        return;
    }
    wr_zeros(w, half - value.len);
    wr_bytes(w, value);
}

static enum err write_old_ecdsa(const struct old_ecdsa *old, struct bytes signature,
                                struct writer *w)
{
    const gnutls_datum_t der = datum_of(signature);
    gnutls_datum_t r = {0};
    gnutls_datum_t s = {0};
    enum err err = cert_err(gnutls_decode_rs_value(&der, &r, &s), ERR_CRYPTO);

    if (err == OK) {
        wr_half(w, &r, old->half);
        wr_half(w, &s, old->half);
    }
    gnutls_free(r.data);
    gnutls_free(s.data);
    return err;
}

static enum err write_signature(const struct cert_signing *signing, struct bytes signature,
                                struct writer *w)
{
    const struct old_ecdsa *old = old_ecdsa_find(signing->method);
    const struct scheme *scheme = scheme_of(signing->algorithm);

    if (old != NULL) {
        return write_old_ecdsa(old, signature, w);
    }
    if (signing->method == AUTH_METHOD_DIGITAL_SIGNATURE) {
        if (scheme == NULL) {
            return ERR_UNSUPPORTED;
        }
        wr_u8(w, scheme->der_len);
        wr_bytes(w, bytes_of(scheme->der, scheme->der_len));
    }
    wr_bytes(w, signature);
    return OK;
}

static enum err write_whole(const struct cert_signing *signing, struct bytes signature,
                            uint8_t *out, size_t cap, size_t *len)
{
    struct writer w = writer_of(out, cap);
    enum err err = write_signature(signing, signature, &w);

    if (err == OK && w.failed) {
        err = ERR_SPACE;
    }
    *len = err == OK ? w.len : 0;
    return err;
}

enum err cert_sign_finish(const struct cert_credential *credential,
                          const struct cert_signing *signing, struct bytes octets,
                          struct bytes signature, uint8_t *out, size_t cap, size_t *len)
{
    enum err err = write_whole(signing, signature, out, cap, len);

    if (err == OK) {
        err = verify_auth(credential->certs[0], signing->method, bytes_of(out, *len), octets, true);
    }
    if (err != OK) {
        *len = 0;
    }
    return err;
}

enum err cert_sign_auth(const struct cert_credential *credential, unsigned peer_hashes,
                        bool rsa_pss, bool legacy, struct bytes octets, uint8_t *method,
                        uint8_t *out, size_t cap, size_t *len)
{
    const gnutls_datum_t data = datum_of(octets);
    gnutls_datum_t signature = {0};
    struct cert_signing signing = {0};
    unsigned flags;
    enum err err = credential->key == NULL
                       ? ERR_STATE
                       : cert_sign_choose(credential, peer_hashes, rsa_pss, legacy, &signing);

    *len = 0;
    *method = signing.method;
    if (err == OK && !cert_signing_flags(signing.algorithm, &flags)) {
        err = ERR_UNSUPPORTED;
    }
    if (err == OK) {
        err = cert_err(gnutls_privkey_sign_data2(credential->key,
                                                 (gnutls_sign_algorithm_t)signing.algorithm, flags,
                                                 &data, &signature),
                       ERR_CRYPTO);
    }
    if (err == OK) {
        err = write_whole(&signing, bytes_of(signature.data, signature.size), out, cap, len);
    }
    gnutls_free(signature.data);
    return err;
}
