/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/monitor.h"

#include <glib-unix.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "common/i18n.h"
#include "host/host.h"
#include "host/routing.h"
#include "host/uplinks.h"

#define RECEIVE_BUFFER (512 << 10) /* octets; what does not fit is read anew */
#define BURST 256                  /* notifications at a time */

struct monitor {
    struct netlink *nl;        /* to read with */
    struct nl_sock *announced; /* notifications */
    monitor_cb changed;
    void *context;
    GSource *watch, *settled, *gone;
    struct network network;
    enum uplinks_hint hint; /* of what came since the list was read last */
    unsigned link;          /* that is watched, 0 = none */
    gboolean link_removed, disturbed;
    const struct monitor_link_ops *ops;
    void *link_context;
};

static void stop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_clear_pointer(source, g_source_unref);
    }
}

/* ---- telling ---- */

static void tell(struct monitor *monitor, const struct network *now)
{
    guint32 generation = monitor->network.generation + 1;
    stop_source(&monitor->settled);
    monitor->network = *now;
    monitor->network.generation = generation ? generation : 1;
    monitor->changed(monitor->context, &monitor->network);
}

static gboolean read_now(struct monitor *monitor, struct network *now)
{
    g_autoptr(GError) error = NULL;
    *now = (struct network){0};
    monitor->hint = UPLINKS_SAME;
    if (!uplinks_read(monitor->nl, now, &error)) {
        g_message("%s", error->message);
        return FALSE;
    }
    return TRUE;
}

static gboolean on_settled(gpointer data)
{
    struct monitor *monitor = data;
    struct network now;
    stop_source(&monitor->settled);
    if (read_now(monitor, &now) && !uplinks_equal(&monitor->network, &now)) {
        tell(monitor, &now);
    }
    return G_SOURCE_REMOVE;
}

static void settle(struct monitor *monitor)
{
    if (!monitor->settled) {
        monitor->settled = g_timeout_source_new(MONITOR_SETTLE);
        g_source_set_callback(monitor->settled, on_settled, monitor, NULL);
        g_source_attach(monitor->settled, g_main_context_get_thread_default());
    }
}

/* An address comes before its routes; before these it is of no use. */
static gboolean leads_out(const struct network *network)
{
    gboolean any = FALSE;
    for (gsize i = 0; i < network->n && !any; i++) {
        any = network->uplinks[i].has_default;
    }
    return any;
}

static gboolean waits_for_any(const struct monitor *monitor)
{
    return !leads_out(&monitor->network);
}

static void look(struct monitor *monitor)
{
    struct network now;
    if (!read_now(monitor, &now)) {
        settle(monitor);
    } else if (uplinks_lost(&monitor->network, &now) ||
               (waits_for_any(monitor) && leads_out(&now))) {
        tell(monitor, &now);
    } else if (!uplinks_equal(&monitor->network, &now)) {
        settle(monitor);
    }
}

/* ---- listening ---- */

/* Of the link itself: one that leaves a bridge is told so too. */
static gboolean removes(const struct nlmsghdr *header, unsigned link)
{
    const struct ifinfomsg *info = nlmsg_data(header);
    return header->nlmsg_type == RTM_DELLINK && nlmsg_valid_hdr(header, sizeof *info) &&
           info->ifi_family == AF_UNSPEC && (unsigned)info->ifi_index == link;
}

static gboolean is_set_down(struct nlmsghdr *header, unsigned link)
{
    const struct ifinfomsg *info = nlmsg_data(header);
    return nlmsg_valid_hdr(header, sizeof *info) && (unsigned)info->ifi_index == link &&
           (info->ifi_change & IFF_UP) != 0 && (info->ifi_flags & IFF_UP) == 0;
}

static gboolean is_address_of(struct nlmsghdr *header, unsigned link)
{
    const struct ifaddrmsg *info = nlmsg_data(header);
    return nlmsg_valid_hdr(header, sizeof *info) && info->ifa_index == link;
}

static gboolean is_route_of_tunnel(struct nlmsghdr *header)
{
    struct nlattr *table = nlmsg_find_attr(header, sizeof(struct rtmsg), RTA_TABLE);
    return table && routing_owns_table(nla_get_u32(table));
}

/* The kernel tells nothing of the IPv4 routes that go with a link or its last address. */
static gboolean disturbs(struct nlmsghdr *header, unsigned link)
{
    switch (header->nlmsg_type) {
    case RTM_NEWLINK:
        return is_set_down(header, link);
    case RTM_DELADDR:
        return is_address_of(header, link);
    case RTM_DELROUTE:
        return is_route_of_tunnel(header);
    default:
        return header->nlmsg_type == RTM_DELRULE;
    }
}

