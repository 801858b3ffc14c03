/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

#include "common/i18n.h"

/*
 * A gateway that was restarted knows our SAs no more, and says so in the clear (RFC 7296 1.5,
 * 2.21.4). Whoever knows the token that it gave us over the IKE SA is believed (quick crash
 * detection, RFC 6290: we are the token taker, as remote-access clients should be); anybody else
 * only makes us ask whether the gateway is there.
 */

#define TOKEN_MIN 16 /* RFC 6290 5 */
#define TOKEN_MAX 128
#define TOKENS_MAX 4 /* in one message; RFC 6290 4.5 */
#define PERIOD_US UINT64_C(10000000)
#define CHECKED_MAX 5 /* messages with tokens that are looked at in a period */
/*
 * Who spoke in the IKE SA a moment ago has not been restarted since. When our first request in an
 * IKE SA that the gateway has just asked for overtakes our answer, which makes it, the gateway
 * knows it not yet, and its token for it is right.
 */
#define HEARD_US UINT64_C(2000000)

void crash_token(struct ike_sa *sa, const struct message *message)
{
    struct notify notify;

    if (notify_find(message, N_QCD_TOKEN, &notify) && notify.data.len >= TOKEN_MIN &&
        notify.data.len <= TOKEN_MAX) {
        /* Without memory there is none: what it speeds up comes later. */
        (void)!secret_set(&sa->token, notify.data);
    }
}

/* RFC 6290 3: no word to the gateway, which knows nothing of it. */
static void believe(struct ike *ike, struct ike_sa *sa)
{
    if (others_ended(ike, sa)) {
        /* RFC 7296 2.8.2: perhaps it has gone on with its own rekeying. */
        others_settle(ike);
    } else {
        ike_close(ike, CLOSE_SILENTLY, REASON_GATEWAY_LOST,
                  _("The gateway was restarted and has forgotten the connection."));
    }
}

void crash_child(struct ike *ike, const struct message *message)
{
    struct notify notify;
    struct child *child;
    struct reader r;

    if (!notify_find(message, N_INVALID_SPI, &notify) || notify.data.len != 4) {
        return;
    }
    r = reader_of(notify.data);
    child = children_by_spi_out(ike, rd_u32(&r));
    if (child != NULL && child->state == CHILD_UP && ike->now >= ike->crash.child_from) {
        ike->crash.child_from = ike->now + PERIOD_US;
        child->rekey_at = ike->now;
    }
}

/* What an unprotected message claims. */
struct claim {
    bool unknown_sa, unknown_child;
    uint32_t spi; /* of the Child SA */
    bool tokens, proven;
};

/* RFC 6290 8.1: so that nobody makes us compare for ever. */
static bool may_check(struct ike *ike)
{
    struct crash *crash = &ike->crash;

    if (crash->checked == 0 || ike->now >= crash->period + PERIOD_US) {
        crash->period = ike->now;
        crash->checked = 0;
    }
    if (crash->checked >= CHECKED_MAX) {
        return false;
    }
    crash->checked++;
    return true;
}

static void read_claim(struct ike *ike, const struct ike_sa *sa, const struct message *message,
                       struct claim *out)
{
    const struct payload *payload;
    struct notify notify;
    bool checking = false;
    unsigned n = 0;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) != OK) {
            continue;
        }
        if (notify.type == N_INVALID_IKE_SPI) {
            out->unknown_sa = true;
        } else if (notify.type == N_INVALID_SPI && notify.data.len == 4) {
            struct reader r = reader_of(notify.data);

            out->unknown_child = true;
            out->spi = rd_u32(&r);
        } else if (notify.type == N_QCD_TOKEN && sa != NULL && sa->token.len > 0 &&
                   n++ < TOKENS_MAX) {
            checking = checking || may_check(ike);
            out->tokens = true;
            out->proven =
                out->proven || (checking && secret_equal(notify.data, secret_bytes(&sa->token)));
        }
    }
}

void crash_hint(struct ike *ike)
{
    struct crash *crash = &ike->crash;

    /* A request that is in flight asks just as well. */
    if (ike->state == ST_UP && !ike->sa.request.busy && ike->now >= crash->hint_from) {
        crash->hint_from = ike->now + PERIOD_US;
        liveness_hint(ike);
    }
}

/* From where the gateway is, about what we have. */
static void take_hint(struct ike *ike, const struct ike_sa *sa, const struct path *path,
                      const struct claim *claim)
{
    bool about_us = (claim->unknown_sa && sa == &ike->sa) ||
                    (claim->unknown_child && children_by_spi_out(ike, claim->spi) != NULL);

    if (about_us && addr_equal(&path->remote.addr, &ike->path.remote.addr)) {
        crash_hint(ike);
        if (claim->unknown_sa) {
            paths_hint(ike);
        }
    }
}

bool crash_input(struct ike *ike, struct ike_sa *sa, struct bytes datagram, const struct path *path)
{
    struct message *message = calloc(1, sizeof *message);
    struct claim claim = {0};
    uint8_t inner, unknown;

    if (message == NULL || message_parse(message, datagram, &inner, &unknown) != OK ||
        (message->present & (P_BIT(P_SK) | P_BIT(P_SKF))) != 0) {
        free(message);
        return false;
    }
    rung_in(ike, message, false);
    read_claim(ike, sa, message, &claim);
    free(message);
    if (claim.proven && ike->now >= sa->heard + HEARD_US) {
        believe(ike, sa);
        return true;
    }
    if (claim.proven) {
        rung_note(ike, "the gateway was heard a moment ago");
    } else if (claim.tokens) {
        ike->crash.refused++;
        rung_note(ike, "QCD token refused, %u so far", ike->crash.refused);
    }
    take_hint(ike, sa, path, &claim);
    return true;
}
