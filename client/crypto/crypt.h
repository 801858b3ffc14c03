/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_CRYPT_H
#define GODWIT_CRYPTO_CRYPT_H

#include "common/bytes.h"
#include "common/error.h"
#include "crypto/algs.h"

/*
 * Encryption with integrity for one direction of one SA: an AEAD, or a cipher followed by a MAC.
 * Serves the SK payload (RFC 7296 3.14, RFC 5282) and ESP (RFC 4303). Not thread safe: one thread
 * uses one object.
 *
 * Layout on the wire, all in one buffer:   iv | ciphertext | icv      (iv_octets, text, icv_octets)
 * AEAD:  AAD = `aad`.            MAC: computed over  aad | iv | ciphertext | mac_tail.
 * So an IKE caller passes the octets from the IKE header to the SK payload header as `aad`; an ESP
 * caller passes SPI | SN (or SPI | SN-high | SN-low for AEAD with ESN, RFC 4106 5) and SN-high as
 * `mac_tail` when ESN runs with a MAC (RFC 4303 2.2.1).
 */
struct crypt;

/* `encr_key` = key | salt as cut from KEYMAT or SK_e (RFC 5282 7.1); `integ_key` empty for AEAD.
 * Keys are copied and wiped on free. */
enum err crypt_new(struct crypt **out, const struct alg *encr, const struct alg *integ,
                   struct bytes encr_key, struct bytes integ_key) ERR_CHECK;
void crypt_free(struct crypt *crypt);

/*
 * A library of ciphers and the room in which one thread works with it. A library other than GnuTLS
 * has only some of the ciphers, those in which it is faster, and does the work of many packets at
 * once; it serves ESP.
 */
struct crypt_lanes;
enum crypt_library {
    CRYPT_FASTEST, /* of those that were built in and run on this processor */
    CRYPT_GNUTLS,
    CRYPT_IPSEC_MB, /* intel-ipsec-mb */
};
/* ERR_UNSUPPORTED: not built in, or its self-test or this processor says no; never with
 * CRYPT_FASTEST and CRYPT_GNUTLS. */
enum err crypt_lanes_new(struct crypt_lanes **out, enum crypt_library library) ERR_CHECK;
/* After all crypt objects that were made in them; what is left of keys is wiped. */
void crypt_lanes_free(struct crypt_lanes *lanes);
/* Whose work it is with these algorithms: "GnuTLS", or "intel-ipsec-mb 1.3.0 (AVX-512, VAES)";
 * lives as long as the lanes. */
const char *crypt_lanes_name(const struct crypt_lanes *lanes, const struct alg *encr,
                             const struct alg *integ);
/* As crypt_new, which knows GnuTLS alone, for use in the thread of `lanes`; NULL = GnuTLS. It may
 * be called from another thread. */
enum err crypt_new_in(struct crypt **out, struct crypt_lanes *lanes, const struct alg *encr,
                      const struct alg *integ, struct bytes encr_key,
                      struct bytes integ_key) ERR_CHECK;
/* Whose work it is. */
enum crypt_library crypt_library(const struct crypt *crypt);

size_t crypt_encr_key_len(const struct alg *encr);   /* key + salt */
size_t crypt_integ_key_len(const struct alg *integ); /* 0 for NULL */
size_t crypt_iv_len(const struct crypt *crypt);
size_t crypt_icv_len(const struct crypt *crypt);
size_t crypt_block_len(const struct crypt *crypt); /* plaintext must be a multiple of it */

/*
 * Seals `text_len` octets at `text` in place. The IV is written at text - iv_len and the ICV at
 * text + text_len: the caller owns that room. `counter` makes the IV and must never repeat for one
 * key (ESP: the 64-bit sequence number; IKE: a message counter). Counter modes use it as the IV;
 * CBC derives an unpredictable IV from it under the key (encrypted counter block) so no randomness
 * is needed.
 */
enum err crypt_seal(struct crypt *crypt, uint64_t counter, struct bytes aad, struct bytes mac_tail,
                    uint8_t *text, size_t text_len) ERR_CHECK;
/*
 * Verifies, then decrypts in place: `data` is iv | ciphertext | icv of `len` octets; on OK *text
 * and *text_len name the plaintext inside it. ERR_INTEGRITY: nothing may be used. ERR_SYNTAX: too
 * short or not a multiple of the block.
 */
enum err crypt_open(struct crypt *crypt, struct bytes aad, struct bytes mac_tail, uint8_t *data,
                    size_t len, uint8_t **text, size_t *text_len) ERR_CHECK;

/* One of several messages: `data` is iv | text | icv of `len` octets, in place, both ways. */
struct crypt_message {
    struct bytes aad, mac_tail; /* as above; some libraries need `aad` right before `data` to be
                                   faster than GnuTLS with a MAC */
    uint8_t *data;
    size_t len;
    uint64_t counter; /* to seal */
    uint8_t *text;    /* result: the text inside `data`; NULL after a failure to open */
    size_t text_len;
    enum err err; /* result of this message, as from crypt_seal or crypt_open */
};
/* As crypt_seal and crypt_open for each of any number of messages, which do not overlap. */
void crypt_seal_batch(struct crypt *crypt, struct crypt_message *messages, size_t n);
void crypt_open_batch(struct crypt *crypt, struct crypt_message *messages, size_t n);

#endif
