/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/netlink.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "common/i18n.h"
#include "host/host.h"

struct netlink {
    struct nl_sock *socket;
    guint added;
};

static gboolean fail(GError **error, const char *what, int nl_error)
{
    gboolean denied = nl_error == -NLE_PERM || nl_error == -NLE_NOACCESS;
    g_set_error(error, HOST_ERROR, denied ? HOST_ERROR_PERMISSION : HOST_ERROR_CONFIG, "%s: %s.",
                what, nl_geterror(nl_error));
    return FALSE;
}

struct netlink *netlink_open(GError **error)
{
    struct netlink *nl = g_new0(struct netlink, 1);
    int err = -NLE_NOMEM;
    nl->socket = nl_socket_alloc();
    if (nl->socket) {
        err = nl_connect(nl->socket, NETLINK_ROUTE);
    }
    if (err >= 0) {
        /* So that dumps are filtered by the kernel. */
        const int on = 1;
        (void)setsockopt(nl_socket_get_fd(nl->socket), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
                         sizeof on);
    }
    if (err < 0) {
        fail(error, _("The kernel's routing interface cannot be opened"), err);
        g_clear_pointer(&nl, netlink_close);
    }
    return nl;
}

void netlink_close(struct netlink *nl)
{
    if (!nl) {
        return;
    }
    if (nl->socket) {
        nl_socket_free(nl->socket);
    }
    g_free(nl);
}

static struct nl_msg *message(int type, int flags, void *header, size_t len)
{
    struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
    if (!msg || nlmsg_append(msg, header, len, NLMSG_ALIGNTO) < 0) {
        g_error("out of memory");
    }
    return msg;
}

/* Messages are far below libnl's page, so that a failing put means that memory is out, as with
 * g_malloc(). */
static void put(struct nl_msg *msg, int type, const void *data, size_t len)
{
    if (nla_put(msg, type, (int)len, data) < 0) {
        g_error("out of memory");
    }
}

static void put_u32(struct nl_msg *msg, int type, guint32 value)
{
    put(msg, type, &value, sizeof value);
}

/* Sends, takes over `msg`, waits for the acknowledgement. */
static int request(struct netlink *nl, struct nl_msg *msg)
{
    return nl_send_sync(nl->socket, msg);
}

/* As request(); what is there already is as good. */
static int add(struct netlink *nl, struct nl_msg *msg)
{
    int err = request(nl, msg);
    nl->added += err >= 0;
    return err == -NLE_EXIST ? 0 : err;
}

guint netlink_added(const struct netlink *nl)
{
    return nl->added;
}

static unsigned char af_of(enum family family)
{
    return family == FAMILY_IPV6 ? AF_INET6 : AF_INET;
}

/* ---- reading ---- */

struct dump {
    netlink_entry_cb entry;
    void *context;
};

static int on_entry(struct nl_msg *msg, void *arg)
{
    const struct dump *dump = arg;
    dump->entry(dump->context, nlmsg_hdr(msg));
    return NL_OK;
}

/* `kind` of a route, RTN_UNSPEC = any. */
static struct nl_msg *dump_message(int type, enum family family, guint32 table, guint8 kind)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
    struct ifaddrmsg address = {.ifa_family = AF_UNSPEC};
    struct rtmsg route = {.rtm_family = af_of(family), .rtm_type = kind};
    struct nl_msg *msg;
    if (type == RTM_GETROUTE) {
        msg = message(type, NLM_F_DUMP, &route, sizeof route);
        put_u32(msg, RTA_TABLE, table);
    } else if (type == RTM_GETADDR) {
        msg = message(type, NLM_F_DUMP, &address, sizeof address);
    } else {
        msg = message(type, NLM_F_DUMP, &link, sizeof link);
    }
    return msg;
}

