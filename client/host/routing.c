/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/routing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <unistd.h>

#include "common/i18n.h"

#define RULE_PRIORITY 30000 /* before main (32766); two for each session, the newest first */
#define RP_FILTER_DIR "/proc/sys/net/ipv4/conf"
#define RP_FILTER_ALL RP_FILTER_DIR "/all/rp_filter"

/*
 * How one family is routed. With `policy` its routes are in the session's own table, which all
 * packets consult but the marked ones of IKE and ESP, after what main knows better than by its
 * default route: the local network stays reachable. Without, they are plain routes.
 */
struct plan {
    enum family family;
    gboolean has_address;
    gboolean policy;
    gboolean unreachable; /* what no route of the tunnel covers must not leave beside it */
};

static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};
static const char *const policy_keys[] = {"policy4", "policy6"};

static gboolean read_flag(const char *path, int *value)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return FALSE;
    }
    *value = (int)g_ascii_strtoll(text, NULL, 10);
    return TRUE;
}

static gboolean write_flag(const char *path, int value)
{
    char text[16];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return FALSE;
    }
    int len = g_snprintf(text, sizeof text, "%d\n", value);
    gboolean done = write(fd, text, (size_t)len) == len;
    close(fd);
    return done;
}

static gboolean host_has_ipv6(void)
{
    return g_file_test("/proc/sys/net/ipv6", G_FILE_TEST_IS_DIR);
}

/* Administrators switch IPv6 off for new interfaces; the tunnel then goes without. */
static gboolean interface_has_ipv6(const char *interface)
{
    g_autofree char *path = g_strdup_printf("/proc/sys/net/ipv6/conf/%s/disable_ipv6", interface);
    int disabled = 1;
    return read_flag(path, &disabled) && disabled == 0;
}

static struct plan make_plan(enum family family, const struct net_config *config,
                             const struct host_options *options, const char *interface)
{
    struct plan plan = {.family = family};
    gboolean has_default = FALSE;
    if (family == FAMILY_IPV6 && !host_has_ipv6()) {
        return plan;
    }
    if (family == FAMILY_IPV4 || interface_has_ipv6(interface)) {
        for (size_t i = 0; i < config->n_addresses; i++) {
            plan.has_address |= config->addresses[i].addr.family == family;
        }
    }
    for (size_t i = 0; i < config->n_routes && plan.has_address; i++) {
        const struct prefix *route = &config->routes[i];
        if (route->addr.family == family) {
            has_default |= route->len == 0;
            /* A plain route that covers the gateway would lead the tunnel into itself. */
            plan.policy |= route->len == 0 || prefix_contains(route, &options->gateway);
        }
    }
    if (options->full_tunnel) {
        plan.policy = TRUE;
        plan.unreachable = !has_default;
    }
    return plan;
}

static struct prefix default_of(enum family family)
{
    return (struct prefix){.addr = {.family = family}};
}

