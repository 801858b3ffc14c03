/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_FUZZ_ESP_H
#define GODWIT_TESTS_FUZZ_ESP_H

#include <stdlib.h>

#include "esp/esp.h"

/* What the targets of client/esp share. */

static inline void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* A Child SA for everything of both families, with a key that never changes. */
static inline struct esp_params fuzz_params(uint32_t spi)
{
    static const uint8_t key[20] = {7};
    struct esp_params params = {.spi = spi, .n_local = 2, .n_remote = 2};
    params.suite.encr = alg_find_name(bytes_of_string("aes128gcm16"));
    params.encr_key = bytes_of(key, sizeof(key));
    for (size_t i = 0; i < 2; i++) {
        struct esp_selector any = {.port_high = UINT16_MAX};
        any.start.family = any.end.family = i == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
        memset(any.end.octets, 0xff, i == 0 ? 4 : 16);
        params.local[i] = params.remote[i] = any;
    }
    return params;
}

#endif
