/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <nettle/aes.h>
#include <nettle/ctr.h>

#include "common/secret.h"
#include "crypto/crypt_provider.h"

#define ICV_MAX 64 /* a whole HMAC-SHA2-512, before truncation */
#define BLOCK_MAX 16
#define CTR_IV_LEN 8

gnutls_mac_algorithm_t crypt_mac_algorithm(const struct alg *integ)
{
    if (integ->type != TRANSFORM_INTEG) {
        return GNUTLS_MAC_UNKNOWN;
    }
    switch ((enum integ_id)integ->id) {
    case AUTH_HMAC_SHA1_96:
        return GNUTLS_MAC_SHA1;
    case AUTH_AES_CMAC_96:
        return GNUTLS_MAC_AES_CMAC_128;
    case AUTH_HMAC_SHA2_256_128:
        return GNUTLS_MAC_SHA256;
    case AUTH_HMAC_SHA2_384_192:
        return GNUTLS_MAC_SHA384;
    case AUTH_HMAC_SHA2_512_256:
        return GNUTLS_MAC_SHA512;
    case AUTH_NONE:
        break;
    }
    return GNUTLS_MAC_UNKNOWN;
}

/* ---- the MAC, common to both ---- */

static enum err mac_start(gnutls_hmac_hd_t *mac, const struct alg *integ, struct bytes key)
{
    gnutls_mac_algorithm_t algorithm = crypt_mac_algorithm(integ);
    int failed;

    if (algorithm == GNUTLS_MAC_UNKNOWN) {
        return ERR_UNSUPPORTED;
    }
    failed = gnutls_hmac_init(mac, algorithm, key.data, key.len);
    if (failed != 0) {
        *mac = NULL;
        return failed == GNUTLS_E_MEMORY_ERROR ? ERR_MEMORY : ERR_CRYPTO;
    }
    return OK;
}

static bool mac_feed(gnutls_hmac_hd_t mac, struct bytes part)
{
    return part.len == 0 || gnutls_hmac(mac, part.data, part.len) == 0;
}

/* Over aad | iv | ciphertext | mac_tail (RFC 7296 3.14, RFC 4303 2.2.1 and 2.8). */
static enum err mac_whole(gnutls_hmac_hd_t mac, const struct crypt_message *message,
                          uint8_t out[static ICV_MAX])
{
    size_t covered = (size_t)(message->text - message->data) + message->text_len;
    bool fed = mac_feed(mac, message->aad) && mac_feed(mac, bytes_of(message->data, covered)) &&
               mac_feed(mac, message->mac_tail);

    /* Also after a failure: this resets the state for the next message. */
    gnutls_hmac_output(mac, out);
    return fed ? OK : ERR_CRYPTO;
}

static enum err mac_append(gnutls_hmac_hd_t mac, const struct crypt *crypt,
                           const struct crypt_message *message)
{
    uint8_t icv[ICV_MAX];
    enum err err = mac_whole(mac, message, icv);

    if (err == OK) {
        memcpy(message->text + message->text_len, icv, crypt->integ->icv_octets);
    }
    return err;
}

static enum err mac_verify(gnutls_hmac_hd_t mac, const struct crypt *crypt,
                           const struct crypt_message *message)
{
    uint8_t icv[ICV_MAX];
    size_t icv_len = crypt->integ->icv_octets;
    enum err err = mac_whole(mac, message, icv);

    if (err != OK) {
        return err;
    }
    return secret_equal(bytes_of(icv, icv_len),
                        bytes_of(message->text + message->text_len, icv_len))
               ? OK
               : ERR_INTEGRITY;
}

/* ---- CBC ---- */

static enum err cbc_start(void *state, const struct crypt *crypt, struct bytes encr_key,
                          struct bytes integ_key)
{
    struct crypt_cbc_state *cbc = state;
    /* GnuTLS copies the key; its type has no const. */
    gnutls_datum_t key = {.data = (unsigned char *)(uintptr_t)encr_key.data,
                          .size = (unsigned)encr_key.len};
    gnutls_cipher_algorithm_t algorithm = GNUTLS_CIPHER_3DES_CBC;
    int failed;

    if (crypt->encr->id == ENCR_AES_CBC) {
        algorithm = crypt->encr->key_bits == 256   ? GNUTLS_CIPHER_AES_256_CBC
                    : crypt->encr->key_bits == 192 ? GNUTLS_CIPHER_AES_192_CBC
                                                   : GNUTLS_CIPHER_AES_128_CBC;
    }
    failed = gnutls_cipher_init(&cbc->cipher, algorithm, &key, NULL);
    if (failed != 0) {
        cbc->cipher = NULL;
        return failed == GNUTLS_E_MEMORY_ERROR ? ERR_MEMORY : ERR_CRYPTO;
    }
    return mac_start(&cbc->mac, crypt->integ, integ_key);
}

