/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/print.h"
#include "common/i18n.h"

static const struct flag no_flags[] = {{NULL, NULL}};

/* The profile of that name, which must exist; *path tells from where. */
static struct profile *load(const char *name, char **path, GError **error)
{
    *path = profile_find(name);
    if (*path == NULL) {
        g_set_error(error, PROFILE_ERROR, PROFILE_ERROR_FILE, _("There is no profile \"%s\"."),
                    name);
        return NULL;
    }
    return profile_load(*path, error);
}

/* ---- list ---- */

static const struct usage list_usage = {
    .synopsis = N_("godwit profile list"),
    .about = N_("Lists your profiles and those of this computer with their gateways."),
    .flags = no_flags,
};

static int list(const struct options *options)
{
    char **names = profile_list();
    struct rows *rows = rows_new();

    (void)options;
    for (char **name = names; *name != NULL; name++) {
        GError *error = NULL;
        char *path = NULL;
        struct profile *profile = load(*name, &path, &error);
        char *shown = printable(*name);

        if (profile == NULL) {
            rows_add(rows, shown, printable(error->message));
            g_error_free(error);
        } else {
            const char *gateway = profile_get(profile, "gateway");

            rows_add(rows, shown, g_strdup(gateway == NULL ? _("(no gateway)") : gateway));
        }
        profile_free(profile);
        g_free(shown);
        g_free(path);
    }
    if (*names == NULL) {
        puts(_("There are no profiles yet; godwit profile save makes one."));
    }
    rows_finish(rows, stdout);
    g_strfreev(names);
    return 0;
}

/* ---- show ---- */

static const struct usage show_usage = {
    .synopsis = N_("godwit profile show PROFILE"),
    .about = N_("Prints the settings of a profile. Secrets are never printed."),
    .flags = no_flags,
    .min_words = 1,
    .max_words = 1,
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

static int show(const struct options *options)
{
    GError *error = NULL;
    char *path = NULL;
    struct profile *profile = load(options->words[0], &path, &error);
    int code = 0;

    if (profile == NULL) {
        code = cli_fail_error(REASON_PROFILE, error);
    } else {
        struct rows *rows = rows_new();

        printf("%s%s%s\n", style_begin(stdout, STYLE_BOLD), path, style_end(stdout));
        for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
            show_key(profile, key, rows);
        }
        rows_finish(rows, stdout);
    }
    profile_free(profile);
    g_free(path);
    return code;
}

/* ---- check ---- */

static const struct usage check_usage = {
    .synopsis = N_("godwit profile check PROFILE"),
    .about = N_("Reads a profile and the files that it names, and says what is wrong with it."),
    .flags = no_flags,
    .min_words = 1,
    .max_words = 1,
};

static int check(const struct options *options)
{
    GError *error = NULL;
    char *path = NULL;
    struct profile *profile = load(options->words[0], &path, &error);
    int code;

    if (profile == NULL || !profile_validate(profile, &error)) {
        if (profile != NULL) {
            g_prefix_error(&error, "%s: ", path);
        }
        code = cli_fail_error(REASON_PROFILE, error);
    } else {
        printf(_("%s can be used.\n"), path);
        code = 0;
    }
    profile_free(profile);
    g_free(path);
    return code;
}

/* ---- save ---- */

static const struct usage save_usage = {
    .synopsis = N_("godwit profile save PROFILE [OPTION…]"),
    .about =
        N_("Makes a profile from the options, or changes the one that exists, and writes it so "
           "that only its owner can read it. root's profiles are those of this computer."),
    .flags = no_flags,
    .keys = TRUE,
    .min_words = 1,
    .max_words = 1,
};

static int save(const struct options *options)
{
    char *path = profile_path_for(options->words[0]);
    gboolean exists = g_file_test(path, G_FILE_TEST_EXISTS);
    GError *error = NULL;
    struct profile *profile = exists ? profile_load(path, &error) : profile_new();
    enum reason reason = REASON_PROFILE;
    int code = 0;

    if (profile != NULL) {
        reason = options_apply(options, profile, &error);
    }
    if (reason == REASON_NONE &&
        (!profile_validate(profile, &error) || !profile_save(profile, path, &error))) {
        reason = REASON_PROFILE;
    }
    if (error != NULL) {
        code = cli_fail_error(reason, error);
    } else {
        printf(exists ? _("Changed %s.\n") : _("Saved %s.\n"), path);
    }
    profile_free(profile);
    g_free(path);
    return code;
}

/* ---- the table ---- */

static const struct {
    const char *name;
    const struct usage *usage;
    int (*run)(const struct options *options);
} actions[] = {
    {"list", &list_usage, list},
    {"show", &show_usage, show},
    {"check", &check_usage, check},
    {"save", &save_usage, save},
};

static void print_help(void)
{
    puts(_("Usage: godwit profile ACTION [ARGUMENT…]\n"));
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        printf("  %s%s%s\n", style_begin(stdout, STYLE_BOLD), _(actions[i].usage->synopsis),
               style_end(stdout));
        print_wrapped(stdout, 8, _(actions[i].usage->about));
    }
    putchar('\n');
    puts(_("The manual of the settings: man godwit.conf."));
}

int command_profile(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_help();
        return 0;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        struct options options;
        GError *error = NULL;
        int code = 0;

        if (strcmp(actions[i].name, word) != 0) {
            continue;
        }
        if (!options_parse(&options, actions[i].usage, argc - 1, argv + 1, &error)) {
            code = cli_fail_error(REASON_USAGE, error);
        } else if (!options.help) {
            code = actions[i].run(&options);
        }
        options_clear(&options);
        return code;
    }
    return cli_fail(REASON_USAGE, _("An action is missing: list, show, check or save."));
}
