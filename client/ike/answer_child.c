/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

#include "ike/choose.h"

/* The gateway rekeys the Child SA (RFC 7296 1.3.3, 2.8, 2.9.2, 2.25.1). */

/* One exchange as its responder. */
struct asked {
    struct sa_choice choice;
    struct ke_payload ke;
    struct bytes ni;
    struct secret nr, shared;
    struct ke *ours;
    struct ike_child *child;
};

static bool find_rekey(const struct message *message, struct notify *out)
{
    const struct payload *payload;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(out, payload->body) == OK && out->type == N_REKEY_SA) {
            return true;
        }
    }
    return false;
}

static struct child *find_old(struct ike *ike, const struct notify *rekey)
{
    struct reader r = reader_of(rekey->spi);
    uint32_t spi = rd_u32(&r);

    return rekey->protocol == PROTO_ESP && rd_done(&r) ? children_by_spi_out(ike, spi) : NULL;
}

static void not_found(struct chain *reply, const struct notify *rekey)
{
    notify_write(reply, rekey->protocol, rekey->spi, N_CHILD_SA_NOT_FOUND, (struct bytes){0});
}

/* RFC 7296 2.9.2: what is in use is kept; what is offered beyond it is not taken. */
static enum err narrow(const struct message *message, const struct child *old,
                       struct ike_child *child)
{
    const struct payload *tsi = message_find(message, P_TSi, 0);
    const struct payload *tsr = message_find(message, P_TSr, 0);
    struct ts_list *offered = malloc(sizeof *offered);
    enum err err = ERR_SYNTAX;

    if (offered == NULL) {
        return ERR_MEMORY;
    }
    if (tsi != NULL && tsr != NULL) {
        err = ts_parse(offered, tsi->body);
    }
    if (err == OK && !ts_list_intersect(&child->remote_ts, &old->sa->remote_ts, offered)) {
        err = ERR_UNSUPPORTED;
    }
    if (err == OK) {
        err = ts_parse(offered, tsr->body);
    }
    if (err == OK && !ts_list_intersect(&child->local_ts, &old->sa->local_ts, offered)) {
        err = ERR_UNSUPPORTED;
    }
    free(offered);
    return err;
}

/* Algorithms and key exchange; *refusal is the notify when they do not suit. */
static enum err negotiate(const struct ike *ike, const struct message *message, struct asked *asked,
                          uint16_t *refusal)
{
    const struct payload *payload = message_find(message, P_KE, 0);
    enum err err = nonce_parse(&asked->ni, message_find(message, P_NONCE, 0)->body);

    if (err == OK && payload != NULL) {
        err = ke_parse(&asked->ke, payload->body);
    }
    if (err != OK) {
        return err;
    }
    err = sa_choose(&asked->choice, message_find(message, P_SA, 0)->body, &ike->offer_esp,
                    &ike->offer_ike, asked->ke.group);
    if (err == ERR_UNSUPPORTED) {
        *refusal = N_NO_PROPOSAL_CHOSEN;
        return OK;
    }
    if (err == OK && asked->choice.suite.ke != NULL &&
        asked->choice.suite.ke->id != asked->ke.group) {
        *refusal = N_INVALID_KE_PAYLOAD;
    }
    return err;
}

static enum err make(const struct ike *ike, struct asked *asked)
{
    struct reader r = reader_of(asked->choice.spi);
    struct child_seed seed = {.ni = asked->ni};
    enum err err = child_spi(ike, &asked->child->spi_in);

    asked->child->spi_out = rd_u32(&r);
    asked->child->suite = asked->choice.suite;
    if (err == OK) {
        err = renew_nonce(ike, &asked->nr);
    }
    if (err == OK && asked->choice.suite.ke != NULL) {
        err = renew_shared(ike, &asked->ke, asked->choice.suite.ke, &asked->ours, &asked->shared);
    }
    if (err != OK) {
        return err == ERR_KEY ? ERR_SYNTAX : err;
    }
    seed.nr = secret_bytes(&asked->nr);
    seed.shared = secret_bytes(&asked->shared);
    return child_derive(ike, asked->child, &seed);
}

