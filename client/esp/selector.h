/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_SELECTOR_H
#define GODWIT_ESP_SELECTOR_H

#include "esp/esp.h"
#include "esp/ip.h"

/* What selectors ask of a packet. All octets count, so that two can be compared as a whole. */
struct flow {
    uint64_t source[2], destination[2];     /* host order, high half first; IPv4 in the low one */
    uint16_t source_port, destination_port; /* or the type and code, RFC 4301 4.4.1.1 */
    uint8_t family, protocol;
    uint8_t has; /* enum flow_has */
    uint8_t unused;
};

enum flow_has {
    FLOW_SOURCE_PORT = 1,
    FLOW_DESTINATION_PORT = 2,
    FLOW_ONE_SIDED = 4, /* ICMP and mobility: only the sender's selector speaks (RFC 4301 4.4.1.3)
                         */
};

/* `info` came from ip_parse. */
void flow_of(struct flow *out, const struct ip_info *info, const uint8_t *packet);
/* Its low bits choose a slot. Who picks addresses so that they meet makes their own packets slow.
 */
uint32_t flow_hash(const struct flow *flow);

/* One range of addresses and ports, as it is compared. */
struct selector {
    uint64_t start[2], end[2];
    uint16_t port_low, port_high;
    uint8_t family, protocol; /* protocol 0: any */
};

/* The traffic selectors of one SA: any local one combines with any remote one (RFC 4301 4.4.1, RFC
 * 7296 2.9). */
struct selectors {
    struct selector *local; /* owned; the remote ones follow in the same allocation */
    size_t n_local;
    const struct selector *remote;
    size_t n_remote;
};

/* Copies those of `params`. ERR_SYNTAX when there are more than ESP_SELECTORS_MAX or none on a
 * side. */
enum err selectors_init(struct selectors *out, const struct esp_params *params) ERR_CHECK;
void selectors_free(struct selectors *selectors);
/* `outbound`: the source is local. */
bool selectors_match(const struct selectors *selectors, const struct flow *flow, bool outbound);

#endif
