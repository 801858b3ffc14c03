/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host.h"

#include <net/if.h>
#include <unistd.h>

#include "common/i18n.h"
#include "host/apps.h"
#include "host/beside_routes.h"
#include "host/dns.h"
#include "host/firewall.h"
#include "host/netlink.h"
#include "host/nft.h"
#include "host/record.h"
#include "host/routing.h"
#include "host/uplink_routes.h"

struct host {
    struct record *record;
    char *interface;
    int ifindex;
    struct dns *dns;
    gboolean hold_dns;
    const char *dns_left; /* why it is left as it is; NULL = it is not */
    void (*dns_changed)(void *context);
    void *dns_context;
    gboolean reverted;
    struct apps *apps;            /* NULL = all use it */
    struct routing *routing;      /* NULL until host_apply() */
    struct beside_routes *beside; /* NULL until host_apply_beside() */
    gboolean walled;              /* the firewall knows `config` and `options` */
    struct net_config config;     /* that is applied */
    struct host_options options;
    struct network network;
};

/* All but the firewall. FALSE for a record of another network namespace: what it describes cannot
 * be reached from here. */
static gboolean revert_changes(struct record *record, struct netlink *nl)
{
    gboolean here = record_here(record) && nl;
    dns_revert(record);
    if (here) {
        uplink_routes_revert(record, nl);
        beside_routes_revert(record, nl);
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

/* ---- what dead processes left behind ---- */

#define NOBODY G_MAXUINT64

static guint64 keeper_of(const struct record *record)
{
    return record_get_number(record, "session", "keeper", NOBODY);
}

/* Whoever keeps the interface may bring it back. Its process is gone, or about to be: it need not
 * have ended when the bus knows that it has left. */
static gboolean is_lent(const struct record *record)
{
    return keeper_of(record) != NOBODY && record_pid(record) != getpid() && record_here(record) &&
           routing_has_interface(record);
}

/* Needs the lock. `lent`: also what waits. */
static guint clean_dead(gboolean lent)
{
    record_remove_halves();
    g_autoptr(GPtrArray) records = record_list();
    struct netlink *nl = NULL;
    guint cleaned = 0;
    for (guint i = 0; i < records->len; i++) {
        struct record *record = records->pdata[i];
        if (record_alive(record) || (!lent && is_lent(record))) {
            continue;
        }
        nl = nl ? nl : netlink_open_or_say();
        revert_record(record, nl);
        cleaned++;
    }
    netlink_close(nl);
    return cleaned;
}

/* Needs the lock. What is left of a session that is begun again under its `name`. Its kill switch
 * holds on until that one changes it: its record is returned then, else NULL. */
static struct record *take_dead(const char *name)
{
    g_autoptr(GPtrArray) records = record_list();
    struct record *dead = NULL;
    for (guint i = 0; i < records->len && !dead; i++) {
        struct record *record = records->pdata[i];
        if (!record_alive(record) && g_str_equal(record_name(record), name)) {
            dead = g_steal_pointer(&records->pdata[i]);
        }
    }
    if (dead) {
        struct netlink *nl = netlink_open_or_say();
        if (firewall_has_switch(dead)) {
            (void)revert_changes(dead, nl);
        } else {
            revert_record(dead, nl);
            g_clear_pointer(&dead, record_free);
        }
        netlink_close(nl);
    }
    return dead;
}

static guint clean(gboolean lent)
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
    guint cleaned = clean_dead(lent);
    record_unlock(lock);
    return cleaned;
}

guint host_clean_leftovers(void)
{
    return clean(FALSE);
}

guint host_clean_lent(void)
{
    return clean(TRUE);
}

/* NULL = none waits. `interface`: NULL = any. */
static struct record *find_lent(const char *interface, guint *n)
{
    g_autoptr(GPtrArray) records = record_list();
    struct record *found = NULL;
    *n = 0;
    for (guint i = 0; i < records->len; i++) {
        struct record *record = records->pdata[i];
        g_autofree char *its = record_get(record, "status", "interface");
        if (!is_lent(record)) {
            continue;
        }
        (*n)++;
        if (!found && g_strcmp0(its, interface) == 0) {
            found = g_steal_pointer(&records->pdata[i]);
        }
    }
    return found;
}

guint host_count_lent(void)
{
    guint n;
    record_free(find_lent(NULL, &n));
    return n;
}

char *host_lent_name(const char *interface)
{
    guint n;
    struct record *record = find_lent(interface, &n);
    char *name = record ? g_strdup(record_name(record)) : NULL;
    record_free(record);
    return name;
}

static void on_dns_changed(void *context)
{
    struct host *host = context;
    if (host->dns_changed) {
        host->dns_changed(host->dns_context);
    }
}

/* What `dead` knew of its connection, or the one before it. */
static void inherit_facts(struct record *heir, const struct record *dead)
{
    static const char *const keys[] = {"profile-gateway", "asked", "addresses"};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *value = record_get(dead, "status", keys[i]);
        g_autofree char *before = record_get(dead, "inherited", keys[i]);
        if (value || before) {
            record_set(heir, "inherited", keys[i], value ? value : before);
        }
    }
}

