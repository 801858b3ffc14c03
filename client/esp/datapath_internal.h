/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_DATAPATH_INTERNAL_H
#define GODWIT_ESP_DATAPATH_INTERNAL_H

#include <linux/virtio_net.h>
#include <pthread.h>
#include <stdatomic.h>

#include "esp/coalesce.h"
#include "esp/datapath.h"
#include "esp/look.h"
#include "esp/pipeline.h"
#include "esp/quiesce.h"
#include "esp/sa_table.h"
#include "esp/segment.h"
#include "esp/udp.h"

/*
 * What control (datapath.c), the way out (outbound.c, sender.c) and the way in (inbound.c,
 * writer.c) share. Each way has a thread, and where there are processors for it a second one, and
 * the way out a third one, that sleep until it is worth it (pipeline.h).
 */

enum { THREAD_OUT, THREAD_IN };
enum { LANE_OUT, LANE_IN, LANE_AHEAD, N_LANES };
_Static_assert(N_LANES == DATAPATH_LANES, "each has its own");

/* Who encrypts: the thread that sends, and the one that is ahead of it. */
enum { SEALER_SENDER, SEALER_AHEAD, N_SEALERS };
_Static_assert(N_SEALERS == ESP_SEALERS, "each has its own");

/* Each is written by one half of one way only and read by anyone. */
enum counter {
    IN_REPLAY,
    IN_INTEGRITY,
    IN_UNKNOWN_SPI,
    IN_POLICY,
    IN_MALFORMED,
    IN_SOCKET,
    IN_QUEUE,
    IN_IKE,
    /* The second half. */
    IN_OCTETS,
    IN_PACKETS,
    IN_MALFORMED_INSIDE,
    IN_TUN,
    IN_LAST,
    OUT_NO_SA,
    OUT_POLICY,
    OUT_TOO_BIG,
    OUT_MALFORMED,
    OUT_USED_UP, /* the SA's numbers */
    /* The second half. */
    OUT_OCTETS,
    OUT_PACKETS,
    OUT_UNSEALED, /* the cipher failed */
    OUT_TOO_BIG_OUTSIDE,
    OUT_SEND,
    OUT_GSO_FALLBACK,
    OUT_LAST,
    N_COUNTERS
};

struct out_entry {
    struct retired retired;
    uint32_t spi_in, reqid;
    struct esp_out *sa;
    struct suite suite;
    struct usage usage;
};

/* Where ESP goes, and the outbound SAs in the order in which they are asked; swapped whole, so that
 * no packet goes to one gateway by an SA with another. */
struct out_table {
    struct retired retired;
    uint64_t serial; /* no other table has it */
    unsigned paths;  /* set so far; 0: there is no target */
    struct udp_target target;
    size_t n;
    struct out_entry *entries[]; /* retired one by one */
};

/* An IKE datagram on its way to the main loop stands behind this. */
struct ike_item {
    struct endpoint local, remote;
    bool marker;
};

struct outbound;
struct inbound;

enum { HAND_FIRST, HAND_SECOND, N_HANDS };

/* A thread. */
struct hand {
    struct datapath *dp;
    unsigned number;
    pthread_t thread;
    int call; /* eventfd: it has been given a direction */
    int tun;  /* -1: that is not its, or is gone */
    /* What it has measured: hands.c */
    uint64_t window, packets;
    unsigned calm_windows;
    bool quiet, busy;
    bool may_look; /* wait awake for a moment */
    unsigned did;  /* THREAD_OUT or THREAD_IN: what is waited after */
    struct look look[QUIESCE_THREADS];
};

