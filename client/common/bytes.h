/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_BYTES_H
#define GODWIT_COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed, read-only run of octets. `data` may be NULL only when `len` is 0. Passed by value;
 * never owns. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){(const uint8_t *)data, len};
}

/* The characters of a NUL-terminated string, without the NUL. */
static inline struct bytes bytes_of_string(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* Equality of public data; for secrets use secret_equal(), which takes constant time. */
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
