/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Build tool: fills a template of a man page or of a shell's completion from the tables of
 * commands, of keys and of reasons. A line that consists of one of `blocks` becomes what that
 * prints; the words in fill_line() are replaced wherever they stand.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/generate.h"
#include "profile/profile.h"

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
        g_autofree char *hint = profile_hint(reason, FALSE);

        if (reason_exit_code(reason) == 0) {
            continue;
        }
        printf(".TP\n\\fB%d\\fR\n", reason_exit_code(reason));
        print_roff(reason_sentence(reason));
        putchar('\n');
        if (*hint != '\0') {
            print_roff(hint);
            putchar('\n');
        }
    }
}

/* ---- commands ---- */

/* "godwit connect PROFILE|HOST [OPTION…]": what is typed as it stands in bold, the
 * rest in italics. */
static void print_synopsis_of(const struct usage *usage)
{
    char **words = g_strsplit(usage->synopsis, " ", -1);

    for (char **word = words; *word != NULL; word++) {
        gboolean literal = g_ascii_islower(**word);

        printf("%s\\f%c", word == words ? "" : " ", literal ? 'B' : 'I');
        print_roff(*word);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    g_strfreev(words);
}

static void print_command(const struct usage *usage)
{
    printf(".SS \"");
    print_roff(usage->synopsis + strlen("godwit "));
    puts("\"");
    print_roff(usage->about);
    putchar('\n');
    for (const struct flag *flag = usage->flags; flag->name != NULL; flag++) {
        print_term("--", flag->name, flag->metavar == NULL ? "" : " ", flag->metavar);
        print_roff(flag->help);
        putchar('\n');
    }
}

static void for_each_usage(void (*print)(const struct usage *usage))
{
    for (const struct command *const *command = cli_commands; *command != NULL; command++) {
        if ((*command)->actions == NULL) {
            print((*command)->usage);
        }
        for (const struct command *const *action = (*command)->actions;
             action != NULL && *action != NULL; action++) {
            /* godwit profile list is godwit list. */
            if (*action != &command_list) {
                print((*action)->usage);
            }
        }
    }
}

static void print_synopsis(void)
{
    for_each_usage(print_synopsis_of);
}

static void print_commands(void)
{
    for_each_usage(print_command);
}

/* ---- templates ---- */

static const struct {
    const char *marker;
    void (*print)(void);
} blocks[] = {
    {"@KEYS@", print_keys},
    {"@OPTIONS@", print_options},
    {"@EXIT_CODES@", print_exit_codes},
    {"@SYNOPSIS@", print_synopsis},
    {"@COMMANDS@", print_commands},
    {"@BASH_COMMANDS@", generate_bash_commands},
    {"@BASH_VALUES@", generate_bash_values},
    {"@FISH@", generate_fish},
    {"@ZSH_COMMANDS@", generate_zsh_commands},
    {"@ZSH_KEYS@", generate_zsh_keys},
};

static void fill_line(const char *line)
{
    GString *text, *with_actions;

    for (gsize i = 0; i < G_N_ELEMENTS(blocks); i++) {
        if (strcmp(line, blocks[i].marker) == 0) {
            blocks[i].print();
            return;
        }
    }
    text = g_string_new(line);
    with_actions = g_string_new(NULL);
    for (const struct command *const *command = cli_commands; *command != NULL; command++) {
        if ((*command)->actions != NULL) {
            g_string_append_printf(with_actions, "%s%s", with_actions->len == 0 ? "" : "|",
                                   (*command)->name);
        }
    }
    g_string_replace(text, "@VERSION@", PACKAGE_VERSION, 0);
    g_string_replace(text, "@SYSCONFDIR@", SYSCONFDIR, 0);
    g_string_replace(text, "@COMMANDS_WITH_ACTIONS@", with_actions->str, 0);
    g_string_free(with_actions, TRUE);
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
