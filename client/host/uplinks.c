/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/uplinks.h"

#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "host/host.h"

#define PER_LINK_MAX 8 /* uplinks of one link and family */

struct link {
    int ifindex;
    char name[IFNAMSIZ];
    guint16 type; /* ARPHRD_… */
    guint16 mtu;
    gboolean tun;
};

struct default_route {
    enum family family;
    guint32 ifindex, metric;
    struct addr via;
};

struct state {
    GHashTable *links; /* struct link by index: what carries and is no tunnel of ours */
    GArray *preferred, *deprecated; /* struct uplink, in the kernel's order */
    GArray *routes;                 /* struct default_route */
};

/* ---- what the kernel tells ---- */

static gboolean is_tun(struct nlattr *linkinfo)
{
    struct nlattr *kind =
        linkinfo ? nla_find(nla_data(linkinfo), nla_len(linkinfo), IFLA_INFO_KIND) : NULL;
    return kind && nla_strcmp(kind, "tun") == 0;
}

static void on_link(void *context, struct nlmsghdr *entry)
{
    const unsigned carries = IFF_UP | IFF_RUNNING;
    struct state *state = context;
    const struct ifinfomsg *info = nlmsg_data(entry);
    struct nlattr *attrs[IFLA_MAX + 1];
    if (nlmsg_parse(entry, sizeof *info, attrs, IFLA_MAX, NULL) < 0 || !attrs[IFLA_IFNAME] ||
        (info->ifi_flags & carries) != carries) {
        return;
    }
    guint32 mtu = attrs[IFLA_MTU] ? nla_get_u32(attrs[IFLA_MTU]) : 0;
    struct link link = {
        .ifindex = info->ifi_index,
        .type = info->ifi_type,
        .mtu = (guint16)MIN(mtu, G_MAXUINT16),
        .tun = is_tun(attrs[IFLA_LINKINFO]),
    };
    nla_strlcpy(link.name, attrs[IFLA_IFNAME], sizeof link.name);
    if (!(link.tun && g_str_has_prefix(link.name, HOST_INTERFACE_PREFIX))) {
        g_hash_table_replace(state->links, GINT_TO_POINTER(link.ifindex),
                             g_memdup2(&link, sizeof link));
    }
}

/* An optimistic address may be used while it is still being checked (RFC 4429). */
static gboolean address_is_settled(guint32 flags)
{
    gboolean tentative = (flags & IFA_F_TENTATIVE) && !(flags & IFA_F_OPTIMISTIC);
    return !tentative && !(flags & IFA_F_DADFAILED);
}

static gboolean is_global(const struct addr *addr)
{
    return addr_is_assignable(addr) &&
           !(addr->family == FAMILY_IPV4 && addr->octets[0] == 169 && addr->octets[1] == 254);
}

static void on_address(void *context, struct nlmsghdr *entry)
{
    struct state *state = context;
    const struct ifaddrmsg *info = nlmsg_data(entry);
    struct nlattr *attrs[IFA_MAX + 1];
    struct uplink uplink = {.ifindex = info->ifa_index};
    if ((info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
        nlmsg_parse(entry, sizeof *info, attrs, IFA_MAX, NULL) < 0) {
        return;
    }
    enum family family = info->ifa_family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
    /* IFA_ADDRESS is the other end's where there is one. */
    struct nlattr *local = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
    const struct link *link =
        g_hash_table_lookup(state->links, GINT_TO_POINTER((int)info->ifa_index));
    guint32 flags = attrs[IFA_FLAGS] ? nla_get_u32(attrs[IFA_FLAGS]) : info->ifa_flags;
    if (!link || !local || nla_len(local) != (int)addr_len(family) ||
        info->ifa_scope != RT_SCOPE_UNIVERSE || !address_is_settled(flags)) {
        return;
    }
    uplink.address = (struct prefix){addr_of(family, nla_data(local)), info->ifa_prefixlen};
    uplink.mtu = link->mtu;
    g_strlcpy(uplink.interface, link->name, sizeof uplink.interface);
    if (is_global(&uplink.address.addr)) {
        g_array_append_val(flags & IFA_F_DEPRECATED ? state->deprecated : state->preferred, uplink);
    }
}

static void add_route(struct state *state, struct default_route route, unsigned flags,
                      struct nlattr *gateway)
{
    if (gateway && nla_len(gateway) == (int)addr_len(route.family)) {
        route.via = addr_of(route.family, nla_data(gateway));
    }
    if (!(flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN))) {
        g_array_append_val(state->routes, route);
    }
}

