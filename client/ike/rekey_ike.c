/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include "common/i18n.h"

/* We rekey the IKE SA (RFC 7296 1.3.2, 2.8, 2.18). */

#define RESTARTS_MAX 6

bool rekey_ike_due(struct ike *ike)
{
    const struct renewal *renewal = &ike->renew_ike;

    return ike->now >= renewal->retry_at && (renewal->wanted || ike->now >= renewal->at) &&
           others_in_state(ike, OTHER_PENDING) == NULL;
}

enum err rekey_ike_build(struct ike *ike, struct chain *chain)
{
    struct renewal *renewal = &ike->renew_ike;
    uint8_t spi[8];
    struct writer w = writer_of(spi, sizeof spi);
    enum err err = renew_ike_spi(ike, &renewal->spi);

    renewal->wanted = false;
    renew_ike_offer(ike, &renewal->offer.proposals);
    if (err == OK) {
        err = renew_attempt(ike, renewal, &renewal->offer.proposals);
    }
    if (err != OK) {
        return err;
    }
    wr_u64(&w, renewal->spi);
    sa_write(chain, &renewal->offer.proposals, bytes_of(spi, sizeof spi));
    chain_add(chain, P_NONCE, secret_bytes(&renewal->ni));
    ke_write(chain, renewal->group->id, ke_public(renewal->ke));
    return OK;
}

enum err rekey_ike_refused(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    struct renewal *renewal = &ike->renew_ike;
    struct notify notify = {0};
    bool said = refusal_find(message, &notify);

    (void)sa;
    /* The gateway's own rekeying, when it has crossed ours, makes another attempt needless. */
    if (others_in_state(ike, OTHER_PENDING) == NULL && said &&
        notify.type == N_INVALID_KE_PAYLOAD && renewal->restarts < RESTARTS_MAX &&
        renew_other_group(renewal, &renewal->offer.proposals, notify.data)) {
        renewal->restarts++;
        renewal->wanted = true;
        return OK;
    }
    renew_failed(ike, renewal);
    /* It is tried again, even when only the caller had asked for it. */
    if (renewal->at > ike->now) {
        renewal->at = ike->now;
    }
    others_settle(ike);
    if (said) {
        reauth_instead(ike, renewal, notify.type);
    }
    return OK;
}

static enum err make(struct ike *ike, const struct message *message, struct ike_sa *out)
{
    struct renewal *renewal = &ike->renew_ike;
    struct secret shared = {0};
    struct suite suite;
    struct bytes spi = {0};
    struct bytes nr;
    struct reader r;
    enum err err = sa_parse_choice(&suite, &spi, message_find(message, P_SA, 0)->body,
                                   &renewal->offer.proposals);

    if (err == OK) {
        err = nonce_parse(&nr, message_find(message, P_NONCE, 0)->body);
    }
    if (err == OK) {
        err = renew_finish_ke(renewal, message, suite.ke, &shared);
    }
    if (err == OK) {
        r = reader_of(spi);
        out->initiator = true;
        out->spi_i = renewal->spi;
        out->spi_r = rd_u64(&r);
        err = out->spi_r != 0 ? OK : ERR_SYNTAX;
    }
    if (err == OK &&
        (!secret_set(&out->ni, secret_bytes(&renewal->ni)) || !secret_set(&out->nr, nr))) {
        err = ERR_MEMORY;
    }
    if (err == OK) {
        err = renew_ike_keys(ike, out, &suite, secret_bytes(&shared));
    }
    secret_free(&shared);
    if (err == OK) {
        crash_token(out, message); /* RFC 6290 4.3 */
    }
    return err;
}

static struct bytes lowest(const struct ike_sa *sa)
{
    return renew_lower_nonce(secret_bytes(&sa->ni), secret_bytes(&sa->nr));
}

/* RFC 7296 2.8.1, 2.8.2: of two that replace the same IKE SA, that whose exchange has the lowest of
 * the four nonces is closed by who made it; the other one's maker closes what it replaces. */
static void adopt(struct ike *ike, struct ike_sa *made)
{
    struct other_sa *theirs = others_in_state(ike, OTHER_PENDING);
    struct bytes ours = lowest(made);

    if (theirs == NULL) {
        others_adopt(ike, others_add(ike, made, OTHER_REPLACED), OTHER_DELETE_TODO);
    } else if (bytes_equal(renew_lower_nonce(ours, lowest(&theirs->sa)), ours)) {
        others_adopt(ike, theirs, OTHER_REPLACED);
        (void)others_add(ike, made, OTHER_DELETE_TODO);
    } else {
        others_reject(ike, theirs);
        others_adopt(ike, others_add(ike, made, OTHER_REPLACED), OTHER_DELETE_TODO);
    }
}

enum err rekey_ike_accept(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    struct ike_sa made = {0};
    enum err err = make(ike, message, &made);

    (void)sa;
    if (err == OK) {
        adopt(ike, &made);
    }
    ike_sa_free(&made);
    return err;
}

/* ---- time ---- */

void renew_ike_done(struct ike *ike)
{
    struct renewal *renewal = &ike->renew_ike;

    renew_reset(renewal);
    renewal->at = ike->now + renew_jitter(ike, ike->config.ike_lifetime_us);
    ike->expires_at = ike->now + renew_expiry(ike->config.ike_lifetime_us);
}

uint64_t rekey_ike_deadline(const struct ike *ike)
{
    const struct renewal *renewal = &ike->renew_ike;
    uint64_t at = renewal->wanted ? ike->now : renewal->at;

    return at > renewal->retry_at ? at : renewal->retry_at;
}

void rekey_ike_extend(struct ike *ike, uint64_t until)
{
    if (ike->expires_at < until) {
        ike->expires_at = until;
    }
}

void rekey_ike_tick(struct ike *ike)
{
    if (ike->now >= ike->expires_at) {
        ike_close(ike, CLOSE_DELETE, REASON_GATEWAY_REFUSED,
                  _("The gateway did not let the IKE SA be rekeyed in time."));
    }
}

void ike_rekey(struct ike *ike, uint64_t now)
{
    if (ike->sa.request.purpose != TASK_REKEY_IKE) {
        ike->renew_ike.wanted = ike->state == ST_UP;
    }
    ike_tick(ike, now);
}
