/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/net_config_variant.h"

#include "common/i18n.h"
#include "common/log.h"

#define MTU_MIN_IPV4 400  /* what a path of 576 octets (RFC 791) leaves at the least */
#define MTU_MIN_IPV6 1280 /* RFC 8200 5 */
#define LABEL_MAX 63

static GVariant *octets_variant(const struct addr *addr)
{
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, addr->octets, addr_len(addr->family), 1);
}

static GVariant *prefixes_variant(const struct prefix *prefixes, size_t n)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayy)"));
    for (size_t i = 0; i < n; i++) {
        g_variant_builder_add(&builder, "(@ayy)", octets_variant(&prefixes[i].addr),
                              prefixes[i].len);
    }
    return g_variant_builder_end(&builder);
}

GVariant *net_config_to_variant(const struct net_config *config)
{
    GVariantBuilder dict, dns, domains;
    g_variant_builder_init(&dns, G_VARIANT_TYPE("aay"));
    for (size_t i = 0; i < config->n_dns; i++) {
        g_variant_builder_add_value(&dns, octets_variant(&config->dns[i]));
    }
    g_variant_builder_init(&domains, G_VARIANT_TYPE("as"));
    for (size_t i = 0; i < config->n_domains; i++) {
        g_variant_builder_add(&domains, "s", config->domains[i]);
    }
    g_variant_builder_init(&dict, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&dict, "{sv}", "addresses",
                          prefixes_variant(config->addresses, config->n_addresses));
    g_variant_builder_add(&dict, "{sv}", "routes",
                          prefixes_variant(config->routes, config->n_routes));
    g_variant_builder_add(&dict, "{sv}", "dns", g_variant_builder_end(&dns));
    g_variant_builder_add(&dict, "{sv}", "domains", g_variant_builder_end(&domains));
    g_variant_builder_add(&dict, "{sv}", "banner", g_variant_new_string(config->banner));
    g_variant_builder_add(&dict, "{sv}", "joined", g_variant_new_uint16(config->n_joined));
    g_variant_builder_add(&dict, "{sv}", "mtu", g_variant_new_uint16(config->mtu));
    return g_variant_builder_end(&dict);
}

static gboolean addr_from_octets(GVariant *octets, struct addr *out)
{
    gsize n = 0;
    const guint8 *data = g_variant_get_fixed_array(octets, &n, 1);
    if (n != 4 && n != 16) {
        return FALSE;
    }
    *out = addr_of(n == 4 ? FAMILY_IPV4 : FAMILY_IPV6, data);
    return TRUE;
}

static const char *address_fault(const struct prefix *address)
{
    if (address->len == 0) {
        return N_("an internal address has no prefix length");
    }
    if (!addr_is_assignable(&address->addr)) {
        return N_("an internal address is not one that a host may have");
    }
    return NULL;
}

static const char *route_fault(const struct prefix *route)
{
    struct prefix network = *route;
    prefix_mask(&network);
    if (!addr_equal(&network.addr, &route->addr)) {
        return N_("a route has host bits");
    }
    if (!prefix_is_routable(route)) {
        return N_("a route is for loopback, link-local or multicast addresses");
    }
    return NULL;
}

/* Reads a(ayy); `too_many` and what `fault` returns are the sentences. NULL when all is well. */
static const char *prefixes_read(GVariant *array, struct prefix *out, size_t cap, size_t *n,
                                 const char *too_many,
                                 const char *(*fault)(const struct prefix *prefix))
{
    gsize count = g_variant_n_children(array);
    if (count > cap) {
        return too_many;
    }
    for (gsize i = 0; i < count; i++) {
        g_autoptr(GVariant) octets = NULL;
        struct prefix prefix = {0};
        g_variant_get_child(array, i, "(@ayy)", &octets, &prefix.len);
        if (!addr_from_octets(octets, &prefix.addr)) {
            return N_("an address has neither 4 nor 16 octets");
        }
        if (prefix.len > addr_bits(prefix.addr.family)) {
            return N_("a prefix is longer than its address");
        }
        const char *why = fault(&prefix);
        if (why) {
            return why;
        }
        out[i] = prefix;
    }
    *n = count;
    return NULL;
}

static const char *dns_read(GVariant *array, struct net_config *out)
{
    gsize count = g_variant_n_children(array);
    if (count > NET_DNS_MAX) {
        return N_("there are too many DNS servers");
    }
    for (gsize i = 0; i < count; i++) {
        g_autoptr(GVariant) octets = g_variant_get_child_value(array, i);
        /* Without an interface a link-local server cannot be written to resolv.conf. */
        if (!addr_from_octets(octets, &out->dns[i]) || !addr_is_assignable(&out->dns[i])) {
            return N_("a DNS server has no usable address");
        }
    }
    out->n_dns = count;
    return NULL;
}

