/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/cert.h"
#include "pki_verify.h"
#include "vectors.h"

static struct pki_cert root;

static void setup(void)
{
    root = pki_root("CN=Root,O=Test", 1);
}

/* ---- trust ---- */

START_TEST(bundle_with_comments_and_crlf)
{
    struct pki_cert other = pki_root("CN=Other", 2);
    struct bytes pem = pki_pem(PKI_LIST(&root, &other));
    char *text = malloc(2 * pem.len + 100);
    size_t len = (size_t)sprintf(text, "# Root, Test\r\nSome words.\r\n");
    struct cert_trust *trust;
    size_t n;

    for (size_t i = 0; i < pem.len; i++) {
        if (pem.data[i] == '\n') {
            text[len++] = '\r';
        }
        text[len++] = (char)pem.data[i];
    }
    ck_assert_int_eq(cert_trust_from_data(&trust, bytes_of(text, len), &n), OK);
    ck_assert_uint_eq(n, 2);
    cert_trust_free(trust);
    free(text);
}
END_TEST

START_TEST(single_der)
{
    struct cert_trust *trust;
    size_t n;

    ck_assert_int_eq(cert_trust_from_data(&trust, pki_der(root.crt), &n), OK);
    ck_assert_uint_eq(n, 1);
    cert_trust_free(trust);
}
END_TEST

START_TEST(trust_garbage)
{
    static const char *const texts[] = {
        "",
        "hello",
        "0",
        "\x30\x82",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMII"};
    struct cert_trust *trust;
    size_t n = 7;

    ck_assert_int_eq(cert_trust_from_data(&trust, bytes_of_string(texts[_i]), &n), ERR_SYNTAX);
    ck_assert_ptr_null(trust);
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(system_store)
{
    struct cert_trust *trust;
    size_t n;

    if (cert_trust_system(&trust, &n) != OK) {
        fprintf(stderr, "no system store here\n");
        ck_assert_ptr_null(trust);
        return;
    }
    ck_assert_uint_gt(n, 10);
    pki_expect_bad(pki_chain(PKI_LIST(&root)), trust, REASON_GATEWAY_UNTRUSTED, "self-signed");
}
END_TEST

START_TEST(key_hashes)
{
    struct pki_cert other = pki_root("CN=Other", 2);
    struct cert_trust *trust = pki_trust(PKI_LIST(&root, &other));
    uint8_t hashes[40];
    uint8_t expected[20];
    size_t len = sizeof(expected);
    gnutls_pubkey_t key;
    gnutls_datum_t spki;

    memset(hashes, 0xee, sizeof(hashes));
    ck_assert_uint_eq(cert_trust_key_hashes(trust, hashes, 39), 40);
    ck_assert_uint_eq(hashes[20], 0xee);
    ck_assert_uint_eq(cert_trust_key_hashes(trust, hashes, 40), 40);
    ck_assert_uint_eq(cert_trust_key_hashes(trust, NULL, 0), 40);

    /* The same from the SubjectPublicKeyInfo itself. */
    ck_assert_int_ge(gnutls_pubkey_init(&key), 0);
    ck_assert_int_ge(gnutls_pubkey_import_x509(key, other.crt, 0), 0);
    ck_assert_int_ge(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki), 0);
    ck_assert_int_ge(gnutls_fingerprint(GNUTLS_DIG_SHA1, &spki, expected, &len), 0);
    ck_assert_octets(bytes_of(hashes + 20, 20), bytes_of(expected, len));
    gnutls_free(spki.data);
    gnutls_pubkey_deinit(key);
    cert_trust_free(trust);
}
END_TEST

/* ---- chains ---- */

START_TEST(direct)
{
    struct pki_cert gateway = pki_gateway(&root);

    pki_expect_good(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)));
}
END_TEST

START_TEST(right_authority_second_in_bundle)
{
    struct pki_cert gateway = pki_gateway(&root);
    struct pki_cert other = pki_root("CN=Other", 2);

    pki_expect_good(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&other, &root)));
}
END_TEST

