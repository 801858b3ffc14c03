/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/routing.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include "common/i18n.h"
#include "host/local_networks.h"
#include "host/rp_filter.h"

#define TABLE_REST_FIRST (HOST_TABLE_FIRST + 2 * HOST_SESSIONS_MAX)
#define TABLE_SERVERS_FIRST (HOST_TABLE_FIRST + 3 * HOST_SESSIONS_MAX)
#define TABLES_END (HOST_TABLE_FIRST + 4 * HOST_SESSIONS_MAX)
/* Before main (32766). The networks of every tunnel come before the rest of any, the newest session
 * first. */
#define RULE_NETWORKS_LAST (25000 + HOST_SESSIONS_MAX - 1)
#define RULE_REST 30000 /* two for each session */

static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};

struct routing {
    GArray *addresses; /* struct addr */
    GArray *routes;    /* struct route */
    GArray *rules;     /* struct rule */
};

/* While a routing is made: of one family. */
struct plan {
    enum family family;
    guint32 number;
    int ifindex;
    gboolean has_address;
    gboolean enabled; /* the family, for the interface */
    gboolean rest;    /* there is a rule for what is not one of the tunnel's networks */
    const struct routing_wish *wish;
    struct routing *out;
};

static struct routing *routing_new(void)
{
    struct routing *routing = g_new0(struct routing, 1);
    routing->addresses = g_array_new(FALSE, FALSE, sizeof(struct addr));
    routing->routes = g_array_new(FALSE, FALSE, sizeof(struct route));
    routing->rules = g_array_new(FALSE, FALSE, sizeof(struct rule));
    return routing;
}

void routing_free(struct routing *routing)
{
    if (routing) {
        g_array_unref(routing->addresses);
        g_array_unref(routing->routes);
        g_array_unref(routing->rules);
        g_free(routing);
    }
}

gboolean routing_number(const char *interface, guint32 *number, GError **error)
{
    guint64 value = 0;
    if (!g_str_has_prefix(interface, HOST_INTERFACE_PREFIX) ||
        !g_ascii_string_to_unsigned(interface + strlen(HOST_INTERFACE_PREFIX), 10, 0,
                                    HOST_SESSIONS_MAX - 1, &value, NULL)) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG, _("%s is not an interface of a tunnel."),
                    interface);
        return FALSE;
    }
    *number = (guint32)value;
    return TRUE;
}

static gboolean host_has_ipv6(void)
{
    return g_file_test("/proc/sys/net/ipv6", G_FILE_TEST_IS_DIR);
}

/* Administrators switch IPv6 off for new interfaces; the tunnel then goes without. */
static gboolean interface_has_ipv6(const char *interface)
{
    g_autofree char *path = g_strdup_printf("/proc/sys/net/ipv6/conf/%s/disable_ipv6", interface);
    g_autofree char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && text[0] == '0';
}

/* ---- routes ---- */

guint32 routing_table_of_networks(guint32 number)
{
    return HOST_TABLE_FIRST + number;
}

guint32 routing_priority_of_networks(guint32 number)
{
    return RULE_NETWORKS_LAST - number;
}

static guint32 table_of_rest(guint32 number)
{
    return TABLE_REST_FIRST + number;
}

static guint32 table_of_servers(guint32 number)
{
    return TABLE_SERVERS_FIRST + number;
}

gboolean routing_owns_table(guint32 table)
{
    return table >= HOST_TABLE_FIRST && table < TABLES_END;
}

