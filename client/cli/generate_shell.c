/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shells' completions, from the tables of commands and of keys. */
#include <stdio.h>
#include <string.h>

#include "cli/generate.h"
#include "profile/profile.h"

/* "connect disconnect …" with blanks between; g_free(). */
static char *names_of(const struct command *const *table)
{
    GString *names = g_string_new(NULL);

    for (; *table != NULL; table++) {
        g_string_append_printf(names, "%s%s", names->len == 0 ? "" : " ", (*table)->name);
    }
    return g_string_free(names, FALSE);
}

/* Of a key on the command line: "--port", or "--password-fd" for a secret; g_free(). NULL = it has
 * none. */
static char *option_of(const struct profile_key *key)
{
    if (key->type == PROFILE_SECRET) {
        return g_strdup_printf("--%s-fd", key->name);
    }
    return (key->flags & PROFILE_NO_OPTION) != 0 ? NULL : g_strdup_printf("--%s", key->name);
}

/* What a shell function of the templates completes the words of a command with. */
static const char *kind_of(const struct usage *usage)
{
    static const char *const kinds[] = {
        [WORDS_OTHER] = "",
        [WORDS_PROFILES] = "profiles",
        [WORDS_SESSIONS] = "sessions",
    };

    return kinds[usage->words];
}

/* `each` for every command that can be run; `action` is its name in that, or NULL. */
static void for_each_command(void (*each)(const char *command, const char *action,
                                          const struct command *row))
{
    for (const struct command *const *row = cli_commands; *row != NULL; row++) {
        if ((*row)->actions == NULL) {
            each((*row)->name, NULL, *row);
            continue;
        }
        for (const struct command *const *action = (*row)->actions; *action != NULL; action++) {
            each((*row)->name, (*action)->name, *action);
        }
    }
}

/* Inside of '…' of bash, zsh and fish: the quote itself is left out. */
static void print_quoted(const char *text, const char *also_escaped)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("’", stdout);
        } else {
            if (strchr(also_escaped, *text) != NULL) {
                putchar('\\');
            }
            putchar(*text);
        }
    }
}

/* The first sentence, without its end. */
static char *sentence(const char *help)
{
    const char *end = strstr(help, ". ");
    gsize len = end == NULL ? strlen(help) : (gsize)(end - help);

    return g_strndup(help, len > 0 && help[len - 1] == '.' ? len - 1 : len);
}

/* ---- bash ---- */

static void bash_branch(const char *command, const char *action, const struct command *row)
{
    printf("*:%s:%s) kind='%s' words='--help", command, action == NULL ? "*" : action,
           kind_of(row->usage));
    for (const struct flag *flag = row->usage->flags; flag->name != NULL; flag++) {
        printf(" --%s", flag->name);
    }
    fputs(row->usage->keys ? " '$settings ;;\n" : "' ;;\n", stdout);
}

void generate_bash_commands(void)
{
    char *names = names_of(cli_commands);

    printf("1:*) words='%s --help --version' ;;\n", names);
    g_free(names);
    for (const struct command *const *row = cli_commands; *row != NULL; row++) {
        if ((*row)->actions != NULL) {
            names = names_of((*row)->actions);
            printf("2:%s:*) words='%s --help' ;;\n", (*row)->name, names);
            g_free(names);
        }
    }
    for_each_command(bash_branch);
}

static void append(GString *list, const char *separator, const char *option)
{
    g_string_append_printf(list, "%s%s", list->len == 0 ? "" : separator, option);
}

static void bash_flag_values(const char *command, const char *action, const struct command *row)
{
    (void)command;
    (void)action;
    for (const struct flag *flag = row->usage->flags; flag->name != NULL; flag++) {
        if (flag->metavar != NULL) {
            printf("--%s) return ;;\n", flag->name);
        }
    }
}

void generate_bash_values(void)
{
    GString *files = g_string_new(NULL), *values = g_string_new(NULL), *all = g_string_new(NULL);

    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        char *option = option_of(key);

        if (option == NULL) {
            continue;
        }
        append(all, " ", option);
        if (key->choices != NULL) {
            char *choices = g_strjoinv(" ", (char **)key->choices);

            printf("%s) words='%s' ;;\n", option, choices);
            g_free(choices);
        } else if (key->type == PROFILE_FILE) {
            append(files, " | ", option);
        } else if (key->type != PROFILE_BOOL) {
            append(values, " | ", option);
        }
        g_free(option);
    }
    for_each_command(bash_flag_values);
    printf("%s) files=yes ;;\n%s) return ;;\n*) settings='%s' ;;\n", files->str, values->str,
           all->str);
    g_string_free(files, TRUE);
    g_string_free(values, TRUE);
    g_string_free(all, TRUE);
}

/* ---- zsh ---- */

static void zsh_describe(const char *name, const char *help)
{
    char *brief = sentence(help);

    printf(" '%s:", name);
    print_quoted(brief, ":\\");
    putchar('\'');
    g_free(brief);
}

