/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/fuzz_ike.h"

/* The body of a TSi or TSr payload (RFC 7296 3.13). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_ts(bytes_of(data, size));
    return 0;
}
