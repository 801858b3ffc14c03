/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_CRYPT_PROVIDER_H
#define GODWIT_CRYPTO_CRYPT_PROVIDER_H

#include <gnutls/crypto.h>

#include "crypto/crypt.h"

/*
 * Inside client/crypto only: who does the work of a crypt object. crypt.c chooses one by cipher
 * when the object is made, and has checked each message's lengths, and set its text, before it
 * calls.
 */
struct crypt_provider {
    enum crypt_library library;
    size_t state_size; /* octets of state: zeroed at first, wiped at the end */
    /* `encr_key` is without salt. stop() follows also when start() failed. */
    enum err (*start)(void *state, const struct crypt *crypt, struct bytes encr_key,
                      struct bytes integ_key);
    void (*stop)(void *state); /* NULL: wiping is enough */
    /* No allocation in these: they run per packet. */
    enum err (*seal)(void *state, const struct crypt *crypt, const struct crypt_message *message);
    enum err (*open)(void *state, const struct crypt *crypt, const struct crypt_message *message);
    /* At most CRYPT_BATCH messages; those whose `err` is not OK are not its own. NULL: one by one.
     */
    void (*seal_batch)(void *state, const struct crypt *crypt, struct crypt_message *messages,
                       size_t n);
    void (*open_batch)(void *state, const struct crypt *crypt, struct crypt_message *messages,
                       size_t n);
};

#define CRYPT_BATCH 64
#define CRYPT_ALIGN 64 /* of a provider's state */

#define CRYPT_SALT_MAX 4

struct crypt {
    const struct crypt_provider *provider;
    const struct alg *encr;
    const struct alg *integ;   /* NULL for AEAD */
    struct crypt_lanes *lanes; /* NULL with GnuTLS */
    uint8_t salt[CRYPT_SALT_MAX];
    void *state;
};

struct crypt_lanes {
    struct ipsec_mb *mb; /* NULL: GnuTLS alone */
};

/* What the lanes have for this, or NULL: then GnuTLS it is. */
const struct crypt_provider *crypt_lanes_provider(const struct crypt_lanes *lanes,
                                                  const struct alg *encr, const struct alg *integ);

/* GnuTLS: AES-GCM, AES-CCM, ChaCha20-Poly1305. */
extern const struct crypt_provider crypt_aead;
/* GnuTLS: AES-CBC and 3DES-CBC, then a MAC. */
extern const struct crypt_provider crypt_cbc;
/* Nettle: AES-CTR, then a MAC of GnuTLS. */
extern const struct crypt_provider crypt_ctr;

/* Nonce of an AEAD = salt | IV (RFC 4106 4, RFC 4309 4, RFC 7634 2); returns its length. */
#define CRYPT_NONCE_MAX 12
size_t crypt_make_nonce(const struct crypt *crypt, const uint8_t *iv,
                        uint8_t nonce[static CRYPT_NONCE_MAX]);
/* The last 8 octets of an IV, or all of it. */
void crypt_write_counter(uint8_t out[static 8], uint64_t counter);

/* State of crypt_cbc: intel-ipsec-mb's has it inside. */
struct crypt_cbc_state {
    gnutls_cipher_hd_t cipher;
    gnutls_hmac_hd_t mac;
};

/* GnuTLS's name of an INTEG algorithm; GNUTLS_MAC_UNKNOWN when it is none. */
gnutls_mac_algorithm_t crypt_mac_algorithm(const struct alg *integ);

#endif