/* '--name=[help]:VALUE:action' or '--name[help]' */
static void zsh_option(const char *option, const char *help, const char *metavar,
                       const char *values)
{
    char *brief = sentence(help);

    printf("'%s%s[", option, metavar == NULL ? "" : "=");
    print_quoted(brief, "[]\\");
    if (metavar == NULL) {
        fputs("]'", stdout);
    } else {
        printf("]:%s:%s'", metavar, values);
    }
    g_free(brief);
}

void generate_zsh_keys(void)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        char *option = option_of(key);
        char *choices =
            key->choices == NULL ? g_strdup("") : g_strjoinv(" ", (char **)key->choices);
        char *values = key->type == PROFILE_FILE ? g_strdup("_files")
                       : *choices != '\0'        ? g_strdup_printf("(%s)", choices)
                                                 : g_strdup(" ");

        if (option != NULL) {
            fputs("    ", stdout);
            zsh_option(option, key->label, key->type == PROFILE_BOOL ? NULL : key->metavar, values);
            putchar('\n');
        }
        g_free(values);
        g_free(choices);
        g_free(option);
    }
}

static void zsh_arguments(const struct usage *usage)
{
    fputs("_arguments '(- *)--help[Show this help]'", stdout);
    for (const struct flag *flag = usage->flags; flag->name != NULL; flag++) {
        char *option = g_strdup_printf("--%s", flag->name);

        putchar(' ');
        zsh_option(option, flag->help, flag->metavar, " ");
        g_free(option);
    }
    if (usage->words != WORDS_OTHER) {
        printf(" '*:%s: _godwit_names %s'", kind_of(usage), kind_of(usage));
    } else if (usage->max_words > 0) {
        fputs(" '*:word:()'", stdout);
    }
    puts(usage->keys ? " $settings && return ;;" : " && return ;;");
}

static void zsh_branch(const char *command, const char *action, const struct command *row)
{
    printf("%s%s%s) ", command, action == NULL ? "" : ":", action == NULL ? "" : action);
    zsh_arguments(row->usage);
}

void generate_zsh_commands(void)
{
    fputs(":) commands=(", stdout);
    for (const struct command *const *row = cli_commands; *row != NULL; row++) {
        zsh_describe((*row)->name, (*row)->summary);
    }
    puts("); _describe command commands && return ;;");
    for (const struct command *const *row = cli_commands; *row != NULL; row++) {
        if ((*row)->actions != NULL) {
            printf("%s:) commands=(", (*row)->name);
            for (const struct command *const *action = (*row)->actions; *action != NULL; action++) {
                zsh_describe((*action)->name, (*action)->usage->about);
            }
            puts("); _describe action commands && return ;;");
        }
    }
    for_each_command(zsh_branch);
}

/* ---- fish ---- */

static void fish_line(const char *condition, const char *what, const char *help)
{
    char *brief = sentence(help);

    printf("complete -c godwit -n '%s' %s -d '", condition, what);
    print_quoted(brief, "\\");
    puts("'");
    g_free(brief);
}

static void fish_branch(const char *command, const char *action, const struct command *row)
{
    char *condition = g_strdup_printf("__godwit_at %s%s%s", command, action == NULL ? "" : " ",
                                      action == NULL ? "" : action);

    fish_line(condition, "-l help", "Show this help");
    for (const struct flag *flag = row->usage->flags; flag->name != NULL; flag++) {
        char *what = g_strdup_printf("-l %s%s", flag->name, flag->metavar == NULL ? "" : " -x");

        fish_line(condition, what, flag->help);
        g_free(what);
    }
    if (row->usage->words != WORDS_OTHER) {
        printf("complete -c godwit -n '%s' -a '(__godwit_names %s)'\n", condition,
               kind_of(row->usage));
    }
    g_free(condition);
}

static void fish_keys(void)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        char *option = option_of(key);
        char *choices = key->choices == NULL ? NULL : g_strjoinv(" ", (char **)key->choices);
        char *what;

        if (option != NULL) {
            what = choices != NULL ? g_strdup_printf("-l %s -x -a '%s'", option + 2, choices)
                   : key->type == PROFILE_FILE ? g_strdup_printf("-l %s -r -F", option + 2)
                   : key->type == PROFILE_BOOL ? g_strdup_printf("-l %s", option + 2)
                                               : g_strdup_printf("-l %s -x", option + 2);
            fish_line("__godwit_takes_settings", what, key->label);
            g_free(what);
        }
        g_free(choices);
        g_free(option);
    }
}

void generate_fish(void)
{
    for (const struct command *const *row = cli_commands; *row != NULL; row++) {
        char *what = g_strdup_printf("-a %s", (*row)->name);

        fish_line("__godwit_words 1", what, (*row)->summary);
        g_free(what);
        for (const struct command *const *action = (*row)->actions;
             action != NULL && *action != NULL; action++) {
            char *condition = g_strdup_printf("__godwit_words 2; and __godwit_at %s", (*row)->name);

            what = g_strdup_printf("-a %s", (*action)->name);
            fish_line(condition, what, (*action)->usage->about);
            g_free(what);
            g_free(condition);
        }
    }
    for_each_command(fish_branch);
    fish_keys();
}
