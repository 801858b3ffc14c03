/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/questions/shown.h"

#include <string.h>

#include "common/i18n.h"
#include "common/log.h"

#define CUT "…"
#define TEXT_CHARACTERS 401 /* with CUT */
#define PAGE_CHARACTERS 2000
#define PAGE_LINES 40
/* First strong isolate and its end: what is between them has a direction of its own. */
#define ISOLATE "\u2068"
#define ISOLATE_END "\u2069"

/* At most so many of its characters, the last one being CUT when there are more. */
static void append_cut(GString *out, const char *text, gsize characters)
{
    if ((gsize)g_utf8_strlen(text, -1) <= characters) {
        g_string_append(out, text);
    } else if (characters > 0) {
        g_string_append_len(out, text,
                            g_utf8_offset_to_pointer(text, (glong)characters - 1) - text);
        g_string_append(out, CUT);
    }
}

/* Nobody reads the rest of 64 KiB: not more octets than its characters can have are looked at. */
static char *printable(const char *text, gsize len, gsize characters)
{
    gsize wanted = MIN(len, (characters + 1) * 4);
    char *out = g_malloc(wanted + 1);
    (void)text_printable(bytes_of(text, wanted), out, wanted + 1);
    return out;
}

char *shown_line(const char *text, gsize characters)
{
    GString *out = g_string_new(NULL);
    g_autofree char *line = printable(text ? text : "", text ? strlen(text) : 0, characters);
    append_cut(out, g_strstrip(line), characters);
    return g_string_free(out, FALSE);
}

char *shown_block(const char *text, gsize characters, guint lines)
{
    GString *out = g_string_new(NULL);
    gsize used = 0;
    guint n = 0;
    for (const char *at = text ? text : ""; *at && used < characters;) {
        gsize len = strcspn(at, "\r\n");
        g_autofree char *line = printable(at, len, characters - used);
        at += len;
        at += strspn(at, "\r") == 1 && at[1] == '\n' ? 2 : *at != '\0';
        g_strchomp(line);
        if (out->len == 0 && *line == '\0') {
            continue;
        }
        if (n++ == lines) {
            g_string_append(out, CUT);
            break;
        }
        if (out->len > 0) {
            g_string_append_c(out, '\n');
        }
        append_cut(out, line, characters - used);
        used += (gsize)g_utf8_strlen(line, -1) + 1;
    }
    return g_strchomp(g_string_free(out, FALSE));
}

char *shown_name(const char *text, gsize characters)
{
    g_autofree char *line = shown_line(text, characters);
    return g_strconcat(ISOLATE, line, ISOLATE_END, NULL);
}

char *shown_unmarked(const char *text)
{
    GString *out = g_string_new(text);
    g_string_replace(out, "&", "＆", 0);
    g_string_replace(out, "<", "‹", 0);
    g_string_replace(out, ">", "›", 0);
    return g_string_free(out, FALSE);
}

char *shown_date(gint64 when)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(when);
    /* Translators: a day as strftime(3) writes it, "21 November 2026". */
    return date ? g_date_time_format(date, _("%-d %B %Y")) : g_strdup("?");
}

char *shown_text(const char *text)
{
    return shown_line(text, TEXT_CHARACTERS);
}

char *shown_lines(const char *text)
{
    return shown_block(text, PAGE_CHARACTERS, PAGE_LINES);
}
