/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the place of client/crypto/crypt_aead.c, in one program for measurements alone: what the
 * datapath costs without its cipher. The IV is written, the text stays as it is, nothing is
 * authentic.
 */
#include "crypto/crypt_provider.h"

static enum err null_start(void *state, const struct crypt *crypt, struct bytes encr_key,
                           struct bytes integ_key)
{
    (void)state;
    (void)crypt;
    (void)encr_key;
    (void)integ_key;
    return OK;
}

static enum err null_seal(void *state, const struct crypt *crypt,
                          const struct crypt_message *message)
{
    (void)state;
    memcpy(message->data, &message->counter, sizeof(message->counter));
    memset(message->text + message->text_len, 0, crypt_icv_len(crypt));
    return OK;
}

static enum err null_open(void *state, const struct crypt *crypt,
                          const struct crypt_message *message)
{
    (void)state;
    (void)crypt;
    (void)message;
    return OK;
}

const struct crypt_provider crypt_aead = {
    .library = CRYPT_GNUTLS,
    .state_size = 64,
    .start = null_start,
    .seal = null_seal,
    .open = null_open,
};
