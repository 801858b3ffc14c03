/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "common/secret.h"
#include "crypto/crypt_ipsec_mb_manager.h"

/* ---- the manager ---- */

/* With these it is faster than GnuTLS on every processor that was measured. */
#define NEEDED (IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SSE4_2)

static bool works(IMB_MGR *manager)
{
    bool tested = (manager->features & IMB_FEATURE_SELF_TEST) == 0 ||
                  (manager->features & IMB_FEATURE_SELF_TEST_PASS) != 0;

    return imb_get_errno(manager) == 0 && tested && (manager->features & NEEDED) == NEEDED;
}

static const char *registers_of(const IMB_MGR *manager)
{
    if ((manager->features & IMB_FEATURE_AVX512_SKX) == IMB_FEATURE_AVX512_SKX) {
        return (manager->features & IMB_FEATURE_VAES) != 0 ? "AVX-512, VAES" : "AVX-512";
    }
    return (manager->features & IMB_FEATURE_AVX2) != 0 ? "AVX2" : "SSE";
}

enum err ipsec_mb_new(struct ipsec_mb **out)
{
    size_t manager_len = (imb_get_mb_mgr_size() + CRYPT_ALIGN - 1) / CRYPT_ALIGN * CRYPT_ALIGN;
    struct ipsec_mb *mb = calloc(1, sizeof(*mb));
    void *room = aligned_alloc(CRYPT_ALIGN, manager_len);

    *out = NULL;
    if (mb == NULL || room == NULL) {
        free(mb);
        free(room);
        return ERR_MEMORY;
    }
    mb->manager_len = manager_len;
    mb->manager = imb_set_pointers_mb_mgr(room, 0, 1);
    if (mb->manager != NULL) {
        init_mb_mgr_auto(mb->manager, NULL);
    } else {
        free(room);
    }
    if (mb->manager == NULL || !works(mb->manager)) {
        ipsec_mb_free(mb);
        return ERR_UNSUPPORTED;
    }
    (void)snprintf(mb->name, sizeof(mb->name), "intel-ipsec-mb %.20s (%s)", imb_get_version_str(),
                   registers_of(mb->manager));
    *out = mb;
    return OK;
}

void ipsec_mb_free(struct ipsec_mb *mb)
{
    if (mb == NULL) {
        return;
    }
    if (mb->manager != NULL) {
        secret_wipe(mb->manager, mb->manager_len);
        free(mb->manager);
    }
    secret_wipe(mb, sizeof(*mb));
    free(mb);
}

const char *ipsec_mb_name(const struct ipsec_mb *mb)
{
    return mb->name;
}

const struct crypt_provider *ipsec_mb_provider(const struct alg *encr, const struct alg *integ)
{
    switch ((enum encr_id)encr->id) {
    case ENCR_AES_GCM_16:
    case ENCR_AES_GCM_12:
    case ENCR_AES_GCM_8:
        return &ipsec_mb_gcm;
    case ENCR_CHACHA20_POLY1305:
        return &ipsec_mb_chacha20;
    case ENCR_AES_CBC:
        return ipsec_mb_hash_of(integ) != IMB_AUTH_NULL ? &ipsec_mb_cbc : NULL;
    case ENCR_3DES:
    case ENCR_AES_CTR:
    case ENCR_AES_CCM_8:
    case ENCR_AES_CCM_12:
    case ENCR_AES_CCM_16:
        break;
    }
    return NULL;
}

/* IMB_MAX_TAG_LEN is that of any algorithm of the library, and grew. */
#define AEAD_ICV_MAX 16

/* Compares in constant time, and in such a way that the ICV of a wrong packet is not told. */
static enum err verdict(const struct crypt *crypt, const struct crypt_message *message,
                        const uint8_t *icv)
{
    size_t len = crypt->encr->icv_octets;

    return secret_equal(bytes_of(icv, len), bytes_of(message->text + message->text_len, len))
               ? OK
               : ERR_INTEGRITY;
}

/* ---- AES-GCM (RFC 4106) ---- */

struct gcm {
    struct gcm_key_data key;
    struct gcm_context_data context;
    aes_gcm_enc_dec_t seal, open;
};

static enum err gcm_start(void *state, const struct crypt *crypt, struct bytes encr_key,
                          struct bytes integ_key)
{
    struct gcm *gcm = state;
    const IMB_MGR *manager = crypt->lanes->mb->manager;

