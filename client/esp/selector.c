/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/selector.h"

#include <stdlib.h>

#include "esp/wire.h"

#define IPPROTO_MOBILITY 135

enum err selectors_init(struct selectors *out, const struct esp_params *params)
{
    *out = (struct selectors){0};
    if (params->n_local == 0 || params->n_local > ESP_SELECTORS_MAX || params->n_remote == 0 ||
        params->n_remote > ESP_SELECTORS_MAX) {
        return ERR_SYNTAX;
    }
    struct esp_selector *all = calloc(params->n_local + params->n_remote, sizeof(*all));
    if (all == NULL) {
        return ERR_MEMORY;
    }
    memcpy(all, params->local, params->n_local * sizeof(*all));
    memcpy(all + params->n_local, params->remote, params->n_remote * sizeof(*all));
    *out = (struct selectors){all, params->n_local, all + params->n_local, params->n_remote};
    return OK;
}

void selectors_free(struct selectors *selectors)
{
    free(selectors->local);
    *selectors = (struct selectors){0};
}

/* What RFC 4301 4.4.1.1 calls the port of each side: ports, or the type (and code) on the sender's
 * side. */
struct upper {
    bool has_source, has_destination;
    bool one_sided; /* ICMP and mobility: only the sender's selector speaks (RFC 4301 4.4.1.3) */
    uint16_t source, destination;
};

static struct upper upper_of(const struct ip_info *info, const uint8_t *packet)
{
    struct upper upper = {0};
    const uint8_t *at = packet + info->header_len;
    size_t left = info->total_len - info->header_len;
    switch (info->protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_DCCP:
    case IPPROTO_SCTP:
        if (info->has_upper && left >= 4) {
            upper.has_source = upper.has_destination = true;
            upper.source = get_u16(at);
            upper.destination = get_u16(at + 2);
        }
        break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        upper.one_sided = true;
        if (info->has_upper && left >= 2) {
            upper.has_source = true;
            upper.source = get_u16(at);
        }
        break;
    case IPPROTO_MOBILITY:
        upper.one_sided = true;
        if (info->has_upper && left >= 3) {
            upper.has_source = true;
            upper.source = (uint16_t)(at[2] << 8);
        }
        break;
    default:
        break;
    }
    return upper;
}

static bool side_matches(const struct esp_selector *list, size_t n, const struct ip_info *info,
                         struct bytes address, bool port_counts, bool has_port, uint16_t port)
{
    for (size_t i = 0; i < n; i++) {
        const struct esp_selector *s = &list[i];
        if (s->start.family != info->family ||
            (s->protocol != 0 && s->protocol != info->protocol) ||
            memcmp(address.data, s->start.octets, address.len) < 0 ||
            memcmp(address.data, s->end.octets, address.len) > 0) {
            continue;
        }
        bool any = s->port_low == 0 && s->port_high == UINT16_MAX;
        bool opaque = s->port_low > s->port_high; /* 65535..0, RFC 7296 3.13.1 */
        if (!port_counts || any || (opaque && !has_port) ||
            (has_port && s->port_low <= port && port <= s->port_high)) {
            return true;
        }
    }
    return false;
}

bool selectors_match(const struct selectors *selectors, const struct ip_info *info,
                     const uint8_t *packet, bool outbound)
{
    struct upper upper = upper_of(info, packet);
    const struct esp_selector *from = outbound ? selectors->local : selectors->remote;
    const struct esp_selector *to = outbound ? selectors->remote : selectors->local;
    size_t n_from = outbound ? selectors->n_local : selectors->n_remote;
    size_t n_to = outbound ? selectors->n_remote : selectors->n_local;
    return side_matches(from, n_from, info, ip_source(info, packet), true, upper.has_source,
                        upper.source) &&
           side_matches(to, n_to, info, ip_destination(info, packet), !upper.one_sided,
                        upper.has_destination, upper.destination);
}