/* Takes over `msg`. */
static gboolean dump_all(struct netlink *nl, struct nl_msg *msg, netlink_entry_cb entry,
                         void *context, GError **error)
{
    struct dump dump = {entry, context};
    nl_socket_modify_cb(nl->socket, NL_CB_VALID, NL_CB_CUSTOM, on_entry, &dump);
    int err = nl_send_auto(nl->socket, msg);
    nlmsg_free(msg);
    if (err >= 0) {
        err = nl_recvmsgs_default(nl->socket);
    }
    nl_socket_modify_cb(nl->socket, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
    /* The kernel makes tables when they get their first route, and families when they are loaded.
     * What changed while it was read is announced, and read again. */
    return err >= 0 || err == -NLE_OBJ_NOTFOUND || err == -NLE_DUMP_INTR || err == -NLE_OPNOTSUPP ||
           fail(error, _("The network's state cannot be read"), err);
}

gboolean netlink_dump(struct netlink *nl, int type, enum family family, guint32 table,
                      netlink_entry_cb entry, void *context, GError **error)
{
    return dump_all(nl, dump_message(type, family, table, RTN_UNICAST), entry, context, error);
}

/* ---- links ---- */

/* Packets, as other links have; a TUN device's own 500 last for 50 ms of a worker that does not get
 * the processor, at 100 Mbit/s. */
#define TX_QUEUE_LEN 1000

gboolean netlink_link_up(struct netlink *nl, int ifindex, guint32 mtu, GError **error)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    struct nl_msg *msg = message(RTM_NEWLINK, 0, &link, sizeof link);
    struct nlattr *spec = nla_nest_start(msg, IFLA_AF_SPEC);
    struct nlattr *inet6 = nla_nest_start(msg, AF_INET6);
    guint8 none = IN6_ADDR_GEN_MODE_NONE;
    put(msg, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
    nla_nest_end(msg, inet6);
    nla_nest_end(msg, spec);
    /* Refused where the host has no IPv6, and then not needed. */
    int err = request(nl, msg);
    if (err < 0) {
        g_debug("link-local addresses stay on: %s", nl_geterror(err));
    }
    link.ifi_flags = IFF_UP;
    link.ifi_change = IFF_UP;
    msg = message(RTM_NEWLINK, 0, &link, sizeof link);
    put_u32(msg, IFLA_MTU, mtu);
    put_u32(msg, IFLA_TXQLEN, TX_QUEUE_LEN);
    err = request(nl, msg);
    return err >= 0 || fail(error, _("The tunnel's interface cannot be set up"), err);
}

gboolean netlink_link_delete(struct netlink *nl, int ifindex, GError **error)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    int err = request(nl, message(RTM_DELLINK, 0, &link, sizeof link));
    return err >= 0 || err == -NLE_NODEV || err == -NLE_OBJ_NOTFOUND ||
           fail(error, _("The tunnel's interface cannot be removed"), err);
}

static int read_counters(struct nl_msg *msg, void *arg)
{
    struct link_counters *out = arg;
    struct nlattr *stats = nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct ifinfomsg), IFLA_STATS64);
    struct rtnl_link_stats64 values;
    if (stats && nla_len(stats) >= (int)sizeof values) {
        memcpy(&values, nla_data(stats), sizeof values);
        *out = (struct link_counters){values.rx_bytes, values.tx_bytes, values.rx_packets,
                                      values.tx_packets};
    }
    return NL_OK;
}

gboolean netlink_link_counters(struct netlink *nl, int ifindex, struct link_counters *out,
                               GError **error)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    struct nl_msg *msg = message(RTM_GETLINK, 0, &link, sizeof link);
    *out = (struct link_counters){0};
    nl_socket_modify_cb(nl->socket, NL_CB_VALID, NL_CB_CUSTOM, read_counters, out);
    int err = nl_send_auto(nl->socket, msg);
    nlmsg_free(msg);
    if (err >= 0) {
        err = nl_recvmsgs_default(nl->socket);
    }
    if (err >= 0) {
        err = nl_wait_for_ack(nl->socket);
    }
    return err >= 0 || fail(error, _("The tunnel's interface cannot be read"), err);
}