char *host_inherited(const struct host *host, const char *key)
{
    return record_get(host->record, "inherited", key);
}

/* Needs the lock. `dead`: NULL, or whose firewall holds on. `keeper`: who has the interface, that
 * of `dead` then; or NOBODY. */
static gboolean start(struct host *host, const char *session_name, const char *interface,
                      const struct record *dead, guint64 keeper, GError **error)
{
    host->record = record_new(session_name, error);
    host->interface = g_strdup(interface);
    host->ifindex = (int)if_nametoindex(interface);
    if (host->record) {
        record_set(host->record, "status", "interface", interface);
        record_set_number(host->record, "undo", "ifindex", (guint64)host->ifindex);
        host->dns = dns_new(host->record, host->interface, host->ifindex, on_dns_changed, host);
        if (dead) {
            firewall_inherit(host->record, dead, keeper != NOBODY);
            inherit_facts(host->record, dead);
        }
        if (keeper != NOBODY) {
            record_set_number(host->record, "session", "keeper", keeper);
        }
    }
    return host->record && record_save(host->record, error);
}

static struct host *begin(const char *session_name, const char *interface,
                          const struct record *dead, guint64 keeper, GError **error)
{
    struct host *host = g_new0(struct host, 1);
    if (!start(host, session_name, interface, dead, keeper, error)) {
        g_clear_pointer(&host, host_free);
    }
    return host;
}

struct host *host_new(const char *session_name, const char *interface, GError **error)
{
    int lock = record_lock(error);
    if (lock < 0) {
        return NULL;
    }
    struct record *dead = take_dead(session_name);
    struct host *host = begin(session_name, interface, dead, NOBODY, error);
    record_free(dead);
    record_unlock(lock);
    return host;
}

struct host *host_adopt(const char *session_name, const char *interface, uid_t keeper,
                        GError **error)
{
    struct host *host = NULL;
    guint n;
    int lock = record_lock(error);
    if (lock < 0) {
        return NULL;
    }
    struct record *dead = find_lent(interface, &n);
    if (dead && keeper_of(dead) == keeper && g_str_equal(record_name(dead), session_name)) {
        struct netlink *nl = netlink_open_or_say();
        (void)revert_changes(dead, nl);
        netlink_close(nl);
        record_remove(dead);
        host = begin(session_name, interface, dead, keeper, error);
    } else {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG, _("No connection left %s behind."),
                    interface);
    }
    record_free(dead);
    record_unlock(lock);
    return host;
}

