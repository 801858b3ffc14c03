/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_CERT_INTERNAL_H
#define GODWIT_CRYPTO_CERT_INTERNAL_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "common/cursor.h"
#include "crypto/cert.h"

/* Shared by the cert_*.c files only. */

struct cert_trust {
    gnutls_x509_crt_t *certs;
    unsigned n;
};

struct cert_chain {
    gnutls_x509_crt_t certs[CERT_CHAIN_MAX];
    size_t n;
};

struct cert_credential {
    gnutls_x509_crt_t *certs; /* end entity first */
    gnutls_datum_t *ders;
    unsigned n;
    gnutls_privkey_t key; /* NULL = elsewhere */
    gnutls_pk_algorithm_t algorithm;
    unsigned bits;
};

/* Reads the header of a SEQUENCE in DER (X.690 8.1.3, 10.1) and returns the octets of its content,
 * at most 65535. Not its place in a longer buffer, but a length in more octets than it needs or an
 * indefinite one makes r->failed, as does another tag: the library takes those. */
size_t cert_read_sequence(struct reader *r);
/* What our library says about memory, else `otherwise`. OK for a code that is not negative. */
enum err cert_err(int code, enum err otherwise) ERR_CHECK;
/* Every certificate of a PEM bundle or one DER; free with cert_list_free(). ERR_SYNTAX when there
 * is none, or a NUL in PEM: programs differ about what is behind it. */
enum err cert_list_import(struct bytes data, gnutls_x509_crt_t **certs, unsigned *n) ERR_CHECK;
void cert_list_free(gnutls_x509_crt_t *certs, unsigned n);

enum cert_name { CERT_SUBJECT, CERT_ISSUER };
/* DN as text for people, "(no name)" when empty; returns out. */
const char *cert_name_text(gnutls_x509_crt_t cert, enum cert_name which, char *out, size_t cap);

/* True when both DER names have the same RDNs; strings compare without regard to case and spacing
 * (RFC 5280 7.1). */
bool cert_dn_equal(struct bytes a, struct bytes b);

/* The i-th subjectAltName that an `id` can express; false past the last one. ID_NONE for the other
 * kinds. */
bool cert_alt_name(gnutls_x509_crt_t cert, unsigned index, struct id *out);

#endif
