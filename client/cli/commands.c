/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/print.h"
#include "common/i18n.h"
#include "profile/profile.h"

const struct command *const cli_commands[] = {
    &command_connect,
    &command_disconnect,
    &command_status,
    &command_list,
    &command_profile,
    &command_answer,
    &command_log,
    &command_killswitch,
    &command_portal,
    &command_run,
    &command_doctor,
    &command_cleanup,
    NULL,
};

static gboolean is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static void print_help(void)
{
    puts(_("Usage: godwit COMMAND [ARGUMENT…]\n\n"
           "Godwit is an IKEv2 remote-access VPN client.\n"));
    for (const struct command *const *command = cli_commands; *command != NULL; command++) {
        printf("  %s%-10s%s %s\n", style_begin(stdout, STYLE_BOLD), (*command)->name,
               style_end(stdout), _((*command)->summary));
    }
    puts(_("\nEach command has its own --help. For example:\n\n"
           "  godwit connect vpn.example.org --user alice --ca ca.pem\n\n"
           "godwit --version prints the version. The manual: man godwit, man godwit.conf."));
}

static void print_actions(const struct command *command)
{
    printf(_("Usage: godwit %s ACTION [ARGUMENT…]\n\n"), command->name);
    for (const struct command *const *action = command->actions; *action != NULL; action++) {
        printf("  %s%s%s\n", style_begin(stdout, STYLE_BOLD), _((*action)->usage->synopsis),
               style_end(stdout));
        print_wrapped(stdout, 8, _((*action)->usage->about));
    }
}

static const struct command *find(const struct command *const *table, const char *name)
{
    for (; *table != NULL; table++) {
        if (strcmp((*table)->name, name) == 0) {
            return *table;
        }
    }
    return NULL;
}

static GPtrArray *names_of(const struct command *const *table)
{
    GPtrArray *names = g_ptr_array_new();

    for (; *table != NULL; table++) {
        g_ptr_array_add(names, (gpointer)(*table)->name);
    }
    return names;
}

static int run_plain(const struct command *command, int argc, char **argv)
{
    GError *error = NULL;
    struct options options;
    int code = 0;

    if (!options_parse(&options, command->usage, argc, argv, &error)) {
        code = cli_fail_error(REASON_USAGE, error);
    } else if (!options.help) {
        code = command->run(&options);
    }
    options_clear(&options);
    return code;
}

/* There is no such word in the table, or (sentence NULL) none at all. */
static int fail_word(const struct command *const *table, char *sentence, const char *word)
{
    GPtrArray *names = names_of(table);
    GError *error = NULL;
    char *detail;
    int code;

    if (word == NULL) {
        g_ptr_array_add(names, NULL);
        detail = g_strjoinv(", ", (char **)names->pdata);
        error = g_error_new(CLI_ERROR, REASON_USAGE, _("What is to be done? One of: %s."), detail);
        g_free(detail);
    } else {
        cli_not_found(&error, sentence, word, names);
    }
    code = cli_fail(REASON_USAGE, error->message);
    g_error_free(error);
    g_ptr_array_unref(names);
    return code;
}

static int run_action(const struct command *command, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    const struct command *action = word == NULL ? NULL : find(command->actions, word);

    if (action != NULL) {
        return run_plain(action, argc - 1, argv + 1);
    }
    if (word != NULL && is_help(word)) {
        print_actions(command);
        return 0;
    }
    return fail_word(command->actions,
                     word == NULL ? NULL : g_strdup_printf(_("There is no action \"%s\"."), word),
                     word);
}

int cli_run(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    const struct command *command = word == NULL ? NULL : find(cli_commands, word);

    if (command != NULL && command->actions != NULL) {
        return run_action(command, argc - 1, argv + 1);
    }
    if (command != NULL) {
        return run_plain(command, argc - 1, argv + 1);
    }
    if (word != NULL && strcmp(word, "help") == 0 && argc > 2) {
        char *words[] = {argv[0], argv[2], "--help", NULL};

        return cli_run(3, words);
    }
    if (word != NULL && (is_help(word) || strcmp(word, "help") == 0)) {
        print_help();
        return 0;
    }
    if (word != NULL && strcmp(word, "--version") == 0) {
        puts(PACKAGE_NAME " " PACKAGE_VERSION);
        return 0;
    }
    return fail_word(cli_commands,
                     word == NULL ? NULL : g_strdup_printf(_("There is no command \"%s\"."), word),
                     word);
}
