/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/editor.h"
#include "cli/print.h"
#include "cli/profiles.h"
#include "cli/target.h"
#include "common/i18n.h"

enum { FLAG_SYSTEM };
static const struct flag flags[] = {
    [FLAG_SYSTEM] = {"system", N_("A profile of this computer, through the system service."), NULL},
    {.name = NULL},
};

/* ---- KEY=VALUE ---- */

static gboolean refuse(GError **error, char *message)
{
    g_set_error_literal(error, CLI_ERROR, REASON_USAGE, message);
    g_free(message);
    return FALSE;
}

static gboolean apply_word(struct profile *profile, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = equals == NULL ? NULL : g_strndup(word, (gsize)(equals - word));
    const struct profile_key *key = name == NULL ? NULL : profile_key_find(name);

    if (equals == NULL) {
        return refuse(error, g_strdup_printf(_("\"%s\" is no KEY=VALUE."), word));
    }
    if (key == NULL) {
        const char *near = profile_key_suggest(name);

        return refuse(error, near == NULL ? g_strdup_printf(_("unknown key \"%s\""), name)
                                          : g_strdup_printf(_("unknown key \"%s\" (did you mean "
                                                              "\"%s\"?)"),
                                                            name, near));
    }
    if (equals[1] == '\0') {
        profile_unset(profile, name);
        return TRUE;
    }
    if (key->type == PROFILE_SECRET) {
        return refuse(error,
                      g_strdup_printf(_("%s: secrets are not taken from the command line, where "
                                        "every program can read them; use --%s-fd"),
                                      name, name));
    }
    return profile_set(profile, name, equals + 1, NULL, error);
}

/* Words and options on top of the profile. */
static enum reason apply(const struct options *options, struct profile *profile, GError **error)
{
    for (guint i = 1; i < options->n_words; i++) {
        if (!apply_word(profile, options->words[i], error)) {
            return g_error_matches(*error, PROFILE_ERROR, PROFILE_ERROR_FILE) ? REASON_PROFILE
                                                                              : REASON_USAGE;
        }
    }
    return options_apply(options, profile, error);
}

/* ---- this computer's, by the service ---- */

static enum reason save_system(struct bus *bus, const char *name, const struct profile *profile,
                               gboolean replace, GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, VPN1_PATH, VPN1_MANAGER_INTERFACE, "SaveSystemProfile",
                 g_variant_new("(s@a{sv}b)", name, profile_to_variant(profile), replace),
                 BUS_INTERACTIVE, error);

    return reply == NULL ? REASON_INTERNAL : REASON_NONE;
}

static enum reason add_system(struct bus *bus, const struct options *options, GError **error)
{
    struct profile *profile = profile_new();
    enum reason reason = apply(options, profile, error);

    if (reason == REASON_NONE && !profile_validate(profile, error)) {
        reason = REASON_USAGE;
    }
    if (reason == REASON_NONE) {
        reason = save_system(bus, options->words[0], profile, FALSE, error);
    }
    profile_free(profile);
    return reason;
}

/* What the service does not tell (secrets, certificates) stays as it is in its file; so it also
 * judges the whole. */
static enum reason edit_system(struct bus *bus, const struct options *options, GError **error)
{
    struct known *known = known_system(bus, options->words[0], error);
    struct profile *profile = known == NULL ? NULL : profile_from_variant(known->values, error);
    enum reason reason = profile == NULL ? REASON_PROFILE : apply(options, profile, error);

    if (reason == REASON_NONE && options->n_words == 1 && options->settings->len == 0) {
        struct profile *edited = editor_edit_profile(profile, options->words[0], error);

        profile_free(profile);
        profile = edited;
        reason = edited == NULL ? REASON_PROFILE : REASON_NONE;
    }
    if (reason == REASON_NONE) {
        reason = save_system(bus, options->words[0], profile, TRUE, error);
    }
    profile_free(profile);
    g_clear_pointer(&known, known_free);
    return reason;
}

static enum reason delete_system(struct bus *bus, const struct options *options, GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, VPN1_PATH, VPN1_MANAGER_INTERFACE, "DeleteSystemProfile",
                 g_variant_new("(s)", options->words[0]), BUS_INTERACTIVE, error);

    return reply == NULL ? REASON_INTERNAL : REASON_NONE;
}

static enum reason by_service(const struct options *options, GError **error,
                              enum reason (*act)(struct bus *, const struct options *, GError **))
{
    struct bus *bus = bus_open(error);
    enum reason reason = bus == NULL ? REASON_SERVICE_UNAVAILABLE : act(bus, options, error);

    bus_close(bus);
    return reason;
}

/* ---- files ---- */

/* A name, not a path, is to be one that a connection can have: it is called so. */
static gboolean check_name(const char *word, const char *path, GError **error)
{
    struct profile *named = strcmp(word, path) == 0 ? NULL : profile_new();
    gboolean fine = named == NULL || profile_set(named, "name", word, NULL, error);

    profile_free(named);
    return fine;
}

static enum reason add_file(const struct options *options, GError **error)
{
    g_autofree char *path = profile_path_for(options->words[0]);
    struct profile *profile;
    enum reason reason;

