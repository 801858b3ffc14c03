/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/traffic.h"

#include "common/boottime.h"
#include "crypto/crypt.h"

/* None is dropped: its packets would be too. */
G_STATIC_ASSERT(ESP_SELECTORS_MAX >= TS_MAX);

static void selectors(struct esp_selector *out, size_t *n, const struct ts_list *list)
{
    *n = list->n;
    for (size_t i = 0; i < list->n; i++) {
        const struct ts *ts = &list->items[i];

        out[i] = (struct esp_selector){
            .protocol = ts->protocol,
            .port_low = ts->port_low,
            .port_high = ts->port_high,
            .start = ts->start,
            .end = ts->end,
        };
    }
}

static gboolean contains(const struct esp_selector *selector, const struct addr *addr)
{
    return addr_compare(&selector->start, addr) <= 0 && addr_compare(addr, &selector->end) <= 0;
}

/*
 * What comes out of the tunnel may go to the assigned addresses alone, however wide a TSi the
 * gateway leaves (RFC 7296 2.19): it has no business with the host's other addresses, and none with
 * what lies behind a host that forwards for its containers.
 */
static void narrow_to_addresses(struct esp_params *params, const struct net_config *net)
{
    struct esp_selector wide[ESP_SELECTORS_MAX];
    size_t n_wide = params->n_local;

    memcpy(wide, params->local, n_wide * sizeof wide[0]);
    params->n_local = 0;
    for (size_t i = 0; i < n_wide; i++) {
        for (size_t k = 0; k < net->n_addresses && params->n_local < ESP_SELECTORS_MAX; k++) {
            if (contains(&wide[i], &net->addresses[k].addr)) {
                struct esp_selector *narrow = &params->local[params->n_local++];

                *narrow = wide[i];
                narrow->start = narrow->end = net->addresses[k].addr;
            }
        }
    }
}

static void child_params(struct esp_params *out, const struct ike_child *child)
{
    *out = (struct esp_params){.suite = child->suite};
    selectors(out->local, &out->n_local, &child->local_ts);
    selectors(out->remote, &out->n_remote, &child->remote_ts);
}

static struct datapath_child known_as(const struct ike_child *child)
{
    return (struct datapath_child){
        .spi_in = child->spi_in,
        .reqid = child->reqid,
        .octets = child->octets,
        .packets = child->packets,
    };
}

gboolean traffic_add_in(struct traffic *traffic, const struct ike_child *child,
                        const struct net_config *net)
{
    const struct datapath_child known = known_as(child);
    struct esp_params params;

    child_params(&params, child);
    if (traffic->narrow && net->n_addresses > 0) {
        narrow_to_addresses(&params, net);
    }
    params.spi = child->spi_in;
    params.encr_key = secret_bytes(&child->in_encr);
    params.integ_key = secret_bytes(&child->in_integ);
    return datapath_add_in(traffic->datapath, &known, &params) == OK;
}

gboolean traffic_set_out(struct traffic *traffic, const struct ike_child *child)
{
    const struct datapath_child known = known_as(child);
    struct esp_params params;

    child_params(&params, child);
    params.spi = child->spi_out;
    params.encr_key = secret_bytes(&child->out_encr);
    params.integ_key = secret_bytes(&child->out_integ);
    return datapath_set_out(traffic->datapath, &known, &params) == OK;
}

void traffic_hold(struct traffic *traffic)
{
    datapath_hold(traffic->datapath);
}

void traffic_commit(struct traffic *traffic)
{
    if (traffic->datapath != NULL) {
        datapath_commit(traffic->datapath);
    }
}

gboolean traffic_remove_out(struct traffic *traffic, guint32 spi_in)
{
    return datapath_remove_out(traffic->datapath, spi_in) == OK;
}

gboolean traffic_remove(struct traffic *traffic, guint32 spi_in)
{
    if (traffic->datapath == NULL) {
        return TRUE;
    }
    datapath_remove_in(traffic->datapath, spi_in);
    return datapath_remove_out(traffic->datapath, spi_in) == OK;
}

void traffic_set_mtu(struct traffic *traffic, struct net_config *net,
                     const struct datapath_path *path, guint16 path_mtu)
{
    guint16 fits = esp_inner_mtu(&traffic->suite, path_mtu, path->remote.addr.family, true);
    gboolean fragments = FALSE;

    net->mtu = fits;
    for (size_t i = 0; i < net->n_addresses; i++) {
        /* A link with IPv6 needs 1280 octets (RFC 8200 5): longer ESP is fragmented outside. */
        if (net->addresses[i].addr.family == FAMILY_IPV6 && fits < 1280) {
            fragments = TRUE;
            net->mtu = 1280;
        }
    }
    ike_sockets_fragment_esp(traffic->sockets, fragments);
    datapath_set_mtu(traffic->datapath, fits);
}

void traffic_prepare(struct traffic *traffic)
{
    for (unsigned i = 0; i < datapath_lanes() && traffic->datapath == NULL; i++) {
        if (traffic->lanes[i] == NULL && crypt_lanes_new(&traffic->lanes[i], CRYPT_FASTEST) != OK) {
            g_debug("no lanes for ciphers yet");
        }
    }
}

gboolean traffic_start(struct traffic *traffic)
{
    struct datapath_config config = {
        .tun_fd = traffic->tun_fd,
        .vnet_hdr = traffic->vnet_hdr,
        .udp4_fd = traffic->sockets->fd4,
        .udp6_fd = traffic->sockets->fd6,
        .mtu = 1280, /* until it is known */
    };

    for (unsigned i = 0; i < DATAPATH_LANES; i++) {
        config.lanes[i] = g_steal_pointer(&traffic->lanes[i]);
    }

    return datapath_start(&traffic->datapath, &config) == OK;
}

void traffic_tell_drops(struct traffic *traffic, const struct datapath_counters *counters)
{
    g_autofree char *news = drops_news(&traffic->drops, counters, boottime_now());

    if (news != NULL) {
        g_message("packets dropped: %s", news);
    }
}

/* It is not too early for these any more. */
static void tell_last_drops(struct traffic *traffic)
{
    struct datapath_counters counters;

    datapath_get_counters(traffic->datapath, &counters);
    traffic->drops.told_at = 0;
    traffic_tell_drops(traffic, &counters);
    traffic->drops = (struct drops){0};
}

void traffic_stop(struct traffic *traffic)
{
    if (traffic->datapath != NULL) {
        tell_last_drops(traffic);
    }
    datapath_stop(g_steal_pointer(&traffic->datapath));
    for (unsigned i = 0; i < DATAPATH_LANES; i++) {
        crypt_lanes_free(g_steal_pointer(&traffic->lanes[i]));
    }
}
