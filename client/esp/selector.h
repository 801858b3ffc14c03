/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_SELECTOR_H
#define GODWIT_ESP_SELECTOR_H

#include "esp/esp.h"
#include "esp/ip.h"

/* The traffic selectors of one SA: any local one combines with any remote one (RFC 4301 4.4.1, RFC
 * 7296 2.9). */
struct selectors {
    struct esp_selector *local; /* owned; the remote ones follow in the same allocation */
    size_t n_local;
    const struct esp_selector *remote;
    size_t n_remote;
};

/* Copies those of `params`. ERR_SYNTAX when there are more than ESP_SELECTORS_MAX or none on a
 * side. */
enum err selectors_init(struct selectors *out, const struct esp_params *params) ERR_CHECK;
void selectors_free(struct selectors *selectors);
/* `outbound`: the source is local. `info` came from ip_parse. */
bool selectors_match(const struct selectors *selectors, const struct ip_info *info,
                     const uint8_t *packet, bool outbound);

#endif
