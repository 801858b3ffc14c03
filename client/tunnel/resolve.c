/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>

#define FOUND_MAX 16

struct resolve {
    GSource *source; /* becomes ready when the thread has its result */
    resolve_cb done;
    void *context;
    char *host;

    /* The thread's, until the source is ready. */
    struct addr found[FOUND_MAX];
    gsize n;
    char *error;
};

static void clear(gpointer data)
{
    struct resolve *resolve = data;

    g_source_unref(resolve->source);
    g_free(resolve->host);
    g_free(resolve->error);
}

static void take(struct resolve *resolve, const struct addrinfo *list)
{
    for (; list != NULL && resolve->n < FOUND_MAX; list = list->ai_next) {
        struct endpoint endpoint;

        if (endpoint_from_sockaddr(&endpoint, list->ai_addr)) {
            resolve->found[resolve->n++] = endpoint.addr;
        }
    }
}

static gpointer look_up(gpointer data)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    struct resolve *resolve = data;
    struct addrinfo *list = NULL;
    char *ascii = g_hostname_to_ascii(resolve->host);
    int failed = ascii == NULL ? EAI_NONAME : getaddrinfo(ascii, NULL, &hints, &list);

    if (failed == 0) {
        take(resolve, list);
        freeaddrinfo(list);
    }
    if (resolve->n == 0) {
        resolve->error = g_strdup_printf("%s: %s.", resolve->host,
                                         failed == EAI_SYSTEM ? g_strerror(errno)
                                         : failed != 0        ? gai_strerror(failed)
                                                              : gai_strerror(EAI_NONAME));
    }
    g_free(ascii);
    g_source_set_ready_time(resolve->source, 0);
    g_atomic_rc_box_release_full(resolve, clear);
    return NULL;
}

static gboolean on_found(gpointer data)
{
    /* The callback may free what it is given. */
    struct resolve *resolve = g_atomic_rc_box_acquire(data);

    g_source_destroy(resolve->source);
    resolve->done(resolve->context, resolve->found, resolve->n, resolve->error);
    g_atomic_rc_box_release_full(resolve, clear);
    return G_SOURCE_REMOVE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)source;
    return callback(data);
}

struct resolve *resolve_start(const char *host, resolve_cb done, void *context)
{
    static GSourceFuncs funcs = {.dispatch = dispatch};
    struct resolve *resolve = g_atomic_rc_box_new0(struct resolve);

    resolve->source = g_source_new(&funcs, sizeof(GSource));
    resolve->done = done;
    resolve->context = context;
    resolve->host = g_strdup(host);
    g_source_set_callback(resolve->source, on_found, resolve, NULL);
    g_source_attach(resolve->source, g_main_context_get_thread_default());
    g_thread_unref(g_thread_new("resolve", look_up, g_atomic_rc_box_acquire(resolve)));
    return resolve;
}

void resolve_free(struct resolve *resolve)
{
    if (resolve != NULL) {
        g_source_destroy(resolve->source);
        g_atomic_rc_box_release_full(resolve, clear);
    }
}
