/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/i18n.h"

#define SYSTEM_PROFILES SYSCONFDIR "/godwit/"

void target_clear(struct target *target)
{
    g_free(target->name);
    g_free(target->path);
    profile_free(target->profile);
    *target = (struct target){0};
}

gboolean target_may_be_system(const char *word)
{
    return *word != '\0' && *word != '.' && strchr(word, '/') == NULL &&
           !g_str_has_suffix(word, ".conf");
}

/* What cannot have been meant for a profile, most likely. */
static gboolean is_host(const char *word)
{
    return strchr(word, '.') != NULL || strchr(word, ':') != NULL;
}

char *target_name_of_file(const char *path)
{
    char *name = g_path_get_basename(path);

    if (g_str_has_suffix(name, ".conf")) {
        name[strlen(name) - strlen(".conf")] = '\0';
    }
    return name;
}

/* Puts the command line's settings on top of the profile, which came from `path` unless NULL. */
static enum reason finish(const struct options *options, struct target *target, const char *path,
                          GError **error)
{
    enum reason applied = options_apply(options, target->profile, error);
    const char *name = "name";

    if (applied != REASON_NONE) {
        return applied;
    }
    if (!profile_validate(target->profile, error)) {
        if (path != NULL) {
            g_prefix_error(error, "%s: ", path);
        }
        return path != NULL ? REASON_PROFILE : REASON_USAGE;
    }
    name = profile_is_set(target->profile, name) ? profile_get(target->profile, name)
           : target->name == NULL                ? profile_get(target->profile, "gateway")
                                                 : NULL;
    if (name != NULL) {
        g_free(target->name);
        target->name = g_strdup(name);
    }
    return REASON_NONE;
}

static enum reason read_profile(const struct options *options, const char *path,
                                struct target *target, GError **error)
{
    target->name = target_name_of_file(path);
    target->path = options->settings->len == 0 ? g_strdup(path) : NULL;
    target->profile = profile_load(path, error);
    return target->profile == NULL ? REASON_PROFILE : finish(options, target, path, error);
}

static void tell_no_profile(const char *word)
{
    g_auto(GStrv) names = profile_list();
    const char *near = nearest_word(word, (const char *const *)names);

    g_autofree char *line =
        g_strdup_printf(_("There is no profile \"%s\"; taking it for the gateway's name.\n"), word);
    g_autofree char *hint = near == NULL ? NULL : g_strdup_printf(_(" Did you mean \"%s\"?"), near);

    printf("%s%s\n", g_strchomp(line), hint == NULL ? "" : hint);
}

enum reason target_host(const struct options *options, struct target *target, GError **error)
{
    const char *word = options->words[0];

    target->profile = profile_new();
    if (word != NULL && !profile_set(target->profile, "gateway", word, NULL, error)) {
        return REASON_USAGE;
    }
    /* What else it could have been meant for. */
    if (word != NULL && !is_host(word)) {
        tell_no_profile(word);
    }
    target->name = g_strdup(word);
    return finish(options, target, NULL, error);
}

enum reason target_read(const struct options *options, struct target *target, GError **error)
{
    g_autofree char *path = options->words[0] == NULL ? NULL : profile_find(options->words[0]);

    return path == NULL ? target_host(options, target, error)
                        : read_profile(options, path, target, error);
}

enum reason target_find(const struct options *options, struct target *target, GError **error)
{
    const char *word = options->words[0];
    g_autofree char *path = word == NULL ? NULL : profile_find(word);
    g_autofree char *system = NULL;

    if (word == NULL || !target_may_be_system(word) ||
        (path != NULL && !g_str_has_prefix(path, SYSTEM_PROFILES))) {
        return target_read(options, target, error);
    }
    /* The folder may be closed to us: then only the service knows. It is asked in vain for a host
     * only when that has no dot, and so may be meant for a profile. */
    system = g_strconcat(SYSTEM_PROFILES, word, ".conf", NULL);
    if (path == NULL && is_host(word) && access(system, F_OK) != 0 && errno != EACCES) {
        return target_host(options, target, error);
    }
    if (options->settings->len == 0) {
        target->name = g_strdup(word);
        target->perhaps = path == NULL;
        return REASON_NONE;
    }
    if (path == NULL) {
        return target_host(options, target, error);
    }
    if (access(path, R_OK) != 0) {
        g_set_error(error, CLI_ERROR, REASON_PROFILE,
                    _("\"%s\" is a profile of this computer: its settings cannot be overridden."),
                    word);
        return REASON_PROFILE;
    }
    return read_profile(options, path, target, error);
}
