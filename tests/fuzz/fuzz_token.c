/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "common/pkcs11_uri.h"
#include "common/token_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message that was understood is written with the same octets. */
static void read_message(struct bytes packet)
{
    struct token_message message;
    uint8_t *again = malloc(packet.len + 1);

    if (again != NULL && token_message_read(&message, packet) &&
        (token_message_write(&message, again, packet.len + 1) != packet.len ||
         !bytes_equal(bytes_of(again, packet.len), packet))) {
        abort();
    }
    free(again);
}

/* A URI that is taken is still one without attributes that name nothing. */
static void read_uri(struct bytes uri)
{
    static const char *const names[] = {"type", "library-version", NULL};
    char out[PKCS11_URI_MAX + 1];
    struct bytes at, ignored;
    const char *why = pkcs11_uri_check(uri, true, &at);

    if (at.len > uri.len || at.data < uri.data || at.data + at.len > uri.data + uri.len) {
        abort();
    }
    if (why == NULL && (!pkcs11_uri_without(uri, names, out, sizeof out) ||
                        pkcs11_uri_check(bytes_of_string(out), true, &ignored) != NULL)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_message(bytes_of(data, size));
    if (size > 0) {
        read_uri(bytes_of(data, size));
    }
    return 0;
}
