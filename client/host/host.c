/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host.h"

#include <net/if.h>

#include "common/i18n.h"
#include "host/firewall.h"
#include "host/netlink.h"
#include "host/record.h"
#include "host/resolv.h"
#include "host/routing.h"
#include "host/uplink_routes.h"

struct host {
    struct record *record;
    char *interface;
    int ifindex;
    char *dns_method;
    gboolean reverted;
    struct routing *routing;  /* NULL until host_apply() */
    struct net_config config; /* that is applied */
    struct host_options options;
    struct network network;
};

/* All but the firewall. FALSE for a record of another network namespace: what it describes cannot
 * be reached from here. */
static gboolean revert_changes(struct record *record, struct netlink *nl)
{
    gboolean here = record_here(record) && nl;
    resolv_revert(record);
    if (here) {
        uplink_routes_revert(record, nl);
        routing_revert(record, nl);
    }
    return here;
}

/* Needs the lock. */
static void revert_record(struct record *record, struct netlink *nl)
{
    g_autoptr(GError) error = NULL;
    if (revert_changes(record, nl)) {
        if (!firewall_revert(record, &error)) {
            g_message("%s", error->message);
        }
        record_remove(record);
    }
}

static struct netlink *netlink_open_or_say(void)
{
    g_autoptr(GError) error = NULL;
    struct netlink *nl = netlink_open(&error);
    if (!nl) {
        g_message("%s", error->message);
    }
    return nl;
}

/* Needs the lock. The kill switch of a session that is begun again under its `name` (NULL = none
 * is) holds on until that one changes it: its record is *dead then, else NULL. */
static guint clean_dead(const char *name, struct record **dead)
{
    g_autoptr(GPtrArray) records = record_list();
    struct netlink *nl = NULL;
    guint cleaned = 0;
    *dead = NULL;
    for (guint i = 0; i < records->len; i++) {
        struct record *record = records->pdata[i];
        if (record_alive(record)) {
            continue;
        }
        nl = nl ? nl : netlink_open_or_say();
        if (g_strcmp0(record_name(record), name) == 0 && firewall_has_switch(record)) {
            (void)revert_changes(record, nl);
            *dead = g_steal_pointer(&records->pdata[i]);
        } else {
            revert_record(record, nl);
        }
        cleaned++;
    }
    netlink_close(nl);
    return cleaned;
}

guint host_clean_leftovers(void)
{
    g_autoptr(GError) error = NULL;
    if (!g_file_test(RUNDIR, G_FILE_TEST_IS_DIR)) {
        return 0;
    }
    int lock = record_lock(&error);
    if (lock < 0) {
        g_message("%s", error->message);
        return 0;
    }
    struct record *none;
    guint cleaned = clean_dead(NULL, &none);
    record_unlock(lock);
    return cleaned;
}

struct host *host_new(const char *session_name, const char *interface, GError **error)
{
    struct host *host = g_new0(struct host, 1);
    int lock = record_lock(error);
    if (lock < 0) {
        g_free(host);
        return NULL;
    }
    struct record *dead;
    clean_dead(session_name, &dead);
    host->record = record_new(session_name, error);
    host->interface = g_strdup(interface);
    host->ifindex = (int)if_nametoindex(interface);
    if (host->record) {
        record_set(host->record, "status", "interface", interface);
        record_set_number(host->record, "undo", "ifindex", (guint64)host->ifindex);
        if (dead) {
            firewall_inherit(host->record, dead);
        }
    }
    record_free(dead);
    if (!host->record || !record_save(host->record, error)) {
        g_clear_pointer(&host, host_free);
    }
    record_unlock(lock);
    return host;
}

static void set_dns_method(struct host *host, const char *text)
{
    g_free(host->dns_method);
    host->dns_method = g_strdup(text);
}

static gboolean has_family(const struct net_config *config, enum family family)
{
    gboolean has = FALSE;
    for (size_t i = 0; i < config->n_addresses; i++) {
        has |= config->addresses[i].addr.family == family;
    }
    return has;
}

static void apply_dns(struct host *host, const struct net_config *config, gboolean wanted)
{
    g_autoptr(GError) error = NULL;
    struct addr servers[NET_DNS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < config->n_dns; i++) {
        /* One of a family without internal address could not be asked. */
        if (has_family(config, config->dns[i].family)) {
            servers[n++] = config->dns[i];
        }
    }
    if (!wanted) {
        set_dns_method(host, _("left as it is"));
    } else if (n == 0) {
        set_dns_method(host, _("left as it is: the gateway gave no server"));
    } else if (resolv_apply(host->record, servers, n, config, &error)) {
        set_dns_method(host, "/etc/resolv.conf");
    } else {
        set_dns_method(host, error->message);
    }
}

