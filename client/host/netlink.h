/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_NETLINK_H
#define GODWIT_HOST_NETLINK_H

#include <glib.h>
#include <linux/netlink.h>

#include "common/addr.h"

/*
 * The few rtnetlink requests that a tunnel needs, each sent and acknowledged before the call
 * returns. Failures are HOST_ERROR_PERMISSION or HOST_ERROR_CONFIG with a translated sentence.
 */
struct netlink;

struct netlink *netlink_open(GError **error);
void netlink_close(struct netlink *nl); /* NULL is harmless */
/* How many addresses, routes and rules were not there before they were added. */
guint netlink_added(const struct netlink *nl);

/* Each entry of a table that the kernel dumps for the request RTM_GETLINK, RTM_GETADDR or
 * RTM_GETROUTE; of routes the unicast ones of `table`, of `family`. */
typedef void (*netlink_entry_cb)(void *context, struct nlmsghdr *entry);
gboolean netlink_dump(struct netlink *nl, int request, enum family family, guint32 table,
                      netlink_entry_cb entry, void *context, GError **error);

/* Sets the MTU and the link up, without addresses that the kernel would make up (RFC 4862
 * link-local). */
gboolean netlink_link_up(struct netlink *nl, int ifindex, guint32 mtu, GError **error);
/* Removes the link; success when it is gone already. */
gboolean netlink_link_delete(struct netlink *nl, int ifindex, GError **error);

struct link_counters {
    guint64 rx_octets, tx_octets, rx_packets, tx_packets;
};
gboolean netlink_link_counters(struct netlink *nl, int ifindex, struct link_counters *out,
                               GError **error);

/* A host address without a connected route. */
gboolean netlink_address_add(struct netlink *nl, int ifindex, const struct addr *addr,
                             GError **error);

/* Success when the interface does not have it. */
gboolean netlink_address_delete(struct netlink *nl, int ifindex, const struct addr *addr,
                                GError **error);

enum route_kind {
    ROUTE_LINK,        /* on the link `ifindex` */
    ROUTE_UNREACHABLE, /* no packet goes there */
    ROUTE_THROW,       /* this table does not know: the next rule may */
};

struct route {
    struct prefix to;
    guint32 table;
    enum route_kind kind;
    int ifindex;     /* 0 unless ROUTE_LINK */
    struct addr via; /* a router there; FAMILY_NONE = on the link */
};

/* Success when it is there. */
gboolean netlink_route_add(struct netlink *nl, const struct route *route, GError **error);
/* Success when there is none. */
gboolean netlink_route_delete(struct netlink *nl, const struct route *route, GError **error);
/* An IPv6 default route for what leaves from that address alone (RFC 8043 3.1), by `via` or, if it
 * is none, on the link; success when it is there. */
gboolean netlink_source_route_add(struct netlink *nl, const struct addr *source, guint32 table,
                                  int ifindex, const struct addr *via, GError **error);
/* Deletes from a table the routes of the family that are not `kept` (NULL = none is), of whatever
 * kind. */
typedef gboolean (*netlink_kept_cb)(const void *context, struct nlmsghdr *route);
gboolean netlink_table_prune(struct netlink *nl, enum family family, guint32 table,
                             netlink_kept_cb kept, const void *context, GError **error);

struct rule {
    enum family family;
    guint32 priority;
    guint32 table;
    guint32 fwmark;           /* applies to packets with this mark; 0 = whatever mark */
    guint32 not_fwmark;       /* applies to packets without this mark; 0 = to all */
    struct prefix to;         /* applies to packets to there; length 0 = to all */
    gboolean without_default; /* suppress_prefixlength 0: a default route does not count */
};
/* Adding a rule that exists and deleting one that does not are successes. */
gboolean netlink_rule_add(struct netlink *nl, const struct rule *rule, GError **error);
gboolean netlink_rule_delete(struct netlink *nl, const struct rule *rule, GError **error);

#endif
