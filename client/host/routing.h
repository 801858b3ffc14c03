/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_ROUTING_H
#define GODWIT_HOST_ROUTING_H

#include "host/host.h"
#include "host/netlink.h"
#include "host/record.h"

/* What is to be done for one tunnel. */
struct routing_wish {
    const struct net_config *config;
    const struct host_options *options;
};

/* The N of godwitN. */
gboolean routing_number(const char *interface, guint32 *number, GError **error);
/*
 * Interface, addresses, routes and rules. Both calls need the lock of record_lock(). What
 * disappears with the interface is not recorded; rules, unreachable routes and rp_filter are.
 * `before` is what was applied already, NULL = nothing: what it has in common with `wish` stays,
 * the rest of it goes after what is new has come, so that nothing leaves beside the tunnel.
 */
gboolean routing_apply(struct record *record, struct netlink *nl, int ifindex,
                       const char *interface, const struct routing_wish *before,
                       const struct routing_wish *wish, GError **error);
void routing_revert(struct record *record, struct netlink *nl);

#endif
