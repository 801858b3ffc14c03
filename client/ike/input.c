/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

/*
 * From a datagram to a decrypted message. Until the integrity check has passed nothing changes: no
 * address, no state, no timer. Only IKE_SA_INIT, which cannot be protected, may leave a suspicion
 * (ike_suspect).
 */

/* One message on its way in; `datagram` is a copy that may be decrypted in place. */
struct incoming_message {
    uint8_t *datagram;
    size_t len;
    struct message message;
    uint8_t first_inner;
    struct secret joined; /* plaintext put together from fragments */
    enum incoming kind;
    struct ike_sa *sa; /* which it belongs to */
};

static const char outside_window[] = "message ID outside the window";

/* RFC 7296 2.23: an address behind NAT may move; only an authenticated message that is no replay
 * may tell. */
static void follow_gateway(struct ike *ike, const struct path *path)
{
    /* RFC 4555 3.8: not with MOBIKE, where every move is asked for. */
    if (ike->init.natd.remote_behind && ike->state == ST_UP && !ike->mobike.supported &&
        path->remote.addr.family == ike->path.remote.addr.family &&
        !endpoint_equal(&path->remote, &ike->path.remote)) {
        ike->path.remote = path->remote;
        paths_use(ike);
    }
}

/* RFC 7296 2.5: a request that is understood in its frame but not in its payloads. */
static void answer_error(struct ike *ike, const struct incoming_message *in, enum err err,
                         uint8_t unknown, const struct path *path)
{
    uint8_t buffer[64];
    struct chain reply = chain_of(buffer, sizeof buffer);
    bool critical = err == ERR_CRITICAL;

    if (ike->state < ST_UP) {
        return;
    }
    notify_write(&reply, 0, (struct bytes){0},
                 critical ? N_UNSUPPORTED_CRITICAL_PAYLOAD : N_INVALID_SYNTAX,
                 critical ? bytes_of(&unknown, 1) : (struct bytes){0});
    err = exchange_answer(in->sa, in->message.header.exchange, &reply, ike_room(ike), path);
    if (err != OK) {
        ike_close_error(ike, err, exchange_name(in->message.header.exchange));
        return;
    }
    rung_response(ike, in->sa, false);
    if (!critical) {
        ike_close_malformed(ike, in->sa, exchange_name(in->message.header.exchange));
        others_settle(ike);
    }
}

/* The message is authentic and whole: reads what is inside and gives it to the state table. */
static void deliver(struct ike *ike, struct incoming_message *in, struct bytes plain,
                    const struct path *path)
{
    uint8_t unknown = 0;
    enum err err = message_parse_chain(&in->message, in->first_inner, plain, &unknown);

    in->sa->heard = ike->now;
    ike->refusal.reason = REASON_NONE;
    ike->from = *path;
    if (err == OK) {
        rung_in(ike, &in->message, false);
    } else {
        rung_dropped(ike, err == ERR_CRITICAL ? "unknown critical payload" : "malformed payloads");
    }
    if (in->kind == INCOMING_REQUEST) {
        if (err != OK) {
            answer_error(ike, in, err, unknown, path);
            return;
        }
        states_request(ike, in->sa, &in->message, path);
    } else if (err != OK) {
        exchange_done(in->sa);
        if (resume_fall_back(ike)) {
            return;
        }
        ike_close_error(ike, err, exchange_name(in->message.header.exchange));
        return;
    } else {
        paths_heard(ike, in->sa, path);
        states_response(ike, in->sa, &in->message);
    }
    follow_gateway(ike, path);
}

