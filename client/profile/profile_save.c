/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"
#include "profile/profile_private.h"

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

/* What root changes for somebody stays theirs. */
static gboolean give_to_owner(int fd, const char *path)
{
    struct stat old;

    return stat(path, &old) != 0 || old.st_uid == geteuid() ||
           fchown(fd, old.st_uid, old.st_gid) == 0;
}

/* Whoever reads the file finds the old one or the new one, whole, also after a crash; and only its
 * owner does, whatever mode an old one has. */
static gboolean replace(const char *path, struct bytes text, GError **error)
{
    char *fresh = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(fresh, O_WRONLY | O_CLOEXEC, 0600);
    gboolean ok = fd >= 0 && write_all(fd, (const char *)text.data, text.len) &&
                  give_to_owner(fd, path) && fsync(fd) == 0 && rename(fresh, path) == 0;
    int err = errno;

    if (fd >= 0) {
        close(fd);
    }
    if (!ok) {
        profile_fail(error, PROFILE_ERROR_FILE, path, _("cannot be written: %s"), g_strerror(err));
    }
    if (fd >= 0 && !ok) {
        (void)unlink(fresh);
    }
    g_free(fresh);
    return ok;
}

/* Over the text that is there. */
static gboolean write_over(const struct profile *profile, const char *path, struct bytes old,
                           GError **error)
{
    char *target = realpath(path, NULL); /* NULL: it is not there */
    char *folder = g_path_get_dirname(path);
    struct secret text = {0};
    gboolean ok;

    if (!profile_to_text(profile, old, folder, &text)) {
        ok = profile_fail(error, PROFILE_ERROR_FILE, path, _("out of memory"));
    } else if (text.len > PROFILE_FILE_MAX) {
        ok = profile_fail(error, PROFILE_ERROR_FILE, path, _("cannot be written: %s"),
                          _("it is larger than 1 MiB"));
    } else {
        /* A folder that cannot be made shows when the file is written. */
        (void)g_mkdir_with_parents(folder, 0755);
        ok = replace(target == NULL ? path : target, secret_bytes(&text), error);
    }
    secret_free(&text);
    g_free(folder);
    free(target);
    return ok;
}

gboolean profile_save(const struct profile *profile, const char *path, GError **error)
{
    struct secret old = {0};
    gboolean done;

    (void)profile_read_file(path, NULL, &old, NULL);
    done = write_over(profile, path, secret_bytes(&old), error);
    secret_free(&old);
    return done;
}

gboolean profile_export(const struct profile *profile, const char *path, GError **error)
{
    return write_over(profile, path, (struct bytes){0}, error);
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
           write_over(profile, path, secret_bytes(&old), error);
    profile_free(profile);
    secret_free(&old);
    g_free(folder);
    return done;
}
