/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/domain_name.h"
#include "common/log.h"

/* The configuration payload (RFC 7296 2.19, 3.15; RFC 8598; Microsoft's and Cisco Unity's
 * attributes as they come). */

/* ---- request ---- */

static void ask_ipv6_address(struct chain *chain, const struct addr *want)
{
    uint8_t value[17];

    if (want->family != FAMILY_IPV6) {
        cp_write_attr(chain, INTERNAL_IP6_ADDRESS, (struct bytes){0});
        return;
    }
    memcpy(value, want->octets, 16);
    value[16] = 128;
    cp_write_attr(chain, INTERNAL_IP6_ADDRESS, bytes_of(value, sizeof value));
}

void config_build(const struct ike *ike, struct chain *chain)
{
    const struct ike_config *config = &ike->config;
    const struct bytes none = {0};

    if (!config->request_ipv4 && !config->request_ipv6) {
        return;
    }
    cp_write_begin(chain, CFG_REQUEST);
    if (config->request_ipv4) {
        cp_write_attr(chain, INTERNAL_IP4_ADDRESS,
                      config->want_ipv4.family == FAMILY_IPV4 ? addr_bytes(&config->want_ipv4)
                                                              : none);
        cp_write_attr(chain, INTERNAL_IP4_NETMASK, none);
        cp_write_attr(chain, INTERNAL_IP4_DNS, none);
        cp_write_attr(chain, INTERNAL_IP4_SUBNET, none);
    }
    if (config->request_ipv6) {
        ask_ipv6_address(chain, &config->want_ipv6);
        cp_write_attr(chain, INTERNAL_IP6_DNS, none);
        cp_write_attr(chain, INTERNAL_IP6_SUBNET, none);
    }
    cp_write_attr(chain, INTERNAL_DNS_DOMAIN, none);
    if (*config->application_version != '\0') {
        cp_write_attr(chain, APPLICATION_VERSION, bytes_of_string(config->application_version));
    }
    chain_end(chain);
}

/* ---- reply: every value is checked, what makes no sense is passed over, surplus is dropped ----
 */

static void add_address(struct net_config *net, enum family family, const uint8_t *octets,
                        uint8_t len)
{
    struct prefix prefix = {.addr = addr_of(family, octets), .len = len};

    if (!addr_is_assignable(&prefix.addr) || net->n_addresses == NET_ADDRESSES_MAX) {
        return;
    }
    for (size_t i = 0; i < net->n_addresses; i++) {
        if (addr_equal(&net->addresses[i].addr, &prefix.addr)) {
            return;
        }
    }
    net->addresses[net->n_addresses++] = prefix;
}

static void add_dns(struct net_config *net, enum family family, struct bytes value)
{
    struct addr addr;

    if (value.len != addr_len(family) || net->n_dns == NET_DNS_MAX) {
        return;
    }
    addr = addr_of(family, value.data);
    if (!addr_is_assignable(&addr)) {
        return;
    }
    for (size_t i = 0; i < net->n_dns; i++) {
        if (addr_equal(&net->dns[i], &addr)) {
            return;
        }
    }
    net->dns[net->n_dns++] = addr;
}

/* A default route swallows nothing: a split tunnel leaves it out and needs what the gateway names
 * beside it. */
static bool covers(const struct prefix *wide, const struct prefix *narrow)
{
    if (wide->len == 0 && narrow->len > 0) {
        return false;
    }
    return wide->addr.family == narrow->addr.family && wide->len <= narrow->len &&
           prefix_contains(wide, &narrow->addr);
}

/* What one route covers needs no second one. FALSE when there is no room. */
static bool place_route(struct net_config *net, const struct prefix *prefix)
{
    size_t kept = 0;

    for (size_t i = 0; i < net->n_routes; i++) {
        if (covers(&net->routes[i], prefix)) {
            return true;
        }
    }
    for (size_t i = 0; i < net->n_routes; i++) {
        if (!covers(prefix, &net->routes[i])) {
            net->routes[kept++] = net->routes[i];
        }
    }
    net->n_routes = kept;
    if (kept == NET_ROUTES_MAX) {
        return false;
    }
    net->routes[net->n_routes++] = *prefix;
    return true;
}

static int by_address(const void *a, const void *b)
{
    const struct prefix *x = a, *y = b;

    return addr_compare(&x->addr, &y->addr);
}

