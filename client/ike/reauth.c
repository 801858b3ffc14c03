/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include "common/i18n.h"

/*
 * The gateway limits how long an authentication is good (RFC 4478). It is repeated in a new IKE SA,
 * which the carrier makes when it is told; rekeying does not prolong it. Where the gateway lets
 * nothing be rekeyed, another IKE SA takes the place of rekeying, in the same way (RFC 7296 2.8).
 */

#define SECOND_US UINT64_C(1000000)
/* However short the lifetime: so long after we were authenticated, and between two times that the
 * carrier is told. */
#define GAP_US (10 * SECOND_US)
/* At least so much time for the new IKE SA. */
#define GRACE_US (30 * SECOND_US)
/* The user may have to be asked for a one-time password. */
#define MARGIN_MAX_US (300 * SECOND_US)
/* In a row. One refusal may be due to a Child SA that has yet to be deleted. */
#define REFUSALS_MIN 2

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* How long before the end it begins: a tenth, but not less than 30 s unless that is a quarter. */
static uint64_t margin_of(const struct ike *ike, uint64_t lifetime)
{
    uint64_t margin = lifetime / 10;
    uint8_t dice = 128;

    if (margin < GRACE_US) {
        margin = lifetime / 4 < GRACE_US ? lifetime / 4 : GRACE_US;
    } else if (margin > MARGIN_MAX_US) {
        margin = MARGIN_MAX_US;
    }
    /* Clients that a gateway has let in together do not come back together. */
    if (rng_fill(&ike->config.rng, &dice, 1) != OK) {
        return margin;
    }
    return margin + margin / 2 / 255 * dice;
}

void reauth_begin(struct ike *ike)
{
    ike->reauth.not_before = ike->now + GAP_US;
}

static void schedule(struct reauth *reauth, uint64_t at)
{
    reauth->at = later(at, reauth->not_before);
    reauth->ends = later(reauth->ends, reauth->at + GRACE_US);
}

void reauth_read(struct ike *ike, const struct message *message)
{
    struct reauth *reauth = &ike->reauth;
    struct notify notify;
    struct reader r;

    if (!notify_find(message, N_AUTH_LIFETIME, &notify) || notify.data.len != 4) {
        return;
    }
    r = reader_of(notify.data);
    reauth->seconds = rd_u32(&r);
    reauth->limited = true;
    reauth->told = false;
    reauth->ends = ike->now + reauth->seconds * SECOND_US;
    schedule(reauth, reauth->ends - margin_of(ike, reauth->seconds * SECOND_US));
}

static void tell(struct ike *ike, const char *note)
{
    ike->reauth.not_before = ike->now + GAP_US;
    rung_note(ike, "%s", note);
    ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_REAUTH});
}

void reauth_instead(struct ike *ike, const struct renewal *renewal, uint16_t refusal)
{
    struct reauth *reauth = &ike->reauth;

    if (ike->state != ST_UP || refusal != N_NO_ADDITIONAL_SAS || renewal->failures < REFUSALS_MIN ||
        reauth->instead || reauth->told || ike->now < reauth->not_before) {
        return;
    }
    reauth->instead = true;
    tell(ike, "nothing can be rekeyed: another IKE SA is to be made");
    schedule(reauth, reauth->at);
}

uint64_t reauth_deadline(const struct ike *ike)
{
    const struct reauth *reauth = &ike->reauth;

    if (!reauth->limited) {
        return IKE_NEVER;
    }
    return reauth->told ? reauth->ends : reauth->at;
}

void reauth_tick(struct ike *ike)
{
    struct reauth *reauth = &ike->reauth;

    if (ike->now < reauth_deadline(ike)) {
        return;
    }
    if (reauth->told) {
        ike_close(ike, CLOSE_DELETE, REASON_GATEWAY_CLOSED,
                  _("The gateway lets an authentication be used for %u s only, and it could not be "
                    "repeated in that time."),
                  reauth->seconds);
        return;
    }
    reauth->told = true;
    tell(ike, "authentication is to be repeated");
}
