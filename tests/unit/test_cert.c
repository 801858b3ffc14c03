/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/cert.h"
#include "pki.h"
#include "vectors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct pki_cert root;

static struct pki_cert make_root(const char *subject, unsigned key)
{
    return pki_issue(
        &(struct pki_spec){.subject = subject, .key = pki_key(PKI_P256, key), .ca = true});
}

static struct pki_cert make_sub(const char *subject, unsigned key, const struct pki_cert *issuer)
{
    return pki_issue(&(struct pki_spec){
        .subject = subject, .key = pki_key(PKI_P256, key), .ca = true, .issuer = issuer});
}

static struct pki_cert make_gateway(const struct pki_cert *issuer)
{
    return pki_issue(&(struct pki_spec){.subject = "CN=vpn.example.org,O=Example",
                                        .issuer = issuer,
                                        .names = {"dns:vpn.example.org"},
                                        .purposes = {GNUTLS_KP_TLS_WWW_SERVER}});
}

static void setup(void)
{
    root = make_root("CN=Root,O=Test", 1);
}

static struct cert_trust *trust_in(const struct pki_cert *const *certs, size_t n)
{
    struct cert_trust *trust;
    size_t found;

    ck_assert_int_eq(cert_trust_from_data(&trust, pki_pem(certs, n), &found), OK);
    ck_assert_uint_eq(found, n);
    return trust;
}

static struct cert_problem verify_at(struct cert_chain *chain, struct cert_trust *trust, time_t now)
{
    struct cert_problem problem;

    cert_chain_verify(chain, trust, now, &problem);
    if (problem.reason == REASON_NONE) {
        ck_assert_str_eq(problem.detail, "");
    } else {
        ck_assert_str_ne(problem.detail, "");
    }
    cert_chain_free(chain);
    cert_trust_free(trust);
    return problem;
}

static void expect_good(struct cert_chain *chain, struct cert_trust *trust)
{
    struct cert_problem problem = verify_at(chain, trust, PKI_NOW);

    ck_assert_msg(problem.reason == REASON_NONE, "%s", problem.detail);
}

/* The reason, and that the sentence holds the fact. */
static void expect_bad(struct cert_chain *chain, struct cert_trust *trust, enum reason reason,
                       const char *fact)
{
    struct cert_problem problem = verify_at(chain, trust, PKI_NOW);

    ck_assert_str_eq(reason_name(problem.reason), reason_name(reason));
    ck_assert_msg(strstr(problem.detail, fact) != NULL, "\"%s\" is not in: %s", fact,
                  problem.detail);
}

/* ---- trust ---- */

START_TEST(bundle_with_comments_and_crlf)
{
    struct pki_cert other = make_root("CN=Other", 2);
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
    expect_bad(pki_chain(PKI_LIST(&root)), trust, REASON_GATEWAY_UNTRUSTED, "self-signed");
}
END_TEST

START_TEST(key_hashes)
{
    struct pki_cert other = make_root("CN=Other", 2);
    struct cert_trust *trust = trust_in(PKI_LIST(&root, &other));
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
    struct pki_cert gateway = make_gateway(&root);

    expect_good(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)));
}
END_TEST

START_TEST(right_authority_second_in_bundle)
{
    struct pki_cert gateway = make_gateway(&root);
    struct pki_cert other = make_root("CN=Other", 2);

    expect_good(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&other, &root)));
}
END_TEST

/* An authority that renewed its certificate: two with one name and key, or with one name and other
 * keys. */
START_TEST(two_authorities_of_one_name)
{
    struct pki_cert gateway = make_gateway(&root);
    struct pki_cert impostor = make_root("CN=Root,O=Test", 3);

    expect_good(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&impostor, &root)));
    expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&impostor)),
               REASON_GATEWAY_UNTRUSTED, "");
}
END_TEST

START_TEST(intermediates_in_any_order)
{
    struct pki_cert sub1 = make_sub("CN=Sub 1", 2, &root);
    struct pki_cert sub2 = make_sub("CN=Sub 2", 3, &sub1);
    struct pki_cert sub3 = make_sub("CN=Sub 3", 4, &sub2);
    struct pki_cert gateway = make_gateway(&sub3);

    expect_good(pki_chain(PKI_LIST(&gateway, &sub3, &sub2, &sub1)), trust_in(PKI_LIST(&root)));
    expect_good(pki_chain(PKI_LIST(&gateway, &sub1, &sub3, &sub2)), trust_in(PKI_LIST(&root)));
    expect_good(pki_chain(PKI_LIST(&gateway, &root, &sub2, &sub2, &sub1, &sub3)),
                trust_in(PKI_LIST(&root)));
    /* An intermediate may be the anchor. */
    expect_good(pki_chain(PKI_LIST(&gateway, &sub3)), trust_in(PKI_LIST(&sub2)));
}
END_TEST

