/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/crypt.h"

#include <endian.h>
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

static const struct crypt_provider *find_provider(const struct crypt_lanes *lanes,
                                                  const struct alg *encr, const struct alg *integ)
{
    const struct crypt_provider *faster;

    if (encr->type != TRANSFORM_ENCR) {
        return NULL;
    }
    faster = lanes != NULL ? crypt_lanes_provider(lanes, encr, integ) : NULL;
    if (faster != NULL) {
        return faster;
    }
    for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
        if (providers[i].encr == encr->id) {
            return providers[i].provider;
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

static size_t state_room(const struct crypt_provider *provider)
{
    return (provider->state_size + CRYPT_ALIGN - 1) / CRYPT_ALIGN * CRYPT_ALIGN;
}

static enum err start(struct crypt *crypt, struct bytes encr_key, struct bytes integ_key)
{
    crypt->state = aligned_alloc(CRYPT_ALIGN, state_room(crypt->provider));
    if (crypt->state == NULL) {
        return ERR_MEMORY;
    }
    memset(crypt->state, 0, state_room(crypt->provider));
    return crypt->provider->start(crypt->state, crypt, encr_key, integ_key);
}

enum err crypt_new_in(struct crypt **out, struct crypt_lanes *lanes, const struct alg *encr,
                      const struct alg *integ, struct bytes encr_key, struct bytes integ_key)
{
    const struct crypt_provider *provider;
    struct crypt *crypt;
    enum err err;

    *out = NULL;
    /* RFC 5282 8, RFC 7296 3.3: a combined-mode cipher has no separate MAC, any other needs one. */
    if ((integ == NULL) != ((encr->flags & ALG_AEAD) != 0)) {
        return ERR_UNSUPPORTED;
    }
    provider = find_provider(lanes, encr, integ);
    if (provider == NULL) {
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
    crypt->lanes = lanes;
    crypt->encr = encr;
    crypt->integ = integ;
    if (encr->salt_octets > 0) {
        memcpy(crypt->salt, encr_key.data + encr->key_octets, encr->salt_octets);
    }
    err = start(crypt, bytes_of(encr_key.data, encr->key_octets), integ_key);
    if (err != OK) {
        crypt_free(crypt);
        return err;
    }
    *out = crypt;
    return OK;
}

enum err crypt_new(struct crypt **out, const struct alg *encr, const struct alg *integ,
                   struct bytes encr_key, struct bytes integ_key)
{
    return crypt_new_in(out, NULL, encr, integ, encr_key, integ_key);
}

void crypt_free(struct crypt *crypt)
{
    if (crypt == NULL) {
        return;
    }
    if (crypt->state != NULL) {
        if (crypt->provider->stop != NULL) {
            crypt->provider->stop(crypt->state);
        }
        secret_wipe(crypt->state, crypt->provider->state_size);
        free(crypt->state);
    }
    secret_wipe(crypt, sizeof(*crypt));
    free(crypt);
}

enum crypt_library crypt_library(const struct crypt *crypt)
{
    return crypt->provider->library;
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

size_t crypt_make_nonce(const struct crypt *crypt, const uint8_t *iv,
                        uint8_t nonce[static CRYPT_NONCE_MAX])
{
    size_t salt_len = crypt->encr->salt_octets;

    memcpy(nonce, crypt->salt, salt_len);
    memcpy(nonce + salt_len, iv, CRYPT_NONCE_MAX - CRYPT_SALT_MAX);
    return salt_len + CRYPT_NONCE_MAX - CRYPT_SALT_MAX;
}

void crypt_write_counter(uint8_t out[static 8], uint64_t counter)
{
    /* In one store: the cipher loads it whole, and would wait for eight of them. */
    uint64_t big_endian = htobe64(counter);

    memcpy(out, &big_endian, sizeof(big_endian));
}

/* ---- messages ---- */

/* Finds the text between IV and ICV. */
static enum err locate(const struct crypt *crypt, struct crypt_message *message)
{
    size_t around = crypt_iv_len(crypt) + crypt_icv_len(crypt);

    message->text = NULL;
    message->text_len = 0;
    if (message->len < around || (message->len - around) % crypt->encr->block_octets != 0) {
        return ERR_SYNTAX;
    }
    message->text = message->data + crypt_iv_len(crypt);
    message->text_len = message->len - around;
    return OK;
}

static void after_open(struct crypt_message *message)
{
    if (message->err != OK) {
        message->text = NULL;
        message->text_len = 0;
    }
}

enum err crypt_seal(struct crypt *crypt, uint64_t counter, struct bytes aad, struct bytes mac_tail,
                    uint8_t *text, size_t text_len)
{
    struct crypt_message message = {.aad = aad,
                                    .mac_tail = mac_tail,
                                    .data = text - crypt->encr->iv_octets,
                                    .text = text,
                                    .text_len = text_len,
                                    .counter = counter};

    if (text_len % crypt->encr->block_octets != 0) {
        return ERR_SYNTAX;
    }
    return crypt->provider->seal(crypt->state, crypt, &message);
}

enum err crypt_open(struct crypt *crypt, struct bytes aad, struct bytes mac_tail, uint8_t *data,
                    size_t len, uint8_t **text, size_t *text_len)
{
    struct crypt_message message = {.aad = aad, .mac_tail = mac_tail, .data = data, .len = len};

    message.err = locate(crypt, &message);
    if (message.err == OK) {
        message.err = crypt->provider->open(crypt->state, crypt, &message);
    }
    after_open(&message);
    *text = message.text;
    *text_len = message.text_len;
    return message.err;
}

void crypt_seal_batch(struct crypt *crypt, struct crypt_message *messages, size_t n)
{
    const struct crypt_provider *provider = crypt->provider;

    for (size_t i = 0; i < n; i++) {
        messages[i].err = locate(crypt, &messages[i]);
        if (messages[i].err == OK && provider->seal_batch == NULL) {
            messages[i].err = provider->seal(crypt->state, crypt, &messages[i]);
        }
    }
    for (size_t at = 0; at < n && provider->seal_batch != NULL; at += CRYPT_BATCH) {
        provider->seal_batch(crypt->state, crypt, messages + at,
                             n - at < CRYPT_BATCH ? n - at : CRYPT_BATCH);
    }
}

void crypt_open_batch(struct crypt *crypt, struct crypt_message *messages, size_t n)
{
    const struct crypt_provider *provider = crypt->provider;

    for (size_t i = 0; i < n; i++) {
        messages[i].err = locate(crypt, &messages[i]);
        if (messages[i].err == OK && provider->open_batch == NULL) {
            messages[i].err = provider->open(crypt->state, crypt, &messages[i]);
        }
    }
    for (size_t at = 0; at < n && provider->open_batch != NULL; at += CRYPT_BATCH) {
        provider->open_batch(crypt->state, crypt, messages + at,
                             n - at < CRYPT_BATCH ? n - at : CRYPT_BATCH);
    }
    for (size_t i = 0; i < n; i++) {
        after_open(&messages[i]);
    }
}