struct datapath {
    struct datapath_config config;
    bool uso;   /* the TUN takes UDP super-packets */
    int wake;   /* eventfd: readable from datapath_stop on */
    int news;   /* eventfd: datapath_next_event() has something */
    int ike[2]; /* main loop's end, inbound thread's end */
    atomic_bool stop;
    struct quiesce quiesce;
    _Atomic(struct out_table *) out;
    struct out_table *next;      /* control's own: `out` after datapath_commit(); NULL = no other */
    bool held;                   /* ... and not before */
    _Atomic uint64_t generation; /* of the path and the MTU */
    _Atomic uint16_t mtu;
    _Atomic uint32_t large;            /* ESP above it is reported; usage.h */
    _Atomic unsigned char singly_note; /* enum note */
    struct sa_table in;
    _Alignas(64) _Atomic uint64_t counters[N_COUNTERS];
    bool helped; /* each way has its second thread */
    struct pipeline pipelines[QUIESCE_THREADS];
    struct pipeline ahead; /* encrypts what waits to be sent; as long as there are lanes for it */
    unsigned lanes;        /* of the configuration, that are used */
    struct outbound *outbound;
    struct inbound *inbound;
    _Atomic unsigned inbound_by; /* whose hands it is in */
    struct hand hands[N_HANDS];
    bool several_hands;
    unsigned n_threads;
};

/* Only the thread that does its half may call it: a load and a store, no bus lock. */
static inline void count(struct datapath *dp, enum counter which, uint64_t n)
{
    uint64_t now = atomic_load_explicit(&dp->counters[which], memory_order_relaxed);
    atomic_store_explicit(&dp->counters[which], now + n, memory_order_relaxed);
}

static inline void count_set(struct datapath *dp, enum counter which, uint64_t value)
{
    atomic_store_explicit(&dp->counters[which], value, memory_order_relaxed);
}

/* A thread without signals. */
bool datapath_thread(pthread_t *thread, void *(*run)(void *), void *argument);
/* Packet threads: control has something to report. */
void datapath_tell(struct datapath *dp);
/* Blocks until `fd` is ready for `events`, so many milliseconds have passed (-1: for ever) or stop
 * is asked for; false then. */
bool datapath_wait(struct datapath *dp, int fd, short events, int timeout);
/* Largest inner packet of a family: IPv6 never goes below its minimum, the outer packet is
 * fragmented then (RFC 8200 5). */
static inline size_t datapath_limit(uint16_t mtu, enum family family)
{
    return family == FAMILY_IPV6 && mtu < IPV6_MTU_MIN ? IPV6_MTU_MIN : mtu;
}

/* ---- outbound.c ---- */
#define TUN_FRAME_MAX (sizeof(struct virtio_net_hdr) + IP_PACKET_MAX)

struct outbound *outbound_new(struct datapath *dp); /* NULL: memory */
void outbound_free(struct outbound *o);
/* Takes what was read from the TUN (with a virtio header when the device has one), at most
 * TUN_FRAME_MAX octets, 16 writable before it. */
void outbound_frame(struct outbound *o, uint8_t *frame, size_t len);
/* Announces a quiescent point and loads the shared pointers; before the first frame of a batch. */
void outbound_begin(struct outbound *o);
/* Sends what is left of the batch. */
void outbound_flush(struct outbound *o);
/* Reads what waits in the TUN, as much as the other direction can wait for, and sends it. Returns
 * how many frames these were, or -1 when the TUN is gone. */
int outbound_some(struct outbound *o);
/* Announces that nothing is held. False while its second thread holds something: try again. */
bool outbound_release(struct outbound *o);

/* ---- inbound.c ---- */
struct inbound *inbound_new(struct datapath *dp); /* NULL: memory */
void inbound_free(struct inbound *in);
/* Takes a run of datagrams; `data` is changed, and stays where it is until inbound_flush(). */
void inbound_run(struct inbound *in, uint8_t *data, size_t len, const struct udp_meta *meta,
                 int fd);
/* Gives on what was taken. */
void inbound_flush(struct inbound *in);
/* Takes what waits in a socket (0 IPv4, 1 IPv6), as much as others can wait for. */
void inbound_some(struct inbound *in, unsigned source);
/* -1: there is none, or no longer. */
int inbound_fd(const struct inbound *in, unsigned source);

/* ---- hands.c ---- */
enum err hands_start(struct datapath *dp);
/* Waits until the threads have seen the stop flag; also when not all of them were started. */
void hands_stop(struct datapath *dp);
/* From the thread that sends, before it waits for what may last: what comes in goes on without
 * it. */
void hands_part(struct datapath *dp);

#endif