static struct nl_msg *address_message(int type, int flags, int ifindex, const struct addr *addr)
{
    struct ifaddrmsg ifa = {
        .ifa_family = af_of(addr->family),
        .ifa_prefixlen = addr_bits(addr->family),
        .ifa_scope = RT_SCOPE_UNIVERSE,
        .ifa_index = (unsigned)ifindex,
    };
    struct nl_msg *msg = message(type, flags, &ifa, sizeof ifa);
    struct bytes octets = addr_bytes(addr);
    put(msg, IFA_LOCAL, octets.data, octets.len);
    put(msg, IFA_ADDRESS, octets.data, octets.len);
    return msg;
}

gboolean netlink_address_add(struct netlink *nl, int ifindex, const struct addr *addr,
                             GError **error)
{
    struct nl_msg *msg = address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, addr);
    /* Nobody else is on the link: duplicate address detection would only delay. */
    put_u32(msg, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
    int err = add(nl, msg);
    return err >= 0 || fail(error, _("An internal address cannot be set"), err);
}

gboolean netlink_address_delete(struct netlink *nl, int ifindex, const struct addr *addr,
                                GError **error)
{
    int err = request(nl, address_message(RTM_DELADDR, 0, ifindex, addr));
    return err >= 0 || err == -NLE_NOADDR ||
           fail(error, _("An internal address cannot be removed"), err);
}

static guint8 type_of(enum route_kind kind)
{
    switch (kind) {
    case ROUTE_LINK:
        return RTN_UNICAST;
    case ROUTE_UNREACHABLE:
        return RTN_UNREACHABLE;
    case ROUTE_THROW:
        return RTN_THROW;
    }
    return RTN_UNSPEC;
}

static struct nl_msg *route_message(int type, int flags, const struct route *route)
{
    const struct prefix *to = &route->to;
    struct bytes octets = addr_bytes(&to->addr), router = addr_bytes(&route->via);
    gboolean on_link =
        route->kind == ROUTE_LINK && to->addr.family == FAMILY_IPV4 && router.len == 0;
    struct rtmsg header = {
        .rtm_family = af_of(to->addr.family),
        .rtm_dst_len = to->len,
        .rtm_table = RT_TABLE_UNSPEC,
        .rtm_protocol = RTPROT_STATIC,
        .rtm_scope = on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
        .rtm_type = type_of(route->kind),
    };
    struct nl_msg *msg = message(type, flags, &header, sizeof header);
    put_u32(msg, RTA_TABLE, route->table);
    if (to->len > 0) {
        put(msg, RTA_DST, octets.data, octets.len);
    }
    if (route->kind == ROUTE_LINK) {
        put_u32(msg, RTA_OIF, (guint32)route->ifindex);
    }
    if (router.len > 0) {
        put(msg, RTA_GATEWAY, router.data, router.len);
    }
    return msg;
}

gboolean netlink_route_add(struct netlink *nl, const struct route *route, GError **error)
{
    char text[ADDR_TEXT_MAX];
    int err = add(nl, route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, route));
    if (err >= 0) {
        return TRUE;
    }
    g_autofree char *what =
        g_strdup_printf(_("The route %s cannot be set"), prefix_text(&route->to, text));
    return fail(error, what, err);
}

