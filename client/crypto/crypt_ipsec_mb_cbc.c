/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/secret.h"
#include "crypto/crypt_ipsec_mb_manager.h"

/*
 * AES-CBC and HMAC of many packets in parallel lanes: one packet in each, as neither can be split.
 * A few packets leave most lanes empty, and GnuTLS is faster with them.
 */
#define WORTH_IT 5

#define AES_ROUND_KEYS_LEN ((size_t)16 * 15)
#define HASH_BLOCK_MAX 128
#define HASH_STATE_MAX 64
#define IV_LEN 16

struct cbc {
    _Alignas(64) uint8_t encrypt[AES_ROUND_KEYS_LEN];
    _Alignas(64) uint8_t decrypt[AES_ROUND_KEYS_LEN];
    /* The hash of the first block of the inner and outer hash (RFC 2104). */
    _Alignas(64) uint8_t inner[HASH_STATE_MAX];
    _Alignas(64) uint8_t outer[HASH_STATE_MAX];
    IMB_HASH_ALG hash;
    struct crypt_cbc_state few;
};

IMB_HASH_ALG ipsec_mb_hash_of(const struct alg *integ)
{
    if (integ->type != TRANSFORM_INTEG) {
        return IMB_AUTH_NULL;
    }
    switch ((enum integ_id)integ->id) {
    case AUTH_HMAC_SHA1_96:
        return IMB_AUTH_HMAC_SHA_1;
    case AUTH_HMAC_SHA2_256_128:
        return IMB_AUTH_HMAC_SHA_256;
    case AUTH_HMAC_SHA2_384_192:
        return IMB_AUTH_HMAC_SHA_384;
    case AUTH_HMAC_SHA2_512_256:
        return IMB_AUTH_HMAC_SHA_512;
    case AUTH_AES_CMAC_96:
    case AUTH_NONE:
        break;
    }
    return IMB_AUTH_NULL;
}

/* ---- keys ---- */

static void hash_pad(const IMB_MGR *manager, const struct alg *integ, struct bytes key, uint8_t pad,
                     uint8_t *out)
{
    uint8_t block[HASH_BLOCK_MAX];

    memset(block, pad, sizeof(block));
    for (size_t i = 0; i < key.len; i++) {
        block[i] ^= key.data[i];
    }
    switch ((enum integ_id)integ->id) {
    case AUTH_HMAC_SHA1_96:
        IMB_SHA1_ONE_BLOCK(manager, block, out);
        break;
    case AUTH_HMAC_SHA2_256_128:
        IMB_SHA256_ONE_BLOCK(manager, block, out);
        break;
    case AUTH_HMAC_SHA2_384_192:
        IMB_SHA384_ONE_BLOCK(manager, block, out);
        break;
    case AUTH_HMAC_SHA2_512_256:
        IMB_SHA512_ONE_BLOCK(manager, block, out);
        break;
    case AUTH_AES_CMAC_96:
    case AUTH_NONE:
        break;
    }
    secret_wipe(block, sizeof(block));
}

static enum err cbc_start(void *state, const struct crypt *crypt, struct bytes encr_key,
                          struct bytes integ_key)
{
    struct cbc *cbc = state;
    const IMB_MGR *manager = crypt->lanes->mb->manager;

    switch (crypt->encr->key_bits) {
    case 128:
        IMB_AES_KEYEXP_128(manager, encr_key.data, cbc->encrypt, cbc->decrypt);
        break;
    case 192:
        IMB_AES_KEYEXP_192(manager, encr_key.data, cbc->encrypt, cbc->decrypt);
        break;
    case 256:
        IMB_AES_KEYEXP_256(manager, encr_key.data, cbc->encrypt, cbc->decrypt);
        break;
    default:
        return ERR_UNSUPPORTED;
    }
    cbc->hash = ipsec_mb_hash_of(crypt->integ);
    hash_pad(manager, crypt->integ, integ_key, 0x36, cbc->inner);
    hash_pad(manager, crypt->integ, integ_key, 0x5c, cbc->outer);
    return crypt_cbc.start(&cbc->few, crypt, encr_key, integ_key);
}

