/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/*
 * IKE SAs beside the one in use: replaced ones until they are deleted, and those that rekeyings
 * which crossed have made (RFC 7296 2.8, 2.8.2, 2.18). Each has message IDs and a window of its
 * own.
 */

#define REPLACED_US UINT64_C(60000000) /* the gateway has forgotten to delete it */
#define PENDING_US UINT64_C(120000000)
#define DELETED_US UINT64_C(15000000) /* its Delete may be repeated */
#define DELETE_US UINT64_C(30000000)  /* for the answer to ours */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t lifetime(enum other_state state)
{
    switch (state) {
    case OTHER_PENDING:
        return PENDING_US;
    case OTHER_REPLACED:
        return REPLACED_US;
    case OTHER_DELETED:
        return DELETED_US;
    case OTHER_NONE:
    case OTHER_DELETE_TODO:
    case OTHER_DELETE_SENT:
        break;
    }
    return DELETE_US;
}

static void enter(struct ike *ike, struct other_sa *other, enum other_state state)
{
    other->state = state;
    other->until = ike->now + lifetime(state);
    if (state == OTHER_DELETED) {
        exchange_done(&other->sa);
    }
}

static void forget(struct other_sa *other)
{
    ike_sa_free(&other->sa);
    *other = (struct other_sa){0};
}

struct ike_sa *others_find(struct ike *ike, const struct ike_header *header)
{
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        struct other_sa *other = &ike->others[i];

        if (other->state != OTHER_NONE && header->spi_i == other->sa.spi_i &&
            header->spi_r == other->sa.spi_r) {
            return &other->sa;
        }
    }
    return NULL;
}

struct other_sa *others_in_state(struct ike *ike, enum other_state state)
{
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        if (ike->others[i].state == state) {
            return &ike->others[i];
        }
    }
    return NULL;
}

/* The gateway has been told that it is over, or has told us. */
static bool told(const struct other_sa *other)
{
    return other->state == OTHER_DELETE_SENT || other->state == OTHER_DELETED;
}

static bool goes_before(const struct other_sa *a, const struct other_sa *b)
{
    if (a->state == OTHER_NONE || b->state == OTHER_NONE) {
        return a->state == OTHER_NONE;
    }
    return told(a) != told(b) ? told(a) : a->until < b->until;
}

/* When the next one would take the place of one that the gateway has not deleted, we delete it. */
static void make_room(struct ike *ike)
{
    struct other_sa *oldest = NULL;

    for (size_t i = 0; i < OTHERS_MAX; i++) {
        struct other_sa *other = &ike->others[i];

        if (other->state == OTHER_NONE || told(other)) {
            return;
        }
        if (other->state == OTHER_REPLACED && (oldest == NULL || other->until < oldest->until)) {
            oldest = other;
        }
    }
    if (oldest != NULL) {
        exchange_done(&oldest->sa);
        enter(ike, oldest, OTHER_DELETE_TODO);
    }
}

struct other_sa *others_add(struct ike *ike, struct ike_sa *sa, enum other_state state)
{
    struct other_sa *other = &ike->others[0];

    for (size_t i = 1; i < OTHERS_MAX; i++) {
        if (goes_before(&ike->others[i], other)) {
            other = &ike->others[i];
        }
    }
    forget(other);
    other->sa = *sa;
    *sa = (struct ike_sa){0};
    enter(ike, other, state);
    return other;
}

void others_reject(struct ike *ike, struct other_sa *other)
{
    enter(ike, other, OTHER_REPLACED);
}

void others_adopt(struct ike *ike, struct other_sa *other, enum other_state state)
{
    const struct ike_sa replaced = ike->sa;

    ike->sa = other->sa;
    other->sa = replaced;
    if (state == OTHER_DELETED && other->sa.request.purpose == TASK_DELETE_CHILD) {
        children_delete_again(ike);
    }
    enter(ike, other, state);
    renew_ike_done(ike);
    tickets_replaced(ike);
    (void)suite_text(&ike->sa.suite, ike->summary.ike_suite, sizeof ike->summary.ike_suite);
}

bool others_ended(struct ike *ike, struct ike_sa *sa)
{
    if (sa == &ike->sa && others_in_state(ike, OTHER_PENDING) == NULL) {
        return false;
    }
    sa->ended = true;
    return true;
}

void others_settle(struct ike *ike)
{
    struct other_sa *pending = others_in_state(ike, OTHER_PENDING);

    if (ike->sa.ended && pending != NULL) {
        /* RFC 7296 2.8.2: the gateway saw no rekeying but its own; ours is forgotten. */
        others_adopt(ike, pending, OTHER_DELETED);
    } else if (pending != NULL && !pending->sa.ended && ike->sa.request.purpose != TASK_REKEY_IKE) {
        others_adopt(ike, pending, OTHER_REPLACED);
    }
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        struct other_sa *other = &ike->others[i];

        if (other->sa.ended && other->state != OTHER_DELETED) {
            enter(ike, other, OTHER_DELETED);
        }
    }
}

