/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/uplinks.h"

#include "common/boottime.h"
#include "common/i18n.h"
#include "tunnel/link.h"

/* Uplinks of one link are equals, whatever their family: the order is that of the links. */
static unsigned rank_of(const struct network *network, gsize which)
{
    unsigned rank = 0;

    while (network->uplinks[rank].ifindex != network->uplinks[which].ifindex) {
        rank++;
    }
    return rank;
}

/* Of the link that has this address; 0 = none has. */
static guint32 link_of(const struct network *network, const struct addr *addr)
{
    for (gsize i = 0; i < network->n; i++) {
        if (addr_equal(&network->uplinks[i].address.addr, addr)) {
            return network->uplinks[i].ifindex;
        }
    }
    return 0;
}

static gboolean leads_to(const struct uplink *uplink, const struct addr *gateway,
                         const struct addr *chosen)
{
    return uplink->has_default || prefix_contains(&uplink->address, gateway) ||
           addr_equal(&uplink->address.addr, chosen);
}

/*
 * The interface that packets from that address must be told to leave by: the routing table alone
 * sends all, whatever the source, by the preferred default route, and be it of a link that has no
 * carrier or came a moment ago. Without a default route of its own, the host's routing knows best
 * how the address that it chooses itself gets to the gateway.
 */
static guint32 interface_of(const struct uplink *uplink, const struct addr *chosen)
{
    return uplink->has_default || !addr_equal(&uplink->address.addr, chosen) ? uplink->ifindex : 0;
}

static gboolean has(const struct uplinks_told *told, const struct addr *addr)
{
    for (gsize i = 0; i < told->n; i++) {
        if (addr_equal(&told->locals[i].addr, addr)) {
            return TRUE;
        }
    }
    return FALSE;
}

/*
 * Only what the session has told of: while a link has a route and not yet an address, the kernel
 * would take an IPv6 source from any other link, and be it the tunnel.
 */
static void collect(const struct network *network, const struct ike_sockets *sockets,
                    const struct endpoint *gateway, struct uplinks_told *told)
{
    struct addr chosen = {0};
    guint32 first;
    uint16_t mtu;

    (void)ike_socket_route_to(sockets, gateway, &chosen, &mtu);
    first = link_of(network, &chosen);
    for (gsize i = 0; i < network->n && told->n < IKE_LOCALS_MAX; i++) {
        const struct uplink *uplink = &network->uplinks[i];
        const struct addr *addr = &uplink->address.addr;

        if (leads_to(uplink, &gateway->addr, &chosen) && !has(told, addr)) {
            told->locals[told->n++] = (struct ike_local){
                .addr = *addr,
                .ifindex = interface_of(uplink, &chosen),
                .rank = uplink->ifindex == first ? 0 : 1 + rank_of(network, i),
            };
        }
    }
}

/* NULL when nothing is known to be in the way. */
static const char *hindrance(const struct uplinks *uplinks)
{
    if (uplinks->network.generation != 0 && uplinks->network.n == 0) {
        return _("This host has no network.");
    }
    switch (uplinks->network.connectivity) {
    case CONNECTIVITY_PORTAL:
        return _("This network wants you to sign in with a browser first.");
    case CONNECTIVITY_NONE:
    case CONNECTIVITY_LIMITED:
        return _("This network does not lead to the internet.");
    case CONNECTIVITY_UNKNOWN:
    case CONNECTIVITY_FULL:
        break;
    }
    return NULL;
}

char *uplinks_explain(const struct uplinks *uplinks, enum reason reason, const char *detail)
{
    gboolean network = reason == REASON_GATEWAY_UNREACHABLE || reason == REASON_UDP_BLOCKED ||
                       reason == REASON_GATEWAY_LOST || reason == REASON_RESOLVE;
    const char *cause = network ? hindrance(uplinks) : NULL;

    if (detail == NULL || *detail == '\0') {
        return g_strdup(cause != NULL ? cause : "");
    }
    return cause != NULL ? g_strdup_printf("%s %s", detail, cause) : g_strdup(detail);
}

static gboolean same_locals(const struct uplinks_told *a, const struct uplinks_told *b)
{
    gboolean same = a->n == b->n;

    for (gsize i = 0; i < a->n && same; i++) {
        same = addr_equal(&a->locals[i].addr, &b->locals[i].addr) &&
               a->locals[i].ifindex == b->locals[i].ifindex &&
               a->locals[i].rank == b->locals[i].rank;
    }
    return same;
}

/* A portal's user has signed in, for example. That somebody begins to check, or ends, is nothing.
 */
static gboolean opened(enum connectivity before, enum connectivity now)
{
    return before != CONNECTIVITY_UNKNOWN && now == CONNECTIVITY_FULL && now != before;
}

gboolean uplinks_set(struct uplinks *uplinks, const struct network *network)
{
    gboolean matters = network->generation != uplinks->network.generation ||
                       opened(uplinks->network.connectivity, network->connectivity);

    uplinks->network = *network;
    uplinks->changes += matters ? 1 : 0;
    return matters;
}

gboolean uplinks_strand(const struct uplinks *uplinks, const struct link *link,
                        const struct ike_sockets *sockets)
{
    struct uplinks_told now = {0};

    collect(&uplinks->network, sockets, &link->path.remote, &now);
    for (gsize i = 0; i < now.n; i++) {
        if (now.locals[i].addr.family == link->path.remote.addr.family) {
            return FALSE;
        }
    }
    return now.n > 0;
}

void uplinks_tell(const struct uplinks *uplinks, struct link *link,
                  const struct ike_sockets *sockets)
{
    struct uplinks_told now = {0};

    if (uplinks->network.generation == 0) {
        return;
    }
    collect(&uplinks->network, sockets, &link->path.remote, &now);
    now.changes = uplinks->changes;
    if (link->told.changes == 0 || !same_locals(&now, &link->told)) {
        ike_set_paths(link->ike, now.locals, now.n, boottime_now());
    } else if (now.changes != link->told.changes) {
        ike_network_changed(link->ike, boottime_now());
    }
    link->told = now;
}
