/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/crypt.h"

#include <stdlib.h>

#include "common/secret.h"
#include "crypto/crypt_provider.h"

static const struct {
    enum encr_id encr;
    const struct crypt_provider *provider;
} providers[] = {
    {ENCR_AES_GCM_16, &crypt_aead},
    {ENCR_AES_GCM_12, &crypt_aead},
    {ENCR_AES_GCM_8, &crypt_aead},
    {ENCR_AES_CCM_16, &crypt_aead},
    {ENCR_AES_CCM_12, &crypt_aead},
    {ENCR_AES_CCM_8, &crypt_aead},
    {ENCR_CHACHA20_POLY1305, &crypt_aead},
    {ENCR_AES_CBC, &crypt_cbc},
    {ENCR_3DES, &crypt_cbc},
    {ENCR_AES_CTR, &crypt_ctr},
};

static const struct crypt_provider *find_provider(const struct alg *encr)
{
    if (encr->type == TRANSFORM_ENCR) {
        for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
            if (providers[i].encr == encr->id) {
                return providers[i].provider;
            }
        }
    }
    return NULL;
}

size_t crypt_encr_key_len(const struct alg *encr)
{
    return (size_t)encr->key_octets + encr->salt_octets;
}

size_t crypt_integ_key_len(const struct alg *integ)
{
    return integ != NULL ? integ->key_octets : 0;
}

enum err crypt_new(struct crypt **out, const struct alg *encr, const struct alg *integ,
                   struct bytes encr_key, struct bytes integ_key)
{
    const struct crypt_provider *provider = find_provider(encr);
    struct crypt *crypt;
    enum err err;

    *out = NULL;
    /* RFC 5282 8, RFC 7296 3.3: a combined-mode cipher has no separate MAC, any other needs one. */
    if (provider == NULL || (integ == NULL) != ((encr->flags & ALG_AEAD) != 0)) {
        return ERR_UNSUPPORTED;
    }
    if (encr_key.len != crypt_encr_key_len(encr) || integ_key.len != crypt_integ_key_len(integ)) {
        return ERR_KEY;
    }
    crypt = calloc(1, sizeof(*crypt));
    if (crypt == NULL) {
        return ERR_MEMORY;
    }
    crypt->provider = provider;
    crypt->encr = encr;
    crypt->integ = integ;
    if (encr->salt_octets > 0) {
        memcpy(crypt->salt, encr_key.data + encr->key_octets, encr->salt_octets);
    }
    crypt->state = calloc(1, provider->state_size);
    err = crypt->state == NULL
              ? ERR_MEMORY
              : provider->start(crypt->state, crypt, bytes_of(encr_key.data, encr->key_octets),
                                integ_key);
    if (err != OK) {
        crypt_free(crypt);
        return err;
    }
    *out = crypt;
    return OK;
}

void crypt_free(struct crypt *crypt)
{
    if (crypt == NULL) {
        return;
    }
    if (crypt->state != NULL) {
        crypt->provider->stop(crypt->state);
        secret_wipe(crypt->state, crypt->provider->state_size);
        free(crypt->state);
    }
    secret_wipe(crypt, sizeof(*crypt));
    free(crypt);
}

size_t crypt_iv_len(const struct crypt *crypt)
{
    return crypt->encr->iv_octets;
}

size_t crypt_icv_len(const struct crypt *crypt)
{
    return crypt->integ != NULL ? crypt->integ->icv_octets : crypt->encr->icv_octets;
}

size_t crypt_block_len(const struct crypt *crypt)
{
    return crypt->encr->block_octets;
}

enum err crypt_seal(struct crypt *crypt, uint64_t counter, struct bytes aad, struct bytes mac_tail,
                    uint8_t *text, size_t text_len)
{
    struct crypt_message message = {.aad = aad,
                                    .mac_tail = mac_tail,
                                    .iv = text - crypt->encr->iv_octets,
                                    .text = text,
                                    .text_len = text_len};

    if (text_len % crypt->encr->block_octets != 0) {
        return ERR_SYNTAX;
    }
    return crypt->provider->seal(crypt->state, crypt, counter, &message);
}

enum err crypt_open(struct crypt *crypt, struct bytes aad, struct bytes mac_tail, uint8_t *data,
                    size_t len, uint8_t **text, size_t *text_len)
{
    size_t around = crypt_iv_len(crypt) + crypt_icv_len(crypt);
    struct crypt_message message = {.aad = aad, .mac_tail = mac_tail, .iv = data};
    enum err err;

    *text = NULL;
    *text_len = 0;
    if (len < around || (len - around) % crypt->encr->block_octets != 0) {
        return ERR_SYNTAX;
    }
    message.text = data + crypt_iv_len(crypt);
    message.text_len = len - around;
    err = crypt->provider->open(crypt->state, crypt, &message);
    if (err == OK) {
        *text = message.text;
        *text_len = message.text_len;
    }
    return err;
}