static gboolean same_dns(const struct net_config *a, const struct net_config *b)
{
    gboolean same = a->n_dns == b->n_dns && a->n_domains == b->n_domains &&
                    has_family(a, FAMILY_IPV4) == has_family(b, FAMILY_IPV4) &&
                    has_family(a, FAMILY_IPV6) == has_family(b, FAMILY_IPV6);
    for (size_t i = 0; same && i < a->n_dns; i++) {
        same = addr_equal(&a->dns[i], &b->dns[i]);
    }
    for (size_t i = 0; same && i < a->n_domains; i++) {
        same = g_str_equal(a->domains[i], b->domains[i]);
    }
    return same;
}

static void change_dns(struct host *host, const struct net_config *config, gboolean wanted,
                       gboolean first)
{
    if (!first && same_dns(&host->config, config)) {
        return;
    }
    if (!first) {
        resolv_revert(host->record);
    }
    apply_dns(host, config, wanted);
}

/* Without a kill switch a host that lacks nftables goes without. */
static gboolean set_firewall(struct host *host, const struct net_config *config,
                             const struct host_options *options, const struct network *network,
                             GError **error)
{
    const struct firewall_wish wish = {host->interface, config, options, network};
    g_autoptr(GError) why = NULL;
    if (firewall_apply(host->record, &wish, &why)) {
        return TRUE;
    }
    if (options->kill_switch != HOST_KILL_SWITCH_OFF) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!host->routing) {
        g_message("%s", why->message);
    }
    return TRUE;
}

gboolean host_apply(struct host *host, const struct net_config *config,
                    const struct host_options *options, GError **error)
{
    struct routing_wish wish = {config, options, &host->network};
    struct netlink *nl = netlink_open(error);
    int lock = nl ? record_lock(error) : -1;
    gboolean first = !host->routing;
    gboolean done = lock >= 0 && set_firewall(host, config, options, &host->network, error) &&
                    routing_apply(host->record, nl, host->ifindex, host->interface, &host->routing,
                                  &wish, error);
    if (done) {
        change_dns(host, config, options->set_dns, first);
        host->config = *config;
        host->options = *options;
    } else if (lock >= 0) {
        revert_record(host->record, nl);
        host->reverted = TRUE;
    }
    record_unlock(lock);
    netlink_close(nl);
    return done;
}

/* The local networks that are let out of the tunnel. */
static gboolean follow_local_networks(struct host *host, struct netlink *nl,
                                      const struct network *network, GError **error)
{
    struct routing_wish wish = {&host->config, &host->options, network};
    return !host->routing || (set_firewall(host, &host->config, &host->options, network, error) &&
                              routing_apply(host->record, nl, host->ifindex, host->interface,
                                            &host->routing, &wish, error));
}

gboolean host_follow_uplinks(struct host *host, const struct network *network, guint32 fwmark,
                             GError **error)
{
    guint32 number;
    struct netlink *nl = netlink_open(error);
    int lock = nl ? record_lock(error) : -1;
    gboolean done = lock >= 0 && routing_number(host->interface, &number, error) &&
                    follow_local_networks(host, nl, network, error) &&
                    firewall_hold_follow(network, error) &&
                    uplink_routes_follow(host->record, nl, number, fwmark, network, error);
    host->network = *network;
    record_unlock(lock);
    netlink_close(nl);
    return done;
}

gboolean host_set_mtu(struct host *host, guint16 mtu, GError **error)
{
    struct netlink *nl = netlink_open(error);
    gboolean done = nl && netlink_link_up(nl, host->ifindex, mtu, error);
    if (done) {
        host->config.mtu = mtu;
    }
    netlink_close(nl);
    return done;
}

const char *host_dns_method(const struct host *host)
{
    return host->dns_method ? host->dns_method : "";
}

void host_record(struct host *host, const char *key, const char *value)
{
    record_set(host->record, "status", key, value);
}

gboolean host_record_save(struct host *host, GError **error)
{
    return record_save(host->record, error);
}

void host_revert(struct host *host)
{
    g_autoptr(GError) error = NULL;
    if (host->reverted) {
        return;
    }
    int lock = record_lock(&error);
    if (lock < 0) {
        g_message("%s", error->message);
    }
    struct netlink *nl = netlink_open_or_say();
    revert_record(host->record, nl);
    host->reverted = TRUE;
    netlink_close(nl);
    record_unlock(lock);
}

void host_free(struct host *host)
{
    if (host) {
        record_free(host->record);
        routing_free(host->routing);
        g_free(host->interface);
        g_free(host->dns_method);
        g_free(host);
    }
}
