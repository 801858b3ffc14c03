/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

#include "common/i18n.h"

/*
 * The Child SAs and what becomes of them. Make before break (RFC 7296 2.8): a new one receives
 * before the gateway can know of it, the old one receives until nothing can be under way any more.
 */

#define LINGER_US UINT64_C(5000000) /* packets that a slow path still holds */
/* The gateway may not know yet that its rekeying was answered (RFC 7296 2.8): the old one serves
 * until its Delete or the first packet along the new one, or until its repetitions must be over. */
#define HOLD_US UINT64_C(30000000)
#define REPLACED_US UINT64_C(60000000) /* the gateway has forgotten to delete it */
#define NEW_AFTER_US UINT64_C(10000000)
#define PACKETS_MAX                                                                                \
    (UINT64_C(1) << 30) /* a quarter of what a 32-bit number counts (RFC 4303 3.3.3) */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Handed on once: a second SA with the same key would repeat its sequence numbers (RFC 4303 3.3.3).
 */
static void emit(struct ike *ike, const struct child *child, enum ike_event_type type)
{
    ike_emit(ike, &(struct ike_event){
                      .type = type,
                      .child = child->sa,
                      .net = type == IKE_EVENT_CHILD_UP ? &ike->net : NULL,
                      .held = child->state == CHILD_HELD,
                  });
}

static void announce(struct ike *ike, struct child *child)
{
    emit(ike, child, IKE_EVENT_CHILD_UP);
    child->announced = true;
    if (child->state != CHILD_HELD) {
        ike_child_free(child->sa);
    }
}

void children_announce(struct ike *ike)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &ike->children[i];

        if (child->state == CHILD_UP && !child->announced) {
            announce(ike, child);
        }
    }
}

enum err children_add(struct ike *ike, struct ike_child *sa, enum child_state state,
                      uint32_t replaces)
{
    struct child *child = children_in_state(ike, CHILD_NONE);
    struct policy *policy = policies_find(ike, sa->reqid);

    if (child == NULL || policy == NULL) {
        return ERR_MEMORY;
    }
    *child = (struct child){
        .state = state,
        .sa = sa,
        .replaces = replaces,
        .until = state == CHILD_HELD ? ike->now + HOLD_US : IKE_NEVER,
        .rekey_at = ike->now + renew_jitter(ike, ike->config.child_lifetime_us),
        .expires_at = ike->now + renew_expiry(ike->config.child_lifetime_us),
    };
    sa->octets = renew_octets(ike, &sa->suite);
    sa->packets = renew_jitter(ike, PACKETS_MAX);
    policy->local = sa->local_ts;
    policy->remote = sa->remote_ts;
    policy->made = true;
    if (replaces == 0) {
        policy->tried_at = ike->now;
    }
    if (state != CHILD_HELD) {
        policy->wanted = false;
        policy->outbound = sa->spi_in;
    }
    if (!ike->ending.wanted && !ike->opening.on) {
        if (replaces == 0) {
            config_add_routes(&ike->net, &sa->remote_ts);
        }
        announce(ike, child);
    }
    return OK;
}

void children_discard(struct ike *ike, uint32_t spi_in, uint32_t spi_out)
{
    struct child *child = children_in_state(ike, CHILD_NONE);
    struct ike_child *sa = calloc(1, sizeof *sa);

    if (child == NULL || sa == NULL) {
        free(sa);
        ike_close_error(ike, ERR_MEMORY, exchange_name(X_CREATE_CHILD_SA));
        return;
    }
    sa->spi_in = spi_in;
    sa->spi_out = spi_out;
    *child = (struct child){
        .state = CHILD_DELETE_TODO,
        .sa = sa,
        .until = IKE_NEVER,
    };
}

static bool present(const struct child *child)
{
    return child->state != CHILD_NONE && child->state != CHILD_LINGERING;
}

struct child *children_by_spi_in(struct ike *ike, uint32_t spi)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (present(&ike->children[i]) && ike->children[i].sa->spi_in == spi) {
            return &ike->children[i];
        }
    }
    return NULL;
}

struct child *children_by_spi_out(struct ike *ike, uint32_t spi)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (present(&ike->children[i]) && ike->children[i].sa->spi_out == spi && spi != 0) {
            return &ike->children[i];
        }
    }
    return NULL;
}

struct child *children_in_state(struct ike *ike, enum child_state state)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (ike->children[i].state == state) {
            return &ike->children[i];
        }
    }
    return NULL;
}

