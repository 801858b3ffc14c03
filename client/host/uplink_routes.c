/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/uplink_routes.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "host/host.h"

#define TABLE_FIRST (HOST_TABLE_FIRST + HOST_SESSIONS_MAX) /* behind the tunnels' own */
#define RULE_PRIORITY 27998 /* before the rules of every tunnel; two for each session */

static guint32 table_of(guint32 number)
{
    return TABLE_FIRST + number;
}

/* What main knows better than by its default route comes first: a gateway in the local network. */
static void rules_of(guint32 number, guint32 fwmark, struct rule out[static 2])
{
    guint32 priority = RULE_PRIORITY - 2 * number;
    out[0] = (struct rule){.family = FAMILY_IPV6,
                           .priority = priority,
                           .table = RT_TABLE_MAIN,
                           .fwmark = fwmark,
                           .without_default = TRUE};
    out[1] = (struct rule){.family = FAMILY_IPV6,
                           .priority = priority + 1,
                           .table = table_of(number),
                           .fwmark = fwmark};
}

/* One that a packet of its source should take. */
static gboolean has_route(const struct uplink *uplink)
{
    return uplink->has_default && uplink->address.addr.family == FAMILY_IPV6;
}

static gboolean needed(const struct network *network)
{
    gboolean any = FALSE;
    for (size_t i = 0; i < network->n && !any; i++) {
        any = has_route(&network->uplinks[i]);
    }
    return any;
}

static struct addr addr_in(struct nlattr *attr)
{
    return attr && nla_len(attr) == (int)addr_len(FAMILY_IPV6)
               ? addr_of(FAMILY_IPV6, nla_data(attr))
               : (struct addr){0};
}

static gboolean is_wanted(const void *context, struct nlmsghdr *route)
{
    const struct network *network = context;
    struct nlattr *attrs[RTA_MAX + 1];
    if (!network || nlmsg_parse(route, sizeof(struct rtmsg), attrs, RTA_MAX, NULL) < 0) {
        return FALSE;
    }
    struct addr source = addr_in(attrs[RTA_SRC]), via = addr_in(attrs[RTA_GATEWAY]);
    guint32 ifindex = attrs[RTA_OIF] ? nla_get_u32(attrs[RTA_OIF]) : 0;
    for (size_t i = 0; i < network->n; i++) {
        const struct uplink *uplink = &network->uplinks[i];
        if (has_route(uplink) && addr_equal(&uplink->address.addr, &source) &&
            addr_equal(&uplink->via, &via) && uplink->ifindex == ifindex) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean are_set(const struct record *record)
{
    return record_get_number(record, "undo", "uplinks", G_MAXUINT64) < HOST_SESSIONS_MAX;
}

static gboolean set_rules(struct record *record, struct netlink *nl, guint32 number, guint32 fwmark,
                          GError **error)
{
    struct rule rules[2];
    gboolean recorded = are_set(record);
    rules_of(number, fwmark, rules);
    if (!recorded) {
        record_set_number(record, "undo", "uplinks", number);
        record_set_number(record, "undo", "uplinks-fwmark", fwmark);
        recorded = record_save(record, error);
    }
    return recorded && netlink_rule_add(nl, &rules[0], error) &&
           netlink_rule_add(nl, &rules[1], error);
}

gboolean uplink_routes_follow(struct record *record, struct netlink *nl, guint32 number,
                              guint32 fwmark, const struct network *network, GError **error)
{
    gboolean need = needed(network);
    if (need ? !set_rules(record, nl, number, fwmark, error) : !are_set(record)) {
        return !need;
    }
    if (!netlink_table_prune(nl, FAMILY_IPV6, table_of(number), is_wanted, need ? network : NULL,
                             error)) {
        return FALSE;
    }
    for (size_t i = 0; i < network->n && need; i++) {
        const struct uplink *uplink = &network->uplinks[i];
        if (has_route(uplink) &&
            !netlink_source_route_add(nl, &uplink->address.addr, table_of(number),
                                      (int)uplink->ifindex, &uplink->via, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

void uplink_routes_revert(struct record *record, struct netlink *nl)
{
    guint32 number = (guint32)record_get_number(record, "undo", "uplinks", 0);
    guint32 fwmark = (guint32)record_get_number(record, "undo", "uplinks-fwmark", 0);
    struct rule rules[2];
    if (!are_set(record)) {
        return;
    }
    rules_of(number, fwmark, rules);
    for (int i = 1; i >= 0; i--) {
        g_autoptr(GError) error = NULL;
        if (!netlink_rule_delete(nl, &rules[i], &error)) {
            g_message("%s", error->message);
        }
    }
    g_autoptr(GError) error = NULL;
    if (!netlink_table_prune(nl, FAMILY_IPV6, table_of(number), is_wanted, NULL, &error)) {
        g_message("%s", error->message);
    }
}
