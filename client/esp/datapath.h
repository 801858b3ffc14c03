/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_DATAPATH_H
#define GODWIT_ESP_DATAPATH_H

#include "esp/esp.h"

/*
 * The threads that move packets between a TUN device and UDP-encapsulated ESP. Control calls come
 * from one thread (the main loop) and never block the flow: SA tables are swapped, not locked.
 */
struct datapath;

struct datapath_config {
    int tun_fd;    /* IFF_TUN | IFF_NO_PI; not taken over */
    bool vnet_hdr; /* the TUN was opened with IFF_VNET_HDR (struct virtio_net_hdr, 10 octets, before
                      each packet) */
    int udp4_fd;   /* unconnected, non-blocking, -1 when the host has none; not taken over */
    int udp6_fd;
    uint16_t mtu; /* of the TUN, inner octets */
};

/* Where ESP goes: one pair of endpoints. Source 'any' lets the kernel choose. */
struct datapath_path {
    struct endpoint local;
    struct endpoint remote;
};

struct datapath_counters {
    uint64_t in_octets, in_packets; /* inner */
    uint64_t out_octets, out_packets;
    uint64_t in_dropped_replay, in_dropped_integrity, in_dropped_unknown_spi, in_dropped_policy,
        in_dropped_malformed;
    uint64_t in_dropped_tun; /* the TUN refused it */
    uint64_t ike_dropped;    /* the main loop lagged behind */
    uint64_t out_dropped_no_sa, out_dropped_policy, out_dropped_too_big, out_dropped_send,
        out_dropped_malformed;
    uint64_t gso_fallbacks; /* times that the kernel or device refused UDP_SEGMENT and packets went
                               singly */
    uint64_t last_in_us, last_out_us; /* CLOCK_BOOTTIME, 0 = never */
};

/*
 * Starts the threads; from now on they alone read the UDP sockets and the TUN. Makes the TUN
 * non-blocking, asks for its offloads (TUNSETOFFLOAD) and sets the sockets' options.
 */
enum err datapath_start(struct datapath **out, const struct datapath_config *config) ERR_CHECK;
/* Stops and joins the threads, frees all SAs; NULL is harmless. */
void datapath_stop(struct datapath *datapath);

/* Inbound SAs are found by SPI; several may live at once. */
enum err datapath_add_in(struct datapath *datapath, const struct esp_params *params) ERR_CHECK;
void datapath_remove_in(struct datapath *datapath, uint32_t spi);
/* The newest outbound SA carries everything it selects; replaced atomically. NULL removes it. */
enum err datapath_set_out(struct datapath *datapath, const struct esp_params *params) ERR_CHECK;
/* From the next batch on; ERR_MEMORY changes nothing. */
enum err datapath_set_path(struct datapath *datapath, const struct datapath_path *path) ERR_CHECK;
/* Packets above it get an ICMP "fragmentation needed" / "packet too big" back into the TUN, and
 * TCP's MSS is clamped to it. */
void datapath_set_mtu(struct datapath *datapath, uint16_t mtu);
void datapath_get_counters(const struct datapath *datapath, struct datapath_counters *out);

/* Readable when datagrams that are not ESP (IKE messages) wait; poll it from the main loop. */
int datapath_ike_fd(const struct datapath *datapath);
/*
 * Takes one waiting IKE datagram, without the non-ESP marker. Returns its length, or 0 when none is
 * left. `marker` tells whether it had one.
 */
size_t datapath_ike_receive(struct datapath *datapath, uint8_t *out, size_t cap,
                            struct endpoint *local, struct endpoint *remote, bool *marker);

#endif
