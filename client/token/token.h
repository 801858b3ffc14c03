/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TOKEN_TOKEN_H
#define GODWIT_TOKEN_TOKEN_H

#include "common/token_message.h"

/* One certificate and private key on a token, through the PKCS#11 modules that p11-kit knows. */
struct token;

/*
 * Asks for the PIN and waits: writes at most `cap` octets and a NUL. `pin` is enum token_pin bits.
 * False cancels.
 */
typedef bool (*token_ask_cb)(void *context, const char *label, uint8_t pin, char *out, size_t cap);
/* The user types the PIN on the reader from now on. */
typedef void (*token_pinpad_cb)(void *context, const char *label);

struct token_asker {
    token_ask_cb ask;
    token_pinpad_cb pinpad;
    void *context;
};

/* Loads the modules; what is wrong with them shows later. `asker` is copied. */
struct token *token_new(const struct token_asker *asker);
void token_free(struct token *token); /* wipes the PIN */
/*
 * TOKEN_OPEN and TOKEN_SIGN; *answer is TOKEN_OPENED, TOKEN_CHOICES, TOKEN_SIGNED or TOKEN_FAILED,
 * and what it points to is borrowed until the next call.
 */
void token_open(struct token *token, struct bytes certificate, struct bytes key,
                struct token_message *answer);
void token_sign(struct token *token, uint8_t algorithm, struct bytes octets,
                struct token_message *answer);

/* The label of the token with that URI; false when it is not there, or none for people: a store of
 * authorities, or a slot that waits for a token. */
bool token_label(const char *uri, char *out, size_t cap);
/* Prints what certificates there are, as far as tokens show them without a PIN. */
void token_list(void);

#endif
