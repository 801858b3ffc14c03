/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/i18n.h"
#include "profile/profile_private.h"

/* Grows by copying into wiped memory: a GString would leave secrets behind when it moves. */
static gboolean append(struct secret *out, gsize *len, struct bytes text)
{
    if (out->len - *len < text.len) {
        struct secret larger = {0};

        if (!secret_alloc(&larger, 2 * (out->len + text.len))) {
            return FALSE;
        }
        if (*len > 0) {
            memcpy(larger.data, out->data, *len);
        }
        secret_move(out, &larger);
    }
    if (text.len > 0) {
        memcpy(out->data + *len, text.data, text.len);
    }
    *len += text.len;
    return TRUE;
}

static gboolean append_text(struct secret *out, gsize *len, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        gboolean edge = i == 0 || i == text.len - 1;
        struct bytes one = bytes_of(text.data + i, 1);

        if (text.data[i] == '\\') {
            one = bytes_of_string("\\\\");
        } else if (text.data[i] == ' ' && edge) {
            one = bytes_of_string("\\s");
        }
        if (!append(out, len, one)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean append_base64(struct secret *out, gsize *len, struct bytes octets)
{
    struct secret text = {0};
    gint state = 0, save = 0;
    gboolean ok = secret_alloc(&text, (octets.len / 3 + 1) * 4 + 4);

    if (ok) {
        gsize n =
            g_base64_encode_step(octets.data, octets.len, FALSE, (char *)text.data, &state, &save);

        n += g_base64_encode_close(FALSE, (char *)text.data + n, &state, &save);
        ok = append(out, len, bytes_of_string(PROFILE_BASE64)) &&
             append(out, len, bytes_of(text.data, n));
    }
    secret_wipe(&save, sizeof save);
    secret_free(&text);
    return ok;
}

static gboolean append_value(struct secret *out, gsize *len, const struct profile_value *value)
{
    struct bytes octets = secret_bytes(&value->octets);
    size_t prefix = strlen(PROFILE_BASE64);

    if (value->text != NULL) {
        return append_text(out, len, bytes_of_string(value->text));
    }
    if (check_text(octets) != NULL ||
        (octets.len >= prefix && memcmp(octets.data, PROFILE_BASE64, prefix) == 0)) {
        return append_base64(out, len, octets);
    }
    return append_text(out, len, octets);
}

static gboolean append_group(struct secret *out, gsize *len)
{
    return append(out, len, bytes_of_string("[godwit]\n"));
}

/* The line of a key that is set. */
static gboolean append_key(struct secret *out, gsize *len, const struct profile *profile,
                           const struct profile_key *key)
{
    const struct profile_value *value = profile_value_at(profile, key);
    gboolean ok =
        append(out, len, bytes_of_string(key->name)) && append(out, len, bytes_of_string("="));

    if (key->type == PROFILE_FILE && value->text == NULL) {
        ok = ok && append_base64(out, len, secret_bytes(&value->octets));
    } else {
        ok = ok && append_value(out, len, value);
    }
    return ok && append(out, len, bytes_of_string("\n"));
}

static gboolean write_out(const struct profile *profile, struct secret *out, gsize *len)
{
    gboolean ok = append_group(out, len);

    for (const struct profile_key *key = profile_keys(); ok && key->name != NULL; key++) {
        if (profile_value_is_set(profile_value_at(profile, key))) {
            ok = append_key(out, len, profile, key);
        }
    }
    return ok;
}

/* The old text, which was read without an error, with the line of one key as it is now. */
static gboolean write_changed(const struct profile *profile, const struct profile_key *key,
                              struct bytes old, struct secret *out, gsize *len)
{
    gboolean ok = TRUE, has_group = FALSE, has_key = FALSE;

    while (ok && old.len > 0) {
        const uint8_t *end = memchr(old.data, '\n', old.len);
        struct bytes line =
            bytes_of(old.data, end == NULL ? old.len : (size_t)(end + 1 - old.data));
        gboolean sets = profile_line_sets(line, key);

        ok = sets ? append_key(out, len, profile, key) : append(out, len, line);
        has_group |= profile_line_is_group(line);
        has_key |= sets;
        old = bytes_of(old.data + line.len, old.len - line.len);
    }
    if (has_key) {
        return ok;
    }
    if (*len > 0 && out->data[*len - 1] != '\n') {
        ok = ok && append(out, len, bytes_of_string("\n"));
    }
    return ok && (has_group || append_group(out, len)) && append_key(out, len, profile, key);
}

static gboolean write_all(int fd, const char *text, gsize len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR) {
            return FALSE;
        }
        if (n > 0) {
            text += n;
            len -= (gsize)n;
        }
    }
    return TRUE;
}

/* Whoever reads the file finds the old one or the new one, whole, also after a crash; and only its
 * owner does, whatever mode an old one has. */
static gboolean write_private(const char *path, const char *text, gsize len, GError **error)
{
    char *fresh = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(fresh, O_WRONLY | O_CLOEXEC, 0600);
    gboolean ok = fd >= 0 && write_all(fd, text, len) && fsync(fd) == 0 && rename(fresh, path) == 0;
    int err = errno;

    if (fd >= 0) {
        close(fd);
    }
    if (!ok) {
        g_set_error_literal(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err),
                            g_strerror(err));
    }
    if (fd >= 0 && !ok) {
        (void)unlink(fresh);
    }
    g_free(fresh);
    return ok;
}

static gboolean replace(const char *path, struct bytes text, GError **error)
{
    GError *cause = NULL;
    gboolean ok = write_private(path, (const char *)text.data, text.len, &cause);

    if (!ok) {
        profile_fail(error, PROFILE_ERROR_FILE, path, _("cannot be written: %s"), cause->message);
        g_error_free(cause);
    }
    return ok;
}

gboolean profile_save(const struct profile *profile, const char *path, GError **error)
{
    char *folder = g_path_get_dirname(path);
    struct secret text = {0};
    gsize len = 0;
    gboolean ok;

    if (!write_out(profile, &text, &len)) {
        ok = profile_fail(error, PROFILE_ERROR_FILE, path, _("out of memory"));
    } else {
        /* A folder that cannot be made shows when the file is written. */
        (void)g_mkdir_with_parents(folder, 0755);
        ok = replace(path, bytes_of(text.data, len), error);
    }
    secret_free(&text);
    g_free(folder);
    return ok;
}

static gboolean save_changed(const struct profile *profile, const char *path, const char *key,
                             struct bytes old, GError **error)
{
    char *target = realpath(path, NULL); /* NULL: it was deleted meanwhile */
    struct secret text = {0};
    gsize len = 0;
    gboolean ok;

    if (!write_changed(profile, profile_key_find(key), old, &text, &len)) {
        ok = profile_fail(error, PROFILE_ERROR_FILE, path, _("out of memory"));
    } else {
        ok = replace(target == NULL ? path : target, bytes_of(text.data, len), error);
    }
    secret_free(&text);
    free(target);
    return ok;
}

gboolean profile_set_in_file(const char *path, const char *key, const char *text, GError **error)
{
    char *folder = g_path_get_dirname(path);
    struct profile *profile = NULL;
    struct secret old = {0};
    gboolean done;

    if (profile_read_file(path, NULL, &old, error)) {
        profile = profile_parse(secret_bytes(&old), path, folder, error);
    }
    done = profile != NULL && profile_set(profile, key, text, NULL, error) &&
           save_changed(profile, path, key, secret_bytes(&old), error);
    profile_free(profile);
    secret_free(&old);
    g_free(folder);
    return done;
}
