/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_SENDER_H
#define GODWIT_ESP_SENDER_H

#include "esp/claim.h"
#include "esp/datapath_internal.h"

/* The second half of the way out: seal and send. */

/* Packets that are sealed at once: many enough for ciphers with lanes, few enough for the first
 * cache. */
#define SEAL_BATCH 16

/* Who waits to send looks so often whether the other direction has come back to this thread
 * (hands.c). */
#define SEND_WAIT_MS 10

/* Packets in a row, equal in size but for the last: one system call. All are wrapped; the last
 * `waiting` of them are plain yet. */
struct run {
    size_t used;    /* octets */
    size_t segment; /* octets of the first */
    unsigned n;
    bool closed; /* the last was shorter */
    uint8_t tos;
    uint64_t inner;      /* octets, for the counters */
    uint64_t epoch;      /* since then its target and its SAs are held */
    uint64_t generation; /* of the path it takes, and of the MTU */
    unsigned unsealed;   /* that could not be encrypted */
    const struct udp_target *target;
    unsigned waiting;
    struct esp_packet packets[UDP_RUN_SEGMENTS];
    struct out_entry *along[UDP_RUN_SEGMENTS]; /* of each packet that waits */
    struct claim claim;
    /* From here on nothing is cleared: pages that no packet needs are never made. */
    uint8_t data[UDP_RUN_MAX];
};

/* Of the thread that sends. */
struct sender {
    struct datapath *dp;
    uint64_t generation; /* of the last run: */
    bool gso_off;        /* refused on its path */
    bool alone;          /* the thread has more to do than this */
};

void run_begin(struct run *run, const struct udp_target *target, uint64_t epoch,
               uint64_t generation);
/* Encrypts what waits. What cannot be leaves the run: the next one takes its place. */
void run_seal(struct run *run, unsigned sealer);
/* Sends a sealed run, waiting while the socket is full. `alone`: no second thread does it. */
void sender_send(struct sender *s, const struct run *run, bool alone);

#endif
