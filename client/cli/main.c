/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/print.h"
#include "common/i18n.h"

static const struct command commands[] = {
    {"connect", N_("connect to a gateway and stay connected until Ctrl-C"), command_connect},
    {"status", N_("show what is connected"), command_status},
    {"profile", N_("list, show, check and save profiles"), command_profile},
    {"cleanup", N_("remove what killed connections left behind"), command_cleanup},
    {NULL, NULL, NULL},
};

static void print_help(void)
{
    puts(_("Usage: godwit COMMAND [ARGUMENT…]\n\n"
           "Godwit is an IKEv2 remote-access VPN client.\n"));
    for (const struct command *command = commands; command->name != NULL; command++) {
        printf("  %s%-10s%s %s\n", style_begin(stdout, STYLE_BOLD), command->name,
               style_end(stdout), _(command->summary));
    }
    puts(_("\nEach command has its own --help. For example:\n\n"
           "  sudo godwit connect vpn.example.org --standalone --user alice --ca ca.pem\n\n"
           "godwit --version prints the version. The manual: man godwit, man godwit.conf."));
}

int command_run(const struct command *table, int argc, char **argv)
{
    for (const struct command *command = table; argc > 1 && command->name != NULL; command++) {
        if (strcmp(command->name, argv[1]) == 0) {
            return command->run(argc - 1, argv + 1);
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    /* Not LC_ALL: each category is a file to load before anything happens. */
    static const int categories[] = {LC_CTYPE, LC_MESSAGES, LC_NUMERIC, LC_TIME};
    const char *word = argc > 1 ? argv[1] : NULL;
    int code;

    for (gsize i = 0; i < G_N_ELEMENTS(categories); i++) {
        setlocale(categories[i], "");
    }
    bindtextdomain(PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
    /* A line at a time also into a pipe: who reads it waits for the lines. */
    setvbuf(stdout, NULL, _IOLBF, 0);

    code = command_run(commands, argc, argv);
    if (code >= 0) {
        return code;
    }
    if (word == NULL) {
        return cli_fail(REASON_USAGE, _("A command is missing."));
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help();
        return 0;
    }
    if (strcmp(word, "--version") == 0) {
        puts(PACKAGE_NAME " " PACKAGE_VERSION);
        return 0;
    }
    {
        char *detail = g_strdup_printf(_("There is no command \"%s\"."), word);

        code = cli_fail(REASON_USAGE, detail);
        g_free(detail);
    }
    return code;
}
