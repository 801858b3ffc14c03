/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/replay.h"

#include <string.h>

_Static_assert((REPLAY_WORDS & (REPLAY_WORDS - 1)) == 0, "the ring index is a mask");
_Static_assert(ESP_REPLAY_WINDOW % 64 == 0, "the window is whole words");

void replay_init(struct replay *replay, bool esn, uint64_t top)
{
    memset(replay, 0, sizeof(*replay));
    replay->esn = esn;
    replay->top = top;
}

static uint64_t bit_of(uint64_t sequence)
{
    return UINT64_C(1) << (sequence & 63);
}

static size_t word_of(uint64_t sequence)
{
    return (size_t)(sequence >> 6) & (REPLAY_WORDS - 1);
}

/* RFC 4303 A2.2. False when the upper half would leave 0..2^32-1. */
static bool infer(const struct replay *replay, uint32_t wire, uint64_t *sequence)
{
    uint32_t top_low = (uint32_t)replay->top;
    uint64_t high = replay->top >> 32;
    uint32_t bottom = top_low - ESP_REPLAY_WINDOW + 1;
    if (top_low >= ESP_REPLAY_WINDOW - 1) {
        if (wire < bottom) {
            high++;
        }
    } else if (wire >= bottom) {
        if (high == 0) {
            return false;
        }
        high--;
    }
    *sequence = high << 32 | wire;
    return high <= UINT32_MAX;
}

bool replay_check(const struct replay *replay, uint32_t wire, uint64_t *sequence)
{
    *sequence = wire;
    if (replay->esn && !infer(replay, wire, sequence)) {
        return false;
    }
    if (*sequence == 0) {
        return false; /* the first packet carries 1, and the number never cycles (RFC 4303 2.2) */
    }
    if (*sequence > replay->top) {
        return true;
    }
    if (replay->top - *sequence >= ESP_REPLAY_WINDOW) {
        return false;
    }
    return (replay->ring[word_of(*sequence)] & bit_of(*sequence)) == 0;
}

void replay_commit(struct replay *replay, uint64_t sequence)
{
    if (sequence > replay->top) {
        uint64_t words = (sequence >> 6) - (replay->top >> 6);
        if (words >= REPLAY_WORDS) {
            memset(replay->ring, 0, sizeof(replay->ring));
        } else {
            for (uint64_t i = 1; i <= words; i++) {
                replay->ring[word_of(replay->top + i * 64)] = 0;
            }
        }
        replay->top = sequence;
    }
    replay->ring[word_of(sequence)] |= bit_of(sequence);
}
