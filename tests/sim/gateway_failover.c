/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/* The gateway is a cluster, and another member of it takes over: it knows the SAs, but its message
 * IDs are those of a while ago (RFC 6311). */

#define SKIPPED 5

void gateway_failover(struct gateway *gateway, uint32_t stale, uint64_t now)
{
    struct gateway_sa *sa = gateway->sa;
    uint8_t data[12], buffer[64];
    struct writer w = writer_of(data, sizeof data);
    struct chain chain = chain_of(buffer, sizeof buffer);
    uint32_t next = sa->next_id;

    gateway->now = now;
    gateway_forget_exchanges(sa);
    sa->expected -= MIN(stale, sa->expected);
    sa->sync_nonce = 0x60d41700U + gateway->failovers++;
    wr_u32(&w, sa->sync_nonce);
    wr_u32(&w, next + SKIPPED);
    wr_u32(&w, sa->expected);
    notify_write(&chain, 0, (struct bytes){0}, N_IKEV2_MESSAGE_ID_SYNC, wr_written(&w));
    sa->next_id = 0;
    (void)gateway_send_request(gateway, sa, X_INFORMATIONAL, &chain);
    sa->ask = GATEWAY_ASK_SYNC;
    sa->next_id = next + SKIPPED;
}

void gateway_synced(struct gateway *gateway, struct gateway_sa *sa, const struct message *message)
{
    const struct payload *payload = message_find(message, P_NOTIFY, 0);
    struct notify notify;
    struct reader r;
    uint32_t theirs, ours;

    if (payload == NULL || message_find(message, P_NOTIFY, 1) != NULL ||
        notify_parse(&notify, payload->body) != OK || notify.type != N_IKEV2_MESSAGE_ID_SYNC) {
        gateway_complain(gateway, "a synchronisation without its notification");
        return;
    }
    r = reader_of(notify.data);
    if (rd_u32(&r) != sa->sync_nonce) {
        gateway_complain(gateway, "a synchronisation with another nonce");
    }
    theirs = rd_u32(&r);
    ours = rd_u32(&r);
    if (!rd_done(&r) || ours < sa->next_id || theirs < sa->expected) {
        gateway_complain(gateway, "message IDs that are lower than what was proposed");
        return;
    }
    sa->next_id = ours;
    sa->expected = theirs;
}