static void add_multipath(struct state *state, struct default_route route, struct nlattr *multipath)
{
    struct rtnexthop *hop = nla_data(multipath);
    int left = nla_len(multipath);
    while (left >= (int)sizeof *hop && RTNH_OK(hop, left)) {
        int len = (int)hop->rtnh_len - (int)sizeof *hop;
        route.ifindex = (guint32)hop->rtnh_ifindex;
        add_route(state, route, hop->rtnh_flags,
                  nla_find((struct nlattr *)(hop + 1), len, RTA_GATEWAY));
        left -= RTNH_ALIGN((int)hop->rtnh_len);
        hop = RTNH_NEXT(hop);
    }
}

static gboolean is_default(const struct rtmsg *route)
{
    return route->rtm_dst_len == 0 && route->rtm_src_len == 0 && route->rtm_type == RTN_UNICAST &&
           route->rtm_table == RT_TABLE_MAIN;
}

static void on_route(void *context, struct nlmsghdr *entry)
{
    struct state *state = context;
    const struct rtmsg *info = nlmsg_data(entry);
    struct nlattr *attrs[RTA_MAX + 1];
    if (!is_default(info) || nlmsg_parse(entry, sizeof *info, attrs, RTA_MAX, NULL) < 0) {
        return;
    }
    struct default_route route = {
        .family = info->rtm_family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6,
        .metric = attrs[RTA_PRIORITY] ? nla_get_u32(attrs[RTA_PRIORITY]) : 0,
    };
    if (attrs[RTA_OIF]) {
        route.ifindex = nla_get_u32(attrs[RTA_OIF]);
        add_route(state, route, info->rtm_flags, attrs[RTA_GATEWAY]);
    } else if (attrs[RTA_MULTIPATH]) {
        add_multipath(state, route, attrs[RTA_MULTIPATH]);
    }
}

enum uplinks_hint uplinks_hint(struct nlmsghdr *notification)
{
    switch (notification->nlmsg_type) {
    case RTM_NEWLINK:
        /* Scans and signal strength, or a carrier that came or went. */
        return nlmsg_find_attr(notification, sizeof(struct ifinfomsg), IFLA_WIRELESS)
                   ? UPLINKS_SAME
                   : UPLINKS_FEWER;
    case RTM_DELLINK:
    case RTM_DELADDR:
        return UPLINKS_FEWER;
    case RTM_NEWADDR:
        return UPLINKS_OTHER;
    case RTM_DELROUTE:
        return is_default(nlmsg_data(notification)) ? UPLINKS_FEWER : UPLINKS_SAME;
    case RTM_NEWROUTE:
        return is_default(nlmsg_data(notification)) ? UPLINKS_OTHER : UPLINKS_SAME;
    default:
        return UPLINKS_SAME;
    }
}

/* ---- the list ---- */

static void find_default(const struct state *state, struct uplink *uplink)
{
    uplink->metric = G_MAXUINT32;
    for (guint i = 0; i < state->routes->len; i++) {
        const struct default_route *route = &g_array_index(state->routes, struct default_route, i);
        if (route->family == uplink->address.addr.family && route->ifindex == uplink->ifindex &&
            (!uplink->has_default || route->metric < uplink->metric)) {
            uplink->has_default = true;
            uplink->metric = route->metric;
            uplink->via = route->via;
        }
    }
}

/* The kernel's netlink does not tell wireless links from wired ones. */
static enum uplink_kind kind_of(const struct link *link)
{
    g_autofree char *path = g_strdup_printf("/sys/class/net/%s/uevent", link->name);
    g_autofree char *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        if (strstr(text, "DEVTYPE=wlan")) {
            return UPLINK_WIFI;
        }
        if (strstr(text, "DEVTYPE=wwan")) {
            return UPLINK_WWAN;
        }
        if (strstr(text, "DEVTYPE=")) {
            return UPLINK_OTHER; /* bridge, vlan, bond, wireguard, … */
        }
    }
    return link->tun                    ? UPLINK_OTHER
           : link->type == ARPHRD_ETHER ? UPLINK_WIRED
           : link->type == ARPHRD_PPP   ? UPLINK_WWAN
           : link->type == ARPHRD_RAWIP ? UPLINK_WWAN
                                        : UPLINK_OTHER;
}

static gint by_preference(gconstpointer a, gconstpointer b)
{
    const struct uplink *left = a, *right = b;
    if (left->has_default != right->has_default) {
        return left->has_default ? -1 : 1;
    }
    if (left->metric != right->metric) {
        return left->metric < right->metric ? -1 : 1;
    }
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    return left->ifindex < right->ifindex ? -1 : left->ifindex > right->ifindex;
}