gboolean netlink_source_route_add(struct netlink *nl, const struct addr *source, guint32 table,
                                  int ifindex, const struct addr *via, GError **error)
{
    struct rtmsg route = {
        .rtm_family = AF_INET6,
        .rtm_src_len = 128,
        .rtm_table = RT_TABLE_UNSPEC,
        .rtm_protocol = RTPROT_STATIC,
        .rtm_scope = RT_SCOPE_UNIVERSE,
        .rtm_type = RTN_UNICAST,
    };
    struct nl_msg *msg = message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &route, sizeof route);
    struct bytes octets = addr_bytes(source), router = addr_bytes(via);
    put_u32(msg, RTA_TABLE, table);
    put(msg, RTA_SRC, octets.data, octets.len);
    put_u32(msg, RTA_OIF, (guint32)ifindex);
    if (router.len > 0) {
        put(msg, RTA_GATEWAY, router.data, router.len);
    }
    int err = add(nl, msg);
    return err >= 0 || fail(error, _("A route for the other networks of the host cannot be set"), err);
}

/* A dumped route is the request to delete it. */
static void collect(void *context, struct nlmsghdr *entry)
{
    GPtrArray *found = context;
    struct nl_msg *msg = nlmsg_convert(entry);
    if (!msg) {
        g_error("out of memory");
    }
    g_ptr_array_add(found, msg);
}

gboolean netlink_table_prune(struct netlink *nl, enum family family, guint32 table,
                             netlink_kept_cb kept, const void *context, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    struct nl_msg *msg = dump_message(RTM_GETROUTE, family, table, RTN_UNSPEC);
    gboolean done = dump_all(nl, msg, collect, found, error);
    for (guint i = 0; i < found->len; i++) {
        struct nlmsghdr *header = nlmsg_hdr(found->pdata[i]);
        if (kept && kept(context, header)) {
            nlmsg_free(found->pdata[i]);
            continue;
        }
        header->nlmsg_type = RTM_DELROUTE;
        header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
        header->nlmsg_seq = NL_AUTO_SEQ;
        header->nlmsg_pid = NL_AUTO_PORT;
        (void)request(nl, found->pdata[i]); /* one that is gone is as good */
    }
    return done;
}

gboolean netlink_route_delete(struct netlink *nl, const struct route *route, GError **error)
{
    int err = request(nl, route_message(RTM_DELROUTE, 0, route));
    return err >= 0 || err == -NLE_OBJ_NOTFOUND || fail(error, _("A route cannot be removed"), err);
}

static struct nl_msg *rule_message(int type, int flags, const struct rule *rule)
{
    struct bytes to = addr_bytes(&rule->to.addr);
    struct fib_rule_hdr header = {
        .family = af_of(rule->family),
        .dst_len = rule->to.len,
        .table = RT_TABLE_UNSPEC,
        .action = FR_ACT_TO_TBL,
        .flags = rule->not_fwmark ? FIB_RULE_INVERT : 0,
    };
    struct nl_msg *msg = message(type, flags, &header, sizeof header);
    guint8 protocol = RTPROT_STATIC;
    put_u32(msg, FRA_PRIORITY, rule->priority);
    put_u32(msg, FRA_TABLE, rule->table);
    put(msg, FRA_PROTOCOL, &protocol, sizeof protocol);
    if (rule->to.len > 0) {
        put(msg, FRA_DST, to.data, to.len);
    }
    if (rule->fwmark || rule->not_fwmark) {
        put_u32(msg, FRA_FWMARK, rule->fwmark ? rule->fwmark : rule->not_fwmark);
        put_u32(msg, FRA_FWMASK, G_MAXUINT32);
    }
    if (rule->without_default) {
        put_u32(msg, FRA_SUPPRESS_PREFIXLEN, 0);
    }
    return msg;
}

gboolean netlink_rule_add(struct netlink *nl, const struct rule *rule, GError **error)
{
    int err = add(nl, rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule));
    return err >= 0 || fail(error, _("A routing rule cannot be set"), err);
}

gboolean netlink_rule_delete(struct netlink *nl, const struct rule *rule, GError **error)
{
    int err = request(nl, rule_message(RTM_DELRULE, 0, rule));
    return err >= 0 || err == -NLE_OBJ_NOTFOUND || err == -NLE_NOADDR ||
           fail(error, _("A routing rule cannot be removed"), err);
}
