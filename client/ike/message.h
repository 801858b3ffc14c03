/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_MESSAGE_H
#define GODWIT_IKE_MESSAGE_H

#include "common/cursor.h"
#include "common/error.h"
#include "common/secret.h"
#include "crypto/crypt.h"

/* The IKEv2 message: header, payload chain, SK and SKF (RFC 7296 3.1, 3.2, 3.14; RFC 7383). Pure:
 * no state, no allocation of its own. */

#define IKE_HEADER_LEN 28
#define IKE_PAYLOAD_HEADER_LEN 4
#define IKE_MESSAGE_MAX 65535
#define IKE_VERSION 0x20
#define IKE_PAYLOADS_MAX 256 /* in one chain; more is ERR_SYNTAX */

enum exchange_type {
    X_IKE_SA_INIT = 34,
    X_IKE_AUTH = 35,
    X_CREATE_CHILD_SA = 36,
    X_INFORMATIONAL = 37,
    X_IKE_SESSION_RESUME = 38
};

enum ike_flags { IKE_FLAG_INITIATOR = 0x08, IKE_FLAG_VERSION = 0x10, IKE_FLAG_RESPONSE = 0x20 };

enum payload_type {
    P_NONE = 0,
    P_SA = 33,
    P_KE = 34,
    P_IDi = 35,
    P_IDr = 36,
    P_CERT = 37,
    P_CERTREQ = 38,
    P_AUTH = 39,
    P_NONCE = 40,
    P_NOTIFY = 41,
    P_DELETE = 42,
    P_VENDOR = 43,
    P_TSi = 44,
    P_TSr = 45,
    P_SK = 46,
    P_CP = 47,
    P_EAP = 48,
    P_SKF = 53
};

/* Bit of a payload type in a mask of what a message has, needs or may have; 0 for types
 * outside 33..63. */
#define P_BIT(type) ((type) >= 33 && (type) < 64 ? UINT64_C(1) << ((type)-33) : UINT64_C(0))

struct ike_header {
    uint64_t spi_i, spi_r;
    uint8_t next_payload, version, exchange, flags;
    uint32_t message_id;
    uint32_t length; /* whole message */
};

struct payload {
    uint8_t type;
    bool critical;
    struct bytes body; /* borrowed from the message, without the generic header */
};

struct message {
    struct ike_header header;
    struct bytes octets; /* the whole message as received, borrowed */
    struct payload payloads[IKE_PAYLOADS_MAX];
    size_t n_payloads;
    uint64_t present; /* P_BIT of each known type found */
};

/* Just the header; ERR_SYNTAX when short or when `length` differs from the datagram's.
 * ERR_UNSUPPORTED for a major version above 2; a header of version 1 (IKEv1) parses, so that the
 * caller can say so. */
enum err ike_header_parse(struct ike_header *out, struct bytes datagram) ERR_CHECK;
/*
 * Header and outer chain. In a protected message the chain ends with SK or SKF, whose `body` then
 * starts at the IV (SK) or at the fragment number (SKF) and whose first inner type is *inner
 * (P_NONE otherwise). Unknown non-critical payloads are kept; an unknown critical one is
 * ERR_CRITICAL with its type in *unknown; SK/SKF not last, or a broken length, is ERR_SYNTAX.
 */
enum err message_parse(struct message *out, struct bytes datagram, uint8_t *inner,
                       uint8_t *unknown) ERR_CHECK;
/* A chain of payloads, such as the plaintext of SK; adds to out->payloads and out->present. Same
 * errors; a nested SK or SKF is ERR_SYNTAX. */
enum err message_parse_chain(struct message *out, uint8_t first, struct bytes chain,
                             uint8_t *unknown) ERR_CHECK;
/* The n-th (0…) payload of a type; NULL when there are fewer. */
const struct payload *message_find(const struct message *message, uint8_t type, size_t n);

/* ---- building ---- */
/* A chain of payloads being written; also used for the plaintext that goes into SK. `first` is for
 * the header or SK. */
struct chain {
    struct writer w;
    uint8_t first;     /* type of the first payload, P_NONE while empty */
    size_t next_at;    /* where the last payload's Next Payload octet stands */
    size_t payload_at; /* start of the payload that is open */
    size_t n_payloads;
};
struct chain chain_of(uint8_t *out, size_t cap);
/* Opens a payload (generic header) …write its body to chain->w… and closes it, which fills in its
 * length. */
void chain_begin(struct chain *chain, enum payload_type type);
void chain_end(struct chain *chain);
void chain_add(struct chain *chain, enum payload_type type, struct bytes body);

/* Header + unprotected chain. Lengths and next_payload are filled in. Returns octets written, 0
 * when they do not fit. */
size_t message_write(const struct ike_header *header, const struct chain *chain, uint8_t *out,
                     size_t cap);
/*
 * Header + SK holding the chain (padding to the cipher's block, then ICV). `counter` never repeats
 * for one key. Returns octets or 0.
 */
size_t message_seal(const struct ike_header *header, const struct chain *chain, struct crypt *crypt,
                    uint64_t counter, uint8_t *out, size_t cap);
/*
 * One fragment of RFC 7383: `part` is its piece of the plaintext chain, number 1…total;
 * `first_inner` goes into fragment 1 only. Returns octets or 0.
 */
size_t message_seal_fragment(const struct ike_header *header, uint8_t first_inner,
                             struct bytes part, uint16_t number, uint16_t total,
                             struct crypt *crypt, uint64_t counter, uint8_t *out, size_t cap);
/* Plaintext octets that fit one SK message of `message_max` octets. */
size_t message_room(const struct crypt *crypt, size_t message_max);
/* Plaintext octets that fit one SKF message of `message_max` octets. */
size_t message_fragment_room(const struct crypt *crypt, size_t message_max);

/*
 * Opens the SK of a message in place (`datagram` is writable and is what message_parse() saw):
 * *plain is the inner chain without padding. ERR_INTEGRITY, ERR_SYNTAX (pad length too large).
 */
enum err message_open(uint8_t *datagram, size_t len, const struct payload *sk, struct crypt *crypt,
                      struct bytes *plain) ERR_CHECK;
/* The same for SKF; also the fragment's number and total (1 <= number <= total, else ERR_SYNTAX).
 */
enum err message_open_fragment(uint8_t *datagram, size_t len, const struct payload *skf,
                               struct crypt *crypt, struct bytes *plain, uint16_t *number,
                               uint16_t *total) ERR_CHECK;

#endif
