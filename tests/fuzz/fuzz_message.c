/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/fuzz_ike.h"

/* A datagram as it comes from the network, without keys. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct message message;
    uint8_t inner, unknown;
    enum err err = message_parse(&message, bytes_of(data, size), &inner, &unknown);

    fuzz_require(message.n_payloads <= IKE_PAYLOADS_MAX);
    if (err == OK || err == ERR_CRITICAL) {
        fuzz_payloads(&message);
    }
    return 0;
}
