/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_SECRET_H
#define GODWIT_COMMON_SECRET_H

#include "common/bytes.h"

/* Octets that must not outlive their use: owned, wiped when freed, never logged. All zero is the
 * empty secret. */
struct secret {
    uint8_t *data;
    size_t len;
};

/* Copies `from`; false when memory is out (then *to is empty). Frees what *to held before. */
bool secret_set(struct secret *to, struct bytes from) __attribute__((warn_unused_result));
/* Allocates `len` zero octets; false when memory is out. */
bool secret_alloc(struct secret *to, size_t len) __attribute__((warn_unused_result));
/* Wipes, frees and empties; harmless on an empty secret and on NULL. */
void secret_free(struct secret *secret);
/* Moves ownership and leaves *from empty. Frees what *to held before. */
void secret_move(struct secret *to, struct secret *from);
static inline struct bytes secret_bytes(const struct secret *secret)
{
    return bytes_of(secret->data, secret->len);
}
/* Constant-time comparison (lengths are not secret). */
bool secret_equal(struct bytes a, struct bytes b);
/* Overwrites memory in a way that the compiler keeps. */
void secret_wipe(void *data, size_t len);

#endif
