/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_CRYPT_IPSEC_MB_MANAGER_H
#define GODWIT_CRYPTO_CRYPT_IPSEC_MB_MANAGER_H

#include <intel-ipsec-mb.h>

#include "crypto/crypt_ipsec_mb.h"

#define IPSEC_MB_TAG_MAX 64

/* What the files of this provider share: the library's manager, and room for a batch. */
struct ipsec_mb {
    IMB_MGR *manager;
    size_t manager_len;
    char name[64];
    IMB_JOB jobs[CRYPT_BATCH];
    uint8_t tags[CRYPT_BATCH][IPSEC_MB_TAG_MAX];
};

extern const struct crypt_provider ipsec_mb_gcm;
extern const struct crypt_provider ipsec_mb_chacha20;
/* AES-CBC, then a MAC that ipsec_mb_hash_of() knows. */
extern const struct crypt_provider ipsec_mb_cbc;

/* IMB_AUTH_NULL when it has none for this INTEG algorithm. */
IMB_HASH_ALG ipsec_mb_hash_of(const struct alg *integ);

#endif
