/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_KE_GROUP_H
#define GODWIT_CRYPTO_KE_GROUP_H

#include <nettle/ecc-curve.h>

#include "crypto/ke.h"

/* Inside client/crypto only: one row per group, and the mathematics of a family of groups. */

#define KE_MODP_LEN_MAX 1024 /* octets of MODP-8192 */

struct ke_group;

/* All values have the wire form and length that the group's row tells; ke.c has checked them. */
struct ke_family {
    /* Our public value. ERR_KEY: the private value is out of range. */
    enum err (*make_public)(const struct ke_group *group, struct bytes private_value, uint8_t *out);
    /* The shared secret. ERR_KEY: the peer's value is not acceptable. */
    enum err (*make_shared)(const struct ke_group *group, struct bytes private_value,
                            struct bytes peer, uint8_t *out);
};

struct ke_group {
    enum ke_id id;
    const struct ke_family *family;
    uint16_t public_len;   /* octets */
    uint16_t shared_len;   /* octets */
    uint16_t private_len;  /* octets of a fresh private value */
    bool private_len_free; /* a given private value may have any length up to public_len */
    uint8_t private_mask;  /* for the first octet of a fresh private value */
    uint8_t private_set;
    uint32_t modp_offset;                   /* MODP: see ke_modp.c */
    const struct ecc_curve *(*curve)(void); /* ECP */
};

extern const struct ke_family ke_modp;
extern const struct ke_family ke_ecp;
extern const struct ke_family ke_montgomery; /* Curve25519 and Curve448 */

#endif
