/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/exchange.h"

#include <stdlib.h>

void ike_sa_free(struct ike_sa *sa)
{
    ike_keys_free(&sa->keys);
    crypt_free(sa->in);
    crypt_free(sa->out);
    secret_free(&sa->ni);
    secret_free(&sa->nr);
    secret_free(&sa->token);
    secret_free(&sa->request.plain);
    datagrams_free(&sa->request.datagrams);
    datagrams_free(&sa->request.small);
    secret_free(&sa->response.plain);
    datagrams_free(&sa->response.datagrams);
    reassembly_free(&sa->request_parts);
    reassembly_free(&sa->response_parts);
    *sa = (struct ike_sa){0};
}

size_t exchange_room(uint16_t mtu, const struct endpoint *remote)
{
    size_t ip = remote->addr.family == FAMILY_IPV6 ? 40 : 20;
    size_t around = ip + 8 + 4;

    return mtu > around ? mtu - around : 0;
}

struct ike_header exchange_header(const struct ike_sa *sa, uint8_t exchange, uint32_t message_id,
                                  bool response)
{
    unsigned flags =
        (sa->initiator ? IKE_FLAG_INITIATOR : 0U) | (response ? IKE_FLAG_RESPONSE : 0U);

    return (struct ike_header){
        .spi_i = sa->spi_i,
        .spi_r = sa->spi_r,
        .version = IKE_VERSION,
        .exchange = exchange,
        .flags = (uint8_t)flags,
        .message_id = message_id,
    };
}

static enum err seal(struct ike_sa *sa, struct datagrams *out, const struct ike_header *header,
                     const struct chain *chain, size_t room)
{
    const struct sealer sealer = {.crypt = sa->out, .counter = &sa->sealed};

    return fragment_seal(out, header, chain, &sealer, sa->fragmentation, room);
}

/* IKE_SA_INIT: there are no keys yet (RFC 7296 1.2). */
static enum err clear_message(struct datagrams *out, const struct ike_header *header,
                              const struct chain *chain)
{
    size_t cap = IKE_HEADER_LEN + chain->w.len;
    size_t len;

    datagrams_free(out);
    if (chain->w.failed) {
        return ERR_SPACE;
    }
    if (!secret_alloc(&out->items[0], cap)) {
        return ERR_MEMORY;
    }
    len = message_write(header, chain, out->items[0].data, cap);
    out->n = 1;
    if (len != cap) {
        datagrams_free(out);
        return ERR_SPACE;
    }
    return OK;
}

static void begin(struct ike_sa *sa, uint64_t now)
{
    struct request *request = &sa->request;

    request->message_id = sa->next_id++;
    request->tries = 1;
    request->started = now;
    request->interval = RETRANSMIT_FIRST_US;
    request->due = now + request->interval;
}

enum err exchange_request(struct ike_sa *sa, enum exchange_type type, const struct chain *chain,
                          size_t room, uint64_t now)
{
    struct request *request = &sa->request;
    const struct ike_header header = exchange_header(sa, (uint8_t)type, sa->next_id, false);
    enum err err;

    if (request->busy) {
        return ERR_STATE;
    }
    if (!secret_set(&request->plain, wr_written(&chain->w))) {
        err = ERR_MEMORY;
    } else if (sa->out == NULL) {
        err = clear_message(&request->datagrams, &header, chain);
    } else {
        err = seal(sa, &request->datagrams, &header, chain, room);
    }
    if (err != OK) {
        return err;
    }
    request->busy = true;
    request->exchange = (uint8_t)type;
    request->first_inner = chain->first;
    begin(sa, now);
    return OK;
}

void exchange_done(struct ike_sa *sa)
{
    secret_free(&sa->request.plain);
    datagrams_free(&sa->request.datagrams);
    datagrams_free(&sa->request.small);
    sa->request = (struct request){0};
    reassembly_free(&sa->response_parts);
}

void exchange_restart(struct ike_sa *sa)
{
    exchange_done(sa);
    sa->next_id = 0;
}

/* A fifth more or less, so that clients that lost the same gateway do not come back in step (RFC
 * 7296 2.1). */
static uint64_t jittered(uint64_t interval, const struct rng *rng)
{
    uint8_t dice = 128;

    if (rng_fill(rng, &dice, 1) != OK) {
        return interval;
    }
    return interval - interval / 5 + interval * 2 / 5 * dice / 255;
}

/* The request in flight from its plaintext. */
static enum err seal_again(struct ike_sa *sa, uint32_t message_id, size_t room)
{
    struct request *request = &sa->request;
    const struct ike_header header = exchange_header(sa, request->exchange, message_id, false);
    const struct chain chain = {
        .w = {.start = request->plain.data, .len = request->plain.len, .cap = request->plain.len},
        .first = request->first_inner,
    };

    return seal(sa, &request->datagrams, &header, &chain, room);
}

