/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_PKI_H
#define GODWIT_TESTS_PKI_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <time.h>

#include "crypto/cert.h"

/* A certification authority for tests: makes keys and certificates at run time, with any fault that
 * a test wants. */

/* Keys of one kind and number are made once and stay until the process ends. */
enum pki_kind {
    PKI_RSA2048,
    PKI_RSA1024,
    PKI_P256,
    PKI_P384,
    PKI_P521,
    PKI_ED25519,
    PKI_ED448,
    PKI_PSS2048,
    PKI_DSA2048,
    PKI_KINDS
};
#define PKI_KEYS 8
gnutls_x509_privkey_t pki_key(enum pki_kind kind, unsigned number);

/* The clock of all these tests: 2026-01-01 00:00:00 UTC. */
#define PKI_NOW ((time_t)1767225600)
#define PKI_DAY ((time_t)86400)

struct pki_cert {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
};

struct pki_spec {
    const char *subject;           /* RFC 4514, NULL = empty */
    gnutls_x509_privkey_t key;     /* NULL = pki_key(PKI_P256, 0) */
    const struct pki_cert *issuer; /* NULL = self-signed */
    gnutls_pubkey_t public_key;    /* instead of that of `key` */
    bool ca;
    bool no_path_limit_but_zero; /* pathLenConstraint 0 */
    time_t from, until;          /* 0 = a year before and after PKI_NOW */
    const char *names[6];        /* "dns:x", "email:x", "ip:x", "uri:x" */
    struct bytes raw_names;  /* instead: a subjectAltName in DER, for what GnuTLS does not write */
    unsigned usage;          /* 0 = none for end entities, keyCertSign for authorities */
    const char *purposes[3]; /* OIDs */
    const char *permitted_dns; /* name constraints */
    const char *excluded_dns;
    const char *critical_oid;       /* an extension that nobody knows */
    gnutls_digest_algorithm_t hash; /* 0 = SHA-256 */
};

struct pki_cert pki_issue(const struct pki_spec *spec);
struct bytes pki_der(gnutls_x509_crt_t crt);
/* PEM of several, one after the other. */
struct bytes pki_pem(const struct pki_cert *const *certs, size_t n);

/* A list of `const struct pki_cert *` as two arguments: array and count. */
#define PKI_LIST(...)                                                                              \
    (const struct pki_cert *const[]){__VA_ARGS__},                                                 \
        sizeof((const struct pki_cert *const[]){__VA_ARGS__}) / sizeof(struct pki_cert *)
/* As received in CERT payloads, end entity first. */
struct cert_chain *pki_chain(const struct pki_cert *const *certs, size_t n);

#endif
