/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/cert.h"
#include "pki.h"
#include "vectors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct pki_cert root;

static void setup(void)
{
    root = pki_issue(
        &(struct pki_spec){.subject = "CN=Root,O=Test", .key = pki_key(PKI_P256, 1), .ca = true});
}

static struct id id_of(const char *text)
{
    struct id id;

    ck_assert_msg(id_parse(&id, text), "%s", text);
    return id;
}

static struct cert_problem match(const struct pki_cert *cert, const char *wanted)
{
    struct cert_chain *chain = pki_chain(PKI_LIST(cert));
    struct id user = id_of(wanted);
    struct cert_problem problem;

    cert_chain_match_id(chain, &user, &problem);
    cert_chain_free(chain);
    return problem;
}

/* What the user asked for. */
static const struct {
    const char *wanted;
    bool good;
} identities[] = {
    {"vpn.example.org", true},
    {"VPN.EXAMPLE.ORG.", true},
    {"second.example.org", true},
    {"192.0.2.1", true},
    {"2001:db8:0:0::1", true},
    {"gw@example.ORG", true},
    {"CN=gw,O=Example", true},
    {"CN=GW,  O=example", true},
    {"b.wild.example.org", true},
    {"A.WILD.example.org", true},

    {"evil.example.org", false},
    {"example.org", false},
    {"a.b.wild.example.org", false}, /* one label only */
    {"wild.example.org", false},
    {"awild.example.org", false},
    {"fqdn:.wild.example.org", false},
    {"a.bad", false},              /* "*.bad" is too broad */
    {"x.part.example.org", false}, /* "*" inside or beside other characters */
    {"xy.mid.example.org", false},
    {"192.0.2.2", false},
    {"fqdn:192.0.2.1", false},
    {"2001:db8::2", false},
    {"GW@example.org", false}, /* the local part keeps its case */
    {"vpn@example.org", false},
    {"CN=gw,O=Evil", false},
    {"CN=gw", false},
    {"CN=gw,O=Example,C=CH", false},
    {"keyid:gw", false}, /* nothing vouches for it */
    {"fqdn:gw", false},  /* the CN is no name of a host */
};

START_TEST(identity)
{
    struct pki_cert gateway = pki_issue(&(struct pki_spec){
        .subject = "CN=gw,O=Example",
        .issuer = &root,
        .names = {"dns:vpn.example.org", "dns:second.example.org", "ip:192.0.2.1", "ip:2001:db8::1",
                  "email:gw@example.org", "dns:*.wild.example.org"}});
    struct pki_cert broad = pki_issue(&(struct pki_spec){
        .subject = "CN=gw",
        .issuer = &root,
        .names = {"dns:vpn.example.org", "dns:*.bad", "dns:x*.part.example.org",
                  "dns:x*y.mid.example.org", "dns:*", "uri:https://vpn.example.org"}});
    bool is_broad = strstr(identities[_i].wanted, "bad") != NULL ||
                    strstr(identities[_i].wanted, "part") != NULL ||
                    strstr(identities[_i].wanted, "mid") != NULL;
    struct cert_problem problem = match(is_broad ? &broad : &gateway, identities[_i].wanted);

    if (identities[_i].good) {
        ck_assert_msg(problem.reason == REASON_NONE, "%s", problem.detail);
    } else {
        ck_assert_int_eq(problem.reason, REASON_GATEWAY_IDENTITY_MISMATCH);
        ck_assert_ptr_nonnull(strstr(problem.detail, "vpn.example.org"));
    }
}
END_TEST

START_TEST(identity_message_names_everything)
{
    struct pki_cert gateway =
        pki_issue(&(struct pki_spec){.subject = "CN=gw",
                                     .issuer = &root,
                                     .names = {"dns:a.example", "ip:192.0.2.9", "email:x@y"}});
    struct cert_problem problem = match(&gateway, "b.example");

    ck_assert_str_eq(problem.detail,
                     "the gateway was expected to be \"b.example\", but its certificate is for: "
                     "a.example, 192.0.2.9, x@y");
}
END_TEST

START_TEST(no_alternative_name)
{
    struct pki_cert gateway =
        pki_issue(&(struct pki_spec){.subject = "CN=vpn.example.org", .issuer = &root});
    struct cert_problem problem = match(&gateway, "vpn.example.org");

    ck_assert_int_eq(problem.reason, REASON_GATEWAY_IDENTITY_MISMATCH);
    ck_assert_ptr_nonnull(
        strstr(problem.detail, "no subjectAltName, only the subject CN=vpn.example.org"));
    problem = match(&gateway, "CN=vpn.example.org");
    ck_assert_int_eq(problem.reason, REASON_NONE);
}
END_TEST

