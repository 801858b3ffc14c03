/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/*
 * A cluster of gateways has failed over: its new member does not know which message IDs have been
 * used (RFC 6311). Its counters of ESP are no business of ours: the member itself skips forward as
 * a sender, and as a receiver takes what is ahead of it; so IPSEC_REPLAY_COUNTER_SYNC is not
 * announced and, should it come, not obeyed (RFC 6311 5).
 */

/* An ID so high would leave none for the rest of the IKE SA (RFC 7296 2.2). */
#define MESSAGE_ID_MAX INT32_MAX

struct synced {
    struct bytes nonce;
    uint32_t theirs, ours; /* M1 and P1 of RFC 6311 5.1 */
};

static bool read_synced(struct synced *out, struct bytes data)
{
    struct reader r = reader_of(data);

    out->nonce = rd_bytes(&r, 4);
    out->theirs = rd_u32(&r);
    out->ours = rd_u32(&r);
    return rd_done(&r);
}

bool id_sync_possible(const struct ike *ike, const struct ike_sa *sa,
                      const struct ike_header *header)
{
    return sa->syncs && ike->state >= ST_UP && header->message_id == 0 &&
           header->exchange == X_INFORMATIONAL && (header->flags & IKE_FLAG_RESPONSE) == 0;
}

/* RFC 6311 5.1: the notification, a delta for ESP perhaps, and nothing else. */
bool id_sync_find(const struct message *message, struct bytes *data)
{
    const struct payload *payload;
    struct notify notify;
    size_t n = 0, others = 0;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) != OK) {
            return false;
        }
        if (notify.type == N_IKEV2_MESSAGE_ID_SYNC) {
            *data = notify.data;
            n++;
        } else if (notify.type == N_IPSEC_REPLAY_COUNTER_SYNC) {
            others++;
        }
    }
    return n == 1 && others <= 1 && n + others == message->n_payloads;
}

/* One that has been answered, and whose answer was lost. Once anything else has been answered it is
 * a replay. */
static bool repeated(const struct ike_sa *sa, struct bytes data)
{
    return sa->has_synced && sa->response.syncs &&
           bytes_equal(data, bytes_of(sa->synced, sizeof sa->synced));
}

/* RFC 6311 5.1: M1 must be above everything that was seen, earlier synchronisations among it. */
static bool fresh(const struct ike_sa *sa, const struct synced *synced)
{
    struct synced before = {0};

    if (sa->has_synced && read_synced(&before, bytes_of(sa->synced, sizeof sa->synced)) &&
        synced->theirs <= before.theirs) {
        return false;
    }
    return synced->theirs >= sa->peer_next_id && synced->theirs < MESSAGE_ID_MAX &&
           synced->ours < MESSAGE_ID_MAX;
}

static enum err answer(struct ike *ike, struct ike_sa *sa, const struct synced *synced,
                       const struct path *path)
{
    uint32_t ours = synced->ours > sa->next_id ? synced->ours : sa->next_id;
    uint8_t data[SYNC_LEN];
    uint8_t buffer[64];
    struct writer w = writer_of(data, sizeof data);
    struct chain reply = chain_of(buffer, sizeof buffer);

    wr_bytes(&w, synced->nonce);
    wr_u32(&w, ours);
    wr_u32(&w, synced->theirs);
    notify_write(&reply, 0, (struct bytes){0}, N_IKEV2_MESSAGE_ID_SYNC, wr_written(&w));
    return exchange_sync(sa, ours, synced->theirs, &reply, ike_room(ike), path, ike->now);
}

enum id_sync id_sync_input(struct ike *ike, struct ike_sa *sa, struct bytes data,
                           const struct path *path)
{
    struct synced synced;
    enum err err;

    if (repeated(sa, data)) {
        exchange_answer_again(sa, path);
        rung_response(ike, sa, true);
        return ID_SYNC_REPEATED;
    }
    if (!read_synced(&synced, data) || !fresh(sa, &synced)) {
        return ID_SYNC_STALE;
    }
    err = answer(ike, sa, &synced, path);
    if (err != OK) {
        ike_close_error(ike, err, exchange_name(X_INFORMATIONAL));
        return ID_SYNC_OBEYED;
    }
    memcpy(sa->synced, data.data, sizeof sa->synced);
    sa->has_synced = true;
    rung_response(ike, sa, false);
    if (sa->request.busy) {
        rung_request(ike, sa, true);
    }
    return ID_SYNC_OBEYED;
}
