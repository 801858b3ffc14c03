/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_REMOTE_H
#define GODWIT_CLI_REMOTE_H

#include "cli/bus.h"
#include "session/session.h"

/*
 * A connection that godwitd makes for us, told as session.h tells of one that we make ourselves:
 * the same calls, and the same struct session_ops.
 */
struct remote;

struct remote_request {
    const char *name;
    const struct profile *profile; /* NULL = the profile `name` of /etc/godwit */
    gboolean trace;
    gboolean bound; /* it ends when we do */
};

/*
 * Asks for it. `bus` is borrowed and listens to nothing else meanwhile; `request` is copied. That
 * there is no such system profile ends it with REASON_NOT_FOUND.
 */
struct remote *remote_new(struct bus *bus, const struct remote_request *request,
                          const struct session_ops *ops, void *context);
/* As session_disconnect(): a second call does not wait. */
void remote_disconnect(struct remote *remote);
/* As session_provide_secrets(). */
void remote_provide_secrets(struct remote *remote, GHashTable *values_bytes_by_id);
/* The connection goes on unless it is bound. NULL is harmless. */
void remote_free(struct remote *remote);

#endif
