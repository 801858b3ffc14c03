/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Build tool: fills a template of a man page or of the shell completion from the key table and the
 * table of reasons. Lines that consist of @KEYS@, @OPTIONS@, @EXIT_CODES@ or @COMPLETION@ become
 * what they name; @VERSION@ and @SYSCONFDIR@ are replaced wherever they stand.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/options.h"

/* Text for roff: its own characters quoted, hyphens kept as what people type. */
static void print_roff(const char *text)
{
    if (*text == '.' || *text == '\'') {
        fputs("\\&", stdout);
    }
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        case '~':
            fputs("\\(ti", stdout);
            break;
        default:
            putchar(*text);
        }
    }
}

/* A tagged paragraph: \fB--NAME\fR METAVAR. */
static void print_term(const char *before, const char *name, const char *after, const char *metavar)
{
    fputs(".TP\n\\fB", stdout);
    print_roff(before);
    print_roff(name);
    printf("\\fR%s", after);
    if (metavar != NULL) {
        printf("\\fI%s\\fR", metavar);
    }
    putchar('\n');
}

static void print_help_of(const struct profile_key *key)
{
    char *help = key_help(key);

    print_roff(help);
    putchar('\n');
    g_free(help);
}

static void print_keys(void)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        print_term("", key->name, "=", key->metavar);
        print_help_of(key);
        if ((key->flags & PROFILE_REQUIRED) != 0) {
            puts("Required.");
        }
        if (key->type == PROFILE_UINT && key->min > 0) {
            printf("From %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ".\n", key->min, key->max);
        }
    }
}

static void print_options(void)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        if (key->type == PROFILE_SECRET) {
            char *name = g_strconcat(key->name, "-fd", NULL);

            print_term("--", name, " ", "N");
            print_help_of(key);
            puts("Read from the first line of file descriptor \\fIN\\fR.");
            g_free(name);
        } else if ((key->flags & PROFILE_NO_OPTION) == 0) {
            gboolean is_switch = key->type == PROFILE_BOOL;

            print_term("--", key->name, is_switch ? "" : " ", is_switch ? NULL : key->metavar);
            print_help_of(key);
        }
    }
}

static void print_exit_codes(void)
{
    for (int i = 0; i < REASON_COUNT; i++) {
        enum reason reason = (enum reason)i;

        if (reason_exit_code(reason) == 0) {
            continue;
        }
        printf(".TP\n\\fB%d\\fR\n", reason_exit_code(reason));
        print_roff(reason_sentence(reason));
        putchar('\n');
        if (reason_hint(reason) != NULL) {
            print_roff(reason_hint(reason));
            putchar('\n');
        }
    }
}

/* ---- bash ---- */

static void print_completion(void)
{
    GString *files = g_string_new(NULL), *values = g_string_new(NULL), *all = g_string_new(NULL);

    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        gboolean secret = key->type == PROFILE_SECRET;

        if (!secret && (key->flags & PROFILE_NO_OPTION) != 0) {
            continue;
        }
        g_string_append_printf(all, " --%s%s", key->name, secret ? "-fd" : "");
        if (key->choices != NULL) {
            char *choices = g_strjoinv(" ", (char **)key->choices);

            printf("--%s) words='%s' ;;\n", key->name, choices);
            g_free(choices);
        } else if (key->type == PROFILE_FILE) {
            g_string_append_printf(files, "%s--%s", files->len == 0 ? "" : " | ", key->name);
        } else if (key->type != PROFILE_BOOL) {
            g_string_append_printf(values, "%s--%s%s", values->len == 0 ? "" : " | ", key->name,
                                   secret ? "-fd" : "");
        }
    }
    printf("%s) files=yes ;;\n%s) return ;;\n*) settings='%s' ;;\n", files->str, values->str,
           all->str + 1);
    g_string_free(files, TRUE);
    g_string_free(values, TRUE);
    g_string_free(all, TRUE);
}

/* ---- templates ---- */

static const struct {
    const char *marker;
    void (*print)(void);
} blocks[] = {
    {"@KEYS@", print_keys},
    {"@OPTIONS@", print_options},
    {"@EXIT_CODES@", print_exit_codes},
    {"@COMPLETION@", print_completion},
};

static void fill_line(const char *line)
{
    GString *text;

    for (gsize i = 0; i < G_N_ELEMENTS(blocks); i++) {
        if (strcmp(line, blocks[i].marker) == 0) {
            blocks[i].print();
            return;
        }
    }
    text = g_string_new(line);
    g_string_replace(text, "@VERSION@", PACKAGE_VERSION, 0);
    g_string_replace(text, "@SYSCONFDIR@", SYSCONFDIR, 0);
    puts(text->str);
    g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    char *template, **lines;

    if (argc != 2 || !g_file_get_contents(argv[1], &template, NULL, &error)) {
        fprintf(stderr, "generate: %s\n",
                error == NULL ? "one template is wanted" : error->message);
        return 1;
    }
    lines = g_strsplit(g_strchomp(template), "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        fill_line(*line);
    }
    g_strfreev(lines);
    g_free(template);
    return ferror(stdout) || fflush(stdout) != 0;
}
