/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_DATAPATH_H
#define GODWIT_ESP_DATAPATH_H

#include "esp/esp.h"

/*
 * The threads that move packets between a TUN device and UDP-encapsulated ESP. Control calls come
 * from one thread (the main loop) and never block the flow: SA tables are swapped, not locked.
 */
struct datapath;
struct crypt_lanes;

/* Threads that seal or open: one each way, and a third one where there are processors for it. */
#define DATAPATH_LANES 3

struct datapath_config {
    int tun_fd;    /* IFF_TUN | IFF_NO_PI; not taken over */
    bool vnet_hdr; /* the TUN was opened with IFF_VNET_HDR (struct virtio_net_hdr, 10 octets, before
                      each packet) */
    int udp4_fd;   /* unconnected, non-blocking, -1 when the host has none; not taken over */
    int udp6_fd;
    uint16_t mtu; /* of the TUN, inner octets */
    /* Taken over, also after a failure. The first datapath_lanes() may be made (crypt_lanes_new)
     * while there is time; those that are NULL are made by datapath_start. */
    struct crypt_lanes *lanes[DATAPATH_LANES];
};

/* Where ESP goes: one pair of endpoints. Source 'any' lets the kernel choose. */
struct datapath_path {
    struct endpoint local;
    struct endpoint remote;
    uint32_t ifindex; /* interface to leave by; 0 = as the routing table says */
};

/* What the caller knows one direction of a Child SA by. */
struct datapath_child {
    uint32_t spi_in;          /* of its pair; names the Child SA in events */
    uint32_t reqid;           /* stays the same when it is rekeyed */
    uint64_t octets, packets; /* report it as worn out after so much ESP; 0 = never */
};

enum datapath_event_type {
    DATAPATH_HEARD, /* the first authentic packet has come in on it */
    DATAPATH_WORN,  /* so much has passed as `struct datapath_child` says; each direction counts for
                       itself */
    DATAPATH_LARGE, /* ESP as large as datapath_watch_large() asked for goes out; no Child SA's */
    DATAPATH_SINGLY, /* the kernel or a device does not cut runs of datagrams, so each goes by
                        itself; said once, no Child SA's */
};
struct datapath_event {
    enum datapath_event_type type;
    uint32_t spi_in;
};

struct datapath_counters {
    uint64_t in_octets, in_packets; /* inner */
    uint64_t out_octets, out_packets;
    uint64_t in_dropped_replay, in_dropped_integrity, in_dropped_unknown_spi, in_dropped_policy,
        in_dropped_malformed;
    uint64_t in_dropped_tun; /* the TUN refused it */
    uint64_t
        in_dropped_socket;     /* the sockets' buffers were full: runs, as the kernel counts them */
    uint64_t in_dropped_queue; /* so that those who send go slower: too much waited too long */
    uint64_t ike_dropped;      /* the main loop lagged behind */
    uint64_t out_dropped_no_sa, out_dropped_policy, out_dropped_too_big, out_dropped_send,
        out_dropped_malformed;
    uint64_t gso_fallbacks; /* times that the kernel or device refused UDP_SEGMENT and packets went
                               singly */
    uint64_t last_in_us, last_out_us; /* CLOCK_BOOTTIME, 0 = never */
};

/* How many lanes a datapath uses on this machine. */
unsigned datapath_lanes(void);
/*
 * Starts the threads; from now on they alone read the UDP sockets and the TUN. Makes the TUN
 * non-blocking, asks for its offloads (TUNSETOFFLOAD) and sets the sockets' options.
 */
enum err datapath_start(struct datapath **out, const struct datapath_config *config) ERR_CHECK;
/* Stops and joins the threads, frees all SAs; NULL is harmless. */
void datapath_stop(struct datapath *datapath);

/* Inbound SAs are found by SPI (that of `child`); several may live at once. */
enum err datapath_add_in(struct datapath *datapath, const struct datapath_child *child,
                         const struct esp_params *params) ERR_CHECK;
void datapath_remove_in(struct datapath *datapath, uint32_t spi_in);
/*
 * Takes the place of the outbound SA of the same reqid, atomically; one of a new reqid comes first.
 * A packet goes along the first that selects it (RFC 4301 5.1).
 */
enum err datapath_set_out(struct datapath *datapath, const struct datapath_child *child,
                          const struct esp_params *params) ERR_CHECK;
/* Of that Child SA; nothing happens when another one has taken its place. ERR_MEMORY. */
enum err datapath_remove_out(struct datapath *datapath, uint32_t spi_in) ERR_CHECK;
/* Readable when datapath_next_event() has something; poll it from the main loop. */
int datapath_event_fd(const struct datapath *datapath);
/* Takes what has happened; each Child SA reports each type once in each direction. False when there
 * is no more. */
bool datapath_next_event(struct datapath *datapath, struct datapath_event *event);
/*
 * What is set or removed of the outbound side from now on takes effect with datapath_commit(), all
 * at once: several Child SAs and their path give way to those with another gateway, and no packet
 * is sealed for the one and sent to the other.
 */
void datapath_hold(struct datapath *datapath);
void datapath_commit(struct datapath *datapath);
/* From the next batch on; ERR_MEMORY changes nothing. */
enum err datapath_set_path(struct datapath *datapath, const struct datapath_path *path) ERR_CHECK;
/* Packets above it get an ICMP "fragmentation needed" / "packet too big" back into the TUN, and
 * TCP's MSS is clamped to it. */
void datapath_set_mtu(struct datapath *datapath, uint16_t mtu);
/* Reports once when an ESP packet of more than so many octets goes out; again after the next call.
 */
void datapath_watch_large(struct datapath *datapath, uint16_t octets);
/* Whose ciphers an SA of this suite is served by (crypt_lanes_name). */
const char *datapath_library(const struct datapath *datapath, const struct suite *suite);
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
