/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/ticket.h"

#include "common/cursor.h"
#include "crypto/prf.h"

#define FORMAT 1
#define EXPORT_MAX (2 * TICKET_MAX + 2 * ID_MAX)
#define SUITE_ALGS 4

void ike_ticket_free(struct ike_ticket *ticket)
{
    if (ticket != NULL) {
        secret_free(&ticket->opaque);
        secret_free(&ticket->sk_d);
        secret_wipe(ticket, sizeof *ticket);
    }
}

bool ike_ticket_copy(struct ike_ticket *to, const struct ike_ticket *from)
{
    *to = *from;
    to->opaque = to->sk_d = (struct secret){0};
    if (!secret_set(&to->opaque, secret_bytes(&from->opaque)) ||
        !secret_set(&to->sk_d, secret_bytes(&from->sk_d))) {
        ike_ticket_free(to);
        return false;
    }
    return true;
}

/* ---- out ---- */

static void put(struct writer *w, struct bytes data)
{
    wr_u16(w, (uint16_t)data.len);
    wr_bytes(w, data);
}

static void put_alg(struct writer *w, const struct alg *alg)
{
    wr_u8(w, alg != NULL ? (uint8_t)alg->type : 0);
    wr_u16(w, alg != NULL ? alg->id : 0);
    wr_u16(w, alg != NULL && (alg->flags & ALG_KEYLEN) != 0 ? alg->key_bits : 0);
}

static void put_id(struct writer *w, const struct id *id)
{
    wr_u8(w, (uint8_t)id->type);
    put(w, bytes_of(id->data, id->len));
}

enum err ike_ticket_export(const struct ike_ticket *ticket, struct secret *out)
{
    const struct suite *suite = &ticket->suite;
    const struct alg *const algs[SUITE_ALGS] = {suite->encr, suite->prf, suite->integ, suite->ke};
    struct secret buffer = {0};
    struct writer w;
    bool ok;

    if (!secret_alloc(&buffer, EXPORT_MAX)) {
        return ERR_MEMORY;
    }
    w = writer_of(buffer.data, buffer.len);
    wr_u8(&w, FORMAT);
    wr_u64(&w, ticket->expires_at);
    for (size_t i = 0; i < SUITE_ALGS; i++) {
        put_alg(&w, algs[i]);
    }
    put(&w, secret_bytes(&ticket->opaque));
    put(&w, secret_bytes(&ticket->sk_d));
    put_id(&w, &ticket->local_id);
    put_id(&w, &ticket->gateway_id);
    put(&w, addr_bytes(&ticket->ipv4));
    put(&w, addr_bytes(&ticket->ipv6));
    wr_bytes(&w, bytes_of(ticket->profile, sizeof ticket->profile));
    put(&w, bytes_of_string(ticket->gateway_auth));
    put(&w, bytes_of_string(ticket->gateway_subject));
    put(&w, bytes_of_string(ticket->user_auth));
    ok = !w.failed && secret_set(out, wr_written(&w));
    secret_free(&buffer);
    return ok ? OK : ERR_MEMORY;
}

/* ---- in ---- */

static struct bytes get(struct reader *r)
{
    uint16_t len = rd_u16(r);

    return rd_bytes(r, len);
}

/* An absent algorithm is written as zeros. */
static enum err get_alg(struct reader *r, enum transform_type type, const struct alg **out)
{
    uint8_t given = rd_u8(r);
    uint16_t id = rd_u16(r);
    uint16_t key_bits = rd_u16(r);

    *out = NULL;
    if (given == 0) {
        return type == TRANSFORM_ENCR || type == TRANSFORM_PRF ? ERR_SYNTAX : OK;
    }
    *out = given == (uint8_t)type ? alg_find(type, id, key_bits) : NULL;
    return *out != NULL ? OK : ERR_UNSUPPORTED;
}

static void get_id(struct reader *r, struct id *out)
{
    uint8_t type = rd_u8(r);

    r->failed = r->failed || !id_from_wire(out, type, get(r));
}

static void get_addr(struct reader *r, enum family family, struct addr *out)
{
    struct bytes octets = get(r);

    *out = (struct addr){0};
    if (octets.len == addr_len(family)) {
        *out = addr_of(family, octets.data);
    } else if (octets.len > 0) {
        r->failed = true;
    }
}

static void get_text(struct reader *r, char *out, size_t cap)
{
    struct bytes text = get(r);

    if (text.len >= cap) {
        r->failed = true;
    } else if (text.len > 0) {
        memcpy(out, text.data, text.len);
        out[text.len] = '\0';
    }
}

static enum err get_suite(struct reader *r, struct suite *out)
{
    enum err err = get_alg(r, TRANSFORM_ENCR, &out->encr);

    if (err == OK) {
        err = get_alg(r, TRANSFORM_PRF, &out->prf);
    }
    if (err == OK) {
        err = get_alg(r, TRANSFORM_INTEG, &out->integ);
    }
    if (err == OK) {
        err = get_alg(r, TRANSFORM_KE, &out->ke);
    }
    if (err == OK && (out->integ == NULL) != ((out->encr->flags & ALG_AEAD) != 0)) {
        err = ERR_SYNTAX;
    }
    return err;
}

static enum err get_secrets(struct reader *r, struct ike_ticket *out)
{
    struct bytes opaque = get(r);
    struct bytes sk_d = get(r);

    if (r->failed || opaque.len == 0 || opaque.len > TICKET_MAX ||
        sk_d.len != prf_len(out->suite.prf)) {
        return ERR_SYNTAX;
    }
    return secret_set(&out->opaque, opaque) && secret_set(&out->sk_d, sk_d) ? OK : ERR_MEMORY;
}

enum err ike_ticket_import(struct ike_ticket *out, struct bytes octets)
{
    struct reader r = reader_of(octets);
    struct bytes profile;
    enum err err;

    *out = (struct ike_ticket){0};
    if (rd_u8(&r) != FORMAT) {
        return ERR_SYNTAX;
    }
    out->expires_at = rd_u64(&r);
    err = get_suite(&r, &out->suite);
    if (err == OK) {
        err = get_secrets(&r, out);
    }
    if (err == OK) {
        get_id(&r, &out->local_id);
        get_id(&r, &out->gateway_id);
        get_addr(&r, FAMILY_IPV4, &out->ipv4);
        get_addr(&r, FAMILY_IPV6, &out->ipv6);
        profile = rd_bytes(&r, sizeof out->profile);
        if (!r.failed) {
            memcpy(out->profile, profile.data, profile.len);
        }
        get_text(&r, out->gateway_auth, sizeof out->gateway_auth);
        get_text(&r, out->gateway_subject, sizeof out->gateway_subject);
        get_text(&r, out->user_auth, sizeof out->user_auth);
        err = rd_done(&r) ? OK : ERR_SYNTAX;
    }
    if (err != OK) {
        ike_ticket_free(out);
    }
    return err;
}
