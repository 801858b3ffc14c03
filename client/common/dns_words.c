/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/dns_words.h"

#include <glib.h>
#include <string.h>

#define WORDS_MAX 2 /* that stand for conversions */

/* Of printf: the end of one, which begins at a percent sign. */
static const char *end_of_conversion(const char *at)
{
    return at + strcspn(at, "sfu") + 1;
}

/* The words that `format` was filled with, NULL-ended; NULL when it was not that one. */
static char **words_of(const char *format, const char *said)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    gboolean fits = TRUE;

    while (fits && *format != '\0') {
        gsize plain = strcspn(format, "%");

        fits = strncmp(format, said, plain) == 0;
        said += fits ? plain : 0;
        format += plain;
        if (fits && *format == '%') {
            const char *rest = end_of_conversion(format);
            g_autofree char *next = g_strndup(rest, strcspn(rest, "%"));
            const char *end = *next == '\0' ? said + strlen(said) : strstr(said, next);

            fits = end != NULL && words->len < WORDS_MAX;
            if (fits) {
                g_ptr_array_add(words, g_strndup(said, (gsize)(end - said)));
                said = end;
            }
            format = rest;
        }
    }
    fits = fits && *said == '\0';
    g_ptr_array_add(words, NULL);
    if (!fits) {
        g_ptr_array_unref(words);
        return NULL;
    }
    return (char **)g_ptr_array_free(words, FALSE);
}

/* In the order in which they were said. */
static char *filled(const char *format, char *const *words)
{
    GString *out = g_string_new(NULL);

    while (*format != '\0') {
        gsize plain = strcspn(format, "%");

        g_string_append_len(out, format, (gssize)plain);
        format += plain;
        if (*format == '%') {
            g_string_append(out, *words == NULL ? "" : *words++);
            format = end_of_conversion(format);
        }
    }
    return g_string_free(out, FALSE);
}

char *dns_words_here(const char *said)
{
    static const char *const formats[] = {DNS_WORDS_ANSWERS, DNS_WORDS_REFUSES, DNS_WORDS_NO_WAY,
                                          DNS_WORDS_SILENT, DNS_WORDS_ALL_SILENT};

    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_auto(GStrv) words = words_of(formats[i], said);

        if (words != NULL) {
            return filled(_(formats[i]), words);
        }
    }
    /* Why it is left as it is, and names of programs. */
    return g_strdup(*said == '\0' ? "" : _(said));
}
