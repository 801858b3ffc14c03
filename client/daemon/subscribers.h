/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_SUBSCRIBERS_H
#define GODWIT_DAEMON_SUBSCRIBERS_H

#include "daemon/callers.h"

/* Callers who are told what happens. Signals go to each of them alone: what one may see is not for
 * everybody. */
struct subscribers;

struct subscribers *subscribers_new(GDBusConnection *bus);
/* Another set, empty, of the same bus. */
struct subscribers *subscribers_like(const struct subscribers *subscribers);
void subscribers_free(struct subscribers *subscribers);
/* FALSE when the user has too many already. Once more: nothing changes. */
gboolean subscribers_add(struct subscribers *subscribers, struct caller *caller);
void subscribers_remove(struct subscribers *subscribers, struct caller *caller);

/* Whether the signal is for that caller. */
typedef gboolean (*subscriber_filter)(const void *context, const struct caller *caller);
/* NULL filter: for all. `body` may be floating. */
void subscribers_emit(const struct subscribers *subscribers, subscriber_filter filter,
                      const void *context, const char *path, const char *interface,
                      const char *signal, GVariant *body);

#endif
