/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/payload.h"

#define TRANSFORM_HEADER_LEN 8
#define LAST 0
#define MORE_PROPOSALS 2
#define MORE_TRANSFORMS 3
#define ATTRIBUTE_TV 0x8000 /* the value stands in place of the length */
#define ATTRIBUTE_KEY_LENGTH 14
#define ESP_SPI_LEN 4
#define IKE_SPI_LEN 8
#define ESP_SPI_MIN 256 /* 0 is for local use, 1..255 are reserved (RFC 4303 2.1) */

/* A substructure's length, checked against what is left; its content is what is returned. */
static struct bytes substructure(struct reader *r, uint8_t more, uint8_t *last)
{
    struct bytes content;
    uint16_t length;

    *last = rd_u8(r);
    rd_skip(r, 1);
    length = rd_u16(r);
    if (length < 4) {
        r->failed = true;
    }
    content = rd_bytes(r, r->failed ? 0 : (size_t)length - 4);
    /* RFC 7296 3.3.1, 3.3.2: redundant with the length, but a lie about it is still malformed. */
    if (*last != (r->left == 0 ? LAST : more)) {
        r->failed = true;
    }
    return content;
}

static bool parse_transform(struct sa_transform *out, struct bytes content)
{
    struct reader r = reader_of(content);

    *out = (struct sa_transform){.type = rd_u8(&r)};
    rd_skip(&r, 1);
    out->id = rd_u16(&r);
    while (!r.failed && r.left > 0) {
        uint16_t type = rd_u16(&r);
        uint16_t value = rd_u16(&r);

        if ((type & ATTRIBUTE_TV) == 0) {
            rd_skip(&r, value);
        }
        if (type == (ATTRIBUTE_TV | ATTRIBUTE_KEY_LENGTH) && out->key_bits == 0 && value != 0) {
            out->key_bits = value;
        } else {
            /* RFC 7296 3.3.6: such a transform is not acceptable, the others are. */
            out->unknown_attribute = true;
        }
    }
    return rd_done(&r);
}

bool sa_next(struct reader *r, struct sa_proposal *out)
{
    struct reader body;
    uint8_t last, spi_len, n_transforms;

    if (r->failed || r->left == 0) {
        return false;
    }
    body = reader_of(substructure(r, MORE_PROPOSALS, &last));
    out->number = rd_u8(&body);
    out->protocol = rd_u8(&body);
    spi_len = rd_u8(&body);
    n_transforms = rd_u8(&body);
    out->spi = rd_bytes(&body, spi_len);
    out->n_transforms = 0;
    if (n_transforms > SA_TRANSFORMS_MAX) {
        r->failed = true;
    }
    while (!r->failed && !body.failed && body.left > 0) {
        struct bytes content = substructure(&body, MORE_TRANSFORMS, &last);

        if (out->n_transforms == n_transforms ||
            !parse_transform(&out->transforms[out->n_transforms], content)) {
            r->failed = true;
        } else {
            out->n_transforms++;
        }
    }
    if (!rd_done(&body) || out->n_transforms != n_transforms) {
        r->failed = true;
    }
    return !r->failed;
}

/* ---- writing ---- */

static void write_transform(struct writer *w, const struct alg *alg, bool last)
{
    bool key_length = (alg->flags & ALG_KEYLEN) != 0;

    wr_u8(w, last ? LAST : MORE_TRANSFORMS);
    wr_u8(w, 0);
    wr_u16(w, key_length ? TRANSFORM_HEADER_LEN + 4 : TRANSFORM_HEADER_LEN);
    wr_u8(w, (uint8_t)alg->type);
    wr_u8(w, 0);
    wr_u16(w, alg->id);
    if (key_length) {
        wr_u16(w, ATTRIBUTE_TV | ATTRIBUTE_KEY_LENGTH);
        wr_u16(w, alg->key_bits);
    }
}

static void write_proposal(struct writer *w, uint8_t number, bool last,
                           const struct proposal *proposal, struct bytes spi)
{
    size_t at = w->len;

    wr_u8(w, last ? LAST : MORE_PROPOSALS);
    wr_u8(w, 0);
    wr_u16(w, 0);
    wr_u8(w, number);
    wr_u8(w, (uint8_t)proposal->protocol);
    wr_u8(w, (uint8_t)spi.len);
    wr_u8(w, (uint8_t)proposal->n_algs);
    wr_bytes(w, spi);
    for (size_t i = 0; i < proposal->n_algs; i++) {
        write_transform(w, proposal->algs[i], i + 1 == proposal->n_algs);
    }
    wr_patch_u16(w, at + 2, (uint16_t)(w->len - at));
}

void sa_write(struct chain *chain, const struct proposal_list *list, struct bytes spi)
{
    chain_begin(chain, P_SA);
    for (size_t i = 0; i < list->n; i++) {
        write_proposal(&chain->w, (uint8_t)(i + 1), i + 1 == list->n, &list->items[i], spi);
    }
    chain_end(chain);
}

