/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_UDP_H
#define GODWIT_ESP_UDP_H

#include "common/addr.h"
#include "common/error.h"

/* UDP with the kernel's offloads: one call sends or receives a run of datagrams of equal size. */

#define UDP_RUN_MAX 65507   /* octets of one call: the largest UDP payload over IPv4 */
#define UDP_RUN_SEGMENTS 64 /* datagrams of one call (UDP_MAX_SEGMENTS of Linux 4.18 to 6.8) */

/*
 * Asks for packet information, ECN, losses and receive offload, and ends the reporting of ICMP
 * errors. Best effort. How large the buffers are is the business of who opened the socket and may
 * raise them.
 */
void udp_setup(int fd, enum family family);
/* Ends the receive offload, so that whoever reads the socket next gets single datagrams. */
void udp_teardown(int fd);

/* Where datagrams go, prepared once. */
struct udp_target {
    int fd; /* -1: the host has no such socket */
    enum family family;
    struct sockaddr_storage to;
    socklen_t to_len;
    bool has_source;
    struct addr source;
    uint32_t ifindex; /* interface to leave by; 0 = as the routing table says */
};
void udp_target_set(struct udp_target *target, int fd4, int fd6, const struct endpoint *local,
                    const struct endpoint *remote, uint32_t ifindex);

/*
 * Sends `len` octets as datagrams of `segment` octets, the last one maybe shorter, without
 * blocking. `tos`: DSCP|ECN. 0 or an errno.
 */
int udp_send(const struct udp_target *target, const uint8_t *data, size_t len, size_t segment,
             uint8_t tos);

/* What came with a received run. */
struct udp_meta {
    struct endpoint remote;
    struct endpoint local; /* destination address; the port is the socket's own and left 0 */
    uint8_t tos;
    uint32_t lost;  /* runs that the socket had no room for since it was made; modulo 2^32 */
    size_t segment; /* octets of each datagram but the last; the run's length when there is one */
};
/* Octets that wait in the receive buffer, and its size, as the kernel counts them, its own
 * included; 0 when it does not tell (before Linux 4.12). */
size_t udp_waiting(int fd, size_t *size);
/* Receives one run without blocking: 0 or an errno; EMSGSIZE when it did not fit. */
int udp_receive(int fd, uint8_t *data, size_t cap, size_t *len, struct udp_meta *meta);

#endif
