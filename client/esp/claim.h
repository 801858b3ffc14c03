/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_CLAIM_H
#define GODWIT_ESP_CLAIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A piece of work that one of several threads does, whoever comes first. */
struct claim {
    _Atomic uint32_t state;
};

/* There is no such work yet. */
void claim_init(struct claim *claim);
/* It may be taken: the one who prepared it. */
void claim_offer(struct claim *claim);
/* True: the caller does it, and says claim_done(). False: another thread does, or has done it, or
 * there is none. */
bool claim_take(struct claim *claim);
void claim_done(struct claim *claim);
/* One thread, after an offer that it knows of and has tried to take: waits until it is done. */
void claim_wait(struct claim *claim);

#endif
