/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signal_source {
    GSource source;
    int fd;
};

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer context)
{
    struct signalfd_siginfo info;

    while (read(((struct signal_source *)source)->fd, &info, sizeof info) == sizeof info) {
        if (!callback(context)) {
            return G_SOURCE_REMOVE;
        }
    }
    return G_SOURCE_CONTINUE;
}

static void finalize(GSource *source)
{
    close(((struct signal_source *)source)->fd);
}

GSource *signals_watch(const int *numbers, gsize n, GSourceFunc callback, gpointer context)
{
    static GSourceFuncs funcs = {.dispatch = dispatch, .finalize = finalize};
    GSource *source;
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (gsize i = 0; i < n; i++) {
        sigaddset(&set, numbers[i]);
    }
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    source = g_source_new(&funcs, sizeof(struct signal_source));
    ((struct signal_source *)source)->fd = fd;
    g_source_add_unix_fd(source, fd, G_IO_IN);
    g_source_set_callback(source, callback, context, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}
