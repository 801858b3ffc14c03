/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/local_networks.h"

size_t local_ranges(enum family family, struct prefix out[static LOCAL_RANGES_MAX])
{
    static const char *const texts[] = {"10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
                                        "169.254.0.0/16", "fc00::/7",      "fe80::/10"};
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct prefix range;
        if (prefix_parse(&range, texts[i], false) && range.addr.family == family) {
            out[n++] = range;
        }
    }
    return n;
}

gboolean local_network_of(const struct uplink *uplink, struct prefix *out)
{
    struct prefix ranges[LOCAL_RANGES_MAX];
    size_t n = local_ranges(uplink->address.addr.family, ranges);
    *out = uplink->address;
    prefix_mask(out);
    for (size_t i = 0; i < n; i++) {
        if (ranges[i].len <= out->len && prefix_contains(&ranges[i], &out->addr)) {
            return TRUE;
        }
    }
    return FALSE;
}
