/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

/* What rekeying a Child SA and rekeying the IKE SA have in common (RFC 7296 1.3, 2.8, 2.18). */

#define EXPIRY_MARGIN_US UINT64_C(120000000)
#define RETRY_FIRST_US UINT64_C(2000000)

uint64_t renew_jitter(const struct ike *ike, uint64_t interval)
{
    uint8_t dice = 128;

    /* RFC 7296 2.8: both sides jitter, so that they seldom rekey at once. */
    if (rng_fill(&ike->config.rng, &dice, 1) != OK) {
        return interval;
    }
    return interval - interval / 10 + interval / 5 / 255 * dice;
}

/*
 * 2^34 blocks of AES give an attacker an advantage of at most 2^-59, counter mode and CBC alike
 * (the margin of RFC 8446 5.5); of 64-bit blocks not 2^23 may come together (SP 800-67 2 3.4,
 * Sweet32). ChaCha20 has no such bound.
 */
uint64_t renew_octets(const struct ike *ike, const struct suite *suite)
{
    uint64_t most = UINT64_C(1) << 38;

    if (suite->encr->id == ENCR_3DES) {
        most = UINT64_C(1) << 26;
    } else if (suite->encr->id == ENCR_CHACHA20_POLY1305) {
        most = UINT64_MAX;
    }
    if (ike->config.child_octets != 0 && ike->config.child_octets < most) {
        most = ike->config.child_octets;
    }
    return most != UINT64_MAX ? renew_jitter(ike, most) : 0;
}

uint64_t renew_expiry(uint64_t lifetime)
{
    uint64_t margin = lifetime / 2;

    /* However short the lifetime: lost messages and a gateway that is busy take their time. */
    return lifetime + (margin > EXPIRY_MARGIN_US ? margin : EXPIRY_MARGIN_US);
}

struct bytes renew_lower_nonce(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, common);

    /* RFC 7296 2.8.1: octet by octet; a nonce that the other one continues is lower. */
    if (order == 0) {
        return a.len <= b.len ? a : b;
    }
    return order < 0 ? a : b;
}

enum err renew_nonce(const struct ike *ike, struct secret *out)
{
    if (!secret_alloc(out, RENEW_NONCE_LEN)) {
        return ERR_MEMORY;
    }
    return rng_fill(&ike->config.rng, out->data, out->len);
}

enum err renew_shared(const struct ike *ike, const struct ke_payload *peer, const struct alg *group,
                      struct ke **ke, struct secret *shared)
{
    enum err err = ke_new(ke, group, &ike->config.rng);

    return err == OK ? ke_shared(*ke, peer->data, shared) : err;
}

enum err renew_ike_spi(const struct ike *ike, uint64_t *out)
{
    uint8_t octets[8];
    struct reader r;
    enum err err;

    do {
        err = rng_fill(&ike->config.rng, octets, sizeof octets);
        r = reader_of(bytes_of(octets, sizeof octets));
        *out = rd_u64(&r);
    } while (err == OK && *out == 0);
    return err;
}

void renew_ike_offer(const struct ike *ike, struct proposal_list *out)
{
    const struct suite *suite = &ike->sa.suite;
    const struct alg *const algs[] = {suite->encr, suite->prf, suite->integ, suite->ke};
    struct proposal *first = &out->items[0];

    *out = (struct proposal_list){.n = 1};
    first->protocol = PROTO_IKE;
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        if (algs[i] != NULL) {
            first->algs[first->n_algs++] = algs[i];
        }
    }
    for (size_t i = 0; i < ike->offer_ike.n && out->n < PROPOSALS_MAX; i++) {
        out->items[out->n++] = ike->offer_ike.items[i];
    }
}

enum err renew_ike_keys(const struct ike *ike, struct ike_sa *out, const struct suite *suite,
                        struct bytes shared)
{
    const struct key_seed seed = {
        .ni = secret_bytes(&out->ni),
        .nr = secret_bytes(&out->nr),
        .spi_i = out->spi_i,
        .spi_r = out->spi_r,
    };
    struct ike_keys *keys = &out->keys;
    const struct secret *e_out = out->initiator ? &keys->ei : &keys->er;
    const struct secret *e_in = out->initiator ? &keys->er : &keys->ei;
    const struct secret *a_out = out->initiator ? &keys->ai : &keys->ar;
    const struct secret *a_in = out->initiator ? &keys->ar : &keys->ai;
    enum err err = ike_keys_rekey(keys, suite, &seed, shared, ike->sa.suite.prf,
                                  secret_bytes(&ike->sa.keys.d));