START_TEST(missing_intermediate)
{
    struct pki_cert sub1 = make_sub("CN=Sub 1", 2, &root);
    struct pki_cert sub2 = make_sub("CN=Sub 2", 3, &sub1);
    struct pki_cert gateway = make_gateway(&sub2);

    expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
               "issued by CN=Sub 2");
    expect_bad(pki_chain(PKI_LIST(&gateway, &sub2)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_UNTRUSTED, "CN=Sub 2 was issued by CN=Sub 1, which is neither");
    expect_bad(pki_chain(PKI_LIST(&gateway, &sub1)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_UNTRUSTED, "issued by CN=Sub 2");
}
END_TEST

START_TEST(unknown_authority)
{
    struct pki_cert other = make_root("CN=Other", 2);
    struct pki_cert gateway = make_gateway(&other);

    expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
               "issued by CN=Other");
    /* The gateway's own root proves nothing. */
    expect_bad(pki_chain(PKI_LIST(&gateway, &other)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_UNTRUSTED, "CN=Other is self-signed");
}
END_TEST

START_TEST(self_signed_gateway)
{
    struct pki_cert gateway = make_gateway(NULL);

    expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
               "self-signed");
    /* Unless it was pinned. */
    expect_good(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&gateway)));
}
END_TEST

/* 0: it is not a person's to decide. */
static void expect_doubt(const struct pki_cert *gateway, unsigned problems)
{
    struct cert_trust *trust = trust_in(PKI_LIST(&root));
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
    struct pki_cert other = make_root("CN=Other", 2), impostor = make_root("CN=Root,O=Test", 3);
    struct pki_cert self = make_gateway(NULL), unknown = make_gateway(&other);
    struct pki_cert forged = make_gateway(&impostor);
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
    struct pki_cert gateway = make_gateway(&root);
    struct pki_cert sibling = make_gateway(&root);
    struct pki_cert old = pki_issue(&(struct pki_spec){.subject = "CN=old",
                                                       .issuer = &root,
                                                       .until = PKI_NOW - PKI_DAY,
                                                       .names = {"dns:vpn.example.org"}});

    expect_good(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&gateway)));
    expect_bad(pki_chain(PKI_LIST(&sibling)), trust_in(PKI_LIST(&gateway)),
               REASON_GATEWAY_UNTRUSTED, "issued by CN=Root");
    expect_bad(pki_chain(PKI_LIST(&old)), trust_in(PKI_LIST(&old)), REASON_GATEWAY_EXPIRED,
               "expired");
}
END_TEST

/* A signature by another key under the right issuer name. */
START_TEST(forged_signature)
{
    struct pki_cert impostor = make_root("CN=Root,O=Test", 3);
    struct pki_cert gateway = make_gateway(&impostor);

    expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
               "signature does not verify");
    expect_bad(pki_chain(PKI_LIST(&gateway, &impostor)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_UNTRUSTED, "");
}
END_TEST

