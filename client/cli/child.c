/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "config.h"

#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#define GROUPS_MAX 32

struct start {
    const struct passwd *user; /* NULL = whoever runs us */
    gid_t groups[GROUPS_MAX];
    int n_groups;
    int in;      /* -1 = nothing */
    int program; /* -1 = it cannot be opened */
    char *const *command;
};

/* In the child. */
static void become(gpointer data)
{
    const struct start *start = data;

    if ((start->in >= 0 && dup2(start->in, STDIN_FILENO) < 0) ||
        (start->user != NULL &&
         (setgroups((size_t)start->n_groups, start->groups) != 0 ||
          setgid(start->user->pw_gid) != 0 || setuid(start->user->pw_uid) != 0))) {
        _exit(EXIT_FAILURE);
    }
    /* That user may not come to where we are; if this fails, it is tried by the path. */
    if (start->program >= 0) {
        (void)fexecve(start->program, start->command, environ);
    }
}

/* For root: as the service sees things, and so that nothing is parsed with root's rights. */
static gboolean choose_user(struct start *start)
{
    if (geteuid() == 0) {
        start->user = getpwnam(WORKER_USER);
        return start->user != NULL &&
               getgrouplist(WORKER_USER, start->user->pw_gid, start->groups, &start->n_groups) >= 0;
    }
    return TRUE;
}

/* The octets as a file that has no name; -1 when there is no room. */
static int file_of(struct bytes octets)
{
    int fd = memfd_create("in", MFD_CLOEXEC);
    size_t done = 0;

    while (fd >= 0 && done < octets.len) {
        ssize_t n = write(fd, octets.data + done, octets.len - done);

        if (n < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0) {
        (void)lseek(fd, 0, SEEK_SET);
    }
    return fd;
}

static void fail(const struct child *child, int err, GError **error)
{
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "%s: %s", child->name, g_strerror(err));
}

gboolean child_run(const struct child *child, struct bytes in, char **out, GError **error)
{
    const char *elsewhere = getauxval(AT_SECURE) == 0 ? g_getenv(child->variable) : NULL;
    g_autofree char *path =
        elsewhere != NULL ? g_strdup(elsewhere) : g_build_filename(LIBEXECDIR, child->name, NULL);
    const char *command[] = {path, child->option, NULL};
    struct start start = {.n_groups = GROUPS_MAX, .command = (char *const *)command};
    gboolean done;
    int status;

    *out = NULL;
    if (!choose_user(&start)) {
        fail(child, EPERM, error);
        return FALSE;
    }
    start.in = in.len == 0 ? -1 : file_of(in);
    if (in.len > 0 && start.in < 0) {
        fail(child, errno, error);
        return FALSE;
    }
    start.program = open(path, O_RDONLY | O_CLOEXEC);
    done = g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_STDERR_TO_DEV_NULL, become, &start,
                        out, NULL, &status, error) &&
           g_spawn_check_wait_status(status, error);
    if (start.program >= 0) {
        close(start.program);
    }
    if (start.in >= 0) {
        close(start.in);
    }
    return done;
}