static int on_notification(struct nl_msg *msg, void *arg)
{
    struct monitor *monitor = arg;
    monitor->hint = MAX(monitor->hint, uplinks_hint(nlmsg_hdr(msg)));
    if (monitor->link != 0) {
        monitor->link_removed |= removes(nlmsg_hdr(msg), monitor->link);
        monitor->disturbed |= disturbs(nlmsg_hdr(msg), monitor->link);
    }
    return NL_OK;
}

static gboolean is_gone(unsigned link)
{
    char name[IF_NAMESIZE];
    return !if_indextoname(link, name);
}

static void tell_removed(struct monitor *monitor)
{
    stop_source(&monitor->gone);
    monitor->link_removed = FALSE;
    monitor->link = 0;
    monitor->ops->removed(monitor->link_context);
}

static gboolean on_announced(int fd, GIOCondition condition, gpointer data)
{
    struct monitor *monitor = data;
    int err = 0;
    (void)fd;
    (void)condition;
    for (int n = 0; n < BURST && err >= 0; n++) {
        err = nl_recvmsgs_default(monitor->announced);
        if (err < 0 && err != -NLE_AGAIN) {
            /* Some were lost: nobody knows which. */
            g_debug("netlink: %s", nl_geterror(err));
            monitor->hint = UPLINKS_FEWER;
            monitor->disturbed = monitor->link != 0;
            monitor->link_removed |= monitor->link != 0 && is_gone(monitor->link);
        }
    }
    if (monitor->disturbed && !monitor->link_removed) {
        monitor->ops->disturbed(monitor->link_context);
    }
    monitor->disturbed = FALSE;
    if (monitor->link_removed) {
        tell_removed(monitor);
    } else if (monitor->hint == UPLINKS_FEWER ||
               (monitor->hint == UPLINKS_OTHER && waits_for_any(monitor))) {
        look(monitor);
    } else if (monitor->hint == UPLINKS_OTHER) {
        settle(monitor);
    }
    return G_SOURCE_CONTINUE;
}

static int subscribe(struct monitor *monitor)
{
    static const int groups[] = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                 RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                                 RTNLGRP_IPV6_RULE};
    int err = -NLE_NOMEM;
    monitor->announced = nl_socket_alloc();
    if (!monitor->announced) {
        return err;
    }
    nl_socket_disable_seq_check(monitor->announced);
    nl_socket_modify_cb(monitor->announced, NL_CB_VALID, NL_CB_CUSTOM, on_notification, monitor);
    err = nl_connect(monitor->announced, NETLINK_ROUTE);
    for (size_t i = 0; i < G_N_ELEMENTS(groups) && err >= 0; i++) {
        err = nl_socket_add_membership(monitor->announced, groups[i]);
    }
    if (err >= 0) {
        err = nl_socket_set_nonblocking(monitor->announced);
    }
    if (err >= 0) {
        (void)nl_socket_set_buffer_size(monitor->announced, RECEIVE_BUFFER, 0);
    }
    return err;
}

struct monitor *monitor_new(monitor_cb changed, void *context, GError **error)
{
    struct monitor *monitor = g_new0(struct monitor, 1);
    monitor->changed = changed;
    monitor->context = context;
    monitor->nl = netlink_open(error);
    if (!monitor->nl) {
        monitor_free(monitor);
        return NULL;
    }
    int err = subscribe(monitor);
    if (err < 0) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG, "%s: %s.",
                    _("Changes of the network cannot be watched"), nl_geterror(err));
        monitor_free(monitor);
        return NULL;
    }
    if (!uplinks_read(monitor->nl, &monitor->network, error)) {
        monitor_free(monitor);
        return NULL;
    }
    monitor->network.generation = 1;
    monitor->watch = g_unix_fd_source_new(nl_socket_get_fd(monitor->announced), G_IO_IN | G_IO_ERR);
    g_source_set_callback(monitor->watch, G_SOURCE_FUNC(on_announced), monitor, NULL);
    g_source_attach(monitor->watch, g_main_context_get_thread_default());
    return monitor;
}

static gboolean on_gone(gpointer data)
{
    tell_removed(data);
    return G_SOURCE_REMOVE;
}

void monitor_watch_link(struct monitor *monitor, unsigned ifindex,
                        const struct monitor_link_ops *ops, void *context)
{
    monitor->link = ifindex;
    monitor->ops = ops;
    monitor->link_context = context;
    if (is_gone(ifindex)) {
        monitor->gone = g_idle_source_new();
        g_source_set_callback(monitor->gone, on_gone, monitor, NULL);
        g_source_attach(monitor->gone, g_main_context_get_thread_default());
    }
}

const struct network *monitor_network(const struct monitor *monitor)
{
    return &monitor->network;
}

void monitor_free(struct monitor *monitor)
{
    if (monitor) {
        stop_source(&monitor->watch);
        stop_source(&monitor->settled);
        stop_source(&monitor->gone);
        if (monitor->announced) {
            nl_socket_free(monitor->announced);
        }
        netlink_close(monitor->nl);
        g_free(monitor);
    }
}
