/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_RING_H
#define GODWIT_ESP_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Slots that one thread fills and another one handles, in the same order. The slots themselves are
 * the caller's, numbered from 0. No lock; a system call only when one of the two has to sleep.
 */
struct ring {
    uint32_t slots;
    /* Slots so far, times two; the lowest bit: closed. */
    alignas(64) _Atomic uint32_t put;
    _Atomic uint32_t put_wanted; /* the second sleeps until more is put */
    alignas(64) _Atomic uint32_t done;
    _Atomic uint32_t done_wanted; /* the first sleeps until fewer than so many are pending */
};

/* `slots`: a power of two. */
void ring_init(struct ring *ring, uint32_t slots);
/* Anyone: neither thread sleeps any more, nothing more is taken. */
void ring_close(struct ring *ring);
bool ring_closed(const struct ring *ring);

/* ---- the first thread ---- */

/* The slot to fill next. Waits while all are pending, then until half of them are done, so that not
 * each one costs a wake-up. False: closed, or not in so many milliseconds (-1: for ever). */
bool ring_wait_room(struct ring *ring, uint32_t *slot, int timeout);
/* The slot to fill next is full. */
void ring_put(struct ring *ring);
/* The second thread is done with all that was put, and what it did is visible. */
bool ring_empty(const struct ring *ring);
/* How many are not done yet. */
uint32_t ring_pending(const struct ring *ring);
/* The first of the slots that are pending. False: it is empty. */
bool ring_oldest(const struct ring *ring, uint32_t *slot);
/* Waits until it is empty. False: closed. */
bool ring_drain(struct ring *ring);

/* ---- the second thread ---- */

/* Waits for a slot to handle. False: closed. */
bool ring_take(struct ring *ring, uint32_t *slot);
/* It has been handled. */
void ring_done(struct ring *ring);

#endif
