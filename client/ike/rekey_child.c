/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

#include "common/i18n.h"

/* We rekey the Child SA, or make one anew when the gateway has lost it (RFC 7296 1.3.1, 1.3.3). */

#define RESTARTS_MAX 6
#define NEW_FAILURES_MAX 4 /* half a minute */

/* ---- request ---- */

static struct child *due_child(struct ike *ike)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &ike->children[i];

        if (child->state == CHILD_UP && ike->now >= child->rekey_at) {
            return child;
        }
    }
    return NULL;
}

static struct policy *wanted_policy(struct ike *ike)
{
    for (size_t i = 0; i < ike->n_policies; i++) {
        struct policy *policy = ike->policies[i];

        /* What the gateway has just made in its place is not to be made once more. */
        if (policy->wanted && children_up(ike, policy->reqid) == NULL &&
            children_carry(ike, policy->reqid)) {
            policy->wanted = false;
        }
        if (policy->wanted) {
            return policy;
        }
    }
    return NULL;
}

/* The attempt is to go on in another way: unless the gateway has made one in the meantime. */
static bool goes_on(struct ike *ike)
{
    struct renewal *renewal = &ike->renew_child;
    const struct child *old = children_by_spi_in(ike, renewal->child);
    bool replaced = children_carry(ike, renewal->reqid) && (old == NULL || old->state != CHILD_UP);

    if (renewal->wanted && replaced) {
        renewal->wanted = false;
        renew_reset(renewal);
    }
    return renewal->wanted;
}

bool rekey_child_due(struct ike *ike)
{
    return !children_full(ike) && ike->now >= ike->renew_child.retry_at &&
           (goes_on(ike) || wanted_policy(ike) != NULL || due_child(ike) != NULL);
}

/* What is to be done: the Child SA that is rekeyed (NULL = a new one is made), and its policy. */
static struct policy *choose(struct ike *ike, struct child **old)
{
    struct renewal *renewal = &ike->renew_child;
    struct policy *policy = wanted_policy(ike);

    if (renewal->wanted) {
        *old = children_by_spi_in(ike, renewal->child);
        return policies_find(ike, renewal->reqid);
    }
    if (policy != NULL) {
        *old = children_up(ike, policy->reqid);
        return policy;
    }
    *old = due_child(ike);
    return *old != NULL ? policies_find(ike, (*old)->sa->reqid) : NULL;
}

/* With perfect forward secrecy first, without it after: which of them a gateway takes is its policy
 * (RFC 7296 1.3.1 lets the responder choose a proposal without KE). */
static void offer_proposals(const struct ike *ike, struct proposal_list *out, bool without_ke)
{
    struct proposal_list plain;
    const struct proposal *groups = &ike->offer_ike.items[0];

    child_offer_without_ke(&plain, &ike->offer_esp);
    *out = (struct proposal_list){0};
    for (size_t p = 0; p < plain.n && !without_ke && out->n + plain.n < PROPOSALS_MAX; p++) {
        struct proposal *proposal = &out->items[out->n++];
        const struct proposal *own = &ike->offer_esp.items[p];

        *proposal = plain.items[p];
        renew_add_groups(proposal, own);
        if (proposal->n_algs == plain.items[p].n_algs) {
            renew_add_groups(proposal, groups);
        }
    }
    for (size_t p = 0; p < plain.n && out->n < PROPOSALS_MAX; p++) {
        out->items[out->n++] = plain.items[p];
    }
}

/* RFC 7296 2.9.2: what is in use first; what was asked for at the beginning when that is refused.
 */
static void offer_selectors(struct renewal *renewal, const struct policy *policy,
                            const struct child *old)
{
    if (renewal->original_selectors) {
        renewal->offer.local = policy->asked_local;
        renewal->offer.remote = policy->asked_remote;
    } else {
        renewal->offer.local = old != NULL ? old->sa->local_ts : policy->local;
        renewal->offer.remote = old != NULL ? old->sa->remote_ts : policy->remote;
    }
}

