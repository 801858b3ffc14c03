/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/cert.h"
#include "pki.h"
#include "vectors.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define SHA2 (SIG_HASH_SHA2_256 | SIG_HASH_SHA2_384 | SIG_HASH_SHA2_512)
#define ALL (SHA2 | SIG_HASH_IDENTITY)

static struct cert_chain *chain_of_der(struct bytes der)
{
    struct cert_chain *chain;

    ck_assert_int_eq(cert_chain_from_der(&chain, &der, 1), OK);
    return chain;
}

static struct cert_chain *chain_for(gnutls_x509_privkey_t key)
{
    return chain_of_der(pki_der(pki_issue(&(struct pki_spec){.subject = "CN=gw", .key = key}).crt));
}

/* ---- signing and verifying ---- */

static struct bytes key_pem(gnutls_x509_privkey_t key)
{
    gnutls_datum_t pem;
    struct bytes copy;

    ck_assert_int_ge(
        gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem),
        0);
    copy = bytes_of(octets_copy(bytes_of(pem.data, pem.size)), pem.size);
    gnutls_free(pem.data);
    return copy;
}

static struct cert_credential *credential_for(gnutls_x509_privkey_t key)
{
    struct pki_cert own = pki_issue(&(struct pki_spec){.subject = "CN=client", .key = key});
    struct cert_credential *credential;

    ck_assert_int_eq(
        cert_credential_new(&credential, pki_der(own.crt), key_pem(key), (struct bytes){0}), OK);
    return credential;
}

static const struct {
    enum pki_kind kind;
    unsigned hashes;
    bool pss;
    bool legacy;
    uint8_t method; /* 0 = nothing in common */
    const char *described;
    size_t len; /* of the signature, 0 = varies */
} signings[] = {
    {PKI_RSA2048, ALL, true, false, 14, "RSASSA-PSS with SHA2-256", 256},
    {PKI_RSA2048, ALL, false, false, 14, "RSA PKCS#1 v1.5 with SHA2-256", 256},
    {PKI_RSA2048, SIG_HASH_SHA2_384, true, false, 14, "RSASSA-PSS with SHA2-384", 256},
    {PKI_RSA2048, SIG_HASH_SHA2_512, true, false, 14, "RSASSA-PSS with SHA2-512", 256},
    {PKI_RSA2048, SIG_HASH_SHA2_512 | SIG_HASH_SHA1, false, false, 14,
     "RSA PKCS#1 v1.5 with SHA2-512", 256},
    {PKI_RSA2048, SIG_HASH_SHA1, true, false, 0, NULL, 0},
    {PKI_RSA2048, SIG_HASH_IDENTITY, true, false, 0, NULL, 0},
    {PKI_RSA2048, 0, true, false, 0, NULL, 0},
    {PKI_RSA2048, 0, true, true, 1, "RSA PKCS#1 v1.5", 256},
    {PKI_RSA2048, SIG_HASH_SHA1, true, true, 1, "RSA PKCS#1 v1.5", 256},
    /* A key that is marked PSS makes nothing else. */
    {PKI_PSS2048, ALL, false, false, 14, "RSASSA-PSS with SHA2-256", 256},
    {PKI_PSS2048, SIG_HASH_SHA2_512, true, false, 14, "RSASSA-PSS with SHA2-512", 256},
    {PKI_PSS2048, 0, true, true, 0, NULL, 0},
    {PKI_P256, ALL, true, false, 14, "ECDSA with SHA2-256", 0},
    {PKI_P256, SIG_HASH_SHA2_512, true, false, 14, "ECDSA with SHA2-512", 0},
    {PKI_P384, ALL, true, false, 14, "ECDSA with SHA2-384", 0},
    {PKI_P384, SIG_HASH_SHA2_256, true, false, 14, "ECDSA with SHA2-256", 0},
    {PKI_P521, ALL, true, false, 14, "ECDSA with SHA2-512", 0},
    {PKI_P256, 0, true, false, 9, "ECDSA P-256 with SHA2-256", 64},
    {PKI_P384, 0, true, false, 10, "ECDSA P-384 with SHA2-384", 96},
    {PKI_P521, 0, true, false, 11, "ECDSA P-521 with SHA2-512", 132},
    {PKI_P256, SIG_HASH_SHA1, true, false, 9, "ECDSA P-256 with SHA2-256", 64},
    {PKI_ED25519, ALL, true, false, 14, "Ed25519", 64},
    {PKI_ED448, ALL, true, false, 14, "Ed448", 114},
    {PKI_ED25519, SHA2, true, true, 0, NULL, 0},
    {PKI_ED448, 0, true, true, 0, NULL, 0},
};

