/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_RESOLVE_H
#define GODWIT_TUNNEL_RESOLVE_H

#include <glib.h>

#include "common/addr.h"

/* Looks a host name up by way of the scout (scout.h). */
struct resolve;

/* Called once on the thread-default context of resolve_start(). The addresses come in the order of
 * RFC 6724; none: `error` says why, for people. */
typedef void (*resolve_cb)(void *context, const struct addr *found, gsize n, const char *error);

struct resolve *resolve_start(int scout, const char *host, resolve_cb done, void *context);
/* `done` is not called any more. NULL is harmless. */
void resolve_free(struct resolve *resolve);

#endif
