/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/beside_routes.h"

#include "host/local_networks.h"
#include "host/routing.h"

static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};

struct beside_routes {
    GArray *routes; /* struct route */
};

void beside_routes_free(struct beside_routes *set)
{
    if (set) {
        g_array_unref(set->routes);
        g_free(set);
    }
}

static struct rule rule_of(guint32 number, guint32 fwmark, enum family family)
{
    return (struct rule){.family = family,
                         .priority = routing_priority_of_networks(number),
                         .table = routing_table_of_networks(number),
                         .not_fwmark = fwmark};
}

static gboolean same_prefix(const struct prefix *a, const struct prefix *b)
{
    return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

static gboolean same_route(const struct route *a, const struct route *b)
{
    return same_prefix(&a->to, &b->to) && a->kind == b->kind && a->ifindex == b->ifindex &&
           addr_equal(&a->via, &b->via);
}

static gboolean has(const struct beside_routes *set, const struct route *route)
{
    gboolean found = FALSE;
    for (guint i = 0; i < set->routes->len; i++) {
        found |= same_route(&g_array_index(set->routes, struct route, i), route);
    }
    return found;
}

/* Of several for one prefix the first one stands. */
static void add(struct beside_routes *set, const struct beside_wish *wish, struct route route)
{
    for (guint i = 0; i < set->routes->len; i++) {
        if (same_prefix(&g_array_index(set->routes, struct route, i).to, &route.to)) {
            return;
        }
    }
    route.table = routing_table_of_networks(wish->number);
    g_array_append_val(set->routes, route);
}

/* By the uplink that the host prefers; nowhere without one, as in the tunnel it is not wanted. */
static void add_excluded(struct beside_routes *set, const struct beside_wish *wish)
{
    for (size_t i = 0; i < wish->options->n_excluded; i++) {
        struct route route = {.to = wish->options->excluded[i], .kind = ROUTE_UNREACHABLE};
        for (size_t j = 0; j < wish->network->n && route.kind == ROUTE_UNREACHABLE; j++) {
            const struct uplink *uplink = &wish->network->uplinks[j];
            if (uplink->has_default && uplink->address.addr.family == route.to.addr.family) {
                route.kind = ROUTE_LINK;
                route.ifindex = (int)uplink->ifindex;
                route.via = uplink->via;
            }
        }
        add(set, wish, route);
    }
}

static gboolean is_excluded(const struct beside_wish *wish, const struct prefix *network)
{
    gboolean excluded = FALSE;
    for (size_t i = 0; i < wish->options->n_excluded; i++) {
        const struct prefix *one = &wish->options->excluded[i];
        excluded |= one->len <= network->len && prefix_contains(one, &network->addr);
    }
    return excluded;
}

static gboolean carries_all(const struct beside_wish *wish, enum family family)
{
    gboolean carries = FALSE;
    for (size_t i = 0; i < wish->config->n_routes; i++) {
        const struct prefix *route = &wish->config->routes[i];
        carries |= route->addr.family == family && route->len == 0;
    }
    return carries && wish->options->full_tunnel;
}

static void add_known(struct beside_routes *set, const struct beside_wish *wish,
                      struct prefix network)
{
    if (network.len > 0 && is_excluded(wish, &network)) {
        add(set, wish, (struct route){.to = network, .kind = ROUTE_THROW});
    }
}

/* The table main knows the networks of links that are excluded, and the tunnel's. */
static void add_links(struct beside_routes *set, const struct beside_wish *wish)
{
    for (size_t i = 0; i < wish->network->n; i++) {
        const struct uplink *uplink = &wish->network->uplinks[i];
        struct prefix network = uplink->address, local;
        prefix_mask(&network);
        add_known(set, wish, network);
        if (!is_excluded(wish, &network) && !wish->options->local_network &&
            local_network_of(uplink, &local) && carries_all(wish, local.addr.family)) {
            add(set, wish,
                (struct route){.to = local, .kind = ROUTE_LINK, .ifindex = wish->ifindex});
        }
    }
    for (size_t i = 0; i < wish->config->n_routes; i++) {
        add_known(set, wish, wish->config->routes[i]);
    }
    for (size_t i = 0; i < wish->config->n_dns; i++) {
        const struct addr *server = &wish->config->dns[i];
        add_known(set, wish, (struct prefix){*server, addr_bits(server->family)});
    }
}

static gboolean has_family(const struct beside_routes *set, enum family family)
{
    gboolean any = FALSE;
    for (guint i = 0; i < set->routes->len; i++) {
        any |= g_array_index(set->routes, struct route, i).to.addr.family == family;
    }
    return any;
}

static gboolean set_rules(struct record *record, struct netlink *nl, const struct beside_routes *is,
                          const struct beside_wish *wish, GError **error)
{
    record_set_number(record, "undo", "beside", wish->number);
    record_set_number(record, "undo", "beside-fwmark", wish->options->fwmark);
    gboolean done = record_save(record, error);
    for (size_t i = 0; i < G_N_ELEMENTS(families) && done; i++) {
        const struct rule rule = rule_of(wish->number, wish->options->fwmark, families[i]);
        done = !has_family(is, families[i]) || netlink_rule_add(nl, &rule, error);
    }
    return done;
}

/* NetworkManager has not seen to it yet. */
static gboolean bring_up(struct netlink *nl, const struct beside_routes *is,
                         const struct beside_wish *wish, GError **error)
{
    gboolean uses = FALSE;
    for (guint i = 0; i < is->routes->len; i++) {
        uses |= g_array_index(is->routes, struct route, i).ifindex == wish->ifindex;
    }
    return !uses || netlink_link_up(nl, wish->ifindex, wish->config->mtu, error);
}

/* What goes first makes room for another one of its prefix. What stays is set again, for those that
 * the kernel took away with an address or a link. */
static gboolean set_routes(struct netlink *nl, const struct beside_routes *was,
                           const struct beside_routes *is, GError **error)
{
    gboolean done = TRUE;
    for (guint i = 0; was && i < was->routes->len && done; i++) {
        const struct route *route = &g_array_index(was->routes, struct route, i);
        done = has(is, route) || netlink_route_delete(nl, route, error);
    }
    for (guint i = 0; i < is->routes->len && done; i++) {
        done = netlink_route_add(nl, &g_array_index(is->routes, struct route, i), error);
    }
    return done;
}

static void add_all(struct beside_routes *set, const struct beside_routes *others)
{
    for (guint i = 0; i < others->routes->len; i++) {
        const struct route *route = &g_array_index(others->routes, struct route, i);
        if (!has(set, route)) {
            g_array_append_val(set->routes, *route);
        }
    }
}

gboolean beside_routes_apply(struct record *record, struct netlink *nl, struct beside_routes **set,
                             const struct beside_wish *wish, GError **error)
{
    struct beside_routes *is = g_new0(struct beside_routes, 1);
    is->routes = g_array_new(FALSE, FALSE, sizeof(struct route));
    add_excluded(is, wish);
    add_links(is, wish);
    gboolean done = (is->routes->len == 0 || set_rules(record, nl, is, wish, error)) &&
                    bring_up(nl, is, wish, error) && set_routes(nl, *set, is, error);
    if (!done && *set) {
        add_all(is, *set); /* any of both may be there */
    }
    beside_routes_free(*set);
    *set = is;
    return done;
}

void beside_routes_revert(struct record *record, struct netlink *nl)
{
    guint32 number = (guint32)record_get_number(record, "undo", "beside", HOST_SESSIONS_MAX);
    guint32 fwmark = (guint32)record_get_number(record, "undo", "beside-fwmark", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(families) && number < HOST_SESSIONS_MAX; i++) {
        g_autoptr(GError) error = NULL;
        const struct rule rule = rule_of(number, fwmark, families[i]);
        if (!netlink_rule_delete(nl, &rule, &error) ||
            !netlink_table_prune(nl, families[i], routing_table_of_networks(number), NULL, NULL,
                                 &error)) {
            g_message("%s", error->message);
        }
    }
}

/* ---- addresses ---- */

static gboolean is_further(const struct net_config *config, size_t index)
{
    gboolean further = FALSE;
    for (size_t i = 0; i < index; i++) {
        further |= config->addresses[i].addr.family == config->addresses[index].addr.family;
    }
    return further;
}

static gboolean has_further(const struct net_config *config, const struct addr *addr)
{
    gboolean has = FALSE;
    for (size_t i = 0; i < config->n_addresses; i++) {
        has |= is_further(config, i) && addr_equal(&config->addresses[i].addr, addr);
    }
    return has;
}

gboolean beside_addresses_follow(struct netlink *nl, int ifindex, const struct net_config *before,
                                 const struct net_config *wanted, GError **error)
{
    gboolean done = TRUE;
    for (size_t i = 0; done && i < before->n_addresses; i++) {
        const struct addr *addr = &before->addresses[i].addr;
        if (is_further(before, i) && !has_further(wanted, addr)) {
            done = netlink_address_delete(nl, ifindex, addr, error);
        }
    }
    for (size_t i = 0; done && i < wanted->n_addresses; i++) {
        if (is_further(wanted, i)) {
            done = netlink_address_add(nl, ifindex, &wanted->addresses[i].addr, error);
        }
    }
    return done;
}