static void cbc_stop(void *state)
{
    struct crypt_cbc_state *cbc = state;

    if (cbc->cipher != NULL) {
        gnutls_cipher_deinit(cbc->cipher);
    }
    if (cbc->mac != NULL) {
        gnutls_hmac_deinit(cbc->mac, NULL);
    }
}

/*
 * The IV must not be predictable (RFC 3602 3): it is the counter's block encrypted under the same
 * key (NIST SP 800-38A, appendix C). Chaining from a zero IV gives just that when the counter's
 * block is the first of the run.
 */
static enum err cbc_seal(void *state, const struct crypt *crypt,
                         const struct crypt_message *message)
{
    struct crypt_cbc_state *cbc = state;
    uint8_t zeros[BLOCK_MAX] = {0};
    size_t iv_len = crypt->encr->iv_octets;
    size_t len = iv_len + message->text_len;

    memset(message->data, 0, iv_len);
    crypt_write_counter(message->data + iv_len - 8, message->counter);
    gnutls_cipher_set_iv(cbc->cipher, zeros, iv_len);
    if (gnutls_cipher_encrypt2(cbc->cipher, message->data, len, message->data, len) != 0) {
        return ERR_CRYPTO;
    }
    return mac_append(cbc->mac, crypt, message);
}

static enum err cbc_open(void *state, const struct crypt *crypt,
                         const struct crypt_message *message)
{
    struct crypt_cbc_state *cbc = state;
    enum err err = mac_verify(cbc->mac, crypt, message);

    if (err != OK || message->text_len == 0) {
        return err;
    }
    gnutls_cipher_set_iv(cbc->cipher, message->data, crypt->encr->iv_octets);
    return gnutls_cipher_decrypt2(cbc->cipher, message->text, message->text_len, message->text,
                                  message->text_len) == 0
               ? OK
               : ERR_CRYPTO;
}

const struct crypt_provider crypt_cbc = {
    .library = CRYPT_GNUTLS,
    .state_size = sizeof(struct crypt_cbc_state),
    .start = cbc_start,
    .stop = cbc_stop,
    .seal = cbc_seal,
    .open = cbc_open,
};

/* ---- CTR (RFC 3686, RFC 5930) ---- */

struct ctr {
    union {
        struct aes128_ctx aes128;
        struct aes192_ctx aes192;
        struct aes256_ctx aes256;
    } key;
    nettle_cipher_func *encrypt;
    gnutls_hmac_hd_t mac;
};

static enum err ctr_start(void *state, const struct crypt *crypt, struct bytes encr_key,
                          struct bytes integ_key)
{
    struct ctr *ctr = state;

    if (crypt->encr->key_bits == 256) {
        aes256_set_encrypt_key(&ctr->key.aes256, encr_key.data);
        ctr->encrypt = (nettle_cipher_func *)aes256_encrypt;
    } else if (crypt->encr->key_bits == 192) {
        aes192_set_encrypt_key(&ctr->key.aes192, encr_key.data);
        ctr->encrypt = (nettle_cipher_func *)aes192_encrypt;
    } else {
        aes128_set_encrypt_key(&ctr->key.aes128, encr_key.data);
        ctr->encrypt = (nettle_cipher_func *)aes128_encrypt;
    }
    return mac_start(&ctr->mac, crypt->integ, integ_key);
}

static void ctr_stop(void *state)
{
    struct ctr *ctr = state;

    if (ctr->mac != NULL) {
        gnutls_hmac_deinit(ctr->mac, NULL);
    }
}

/* Counter block = nonce | IV | 1 (RFC 3686 4). */
static void ctr_apply(struct ctr *ctr, const struct crypt *crypt,
                      const struct crypt_message *message)
{
    uint8_t block[AES_BLOCK_SIZE] = {0};

    memcpy(block, crypt->salt, CRYPT_SALT_MAX);
    memcpy(block + CRYPT_SALT_MAX, message->data, CTR_IV_LEN);
    block[AES_BLOCK_SIZE - 1] = 1;
    ctr_crypt(&ctr->key, ctr->encrypt, AES_BLOCK_SIZE, block, message->text_len, message->text,
              message->text);
}

static enum err ctr_seal(void *state, const struct crypt *crypt,
                         const struct crypt_message *message)
{
    struct ctr *ctr = state;

    crypt_write_counter(message->data, message->counter);
    ctr_apply(ctr, crypt, message);
    return mac_append(ctr->mac, crypt, message);
}

static enum err ctr_open(void *state, const struct crypt *crypt,
                         const struct crypt_message *message)
{
    struct ctr *ctr = state;
    enum err err = mac_verify(ctr->mac, crypt, message);

    if (err == OK) {
        ctr_apply(ctr, crypt, message);
    }
    return err;
}

const struct crypt_provider crypt_ctr = {
    .library = CRYPT_GNUTLS,
    .state_size = sizeof(struct ctr),
    .start = ctr_start,
    .stop = ctr_stop,
    .seal = ctr_seal,
    .open = ctr_open,
};
