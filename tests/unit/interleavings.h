/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_INTERLEAVINGS_H
#define GODWIT_TESTS_INTERLEAVINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/*
 * Two threads that share words, in every order in which so few preemptions can happen: what a
 * machine does once in a million times is done here each time. The threads are played on one, and
 * may change before each access; all accesses are sequentially consistent. Include this, then the
 * source whose words they are: <stdatomic.h>'s operations and syscall(SYS_futex) are played. Other
 * calls that wait can be played with interleavings_wait().
 */

typedef void interleaved(void *world);

/* Every order in which the two are preempted up to `preemptions` times; `reset` makes the world as
 * it was in the beginning, `check` is called when both have ended. Fails the test when both sleep,
 * or when they don't come to an end. Returns how many orders there are. */
unsigned long interleavings(interleaved *const threads[2], interleaved *reset, interleaved *check,
                            void *world, unsigned preemptions);

/* An access of the thread that plays, which may have to wait for the other one first. */
void interleavings_step(void);
/* futex(2) with FUTEX_WAIT_PRIVATE or FUTEX_WAKE_PRIVATE. */
long interleavings_futex(long number, _Atomic uint32_t *word, int operation, uint32_t value, ...);
/* Waits until `ready`, which makes no accesses of its own; if `patience`, only until the other one
 * cannot go on either: time passes while both wait. False: it has passed. */
bool interleavings_wait(bool (*ready)(void *argument), void *argument, bool patience);

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_fetch_add
#undef atomic_fetch_or
#undef atomic_compare_exchange_strong
#define atomic_load(word) (interleavings_step(), *(word))
#define atomic_load_explicit(word, order) atomic_load(word)
#define atomic_store(word, value) (interleavings_step(), (void)(*(word) = (value)))
#define atomic_store_explicit(word, value, order) atomic_store(word, value)
#define atomic_exchange(word, value) interleavings_change(word, value)
#define atomic_fetch_add(word, value) interleavings_change(word, interleavings_was + (value))
#define atomic_fetch_or(word, value) interleavings_change(word, interleavings_was | (value))
#define interleavings_change(word, value)                                                          \
    __extension__({                                                                                \
        interleavings_step();                                                                      \
        __typeof__((void)0, *(word)) interleavings_was = *(word);                                  \
        *(word) = (value);                                                                         \
        interleavings_was;                                                                         \
    })
#define atomic_compare_exchange_strong(word, expected, value)                                      \
    __extension__({                                                                                \
        interleavings_step();                                                                      \
        __typeof__((void)0, *(word)) interleavings_was = *(word);                                  \
        bool interleavings_same = interleavings_was == *(expected);                                \
        if (interleavings_same) {                                                                  \
            *(word) = (value);                                                                     \
        } else {                                                                                   \
            *(expected) = interleavings_was;                                                       \
        }                                                                                          \
        interleavings_same;                                                                        \
    })
#define syscall interleavings_futex

#endif
