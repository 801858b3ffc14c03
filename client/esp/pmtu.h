/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_PMTU_H
#define GODWIT_ESP_PMTU_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Finds out what outer packets a path carries by asking (RFC 8899): probes that are answered or
 * not, and nothing else, change what is taken for granted. ICMP is a hint at most: everybody can
 * send it, and many a path swallows it. No clock, no sockets: the caller sends the probes and tells
 * the time, in microseconds.
 */
#define PMTU_MIN_IPV4 576
#define PMTU_MIN_IPV6 1280 /* RFC 8200 5 */

enum pmtu_state {
    PMTU_REST,
    PMTU_CONFIRM, /* whether what is in use still passes */
    PMTU_SEARCH,  /* between what passes and what does not */
};

struct pmtu {
    enum pmtu_state state;
    uint16_t floor, ceiling; /* of the family; of the interface */
    uint16_t current;        /* in use */
    uint16_t good, bad; /* SEARCH: the largest that passed (0 = none), the smallest that did not */
    uint16_t hint;      /* what somebody says that passes; 0 = nobody */
    uint16_t asked;     /* a probe of that size is under way; 0 = none */
    unsigned lost;      /* CONFIRM: probes in a row */
    uint64_t asked_at;
    uint64_t confirmed_at;         /* 0 = never */
    uint64_t raise_at, raise_wait; /* look for more then; UINT64_MAX = there is no more */
};

/* Another path: `mtu` is that of the interface. Nothing is sent before something is in doubt. */
void pmtu_start(struct pmtu *pmtu, uint16_t mtu, uint16_t floor);
/*
 * There is reason to ask whether what is in use passes. `hint` is what the kernel makes of ICMP, 0
 * = nothing: it tells what to try, and is believed when it passes and what is in use does not.
 */
void pmtu_doubt(struct pmtu *pmtu, uint16_t hint);
/* It is time to ask whether more passes. */
void pmtu_raise(struct pmtu *pmtu, uint64_t now);
/* The size to probe now; 0 = none. */
uint16_t pmtu_next(struct pmtu *pmtu, uint64_t now);
/* What became of a probe of that size. True when `current` has changed. */
bool pmtu_answer(struct pmtu *pmtu, uint16_t size, bool passed, uint64_t now);
/* When a probe under way is given up on, since its exchange has been lost sight of; UINT64_MAX. */
uint64_t pmtu_deadline(const struct pmtu *pmtu);

#endif
