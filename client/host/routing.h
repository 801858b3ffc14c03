/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_ROUTING_H
#define GODWIT_HOST_ROUTING_H

#include "common/network.h"
#include "host/host.h"
#include "host/netlink.h"
#include "host/record.h"

/*
 * Where a session's packets go. Tables of its own and rules that only packets without our mark
 * obey, in this order:
 *
 *   1. the tunnel's networks; less what the user excluded and the local networks, whatever is the
 *      longer prefix;
 *   2. with a full tunnel, the local networks as the host's own routes know them;
 *   3. with a full tunnel, the tunnel, or nowhere for a family that it does not carry.
 *
 * So no route that a DHCP server (RFC 3442, CVE-2024-3661) or an access point adds to the host's
 * own table, however long its prefix, leads out of the tunnel, but for private addresses where
 * local networks are allowed; nor does the gateway's address for anything but our own packets
 * (CVE-2023-36671).
 *
 * Where only some programs use the tunnel, these rules are for packets with their mark alone,
 * which the firewall sets; but its name servers are reached by it for everybody. Where all but some
 * use it, a family that it does not carry is led to it too, so that these find a way at all before
 * the firewall leads them past it; it refuses the others.
 */

/* What is to be done for one tunnel. */
struct routing_wish {
    const struct net_config *config;
    const struct host_options *options;
    const struct network *network; /* whose links' networks are the local ones */
};

struct routing; /* what is set */
void routing_free(struct routing *routing);

/* The N of godwitN. */
gboolean routing_number(const char *interface, guint32 *number, GError **error);
/* Where the routes to a tunnel's networks are, and the rule that leads there: the newest tunnel's
 * comes first. */
guint32 routing_table_of_networks(guint32 number);
guint32 routing_priority_of_networks(guint32 number);
/* Of any tunnel, or of its uplinks. */
gboolean routing_owns_table(guint32 table);
/*
 * Interface, addresses, routes and rules. Both calls need the lock of record_lock(). *routing is
 * what is set, NULL = nothing, and becomes what is set now: what both have in common stays, the
 * rest goes after what is new has come, so that nothing leaves beside the tunnel. On failure some
 * of both may be set.
 */
gboolean routing_apply(struct record *record, struct netlink *nl, int ifindex,
                       const char *interface, struct routing **routing,
                       const struct routing_wish *wish, GError **error);
void routing_revert(struct record *record, struct netlink *nl);
/*
 * The link of the record still has the tunnel's name: a record may outlive its network namespace,
 * and the next one of the same inode has its own links of the same indices.
 */
gboolean routing_has_interface(const struct record *record);

#endif
