/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/* How a connection ends. */

/* Whether to try again may succeed without the user's doing: what a reason says of it. */
enum prospect { NEVER, ONCE_UP, ALWAYS };

static enum prospect prospect_of(enum reason reason)
{
    switch (reason) {
    /* Networks come back, gateways are restarted and let their clients go. */
    case REASON_RESOLVE:
    case REASON_GATEWAY_UNREACHABLE:
    case REASON_PORT_UNREACHABLE:
    case REASON_UDP_BLOCKED:
    case REASON_GATEWAY_CLOSED:
    case REASON_GATEWAY_LOST:
    case REASON_WORKER_DIED:
    case REASON_REDIRECTED:
        return ALWAYS;
    /* It has worked once, and will again with a new IKE SA. */
    case REASON_GATEWAY_REFUSED:
    case REASON_PROTOCOL:
        return ONCE_UP;
    /* The user, the profile or the gateway's administrator has to change something first. */
    case REASON_NONE:
    case REASON_USER:
    case REASON_INTERNAL:
    case REASON_USAGE:
    case REASON_PROFILE:
    case REASON_NOT_ROOT:
    case REASON_NO_TUN:
    case REASON_HOST_CONFIG:
    case REASON_NO_PROPOSAL_CHOSEN:
    case REASON_GATEWAY_UNTRUSTED:
    case REASON_GATEWAY_EXPIRED:
    case REASON_GATEWAY_IDENTITY_MISMATCH:
    case REASON_GATEWAY_AUTH_FAILED:
    case REASON_AUTH_FAILED:
    case REASON_PASSWORD_EXPIRED:
    case REASON_ACCOUNT_DISABLED:
    case REASON_ACCOUNT_RESTRICTED:
    case REASON_SECRET_MISSING:
    case REASON_TS_UNACCEPTABLE:
    case REASON_ADDRESS_UNAVAILABLE:
    case REASON_SERVICE_UNAVAILABLE:
    case REASON_SERVICE_REFUSED:
    case REASON_NOT_AUTHORIZED:
    case REASON_NOT_FOUND:
    case REASON_TOKEN_MISSING:
    case REASON_TOKEN_OBJECT:
    case REASON_PIN_WRONG:
    case REASON_PIN_LOCKED:
    case REASON_TOKEN_FAILED:
    case REASON_TOKEN_UNSUPPORTED:
    case REASON_GATEWAY_CHANGED:
    case REASON_COUNT:
        break;
    }
    return NEVER;
}

bool ending_retry(const struct ending *ending)
{
    enum prospect prospect = prospect_of(ending->reason);

    return ending->transient || prospect == ALWAYS || (prospect == ONCE_UP && ending->was_up);
}
