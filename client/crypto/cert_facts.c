/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/cert_internal.h"

/* A certificate as a person judges it, and as it is known again. */

bool cert_chain_fingerprint(const struct cert_chain *chain, uint8_t out[static FINGERPRINT_LEN])
{
    size_t len = FINGERPRINT_LEN;

    return gnutls_x509_crt_get_fingerprint(chain->certs[0], GNUTLS_DIG_SHA256, out, &len) >= 0 &&
           len == FINGERPRINT_LEN;
}

static void list_names(gnutls_x509_crt_t cert, struct gateway_facts *out)
{
    struct id name;

    for (unsigned i = 0; out->n_names < GATEWAY_NAMES_MAX && cert_alt_name(cert, i, &name); i++) {
        if (name.type != ID_NONE) {
            (void)id_text(&name, out->names[out->n_names++], GATEWAY_TEXT_MAX);
        }
    }
}

/* False when they cannot be read. */
static bool check_dates(gnutls_x509_crt_t cert, time_t now, struct gateway_facts *out)
{
    time_t from = gnutls_x509_crt_get_activation_time(cert);
    time_t until = gnutls_x509_crt_get_expiration_time(cert);

    out->not_before = from;
    out->not_after = until;
    out->problems |= now < from ? (unsigned)GATEWAY_NOT_YET_VALID : 0U;
    out->problems |= now > until ? (unsigned)GATEWAY_EXPIRED : 0U;
    return from != (time_t)-1 && until != (time_t)-1;
}

bool cert_chain_facts(const struct cert_chain *chain, const struct cert_problem *problem,
                      time_t now, struct gateway_facts *out)
{
    gnutls_x509_crt_t cert = chain->certs[0];
    struct cert_problem own;

    *out = (struct gateway_facts){0};
    cert_chain_check_end(chain, &own);
    if (own.reason != REASON_NONE || !check_dates(cert, now, out) ||
        !cert_chain_fingerprint(chain, out->fingerprint)) {
        return false;
    }
    if (problem->reason == REASON_GATEWAY_EXPIRED && out->problems == 0) {
        return false;
    }
    if (problem->reason == REASON_GATEWAY_UNTRUSTED && !problem->unknown) {
        return false;
    }
    if (problem->reason == REASON_GATEWAY_UNTRUSTED) {
        out->problems |= gnutls_x509_crt_check_issuer(cert, cert) != 0
                             ? (unsigned)GATEWAY_SELF_SIGNED
                             : (unsigned)GATEWAY_UNKNOWN_AUTHORITY;
    }
    (void)cert_name_text(cert, CERT_SUBJECT, out->subject, sizeof(out->subject));
    (void)cert_name_text(cert, CERT_ISSUER, out->issuer, sizeof(out->issuer));
    list_names(cert, out);
    return true;
}
