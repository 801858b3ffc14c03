/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a certificate must be like: its dates, constraints, uses, keys. */
#include "crypto/cert.h"
#include "pki_verify.h"
#include "vectors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct pki_cert root;

static void setup(void)
{
    root = pki_root("CN=Root,O=Test", 1);
}

/* ---- dates ---- */

START_TEST(expired)
{
    struct pki_cert gateway = pki_issue(&(struct pki_spec){.subject = "CN=gw",
                                                           .issuer = &root,
                                                           .until = PKI_NOW - PKI_DAY,
                                                           .names = {"dns:vpn.example.org"}});

    pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_EXPIRED, "CN=gw expired on 2025-12-31 00:00:00 UTC");
}
END_TEST

START_TEST(not_yet_valid)
{
    struct pki_cert gateway = pki_issue(&(struct pki_spec){.subject = "CN=gw",
                                                           .issuer = &root,
                                                           .from = PKI_NOW + PKI_DAY,
                                                           .names = {"dns:vpn.example.org"}});

    pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_EXPIRED, "CN=gw is valid only from 2026-01-02 00:00:00 UTC");
}
END_TEST

START_TEST(dates_at_the_edge)
{
    struct pki_cert gateway = pki_gateway(&root);
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
            pki_verify(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)), cases[i].now);

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
    struct pki_cert gateway = pki_gateway(&sub);
    struct pki_cert old = pki_issue(&(struct pki_spec){
        .subject = "CN=Old", .key = pki_key(PKI_P256, 3), .ca = true, .until = PKI_NOW - 1});
    struct pki_cert other = pki_gateway(&old);

    pki_expect_bad(pki_chain(PKI_LIST(&gateway, &sub)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_EXPIRED, "CN=Sub expired");
    pki_expect_bad(pki_chain(PKI_LIST(&other)), pki_trust(PKI_LIST(&old)), REASON_GATEWAY_EXPIRED,
                   "CN=Old expired");
}
END_TEST

/* ---- constraints ---- */

START_TEST(issuer_is_no_authority)
{
    struct pki_cert sub = pki_issue(
        &(struct pki_spec){.subject = "CN=Sub", .key = pki_key(PKI_P256, 2), .issuer = &root});
    struct pki_cert gateway = pki_gateway(&sub);
    struct pki_cert signer = pki_issue(&(struct pki_spec){.subject = "CN=Signer",
                                                          .key = pki_key(PKI_P256, 3),
                                                          .issuer = &root,
                                                          .ca = true,
                                                          .usage = GNUTLS_KEY_CRL_SIGN});
    struct pki_cert other = pki_gateway(&signer);

    pki_expect_bad(pki_chain(PKI_LIST(&gateway, &sub)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "CN=Sub may not issue certificates");
    pki_expect_bad(pki_chain(PKI_LIST(&other, &signer)), pki_trust(PKI_LIST(&root)),
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
    struct pki_cert sub2 = pki_sub("CN=Sub 2", 3, &sub1);
    struct pki_cert allowed = pki_gateway(&sub1);
    struct pki_cert forbidden = pki_gateway(&sub2);

    pki_expect_good(pki_chain(PKI_LIST(&allowed, &sub1)), pki_trust(PKI_LIST(&root)));
    pki_expect_bad(pki_chain(PKI_LIST(&forbidden, &sub2, &sub1)), pki_trust(PKI_LIST(&root)),
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
    struct pki_cert inside = pki_gateway(&sub);
    struct pki_cert outside = pki_issue(
        &(struct pki_spec){.subject = "CN=gw", .issuer = &sub, .names = {"dns:vpn.example.com"}});

    pki_expect_good(pki_chain(PKI_LIST(&inside, &sub)), pki_trust(PKI_LIST(&root)));
    pki_expect_bad(pki_chain(PKI_LIST(&outside, &sub)), pki_trust(PKI_LIST(&root)),
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

            pki_expect_bad(pki_chain(PKI_LIST(&gateway, &sub)), pki_trust(PKI_LIST(&root)),
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

    pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "critical extension");
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
        pki_expect_good(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)));
    } else {
        pki_expect_bad(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&root)),
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

    pki_expect_good(pki_chain(PKI_LIST(&good)), pki_trust(PKI_LIST(&root)));
    pki_expect_bad(pki_chain(PKI_LIST(&bad)), pki_trust(PKI_LIST(&root)), REASON_GATEWAY_UNTRUSTED,
                   "key usage");
}
END_TEST

START_TEST(weak_keys_and_hashes)
{
    struct pki_cert rsa = pki_issue(
        &(struct pki_spec){.subject = "CN=RSA Root", .key = pki_key(PKI_RSA2048, 0), .ca = true});
    struct pki_cert strong = pki_gateway(&rsa);
    struct pki_cert small = pki_issue(
        &(struct pki_spec){.subject = "CN=small", .key = pki_key(PKI_RSA1024, 0), .issuer = &root});
    struct pki_cert small_root = pki_issue(
        &(struct pki_spec){.subject = "CN=Small Root", .key = pki_key(PKI_RSA1024, 1), .ca = true});
    struct pki_cert below_small = pki_gateway(&small_root);
    struct pki_cert sha1 =
        pki_issue(&(struct pki_spec){.subject = "CN=old", .issuer = &rsa, .hash = GNUTLS_DIG_SHA1});
    struct pki_cert md5 = pki_issue(
        &(struct pki_spec){.subject = "CN=older", .issuer = &rsa, .hash = GNUTLS_DIG_MD5});

    struct pki_cert dsa = pki_issue(
        &(struct pki_spec){.subject = "CN=dsa", .key = pki_key(PKI_DSA2048, 0), .issuer = &rsa});

    pki_expect_bad(pki_chain(PKI_LIST(&dsa)), pki_trust(PKI_LIST(&rsa)), REASON_GATEWAY_UNTRUSTED,
                   "not supported");
    pki_expect_good(pki_chain(PKI_LIST(&strong)), pki_trust(PKI_LIST(&rsa)));
    pki_expect_bad(pki_chain(PKI_LIST(&small)), pki_trust(PKI_LIST(&root)),
                   REASON_GATEWAY_UNTRUSTED, "1024 bits");
    pki_expect_bad(pki_chain(PKI_LIST(&below_small)), pki_trust(PKI_LIST(&small_root)),
                   REASON_GATEWAY_UNTRUSTED, "CN=Small Root has 1024 bits");
    pki_expect_bad(pki_chain(PKI_LIST(&sha1)), pki_trust(PKI_LIST(&rsa)), REASON_GATEWAY_UNTRUSTED,
                   "signed with SHA1");
    pki_expect_bad(pki_chain(PKI_LIST(&md5)), pki_trust(PKI_LIST(&rsa)), REASON_GATEWAY_UNTRUSTED,
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

    pki_expect_good(pki_chain(PKI_LIST(&gateway)), pki_trust(PKI_LIST(&authority)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cert rules");
    TCase *tests = tcase_create("rules");

    tcase_add_checked_fixture(tests, setup, NULL);
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
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
