/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_SEEN_H
#define GODWIT_CLI_SEEN_H

#include <sys/types.h>

#include "cli/bus.h"
#include "cli/facts.h"

/* A connection as we see it from outside: the service's, or that of a `godwit connect
 * --standalone`. */
struct seen {
    char *path;          /* its object at the service; NULL = standalone */
    pid_t pid;           /* standalone: the process that makes it */
    struct facts *facts; /* names as the service's, whoever makes it */
    guint64 rx_octets, rx_packets, tx_octets, tx_packets; /* since its start */
};

/*
 * All that we may see, sorted by name. `bus` may be NULL; a service that does not run, and is not
 * started for it (BUS_NO_START), has none. NULL and *error when it refuses.
 */
GPtrArray *seen_all(struct bus *bus, unsigned flags, GError **error);
/* The one of that name, or on that interface. NULL and *error when there is none, or several. */
struct seen *seen_find(const GPtrArray *all, const char *name, GError **error);
/* The one that the service keeps under that path, or NULL. */
struct seen *seen_by_path(const GPtrArray *all, const char *path);

/* "connecting", …, for people; free it. */
char *seen_state(const struct seen *seen);
/* Ends a standalone connection and waits for it. */
gboolean seen_end_standalone(const struct seen *seen, GError **error);

#endif
