/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_QUIESCE_H
#define GODWIT_ESP_QUIESCE_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * Freeing what the packet threads may still read, without a lock (quiescent-state-based
 * reclamation). The first thread of a direction announces at the top of each batch since when it,
 * or the second thread on its behalf, holds something; control unlinks an object, retires it, and
 * frees it once both directions have announced an epoch that is not before that, or sleep.
 */
#define QUIESCE_THREADS 2

/* First member of everything that can be retired. */
struct retired {
    struct retired *next;
    uint64_t epoch;
    void (*release)(struct retired *object);
};

struct quiesce {
    _Atomic uint64_t epoch;
    _Atomic uint64_t seen[QUIESCE_THREADS];
    struct retired *waiting; /* control's own */
};

void quiesce_init(struct quiesce *q);
/* Packet threads: what begins now. */
uint64_t quiesce_epoch(const struct quiesce *q);
/* Packet threads: nothing is held that was loaded before `epoch` (at most quiesce_epoch()). Shared
 * pointers are loaded after this. */
void quiesce_online(struct quiesce *q, unsigned thread, uint64_t epoch);
/* Packet threads: holds nothing until the next quiesce_online; before sleeping. */
void quiesce_offline(struct quiesce *q, unsigned thread);
/* Control: `object` (NULL is harmless) is no longer reachable; takes it over. */
void quiesce_retire(struct quiesce *q, struct retired *object);
/* Control: frees what no thread can hold any more. */
void quiesce_reclaim(struct quiesce *q);

#endif
