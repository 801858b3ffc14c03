/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a tunnel with static keys: the real datapath without IKE, for measurements. Start one
 * in each of two network namespaces; ends on SIGINT or SIGTERM and prints what was counted.
 *   datapath_pair a|b TUN LOCAL REMOTE [SUITE [MTU]]     e.g.  datapath_pair a
 * gw0 10.0.0.1 10.0.0.2 aes256gcm16 a sends with the first key and b with the second; both use UDP
 * port 4500. SUITE: "aes256gcm16", "aes128-sha256".
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "crypto/crypt.h"
#include "esp/datapath.h"

#define PORT 4500
#define SPI_A 0x0a0a0a0a
#define SPI_B 0x0b0b0b0b

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static int tun_open(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) != 0) {
        close(fd);
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){4 << 20}, sizeof(int));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){1 << 20}, sizeof(int));
    return fd;
}

static int udp_open(const struct endpoint *local)
{
    struct sockaddr_storage address;
    socklen_t len = endpoint_to_sockaddr(local, &address);
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool suite_parse(const char *text, struct suite *suite)
{
    const char *dash = strchr(text, '-');
    size_t first = dash != NULL ? (size_t)(dash - text) : strlen(text);
    *suite = (struct suite){.encr = alg_find_name(bytes_of(text, first)), .esn = true};
    suite->integ = dash != NULL ? alg_find_name(bytes_of_string(dash + 1)) : NULL;
    return suite->encr != NULL && (suite->integ != NULL) == ((suite->encr->flags & ALG_AEAD) == 0);
}

static void params_fill(struct esp_params *params, const struct suite *suite, uint32_t spi,
                        const uint8_t *keys)
{
    *params = (struct esp_params){.spi = spi, .suite = *suite, .n_local = 2, .n_remote = 2};
    params->encr_key = bytes_of(keys, crypt_encr_key_len(suite->encr));
    params->integ_key = bytes_of(keys + 64, crypt_integ_key_len(suite->integ));
    for (size_t i = 0; i < 2; i++) {
        struct esp_selector any = {.port_high = UINT16_MAX};
        any.start.family = any.end.family = i == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
        memset(any.end.octets, 0xff, i == 0 ? 4 : 16);
        params->local[i] = params->remote[i] = any;
    }
}

static enum err sas_add(struct datapath *dp, const struct suite *suite, bool is_a)
{
    static uint8_t keys[2][128];
    struct esp_params params;
    struct datapath_child child = {.spi_in = is_a ? SPI_B : SPI_A};
    for (size_t i = 0; i < sizeof(keys[0]); i++) {
        keys[0][i] = (uint8_t)(i * 73 + 5);
        keys[1][i] = (uint8_t)(i * 41 + 9);
    }
    params_fill(&params, suite, is_a ? SPI_B : SPI_A, keys[is_a ? 1 : 0]);
    enum err err = datapath_add_in(dp, &child, &params);
    if (err == OK) {
        params_fill(&params, suite, is_a ? SPI_A : SPI_B, keys[is_a ? 0 : 1]);
        err = datapath_set_out(dp, &child, &params);
    }
    return err;
}

static void report(const struct datapath *dp)
{
    struct datapath_counters c;
    datapath_get_counters(dp, &c);
    printf("in  %lu packets %lu octets; dropped: replay %lu integrity %lu spi %lu policy %lu "
           "malformed %lu tun %lu\n",
           c.in_packets, c.in_octets, c.in_dropped_replay, c.in_dropped_integrity,
           c.in_dropped_unknown_spi, c.in_dropped_policy, c.in_dropped_malformed, c.in_dropped_tun);
    printf("out %lu packets %lu octets; dropped: no sa %lu policy %lu too big %lu send %lu "
           "malformed %lu; fallbacks "
           "%lu\n",
           c.out_packets, c.out_octets, c.out_dropped_no_sa, c.out_dropped_policy,
           c.out_dropped_too_big, c.out_dropped_send, c.out_dropped_malformed, c.gso_fallbacks);
}

int main(int argc, char **argv)
{
    struct datapath_path path = {.local.port = PORT, .remote.port = PORT};
    struct suite suite;
    if (argc < 5 || !addr_parse(&path.local.addr, argv[3]) ||
        !addr_parse(&path.remote.addr, argv[4]) ||
        !suite_parse(argc > 5 ? argv[5] : "aes256gcm16", &suite)) {
        fprintf(stderr, "usage: datapath_pair a|b TUN LOCAL REMOTE [SUITE [MTU]]\n");
        return 2;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);

    int tun = tun_open(argv[2]);
    if (tun < 0) {
        return fail("tun");
    }
    int udp = udp_open(&path.local);
    if (udp < 0) {
        return fail("udp");
    }
    bool v4 = path.local.addr.family == FAMILY_IPV4;
    struct datapath_config config = {
        .tun_fd = tun,
        .vnet_hdr = true,
        .udp4_fd = v4 ? udp : -1,
        .udp6_fd = v4 ? -1 : udp,
        .mtu = argc > 6 ? (uint16_t)atoi(argv[6])
                        : esp_inner_mtu(&suite, 1500, path.local.addr.family, true),
    };
    struct datapath *dp;
    if (datapath_start(&dp, &config) != OK || sas_add(dp, &suite, argv[1][0] == 'a') != OK ||
        datapath_set_path(dp, &path) != OK) {
        fprintf(stderr, "the datapath does not start\n");
        return 1;
    }
    printf("mtu %u\n", config.mtu);
    fflush(stdout);
    int received;
    sigwait(&ends, &received);
    report(dp);
    datapath_stop(dp);
    close(tun);
    close(udp);
    return 0;
}