static bool carries(const struct child *child, uint32_t reqid)
{
    return (child->state == CHILD_UP || child->state == CHILD_HELD) && child->sa->reqid == reqid;
}

bool children_carry(const struct ike *ike, uint32_t reqid)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (carries(&ike->children[i], reqid)) {
            return true;
        }
    }
    return false;
}

struct child *children_up(struct ike *ike, uint32_t reqid)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (ike->children[i].state == CHILD_UP && carries(&ike->children[i], reqid)) {
            return &ike->children[i];
        }
    }
    return NULL;
}

bool children_full(const struct ike *ike)
{
    size_t n = 0;

    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        n += ike->children[i].state != CHILD_NONE;
    }
    return n == CHILDREN_MAX;
}

/* ---- from state to state ---- */

void children_delete(struct child *child)
{
    ike_child_free(child->sa);
    child->state = CHILD_DELETE_TODO;
    child->until = IKE_NEVER;
}

void children_replaced(struct ike *ike, struct child *child)
{
    ike_child_free(child->sa);
    child->state = CHILD_REPLACED;
    child->until = ike->now + REPLACED_US;
}

void children_switch(struct ike *ike, struct child *child)
{
    emit(ike, child, IKE_EVENT_CHILD_OUT);
    ike_child_free(child->sa);
    policies_find(ike, child->sa->reqid)->outbound = child->sa->spi_in;
    child->state = CHILD_UP;
    child->until = IKE_NEVER;
}

void ike_child_received(struct ike *ike, uint32_t spi_in, uint64_t now)
{
    struct child *child = children_by_spi_in(ike, spi_in);

    if (child != NULL && child->state == CHILD_HELD) {
        children_switch(ike, child);
        ike_tick(ike, now);
    }
}

static void linger(struct ike *ike, struct child *child)
{
    ike_child_free(child->sa);
    child->state = CHILD_LINGERING;
    child->until = ike->now + LINGER_US;
}

/* It goes at once, without a word to the gateway. */
static void drop(struct ike *ike, struct child *child)
{
    if (child->announced) {
        ike_emit(ike,
                 &(struct ike_event){.type = IKE_EVENT_CHILD_DOWN, .spi_in = child->sa->spi_in});
    }
    ike_child_free(child->sa);
    free(child->sa);
    *child = (struct child){0};
}

static struct child *successor(struct ike *ike, const struct child *old)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &ike->children[i];

        if (child->state == CHILD_HELD && child->replaces == old->sa->spi_in) {
            return child;
        }
    }
    return NULL;
}

bool children_deleted(struct ike *ike, struct child *child)
{
    /* RFC 7296 1.4.1: deletes that cross are answered without naming the pair again. */
    bool named = child->state != CHILD_DELETE_SENT;
    struct child *next = successor(ike, child);
    struct policy *policy = policies_find(ike, child->sa->reqid);

    /* RFC 7296 2.25.1: it was to be rekeyed, so that one is wanted all the same. */
    if (child->state == CHILD_UP && child->rekey_at <= ike->now) {
        policy->wanted = true;
    }
    linger(ike, child);
    if (next != NULL) {
        children_switch(ike, next);
    }
    return named;
}

/* ---- whether anything is left ---- */

/* The replaced one that ESP still goes out along, or that none of the others has replaced. */
static struct child *latest_replaced(struct ike *ike, const struct policy *policy)
{
    struct child *latest = NULL;

    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &ike->children[i];

        if (child->state != CHILD_REPLACED || child->sa->reqid != policy->reqid) {
            continue;
        }
        if (child->sa->spi_in == policy->outbound) {
            return child;
        }
        if (latest == NULL || child->replaces == latest->sa->spi_in) {
            latest = child;
        }
    }
    return latest;
}

/* A replaced one whose successor is gone carries on when ESP still goes out along it. One that has
 * been left already has no keys any more, and the gateway may be about to delete it: a new one is
 * made. */
static void revive(struct ike *ike, struct policy *policy)
{
    struct child *old = latest_replaced(ike, policy);

    if (old == NULL) {
        return;
    }
    if (old->sa->spi_in == policy->outbound) {
        old->state = CHILD_UP;
        old->until = IKE_NEVER;
    } else if (!policies_awaited(ike, policy)) {
        policy->wanted = true;
    }
}

