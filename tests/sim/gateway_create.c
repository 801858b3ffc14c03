/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/* CREATE_CHILD_SA and Delete of the client (RFC 7296 1.3, 1.4.1, 2.8, 2.25). */

#define NONCE_LEN 32

struct bytes gateway_lower(struct bytes a, struct bytes b)
{
    int order = memcmp(a.data, b.data, MIN(a.len, b.len));

    return order < 0 || (order == 0 && a.len < b.len) ? a : b;
}

void gateway_nonce(struct gateway *gateway, struct secret *out, int first)
{
    secret_free(out);
    sim_require(secret_alloc(out, NONCE_LEN) && rng_fill(&gateway->rng, out->data, NONCE_LEN) == OK,
                "nonce");
    if (first != GATEWAY_RANDOM) {
        out->data[0] = (uint8_t)first;
    }
}

static void refuse(struct chain *reply, uint16_t type)
{
    notify_write(reply, 0, (struct bytes){0}, type, (struct bytes){0});
}

/* The next refusal that was configured; 0 = none. */
static uint16_t next_refusal(const struct gateway *gateway, const uint16_t *list, size_t *done)
{
    if (*done == GATEWAY_REFUSALS_MAX || list[*done] == 0) {
        if (!gateway->config.refuse_forever) {
            return 0;
        }
        *done = 0;
    }
    return list[*done] != 0 ? list[(*done)++] : 0;
}

static bool asking(const struct gateway_sa *sa, enum gateway_ask ask)
{
    return sa->request != NULL && sa->ask == ask;
}

static const struct alg *offered_group(const struct sa_proposal *offer, uint16_t wanted)
{
    for (size_t i = 0; i < offer->n_transforms; i++) {
        if (offer->transforms[i].type == TRANSFORM_KE && offer->transforms[i].id != KE_NONE &&
            (wanted == 0 || offer->transforms[i].id == wanted)) {
            return alg_find(TRANSFORM_KE, offer->transforms[i].id, 0);
        }
    }
    return NULL;
}

static bool may_go_without(const struct sa_proposal *offer)
{
    bool any = false, none = false;

    for (size_t i = 0; i < offer->n_transforms; i++) {
        any = any || offer->transforms[i].type == TRANSFORM_KE;
        none = none ||
               (offer->transforms[i].type == TRANSFORM_KE && offer->transforms[i].id == KE_NONE);
    }
    return !any || none;
}

/* What a request asks for, and what is chosen of it. */
struct wish {
    struct proposal choice;
    uint8_t number;
    struct bytes spi, ni;
    struct ke_payload ke; /* group 0 = none */
    const struct alg *group;
    struct secret nr, shared;
    struct ke *ours;
};

static bool choose_group(const struct gateway *gateway, const struct sa_proposal *offer,
                         struct wish *wish)
{
    const struct gateway_config *config = &gateway->config;
    bool ike = offer->protocol == PROTO_IKE;
    uint16_t wanted = ike ? config->ike_group : config->pfs_group;

    wish->group = NULL;
    if (!ike && config->pfs == GATEWAY_PFS_NEVER) {
        return may_go_without(offer);
    }
    wish->group = offered_group(offer, wanted != 0 ? wanted : wish->ke.group);
    if (wish->group == NULL && wanted == 0) {
        wish->group = offered_group(offer, 0);
    }
    return wish->group != NULL || (!ike && config->pfs == GATEWAY_PFS_ANY && may_go_without(offer));
}

/* The first proposal of the client's that suits. */
static bool choose(const struct gateway *gateway, struct bytes sa, enum protocol protocol,
                   struct wish *wish)
{
    static struct sa_proposal offer;
    static struct proposal_list accepted;
    struct reader r = reader_of(sa);

    if (protocol == PROTO_IKE) {
        gateway_ike_proposals(gateway, &accepted);
    } else {
        gateway_esp_proposals(gateway, &accepted);
    }
    while (sa_next(&r, &offer)) {
        for (size_t i = 0; i < accepted.n; i++) {
            if (offer.protocol != protocol ||
                !gateway_choose_from(&offer, &accepted.items[i], &wish->choice) ||
                !choose_group(gateway, &offer, wish)) {
                continue;
            }
            wish->number = offer.number;
            wish->spi = offer.spi;
            for (size_t a = 0; a < wish->choice.n_algs; a++) {
                if (wish->choice.algs[a]->type == TRANSFORM_KE) {
                    wish->choice.algs[a] = wish->group;
                    return true;
                }
            }
            if (wish->group != NULL) {
                wish->choice.algs[wish->choice.n_algs++] = wish->group;
            }
            return true;
        }
    }
    return false;
}

