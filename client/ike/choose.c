/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/choose.h"

/* The responder's side of RFC 7296 2.7 and 3.3: our order of preference decides, not the peer's. */

struct offered {
    const struct sa_proposal *proposal;
    const struct proposal *ours;
    const struct proposal_list *groups;
    uint16_t ke_group;
};

static bool has_type(const struct sa_proposal *proposal, uint8_t type)
{
    for (size_t i = 0; i < proposal->n_transforms; i++) {
        if (proposal->transforms[i].type == type) {
            return true;
        }
    }
    return false;
}

static bool has_none(const struct sa_proposal *proposal, uint8_t type)
{
    for (size_t i = 0; i < proposal->n_transforms; i++) {
        if (proposal->transforms[i].type == type && proposal->transforms[i].id == 0) {
            return true;
        }
    }
    return false;
}

static bool has_alg(const struct sa_proposal *proposal, const struct alg *alg)
{
    uint16_t bits = (alg->flags & ALG_KEYLEN) != 0 ? alg->key_bits : 0;

    for (size_t i = 0; i < proposal->n_transforms; i++) {
        const struct sa_transform *transform = &proposal->transforms[i];

        if (transform->type == alg->type && transform->id == alg->id &&
            transform->key_bits == bits && !transform->unknown_attribute) {
            return true;
        }
    }
    return false;
}

static const struct alg *pick(const struct offered *offered, enum transform_type type)
{
    for (size_t i = 0; i < offered->ours->n_algs; i++) {
        const struct alg *alg = offered->ours->algs[i];

        if (alg->type == type && has_alg(offered->proposal, alg)) {
            return alg;
        }
    }
    return NULL;
}

static const struct alg *group_from(const struct offered *offered, const struct proposal *list,
                                    bool only_sent)
{
    for (size_t i = 0; i < list->n_algs; i++) {
        const struct alg *alg = list->algs[i];

        if (alg->type == TRANSFORM_KE && alg->id != KE_NONE && has_alg(offered->proposal, alg) &&
            (!only_sent || alg->id == offered->ke_group)) {
            return alg;
        }
    }
    return NULL;
}

/* The group whose value has come saves a round trip; any of ours is as good (RFC 7296 1.3). */
static const struct alg *pick_group(const struct offered *offered)
{
    const struct alg *alg = NULL;

    for (int pass = 0; pass < 2 && alg == NULL; pass++) {
        bool only_sent = pass == 0;

        alg = group_from(offered, offered->ours, only_sent);
        for (size_t i = 0; i < offered->groups->n && alg == NULL; i++) {
            alg = group_from(offered, &offered->groups->items[i], only_sent);
        }
    }
    return alg;
}

/* A kind of transform that we do not know and that cannot be left out. */
static bool unknown_type(const struct sa_proposal *proposal)
{
    for (size_t i = 0; i < proposal->n_transforms; i++) {
        uint8_t type = proposal->transforms[i].type;

        if ((type < TRANSFORM_ENCR || type > TRANSFORM_SN) && !has_none(proposal, type)) {
            return true;
        }
    }
    return false;
}

static bool choose_ciphers(struct suite *suite, const struct offered *offered)
{
    const struct sa_proposal *proposal = offered->proposal;

    suite->encr = pick(offered, TRANSFORM_ENCR);
    if (suite->encr == NULL) {
        return false;
    }
    if ((suite->encr->flags & ALG_AEAD) != 0) {
        /* RFC 5282 8: no integrity algorithm beside a combined mode, or NONE. */
        return !has_type(proposal, TRANSFORM_INTEG) || has_none(proposal, TRANSFORM_INTEG);
    }
    suite->integ = pick(offered, TRANSFORM_INTEG);
    return suite->integ != NULL;
}

static bool choose_group(struct suite *suite, const struct offered *offered)
{
    const struct sa_proposal *proposal = offered->proposal;
    bool optional = !has_type(proposal, TRANSFORM_KE) || has_none(proposal, TRANSFORM_KE);

    if (proposal->protocol == PROTO_ESP && optional && offered->ke_group == 0) {
        return true;
    }
    suite->ke = pick_group(offered);
    return suite->ke != NULL || (proposal->protocol == PROTO_ESP && optional);
}

static bool choose_rest(struct suite *suite, const struct offered *offered, const struct alg **sn)
{
    *sn = NULL;
    if (offered->proposal->protocol == PROTO_IKE) {
        suite->prf = pick(offered, TRANSFORM_PRF);
        return suite->prf != NULL;
    }
    if (has_type(offered->proposal, TRANSFORM_PRF)) {
        return false;
    }
    /* Old gateways leave out "no extended sequence numbers". */
    if (has_type(offered->proposal, TRANSFORM_SN)) {
        *sn = pick(offered, TRANSFORM_SN);
        suite->esn = *sn != NULL && (*sn)->id == 1;
        return *sn != NULL;
    }
    return true;
}

static void fill_proposal(struct proposal *out, const struct suite *suite, const struct alg *sn)
{
    const struct alg *const chosen[] = {suite->encr, suite->prf, suite->integ, suite->ke, sn};

    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
        if (chosen[i] != NULL) {
            out->algs[out->n_algs++] = chosen[i];
        }
    }
}

static bool choose_one(struct sa_choice *out, const struct offered *offered)
{
    struct suite suite = {0};
    const struct alg *sn;

    if (unknown_type(offered->proposal) || !choose_ciphers(&suite, offered) ||
        !choose_group(&suite, offered) || !choose_rest(&suite, offered, &sn)) {
        return false;
    }
    *out = (struct sa_choice){
        .number = offered->proposal->number,
        .spi = offered->proposal->spi,
        .suite = suite,
        .proposal.protocol = offered->ours->protocol,
    };
    fill_proposal(&out->proposal, &suite, sn);
    return true;
}

static bool spi_usable(const struct sa_proposal *proposal)
{
    struct reader r = reader_of(proposal->spi);

    if (proposal->protocol == PROTO_IKE) {
        return proposal->spi.len == 8 && rd_u64(&r) != 0;
    }
    return proposal->spi.len == 4 && rd_u32(&r) > 255;
}

enum err sa_choose(struct sa_choice *out, struct bytes body, const struct proposal_list *ours,
                   const struct proposal_list *groups, uint16_t ke_group)
{
    struct sa_proposal proposal;
    struct reader r = reader_of(body);
    bool found = false;

    for (size_t i = 0; i < ours->n && !found; i++) {
        for (r = reader_of(body); sa_next(&r, &proposal);) {
            const struct offered offered = {&proposal, &ours->items[i], groups, ke_group};

            if (!found && proposal.protocol == ours->items[i].protocol && spi_usable(&proposal)) {
                found = choose_one(out, &offered);
            }
        }
    }
    if (r.failed) {
        return ERR_SYNTAX;
    }
    return found ? OK : ERR_UNSUPPORTED;
}

uint8_t sa_first_protocol(struct bytes body)
{
    struct sa_proposal proposal;
    struct reader r = reader_of(body);

    return sa_next(&r, &proposal) ? proposal.protocol : 0;
}