gboolean host_renew(struct host *host, const char *interface, GError **error)
{
    int lock = record_lock(error);
    if (lock < 0) {
        return FALSE;
    }
    struct netlink *nl = netlink_open_or_say();
    struct record *dead = host->record;
    g_clear_pointer(&host->dns, dns_free);
    (void)revert_changes(dead, nl);
    netlink_close(nl);
    record_remove(dead);
    g_clear_pointer(&host->routing, routing_free);
    g_clear_pointer(&host->beside, beside_routes_free);
    g_clear_pointer(&host->interface, g_free);
    host->walled = FALSE;
    gboolean done = start(host, record_name(dead), interface, dead, NOBODY, error);
    if (host->record) {
        record_free(dead);
    } else {
        host->record = dead;
        host->dns = dns_new(dead, host->interface, host->ifindex, on_dns_changed, host);
    }
    record_unlock(lock);
    return done;
}

gboolean host_lend(struct host *host, uid_t keeper, GError **error)
{
    record_set_number(host->record, "session", "keeper", keeper);
    return host_record_save(host, error);
}

void host_prepare(void)
{
    firewall_prepare();
}

void host_make_room(void)
{
    nft_make_room();
}

static gboolean has_family(const struct net_config *config, enum family family)
{
    gboolean has = FALSE;
    for (size_t i = 0; i < config->n_addresses; i++) {
        has |= config->addresses[i].addr.family == family;
    }
    return has;
}

/* A server that the tunnel does not carry would be asked beside it. */
static gboolean can_be_asked(const struct net_config *config, const struct host_options *options,
                             const struct addr *server)
{
    return (options->full_tunnel || net_config_carries(config, server)) &&
           has_family(config, server->family);
}

/* NULL, or why DNS is left as it is. */
static const char *plan_dns(const struct net_config *config, const struct host_options *options,
                            struct dns_plan *plan)
{
    gboolean none = config->n_domains == 0;
    memset(plan, 0, sizeof *plan);
    if (options->dns == HOST_DNS_OFF) {
        return _("left as it is");
    }
    if (options->dns == HOST_DNS_DOMAINS && none) {
        return _("left as it is: there are no domains");
    }
    plan->all = options->dns == HOST_DNS_ALL ||
                (options->dns == HOST_DNS_AUTO && (options->full_tunnel || none));
    plan->strict = options->dns == HOST_DNS_DOMAINS;
    plan->exempt = options->own_domains;
    for (size_t i = 0; i < config->n_dns; i++) {
        if (can_be_asked(config, options, &config->dns[i])) {
            plan->servers[plan->n_servers++] = config->dns[i];
        }
    }
    for (; plan->n_servers > 0 && plan->n_domains < config->n_domains; plan->n_domains++) {
        g_strlcpy(plan->domains[plan->n_domains], config->domains[plan->n_domains], NET_DOMAIN_LEN);
    }
    return plan->n_servers > 0  ? NULL
           : config->n_dns == 0 ? _("left as it is: the gateway gave no server")
                                : _("left as it is: the tunnel does not reach the servers");
}

/* Without a kill switch, and when all programs use the tunnel, a host that lacks nftables goes
 * without. */