static void write_rekey_sa(struct chain *chain, uint32_t spi)
{
    uint8_t octets[4];
    struct writer w = writer_of(octets, sizeof octets);

    wr_u32(&w, spi);
    notify_write(chain, PROTO_ESP, bytes_of(octets, sizeof octets), N_REKEY_SA, (struct bytes){0});
}

enum err rekey_child_build(struct ike *ike, struct chain *chain)
{
    struct renewal *renewal = &ike->renew_child;
    struct child *old = NULL;
    struct policy *policy = choose(ike, &old);
    enum err err;

    if (policy == NULL) {
        return ERR_STATE;
    }
    renewal->reqid = policy->reqid;
    renewal->child = old != NULL ? old->sa->spi_in : 0;
    renewal->wanted = policy->wanted = false;
    renewal->n_deleted = 0;
    offer_proposals(ike, &renewal->offer.proposals, renewal->without_ke);
    offer_selectors(renewal, policy, old);
    err = child_spi(ike, &renewal->offer.spi_in);
    if (err == OK) {
        err = renew_attempt(ike, renewal, &renewal->offer.proposals);
    }
    if (err != OK) {
        return err;
    }
    if (old != NULL) {
        write_rekey_sa(chain, old->sa->spi_in);
    }
    child_offer_write(chain, &renewal->offer);
    chain_add(chain, P_NONCE, secret_bytes(&renewal->ni));
    if (renewal->ke != NULL) {
        ke_write(chain, renewal->group->id, ke_public(renewal->ke));
    }
    ts_write(chain, P_TSi, &renewal->offer.local);
    ts_write(chain, P_TSr, &renewal->offer.remote);
    return OK;
}

/* ---- it is refused ---- */

/* The gateway has rekeyed, and has not deleted yet what it has replaced: as long as our answer may
 * be under way it has no such Child SA, and makes it when that comes. */
static bool may_come(struct ike *ike, const struct child *child)
{
    const struct child *before = children_by_spi_in(ike, child->replaces);

    return before != NULL && before->state == CHILD_REPLACED;
}

/* RFC 7296 2.25: the gateway has no such Child SA, whether it has said so before or not: a new one
 * is made, unless there is one already. */
static void lost(struct ike *ike, struct policy *policy)
{
    struct child *old = children_by_spi_in(ike, ike->renew_child.child);

    renew_reset(&ike->renew_child);
    if (old != NULL && may_come(ike, old)) {
        policy->outbound = 0;
        children_replaced(ike, old);
    } else if (old != NULL) {
        (void)children_deleted(ike, old);
    }
    policy->wanted = !children_carry(ike, policy->reqid);
    children_check(ike);
}

static bool other_way(struct renewal *renewal, const struct policy *policy,
                      const struct notify *notify)
{
    switch (notify->type) {
    case N_INVALID_KE_PAYLOAD:
        return renew_other_group(renewal, &renewal->offer.proposals, notify->data);
    case N_TS_UNACCEPTABLE:
        if (renewal->original_selectors || !policy->made) {
            return false;
        }
        return renewal->original_selectors = true;
    case N_NO_PROPOSAL_CHOSEN:
        if (renewal->without_ke) {
            return false;
        }
        return renewal->without_ke = true;
    default:
        return false;
    }
}

/* A further Child SA is not to be had like this. */
static void not_granted(struct ike *ike, struct policy *policy, const struct notify *notify)
{
    bool selectors = notify->type == N_TS_UNACCEPTABLE || notify->type == N_SINGLE_PAIR_REQUIRED;
    bool split = ike->opening.on && selectors && policies_split(ike, policy);

    if (!split && ike->opening.reason == REASON_NONE) {
        refusal_child(ike, notify, CLOSE_NOT_YET, exchange_name(X_CREATE_CHILD_SA));
    }
    renew_reset(&ike->renew_child);
    children_check(ike);
}

/* It has failed for now. One that is needed anew is asked for again, but not for ever: when there
 * has been none yet, or the gateway has deleted it meanwhile (RFC 7296 2.25.1). A Child SA whose
 * time has not come but for the caller stays due. */
