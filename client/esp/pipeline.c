/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/boottime.h"
#include "esp/datapath_internal.h"

#define DECIDE_US 20000
/*
 * What both threads spend of one processor, in percent. Waiting for a processor does not count:
 * when the machine has none free, a second thread only makes both switch more often. Handing over
 * costs something itself, so that the two figures are further apart than they seem.
 */
#define WANTED_FROM 85
#define WANTED_TO 75

unsigned pipeline_processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

void pipeline_init(struct pipeline *p, const char *name, void (*second)(void *owner, uint32_t slot),
                   void *owner)
{
    memset(p, 0, sizeof(*p));
    ring_init(&p->ring, PIPELINE_SLOTS);
    p->name = name;
    p->second = second;
    p->owner = owner;
}

static void *second_thread(void *pipeline)
{
    struct pipeline *p = pipeline;
    uint32_t slot;
    (void)prctl(PR_SET_NAME, p->name);
    while (ring_take(&p->ring, &slot)) {
        p->second(p->owner, slot);
        ring_done(&p->ring);
    }
    return NULL;
}

enum err pipeline_start(struct pipeline *p)
{
    p->helped = datapath_thread(&p->thread, second_thread, p);
    return p->helped && pthread_getcpuclockid(p->thread, &p->clock) == 0 ? OK : ERR_MEMORY;
}

void pipeline_stop(struct pipeline *p)
{
    ring_close(&p->ring);
    if (p->helped) {
        pthread_join(p->thread, NULL);
    }
}

/* By what the two threads that share its work have spent. */
static void decide(struct pipeline *p, clockid_t first_clock)
{
    uint64_t now = boottime_now();
    uint64_t span = now - p->since_us;
    if (!p->helped || span < DECIDE_US) {
        return;
    }
    uint64_t spent = thread_spent(first_clock) + thread_spent(p->clock);
    if (first_clock == p->first_clock) { /* what another thread has spent says nothing */
        uint64_t percent = (spent - p->spent_us) * 100 / span;
        bool was = atomic_load_explicit(&p->wanted, memory_order_relaxed);
        bool wanted = percent >= (was ? WANTED_TO : WANTED_FROM);
        atomic_store_explicit(&p->wanted, wanted, memory_order_relaxed);
    }
    p->since_us = now;
    p->spent_us = spent;
    p->first_clock = first_clock;
}

void pipeline_decide(struct pipeline *p)
{
    clockid_t self = p->first_clock;
    (void)pthread_getcpuclockid(pthread_self(), &self);
    decide(p, self);
    if (p->third != NULL) {
        decide(p->third, p->clock);
    }
}
