/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "crypto/crypt_ipsec_mb.h"
#include "crypto/crypt_provider.h"

enum err crypt_lanes_new(struct crypt_lanes **out, enum crypt_library library)
{
    struct crypt_lanes *lanes = calloc(1, sizeof(*lanes));
    enum err err = lanes == NULL ? ERR_MEMORY : OK;

    *out = NULL;
    if (err == OK && library != CRYPT_GNUTLS) {
        err = ipsec_mb_new(&lanes->mb);
        if (err == ERR_UNSUPPORTED && library == CRYPT_FASTEST) {
            err = OK;
        }
    }
    if (err != OK) {
        free(lanes);
        return err;
    }
    *out = lanes;
    return OK;
}

void crypt_lanes_free(struct crypt_lanes *lanes)
{
    if (lanes != NULL) {
        ipsec_mb_free(lanes->mb);
        free(lanes);
    }
}

const char *crypt_lanes_name(const struct crypt_lanes *lanes, const struct alg *encr,
                             const struct alg *integ)
{
    return crypt_lanes_provider(lanes, encr, integ) != NULL ? ipsec_mb_name(lanes->mb) : "GnuTLS";
}

const struct crypt_provider *crypt_lanes_provider(const struct crypt_lanes *lanes,
                                                  const struct alg *encr, const struct alg *integ)
{
    return lanes->mb != NULL ? ipsec_mb_provider(encr, integ) : NULL;
}
