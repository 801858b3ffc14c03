/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/algorithms.h"

#include "common/i18n.h"
#include "crypto/algs.h"

static const struct alg *find(const char *part)
{
    return alg_find_name(bytes_of_string(part));
}

char *algorithms_title(const char *suite)
{
    g_auto(GStrv) parts = g_strsplit(suite, "-", -1);
    GString *title = g_string_new(NULL);

    for (char **part = parts; *part != NULL; part++) {
        const struct alg *alg = find(*part);

        g_string_append_printf(title, "%s%s", title->len == 0 ? "" : ", ",
                               alg == NULL ? *part : alg->title);
    }
    return g_string_free(title, FALSE);
}

/* What an algorithm is there for, and how good it is. */
static const char *why_of(const struct alg *alg)
{
    if (alg->flags & ALG_LEGACY) {
        return _("is old and no longer thought to be strong; ask the gateway's administrator for a "
                 "newer one.");
    }
    if (alg->flags & ALG_AEAD) {
        return _(
            "encrypts, and notices every change on the way, in one step; nothing is known that "
            "breaks it.");
    }
    switch (alg->type) {
    case TRANSFORM_ENCR:
        return _("encrypts; nothing is known that breaks it.");
    case TRANSFORM_PRF:
        return _("makes the keys; nothing is known that breaks it.");
    case TRANSFORM_INTEG:
        return _("notices every change on the way.");
    case TRANSFORM_KE:
        return _(
            "agrees on keys that nobody who listens finds out, not even later: they are stored "
            "nowhere.");
    case TRANSFORM_SN:
        return _("number packets, so that none can be played once more.");
    }
    return "";
}

char *algorithms_why(const char *suite)
{
    g_auto(GStrv) parts = g_strsplit(suite, "-", -1);
    GString *why = g_string_new(NULL);

    for (char **part = parts; *part != NULL; part++) {
        const struct alg *alg = find(*part);

        if (alg != NULL) {
            g_string_append_printf(why, "%s%s %s", why->len == 0 ? "" : "\n", alg->title,
                                   why_of(alg));
        }
    }
    return g_string_free(why, FALSE);
}

gboolean algorithms_are_old(const char *suite)
{
    g_auto(GStrv) parts = g_strsplit(suite, "-", -1);

    for (char **part = parts; *part != NULL; part++) {
        const struct alg *alg = find(*part);

        if (alg != NULL && (alg->flags & ALG_LEGACY)) {
            return TRUE;
        }
    }
    return FALSE;
}