    if (!check_name(options->words[0], path, error)) {
        return REASON_USAGE;
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, CLI_ERROR, REASON_PROFILE,
                    _("There is a profile \"%s\" already; godwit profile edit changes it."),
                    options->words[0]);
        return REASON_PROFILE;
    }
    profile = profile_new();
    reason = apply(options, profile, error);
    if (reason == REASON_NONE && !profile_validate(profile, error)) {
        reason = REASON_USAGE;
    }
    if (reason == REASON_NONE && !profile_save(profile, path, error)) {
        reason = REASON_PROFILE;
    }
    profile_free(profile);
    return reason;
}

/* What only the service can change, and may: FALSE and *error. */
static gboolean is_ours(const char *name, GError **error)
{
    g_autofree char *path = profile_find(name);
    struct bus *bus = path == NULL && target_may_be_system(name) ? bus_open(NULL) : NULL;
    struct known *known = bus == NULL ? NULL : known_system(bus, name, NULL);
    gboolean ours = path == NULL ? known == NULL
                                 : !g_str_has_prefix(path, SYSCONFDIR "/godwit/") ||
                                       access(SYSCONFDIR "/godwit", W_OK) == 0;

    if (!ours) {
        g_set_error(error, CLI_ERROR, REASON_PROFILE,
                    _("\"%s\" is a profile of this computer: use --system."), name);
    }
    g_clear_pointer(&known, known_free);
    bus_close(bus);
    return ours;
}

static enum reason edit_file(const struct options *options, GError **error)
{
    g_autofree char *path = NULL;
    struct profile *profile;
    enum reason reason = REASON_NONE;

    if (!is_ours(options->words[0], error)) {
        return REASON_PROFILE;
    }
    if (options->n_words == 1 && options->settings->len == 0) {
        path = profile_find(options->words[0]);
        if (path != NULL && g_file_test(path, G_FILE_TEST_EXISTS)) {
            return editor_edit_file(path, error) ? REASON_NONE : REASON_PROFILE;
        }
        g_clear_pointer(&path, g_free);
    }
    profile = profiles_load(options->words[0], &path, error);
    if (profile == NULL) {
        return REASON_PROFILE;
    }
    reason = apply(options, profile, error);
    if (reason == REASON_NONE &&
        (!profile_validate(profile, error) || !profile_save(profile, path, error))) {
        reason = REASON_PROFILE;
    }
    profile_free(profile);
    return reason;
}

static enum reason delete_file(const struct options *options, GError **error)
{
    g_autofree char *path = NULL;
    struct profile *profile;

    if (!is_ours(options->words[0], error)) {
        return REASON_PROFILE;
    }
    profile = profiles_load(options->words[0], &path, NULL);
    profile_free(profile);
    if (path == NULL) {
        (void)profiles_load(options->words[0], &path, error);
        return REASON_PROFILE;
    }
    if (g_unlink(path) != 0) {
        g_set_error(error, CLI_ERROR, REASON_PROFILE, _("%s cannot be deleted: %s."), path,
                    g_strerror(errno));
        return REASON_PROFILE;
    }
    return REASON_NONE;
}

/* ---- the actions ---- */

static int tell(enum reason reason, GError *error, const char *done)
{
    if (reason != REASON_NONE) {
        return cli_fail_error(reason, error);
    }
    puts(done);
    return 0;
}

static int add(const struct options *options)
{
    GError *error = NULL;
    enum reason reason = options->flags[FLAG_SYSTEM] ? by_service(options, &error, add_system)
                                                     : add_file(options, &error);
    g_autofree char *shown = printable(options->words[0]);
    g_autofree char *done = g_strdup_printf(_("Saved; godwit connect %s uses it."), shown);

    return tell(reason, error, done);
}

static int edit(const struct options *options)
{
    GError *error = NULL;
    enum reason reason = options->flags[FLAG_SYSTEM] ? by_service(options, &error, edit_system)
                                                     : edit_file(options, &error);

    return tell(reason, error, _("Changed; a connection takes it up when it is made again."));
}

static int delete (const struct options *options)
{
    GError *error = NULL;
    enum reason reason = options->flags[FLAG_SYSTEM] ? by_service(options, &error, delete_system)
                                                     : delete_file(options, &error);

    return tell(reason, error, _("Deleted."));
}

static const struct usage add_usage = {
    .synopsis = N_("godwit profile add PROFILE [KEY=VALUE…] [OPTION…]"),
    .about = N_("Makes a profile of the settings and writes it so that only its owner can read it. "
                "root's own profiles are those of this computer."),
    .flags = flags,
    .keys = TRUE,
    .min_words = 1,
    .max_words = 64,
};
static const struct usage edit_usage = {
    .synopsis = N_("godwit profile edit PROFILE [KEY=VALUE…] [OPTION…]"),
    .about =
        N_("Changes the settings that are given; KEY= removes one. Without any it opens a copy in "
           "your editor (VISUAL, EDITOR), which takes the profile's place when it is in order."),
    .flags = flags,
    .keys = TRUE,
    .min_words = 1,
    .max_words = 64,
    .words = WORDS_PROFILES,
};
static const struct usage delete_usage = {
    .synopsis = N_("godwit profile delete PROFILE [OPTION…]"),
    .about = N_("Deletes a profile. Connections that were made of it stay."),
    .flags = flags,
    .min_words = 1,
    .max_words = 1,
    .words = WORDS_PROFILES,
};

const struct command action_add = {.name = "add", .usage = &add_usage, .run = add};
const struct command action_edit = {.name = "edit", .usage = &edit_usage, .run = edit};
const struct command action_delete = {.name = "delete", .usage = &delete_usage, .run = delete};