enum err exchange_repeat(struct ike_sa *sa, size_t room_small, const struct rng *rng, uint64_t now)
{
    struct request *request = &sa->request;
    enum err err = OK;

    request->tries++;
    request->interval = request->interval * 19 / 10;
    if (request->interval > RETRANSMIT_MAX_US) {
        request->interval = RETRANSMIT_MAX_US;
    }
    request->due = now + jittered(request->interval, rng);
    if (request->small.n > 0) {
        const struct datagrams other = request->datagrams;

        /* The fragments may not pass, or the peer has answered the other form and answers again
         * only to that (strongSwan compares octets): the two forms take turns. */
        request->datagrams = request->small;
        request->small = other;
    } else if (request->tries == SMALL_AFTER_TRIES && sa->out != NULL && sa->fragmentation) {
        if (request->plain.len > room_small) {
            request->small = request->datagrams;
            request->datagrams = (struct datagrams){0};
            err = seal_again(sa, request->message_id, room_small);
        }
    }
    request->datagrams.next = 0;
    return err;
}

enum err exchange_empty(struct ike_sa *sa)
{
    struct request *request = &sa->request;

    if (request->small.n == 0) {
        request->small = request->datagrams;
        request->datagrams = (struct datagrams){0};
    }
    secret_free(&request->plain);
    request->first_inner = P_NONE;
    return seal_again(sa, request->message_id, IKE_MESSAGE_MAX);
}

enum incoming exchange_classify(const struct ike_sa *sa, const struct ike_header *header)
{
    if ((header->flags & IKE_FLAG_RESPONSE) != 0) {
        return sa->request.busy && header->message_id == sa->request.message_id &&
                       header->exchange == sa->request.exchange
                   ? INCOMING_RESPONSE
                   : INCOMING_STRAY;
    }
    if (header->message_id == sa->peer_next_id) {
        return INCOMING_REQUEST;
    }
    return sa->response.datagrams.n > 0 && !sa->response.syncs &&
                   header->message_id == sa->response.message_id
               ? INCOMING_REPEATED
               : INCOMING_STRAY;
}

static enum err respond(struct ike_sa *sa, uint8_t exchange, uint32_t message_id,
                        const struct chain *chain, size_t room, const struct path *path)
{
    const struct ike_header header = exchange_header(sa, exchange, message_id, true);
    enum err err = seal(sa, &sa->response.datagrams, &header, chain, room);

    if (err == OK && !secret_set(&sa->response.plain, wr_written(&chain->w))) {
        err = ERR_MEMORY;
    }
    if (err != OK) {
        return err;
    }
    sa->response.exchange = exchange;
    sa->response.message_id = message_id;
    sa->response.first_inner = chain->first;
    sa->response.path = *path;
    sa->response.syncs = false;
    reassembly_free(&sa->request_parts);
    return OK;
}

enum err exchange_answer(struct ike_sa *sa, uint8_t exchange, const struct chain *chain,
                         size_t room, const struct path *path)
{
    enum err err = respond(sa, exchange, sa->peer_next_id, chain, room, path);

    if (err == OK) {
        sa->peer_next_id++;
    }
    return err;
}

enum err exchange_sync(struct ike_sa *sa, uint32_t next_id, uint32_t peer_next_id,
                       const struct chain *chain, size_t room, const struct path *path,
                       uint64_t now)
{
    enum err err = respond(sa, X_INFORMATIONAL, 0, chain, room, path);

    if (err != OK) {
        return err;
    }
    sa->response.syncs = true;
    sa->peer_next_id = peer_next_id;
    sa->next_id = next_id;
    if (!sa->request.busy) {
        return OK;
    }
    /* RFC 6311 9: a response to what the failed member was asked is not waited for. */
    datagrams_free(&sa->request.small);
    reassembly_free(&sa->response_parts);
    begin(sa, now);
    return seal_again(sa, sa->request.message_id, room);
}

void exchange_answer_again(struct ike_sa *sa, const struct path *path)
{
    sa->response.path = *path;
    sa->response.datagrams.next = 0;
}

static bool datagrams_waiting(const struct datagrams *datagrams)
{
    return datagrams->next < datagrams->n;
}

bool exchange_has_output(const struct ike_sa *sa)
{
    return datagrams_waiting(&sa->response.datagrams) || datagrams_waiting(&sa->request.datagrams);
}

bool exchange_has_response(const struct ike_sa *sa)
{
    return datagrams_waiting(&sa->response.datagrams);
}

struct bytes exchange_output(struct ike_sa *sa, const struct path *current, struct path *path)
{
    if (datagrams_waiting(&sa->response.datagrams)) {
        *path = sa->response.path;
        return secret_bytes(&sa->response.datagrams.items[sa->response.datagrams.next++]);
    }
    if (datagrams_waiting(&sa->request.datagrams)) {
        *path = *current;
        return secret_bytes(&sa->request.datagrams.items[sa->request.datagrams.next++]);
    }
    return (struct bytes){0};
}
