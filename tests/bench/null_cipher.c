/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All of crypto/crypt.h without any cipher, in one program for measurements alone: what the
 * datapath costs by itself. The linker takes it in the place of an archive's member. The IV is
 * written, the text stays as it is, nothing is authentic.
 */
#include <stdlib.h>

#include "crypto/crypt.h"

struct crypt {
    size_t iv, icv, block;
};

enum err crypt_new_in(struct crypt **out, struct crypt_lanes *lanes, const struct alg *encr,
                      const struct alg *integ, struct bytes encr_key, struct bytes integ_key)
{
    (void)lanes;
    (void)encr_key;
    (void)integ_key;
    *out = malloc(sizeof(**out));
    if (*out == NULL) {
        return ERR_MEMORY;
    }
    **out = (struct crypt){encr->iv_octets, integ != NULL ? integ->icv_octets : encr->icv_octets,
                           encr->block_octets};
    return OK;
}

enum err crypt_new(struct crypt **out, const struct alg *encr, const struct alg *integ,
                   struct bytes encr_key, struct bytes integ_key)
{
    return crypt_new_in(out, NULL, encr, integ, encr_key, integ_key);
}

void crypt_free(struct crypt *crypt)
{
    free(crypt);
}

enum err crypt_lanes_new(struct crypt_lanes **out, enum crypt_library library)
{
    (void)library;
    *out = NULL;
    return OK;
}

void crypt_lanes_free(struct crypt_lanes *lanes)
{
    (void)lanes;
}

const char *crypt_lanes_name(const struct crypt_lanes *lanes, const struct alg *encr,
                             const struct alg *integ)
{
    (void)lanes;
    (void)encr;
    (void)integ;
    return "no cipher";
}

enum crypt_library crypt_library(const struct crypt *crypt)
{
    (void)crypt;
    return CRYPT_FASTEST;
}

size_t crypt_encr_key_len(const struct alg *encr)
{
    return (size_t)encr->key_octets + encr->salt_octets;
}

size_t crypt_integ_key_len(const struct alg *integ)
{
    return integ != NULL ? integ->key_octets : 0;
}

size_t crypt_iv_len(const struct crypt *crypt)
{
    return crypt->iv;
}

size_t crypt_icv_len(const struct crypt *crypt)
{
    return crypt->icv;
}

size_t crypt_block_len(const struct crypt *crypt)
{
    return crypt->block;
}

enum err crypt_seal(struct crypt *crypt, uint64_t counter, struct bytes aad, struct bytes mac_tail,
                    uint8_t *text, size_t text_len)
{
    (void)aad;
    (void)mac_tail;
    memset(text - crypt->iv, 0, crypt->iv);
    memcpy(text - crypt->iv, &counter, sizeof(counter));
    memset(text + text_len, 0, crypt->icv);
    return OK;
}

enum err crypt_open(struct crypt *crypt, struct bytes aad, struct bytes mac_tail, uint8_t *data,
                    size_t len, uint8_t **text, size_t *text_len)
{
    (void)aad;
    (void)mac_tail;
    if (len < crypt->iv + crypt->icv) {
        return ERR_SYNTAX;
    }
    *text = data + crypt->iv;
    *text_len = len - crypt->iv - crypt->icv;
    return OK;
}

void crypt_seal_batch(struct crypt *crypt, struct crypt_message *messages, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct crypt_message *m = &messages[i];
        m->text = m->data + crypt->iv;
        m->text_len = m->len - crypt->iv - crypt->icv;
        m->err = crypt_seal(crypt, m->counter, m->aad, m->mac_tail, m->text, m->text_len);
    }
}

void crypt_open_batch(struct crypt *crypt, struct crypt_message *messages, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct crypt_message *m = &messages[i];
        m->err = crypt_open(crypt, m->aad, m->mac_tail, m->data, m->len, &m->text, &m->text_len);
    }
}