/* The message is one of RFC 6311, whatever its message ID. */
static bool deliver_sync(struct ike *ike, struct incoming_message *in, struct bytes plain,
                         const struct path *path)
{
    struct bytes data;
    uint8_t unknown;
    bool found = id_sync_possible(ike, in->sa, &in->message.header) &&
                 message_parse_chain(&in->message, in->first_inner, plain, &unknown) == OK &&
                 id_sync_find(&in->message, &data);

    if (found) {
        rung_in(ike, &in->message, false);
        switch (id_sync_input(ike, in->sa, data, path)) {
        case ID_SYNC_OBEYED:
            follow_gateway(ike, path);
            break;
        case ID_SYNC_STALE:
            rung_dropped(ike, "message IDs that have been used");
            break;
        case ID_SYNC_REPEATED:
            break;
        }
    }
    in->message.n_payloads = 0;
    in->message.present = 0;
    return found;
}

/* RFC 7296 2.1: the peer has not got our response. */
static void repeat_answer(struct ike *ike, struct ike_sa *sa, const struct path *path)
{
    exchange_answer_again(sa, path);
    rung_response(ike, sa, true);
}

static void open_whole(struct ike *ike, struct incoming_message *in, const struct payload *sk,
                       const struct path *path)
{
    struct bytes plain;
    enum err err = message_open(in->datagram, in->len, sk, in->sa->in, &plain);

    if (err != OK) {
        rung_dropped(ike, err == ERR_INTEGRITY ? "integrity check failed" : "malformed SK payload");
    } else if (deliver_sync(ike, in, plain, path)) {
        return;
    } else if (in->kind == INCOMING_STRAY) {
        rung_dropped(ike, outside_window);
    } else if (in->kind == INCOMING_REPEATED) {
        repeat_answer(ike, in->sa, path);
    } else {
        deliver(ike, in, plain, path);
    }
}

static void open_fragment(struct ike *ike, struct incoming_message *in, const struct payload *skf,
                          const struct path *path)
{
    struct reassembly *parts =
        in->kind == INCOMING_RESPONSE ? &in->sa->response_parts : &in->sa->request_parts;
    struct fragment fragment = {.first_inner = in->first_inner};
    bool complete = false;
    enum err err = message_open_fragment(in->datagram, in->len, skf, in->sa->in, &fragment.plain,
                                         &fragment.number, &fragment.total);

    if (err != OK) {
        rung_dropped(ike,
                     err == ERR_INTEGRITY ? "integrity check failed" : "malformed SKF payload");
        return;
    }
    if (in->kind == INCOMING_REPEATED) {
        /* One answer to a repeated request, not one to each of its fragments (RFC 7383 2.6.1). */
        if (fragment.number == 1) {
            repeat_answer(ike, in->sa, path);
        }
        return;
    }
    err = reassembly_add(parts, &in->message.header, &fragment, ike->now, &in->joined, &complete);
    if (err != OK) {
        rung_dropped(ike, "fragment beyond what is allowed");
        return;
    }
    if (complete) {
        in->first_inner = parts->first_inner;
        reassembly_free(parts);
        deliver(ike, in, secret_bytes(&in->joined), path);
    }
}

static void input_protected(struct ike *ike, struct incoming_message *in, const struct path *path)
{
    const struct payload *last =
        in->message.n_payloads > 0 ? &in->message.payloads[in->message.n_payloads - 1] : NULL;
    struct payload sealed;

    if (in->sa->in == NULL || last == NULL || (last->type != P_SK && last->type != P_SKF)) {
        rung_dropped(ike, "not protected");
        return;
    }
    /* What stands outside SK is not authenticated as payloads: the inner chain alone is the message
     * (RFC 7296 3.14). */
    sealed = *last;
    in->message.n_payloads = 0;
    in->message.present = 0;
    if (sealed.type == P_SK) {
        open_whole(ike, in, &sealed, path);
    } else {
        open_fragment(ike, in, &sealed, path);
    }
}

static void input_init(struct ike *ike, struct incoming_message *in, const struct path *path)
{
    if ((ike->state != ST_INIT_SENT && ike->state != ST_RESUME_SENT) ||
        in->kind != INCOMING_RESPONSE || !endpoint_equal(&path->remote, &ike->path.remote)) {
        rung_dropped(ike, "stray first message");
        return;
    }
    rung_in(ike, &in->message, false);
    states_response(ike, in->sa, &in->message);
}

