/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/choose.h"
#include "ike/engine.h"

/* CREATE_CHILD_SA of the gateway, before it is known what it makes (RFC 7296 1.3). */

void create_child_refuse(struct chain *reply, uint16_t type)
{
    notify_write(reply, 0, (struct bytes){0}, type, (struct bytes){0});
}

void create_child_wrong_group(struct chain *reply, const struct alg *group)
{
    uint8_t id[2];
    struct writer w = writer_of(id, sizeof id);

    /* RFC 7296 1.3: what the peer is to send instead */
    wr_u16(&w, group->id);
    notify_write(reply, 0, (struct bytes){0}, N_INVALID_KE_PAYLOAD, bytes_of(id, sizeof id));
}

enum err create_child_answer(struct ike *ike, struct ike_sa *sa, const struct message *message,
                             struct chain *reply)
{
    /* RFC 7296 2.25.2: an IKE SA that is being closed or is replaced makes nothing any more. */
    if (sa != &ike->sa || ike->state != ST_UP) {
        create_child_refuse(reply, N_TEMPORARY_FAILURE);
        return OK;
    }
    switch (sa_first_protocol(message_find(message, P_SA, 0)->body)) {
    case PROTO_IKE:
        return answer_ike(ike, message, reply);
    case PROTO_ESP:
        return answer_child(ike, message, reply);
    case 0:
        return ERR_SYNTAX;
    default:
        create_child_refuse(reply, N_NO_PROPOSAL_CHOSEN);
        return OK;
    }
}
