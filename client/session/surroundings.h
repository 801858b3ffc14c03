/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_SURROUNDINGS_H
#define GODWIT_SESSION_SURROUNDINGS_H

#include "common/channel.h"
#include "host/host.h"

/* What happens around a connection, told to its worker: MESSAGE_NETWORK, _SLEEP and _WAKE. */
struct surroundings;

/* What somebody else does to the tunnel's interface. Never from inside surroundings_new(). */
struct surroundings_ops {
    void (*removed)(void *context);
    void (*fought)(void *context); /* see mender_new() */
};

/* Sends the first MESSAGE_NETWORK. `channel`, `ops` and `host`, which follows the uplinks, must
 * outlive it. */
struct surroundings *surroundings_new(struct channel *channel, struct host *host, unsigned ifindex,
                                      const struct surroundings_ops *ops, void *context);
/* As the host's network is now; borrowed until the main loop runs again. NULL = not known. */
const struct network *surroundings_network(const struct surroundings *surroundings);
void surroundings_free(struct surroundings *surroundings); /* NULL is harmless */

#endif
