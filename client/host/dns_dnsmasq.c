/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gio/gio.h>

#include "common/i18n.h"
#include "host/dns_bus.h"

/*
 * The dnsmasq that NetworkManager starts (dns=dnsmasq). Each call replaces every server that came
 * by the bus, NetworkManager's and those of other tunnels: ours are told together with theirs, and
 * again whenever NetworkManager has told its own.
 */
#define NAME "org.freedesktop.NetworkManager.dnsmasq"
#define PATH "/uk/org/thekelleys/dnsmasq"
#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"
#define DNS_MANAGER NM ".DnsManager"
#define DNS_MANAGER_PATH NM_PATH "/DnsManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define RELOAD_DNS 2u /* NetworkManager tells its plugin and writes its file anew */

#define KEY "dnsmasq" /* in the undo record: "SERVER [DOMAIN…];…" */

static enum dns_reach reach(void)
{
    static const char *const local[] = {"127.0.0.1", "127.0.1.1", "::1", NULL};
    return dns_file_names(local) ? DNS_EVERYBODY : DNS_NOBODY;
}

/* ---- the list ---- */

static void add_entry(GVariantBuilder *list, const char *server, const char *const *names)
{
    g_variant_builder_open(list, G_VARIANT_TYPE_STRING_ARRAY);
    g_variant_builder_add(list, "s", server);
    for (; names && *names; names++) {
        g_variant_builder_add(list, "s", *names);
    }
    g_variant_builder_close(list);
}

/* Of every tunnel that lives. TRUE when one takes all names. */
static gboolean add_tunnels(GVariantBuilder *list, guint *n)
{
    g_autoptr(GPtrArray) records = record_list();
    gboolean all = FALSE;
    for (guint i = 0; i < records->len; i++) {
        g_autofree char *text = record_get(records->pdata[i], "undo", KEY);
        g_auto(GStrv) entries = g_strsplit(text ? text : "", ";", 0);
        for (char **entry = entries; *entry && record_alive(records->pdata[i]); entry++) {
            g_auto(GStrv) words = g_strsplit(*entry, " ", 0);
            if (words[0] && *words[0]) {
                add_entry(list, words[0], (const char *const *)words + 1);
                all |= !words[1];
                (*n)++;
            }
        }
    }
    return all;
}

/* One of NetworkManager's: those of a VPN are for its domains. */
static void add_uplink(GVariantBuilder *list, GVariant *entry)
{
    g_autofree const char **servers = NULL, **names = NULL;
    const char *interface = NULL;
    gboolean vpn = FALSE;
    g_variant_lookup(entry, "nameservers", "^a&s", &servers);
    g_variant_lookup(entry, "domains", "^a&s", &names);
    g_variant_lookup(entry, "interface", "&s", &interface);
    g_variant_lookup(entry, "vpn", "b", &vpn);
    for (const char **server = servers; server && *server; server++) {
        g_autofree char *bound =
            interface && *interface ? g_strdup_printf("%s@%s", *server, interface)
                                    : g_strdup(*server);
        add_entry(list, bound, vpn ? names : NULL);
    }
}

/* Everything that dnsmasq is to know; NULL when what is not the tunnels' is not known.
 * `configuration` is NetworkManager's, or NULL; *n counts the tunnels' servers. */
static GVariant *compose(GVariant *configuration, guint *n)
{
    GVariantBuilder list;
    *n = 0;
    g_variant_builder_init(&list, G_VARIANT_TYPE("aas"));
    if (!add_tunnels(&list, n)) {
        if (!configuration || !g_variant_is_of_type(configuration, G_VARIANT_TYPE("aa{sv}"))) {
            g_variant_builder_clear(&list);
            return NULL;
        }
        GVariantIter iter;
        g_autoptr(GVariant) entry = NULL;
        g_variant_iter_init(&iter, configuration);
        while ((entry = g_variant_iter_next_value(&iter))) {
            add_uplink(&list, entry);
            g_clear_pointer(&entry, g_variant_unref);
        }
    }
    return g_variant_new("(@aas)", g_variant_builder_end(&list));
}

