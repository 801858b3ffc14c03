/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/* Tickets and sessions resumed from them, as the gateway sees it (RFC 5723). A ticket is a
 * reference into a table, which is lost or not when the gateway restarts. */

#define NONCE_LEN 32
#define LIFETIME_S 3600

static void forget(struct gateway_ticket *ticket)
{
    secret_free(&ticket->sk_d);
    if (ticket->idi != NULL) {
        g_byte_array_unref(ticket->idi);
    }
    *ticket = (struct gateway_ticket){0};
}

void gateway_tickets_free(struct gateway *gateway)
{
    for (size_t i = 0; i < GATEWAY_TICKETS_MAX; i++) {
        forget(&gateway->tickets[i]);
    }
}

/* ---- giving ---- */

static void give(struct gateway *gateway, struct gateway_sa *sa, struct chain *reply)
{
    size_t slot = gateway->n_tickets++ % GATEWAY_TICKETS_MAX;
    struct gateway_ticket *ticket = &gateway->tickets[slot];
    uint32_t lifetime =
        gateway->config.ticket_s > 0 ? (uint32_t)gateway->config.ticket_s : LIFETIME_S;
    uint8_t data[4 + GATEWAY_TICKET_LEN];
    struct writer w = writer_of(data, sizeof data);

    forget(ticket);
    sim_require(rng_fill(&gateway->rng, ticket->opaque, sizeof ticket->opaque) == OK &&
                    secret_set(&ticket->sk_d, secret_bytes(&sa->keys.d)),
                "a ticket");
    ticket->suite = sa->suite;
    ticket->expires_at = gateway->now + lifetime * UINT64_C(1000000);
    gateway_set(&ticket->idi, bytes_of(gateway->idi->data, gateway->idi->len));
    wr_u32(&w, lifetime);
    wr_bytes(&w, bytes_of(ticket->opaque, sizeof ticket->opaque));
    notify_write(reply, 0, (struct bytes){0}, N_TICKET_LT_OPAQUE, wr_written(&w));
}

void gateway_answer_ticket(struct gateway *gateway, struct gateway_sa *sa, struct chain *reply)
{
    const struct bytes none = {0};

    switch (gateway->config.tickets) {
    case GATEWAY_TICKETS_NONE:
        break;
    case GATEWAY_TICKETS_LATER:
        if (gateway->asked_for_ticket++ == 0) {
            notify_write(reply, 0, none, N_TICKET_ACK, none);
            break;
        }
        give(gateway, sa, reply);
        break;
    case GATEWAY_TICKETS_GIVEN:
        give(gateway, sa, reply);
        break;
    case GATEWAY_TICKETS_REFUSED:
        notify_write(reply, 0, none, N_TICKET_NACK, none);
        break;
    }
}

/* ---- taking ---- */

static struct gateway_ticket *find(struct gateway *gateway, struct bytes opaque)
{
    for (size_t i = 0; i < GATEWAY_TICKETS_MAX; i++) {
        struct gateway_ticket *ticket = &gateway->tickets[i];

        if (ticket->sk_d.len > 0 &&
            bytes_equal(opaque, bytes_of(ticket->opaque, sizeof ticket->opaque))) {
            return ticket;
        }
    }
    return NULL;
}

bool gateway_ticket_used(struct gateway *gateway, struct bytes opaque)
{
    const struct gateway_ticket *ticket = find(gateway, opaque);

    return ticket != NULL && ticket->used;
}

static bool good(const struct gateway *gateway, const struct gateway_ticket *ticket)
{
    return ticket != NULL && !ticket->used && ticket->expires_at > gateway->now;
}

static void agree(struct gateway *gateway, const struct message *message,
                  struct gateway_ticket *ticket)
{
    uint8_t buffer[1000], spi[8];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct key_seed seed;
    struct gateway_sa *sa;
    struct reader r;

