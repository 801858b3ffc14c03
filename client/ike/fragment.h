/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_FRAGMENT_H
#define GODWIT_IKE_FRAGMENT_H

#include "ike/ike.h"

/* IKEv2 message fragmentation (RFC 7383): datagrams that make up one message, and putting received
 * fragments together again. */

#define FRAGMENTS_MAX 64
#define FRAGMENT_TIMEOUT_US UINT64_C(15000000)

/* One message ready to be sent, in one datagram or in fragments. Owned. */
struct datagrams {
    struct secret items[FRAGMENTS_MAX];
    size_t n;
    size_t next; /* first that has not been sent yet */
};
void datagrams_free(struct datagrams *datagrams);

/* What sealing needs to know of the IKE SA; the counter advances with each datagram. */
struct sealer {
    struct crypt *crypt;
    uint64_t *counter;
};
/*
 * Seals the chain under the header into one SK message, or into SKF messages when `may_fragment`
 * and it is longer than `message_max` octets. *out is replaced; next = 0. ERR_SPACE when it takes
 * more than FRAGMENTS_MAX or 65,535 octets.
 */
enum err fragment_seal(struct datagrams *out, const struct ike_header *header,
                       const struct chain *chain, const struct sealer *sealer, bool may_fragment,
                       size_t message_max) ERR_CHECK;

/* Fragments of one message that have arrived; all of them have passed the integrity check. */
struct reassembly {
    bool active;
    uint32_t message_id;
    uint8_t exchange;
    uint16_t total;
    uint8_t first_inner;
    uint64_t have; /* bit n-1 = fragment n */
    struct secret pieces[FRAGMENTS_MAX];
    size_t octets;
    uint64_t expires;
};
struct fragment {
    uint16_t number, total;
    uint8_t first_inner; /* of fragment 1 */
    struct bytes plain;
};
/*
 * Takes one fragment. Sets *complete and fills *out (owned by the caller) when it was the last one
 * missing. A larger total replaces what was there (the sender found a smaller path MTU), a smaller
 * one is ignored (RFC 7383 2.6). ERR_MEMORY; ERR_SPACE beyond the bounds.
 */
enum err reassembly_add(struct reassembly *r, const struct ike_header *header,
                        const struct fragment *fragment, uint64_t now, struct secret *out,
                        bool *complete) ERR_CHECK;
void reassembly_free(struct reassembly *r);

#endif