START_TEST(sign_and_verify)
{
    gnutls_x509_privkey_t key = pki_key(signings[_i].kind, 0);
    struct cert_credential *credential = credential_for(key);
    struct cert_chain *chain = chain_for(key);
    struct cert_chain *stranger = chain_for(pki_key(signings[_i].kind, 1));
    struct bytes octets = bytes_of_string("RealMessage1 | NonceRData | MACedIDForI");
    uint8_t out[1024];
    uint8_t method = 99;
    size_t len = 99;
    char text[80];
    enum err err = cert_sign_auth(credential, signings[_i].hashes, signings[_i].pss,
                                  signings[_i].legacy, octets, &method, out, sizeof(out), &len);

    if (signings[_i].method == 0) {
        ck_assert_int_eq(err, ERR_UNSUPPORTED);
        ck_assert_uint_eq(len, 0);
    } else {
        struct bytes data;

        ck_assert_int_eq(err, OK);
        ck_assert_uint_eq(method, signings[_i].method);
        data = bytes_of(octets_copy(bytes_of(out, len)), len);
        ck_assert_str_eq(cert_auth_describe(method, data, text, sizeof(text)),
                         signings[_i].described);
        if (signings[_i].len != 0) {
            ck_assert_uint_eq(len, signings[_i].len + (method == 14 ? 1U + out[0] : 0));
        }
        ck_assert_int_eq(cert_verify_auth(chain, method, data, octets, signings[_i].legacy), OK);
        ck_assert_int_eq(cert_verify_auth(stranger, method, data, octets, signings[_i].legacy),
                         ERR_INTEGRITY);
        ck_assert_int_eq(cert_sign_auth(credential, signings[_i].hashes, signings[_i].pss,
                                        signings[_i].legacy, octets, &method, out,
                                        len > 80 ? len - 80 : 10, &len),
                         ERR_SPACE);
        ck_assert_uint_eq(len, 0);
    }
    cert_chain_free(chain);
    cert_chain_free(stranger);
    cert_credential_free(credential);
}
END_TEST

