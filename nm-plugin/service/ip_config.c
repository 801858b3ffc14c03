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

static GVariant *dns_variant(Vpn1Session *session, enum family family)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(family == FAMILY_IPV4 ? "au" : "aay"));
    for (const char *const *text = vpn1_session_get_dns(session); text && *text; text++) {
        struct addr addr;
        if (addr_parse(&addr, *text) && addr.family == family) {
            g_variant_builder_add_value(&builder, address_variant(&addr));
        }
    }
    return g_variant_builder_end(&builder);
}

/* (address, prefix, next hop, metric) each; a route to everywhere, which only a full tunnel
 * has, is told by "never-default". */
static GVariant *routes_variant(Vpn1Session *session, enum family family)
{
    static const guint8 nowhere[16];
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(family == FAMILY_IPV4 ? "aau" : "a(ayuayu)"));
    for (const char *const *text = vpn1_session_get_routes(session); text && *text; text++) {
        struct prefix route;
        if (!prefix_parse(&route, *text, true) || route.addr.family != family || route.len == 0) {
            continue;
        }
        if (family == FAMILY_IPV4) {
            const guint32 row[] = {word(&route.addr), route.len, 0, 0};
            g_variant_builder_add_value(&builder, g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32,
                                                                            row, G_N_ELEMENTS(row),
                                                                            sizeof row[0]));
        } else {
            g_variant_builder_add(
                &builder, "(@ayu@ayu)", address_variant(&route.addr), (guint32)route.len,
                g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, nowhere, sizeof nowhere, 1), 0U);
        }
    }
    return g_variant_builder_end(&builder);
}

static GVariant *config_of(Vpn1Session *session, enum family family)
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
                          g_variant_new_uint32(address.len));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_DNS,
                          dns_variant(session, family));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_DOMAINS,
                          g_variant_new_strv(vpn1_session_get_domains(session), -1));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_ROUTES,
                          routes_variant(session, family));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_NEVER_DEFAULT,
                          g_variant_new_boolean(!vpn1_session_get_full_tunnel(session)));
    g_variant_builder_add(&builder, "{sv}", NM_VPN_PLUGIN_IP4_CONFIG_PRESERVE_ROUTES,
                          g_variant_new_boolean(TRUE));
    return g_variant_builder_end(&builder);
}

GVariant *ip_config_4(Vpn1Session *session)
{
    return config_of(session, FAMILY_IPV4);
}

GVariant *ip_config_6(Vpn1Session *session)
{
    return config_of(session, FAMILY_IPV6);
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
