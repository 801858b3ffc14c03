/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/system_profiles.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define FOLDER SYSCONFDIR "/godwit"
#define SUFFIX ".conf"
#define NAME_MAX_OCTETS 64

gboolean system_profile_is_name(const char *name)
{
    if (*name == '\0' || *name == '.' || strlen(name) > NAME_MAX_OCTETS ||
        !g_utf8_validate(name, -1, NULL)) {
        return FALSE;
    }
    for (const char *at = name; *at; at = g_utf8_next_char(at)) {
        if (*at == '/' || !g_unichar_isprint(g_utf8_get_char(at))) {
            return FALSE;
        }
    }
    return TRUE;
}

static char *path_of(const char *name)
{
    return g_strconcat(FOLDER "/", name, SUFFIX, NULL);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **system_profile_names(void)
{
    g_autoptr(GDir) dir = g_dir_open(FOLDER, 0, NULL);
    GPtrArray *names = g_ptr_array_new();
    const char *file;
    while (dir && (file = g_dir_read_name(dir))) {
        if (g_str_has_suffix(file, SUFFIX)) {
            char *name = g_strndup(file, strlen(file) - strlen(SUFFIX));
            g_ptr_array_add(names, name);
            if (!system_profile_is_name(name)) {
                g_ptr_array_set_size(names, (gint)names->len - 1);
                g_free(name);
            }
        }
    }
    g_ptr_array_sort(names, by_name);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

gboolean system_profile_exists(const char *name)
{
    g_autofree char *path = path_of(name);
    return system_profile_is_name(name) && g_file_test(path, G_FILE_TEST_EXISTS);
}

struct profile *system_profile_load(const char *name, GError **error)
{
    g_autofree char *path = path_of(name);
    struct profile *profile = profile_load(path, error);
    if (profile && !profile_validate(profile, error)) {
        g_prefix_error(error, "%s: ", path);
        g_clear_pointer(&profile, profile_free);
    }
    return profile;
}

static gboolean is_kept_back(const struct profile_key *key)
{
    return key->type == PROFILE_FILE || key->type == PROFILE_SECRET;
}

GVariant *system_profile_public(const struct profile *profile)
{
    struct profile *shown = profile_copy(profile);
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (is_kept_back(key)) {
            profile_unset(shown, key->name);
        }
    }
    GVariant *dict = profile_to_variant(shown);
    profile_free(shown);
    return dict;
}

static gboolean take_over(struct profile *profile, const struct profile *old,
                          const struct profile_key *key, GError **error)
{
    const char *path = key->type == PROFILE_FILE ? profile_get_path(old, key->name) : NULL;
    if (!is_kept_back(key) || profile_is_set(profile, key->name) ||
        !profile_is_set(old, key->name)) {
        return TRUE;
    }
    return path ? profile_set(profile, key->name, path, NULL, error)
                : profile_set_bytes(profile, key->name, profile_get_bytes(old, key->name), error);
}

gboolean system_profile_save(const char *name, struct profile *profile, GError **error)
{
    g_autofree char *path = path_of(name);
    /* A file that cannot be read has nothing to keep: it is replaced to be mended. */
    struct profile *old = profile_load(path, NULL);
    gboolean ok = TRUE;
    for (const struct profile_key *key = profile_keys(); ok && old && key->name; key++) {
        ok = take_over(profile, old, key, error);
    }
    profile_free(old);
    return ok && profile_validate(profile, error) && profile_save(profile, path, error);
}

gboolean system_profile_delete(const char *name, GError **error)
{
    g_autofree char *path = path_of(name);
    if (g_unlink(path) != 0) {
        int err = errno;
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err), "%s: %s.", path,
                    g_strerror(err));
        return FALSE;
    }
    return TRUE;
}
