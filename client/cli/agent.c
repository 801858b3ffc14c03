/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct agent {
    GPid pid;
};

/* It closes the descriptor when it is registered, or when it ends. */
static void await_end(int fd)
{
    char octet;
    ssize_t n;

    do {
        n = read(fd, &octet, 1);
    } while (n > 0 || (n < 0 && errno == EINTR));
}

/* We watch our signals by blocking them; the agent wants its own. */
static void unblock_signals(gpointer data)
{
    sigset_t none;

    (void)data;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

struct agent *agent_start(void)
{
    g_autofree char *process = g_strdup_printf("%ld", (long)getpid());
    const char *argv[] = {"pkttyagent", "--notify-fd", "3", "--fallback",
                          "--process",  process,       NULL};
    struct agent *agent = g_new0(struct agent, 1);
    int ends[2], target = 3;
    gboolean started;

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) ||
        !g_unix_open_pipe(ends, FD_CLOEXEC, NULL)) {
        g_free(agent);
        return NULL;
    }
    started = g_spawn_async_with_pipes_and_fds(NULL, argv, NULL,
                                               G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                                   G_SPAWN_CHILD_INHERITS_STDIN,
                                               unblock_signals, NULL, -1, -1, -1, &ends[1], &target,
                                               1, &agent->pid, NULL, NULL, NULL, NULL);
    close(ends[1]);
    if (started) {
        await_end(ends[0]);
    } else {
        g_clear_pointer(&agent, g_free);
    }
    close(ends[0]);
    return agent;
}

void agent_stop(struct agent *agent)
{
    if (agent != NULL) {
        kill(agent->pid, SIGTERM);
        waitpid(agent->pid, NULL, 0);
        g_spawn_close_pid(agent->pid);
        g_free(agent);
    }
}