/* RFC 1123 2.1 names; underscores are met in Active Directory. */
static gboolean is_domain(const char *name)
{
    size_t label = 0, len = strlen(name);
    if (len == 0 || len >= NET_DOMAIN_LEN) {
        return FALSE;
    }
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        gboolean last = i + 1 == len || name[i + 1] == '.';
        if (c == '.') {
            if (label == 0 || i + 1 == len) {
                return FALSE;
            }
            label = 0;
            continue;
        }
        gboolean hyphen_at_edge = c == '-' && (label == 0 || last);
        if (!(g_ascii_isalnum(c) || c == '-' || c == '_') || hyphen_at_edge ||
            ++label > LABEL_MAX) {
            return FALSE;
        }
    }
    return TRUE;
}

static const char *domains_read(GVariant *array, struct net_config *out)
{
    gsize count = g_variant_n_children(array);
    if (count > NET_DOMAINS_MAX) {
        return N_("there are too many domains");
    }
    for (gsize i = 0; i < count; i++) {
        const char *name = NULL;
        g_variant_get_child(array, i, "&s", &name);
        if (!is_domain(name)) {
            return N_("a domain is not a valid name");
        }
        g_strlcpy(out->domains[i], name, NET_DOMAIN_LEN);
    }
    out->n_domains = count;
    return NULL;
}

static const char *banner_read(GVariant *value, struct net_config *out)
{
    const char *text = g_variant_get_string(value, NULL);
    char shown[NET_BANNER_LEN];
    if (strlen(text) >= NET_BANNER_LEN) {
        return N_("the banner is too long");
    }
    /* What the engine makes printable line by line is unchanged by the same function. */
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        text_printable(bytes_of(line, len), shown, sizeof shown);
        if (strlen(shown) != len || memcmp(shown, line, len) != 0) {
            return N_("the banner has control characters or is not UTF-8");
        }
        line += len + (line[len] == '\n');
    }
    g_strlcpy(out->banner, text, NET_BANNER_LEN);
    return NULL;
}

enum key { ADDRESSES, ROUTES, JOINED, DNS, DOMAINS, BANNER, MTU, N_KEYS };

static const struct {
    const char *name, *type;
} keys[N_KEYS] = {
    [ADDRESSES] = {"addresses", "a(ayy)"},
    [ROUTES] = {"routes", "a(ayy)"},
    [JOINED] = {"joined", "q"},
    [DNS] = {"dns", "aay"},
    [DOMAINS] = {"domains", "as"},
    [BANNER] = {"banner", "s"},
    [MTU] = {"mtu", "q"},
};

bool net_config_mtu_fits(const struct net_config *config, uint16_t mtu)
{
    uint16_t least = MTU_MIN_IPV4;
    for (size_t i = 0; i < config->n_addresses; i++) {
        if (config->addresses[i].addr.family == FAMILY_IPV6) {
            least = MTU_MIN_IPV6;
        }
    }
    return mtu >= least;
}

static const char *values_read(GVariant *const values[static N_KEYS], struct net_config *out)
{
    const char *why;
    if ((why =
             prefixes_read(values[ADDRESSES], out->addresses, NET_ADDRESSES_MAX, &out->n_addresses,
                           N_("there are too many addresses"), address_fault)) ||
        (why = prefixes_read(values[ROUTES], out->routes, NET_ROUTES_MAX, &out->n_routes,
                             N_("there are too many routes"), route_fault)) ||
        (why = dns_read(values[DNS], out)) || (why = domains_read(values[DOMAINS], out)) ||
        (why = banner_read(values[BANNER], out))) {
        return why;
    }
    if (out->n_addresses == 0) {
        return N_("there is no internal address");
    }
    out->n_joined = g_variant_get_uint16(values[JOINED]);
    out->mtu = g_variant_get_uint16(values[MTU]);
    return net_config_mtu_fits(out, out->mtu) ? NULL : N_("the MTU is too small");
}

gboolean net_config_from_variant(GVariant *dict, struct net_config *out, const char **why)
{
    GVariant *values[N_KEYS] = {0};
    *out = (struct net_config){0};
    *why = NULL;
    if (!g_variant_is_of_type(dict, G_VARIANT_TYPE_VARDICT)) {
        *why = N_("the configuration is not a dictionary");
        return FALSE;
    }
    for (size_t i = 0; i < N_KEYS && !*why; i++) {
        values[i] = g_variant_lookup_value(dict, keys[i].name, G_VARIANT_TYPE(keys[i].type));
        if (!values[i]) {
            *why = N_("an entry of the configuration is missing or of the wrong type");
        }
    }
    if (!*why) {
        *why = values_read(values, out);
    }
    for (size_t i = 0; i < N_KEYS; i++) {
        g_clear_pointer(&values[i], g_variant_unref);
    }
    if (*why) {
        *out = (struct net_config){0};
    }
    return *why == NULL;
}