static void cbc_stop(void *state)
{
    struct cbc *cbc = state;

    crypt_cbc.stop(&cbc->few);
}

/* ---- one ---- */

static enum err cbc_seal(void *state, const struct crypt *crypt,
                         const struct crypt_message *message)
{
    struct cbc *cbc = state;

    return crypt_cbc.seal(&cbc->few, crypt, message);
}

static enum err cbc_open(void *state, const struct crypt *crypt,
                         const struct crypt_message *message)
{
    struct cbc *cbc = state;

    return crypt_cbc.open(&cbc->few, crypt, message);
}

/* ---- many ---- */

/* The messages that go through the lanes together. */
struct load {
    struct cbc *cbc;
    const struct crypt *crypt;
    struct ipsec_mb *mb;
    struct crypt_message *messages[CRYPT_BATCH];
    unsigned n;
};

/* What is hashed is one run of octets: the header before the IV, the tail in the place of the ICV.
 */
static bool is_one_run(const struct crypt *crypt, const struct crypt_message *message)
{
    return (message->aad.len == 0 || message->aad.data + message->aad.len == message->data) &&
           message->mac_tail.len <= crypt->integ->icv_octets;
}

/* Takes what can go through the lanes; false when that is too few. */
static bool load_up(struct load *load, void *state, const struct crypt *crypt,
                    struct crypt_message *messages, size_t n)
{
    load->cbc = state;
    load->crypt = crypt;
    load->mb = crypt->lanes->mb;
    load->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (messages[i].err == OK) {
            load->messages[load->n++] = &messages[i];
            if (!is_one_run(crypt, &messages[i])) {
                return false;
            }
        }
    }
    return load->n >= WORTH_IT;
}

/* The ICVs of all, into mb->tags. The caller has put the tails in their places. */
static enum err hash_all(const struct load *load)
{
    for (unsigned i = 0; i < load->n; i++) {
        const struct crypt_message *message = load->messages[i];
        IMB_JOB *job = &load->mb->jobs[i];
        size_t own = (size_t)(message->text - message->data) + message->text_len;

        *job = (IMB_JOB){.hash_alg = load->cbc->hash,
                         .src = message->data - message->aad.len,
                         .msg_len_to_hash_in_bytes = message->aad.len + own + message->mac_tail.len,
                         .auth_tag_output = load->mb->tags[i],
                         .auth_tag_output_len_in_bytes = load->crypt->integ->icv_octets};
        job->u.HMAC._hashed_auth_key_xor_ipad = load->cbc->inner;
        job->u.HMAC._hashed_auth_key_xor_opad = load->cbc->outer;
    }
    return IMB_SUBMIT_HASH_BURST(load->mb->manager, load->mb->jobs, load->n, load->cbc->hash) ==
                   load->n
               ? OK
               : ERR_CRYPTO;
}

static void cipher_job(const struct load *load, IMB_JOB *job, uint8_t *data, size_t len,
                       const uint8_t *iv)
{
    *job = (IMB_JOB){.enc_keys = load->cbc->encrypt,
                     .dec_keys = load->cbc->decrypt,
                     .key_len_in_bytes = load->crypt->encr->key_octets,
                     .src = data,
                     .dst = data,
                     .msg_len_to_cipher_in_bytes = len,
                     .iv = iv,
                     .iv_len_in_bytes = IV_LEN};
}

static enum err cipher_all(const struct load *load, unsigned n, IMB_CIPHER_DIRECTION direction)
{
    IMB_KEY_SIZE_BYTES key_len = (IMB_KEY_SIZE_BYTES)load->crypt->encr->key_octets;

