/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/*
 * NAT keepalives (RFC 3948 2.3, 4). The interval begins as configured; where the gateway tells how
 * it sees us (RFC 4555 3.8), a longer silence is tried now and then, and when our mapping has
 * borne it, that is the interval from then on. Fewer wake-ups, for batteries' sake.
 */

/* Linux forgets a UDP mapping after 120 s; a NAT that gives the same port again looks as if it had
 * not. */
#define INTERVAL_MAX_US UINT64_C(110000000)

static uint64_t interval(const struct ike *ike)
{
    return ike->keepalive.interval != 0 ? ike->keepalive.interval : ike->config.keepalive_us;
}

static uint64_t longer(const struct ike *ike)
{
    uint64_t next = interval(ike) * 3 / 2;

    return next < INTERVAL_MAX_US ? next : INTERVAL_MAX_US;
}

/* Silence counts only when nothing came in either since we sent something. */
static bool tries_longer(const struct ike *ike)
{
    return ike->state == ST_UP && ike->mobike.supported && !ike->mobike.update &&
           !ike->keepalive.settled && !ike->sa.request.busy && longer(ike) > interval(ike) &&
           ike->liveness.in < ike->last_sent;
}

uint64_t keepalive_deadline(const struct ike *ike)
{
    bool mapped = ike->state >= ST_AUTH_SENT && ike->state <= ST_UP;

    if (!mapped || paths_offline(ike)) {
        return IKE_NEVER;
    }
    return ike->last_sent + (tries_longer(ike) ? longer(ike) : interval(ike));
}

void keepalive_tick(struct ike *ike)
{
    if (ike->now < keepalive_deadline(ike)) {
        return;
    }
    if (tries_longer(ike)) {
        ike->keepalive.trying = true;
        ike->liveness.wanted = true;
    } else {
        ike->keepalive.due = true;
    }
    ike->last_sent = ike->now;
}

void keepalive_moved(struct ike *ike)
{
    ike->keepalive = (struct keepalive){0};
}

void keepalive_learned(struct ike *ike, bool same)
{
    ike->keepalive.trying = false;
    if (same) {
        ike->keepalive.interval = longer(ike);
    } else {
        ike->keepalive.settled = true;
    }
}

void keepalive_missed(struct ike *ike)
{
    if (ike->keepalive.trying) {
        keepalive_learned(ike, false);
    }
}
