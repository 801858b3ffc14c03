/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include "common/i18n.h"

enum err informational_build_close(struct ike *ike, struct chain *chain)
{
    if (ike->ending.how == CLOSE_AUTH_FAILED) {
        /* RFC 7296 2.21.2: our refusal of the gateway's proof goes into an exchange of its own. */
        notify_write(chain, 0, (struct bytes){0}, N_AUTHENTICATION_FAILED, (struct bytes){0});
    } else {
        delete_write(chain, PROTO_IKE, NULL, 0);
    }
    return OK;
}

enum err informational_closed(struct ike *ike, const struct message *message, enum ike_state *next)
{
    (void)ike;
    (void)message;
    (void)next;
    return OK;
}

/* RFC 7296 1.4.1: our halves of the pairs are deleted in the response. */
static void esp_deleted(struct ike *ike, const struct delete_payload *del, struct chain *reply)
{
    struct reader r = reader_of(del->spis);
    uint32_t halves[CHILDREN_MAX];
    size_t n = 0;

    for (uint16_t i = 0; i < del->n_spis; i++) {
        uint32_t spi_out = rd_u32(&r);
        struct child *child = children_by_spi_out(ike, spi_out);
        uint32_t spi_in = child != NULL ? child->sa->spi_in : 0;

        if (child == NULL) {
            rekey_child_deleted(ike, spi_out);
        }
        if (child != NULL && children_deleted(ike, child) && n < CHILDREN_MAX) {
            halves[n++] = spi_in;
        }
    }
    if (n > 0) {
        delete_write(reply, PROTO_ESP, halves, n);
    }
    children_check(ike);
}

/* The gateway has no IKE SA any more once we have answered. */
static void ike_gone(struct ike *ike, struct ike_sa *sa, enum reason reason, const char *sentence)
{
    if (!others_ended(ike, sa)) {
        ike_close(ike, CLOSE_SILENTLY, reason, "%s", sentence);
    }
}

/* What else a request may tell. */
static void notified(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    struct notify notify;

    crash_token(sa, message);
    reauth_read(ike, message);
    redirect_established(ike, message);
    crash_child(ike, message);
    /* RFC 7296 2.21.2: without a Delete. */
    if (refusal_find(message, &notify) && notify.type == N_AUTHENTICATION_FAILED) {
        ike_gone(ike, sa, REASON_AUTH_FAILED,
                 _("The gateway has withdrawn the authentication (AUTHENTICATION_FAILED)."));
    }
}

enum err informational_answer(struct ike *ike, struct ike_sa *sa, const struct message *message,
                              struct chain *reply)
{
    const struct payload *payload;
    struct delete_payload del;
    bool gone = false;

    /* An empty request is a liveness check; its answer is empty too (RFC 7296 1.4). */
    notified(ike, sa, message);
    for (size_t i = 0; (payload = message_find(message, P_DELETE, i)) != NULL; i++) {
        if (delete_parse(&del, payload->body) != OK) {
            continue;
        }
        if (del.protocol == PROTO_IKE) {
            gone = true;
        } else if (del.protocol == PROTO_ESP && del.spi_octets == 4) {
            esp_deleted(ike, &del, reply);
        }
    }
    if (gone) {
        ike_gone(ike, sa, REASON_GATEWAY_CLOSED, _("The gateway deleted the IKE SA."));
    }
    return mobike_answer(ike, sa, message, reply);
}