void sa_write_choice(struct chain *chain, uint8_t number, const struct proposal *choice,
                     struct bytes spi)
{
    chain_begin(chain, P_SA);
    write_proposal(&chain->w, number, true, choice, spi);
    chain_end(chain);
}

/* ---- the responder's choice ---- */

static const struct alg *offered_alg(const struct proposal *offer,
                                     const struct sa_transform *transform)
{
    for (size_t i = 0; i < offer->n_algs; i++) {
        const struct alg *alg = offer->algs[i];

        if (alg->type == transform->type && alg->id == transform->id &&
            ((alg->flags & ALG_KEYLEN) != 0 ? alg->key_bits : 0) == transform->key_bits) {
            return alg;
        }
    }
    return NULL;
}

static bool offers(const struct proposal *offer, enum transform_type type, uint16_t id)
{
    for (size_t i = 0; i < offer->n_algs; i++) {
        if (offer->algs[i]->type == type && offer->algs[i]->id == id) {
            return true;
        }
    }
    return false;
}

static bool offers_type(const struct proposal *offer, enum transform_type type)
{
    for (size_t i = 0; i < offer->n_algs; i++) {
        if (offer->algs[i]->type == type) {
            return true;
        }
    }
    return false;
}

/* Puts one chosen transform where it belongs; false when that type was chosen already. */
static bool suite_take(struct suite *suite, const struct alg *alg, bool *sn_chosen)
{
    const struct alg **slot = NULL;

    switch (alg->type) {
    case TRANSFORM_ENCR:
        slot = &suite->encr;
        break;
    case TRANSFORM_PRF:
        slot = &suite->prf;
        break;
    case TRANSFORM_INTEG:
        slot = &suite->integ;
        break;
    case TRANSFORM_KE:
        slot = &suite->ke;
        break;
    case TRANSFORM_SN:
        if (*sn_chosen) {
            return false;
        }
        *sn_chosen = true;
        suite->esn = alg->id == 1;
        return true;
    }
    if (slot == NULL || *slot != NULL) {
        return false;
    }
    *slot = alg;
    return true;
}

/* Everything that the protocol needs and that we offered has been chosen (RFC 7296 3.3.3). */
static bool suite_complete(const struct suite *suite, const struct proposal *offer, bool sn_chosen)
{
    bool aead = suite->encr != NULL && (suite->encr->flags & ALG_AEAD) != 0;

    if (suite->encr == NULL || aead != (suite->integ == NULL)) {
        return false;
    }
    if (suite->ke == NULL && offers_type(offer, TRANSFORM_KE) &&
        !offers(offer, TRANSFORM_KE, KE_NONE)) {
        return false;
    }
    if (offer->protocol == PROTO_IKE) {
        return suite->prf != NULL && suite->ke != NULL;
    }
    /* Old gateways leave out "no extended sequence numbers"; silence cannot mean anything else. */
    return sn_chosen || offers(offer, TRANSFORM_SN, 0);
}

static enum err check_spi(uint8_t protocol, struct bytes spi)
{
    struct reader r = reader_of(spi);

    if (protocol == PROTO_IKE) {
        return spi.len == 0 || (spi.len == IKE_SPI_LEN && rd_u64(&r) != 0) ? OK : ERR_SYNTAX;
    }
    return spi.len == ESP_SPI_LEN && rd_u32(&r) >= ESP_SPI_MIN ? OK : ERR_SYNTAX;
}

static enum err match_choice(struct suite *out, const struct sa_proposal *choice,
                             const struct proposal *offer)
{
    struct suite suite = {0};
    bool sn_chosen = false;

    for (size_t i = 0; i < choice->n_transforms; i++) {
        const struct sa_transform *transform = &choice->transforms[i];
        const struct alg *alg = offered_alg(offer, transform);

        /* NONE said aloud is the same as nothing (RFC 7296 3.3.3). */
        if (transform->id == 0 &&
            (transform->type == TRANSFORM_INTEG || transform->type == TRANSFORM_KE)) {
            continue;
        }
        if (alg == NULL || transform->unknown_attribute) {
            return ERR_UNSUPPORTED;
        }
        if (!suite_take(&suite, alg, &sn_chosen)) {
            return ERR_SYNTAX;
        }
    }
    if (!suite_complete(&suite, offer, sn_chosen)) {
        return ERR_UNSUPPORTED;
    }
    *out = suite;
    return OK;
}

enum err sa_parse_choice(struct suite *out, struct bytes *spi, struct bytes body,
                         const struct proposal_list *offered)
{
    struct reader r = reader_of(body);
    struct sa_proposal choice;
    enum err err;

    if (!sa_next(&r, &choice) || !rd_done(&r)) {
        return ERR_SYNTAX;
    }
    if (choice.number == 0 || choice.number > offered->n ||
        choice.protocol != offered->items[choice.number - 1].protocol) {
        return ERR_UNSUPPORTED;
    }
    err = check_spi(choice.protocol, choice.spi);
    if (err == OK) {
        err = match_choice(out, &choice, &offered->items[choice.number - 1]);
    }
    if (err == OK) {
        *spi = choice.spi;
    }
    return err;
}