    (void)integ_key;
    switch (crypt->encr->key_bits) {
    case 128:
        IMB_AES128_GCM_PRE(manager, encr_key.data, &gcm->key);
        gcm->seal = manager->gcm128_enc;
        gcm->open = manager->gcm128_dec;
        return OK;
    case 192:
        IMB_AES192_GCM_PRE(manager, encr_key.data, &gcm->key);
        gcm->seal = manager->gcm192_enc;
        gcm->open = manager->gcm192_dec;
        return OK;
    case 256:
        IMB_AES256_GCM_PRE(manager, encr_key.data, &gcm->key);
        gcm->seal = manager->gcm256_enc;
        gcm->open = manager->gcm256_dec;
        return OK;
    default:
        return ERR_UNSUPPORTED;
    }
}

static enum err gcm_seal(void *state, const struct crypt *crypt,
                         const struct crypt_message *message)
{
    struct gcm *gcm = state;
    uint8_t nonce[CRYPT_NONCE_MAX];

    crypt_write_counter(message->data, message->counter);
    crypt_make_nonce(crypt, message->data, nonce);
    gcm->seal(&gcm->key, &gcm->context, message->text, message->text, message->text_len, nonce,
              message->aad.data, message->aad.len, message->text + message->text_len,
              crypt->encr->icv_octets);
    return OK;
}

static enum err gcm_open(void *state, const struct crypt *crypt,
                         const struct crypt_message *message)
{
    struct gcm *gcm = state;
    uint8_t nonce[CRYPT_NONCE_MAX];
    uint8_t icv[AEAD_ICV_MAX];

    crypt_make_nonce(crypt, message->data, nonce);
    gcm->open(&gcm->key, &gcm->context, message->text, message->text, message->text_len, nonce,
              message->aad.data, message->aad.len, icv, crypt->encr->icv_octets);
    return verdict(crypt, message, icv);
}

const struct crypt_provider ipsec_mb_gcm = {
    .library = CRYPT_IPSEC_MB,
    .state_size = sizeof(struct gcm),
    .start = gcm_start,
    .seal = gcm_seal,
    .open = gcm_open,
};

/* ---- ChaCha20-Poly1305 (RFC 7634) ---- */

#define CHACHA20_KEY_LEN 32

struct chacha20 {
    uint8_t key[CHACHA20_KEY_LEN];
};

static enum err chacha20_start(void *state, const struct crypt *crypt, struct bytes encr_key,
                               struct bytes integ_key)
{
    struct chacha20 *chacha20 = state;

    (void)crypt;
    (void)integ_key;
    memcpy(chacha20->key, encr_key.data, CHACHA20_KEY_LEN);
    return OK;
}

/* A job of this cipher is done when it has been submitted. */
static enum err chacha20_run(const struct chacha20 *chacha20, const struct crypt *crypt,
                             const struct crypt_message *message, IMB_CIPHER_DIRECTION direction,
                             uint8_t *icv)
{
    IMB_MGR *manager = crypt->lanes->mb->manager;
    IMB_JOB *job = IMB_GET_NEXT_JOB(manager);
    uint8_t nonce[CRYPT_NONCE_MAX];

    job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
    job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
    job->cipher_direction = direction;
    job->chain_order = direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    job->enc_keys = job->dec_keys = chacha20->key;
    job->key_len_in_bytes = CHACHA20_KEY_LEN;
    job->src = job->dst = message->text;
    job->cipher_start_src_offset_in_bytes = job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = message->text_len;
    job->iv = nonce;
    job->iv_len_in_bytes = crypt_make_nonce(crypt, message->data, nonce);
    job->auth_tag_output = icv;
    job->auth_tag_output_len_in_bytes = crypt->encr->icv_octets;
    job->u.CHACHA20_POLY1305.aad = message->aad.data;
    job->u.CHACHA20_POLY1305.aad_len_in_bytes = message->aad.len;
    job = IMB_SUBMIT_JOB(manager);
    return job != NULL && job->status == IMB_STATUS_COMPLETED ? OK : ERR_CRYPTO;
}

static enum err chacha20_seal(void *state, const struct crypt *crypt,
                              const struct crypt_message *message)
{
    crypt_write_counter(message->data, message->counter);
    return chacha20_run(state, crypt, message, IMB_DIR_ENCRYPT, message->text + message->text_len);
}

static enum err chacha20_open(void *state, const struct crypt *crypt,
                              const struct crypt_message *message)
{
    uint8_t icv[AEAD_ICV_MAX];
    enum err err = chacha20_run(state, crypt, message, IMB_DIR_DECRYPT, icv);

    return err == OK ? verdict(crypt, message, icv) : err;
}

const struct crypt_provider ipsec_mb_chacha20 = {
    .library = CRYPT_IPSEC_MB,
    .state_size = sizeof(struct chacha20),
    .start = chacha20_start,
    .seal = chacha20_seal,
    .open = chacha20_open,
};