/* RFC 7296 1.4.1: nothing goes out any more along one that was deleted without a successor. */
static void silence(struct ike *ike, const struct policy *policy)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &ike->children[i];

        if (child->state == CHILD_LINGERING && child->sa->spi_in == policy->outbound) {
            drop(ike, child);
        }
    }
}

/*
 * Whether a policy still has its Child SA, or will. The gateway may delete it without a successor:
 * at the end of its lifetime, or because it was idle. A new one is made then, whether our own
 * rekeying was under way (RFC 7296 2.25.1) or not; but a gateway that deletes what it has just made
 * does not want it.
 */
static bool lives(struct ike *ike, struct policy *policy)
{
    if (!children_carry(ike, policy->reqid)) {
        revive(ike, policy);
        silence(ike, policy);
    }
    if (children_carry(ike, policy->reqid) || policies_awaited(ike, policy)) {
        return true;
    }
    policy->wanted = policy->made && ike->now >= policy->tried_at + NEW_AFTER_US;
    return policy->wanted;
}

void children_check(struct ike *ike)
{
    struct child *child;
    bool any = false;

    if (ike->state != ST_UP) {
        return;
    }
    for (size_t i = 0; i < ike->n_policies; i++) {
        any = lives(ike, ike->policies[i]) || any;
    }
    policies_check(ike);
    if (any || ike->state != ST_UP) {
        return;
    }
    while ((child = children_in_state(ike, CHILD_LINGERING)) != NULL) {
        drop(ike, child);
    }
    ike_close(ike, CLOSE_DELETE, REASON_GATEWAY_CLOSED,
              _("The gateway deleted the tunnel's Child SA."));
}

void children_doubt(struct ike *ike)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (ike->children[i].state == CHILD_UP) {
            ike->children[i].rekey_at = ike->now;
        }
    }
}

/* ---- time ---- */

void children_extend(struct ike *ike, uint64_t until)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &ike->children[i];

        if (child->state != CHILD_NONE) {
            child->expires_at = later(child->expires_at, until);
        }
        /* The gateway's word had no chance to come. */
        if (child->state == CHILD_HELD) {
            child->until = later(child->until, ike->now + HOLD_US);
        } else if (child->state == CHILD_REPLACED) {
            child->until = later(child->until, ike->now + REPLACED_US);
        }
    }
}

uint64_t children_deadline(const struct ike *ike)
{
    uint64_t at = policies_deadline(ike);

    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *child = &ike->children[i];

        if (child->state != CHILD_NONE) {
            at = earlier(at, child->until);
        }
        if (child->state == CHILD_UP) {
            at = earlier(at, child->expires_at);
        }
    }
    return at;
}

static void expire(struct ike *ike)
{
    ike_close(ike, CLOSE_DELETE, REASON_GATEWAY_REFUSED,
              _("The gateway did not let the keys of the tunnel be renewed in time."));
}

void children_tick(struct ike *ike)
{
    policies_check(ike);
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &ike->children[i];

        if (child->state == CHILD_UP && ike->now >= child->expires_at) {
            expire(ike);
        }
        if (child->state == CHILD_NONE || ike->now < child->until) {
            continue;
        }
        if (child->state == CHILD_LINGERING) {
            drop(ike, child);
        } else if (child->state == CHILD_HELD) {
            children_switch(ike, child);
        } else if (child->state == CHILD_REPLACED) {
            children_delete(child);
        }
    }
}

void children_free(struct ike *ike)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &ike->children[i];

        if (child->state != CHILD_NONE) {
            ike_child_free(child->sa);
            free(child->sa);
        }
        *child = (struct child){0};
    }
}

/* ---- their deletion by us ---- */

enum err children_build_delete(struct ike *ike, struct chain *chain)
{
    struct child *child = children_in_state(ike, CHILD_DELETE_TODO);

    delete_write(chain, PROTO_ESP, &child->sa->spi_in, 1);
    child->state = CHILD_DELETE_SENT;
    return OK;
}

bool children_delete_due(struct ike *ike)
{
    return children_in_state(ike, CHILD_DELETE_TODO) != NULL;
}

enum err children_delete_answered(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    struct child *child = children_in_state(ike, CHILD_DELETE_SENT);

    (void)sa;
    (void)message;
    if (child != NULL) {
        linger(ike, child);
    }
    return OK;
}

void children_delete_again(struct ike *ike)
{
    struct child *child = children_in_state(ike, CHILD_DELETE_SENT);

    if (child != NULL) {
        child->state = CHILD_DELETE_TODO;
    }
}
