/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

#include "common/i18n.h"

/* Short names so that a row stays on one line. */
#define HAS(type) P_BIT(P_##type)
#define ALWAYS                                                                                     \
    (HAS(NOTIFY) |                                                                                 \
     HAS(VENDOR)) /* allowed anywhere; unknown ones are ignored (RFC 7296 3.10, 3.12) */
#define ANYTHING UINT64_MAX

typedef enum err (*response_handler)(struct ike *, const struct message *, enum ike_state *);
typedef enum err (*request_handler)(struct ike *, struct ike_sa *, const struct message *,
                                    struct chain *);

/*
 * Responses: state x exchange -> payloads. The first row whose `need` is present and which allows
 * everything else is taken. Rows with `refusal` are for messages with an error notify, and only for
 * them: an error in a response means that the request failed, whatever else the message holds (RFC
 * 7296 3.10.1).
 */
static const struct response_row {
    enum ike_state state;
    uint8_t exchange;
    bool refusal;
    uint64_t need, may;
    response_handler handle;
    enum ike_state next;
} responses[] = {
    {ST_RESUME_SENT, X_IKE_SESSION_RESUME, true, 0, ANYTHING, resume_failed, ST_INIT_TODO},
    {ST_RESUME_SENT, X_IKE_SESSION_RESUME, false, HAS(NONCE), 0, resume_accept,
     ST_RESUME_AUTH_TODO},
    {ST_RESUME_SENT, X_IKE_SESSION_RESUME, false, HAS(NOTIFY), 0, resume_other, ST_RESUME_SENT},
    {ST_RESUME_AUTH_SENT, X_IKE_AUTH, true, HAS(IDr) | HAS(AUTH), ANYTHING & ~HAS(EAP),
     resume_complete, ST_UP},
    {ST_RESUME_AUTH_SENT, X_IKE_AUTH, false, HAS(IDr) | HAS(AUTH) | HAS(SA) | HAS(TSi) | HAS(TSr),
     HAS(CP), resume_complete, ST_UP},
    {ST_RESUME_AUTH_SENT, X_IKE_AUTH, true, 0, ANYTHING, resume_failed, ST_INIT_TODO},
    {ST_RESUME_AUTH_SENT, X_IKE_AUTH, false, 0, ANYTHING, resume_failed, ST_INIT_TODO},

    {ST_INIT_SENT, X_IKE_SA_INIT, true, 0, ANYTHING, init_refused, ST_INIT_SENT},
    {ST_INIT_SENT, X_IKE_SA_INIT, false, HAS(SA) | HAS(KE) | HAS(NONCE), HAS(CERTREQ), init_accept,
     ST_AUTH_TODO},
    {ST_INIT_SENT, X_IKE_SA_INIT, false, HAS(NOTIFY), 0, init_cookie, ST_INIT_TODO},

    /* Both sides have proved themselves, only the Child SA or the addresses are refused (RFC
       7296 1.2, 2.21.2). */
    {ST_AUTH_SENT, X_IKE_AUTH, true, HAS(IDr) | HAS(AUTH), ANYTHING & ~HAS(EAP), auth_complete,
     ST_UP},
    {ST_AUTH_SENT, X_IKE_AUTH, true, 0, ANYTHING, refusal_auth, ST_DOWN},
    {ST_AUTH_SENT, X_IKE_AUTH, false, HAS(IDr) | HAS(AUTH) | HAS(EAP), HAS(CERT) | HAS(CERTREQ),
     auth_gateway, ST_EAP_TODO},
    {ST_AUTH_SENT, X_IKE_AUTH, false, HAS(IDr) | HAS(AUTH) | HAS(SA) | HAS(TSi) | HAS(TSr),
     HAS(CERT) | HAS(CERTREQ) | HAS(CP), auth_complete, ST_UP},
    /* RFC 5685 6, RFC 6023 5: in place of the Child SA, or with none yet. */
    {ST_AUTH_SENT, X_IKE_AUTH, false, HAS(IDr) | HAS(AUTH), HAS(CERT) | HAS(CERTREQ) | HAS(CP),
     auth_without_child, ST_UP},
    /* EAP before the gateway has proved itself: RFC 5998, which we never announce (CVE-2015-4171).
     */
    {ST_AUTH_SENT, X_IKE_AUTH, false, HAS(EAP), HAS(IDr) | HAS(CERT) | HAS(CERTREQ), auth_unproven,
     ST_DOWN},

    /* EAP-Failure may come with AUTHENTICATION_FAILED beside it: the method's own words say more.
     */
    {ST_EAP_SENT, X_IKE_AUTH, true, HAS(EAP), ANYTHING, auth_eap, ST_EAP_TODO},
    {ST_EAP_SENT, X_IKE_AUTH, true, 0, ANYTHING, refusal_auth, ST_DOWN},
    {ST_EAP_SENT, X_IKE_AUTH, false, HAS(EAP), 0, auth_eap, ST_EAP_TODO},

    {ST_FINISH_SENT, X_IKE_AUTH, true, HAS(AUTH), ANYTHING, auth_finish, ST_UP},
    {ST_FINISH_SENT, X_IKE_AUTH, true, 0, ANYTHING, refusal_auth, ST_DOWN},
    /* A repeated IDr or CERT is not looked at again. */
    {ST_FINISH_SENT, X_IKE_AUTH, false, HAS(AUTH) | HAS(SA) | HAS(TSi) | HAS(TSr),
     HAS(CP) | HAS(IDr) | HAS(CERT), auth_finish, ST_UP},
    {ST_FINISH_SENT, X_IKE_AUTH, false, HAS(AUTH), HAS(CP) | HAS(IDr) | HAS(CERT), auth_finish,
     ST_UP},

    {ST_CLOSE_SENT, X_INFORMATIONAL, true, 0, ANYTHING, informational_closed, ST_DOWN},
    {ST_CLOSE_SENT, X_INFORMATIONAL, false, 0, ANYTHING, informational_closed, ST_DOWN},
};