    gateway_new_attempt(gateway);
    sa = gateway->sa;
    sim_require(rng_fill(&gateway->rng, spi, sizeof spi) == OK &&
                    secret_alloc(&sa->nr, NONCE_LEN) &&
                    rng_fill(&gateway->rng, sa->nr.data, NONCE_LEN) == OK &&
                    secret_set(&sa->ni, message_find(message, P_NONCE, 0)->body),
                "random values");
    r = reader_of(bytes_of(spi, sizeof spi));
    sa->spi_i = message->header.spi_i;
    sa->spi_r = rd_u64(&r);
    sa->suite = ticket->suite;
    seed = (struct key_seed){.ni = secret_bytes(&sa->ni),
                             .nr = secret_bytes(&sa->nr),
                             .spi_i = sa->spi_i,
                             .spi_r = sa->spi_r};
    sim_require(ike_keys_resume(&sa->keys, &sa->suite, &seed, secret_bytes(&ticket->sk_d)) == OK,
                "keys");
    gateway_sa_keyed(sa);
    chain_add(&chain, P_NONCE, secret_bytes(&sa->nr));
    gateway_write_support(gateway, message, &chain);
    gateway_reply_first(gateway, message, &chain, sa->spi_r);
    gateway->resuming = ticket;
    gateway->phase = GATEWAY_INIT_DONE;
    sa->expected = 1;
}

void gateway_resume_request(struct gateway *gateway, const struct message *message)
{
    struct gateway_ticket *ticket;
    struct bytes opaque;
    bool found;

    if (gateway->config.resume == GATEWAY_RESUME_IGNORED ||
        (message->header.flags & IKE_FLAG_RESPONSE) != 0 ||
        message_find(message, P_NONCE, 0) == NULL || gateway_answer_again(gateway, message)) {
        return;
    }
    opaque = gateway_notify_data(message, N_TICKET_OPAQUE, &found);
    if (!found || gateway_demand_cookie(gateway, message)) {
        return;
    }
    ticket = find(gateway, opaque);
    if (gateway->config.resume == GATEWAY_RESUME_UNKNOWN) {
        gateway_reply_notify(gateway, message, N_INVALID_SYNTAX, (struct bytes){0});
    } else if (gateway->config.resume == GATEWAY_RESUME_REFUSED || !good(gateway, ticket)) {
        gateway_reply_notify(gateway, message, N_TICKET_NACK, (struct bytes){0});
    } else {
        agree(gateway, message, ticket);
    }
}

/* ---- IKE_AUTH ---- */

static bool proof(struct gateway *gateway, const struct secret *octets, bool ours, uint8_t *mac)
{
    const struct gateway_sa *sa = gateway->sa;
    struct bytes part = secret_bytes(octets);

    return prf_parts(sa->suite.prf, secret_bytes(ours ? &sa->keys.pr : &sa->keys.pi), &part, 1,
                     mac) == OK;
}

static bool proven(struct gateway *gateway, const struct message *message)
{
    const struct payload *idi = message_find(message, P_IDi, 0);
    const struct payload *payload = message_find(message, P_AUTH, 0);
    struct secret octets = {0};
    struct auth_payload auth;
    uint8_t mac[PRF_MAX];
    bool holds = idi != NULL && payload != NULL && auth_parse(&auth, payload->body) == OK;

    if (message_find(message, P_CERT, 0) != NULL || message_find(message, P_CERTREQ, 0) != NULL) {
        gateway_complain(gateway, "a certificate beside a ticket");
    }
    if (!holds || !bytes_equal(idi->body, bytes_of(gateway->resuming->idi->data,
                                                   gateway->resuming->idi->len))) {
        gateway_complain(gateway, "another identity than the ticket's, or no proof");
        return false;
    }
    gateway_client_octets(gateway, &octets);
    holds = proof(gateway, &octets, false, mac) &&
            secret_equal(auth.data, bytes_of(mac, prf_len(gateway->sa->suite.prf)));
    secret_free(&octets);
    return holds;
}

bool gateway_resume_auth(struct gateway *gateway, const struct message *message,
                         struct chain *reply)
{
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];

    /* The first request may have been corrupted on its way. */
    if (!proven(gateway, message) || gateway->config.resume == GATEWAY_RESUME_AUTH_REFUSED) {
        return false;
    }
    gateway_write_idr(gateway, reply);
    gateway_our_octets(gateway, &octets);
    sim_require(proof(gateway, &octets, true, mac), "AUTH");
    mac[0] ^= gateway->config.resume == GATEWAY_RESUME_WRONG_AUTH;
    auth_write(reply, AUTH_METHOD_PSK, bytes_of(mac, prf_len(gateway->sa->suite.prf)));
    secret_free(&octets);
    gateway->resuming->used = true;
    gateway->resuming = NULL;
    gateway->resumed++;
    return true;
}
