/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/resolv_watch.h"

#include <errno.h>
#include <glib-unix.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FOLDER "/etc"
#define NAME "resolv.conf"

#define IN_FOLDER (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
/* A new file renamed over it shows as another count of links. */
#define IN_FILE (IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

struct resolv_watch {
    void (*changed)(void *context);
    void *context;
    int fd, folder, file; /* file: what the name leads to, in a mount of its own or by a link */
    GSource *source;
};

static void watch_file(struct resolv_watch *watch)
{
    int file = inotify_add_watch(watch->fd, FOLDER "/" NAME, IN_FILE);
    if (watch->file >= 0 && watch->file != file) {
        (void)inotify_rm_watch(watch->fd, watch->file); /* gone with its file, perhaps */
    }
    watch->file = file;
}

static gboolean concerns(const struct resolv_watch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        return TRUE;
    }
    if (event->wd == watch->folder) {
        return event->len > 0 && strcmp(event->name, NAME) == 0;
    }
    return event->wd == watch->file && (event->mask & IN_FILE) != 0;
}

static gboolean on_events(gint fd, GIOCondition condition, gpointer data)
{
    struct resolv_watch *watch = data;
    _Alignas(struct inotify_event) char buffer[4096];
    gboolean concerned = FALSE;
    ssize_t n;
    (void)condition;
    while ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(buffer + at);
            concerned |= concerns(watch, event);
            at += (ssize_t)(offsetof(struct inotify_event, name) + event->len);
        }
    }
    if (concerned) {
        watch_file(watch);
        watch->changed(watch->context);
    }
    return G_SOURCE_CONTINUE;
}

struct resolv_watch *resolv_watch_new(void (*changed)(void *context), void *context)
{
    struct resolv_watch *watch = g_new0(struct resolv_watch, 1);
    watch->changed = changed;
    watch->context = context;
    watch->file = -1;
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0) {
        g_message("inotify: %s", g_strerror(errno));
        return watch;
    }
    watch->folder = inotify_add_watch(watch->fd, FOLDER, IN_FOLDER);
    watch_file(watch);
    watch->source = g_unix_fd_source_new(watch->fd, G_IO_IN);
    g_source_set_callback(watch->source, G_SOURCE_FUNC(on_events), watch, NULL);
    g_source_attach(watch->source, g_main_context_get_thread_default());
    return watch;
}

void resolv_watch_free(struct resolv_watch *watch)
{
    if (watch) {
        if (watch->source) {
            g_source_destroy(watch->source);
            g_source_unref(watch->source);
            close(watch->fd);
        }
        g_free(watch);
    }
}