/* An authority that renewed its certificate: two with one name and key, or with one name and other
 * keys. */
START_TEST(two_authorities_of_one_name)
{
    struct pki_cert gateway = pki_gateway(&root);
    struct pki_cert impostor = pki_root("CN=Root,O=Test", 3);

    pki_expect_good(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&impostor, &root)));
    pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&impostor)),
                   REASON_GATEWAY_UNTRUSTED, "");
}
END_TEST

START_TEST(intermediates_in_any_order)
{
    struct pki_cert sub1 = pki_sub("CN=Sub 1", 2, &root);
    struct pki_cert sub2 = pki_sub("CN=Sub 2", 3, &sub1);
    struct pki_cert sub3 = pki_sub("CN=Sub 3", 4, &sub2);
    struct pki_cert gateway = pki_gateway(&sub3);

    pki_expect_good(pki_chain(PKI_LIST(&gateway, &sub3, &sub2, &sub1)), pki_trust(PKI_LIST(&root)));
    pki_expect_good(pki_chain(PKI_LIST(&gateway, &sub1, &sub3, &sub2)), pki_trust(PKI_LIST(&root)));
    pki_expect_good(pki_chain(PKI_LIST(&gateway, &root, &sub2, &sub2, &sub1, &sub3)),
                    pki_trust(PKI_LIST(&root)));
    /* An intermediate may be the anchor. */
    pki_expect_good(pki_chain(PKI_LIST(&gateway, &sub3)), pki_trust(PKI_LIST(&sub2)));
}
END_TEST

START_TEST(missing_intermediate)
{
    struct pki_cert sub1 = pki_sub("CN=Sub 1", 2, &root);
    struct pki_cert sub2 = pki_sub("CN=Sub 2", 3, &sub1);
    struct pki_cert gateway = pki_gateway(&sub2);

    pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "issued by CN=Sub 2");
    pki_expect_bad(pki_chain(PKI_LIST(&gateway, &sub2)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "CN=Sub 2 was issued by CN=Sub 1, which is neither");
    pki_expect_bad(pki_chain(PKI_LIST(&gateway, &sub1)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "issued by CN=Sub 2");
}
END_TEST

START_TEST(unknown_authority)
{
    struct pki_cert other = pki_root("CN=Other", 2);
    struct pki_cert gateway = pki_gateway(&other);

    pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "issued by CN=Other");
    /* The gateway's own root proves nothing. */
    pki_expect_bad(pki_chain(PKI_LIST(&gateway, &other)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "CN=Other is self-signed");
}
END_TEST

START_TEST(self_signed_gateway)
{
    struct pki_cert gateway = pki_gateway(NULL);

    pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "self-signed");
    /* Unless it was pinned. */
    pki_expect_good(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&gateway)));
}
END_TEST

/* 0: it is not a person's to decide. */
static void expect_doubt(const struct pki_cert *gateway, unsigned problems)
{
    struct cert_trust *trust = pki_trust(PKI_LIST(&root));
    struct cert_chain *chain = pki_chain(PKI_LIST(gateway));
    struct cert_problem problem;
    struct gateway_facts facts;

    cert_chain_verify(chain, trust, PKI_NOW, &problem);
    ck_assert_int_ne(problem.reason, REASON_NONE);
    ck_assert(cert_chain_facts(chain, &problem, PKI_NOW, &facts) == (problems != 0));
    if (problems != 0) {
        ck_assert_uint_eq(facts.problems, problems);
    }
    cert_chain_free(chain);
    cert_trust_free(trust);
}

