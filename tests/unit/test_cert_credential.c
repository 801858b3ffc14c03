/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "crypto/cert.h"
#include "pki.h"
#include "vectors.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct bytes none;

static struct bytes take(gnutls_datum_t *datum)
{
    struct bytes copy = bytes_of(octets_copy(bytes_of(datum->data, datum->size)), datum->size);

    gnutls_free(datum->data);
    return copy;
}

static struct bytes pkcs8(gnutls_x509_privkey_t key, gnutls_x509_crt_fmt_t format,
                          const char *password, unsigned flags)
{
    gnutls_datum_t out;

    ck_assert_int_ge(gnutls_x509_privkey_export2_pkcs8(key, format, password, flags, &out), 0);
    return take(&out);
}

/* PKCS#1 for RSA, SEC1 for ECDSA. */
static struct bytes traditional(gnutls_x509_privkey_t key, gnutls_x509_crt_fmt_t format)
{
    gnutls_datum_t out;

    ck_assert_int_ge(gnutls_x509_privkey_export2(key, format, &out), 0);
    return take(&out);
}

static struct bytes own_cert(gnutls_x509_privkey_t key)
{
    return pki_der(pki_issue(&(struct pki_spec){.subject = "CN=client", .key = key}).crt);
}

static enum err load(struct bytes certs, struct bytes key, struct bytes password)
{
    struct cert_credential *credential;
    enum err err = cert_credential_new(&credential, certs, key, password);

    ck_assert_int_eq(credential == NULL, err != OK);
    cert_credential_free(credential);
    return err;
}

static const enum pki_kind kinds[] = {PKI_RSA2048, PKI_P256,    PKI_P384,
                                      PKI_P521,    PKI_ED25519, PKI_ED448};

START_TEST(plain_keys)
{
    gnutls_x509_privkey_t key = pki_key(kinds[_i], 0);
    struct bytes cert = own_cert(key);

    ck_assert_int_eq(load(cert, pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN), none),
                     OK);
    ck_assert_int_eq(load(cert, pkcs8(key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN), none),
                     OK);
    /* A password that is not needed does no harm. */
    ck_assert_int_eq(
        load(cert, pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN), bytes_of_string("x")),
        OK);
    if (kinds[_i] != PKI_ED25519 && kinds[_i] != PKI_ED448) {
        ck_assert_int_eq(load(cert, traditional(key, GNUTLS_X509_FMT_PEM), none), OK);
        ck_assert_int_eq(load(cert, traditional(key, GNUTLS_X509_FMT_DER), none), OK);
    }
}
END_TEST

static const unsigned ciphers[] = {GNUTLS_PKCS_PBES2_AES_128, GNUTLS_PKCS_PBES2_AES_256,
                                   GNUTLS_PKCS_PBES2_3DES, GNUTLS_PKCS_PKCS12_3DES};

START_TEST(encrypted_keys)
{
    gnutls_x509_privkey_t key = pki_key(PKI_P256, 0);
    struct bytes cert = own_cert(key);

    for (int format = GNUTLS_X509_FMT_DER; format <= GNUTLS_X509_FMT_PEM; format++) {
        struct bytes file = pkcs8(key, (gnutls_x509_crt_fmt_t)format, "secret", ciphers[_i]);

        ck_assert_int_eq(load(cert, file, bytes_of_string("secret")), OK);
        ck_assert_int_eq(load(cert, file, none), ERR_PASSWORD);
        ck_assert_int_eq(load(cert, file, bytes_of_string("Secret")), ERR_PASSWORD);
        ck_assert_int_eq(load(cert, file, bytes_of_string("secretx")), ERR_PASSWORD);
        ck_assert_int_eq(load(cert, file, bytes_of("secret\0x", 8)), ERR_PASSWORD);
    }
}
END_TEST

/* As `openssl ec -aes128` writes it (password "secret"): encrypted PEM from before PKCS#8. */
static const char traditional_encrypted[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-128-CBC,B8CA067AD3954384234A604798AC9490\n"
    "\n"
    "7C/S/l8wPW5i+aq5y7RYSlB8CncbwNyzAoi1k22LZzIMFZTFlJFiQIfRIbuuxqQn\n"
    "SfL8SH2PwQPvz8QSlJDS/ZSwAi9Y+yI4mmaWcxu+uSkGpxeyTYFAM63l85YmIG0y\n"
    "wgKFauEt11tjV/7J8BaHEE39Esag+yaJLV+d2fc/9J0=\n"
    "-----END EC PRIVATE KEY-----\n";

static gnutls_datum_t datum_of(const char *text)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)text,
                            .size = (unsigned)strlen(text)};
}