static void write_answer(struct chain *reply, const struct asked *asked)
{
    uint8_t spi[4];
    struct writer w = writer_of(spi, sizeof spi);

    wr_u32(&w, asked->child->spi_in);
    sa_write_choice(reply, asked->choice.number, &asked->choice.proposal,
                    bytes_of(spi, sizeof spi));
    chain_add(reply, P_NONCE, secret_bytes(&asked->nr));
    if (asked->ours != NULL) {
        ke_write(reply, asked->choice.suite.ke->id, ke_public(asked->ours));
    }
    ts_write(reply, P_TSi, &asked->child->remote_ts);
    ts_write(reply, P_TSr, &asked->child->local_ts);
}

/* RFC 7296 2.8.1: ours of the same Child SA is under way. */
static enum err note_collision(struct ike *ike, const struct asked *asked, uint32_t old)
{
    struct renewal *renewal = &ike->renew_child;

    if (ike->sa.request.purpose != TASK_REKEY_CHILD || renewal->child != old) {
        return OK;
    }
    renewal->theirs = asked->child->spi_in;
    return secret_set(&renewal->theirs_lowest,
                      renew_lower_nonce(asked->ni, secret_bytes(&asked->nr)))
               ? OK
               : ERR_MEMORY;
}

static enum err rekey(struct ike *ike, const struct message *message, struct child *old,
                      struct asked *asked, struct chain *reply)
{
    uint32_t replaces = old->sa->spi_in;
    uint16_t refusal = 0;
    enum err err = narrow(message, old, asked->child);

    if (err == ERR_UNSUPPORTED) {
        create_child_refuse(reply, N_TS_UNACCEPTABLE);
        return OK;
    }
    if (err == OK) {
        err = negotiate(ike, message, asked, &refusal);
    }
    if (err == OK && refusal == N_INVALID_KE_PAYLOAD) {
        create_child_wrong_group(reply, asked->choice.suite.ke);
        return OK;
    }
    if (err == OK && refusal != 0) {
        create_child_refuse(reply, refusal);
        return OK;
    }
    if (err == OK) {
        err = make(ike, asked);
    }
    if (err == OK) {
        err = note_collision(ike, asked, replaces);
    }
    if (err != OK) {
        return err;
    }
    write_answer(reply, asked);
    asked->child->reqid = old->sa->reqid;
    err = children_add(ike, asked->child, CHILD_HELD, replaces);
    if (err != OK) {
        return err;
    }
    asked->child = NULL;
    /* Who rekeys it can surely receive on it. */
    if (old->state == CHILD_HELD) {
        children_switch(ike, old);
    }
    children_replaced(ike, old);
    return OK;
}

enum err answer_child(struct ike *ike, const struct message *message, struct chain *reply)
{
    struct asked *asked;
    struct notify notify;
    struct child *old;
    enum err err;

    if (!find_rekey(message, &notify)) {
        create_child_refuse(reply, N_NO_ADDITIONAL_SAS);
        return OK;
    }
    old = find_old(ike, &notify);
    if (old == NULL && ike->sa.request.purpose == TASK_REKEY_CHILD) {
        /* It may be what our own exchange has made: the answer to it has been lost. */
        create_child_refuse(reply, N_TEMPORARY_FAILURE);
        return OK;
    }
    if (old == NULL) {
        not_found(reply, &notify);
        return OK;
    }
    if (ike->sa.request.purpose == TASK_REKEY_IKE || children_full(ike) || ike->opening.on ||
        (old->state != CHILD_UP && old->state != CHILD_HELD)) {
        create_child_refuse(reply, N_TEMPORARY_FAILURE);
        return OK;
    }
    asked = calloc(1, sizeof *asked);
    if (asked == NULL) {
        return ERR_MEMORY;
    }
    asked->child = calloc(1, sizeof *asked->child);
    err = asked->child != NULL ? rekey(ike, message, old, asked, reply) : ERR_MEMORY;
    if (asked->child != NULL) {
        ike_child_free(asked->child);
        free(asked->child);
    }
    secret_free(&asked->nr);
    secret_free(&asked->shared);
    ke_free(asked->ours);
    free(asked);
    return err;
}
