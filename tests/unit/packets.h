/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_PACKETS_H
#define GODWIT_TESTS_PACKETS_H

#include "crypto/algs.h"
#include "esp/esp.h"
#include "esp/segment.h"

/* IP packets for the tests of client/esp, built and checked by code that shares nothing with it. */

/* What a test packet says; zero members take sensible values. */
struct packet_spec {
    enum family family; /* FAMILY_IPV4 when 0 */
    uint8_t protocol;   /* IPPROTO_UDP when 0 */
    uint8_t tos;
    bool dont_fragment; /* IPv4 */
    uint16_t identification;
    uint8_t source_host, destination_host; /* the neighbour so many addresses further */
    uint16_t source_port, destination_port;
    uint32_t sequence, acknowledgement;
    uint8_t tcp_flags;
    uint16_t window;
    struct bytes tcp_options; /* a multiple of 4 octets */
    size_t payload;           /* octets, filled with a pattern that starts at `pattern` */
    uint8_t pattern;
};

/* 10.1.0.1 to 10.2.0.1 or fd01::1 to fd02::1; `reverse` swaps them. */
size_t packet_build(const struct packet_spec *spec, bool reverse, uint8_t *out);
/* Octets before the payload. */
size_t packet_header_len(const struct packet_spec *spec);
/* Of a frame that is to be cut into packets with `size` octets of payload (TCP or UDP). */
struct virtio_net_hdr packet_frame_header(const struct packet_spec *spec, uint16_t size);
/* Fails the test unless lengths and every checksum (IPv4, TCP, UDP, ICMP) are right. */
void packet_check(const uint8_t *packet, size_t len);
/* Sum of 16-bit words, folded, not complemented. */
uint16_t packet_sum(const uint8_t *data, size_t len, uint32_t start);

/* Every ESP suite of the table: AEADs, and each cipher with each MAC, with and without ESN. False
 * past the end. */
bool suite_at(size_t index, struct suite *out);
/* Parameters with made-up keys of the right lengths and selectors for everything of both families.
 */
void params_for(struct esp_params *out, const struct suite *suite, uint32_t spi);
/* One selector for a whole family. */
struct esp_selector selector_any(enum family family);

#endif
