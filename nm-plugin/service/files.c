/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "nm-plugin/service/files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/secret.h"
#include "profile/profile.h"

#define TIME_LIMIT 5 /* seconds for a file system that does not answer */

const char *files_owner(NMConnection *connection, gboolean *several)
{
    NMSettingConnection *setting = nm_connection_get_setting_connection(connection);
    guint32 n = setting ? nm_setting_connection_get_num_permissions(setting) : 0;
    const char *type = NULL, *name = NULL;
    gboolean one = n == 1 && nm_setting_connection_get_permission(setting, 0, &type, &name, NULL) &&
                   g_strcmp0(type, "user") == 0;
    *several = n > 0 && !one;
    return one ? name : NULL;
}

/* ---- in the process that reads: only what is safe after fork(); errors go by exit status ---- */

enum { OPENED = 0, NO_RIGHTS = 125, NOT_REGULAR = 126, TOO_LARGE = 127 }; /* else errno */

static int open_regular(const char *path, struct stat *about)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        _exit(errno < NO_RIGHTS ? errno : EIO);
    }
    if (fstat(fd, about) != 0 || !S_ISREG(about->st_mode)) {
        _exit(NOT_REGULAR);
    }
    if (about->st_size <= 0 || about->st_size > PROFILE_FILE_MAX) {
        _exit(TOO_LARGE);
    }
    return fd;
}

static G_GNUC_NORETURN void read_as(const struct passwd *user, const gid_t *groups, gsize n_groups,
                                    const char *path, int out)
{
    char buffer[16384];
    struct stat about;
    (void)alarm(TIME_LIMIT);
    if (user && (setgroups(n_groups, groups) != 0 ||
                 setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
                 setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)) {
        _exit(NO_RIGHTS);
    }
    int fd = open_regular(path, &about);
    for (off_t left = about.st_size; left > 0;) {
        ssize_t n = read(fd, buffer, MIN((size_t)left, sizeof buffer));
        if (n <= 0 || write(out, buffer, (size_t)n) != n) {
            _exit(EIO);
        }
        left -= n;
    }
    _exit(OPENED);
}

/* ---- in ours ---- */

static GBytes *collect(int fd)
{
    GByteArray *content = g_byte_array_new();
    guint8 buffer[16384];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0 && content->len <= PROFILE_FILE_MAX) {
            g_byte_array_append(content, buffer, (guint)n);
        }
    }
    secret_wipe(buffer, sizeof buffer);
    return g_byte_array_free_to_bytes(content);
}

static void set_error(GError **error, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    const char *text = code == -1            ? _("the file system does not answer")
                       : code == NO_RIGHTS   ? _("its user's rights can't be taken on")
                       : code == NOT_REGULAR ? _("not a regular file")
                       : code == TOO_LARGE   ? _("empty, or larger than a mebibyte")
                                             : g_strerror(code);
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, text);
}

static GBytes *read_in_child(const struct passwd *user, const char *path, GError **error)
{
    gid_t groups[256];
    int n_groups = G_N_ELEMENTS(groups), ends[2], status = -1;
    if (user && getgrouplist(user->pw_name, user->pw_gid, groups, &n_groups) < 0) {
        n_groups = G_N_ELEMENTS(groups);
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, g_strerror(errno));
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0) {
        read_as(user, groups, (gsize)n_groups, path, ends[1]);
    }
    close(ends[1]);
    GBytes *content = pid > 0 ? collect(ends[0]) : NULL;
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!content || !WIFEXITED(status) || WEXITSTATUS(status) != OPENED) {
        set_error(error, status);
        g_clear_pointer(&content, g_bytes_unref);
    }
    return content;
}

GBytes *files_read(gpointer context, const char *path, GError **error)
{
    gboolean several;
    const char *owner = files_owner(context, &several);
    const struct passwd *user = owner ? getpwnam(owner) : NULL;
    if (!g_path_is_absolute(path)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, _("the path is not absolute"));
        return NULL;
    }
    if (several) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            _("the connection belongs to several users; keep its files by value"));
        return NULL;
    }
    if (owner && !user) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, _("there is no user \"%.64s\""), owner);
        return NULL;
    }
    return read_in_child(user, path, error);
}
