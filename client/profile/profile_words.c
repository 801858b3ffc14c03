/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/profile.h"

#include <string.h>

#include "common/i18n.h"

static void append_key(GString *out, const char *name, gsize len, gboolean labels)
{
    g_autofree char *shown = g_strndup(name, len);
    const struct profile_key *key = profile_key_find(shown);

    if (labels && key != NULL) {
        /* Translators: %s is the label of a setting, in a sentence. */
        g_string_append_printf(out, _("“%s”"), _(key->label));
    } else {
        g_string_append(out, shown);
    }
}

char *profile_words(const char *text, gboolean labels)
{
    GString *out = g_string_new(NULL);
    const char *open, *end;

    for (; (open = strchr(text, '{')) != NULL && (end = strchr(open, '}')) != NULL;
         text = end + 1) {
        g_string_append_len(out, text, open - text);
        append_key(out, open + 1, (gsize)(end - open - 1), labels);
    }
    g_string_append(out, text);
    return g_string_free(out, FALSE);
}

char *profile_hint(enum reason reason, gboolean window)
{
    const char *hint = window ? reason_window_hint(reason) : reason_hint(reason);

    return hint == NULL ? g_strdup("") : profile_words(_(hint), window);
}
