/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/*
 * Whether a datagram of some size gets through: an INFORMATIONAL request that is padded to it,
 * whose answer is the acknowledgement that ESP does not have (RFC 8899 3, RFC 7296 2.4). It is sent
 * whole twice. Then it has been lost, and the window has to be freed: an empty request with the
 * same message ID takes turns with it.
 *
 * RFC 7296 2.1 wants repetitions identical bit by bit, for the sake of a responder that has seen
 * the request already. One that has seen neither cannot tell, and to do both would be the same as
 * to do one. One that has seen the large one, and whose answers were lost, knows repetitions by
 * their message ID (libreswan), or drops those whose hash is another (strongSwan): then it answers
 * when the large one has its turn. To repeat that alone would stop the IKE SA on every path that
 * does not carry it. RFC 7383 2.5.2 lets an initiator cut such a message anew, but routers do not
 * make fragments of IPv6, and strongSwan with its mediation extension takes IKE's own in
 * INFORMATIONAL for something else. A move ends the probe at once (probe_gives_way()), so that all
 * that it can hold up is what may wait for a few seconds.
 */

#define WHOLE_TRIES 2

/* A status notification of the private range (RFC 7296 3.10.1): whoever does not know it ignores
 * it. */
#define N_PADDING 0xd0ff
#define NOTIFY_AROUND 8

void ike_probe_mtu(struct ike *ike, uint16_t size, uint64_t now)
{
    ike_advance(ike, now);
    ike->probe.wanted = size;
    ike_run(ike);
}

bool probe_due(struct ike *ike)
{
    return ike->probe.wanted != 0 && !paths_offline(ike);
}

enum err probe_build(struct ike *ike, struct chain *chain)
{
    size_t text = message_room(ike->sa.out, exchange_room(ike->probe.wanted, &ike->path.remote));

    ike->probe.size = ike->probe.wanted;
    ike->probe.wanted = 0;
    chain_begin(chain, P_NOTIFY);
    wr_u16(&chain->w, 0); /* no protocol, no SPI */
    wr_u16(&chain->w, N_PADDING);
    wr_zeros(&chain->w, text > NOTIFY_AROUND ? text - NOTIFY_AROUND : 0);
    chain_end(chain);
    return OK;
}

bool probe_is_whole(const struct ike *ike)
{
    const struct request *request = &ike->sa.request;

    return request->purpose == TASK_PROBE && request->tries <= WHOLE_TRIES;
}

static void report(struct ike *ike, bool passed)
{
    if (ike->probe.size != 0) {
        ike_emit(ike, &(struct ike_event){
                          .type = IKE_EVENT_MTU, .mtu = ike->probe.size, .passed = passed});
        ike->probe.size = 0;
    }
}

void probe_gives_way(struct ike *ike)
{
    if (ike->sa.request.purpose == TASK_PROBE) {
        ike->sa.request.tries = WHOLE_TRIES;
        ike->probe.size = 0;
    }
}

enum err probe_repeated(struct ike *ike)
{
    const struct request *request = &ike->sa.request;

    if (request->purpose != TASK_PROBE || probe_is_whole(ike)) {
        return OK;
    }
    report(ike, false);
    return request->plain.len > 0 ? exchange_empty(&ike->sa) : OK;
}

enum err probe_answered(struct ike *ike, struct ike_sa *sa, const struct message *message)
{
    (void)sa;
    (void)message;
    /* After the third try it has been reported as lost already. */
    report(ike, true);
    return OK;
}
