/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_CRYPT_PROVIDER_H
#define GODWIT_CRYPTO_CRYPT_PROVIDER_H

#include <gnutls/crypto.h>

#include "crypto/crypt.h"

/*
 * Inside client/crypto only: who does the work of a crypt object. crypt.c chooses one by cipher in
 * crypt_new() and has checked lengths before it calls; a faster library is one more row in its
 * table.
 */

/* One message in place: iv | text | icv in one run of octets, with what is authenticated around it.
 */
struct crypt_message {
    struct bytes aad;
    struct bytes mac_tail; /* MAC only */
    uint8_t *iv;
    uint8_t *text;
    size_t text_len; /* the ICV follows */
};

struct crypt_provider {
    size_t state_size; /* octets of state: zeroed by crypt_new(), wiped by crypt_free() */
    /* `encr_key` is without salt. stop() follows also when start() failed. */
    enum err (*start)(void *state, const struct crypt *crypt, struct bytes encr_key,
                      struct bytes integ_key);
    void (*stop)(void *state);
    /* No allocation in these two: they run per packet. */
    enum err (*seal)(void *state, const struct crypt *crypt, uint64_t counter,
                     const struct crypt_message *message);
    enum err (*open)(void *state, const struct crypt *crypt, const struct crypt_message *message);
};

#define CRYPT_SALT_MAX 4

struct crypt {
    const struct crypt_provider *provider;
    const struct alg *encr;
    const struct alg *integ; /* NULL for AEAD */
    uint8_t salt[CRYPT_SALT_MAX];
    void *state;
};

/* GnuTLS: AES-GCM, AES-CCM, ChaCha20-Poly1305. */
extern const struct crypt_provider crypt_aead;
/* GnuTLS: AES-CBC and 3DES-CBC, then a MAC. */
extern const struct crypt_provider crypt_cbc;
/* Nettle: AES-CTR, then a MAC of GnuTLS. */
extern const struct crypt_provider crypt_ctr;

/* GnuTLS's name of an INTEG algorithm; GNUTLS_MAC_UNKNOWN when it is none. */
gnutls_mac_algorithm_t crypt_mac_algorithm(const struct alg *integ);

#endif
