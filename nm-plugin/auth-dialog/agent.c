/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/auth-dialog/agent.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define WORD "QUIT"

struct agent {
    GCancellable *gone;
    GString *line; /* of standard input, so far */
    guint in, out; /* sources; 0 = over */
};

static void leave(struct agent *agent)
{
    g_clear_handle_id(&agent->out, g_source_remove);
    g_cancellable_cancel(agent->gone);
}

static void take_octet(struct agent *agent, char octet)
{
    if (octet == '\n') {
        g_string_truncate(agent->line, 0);
    } else if (agent->line->len < strlen(WORD)) {
        g_string_append_c(agent->line, octet);
    }
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer data)
{
    struct agent *agent = data;
    char octets[64];
    ssize_t n = read(fd, octets, sizeof octets);
    (void)condition;
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return G_SOURCE_CONTINUE;
    }
    for (ssize_t i = 0; i < n; i++) {
        take_octet(agent, octets[i]);
        if (g_str_equal(agent->line->str, WORD)) {
            agent->in = 0;
            leave(agent);
            return G_SOURCE_REMOVE;
        }
    }
    if (n <= 0) {
        /* Some have nothing more to say, and wait for what we print. */
        agent->in = 0;
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_nobody_reads(gint fd, GIOCondition condition, gpointer data)
{
    struct agent *agent = data;
    (void)fd;
    (void)condition;
    agent->out = 0;
    leave(agent);
    return G_SOURCE_REMOVE;
}

struct agent *agent_new(void)
{
    struct agent *agent = g_new0(struct agent, 1);
    agent->gone = g_cancellable_new();
    agent->line = g_string_new(NULL);
    agent->in = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, agent);
    agent->out = g_unix_fd_add(STDOUT_FILENO, G_IO_ERR, on_nobody_reads, agent);
    return agent;
}

void agent_free(struct agent *agent)
{
    if (agent) {
        g_clear_handle_id(&agent->in, g_source_remove);
        g_clear_handle_id(&agent->out, g_source_remove);
        g_object_unref(agent->gone);
        g_string_free(agent->line, TRUE);
        g_free(agent);
    }
}

GCancellable *agent_gone(const struct agent *agent)
{
    return agent ? agent->gone : NULL;
}

static gboolean on_time(gpointer over)
{
    *(gboolean *)over = TRUE;
    return G_SOURCE_REMOVE;
}

void agent_wait(struct agent *agent, guint seconds)
{
    gboolean over = FALSE;
    guint timer = g_timeout_add_seconds(seconds, on_time, &over);
    while (!over && agent->in != 0 && !g_cancellable_is_cancelled(agent->gone)) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (!over) {
        g_source_remove(timer);
    }
}
