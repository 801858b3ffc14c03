/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/selector.h"

#include <stdlib.h>

#include "esp/wire.h"

#define IPPROTO_MOBILITY 135

_Static_assert(sizeof(struct flow) == 40, "no octet is left to chance");

/* Host order, high half first. */
static void number_of(uint64_t out[static 2], enum family family, const uint8_t *octets)
{
    if (family == FAMILY_IPV4) {
        out[0] = 0;
        out[1] = get_u32(octets);
    } else {
        out[0] = (uint64_t)get_u32(octets) << 32 | get_u32(octets + 4);
        out[1] = (uint64_t)get_u32(octets + 8) << 32 | get_u32(octets + 12);
    }
}

/* ---- packets ---- */

static void ports_of(struct flow *out, const uint8_t *at, size_t left)
{
    switch (out->protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_DCCP:
    case IPPROTO_SCTP:
        if (left >= 4) {
            out->has = FLOW_SOURCE_PORT | FLOW_DESTINATION_PORT;
            out->source_port = get_u16(at);
            out->destination_port = get_u16(at + 2);
        }
        break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        out->has = FLOW_ONE_SIDED;
        if (left >= 2) {
            out->has |= FLOW_SOURCE_PORT;
            out->source_port = get_u16(at);
        }
        break;
    case IPPROTO_MOBILITY:
        out->has = FLOW_ONE_SIDED;
        if (left >= 3) {
            out->has |= FLOW_SOURCE_PORT;
            out->source_port = (uint16_t)(at[2] << 8);
        }
        break;
    default:
        break;
    }
}

void flow_of(struct flow *out, const struct ip_info *info, const uint8_t *packet)
{
    *out = (struct flow){.family = (uint8_t)info->family, .protocol = info->protocol};
    number_of(out->source, info->family, ip_source(info, packet).data);
    number_of(out->destination, info->family, ip_destination(info, packet).data);
    ports_of(out, packet + info->header_len,
             info->has_upper ? info->total_len - info->header_len : 0);
}

uint32_t flow_hash(const struct flow *flow)
{
    uint64_t ports = (uint64_t)flow->source_port << 16 | flow->destination_port;
    uint64_t mixed = flow->source[0] + flow->source[1] + flow->destination[0] * 3 +
                     flow->destination[1] * 5 + ports * 7 + flow->protocol;
    return (uint32_t)(mixed * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* ---- selectors ---- */

static void selector_of(struct selector *out, const struct esp_selector *from)
{
    *out = (struct selector){
        .port_low = from->port_low,
        .port_high = from->port_high,
        .family = (uint8_t)from->start.family,
        .protocol = from->protocol,
    };
    number_of(out->start, from->start.family, from->start.octets);
    number_of(out->end, from->start.family, from->end.octets);
}

enum err selectors_init(struct selectors *out, const struct esp_params *params)
{
    *out = (struct selectors){0};
    if (params->n_local == 0 || params->n_local > ESP_SELECTORS_MAX || params->n_remote == 0 ||
        params->n_remote > ESP_SELECTORS_MAX) {
        return ERR_SYNTAX;
    }
    struct selector *all = calloc(params->n_local + params->n_remote, sizeof(*all));
    if (all == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < params->n_local; i++) {
        selector_of(&all[i], &params->local[i]);
    }
    for (size_t i = 0; i < params->n_remote; i++) {
        selector_of(&all[params->n_local + i], &params->remote[i]);
    }
    *out = (struct selectors){all, params->n_local, all + params->n_local, params->n_remote};
    return OK;
}

void selectors_free(struct selectors *selectors)
{
    free(selectors->local);
    *selectors = (struct selectors){0};
}

static bool at_most(const uint64_t a[static 2], const uint64_t b[static 2])
{
    return a[0] < b[0] || (a[0] == b[0] && a[1] <= b[1]);
}

static bool side_matches(const struct selector *list, size_t n, const struct flow *flow,
                         const uint64_t address[static 2], bool port_counts, bool has_port,
                         uint16_t port)
{
    for (size_t i = 0; i < n; i++) {
        const struct selector *s = &list[i];
        if (s->family != flow->family || (s->protocol != 0 && s->protocol != flow->protocol) ||
            !at_most(s->start, address) || !at_most(address, s->end)) {
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

bool selectors_match(const struct selectors *selectors, const struct flow *flow, bool outbound)
{
    const struct selector *from = outbound ? selectors->local : selectors->remote;
    const struct selector *to = outbound ? selectors->remote : selectors->local;
    size_t n_from = outbound ? selectors->n_local : selectors->n_remote;
    size_t n_to = outbound ? selectors->n_remote : selectors->n_local;
    return side_matches(from, n_from, flow, flow->source, true, (flow->has & FLOW_SOURCE_PORT) != 0,
                        flow->source_port) &&
           side_matches(to, n_to, flow, flow->destination, (flow->has & FLOW_ONE_SIDED) == 0,
                        (flow->has & FLOW_DESTINATION_PORT) != 0, flow->destination_port);
}
