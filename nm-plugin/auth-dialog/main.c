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
#include "nm-plugin/auth-dialog/agent.h"
#include "nm-plugin/auth-dialog/keyring.h"
#include "nm-plugin/auth-dialog/questions.h"
#include "nm-plugin/auth-dialog/window.h"
#include "nm-plugin/shared/settings.h"

#define QUIT_TIME 20 /* seconds in which whoever started us may still say "QUIT" */

struct asked { /* the command line, as NetworkManager's agents give it */
    char *uuid, *name, *service;
    gboolean again, interactive, external;
    char **hints;
};

struct dialog {
    const struct asked *asked;
    struct agent *agent; /* NULL in the mode without a window: "QUIT" may come before we begin */
    GHashTable *data, *secrets;
    struct questions questions;
    char *keyring; /* why it is not used, NULL = it is */
};

static int usage_error(const char *text)
{
    fprintf(stderr, "nm-godwit-auth-dialog: %s\n", text);
    return EXIT_FAILURE;
}

static void make_questions(struct dialog *dialog)
{
    questions_clear(&dialog->questions);
    questions_make(&dialog->questions, dialog->data, dialog->secrets,
                   (const char *const *)dialog->asked->hints, dialog->asked->again);
}

/* ---- the keyring ---- */

/* NetworkManager may have some already; what the service asks for anew is in no keyring. */
static void look_into_keyring(struct dialog *dialog)
{
    const struct asked *asked = dialog->asked;
    if (asked->again || asked->hints || !questions_open(&dialog->questions, TRUE)) {
        return;
    }
    g_autoptr(GHashTable) found = ask_answers_new();
    dialog->keyring = keyring_read(asked->uuid, asked->interactive && !asked->external, found,
                                   agent_gone(dialog->agent));
    for (gsize i = 0; i < dialog->questions.n; i++) {
        const struct question *question = &dialog->questions.items[i];
        const char *value = g_hash_table_lookup(found, question->key);
        if (question->keyring && value && !g_hash_table_contains(dialog->secrets, question->key)) {
            g_hash_table_insert(dialog->secrets, g_strdup(question->key), g_strdup(value));
        }
    }
    make_questions(dialog);
}

static void keep(struct dialog *dialog, const struct question *question, const char *value)
{
    if (question->keyring && !dialog->keyring && *value) {
        dialog->keyring =
            keyring_write(dialog->asked->uuid, dialog->asked->name, dialog->asked->service,
                          question->key, value, agent_gone(dialog->agent));
        if (dialog->keyring) {
            fprintf(stderr, "nm-godwit-auth-dialog: %s\n", dialog->keyring);
        }
    }
}

/* ---- answers ---- */

/* A line of the key and one of the value; what has line ends would be other keys. */
static void print_secret(const char *key, const char *value)
{
    if (*value && !strpbrk(value, "\r\n")) {
        printf("%s\n%s\n", key, value);
    }
}

static int print_answers(struct dialog *dialog, GHashTable *answers)
{
    for (gsize i = 0; i < dialog->questions.n; i++) {
        const struct question *question = &dialog->questions.items[i];
        const char *answer = answers ? g_hash_table_lookup(answers, question->key) : NULL;
        if (answer) {
            keep(dialog, question, answer);
        }
        print_secret(question->key, answer ? answer : question->value);
    }
    printf("\n\n");
    fflush(stdout);
    agent_wait(dialog->agent, QUIT_TIME);
    return EXIT_SUCCESS;
}

/* Whoever started us reads to the end, and says nothing more. */
static int print_keyfile(const struct dialog *dialog)
{
    char *text =
        questions_to_keyfile(&dialog->questions, dialog->asked->name, dialog->asked->interactive);
    fputs(text, stdout);
    fflush(stdout);
    secret_wipe(text, strlen(text));
    g_free(text);
    return EXIT_SUCCESS;
}

#ifdef HAVE_GUI
static int ask_and_print(struct dialog *dialog)
{
    g_autofree char *note =
        dialog->keyring
            ? g_strdup_printf(_("%s What you type will not be remembered."), dialog->keyring)
            : NULL;
    struct ask_form *form = questions_to_form(&dialog->questions, dialog->asked->name, note);
    const char *why;
    g_autoptr(GHashTable) answers = window_ask(form, agent_gone(dialog->agent), &why);
    ask_form_free(form);
    if (!answers) {
        return why ? usage_error(why) : EXIT_FAILURE;
    }
    return print_answers(dialog, answers);
}
#else
static int ask_and_print(struct dialog *dialog)
{
    (void)dialog;
    return usage_error(_("This build has no windows: whoever asks in our place has to use "
                         "--external-ui-mode."));
}
#endif

static int answer(struct dialog *dialog)
{
    make_questions(dialog);
    look_into_keyring(dialog);
    int code = dialog->asked->external ? print_keyfile(dialog)
               : dialog->asked->interactive && questions_open(&dialog->questions, FALSE)
                   ? ask_and_print(dialog)
                   : print_answers(dialog, NULL);
    questions_clear(&dialog->questions);
    g_free(dialog->keyring);
    return code;
}

static int run(const struct asked *asked)
{
    struct dialog dialog = {.asked = asked};
    if (!asked->uuid || !asked->name || !asked->service) {
        return usage_error(_("A connection is named by --uuid, --name and --service."));
    }
    if (!g_str_equal(asked->service, SETTINGS_SERVICE)) {
        return usage_error(_("That is a connection of another VPN service."));
    }
    if (!nm_vpn_service_plugin_read_vpn_details(STDIN_FILENO, &dialog.data, &dialog.secrets)) {
        return usage_error(_("Standard input has no connection."));
    }
    dialog.agent = asked->external ? NULL : agent_new();
    int code = answer(&dialog);
    agent_free(dialog.agent);
    g_hash_table_unref(dialog.data);
    g_hash_table_unref(dialog.secrets);
    return code;
}

int main(int argc, char **argv)
{
    struct asked asked = {0};
    /* Agents give UTF-8, whatever our locale is: file names are taken as they are. */
    const GOptionEntry entries[] = {
        {"uuid", 'u', 0, G_OPTION_ARG_FILENAME, &asked.uuid, N_("UUID of the connection"), "UUID"},
        {"name", 'n', 0, G_OPTION_ARG_FILENAME, &asked.name, N_("name of the connection"),
         N_("NAME")},
        {"service", 's', 0, G_OPTION_ARG_FILENAME, &asked.service, N_("VPN service"), N_("NAME")},
        {"reprompt", 'r', 0, G_OPTION_ARG_NONE, &asked.again, N_("ask again"), NULL},
        {"allow-interaction", 'i', 0, G_OPTION_ARG_NONE, &asked.interactive,
         N_("a person is there"), NULL},
        {"external-ui-mode", 0, 0, G_OPTION_ARG_NONE, &asked.external,
         N_("tell what is to be asked instead of asking"), NULL},
        {"hint", 't', 0, G_OPTION_ARG_FILENAME_ARRAY, &asked.hints, N_("what the service asks for"),
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
