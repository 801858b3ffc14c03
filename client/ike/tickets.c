/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdio.h>

/*
 * Tickets for the next time (RFC 5723 4.1, 4.2, 6.2): asked for in IKE_AUTH; of a gateway that has
 * answered to that, again when it has put us off, when the ticket grows old and when another IKE SA
 * takes the place of the one that it belongs to.
 */

#define SETTLED_US UINT64_C(1000000)
#define LATER_US UINT64_C(5000000)
#define RENEW_MIN_US UINT64_C(60000000)
#define PUT_OFF_MAX 5

void tickets_request(struct chain *chain)
{
    notify_write(chain, 0, (struct bytes){0}, N_TICKET_REQUEST, (struct bytes){0});
}

void tickets_void(struct ike *ike)
{
    if (ike->tickets.held) {
        ike->tickets.held = false;
        ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_TICKET});
    }
}

void tickets_replaced(struct ike *ike)
{
    /* RFC 5723 6.2: it belongs to the IKE SA that was rekeyed. */
    tickets_void(ike);
    ike->tickets.put_off = 0;
    /* The gateway may not know yet that it is in use. */
    ike->tickets.ask_at = ike->tickets.known ? ike->now + SETTLED_US : IKE_NEVER;
}

/* ---- what the gateway gives ---- */

static void keep_addresses(const struct ike *ike, struct ike_ticket *ticket)
{
    for (size_t i = 0; i < ike->net.n_addresses; i++) {
        const struct addr *addr = &ike->net.addresses[i].addr;
        struct addr *kept = addr->family == FAMILY_IPV4 ? &ticket->ipv4 : &ticket->ipv6;

        if (kept->family == FAMILY_NONE) {
            *kept = *addr;
        }
    }
}

static void hand_out(struct ike *ike, struct bytes opaque, uint64_t lifetime_us)
{
    struct ike_ticket ticket = {
        .expires_at = ike->now + lifetime_us,
        .suite = ike->sa.suite,
        .local_id = ike->auth.local_id,
        .gateway_id = ike->auth.gateway_id,
    };

    memcpy(ticket.profile, ike->resume.profile, sizeof ticket.profile);
    memcpy(ticket.gateway_auth, ike->summary.gateway_auth, sizeof ticket.gateway_auth);
    memcpy(ticket.gateway_subject, ike->summary.gateway_subject, sizeof ticket.gateway_subject);
    memcpy(ticket.user_auth, ike->summary.user_auth, sizeof ticket.user_auth);
    keep_addresses(ike, &ticket);
    if (secret_set(&ticket.opaque, opaque) &&
        secret_set(&ticket.sk_d, secret_bytes(&ike->sa.keys.d))) {
        ike->tickets.held = true;
        ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_TICKET, .ticket = &ticket});
    }
    ike_ticket_free(&ticket);
}

/* RFC 5723 7.1 */
static void take(struct ike *ike, struct bytes data)
{
    struct reader r = reader_of(data);
    uint64_t lifetime_us = (uint64_t)rd_u32(&r) * 1000000;
    struct bytes opaque = rd_rest(&r);
    uint64_t renew = lifetime_us / 4 * 3;

    if (r.failed || lifetime_us == 0 || opaque.len == 0 || opaque.len > TICKET_MAX) {
        return;
    }
    hand_out(ike, opaque, lifetime_us);
    ike->tickets.ask_at = ike->now + (renew > RENEW_MIN_US ? renew : RENEW_MIN_US);
    ike->tickets.put_off = 0;
}

void tickets_read(struct ike *ike, const struct message *message)
{
    struct tickets *tickets = &ike->tickets;
    struct notify notify;

    tickets->ask_at = IKE_NEVER;
    if (notify_find(message, N_TICKET_LT_OPAQUE, &notify)) {
        tickets->known = true;
        take(ike, notify.data);
    } else if (notify_find(message, N_TICKET_ACK, &notify)) {
        tickets->known = true;
        if (tickets->put_off < PUT_OFF_MAX) {
            tickets->ask_at = ike->now + (LATER_US << tickets->put_off++);
        }
    } else if (notify_find(message, N_TICKET_NACK, &notify)) {
        tickets->known = true;
    }
}

/* ---- an INFORMATIONAL exchange of its own ---- */

bool tickets_due(struct ike *ike)
{
    return ike->now >= ike->tickets.ask_at;
}

enum err tickets_build(struct ike *ike, struct chain *chain)
{
    ike->tickets.ask_at = IKE_NEVER;
    tickets_request(chain);
    return OK;
}

enum err tickets_answered(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    /* Of an IKE SA that another has replaced meanwhile it is of no use. */
    if (sa == &ike->sa) {
        tickets_read(ike, message);
    }
    return OK;
}

uint64_t tickets_deadline(const struct ike *ike)
{
    return ike->tickets.ask_at;
}