START_TEST(what_a_person_may_decide)
{
    struct pki_cert other = pki_root("CN=Other", 2), impostor = pki_root("CN=Root,O=Test", 3);
    struct pki_cert self = pki_gateway(NULL), unknown = pki_gateway(&other);
    struct pki_cert forged = pki_gateway(&impostor);
    struct pki_spec spec = {.subject = "CN=gw", .issuer = &root, .until = PKI_NOW - PKI_DAY};
    struct pki_cert expired = pki_issue(&spec), both, client, small;

    expect_doubt(&self, GATEWAY_SELF_SIGNED);
    expect_doubt(&unknown, GATEWAY_UNKNOWN_AUTHORITY);
    expect_doubt(&expired, GATEWAY_EXPIRED);
    spec.issuer = &other;
    both = pki_issue(&spec);
    expect_doubt(&both, GATEWAY_UNKNOWN_AUTHORITY | GATEWAY_EXPIRED);
    expect_doubt(&forged, 0);
    client = pki_issue(&(struct pki_spec){
        .subject = "CN=gw", .issuer = &other, .purposes = {GNUTLS_KP_TLS_WWW_CLIENT}});
    expect_doubt(&client, 0);
    small = pki_issue(&(struct pki_spec){.subject = "CN=gw", .key = pki_key(PKI_RSA1024, 0)});
    expect_doubt(&small, 0);
}
END_TEST

START_TEST(pinned_gateway)
{
    struct pki_cert gateway = pki_gateway(&root);
    struct pki_cert sibling = pki_gateway(&root);
    struct pki_cert old = pki_issue(&(struct pki_spec){.subject = "CN=old",
                                                       .issuer = &root,
                                                       .until = PKI_NOW - PKI_DAY,
                                                       .names = {"dns:vpn.example.org"}});

    pki_expect_good(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&gateway)));
    pki_expect_bad(pki_chain(PKI_LIST(&sibling)), pki_trust(PKI_LIST(&gateway)),
                   REASON_GATEWAY_UNTRUSTED, "issued by CN=Root");
    pki_expect_bad(pki_chain(PKI_LIST(&old)), pki_trust(PKI_LIST(&old)), REASON_GATEWAY_EXPIRED,
                   "expired");
}
END_TEST

/* A signature by another key under the right issuer name. */
START_TEST(forged_signature)
{
    struct pki_cert impostor = pki_root("CN=Root,O=Test", 3);
    struct pki_cert gateway = pki_gateway(&impostor);

    pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "signature does not verify");
    pki_expect_bad(pki_chain(PKI_LIST(&gateway, &impostor)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "");
}
END_TEST

