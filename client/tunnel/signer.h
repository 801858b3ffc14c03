/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_SIGNER_H
#define GODWIT_TUNNEL_SIGNER_H

#include <glib.h>

#include "common/error.h"
#include "common/token_message.h"

/*
 * The worker's end of the channel to its godwit-token, whom it does not trust: a module of PKCS#11
 * may crash it, hang it or speak through it. Answers come from the thread-default context, never
 * from inside a call.
 */
struct signer;

struct signer_ops {
    guint patience; /* milliseconds for an answer, but for a PIN */
    guint touch;    /* milliseconds after which a signature seems to wait for the user */
    /* For signer_open(); borrowed for the call. The public key may be empty. */
    void (*opened)(void *context, struct bytes public_key, const struct bytes *certs, gsize n);
    /* In the place of opened(): several certificates fit. For each its URI, title and detail, which
     * are anybody's; signer_open() with one of them comes next. */
    void (*choices)(void *context, const struct bytes *parts, gsize n);
    /* For signer_sign(). */
    void (*signature)(void *context, struct bytes signature);
    /* Answer with signer_pin(). `pin` is enum token_pin bits, `prompt` for people. */
    void (*need_pin)(void *context, guint8 pin, const char *prompt);
    /* The user has to do something at the token: `text` says what. */
    void (*waiting)(void *context, const char *text);
    /* In the place of opened() or signature(). */
    void (*failed)(void *context, enum reason reason, const char *detail);
};

/* `fd` stays the caller's. */
struct signer *signer_new(int fd, const struct signer_ops *ops, void *context);
/* URIs; see TOKEN_OPEN. */
void signer_open(struct signer *signer, struct bytes certificate, struct bytes key);
/* One that was asked for before and not answered yet is not answered any more. */
void signer_sign(struct signer *signer, guint8 algorithm, struct bytes octets);
/* Empty cancels. */
void signer_pin(struct signer *signer, struct bytes pin);
void signer_free(struct signer *signer); /* NULL is harmless */

#endif