static void later(struct ike *ike, struct policy *policy)
{
    struct renewal *renewal = &ike->renew_child;
    struct child *old = children_by_spi_in(ike, renewal->child);
    bool anew = !children_carry(ike, policy->reqid);

    renew_failed(ike, renewal);
    if (anew && renewal->failures < NEW_FAILURES_MAX) {
        policy->wanted = true;
    } else if (anew) {
        policy->tried_at = ike->now;
        renew_reset(renewal);
    }
    if (old != NULL && old->state == CHILD_UP && old->rekey_at > ike->now) {
        old->rekey_at = ike->now;
    }
    children_check(ike);
}

/* In another way, which has been set, at once. */
static bool at_once(struct renewal *renewal)
{
    renewal->wanted = renewal->restarts < RESTARTS_MAX;
    renewal->restarts++;
    return renewal->wanted;
}

enum err rekey_child_refused(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    struct renewal *renewal = &ike->renew_child;
    struct policy *policy = policies_find(ike, renewal->reqid);
    struct notify notify = {0};
    bool said = refusal_find(message, &notify), rekeying = renewal->child != 0;

    (void)sa;
    if (!said) {
        /* Payloads are missing: there may be something all the same. */
        children_discard(ike, renewal->offer.spi_in, 0);
    }
    if (said && notify.type == N_CHILD_SA_NOT_FOUND && renewal->child != 0) {
        lost(ike, policy);
    } else if (said && other_way(renewal, policy, &notify) && at_once(renewal)) {
        return OK;
    } else if (said && !policy->made && notify.type != N_TEMPORARY_FAILURE) {
        not_granted(ike, policy, &notify);
    } else {
        later(ike, policy);
        if (said && rekeying) {
            reauth_instead(ike, renewal, notify.type);
        }
    }
    return OK;
}

/* Not what we asked for. Gateways that know nothing of RFC 7296 2.9.2 answer what their policy
 * says, however narrow the offer: then the original selectors may suit. */
static void not_acceptable(struct ike *ike, const struct ike_child *made, bool too_wide)
{
    struct renewal *renewal = &ike->renew_child;

    struct policy *policy = policies_find(ike, renewal->reqid);

    children_discard(ike, renewal->offer.spi_in, made->spi_out);
    if (too_wide && policy->made && !renewal->original_selectors && at_once(renewal)) {
        renewal->original_selectors = true;
    } else {
        later(ike, policy);
    }
}

/* ---- it is done ---- */

/* RFC 7296 2.8.1: of two Child SAs that replace the same one, that whose exchange has the lowest of
 * the four nonces is closed by who made it. */
static bool lost_collision(const struct renewal *renewal, struct bytes nr)
{
    struct bytes ours = renew_lower_nonce(secret_bytes(&renewal->ni), nr);
    struct bytes theirs = secret_bytes(&renewal->theirs_lowest);

    return theirs.len > 0 && bytes_equal(renew_lower_nonce(ours, theirs), ours);
}

void rekey_child_deleted(struct ike *ike, uint32_t spi_out)
{
    struct renewal *renewal = &ike->renew_child;

    if (ike->sa.request.purpose == TASK_REKEY_CHILD && renewal->n_deleted < RENEW_DELETED_MAX) {
        renewal->deleted[renewal->n_deleted++] = spi_out;
    }
}

static bool deleted_already(const struct renewal *renewal, uint32_t spi_out)
{
    for (size_t i = 0; i < renewal->n_deleted; i++) {
        if (renewal->deleted[i] == spi_out) {
            return true;
        }
    }
    return false;
}

static enum err install(struct ike *ike, struct ike_child *made, struct bytes nr)
{
    struct renewal *renewal = &ike->renew_child;
    struct child *old = children_by_spi_in(ike, renewal->child);
    struct child *theirs =
        renewal->theirs_lowest.len > 0 ? children_by_spi_in(ike, renewal->theirs) : NULL;
    /* Even when theirs has been rekeyed or deleted in the meantime. */
    bool loser = lost_collision(renewal, nr);
    uint32_t spi_in = made->spi_in;
    enum err err;