/* One flipped bit anywhere in the signature's tail. */
START_TEST(damaged_certificate)
{
    struct pki_cert gateway = pki_gateway(&root);
    struct bytes der = pki_der(gateway.crt);
    uint8_t *copy = octets_copy(der);
    struct bytes damaged = bytes_of(copy, der.len);
    struct cert_chain *chain;

    copy[der.len - 5] ^= 1;
    ck_assert_int_eq(cert_chain_from_der(&chain, &damaged, 1), OK);
    pki_expect_bad(chain, pki_trust(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
                   "signature does not verify");
}
END_TEST

/* Sub's key is certified by an expired root and by the trusted one: either order of sending works.
 */
START_TEST(cross_signed)
{
    struct pki_cert old = pki_issue(&(struct pki_spec){.subject = "CN=Old Root",
                                                       .key = pki_key(PKI_P256, 5),
                                                       .ca = true,
                                                       .until = PKI_NOW - PKI_DAY});
    struct pki_cert by_root = pki_sub("CN=Sub", 2, &root);
    struct pki_cert by_old = pki_sub("CN=Sub", 2, &old);
    struct pki_cert gateway = pki_gateway(&by_root);

    pki_expect_good(pki_chain(PKI_LIST(&gateway, &by_old, &by_root)), pki_trust(PKI_LIST(&root)));
    pki_expect_good(pki_chain(PKI_LIST(&gateway, &by_root, &by_old)), pki_trust(PKI_LIST(&root)));
    pki_expect_good(pki_chain(PKI_LIST(&gateway, &by_old, &old, &by_root)),
                    pki_trust(PKI_LIST(&old, &root)));
    pki_expect_good(pki_chain(PKI_LIST(&gateway, &by_root, &by_old)),
                    pki_trust(PKI_LIST(&old, &root)));
    pki_expect_bad(pki_chain(PKI_LIST(&gateway, &by_old)), pki_trust(PKI_LIST(&old, &root)),
                   REASON_GATEWAY_EXPIRED, "CN=Old Root");
}
END_TEST

/* Many same-named authorities that certify each other must not take forever. */
START_TEST(path_search_is_bounded)
{
    struct pki_cert web[CERT_CHAIN_MAX];
    const struct pki_cert *sent[CERT_CHAIN_MAX];

    web[1] = pki_sub("CN=Web", 2, &root);
    for (size_t i = 2; i < CERT_CHAIN_MAX; i++) {
        web[i] = pki_sub("CN=Web", 2, &web[i - 1]);
    }
    web[0] = pki_gateway(&web[2]);
    for (size_t i = 0; i < CERT_CHAIN_MAX; i++) {
        sent[i] = &web[i];
    }
    sent[1] = &web[2]; /* without the way to the root */
    pki_expect_bad(pki_chain(sent, CERT_CHAIN_MAX), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "");
}
END_TEST

START_TEST(chain_import)
{
    struct pki_cert gateway = pki_gateway(&root);
    struct bytes ders[CERT_CHAIN_MAX + 1];
    struct bytes good = pki_der(gateway.crt);
    struct cert_chain *chain;

    for (size_t i = 0; i <= CERT_CHAIN_MAX; i++) {
        ders[i] = good;
    }
    ck_assert_int_eq(cert_chain_from_der(&chain, ders, 0), ERR_SYNTAX);
    ck_assert_int_eq(cert_chain_from_der(&chain, ders, CERT_CHAIN_MAX + 1), ERR_SYNTAX);
    ck_assert_ptr_null(chain);
    ders[1] = (struct bytes){0};
    ck_assert_int_eq(cert_chain_from_der(&chain, ders, 2), ERR_SYNTAX);
    ders[1] = bytes_of("garbage", 7);
    ck_assert_int_eq(cert_chain_from_der(&chain, ders, 2), ERR_SYNTAX);
    ders[1] = bytes_of(good.data, good.len - 1);
    ck_assert_int_eq(cert_chain_from_der(&chain, ders, 2), ERR_SYNTAX);
    ck_assert_ptr_null(chain);
    cert_chain_free(NULL);
    cert_trust_free(NULL);
}
END_TEST

static TCase *chain_tests(void)
{
    TCase *tests = tcase_create("chain");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, direct);
    tcase_add_test(tests, right_authority_second_in_bundle);
    tcase_add_test(tests, two_authorities_of_one_name);
    tcase_add_test(tests, intermediates_in_any_order);
    tcase_add_test(tests, missing_intermediate);
    tcase_add_test(tests, unknown_authority);
    tcase_add_test(tests, self_signed_gateway);
    tcase_add_test(tests, what_a_person_may_decide);
    tcase_add_test(tests, pinned_gateway);
    tcase_add_test(tests, forged_signature);
    tcase_add_test(tests, damaged_certificate);
    tcase_add_test(tests, cross_signed);
    tcase_add_test(tests, path_search_is_bounded);
    tcase_add_test(tests, chain_import);
    return tests;
}

static TCase *trust_tests(void)
{
    TCase *tests = tcase_create("trust");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, bundle_with_comments_and_crlf);
    tcase_add_test(tests, single_der);
    tcase_add_loop_test(tests, trust_garbage, 0, 7);
    tcase_add_test(tests, system_store);
    tcase_add_test(tests, key_hashes);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("cert");

    suite_add_tcase(suite, trust_tests());
    suite_add_tcase(suite, chain_tests());
    return run_suite(suite);
}
