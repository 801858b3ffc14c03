/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/*
 * Whether the gateway is still there (RFC 7296 2.4). Asked only when ESP went out and none has come
 * in for a while: who sends nothing has no need to know, and IKE alone does not prove that the data
 * path works. An idle connection costs nothing but NAT keepalives.
 *
 * Traffic that went both ways and goes on one way only is asked about soon: so it looks when a NAT
 * has rebound or a path has died without a word.
 */

#define LOOK_US UINT64_C(500000)   /* between looks while traffic flows */
#define BOTH_US UINT64_C(5000000)  /* in came at most so long before out stayed alone */
#define ALONE_US UINT64_C(400000)  /* out alone for so long is more than a last acknowledgement */
#define STALL_US UINT64_C(1000000) /* patience then, and some round trips */
#define STALL_RTTS 4
/* So many answers while ESP goes out alone: the path works, but perhaps the gateway has lost the
 * Child SA. */
#define UNFOLLOWED_CHECKS 2
/* From one such question to the next, longer each time that they come in a row: some traffic is
 * like that. */
#define AGAIN_US UINT64_C(5000000)
#define AGAIN_MAX_US UINT64_C(60000000)

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
    struct liveness *liveness = &ike->liveness;

    ike_notice(ike, at);
    if (at > liveness->esp) {
        liveness->esp = liveness->flowed = at;
        liveness->unfollowed = 0;
    }
    if (at > liveness->in) {
        liveness->in = at;
        reckon(liveness);
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What went both ways goes on one way only. */
static bool stalled(const struct liveness *liveness)
{
    return liveness->since != 0 && liveness->flowed != 0 &&
           liveness->since - liveness->flowed <= BOTH_US &&
           liveness->out - liveness->since >= ALONE_US;
}

/* When it is to be asked about what goes out alone. */
static uint64_t due_at(const struct ike *ike)
{
    const struct liveness *liveness = &ike->liveness;
    uint64_t late = liveness->since + ike->config.dpd_us;
    uint64_t soon = liveness->since + STALL_US + STALL_RTTS * ike->paths.rtt;

    if (!stalled(liveness)) {
        return late;
    }
    if (soon < liveness->stall_asked + liveness->stall_pause) {
        soon = liveness->stall_asked + liveness->stall_pause;
    }
    return least(soon, late);
}

bool liveness_due(struct ike *ike)
{
    return ike->liveness.wanted ||
           (!off(ike) && ike->liveness.since != 0 && ike->now >= due_at(ike));
}

uint64_t liveness_heard(const struct ike *ike)
{
    return ike->sa.heard > ike->liveness.in ? ike->sa.heard : ike->liveness.in;
}

bool liveness_about_stall(const struct ike *ike)
{
    return ike->liveness.stall_asked == ike->now;
}

static void ask_about_stall(struct liveness *liveness, uint64_t now)
{
    bool in_a_row =
        liveness->stall_pause != 0 && now < liveness->stall_asked + 2 * liveness->stall_pause;

    liveness->stall_pause = in_a_row ? least(2 * liveness->stall_pause, AGAIN_MAX_US) : AGAIN_US;
    liveness->stall_asked = now;
}

/* An empty INFORMATIONAL request (RFC 7296 1.4), or one with NAT detection (RFC 4555 3.8). */
enum err liveness_build(struct ike *ike, struct chain *chain)
{
    struct liveness *liveness = &ike->liveness;

    liveness->wanted = false;
    if (stalled(liveness)) {
        ask_about_stall(liveness, ike->now);
    }
    liveness->unfollowed += liveness->since != 0;
    /* Once: what stays one-way may be meant so. */
    liveness->flowed = 0;
    return mobike_build_check(ike, chain);
}

enum err liveness_answered(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    mobike_checked(ike, sa, message);
    liveness_answer(ike);
    if (ike->mobike.supported && ike->mobike.update) {
        /* A NAT has forgotten us: that is why. */
        ike->liveness.unfollowed = 0;
    } else if (ike->liveness.unfollowed == UNFOLLOWED_CHECKS) {
        /* Once as well. */
        ike->liveness.unfollowed++;
        children_doubt(ike);
    }
    return OK;
}

void liveness_answer(struct ike *ike)
{
    ike->liveness.in = ike->now;
    reckon(&ike->liveness);
}

void liveness_moved(struct ike *ike)
{
    ike->liveness.flowed = ike->now;
    ike->liveness.stall_pause = 0;
}

/* The longer there has been no traffic the rarer; that the gateway answers us is none. */
static uint64_t look_interval(const struct liveness *liveness)
{
    uint64_t last = liveness->out > liveness->esp ? liveness->out : liveness->esp;

    last = liveness->began > last ? liveness->began : last;
    return liveness->looked > last + LOOK_US ? liveness->looked - last : LOOK_US;
}

uint64_t liveness_deadline(const struct ike *ike)
{
    const struct liveness *liveness = &ike->liveness;
    uint64_t at;

    if (off(ike)) {
        return IKE_NEVER;
    }
    at = liveness->since != 0 ? due_at(ike) : liveness->looked + ike->config.dpd_us;
    return least(at, liveness->looked + look_interval(liveness));
}

void liveness_hint(struct ike *ike)
{
    ike->liveness.wanted = ike->liveness.wanted || !off(ike);
}

void liveness_begin(struct ike *ike)
{
    ike->liveness.began = ike->liveness.looked = ike->now;
}

void liveness_tick(struct ike *ike)
{
    ike->liveness.looked = ike->now;
}