/* Nonce, proposal and key exchange; false when a refusal was written. */
static bool negotiate(struct gateway *gateway, const struct message *message,
                      enum protocol protocol, struct wish *wish, struct chain *reply)
{
    const struct payload *ke = message_find(message, P_KE, 0);
    const struct payload *nonce = message_find(message, P_NONCE, 0);
    uint8_t id[2];
    struct writer w = writer_of(id, sizeof id);

    if (nonce == NULL || nonce_parse(&wish->ni, nonce->body) != OK ||
        (ke != NULL && ke_parse(&wish->ke, ke->body) != OK)) {
        gateway_complain(gateway, "a CREATE_CHILD_SA without what it needs");
        refuse(reply, N_INVALID_SYNTAX);
        return false;
    }
    if (!choose(gateway, message_find(message, P_SA, 0)->body, protocol, wish)) {
        refuse(reply, N_NO_PROPOSAL_CHOSEN);
        return false;
    }
    if (wish->group != NULL && wish->group->id != wish->ke.group) {
        wr_u16(&w, wish->group->id);
        notify_write(reply, 0, (struct bytes){0}, N_INVALID_KE_PAYLOAD, wr_written(&w));
        return false;
    }
    if (wish->group != NULL) {
        sim_require(ke_new(&wish->ours, wish->group, &gateway->rng) == OK, "key exchange");
        if (ke_shared(wish->ours, wish->ke.data, &wish->shared) != OK) {
            gateway_complain(gateway, "a KE payload that is not valid");
            refuse(reply, N_INVALID_SYNTAX);
            return false;
        }
    }
    gateway_nonce(gateway, &wish->nr, gateway->nonce_r);
    return true;
}

static void wish_free(struct wish *wish)
{
    secret_free(&wish->nr);
    secret_free(&wish->shared);
    ke_free(wish->ours);
}

/* ---- Child SAs ---- */

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

static bool selectors_suit(const struct gateway *gateway, const struct message *message)
{
    static struct ts_list tsi;
    const struct payload *payload = message_find(message, P_TSi, 0);
    bool narrowed;

    if (payload == NULL || message_find(message, P_TSr, 0) == NULL ||
        ts_parse(&tsi, payload->body) != OK) {
        return false;
    }
    if (gateway->saved_tsi == NULL) {
        return true; /* the first one */
    }
    narrowed = tsi.n == 1 && addr_equal(&tsi.items[0].start, &tsi.items[0].end);
    return gateway->config.ts == GATEWAY_TS_ANY ||
           narrowed == (gateway->config.ts == GATEWAY_TS_NARROWED);
}

static void answer_child(struct gateway *gateway, const struct message *message,
                         struct gateway_child *old, struct wish *wish, struct chain *reply)
{
    struct gateway_child made = {.replaces = old != NULL ? old->spi_in : 0};
    struct gateway_attempt *attempt = &gateway->attempt;
    uint8_t spi[4];
    struct writer w = writer_of(spi, sizeof spi);
    struct reader r = reader_of(wish->spi);

