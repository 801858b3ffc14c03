/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/network_variant.h"

GVariant *network_to_variant(const struct network *network)
{
    GVariantBuilder uplinks;
    g_variant_builder_init(&uplinks, G_VARIANT_TYPE("a(ayyusybuq)"));
    for (size_t i = 0; i < network->n; i++) {
        const struct uplink *uplink = &network->uplinks[i];
        const struct addr *addr = &uplink->address.addr;
        g_variant_builder_add(
            &uplinks, "(@ayyusybuq)",
            g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, addr->octets, addr_len(addr->family), 1),
            uplink->address.len, uplink->ifindex, uplink->interface, (guint8)uplink->kind,
            (gboolean)uplink->has_default, uplink->metric, uplink->mtu);
    }
    return g_variant_new("(uy@a(ayyusybuq))", network->generation, (guint8)network->connectivity,
                         g_variant_builder_end(&uplinks));
}

static gboolean uplink_read(GVariant *array, gsize i, struct uplink *out)
{
    g_autoptr(GVariant) octets = NULL;
    const char *interface;
    guint8 kind;
    gboolean has_default;
    gsize n = 0;
    g_variant_get_child(array, i, "(@ayyu&sybuq)", &octets, &out->address.len, &out->ifindex,
                        &interface, &kind, &has_default, &out->metric, &out->mtu);
    const guint8 *data = g_variant_get_fixed_array(octets, &n, 1);
    if ((n != 4 && n != 16) || kind > UPLINK_OTHER || out->ifindex == 0 ||
        g_strlcpy(out->interface, interface, sizeof out->interface) >= sizeof out->interface) {
        return FALSE;
    }
    out->address.addr = addr_of(n == 4 ? FAMILY_IPV4 : FAMILY_IPV6, data);
    out->kind = kind;
    out->has_default = has_default;
    return out->address.len <= addr_bits(out->address.addr.family) &&
           addr_is_assignable(&out->address.addr);
}

gboolean network_from_variant(GVariant *variant, struct network *out)
{
    g_autoptr(GVariant) uplinks = NULL;
    guint8 connectivity;
    *out = (struct network){0};
    g_variant_get(variant, "(uy@a(ayyusybuq))", &out->generation, &connectivity, &uplinks);
    gsize n = g_variant_n_children(uplinks);
    gboolean valid =
        out->generation != 0 && connectivity <= CONNECTIVITY_FULL && n <= NETWORK_UPLINKS_MAX;
    out->connectivity = connectivity;
    for (gsize i = 0; i < n && valid; i++) {
        valid = uplink_read(uplinks, i, &out->uplinks[out->n++]);
    }
    if (!valid) {
        *out = (struct network){0};
    }
    return valid;
}
