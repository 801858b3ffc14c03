/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_RNG_H
#define GODWIT_CRYPTO_RNG_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

/* Where the engine's randomness comes from: the system in production, a seed in tests. `fill`
 * returns ERR_CRYPTO when none is to be had. */
struct rng {
    enum err (*fill)(void *context, uint8_t *out, size_t len);
    void *context;
};

/* The system's generator (getrandom(2)). */
struct rng rng_system(void);
enum err rng_fill(const struct rng *rng, uint8_t *out, size_t len) ERR_CHECK;

/* Deterministic generator for tests and the simulator: ChaCha20 keyed by the seed. Never for
 * production. */
struct rng_seeded {
    uint8_t key[32];
    uint64_t block;
};
struct rng rng_from_seed(struct rng_seeded *state, uint64_t seed);

#endif
