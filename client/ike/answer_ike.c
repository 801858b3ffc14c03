/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/choose.h"
#include "ike/engine.h"

/* The gateway rekeys the IKE SA: we are the responder of the new one (RFC 7296 1.3.2, 2.8, 2.18).
 */

/* RFC 7296 2.25.2: not while a Child SA is made, rekeyed or closed; nor a second time. */
static bool busy(struct ike *ike)
{
    return ike->sa.request.purpose == TASK_REKEY_CHILD ||
           ike->sa.request.purpose == TASK_DELETE_CHILD ||
           others_in_state(ike, OTHER_PENDING) != NULL;
}

static enum err make(struct ike *ike, const struct sa_choice *choice, const struct ke_payload *peer,
                     struct ike_sa *out, struct ke **ke)
{
    struct reader r = reader_of(choice->spi);
    struct secret shared = {0};
    enum err err = renew_ike_spi(ike, &out->spi_r);

    out->spi_i = rd_u64(&r);
    if (err == OK) {
        err = renew_nonce(ike, &out->nr);
    }
    if (err == OK) {
        err = renew_shared(ike, peer, choice->suite.ke, ke, &shared);
    }
    if (err == OK) {
        err = renew_ike_keys(ike, out, &choice->suite, secret_bytes(&shared));
    }
    secret_free(&shared);
    return err;
}

static void write_answer(struct chain *reply, const struct sa_choice *choice,
                         const struct ike_sa *sa, const struct ke *ke)
{
    uint8_t spi[8];
    struct writer w = writer_of(spi, sizeof spi);

    wr_u64(&w, sa->spi_r);
    sa_write_choice(reply, choice->number, &choice->proposal, bytes_of(spi, sizeof spi));
    chain_add(reply, P_NONCE, secret_bytes(&sa->nr));
    ke_write(reply, choice->suite.ke->id, ke_public(ke));
}

static enum err read_request(const struct ike *ike, const struct message *message,
                             struct sa_choice *choice, struct ke_payload *peer, struct bytes *ni)
{
    const struct proposal_list no_groups = {0};
    struct proposal_list ours;
    const struct payload *payload = message_find(message, P_KE, 0);
    enum err err = nonce_parse(ni, message_find(message, P_NONCE, 0)->body);

    if (err == OK && payload != NULL) {
        err = ke_parse(peer, payload->body);
    }
    if (err != OK) {
        return err;
    }
    renew_ike_offer(ike, &ours);
    return sa_choose(choice, message_find(message, P_SA, 0)->body, &ours, &no_groups, peer->group);
}

enum err answer_ike(struct ike *ike, const struct message *message, struct chain *reply)
{
    struct sa_choice choice;
    struct ke_payload peer = {0};
    struct ike_sa sa = {0};
    struct ke *ke = NULL;
    struct bytes ni;
    enum err err;

    if (busy(ike)) {
        create_child_refuse(reply, N_TEMPORARY_FAILURE);
        return OK;
    }
    err = read_request(ike, message, &choice, &peer, &ni);
    if (err == ERR_UNSUPPORTED) {
        create_child_refuse(reply, N_NO_PROPOSAL_CHOSEN);
        return OK;
    }
    if (err != OK) {
        return err;
    }
    if (choice.suite.ke->id != peer.group) {
        create_child_wrong_group(reply, choice.suite.ke);
        return OK;
    }
    err = secret_set(&sa.ni, ni) ? make(ike, &choice, &peer, &sa, &ke) : ERR_MEMORY;
    if (err == OK) {
        write_answer(reply, &choice, &sa, ke);
        others_add(ike, &sa, OTHER_PENDING);
    } else if (err == ERR_KEY) {
        err = ERR_SYNTAX;
    }
    ike_sa_free(&sa);
    ke_free(ke);
    return err;
}
