/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "common/i18n.h"
#include "crypto/algs.h"

/* ---- names joined by '-' ---- */

struct joined {
    char *out;
    size_t cap;
    size_t len;
};

static void join(struct joined *text, const char *name)
{
    int wrote;

    if (text->cap == 0 || text->len >= text->cap - 1) {
        return;
    }
    wrote = snprintf(text->out + text->len, text->cap - text->len, "%s%s", text->len > 0 ? "-" : "",
                     name);
    if (wrote > 0) {
        text->len += (size_t)wrote;
    }
}

static struct joined joined_of(char *out, size_t cap)
{
    if (cap > 0) {
        out[0] = '\0';
    }
    return (struct joined){.out = out, .cap = cap};
}

const char *proposal_text(const struct proposal *proposal, char *out, size_t cap)
{
    struct joined text = joined_of(out, cap);

    for (size_t i = 0; i < proposal->n_algs; i++) {
        join(&text, proposal->algs[i]->name);
    }
    return out;
}

const char *suite_text(const struct suite *suite, char *out, size_t cap)
{
    struct joined text = joined_of(out, cap);
    const struct alg *in_order[] = {suite->encr, suite->integ, suite->prf, suite->ke};

    for (size_t i = 0; i < sizeof(in_order) / sizeof(in_order[0]); i++) {
        if (in_order[i] != NULL) {
            join(&text, in_order[i]->name);
        }
    }
    if (suite->esn) {
        join(&text, "esn");
    }
    return out;
}

/* ---- defaults ---- */

static void append(struct proposal *proposal, enum transform_type type, uint16_t id,
                   uint16_t key_bits)
{
    const struct alg *alg = alg_find(type, id, key_bits);

    if (alg != NULL && proposal->n_algs < PROPOSAL_ALGS_MAX) {
        proposal->algs[proposal->n_algs++] = alg;
    }
}

static void append_all(struct proposal *proposal, enum transform_type type, const uint16_t *ids,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        append(proposal, type, ids[i], 0);
    }
}

/* Legacy algorithms go to the CBC proposal only: who needs them has no AEAD. */
static void append_prf_and_ke(struct proposal *proposal, bool legacy)
{
    static const uint16_t prfs[] = {PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_512};
    static const uint16_t groups[] = {KE_CURVE25519, KE_ECP_256,   KE_ECP_384,   KE_ECP_521,
                                      KE_CURVE448,   KE_MODP_2048, KE_MODP_3072, KE_MODP_4096};
    static const uint16_t legacy_groups[] = {KE_MODP_1536, KE_MODP_1024};

    append_all(proposal, TRANSFORM_PRF, prfs, sizeof(prfs) / sizeof(prfs[0]));
    if (legacy) {
        append(proposal, TRANSFORM_PRF, PRF_HMAC_SHA1, 0);
    }
    append_all(proposal, TRANSFORM_KE, groups, sizeof(groups) / sizeof(groups[0]));
    if (legacy) {
        append_all(proposal, TRANSFORM_KE, legacy_groups,
                   sizeof(legacy_groups) / sizeof(legacy_groups[0]));
    }
}

static void append_sn(struct proposal *proposal)
{
    append(proposal, TRANSFORM_SN, 1, 0);
    append(proposal, TRANSFORM_SN, 0, 0);
}

void proposal_defaults(struct proposal_list *out, enum protocol protocol, bool legacy)
{
    static const uint16_t macs[] = {AUTH_HMAC_SHA2_256_128, AUTH_HMAC_SHA2_384_192,
                                    AUTH_HMAC_SHA2_512_256};
    struct proposal *aead = &out->items[0];
    struct proposal *cbc = &out->items[1];

    *out = (struct proposal_list){.n = 2};
    aead->protocol = protocol;
    cbc->protocol = protocol;
    append(aead, TRANSFORM_ENCR, ENCR_AES_GCM_16, 256);
    append(aead, TRANSFORM_ENCR, ENCR_AES_GCM_16, 128);
    append(aead, TRANSFORM_ENCR, ENCR_CHACHA20_POLY1305, 0);
    append(cbc, TRANSFORM_ENCR, ENCR_AES_CBC, 256);
    append(cbc, TRANSFORM_ENCR, ENCR_AES_CBC, 128);
    if (legacy) {
        append(cbc, TRANSFORM_ENCR, ENCR_3DES, 0);
    }
    append_all(cbc, TRANSFORM_INTEG, macs, sizeof(macs) / sizeof(macs[0]));
    if (legacy) {
        append(cbc, TRANSFORM_INTEG, AUTH_HMAC_SHA1_96, 0);
    }
    if (protocol == PROTO_IKE) {
        append_prf_and_ke(aead, false);
        append_prf_and_ke(cbc, legacy);
    } else {
        append_sn(aead);
        append_sn(cbc);
    }
}

/* ---- the user's text ---- */

static size_t count(const struct proposal *proposal, enum transform_type type)
{
    size_t n = 0;

    for (size_t i = 0; i < proposal->n_algs; i++) {
        n += proposal->algs[i]->type == type;
    }
    return n;
}

static void drop_integ(struct proposal *proposal)
{
    size_t kept = 0;

    for (size_t i = 0; i < proposal->n_algs; i++) {
        if (proposal->algs[i]->type != TRANSFORM_INTEG) {
            proposal->algs[kept++] = proposal->algs[i];
        }
    }
    proposal->n_algs = kept;
}

