/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/rng.h"

#include <errno.h>
#include <nettle/chacha.h>
#include <string.h>
#include <sys/random.h>

static enum err system_fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);

        if (got > 0) {
            out += got;
            len -= (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            return ERR_CRYPTO;
        }
    }
    return OK;
}

struct rng rng_system(void)
{
    return (struct rng){.fill = system_fill};
}

enum err rng_fill(const struct rng *rng, uint8_t *out, size_t len)
{
    return rng->fill(rng->context, out, len);
}

/* Each call takes a nonce of its own, so what one caller draws does not depend on how another
 * splits its draws. */
static enum err seeded_fill(void *context, uint8_t *out, size_t len)
{
    struct rng_seeded *state = context;
    struct chacha_ctx chacha;
    uint8_t nonce[CHACHA_NONCE_SIZE];

    if (len == 0) {
        return OK;
    }
    for (size_t i = 0; i < sizeof(nonce); i++) {
        nonce[i] = (uint8_t)(state->block >> (8 * i));
    }
    state->block++;
    chacha_set_key(&chacha, state->key);
    chacha_set_nonce(&chacha, nonce);
    memset(out, 0, len);
    chacha_crypt(&chacha, len, out, out);
    return OK;
}

struct rng rng_from_seed(struct rng_seeded *state, uint64_t seed)
{
    *state = (struct rng_seeded){0};
    for (size_t i = 0; i < sizeof(seed); i++) {
        state->key[i] = (uint8_t)(seed >> (8 * i));
    }
    return (struct rng){.fill = seeded_fill, .context = state};
}
