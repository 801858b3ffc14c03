/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_UPLINK_ROUTES_H
#define GODWIT_HOST_UPLINK_ROUTES_H

#include "common/network.h"
#include "host/netlink.h"
#include "host/record.h"

/*
 * What leaves from an address with our mark leaves by that address's link. IPv4 does so by itself
 * when a packet names its interface (IP_PKTINFO). IPv6 takes the name for a preference among routes
 * of equal metric only (ip6_route_output(): RT6_LOOKUP_F_IFACE is for packets without a source), so
 * that with two default routes all goes by the better one, and be it the one of a link without a
 * carrier: there a table of the session's own has a default route for each source.
 *
 * Both calls need the lock of record_lock().
 */

/* As `network` is now. Nothing is set before there is an IPv6 default route. */
gboolean uplink_routes_follow(struct record *record, struct netlink *nl, guint32 number,
                              guint32 fwmark, const struct network *network, GError **error);
void uplink_routes_revert(struct record *record, struct netlink *nl);

#endif