/* As strongSwan does: "aes256-sha256-modp2048" means prfsha256. */
static void derive_prf(struct proposal *proposal)
{
    static const struct {
        uint16_t integ;
        uint16_t prf;
    } pairs[] = {
        {AUTH_HMAC_SHA1_96, PRF_HMAC_SHA1},          {AUTH_AES_CMAC_96, PRF_AES128_CMAC},
        {AUTH_HMAC_SHA2_256_128, PRF_HMAC_SHA2_256}, {AUTH_HMAC_SHA2_384_192, PRF_HMAC_SHA2_384},
        {AUTH_HMAC_SHA2_512_256, PRF_HMAC_SHA2_512},
    };
    size_t named = proposal->n_algs;

    for (size_t i = 0; i < named; i++) {
        for (size_t j = 0; j < sizeof(pairs) / sizeof(pairs[0]); j++) {
            if (proposal->algs[i]->type == TRANSFORM_INTEG &&
                proposal->algs[i]->id == pairs[j].integ) {
                append(proposal, TRANSFORM_PRF, pairs[j].prf, 0);
            }
        }
    }
}

/* What the words of one proposal make together; NULL when they are complete, else why not. */
static const char *complete(struct proposal *proposal)
{
    size_t ciphers = count(proposal, TRANSFORM_ENCR);
    size_t aeads = 0;

    for (size_t i = 0; i < proposal->n_algs; i++) {
        aeads += (proposal->algs[i]->flags & ALG_AEAD) != 0;
    }
    if (ciphers == 0) {
        return N_("an encryption algorithm is missing, such as aes256gcm16");
    }
    if (aeads != 0 && aeads != ciphers) {
        return N_("AES-GCM, AES-CCM and ChaCha20-Poly1305 cannot share a proposal with other "
                  "ciphers: separate them with a comma");
    }
    if (aeads == 0 && count(proposal, TRANSFORM_INTEG) == 0) {
        return N_("an integrity algorithm is missing, such as sha256");
    }
    if (proposal->protocol == PROTO_IKE) {
        if (count(proposal, TRANSFORM_PRF) == 0) {
            derive_prf(proposal);
        }
        if (count(proposal, TRANSFORM_PRF) == 0) {
            return N_("a pseudo-random function is missing, such as prfsha256");
        }
        if (count(proposal, TRANSFORM_KE) == 0) {
            return N_("a key exchange is missing, such as x25519");
        }
    } else if (count(proposal, TRANSFORM_SN) == 0) {
        append_sn(proposal);
    }
    if (aeads != 0) {
        drop_integ(proposal);
    }
    return NULL;
}

static const char *add_word(struct proposal *proposal, struct bytes word, bool legacy)
{
    const struct alg *alg = alg_find_name(word);

    if (alg == NULL) {
        return word.len == 0 ? N_("an algorithm's name is missing") : N_("unknown algorithm");
    }
    if ((alg->flags & ALG_LEGACY) != 0 && !legacy) {
        return N_("this algorithm is weak and needs legacy algorithms to be allowed");
    }
    if (proposal->protocol == PROTO_IKE && alg->type == TRANSFORM_SN) {
        return N_("sequence numbers belong to an ESP proposal");
    }
    if (proposal->protocol != PROTO_IKE && alg->type == TRANSFORM_PRF) {
        return N_("a pseudo-random function belongs to an IKE proposal");
    }
    for (size_t i = 0; i < proposal->n_algs; i++) {
        if (proposal->algs[i] == alg) {
            return N_("this algorithm is named twice");
        }
    }
    /* complete() may add as many PRFs as there are MACs, or two kinds of sequence numbers. */
    if (proposal->n_algs >= PROPOSAL_ALGS_MAX - 6) {
        return N_("too many algorithms in one proposal");
    }
    proposal->algs[proposal->n_algs++] = alg;
    return NULL;
}

static struct bytes trimmed(const char *start, const char *end)
{
    while (start < end && (*start == ' ' || *start == '\t')) {
        start++;
    }
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return bytes_of(start, (size_t)(end - start));
}

static const char *parse_one(struct proposal *proposal, struct bytes text, bool legacy,
                             struct bytes *error_at)
{
    const char *at = (const char *)text.data;
    const char *end = at + text.len;

    for (;;) {
        const char *word_end = memchr(at, '-', (size_t)(end - at));
        struct bytes word = bytes_of(at, (size_t)((word_end != NULL ? word_end : end) - at));
        const char *why = add_word(proposal, word, legacy);

        if (why != NULL) {
            *error_at = word.len > 0 ? word : text;
            return why;
        }
        if (word_end == NULL) {
            break;
        }
        at = word_end + 1;
    }
    *error_at = text;
    return complete(proposal);
}

bool proposal_parse(struct proposal_list *out, enum protocol protocol, const char *text,
                    bool legacy, struct bytes *error_at, const char **why)
{
    const char *at = text;

    *out = (struct proposal_list){0};
    for (;;) {
        const char *end = at + strcspn(at, ",");
        struct bytes one = trimmed(at, end);

        *error_at = one;
        if (out->n == PROPOSALS_MAX) {
            *why = N_("too many proposals");
            return false;
        }
        out->items[out->n].protocol = protocol;
        *why = parse_one(&out->items[out->n], one, legacy, error_at);
        if (*why != NULL) {
            return false;
        }
        out->n++;
        if (*end == '\0') {
            *error_at = (struct bytes){0};
            return true;
        }
        at = end + 1;
    }
}
