/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/net_config.h"

bool net_config_carries(const struct net_config *config, const struct addr *addr)
{
    for (size_t i = 0; i < config->n_routes; i++) {
        if (prefix_contains(&config->routes[i], addr)) {
            return true;
        }
    }
    return false;
}
