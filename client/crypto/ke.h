/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_KE_H
#define GODWIT_CRYPTO_KE_H

#include "common/bytes.h"
#include "common/error.h"
#include "common/secret.h"
#include "crypto/algs.h"
#include "crypto/rng.h"

/* One key exchange as the initiator: a fresh private value, our public value, the shared secret.
 * MODP: RFC 3526, ECP: RFC 5903, Curve25519/448: RFC 8031. */
struct ke;

enum err ke_new(struct ke **out, const struct alg *group, const struct rng *rng) ERR_CHECK;
/* The same with a given private value in the group's wire form (big endian scalar; little endian
 * for Curve25519/448): for vectors. */
enum err ke_new_private(struct ke **out, const struct alg *group,
                        struct bytes private_value) ERR_CHECK;
void ke_free(struct ke *ke); /* wipes */
const struct alg *ke_group(const struct ke *ke);
/* Our Key Exchange Data (RFC 7296 3.4), borrowed until ke_free. */
struct bytes ke_public(const struct ke *ke);
/* Octets that the peer's Key Exchange Data must have. */
size_t ke_public_len(const struct alg *group);
/*
 * g^ir as RFC 7296 2.14 wants it (left-padded to the modulus; x coordinate for ECP, RFC 5903 9).
 * ERR_KEY when the peer's value has a wrong length, is 0, 1 or p-1 or above, is not on the curve,
 * or leads to an all-zero secret (RFC 6989, RFC 8031 4).
 */
enum err ke_shared(struct ke *ke, struct bytes peer, struct secret *out) ERR_CHECK;

#endif
