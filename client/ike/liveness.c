/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/*
 * Whether the gateway is still there (RFC 7296 2.4). Asked only when ESP went out and none has come
 * in for a while: who sends nothing has no need to know, and IKE alone does not prove that the data
 * path works. An idle connection costs nothing but NAT keepalives.
 */

static bool off(const struct ike *ike)
{
    return ike->config.dpd_us == IKE_NEVER;
}

/* When the first octet went out that nothing has followed in; 0 = all is well. */
static void reckon(struct liveness *liveness)
{
    if (liveness->out <= liveness->in) {
        liveness->since = 0;
    } else if (liveness->since <= liveness->in) {
        liveness->since = liveness->out;
    }
}

void liveness_sent(struct ike *ike, uint64_t at)
{
    if (at > ike->liveness.out) {
        ike->liveness.out = at;
        reckon(&ike->liveness);
    }
}

void ike_received_traffic(struct ike *ike, uint64_t at)
{
    ike_notice(ike, at);
    if (at > ike->liveness.in) {
        ike->liveness.in = at;
        reckon(&ike->liveness);
    }
}

bool liveness_due(struct ike *ike)
{
    return ike->liveness.wanted || (!off(ike) && ike->liveness.since != 0 &&
                                    ike->now >= ike->liveness.since + ike->config.dpd_us);
}

/* An empty INFORMATIONAL request (RFC 7296 1.4), or one with NAT detection (RFC 4555 3.8). */
enum err liveness_build(struct ike *ike, struct chain *chain)
{
    ike->liveness.wanted = false;
    return mobike_build_check(ike, chain);
}

enum err liveness_answered(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    mobike_checked(ike, sa, message);
    ike_received_traffic(ike, ike->now);
    return OK;
}

uint64_t liveness_deadline(const struct ike *ike)
{
    const struct liveness *liveness = &ike->liveness;

    if (off(ike)) {
        return IKE_NEVER;
    }
    return (liveness->since != 0 ? liveness->since : liveness->looked) + ike->config.dpd_us;
}

void liveness_hint(struct ike *ike)
{
    ike->liveness.wanted = ike->liveness.wanted || !off(ike);
}

void liveness_tick(struct ike *ike)
{
    ike->liveness.looked = ike->now;
}
