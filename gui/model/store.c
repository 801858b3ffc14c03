/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/store.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/secret.h"

#define BASE64 "base64:"

/* ---- reading ---- */

static char *encoded(struct bytes octets)
{
    g_autofree char *text = g_base64_encode(octets.data, octets.len);
    char *all = g_strconcat(BASE64, text, NULL);

    secret_wipe(text, strlen(text));
    return all;
}

/* As a keyfile has it; free it. */
static char *text_of(const struct profile *profile, const struct profile_key *key)
{
    struct bytes octets;

    if (key->type != PROFILE_FILE && key->type != PROFILE_SECRET) {
        return g_strdup(profile_get(profile, key->name));
    }
    octets = profile_get_bytes(profile, key->name);
    if (key->type == PROFILE_FILE && profile_get_path(profile, key->name) != NULL) {
        return g_strdup(profile_get_path(profile, key->name));
    }
    return key->type == PROFILE_SECRET && !(key->flags & PROFILE_OCTETS)
               ? g_strndup((const char *)octets.data, octets.len)
               : encoded(octets);
}

struct values *store_read(const char *path, GError **error)
{
    struct profile *profile = profile_load(path, error);
    struct values *values;

    if (profile == NULL) {
        return NULL;
    }
    values = values_new();
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        char *text = profile_is_set(profile, key->name) ? text_of(profile, key) : NULL;

        values_load(values, key->name, text);
        if (text != NULL) {
            secret_wipe(text, strlen(text));
        }
        g_free(text);
    }
    profile_free(profile);
    return values;
}

/* ---- writing ---- */

static gboolean take(struct profile *profile, const struct profile_key *key, const char *text,
                     GError **error)
{
    return key->type == PROFILE_SECRET && !(key->flags & PROFILE_OCTETS)
               ? profile_set_bytes(profile, key->name, bytes_of_string(text), error)
               : profile_set(profile, key->name, text, NULL, error);
}

static struct profile *profile_of(const struct values *values, GError **error)
{
    struct profile *profile = profile_new();

    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        const char *text = values_get(values, key->name);

        if (text != NULL && !take(profile, key, text, error)) {
            g_clear_pointer(&profile, profile_free);
            return NULL;
        }
    }
    if (!profile_validate(profile, error)) {
        g_clear_pointer(&profile, profile_free);
    }
    return profile;
}

/* In the user's folder, named after the connection; no other profile has it. */
static char *new_path(const struct profile *profile)
{
    const char *name = profile_is_set(profile, "name") ? profile_get(profile, "name")
                                                       : profile_get(profile, "gateway");
    g_autofree char *folder = g_build_filename(g_get_user_config_dir(), "godwit", NULL);
    g_autofree char *base = g_strdelimit(g_strdup(name), "/\\", '-');
    char *path = NULL;

    if (*base == '.') {
        *base = '-';
    }
    (void)g_mkdir_with_parents(folder, 0700);
    for (int i = 1; path == NULL || g_file_test(path, G_FILE_TEST_EXISTS); i++) {
        g_free(path);
        path = i == 1 ? g_strdup_printf("%s/%s.conf", folder, base)
                      : g_strdup_printf("%s/%s %d.conf", folder, base, i);
    }
    return path;
}

static gboolean write_profile(const char *path, const struct profile *profile, GError **error)
{
    g_autofree char *target = path == NULL ? new_path(profile) : g_strdup(path);

    return profile_save(profile, target, error);
}

gboolean store_write(const char *path, const struct values *values, GError **error)
{
    struct profile *profile = values_check(values, error) ? profile_of(values, error) : NULL;
    gboolean done = profile != NULL && write_profile(path, profile, error);

    profile_free(profile);
    return done;
}

gboolean store_import(const char *path, GError **error)
{
    struct profile *profile = profile_import(path, error);
    gboolean done;

    if (profile != NULL && !profile_is_set(profile, "name")) {
        g_autofree char *base = g_path_get_basename(path);
        char *dot = strrchr(base, '.');

        if (dot != NULL && dot != base) {
            *dot = '\0';
        }
        (void)profile_set(profile, "name", base, NULL, NULL);
    }
    done = profile != NULL && write_profile(NULL, profile, error);
    profile_free(profile);
    return done;
}

gboolean store_delete(const char *path, GError **error)
{
    int err = g_unlink(path) == 0 ? 0 : errno;

    if (err != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err), "%s: %s", path,
                    g_strerror(err));
    }
    return err == 0;
}
