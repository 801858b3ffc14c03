/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_PRF_H
#define GODWIT_CRYPTO_PRF_H

#include "common/bytes.h"
#include "common/error.h"
#include "crypto/algs.h"

#define PRF_MAX 64 /* octets of the longest output */
#define SHA1_LEN 20

/* Output length, also the preferred key length (RFC 7296 2.13). */
size_t prf_len(const struct alg *prf);
/* prf(key, parts[0] | parts[1] | …) into out[prf_len]. AES-CMAC keys of other lengths are reduced
 * as RFC 4615 says. */
enum err prf_parts(const struct alg *prf, struct bytes key, const struct bytes *parts,
                   size_t n_parts, uint8_t *out) ERR_CHECK;
/* prf+(key, seed) of RFC 7296 2.13, `len` octets (at most 255 blocks, else ERR_SPACE); the seed is
 * parts[0] | parts[1] | … */
enum err prf_plus(const struct alg *prf, struct bytes key, const struct bytes *parts,
                  size_t n_parts, uint8_t *out, size_t len) ERR_CHECK;
/* SHA-1 of parts, for NAT detection and key hashes only (RFC 7296 2.23, 3.7). */
enum err sha1_parts(const struct bytes *parts, size_t n_parts,
                    uint8_t out[static SHA1_LEN]) ERR_CHECK;
/* Truncated keyed MAC of an INTEG algorithm over parts, for tests and short messages; out has
 * icv_octets. */
enum err mac_parts(const struct alg *integ, struct bytes key, const struct bytes *parts,
                   size_t n_parts, uint8_t *out) ERR_CHECK;

#endif
