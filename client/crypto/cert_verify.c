/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "crypto/cert_internal.h"

/*
 * Trust in the peer's chain. GnuTLS checks one path (signatures, basicConstraints, keyCertSign,
 * path length, name constraints, critical extensions); finding the paths, the dates (time is an
 * argument here), key sizes, hashes and purposes are ours. Every path is tried: a cross-signed
 * chain may lead to an expired root and to a valid one.
 */

#define PATHS_MAX 64
#define NAME_MAX_SHOWN 256
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384
#define EC_BITS_MIN 256
/* How far a search has come that has reached an authority: further than any dead end. */
#define COMPLETE (2 * CERT_CHAIN_MAX)

struct search {
    const struct cert_chain *chain;
    const struct cert_trust *trust;
    time_t now;
    gnutls_x509_crt_t
        path[CERT_CHAIN_MAX + 1]; /* end entity first, then upwards; the authority comes last */
    size_t len;
    unsigned tried;
    size_t best; /* how far the search came when `problem` was written */
    struct cert_problem *problem;
};

/* Keeps the explanation of the attempt that came furthest; a complete path counts more than any
 * dead end. */
static void complain(struct search *s, size_t progress, enum reason reason, const char *detail)
{
    if (progress >= s->best) {
        s->best = progress;
        s->problem->reason = reason;
        s->problem->unknown = progress < COMPLETE;
        snprintf(s->problem->detail, sizeof(s->problem->detail), "%s", detail);
    }
}

/* ---- one certificate ---- */

static bool key_is_strong(gnutls_x509_crt_t cert, char *detail, size_t cap)
{
    char name[NAME_MAX_SHOWN];
    unsigned bits = 0;
    int algorithm = gnutls_x509_crt_get_pk_algorithm(cert, &bits);

    cert_name_text(cert, CERT_SUBJECT, name, sizeof(name));
    switch (algorithm) {
    case GNUTLS_PK_RSA:
    case GNUTLS_PK_RSA_PSS:
        if (bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX) {
            return true;
        }
        snprintf(detail, cap, "the RSA key of %s has %u bits; %d is the least that is accepted",
                 name, bits, RSA_BITS_MIN);
        return false;
    case GNUTLS_PK_ECDSA:
        if (bits >= EC_BITS_MIN) {
            return true;
        }
        snprintf(detail, cap,
                 "the elliptic curve key of %s has %u bits; %d is the least that is accepted", name,
                 bits, EC_BITS_MIN);
        return false;
    case GNUTLS_PK_EDDSA_ED25519:
    case GNUTLS_PK_EDDSA_ED448:
        return true;
    default:
        snprintf(detail, cap, "the certificate of %s has a key of a kind that is not supported",
                 name);
        return false;
    }
}

static bool signature_hash_is_strong(gnutls_x509_crt_t cert, char *detail, size_t cap)
{
    char name[NAME_MAX_SHOWN];
    int algorithm = gnutls_x509_crt_get_signature_algorithm(cert);
    gnutls_digest_algorithm_t hash = GNUTLS_DIG_UNKNOWN;
    const char *hash_name;

    if (algorithm == GNUTLS_SIGN_EDDSA_ED25519 || algorithm == GNUTLS_SIGN_EDDSA_ED448) {
        return true;
    }
    if (algorithm > 0) {
        hash = gnutls_sign_get_hash_algorithm((gnutls_sign_algorithm_t)algorithm);
    }
    if (hash == GNUTLS_DIG_SHA256 || hash == GNUTLS_DIG_SHA384 || hash == GNUTLS_DIG_SHA512 ||
        hash == GNUTLS_DIG_SHA3_256 || hash == GNUTLS_DIG_SHA3_384 || hash == GNUTLS_DIG_SHA3_512) {
        return true;
    }
    hash_name = hash != GNUTLS_DIG_UNKNOWN ? gnutls_digest_get_name(hash) : NULL;
    snprintf(detail, cap, "the certificate of %s is signed with %s, which is not accepted",
             cert_name_text(cert, CERT_SUBJECT, name, sizeof(name)),
             hash_name != NULL ? hash_name : "an unknown algorithm");
    return false;
}

/* extendedKeyUsage, where present, must allow a gateway (RFC 4945 5.1.3.12, and what Windows asks
 * for). */
