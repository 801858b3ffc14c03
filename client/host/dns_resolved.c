/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gio/gio.h>
#include <net/if.h>
#include <sys/socket.h>

#include "host/dns_bus.h"

#define NAME "org.freedesktop.resolve1"
#define PATH "/org/freedesktop/resolve1"
#define MANAGER NAME ".Manager"

/* glibc asks it directly: a word "resolve" for hosts. */
static gboolean in_nsswitch(void)
{
    g_autofree char *text = NULL;
    gboolean there = FALSE;
    if (!g_file_get_contents("/etc/nsswitch.conf", &text, NULL, NULL)) {
        return FALSE;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    for (char **line = lines; *line && !there; line++) {
        (*line)[strcspn(*line, "#")] = '\0';
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", 0);
        there = g_strcmp0(words[0], "hosts:") == 0 &&
                g_strv_contains((const char *const *)words, "resolve");
    }
    return there;
}

static enum dns_reach reach(void)
{
    static const char *const stubs[] = {"127.0.0.53", "127.0.0.54", NULL};
    return dns_file_names(stubs) ? DNS_EVERYBODY : in_nsswitch() ? DNS_SOME : DNS_NOBODY;
}

static GVariant *servers(const struct dns_plan *plan)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(iay)"));
    for (size_t i = 0; i < plan->n_servers; i++) {
        const struct addr *addr = &plan->servers[i];
        g_variant_builder_add(&builder, "(i@ay)", addr->family == FAMILY_IPV4 ? AF_INET : AF_INET6,
                              g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, addr->octets,
                                                        addr_len(addr->family), 1));
    }
    return g_variant_builder_end(&builder);
}

/* With every name at the tunnel's servers the domains are for searching; else they tell which
 * names are (RFC 8598 5), and only that. */
static GVariant *domains(const struct dns_plan *plan)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sb)"));
    for (size_t i = 0; i < plan->n_domains; i++) {
        g_variant_builder_add(&builder, "(sb)", plan->domains[i], !plan->all);
    }
    if (plan->all) {
        g_variant_builder_add(&builder, "(sb)", ".", TRUE);
    }
    return g_variant_builder_end(&builder);
}

static GVariant *exempt(const struct dns_plan *plan)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("as"));
    for (size_t i = 0; plan->exempt && i < plan->n_domains; i++) {
        g_variant_builder_add(&builder, "s", plan->domains[i]);
    }
    return g_variant_builder_end(&builder);
}

static void come(struct dns_bus *bus)
{
    const struct dns_target *target = dns_bus_target(bus);
    const struct dns_plan *plan = target->plan;
    gint32 link = target->ifindex;
    const struct {
        const char *method;
        GVariant *arguments;
        gboolean must; /* older ones know not all */
    } calls[] = {
        {"SetLinkDNS", g_variant_new("(i@a(iay))", link, servers(plan)), TRUE},
        {"SetLinkDomains", g_variant_new("(i@a(sb))", link, domains(plan)), TRUE},
        {"SetLinkDefaultRoute", g_variant_new("(ib)", link, plan->all), FALSE},
        {"SetLinkDNSSECNegativeTrustAnchors", g_variant_new("(i@as)", link, exempt(plan)), FALSE},
        {"SetLinkLLMNR", g_variant_new("(is)", link, "no"), FALSE},
        {"SetLinkMulticastDNS", g_variant_new("(is)", link, "no"), FALSE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
        dns_bus_call(bus, PATH, MANAGER, calls[i].method, calls[i].arguments, calls[i].must);
    }
}

static const struct dns_service service = {
    .bus_name = NAME,
    .name = "systemd-resolved",
    .auto_start = TRUE,
    .come = come,
};

static void *start(const struct dns_target *target, dns_told told, void *context)
{
    return dns_bus_new(&service, target, told, context);
}

static void stop(void *way)
{
    dns_bus_free(way);
}

static void on_bus(GObject *source, GAsyncResult *result, gpointer link)
{
    g_autoptr(GDBusConnection) connection = g_bus_get_finish(result, NULL);
    (void)source;
    if (connection) {
        g_dbus_connection_call(connection, NAME, PATH, MANAGER, "RevertLink",
                               g_variant_new("(i)", GPOINTER_TO_INT(link)), NULL,
                               G_DBUS_CALL_FLAGS_NO_AUTO_START, DNS_PATIENCE, NULL, NULL, NULL);
    }
}

/* It forgets a link by itself when that is gone, as ours soon is or has long been; nobody waits,
 * least of all for a bus that hangs. */
static void revert(struct record *record)
{
    gint32 link = (gint32)record_get_number(record, "undo", "ifindex", 0);
    g_autofree char *interface = record_get(record, "status", "interface");
    char name[IF_NAMESIZE];
    if (link <= 0 || !if_indextoname((unsigned)link, name) || g_strcmp0(name, interface) != 0) {
        return;
    }
    g_bus_get(G_BUS_TYPE_SYSTEM, NULL, on_bus, GINT_TO_POINTER(link));
}

const struct dns_backend dns_resolved = {
    .id = "resolved",
    .name = "systemd-resolved",
    .reach = reach,
    .start = start,
    .stop = stop,
    .revert = revert,
};
