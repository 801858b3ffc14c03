/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/print.h"

#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/i18n.h"
#include "common/log.h"
#include "profile/profile.h"

#define COLUMNS 80

static gboolean has_style(FILE *out)
{
    const char *refused = g_getenv("NO_COLOR"), *terminal = g_getenv("TERM");

    return isatty(fileno(out)) && (refused == NULL || *refused == '\0') &&
           g_strcmp0(terminal, "dumb") != 0;
}

const char *style_begin(FILE *out, enum style style)
{
    static const char *const sequences[] = {
        [STYLE_BOLD] = "\033[1m",
        [STYLE_DIM] = "\033[2m",
        [STYLE_BAD] = "\033[1;31m",
    };

    return has_style(out) ? sequences[style] : "";
}

const char *style_end(FILE *out)
{
    return has_style(out) ? "\033[0m" : "";
}

struct rows {
    GPtrArray *labels, *values;
};

struct rows *rows_new(void)
{
    struct rows *rows = g_new(struct rows, 1);

    rows->labels = g_ptr_array_new_with_free_func(g_free);
    rows->values = g_ptr_array_new_with_free_func(g_free);
    return rows;
}

void rows_add(struct rows *rows, const char *label, char *value)
{
    if (value == NULL || *value == '\0') {
        g_free(value);
        return;
    }
    g_ptr_array_add(rows->labels, g_strdup(label));
    g_ptr_array_add(rows->values, value);
}

void rows_finish(struct rows *rows, FILE *out)
{
    glong widest = 0;

    for (guint i = 0; i < rows->labels->len; i++) {
        widest = MAX(widest, g_utf8_strlen(rows->labels->pdata[i], -1));
    }
    for (guint i = 0; i < rows->labels->len; i++) {
        const char *label = rows->labels->pdata[i];
        int gap = (int)(widest - g_utf8_strlen(label, -1)) + 2;

        fprintf(out, "  %s%s%s%*s%s\n", style_begin(out, STYLE_DIM), label, style_end(out), gap, "",
                (const char *)rows->values->pdata[i]);
    }
    g_ptr_array_unref(rows->labels);
    g_ptr_array_unref(rows->values);
    g_free(rows);
}

void print_wrapped(FILE *out, unsigned indent, const char *text)
{
    char **words = g_strsplit(text, " ", -1);
    glong column = 0;

    for (char **word = words; *word != NULL; word++) {
        glong width = g_utf8_strlen(*word, -1);

        if (column > 0 && column + 1 + width > COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        if (column == 0) {
            fprintf(out, "%*s%s", (int)indent, "", *word);
            column = (glong)indent + width;
        } else {
            fprintf(out, " %s", *word);
            column += 1 + width;
        }
    }
    fputc('\n', out);
    g_strfreev(words);
}

char *printable(const char *text)
{
    size_t cap = strlen(text) * 3 + 1;
    char *out = g_malloc(cap);

    text_printable(bytes_of_string(text), out, cap);
    return out;
}

char *duration_text(gint64 seconds)
{
    if (seconds < 60) {
        return g_strdup_printf(_("%d s"), (int)seconds);
    }
    if (seconds < 3600) {
        return g_strdup_printf(_("%d min %d s"), (int)(seconds / 60), (int)(seconds % 60));
    }
    if (seconds < 86400) {
        return g_strdup_printf(_("%d h %d min"), (int)(seconds / 3600), (int)(seconds / 60 % 60));
    }
    return g_strdup_printf(_("%d d %d h"), (int)(seconds / 86400), (int)(seconds / 3600 % 24));
}

int cli_fail(enum reason reason, const char *detail)
{
    const char *hint = reason_hint(reason);
    gboolean has_detail = detail != NULL && *detail != '\0';
    char *shown = printable(has_detail ? detail : "");

    fflush(stdout);
    fprintf(stderr, "%sgodwit:%s %s%s%s\n", style_begin(stderr, STYLE_BAD), style_end(stderr),
            _(reason_sentence(reason)), has_detail ? " " : "", shown);
    if (hint != NULL) {
        fprintf(stderr, _("Hint: %s\n"), _(hint));
    }
    g_free(shown);
    return reason_exit_code(reason);
}

int cli_fail_error(enum reason reason, GError *error)
{
    int code;

    if (error->domain == CLI_ERROR) {
        reason = (enum reason)error->code;
    }
    code = cli_fail(reason, error->message);
    g_error_free(error);
    return code;
}

void cli_not_found(GError **error, char *sentence, const char *word, const GPtrArray *names)
{
    const char **words = g_new0(const char *, names->len + 1);
    const char *near;
    GString *message = g_string_new(sentence);

    for (guint i = 0; i < names->len; i++) {
        words[i] = names->pdata[i];
    }
    near = nearest_word(word, words);
    if (near != NULL) {
        g_string_append_printf(message, _(" Did you mean \"%s\"?"), near);
    }
    g_set_error_literal(error, CLI_ERROR, REASON_NOT_FOUND, message->str);
    g_string_free(message, TRUE);
    g_free(sentence);
    g_free(words);
}
