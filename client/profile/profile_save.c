/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
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

static gboolean write_out(const struct profile *profile, struct secret *out, gsize *len)
{
    gboolean ok = append(out, len, bytes_of_string("[godwit]\n"));

    for (const struct profile_key *key = profile_keys(); ok && key->name != NULL; key++) {
        const struct profile_value *value = profile_value_at(profile, key);

        if (!profile_value_is_set(value)) {
            continue;
        }
        ok = append(out, len, bytes_of_string(key->name)) && append(out, len, bytes_of_string("="));
        if (key->type == PROFILE_FILE && value->text == NULL) {
            ok = ok && append_base64(out, len, secret_bytes(&value->octets));
        } else {
            ok = ok && append_value(out, len, value);
        }
        ok = ok && append(out, len, bytes_of_string("\n"));
    }
    return ok;
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

gboolean profile_save(const struct profile *profile, const char *path, GError **error)
{
    char *folder = g_path_get_dirname(path);
    struct secret text = {0};
    GError *cause = NULL;
    gsize len = 0;
    gboolean ok;

    if (!write_out(profile, &text, &len)) {
        profile_fail(error, PROFILE_ERROR_FILE, path, _("out of memory"));
        ok = FALSE;
    } else {
        /* A folder that cannot be made shows when the file is written. */
        (void)g_mkdir_with_parents(folder, 0755);
        ok = write_private(path, (const char *)text.data, len, &cause);
    }
    if (cause != NULL) {
        profile_fail(error, PROFILE_ERROR_FILE, path, _("cannot be written: %s"), cause->message);
        g_error_free(cause);
    }
    secret_free(&text);
    g_free(folder);
    return ok;
}

gboolean profile_set_in_file(const char *path, const char *key, const char *text, GError **error)
{
    struct profile *profile = profile_load(path, error);
    gboolean done = profile != NULL && profile_set(profile, key, text, NULL, error) &&
                    profile_save(profile, path, error);

    profile_free(profile);
    return done;
}