    made->reqid = renewal->reqid;
    err = children_add(ike, made, loser ? CHILD_HELD : CHILD_UP, renewal->child);
    if (err != OK) {
        return err;
    }
    if (loser) {
        children_delete(children_by_spi_in(ike, spi_in));
        return OK;
    }
    if (theirs != NULL) {
        children_replaced(ike, theirs);
    }
    if (old != NULL) {
        children_delete(old);
    }
    if (deleted_already(renewal, made->spi_out)) {
        (void)children_deleted(ike, children_by_spi_in(ike, spi_in));
    }
    return OK;
}

static enum err read_answer(struct ike *ike, const struct message *message, struct ike_child *out,
                            struct bytes *nr)
{
    struct renewal *renewal = &ike->renew_child;
    struct secret shared = {0};
    struct child_seed seed = {.ni = secret_bytes(&renewal->ni), .initiator = true};
    enum err err = child_read(out, message, &renewal->offer);

    if (err == OK) {
        err = nonce_parse(nr, message_find(message, P_NONCE, 0)->body);
    }
    if (err == OK && out->suite.ke != NULL) {
        err = renew_finish_ke(renewal, message, out->suite.ke, &shared);
    }
    seed.nr = *nr;
    seed.shared = secret_bytes(&shared);
    if (err == OK) {
        err = child_derive(ike, out, &seed);
    }
    secret_free(&shared);
    return err;
}

static enum err read_checked(struct ike *ike, const struct message *message, struct ike_child *made,
                             struct bytes *nr)
{
    enum err err = read_answer(ike, message, made, nr);

    /* Nothing would get through. */
    if (err == OK && !child_address_usable(&ike->net, &made->local_ts)) {
        err = ERR_UNSUPPORTED;
    }
    return err;
}

/* Takes `made` over when it returns OK and *used. */
static enum err use_answer(struct ike *ike, const struct message *message, struct ike_child *made,
                           bool *used)
{
    struct policy *policy = policies_find(ike, ike->renew_child.reqid);
    bool first = !policy->made;
    struct bytes nr = {0};
    enum err err = read_checked(ike, message, made, &nr);

    *used = err == OK;
    if (err == ERR_MEMORY || err == ERR_CRYPTO) {
        return err;
    }
    if (err != OK) {
        not_acceptable(ike, made, err == ERR_UNSUPPORTED && made->local_ts.n > 0);
        return OK;
    }
    err = install(ike, made, nr);
    if (err == OK && first) {
        policies_granted(ike, policy, message);
    }
    return err;
}

enum err rekey_child_accept(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    struct ike_child *made = calloc(1, sizeof *made);
    bool used = false;
    enum err err;

    (void)sa;
    if (made == NULL) {
        return ERR_MEMORY;
    }
    err = use_answer(ike, message, made, &used);
    if (err != OK || !used) {
        ike_child_free(made);
        free(made);
        return err;
    }
    (void)suite_text(&made->suite, ike->summary.esp_suite, sizeof ike->summary.esp_suite);
    renew_reset(&ike->renew_child);
    children_check(ike);
    return OK;
}

uint64_t rekey_child_deadline(const struct ike *ike)
{
    const struct renewal *renewal = &ike->renew_child;
    uint64_t at = renewal->wanted ? ike->now : IKE_NEVER;

    for (size_t i = 0; i < ike->n_policies; i++) {
        at = ike->policies[i]->wanted ? ike->now : at;
    }
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *child = &ike->children[i];

        if (child->state == CHILD_UP && child->rekey_at < at) {
            at = child->rekey_at;
        }
    }
    return at > renewal->retry_at ? at : renewal->retry_at;
}

void ike_rekey_child(struct ike *ike, uint32_t spi_in, uint64_t now)
{
    struct child *child =
        spi_in != 0 ? children_by_spi_in(ike, spi_in) : children_in_state(ike, CHILD_UP);

    if (child != NULL && (child->state == CHILD_UP || child->state == CHILD_HELD)) {
        child->rekey_at = now;
        ike_tick(ike, now);
    }
}
