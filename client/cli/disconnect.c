/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/print.h"
#include "cli/seen.h"
#include "common/i18n.h"

enum { FLAG_ALL };
static const struct flag flags[] = {
    [FLAG_ALL] = {"all", N_("End every connection that you may end."), NULL},
    {.name = NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit disconnect [NAME…|--all]"),
    .about = N_("Ends connections, whoever began them: this program, the tray, NetworkManager, the "
                "computer at its start. Without a name it ends the only one that there is. Returns "
                "when everything has been put back."),
    .flags = flags,
    .max_words = 64,
    .words = WORDS_SESSIONS,
};

/* What is being waited for. */
struct ending {
    GHashTable *open; /* names by path */
    GError *error;    /* the first that failed */
};

static void say_ended(const char *name)
{
    g_autofree char *shown = printable(name);

    printf(_("Disconnected %s.\n"), shown);
}

static void take_end(struct ending *ending, const char *path)
{
    const char *name = g_hash_table_lookup(ending->open, path);

    if (name != NULL) {
        say_ended(name);
        g_hash_table_remove(ending->open, path);
    }
}

static void on_signal(void *context, const char *path, const char *interface, const char *name,
                      GVariant *arguments)
{
    if (strcmp(interface, VPN1_SESSION_INTERFACE) == 0 && strcmp(name, "Ended") == 0) {
        take_end(context, path);
    } else if (strcmp(interface, DBUS_OBJECT_MANAGER) == 0 &&
               strcmp(name, "InterfacesRemoved") == 0 &&
               g_variant_is_of_type(arguments, G_VARIANT_TYPE("(oas)"))) {
        const char *gone;

        g_variant_get_child(arguments, 0, "&o", &gone);
        take_end(context, gone);
    }
}

static void keep_error(struct ending *ending, const GError *error)
{
    if (ending->error == NULL) {
        ending->error = g_error_copy(error);
    }
}

static void on_lost(void *context)
{
    struct ending *ending = context;
    GError *error =
        g_error_new_literal(CLI_ERROR, REASON_SERVICE_UNAVAILABLE, _("It ended meanwhile."));

    keep_error(ending, error);
    g_error_free(error);
    g_hash_table_remove_all(ending->open);
}

struct request {
    struct ending *ending;
    char *path;
};

static void on_reply(void *context, GVariant *reply, const GError *error)
{
    struct request *request = context;

    /* That it is not there any more is what was wanted. */
    if (reply == NULL && error->code == (gint)REASON_NOT_FOUND) {
        take_end(request->ending, request->path);
    } else if (reply == NULL) {
        keep_error(request->ending, error);
        g_hash_table_remove(request->ending->open, request->path);
    }
    g_free(request->path);
    g_free(request);
}

static void end_remote(struct bus *bus, struct ending *ending, const struct seen *seen)
{
    struct request *request = g_new(struct request, 1);

    *request = (struct request){ending, g_strdup(seen->path)};
    g_hash_table_insert(ending->open, g_strdup(seen->path),
                        g_strdup(facts_text(seen->facts, "Name")));
    bus_send(bus, seen->path, VPN1_SESSION_INTERFACE, "Disconnect", NULL, BUS_INTERACTIVE, on_reply,
             request);
}

static int end_all(struct bus *bus, const GPtrArray *chosen)
{
    struct ending ending = {
        .open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };

    if (bus != NULL) {
        bus_listen(bus, on_signal, on_lost, &ending);
    }
    for (guint i = 0; i < chosen->len; i++) {
        const struct seen *seen = chosen->pdata[i];
        g_autoptr(GError) error = NULL;

        if (seen->path != NULL) {
            end_remote(bus, &ending, seen);
        } else if (seen_end_standalone(seen, &error)) {
            say_ended(facts_text(seen->facts, "Name"));
        } else {
            keep_error(&ending, error);
        }
    }
    while (g_hash_table_size(ending.open) > 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (bus != NULL) {
        bus_quiet(bus);
    }
    g_hash_table_destroy(ending.open);
    return ending.error == NULL ? 0 : cli_fail_error(REASON_INTERNAL, ending.error);
}

/* Which are meant; NULL and *error when that is not clear. */
static GPtrArray *choose(const struct options *options, const GPtrArray *all, GError **error)
{
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();

    for (guint i = 0; i < options->n_words; i++) {
        struct seen *seen = seen_find(all, options->words[i], error);

        if (seen == NULL) {
            return NULL;
        }
        if (!g_ptr_array_find(chosen, seen, NULL)) {
            g_ptr_array_add(chosen, seen);
        }
    }
    for (guint i = 0; options->n_words == 0 && i < all->len; i++) {
        g_ptr_array_add(chosen, all->pdata[i]);
    }
    if (options->n_words == 0 && !options->flags[FLAG_ALL] && chosen->len > 1) {
        g_set_error(error, CLI_ERROR, REASON_USAGE,
                    _("There are %u connections: name some, or use --all."), chosen->len);
        return NULL;
    }
    return g_steal_pointer(&chosen);
}

static int run(const struct options *options)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) chosen = NULL;
    GError *error = NULL;
    struct bus *bus;
    int code = 0;

    if (options->n_words > 0 && options->flags[FLAG_ALL]) {
        return cli_fail(REASON_USAGE, _("Names and --all exclude each other."));
    }
    bus = bus_open(NULL);
    all = seen_all(bus, BUS_NO_START, &error);
    chosen = all == NULL ? NULL : choose(options, all, &error);
    if (chosen == NULL) {
        code = cli_fail_error(REASON_INTERNAL, error);
    } else if (chosen->len == 0) {
        puts(_("Nothing is connected."));
    } else {
        code = end_all(bus, chosen);
    }
    bus_close(bus);
    return code;
}

const struct command command_disconnect = {
    .name = "disconnect",
    .summary = N_("end connections"),
    .usage = &usage,
    .run = run,
};