/* otherName, directoryName, an address of three octets, and garbage: no names, no harm. */
START_TEST(strange_alternative_names)
{
    static const char *const strange[] = {
        "3012 a010 06032a0304a0090c07656d7074696e67",
        "3005 8703 c00002",
        "3014 a412 3010310e300c06035504030c056f74686572",
        "3000",
        "30",
        "ffff",
        "3003 8203 61",
        "3011 820f 76706e2e6578616d706c652e6f72",
    };

    for (size_t i = 0; i < COUNT(strange); i++) {
        struct bytes der = pki_der(pki_issue(&(struct pki_spec){.subject = "CN=gw",
                                                                .issuer = &root,
                                                                .raw_names = hex(strange[i])})
                                       .crt);
        struct id id = id_of("vpn.example.org");
        struct cert_problem problem;
        struct cert_chain *chain;

        if (cert_chain_from_der(&chain, &der, 1) == OK) {
            cert_chain_match_id(chain, &id, &problem);
            ck_assert_int_eq(problem.reason, REASON_GATEWAY_IDENTITY_MISMATCH);
            cert_chain_free(chain);
        }
    }
}
END_TEST

/* Many long names: the message is cut, the match still finds the last one. */
START_TEST(cve_2019_12823_long_alternative_names)
{
    static char names[5][220];
    struct pki_spec spec = {.subject = "CN=gw", .issuer = &root};
    struct pki_cert gateway;
    struct cert_problem problem;

    for (size_t i = 0; i < 5; i++) {
        snprintf(names[i], sizeof(names[i]), "dns:%zu%0200d.example.org", i, 0);
        spec.names[i] = names[i];
    }
    spec.names[5] = "dns:last.example.org";
    gateway = pki_issue(&spec);
    problem = match(&gateway, "last.example.org");
    ck_assert_int_eq(problem.reason, REASON_NONE);
    problem = match(&gateway, "other.example.org");
    ck_assert_int_eq(problem.reason, REASON_GATEWAY_IDENTITY_MISMATCH);
    ck_assert_uint_lt(strlen(problem.detail), sizeof(problem.detail));
}
END_TEST

/* A NUL inside a dNSName must not end the comparison: "vpn.example.org\0.evil.example". */
START_TEST(nul_in_alternative_name)
{
    struct pki_cert gateway = pki_issue(&(struct pki_spec){
        .subject = "CN=gw", .issuer = &root, .names = {"dns:vpn.example.orgX.evil.example"}});
    struct bytes der = pki_der(gateway.crt);
    uint8_t *copy = octets_copy(der);
    struct bytes changed = bytes_of(copy, der.len);
    struct id wanted = id_of("vpn.example.org");
    struct cert_problem problem;
    struct cert_chain *chain;

    for (size_t i = 0; i + 16 < der.len; i++) {
        if (memcmp(copy + i, "vpn.example.orgX", 16) == 0) {
            copy[i + 15] = '\0';
        }
    }
    ck_assert_int_eq(cert_chain_from_der(&chain, &changed, 1), OK);
    cert_chain_match_id(chain, &wanted, &problem);
    ck_assert_int_eq(problem.reason, REASON_GATEWAY_IDENTITY_MISMATCH);
    cert_chain_free(chain);
}
END_TEST

/* Nothing wanted matches nothing. */
START_TEST(nothing_wanted)
{
    struct pki_cert gateway =
        pki_issue(&(struct pki_spec){.subject = "CN=vpn.example.org,O=Example",
                                     .issuer = &root,
                                     .names = {"dns:vpn.example.org"}});
    struct cert_chain *chain = pki_chain(PKI_LIST(&gateway));
    struct id none = {0};
    struct cert_problem problem;

    cert_chain_match_id(chain, &none, &problem);
    ck_assert_int_eq(problem.reason, REASON_GATEWAY_IDENTITY_MISMATCH);
    cert_chain_free(chain);
}
END_TEST

START_TEST(subject_for_people)
{
    struct pki_cert gateway =
        pki_issue(&(struct pki_spec){.subject = "CN=vpn.example.org,O=Example",
                                     .issuer = &root,
                                     .names = {"dns:vpn.example.org"}});
    struct pki_cert nameless = pki_issue(&(struct pki_spec){.issuer = &root, .names = {"dns:a"}});
    struct cert_chain *chain = pki_chain(PKI_LIST(&gateway));
    char text[100];

    ck_assert_str_eq(cert_chain_subject(chain, text, sizeof(text)), "CN=vpn.example.org,O=Example");
    cert_chain_free(chain);
    chain = pki_chain(PKI_LIST(&nameless));
    ck_assert_str_eq(cert_chain_subject(chain, text, sizeof(text)), "(no name)");
    cert_chain_free(chain);
}
END_TEST

static TCase *identity_tests(void)
{
    TCase *tests = tcase_create("identity");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, identity, 0, (int)COUNT(identities));
    tcase_add_test(tests, identity_message_names_everything);
    tcase_add_test(tests, no_alternative_name);
    tcase_add_test(tests, strange_alternative_names);
    tcase_add_test(tests, cve_2019_12823_long_alternative_names);
    tcase_add_test(tests, nul_in_alternative_name);
    tcase_add_test(tests, nothing_wanted);
    tcase_add_test(tests, subject_for_people);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("cert_match");

    suite_add_tcase(suite, identity_tests());
    return run_suite(suite);
}
