/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/ke.h"

#include <nettle/curve25519.h>
#include <nettle/curve448.h>
#include <stdlib.h>

#include "crypto/ke_group.h"

/* Draws of a private value; one of ECP-256 is out of range once in 2^32, so this many mean a broken
 * generator. */
#define DRAWS_MAX 64

/*
 * MODP private values have twice the bits of the group's strength as RFC 3526 8 estimates it at
 * most, the top bit set; the offsets are RFC 3526's, that of MODP-1024 RFC 2409's.
 */
#define MODP(name, bits, exponent_bits, offset)                                                    \
    {                                                                                              \
        .id = (name), .family = &ke_modp, .public_len = (bits) / 8, .shared_len = (bits) / 8,      \
        .private_len = (exponent_bits) / 8, .private_len_free = true, .private_mask = 0xff,        \
        .private_set = 0x80, .modp_offset = (offset)                                               \
    }
#define ECP(name, octets, mask, get_curve)                                                         \
    {                                                                                              \
        .id = (name), .family = &ke_ecp, .public_len = 2 * (octets), .shared_len = (octets),       \
        .private_len = (octets), .private_mask = (mask), .curve = (get_curve)                      \
    }
#define MONTGOMERY(name, octets)                                                                   \
    {                                                                                              \
        .id = (name), .family = &ke_montgomery, .public_len = (octets), .shared_len = (octets),    \
        .private_len = (octets), .private_mask = 0xff                                              \
    }

static const struct ke_group groups[] = {
    MONTGOMERY(KE_CURVE25519, CURVE25519_SIZE),
    MONTGOMERY(KE_CURVE448, CURVE448_SIZE),
    ECP(KE_ECP_256, 32, 0xff, nettle_get_secp_256r1),
    ECP(KE_ECP_384, 48, 0xff, nettle_get_secp_384r1),
    ECP(KE_ECP_521, 66, 0x01, nettle_get_secp_521r1),
    MODP(KE_MODP_1024, 1024, 256, 129093),
    MODP(KE_MODP_1536, 1536, 256, 741804),
    MODP(KE_MODP_2048, 2048, 320, 124476),
    MODP(KE_MODP_3072, 3072, 424, 1690314),
    MODP(KE_MODP_4096, 4096, 480, 240904),
    MODP(KE_MODP_6144, 6144, 544, 929484),
    MODP(KE_MODP_8192, 8192, 624, 4743158),
};

struct ke {
    const struct alg *alg;
    const struct ke_group *group;
    struct secret private_value;
    uint8_t public_value[KE_MODP_LEN_MAX];
};

/* ---- Curve25519 and Curve448 (RFC 7748, RFC 8031) ---- */

static enum err montgomery_public(const struct ke_group *group, struct bytes private_value,
                                  uint8_t *out)
{
    if (group->id == KE_CURVE25519) {
        curve25519_mul_g(out, private_value.data);
    } else {
        curve448_mul_g(out, private_value.data);
    }
    return OK;
}

static enum err montgomery_shared(const struct ke_group *group, struct bytes private_value,
                                  struct bytes peer, uint8_t *out)
{
    uint8_t any = 0;

    if (group->id == KE_CURVE25519) {
        curve25519_mul(out, private_value.data, peer.data);
    } else {
        curve448_mul(out, private_value.data, peer.data);
    }
    /* RFC 8031 4, RFC 7748 6: a point of small order gives zero; all octets are looked at in any
     * case. */
    for (size_t i = 0; i < group->shared_len; i++) {
        any |= out[i];
    }
    return any != 0 ? OK : ERR_KEY;
}

const struct ke_family ke_montgomery = {
    .make_public = montgomery_public,
    .make_shared = montgomery_shared,
};

/* ---- the object ---- */

static const struct ke_group *find_group(const struct alg *alg)
{
    for (size_t i = 0; alg->type == TRANSFORM_KE && i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (groups[i].id == alg->id) {
            return &groups[i];
        }
    }
    return NULL;
}

static enum err ke_alloc(struct ke **out, const struct alg *alg)
{
    const struct ke_group *group = find_group(alg);

    *out = NULL;
    if (group == NULL) {
        return ERR_UNSUPPORTED;
    }
    *out = calloc(1, sizeof(**out));
    if (*out == NULL) {
        return ERR_MEMORY;
    }
    (*out)->alg = alg;
    (*out)->group = group;
    return OK;
}

static enum err draw(struct ke *ke, const struct rng *rng)
{
    const struct ke_group *group = ke->group;
    uint8_t *octets;
    enum err err;

    if (!secret_alloc(&ke->private_value, group->private_len)) {
        return ERR_MEMORY;
    }
    octets = ke->private_value.data;
    for (int i = 0; i < DRAWS_MAX; i++) {
        err = rng_fill(rng, octets, group->private_len);
        if (err != OK) {
            return err;
        }
        octets[0] = (uint8_t)((octets[0] & group->private_mask) | group->private_set);
        err = group->family->make_public(group, secret_bytes(&ke->private_value), ke->public_value);
        if (err != ERR_KEY) {
            return err;
        }
    }
    return ERR_CRYPTO;
}

enum err ke_new(struct ke **out, const struct alg *group, const struct rng *rng)
{
    enum err err = ke_alloc(out, group);

    if (err == OK) {
        err = draw(*out, rng);
    }
    if (err != OK) {
        ke_free(*out);
        *out = NULL;
    }
    return err;
}

static enum err take_private(struct ke *ke, struct bytes private_value)
{
    const struct ke_group *group = ke->group;
    bool fits = group->private_len_free
                    ? private_value.len > 0 && private_value.len <= group->public_len
                    : private_value.len == group->private_len;

    if (!fits) {
        return ERR_KEY;
    }
    if (!secret_set(&ke->private_value, private_value)) {
        return ERR_MEMORY;
    }
    return group->family->make_public(group, private_value, ke->public_value);
}

enum err ke_new_private(struct ke **out, const struct alg *group, struct bytes private_value)
{
    enum err err = ke_alloc(out, group);

    if (err == OK) {
        err = take_private(*out, private_value);
    }
    if (err != OK) {
        ke_free(*out);
        *out = NULL;
    }
    return err;
}

void ke_free(struct ke *ke)
{
    if (ke != NULL) {
        secret_free(&ke->private_value);
        free(ke);
    }
}

const struct alg *ke_group(const struct ke *ke)
{
    return ke->alg;
}

struct bytes ke_public(const struct ke *ke)
{
    return bytes_of(ke->public_value, ke->group->public_len);
}

size_t ke_public_len(const struct alg *group)
{
    const struct ke_group *row = find_group(group);

    return row != NULL ? row->public_len : 0;
}

enum err ke_shared(struct ke *ke, struct bytes peer, struct secret *out)
{
    const struct ke_group *group = ke->group;
    enum err err;

    secret_free(out);
    if (peer.len != group->public_len) {
        return ERR_KEY;
    }
    if (!secret_alloc(out, group->shared_len)) {
        return ERR_MEMORY;
    }
    err = group->family->make_shared(group, secret_bytes(&ke->private_value), peer, out->data);
    if (err != OK) {
        secret_free(out);
    }
    return err;
}