/* The same with a key that is elsewhere, which knows no more than what it is told. */
START_TEST(sign_elsewhere)
{
    gnutls_x509_privkey_t key = pki_key(signings[_i].kind, 0);
    struct cert_credential *here = credential_for(key), *elsewhere;
    struct cert_chain *chain = chain_for(key);
    struct bytes octets = bytes_of_string("RealMessage1 | NonceRData | MACedIDForI");
    struct bytes der = cert_credential_der(here, 0);
    gnutls_datum_t data = {(unsigned char *)octets_copy(octets), (unsigned)octets.len};
    gnutls_datum_t signature = {0};
    gnutls_privkey_t signer;
    struct cert_signing signing = {0};
    uint8_t out[1024], method;
    size_t len;
    unsigned flags;

    ck_assert_int_eq(cert_credential_elsewhere(&elsewhere, &der, 1, (struct bytes){0}), OK);
    ck_assert(cert_credential_is_elsewhere(elsewhere) && !cert_credential_is_elsewhere(here));
    ck_assert_int_eq(
        cert_sign_auth(elsewhere, ALL, false, true, octets, &method, out, sizeof(out), &len),
        ERR_STATE);
    enum err err = cert_sign_choose(elsewhere, signings[_i].hashes, signings[_i].pss,
                                    signings[_i].legacy, &signing);
    ck_assert_int_eq(err, signings[_i].method == 0 ? ERR_UNSUPPORTED : OK);
    /* GnuTLS's own key, unlike a token's, insists on its mark. */
    if (err == OK && signings[_i].kind != PKI_PSS2048) {
        ck_assert(cert_signing_flags(signing.algorithm, &flags));
        ck_assert_int_ge(gnutls_privkey_init(&signer), 0);
        ck_assert_int_ge(gnutls_privkey_import_x509(signer, key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
        ck_assert_int_ge(gnutls_privkey_sign_data2(signer,
                                                   (gnutls_sign_algorithm_t)signing.algorithm,
                                                   flags, &data, &signature),
                         0);
        ck_assert_int_eq(cert_sign_finish(elsewhere, &signing, octets,
                                          bytes_of(signature.data, signature.size), out,
                                          sizeof(out), &len),
                         OK);
        ck_assert_int_eq(cert_verify_auth(chain, signing.method, bytes_of(out, len), octets, true),
                         OK);
        signature.data[signature.size - 1] ^= 1;
        ck_assert_int_ne(cert_sign_finish(elsewhere, &signing, octets,
                                          bytes_of(signature.data, signature.size), out,
                                          sizeof(out), &len),
                         OK);
        ck_assert_uint_eq(len, 0);
        gnutls_free(signature.data);
        gnutls_privkey_deinit(signer);
    }
    cert_chain_free(chain);
    cert_credential_free(here);
    cert_credential_free(elsewhere);
}
END_TEST

START_TEST(no_other_algorithms_elsewhere)
{
    unsigned flags;

    ck_assert(!cert_signing_flags(0, &flags));
    ck_assert(!cert_signing_flags(GNUTLS_SIGN_RSA_MD5, &flags));
    ck_assert(!cert_signing_flags(GNUTLS_SIGN_DSA_SHA1, &flags));
    ck_assert(!cert_signing_flags(255, &flags));
}
END_TEST

/* The same signature under the spelling of RFC 7427 A.4.3, which has the trailerField. */
START_TEST(pss_with_trailer_field)
{
    gnutls_x509_privkey_t key = pki_key(PKI_RSA2048, 0);
    struct cert_credential *credential = credential_for(key);
    struct cert_chain *chain = chain_for(key);
    struct bytes octets = bytes_of_string("octets");
    struct bytes spelled =
        hex("48304606092a864886f70d01010a3039a00f300d06096086480165030402010500a11c301a06092a"
            "864886f70d010108300d06096086480165030402010500a203020120a303020101");
    uint8_t out[400];
    uint8_t method;
    size_t len;

    ck_assert_uint_eq(spelled.len, 73);
    ck_assert_int_eq(cert_sign_auth(credential, SHA2, true, false, octets, &method, out + 5,
                                    sizeof(out) - 5, &len),
                     OK);
    ck_assert_uint_eq(out[5], 67);
    spelled.len = 73;
    memcpy(out, spelled.data, spelled.len);
    ck_assert_int_eq(cert_verify_auth(chain, method, bytes_of(out, len + 5), octets, false), OK);
    cert_chain_free(chain);
    cert_credential_free(credential);
}
END_TEST

/* r or s with leading zeros is one signature in 128: many are made, so that some have them. */
START_TEST(old_ecdsa_padding)
{
    static const enum pki_kind kinds[] = {PKI_P256, PKI_P384, PKI_P521};
    gnutls_x509_privkey_t key = pki_key(kinds[_i], 0);
    struct cert_credential *credential = credential_for(key);
    struct cert_chain *chain = chain_for(key);
    unsigned short_ones = 0;
    unsigned enough = kinds[_i] == PKI_P521 ? 8 : 2;

    for (uint32_t i = 0; i < 3000 && short_ones < enough; i++) {
        struct bytes octets = bytes_of(&i, sizeof(i));
        uint8_t out[132];
        uint8_t method;
        size_t len;

        ck_assert_int_eq(
            cert_sign_auth(credential, 0, false, false, octets, &method, out, sizeof(out), &len),
            OK);
        ck_assert_int_eq(cert_verify_auth(chain, method, bytes_of(out, len), octets, false), OK);
        short_ones += out[0] == 0 || out[len / 2] == 0;
    }
    ck_assert_uint_ge(short_ones, enough);
    cert_chain_free(chain);
    cert_credential_free(credential);
}
END_TEST

/* Before the tests fork: RSA keys take their time. */
static void make_keys(void)
{
    (void)pki_key(PKI_RSA2048, 0);
    (void)pki_key(PKI_RSA2048, 1);
    (void)pki_key(PKI_PSS2048, 0);
    (void)pki_key(PKI_PSS2048, 1);
}

int main(void)
{
    Suite *suite = suite_create("cert_sign");
    TCase *signing = tcase_create("signing");

    tcase_add_unchecked_fixture(signing, make_keys, NULL);
    tcase_add_loop_test(signing, sign_and_verify, 0, COUNT(signings));
    tcase_add_loop_test(signing, sign_elsewhere, 0, COUNT(signings));
    tcase_add_test(signing, no_other_algorithms_elsewhere);
    tcase_add_test(signing, pss_with_trailer_field);
    tcase_add_loop_test(signing, old_ecdsa_padding, 0, 3);
    suite_add_tcase(suite, signing);
    return run_suite(suite);
}
