/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_BESIDE_ROUTES_H
#define GODWIT_HOST_BESIDE_ROUTES_H

#include "common/network.h"
#include "host/host.h"
#include "host/netlink.h"
#include "host/record.h"

/*
 * Where NetworkManager sets a session's routes, in the table main, what it has no words for, in a
 * table before that one which packets without our mark obey: what the user excluded leaves by the
 * uplink that the host prefers; local networks that may not be reached beside a full tunnel are
 * reached through it.
 */
struct beside_wish {
    guint32 number; /* the N of godwitN */
    int ifindex;
    const struct net_config *config;
    const struct host_options *options;
    const struct network *network;
};

struct beside_routes; /* what is set */
void beside_routes_free(struct beside_routes *set);

/* Both need the lock of record_lock(). *set is what is set, NULL = nothing, and becomes what is set
 * now; on failure, what of both may be. To be called again for each change of the uplinks. */
gboolean beside_routes_apply(struct record *record, struct netlink *nl, struct beside_routes **set,
                             const struct beside_wish *wish, GError **error);
void beside_routes_revert(struct record *record, struct netlink *nl);
/* NetworkManager takes one address of each family from a VPN: the others, `before` and now. */
gboolean beside_addresses_follow(struct netlink *nl, int ifindex, const struct net_config *before,
                                 const struct net_config *wanted, GError **error);

#endif