bool ike_owns(const struct ike *ike, struct bytes datagram)
{
    struct ike_header header;

    if (ike_header_parse(&header, datagram) != OK) {
        return false;
    }
    for (size_t i = 0; i < OTHERS_MAX; i++) {
        if (ike->others[i].state != OTHER_NONE && header.spi_i == ike->others[i].sa.spi_i) {
            return true;
        }
    }
    return header.spi_i == ike->sa.spi_i;
}

static struct ike_sa *sa_of(struct ike *ike, const struct ike_header *header)
{
    /* In the first exchange the gateway chooses its SPI; with COOKIE and the like it may be zero
     * (RFC 7296 2.6). */
    if (header->spi_i == ike->sa.spi_i && (ike->sa.spi_r == 0 || header->spi_r == ike->sa.spi_r)) {
        return &ike->sa;
    }
    return others_find(ike, header);
}

/* The exchanges that cannot be protected. */
static bool is_first(uint8_t exchange)
{
    return exchange == X_IKE_SA_INIT || exchange == X_IKE_SESSION_RESUME;
}

static void input_parsed(struct ike *ike, struct incoming_message *in, const struct path *path)
{
    uint8_t unknown = 0;
    enum err err =
        message_parse(&in->message, bytes_of(in->datagram, in->len), &in->first_inner, &unknown);

    if (err != OK) {
        rung_dropped(ike, err == ERR_CRITICAL ? "unknown critical payload" : "malformed message");
        return;
    }
    in->kind = exchange_classify(in->sa, &in->message.header);
    if (in->kind == INCOMING_STRAY && !(id_sync_possible(ike, in->sa, &in->message.header) &&
                                        message_find(&in->message, P_SK, 0) != NULL)) {
        rung_dropped(ike, outside_window);
    } else if (is_first(in->message.header.exchange)) {
        input_init(ike, in, path);
    } else {
        input_protected(ike, in, path);
    }
}

void input_datagram(struct ike *ike, const struct path *path, struct bytes datagram)
{
    struct incoming_message *in;
    struct ike_header header;
    struct ike_sa *sa;

    /* RFC 3948 2.3: a keepalive is for the NAT, not for us. */
    if (datagram.len == 1 && datagram.data[0] == 0xff) {
        return;
    }
    if (ike_header_parse(&header, datagram) != OK) {
        rung_dropped(ike, "no IKEv2 message");
        return;
    }
    sa = sa_of(ike, &header);
    if (!is_first(header.exchange) && header.next_payload == P_NOTIFY &&
        header.version >> 4 == IKE_VERSION >> 4 && crash_input(ike, sa, datagram, path)) {
        return;
    }
    if (sa == NULL) {
        rung_dropped(ike, "unknown SPIs");
        return;
    }
    if (header.version >> 4 != IKE_VERSION >> 4) {
        if (endpoint_equal(&path->remote, &ike->path.remote)) {
            init_other_version(ike, header.version);
        }
        return;
    }
    /* RFC 7296 3.1: the flag tells whose message it is; one of our own was reflected. */
    if (((header.flags & IKE_FLAG_INITIATOR) != 0) == sa->initiator) {
        rung_dropped(ike, "reflected message");
        return;
    }
    in = calloc(1, sizeof *in);
    if (in == NULL) {
        return;
    }
    in->sa = sa;
    in->datagram = malloc(datagram.len);
    if (in->datagram != NULL) {
        memcpy(in->datagram, datagram.data, datagram.len);
        in->len = datagram.len;
        input_parsed(ike, in, path);
        secret_wipe(in->datagram, in->len);
        free(in->datagram);
    }
    secret_free(&in->joined);
    free(in);
}