static bool purpose_fits(gnutls_x509_crt_t cert, char *detail, size_t cap)
{
    static const char *const good[] = {
        GNUTLS_KP_TLS_WWW_SERVER,
        GNUTLS_KP_IPSEC_IKE,
        GNUTLS_KP_ANY,
        "1.3.6.1.5.5.8.2.2" /* iKEIntermediate */,
    };
    char name[NAME_MAX_SHOWN];
    char oid[128];

    for (unsigned i = 0;; i++) {
        size_t len = sizeof(oid);
        int code = gnutls_x509_crt_get_key_purpose_oid(cert, i, oid, &len, NULL);

        if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE && i == 0) {
            return true;
        }
        if (code < 0 && code != GNUTLS_E_SHORT_MEMORY_BUFFER) {
            break;
        }
        for (size_t j = 0; code >= 0 && j < sizeof(good) / sizeof(good[0]); j++) {
            if (strcmp(oid, good[j]) == 0) {
                return true;
            }
        }
    }
    snprintf(detail, cap,
             "the certificate of %s is not for servers (its extended key usage lacks serverAuth)",
             cert_name_text(cert, CERT_SUBJECT, name, sizeof(name)));
    return false;
}

/* RFC 4945 5.1.3.2: the end entity's key must be for signatures. */
static bool key_usage_fits(gnutls_x509_crt_t cert, char *detail, size_t cap)
{
    char name[NAME_MAX_SHOWN];
    unsigned usage = 0;
    int code = gnutls_x509_crt_get_key_usage(cert, &usage, NULL);

    if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
        (code >= 0 && (usage & (GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION)) != 0)) {
        return true;
    }
    snprintf(detail, cap, "the key usage of the certificate of %s does not allow signatures",
             cert_name_text(cert, CERT_SUBJECT, name, sizeof(name)));
    return false;
}

static bool may_issue(gnutls_x509_crt_t cert, char *detail, size_t cap)
{
    char name[NAME_MAX_SHOWN];
    unsigned usage = GNUTLS_KEY_KEY_CERT_SIGN;

    if (gnutls_x509_crt_get_ca_status(cert, NULL) > 0 &&
        (gnutls_x509_crt_get_key_usage(cert, &usage, NULL) < 0 ||
         (usage & GNUTLS_KEY_KEY_CERT_SIGN) != 0)) {
        return true;
    }
    snprintf(detail, cap,
             "%s may not issue certificates (basicConstraints or keyCertSign), but did",
             cert_name_text(cert, CERT_SUBJECT, name, sizeof(name)));
    return false;
}

