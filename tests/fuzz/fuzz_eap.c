/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "eap/eap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0x5a, len);
    return OK;
}

/*
 * The input is a conversation: each packet behind two octets of length. A secret that is asked for
 * is given, so that every path behind it is reached. An EAP-Success that comes out of it must be
 * backed by a key.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rng rng = {.fill = fill};
    struct eap_config config = {.rng = &rng};
    struct reader r = reader_of(bytes_of(data, size));
    struct eap *eap;
    uint8_t answer[2048];
    uint8_t msk[EAP_MSK_LEN];
    char line[256];
    size_t len;

    if (eap_new(&eap, &config) != OK) {
        return 0;
    }
    while (r.left > 2) {
        size_t want = rd_u16(&r);
        struct bytes packet = rd_bytes(&r, want % r.left + 1);
        struct writer w = writer_of(answer, sizeof(answer));
        enum eap_verdict verdict = eap_input(eap, packet, &w);

        (void)eap_describe(packet, line, sizeof(line));
        while (verdict == EAP_SECRET) {
            enum eap_secret needs = eap_needs(eap);

            if (eap_provide(eap, needs, bytes_of_string("User")) != OK) {
                abort();
            }
            verdict = eap_resume(eap, &w);
        }
        if (verdict == EAP_RESPOND) {
            (void)eap_describe(wr_written(&w), line, sizeof(line));
        }
        if (verdict == EAP_SUCCESS && (eap_msk(eap, msk, &len) != OK || len != EAP_MSK_LEN)) {
            abort();
        }
    }
    eap_free(eap);
    return 0;
}
