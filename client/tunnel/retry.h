/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_RETRY_H
#define GODWIT_TUNNEL_RETRY_H

#include <glib.h>

#include "common/error.h"

/*
 * Whether and when a connection that was up is made again. A connection is to last: there is no
 * limit to how often or for how long, only to how often per minute. Times are microseconds.
 */

/* What has been up for so long was no mere attempt: the next loss is the first one again. */
#define RETRY_STEADY (60 * G_USEC_PER_SEC)
/*
 * A gateway that deletes an IKE SA younger than this has ended it on purpose: the account may be
 * in use elsewhere, and two clients that each came back at once would throw each other out for
 * ever. What it deletes later is most often its own lifetime, a restart or maintenance, after which
 * it is there again; phones come back after that too.
 */
#define RETRY_CLOSED_AFTER (10 * G_USEC_PER_SEC)
#define RETRY_DELAY_FIRST (1 * G_USEC_PER_SEC)
#define RETRY_DELAY_MAX (60 * G_USEC_PER_SEC)

struct retry {
    unsigned failures; /* in a row */
};

/* Whether an IKE SA that was up for `up` and ended so is made again. `engine` is IKE_EVENT_DOWN's
 * retry. */
gboolean retry_after_loss(enum reason reason, gboolean engine, guint64 up);
/*
 * Whether an attempt that failed so is repeated. What the gateway refuses for its configuration's
 * sake is tried again: it has accepted the same before, and while it starts it knows less than it
 * soon will. What it says of the user or we of its identity is final.
 */
gboolean retry_after_failure(enum reason reason, gboolean engine);
/* How long to wait before the next attempt; each call counts one. The first is made at once, the
 * others after twice as long each time. `random` moves it by a fifth, so that not all clients of a
 * gateway come back in step. */
guint64 retry_delay(struct retry *retry, guint32 random);
/* The connection was up for so long. */
void retry_was_up(struct retry *retry, guint64 up);

#endif
