/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "crypto/cert_internal.h"

/* The peer's certificates as data: import, names, and the check of its identity. Trust is
 * cert_verify.c. */

enum err cert_chain_from_der(struct cert_chain **out, const struct bytes *ders, size_t n)
{
    struct cert_chain *chain;
    enum err err = OK;

    *out = NULL;
    if (n == 0 || n > CERT_CHAIN_MAX) {
        return ERR_SYNTAX;
    }
    chain = calloc(1, sizeof(*chain));
    if (chain == NULL) {
        return ERR_MEMORY;
    }
    while (err == OK && chain->n < n) {
        const struct bytes *der = &ders[chain->n];
        gnutls_datum_t datum = {.data = (unsigned char *)(uintptr_t)der->data,
                                .size = (unsigned)der->len};

        if (der->len == 0 || der->len > UINT16_MAX) {
            err = ERR_SYNTAX;
            break;
        }
        if (gnutls_x509_crt_init(&chain->certs[chain->n]) < 0) {
            err = ERR_MEMORY;
            break;
        }
        err = cert_err(gnutls_x509_crt_import(chain->certs[chain->n], &datum, GNUTLS_X509_FMT_DER),
                       ERR_SYNTAX);
        chain->n++;
    }
    if (err != OK) {
        cert_chain_free(chain);
        return err;
    }
    *out = chain;
    return OK;
}

void cert_chain_free(struct cert_chain *chain)
{
    if (chain == NULL) {
        return;
    }
    for (size_t i = 0; i < chain->n; i++) {
        gnutls_x509_crt_deinit(chain->certs[i]);
    }
    free(chain);
}

const char *cert_chain_subject(const struct cert_chain *chain, char *out, size_t cap)
{
    return cert_name_text(chain->certs[0], CERT_SUBJECT, out, cap);
}

/* ---- names ---- */

bool cert_alt_name(gnutls_x509_crt_t cert, unsigned index, struct id *out)
{
    size_t len = sizeof(out->data);
    unsigned kind = 0;
    int code;

    *out = (struct id){0};
    code = gnutls_x509_crt_get_subject_alt_name2(cert, index, out->data, &len, &kind, NULL);
    if (code == GNUTLS_E_SHORT_MEMORY_BUFFER) {
        return true; /* too long to be anybody's ID: neither matched nor shown */
    }
    if (code < 0) {
        return false;
    }
    out->len = len;
    switch (kind) {
    case GNUTLS_SAN_DNSNAME:
        out->type = ID_FQDN;
        break;
    case GNUTLS_SAN_RFC822NAME:
        out->type = ID_RFC822_ADDR;
        break;
    case GNUTLS_SAN_IPADDRESS:
        out->type = len == 4 ? ID_IPV4_ADDR : len == 16 ? ID_IPV6_ADDR : ID_NONE;
        break;
    default:
        break;
    }
    return true;
}

/* "*.example.org" covers exactly one label; "*.org" and a "*" elsewhere cover nothing (RFC
 * 6125 6.4.3). */
static bool wildcard_covers(const struct id *pattern, const struct id *name)
{
    struct id rest = {.type = ID_FQDN};
    struct id tail = {.type = ID_FQDN};
    const uint8_t *dot = memchr(name->data, '.', name->len);
    size_t first = dot != NULL ? (size_t)(dot - name->data) : 0;

    if (pattern->len < 3 || pattern->data[0] != '*' || pattern->data[1] != '.' || first == 0 ||
        memchr(pattern->data + 2, '.', pattern->len - 2) == NULL ||
        memchr(name->data, '*', name->len) != NULL) {
        return false;
    }
    rest.len = pattern->len - 1;
    memcpy(rest.data, pattern->data + 1, rest.len);
    tail.len = name->len - first;
    memcpy(tail.data, name->data + first, tail.len);
    return id_equal(&rest, &tail);
}

static bool is_subject(gnutls_x509_crt_t cert, const struct id *id)
{
    gnutls_datum_t subject;
    bool equal;

    if (gnutls_x509_crt_get_raw_dn(cert, &subject) < 0) {
        return false;
    }
    equal = cert_dn_equal(bytes_of(subject.data, subject.size), bytes_of(id->data, id->len));
    gnutls_free(subject.data);
    return equal;
}

static bool has_name(gnutls_x509_crt_t cert, const struct id *id)
{
    struct id name;

    if (id->type == ID_DER_ASN1_DN && is_subject(cert, id)) {
        return true;
    }
    for (unsigned i = 0; cert_alt_name(cert, i, &name); i++) {
        if (name.type != ID_NONE && id_equal(&name, id)) {
            return true;
        }
        if (name.type == ID_FQDN && id->type == ID_FQDN && wildcard_covers(&name, id)) {
            return true;
        }
    }
    return false;
}

/* Every name that the certificate has, for the message; as many as fit. */
static void list_names(gnutls_x509_crt_t cert, char *out, size_t cap)
{
    struct id name;
    char text[256];
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; cert_alt_name(cert, i, &name) && used < cap; i++) {
        if (name.type != ID_NONE) {
            used += (size_t)snprintf(out + used, cap - used, "%s%s", used > 0 ? ", " : "",
                                     id_text(&name, text, sizeof(text)));
        }
    }
    if (used == 0) {
        snprintf(out, cap, "no subjectAltName, only the subject %s",
                 cert_name_text(cert, CERT_SUBJECT, text, sizeof(text)));
    }
}

static void mismatch(gnutls_x509_crt_t cert, const struct id *wanted, struct cert_problem *out)
{
    char names[400];
    char text[200];

    list_names(cert, names, sizeof(names));
    out->reason = REASON_GATEWAY_IDENTITY_MISMATCH;
    snprintf(out->detail, sizeof(out->detail),
             "the gateway was expected to be \"%s\", but its certificate is for: %s",
             id_text(wanted, text, sizeof(text)), names);
}

bool cert_chain_names(const struct cert_chain *chain, const struct id *id)
{
    return has_name(chain->certs[0], id);
}

void cert_chain_match_id(const struct cert_chain *chain, const struct id *wanted,
                         struct cert_problem *out)
{
    *out = (struct cert_problem){.reason = REASON_NONE};
    if (!cert_chain_names(chain, wanted)) {
        mismatch(chain->certs[0], wanted, out);
    }
}