    return n == 0 || IMB_SUBMIT_CIPHER_BURST(load->mb->manager, load->mb->jobs, n, IMB_CIPHER_CBC,
                                             direction, key_len) == n
               ? OK
               : ERR_CRYPTO;
}

static void set_err(const struct load *load, enum err err)
{
    for (unsigned i = 0; i < load->n; i++) {
        load->messages[i]->err = err;
    }
}

static void put_tail(const struct crypt_message *message)
{
    if (message->mac_tail.len > 0) {
        memcpy(message->text + message->text_len, message->mac_tail.data, message->mac_tail.len);
    }
}

/* As crypt_cbc does it: the IV is the counter's block under the same key. */
static void seal_all(const struct load *load)
{
    static const uint8_t zeros[IV_LEN];
    size_t icv_len = load->crypt->integ->icv_octets;
    enum err err;

    for (unsigned i = 0; i < load->n; i++) {
        const struct crypt_message *message = load->messages[i];

        memset(message->data, 0, IV_LEN - 8);
        crypt_write_counter(message->data + IV_LEN - 8, message->counter);
        cipher_job(load, &load->mb->jobs[i], message->data, IV_LEN + message->text_len, zeros);
        put_tail(message);
    }
    err = cipher_all(load, load->n, IMB_DIR_ENCRYPT);
    if (err == OK) {
        err = hash_all(load);
    }
    for (unsigned i = 0; i < load->n && err == OK; i++) {
        const struct crypt_message *message = load->messages[i];

        memcpy(message->text + message->text_len, load->mb->tags[i], icv_len);
    }
    set_err(load, err);
}

static void cbc_seal_batch(void *state, const struct crypt *crypt, struct crypt_message *messages,
                           size_t n)
{
    struct load load;

    if (load_up(&load, state, crypt, messages, n)) {
        seal_all(&load);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (messages[i].err == OK) {
            messages[i].err = cbc_seal(state, crypt, &messages[i]);
        }
    }
}

/* Verifies all, then deciphers those that are genuine. */
static void open_all(const struct load *load)
{
    uint8_t received[CRYPT_BATCH][IPSEC_MB_TAG_MAX];
    size_t icv_len = load->crypt->integ->icv_octets;
    unsigned genuine = 0;
    enum err err;

    for (unsigned i = 0; i < load->n; i++) {
        const struct crypt_message *message = load->messages[i];

        memcpy(received[i], message->text + message->text_len, icv_len);
        put_tail(message);
    }
    err = hash_all(load);
    if (err != OK) {
        set_err(load, err);
        return;
    }
    for (unsigned i = 0; i < load->n; i++) {
        struct crypt_message *message = load->messages[i];

        message->err =
            secret_equal(bytes_of(load->mb->tags[i], icv_len), bytes_of(received[i], icv_len))
                ? OK
                : ERR_INTEGRITY;
        if (message->err == OK && message->text_len > 0) {
            cipher_job(load, &load->mb->jobs[genuine++], message->text, message->text_len,
                       message->data);
        }
    }
    if (cipher_all(load, genuine, IMB_DIR_DECRYPT) != OK) {
        set_err(load, ERR_CRYPTO);
    }
}

static void cbc_open_batch(void *state, const struct crypt *crypt, struct crypt_message *messages,
                           size_t n)
{
    struct load load;

    if (load_up(&load, state, crypt, messages, n)) {
        open_all(&load);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (messages[i].err == OK) {
            messages[i].err = cbc_open(state, crypt, &messages[i]);
        }
    }
}

const struct crypt_provider ipsec_mb_cbc = {
    .library = CRYPT_IPSEC_MB,
    .state_size = sizeof(struct cbc),
    .start = cbc_start,
    .stop = cbc_stop,
    .seal = cbc_seal,
    .open = cbc_open,
    .seal_batch = cbc_seal_batch,
    .open_batch = cbc_open_batch,
};
