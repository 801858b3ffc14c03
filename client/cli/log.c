/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/print.h"
#include "cli/progress.h"
#include "cli/seen.h"
#include "common/boottime.h"
#include "common/i18n.h"

enum { FLAG_FOLLOW, FLAG_TRACE };
static const struct flag flags[] = {
    [FLAG_FOLLOW] = {"follow", N_("Go on until the connection ends."), NULL},
    [FLAG_TRACE] = {"trace", N_("Show the IKE messages too, each as a line; no secrets."), NULL},
    {.name = NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit log [NAME] [OPTION…]"),
    .about = N_("Shows what has happened to a connection: its phases, moves and errors with their "
                "times. Without a name, to the only one that there is."),
    .flags = flags,
    .max_words = 1,
    .words = WORDS_SESSIONS,
};

/* What is written: a line each, in the order of time. */
struct entry {
    guint64 at_us;
    char *text;
};

struct follow {
    char *path;     /* of the session; NULL = not chosen yet */
    gint64 boot_us; /* when the machine started, since 1970 */
    gboolean trace;
    GArray *entries; /* until all that was so far is here; then NULL, and each is written at once */
    GHashTable *ended; /* those that have ended: reason and detail, (ssss), by path */
    gboolean lost;
};

static void clear_entry(gpointer data)
{
    g_free(((struct entry *)data)->text);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const struct entry *first = a, *second = b;

    return first->at_us < second->at_us ? -1 : first->at_us > second->at_us;
}

static char *phase_text(GVariant *phase, guint64 *at_us)
{
    const char *name, *text;

    g_variant_get(phase, "(&s&st)", &name, &text, at_us);
    return progress_phase_text(name, text);
}

static char *rung_text(GVariant *rung, guint64 *at_us)
{
    const char *line;
    gboolean outbound, again;

    g_variant_get(rung, "(&sbbt)", &line, &outbound, &again, at_us);
    return progress_rung_text(line, outbound, again);
}

static void print_entry(const struct follow *follow, guint64 at_us, const char *text)
{
    gint64 at = follow->boot_us + (gint64)at_us;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(at / G_USEC_PER_SEC);
    g_autofree char *shown = g_date_time_format(time, "%F %T");

    printf("%s%s.%03d%s  %s\n", style_begin(stdout, STYLE_DIM), shown,
           (int)(at % G_USEC_PER_SEC / 1000), style_end(stdout), text);
}

static void take(struct follow *follow, guint64 at_us, char *text)
{
    if (follow->entries != NULL) {
        struct entry entry = {at_us, text};

        g_array_append_val(follow->entries, entry);
    } else {
        print_entry(follow, at_us, text);
        g_free(text);
    }
}

static gboolean collect(struct bus *bus, struct follow *follow, const char *method,
                        const char *type, char *(*text_of)(GVariant *, guint64 *), GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, follow->path, VPN1_SESSION_INTERFACE, method, NULL, BUS_PLAIN, error);
    g_autoptr(GVariant) list = NULL;
    GVariantIter iter;
    GVariant *item;

    if (reply == NULL) {
        return FALSE;
    }
    if (g_variant_is_of_type(reply, (const GVariantType *)type)) {
        list = g_variant_get_child_value(reply, 0);
        g_variant_iter_init(&iter, list);
        while ((item = g_variant_iter_next_value(&iter)) != NULL) {
            guint64 at_us;
            char *text = text_of(item, &at_us);

            take(follow, at_us, text);
            g_variant_unref(item);
        }
    }
    return TRUE;
}

/* The log comes last: the phases that were told before are in it. */
static gboolean print_so_far(struct bus *bus, struct follow *follow, GError **error)
{
    g_autoptr(GArray) entries = NULL;

    if ((follow->trace && !collect(bus, follow, "GetTrace", "(a(sbbt))", rung_text, error)) ||
        !collect(bus, follow, "GetLog", "(a(sst))", phase_text, error)) {
        return FALSE;
    }
    entries = g_steal_pointer(&follow->entries);
    g_array_sort(entries, compare);
    for (guint i = 0; i < entries->len; i++) {
        const struct entry *entry = &g_array_index(entries, struct entry, i);

        print_entry(follow, entry->at_us, entry->text);
    }
    return TRUE;
}