static gboolean same_prefix(const struct prefix *a, const struct prefix *b)
{
    return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

static gboolean has_route_to(const struct routing *routing, const struct prefix *to, guint32 table)
{
    for (guint i = 0; i < routing->routes->len; i++) {
        const struct route *route = &g_array_index(routing->routes, struct route, i);
        if (route->table == table && same_prefix(&route->to, to)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Of several for one prefix the first one stands. */
static void add_route(struct plan *plan, struct prefix to, guint32 table, enum route_kind kind)
{
    if (to.addr.family == plan->family && !has_route_to(plan->out, &to, table)) {
        struct route route = {.to = to, .table = table, .kind = kind};
        route.ifindex = kind == ROUTE_LINK ? plan->ifindex : 0;
        g_array_append_val(plan->out->routes, route);
    }
}

static void add_network(struct plan *plan, struct prefix network)
{
    if (plan->has_address || plan->wish->options->own_routes) {
        add_route(plan, network, routing_table_of_networks(plan->number),
                  plan->has_address ? ROUTE_LINK : ROUTE_UNREACHABLE);
    }
}

/* Also for those who do not use the tunnel else. */
static void add_for_all(struct plan *plan, const struct addr *server)
{
    if (plan->has_address && plan->wish->options->apps == HOST_APPS_ONLY) {
        add_route(plan, (struct prefix){*server, addr_bits(server->family)},
                  table_of_servers(plan->number), ROUTE_LINK);
    }
}

/* Its DNS servers too: nobody asks a server of the same address in the local network instead. */
static void add_networks(struct plan *plan)
{
    const struct net_config *config = plan->wish->config;
    for (size_t i = 0; i < config->n_routes; i++) {
        if (config->routes[i].len > 0) {
            add_network(plan, config->routes[i]);
        }
    }
    for (size_t i = 0; i < config->n_dns; i++) {
        const struct addr *server = &config->dns[i];
        if (plan->wish->options->full_tunnel || net_config_carries(config, server)) {
            add_network(plan, (struct prefix){*server, addr_bits(server->family)});
            add_for_all(plan, server);
        }
    }
}

static void add_exclusions(struct plan *plan, guint32 table)
{
    const struct host_options *options = plan->wish->options;
    for (size_t i = 0; i < options->n_excluded; i++) {
        add_route(plan, options->excluded[i], table, ROUTE_THROW);
    }
}

static void add_local_networks(struct plan *plan)
{
    const struct network *network = plan->wish->network;
    struct prefix local;
    for (size_t i = 0; i < network->n && plan->wish->options->local_network; i++) {
        if (local_network_of(&network->uplinks[i], &local)) {
            add_route(plan, local, routing_table_of_networks(plan->number), ROUTE_THROW);
        }
    }
}

static gboolean has_default(const struct plan *plan)
{
    const struct net_config *config = plan->wish->config;
    gboolean has = FALSE;
    for (size_t i = 0; i < config->n_routes; i++) {
        has |= config->routes[i].len == 0 && config->routes[i].addr.family == plan->family;
    }
    return has && plan->has_address;
}

static void add_rest(struct plan *plan)
{
    const struct host_options *options = plan->wish->options;
    struct prefix everything = {.addr = {.family = plan->family}};
    gboolean carried = has_default(plan);
    plan->rest = carried || (options->full_tunnel && options->block_other_family);
    if (plan->rest) {
        guint32 table = table_of_rest(plan->number);
        add_exclusions(plan, table);
        gboolean led = options->apps == HOST_APPS_EXCEPT && plan->enabled;
        add_route(plan, everything, table, carried || led ? ROUTE_LINK : ROUTE_UNREACHABLE);
    }
}

/* ---- rules ---- */

static void add_rule(GArray *rules, struct rule rule)
{
    g_array_append_val(rules, rule);
}

struct rules_wish {
    guint32 number, fwmark;
    gboolean rest, local_network, only;
};

static void rules_of(GArray *rules, enum family family, const struct rules_wish *wish)
{
    struct prefix ranges[LOCAL_RANGES_MAX];
    size_t n = local_ranges(family, ranges);
    guint32 number = wish->number, priority = RULE_REST - 2 * number;
    guint32 mark = wish->only ? HOST_FWMARK_ONLY + number : 0;
    guint32 not_mark = wish->only ? 0 : wish->fwmark;
    add_rule(rules, (struct rule){.family = family,
                                  .priority = routing_priority_of_networks(number),
                                  .table = routing_table_of_networks(number),
                                  .fwmark = mark,
                                  .not_fwmark = not_mark});
    if (wish->only) {
        add_rule(rules, (struct rule){.family = family,
                                      .priority = routing_priority_of_networks(number),
                                      .table = table_of_servers(number),
                                      .not_fwmark = wish->fwmark});
    }
    for (size_t i = 0; i < n && wish->rest; i++) {
        /* Neighbours and routers have link-local addresses, allowed or not. */
        gboolean link_local = family == FAMILY_IPV6 && ranges[i].len == 10;
        if (wish->local_network || link_local) {
            add_rule(rules, (struct rule){.family = family,
                                          .priority = priority,
                                          .table = RT_TABLE_MAIN,
                                          .fwmark = mark,
                                          .to = ranges[i],
                                          .without_default = TRUE});
        }
    }
    if (wish->rest) {
        add_rule(rules, (struct rule){.family = family,
                                      .priority = priority + 1,
                                      .table = table_of_rest(number),
                                      .fwmark = mark,
                                      .not_fwmark = not_mark});
    }
}

/* ---- the whole ---- */

static void plan_addresses(struct plan *plan)
{
    const struct net_config *config = plan->wish->config;
    for (size_t i = 0; i < config->n_addresses; i++) {
        if (config->addresses[i].addr.family == plan->family) {
            plan->has_address = TRUE;
            g_array_append_val(plan->out->addresses, config->addresses[i].addr);
        }
    }
}

static void plan_family(struct plan *plan, const char *interface)
{
    if (plan->family == FAMILY_IPV6 && !host_has_ipv6()) {
        return;
    }
    plan->enabled = plan->family == FAMILY_IPV4 || interface_has_ipv6(interface);
    if (plan->enabled) {
        plan_addresses(plan);
    }
    guint before = plan->out->routes->len;
    add_exclusions(plan, routing_table_of_networks(plan->number));
    guint excluded = plan->out->routes->len;
    add_networks(plan);
    gboolean networks = plan->out->routes->len > excluded;
    add_local_networks(plan);
    add_rest(plan);
    if (networks || plan->rest) {
        const struct host_options *options = plan->wish->options;
        const struct rules_wish wish = {.number = plan->number,
                                        .fwmark = options->fwmark,
                                        .rest = plan->rest,
                                        .local_network = options->local_network,
                                        .only = options->apps == HOST_APPS_ONLY};
        rules_of(plan->out->rules, plan->family, &wish);
    } else {
        g_array_set_size(plan->out->routes, before);
    }
}

static struct routing *make_routing(guint32 number, int ifindex, const char *interface,
                                    const struct routing_wish *wish)
{
    struct routing *routing = routing_new();
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        struct plan plan = {.family = families[i],
                            .number = number,
                            .ifindex = ifindex,
                            .wish = wish,
                            .out = routing};
        plan_family(&plan, interface);
    }
    return routing;
}

/* ---- apply and revert ---- */

static gboolean same_addr(const void *a, const void *b)
{
    return addr_equal(a, b);
}

static gboolean same_route(const void *a, const void *b)
{
    const struct route *x = a, *y = b;
    return x->table == y->table && x->kind == y->kind && x->ifindex == y->ifindex &&
           same_prefix(&x->to, &y->to);
}

static gboolean same_rule(const void *a, const void *b)
{
    const struct rule *x = a, *y = b;
    return x->family == y->family && x->priority == y->priority && x->table == y->table &&
           x->fwmark == y->fwmark && x->not_fwmark == y->not_fwmark &&
           x->without_default == y->without_default && same_prefix(&x->to, &y->to);
}

static gboolean has(const GArray *array, const void *item,
                    gboolean (*same)(const void *a, const void *b))
{
    gsize size = g_array_get_element_size((GArray *)array);
    for (guint i = 0; i < array->len; i++) {
        if (same(array->data + i * size, item)) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean add(struct netlink *nl, int ifindex, const struct routing *is, GError **error)
{
    for (guint i = 0; i < is->addresses->len; i++) {
        if (!netlink_address_add(nl, ifindex, &g_array_index(is->addresses, struct addr, i),
                                 error)) {
            return FALSE;
        }
    }
    for (guint i = 0; i < is->routes->len; i++) {
        if (!netlink_route_add(nl, &g_array_index(is->routes, struct route, i), error)) {
            return FALSE;
        }
    }
    for (guint i = 0; i < is->rules->len; i++) {
        if (!netlink_rule_add(nl, &g_array_index(is->rules, struct rule, i), error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* What was there and is not wanted any more. */
static gboolean remove_old(struct netlink *nl, int ifindex, const struct routing *was,
                           const struct routing *is, GError **error)
{
    for (guint i = was->rules->len; i > 0; i--) {
        const struct rule *rule = &g_array_index(was->rules, struct rule, i - 1);
        if (!has(is->rules, rule, same_rule) && !netlink_rule_delete(nl, rule, error)) {
            return FALSE;
        }
    }
    for (guint i = 0; i < was->routes->len; i++) {
        const struct route *route = &g_array_index(was->routes, struct route, i);
        if (!has(is->routes, route, same_route) && !netlink_route_delete(nl, route, error)) {
            return FALSE;
        }
    }
    for (guint i = 0; i < was->addresses->len; i++) {
        const struct addr *addr = &g_array_index(was->addresses, struct addr, i);
        if (!has(is->addresses, addr, same_addr) &&
            !netlink_address_delete(nl, ifindex, addr, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* That the gateway's answers come from where our routes lead into the tunnel. */
static gboolean answers_look_misled(const struct routing *routing, const struct addr *gateway)
{
    gboolean any = FALSE;
    for (guint i = 0; i < routing->routes->len; i++) {
        const struct route *route = &g_array_index(routing->routes, struct route, i);
        any |= route->to.addr.family == FAMILY_IPV4 && route->kind != ROUTE_THROW &&
               (route->to.len == 0 || prefix_contains(&route->to, gateway));
    }
    return any;
}

gboolean routing_apply(struct record *record, struct netlink *nl, int ifindex,
                       const char *interface, struct routing **routing,
                       const struct routing_wish *wish, GError **error)
{
    guint32 number;
    if (!routing_number(interface, &number, error)) {
        return FALSE;
    }
    struct routing *is = make_routing(number, ifindex, interface, wish);
    gboolean done = is->addresses->len > 0;
    if (!done) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG,
                    _("This host has IPv6 switched off, and the "
                      "gateway assigned only an IPv6 address."));
    }
    record_set_number(record, "undo", "ifindex", (guint64)ifindex);
    record_set_number(record, "undo", "number", number);
    record_set_number(record, "undo", "fwmark", wish->options->fwmark);
    record_set_number(record, "undo", "only", wish->options->apps == HOST_APPS_ONLY);
    /* What some programs get comes by another link than the rules for all others say. */
    gboolean misled =
        wish->options->apps != HOST_APPS_ALL || answers_look_misled(is, &wish->options->gateway);
    done = done && record_save(record, error) && (!misled || rp_filter_loosen(record, error)) &&
           netlink_link_up(nl, ifindex, wish->config->mtu, error) && add(nl, ifindex, is, error) &&
           (!*routing || remove_old(nl, ifindex, *routing, is, error));
    routing_free(done ? *routing : is);
    if (done) {
        *routing = is;
    }
    return done;
}

static void report(GError **error)
{
    if (*error) {
        g_message("%s", (*error)->message);
        g_clear_error(error);
    }
}

gboolean routing_has_interface(const struct record *record)
{
    int ifindex = (int)record_get_number(record, "undo", "ifindex", 0);
    g_autofree char *recorded = record_get(record, "status", "interface");
    char name[IF_NAMESIZE];
    return ifindex > 0 && recorded && if_indextoname((unsigned)ifindex, name) &&
           g_str_equal(name, recorded);
}

void routing_revert(struct record *record, struct netlink *nl)
{
    guint32 number = (guint32)record_get_number(record, "undo", "number", HOST_SESSIONS_MAX);
    guint32 fwmark = (guint32)record_get_number(record, "undo", "fwmark", 0);
    int ifindex = (int)record_get_number(record, "undo", "ifindex", 0);
    g_autoptr(GArray) rules = g_array_new(FALSE, FALSE, sizeof(struct rule));
    GError *error = NULL;
    if (number >= HOST_SESSIONS_MAX) {
        return;
    }
    const struct rules_wish all = {.number = number,
                                   .fwmark = fwmark,
                                   .rest = TRUE,
                                   .local_network = TRUE,
                                   .only =
                                       record_get_number(record, "undo", "only", FALSE) != FALSE};
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        rules_of(rules, families[i], &all);
    }
    for (guint i = 0; i < rules->len; i++) {
        netlink_rule_delete(nl, &g_array_index(rules, struct rule, i), &error);
        report(&error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        netlink_table_prune(nl, families[i], routing_table_of_networks(number), NULL, NULL, &error);
        report(&error);
        netlink_table_prune(nl, families[i], table_of_rest(number), NULL, NULL, &error);
        report(&error);
        if (all.only) {
            netlink_table_prune(nl, families[i], table_of_servers(number), NULL, NULL, &error);
            report(&error);
        }
    }
    if (routing_has_interface(record)) {
        netlink_link_delete(nl, ifindex, &error);
        report(&error);
    }
    rp_filter_restore(record);
}