/* The longest prefix that covers both; all families apart, and a default route from the rest. */
static struct prefix join(const struct prefix *a, const struct prefix *b)
{
    struct prefix joint = *a;

    joint.len = a->len < b->len ? a->len : b->len;
    if (a->addr.family != b->addr.family) {
        joint.len = 0;
    }
    while (joint.len > 0 && !prefix_contains(&joint, &b->addr)) {
        joint.len--;
    }
    prefix_mask(&joint);
    return joint;
}

/*
 * The two that are nearest to each other become one. What is between them goes through the tunnel
 * as well, where the gateway may refuse it; a route left out would let its traffic leave beside the
 * tunnel. Of more than two routes of a family some always have their first bit in common.
 */
static void join_nearest(struct net_config *net)
{
    struct prefix best = {.len = 0};
    size_t at = 0;

    qsort(net->routes, net->n_routes, sizeof net->routes[0], by_address);
    for (size_t i = 0; i + 1 < net->n_routes; i++) {
        struct prefix joint = join(&net->routes[i], &net->routes[i + 1]);

        if (joint.len > best.len) {
            best = joint;
            at = i;
        }
    }
    net->n_routes -= 2;
    memmove(&net->routes[at], &net->routes[at + 2], (net->n_routes - at) * sizeof net->routes[0]);
    (void)place_route(net, &best); /* it may cover others, too */
    net->n_joined++;
}

static void add_route(struct net_config *net, struct prefix prefix)
{
    prefix_mask(&prefix);
    if (!prefix_is_routable(&prefix)) {
        return;
    }
    while (!place_route(net, &prefix)) {
        join_nearest(net);
    }
}

static void add_subnet(struct net_config *net, enum family family, const uint8_t *octets, int len)
{
    struct prefix prefix = {.addr = addr_of(family, octets)};

    if (len < 0 || len > addr_bits(family)) {
        return;
    }
    prefix.len = (uint8_t)len;
    add_route(net, prefix);
}

/* RFC 8598 3.1 in A-label form. */
static void add_domain(struct net_config *net, struct bytes text)
{
    char name[DOMAIN_NAME_MAX];

    if (net->n_domains == NET_DOMAINS_MAX || !domain_name_read(name, text)) {
        return;
    }
    for (size_t i = 0; i < net->n_domains; i++) {
        if (strcmp(net->domains[i], name) == 0) {
            return;
        }
    }
    (void)strcpy(net->domains[net->n_domains++], name);
}

/* UNITY_SPLITDNS_NAME: names with commas, blanks or NULs between them. */
static void add_domain_list(struct net_config *net, struct bytes text)
{
    size_t start = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && strchr(", \n", text.data[i]) == NULL) {
            continue;
        }
        add_domain(net, bytes_of(text.data + start, i - start));
        start = i + 1;
    }
}

/* UNITY_SPLIT_INCLUDE: entries of 14 octets: address, mask, and six that are not used. */
static void add_unity_subnets(struct net_config *net, struct bytes value)
{
    struct reader r = reader_of(value);

    while (r.left >= 14) {
        struct bytes entry = rd_bytes(&r, 14);

        add_subnet(net, FAMILY_IPV4, entry.data, netmask_len(entry.data + 4));
    }
}

/* Line ends stay, each line is made printable. */
static void set_banner(struct net_config *net, struct bytes text)
{
    size_t used = 0;
    size_t start = 0;

    for (size_t i = 0; i <= text.len && used + 2 < sizeof net->banner; i++) {
        if (i < text.len && text.data[i] != '\n' && text.data[i] != '\r') {
            continue;
        }
        if (i > start) {
            if (used > 0) {
                net->banner[used++] = '\n';
            }
            (void)text_printable(bytes_of(text.data + start, i - start), net->banner + used,
                                 sizeof net->banner - used);
            used += strlen(net->banner + used);
        }
        start = i + 1;
    }
}

/* A netmask stands for all IPv4 addresses of the reply (RFC 7296 3.15.1). */
static uint8_t find_netmask(struct bytes body)
{
    struct cp_attr attr;
    struct reader r;
    uint8_t type;

    if (!cp_begin(&r, &type, body)) {
        return 32;
    }
    while (cp_next(&r, &attr)) {
        int len = attr.type == INTERNAL_IP4_NETMASK && attr.value.len == 4
                      ? netmask_len(attr.value.data)
                      : -1;

        if (len > 0) {
            return (uint8_t)len;
        }
    }
    return 32;
}

