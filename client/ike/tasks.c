/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

#include "common/i18n.h"

/* What the established IKE SA does of itself: one request at a time, the first row that is due. */

static const struct task_job {
    enum task task;
    enum exchange_type exchange;
    bool (*due)(struct ike *);
    enum err (*build)(struct ike *, struct chain *);
} order[] = {
    {TASK_UPDATE, X_INFORMATIONAL, mobike_update_due, mobike_build_update},
    {TASK_DELETE_CHILD, X_INFORMATIONAL, children_delete_due, children_build_delete},
    {TASK_REKEY_IKE, X_CREATE_CHILD_SA, rekey_ike_due, rekey_ike_build},
    {TASK_REKEY_CHILD, X_CREATE_CHILD_SA, rekey_child_due, rekey_child_build},
    {TASK_CHECK, X_INFORMATIONAL, liveness_due, liveness_build},
    {TASK_TICKET, X_INFORMATIONAL, tickets_due, tickets_build},
    {TASK_PROBE, X_INFORMATIONAL, probe_due, probe_build},
};

#define HAS(type) P_BIT(P_##type)

/* Responses: the first row of the task whose payloads are there. Beyond them anything may come
 * along (RFC 7296 2.5): gateways add CP, for example. */
static const struct task_row {
    enum task task;
    bool refusal; /* for messages with an error notify, as in states.c */
    uint64_t need;
    enum err (*handle)(struct ike *, struct ike_sa *, const struct message *);
} rows[] = {
    {TASK_UPDATE, false, 0, mobike_updated},
    {TASK_UPDATE, true, 0, mobike_update_refused},
    {TASK_DELETE_CHILD, false, 0, children_delete_answered},
    {TASK_DELETE_CHILD, true, 0, children_delete_answered},
    {TASK_REKEY_IKE, false, HAS(SA) | HAS(NONCE) | HAS(KE), rekey_ike_accept},
    {TASK_REKEY_IKE, false, 0, rekey_ike_refused},
    {TASK_REKEY_IKE, true, 0, rekey_ike_refused},
    {TASK_REKEY_CHILD, false, HAS(SA) | HAS(NONCE) | HAS(TSi) | HAS(TSr), rekey_child_accept},
    {TASK_REKEY_CHILD, false, 0, rekey_child_refused},
    {TASK_REKEY_CHILD, true, 0, rekey_child_refused},
    {TASK_CHECK, false, 0, liveness_answered},
    {TASK_CHECK, true, 0, liveness_answered},
    {TASK_PROBE, false, 0, probe_answered},
    {TASK_PROBE, true, 0, probe_answered},
    {TASK_TICKET, false, 0, tickets_answered},
    {TASK_TICKET, true, 0, tickets_answered},
    {TASK_DELETE_OTHER, false, 0, others_delete_answered},
    {TASK_DELETE_OTHER, true, 0, others_delete_answered},
    {TASK_UPDATE_OTHER, false, 0, others_update_answered},
    {TASK_UPDATE_OTHER, true, 0, others_update_answered},
};

static enum err start(struct ike *ike, const struct task_job *job, uint8_t *buffer)
{
    struct chain chain = chain_of(buffer, IKE_MESSAGE_MAX);
    size_t room = job->task == TASK_PROBE ? IKE_MESSAGE_MAX : ike_room(ike);
    enum err err = job->build(ike, &chain);

    if (err == OK) {
        err = exchange_request(&ike->sa, job->exchange, &chain, room, ike->now);
    }
    if (err == OK) {
        ike->sa.request.purpose = (uint8_t)job->task;
        paths_started(ike);
        rung_request(ike, &ike->sa, false);
    }
    return err;
}

void tasks_run(struct ike *ike)
{
    uint8_t *buffer;
    enum err err;

    paths_review(ike);
    others_run(ike);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (ike->state != ST_UP || ike->sa.request.busy || paths_offline(ike) ||
            !order[i].due(ike)) {
            continue;
        }
        buffer = malloc(IKE_MESSAGE_MAX);
        err = buffer != NULL ? start(ike, &order[i], buffer) : ERR_MEMORY;
        free(buffer);
        if (err != OK) {
            ike_close_error(ike, err, exchange_name((uint8_t)order[i].exchange));
        }
    }
}

/* RFC 7296 2.21.3: the gateway has deleted the IKE SA without another word. */
static bool fatal(const struct notify *notify)
{
    return notify->type == N_INVALID_SYNTAX || notify->type == N_AUTHENTICATION_FAILED;
}

static void gone(struct ike *ike, struct ike_sa *sa, const struct message *message,
                 const struct notify *notify)
{
    char name[64];

    if (sa != &ike->sa) {
        others_forget(ike, sa);
        return;
    }
    ike_close(ike, CLOSE_SILENTLY, REASON_GATEWAY_REFUSED,
              _("%s: the gateway does not accept our message and ends the connection (%s)."),
              exchange_name(message->header.exchange),
              notify_name(notify->type, name, sizeof name));
}

bool tasks_response(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    enum task task = (enum task)sa->request.purpose;
    struct notify notify;
    bool refusal = refusal_find(message, &notify);
    enum err err;

    if (task == TASK_NONE) {
        return false;
    }
    exchange_done(sa);
    if (message->header.exchange == X_INFORMATIONAL) {
        crash_token(sa, message);
    }
    if (refusal && fatal(&notify)) {
        gone(ike, sa, message, &notify);
        return true;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].task != task || rows[i].refusal != refusal ||
            (message->present & rows[i].need) != rows[i].need) {
            continue;
        }
        err = rows[i].handle(ike, sa, message);
        if (err != OK) {
            ike_close_error(ike, err, exchange_name(message->header.exchange));
        }
        break;
    }
    return true;
}
