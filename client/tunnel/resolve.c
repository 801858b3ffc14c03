/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/resolve.h"

#include <glib-unix.h>
#include <unistd.h>

#include "common/i18n.h"
#include "tunnel/scout.h"

struct resolve {
    int fd; /* -1 = the question could not be asked */
    GSource *source;
    char *host;
    resolve_cb done;
    void *context;
};

static void on_answer(struct resolve *resolve)
{
    struct scout_answer answer;
    char *lost = NULL;

    if (!scout_answer_read(resolve->fd, &answer)) {
        answer.n = 0;
        lost = g_strdup_printf(_("%s: The name service cannot be asked."), resolve->host);
    }
    /* The callback may free what it is given. */
    resolve->done(resolve->context, answer.found, answer.n, lost != NULL ? lost : answer.error);
    g_free(lost);
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
    (void)fd;
    (void)condition;
    on_answer(data);
    return G_SOURCE_REMOVE;
}

static gboolean on_idle(gpointer data)
{
    on_answer(data);
    return G_SOURCE_REMOVE;
}

struct resolve *resolve_start(int scout, const char *host, resolve_cb done, void *context)
{
    struct resolve *resolve = g_new0(struct resolve, 1);
    struct scout_question question = {0};
    gsize len = g_strlcpy(question.name, host, sizeof question.name);

    resolve->fd = len < sizeof question.name ? scout_ask(scout, &question) : -1;
    resolve->host = g_strdup(host);
    resolve->done = done;
    resolve->context = context;
    if (resolve->fd >= 0) {
        resolve->source = g_unix_fd_source_new(resolve->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
        g_source_set_callback(resolve->source, G_SOURCE_FUNC(on_readable), resolve, NULL);
    } else {
        resolve->source = g_idle_source_new();
        g_source_set_callback(resolve->source, on_idle, resolve, NULL);
    }
    g_source_attach(resolve->source, g_main_context_get_thread_default());
    return resolve;
}

void resolve_free(struct resolve *resolve)
{
    if (resolve != NULL) {
        g_source_destroy(resolve->source);
        g_source_unref(resolve->source);
        if (resolve->fd >= 0) {
            close(resolve->fd);
        }
        g_free(resolve->host);
        g_free(resolve);
    }
}