static const char *date_text(time_t when, char *out, size_t cap)
{
    struct tm parts;

    if (gmtime_r(&when, &parts) == NULL ||
        strftime(out, cap, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
        snprintf(out, cap, "an unknown date");
    }
    return out;
}

static bool dates_fit(gnutls_x509_crt_t cert, time_t now, char *detail, size_t cap)
{
    time_t from = gnutls_x509_crt_get_activation_time(cert);
    time_t until = gnutls_x509_crt_get_expiration_time(cert);
    char name[NAME_MAX_SHOWN];
    char date[40];
    char today[40];

    if (from != (time_t)-1 && until != (time_t)-1 && now >= from && now <= until) {
        return true;
    }
    cert_name_text(cert, CERT_SUBJECT, name, sizeof(name));
    date_text(now, today, sizeof(today));
    if (from == (time_t)-1 || until == (time_t)-1) {
        snprintf(detail, cap, "the certificate of %s has dates that cannot be read", name);
    } else if (now < from) {
        snprintf(detail, cap,
                 "the certificate of %s is valid only from %s; this machine's clock says %s", name,
                 date_text(from, date, sizeof(date)), today);
    } else {
        snprintf(detail, cap, "the certificate of %s expired on %s; this machine's clock says %s",
                 name, date_text(until, date, sizeof(date)), today);
    }
    return false;
}

/* ---- one path ---- */

static void explain_status(const struct search *s, unsigned status, char *detail, size_t cap)
{
    static const struct {
        unsigned bit;
        const char *why;
    } whys[] = {
        {GNUTLS_CERT_SIGNATURE_FAILURE, "a signature does not verify"},
        {GNUTLS_CERT_SIGNER_NOT_CA,
         "an issuer may not issue certificates (basicConstraints or keyCertSign)"},
        {GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
         "an issuer's constraints (names or path length) forbid it"},
        {GNUTLS_CERT_INSECURE_ALGORITHM, "an algorithm is too weak"},
        {GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, "a critical extension is not known"},
        {GNUTLS_CERT_PURPOSE_MISMATCH, "a certificate is for another purpose"},
    };
    char first[NAME_MAX_SHOWN];
    char last[NAME_MAX_SHOWN];
    const char *why = "the library does not accept it";

    for (size_t i = 0; i < sizeof(whys) / sizeof(whys[0]); i++) {
        if ((status & whys[i].bit) != 0) {
            why = whys[i].why;
            break;
        }
    }
    snprintf(detail, cap, "the chain from %s to %s does not hold: %s",
             cert_name_text(s->path[0], CERT_SUBJECT, first, sizeof(first)),
             cert_name_text(s->path[s->len - 1], CERT_SUBJECT, last, sizeof(last)), why);
}

static bool path_holds(struct search *s, char *detail, size_t cap)
{
    /* An authority that is the end entity itself (a pinned, self-signed gateway) is a path of one.
     */
    unsigned below = s->len > 1 ? (unsigned)s->len - 1 : 1;
    unsigned status = 0;
    int code;

    for (size_t i = 0; i < s->len; i++) {
        bool is_authority = i == s->len - 1;

        if (!key_is_strong(s->path[i], detail, cap) ||
            (!is_authority && !signature_hash_is_strong(s->path[i], detail, cap)) ||
            (i > 0 && !is_authority && !may_issue(s->path[i], detail, cap)) ||
            ((i == 0 || !is_authority) && !purpose_fits(s->path[i], detail, cap))) {
            return false;
        }
    }
    if (!key_usage_fits(s->path[0], detail, cap)) {
        return false;
    }
    code = gnutls_x509_crt_list_verify(s->path, below, &s->path[s->len - 1], 1, NULL, 0,
                                       GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
                                           GNUTLS_VERIFY_DISABLE_CRL_CHECKS |
                                           GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN,
                                       &status);
    if (code < 0 || status != 0) {
        explain_status(s, status, detail, cap);
        return false;
    }
    return true;
}

static bool try_path(struct search *s)
{
    char detail[sizeof(s->problem->detail)];

    s->tried++;
    if (!path_holds(s, detail, sizeof(detail))) {
        complain(s, COMPLETE, REASON_GATEWAY_UNTRUSTED, detail);
        return false;
    }
    for (size_t i = 0; i < s->len; i++) {
        if (!dates_fit(s->path[i], s->now, detail, sizeof(detail))) {
            /* A path that is wrong only in its dates is the better explanation. */
            complain(s, COMPLETE + 1, REASON_GATEWAY_EXPIRED, detail);
            return false;
        }
    }
    return true;
}

/* ---- all paths ---- */

static bool on_path(const struct search *s, gnutls_x509_crt_t cert)
{
    for (size_t i = 0; i < s->len; i++) {
        if (gnutls_x509_crt_equals(s->path[i], cert) != 0) {
            return true;
        }
    }
    return false;
}

/* By name and, where both have them, key identifiers; whether it really signed is checked with the
 * whole path. */
static bool may_have_issued(gnutls_x509_crt_t issuer, gnutls_x509_crt_t cert)
{
    return gnutls_x509_crt_check_issuer(cert, issuer) != 0;
}

static bool extend(struct search *s);

static bool push(struct search *s, gnutls_x509_crt_t next, bool is_authority)
{
    bool good;

    s->path[s->len++] = next;
    good = is_authority ? try_path(s) : extend(s);
    s->len--;
    return good;
}

static void dead_end(struct search *s)
{
    gnutls_x509_crt_t top = s->path[s->len - 1];
    char subject[NAME_MAX_SHOWN];
    char issuer[NAME_MAX_SHOWN];
    char detail[sizeof(s->problem->detail)];

    cert_name_text(top, CERT_SUBJECT, subject, sizeof(subject));
    cert_name_text(top, CERT_ISSUER, issuer, sizeof(issuer));
    if (gnutls_x509_crt_check_issuer(top, top) != 0) {
        snprintf(detail, sizeof(detail),
                 "the certificate of %s is self-signed and not among the trusted ones", subject);
    } else {
        snprintf(detail, sizeof(detail),
                 "the certificate of %s was issued by %s, which is neither trusted here nor sent "
                 "by the gateway",
                 subject, issuer);
    }
    complain(s, s->len, REASON_GATEWAY_UNTRUSTED, detail);
}

/* Depth-first, authorities before intermediates, bounded in depth and in the number of paths. */
static bool extend(struct search *s)
{
    gnutls_x509_crt_t top = s->path[s->len - 1];
    bool found = false;

    for (unsigned i = 0; i < s->trust->n && s->tried < PATHS_MAX; i++) {
        gnutls_x509_crt_t authority = s->trust->certs[i];

        if (may_have_issued(authority, top) && !on_path(s, authority)) {
            found = true;
            if (push(s, authority, true)) {
                return true;
            }
        }
    }
    for (size_t i = 1; i < s->chain->n && s->len < CERT_CHAIN_MAX && s->tried < PATHS_MAX; i++) {
        gnutls_x509_crt_t next = s->chain->certs[i];

        if (may_have_issued(next, top) && !on_path(s, next)) {
            found = true;
            if (push(s, next, false)) {
                return true;
            }
        }
    }
    if (!found) {
        s->tried++;
        dead_end(s);
    }
    return false;
}

void cert_chain_check_end(const struct cert_chain *chain, struct cert_problem *out)
{
    gnutls_x509_crt_t cert = chain->certs[0];

    *out = (struct cert_problem){.reason = REASON_NONE};
    if (!key_is_strong(cert, out->detail, sizeof(out->detail)) ||
        !key_usage_fits(cert, out->detail, sizeof(out->detail)) ||
        !purpose_fits(cert, out->detail, sizeof(out->detail))) {
        out->reason = REASON_GATEWAY_UNTRUSTED;
    }
}

/* A root from before there were extensions has nothing to say it with. */
static bool is_authority(gnutls_x509_crt_t cert)
{
    char unused[sizeof(((struct cert_problem *)NULL)->detail)];

    return gnutls_x509_crt_get_version(cert) < 3 || may_issue(cert, unused, sizeof(unused));
}

void cert_trust_check(const struct cert_trust *trust, size_t index, time_t now, bool *itself,
                      struct cert_problem *out)
{
    gnutls_x509_crt_t cert = trust->certs[index];
    char name[NAME_MAX_SHOWN];

    *out = (struct cert_problem){.reason = REASON_NONE};
    *itself = !is_authority(cert);
    if (!key_is_strong(cert, out->detail, sizeof(out->detail))) {
        out->reason = REASON_GATEWAY_UNTRUSTED;
    } else if (*itself && (!purpose_fits(cert, out->detail, sizeof(out->detail)) ||
                           !key_usage_fits(cert, out->detail, sizeof(out->detail)))) {
        out->reason = REASON_GATEWAY_UNTRUSTED;
        snprintf(out->detail, sizeof(out->detail),
                 "the certificate of %s is not that of an authority (basicConstraints or "
                 "keyCertSign)",
                 cert_name_text(cert, CERT_SUBJECT, name, sizeof(name)));
    } else {
        cert_trust_check_dates(trust, index, now, out);
    }
}

void cert_trust_check_dates(const struct cert_trust *trust, size_t index, time_t now,
                            struct cert_problem *out)
{
    *out = (struct cert_problem){.reason = REASON_NONE};
    if (!dates_fit(trust->certs[index], now, out->detail, sizeof(out->detail))) {
        out->reason = REASON_GATEWAY_EXPIRED;
    }
}

void cert_chain_verify(const struct cert_chain *chain, const struct cert_trust *trust, time_t now,
                       struct cert_problem *out)
{
    struct search s = {.chain = chain, .trust = trust, .now = now, .len = 1, .problem = out};
    bool good = false;

    *out = (struct cert_problem){.reason = REASON_GATEWAY_UNTRUSTED};
    s.path[0] = chain->certs[0];
    for (unsigned i = 0; i < trust->n && !good; i++) {
        if (gnutls_x509_crt_equals(trust->certs[i], chain->certs[0]) != 0) {
            good = try_path(&s);
        }
    }
    if (good || extend(&s)) {
        *out = (struct cert_problem){.reason = REASON_NONE};
    }
}
