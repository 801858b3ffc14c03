/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/quiesce.h"

#include <stddef.h>

#define ASLEEP UINT64_MAX

/*
 * All accesses are sequentially consistent. Either a thread's announcement comes before control's
 * look at it, then it carries an epoch below the retirement's and the object stays; or it comes
 * after, then so do its loads, and they find the object unlinked.
 */

void quiesce_init(struct quiesce *q)
{
    atomic_init(&q->epoch, 1);
    for (unsigned i = 0; i < QUIESCE_THREADS; i++) {
        atomic_init(&q->seen[i], ASLEEP);
    }
    q->waiting = NULL;
}

uint64_t quiesce_epoch(const struct quiesce *q)
{
    return atomic_load(&q->epoch);
}

void quiesce_online(struct quiesce *q, unsigned thread, uint64_t epoch)
{
    atomic_store(&q->seen[thread], epoch);
}

void quiesce_offline(struct quiesce *q, unsigned thread)
{
    atomic_store(&q->seen[thread], ASLEEP);
}

void quiesce_retire(struct quiesce *q, struct retired *object)
{
    if (object == NULL) {
        return;
    }
    object->epoch = atomic_fetch_add(&q->epoch, 1) + 1;
    object->next = q->waiting;
    q->waiting = object;
    quiesce_reclaim(q);
}

void quiesce_reclaim(struct quiesce *q)
{
    uint64_t oldest = ASLEEP;
    for (unsigned i = 0; i < QUIESCE_THREADS; i++) {
        uint64_t seen = atomic_load(&q->seen[i]);
        oldest = seen < oldest ? seen : oldest;
    }
    for (struct retired **at = &q->waiting; *at != NULL;) {
        struct retired *object = *at;
        if (object->epoch > oldest) {
            at = &object->next;
            continue;
        }
        *at = object->next;
        object->release(object);
    }
}
