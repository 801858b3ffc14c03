/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_CRYPT_IPSEC_MB_H
#define GODWIT_CRYPTO_CRYPT_IPSEC_MB_H

#include "config.h"
#include "crypto/crypt_provider.h"

/* Inside client/crypto only: intel-ipsec-mb, with which many packets are worked on side by side in
 * the processor's wide registers. */
struct ipsec_mb;

#ifdef HAVE_IPSEC_MB

/* One thread's manager. ERR_UNSUPPORTED: its self-test or this processor says no. */
enum err ipsec_mb_new(struct ipsec_mb **out) ERR_CHECK;
void ipsec_mb_free(struct ipsec_mb *mb);
const char *ipsec_mb_name(const struct ipsec_mb *mb);
/* Those in which it is faster than GnuTLS; NULL for all others. */
const struct crypt_provider *ipsec_mb_provider(const struct alg *encr, const struct alg *integ);

#else

static inline enum err ipsec_mb_new(struct ipsec_mb **out)
{
    *out = NULL;
    return ERR_UNSUPPORTED;
}

static inline void ipsec_mb_free(struct ipsec_mb *mb)
{
    (void)mb;
}

static inline const char *ipsec_mb_name(const struct ipsec_mb *mb)
{
    (void)mb;
    return NULL;
}

static inline const struct crypt_provider *ipsec_mb_provider(const struct alg *encr,
                                                             const struct alg *integ)
{
    (void)encr;
    (void)integ;
    return NULL;
}

#endif
#endif
