/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/pki_verify.h"

#include <check.h>
#include <string.h>

struct pki_cert pki_root(const char *subject, unsigned key)
{
    return pki_issue(
        &(struct pki_spec){.subject = subject, .key = pki_key(PKI_P256, key), .ca = true});
}

struct pki_cert pki_sub(const char *subject, unsigned key, const struct pki_cert *issuer)
{
    return pki_issue(&(struct pki_spec){
        .subject = subject, .key = pki_key(PKI_P256, key), .ca = true, .issuer = issuer});
}

struct pki_cert pki_gateway(const struct pki_cert *issuer)
{
    return pki_issue(&(struct pki_spec){.subject = "CN=vpn.example.org,O=Example",
                                        .issuer = issuer,
                                        .names = {"dns:vpn.example.org"},
                                        .purposes = {GNUTLS_KP_TLS_WWW_SERVER}});
}

struct cert_trust *pki_trust(const struct pki_cert *const *certs, size_t n)
{
    struct cert_trust *trust;
    size_t found;

    ck_assert_int_eq(cert_trust_from_data(&trust, pki_pem(certs, n), &found), OK);
    ck_assert_uint_eq(found, n);
    return trust;
}

struct cert_problem pki_verify(struct cert_chain *chain, struct cert_trust *trust, time_t now)
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

void pki_expect_good(struct cert_chain *chain, struct cert_trust *trust)
{
    struct cert_problem problem = pki_verify(chain, trust, PKI_NOW);

    ck_assert_msg(problem.reason == REASON_NONE, "%s", problem.detail);
}

void pki_expect_bad(struct cert_chain *chain, struct cert_trust *trust, enum reason reason,
                    const char *fact)
{
    struct cert_problem problem = pki_verify(chain, trust, PKI_NOW);

    ck_assert_str_eq(reason_name(problem.reason), reason_name(reason));
    ck_assert_msg(strstr(problem.detail, fact) != NULL, "\"%s\" is not in: %s", fact,
                  problem.detail);
}
