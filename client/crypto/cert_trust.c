/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdlib.h>

#include "common/log.h"
#include "crypto/cert_internal.h"

enum err cert_err(int code, enum err otherwise)
{
    if (code >= 0) {
        return OK;
    }
    return code == GNUTLS_E_MEMORY_ERROR ? ERR_MEMORY : otherwise;
}

void cert_list_free(gnutls_x509_crt_t *certs, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        gnutls_x509_crt_deinit(certs[i]);
    }
    gnutls_free(certs);
}

enum err cert_list_import(struct bytes data, gnutls_x509_crt_t **certs, unsigned *n)
{
    gnutls_datum_t datum = {.data = (unsigned char *)(uintptr_t)data.data,
                            .size = (unsigned)data.len};
    bool is_der = data.len > 0 && data.data[0] == 0x30; /* a SEQUENCE */
    int code;

    *certs = NULL;
    *n = 0;
    if (data.len == 0 || data.len > INT_MAX ||
        (!is_der && memchr(data.data, 0, data.len) != NULL)) {
        return ERR_SYNTAX;
    }
    code = gnutls_x509_crt_list_import2(certs, n, &datum,
                                        is_der ? GNUTLS_X509_FMT_DER : GNUTLS_X509_FMT_PEM, 0);
    if (code < 0 || *n == 0) {
        *certs = NULL;
        *n = 0;
        return cert_err(code < 0 ? code : GNUTLS_E_NO_CERTIFICATE_FOUND, ERR_SYNTAX);
    }
    return OK;
}

enum err cert_trust_from_data(struct cert_trust **out, struct bytes data, size_t *n)
{
    struct cert_trust *trust = calloc(1, sizeof(*trust));
    enum err err;

    *out = NULL;
    *n = 0;
    if (trust == NULL) {
        return ERR_MEMORY;
    }
    err = cert_list_import(data, &trust->certs, &trust->n);
    if (err != OK) {
        free(trust);
        return err;
    }
    *n = trust->n;
    *out = trust;
    return OK;
}

/* Copies every authority out of GnuTLS's list. */
static enum err collect(struct cert_trust *trust, gnutls_x509_trust_list_t list, size_t expected)
{
    gnutls_x509_trust_list_iter_t iter = NULL;
    int code = 0;

    trust->certs = gnutls_calloc(expected, sizeof(*trust->certs));
    if (trust->certs == NULL) {
        return ERR_MEMORY;
    }
    while (trust->n < expected && code >= 0) {
        code = gnutls_x509_trust_list_iter_get_ca(list, &iter, &trust->certs[trust->n]);
        trust->n += code >= 0;
    }
    gnutls_x509_trust_list_iter_deinit(iter);
    return trust->n > 0 ? OK
                        : cert_err(code < 0 ? code : GNUTLS_E_NO_CERTIFICATE_FOUND, ERR_SYNTAX);
}

/* What GnuTLS was built to use (PKCS#11 modules of p11-kit among them). */
static enum err from_gnutls(struct cert_trust *trust)
{
    gnutls_x509_trust_list_t list;
    enum err err = cert_err(gnutls_x509_trust_list_init(&list, 0), ERR_MEMORY);
    int found;

    if (err != OK) {
        return err;
    }
    found = gnutls_x509_trust_list_add_system_trust(list, 0, 0);
    err = found > 0 ? collect(trust, list, (size_t)found)
                    : cert_err(found < 0 ? found : GNUTLS_E_NO_CERTIFICATE_FOUND, ERR_SYNTAX);
    gnutls_x509_trust_list_deinit(list, 1);
    return err;
}

/* The same authorities in half the time, which a connect waits for. */
enum err cert_trust_bundle(uint8_t **out, size_t *len)
{
    static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Gentoo */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
        "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    };

    for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++) {
        gnutls_datum_t file;

        if (gnutls_load_file(bundles[i], &file) >= 0) {
            *out = file.data;
            *len = file.size;
            return OK;
        }
    }
    return ERR_SYNTAX;
}

static enum err from_bundle(struct cert_trust *trust)
{
    uint8_t *octets;
    size_t len;
    enum err err = cert_trust_bundle(&octets, &len);

    if (err == OK) {
        err = cert_list_import(bytes_of(octets, len), &trust->certs, &trust->n);
        free(octets);
    }
    return err;
}

enum err cert_trust_system(struct cert_trust **out, size_t *n)
{
    struct cert_trust *trust = calloc(1, sizeof(*trust));
    enum err err;

    *out = NULL;
    *n = 0;
    if (trust == NULL) {
        return ERR_MEMORY;
    }
    err = from_bundle(trust);
    if (err == ERR_SYNTAX) {
        err = from_gnutls(trust);
    }
    if (err != OK) {
        cert_trust_free(trust);
        return err;
    }
    *n = trust->n;
    *out = trust;
    return OK;
}

void cert_trust_free(struct cert_trust *trust)
{
    if (trust != NULL) {
        cert_list_free(trust->certs, trust->n);
        free(trust);
    }
}

bool cert_trust_summary(const struct cert_trust *trust, size_t index, struct cert_summary *out)
{
    size_t len = sizeof(out->fingerprint);
    gnutls_x509_crt_t cert;

    if (index >= trust->n) {
        return false;
    }
    cert = trust->certs[index];
    (void)cert_name_text(cert, CERT_SUBJECT, out->subject, sizeof(out->subject));
    out->until = gnutls_x509_crt_get_expiration_time(cert);
    return gnutls_x509_crt_get_fingerprint(cert, GNUTLS_DIG_SHA256, out->fingerprint, &len) >= 0 &&
           len == sizeof(out->fingerprint);
}

size_t cert_trust_key_hashes(const struct cert_trust *trust, uint8_t *out, size_t cap)
{
    size_t used = 0;

    for (unsigned i = 0; i < trust->n; i++) {
        uint8_t hash[20];
        size_t len = sizeof(hash);

        /* Flag 0 is the SHA-1 hash of the SubjectPublicKeyInfo, which is what RFC 7296 3.7 asks
         * for. */
        if (gnutls_x509_crt_get_key_id(trust->certs[i], 0, hash, &len) < 0 || len != sizeof(hash)) {
            continue;
        }
        if (cap >= len && used <= cap - len) {
            memcpy(out + used, hash, len);
        }
        used += len;
    }
    return used;
}

const char *cert_name_text(gnutls_x509_crt_t cert, enum cert_name which, char *out, size_t cap)
{
    gnutls_datum_t text = {0};
    int code = which == CERT_SUBJECT ? gnutls_x509_crt_get_dn3(cert, &text, 0)
                                     : gnutls_x509_crt_get_issuer_dn3(cert, &text, 0);

    if (code < 0 || text.size == 0) {
        text_printable(bytes_of_string("(no name)"), out, cap);
    } else {
        text_printable(bytes_of(text.data, text.size), out, cap);
    }
    if (code >= 0) {
        gnutls_free(text.data);
    }
    return out;
}