static char *own_entries(const struct dns_target *target)
{
    const struct dns_plan *plan = target->plan;
    GString *text = g_string_new(NULL);
    char server[ADDR_TEXT_MAX];
    for (size_t i = 0; i < plan->n_servers; i++) {
        /* By the tunnel's interface alone, whatever the routes are. */
        g_string_append_printf(text, "%s%s@%s", i ? ";" : "", addr_text(&plan->servers[i], server),
                               target->interface);
        for (size_t d = 0; !plan->all && d < plan->n_domains; d++) {
            g_string_append_printf(text, " %s", plan->domains[d]);
        }
    }
    return g_string_free(text, FALSE);
}

/* ---- */

static void got_configuration(struct dns_bus *bus, GVariant *configuration)
{
    guint n;
    GVariant *list = compose(configuration, &n);
    if (list) {
        dns_bus_call(bus, PATH, NAME, "SetServersEx", list, TRUE);
    } else {
        dns_bus_fail(bus, _("NetworkManager does not tell its servers"));
    }
}

static void come(struct dns_bus *bus)
{
    dns_bus_get(bus, NM, DNS_MANAGER_PATH, DNS_MANAGER, "Configuration", got_configuration);
}

static const struct dns_service service = {
    .bus_name = NAME,
    .name = "NetworkManager's dnsmasq",
    .followed_name = NM,
    .followed_path = DNS_MANAGER_PATH,
    .followed_interface = DNS_MANAGER,
    .come = come,
};

static void *start(const struct dns_target *target, dns_told told, void *context)
{
    g_autofree char *entries = own_entries(target);
    g_autoptr(GError) error = NULL;
    record_set(target->record, "undo", KEY, entries);
    if (!record_save(target->record, &error)) {
        told(context, FALSE, error->message);
        return NULL;
    }
    return dns_bus_new(&service, target, told, context);
}

static void stop(void *way)
{
    dns_bus_free(way);
}

/* ---- the end ---- */

/* NetworkManager's, as far as it answers in time; NULL = it does not. */
static GVariant *configuration_now(GDBusConnection *connection)
{
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        connection, NM, DNS_MANAGER_PATH, PROPERTIES, "Get",
        g_variant_new("(ss)", DNS_MANAGER, "Configuration"), G_VARIANT_TYPE("(v)"),
        G_DBUS_CALL_FLAGS_NO_AUTO_START, DNS_PATIENCE, NULL, NULL);
    if (reply) {
        g_variant_get(reply, "(v)", &value);
    }
    return g_steal_pointer(&value);
}

/* Without other tunnels NetworkManager tells its own anew. */
static void revert(struct record *record)
{
    guint n;
    g_autoptr(GDBusConnection) connection = dns_bus_now();
    record_set(record, "undo", KEY, "");
    (void)record_save(record, NULL);
    if (!connection) {
        return;
    }
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    g_autoptr(GVariant) configuration = configuration_now(connection);
    GVariant *list = compose(configuration, &n);
    if (list && n > 0) {
        g_dbus_connection_call(connection, NAME, PATH, NAME, "SetServersEx", list, NULL,
                               G_DBUS_CALL_FLAGS_NO_AUTO_START, DNS_PATIENCE, NULL, NULL, NULL);
    } else {
        g_clear_pointer(&list, g_variant_unref);
        g_dbus_connection_call(connection, NM, NM_PATH, NM, "Reload",
                               g_variant_new("(u)", RELOAD_DNS), NULL,
                               G_DBUS_CALL_FLAGS_NO_AUTO_START, DNS_PATIENCE, NULL, NULL, NULL);
    }
    (void)g_dbus_connection_flush_sync(connection, NULL, NULL);
}

const struct dns_backend dns_dnsmasq = {
    .id = "dnsmasq",
    .name = "NetworkManager's dnsmasq",
    .reach = reach,
    .start = start,
    .stop = stop,
    .revert = revert,
};