static void rules_of(enum family family, guint32 number, guint32 fwmark, struct rule out[static 2])
{
    guint32 priority = RULE_PRIORITY - 2 * number;
    out[0] = (struct rule){
        .family = family, .priority = priority, .table = RT_TABLE_MAIN, .without_default = TRUE};
    out[1] = (struct rule){.family = family,
                           .priority = priority + 1,
                           .table = HOST_TABLE_FIRST + number,
                           .not_fwmark = fwmark};
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

/* ---- rp_filter ---- */

/* Or one that is still to come ("default"): the tunnel may move to it. */
static gboolean some_interface_is_strict(void)
{
    g_autoptr(GDir) dir = g_dir_open(RP_FILTER_DIR, 0, NULL);
    const char *name;
    gboolean strict = FALSE;
    while (!strict && dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(RP_FILTER_DIR, name, "rp_filter", NULL);
        int value = 0;
        strict =
            !g_str_has_prefix(name, HOST_INTERFACE_PREFIX) && read_flag(path, &value) && value == 1;
    }
    return strict;
}

/* The value that another session of this namespace has to restore, -1 when none has to. */
static int rp_filter_of_others(const struct record *own)
{
    g_autoptr(GPtrArray) records = record_list();
    for (guint i = 0; i < records->len; i++) {
        const struct record *other = records->pdata[i];
        guint64 value = record_get_number(other, "undo", "rp_filter", G_MAXUINT64);
        if (value != G_MAXUINT64 && record_here(other) &&
            !g_str_equal(record_name(other), record_name(own))) {
            return (int)value;
        }
    }
    return -1;
}

/*
 * The gateway's answers come in without our mark, so that the strict reverse path filter (RFC
 * 3704 2.2) compares with the tunnel's routes and drops them; the loose one does not.
 */
static int rp_filter_to_loosen(const struct record *record)
{
    int others = rp_filter_of_others(record), value = 0;
    if (others >= 0) {
        return others;
    }
    return read_flag(RP_FILTER_ALL, &value) && value != 2 && some_interface_is_strict() ? value
                                                                                        : -1;
}

static void restore_rp_filter(struct record *record)
{
    guint64 value = record_get_number(record, "undo", "rp_filter", G_MAXUINT64);
    if (value <= 2 && rp_filter_of_others(record) < 0 && !write_flag(RP_FILTER_ALL, (int)value)) {
        g_message(_("%s cannot be restored: %s."), RP_FILTER_ALL, g_strerror(errno));
    }
}

/* ---- apply and revert ---- */

static guint32 table_of(const struct plan *plan, guint32 number)
{
    return plan->policy ? HOST_TABLE_FIRST + number : RT_TABLE_MAIN;
}

static gboolean add_family(struct netlink *nl, const struct plan *plan, guint32 number, int ifindex,
                           const struct routing_wish *wish, GError **error)
{
    const struct net_config *config = wish->config;
    guint32 table = table_of(plan, number);
    struct prefix everything = default_of(plan->family);
    struct rule rules[2];
    for (size_t i = 0; i < config->n_routes && plan->has_address; i++) {
        if (config->routes[i].addr.family == plan->family &&
            !netlink_route_add(nl, &config->routes[i], table, ifindex, error)) {
            return FALSE;
        }
    }
    if (!plan->policy) {
        return TRUE;
    }
    if (plan->unreachable && !netlink_route_add(nl, &everything, table, 0, error)) {
        return FALSE;
    }
    rules_of(plan->family, number, wish->options->fwmark, rules);
    return netlink_rule_add(nl, &rules[0], error) && netlink_rule_add(nl, &rules[1], error);
}

static gboolean has_route(const struct net_config *config, const struct prefix *route)
{
    gboolean has = FALSE;
    for (size_t i = 0; i < config->n_routes && !has; i++) {
        has = config->routes[i].len == route->len &&
              addr_equal(&config->routes[i].addr, &route->addr);
    }
    return has;
}

/* What was there and is not wanted any more. */
static gboolean remove_family(struct netlink *nl, const struct plan *was, const struct plan *is,
                              guint32 number, int ifindex, const struct routing_wish *before,
                              const struct routing_wish *wish, GError **error)
{
    const struct net_config *config = before->config;
    guint32 table = table_of(was, number);
    struct prefix everything = default_of(was->family);
    struct rule rules[2];
    rules_of(was->family, number, before->options->fwmark, rules);
    if (was->policy && !is->policy &&
        !(netlink_rule_delete(nl, &rules[1], error) && netlink_rule_delete(nl, &rules[0], error))) {
        return FALSE;
    }
    if (was->unreachable && !is->unreachable &&
        !netlink_route_delete(nl, &everything, table, 0, error)) {
        return FALSE;
    }
    for (size_t i = 0; i < config->n_routes && was->has_address; i++) {
        const struct prefix *route = &config->routes[i];
        gboolean stays =
            is->has_address && was->policy == is->policy && has_route(wish->config, route);
        if (route->addr.family == was->family && !stays &&
            !netlink_route_delete(nl, route, table, ifindex, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean has_address(const struct net_config *config, const struct addr *addr)
{
    gboolean has = FALSE;
    for (size_t i = 0; i < config->n_addresses && !has; i++) {
        has = addr_equal(&config->addresses[i].addr, addr);
    }
    return has;
}

static gboolean remove_addresses(struct netlink *nl, int ifindex, const struct net_config *was,
                                 const struct net_config *is, GError **error)
{
    for (size_t i = 0; i < was->n_addresses; i++) {
        const struct addr *addr = &was->addresses[i].addr;
        if (!has_address(is, addr) && !netlink_address_delete(nl, ifindex, addr, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* All that may be there while `was` (NULL = nothing) becomes `plans`, then only that. */
static gboolean write_record(struct record *record, const struct plan *was,
                             const struct plan plans[static 2], guint32 number, int ifindex,
                             const struct host_options *options, GError **error)
{
    int rp_filter = plans[0].policy ? rp_filter_to_loosen(record) : -1;
    record_set_number(record, "undo", "ifindex", (guint64)ifindex);
    record_set_number(record, "undo", "number", number);
    record_set_number(record, "undo", "fwmark", options->fwmark);
    for (size_t i = 0; i < 2; i++) {
        gboolean policy = plans[i].policy || (was && was[i].policy);
        record_set_number(record, "undo", policy_keys[i], policy ? 1 : 0);
    }
    if (rp_filter >= 0) {
        record_set_number(record, "undo", "rp_filter", (guint64)rp_filter);
    }
    if (!record_save(record, error)) {
        return FALSE;
    }
    /* Read-only in containers, where the filter is the host's business. */
    if (rp_filter >= 0 && !write_flag(RP_FILTER_ALL, 2)) {
        g_debug("%s: %s", RP_FILTER_ALL, g_strerror(errno));
    }
    return TRUE;
}

static void make_plans(struct plan out[static 2], const struct routing_wish *wish,
                       const char *interface)
{
    for (size_t i = 0; i < 2; i++) {
        out[i] = make_plan(families[i], wish->config, wish->options, interface);
    }
}

static gboolean add_addresses(struct netlink *nl, const struct plan plans[static 2], int ifindex,
                              const struct net_config *config, GError **error)
{
    for (size_t i = 0; i < config->n_addresses; i++) {
        const struct addr *addr = &config->addresses[i].addr;
        gboolean wanted = plans[addr->family == FAMILY_IPV6].has_address;
        if (wanted && !netlink_address_add(nl, ifindex, addr, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean routing_apply(struct record *record, struct netlink *nl, int ifindex,
                       const char *interface, const struct routing_wish *before,
                       const struct routing_wish *wish, GError **error)
{
    struct plan was[2], plans[2];
    guint32 number;
    if (!routing_number(interface, &number, error)) {
        return FALSE;
    }
    make_plans(plans, wish, interface);
    if (before) {
        make_plans(was, before, interface);
    }
    if (!plans[0].has_address && !plans[1].has_address) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG,
                    _("This host has IPv6 switched off, and the "
                      "gateway assigned only an IPv6 address."));
        return FALSE;
    }
    if (!write_record(record, before ? was : NULL, plans, number, ifindex, wish->options, error) ||
        !netlink_link_up(nl, ifindex, wish->config->mtu, error) ||
        !add_addresses(nl, plans, ifindex, wish->config, error) ||
        !add_family(nl, &plans[0], number, ifindex, wish, error) ||
        !add_family(nl, &plans[1], number, ifindex, wish, error)) {
        return FALSE;
    }
    return !before ||
           (remove_family(nl, &was[0], &plans[0], number, ifindex, before, wish, error) &&
            remove_family(nl, &was[1], &plans[1], number, ifindex, before, wish, error) &&
            remove_addresses(nl, ifindex, before->config, wish->config, error) &&
            write_record(record, NULL, plans, number, ifindex, wish->options, error));
}

static void report(GError **error)
{
    if (*error) {
        g_message("%s", (*error)->message);
        g_clear_error(error);
    }
}

/*
 * Only a link that still has the tunnel's name: a record may outlive its network namespace, and the
 * next one of the same inode has its own links of the same indices.
 */
static gboolean is_its_interface(const struct record *record, int ifindex)
{
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
    GError *error = NULL;
    if (number >= HOST_SESSIONS_MAX) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        struct prefix everything = default_of(families[i]);
        struct rule rules[2];
        if (!record_get_number(record, "undo", policy_keys[i], 0)) {
            continue;
        }
        rules_of(families[i], number, fwmark, rules);
        netlink_rule_delete(nl, &rules[1], &error);
        report(&error);
        netlink_rule_delete(nl, &rules[0], &error);
        report(&error);
        netlink_route_delete(nl, &everything, HOST_TABLE_FIRST + number, 0, &error);
        report(&error);
    }
    if (is_its_interface(record, ifindex)) {
        netlink_link_delete(nl, ifindex, &error);
        report(&error);
    }
    restore_rp_filter(record);
}
