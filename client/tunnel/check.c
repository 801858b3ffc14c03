/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tunnel/check.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/confine.h"
#include "common/i18n.h"
#include "common/secret.h"
#include "crypto/cert.h"
#include "tunnel/cage.h"
#include "tunnel/worker_config.h"

#define PROFILE_OCTETS (8 * PROFILE_FILE_MAX) /* its files and texts, at most */
#define SOON (30 * 24 * 3600)                 /* seconds */

static void tell(const char *verdict, const char *key, const char *why)
{
    printf("%s\t%s\t%s\n", verdict, key, why);
}

static void tell_end(const char *key, const struct cert_summary *certificate)
{
    g_autoptr(GDateTime) end = g_date_time_new_from_unix_utc(certificate->until);
    g_autofree char *day = end == NULL ? NULL : g_date_time_format(end, "%Y-%m-%d");
    /* Translators: whose certificate, and the day, as in 2026-11-22. */
    g_autofree char *why =
        g_strdup_printf(_("the certificate of %s expires on %s"), certificate->subject, day);

    tell("note", key, why);
}

/* What still counts, but not for long. */
static void check_end(const char *key, const struct cert_trust *certificates, size_t index,
                      time_t now)
{
    struct cert_summary certificate;

    if (cert_trust_summary(certificates, index, &certificate) && certificate.until < now + SOON) {
        tell_end(key, &certificate);
    }
}

static void tell_alone(const struct cert_trust *trust, size_t index)
{
    g_autofree char *why = NULL;
    struct cert_summary certificate;

    if (cert_trust_summary(trust, index, &certificate)) {
        why = g_strdup_printf(_("the certificate of %s is not that of an authority: a gateway is "
                                "trusted by it only if it has this very certificate"),
                              certificate.subject);
        tell("note", "ca", why);
    }
}

/* Of several authorities one is enough. */
static void check_authorities(const struct worker_config *config, time_t now)
{
    struct cert_problem problem;
    struct cert_summary unused;
    bool itself, usable = false;

    for (size_t i = 0; cert_trust_summary(config->trust, i, &unused) && !usable; i++) {
        cert_trust_check(config->trust, i, now, &itself, &problem);
        usable = problem.reason == REASON_NONE;
    }
    for (size_t i = 0; cert_trust_summary(config->trust, i, &unused); i++) {
        cert_trust_check(config->trust, i, now, &itself, &problem);
        if (problem.reason != REASON_NONE) {
            tell(usable ? "note" : "problem", "ca", problem.detail);
        } else if (itself) {
            tell_alone(config->trust, i);
        }
        if (problem.reason == REASON_NONE) {
            check_end("ca", config->trust, i, now);
        }
    }
}

/* Its dates are the gateway's to judge, and most will. */
static void check_certificates(const struct profile *profile, time_t now)
{
    struct cert_trust *certificates;
    struct cert_problem problem;
    size_t n;

    if (cert_trust_from_data(&certificates, profile_get_bytes(profile, "certificate"), &n) != OK) {
        tell("problem", "certificate", _("it holds no certificate in PEM or DER"));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        cert_trust_check_dates(certificates, i, now, &problem);
        if (problem.reason != REASON_NONE) {
            tell("note", "certificate", problem.detail);
        } else {
            check_end("certificate", certificates, i, now);
        }
    }
    cert_trust_free(certificates);
}

static void check_tokens(const struct profile *profile)
{
    static const char *const keys[] = {"certificate", "private-key"};

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (profile_is_on_token(profile, keys[i])) {
            tell("note", keys[i], _("it is on a token, which was not asked"));
        }
    }
}

static void check_own(const struct profile *profile, time_t now)
{
    if (g_strcmp0(profile_get(profile, "auth"), "certificate") != 0) {
        return;
    }
    check_tokens(profile);
    if (!profile_is_on_token(profile, "certificate")) {
        check_certificates(profile, now);
    }
}

static void check(struct worker_config *config, time_t now)
{
    enum reason reason = REASON_INTERNAL;
    const char *key = NULL;
    char why[1024] = "";

    switch (worker_config_build(config, &key, &reason, why, sizeof why)) {
    case WORKER_CONFIG_NEEDS_SECRET:
        if (g_str_equal(key, "private-key-password")) {
            tell("note", "private-key", _("it is encrypted; its password is asked for"));
        }
        break;
    case WORKER_CONFIG_FAILED:
        tell("problem", key == NULL ? "auth" : key, why);
        return;
    case WORKER_CONFIG_OK:
    case WORKER_CONFIG_NEEDS_TOKEN:
        break;
    }
    if (config->trust != NULL) {
        check_authorities(config, now);
    }
    check_own(config->profile, now);
}

/* ---- what comes in ---- */

static gboolean read_input(struct secret *in)
{
    gsize len = 0;
    ssize_t n = 1;

    if (!secret_alloc(in, PROFILE_OCTETS)) {
        return FALSE;
    }
    while (len < in->len && n != 0) {
        n = read(STDIN_FILENO, in->data + len, in->len - len);
        if (n < 0 && errno != EINTR) {
            return FALSE;
        }
        len += n > 0 ? (gsize)n : 0;
    }
    in->len = len;
    return len < PROFILE_OCTETS;
}

static struct profile *read_profile(void)
{
    struct profile *profile = NULL;
    struct secret in = {0};

    if (read_input(&in)) {
        g_autoptr(GVariant) dict = g_variant_ref_sink(
            g_variant_new_from_data(G_VARIANT_TYPE_VARDICT, in.data, in.len, FALSE, NULL, NULL));

        profile = profile_from_variant(dict, NULL);
    }
    secret_free(&in);
    return profile;
}

void check_run(void)
{
    struct worker_config config = {0};
    gboolean heard = FALSE;

    if (confine_rights() && gnutls_global_init() == GNUTLS_E_SUCCESS && cage_enter(-1)) {
        config.profile = read_profile();
        heard = config.profile != NULL;
    }
    if (heard) {
        check(&config, time(NULL));
    }
    worker_config_clear(&config);
    /* What libraries, and tools that look for leaks, do at the end needs what the cage refuses. */
    _exit(heard && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
