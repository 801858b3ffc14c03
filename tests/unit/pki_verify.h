/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_PKI_VERIFY_H
#define GODWIT_TESTS_PKI_VERIFY_H

#include "unit/pki.h"

/* Authorities and gateways as most tests want them, and what becomes of their chains. */
struct pki_cert pki_root(const char *subject, unsigned key);
struct pki_cert pki_sub(const char *subject, unsigned key, const struct pki_cert *issuer);
/* vpn.example.org; of its own when `issuer` is NULL. */
struct pki_cert pki_gateway(const struct pki_cert *issuer);

struct cert_trust *pki_trust(const struct pki_cert *const *certs, size_t n);
/* These free both. */
struct cert_problem pki_verify(struct cert_chain *chain, struct cert_trust *trust, time_t now);
void pki_expect_good(struct cert_chain *chain, struct cert_trust *trust);
/* The reason, and that the sentence holds the fact. */
void pki_expect_bad(struct cert_chain *chain, struct cert_trust *trust, enum reason reason,
                    const char *fact);

#endif
