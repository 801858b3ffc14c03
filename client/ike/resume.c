/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdio.h>

#include "common/i18n.h"

/*
 * An IKE SA made from a ticket of an earlier one (RFC 5723): IKE_SESSION_RESUME in the place of
 * IKE_SA_INIT, then IKE_AUTH that proves the keys alone. Whatever goes wrong on that way, a full
 * handshake follows, so that a ticket never costs a connection, only time, and that is bounded.
 */

#define PATIENCE_US UINT64_C(5000000)

/* ---- whether it may ---- */

enum err resume_profile(struct ike *ike, struct bytes user)
{
    static const char domain[] = "Godwit profile";
    const struct alg *hash = alg_find(TRANSFORM_PRF, PRF_HMAC_SHA2_256, 0);
    const struct id *gateway = &ike->config.remote_id;
    /* What is made of the user's name, or of an address, is no other profile. */
    const struct id *local =
        ike->config.auth == IKE_AUTH_CERTIFICATE ? &ike->auth.local_id : &ike->config.local_id;
    uint8_t head[16];
    struct writer w = writer_of(head, sizeof head);
    struct bytes parts[4];

    wr_u8(&w, (uint8_t)ike->config.auth);
    wr_u8(&w, (uint8_t)gateway->type);
    wr_u16(&w, (uint16_t)gateway->len);
    wr_u8(&w, (uint8_t)local->type);
    wr_u16(&w, (uint16_t)local->len);
    parts[0] = wr_written(&w);
    parts[1] = bytes_of(gateway->data, gateway->len);
    parts[2] = bytes_of(local->data, local->len);
    parts[3] = user;
    return prf_parts(hash, bytes_of(domain, sizeof domain - 1), parts, 4, ike->resume.profile);
}

enum err resume_new(struct ike *ike, const struct ike_ticket *ticket)
{
    /* RFC 5723 4.3.1: not when it is known to have expired. */
    if (ticket == NULL || ticket->expires_at <= ike->now ||
        memcmp(ticket->profile, ike->resume.profile, TICKET_PROFILE_LEN) != 0) {
        return OK;
    }
    if (!ike_ticket_copy(&ike->resume.ticket, ticket)) {
        return ERR_MEMORY;
    }
    ike->tickets.held = true;
    /* RFC 5723 5, note 5 */
    if (ike->config.want_ipv4.family == FAMILY_NONE) {
        ike->config.want_ipv4 = ticket->ipv4;
    }
    if (ike->config.want_ipv6.family == FAMILY_NONE) {
        ike->config.want_ipv6 = ticket->ipv6;
    }
    ike->auth.local_id = ticket->local_id;
    (void)id_text(&ike->auth.local_id, ike->summary.local_id, sizeof ike->summary.local_id);
    ike->state = ST_RESUME_TODO;
    return OK;
}

void resume_free(struct resume *resume)
{
    uint8_t profile[TICKET_PROFILE_LEN];

    memcpy(profile, resume->profile, sizeof profile);
    ike_ticket_free(&resume->ticket);
    *resume = (struct resume){0};
    memcpy(resume->profile, profile, sizeof profile);
}

/* ---- the way back ---- */

static bool runs(const struct ike *ike)
{
    return ike->resume.ticket.opaque.len > 0 && ike->state < ST_UP;
}

/* A gateway that has forgotten what a ticket is may say nothing at all. */
static uint64_t patience(const struct ike *ike)
{
    uint64_t share = ike->config.timeout_us / 3;

    return ike->now + (share < PATIENCE_US ? share : PATIENCE_US);
}

bool resume_fall_back(struct ike *ike)
{
    if (!runs(ike)) {
        return false;
    }
    resume_free(&ike->resume);
    init_begin_again(ike);
    ike->connect_deadline = ike->now + ike->config.timeout_us;
    return true;
}

uint64_t resume_deadline(const struct ike *ike)
{
    return runs(ike) ? ike->resume.until : IKE_NEVER;
}

/* ---- IKE_SESSION_RESUME (RFC 5723 4.3.2) ---- */

enum err resume_build(struct ike *ike, struct chain *chain)
{
    const struct bytes none = {0};
    char text[ADDR_TEXT_MAX];
    enum err err = init_first_values(ike);

    if (err != OK) {
        return err;
    }
    init_write_cookie(&ike->init, chain);
    chain_add(chain, P_NONCE, secret_bytes(&ike->sa.ni));
    notify_write(chain, 0, none, N_TICKET_OPAQUE, secret_bytes(&ike->resume.ticket.opaque));
    err = init_write_support(ike, chain);
    redirect_offer(ike, chain);
    if (err == OK && ike->init.restarts == 0) {
        ike->init.first_sent = ike->now;
        ike->resume.until = patience(ike);
        ike_phase(ike, IKE_PHASE_INIT, _("%s, with the ticket of an earlier session"),
                  endpoint_text(&ike->path.remote, text));
    }
    return err;
}

static enum err derive(struct ike *ike)
{
    struct ike_sa *sa = &ike->sa;
    const struct key_seed seed = {
        .ni = secret_bytes(&sa->ni),
        .nr = secret_bytes(&sa->nr),
        .spi_i = sa->spi_i,
        .spi_r = sa->spi_r,
    };
    enum err err =
        ike_keys_resume(&sa->keys, &sa->suite, &seed, secret_bytes(&ike->resume.ticket.sk_d));

