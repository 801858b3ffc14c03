/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/editor/mnemonic.h"

static gboolean is_used(const GString *used, gunichar character)
{
    return g_utf8_strchr(used->str, (gssize)used->len, character) != NULL;
}

char *mnemonic_label(const char *label, GString *used)
{
    GString *out = g_string_new(NULL);
    gboolean found = FALSE;
    for (const char *at = label; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at), lower = g_unichar_tolower(character);
        if (!found && g_unichar_isalnum(character) && !is_used(used, lower)) {
            g_string_append_unichar(used, lower);
            g_string_append_c(out, '_');
            found = TRUE;
        }
        if (character == '_') {
            g_string_append_c(out, '_');
        }
        g_string_append_unichar(out, character);
    }
    return g_string_free(out, FALSE);
}