/* ---- following ---- */

static void on_signal(void *context, const char *path, const char *interface, const char *name,
                      GVariant *arguments)
{
    struct follow *follow = context;
    guint64 at_us;

    if (strcmp(interface, VPN1_SESSION_INTERFACE) != 0) {
        return;
    }
    if (strcmp(name, "Ended") == 0 && g_variant_is_of_type(arguments, G_VARIANT_TYPE("(ssss)"))) {
        g_hash_table_replace(follow->ended, g_strdup(path), g_variant_ref(arguments));
    } else if (g_strcmp0(path, follow->path) != 0) {
        return;
    } else if (strcmp(name, "Phase") == 0 && follow->entries == NULL &&
               g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sst)"))) {
        char *text = phase_text(arguments, &at_us);

        take(follow, at_us, text);
    } else if (strcmp(name, "Rung") == 0 && follow->trace &&
               g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sbbt)"))) {
        char *text = rung_text(arguments, &at_us);

        take(follow, at_us, text);
    }
}

static void on_lost(void *context)
{
    struct follow *follow = context;

    follow->lost = TRUE;
}

/* Until it ends; the exit code. */
static int follow_on(const struct follow *follow)
{
    const char *reason, *detail;
    GVariant *end;

    while ((end = g_hash_table_lookup(follow->ended, follow->path)) == NULL && !follow->lost) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (end == NULL) {
        return cli_fail(REASON_SERVICE_UNAVAILABLE, _("It ended meanwhile."));
    }
    g_variant_get(end, "(&s&s&s&s)", &reason, NULL, &detail, NULL);
    if (reason_exit_code(reason_from_name(reason)) != 0) {
        return cli_fail(reason_from_name(reason), detail);
    }
    puts(_("Disconnected."));
    return 0;
}

static struct seen *choose(const struct options *options, const GPtrArray *all, GError **error)
{
    struct seen *seen = NULL;

    if (options->n_words > 0) {
        seen = seen_find(all, options->words[0], error);
    } else if (all->len == 1) {
        seen = all->pdata[0];
    } else {
        g_set_error_literal(error, CLI_ERROR, all->len == 0 ? REASON_NOT_FOUND : REASON_USAGE,
                            all->len == 0 ? _("Nothing is connected.")
                                          : _("There are several connections: name one."));
    }
    if (seen != NULL && seen->path == NULL) {
        g_set_error_literal(error, CLI_ERROR, REASON_NOT_FOUND,
                            _("A standalone connection tells its log where it was begun."));
        seen = NULL;
    }
    return seen;
}

static int show(struct bus *bus, const struct options *options)
{
    struct follow follow = {
        .boot_us = g_get_real_time() - (gint64)boottime_now(),
        .trace = options->flags[FLAG_TRACE],
        .entries = g_array_new(FALSE, FALSE, sizeof(struct entry)),
        .ended =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref),
    };
    g_autoptr(GPtrArray) all = NULL;
    GError *error = NULL;
    struct seen *seen;
    int code = 0;

    g_array_set_clear_func(follow.entries, clear_entry);
    bus_listen(bus, on_signal, on_lost, &follow);
    all = seen_all(bus, BUS_NO_START, &error);
    seen = all == NULL ? NULL : choose(options, all, &error);
    follow.path = seen == NULL ? NULL : g_strdup(seen->path);
    if (seen == NULL || !print_so_far(bus, &follow, &error)) {
        code = cli_fail_error(REASON_INTERNAL, error);
    } else if (options->flags[FLAG_FOLLOW]) {
        code = follow_on(&follow);
    }
    bus_quiet(bus);
    g_clear_pointer(&follow.entries, g_array_unref);
    g_hash_table_destroy(follow.ended);
    g_free(follow.path);
    return code;
}

static int run(const struct options *options)
{
    GError *error = NULL;
    struct bus *bus = bus_open(&error);
    int code = bus == NULL ? cli_fail_error(REASON_INTERNAL, error) : show(bus, options);

    bus_close(bus);
    return code;
}

const struct command command_log = {
    .name = "log",
    .summary = N_("show what has happened to a connection"),
    .usage = &usage,
    .run = run,
};