/* A certificate for the key of a file, whose password is "secret". */
static struct bytes cert_of_file(const char *pem)
{
    const gnutls_datum_t datum = datum_of(pem);
    gnutls_x509_privkey_t key;
    struct bytes cert;

    ck_assert_int_ge(gnutls_x509_privkey_init(&key), 0);
    ck_assert_int_ge(gnutls_x509_privkey_import2(key, &datum, GNUTLS_X509_FMT_PEM, "secret", 0), 0);
    cert = own_cert(key);
    gnutls_x509_privkey_deinit(key);
    return cert;
}

START_TEST(traditional_encrypted_key)
{
    struct bytes file = bytes_of_string(traditional_encrypted);
    struct bytes cert = cert_of_file(traditional_encrypted);

    ck_assert_int_eq(load(cert, file, bytes_of_string("secret")), OK);
    ck_assert_int_eq(load(cert, file, none), ERR_PASSWORD);
    ck_assert_int_eq(load(cert, file, bytes_of_string("wrong")), ERR_PASSWORD);
}
END_TEST

/* `openssl pkcs8 -topk8 -v2 aes-128-cbc -iter 1` (password "secret"): a password is tried at once.
 */
static const char weakly_encrypted[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAiipU5vx5hbKAIBATAM\n"
    "BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBAgQQr8KVJG+6t+hOBIdlGd8eUgSBkLs0\n"
    "wQ+3hdiXIsdsnFXVMENWhw9evwUQDQ1tquprZun8t/uon6twNq9hBjLNQPdoEs1R\n"
    "RTUTZeikyjmzR9s2UksOS2poKXhEtFybr+Ujd7QTOkrybq4yCJgrgguOxwpTu5Wp\n"
    "yOT4lifmEGsLbBPnvcWG8Ch32zdVNBNNjir0kVvDN6cw89RRJE0qtGL6FAfdhA==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

/* Wrong passwords always say so, also the one in 256 that leaves a good padding behind. */
START_TEST(many_wrong_passwords)
{
    const gnutls_datum_t datum = datum_of(weakly_encrypted);
    struct bytes cert = cert_of_file(weakly_encrypted), pem = bytes_of_string(weakly_encrypted);
    struct bytes der;
    gnutls_datum_t out;

    ck_assert_int_ge(gnutls_pem_base64_decode2("ENCRYPTED PRIVATE KEY", &datum, &out), 0);
    der = take(&out);
    ck_assert_int_eq(load(cert, pem, bytes_of_string("secret")), OK);
    ck_assert_int_eq(load(cert, der, bytes_of_string("secret")), OK);
    for (unsigned i = 0; i < 600; i++) {
        uint8_t password[] = {'x', (uint8_t)(1 + i / 250), (uint8_t)(1 + i % 250)};

        ck_assert_int_eq(load(cert, pem, bytes_of(password, 3)), ERR_PASSWORD);
        ck_assert_int_eq(load(cert, der, bytes_of(password, 3)), ERR_PASSWORD);
    }
}
END_TEST

START_TEST(key_of_somebody_else)
{
    struct bytes cert = own_cert(pki_key(PKI_P256, 0));

    ck_assert_int_eq(
        load(cert, pkcs8(pki_key(PKI_P256, 1), GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN), none),
        ERR_KEY);
    ck_assert_int_eq(
        load(cert, pkcs8(pki_key(PKI_ED25519, 0), GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN),
             none),
        ERR_KEY);
}
END_TEST

START_TEST(weak_key)
{
    gnutls_x509_privkey_t key = pki_key(PKI_RSA1024, 0);

    ck_assert_int_eq(
        load(own_cert(key), pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN), none),
        ERR_UNSUPPORTED);
}
END_TEST

static const char *const garbage[] = {
    "",
    "hello",
    "0",
    "\x30\x03\x02\x01\x01",
    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
};

START_TEST(not_a_key)
{
    gnutls_x509_privkey_t key = pki_key(PKI_P256, 0);
    struct bytes good = pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);

    ck_assert_int_eq(load(own_cert(key), bytes_of_string(garbage[_i]), none), ERR_SYNTAX);
    ck_assert_int_eq(load(bytes_of_string(garbage[_i]), good, none), ERR_SYNTAX);
}
END_TEST

