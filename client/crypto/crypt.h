/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_CRYPT_H
#define GODWIT_CRYPTO_CRYPT_H

#include "common/bytes.h"
#include "common/error.h"
#include "crypto/algs.h"

/*
 * Encryption with integrity for one direction of one SA: an AEAD, or a cipher followed by a MAC. Serves the SK payload (RFC 7296 3.14,
 * RFC 5282) and ESP (RFC 4303). Not thread safe: one thread uses one object.
 *
 * Layout on the wire, all in one buffer:   iv | ciphertext | icv      (iv_octets, text, icv_octets)
 * AEAD:  AAD = `aad`.            MAC: computed over  aad | iv | ciphertext | mac_tail.
 * So an IKE caller passes the octets from the IKE header to the SK payload header as `aad`; an ESP caller passes SPI | SN (or
 * SPI | SN-high | SN-low for AEAD with ESN, RFC 4106 5) and SN-high as `mac_tail` when ESN runs with a MAC (RFC 4303 2.2.1).
 */
struct crypt;

/* `encr_key` = key | salt as cut from KEYMAT or SK_e (RFC 5282 7.1); `integ_key` empty for AEAD. Keys are copied and wiped on free. */
enum err crypt_new(struct crypt **out, const struct alg *encr, const struct alg *integ, struct bytes encr_key,
                   struct bytes integ_key) ERR_CHECK;
void crypt_free(struct crypt *crypt);

size_t crypt_encr_key_len(const struct alg *encr);   /* key + salt */
size_t crypt_integ_key_len(const struct alg *integ); /* 0 for NULL */
size_t crypt_iv_len(const struct crypt *crypt);
size_t crypt_icv_len(const struct crypt *crypt);
size_t crypt_block_len(const struct crypt *crypt);   /* plaintext must be a multiple of it */

/*
 * Seals `text_len` octets at `text` in place. The IV is written at text - iv_len and the ICV at text + text_len: the caller owns that
 * room. `counter` makes the IV and must never repeat for one key (ESP: the 64-bit sequence number; IKE: a message counter). Counter
 * modes use it as the IV; CBC derives an unpredictable IV from it under the key (encrypted counter block) so no randomness is needed.
 */
enum err crypt_seal(struct crypt *crypt, uint64_t counter, struct bytes aad, struct bytes mac_tail, uint8_t *text,
                    size_t text_len) ERR_CHECK;
/*
 * Verifies, then decrypts in place: `data` is iv | ciphertext | icv of `len` octets; on OK *text and *text_len name the plaintext inside
 * it. ERR_INTEGRITY: nothing may be used. ERR_SYNTAX: too short or not a multiple of the block.
 */
enum err crypt_open(struct crypt *crypt, struct bytes aad, struct bytes mac_tail, uint8_t *data, size_t len, uint8_t **text,
                    size_t *text_len) ERR_CHECK;

#endif