void others_forget(struct ike *ike, struct ike_sa *sa)
{
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        if (&ike->others[i].sa == sa) {
            forget(&ike->others[i]);
        }
    }
}

enum err others_delete_answered(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    (void)message;
    others_forget(ike, sa);
    return OK;
}

/* ---- time ---- */

void others_extend(struct ike *ike)
{
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        struct other_sa *other = &ike->others[i];
        uint64_t until = ike->now + lifetime(other->state);

        if (other->state != OTHER_NONE && other->until < until) {
            other->until = until;
        }
    }
}

uint64_t others_deadline(const struct ike *ike)
{
    uint64_t at = IKE_NEVER;

    for (size_t i = 0; i < OTHERS_MAX; i++) {
        const struct other_sa *other = &ike->others[i];

        if (other->state != OTHER_NONE) {
            at = earlier(at, other->until);
        }
        if (other->state != OTHER_NONE && other->sa.request.busy) {
            at = earlier(at, other->sa.request.due);
        }
    }
    return at;
}

static enum err delete_other(struct ike *ike, struct other_sa *other)
{
    uint8_t buffer[64];
    struct chain chain = chain_of(buffer, sizeof buffer);
    enum err err;

    delete_write(&chain, PROTO_IKE, NULL, 0);
    err = exchange_request(&other->sa, X_INFORMATIONAL, &chain, ike_room(ike), ike->now);
    if (err == OK) {
        other->sa.request.purpose = TASK_DELETE_OTHER;
        other->state = OTHER_DELETE_SENT;
        rung_request(ike, &other->sa, false);
    }
    return err;
}

/* ---- where the gateway still is ---- */

static enum err tell_where_we_are(struct ike *ike, struct ike_sa *sa)
{
    uint8_t buffer[128];
    struct chain chain = chain_of(buffer, sizeof buffer);
    enum err err;

    notify_write(&chain, 0, (struct bytes){0}, N_UPDATE_SA_ADDRESSES, (struct bytes){0});
    err = natd_write(&chain, sa->spi_i, sa->spi_r, &ike->path);
    if (err == OK) {
        err = exchange_request(sa, X_INFORMATIONAL, &chain, ike_room(ike), ike->now);
    }
    if (err == OK) {
        sa->request.purpose = TASK_UPDATE_OTHER;
        rung_request(ike, sa, false);
    }
    return err;
}

/*
 * Our answer, which makes the IKE SA that the gateway has asked for, may not have come there: then
 * it asks once more, but at the address that we have left, and knows nothing of the IKE SA in which
 * we tell it where we are (RFC 7296 2.1: the answer is not repeated without being asked for).
 */
void others_follow(struct ike *ike)
{
    if (ike->sa.initiator || ike->sa.heard != 0) {
        return;
    }
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        struct other_sa *other = &ike->others[i];

        /* Without memory it is as if it had been lost. */
        if (other->state == OTHER_REPLACED && !other->sa.request.busy) {
            (void)!tell_where_we_are(ike, &other->sa);
        }
    }
}

enum err others_update_answered(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    (void)ike;
    (void)sa;
    (void)message;
    return OK;
}

/* ---- time and output ---- */

static enum err repeat(struct ike *ike, struct other_sa *other)
{
    enum err err = exchange_repeat(&other->sa, exchange_room(SMALL_MTU, &ike->path.remote),
                                   &ike->config.rng, ike->now);

    rung_request(ike, &other->sa, true);
    return err;
}

void others_run(struct ike *ike)
{
    make_room(ike);
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        struct other_sa *other = &ike->others[i];

        if (other->state == OTHER_DELETE_TODO && !other->sa.request.busy &&
            delete_other(ike, other) != OK) {
            forget(other);
        }
    }
}

void others_tick(struct ike *ike)
{
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        struct other_sa *other = &ike->others[i];

        if (other->state == OTHER_NONE) {
            continue;
        }
        if (ike->now >= other->until) {
            if (other->state == OTHER_REPLACED) {
                exchange_done(&other->sa);
                enter(ike, other, OTHER_DELETE_TODO);
            } else {
                forget(other);
            }
        } else if (other->sa.request.busy && ike->now >= other->sa.request.due &&
                   repeat(ike, other) != OK) {
            forget(other);
        }
    }
}

static struct ike_sa *waiting(struct ike *ike, bool (*has)(const struct ike_sa *))
{
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        if (ike->others[i].state != OTHER_NONE && has(&ike->others[i].sa)) {
            return &ike->others[i].sa;
        }
    }
    return NULL;
}

struct bytes others_output(struct ike *ike, struct path *path)
{
    /* What the gateway waits for goes before what we have to ask. */
    struct ike_sa *sa = waiting(ike, exchange_has_response);

    if (sa == NULL) {
        sa = waiting(ike, exchange_has_output);
    }
    return sa != NULL ? exchange_output(sa, &ike->path, path) : (struct bytes){0};
}

void others_free(struct ike *ike)
{
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        forget(&ike->others[i]);
    }
}
