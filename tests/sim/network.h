/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SIM_NETWORK_H
#define GODWIT_TESTS_SIM_NETWORK_H

#include <glib.h>

#include "sim/places.h"

/* Deterministic randomness of the simulation itself (SplitMix64). */
struct sim_random {
    uint64_t state;
};
uint64_t sim_random(struct sim_random *random);
uint32_t sim_below(struct sim_random *random, uint32_t n); /* 0..n-1; n > 0 */
bool sim_chance(struct sim_random *random, unsigned permille);

/* What the network does to datagrams. */
struct faults {
    unsigned lose, duplicate, corrupt;        /* per mille of datagrams, both ways */
    uint64_t delay_min_us, delay_max_us;      /* spread makes reordering; 0 = 5 ms */
    uint64_t lose_to_gateway, lose_to_client; /* bit n: the n-th datagram that way is lost */
    uint64_t hold_to_gateway, hold_to_client; /* bit n: it arrives hold_us later */
    uint64_t hold_us;
    uint64_t duplicate_to_gateway, duplicate_to_client; /* bit n: it arrives twice */
    uint64_t corrupt_to_gateway, corrupt_to_client;     /* bit n: with one bit flipped */
    bool partition;                                     /* nothing arrives any more */
};

struct datagram {
    uint64_t at;    /* when it arrives */
    uint64_t order; /* datagrams of one moment arrive in the order in which they were sent */
    bool to_gateway;
    bool corrupted;
    uint32_t spi; /* a mark in the place of an ESP packet; 0 = a message */
    struct endpoint from, to;
    uint8_t *data;
    size_t len;
};

struct network {
    struct faults faults;
    struct places places;
    GPtrArray *in_flight; /* struct datagram */
    size_t sent_to_gateway, sent_to_client;
    uint64_t order;
    unsigned lost, duplicated, corrupted;
};

void network_init(struct network *network, const struct faults *faults);
void network_free(struct network *network);
/* Sends a copy; returns what happened to it for the ladder ("lost", "corrupted"…), "" when nothing
 * did. */
const char *network_send(struct network *network, struct sim_random *random, bool to_gateway,
                         const struct path *path, struct bytes data, uint64_t now);
/* A mark in the place of an ESP packet: delayed as messages are, and lost only in a partition or
 * where its path does not work. */
void network_send_mark(struct network *network, struct sim_random *random, bool to_gateway,
                       const struct path *path, uint32_t spi, uint64_t now);
/* When the next datagram arrives; IKE_NEVER. */
uint64_t network_deadline(const struct network *network);
/* Takes the datagram that arrives first and not after `now`; NULL when there is none. Free with
 * datagram_free(). */
struct datagram *network_receive(struct network *network, uint64_t now);
void datagram_free(struct datagram *datagram);

#endif
