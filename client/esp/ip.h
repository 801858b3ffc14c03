/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_IP_H
#define GODWIT_ESP_IP_H

#include "common/addr.h"
#include "common/bytes.h"
#include "common/error.h"

/* Reading and mending the headers of inner packets. Every packet here may be hostile. */

#define IP_PACKET_MAX 65535
#define IPV4_HEADER 20u
#define IPV4_HEADER_MAX 60u /* TCP's as well */
#define IPV6_HEADER 40u
#define TCP_HEADER 20u
#define UDP_HEADER 8u
#define IPV6_MTU_MIN 1280 /* RFC 8200 5 */

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_CWR 0x80

struct ip_info {
    enum family family;
    uint8_t protocol;   /* upper layer, behind the IPv6 extension headers of RFC 4301 4.4.1.1 */
    bool fragment;      /* one of several */
    bool has_upper;     /* the upper-layer header is here: not a later fragment */
    bool dont_fragment; /* IPv4 DF; always set for IPv6 */
    size_t header_len;  /* octets before the upper layer */
    size_t total_len;   /* as the header says, never more than the octets given */
};

/*
 * Checks version and lengths and walks the extension headers; false when the packet is malformed.
 * Octets behind total_len are not an error: ESP may carry traffic flow confidentiality padding.
 */
bool ip_parse(struct ip_info *out, const uint8_t *packet, size_t len);
/* Source and destination, borrowed; `info` came from ip_parse. */
struct bytes ip_source(const struct ip_info *info, const uint8_t *packet);
struct bytes ip_destination(const struct ip_info *info, const uint8_t *packet);
/* DSCP|ECN octet of either family. */
uint8_t ip_tos(const uint8_t *packet);

/* ---- checksum.c: Internet checksum (RFC 1071); sums are in memory order, so that they can be
 * stored as they are ---- */
uint64_t checksum_add(uint64_t sum, const uint8_t *data,
                      size_t len); /* odd `len` only at the end */
/* The same, and copies the data, which lies elsewhere. */
uint64_t checksum_copy(uint64_t sum, uint8_t *to, const uint8_t *data, size_t len);
/* checksum_add() on a machine without wide registers. */
uint64_t checksum_add_plain(uint64_t sum, const uint8_t *data, size_t len);
uint16_t checksum_fold(uint64_t sum); /* not complemented */
/* Sum over the pseudo header: addresses, protocol and upper-layer length. */
uint64_t checksum_pseudo(const struct ip_info *info, const uint8_t *packet, size_t upper_len);
/* Writes the IPv4 header checksum. */
void ipv4_checksum_set(uint8_t *packet);
/* Stores `sum` complemented at `at`; a zero becomes all ones, which means the same everywhere and
 * is needed by UDP. */
void checksum_store(uint8_t *at, uint64_t sum);
/* Mends the checksum at `at` after a 16-bit field at an even offset went from `before` to `after`
 * (RFC 1624). */
void checksum_replace(uint8_t *at, uint16_t before, uint16_t after);

/*
 * Combines the outer ECN field (0..3) into the inner header at tunnel exit (RFC 6040 4.2, figure
 * 4). False: the packet must be dropped (congestion was experienced and the inner transport does
 * not know ECN).
 */
bool ip_ecn_decapsulate(uint8_t *packet, uint8_t outer_ecn);

/* Lowers the MSS option of a TCP SYN to what fits `mtu` and mends the checksum; leaves everything
 * else alone. */
void tcp_clamp_mss(const struct ip_info *info, uint8_t *packet, uint16_t mtu);

#endif