static gpointer key_of(const struct uplink *uplink)
{
    gboolean v6 = uplink->address.addr.family == FAMILY_IPV6;
    return GUINT_TO_POINTER(2 * uplink->ifindex + (v6 ? 1 : 0));
}

/* Takes over the first few of each link and family, but not of those in `served`; those that it has
 * taken any of are in `counts`. */
static void take(const struct state *state, GArray *from, GHashTable *served, GHashTable *counts,
                 GArray *to)
{
    for (guint i = 0; i < from->len; i++) {
        struct uplink *uplink = &g_array_index(from, struct uplink, i);
        gpointer key = key_of(uplink);
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key));
        if (count < PER_LINK_MAX && !g_hash_table_contains(served, key)) {
            const struct link *link =
                g_hash_table_lookup(state->links, GINT_TO_POINTER((int)uplink->ifindex));
            g_hash_table_insert(counts, key, GUINT_TO_POINTER(count + 1));
            uplink->kind = kind_of(link);
            find_default(state, uplink);
            g_array_append_val(to, *uplink);
        }
    }
}

/*
 * A deprecated address is for want of another (RFC 4862 5.5.4; RFC 6724 5, rule 3): when a router
 * falls silent it goes on to work. g_array_sort() keeps the order of equals.
 */
static void list(struct state *state, struct network *out)
{
    g_autoptr(GArray) few = g_array_new(FALSE, FALSE, sizeof(struct uplink));
    g_autoptr(GHashTable) none = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) preferred = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) deprecated = g_hash_table_new(NULL, NULL);
    take(state, state->preferred, none, preferred, few);
    take(state, state->deprecated, preferred, deprecated, few);
    g_array_sort(few, by_preference);
    out->n = MIN(few->len, NETWORK_UPLINKS_MAX);
    for (size_t i = 0; i < out->n; i++) {
        out->uplinks[i] = g_array_index(few, struct uplink, i);
    }
}

gboolean uplinks_read(struct netlink *nl, struct network *out, GError **error)
{
    struct state state = {
        .links = g_hash_table_new_full(NULL, NULL, NULL, g_free),
        .preferred = g_array_new(FALSE, FALSE, sizeof(struct uplink)),
        .deprecated = g_array_new(FALSE, FALSE, sizeof(struct uplink)),
        .routes = g_array_new(FALSE, FALSE, sizeof(struct default_route)),
    };
    gboolean done =
        netlink_dump(nl, RTM_GETLINK, FAMILY_NONE, 0, on_link, &state, error) &&
        netlink_dump(nl, RTM_GETADDR, FAMILY_NONE, 0, on_address, &state, error) &&
        netlink_dump(nl, RTM_GETROUTE, FAMILY_IPV4, RT_TABLE_MAIN, on_route, &state, error) &&
        netlink_dump(nl, RTM_GETROUTE, FAMILY_IPV6, RT_TABLE_MAIN, on_route, &state, error);
    if (done) {
        list(&state, out);
    }
    g_hash_table_unref(state.links);
    g_array_unref(state.preferred);
    g_array_unref(state.deprecated);
    g_array_unref(state.routes);
    return done;
}

/* ---- comparing ---- */

static gboolean same_address(const struct uplink *a, const struct uplink *b)
{
    return a->ifindex == b->ifindex && addr_equal(&a->address.addr, &b->address.addr);
}

static gboolean same(const struct uplink *a, const struct uplink *b)
{
    return same_address(a, b) && a->address.len == b->address.len &&
           strcmp(a->interface, b->interface) == 0 && a->kind == b->kind &&
           a->has_default == b->has_default && a->metric == b->metric &&
           addr_equal(&a->via, &b->via) && a->mtu == b->mtu;
}

gboolean uplinks_equal(const struct network *a, const struct network *b)
{
    gboolean equal = a->n == b->n;
    for (size_t i = 0; i < a->n && equal; i++) {
        equal = same(&a->uplinks[i], &b->uplinks[i]);
    }
    return equal;
}

gboolean uplinks_lost(const struct network *before, const struct network *after)
{
    for (size_t i = 0; i < before->n; i++) {
        const struct uplink *uplink = &before->uplinks[i];
        gboolean found = FALSE;
        for (size_t j = 0; j < after->n && !found; j++) {
            found = same_address(uplink, &after->uplinks[j]) &&
                    uplink->has_default == after->uplinks[j].has_default;
        }
        if (!found) {
            return TRUE;
        }
    }
    return FALSE;
}
