/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/text.h"

#include <string.h>
#include <time.h>

#include "common/i18n.h"
#include "common/log.h"

enum { CHARACTERS_MAX = 400, LINES_MAX = 40 };

char *shown_text(const char *text)
{
    size_t cap = strlen(text) * 3 + 1;
    char *shown = g_malloc(cap);
    glong length;

    text_printable(bytes_of_string(text), shown, cap);
    length = g_utf8_strlen(shown, -1);
    if (length > CHARACTERS_MAX) {
        char *end = g_utf8_offset_to_pointer(shown, CHARACTERS_MAX);
        char *cut;

        *end = '\0';
        cut = g_strconcat(shown, "…", NULL);
        g_free(shown);
        shown = cut;
    }
    return shown;
}

char *shown_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", LINES_MAX + 1);
    GString *shown = g_string_new(NULL);

    for (guint i = 0; lines[i] != NULL && i < LINES_MAX; i++) {
        g_autofree char *line = shown_text(g_strchomp(lines[i]));

        g_string_append_printf(shown, "%s%s", i == 0 ? "" : "\n", line);
    }
    return g_strchomp(g_string_free(shown, FALSE));
}

char *duration_text(gint64 seconds)
{
    int hours, minutes, rest;

    seconds = CLAMP(seconds, 0, (gint64)G_MAXINT);
    hours = (int)(seconds / 3600);
    minutes = (int)(seconds / 60 % 60);
    rest = (int)(seconds % 60);
    return hours > 0 ? g_strdup_printf("%d:%02d:%02d", hours, minutes, rest)
                     : g_strdup_printf("%d:%02d", minutes, rest);
}

char *rate_text(double octets_per_second)
{
    g_autofree char *size = g_format_size((guint64)octets_per_second);

    /* Translators: octets in each second, such as "1.2 MB/s". */
    return g_strdup_printf(_("%s/s"), size);
}

guint64 boottime_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (guint64)now.tv_sec * G_USEC_PER_SEC + (guint64)now.tv_nsec / 1000;
}

char *clock_text(guint64 boottime_us)
{
    gint64 ago = (gint64)(boottime_now() - boottime_us);
    g_autoptr(GDateTime) then =
        g_date_time_new_from_unix_local((g_get_real_time() - ago) / G_USEC_PER_SEC);

    return then == NULL ? g_strdup("") : g_date_time_format(then, "%H:%M:%S");
}
