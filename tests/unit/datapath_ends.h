/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_DATAPATH_ENDS_H
#define GODWIT_TESTS_DATAPATH_ENDS_H

#include <linux/virtio_net.h>

#include "esp/datapath.h"
#include "unit/packets.h"

/* Two datapaths joined by UDP on the loop-back interface; a socket pair stands for each TUN device.
 * Everything fails the test when it does not succeed. */

#define PATIENCE_MS 20000
#define HDR sizeof(struct virtio_net_hdr)

struct end {
    struct datapath *dp;
    int tun; /* our side of the TUN */
    int tun_inner;
    int udp;
    struct endpoint address;
};

struct tunnel {
    struct end a, b;
    bool vnet;
    struct suite suite;
};

/* A socket on the loop-back address and its name; port 0 = any. -1 when the port cannot be had. */
int udp_socket(enum family family, uint16_t port, struct endpoint *name);
void send_to(int fd, const struct endpoint *to, struct bytes data);
void end_open(struct end *end, enum family family, bool vnet);
void end_close(struct end *end);
/* One direction, of a Child SA without limits and with reqid 0. */
void add_in(const struct end *end, const struct esp_params *params);
void set_out(const struct end *end, uint32_t spi_in, const struct esp_params *params);
/* Both directions get an SA with `spi` (and spi + 1 back). */
void add_sas(struct tunnel *t, uint32_t spi);
void set_paths(struct tunnel *t);
void tunnel_open(struct tunnel *t, enum family outer, bool vnet);
void tunnel_close(struct tunnel *t);
/* `hdr` NULL = nothing to offload; not written when the TUN has none. */
void tun_write(const struct tunnel *t, const struct end *end, const struct virtio_net_hdr *hdr,
               const uint8_t *packet, size_t len);
bool readable(int fd, int timeout);
/* The next frame, without its virtio header. */
size_t tun_read(const struct tunnel *t, const struct end *end, struct virtio_net_hdr *hdr,
                uint8_t *packet, size_t cap);
struct datapath_counters counters(const struct end *end);
/* Waits for a counter, named by its place in the struct. */
void wait_counter(const struct end *end, size_t offset, uint64_t value);
#define WAIT(end, member, value)                                                                   \
    wait_counter(end, offsetof(struct datapath_counters, member), value)
/* Sends a packet through, from a or `back`, and compares what comes out. */
void exchange(const struct tunnel *t, bool back, const struct packet_spec *spec);

#endif
