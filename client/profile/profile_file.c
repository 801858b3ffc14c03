/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"
#include "profile/profile_private.h"

static gboolean read_all(int fd, gsize size, struct secret *out)
{
    gsize len = 0;
    ssize_t n;

    if (!secret_alloc(out, size)) {
        errno = ENOMEM;
        return FALSE;
    }
    while (len < size && (n = read(fd, out->data + len, size - len)) != 0) {
        if (n < 0 && errno != EINTR) {
            return FALSE;
        }
        len += n > 0 ? (gsize)n : 0;
    }
    /* Cut short by somebody while we read: what is behind `len` is still zero. */
    out->len = len;
    return TRUE;
}

/* A device or a FIFO may block or act when it is opened; so look before. */
static int open_regular(const char *path, struct stat *status, const char **why)
{
    int fd = -1;

    if (stat(path, status) == 0) {
        if (S_ISREG(status->st_mode)) {
            fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        } else {
            *why = S_ISDIR(status->st_mode) ? N_("it is a folder") : N_("it is not a regular file");
            return -1;
        }
    }
    if (fd < 0 || fstat(fd, status) != 0) {
        *why = g_strerror(errno);
    }
    return fd;
}

gboolean profile_read_file(const char *path, const char *where, struct secret *out, GError **error)
{
    const char *why = NULL;
    struct stat status;
    int fd = open_regular(path, &status, &why);

    if (why == NULL && !S_ISREG(status.st_mode)) {
        why = N_("it is not a regular file");
    } else if (why == NULL && status.st_size > PROFILE_FILE_MAX) {
        why = N_("it is larger than 1 MiB");
    } else if (why == NULL && status.st_size == 0) {
        why = N_("it is empty");
    } else if (why == NULL && !read_all(fd, (gsize)status.st_size, out)) {
        why = g_strerror(errno);
    } else if (why == NULL && out->len == 0) {
        why = N_("it is empty");
    }
    if (fd >= 0) {
        close(fd);
    }
    if (why != NULL) {
        char *shown = profile_quotable(bytes_of_string(path));

        secret_free(out);
        if (where == NULL) {
            profile_fail(error, PROFILE_ERROR_FILE, shown, _("cannot be read: %s"), _(why));
        } else {
            profile_fail(error, PROFILE_ERROR_FILE, where, _("\"%s\" cannot be read: %s"), shown,
                         _(why));
        }
        g_free(shown);
    }
    return why == NULL;
}

struct profile *profile_load(const char *path, GError **error)
{
    struct profile *profile = NULL;
    struct secret content = {0};
    char *folder;

    if (!profile_read_file(path, NULL, &content, error)) {
        return NULL;
    }
    folder = g_path_get_dirname(path);
    profile = profile_parse(secret_bytes(&content), path, folder, error);
    g_free(folder);
    secret_free(&content);
    return profile;
}

/* ---- where profiles are ---- */

static char *user_folder(void)
{
    return g_build_filename(g_get_user_config_dir(), "godwit", NULL);
}

static char *system_folder(void)
{
    return g_build_filename(SYSCONFDIR, "godwit", NULL);
}

/* Not a URL, which is a host gone wrong. */
static gboolean is_path(const char *name)
{
    return (strchr(name, '/') != NULL && strstr(name, "://") == NULL) ||
           g_str_has_suffix(name, ".conf");
}

/* A link that leads nowhere is there too, and cannot be read. */
static gboolean is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

static char *file_in(char *folder, const char *name)
{
    char *path = g_strdup_printf("%s/%s.conf", folder, name);

    g_free(folder);
    return path;
}

char *profile_find(const char *name)
{
    char *path;

    if (is_path(name)) {
        return g_strdup(name);
    }
    path = file_in(user_folder(), name);
    if (!is_there(path)) {
        g_free(path);
        path = file_in(system_folder(), name);
    }
    if (!is_there(path)) {
        g_clear_pointer(&path, g_free);
    }
    return path;
}

char *profile_path_for(const char *name)
{
    if (is_path(name)) {
        return g_strdup(name);
    }
    return file_in(geteuid() == 0 ? system_folder() : user_folder(), name);
}

static void add_names(GHashTable *names, char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *file;

    while (dir != NULL && (file = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(file, ".conf") && file[0] != '.') {
            g_hash_table_add(names, g_strndup(file, strlen(file) - strlen(".conf")));
        }
    }
    if (dir != NULL) {
        g_dir_close(dir);
    }
    g_free(folder);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **profile_list(void)
{
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    char **list;
    guint n;

    add_names(names, user_folder());
    add_names(names, system_folder());
    list = (char **)g_hash_table_get_keys_as_array(names, &n);
    g_hash_table_destroy(names);
    qsort(list, n, sizeof *list, by_name);
    return list;
}
