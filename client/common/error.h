/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_ERROR_H
#define GODWIT_COMMON_ERROR_H

#include <stddef.h>

/*
 * What a function of the engine, the codecs or the cryptography reports. OK is zero; everything
 * else is a failure that the caller must handle (functions that return it are marked ERR_CHECK).
 */
enum err {
    OK = 0,
    ERR_MEMORY,      /* allocation failed */
    ERR_CRYPTO,      /* the cryptographic library refused; never caused by the peer alone */
    ERR_SYNTAX,      /* malformed octets: lengths, counts, reserved types (INVALID_SYNTAX) */
    ERR_CRITICAL,    /* an unknown payload with the critical bit (UNSUPPORTED_CRITICAL_PAYLOAD) */
    ERR_INTEGRITY,   /* ICV or signature does not verify */
    ERR_REPLAY,      /* seen before or too old */
    ERR_UNSUPPORTED, /* well formed, but an algorithm, type or version that we do not have */
    ERR_STATE,       /* not allowed in this state */
    ERR_SPACE,       /* output does not fit */
    ERR_KEY,         /* a key or public value is out of range */
    ERR_PASSWORD,    /* a private key's password is missing or wrong */
};

#define ERR_CHECK __attribute__((warn_unused_result))

/*
 * Why a connection ended or could not start: one list for the engine, the host configuration, the
 * command line, D-Bus and NetworkManager. The order is the exit codes' order and may only grow at
 * the end.
 */
enum reason {
    REASON_NONE = 0,
    REASON_USER,                      /* the user disconnected */
    REASON_INTERNAL,                  /* our own failure: memory, library, worker */
    REASON_USAGE,                     /* command line */
    REASON_PROFILE,                   /* a profile's key or value, or a file that it names */
    REASON_NOT_ROOT,                  /* standalone needs root */
    REASON_NO_TUN,                    /* /dev/net/tun is missing or refused */
    REASON_HOST_CONFIG,               /* addresses, routes, rules or DNS could not be set */
    REASON_RESOLVE,                   /* the gateway's name has no address */
    REASON_GATEWAY_UNREACHABLE,       /* no answer in time */
    REASON_PORT_UNREACHABLE,          /* the gateway's host answered that nothing listens there */
    REASON_NO_PROPOSAL_CHOSEN,        /* no common algorithms */
    REASON_GATEWAY_UNTRUSTED,         /* no chain to a trusted certification authority */
    REASON_GATEWAY_EXPIRED,           /* a certificate of the gateway is expired or not yet valid */
    REASON_GATEWAY_IDENTITY_MISMATCH, /* the certificate or ID is for another name */
    REASON_GATEWAY_AUTH_FAILED,       /* its AUTH does not verify, or its method is not taken */
    REASON_AUTH_FAILED,               /* the gateway refused name, password, certificate or key */
    REASON_PASSWORD_EXPIRED,          /* MS-CHAPv2 E=648 */
    REASON_ACCOUNT_DISABLED,          /* MS-CHAPv2 E=647 */
    REASON_ACCOUNT_RESTRICTED,        /* MS-CHAPv2 E=646, E=649: hours, no right to dial in */
    REASON_SECRET_MISSING,            /* a password was needed and none was given */
    REASON_TS_UNACCEPTABLE,           /* no common traffic selectors */
    REASON_ADDRESS_UNAVAILABLE,       /* the gateway assigned no internal address */
    REASON_GATEWAY_REFUSED,           /* any other error notify */
    REASON_GATEWAY_CLOSED,            /* the gateway deleted the IKE SA */
    REASON_GATEWAY_LOST,              /* an established gateway stopped answering */
    REASON_PROTOCOL,                  /* the gateway broke the protocol */
    REASON_WORKER_DIED,               /* godwit-tunnel ended unexpectedly */
    REASON_REDIRECTED,                /* the gateway sends us to another one */
    REASON_UDP_BLOCKED,               /* the gateway is there, but IKE does not get through to it */
    REASON_SERVICE_UNAVAILABLE,       /* no system bus, or no godwitd on it */
    REASON_SERVICE_REFUSED,           /* godwitd does not do it now: busy, too many, not ready */
    REASON_NOT_AUTHORIZED,            /* polkit or the bus says no */
    REASON_NOT_FOUND,                 /* no connection or profile of that name */
    REASON_TOKEN_MISSING,             /* the token with the key is not there (any more) */
    REASON_TOKEN_OBJECT,              /* it is, but without the certificate or key */
    REASON_PIN_WRONG,                 /* of the token */
    REASON_PIN_LOCKED,                /* it takes no PIN any more */
    REASON_TOKEN_FAILED,              /* an error, a crash or no end of it or its module */
    REASON_TOKEN_UNSUPPORTED,         /* it cannot sign as it would have to */
    REASON_GATEWAY_CHANGED,           /* its certificate is not the one that the profile trusts */
    REASON_COUNT
};

/* Stable name for logs, D-Bus and tests, such as "gateway-unreachable". Never NULL. */
const char *reason_name(enum reason reason);
/* The reason of that name, REASON_INTERNAL for an unknown one. */
enum reason reason_from_name(const char *name);
/* One untranslated sentence for people (for gettext): what failed. Never NULL. */
const char *reason_sentence(enum reason reason);
/*
 * One untranslated sentence: what to try; NULL when there is nothing to say. Keys of profiles stand
 * in braces, for profile_words().
 */
const char *reason_hint(enum reason reason);
/* The same for who has windows instead of a command line. */
const char *reason_window_hint(enum reason reason);
/* Exit code of the command line, 0 for REASON_NONE and REASON_USER; documented in godwit(1). */
int reason_exit_code(enum reason reason);

#endif
