/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/profiles.h"

#include <stdio.h>

#include "cli/print.h"
#include "cli/target.h"
#include "common/i18n.h"

static const struct flag no_flags[] = {{.name = NULL}};

struct profile *profiles_load(const char *name, char **path, GError **error)
{
    *path = profile_find(name);
    if (*path == NULL) {
        g_auto(GStrv) list = profile_list();
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        for (char **known = list; *known != NULL; known++) {
            g_ptr_array_add(names, *known);
        }
        cli_not_found(error, g_strdup_printf(_("There is no profile \"%s\"."), name), name, names);
        return NULL;
    }
    return profile_load(*path, error);
}

struct known *profiles_ask_service(const char *name, GError **error)
{
    struct bus *bus = target_may_be_system(name) ? bus_open(NULL) : NULL;
    struct known *known = bus == NULL ? NULL : known_system(bus, name, NULL);

    bus_close(bus);
    if (known != NULL) {
        g_clear_error(error);
    }
    return known;
}

/* ---- show ---- */

static const struct usage show_usage = {
    .synopsis = N_("godwit profile show PROFILE"),
    .about = N_("Prints the settings of a profile. Secrets are never printed."),
    .flags = no_flags,
    .min_words = 1,
    .max_words = 1,
    .words = WORDS_PROFILES,
};

static void show_key(const struct profile *profile, const struct profile_key *key,
                     struct rows *rows)
{
    const char *path;

    if (!profile_is_set(profile, key->name)) {
        return;
    }
    switch (key->type) {
    case PROFILE_SECRET:
        rows_add(rows, key->name, g_strdup(_("(secret)")));
        break;
    case PROFILE_FILE:
        path = profile_get_path(profile, key->name);
        rows_add(rows, key->name,
                 path != NULL ? g_strdup(path)
                              : g_strdup_printf(_("(%zu octets in the profile)"),
                                                profile_get_bytes(profile, key->name).len));
        break;
    case PROFILE_STRING:
    case PROFILE_HOST:
    case PROFILE_BOOL:
    case PROFILE_UINT:
    case PROFILE_CHOICE:
    case PROFILE_LIST:
        rows_add(rows, key->name, g_strdup(profile_get(profile, key->name)));
        break;
    }
}

static void print_profile(const char *title, const struct profile *profile)
{
    struct rows *rows = rows_new();

    printf("%s%s%s\n", style_begin(stdout, STYLE_BOLD), title, style_end(stdout));
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        show_key(profile, key, rows);
    }
    rows_finish(rows, stdout);
}

static int show(const struct options *options)
{
    const char *name = options->words[0];
    GError *error = NULL;
    g_autofree char *path = NULL;
    struct profile *profile = profiles_load(name, &path, &error);
    struct known *known = profile == NULL ? profiles_ask_service(name, &error) : NULL;
    int code = 0;

    if (known != NULL) {
        profile = profile_from_variant(known->values, &error);
    }
    if (profile == NULL) {
        code = cli_fail_error(REASON_PROFILE, error);
    } else {
        print_profile(known != NULL ? known->name : path, profile);
    }
    g_clear_pointer(&known, known_free);
    profile_free(profile);
    return code;
}

static const struct command action_show = {.name = "show", .usage = &show_usage, .run = show};

/* ---- the table ---- */

static const struct command *const actions[] = {
    &command_list, &action_show, &action_add, &action_edit, &action_check, &action_delete, NULL};

const struct command command_profile = {
    .name = "profile",
    .summary = N_("list, show, make, change, check and delete profiles"),
    .actions = actions,
};