/* "ENCRYPTED" with nothing good inside is a wrong password at worst. */
START_TEST(broken_encrypted_key)
{
    struct bytes cert = own_cert(pki_key(PKI_P256, 0));
    struct bytes file = bytes_of_string(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");

    ck_assert_int_eq(load(cert, file, none), ERR_PASSWORD);
    ck_assert_int_eq(load(cert, file, bytes_of_string("x")), ERR_PASSWORD);
}
END_TEST

/* The certificate of the key goes first, wherever it stands in the file; the others follow in their
 * order. */
START_TEST(certificates_in_order)
{
    struct pki_cert root = pki_issue(
        &(struct pki_spec){.subject = "CN=Root", .key = pki_key(PKI_P256, 1), .ca = true});
    struct pki_cert sub = pki_issue(&(struct pki_spec){
        .subject = "CN=Sub", .key = pki_key(PKI_P256, 2), .issuer = &root, .ca = true});
    struct pki_cert own = pki_issue(
        &(struct pki_spec){.subject = "CN=client", .key = pki_key(PKI_P256, 0), .issuer = &sub});
    const struct pki_cert *orders[3][3] = {
        {&own, &sub, &root}, {&sub, &own, &root}, {&sub, &root, &own}};
    struct bytes key = pkcs8(pki_key(PKI_P256, 0), GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);

    for (size_t i = 0; i < 3; i++) {
        struct cert_credential *credential;

        ck_assert_int_eq(cert_credential_new(&credential, pki_pem(orders[i], 3), key, none), OK);
        ck_assert_octets(cert_credential_der(credential, 0), pki_der(own.crt));
        ck_assert_octets(cert_credential_der(credential, 1), pki_der(sub.crt));
        ck_assert_octets(cert_credential_der(credential, 2), pki_der(root.crt));
        ck_assert_uint_eq(cert_credential_der(credential, 3).len, 0);
        cert_credential_free(credential);
    }
    cert_credential_free(NULL);
}
END_TEST

static const struct {
    const char *subject;
    const char *names[6];
    enum id_type type;
    const char *text;
} identities[] = {
    {"CN=x", {"dns:client.example.org"}, ID_FQDN, "client.example.org"},
    {"CN=x", {"email:alice@example.org", "dns:b"}, ID_RFC822_ADDR, "alice@example.org"},
    {"CN=x", {"ip:192.0.2.1", "uri:a:b", "dns:later"}, ID_FQDN, "later"},
    {"CN=x,O=y", {"ip:192.0.2.1"}, ID_DER_ASN1_DN, "CN=x,O=y"},
    {"CN=x,O=y", {NULL}, ID_DER_ASN1_DN, "CN=x,O=y"},
    {NULL, {"ip:192.0.2.1"}, ID_NONE, NULL},
};

START_TEST(own_identity)
{
    struct pki_spec spec = {.subject = identities[_i].subject, .key = pki_key(PKI_P256, 0)};
    struct cert_credential *credential;
    struct id id;
    char text[100];

    memcpy(spec.names, identities[_i].names, sizeof(spec.names));
    ck_assert_int_eq(
        cert_credential_new(&credential, pki_der(pki_issue(&spec).crt),
                            pkcs8(spec.key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN), none),
        OK);
    ck_assert_int_eq(cert_credential_id(credential, &id), identities[_i].text != NULL);
    ck_assert_int_eq(id.type, identities[_i].type);
    if (identities[_i].text != NULL) {
        ck_assert_str_eq(id_text(&id, text, sizeof(text)), identities[_i].text);
    }
    cert_credential_free(credential);
}
END_TEST

static void make_keys(void)
{
    (void)pki_key(PKI_RSA2048, 0);
}

int main(void)
{
    Suite *suite = suite_create("cert_credential");
    TCase *tests = tcase_create("credential");

    tcase_add_unchecked_fixture(tests, make_keys, NULL);
    tcase_add_loop_test(tests, plain_keys, 0, COUNT(kinds));
    tcase_add_loop_test(tests, encrypted_keys, 0, COUNT(ciphers));
    tcase_add_test(tests, many_wrong_passwords);
    tcase_add_test(tests, traditional_encrypted_key);
    tcase_add_test(tests, key_of_somebody_else);
    tcase_add_test(tests, weak_key);
    tcase_add_loop_test(tests, not_a_key, 0, COUNT(garbage));
    tcase_add_test(tests, broken_encrypted_key);
    tcase_add_test(tests, certificates_in_order);
    tcase_add_loop_test(tests, own_identity, 0, COUNT(identities));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
