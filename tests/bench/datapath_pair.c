/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a tunnel with static keys: the real datapath, TUN and sockets without IKE, for
 * measurements. Start one in each of two network namespaces:
 *   datapath_pair a|b LOCAL [SUITE [CHILDREN [REKEY]]]
 * a sends with the first keys and b with the second. SUITE is named as in profiles. CHILDREN are
 * installed, of which one lets everything pass and is asked last. REKEY: milliseconds between two
 * keys; each end moves on by the clock that both share.
 * It prints "ready TUN PORT MTU", then obeys lines on standard input: "peer ADDRESS PORT" and
 * "counters"; it ends with its input.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "crypto/crypt.h"
#include "esp/datapath.h"
#include "host/host.h"

#define PATH_MTU 1500
#define CHILDREN_MAX 10000
#define KEYS_APART 50 /* so far one end may lag behind the other */
#define BUSY 0        /* of the children; first installed, so asked last */

struct end {
    bool is_a;
    struct suite suite;
    uint32_t children;
    uint64_t rekey_ms; /* 0: one key for ever */
    uint64_t epoch;    /* of the key that is sent with */
    struct datapath *dp;
    struct datapath_path path;
    bool failed;
};

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool suite_parse(const char *text, struct suite *suite)
{
    const char *dash = strchr(text, '-');
    size_t first = dash != NULL ? (size_t)(dash - text) : strlen(text);
    *suite = (struct suite){.encr = alg_find_name(bytes_of(text, first)), .esn = true};
    suite->integ = dash != NULL ? alg_find_name(bytes_of_string(dash + 1)) : NULL;
    return suite->encr != NULL && (suite->integ != NULL) == ((suite->encr->flags & ALG_AEAD) == 0);
}

/* ---- keys ---- */

static uint32_t spi_of(bool from_a, uint64_t epoch, uint32_t child)
{
    return (from_a ? 0x0a000000u : 0x0b000000u) | ((uint32_t)(epoch % 256) << 16) | child;
}

static struct esp_selector any(enum family family)
{
    struct esp_selector selector = {.port_high = UINT16_MAX};
    selector.start.family = selector.end.family = family;
    memset(selector.end.octets, 0xff, family == FAMILY_IPV4 ? 4 : 16);
    return selector;
}

/* A host each in 198.18.0.0/15 (RFC 2544). */
static struct esp_selector idle(uint32_t child)
{
    struct esp_selector selector = any(FAMILY_IPV4);
    const uint8_t host[4] = {198, 18, (uint8_t)(child >> 8), (uint8_t)child};
    memcpy(selector.start.octets, host, sizeof(host));
    memcpy(selector.end.octets, host, sizeof(host));
    return selector;
}

static const struct esp_params *params_of(const struct end *end, bool from_a, uint64_t epoch,
                                          uint32_t child)
{
    static struct esp_params params;
    static uint8_t keys[128];
    for (size_t i = 0; i < sizeof(keys); i++) {
        keys[i] = (uint8_t)(i * 73 + (from_a ? 5 : 9) + epoch * 31 + child * 7);
    }
    params = (struct esp_params){.spi = spi_of(from_a, epoch, child), .suite = end->suite};
    params.encr_key = bytes_of(keys, crypt_encr_key_len(end->suite.encr));
    params.integ_key = bytes_of(keys + 64, crypt_integ_key_len(end->suite.integ));
    params.n_local = params.n_remote = child == BUSY ? 2 : 1;
    params.local[0] = any(FAMILY_IPV4);
    params.remote[0] = child == BUSY ? any(FAMILY_IPV4) : idle(child);
    params.local[1] = params.remote[1] = any(FAMILY_IPV6);
    return &params;
}

static struct datapath_child child_of(const struct end *end, uint64_t epoch, uint32_t child)
{
    return (struct datapath_child){.spi_in = spi_of(!end->is_a, epoch, child), .reqid = child + 1};
}

static enum err hear(struct end *end, uint64_t epoch, uint32_t child)
{
    struct datapath_child of = child_of(end, epoch, child);
    return datapath_add_in(end->dp, &of, params_of(end, !end->is_a, epoch, child));
}

static enum err speak(struct end *end, uint64_t epoch, uint32_t child)
{
    struct datapath_child of = child_of(end, epoch, child);
    return datapath_set_out(end->dp, &of, params_of(end, end->is_a, epoch, child));
}

static enum err children_add(struct end *end)
{
    enum err err = OK;
    end->epoch = end->rekey_ms != 0 ? clock_ms() / end->rekey_ms : 0;
    for (uint32_t child = 0; child < end->children && err == OK; child++) {
        err = hear(end, end->epoch, child);
        if (err == OK) {
            err = speak(end, end->epoch, child);
        }
    }
    for (uint64_t i = 1; i <= KEYS_APART && end->rekey_ms != 0 && err == OK; i++) {
        err = hear(end, end->epoch + i, BUSY);
        if (err == OK) {
            err = hear(end, end->epoch - i, BUSY);
        }
    }
    return err;
}

static enum err rekey(struct end *end)
{
    enum err err = OK;
    for (uint64_t now = clock_ms() / end->rekey_ms; end->epoch < now && err == OK;) {
        end->epoch++;
        err = hear(end, end->epoch + KEYS_APART, BUSY);
        if (err == OK) {
            err = speak(end, end->epoch, BUSY);
        }
        datapath_remove_in(end->dp, spi_of(!end->is_a, end->epoch - KEYS_APART - 1, BUSY));
    }
    return err;
}

