/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/print.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/i18n.h"
#include "common/log.h"
#include "profile/profile.h"

/* Lines of text are no longer, however wide the terminal is; and no shorter. */
#define COLUMNS_MAX 80
#define COLUMNS_MIN 30

G_DEFINE_QUARK(godwit-cli-error-quark, cli_error)

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

/* Columns of a terminal that the characters up to `end` take. */
static glong columns_of(const char *text, const char *end)
{
    glong columns = 0;

    for (; text < end; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        columns += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return columns;
}

/* Of a line of text that goes there. */
static glong width_of(FILE *out)
{
    struct winsize size = {0};

    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0
               ? CLAMP(size.ws_col, COLUMNS_MIN, COLUMNS_MAX)
               : COLUMNS_MAX;
}

/* Lines may end behind a wide character too, but what closes stays with it. */
static gboolean ends_piece(gunichar c, gunichar next)
{
    GUnicodeType type = g_unichar_type(next);

    return next == ' ' || next == '\0' ||
           (g_unichar_iswide(c) && g_unichar_type(c) != G_UNICODE_OPEN_PUNCTUATION &&
            type != G_UNICODE_CLOSE_PUNCTUATION && type != G_UNICODE_OTHER_PUNCTUATION &&
            type != G_UNICODE_MODIFIER_LETTER);
}

static const char *end_of_piece(const char *text)
{
    const char *next = g_utf8_next_char(text);

    while (!ends_piece(g_utf8_get_char(text), g_utf8_get_char(next))) {
        text = next;
        next = g_utf8_next_char(text);
    }
    return next;
}

/* Goes on behind `column`; further lines begin at `indent`. */
static void print_from(FILE *out, glong column, glong indent, const char *text)
{
    glong columns = width_of(out);

    while (*text != '\0') {
        int blank = *text == ' ';
        const char *piece = text + blank, *end = *piece == '\0' ? piece : end_of_piece(piece);
        glong width = columns_of(piece, end);

        if (column > indent && column + blank + width > columns) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        blank = column == indent ? 0 : blank;
        fprintf(out, "%*s%.*s", blank, "", (int)(end - piece), piece);
        column += blank + width;
        text = end;
    }
    fputc('\n', out);
}

void print_wrapped(FILE *out, unsigned indent, const char *text)
{
    fprintf(out, "%*s", *text == '\0' ? 0 : (int)indent, "");
    print_from(out, (glong)indent, (glong)indent, text);
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
        const char *label = rows->labels->pdata[i];

        widest = MAX(widest, columns_of(label, label + strlen(label)));
    }
    for (guint i = 0; i < rows->labels->len; i++) {
        const char *label = rows->labels->pdata[i];
        int gap = (int)(widest - columns_of(label, label + strlen(label))) + 2;

        fprintf(out, "  %s%s%s%*s", style_begin(out, STYLE_DIM), label, style_end(out), gap, "");
        /* A line each for programs. */
        if (isatty(fileno(out))) {
            print_from(out, widest + 4, widest + 4, rows->values->pdata[i]);
        } else {
            fprintf(out, "%s\n", (const char *)rows->values->pdata[i]);
        }
    }
    g_ptr_array_unref(rows->labels);
    g_ptr_array_unref(rows->values);
    g_free(rows);
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
    g_autofree char *hint = profile_hint(reason, FALSE);
    gboolean has_detail = detail != NULL && *detail != '\0';
    char *shown = printable(has_detail ? detail : "");

    /* What is not there is said by the detail alone. */
    gboolean whole = !has_detail || reason != REASON_NOT_FOUND;

    fflush(stdout);
    fprintf(stderr, "%sgodwit:%s %s%s%s\n", style_begin(stderr, STYLE_BAD), style_end(stderr),
            whole ? _(reason_sentence(reason)) : "", whole && has_detail ? " " : "", shown);
    if (*hint != '\0') {
        fprintf(stderr, _("Hint: %s\n"), hint);
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
