/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_KEYS_H
#define GODWIT_IKE_KEYS_H

#include "common/cursor.h"
#include "common/error.h"
#include "common/secret.h"
#include "crypto/algs.h"
#include "crypto/crypt.h"
#include "crypto/prf.h"

/* The key schedule of IKEv2 and the octets that AUTH proves: pure functions (RFC 7296 2.14
 * to 2.17). */

/* Keys of one IKE SA. SK_ei and SK_er hold key | salt as crypt_new() takes them; SK_ai and SK_ar
 * are empty for an AEAD. */
struct ike_keys {
    struct secret d, ai, ar, ei, er, pi, pr;
};

/* Nonces and SPIs that go into the derivations; borrowed. SPIs in host order. */
struct key_seed {
    struct bytes ni, nr;
    uint64_t spi_i, spi_r;
};

/* SKEYSEED = prf(Ni | Nr, g^ir) and the seven keys from it (RFC 7296 2.14). ERR_MEMORY, ERR_CRYPTO;
 * then *out is empty. */
enum err ike_keys_derive(struct ike_keys *out, const struct suite *suite,
                         const struct key_seed *seed, struct bytes shared) ERR_CHECK;
/* The same for an IKE SA that replaces one with these: SKEYSEED = prf(SK_d (old), g^ir | Ni | Nr)
 * with the old PRF (RFC 7296 2.18). */
enum err ike_keys_rekey(struct ike_keys *out, const struct suite *suite,
                        const struct key_seed *seed, struct bytes shared, const struct alg *old_prf,
                        struct bytes old_sk_d) ERR_CHECK;
/* The same for an IKE SA that is resumed: SKEYSEED = prf(SK_d (old), "Resumption" | Ni | Nr), with
 * the PRF of the suite, which comes from the ticket too (RFC 5723 5.1). */
enum err ike_keys_resume(struct ike_keys *out, const struct suite *suite,
                         const struct key_seed *seed, struct bytes old_sk_d) ERR_CHECK;
/* Wipes. */
void ike_keys_free(struct ike_keys *keys);

/* Keys of one Child SA in the order they are taken from KEYMAT (RFC 7296 2.17): initiator to
 * responder, then back. */
struct child_keys {
    struct secret encr_i, integ_i, encr_r, integ_r;
};
/* KEYMAT = prf+(SK_d, [g^ir |] Ni | Nr); `shared` is empty without a key exchange of its own. */
enum err child_keys_derive(struct child_keys *out, const struct alg *prf, struct bytes sk_d,
                           const struct suite *suite, struct bytes shared, struct bytes ni,
                           struct bytes nr) ERR_CHECK;
void child_keys_free(struct child_keys *keys);

/*
 * The octets that a peer signs or MACs (RFC 7296 2.15): its IKE_SA_INIT message | the other side's
 * nonce | prf(SK_p, ID'), where `id` is the body of its ID payload. *out is owned by the caller.
 */
enum err auth_octets(struct secret *out, const struct alg *prf, struct bytes init_message,
                     struct bytes nonce, struct bytes sk_p, struct bytes id) ERR_CHECK;
/* AUTH = prf(prf(secret, "Key Pad for IKEv2"), octets); prf_len(prf) octets to out. `secret` is the
 * PSK, the MSK, or SK_p. */
enum err auth_shared_key(const struct alg *prf, struct bytes secret, struct bytes octets,
                         uint8_t out[static PRF_MAX]) ERR_CHECK;

#endif
