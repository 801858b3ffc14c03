/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_RESOLV_WATCH_H
#define GODWIT_HOST_RESOLV_WATCH_H

/*
 * Tells at once when /etc/resolv.conf may have become another: written, replaced, removed, or what
 * it leads to. Also when we did it. Runs on the thread-default GMainContext.
 */
struct resolv_watch;

/* Without inotify nothing is told. */
struct resolv_watch *resolv_watch_new(void (*changed)(void *context), void *context);
void resolv_watch_free(struct resolv_watch *watch); /* not inside `changed`; NULL is harmless */

#endif
