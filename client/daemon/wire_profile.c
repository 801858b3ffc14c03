/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/wire_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/secret.h"

#define KEYS_MAX 128 /* far more than there are */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static gboolean fail(GError **error, const char *key, const char *why)
{
    g_set_error(error, PROFILE_ERROR, PROFILE_ERROR_VALUE, "%s: %s", key, why);
    return FALSE;
}

static void wipe_and_free(gpointer data)
{
    struct secret *octets = data;
    secret_free(octets);
    g_free(octets);
}

static gboolean read_all(int fd, struct secret *out)
{
    size_t len = 0;
    while (len < out->len) {
        ssize_t n = pread(fd, out->data + len, out->len - len, (off_t)len);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return FALSE;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    return TRUE;
}

/* Only memory that nobody can change or cut short any more: to read anything else may wait for
 * ever, or act on a device. */
static GBytes *read_sealed(int fd, const char *key, GError **error)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS) {
        fail(error, key, "the descriptor is not a sealed memfd");
        return NULL;
    }
    if (fstat(fd, &status) != 0 || status.st_size <= 0) {
        fail(error, key, "the memfd is empty");
        return NULL;
    }
    if (status.st_size > PROFILE_FILE_MAX) {
        fail(error, key, "the memfd is larger than 1 MiB");
        return NULL;
    }
    struct secret *octets = g_new0(struct secret, 1);
    if (!secret_alloc(octets, (size_t)status.st_size) || !read_all(fd, octets)) {
        wipe_and_free(octets);
        fail(error, key, "the memfd cannot be read");
        return NULL;
    }
    return g_bytes_new_with_free_func(octets->data, octets->len, wipe_and_free, octets);
}

static gboolean takes_octets(const char *name)
{
    const struct profile_key *key = profile_key_find(name);
    return key && (key->type == PROFILE_FILE || key->type == PROFILE_SECRET);
}

/* *left: how many octets may still come by handles. */
static GVariant *octets_of_handle(GVariant *handle, GUnixFDList *fds, const char *key, gsize *left,
                                  GError **error)
{
    gint n = 0, index = g_variant_get_handle(handle);
    const gint *list = fds ? g_unix_fd_list_peek_fds(fds, &n) : NULL;
    if (!takes_octets(key)) {
        fail(error, key, "a descriptor is no value of this key");
        return NULL;
    }
    if (index < 0 || index >= n) {
        fail(error, key, "there is no such descriptor in the message");
        return NULL;
    }
    g_autoptr(GBytes) octets = read_sealed(list[index], key, error);
    if (!octets) {
        return NULL;
    }
    if (g_bytes_get_size(octets) > *left) {
        fail(error, key, "the profile is too large");
        return NULL;
    }
    *left -= g_bytes_get_size(octets);
    return g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, octets, TRUE);
}

/* The dictionary with octets in the place of handles; NULL and *error on failure. */
static GVariant *without_handles(GVariant *dict, GUnixFDList *fds, GError **error)
{
    GVariantBuilder builder;
    GVariantIter iter;
    const char *key;
    GVariant *value;
    gsize left = WIRE_PROFILE_MAX;
    gboolean ok = TRUE;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_iter_init(&iter, dict);
    while (ok && g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_HANDLE)) {
            GVariant *octets = octets_of_handle(value, fds, key, &left, error);
            ok = octets != NULL;
            g_variant_unref(value);
            value = octets ? g_variant_ref_sink(octets) : NULL;
        }
        if (ok) {
            g_variant_builder_add(&builder, "{sv}", key, value);
        }
        g_clear_pointer(&value, g_variant_unref);
    }
    if (!ok) {
        g_variant_builder_clear(&builder);
        return NULL;
    }
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

struct profile *wire_profile(GVariant *dict, GUnixFDList *fds, GError **error)
{
    if (g_variant_get_size(dict) > WIRE_PROFILE_MAX) {
        fail(error, "profile", "it is too large");
        return NULL;
    }
    if (g_variant_n_children(dict) > KEYS_MAX) {
        fail(error, "profile", "it has too many keys");
        return NULL;
    }
    g_autoptr(GVariant) plain = without_handles(dict, fds, error);
    return plain ? profile_from_variant(plain, error) : NULL;
}
