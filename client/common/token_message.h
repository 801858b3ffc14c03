/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_TOKEN_MESSAGE_H
#define GODWIT_COMMON_TOKEN_MESSAGE_H

#include "common/bytes.h"
#include "common/cursor.h"

/*
 * What a worker and its godwit-token say to each other, a packet of a SOCK_SEQPACKET pair for each
 * message. The worker asks for one thing at a time and gets one answer, before which NEED_PIN and
 * PINPAD may come. Both sides are of one build, and each distrusts the other: a module of PKCS#11
 * is anybody's code.
 */
enum token_kind {
    /* Worker to godwit-token. */
    TOKEN_OPEN, /* URI of the certificate or "", URI of the private key or "": that of the
                   certificate's */
    TOKEN_PIN,  /* for NEED_PIN; empty cancels */
    TOKEN_SIGN, /* code: what cert_signing.algorithm says; the octets to sign */
    /* godwit-token to worker. */
    TOKEN_NEED_PIN, /* code: enum token_pin bits; the token's label */
    TOKEN_PINPAD,   /* the PIN is typed on the reader now; the token's label */
    TOKEN_OPENED,  /* public key (SubjectPublicKeyInfo, empty when the token does not tell it), then
                      the certificate and those above it, in DER; none when none was asked for */
    TOKEN_CHOICES, /* instead of OPENED: several certificates fit the URI. For each its own URI,
                      whose it is, and what else there is to know; OPEN with one of them comes next
                    */
    TOKEN_SIGNED,  /* signature */
    TOKEN_FAILED,  /* code: enum token_failure; texts, see there */
    N_TOKEN_KINDS
};

enum token_pin {
    TOKEN_PIN_WRONG = 1, /* the last one was */
    TOKEN_PIN_LOW = 2,   /* few tries are left */
    TOKEN_PIN_FINAL = 4, /* only this one is */
};

enum token_failure {
    TOKEN_FAILED_OTHER,          /* what the library says */
    TOKEN_FAILED_NO_TOKEN,       /* labels of the tokens that are there */
    TOKEN_FAILED_NO_CERTIFICATE, /* the token's label, as in all that follow */
    TOKEN_FAILED_NO_KEY,
    TOKEN_FAILED_PIN_CANCELLED,
    TOKEN_FAILED_PIN_WRONG,
    TOKEN_FAILED_PIN_LOCKED,
    TOKEN_FAILED_PIN_EXPIRED,
    TOKEN_FAILED_GONE,
    TOKEN_FAILED_UNSUPPORTED, /* the token does not sign so */
    N_TOKEN_FAILURES
};

#define TOKEN_PARTS_MAX 24
#define TOKEN_CHOICE_PARTS 3
#define TOKEN_MESSAGE_MAX 65536

struct token_message {
    enum token_kind kind;
    uint8_t code;
    size_t n;
    struct bytes parts[TOKEN_PARTS_MAX]; /* borrowed */
};

/* False when the octets are no message, or have not the parts that one of its kind has. */
bool token_message_read(struct token_message *out, struct bytes packet)
    __attribute__((warn_unused_result));
/* The octets written; 0 when they do not fit. */
size_t token_message_write(const struct token_message *message, uint8_t *out, size_t cap);

#endif
