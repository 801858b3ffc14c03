/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/prf.h"

#include <gnutls/crypto.h>

#include "common/secret.h"
#include "crypto/crypt_provider.h"

#define CMAC_LEN 16

static gnutls_mac_algorithm_t prf_mac(const struct alg *prf)
{
    if (prf->type != TRANSFORM_PRF) {
        return GNUTLS_MAC_UNKNOWN;
    }
    switch ((enum prf_id)prf->id) {
    case PRF_HMAC_SHA1:
        return GNUTLS_MAC_SHA1;
    case PRF_HMAC_SHA2_256:
        return GNUTLS_MAC_SHA256;
    case PRF_HMAC_SHA2_384:
        return GNUTLS_MAC_SHA384;
    case PRF_HMAC_SHA2_512:
        return GNUTLS_MAC_SHA512;
    case PRF_AES128_CMAC:
        return GNUTLS_MAC_AES_CMAC_128;
    }
    return GNUTLS_MAC_UNKNOWN;
}

size_t prf_len(const struct alg *prf)
{
    return prf->key_octets;
}

static enum err mac_start(gnutls_hmac_hd_t *mac, gnutls_mac_algorithm_t algorithm, struct bytes key)
{
    int failed;

    if (algorithm == GNUTLS_MAC_UNKNOWN) {
        return ERR_UNSUPPORTED;
    }
    failed =
        gnutls_hmac_init(mac, algorithm, key.len > 0 ? key.data : (const uint8_t *)"", key.len);
    if (failed == GNUTLS_E_MEMORY_ERROR) {
        return ERR_MEMORY;
    }
    return failed != 0 ? ERR_CRYPTO : OK;
}

static enum err mac_feed(gnutls_hmac_hd_t mac, const struct bytes *parts, size_t n_parts)
{
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].len > 0 && gnutls_hmac(mac, parts[i].data, parts[i].len) != 0) {
            return ERR_CRYPTO;
        }
    }
    return OK;
}

/* RFC 4615 3: a key of another length becomes AES-CMAC(0^128, key). */
static enum err cmac_key(struct bytes key, uint8_t out[static CMAC_LEN])
{
    static const uint8_t zeros[CMAC_LEN];
    gnutls_hmac_hd_t mac;
    enum err err;

    if (key.len == CMAC_LEN) {
        memcpy(out, key.data, CMAC_LEN);
        return OK;
    }
    err = mac_start(&mac, GNUTLS_MAC_AES_CMAC_128, bytes_of(zeros, sizeof(zeros)));
    if (err != OK) {
        return err;
    }
    err = mac_feed(mac, &key, 1);
    gnutls_hmac_deinit(mac, out);
    return err;
}

static enum err prf_start(gnutls_hmac_hd_t *mac, const struct alg *prf, struct bytes key)
{
    gnutls_mac_algorithm_t algorithm = prf_mac(prf);
    uint8_t reduced[CMAC_LEN];
    enum err err;

    if (algorithm != GNUTLS_MAC_AES_CMAC_128) {
        return mac_start(mac, algorithm, key);
    }
    err = cmac_key(key, reduced);
    if (err == OK) {
        err = mac_start(mac, algorithm, bytes_of(reduced, sizeof(reduced)));
    }
    secret_wipe(reduced, sizeof(reduced));
    return err;
}

enum err prf_parts(const struct alg *prf, struct bytes key, const struct bytes *parts,
                   size_t n_parts, uint8_t *out)
{
    gnutls_hmac_hd_t mac;
    enum err err = prf_start(&mac, prf, key);

    if (err != OK) {
        return err;
    }
    err = mac_feed(mac, parts, n_parts);
    gnutls_hmac_deinit(mac, out);
    return err;
}

enum err prf_plus(const struct alg *prf, struct bytes key, const struct bytes *parts,
                  size_t n_parts, uint8_t *out, size_t len)
{
    size_t block_len = prf_len(prf);
    uint8_t block[PRF_MAX];
    gnutls_hmac_hd_t mac;
    enum err err;

    if (len > 255 * block_len) {
        return ERR_SPACE;
    }
    err = prf_start(&mac, prf, key);
    if (err != OK) {
        return err;
    }
    for (uint8_t counter = 1; len > 0 && err == OK; counter++) {
        struct bytes previous = bytes_of(block, counter > 1 ? block_len : 0);
        struct bytes number = bytes_of(&counter, 1);
        size_t wanted = len < block_len ? len : block_len;

        err = mac_feed(mac, &previous, 1);
        if (err == OK) {
            err = mac_feed(mac, parts, n_parts);
        }
        if (err == OK) {
            err = mac_feed(mac, &number, 1);
        }
        gnutls_hmac_output(mac, block);
        memcpy(out, block, wanted);
        out += wanted;
        len -= wanted;
    }
    gnutls_hmac_deinit(mac, NULL);
    secret_wipe(block, sizeof(block));
    return err;
}

enum err sha1_parts(const struct bytes *parts, size_t n_parts, uint8_t out[static SHA1_LEN])
{
    gnutls_hash_hd_t hash;
    enum err err = OK;

    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA1) != 0) {
        return ERR_CRYPTO;
    }
    for (size_t i = 0; i < n_parts && err == OK; i++) {
        if (parts[i].len > 0 && gnutls_hash(hash, parts[i].data, parts[i].len) != 0) {
            err = ERR_CRYPTO;
        }
    }
    gnutls_hash_deinit(hash, out);
    return err;
}

enum err mac_parts(const struct alg *integ, struct bytes key, const struct bytes *parts,
                   size_t n_parts, uint8_t *out)
{
    gnutls_hmac_hd_t mac;
    uint8_t whole[PRF_MAX];
    enum err err;

    if (key.len != integ->key_octets) {
        return ERR_KEY;
    }
    err = mac_start(&mac, crypt_mac_algorithm(integ), key);
    if (err != OK) {
        return err;
    }
    err = mac_feed(mac, parts, n_parts);
    gnutls_hmac_deinit(mac, whole);
    if (err == OK) {
        memcpy(out, whole, integ->icv_octets);
    }
    secret_wipe(whole, sizeof(whole));
    return err;
}
