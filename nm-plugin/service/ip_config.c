/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/service/ip_config.h"

#include <NetworkManager.h>
#include <string.h>

#include "common/addr.h"

/* The first prefix of the family; FALSE = there is none. */
static gboolean first_of(const char *const *texts, enum family family, struct prefix *out)
{
    for (; texts && *texts; texts++) {
        if (prefix_parse(out, *texts, true) && out->addr.family == family) {
            return TRUE;
        }
    }
    return FALSE;
}

static guint32 word(const struct addr *addr)
{
    guint32 network_order;
    memcpy(&network_order, addr->octets, sizeof network_order);
    return network_order;
}

/* An address as NetworkManager wants it: u in network order, or ay. */
static GVariant *address_variant(const struct addr *addr)
{
    return addr->family == FAMILY_IPV4
               ? g_variant_new_uint32(word(addr))
               : g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, addr->octets, 16, 1);
}

/* Whether the tunnel's servers are to be asked anything, as the profile's key "dns" says. */
static gboolean asks_servers(Vpn1Session *session, const char *dns)
{
    const char *const *domains = vpn1_session_get_domains(session);
    return !g_str_equal(dns, "off") && (!g_str_equal(dns, "domains") || (domains && *domains));
}

static GVariant *dns_variant(Vpn1Session *session, enum family family, const char *dns)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(family == FAMILY_IPV4 ? "au" : "aay"));
    const char *const *text = asks_servers(session, dns) ? vpn1_session_get_dns(session) : NULL;
    for (; text && *text; text++) {
        struct addr addr;
        if (addr_parse(&addr, *text) && addr.family == family) {
            g_variant_builder_add_value(&builder, address_variant(&addr));
        }
    }
    return g_variant_builder_end(&builder);
}

/* Those of the gateway are searched and asked of it; "~." are all, which are only asked of it. */
static GVariant *domains_variant(Vpn1Session *session, const char *dns)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_STRING_ARRAY);
    const char *const *domain =
        asks_servers(session, dns) ? vpn1_session_get_domains(session) : NULL;
    for (; domain && *domain; domain++) {
        g_variant_builder_add(&builder, "s", *domain);
    }
    if (g_str_equal(dns, "all")) {
        g_variant_builder_add(&builder, "s", "~.");
    }
    return g_variant_builder_end(&builder);
}

/* (address, prefix, next hop, metric) */
static GVariant *route_variant(const struct prefix *route)
{
    static const guint8 nowhere[16];
    if (route->addr.family == FAMILY_IPV4) {
        const guint32 row[] = {word(&route->addr), route->len, 0, 0};
        return g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32, row, G_N_ELEMENTS(row),
                                         sizeof row[0]);
    }
    return g_variant_new("(@ayu@ayu)", address_variant(&route->addr), (guint32)route->len,
                         g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, nowhere, sizeof nowhere, 1),
                         0U);
}

static gboolean is_carried(Vpn1Session *session, const struct addr *addr)
{
    for (const char *const *text = vpn1_session_get_routes(session); text && *text; text++) {
        struct prefix route;
        if (prefix_parse(&route, *text, true) && route.addr.family == addr->family &&
            prefix_contains(&route, addr)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* A route to everywhere, which only a full tunnel has, is told by "never-default". Name servers
 * have routes of their own: a network of the host's that has such an address must not get the
 * questions.
 */
static GVariant *routes_variant(Vpn1Session *session, enum family family, const char *dns)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(family == FAMILY_IPV4 ? "aau" : "a(ayuayu)"));
    for (const char *const *text = vpn1_session_get_routes(session); text && *text; text++) {
        struct prefix route;
        if (prefix_parse(&route, *text, true) && route.addr.family == family && route.len > 0) {
            g_variant_builder_add_value(&builder, route_variant(&route));
        }
    }
    const char *const *server = asks_servers(session, dns) ? vpn1_session_get_dns(session) : NULL;
    for (; server && *server; server++) {
        struct prefix route = {.len = addr_bits(family)};
        if (addr_parse(&route.addr, *server) && route.addr.family == family &&
            is_carried(session, &route.addr)) {
            g_variant_builder_add_value(&builder, route_variant(&route));
        }
    }
    return g_variant_builder_end(&builder);
}

/* The address for itself: what else of its network is in the tunnel, the routes say. */
static GVariant *config_of(Vpn1Session *session, enum family family, const char *dns)
{
    struct prefix address;
    if (!first_of(vpn1_session_get_addresses(session), family, &address)) {
        return NULL;
    }
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_ADDRESS,
                          address_variant(&address.addr));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_PREFIX,
                          g_variant_new_uint32(addr_bits(family)));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_DNS,
                          dns_variant(session, family, dns));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_DOMAINS,
                          domains_variant(session, dns));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_ROUTES,
                          routes_variant(session, family, dns));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_NEVER_DEFAULT,
                          g_variant_new_boolean(!vpn1_session_get_full_tunnel(session)));
    return g_variant_builder_end(&builder);
}

GVariant *ip_config_4(Vpn1Session *session, const char *dns)
{
    return config_of(session, FAMILY_IPV4, dns);
}

GVariant *ip_config_6(Vpn1Session *session, const char *dns)
{
    return config_of(session, FAMILY_IPV6, dns);
}

static gboolean gateway_address(Vpn1Session *session, struct addr *out)
{
    const char *text = vpn1_session_get_gateway_address(session);
    struct endpoint endpoint;
    if (text && endpoint_parse(&endpoint, text)) {
        *out = endpoint.addr;
        return TRUE;
    }
    return text && addr_parse(out, text);
}

GVariant *ip_config_general(Vpn1Session *session, gboolean ip4, gboolean ip6)
{
    GVariantBuilder builder;
    struct addr gateway;
    const char *banner = vpn1_session_get_banner(session);
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_CONFIG_TUNDEV,
                          g_variant_new_string(vpn1_session_get_interface(session)));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_CONFIG_MTU,
                          g_variant_new_uint32(vpn1_session_get_mtu(session)));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_CONFIG_HAS_IP4,
                          g_variant_new_boolean(ip4));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_CONFIG_HAS_IP6,
                          g_variant_new_boolean(ip6));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_CAN_PERSIST, g_variant_new_boolean(TRUE));
    if (gateway_address(session, &gateway)) {
        g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_CONFIG_EXT_GATEWAY,
                              address_variant(&gateway));
    }
    if (banner && *banner != '\0') {
        g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_CONFIG_BANNER,
                              g_variant_new_string(banner));
    }
    return g_variant_builder_end(&builder);
}