    made.spi_out = rd_u32(&r);
    made.spi_in = gateway_child_spi(gateway);
    made.network = gateway_network(message_find(message, P_TSr, 0)->body);
    gateway_suite(&made.suite, &wish->choice);
    sim_require(child_keys_derive(&made.keys, gateway->sa->suite.prf,
                                  secret_bytes(&gateway->sa->keys.d), &made.suite,
                                  secret_bytes(&wish->shared), wish->ni,
                                  secret_bytes(&wish->nr)) == OK,
                "KEYMAT");
    wr_u32(&w, made.spi_in);
    sa_write_choice(reply, wish->number, &wish->choice, bytes_of(spi, sizeof spi));
    chain_add(reply, P_NONCE, secret_bytes(&wish->nr));
    if (wish->ours != NULL) {
        ke_write(reply, wish->group->id, ke_public(wish->ours));
    }
    gateway_write_ts(gateway, reply, message_find(message, P_TSi, 0)->body,
                     message_find(message, P_TSr, 0)->body);
    (void)gateway_child_add(gateway, &made);
    gateway->child_rekeys += gateway->saved_tsi != NULL;
    if (gateway->saved_tsi == NULL) {
        gateway_set(&gateway->saved_tsi, message_find(message, P_TSi, 0)->body);
        gateway_set(&gateway->saved_tsr, message_find(message, P_TSr, 0)->body);
    }
    if (old == NULL) {
        gateway->outbound = made.spi_in;
    } else if (asking(gateway->sa, GATEWAY_ASK_REKEY_CHILD) && attempt->child == old->spi_in) {
        attempt->their_child = made.spi_in;
        sim_require(
            secret_set(&attempt->theirs_lowest, gateway_lower(wish->ni, secret_bytes(&wish->nr))),
            "nonce");
    } else {
        old->state = GATEWAY_CHILD_REPLACED;
        if (gateway->config.eager) {
            gateway->outbound = made.spi_in;
        }
    }
}

static void create_child(struct gateway *gateway, struct gateway_sa *sa,
                         const struct message *message, struct chain *reply)
{
    uint16_t refusal = next_refusal(gateway, gateway->config.refuse_child, &gateway->refused_child);
    struct gateway_child *old = NULL;
    struct wish wish = {0};
    struct notify rekey;
    struct reader r;

    if (refusal != 0) {
        refuse(reply, refusal);
        return;
    }
    if (find_rekey(message, &rekey)) {
        r = reader_of(rekey.spi);
        old = gateway_child_out(gateway, rd_u32(&r));
        if (old == NULL) {
            notify_write(reply, rekey.protocol, rekey.spi, N_CHILD_SA_NOT_FOUND, (struct bytes){0});
            return;
        }
        if (old->state == GATEWAY_CHILD_REPLACED && !gateway->config.leaves_behind) {
            gateway_complain(gateway, "a Child SA is rekeyed twice");
        }
    }
    if (old == NULL && gateway->config.no_new_child) {
        refuse(reply, N_NO_ADDITIONAL_SAS);
        return;
    }
    if (asking(sa, GATEWAY_ASK_REKEY_IKE) || (old != NULL && old->state != GATEWAY_CHILD_UP)) {
        refuse(reply, N_TEMPORARY_FAILURE);
    } else if (!selectors_suit(gateway, message)) {
        refuse(reply, N_TS_UNACCEPTABLE);
    } else if (negotiate(gateway, message, PROTO_ESP, &wish, reply)) {
        answer_child(gateway, message, old, &wish, reply);
    }
    wish_free(&wish);
}

/* ---- IKE SAs ---- */

static void answer_ike(struct gateway *gateway, struct gateway_sa *old, struct wish *wish,
                       struct chain *reply)
{
    struct gateway_sa *made = gateway_sa_new(gateway);
    struct gateway_attempt *attempt = &gateway->attempt;
    struct suite suite;
    uint8_t spi[8];
    struct writer w = writer_of(spi, sizeof spi);
    struct reader r = reader_of(wish->spi);

    sim_require(wish->spi.len == sizeof spi, "the SPI of an IKE SA");
    made->spi_i = rd_u64(&r);
    sim_require(rng_fill(&gateway->rng, spi, sizeof spi) == OK, "SPI");
    r = reader_of(bytes_of(spi, sizeof spi));
    made->spi_r = rd_u64(&r);
    sim_require(secret_set(&made->ni, wish->ni) && secret_set(&made->nr, secret_bytes(&wish->nr)),
                "nonces");
    gateway_suite(&suite, &wish->choice);
    gateway_rekey_keys(made, old, &suite, secret_bytes(&wish->shared));
    wr_u64(&w, made->spi_r);
    sa_write_choice(reply, wish->number, &wish->choice, bytes_of(spi, sizeof spi));
    chain_add(reply, P_NONCE, secret_bytes(&wish->nr));
    ke_write(reply, wish->group->id, ke_public(wish->ours));
    gateway_write_token(gateway, reply, made->spi_i, made->spi_r);
    gateway->ike_rekeys++;
    if (asking(old, GATEWAY_ASK_REKEY_IKE)) {
        attempt->their_sa = made;
        sim_require(
            secret_set(&attempt->theirs_lowest, gateway_lower(wish->ni, secret_bytes(&wish->nr))),
            "nonce");
    } else {
        old->state = GATEWAY_SA_REPLACED;
        gateway->sa = made;
    }
}

