/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/claim.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DONE, OFFERED, TAKEN, AWAITED };

void claim_init(struct claim *claim)
{
    atomic_init(&claim->state, DONE);
}

void claim_offer(struct claim *claim)
{
    atomic_store(&claim->state, OFFERED);
}

bool claim_take(struct claim *claim)
{
    uint32_t offered = OFFERED;
    return atomic_load_explicit(&claim->state, memory_order_relaxed) == OFFERED &&
           atomic_compare_exchange_strong(&claim->state, &offered, TAKEN);
}

void claim_done(struct claim *claim)
{
    if (atomic_exchange(&claim->state, DONE) == AWAITED) {
        (void)syscall(SYS_futex, &claim->state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    }
}

void claim_wait(struct claim *claim)
{
    uint32_t taken = TAKEN;
    if (atomic_load(&claim->state) == DONE ||
        !atomic_compare_exchange_strong(&claim->state, &taken, AWAITED)) {
        return;
    }
    while (atomic_load(&claim->state) == AWAITED) {
        (void)syscall(SYS_futex, &claim->state, FUTEX_WAIT_PRIVATE, AWAITED, NULL, NULL, 0);
    }
}