    out->suite = *suite;
    out->fragmentation = ike->sa.fragmentation;
    out->syncs = ike->sa.syncs;
    if (err == OK) {
        err = crypt_new(&out->out, suite->encr, suite->integ, secret_bytes(e_out),
                        secret_bytes(a_out));
    }
    if (err == OK) {
        err =
            crypt_new(&out->in, suite->encr, suite->integ, secret_bytes(e_in), secret_bytes(a_in));
    }
    return err;
}

/* ---- as the initiator ---- */

void renew_add_groups(struct proposal *out, const struct proposal *from)
{
    for (size_t i = 0; i < from->n_algs && out->n_algs < PROPOSAL_ALGS_MAX; i++) {
        if (from->algs[i]->type == TRANSFORM_KE && from->algs[i]->id != KE_NONE) {
            out->algs[out->n_algs++] = from->algs[i];
        }
    }
}

/* The offered group of that id, or the first one (0); NULL. */
static const struct alg *offered_group(const struct proposal_list *offer, uint16_t id)
{
    for (size_t p = 0; p < offer->n; p++) {
        for (size_t a = 0; a < offer->items[p].n_algs; a++) {
            const struct alg *alg = offer->items[p].algs[a];

            if (alg->type == TRANSFORM_KE && alg->id != KE_NONE && (id == 0 || alg->id == id)) {
                return alg;
            }
        }
    }
    return NULL;
}

enum err renew_attempt(const struct ike *ike, struct renewal *renewal,
                       const struct proposal_list *offer)
{
    const struct alg *group = renewal->group;

    /* The group that the IKE SA has agreed on is the gateway's most likely choice. */
    if (group == NULL && ike->sa.suite.ke != NULL) {
        group = offered_group(offer, ike->sa.suite.ke->id);
    }
    if (group == NULL) {
        group = offered_group(offer, 0);
    }
    ke_free(renewal->ke);
    renewal->ke = NULL;
    secret_free(&renewal->theirs_lowest);
    renewal->theirs = 0;
    renewal->group = group;
    if (group != NULL && offered_group(offer, group->id) != NULL) {
        enum err err = ke_new(&renewal->ke, group, &ike->config.rng);

        if (err != OK) {
            return err;
        }
    }
    secret_free(&renewal->ni);
    return renew_nonce(ike, &renewal->ni);
}

bool renew_other_group(struct renewal *renewal, const struct proposal_list *offer,
                       struct bytes data)
{
    struct reader r = reader_of(data);
    uint16_t id = rd_u16(&r);
    const struct alg *group = rd_done(&r) && id != 0 ? offered_group(offer, id) : NULL;

    if (group == NULL || group == renewal->group) {
        return false;
    }
    renewal->group = group;
    return true;
}

enum err renew_finish_ke(struct renewal *renewal, const struct message *message,
                         const struct alg *group, struct secret *shared)
{
    const struct payload *payload = message_find(message, P_KE, 0);
    struct ke_payload peer;
    enum err err = payload != NULL ? ke_parse(&peer, payload->body) : ERR_SYNTAX;

    if (err == OK &&
        (renewal->ke == NULL || ke_group(renewal->ke) != group || peer.group != group->id)) {
        err = ERR_UNSUPPORTED;
    }
    return err == OK ? ke_shared(renewal->ke, peer.data, shared) : err;
}

void renew_reset(struct renewal *renewal)
{
    ke_free(renewal->ke);
    secret_free(&renewal->ni);
    secret_free(&renewal->theirs_lowest);
    *renewal = (struct renewal){.at = renewal->at, .wanted = renewal->wanted};
}

void renew_failed(const struct ike *ike, struct renewal *renewal)
{
    unsigned failures = renewal->failures < 6 ? renewal->failures + 1 : 6;
    bool wanted = renewal->wanted;

    renew_reset(renewal);
    renewal->wanted = wanted;
    renewal->failures = failures;
    /* RFC 7296 2.25: never at once, so that what is going on over there can end. */
    renewal->retry_at = ike->now + renew_jitter(ike, RETRY_FIRST_US << (failures - 1));
}
