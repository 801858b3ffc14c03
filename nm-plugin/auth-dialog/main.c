/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <NetworkManager.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/secret.h"
#include "nm-plugin/auth-dialog/questions.h"
#include "nm-plugin/shared/settings.h"

#define ASK_TIME 120 /* seconds in which whoever started us may still say "QUIT" */

struct asked { /* the command line, as NetworkManager's agents give it */
    char *uuid, *name, *service;
    gboolean again, interactive, external;
    char **hints;
};

static int usage_error(const char *text)
{
    fprintf(stderr, "nm-godwit-auth-dialog: %s\n", text);
    return EXIT_FAILURE;
}

/* What is known, a line of key and one of value each, and an empty line at the end. */
static void print_known(const struct questions *questions)
{
    for (gsize i = 0; i < questions->n; i++) {
        if (*questions->items[i].value) {
            printf("%s\n%s\n", questions->items[i].key, questions->items[i].value);
        }
    }
    printf("\n\n");
}

/* Our agent keeps the secrets until it has said that it has read them. */
static void wait_for_quit(void)
{
    char word[8];
    (void)alarm(ASK_TIME);
    while (fgets(word, sizeof word, stdin) && strncmp(word, "QUIT", 4) != 0) {
    }
}

static int answer(const struct asked *asked, GHashTable *data, GHashTable *secrets)
{
    struct questions questions;
    int code = EXIT_SUCCESS;
    questions_make(&questions, data, secrets, (const char *const *)asked->hints, asked->again);
    if (asked->external) {
        char *text = questions_to_keyfile(&questions, asked->name);
        fputs(text, stdout);
        secret_wipe(text, strlen(text));
        g_free(text);
    } else {
        gboolean complete = TRUE;
        for (gsize i = 0; i < questions.n; i++) {
            complete &= !questions.items[i].ask;
        }
        if (complete || !asked->interactive) {
            print_known(&questions);
        } else {
            code = usage_error(_("Whoever asks in our place has to use --external-ui-mode."));
        }
    }
    questions_clear(&questions);
    fflush(stdout);
    if (code == EXIT_SUCCESS) {
        wait_for_quit();
    }
    return code;
}

static int run(const struct asked *asked)
{
    GHashTable *data = NULL, *secrets = NULL;
    if (!asked->uuid || !asked->name || !asked->service) {
        return usage_error(_("A connection is named by --uuid, --name and --service."));
    }
    if (!g_str_equal(asked->service, SETTINGS_SERVICE)) {
        return usage_error(_("That is a connection of another VPN service."));
    }
    if (!nm_vpn_service_plugin_read_vpn_details(STDIN_FILENO, &data, &secrets)) {
        return usage_error(_("Standard input has no connection."));
    }
    int code = answer(asked, data, secrets);
    g_hash_table_unref(data);
    g_hash_table_unref(secrets);
    return code;
}

int main(int argc, char **argv)
{
    struct asked asked = {0};
    const GOptionEntry entries[] = {
        {"uuid", 'u', 0, G_OPTION_ARG_STRING, &asked.uuid, N_("UUID of the connection"), "UUID"},
        {"name", 'n', 0, G_OPTION_ARG_STRING, &asked.name, N_("name of the connection"),
         N_("NAME")},
        {"service", 's', 0, G_OPTION_ARG_STRING, &asked.service, N_("VPN service"), N_("NAME")},
        {"reprompt", 'r', 0, G_OPTION_ARG_NONE, &asked.again, N_("ask again"), NULL},
        {"allow-interaction", 'i', 0, G_OPTION_ARG_NONE, &asked.interactive,
         N_("a person is there"), NULL},
        {"external-ui-mode", 0, 0, G_OPTION_ARG_NONE, &asked.external,
         N_("tell what is to be asked instead of asking"), NULL},
        {"hint", 't', 0, G_OPTION_ARG_STRING_ARRAY, &asked.hints, N_("what the service asks for"),
         N_("HINT")},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GError) error = NULL;
    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, PACKAGE);
    int code = g_option_context_parse(context, &argc, &argv, &error) ? run(&asked)
                                                                     : usage_error(error->message);
    g_free(asked.uuid);
    g_free(asked.name);
    g_free(asked.service);
    g_strfreev(asked.hints);
    return code;
}
