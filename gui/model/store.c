/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
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

static struct values *values_of(const struct profile *profile)
{
    struct values *values = values_new();

    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        char *text = profile_is_set(profile, key->name) ? text_of(profile, key) : NULL;

        values_load(values, key->name, text);
        if (text != NULL) {
            secret_wipe(text, strlen(text));
        }
        g_free(text);
    }
    return values;
}

struct values *store_read(const char *path, GError **error)
{
    struct profile *profile = profile_load(path, error);
    struct values *values = profile == NULL ? NULL : values_of(profile);

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

static char *folder_of_profiles(void)
{
    return g_build_filename(g_get_user_config_dir(), "godwit", NULL);
}

static char *title_of(const struct profile *profile, const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    char *dot = strrchr(base, '.');

    if (profile_is_set(profile, "name")) {
        return g_strdup(profile_get(profile, "name"));
    }
    if (dot != NULL && dot != base) {
        *dot = '\0';
    }
    return g_steal_pointer(&base);
}

/* Connections are told apart by their titles: whether a profile of the folder has that one. */
static gboolean is_taken(const char *folder, const char *title)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    gboolean taken = FALSE;
    const char *file;

    while (!taken && dir != NULL && (file = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, file, NULL), *own = NULL;
        struct profile *profile = g_str_has_suffix(file, ".conf") ? profile_load(path, NULL) : NULL;

        own = profile == NULL ? NULL : title_of(profile, path);
        taken = g_strcmp0(own, title) == 0;
        profile_free(profile);
    }
    return taken;
}

static char *path_of_title(const char *folder, const char *title)
{
    g_autofree char *base = g_strdelimit(g_strdup(title), "/\\", '-');

    if (*base == '.') {
        *base = '-';
    }
    return g_strdup_printf("%s/%s.conf", folder, base);
}

/* "Work", or "Work 2" when there is one: neither a file nor a title. */
static char *free_title(const char *folder, const char *wanted)
{
    for (int i = 1;; i++) {
        g_autofree char *title = i == 1 ? g_strdup(wanted) : g_strdup_printf("%s %d", wanted, i);
        g_autofree char *path = path_of_title(folder, title);

        if (!g_file_test(path, G_FILE_TEST_EXISTS) && !is_taken(folder, title)) {
            return g_steal_pointer(&title);
        }
    }
}

gboolean store_add(struct profile *profile, GError **error)
{
    g_autofree char *folder = folder_of_profiles();
    gboolean named = profile_is_set(profile, "name");
    g_autofree char *title = free_title(folder, profile_get(profile, named ? "name" : "gateway"));
    g_autofree char *path = path_of_title(folder, title);

    (void)g_mkdir_with_parents(folder, 0700);
    return (!named || profile_set(profile, "name", title, NULL, error)) &&
           profile_save(profile, path, error);
}

gboolean store_write(const char *path, const struct values *values, GError **error)
{
    struct profile *profile = values_check(values, error) ? profile_of(values, error) : NULL;
    gboolean done = profile != NULL &&
                    (path == NULL ? store_add(profile, error) : profile_save(profile, path, error));

    profile_free(profile);
    return done;
}

struct values *store_read_copy(const char *path, GError **error)
{
    struct profile *profile = profile_load(path, error);
    struct values *values = profile == NULL ? NULL : values_of(profile);

    if (values != NULL) {
        g_autofree char *folder = folder_of_profiles();
        g_autofree char *own = title_of(profile, path), *title = free_title(folder, own);

        values_load(values, "name", title);
    }
    profile_free(profile);
    return values;
}

/* ---- from elsewhere, and to elsewhere ---- */

/* Whom it trusts is what a person agrees to, whatever becomes of the file that it is in. What would
 * not fit into a profile stays where it is. */
static void take_authority(struct profile *profile)
{
    struct bytes octets = profile_get_bytes(profile, "ca");
    struct secret copy = {0};

    if (octets.len > 0 && octets.len <= PROFILE_FILE_MAX / 2 && secret_set(&copy, octets)) {
        (void)profile_set_bytes(profile, "ca", secret_bytes(&copy), NULL);
    }
    secret_free(&copy);
}

struct profile *store_offered(const char *path, GError **error)
{
    struct profile *profile = profile_import(path, error);

    if (profile != NULL) {
        take_authority(profile);
    }
    if (profile != NULL && !profile_is_set(profile, "name")) {
        g_autofree char *title = title_of(profile, path);

        (void)profile_set(profile, "name", title, NULL, NULL);
    }
    return profile;
}

/* In all of the octets, whatever they are: what reads the file does not stop at a zero either. */
static char *find(const char *from, const char *end, const char *what)
{
    return memmem(from, (size_t)(end - from), what, strlen(what));
}

/* Takes private keys out that stand beside certificates in a PEM file. */
static void drop_keys(struct secret *pem)
{
    static const char begin[] = "-----BEGIN ", mark[] = "PRIVATE KEY-----", end[] = "-----END ";
    char *text = (char *)pem->data, *from = text;

    while ((from = find(from, text + pem->len, begin)) != NULL) {
        char *rest = from + strlen(begin), *over = text + pem->len;
        char *line = memchr(rest, '\n', (size_t)(over - rest));
        gboolean is_key = line != NULL && find(rest, line, mark) != NULL;
        char *last = is_key ? find(rest, over, end) : NULL;

        if (is_key) {
            char *next = last == NULL ? NULL : memchr(last, '\n', (size_t)(over - last));

            next = next == NULL ? over : next + 1;
            memmove(from, next, (size_t)(over - next));
            secret_wipe(over - (next - from), (size_t)(next - from));
            pem->len -= (size_t)(next - from);
        } else {
            from = rest;
        }
    }
}

/* A file's content is taken along; a token stays where it is. */
static gboolean embed(struct profile *profile, const struct profile_key *key, gboolean with_secrets,
                      GError **error)
{
    struct secret content = {0};
    gboolean done;

    if (profile_is_on_token(profile, key->name)) {
        return TRUE;
    }
    done = secret_set(&content, profile_get_bytes(profile, key->name));
    if (done && !with_secrets) {
        drop_keys(&content);
    }
    done = done && profile_set_bytes(profile, key->name, secret_bytes(&content), error);
    secret_free(&content);
    return done;
}

static gboolean make_portable(struct profile *profile, gboolean with_secrets, GError **error)
{
    gboolean done = TRUE;

    for (const struct profile_key *key = profile_keys(); done && key->name != NULL; key++) {
        gboolean is_key =
            strcmp(key->name, "private-key") == 0 && !profile_is_on_token(profile, key->name);

        if (!profile_is_set(profile, key->name)) {
            continue;
        }
        if (!with_secrets && (key->type == PROFILE_SECRET || is_key)) {
            profile_unset(profile, key->name);
        } else if (key->type == PROFILE_FILE) {
            done = embed(profile, key, with_secrets, error);
        }
    }
    return done;
}

gboolean store_export(const char *path, const char *target, gboolean with_secrets, GError **error)
{
    struct profile *profile = profile_load(path, error);
    g_autofree char *title = profile == NULL ? NULL : title_of(profile, path);
    gboolean done = profile != NULL && make_portable(profile, with_secrets, error);

    if (done) {
        (void)profile_set(profile, "name", title, NULL, NULL);
        done = profile_export(profile, target, error);
    }
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
