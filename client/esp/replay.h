/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_REPLAY_H
#define GODWIT_ESP_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "esp/esp.h"

/*
 * The anti-replay window of one inbound SA: a ring of 64-bit words (RFC 6479), twice the window
 * long, so that advancing clears whole words and never shifts. Sequence numbers are 64 bits;
 * without ESN the upper half stays zero.
 */
#define REPLAY_WORDS (2 * ESP_REPLAY_WINDOW / 64)

struct replay {
    uint64_t top; /* highest number committed; 0 = none */
    bool esn;
    uint64_t ring[REPLAY_WORDS];
};

/* `top`: highest number to be taken as used already; 0 for a fresh SA. */
void replay_init(struct replay *replay, bool esn, uint64_t top);
/*
 * Completes the 32 bits of the wire to a sequence number (RFC 4303 A2.2) and checks it; false when
 * it was seen, is too old or cannot exist. Changes nothing: the packet is not authenticated yet.
 */
bool replay_check(const struct replay *replay, uint32_t wire, uint64_t *sequence);
/* Records a number that passed replay_check and whose packet verified. */
void replay_commit(struct replay *replay, uint64_t sequence);

#endif
