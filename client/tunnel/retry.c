/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/retry.h"

gboolean retry_after_loss(enum reason reason, gboolean engine, guint64 up)
{
    return engine && (reason != REASON_GATEWAY_CLOSED || up >= RETRY_CLOSED_AFTER);
}

gboolean retry_after_failure(enum reason reason, gboolean engine)
{
    return engine || reason == REASON_NO_PROPOSAL_CHOSEN || reason == REASON_TS_UNACCEPTABLE ||
           reason == REASON_ADDRESS_UNAVAILABLE || reason == REASON_GATEWAY_REFUSED ||
           reason == REASON_PROTOCOL || reason == REASON_TOKEN_MISSING;
}

guint64 retry_delay(struct retry *retry, guint32 random)
{
    guint64 delay = RETRY_DELAY_FIRST;

    if (retry->failures++ == 0) {
        return 0;
    }
    for (unsigned i = 2; i < retry->failures && delay < RETRY_DELAY_MAX; i++) {
        delay *= 2;
    }
    delay = MIN(delay, RETRY_DELAY_MAX);
    return delay - delay / 5 + (delay / 5 * 2 * random >> 32);
}

void retry_was_up(struct retry *retry, guint64 up)
{
    if (up >= RETRY_STEADY) {
        retry->failures = 0;
    }
}