static gboolean set_firewall(struct host *host, const struct net_config *config,
                             const struct host_options *options, const struct network *network,
                             GError **error)
{
    const char *apps = host->apps ? apps_groups(host->apps) : "";
    struct firewall_wish wish = {.interface = host->interface,
                                 .config = config,
                                 .options = options,
                                 .network = network,
                                 .hold_dns = host->hold_dns,
                                 .apps = apps};
    guint32 number = 0;
    if (options->apps == HOST_APPS_ONLY && !routing_number(host->interface, &number, error)) {
        return FALSE;
    }
    wish.only_mark = HOST_FWMARK_ONLY + number;
    g_autoptr(GError) why = NULL;
    if (firewall_apply(host->record, &wish, &why)) {
        return TRUE;
    }
    if (options->kill_switch != HOST_KILL_SWITCH_OFF || options->apps != HOST_APPS_ALL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (!host->walled) {
        g_message("%s", why->message);
    }
    return TRUE;
}

/* ---- applications ---- */

static void on_apps(void *context)
{
    struct host *host = context;
    g_autoptr(GError) error = NULL;
    if (host->routing && !host_follow_firewall(host, &error)) {
        g_message("%s", error->message);
    }
}

/* With the same options nothing is done. */
static gboolean follow_apps(struct host *host, struct host_options *options, GError **error)
{
    static const char *const none[] = {NULL};
    if (options->apps == HOST_APPS_ALL && host->apps) {
        options->apps = HOST_APPS_EXCEPT; /* programs that were let out later */
    } else if (options->apps != HOST_APPS_ALL && !host->apps) {
        host->apps = apps_new(options->app_names ? options->app_names : none, options->app_owner,
                              on_apps, host, error);
    }
    options->app_names = NULL;
    return options->apps == HOST_APPS_ALL || host->apps;
}

/* What else there is stays, also when that fails. */
static gboolean set_apps(struct host *host, const struct host_options *options, GError **error)
{
    struct routing_wish wish = {&host->config, options, &host->network};
    struct netlink *nl = netlink_open(error);
    int lock = nl ? record_lock(error) : -1;
    gboolean done = lock >= 0 &&
                    set_firewall(host, &host->config, options, &host->network, error) &&
                    routing_apply(host->record, nl, host->ifindex, host->interface, &host->routing,
                                  &wish, error);
    if (done) {
        host->options = *options;
    }
    record_unlock(lock);
    netlink_close(nl);
    return done;
}

gboolean host_add_app(struct host *host, const char *group, gboolean inside, GError **error)
{
    struct host_options options = host->options;
    if (!host->routing || inside != (options.apps == HOST_APPS_ONLY)) {
        g_set_error_literal(error, HOST_ERROR, HOST_ERROR_CONFIG,
                            !host->routing ? _("Nothing is connected yet.")
                            : inside ? _("Every program uses this connection: its profile has no "
                                         "include-apps.")
                                     : _("Only some programs use this connection: its profile has "
                                         "include-apps."));
        return FALSE;
    }
    options.apps = inside ? HOST_APPS_ONLY : HOST_APPS_EXCEPT;
    return follow_apps(host, &options, error) && apps_add(host->apps, group, error) &&
           set_apps(host, &options, error);
}

gboolean host_apply(struct host *host, const struct net_config *config,
                    const struct host_options *wanted, GError **error)
{
    struct dns_plan plan;
    struct host_options options = *wanted;
    const char *dns_left = plan_dns(config, &options, &plan);
    struct routing_wish wish = {config, &options, &host->network};
    struct netlink *nl = netlink_open(error);
    int lock = nl ? record_lock(error) : -1;
    host->hold_dns =
        options.full_tunnel && options.apps != HOST_APPS_ONLY && plan.all && plan.n_servers > 0;
    gboolean done = lock >= 0 && follow_apps(host, &options, error) &&
                    set_firewall(host, config, &options, &host->network, error) &&
                    routing_apply(host->record, nl, host->ifindex, host->interface, &host->routing,
                                  &wish, error);
    if (done) {
        host->config = *config;
        host->options = options;
        host->walled = TRUE;
    } else if (lock >= 0) {
        dns_stop(host->dns);
        revert_record(host->record, nl);
        g_clear_pointer(&host->routing, routing_free);
        host->reverted = TRUE;
    }
    record_unlock(lock);
    netlink_close(nl);
    if (done) {
        host->dns_left = dns_left;
        dns_apply(host->dns, &plan);
    }
    return done;
}

static gboolean set_beside(struct host *host, struct netlink *nl, const struct net_config *config,
                           const struct host_options *options, const struct network *network,
                           GError **error)
{
    struct beside_wish wish = {
        .ifindex = host->ifindex, .config = config, .options = options, .network = network};
    return routing_number(host->interface, &wish.number, error) &&
           beside_routes_apply(host->record, nl, &host->beside, &wish, error);
}

gboolean host_apply_beside(struct host *host, const struct net_config *config,
                           const struct host_options *options, GError **error)
{
    struct netlink *nl = netlink_open(error);
    int lock = nl ? record_lock(error) : -1;
    gboolean done = lock >= 0 && set_firewall(host, config, options, &host->network, error) &&
                    beside_addresses_follow(nl, host->ifindex, &host->config, config, error) &&
                    set_beside(host, nl, config, options, &host->network, error);
    if (done) {
        host->config = *config;
        host->options = *options;
        host->options.app_names = NULL;
        host->walled = TRUE;
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
    if (host->beside) {
        return set_beside(host, nl, &host->config, &host->options, network, error);
    }
    return !host->routing || routing_apply(host->record, nl, host->ifindex, host->interface,
                                           &host->routing, &wish, error);
}

gboolean host_follow_uplinks(struct host *host, const struct network *network, guint32 fwmark,
                             GError **error)
{
    guint32 number;
    struct netlink *nl = netlink_open(error);
    int lock = nl ? record_lock(error) : -1;
    gboolean done = lock >= 0 && routing_number(host->interface, &number, error) &&
                    uplink_routes_follow(host->record, nl, number, fwmark, network, error) &&
                    follow_local_networks(host, nl, network, error);
    host->network = *network;
    record_unlock(lock);
    netlink_close(nl);
    return done;
}

gboolean host_mend(struct host *host, gboolean *mended, GError **error)
{
    guint32 number;
    char name[IF_NAMESIZE];
    *mended = FALSE;
    if (!host->routing || !if_indextoname((unsigned)host->ifindex, name)) {
        return TRUE; /* not ours, or another matter */
    }
    struct netlink *nl = netlink_open(error);
    int lock = nl ? record_lock(error) : -1;
    gboolean done = lock >= 0 && follow_local_networks(host, nl, &host->network, error);
    *mended = done && netlink_added(nl) > 0;
    if (done && routing_number(host->interface, &number, NULL)) {
        /* Who cannot follow uplinks has been told so. */
        (void)uplink_routes_follow(host->record, nl, number, HOST_FWMARK_DEFAULT, &host->network,
                                   NULL);
    }
    record_unlock(lock);
    netlink_close(nl);
    return done;
}

gboolean host_follow_firewall(struct host *host, GError **error)
{
    int lock = record_lock(error);
    gboolean done = lock >= 0 &&
                    (!host->walled ||
                     set_firewall(host, &host->config, &host->options, &host->network, error)) &&
                    firewall_hold_follow(&host->network, error);
    record_unlock(lock);
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

void host_watch_dns(struct host *host, void (*changed)(void *context), void *context)
{
    host->dns_changed = changed;
    host->dns_context = context;
}

gboolean host_dns_pending(const struct host *host)
{
    return dns_pending(host->dns);
}

const char *host_dns_method(const struct host *host)
{
    return host->dns_left ? host->dns_left : dns_method(host->dns);
}

const char *host_dns_answers(const struct host *host)
{
    return dns_answers(host->dns);
}

void host_record(struct host *host, const char *key, const char *value)
{
    record_set(host->record, "status", key, value);
}

gboolean host_record_save(struct host *host, GError **error)
{
    int lock = record_lock(error);
    gboolean saved = lock >= 0 && record_save(host->record, error);
    record_unlock(lock);
    return saved;
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
    dns_stop(host->dns);
    revert_record(host->record, nl);
    host->reverted = TRUE;
    netlink_close(nl);
    record_unlock(lock);
}

void host_free(struct host *host)
{
    if (host) {
        dns_free(host->dns);
        apps_free(host->apps);
        record_free(host->record);
        routing_free(host->routing);
        beside_routes_free(host->beside);
        g_free(host->interface);
        g_free(host);
    }
}
