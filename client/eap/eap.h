/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_EAP_EAP_H
#define GODWIT_EAP_EAP_H

#include "common/cursor.h"
#include "common/error.h"
#include "common/secret.h"
#include "crypto/rng.h"

/* The EAP peer (RFC 3748) as IKEv2 uses it (RFC 7296 2.16). Sans-IO: packets in, packets out. */

enum eap_type {
    EAP_IDENTITY = 1,
    EAP_NOTIFICATION = 2,
    EAP_NAK = 3,
    EAP_MD5 = 4,
    EAP_OTP = 5,
    EAP_GTC = 6,
    EAP_TLS = 13,
    EAP_TTLS = 21,
    EAP_PEAP = 25,
    EAP_MSCHAPV2 = 26,
    EAP_EXPANDED = 254
};

#define EAP_PACKET_MAX 65535
#define EAP_MSK_LEN 64
#define EAP_USER_MAX 256
#define EAP_MESSAGE_MAX 512

/* What a step of the conversation came to. */
enum eap_verdict {
    EAP_RESPOND, /* *response holds a packet to send */
    EAP_SECRET,  /* a secret is needed before it can go on: eap_needs(), eap_provide(), then
                    eap_resume() */
    EAP_SUCCESS, /* EAP-Success accepted: eap_msk() has the key if the method makes one */
    EAP_FAILURE, /* the conversation is over: eap_failure() says why */
    EAP_IGNORE,  /* silently discarded (RFC 3748 4.1) */
};

enum eap_secret { EAP_SECRET_NONE = 0, EAP_SECRET_USER, EAP_SECRET_PASSWORD };

/* Borrowed by the method while it runs; owned by struct eap. */
struct eap_credentials {
    char user[EAP_USER_MAX]; /* UTF-8, may be DOMAIN\user; NUL-terminated */
    struct secret password;  /* UTF-8 */
    bool have_password;
};

/* Filled by a method when it fails or has something to say. */
struct eap_note {
    enum reason reason;            /* REASON_NONE until it fails */
    char message[EAP_MESSAGE_MAX]; /* printable: the gateway's own words or our explanation */
    unsigned mschapv2_error;       /* 691, 648, … or 0 */
    bool password_change_offered;
};

/* What the core lends a method at each step. */
struct eap_context {
    struct eap_credentials *credentials;
    const struct rng *rng;
    struct eap_note *note;
    uint8_t identifier; /* of the request */
};

/* A method is a constant table; the core owns `state_size` zeroed octets for it and wipes them. */
struct eap_method {
    uint8_t type;
    const char *name; /* "mschapv2" */
    size_t state_size;
    const char *label; /* for people: "MSCHAPv2" */
    bool makes_msk;    /* EAP-Success before the MSK exists is a failure (CVE-2021-45079) */
    /* `data` is what follows the Type octet of a request; the method writes what follows the Type
     * octet of its response. Returns EAP_RESPOND, EAP_SECRET, EAP_FAILURE or EAP_IGNORE. */
    enum eap_verdict (*step)(void *state, struct eap_context *context, struct bytes data,
                             struct writer *response);
    /* True when the method has authenticated the server as far as it can and an EAP-Success may
     * come. */
    bool (*may_succeed)(const void *state);
    /* Copies the MSK (64 octets, RFC 3748 7.10); ERR_STATE before it exists. NULL when makes_msk is
     * false. */
    enum err (*msk)(const void *state, uint8_t out[static EAP_MSK_LEN]);
    void (*cleanup)(void *state); /* frees what the state points to; NULL when nothing */
    /* One line about what follows the Type octet, for traces, never a secret; NULL when the type's
     * name says enough. */
    void (*describe)(bool request, struct bytes data, char *out, size_t cap);
};

struct eap;

struct eap_config {
    const char *identity;  /* EAP-Identity answer; NULL or "" = the user name */
    const char *user;      /* user name; NULL or "" = ask */
    struct bytes password; /* copied; len 0 and !have_password = ask */
    bool have_password;
    const uint8_t *methods; /* allowed types in order of preference, copied; NULL = all that are
                               built in and safe outside TLS */
    size_t n_methods;
    const struct rng *rng; /* must outlive the eap */
};

/* ERR_SPACE when a name does not fit EAP_USER_MAX, ERR_UNSUPPORTED when `methods` names one that we
 * do not have or none. */
enum err eap_new(struct eap **out, const struct eap_config *config) ERR_CHECK;
void eap_free(struct eap *eap); /* wipes */
/* Forgets the conversation, not what was provided in it: another one with the same authenticator
 * can begin. */
void eap_restart(struct eap *eap);
/*
 * One packet from the authenticator. A response is written to `response` (an EAP packet). Requests
 * for other types are answered with a Nak listing the allowed ones; Identity and Notification are
 * answered by the core; a repeated request gets the same response. EAP-Success is accepted only
 * when a method ran and may_succeed().
 */
enum eap_verdict eap_input(struct eap *eap, struct bytes packet, struct writer *response);
/* After EAP_SECRET: which secret is missing, */
enum eap_secret eap_needs(const struct eap *eap);
/* give it (copied; ERR_STATE when it was not asked for, ERR_SYNTAX and ERR_SPACE for a bad user
 * name), */
enum err eap_provide(struct eap *eap, enum eap_secret secret, struct bytes value) ERR_CHECK;
/* and continue with the request that was waiting. */
enum eap_verdict eap_resume(struct eap *eap, struct writer *response);
/* After EAP_SUCCESS. *len = 64, or 0 when the method makes no key. */
enum err eap_msk(const struct eap *eap, uint8_t out[static EAP_MSK_LEN], size_t *len) ERR_CHECK;
/* Why it failed, or the last notification; borrowed. */
const struct eap_note *eap_note(const struct eap *eap);
/* Name of the method in use ("mschapv2"), NULL before one is chosen. */
const char *eap_method_name(const struct eap *eap);
/* Type of a built-in method by its name ("mschapv2"); 0 when there is none. */
uint8_t eap_method_type(const char *name);
/* One line about a packet for the trace: "Request MSCHAPv2 Challenge name=gw id=3"; never secrets.
 * Returns out. */
const char *eap_describe(struct bytes packet, char *out, size_t cap);

#endif
