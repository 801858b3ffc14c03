/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gmp.h>
#include <nettle/ecc.h>

#include "crypto/ke_group.h"

/* GMP and Nettle end the process themselves when memory is out; no size here comes from the peer.
 */

static void take(mpz_t number, struct bytes from)
{
    mpz_init(number);
    mpz_import(number, from.len, 1, 1, 0, 0, from.data);
}

/* All `len` octets take the same steps, so that leading zeros do not show in the time. */
static void give(const mpz_t number, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        mp_limb_t limb = mpz_getlimbn(number, (mp_size_t)(i / sizeof(mp_limb_t)));

        out[len - 1 - i] = (uint8_t)(limb >> (8 * (i % sizeof(mp_limb_t))));
    }
}

static void wipe(mpz_t number)
{
    size_t limbs = mpz_size(number);

    secret_wipe(mpz_limbs_modify(number, (mp_size_t)limbs), limbs * sizeof(mp_limb_t));
    mpz_clear(number);
}

static bool scalar_take(struct ecc_scalar *scalar, const struct ecc_curve *curve, struct bytes from)
{
    mpz_t number;
    bool in_range;

    ecc_scalar_init(scalar, curve);
    take(number, from);
    in_range = ecc_scalar_set(scalar, number) != 0;
    wipe(number);
    return in_range;
}

static void scalar_clear(struct ecc_scalar *scalar)
{
    secret_wipe(scalar->p, (size_t)ecc_size(scalar->ecc) * sizeof(mp_limb_t));
    ecc_scalar_clear(scalar);
}

static void point_clear(struct ecc_point *point)
{
    secret_wipe(point->p, (size_t)ecc_size_a(point->ecc) * sizeof(mp_limb_t));
    ecc_point_clear(point);
}

/* Writes x, and y behind it when `both`. */
static void point_give(const struct ecc_point *point, uint8_t *out, size_t field_len, bool both)
{
    mpz_t x;
    mpz_t y;

    mpz_init(x);
    mpz_init(y);
    ecc_point_get(point, x, y);
    give(x, out, field_len);
    if (both) {
        give(y, out + field_len, field_len);
    }
    wipe(x);
    wipe(y);
}

/* False when the coordinates are not those of a point on the curve (RFC 6989 2.3). */
static bool point_take(struct ecc_point *point, const struct ecc_curve *curve, struct bytes from)
{
    size_t field_len = from.len / 2;
    mpz_t x;
    mpz_t y;
    bool on_curve;

    ecc_point_init(point, curve);
    take(x, bytes_of(from.data, field_len));
    take(y, bytes_of(from.data + field_len, field_len));
    on_curve = ecc_point_set(point, x, y) != 0;
    mpz_clear(x);
    mpz_clear(y);
    return on_curve;
}

static enum err ecp_public(const struct ke_group *group, struct bytes private_value, uint8_t *out)
{
    const struct ecc_curve *curve = group->curve();
    struct ecc_scalar scalar;
    struct ecc_point point;
    bool in_range = scalar_take(&scalar, curve, private_value);

    if (in_range) {
        ecc_point_init(&point, curve);
        ecc_point_mul_g(&point, &scalar);
        point_give(&point, out, group->shared_len, true);
        point_clear(&point);
    }
    scalar_clear(&scalar);
    return in_range ? OK : ERR_KEY;
}

/* The secret is the x coordinate alone (RFC 5903 9). The groups have prime order, so no product is
 * at infinity. */
static enum err ecp_shared(const struct ke_group *group, struct bytes private_value,
                           struct bytes peer, uint8_t *out)
{
    const struct ecc_curve *curve = group->curve();
    struct ecc_scalar scalar;
    struct ecc_point theirs;
    struct ecc_point product;
    bool valid;

    valid = scalar_take(&scalar, curve, private_value);
    valid = point_take(&theirs, curve, peer) && valid;
    if (valid) {
        ecc_point_init(&product, curve);
        ecc_point_mul(&product, &scalar, &theirs);
        point_give(&product, out, group->shared_len, false);
        point_clear(&product);
    }
    point_clear(&theirs);
    scalar_clear(&scalar);
    return valid ? OK : ERR_KEY;
}

const struct ke_family ke_ecp = {
    .make_public = ecp_public,
    .make_shared = ecp_shared,
};
