/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_UPLINKS_H
#define GODWIT_TUNNEL_UPLINKS_H

#include <glib.h>

#include "common/error.h"
#include "common/network.h"
#include "ike/ike.h"

/* What the session tells of the host's network, and what of it the engines are told. */
struct uplinks {
    struct network network; /* its generation is 0 until the session has told */
    guint32 changes;        /* of it that matter */
    gboolean asleep;        /* between tunnel_sleep() and tunnel_wake() */
};

/* What one engine has been told last. */
struct uplinks_told {
    guint32 changes;
    struct ike_local locals[IKE_LOCALS_MAX];
    gsize n;
};

struct link;
struct ike_sockets;

/* TRUE when the change matters: other uplinks, or the way to the world has been opened. */
gboolean uplinks_set(struct uplinks *uplinks, const struct network *network);
/* `detail` of a failure for this reason (NULL = ""), and what is known of the host's network that
 * may be the cause. g_free(). */
char *uplinks_explain(const struct uplinks *uplinks, enum reason reason, const char *detail);
/* TRUE when there are ways to the link's gateway, but none of the family of the address at which it
 * is asked. */
gboolean uplinks_strand(const struct uplinks *uplinks, const struct link *link,
                        const struct ike_sockets *sockets);
/* Tells the link's engine which addresses it can use towards its gateway, or, when these are as
 * before but something around them is not, that the network has changed. Harmless when repeated. */
void uplinks_tell(const struct uplinks *uplinks, struct link *link,
                  const struct ike_sockets *sockets);

#endif
