/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <net/if.h>

#include "host/dns.h"
#include "host/host.h"
#include "host/netlink.h"
#include "host/record.h"
#include "session/session.h"

guint session_clean_leftovers(void)
{
    return host_clean_leftovers();
}

guint session_count_lent(void)
{
    return host_count_lent();
}

guint session_clean_lent(void)
{
    return host_clean_lent();
}

void session_make_room(void)
{
    host_make_room();
}

guint session_leftovers(void)
{
    g_autoptr(GPtrArray) records = record_list();
    guint n = 0;
    for (guint i = 0; i < records->len; i++) {
        n += !record_alive(records->pdata[i]);
    }
    return n;
}

const char *session_dns_way(void)
{
    return dns_way_now();
}

void session_record_free(struct session_record *record)
{
    if (record) {
        g_free(record->name);
        g_free(record->interface);
        g_free(record->gateway);
        g_free(record->gateway_id);
        g_free(record->state);
        g_free(record->why);
        g_strfreev(record->dns_servers);
        g_free(record->dns_method);
        g_free(record->dns_answers);
        g_strfreev(record->addresses);
        g_free(record);
    }
}

static void read_counters(struct netlink *nl, int ifindex, struct session_record *out)
{
    struct link_counters counters;
    if (nl && ifindex > 0 && netlink_link_counters(nl, ifindex, &counters, NULL)) {
        out->rx_octets = counters.rx_octets;
        out->tx_octets = counters.tx_octets;
        out->rx_packets = counters.rx_packets;
        out->tx_packets = counters.tx_packets;
    }
}

gboolean session_traffic(const char *interface, struct session_traffic *out)
{
    struct link_counters counters;
    int ifindex = (int)if_nametoindex(interface);
    struct netlink *nl = ifindex > 0 ? netlink_open(NULL) : NULL;
    gboolean known = nl && netlink_link_counters(nl, ifindex, &counters, NULL);
    if (known) {
        *out = (struct session_traffic){counters.rx_octets, counters.rx_packets, counters.tx_octets,
                                        counters.tx_packets};
    }
    netlink_close(nl);
    return known;
}

static struct session_record *read_one(const struct record *record, struct netlink *nl)
{
    struct session_record *out = g_new0(struct session_record, 1);
    g_autofree char *addresses = record_get(record, "status", "addresses");
    g_autofree char *dns_servers = record_get(record, "status", "dns-servers");
    out->name = g_strdup(record_name(record));
    out->interface = record_get(record, "status", "interface");
    out->gateway = record_get(record, "status", "gateway");
    out->gateway_id = record_get(record, "status", "gateway-id");
    out->state = record_get(record, "status", "state");
    out->why = record_get(record, "status", "why");
    out->addresses = g_strsplit(addresses, " ", 0);
    out->dns_method = record_get(record, "status", "dns");
    out->dns_servers = g_strsplit(dns_servers ? dns_servers : "", " ", 0);
    out->dns_answers = record_get(record, "status", "dns-answers");
    out->since = (gint64)record_get_number(record, "status", "since", 0);
    out->pid = record_pid(record);
    if (record_here(record)) {
        read_counters(nl, (int)record_get_number(record, "undo", "ifindex", 0), out);
    }
    return out;
}

GPtrArray *session_records(void)
{
    GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)session_record_free);
    g_autoptr(GPtrArray) records = record_list();
    struct netlink *nl = records->len > 0 ? netlink_open(NULL) : NULL;
    for (guint i = 0; i < records->len; i++) {
        const struct record *record = records->pdata[i];
        g_autofree char *addresses = record_get(record, "status", "addresses");
        /* Without addresses it is still connecting. */
        if (addresses && record_alive(record)) {
            g_ptr_array_add(out, read_one(record, nl));
        }
    }
    netlink_close(nl);
    return out;
}
