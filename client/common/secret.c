/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/secret.h"

#include <stdlib.h>
#include <string.h>

void secret_wipe(void *data, size_t len)
{
    if (len > 0) {
        explicit_bzero(data, len);
    }
}

bool secret_alloc(struct secret *to, size_t len)
{
    secret_free(to);
    if (len == 0) {
        return true;
    }
    to->data = calloc(1, len);
    if (to->data == NULL) {
        return false;
    }
    to->len = len;
    return true;
}

bool secret_set(struct secret *to, struct bytes from)
{
    struct secret copy = {0};

    if (!secret_alloc(&copy, from.len)) {
        secret_free(to);
        return false;
    }
    if (from.len > 0) {
        memcpy(copy.data, from.data, from.len);
    }
    secret_move(to, &copy);
    return true;
}

void secret_free(struct secret *secret)
{
    if (secret == NULL) {
        return;
    }
    secret_wipe(secret->data, secret->len);
    free(secret->data);
    *secret = (struct secret){0};
}

void secret_move(struct secret *to, struct secret *from)
{
    secret_free(to);
    *to = *from;
    *from = (struct secret){0};
}

bool secret_equal(struct bytes a, struct bytes b)
{
    uint8_t difference = 0;

    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        difference |= (uint8_t)(a.data[i] ^ b.data[i]);
    }
    return difference == 0;
}