static void create_ike(struct gateway *gateway, struct gateway_sa *sa,
                       const struct message *message, struct chain *reply)
{
    uint16_t refusal = next_refusal(gateway, gateway->config.refuse_ike, &gateway->refused_ike);
    struct wish wish = {0};

    if (refusal != 0) {
        refuse(reply, refusal);
    } else if (asking(sa, GATEWAY_ASK_REKEY_CHILD) || asking(sa, GATEWAY_ASK_DELETE_CHILD)) {
        refuse(reply, N_TEMPORARY_FAILURE); /* RFC 7296 2.25.2 */
    } else if (gateway->attempt.their_sa != NULL) {
        gateway_complain(gateway, "an IKE SA is rekeyed twice");
        refuse(reply, N_TEMPORARY_FAILURE);
    } else if (negotiate(gateway, message, PROTO_IKE, &wish, reply)) {
        answer_ike(gateway, sa, &wish, reply);
    }
    wish_free(&wish);
}

void gateway_create_request(struct gateway *gateway, struct gateway_sa *sa,
                            const struct message *message, struct chain *reply)
{
    static struct sa_proposal offer;
    const struct payload *payload = message_find(message, P_SA, 0);
    struct reader r;

    if (payload == NULL) {
        gateway_complain(gateway, "a CREATE_CHILD_SA without SA");
        refuse(reply, N_INVALID_SYNTAX);
        return;
    }
    r = reader_of(payload->body);
    if (!sa_next(&r, &offer)) {
        gateway_complain(gateway, "a CREATE_CHILD_SA without proposal");
        refuse(reply, N_INVALID_SYNTAX);
    } else if (sa != gateway->sa || sa->state != GATEWAY_SA_UP || gateway->phase != GATEWAY_UP ||
               asking(sa, GATEWAY_ASK_DELETE_IKE)) {
        refuse(reply, N_TEMPORARY_FAILURE);
    } else if (offer.protocol == PROTO_IKE) {
        create_ike(gateway, sa, message, reply);
    } else {
        create_child(gateway, sa, message, reply);
    }
}

/* ---- Delete ---- */

static void delete_sa(struct gateway *gateway, struct gateway_sa *sa)
{
    struct gateway_attempt *attempt = &gateway->attempt;

    if (sa == gateway->sa && attempt->their_sa != NULL) {
        /* RFC 7296 2.8.2: the client has not seen our rekeying. */
        gateway->sa = attempt->their_sa;
        gateway_attempt_free(gateway);
    } else if (sa == attempt->their_sa) {
        attempt->their_sa = NULL;
        secret_free(&attempt->theirs_lowest);
    } else if (sa == gateway->sa) {
        gateway->delete_received = true;
        gateway->phase = GATEWAY_CLOSED;
        gateway_children_free(gateway);
    }
    sa->state = GATEWAY_SA_GONE;
    if (sa->request != NULL) {
        g_ptr_array_unref(sa->request);
        sa->request = NULL;
    }
}

void gateway_delete_request(struct gateway *gateway, struct gateway_sa *sa,
                            const struct payload *payload, struct chain *reply)
{
    struct delete_payload deletion;
    uint32_t pair[GATEWAY_CHILDREN_MAX];
    struct reader r;
    size_t n = 0;

    if (delete_parse(&deletion, payload->body) != OK) {
        gateway_complain(gateway, "a Delete that does not parse");
        return;
    }
    if (deletion.protocol == PROTO_IKE) {
        delete_sa(gateway, sa);
        return;
    }
    r = reader_of(deletion.spis);
    for (uint16_t i = 0; i < deletion.n_spis; i++) {
        struct gateway_child *child = gateway_child_out(gateway, rd_u32(&r));

        if (child == NULL) {
            continue;
        }
        /* RFC 7296 1.4.1: deletes that cross name each half once. */
        if (child->state != GATEWAY_CHILD_DELETING && n < GATEWAY_CHILDREN_MAX) {
            pair[n++] = child->spi_in;
        }
        gateway_child_deleted(gateway, child);
    }
    if (n > 0) {
        delete_write(reply, PROTO_ESP, pair, n);
    }
}
