/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_USAGE_H
#define GODWIT_ESP_USAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a packet thread notes, and control reports once. Of one direction of a Child SA the counters
 * are the thread's own; only the two notes are shared.
 */
enum note { NOTE_NONE, NOTE_NEW, NOTE_REPORTED };

struct usage {
    uint64_t octets_left, packets_left;
    _Atomic unsigned char heard, worn; /* enum note */
};

/* A limit of 0 = none. */
static inline void usage_init(struct usage *usage, uint64_t octets, uint64_t packets)
{
    usage->octets_left = octets == 0 ? UINT64_MAX : octets;
    usage->packets_left = packets == 0 ? UINT64_MAX : packets;
    atomic_init(&usage->heard, NOTE_NONE);
    atomic_init(&usage->worn, NOTE_NONE);
}

/* The thread: true when there is something new to report. */
static inline bool usage_note(_Atomic unsigned char *note)
{
    if (atomic_load_explicit(note, memory_order_relaxed) != NOTE_NONE) {
        return false;
    }
    atomic_store(note, NOTE_NEW);
    return true;
}

/* The thread: one packet has passed; true when that wears the SA out, and there is something new to
 * report. */
static inline bool usage_spend(struct usage *usage, size_t octets)
{
    if (usage->octets_left > octets && usage->packets_left > 1) {
        usage->octets_left -= octets;
        usage->packets_left--;
        return false;
    }
    return usage_note(&usage->worn);
}

/* Control: takes the note, once. */
static inline bool usage_take(_Atomic unsigned char *note)
{
    if (atomic_load(note) != NOTE_NEW) {
        return false;
    }
    atomic_store(note, NOTE_REPORTED);
    return true;
}

/*
 * Something larger than so many octets, which control waits for: the question and its answer are
 * one word, so that no answer is taken for that to a later question.
 */
#define LARGE_NEVER UINT32_MAX
#define LARGE_SEEN (UINT32_MAX - 1)

/* The thread: true when there is something new to report. */
static inline bool large_pass(_Atomic uint32_t *large, size_t octets)
{
    uint32_t from = atomic_load_explicit(large, memory_order_relaxed);
    return octets > from && atomic_compare_exchange_strong(large, &from, LARGE_SEEN);
}

/* Control: takes the answer, once. */
static inline bool large_take(_Atomic uint32_t *large)
{
    uint32_t seen = LARGE_SEEN;
    return atomic_compare_exchange_strong(large, &seen, LARGE_NEVER);
}

#endif