/* One flipped bit anywhere in the signature's tail. */
START_TEST(damaged_certificate)
{
    struct pki_cert gateway = make_gateway(&root);
    struct bytes der = pki_der(gateway.crt);
    uint8_t *copy = octets_copy(der);
    struct bytes damaged = bytes_of(copy, der.len);
    struct cert_chain *chain;

    copy[der.len - 5] ^= 1;
    ck_assert_int_eq(cert_chain_from_der(&chain, &damaged, 1), OK);
    expect_bad(chain, trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
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
    struct pki_cert by_root = make_sub("CN=Sub", 2, &root);
    struct pki_cert by_old = make_sub("CN=Sub", 2, &old);
    struct pki_cert gateway = make_gateway(&by_root);

    expect_good(pki_chain(PKI_LIST(&gateway, &by_old, &by_root)), trust_in(PKI_LIST(&root)));
    expect_good(pki_chain(PKI_LIST(&gateway, &by_root, &by_old)), trust_in(PKI_LIST(&root)));
    expect_good(pki_chain(PKI_LIST(&gateway, &by_old, &old, &by_root)),
                trust_in(PKI_LIST(&old, &root)));
    expect_good(pki_chain(PKI_LIST(&gateway, &by_root, &by_old)), trust_in(PKI_LIST(&old, &root)));
    expect_bad(pki_chain(PKI_LIST(&gateway, &by_old)), trust_in(PKI_LIST(&old, &root)),
               REASON_GATEWAY_EXPIRED, "CN=Old Root");
}
END_TEST

/* Many same-named authorities that certify each other must not take forever. */
START_TEST(path_search_is_bounded)
{
    struct pki_cert web[CERT_CHAIN_MAX];
    const struct pki_cert *sent[CERT_CHAIN_MAX];

    web[1] = make_sub("CN=Web", 2, &root);
    for (size_t i = 2; i < CERT_CHAIN_MAX; i++) {
        web[i] = make_sub("CN=Web", 2, &web[i - 1]);
    }
    web[0] = make_gateway(&web[2]);
    for (size_t i = 0; i < CERT_CHAIN_MAX; i++) {
        sent[i] = &web[i];
    }
    sent[1] = &web[2]; /* without the way to the root */
    expect_bad(pki_chain(sent, CERT_CHAIN_MAX), trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
               "");
}
END_TEST

/* ---- dates ---- */

START_TEST(expired)
{
    struct pki_cert gateway = pki_issue(&(struct pki_spec){.subject = "CN=gw",
                                                           .issuer = &root,
                                                           .until = PKI_NOW - PKI_DAY,
                                                           .names = {"dns:vpn.example.org"}});

    expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_EXPIRED,
               "CN=gw expired on 2025-12-31 00:00:00 UTC");
}
END_TEST

START_TEST(not_yet_valid)
{
    struct pki_cert gateway = pki_issue(&(struct pki_spec){.subject = "CN=gw",
                                                           .issuer = &root,
                                                           .from = PKI_NOW + PKI_DAY,
                                                           .names = {"dns:vpn.example.org"}});

    expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_EXPIRED,
               "CN=gw is valid only from 2026-01-02 00:00:00 UTC");
}
END_TEST

START_TEST(dates_at_the_edge)
{
    struct pki_cert gateway = make_gateway(&root);
    static const struct {
        time_t now;
        enum reason reason;
    } cases[] = {
        {PKI_NOW - 365 * PKI_DAY - 1, REASON_GATEWAY_EXPIRED},
        {PKI_NOW - 365 * PKI_DAY, REASON_NONE},
        {PKI_NOW + 365 * PKI_DAY, REASON_NONE},
        {PKI_NOW + 365 * PKI_DAY + 1, REASON_GATEWAY_EXPIRED},
        {0, REASON_GATEWAY_EXPIRED},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cert_problem problem =
            verify_at(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)), cases[i].now);

        ck_assert_int_eq(problem.reason, cases[i].reason);
    }
}
END_TEST

