/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/print.h"
#include "cli/profiles.h"
#include "cli/seen.h"
#include "common/i18n.h"

enum { FLAG_JSON, FLAG_NAMES };
static const struct flag flags[] = {
    [FLAG_JSON] = {"json", N_("Print a JSON array, for programs."), NULL},
    [FLAG_NAMES] = {"names",
                    N_("Print the names alone, one on each line; the service is not started "
                       "for it."),
                    NULL},
    {.name = NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit list [OPTION…]"),
    .about = N_("Lists your profiles and those of this computer, their gateways, and which are "
                "connected."),
    .flags = flags,
};

/* The connection that was made of the profile, or NULL. */
static const struct seen *made_of(const struct known *known, const GPtrArray *all)
{
    for (guint i = 0; all != NULL && i < all->len; i++) {
        const struct seen *seen = all->pdata[i];
        const char *system = facts_text(seen->facts, "SystemProfile");

        if (known->system ? strcmp(system, known->name) == 0
                          : *system == '\0' &&
                                g_strcmp0(facts_text(seen->facts, "Name"), known->title) == 0) {
            return seen;
        }
    }
    return NULL;
}

static void add_row(struct rows *rows, const struct known *known, const struct seen *seen)
{
    g_autofree char *name = printable(known->name);
    GString *text = g_string_new(NULL);
    g_autofree char *plain = NULL;

    if (known->why != NULL) {
        g_string_append(text, known->why);
    } else {
        g_string_append(text, known->gateway == NULL ? _("(no gateway)") : known->gateway);
    }
    if (seen != NULL) {
        g_autofree char *state = seen_state(seen);

        g_string_append_printf(text, ", %s", state);
    }
    if (known->system) {
        g_string_append(text, _(" (this computer's)"));
    }
    plain = g_string_free(text, FALSE);
    rows_add(rows, name, printable(plain));
}

static void print_json(const GPtrArray *profiles, const GPtrArray *all)
{
    struct json json = {0};

    json_begin(&json, NULL, '[');
    for (guint i = 0; i < profiles->len; i++) {
        const struct known *known = profiles->pdata[i];
        const struct seen *seen = made_of(known, all);

        json_begin(&json, NULL, '{');
        json_text(&json, "name", known->name);
        json_text(&json, "title", known->title);
        json_text(&json, "gateway", known->gateway);
        json_bool(&json, "system", known->system);
        json_text(&json, "error", known->why);
        json_text(&json, "state", seen == NULL ? NULL : facts_text(seen->facts, "State"));
        json_end(&json, '}');
    }
    json_end(&json, ']');
}

static void print_rows(const GPtrArray *profiles, const GPtrArray *all)
{
    struct rows *rows = rows_new();

    for (guint i = 0; i < profiles->len; i++) {
        add_row(rows, profiles->pdata[i], made_of(profiles->pdata[i], all));
    }
    if (profiles->len == 0) {
        puts(_("There are no profiles yet; godwit profile add makes one."));
    }
    rows_finish(rows, stdout);
}

static int run(const struct options *options)
{
    unsigned start = options->flags[FLAG_NAMES] ? BUS_NO_START : BUS_PLAIN;
    struct bus *bus = bus_open(NULL);
    g_autoptr(GPtrArray) profiles = known_profiles(bus, start);
    /* Whatever the service refuses, the profiles are there. */
    g_autoptr(GPtrArray) all = seen_all(bus, BUS_NO_START, NULL);

    if (options->flags[FLAG_NAMES]) {
        for (guint i = 0; i < profiles->len; i++) {
            puts(((const struct known *)profiles->pdata[i])->name);
        }
    } else if (options->flags[FLAG_JSON]) {
        print_json(profiles, all);
    } else {
        print_rows(profiles, all);
    }
    bus_close(bus);
    return 0;
}

const struct command command_list = {
    .name = "list",
    .summary = N_("list the profiles, and which are connected"),
    .usage = &usage,
    .run = run,
};
