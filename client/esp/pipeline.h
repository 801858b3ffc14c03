/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_PIPELINE_H
#define GODWIT_ESP_PIPELINE_H

#include <pthread.h>
#include <time.h>

#include "common/error.h"
#include "esp/ring.h"

/*
 * The work of one direction in two halves. As a rule one thread does both in turn, which is the
 * fastest for a single packet and the cheapest. While it uses up a processor, it does the first
 * half only and hands the slot to a second thread, in order, by a ring. Should that use up a
 * processor as well, a third one may take a part of its work; that is a pipeline for itself, and
 * what is put there is up to the direction.
 */
struct pipeline {
    struct ring ring;
    bool helped; /* there is a second thread */
    pthread_t thread;
    const char *name;
    /* Does the second half of the work on a slot. */
    void (*second)(void *owner, uint32_t slot);
    void *owner;
    clockid_t clock;        /* of the second thread's time on processors */
    atomic_bool wanted;     /* the first thread's decision */
    struct pipeline *third; /* between the second thread and this one's; NULL: there is none */
    /* When it was last decided, what both had spent till then, and who was the first. */
    uint64_t since_us, spent_us;
    clockid_t first_clock;
};

/* The most that wait between the two: at 64 KiB each half a megabyte. */
#define PIPELINE_SLOTS 8

/* How many processors this thread may run on. */
unsigned pipeline_processors(void);
/* `name`: of the second thread, at most 15 letters. */
void pipeline_init(struct pipeline *p, const char *name, void (*second)(void *owner, uint32_t slot),
                   void *owner);
/* Starts the second thread. */
enum err pipeline_start(struct pipeline *p) ERR_CHECK;
/* The first thread does not wait for it any more either; harmless when it was not started. */
void pipeline_stop(struct pipeline *p);
/* The first thread: sets `wanted` anew, when some time has passed in which it has been the first;
 * the third's as well. */
void pipeline_decide(struct pipeline *p);

/* Anyone: the second thread has work. */
static inline bool pipeline_in_use(const struct pipeline *p)
{
    return atomic_load_explicit(&p->wanted, memory_order_relaxed) || !ring_empty(&p->ring);
}

/* The first thread, before each batch: true when it shall hand over what it does. Otherwise it does
 * both halves, and nothing is overtaken: the second thread has nothing left to do. */
static inline bool pipeline_hands_over(struct pipeline *p)
{
    pipeline_decide(p);
    return pipeline_in_use(p);
}

#endif
