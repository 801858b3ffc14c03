/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/crypt_provider.h"

struct aead {
    gnutls_aead_cipher_hd_t cipher;
};

static gnutls_cipher_algorithm_t algorithm_of(const struct alg *encr)
{
    static const struct {
        enum encr_id id;
        uint16_t key_bits;
        gnutls_cipher_algorithm_t algorithm;
    } rows[] = {
        {ENCR_AES_GCM_16, 128, GNUTLS_CIPHER_AES_128_GCM},
        {ENCR_AES_GCM_16, 192, GNUTLS_CIPHER_AES_192_GCM},
        {ENCR_AES_GCM_16, 256, GNUTLS_CIPHER_AES_256_GCM},
        {ENCR_AES_GCM_12, 128, GNUTLS_CIPHER_AES_128_GCM},
        {ENCR_AES_GCM_12, 192, GNUTLS_CIPHER_AES_192_GCM},
        {ENCR_AES_GCM_12, 256, GNUTLS_CIPHER_AES_256_GCM},
        {ENCR_AES_GCM_8, 128, GNUTLS_CIPHER_AES_128_GCM},
        {ENCR_AES_GCM_8, 192, GNUTLS_CIPHER_AES_192_GCM},
        {ENCR_AES_GCM_8, 256, GNUTLS_CIPHER_AES_256_GCM},
        {ENCR_AES_CCM_16, 128, GNUTLS_CIPHER_AES_128_CCM},
        {ENCR_AES_CCM_16, 256, GNUTLS_CIPHER_AES_256_CCM},
        {ENCR_AES_CCM_12, 128, GNUTLS_CIPHER_AES_128_CCM},
        {ENCR_AES_CCM_12, 256, GNUTLS_CIPHER_AES_256_CCM},
        {ENCR_AES_CCM_8, 128, GNUTLS_CIPHER_AES_128_CCM_8},
        {ENCR_AES_CCM_8, 256, GNUTLS_CIPHER_AES_256_CCM_8},
        {ENCR_CHACHA20_POLY1305, 0, GNUTLS_CIPHER_CHACHA20_POLY1305},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].id == encr->id && rows[i].key_bits == encr->key_bits) {
            return rows[i].algorithm;
        }
    }
    return GNUTLS_CIPHER_UNKNOWN;
}

static enum err aead_start(void *state, const struct crypt *crypt, struct bytes encr_key,
                           struct bytes integ_key)
{
    struct aead *aead = state;
    gnutls_cipher_algorithm_t algorithm = algorithm_of(crypt->encr);
    /* GnuTLS copies the key; its type has no const. */
    gnutls_datum_t key = {.data = (unsigned char *)(uintptr_t)encr_key.data,
                          .size = (unsigned)encr_key.len};
    int failed;

    (void)integ_key;
    if (algorithm == GNUTLS_CIPHER_UNKNOWN) {
        return ERR_UNSUPPORTED;
    }
    failed = gnutls_aead_cipher_init(&aead->cipher, algorithm, &key);
    if (failed != 0) {
        aead->cipher = NULL;
        return failed == GNUTLS_E_MEMORY_ERROR ? ERR_MEMORY : ERR_CRYPTO;
    }
    return OK;
}

static void aead_stop(void *state)
{
    struct aead *aead = state;

    if (aead->cipher != NULL) {
        gnutls_aead_cipher_deinit(aead->cipher);
    }
}

static enum err aead_seal(void *state, const struct crypt *crypt,
                          const struct crypt_message *message)
{
    struct aead *aead = state;
    size_t icv_len = crypt->encr->icv_octets;
    size_t out_len = message->text_len + icv_len;
    uint8_t nonce[CRYPT_NONCE_MAX];
    size_t nonce_len;

    crypt_write_counter(message->data, message->counter);
    nonce_len = crypt_make_nonce(crypt, message->data, nonce);
    return gnutls_aead_cipher_encrypt(aead->cipher, nonce, nonce_len, message->aad.data,
                                      message->aad.len, icv_len, message->text, message->text_len,
                                      message->text, &out_len) == 0
               ? OK
               : ERR_CRYPTO;
}

static enum err aead_open(void *state, const struct crypt *crypt,
                          const struct crypt_message *message)
{
    struct aead *aead = state;
    size_t icv_len = crypt->encr->icv_octets;
    size_t out_len = message->text_len;
    uint8_t nonce[CRYPT_NONCE_MAX];
    size_t nonce_len = crypt_make_nonce(crypt, message->data, nonce);
    int failed = gnutls_aead_cipher_decrypt(aead->cipher, nonce, nonce_len, message->aad.data,
                                            message->aad.len, icv_len, message->text,
                                            message->text_len + icv_len, message->text, &out_len);

    if (failed == GNUTLS_E_DECRYPTION_FAILED) {
        return ERR_INTEGRITY;
    }
    return failed == 0 ? OK : ERR_CRYPTO;
}

const struct crypt_provider crypt_aead = {
    .library = CRYPT_GNUTLS,
    .state_size = sizeof(struct aead),
    .start = aead_start,
    .stop = aead_stop,
    .seal = aead_seal,
    .open = aead_open,
};