/*
 * Requests of the gateway. Before the IKE SA is established there is no row: such a request changes
 * nothing and is not answered; the gateway repeats it (CVE-2019-12312, CVE-2026-78135). Tolerant of
 * what comes along, as RFC 7296 2.5 asks.
 */
#define STATE(state) (1U << (state))
#define OPEN (STATE(ST_UP) | STATE(ST_CLOSE_TODO) | STATE(ST_CLOSE_SENT))
static const struct request_row {
    unsigned states;
    uint8_t exchange;
    uint64_t need, may;
    request_handler handle;
} requests[] = {
    {OPEN, X_INFORMATIONAL, 0, ANYTHING, informational_answer},
    {OPEN, X_CREATE_CHILD_SA, HAS(SA) | HAS(NONCE), ANYTHING, create_child_answer},
};

static bool fits(uint64_t need, uint64_t may, uint64_t present)
{
    return (present & need) == need && (present & ~(need | may | ALWAYS)) == 0;
}

static const struct response_row *response_row_of(const struct ike *ike,
                                                  const struct message *message)
{
    struct notify notify;
    bool refusal = refusal_find(message, &notify);

    for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
        const struct response_row *row = &responses[i];

        if (row->state == ike->state && row->exchange == message->header.exchange &&
            row->refusal == refusal && fits(row->need, row->may, message->present)) {
            return row;
        }
    }
    return NULL;
}

/* The first message cannot be protected: anybody may answer it. */
static bool first_awaited(enum ike_state state)
{
    return state == ST_INIT_SENT || state == ST_RESUME_SENT;
}

void states_response(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    const struct response_row *row = response_row_of(ike, message);
    enum ike_state next;
    enum err err;

    if (tasks_response(ike, sa, message)) {
        return;
    }
    /* Only the first response, unprotected, may be disbelieved, which leaves our request in flight.
     */
    if (!first_awaited(ike->state)) {
        exchange_done(&ike->sa);
    }
    /* What was in flight when the end was decided does not matter any more. */
    if (ike->state == ST_CLOSE_TODO) {
        return;
    }
    if (row == NULL && ike->state == ST_RESUME_SENT) {
        rung_dropped(ike, "payloads that do not belong there");
        return;
    }
    if (row == NULL) {
        /* Nobody has proved anything yet in IKE_SA_INIT: wait for a better answer. */
        if (ike->state == ST_INIT_SENT) {
            ike_suspect(
                ike, REASON_PROTOCOL, UINT64_C(1000000),
                _("The gateway's IKE_SA_INIT response lacks required payloads or has others."));
            return;
        }
        ike_close(ike, CLOSE_SILENTLY, REASON_PROTOCOL,
                  _("%s response: it lacks required payloads or has others that are not allowed."),
                  exchange_name(message->header.exchange));
        return;
    }
    if (row->exchange == X_IKE_AUTH) {
        auth_announced(ike, message);
    }
    next = row->next;
    err = row->handle(ike, message, &next);
    if (err != OK) {
        ike_close_error(ike, err, exchange_name(message->header.exchange));
        return;
    }
    if (first_awaited(row->state) && next != row->state) {
        exchange_done(&ike->sa);
    }
    /* ike_close() in a handler has decided already. */
    if (ike->state == row->state) {
        ike->state = next;
    }
}

static const struct request_row *request_row_of(const struct ike *ike, uint8_t exchange)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const struct request_row *row = &requests[i];

        if ((row->states & STATE(ike->state)) != 0 && row->exchange == exchange) {
            return row;
        }
    }
    return NULL;
}

/* The response's payloads. To an exchange that we do not know an empty response moves the window on
 * and harms nothing; one without its payloads is malformed, which ends the IKE SA on both sides
 * (RFC 7296 2.21.3). */
static enum err answer(struct ike *ike, struct ike_sa *sa, const struct message *message,
                       struct chain *reply, bool *fatal)
{
    const struct request_row *row = request_row_of(ike, message->header.exchange);
    enum err err = OK;

    if (row != NULL) {
        err = fits(row->need, row->may, message->present) ? row->handle(ike, sa, message, reply)
                                                          : ERR_SYNTAX;
    }
    *fatal = err == ERR_SYNTAX;
    if (*fatal) {
        *reply = chain_of(reply->w.start, reply->w.cap);
        notify_write(reply, 0, (struct bytes){0}, N_INVALID_SYNTAX, (struct bytes){0});
        return OK;
    }
    return err;
}

void states_request(struct ike *ike, struct ike_sa *sa, const struct message *message,
                    const struct path *path)
{
    uint8_t *buffer;
    struct chain reply;
    bool fatal = false;
    enum err err;

    if ((STATE(ike->state) & OPEN) == 0) {
        return;
    }
    buffer = malloc(IKE_MESSAGE_MAX);
    if (buffer == NULL) {
        return;
    }
    reply = chain_of(buffer, IKE_MESSAGE_MAX);
    err = answer(ike, sa, message, &reply, &fatal);
    if (err == OK) {
        err = exchange_answer(sa, message->header.exchange, &reply, ike_room(ike), path);
    }
    free(buffer);
    if (err != OK) {
        ike_close_error(ike, err, exchange_name(message->header.exchange));
        return;
    }
    rung_response(ike, sa, false);
    if (fatal) {
        ike_close_malformed(ike, sa, exchange_name(message->header.exchange));
    }
    others_settle(ike);
}
