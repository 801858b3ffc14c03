/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/child.h"
#include "cli/print.h"
#include "cli/profiles.h"
#include "common/i18n.h"

static const struct flag no_flags[] = {{.name = NULL}};

static const struct usage check_usage = {
    .synopsis = N_("godwit profile check PROFILE"),
    .about = N_("Reads a profile and the files that it names, and says what is wrong with it."),
    .flags = no_flags,
    .min_words = 1,
    .max_words = 1,
    .words = WORDS_PROFILES,
};

struct check {
    const char *path;
    const struct profile *profile;
    char *problem; /* the first one */
};

/* "home.conf:3: ca", and what it is. */
static char *place_of(const struct check *check, const char *key)
{
    unsigned line = profile_line_of(check->path, key);
    const char *file = profile_get_path(check->profile, key);
    g_autofree char *shown = file == NULL ? NULL : profile_quotable(bytes_of_string(file));
    g_autofree char *value = shown == NULL ? g_strdup("") : g_strdup_printf(": \"%s\"", shown);

    return line == 0 ? g_strdup_printf("%s: %s%s", check->path, key, value)
                     : g_strdup_printf("%s:%u: %s%s", check->path, line, key, value);
}

static void find(struct check *check, gboolean is_problem, const char *key, const char *why)
{
    g_autofree char *place = place_of(check, key);
    g_autofree char *text = g_strdup_printf("%s: %s", place, why);

    if (!is_problem) {
        g_autofree char *shown = printable(text);

        printf("%s%s%s: %s\n", style_begin(stdout, STYLE_BOLD), _("note"), style_end(stdout),
               shown);
    } else if (check->problem == NULL) {
        check->problem = g_steal_pointer(&text);
    }
}

/* ---- what stands in the files ---- */

static gboolean names_files(const struct profile *profile)
{
    return profile_is_set(profile, "ca") ||
           g_strcmp0(profile_get(profile, "auth"), "certificate") == 0;
}

static void take_rows(struct check *check, const char *listing)
{
    g_auto(GStrv) rows = g_strsplit(listing, "\n", 0);

    for (char **row = rows; *row != NULL; row++) {
        g_auto(GStrv) words = g_strsplit(*row, "\t", 3);

        if (g_strv_length(words) == 3 && profile_key_find(words[1]) != NULL) {
            find(check, g_str_equal(words[0], "problem"), words[1], words[2]);
        }
    }
}

/* By the worker, who reads them for a connection. */
static gboolean check_files(struct check *check, GError **error)
{
    static const struct child worker = {"godwit-tunnel", "GODWIT_TUNNEL", "--check"};
    g_autoptr(GVariant) dict = g_variant_ref_sink(profile_to_variant(check->profile));
    g_autofree char *listing = NULL;
    gboolean done = child_run(&worker, bytes_of(g_variant_get_data(dict), g_variant_get_size(dict)),
                              &listing, error);

    if (done) {
        take_rows(check, listing);
    }
    return done;
}

/* ---- the whole ---- */

static int check_file(const char *path, const struct profile *profile)
{
    struct check check = {.path = path, .profile = profile};
    struct profile_breach *breach = profile_find_breach(profile);
    GError *error = NULL;
    int code = 0;

    if (breach != NULL) {
        find(&check, TRUE, breach->key, breach->why);
    } else if (names_files(profile) && !check_files(&check, &error)) {
        code = cli_fail_error(REASON_INTERNAL, error);
    }
    if (check.problem != NULL) {
        code = cli_fail(REASON_PROFILE, check.problem);
    } else if (code == 0) {
        printf(_("%s can be used.\n"), path);
    }
    profile_breach_free(breach);
    g_free(check.problem);
    return code;
}

static int check(const struct options *options)
{
    const char *name = options->words[0];
    GError *error = NULL;
    g_autofree char *path = NULL;
    struct profile *profile = profiles_load(name, &path, &error);
    struct known *known = profile == NULL ? profiles_ask_service(name, &error) : NULL;
    int code = 0;

    if (profile != NULL) {
        code = check_file(path, profile);
    } else if (known == NULL) {
        code = cli_fail_error(REASON_PROFILE, error);
    } else if (known->why != NULL) {
        code = cli_fail(REASON_PROFILE, known->why);
    } else {
        printf(_("%s can be used.\n"), known->name);
    }
    g_clear_pointer(&known, known_free);
    profile_free(profile);
    return code;
}

const struct command action_check = {.name = "check", .usage = &check_usage, .run = check};