START_TEST(expired_intermediate_and_root)
{
    struct pki_cert sub = pki_issue(&(struct pki_spec){.subject = "CN=Sub",
                                                       .key = pki_key(PKI_P256, 2),
                                                       .issuer = &root,
                                                       .ca = true,
                                                       .until = PKI_NOW - 1});
    struct pki_cert gateway = make_gateway(&sub);
    struct pki_cert old = pki_issue(&(struct pki_spec){
        .subject = "CN=Old", .key = pki_key(PKI_P256, 3), .ca = true, .until = PKI_NOW - 1});
    struct pki_cert other = make_gateway(&old);

    expect_bad(pki_chain(PKI_LIST(&gateway, &sub)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_EXPIRED, "CN=Sub expired");
    expect_bad(pki_chain(PKI_LIST(&other)), trust_in(PKI_LIST(&old)), REASON_GATEWAY_EXPIRED,
               "CN=Old expired");
}
END_TEST

/* ---- constraints ---- */

START_TEST(issuer_is_no_authority)
{
    struct pki_cert sub = pki_issue(
        &(struct pki_spec){.subject = "CN=Sub", .key = pki_key(PKI_P256, 2), .issuer = &root});
    struct pki_cert gateway = make_gateway(&sub);
    struct pki_cert signer = pki_issue(&(struct pki_spec){.subject = "CN=Signer",
                                                          .key = pki_key(PKI_P256, 3),
                                                          .issuer = &root,
                                                          .ca = true,
                                                          .usage = GNUTLS_KEY_CRL_SIGN});
    struct pki_cert other = make_gateway(&signer);

    expect_bad(pki_chain(PKI_LIST(&gateway, &sub)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_UNTRUSTED, "CN=Sub may not issue certificates");
    expect_bad(pki_chain(PKI_LIST(&other, &signer)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_UNTRUSTED, "may not issue certificates");
}
END_TEST

START_TEST(path_length)
{
    struct pki_cert sub1 = pki_issue(&(struct pki_spec){.subject = "CN=Sub 1",
                                                        .key = pki_key(PKI_P256, 2),
                                                        .issuer = &root,
                                                        .ca = true,
                                                        .no_path_limit_but_zero = true});
    struct pki_cert sub2 = make_sub("CN=Sub 2", 3, &sub1);
    struct pki_cert allowed = make_gateway(&sub1);
    struct pki_cert forbidden = make_gateway(&sub2);

    expect_good(pki_chain(PKI_LIST(&allowed, &sub1)), trust_in(PKI_LIST(&root)));
    expect_bad(pki_chain(PKI_LIST(&forbidden, &sub2, &sub1)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_UNTRUSTED, "constraints");
}
END_TEST

START_TEST(cve_2026_35331_name_constraints)
{
    struct pki_cert sub = pki_issue(&(struct pki_spec){.subject = "CN=Sub",
                                                       .key = pki_key(PKI_P256, 2),
                                                       .issuer = &root,
                                                       .ca = true,
                                                       .permitted_dns = "example.org"});
    struct pki_cert inside = make_gateway(&sub);
    struct pki_cert outside = pki_issue(
        &(struct pki_spec){.subject = "CN=gw", .issuer = &sub, .names = {"dns:vpn.example.com"}});

    expect_good(pki_chain(PKI_LIST(&inside, &sub)), trust_in(PKI_LIST(&root)));
    expect_bad(pki_chain(PKI_LIST(&outside, &sub)), trust_in(PKI_LIST(&root)),
               REASON_GATEWAY_UNTRUSTED, "constraints");
}
END_TEST

/* Names of hosts know no case (RFC 5280 4.2.1.10, 7.2; the class of CVE-2026-35331). */
START_TEST(cve_2026_35331_name_constraints_case)
{
    static const char *const excluded[] = {"example.org", "Example.ORG"};
    static const char *const names[] = {"dns:vpn.example.org", "dns:VPN.EXAMPLE.ORG",
                                        "dns:vpn.Example.org"};

    for (size_t i = 0; i < 2; i++) {
        struct pki_cert sub = pki_issue(&(struct pki_spec){.subject = "CN=Sub",
                                                           .key = pki_key(PKI_P256, 2),
                                                           .issuer = &root,
                                                           .ca = true,
                                                           .excluded_dns = excluded[i]});

        for (size_t n = 0; n < 3; n++) {
            struct pki_cert gateway = pki_issue(
                &(struct pki_spec){.subject = "CN=gw", .issuer = &sub, .names = {names[n]}});

            expect_bad(pki_chain(PKI_LIST(&gateway, &sub)), trust_in(PKI_LIST(&root)),
                       REASON_GATEWAY_UNTRUSTED, "constraints");
        }
    }
}
END_TEST

START_TEST(unknown_critical_extension)
{
    struct pki_cert gateway = pki_issue(&(struct pki_spec){.subject = "CN=gw",
                                                           .issuer = &root,
                                                           .names = {"dns:vpn.example.org"},
                                                           .critical_oid = "1.2.3.4.5"});

    expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
               "critical extension");
}
END_TEST

static const struct {
    const char *purposes[3];
    bool good;
} purposes[] = {
    {{NULL}, true},
    {{GNUTLS_KP_TLS_WWW_SERVER}, true},
    {{GNUTLS_KP_TLS_WWW_CLIENT, GNUTLS_KP_TLS_WWW_SERVER}, true},
    {{"1.3.6.1.5.5.8.2.2"}, true},
    {{GNUTLS_KP_IPSEC_IKE}, true},
    {{GNUTLS_KP_ANY}, true},
    {{GNUTLS_KP_TLS_WWW_CLIENT}, false},
    {{GNUTLS_KP_CODE_SIGNING, GNUTLS_KP_EMAIL_PROTECTION}, false},
};

START_TEST(extended_key_usage)
{
    struct pki_spec spec = {.subject = "CN=gw", .issuer = &root, .names = {"dns:vpn.example.org"}};
    struct pki_cert gateway;

    memcpy(spec.purposes, purposes[_i].purposes, sizeof(spec.purposes));
    gateway = pki_issue(&spec);
    if (purposes[_i].good) {
        expect_good(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)));
    } else {
        expect_bad(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "extended key usage");
    }
}
END_TEST

START_TEST(key_usage)
{
    struct pki_cert good = pki_issue(
        &(struct pki_spec){.subject = "CN=gw",
                           .issuer = &root,
                           .usage = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT});
    struct pki_cert bad = pki_issue(&(struct pki_spec){
        .subject = "CN=gw", .issuer = &root, .usage = GNUTLS_KEY_KEY_ENCIPHERMENT});

    expect_good(pki_chain(PKI_LIST(&good)), trust_in(PKI_LIST(&root)));
    expect_bad(pki_chain(PKI_LIST(&bad)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
               "key usage");
}
END_TEST

START_TEST(weak_keys_and_hashes)
{
    struct pki_cert rsa = pki_issue(
        &(struct pki_spec){.subject = "CN=RSA Root", .key = pki_key(PKI_RSA2048, 0), .ca = true});
    struct pki_cert strong = make_gateway(&rsa);
    struct pki_cert small = pki_issue(
        &(struct pki_spec){.subject = "CN=small", .key = pki_key(PKI_RSA1024, 0), .issuer = &root});
    struct pki_cert small_root = pki_issue(
        &(struct pki_spec){.subject = "CN=Small Root", .key = pki_key(PKI_RSA1024, 1), .ca = true});
    struct pki_cert below_small = make_gateway(&small_root);
    struct pki_cert sha1 =
        pki_issue(&(struct pki_spec){.subject = "CN=old", .issuer = &rsa, .hash = GNUTLS_DIG_SHA1});
    struct pki_cert md5 = pki_issue(
        &(struct pki_spec){.subject = "CN=older", .issuer = &rsa, .hash = GNUTLS_DIG_MD5});

    struct pki_cert dsa = pki_issue(
        &(struct pki_spec){.subject = "CN=dsa", .key = pki_key(PKI_DSA2048, 0), .issuer = &rsa});

    expect_bad(pki_chain(PKI_LIST(&dsa)), trust_in(PKI_LIST(&rsa)), REASON_GATEWAY_UNTRUSTED,
               "not supported");
    expect_good(pki_chain(PKI_LIST(&strong)), trust_in(PKI_LIST(&rsa)));
    expect_bad(pki_chain(PKI_LIST(&small)), trust_in(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
               "1024 bits");
    expect_bad(pki_chain(PKI_LIST(&below_small)), trust_in(PKI_LIST(&small_root)),
               REASON_GATEWAY_UNTRUSTED, "CN=Small Root has 1024 bits");
    expect_bad(pki_chain(PKI_LIST(&sha1)), trust_in(PKI_LIST(&rsa)), REASON_GATEWAY_UNTRUSTED,
               "signed with SHA1");
    expect_bad(pki_chain(PKI_LIST(&md5)), trust_in(PKI_LIST(&rsa)), REASON_GATEWAY_UNTRUSTED,
               "signed with MD5");
}
END_TEST

START_TEST(all_key_kinds)
{
    static const enum pki_kind kinds[] = {PKI_P384, PKI_P521, PKI_ED25519, PKI_ED448};
    struct pki_cert authority = pki_issue(
        &(struct pki_spec){.subject = "CN=Any Root", .key = pki_key(kinds[_i], 1), .ca = true});
    struct pki_cert gateway = pki_issue(&(struct pki_spec){.subject = "CN=gw",
                                                           .key = pki_key(kinds[_i], 0),
                                                           .issuer = &authority,
                                                           .names = {"dns:a"}});

    expect_good(pki_chain(PKI_LIST(&gateway)), trust_in(PKI_LIST(&authority)));
}
END_TEST

START_TEST(chain_import)
{
    struct pki_cert gateway = make_gateway(&root);
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
    tcase_set_timeout(tests, 60);
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
    tcase_add_test(tests, expired);
    tcase_add_test(tests, not_yet_valid);
    tcase_add_test(tests, dates_at_the_edge);
    tcase_add_test(tests, expired_intermediate_and_root);
    tcase_add_test(tests, issuer_is_no_authority);
    tcase_add_test(tests, path_length);
    tcase_add_test(tests, cve_2026_35331_name_constraints);
    tcase_add_test(tests, cve_2026_35331_name_constraints_case);
    tcase_add_test(tests, unknown_critical_extension);
    tcase_add_loop_test(tests, extended_key_usage, 0, (int)COUNT(purposes));
    tcase_add_test(tests, key_usage);
    tcase_add_test(tests, weak_keys_and_hashes);
    tcase_add_loop_test(tests, all_key_kinds, 0, 4);
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