/* ---- orders ---- */

static void counters_print(const struct end *end)
{
    struct datapath_counters c;
    datapath_get_counters(end->dp, &c);
    printf("{\"epoch\": %lu, \"in_packets\": %lu, \"in_octets\": %lu, \"out_packets\": %lu, "
           "\"out_octets\": %lu, \"gso_fallbacks\": %lu, \"dropped\": {\"replay\": %lu, "
           "\"integrity\": %lu, \"unknown spi\": %lu, \"in policy\": %lu, \"in malformed\": %lu, "
           "\"tun\": %lu, \"socket\": %lu, \"queue\": %lu, \"no sa\": %lu, \"out policy\": %lu, "
           "\"too big\": %lu, \"send\": %lu, "
           "\"out malformed\": %lu}}\n",
           end->epoch, c.in_packets, c.in_octets, c.out_packets, c.out_octets, c.gso_fallbacks,
           c.in_dropped_replay, c.in_dropped_integrity, c.in_dropped_unknown_spi,
           c.in_dropped_policy, c.in_dropped_malformed, c.in_dropped_tun, c.in_dropped_socket,
           c.in_dropped_queue, c.out_dropped_no_sa, c.out_dropped_policy, c.out_dropped_too_big,
           c.out_dropped_send, c.out_dropped_malformed);
    fflush(stdout);
}

static bool obey(struct end *end, const char *order)
{
    char address[64];
    if (strcmp(order, "counters") == 0) {
        counters_print(end);
        return true;
    }
    return sscanf(order, "peer %63s %hu", address, &end->path.remote.port) == 2 &&
           addr_parse(&end->path.remote.addr, address) &&
           datapath_set_path(end->dp, &end->path) == OK;
}

static int timeout_of(const struct end *end)
{
    if (end->rekey_ms == 0) {
        return -1;
    }
    return (int)(end->rekey_ms - clock_ms() % end->rekey_ms);
}

/* False at the end of the input, or when something in it is not understood. */
static bool read_orders(struct end *end)
{
    char orders[256];
    ssize_t n = read(STDIN_FILENO, orders, sizeof(orders) - 1);
    if (n <= 0) {
        end->failed = n < 0;
        return false;
    }
    orders[n] = '\0';
    char *rest = NULL;
    for (char *order = strtok_r(orders, "\n", &rest); order != NULL;
         order = strtok_r(NULL, "\n", &rest)) {
        if (!obey(end, order)) {
            fprintf(stderr, "not understood: %s\n", order);
            end->failed = true;
            return false;
        }
    }
    return true;
}

static void serve(struct end *end)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    for (;;) {
        int ready = poll(&input, 1, timeout_of(end));
        if (end->rekey_ms != 0 && rekey(end) != OK) {
            fprintf(stderr, "the next key cannot be installed\n");
            end->failed = true;
            return;
        }
        if (ready > 0 && !read_orders(end)) {
            return;
        }
    }
}

/* ---- start ---- */

static bool arguments_parse(struct end *end, int argc, char **argv)
{
    if (argc < 3 || !addr_parse(&end->path.local.addr, argv[2]) ||
        !suite_parse(argc > 3 ? argv[3] : "aes256gcm16", &end->suite)) {
        return false;
    }
    end->is_a = argv[1][0] == 'a';
    end->children = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 1;
    end->rekey_ms = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
    return end->children >= 1 && end->children <= CHILDREN_MAX;
}

/* What the kernel chose; the address stays that of the path. */
static uint16_t port_of(int udp)
{
    struct sockaddr_storage address;
    struct endpoint endpoint;
    socklen_t len = sizeof(address);
    bool known = getsockname(udp, (struct sockaddr *)&address, &len) == 0 &&
                 endpoint_from_sockaddr(&endpoint, (struct sockaddr *)&address);
    return known ? endpoint.port : 0;
}

int main(int argc, char **argv)
{
    struct end end = {0};
    if (!arguments_parse(&end, argc, argv)) {
        fprintf(stderr, "usage: datapath_pair a|b LOCAL [SUITE [CHILDREN [REKEY]]]\n");
        return 2;
    }
    enum family family = end.path.local.addr.family;
    char name[16];
    gboolean vnet_hdr = FALSE;
    GError *error = NULL;
    int tun = host_tun_open(name, &vnet_hdr, &error);
    int udp = tun < 0 ? -1 : host_udp_open(family, HOST_FWMARK_DEFAULT, &error);
    if (udp < 0) {
        fprintf(stderr, "%s\n", error != NULL ? error->message : "no such family here");
        return 1;
    }
    end.path.local.port = port_of(udp);
    struct datapath_config config = {
        .tun_fd = tun,
        .vnet_hdr = vnet_hdr,
        .udp4_fd = family == FAMILY_IPV4 ? udp : -1,
        .udp6_fd = family == FAMILY_IPV6 ? udp : -1,
        .mtu = esp_inner_mtu(&end.suite, PATH_MTU, family, true),
    };
    if (datapath_start(&end.dp, &config) != OK || children_add(&end) != OK) {
        fprintf(stderr, "the datapath does not start\n");
        return 1;
    }
    printf("ready %s %u %u\n", name, end.path.local.port, config.mtu);
    fflush(stdout);
    serve(&end);
    datapath_stop(end.dp);
    close(tun);
    close(udp);
    return end.failed ? 1 : 0;
}
