/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_MONITOR_H
#define GODWIT_HOST_MONITOR_H

#include <glib.h>

#include "common/network.h"

/*
 * Watches the host's links, addresses and default routes. A change of the uplinks is told at once
 * when one is lost or when none led anywhere, else when no more than MONITOR_SETTLE have passed, so
 * that what belongs together comes together. What a tunnel of ours changes is no change.
 */
struct monitor;

#define MONITOR_SETTLE 50 /* milliseconds */

/* `network` is borrowed; connectivity is always unknown. */
typedef void (*monitor_cb)(void *context, const struct network *network);

/* Watches on the thread-default context. */
struct monitor *monitor_new(monitor_cb changed, void *context, GError **error);
struct monitor_link_ops {
    /* Once, or soon when it is gone already; instead of what else came with it. */
    void (*removed)(void *context);
    /* It was set down, or an address of it, a route of a tunnel's or a rule was removed, by
     * whomever. The monitor must outlive the call. */
    void (*disturbed)(void *context);
};
/* One link, of a tunnel. `ops` must outlive the monitor. */
void monitor_watch_link(struct monitor *monitor, unsigned ifindex,
                        const struct monitor_link_ops *ops, void *context);
/* The network as told last, at first as monitor_new() found it. Borrowed. */
const struct network *monitor_network(const struct monitor *monitor);
/* Also from inside the callback. NULL is harmless. */
void monitor_free(struct monitor *monitor);

#endif