static void read_attribute(struct net_config *net, const struct cp_attr *attr, uint8_t netmask,
                           struct ike_summary *summary)
{
    struct bytes value = attr->value;

    switch ((enum cp_attribute)attr->type) {
    case INTERNAL_IP4_ADDRESS:
        if (value.len == 4) {
            add_address(net, FAMILY_IPV4, value.data, netmask);
        }
        break;
    case INTERNAL_IP6_ADDRESS:
        /* Some gateways leave the prefix length out. */
        if (value.len == 16 || (value.len == 17 && value.data[16] <= 128)) {
            add_address(net, FAMILY_IPV6, value.data,
                        value.len == 17 && value.data[16] > 0 ? value.data[16] : 128);
        }
        break;
    case INTERNAL_IP4_DNS:
        add_dns(net, FAMILY_IPV4, value);
        break;
    case INTERNAL_IP6_DNS:
        add_dns(net, FAMILY_IPV6, value);
        break;
    case INTERNAL_IP4_SUBNET:
        if (value.len == 8) {
            add_subnet(net, FAMILY_IPV4, value.data, netmask_len(value.data + 4));
        }
        break;
    case INTERNAL_IP6_SUBNET:
        if (value.len == 17) {
            add_subnet(net, FAMILY_IPV6, value.data, value.data[16]);
        }
        break;
    case INTERNAL_DNS_DOMAIN:
    case UNITY_DEF_DOMAIN:
        add_domain(net, value);
        break;
    case UNITY_SPLITDNS_NAME:
        add_domain_list(net, value);
        break;
    case UNITY_SPLIT_INCLUDE:
        add_unity_subnets(net, value);
        break;
    case UNITY_BANNER:
        set_banner(net, value);
        break;
    case APPLICATION_VERSION:
        (void)text_printable(value, summary->gateway_version, sizeof summary->gateway_version);
        break;
    /* Windows' internal servers are for its own tunnels, WINS and DHCP servers for other clients.
     */
    case INTERNAL_IP4_SERVER_MS:
    case INTERNAL_IP6_SERVER_MS:
    case INTERNAL_IP4_NBNS:
    case INTERNAL_IP4_DHCP:
    case INTERNAL_IP6_DHCP:
    case INTERNAL_IP4_NETMASK:
    case SUPPORTED_ATTRIBUTES:
    case INTERNAL_DNSSEC_TA:
    case UNITY_SAVE_PASSWD:
    case UNITY_LOCAL_LAN:
        break;
    }
}

static enum err read_reply(struct net_config *net, struct bytes body, struct ike_summary *summary)
{
    uint8_t netmask = find_netmask(body);
    struct cp_attr attr;
    struct reader r;
    uint8_t type;

    if (!cp_begin(&r, &type, body)) {
        return ERR_SYNTAX;
    }
    if (type != CFG_REPLY) {
        return OK;
    }
    while (cp_next(&r, &attr)) {
        read_attribute(net, &attr, netmask, summary);
    }
    return r.failed ? ERR_SYNTAX : OK;
}

/* What the gateway lets through: ranges become prefixes; 0.0.0.0/0 stays a default route. */
void config_add_routes(struct net_config *net, const struct ts_list *list)
{
    struct prefix prefixes[256];

    for (size_t i = 0; i < list->n; i++) {
        size_t n = range_to_prefixes(&list->items[i].start, &list->items[i].end, prefixes,
                                     sizeof prefixes / sizeof prefixes[0]);

        for (size_t p = 0; p < n && p < sizeof prefixes / sizeof prefixes[0]; p++) {
            add_route(net, prefixes[p]);
        }
    }
}

enum err config_read(struct net_config *out, const struct ike_config *config,
                     const struct payload *cp, const struct ts_list *remote_ts,
                     struct ike_summary *summary)
{
    enum err err;

    memset(out, 0, sizeof *out);
    config_add_routes(out, remote_ts);
    if (cp != NULL) {
        err = read_reply(out, cp->body, summary);
        if (err != OK) {
            return err;
        }
    }
    if ((config->request_ipv4 || config->request_ipv6) && out->n_addresses == 0) {
        return ERR_STATE;
    }
    return OK;
}
