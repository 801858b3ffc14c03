/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/secrets.h"
#include "cli/seen.h"
#include "common/i18n.h"

static const struct flag no_flags[] = {{.name = NULL}};
static const struct usage usage = {
    .synopsis = N_("godwit answer [NAME]"),
    .about =
        N_("Answers on the terminal what a connection asks for later on, such as a password when "
           "it authenticates again; godwit status says which one does. Without a name, the only "
           "one that asks."),
    .flags = no_flags,
    .max_words = 1,
    .words = WORDS_SESSIONS,
};

/* What is asked, or NULL. */
static GVariant *form_of(const struct seen *seen)
{
    GVariant *form = facts_value(seen->facts, "Form", VPN1_FORM_TYPE);
    guint32 number = 0;

    if (form != NULL) {
        g_variant_get_child(form, 0, "u", &number);
    }
    return number == 0 ? NULL : form;
}

static const struct seen *choose(const struct options *options, const GPtrArray *all,
                                 GError **error)
{
    const struct seen *asking = NULL;

    if (options->n_words > 0) {
        asking = seen_find(all, options->words[0], error);
        if (asking == NULL) {
            return NULL;
        }
    }
    for (guint i = 0; options->n_words == 0 && i < all->len; i++) {
        const struct seen *seen = all->pdata[i];

        if (form_of(seen) != NULL && asking != NULL) {
            g_set_error_literal(error, CLI_ERROR, REASON_USAGE,
                                _("Several connections ask for something: name one."));
            return NULL;
        }
        asking = form_of(seen) != NULL ? seen : asking;
    }
    if (asking == NULL || form_of(asking) == NULL) {
        g_set_error_literal(error, CLI_ERROR, REASON_NOT_FOUND, _("Nothing is asked."));
        return NULL;
    }
    return asking;
}

struct typed {
    GVariant *values; /* a{say}; NULL = the person wants no more */
    gboolean over;
};

static void on_values(void *context, GHashTable *values)
{
    struct typed *typed = context;

    typed->values = values == NULL ? NULL : g_variant_ref_sink(secrets_values(values));
    typed->over = TRUE;
}

static int answer(struct bus *bus, const struct seen *seen)
{
    guint32 number;
    g_autoptr(GArray) fields = secrets_fields(form_of(seen), &number);
    g_autoptr(GVariant) reply = NULL;
    struct typed typed = {0};
    GError *error = NULL;
    struct prompt *prompt = prompt_new((const struct session_field *)(gpointer)fields->data,
                                       fields->len, FALSE, on_values, &typed);

    while (prompt != NULL && !typed.over) {
        g_main_context_iteration(NULL, TRUE);
    }
    prompt_free(prompt);
    if (typed.values == NULL) {
        return cli_fail(REASON_SECRET_MISSING, NULL);
    }
    reply = bus_call(bus, seen->path, VPN1_SESSION_INTERFACE, "ProvideSecrets",
                     g_variant_new("(u@a{say})", number, typed.values), BUS_PLAIN, &error);
    g_variant_unref(typed.values);
    return reply == NULL ? cli_fail_error(REASON_INTERNAL, error) : 0;
}

static int run(const struct options *options)
{
    GError *error = NULL;
    struct bus *bus = bus_open(&error);
    g_autoptr(GPtrArray) all = bus == NULL ? NULL : seen_all(bus, BUS_NO_START, &error);
    const struct seen *seen = all == NULL ? NULL : choose(options, all, &error);
    int code = seen == NULL ? cli_fail_error(REASON_INTERNAL, error) : answer(bus, seen);

    bus_close(bus);
    return code;
}

const struct command command_answer = {
    .name = "answer",
    .summary = N_("answer what a connection asks for"),
    .usage = &usage,
    .run = run,
};