    return err == OK ? init_keyed(sa) : err;
}

enum err resume_accept(struct ike *ike, const struct message *message, enum ike_state *next)
{
    struct bytes nonce;

    if (nonce_parse(&nonce, message_find(message, P_NONCE, 0)->body) != OK ||
        message->header.spi_r == 0) {
        rung_dropped(ike, "malformed nonce or no SPI");
        *next = ST_RESUME_SENT;
        return OK;
    }
    ike->sa.spi_r = message->header.spi_r;
    ike->sa.suite = ike->resume.ticket.suite;
    if (!secret_set(&ike->sa.nr, nonce)) {
        return ERR_MEMORY;
    }
    return init_agreed(ike, message, derive);
}

enum err resume_other(struct ike *ike, const struct message *message, enum ike_state *next)
{
    enum ike_state cookie = ST_INIT_SENT;
    struct notify notify;
    enum err err;

    /* REDIRECT is for IKE_SA_INIT, which brings it again. */
    if (notify_find(message, N_TICKET_NACK, &notify) || redirect_answers(ike, message)) {
        return resume_failed(ike, message, next);
    }
    if (notify_find(message, N_REDIRECT, &notify)) {
        rung_dropped(ike, "REDIRECT without our nonce");
        *next = ST_RESUME_SENT;
        return OK;
    }
    err = init_cookie(ike, message, &cookie);
    if (ike->refusal.reason != REASON_NONE && ike->state == ST_RESUME_SENT) {
        return resume_failed(ike, message, next);
    }
    *next = cookie == ST_INIT_TODO ? ST_RESUME_TODO : ST_RESUME_SENT;
    return err;
}

enum err resume_failed(struct ike *ike, const struct message *message, enum ike_state *next)
{
    (void)message;
    tickets_void(ike);
    (void)resume_fall_back(ike);
    *next = ike->state;
    return OK;
}

/* ---- IKE_AUTH (RFC 5723 4.3.3) ---- */

/* AUTH = prf(SK_px, octets): without the pad of pre-shared keys. */
static enum err proof_of(const struct ike *ike, struct bytes sk_p, const struct secret *octets,
                         uint8_t out[static PRF_MAX])
{
    struct bytes part = secret_bytes(octets);

    return prf_parts(ike->sa.suite.prf, sk_p, &part, 1, out);
}

enum err resume_write_auth(struct ike *ike, struct chain *chain)
{
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];
    enum err err = auth_our_octets(ike, &octets);

    if (err == OK) {
        err = proof_of(ike, secret_bytes(&ike->sa.keys.pi), &octets, mac);
    }
    if (err == OK) {
        auth_write(chain, AUTH_METHOD_PSK, bytes_of(mac, prf_len(ike->sa.suite.prf)));
        ike->resume.until = patience(ike);
        /* The gateway may take it for used from here on. */
        tickets_void(ike);
        (void)snprintf(ike->summary.user_auth, sizeof ike->summary.user_auth, "%s",
                       ike->resume.ticket.user_auth);
    }
    secret_free(&octets);
    return err;
}

/* The number of the method is nowhere agreed on; the octets prove everything. */
static enum err verify(struct ike *ike, const struct message *message)
{
    const struct payload *idr = message_find(message, P_IDr, 0);
    struct secret octets = {0};
    struct auth_payload auth;
    uint8_t mac[PRF_MAX];
    struct id id;
    enum err err = id_payload_parse(&id, idr->body);

    if (err == OK) {
        err = auth_parse(&auth, message_find(message, P_AUTH, 0)->body);
    }
    if (err == OK && !id_equal(&id, &ike->resume.ticket.gateway_id)) {
        err = ERR_INTEGRITY;
    }
    if (err == OK && !secret_set(&ike->auth.idr, idr->body)) {
        err = ERR_MEMORY;
    }
    if (err == OK) {
        err = auth_gateway_octets(ike, &octets);
    }
    if (err == OK) {
        err = proof_of(ike, secret_bytes(&ike->sa.keys.pr), &octets, mac);
    }
    if (err == OK && !secret_equal(bytes_of(mac, prf_len(ike->sa.suite.prf)), auth.data)) {
        err = ERR_INTEGRITY;
    }
    secret_free(&octets);
    return err;
}

/* What was found out when the first of these IKE SAs was made. */
static void recall(struct ike *ike)
{
    const struct ike_ticket *ticket = &ike->resume.ticket;
    struct ike_summary *summary = &ike->summary;

    summary->resumed = true;
    (void)id_text(&ike->config.remote_id, summary->gateway_id, sizeof summary->gateway_id);
    (void)snprintf(summary->gateway_auth, sizeof summary->gateway_auth, "%s", ticket->gateway_auth);
    (void)snprintf(summary->gateway_subject, sizeof summary->gateway_subject, "%s",
                   ticket->gateway_subject);
    ike->auth.gateway_id = ticket->gateway_id;
    ike_phase(ike, IKE_PHASE_GATEWAY_VERIFIED, _("%s (session resumed)"), summary->gateway_id);
}

enum err resume_complete(struct ike *ike, const struct message *message, enum ike_state *next)
{
    enum err err = verify(ike, message);

    if (err == ERR_MEMORY || err == ERR_CRYPTO) {
        return err;
    }
    if (err != OK) {
        return resume_failed(ike, message, next);
    }
    recall(ike);
    resume_free(&ike->resume);
    return auth_established(ike, message);
}
