/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_NET_CONFIG_H
#define GODWIT_COMMON_NET_CONFIG_H

#include "common/addr.h"

/*
 * What the gateway granted and the host should set up: the only thing that the privileged side
 * learns from the network, always validated and bounded. Counts beyond the maxima are dropped by
 * the producer, but for routes: their neighbours are joined.
 */
#define NET_ADDRESSES_MAX 16
#define NET_ROUTES_MAX 256
#define NET_DNS_MAX 8
#define NET_DOMAINS_MAX 32
#define NET_DOMAIN_LEN 254
#define NET_BANNER_LEN 1024

struct net_config {
    struct prefix addresses[NET_ADDRESSES_MAX]; /* internal addresses; the length is the netmask or
                                                   prefix given */
    size_t n_addresses;
    struct prefix routes[NET_ROUTES_MAX]; /* what goes through the tunnel, host bits zero */
    size_t n_routes;
    uint16_t
        n_joined; /* how often two routes had to become one wider one because there were too many */
    struct addr dns[NET_DNS_MAX];
    size_t n_dns;
    char domains[NET_DOMAINS_MAX]
                [NET_DOMAIN_LEN]; /* printable LDH names, no trailing dot (RFC 8598) */
    size_t n_domains;
    char banner[NET_BANNER_LEN]; /* UTF-8 without control characters but newline; empty = none */
    uint16_t mtu;                /* octets, inner packets */
};

/* Whether one of its routes leads to the address. */
bool net_config_carries(const struct net_config *config, const struct addr *addr);

#endif
