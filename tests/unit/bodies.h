/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_BODIES_H
#define GODWIT_TESTS_BODIES_H

#include <check.h>

#include "ike/payload.h"
#include "unit/vectors.h"

/* Bodies of payloads, as the tests of the codecs write and read them. */

/* To write one payload into. There is one at a time. */
static inline struct chain fresh(void)
{
    static uint8_t buffer[8192];
    return chain_of(buffer, sizeof buffer);
}

/* What was written, without the payload's header, where the sanitizer sees a read behind its end.
 */
static inline struct bytes body_of(const struct chain *chain)
{
    struct bytes all = wr_written(&chain->w);

    ck_assert_uint_ge(all.len, IKE_PAYLOAD_HEADER_LEN);
    ck_assert_uint_eq(all.len, (size_t)all.data[2] << 8 | all.data[3]);
    return bytes_of(octets_copy(bytes_of(all.data + 4, all.len - 4)), all.len - 4);
}

/* The same of its beginning. */
static inline struct bytes prefix_of(struct bytes body, size_t len)
{
    return bytes_of(octets_copy(bytes_of(body.data, len)), len);
}

#endif
