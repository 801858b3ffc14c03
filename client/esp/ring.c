/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/ring.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CLOSED 1u
#define ONE 2u

/*
 * Who sleeps says so in a word of his own before he looks for the last time, and who changes
 * something looks at that word afterwards; all of it sequentially consistent, so one of the two
 * sees the other. The sleep is on that same word: should somebody who is late take it back, meaning
 * an earlier sleep, then this one does not begin.
 */

/* Sleeps while `wanted` is `value`. False: so many milliseconds have passed (-1: for ever). */
static bool sleep_on(_Atomic uint32_t *wanted, uint32_t value, int timeout)
{
    struct timespec span = {timeout / 1000, timeout % 1000 * 1000000L};
    return syscall(SYS_futex, wanted, FUTEX_WAIT_PRIVATE, value, timeout < 0 ? NULL : &span, NULL,
                   0) == 0 ||
           errno != ETIMEDOUT;
}

/* Nobody sleeps on it any more, nor is about to. */
static void wake(_Atomic uint32_t *wanted)
{
    if (atomic_exchange(wanted, 0) != 0) {
        (void)syscall(SYS_futex, wanted, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    }
}

static uint32_t pending(uint32_t put, uint32_t done)
{
    return ((put & ~CLOSED) - (done & ~CLOSED)) / ONE;
}

static uint32_t slot_of(const struct ring *ring, uint32_t word)
{
    return word / ONE & (ring->slots - 1);
}

void ring_init(struct ring *ring, uint32_t slots)
{
    ring->slots = slots;
    atomic_init(&ring->put, 0);
    atomic_init(&ring->put_wanted, 0);
    atomic_init(&ring->done, 0);
    atomic_init(&ring->done_wanted, 0);
}

void ring_close(struct ring *ring)
{
    atomic_fetch_or(&ring->put, CLOSED);
    atomic_fetch_or(&ring->done, CLOSED);
    wake(&ring->put_wanted);
    wake(&ring->done_wanted);
}

bool ring_closed(const struct ring *ring)
{
    return (atomic_load(&ring->done) & CLOSED) != 0;
}

/* ---- the first thread ---- */

/* Until at most `most` are pending. False: closed, or not in time. */
static bool wait_pending(struct ring *ring, uint32_t most, int timeout)
{
    for (;;) {
        uint32_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
        uint32_t done = atomic_load(&ring->done);
        if ((done & CLOSED) != 0 || pending(put, done) <= most) {
            atomic_store(&ring->done_wanted, 0);
            return (done & CLOSED) == 0;
        }
        if (atomic_load_explicit(&ring->done_wanted, memory_order_relaxed) == 0) {
            atomic_store(&ring->done_wanted, most + 1);
        } else if (!sleep_on(&ring->done_wanted, most + 1, timeout)) {
            atomic_store(&ring->done_wanted, 0);
            return false;
        }
    }
}

bool ring_wait_room(struct ring *ring, uint32_t *slot, int timeout)
{
    uint32_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
    *slot = slot_of(ring, put);
    uint32_t done = atomic_load(&ring->done);
    if ((done & CLOSED) != 0) {
        return false;
    }
    return pending(put, done) < ring->slots || wait_pending(ring, ring->slots / 2, timeout);
}

void ring_put(struct ring *ring)
{
    atomic_fetch_add(&ring->put, ONE);
    if (atomic_load(&ring->put_wanted) != 0) {
        wake(&ring->put_wanted);
    }
}

bool ring_oldest(const struct ring *ring, uint32_t *slot)
{
    uint32_t done = atomic_load(&ring->done);
    *slot = slot_of(ring, done);
    return pending(atomic_load_explicit(&ring->put, memory_order_relaxed), done) > 0;
}

uint32_t ring_pending(const struct ring *ring)
{
    return pending(atomic_load_explicit(&ring->put, memory_order_relaxed),
                   atomic_load(&ring->done));
}

bool ring_empty(const struct ring *ring)
{
    uint32_t slot;
    return !ring_oldest(ring, &slot);
}

bool ring_drain(struct ring *ring)
{
    return wait_pending(ring, 0, -1);
}

/* ---- the second thread ---- */

bool ring_take(struct ring *ring, uint32_t *slot)
{
    for (;;) {
        uint32_t done = atomic_load_explicit(&ring->done, memory_order_relaxed);
        uint32_t put = atomic_load(&ring->put);
        if ((put & CLOSED) != 0 || pending(put, done) > 0) {
            if (atomic_load_explicit(&ring->put_wanted, memory_order_relaxed) != 0) {
                atomic_store(&ring->put_wanted, 0);
            }
            *slot = slot_of(ring, done);
            return (put & CLOSED) == 0;
        }
        if (atomic_load_explicit(&ring->put_wanted, memory_order_relaxed) == 0) {
            atomic_store(&ring->put_wanted, 1);
        } else {
            (void)sleep_on(&ring->put_wanted, 1, -1);
        }
    }
}

void ring_done(struct ring *ring)
{
    uint32_t done = atomic_fetch_add(&ring->done, ONE) + ONE;
    uint32_t wanted = atomic_load(&ring->done_wanted);
    if (wanted != 0 && pending(atomic_load(&ring->put), done) < wanted) {
        wake(&ring->done_wanted);
    }
}
