/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/* IKE_SA_INIT as the gateway sees it (RFC 7296 1.2, 2.6, 2.7): stateless until it accepts. */

#define NONCE_LEN 32
#define COOKIE_LEN 16

/* The first algorithm of a type in the client's proposal that one of ours has, too. */
static const struct alg *common(const struct sa_proposal *offer, const struct proposal *ours,
                                enum transform_type type)
{
    for (size_t t = 0; t < offer->n_transforms; t++) {
        const struct sa_transform *transform = &offer->transforms[t];

        for (size_t a = 0; a < ours->n_algs; a++) {
            const struct alg *alg = ours->algs[a];
            uint16_t bits = (alg->flags & ALG_KEYLEN) != 0 ? alg->key_bits : 0;

            if (alg->type == type && transform->type == type && transform->id == alg->id &&
                transform->key_bits == bits && !transform->unknown_attribute) {
                return alg;
            }
        }
    }
    return NULL;
}

bool gateway_choose_from(const struct sa_proposal *offer, const struct proposal *ours,
                         struct proposal *out)
{
    *out = (struct proposal){.protocol = ours->protocol};
    for (int type = TRANSFORM_ENCR; type <= TRANSFORM_SN; type++) {
        const struct alg *alg = common(offer, ours, (enum transform_type)type);
        bool wanted = false;

        for (size_t a = 0; a < ours->n_algs; a++) {
            wanted = wanted || ours->algs[a]->type == (enum transform_type)type;
        }
        /* In IKE_AUTH there is no key exchange for the Child SA (RFC 7296 1.2). */
        if (ours->protocol == PROTO_ESP && type == TRANSFORM_KE) {
            continue;
        }
        if (wanted && alg == NULL) {
            return false;
        }
        if (alg != NULL) {
            out->algs[out->n_algs++] = alg;
        }
    }
    return out->n_algs > 0;
}

bool gateway_choose(struct bytes sa, const struct proposal_list *accepted, struct proposal *out,
                    uint8_t *number, struct bytes *spi)
{
    static struct sa_proposal offer;
    struct reader r = reader_of(sa);

    while (sa_next(&r, &offer)) {
        for (size_t i = 0; i < accepted->n; i++) {
            if (offer.protocol == accepted->items[i].protocol &&
                gateway_choose_from(&offer, &accepted->items[i], out)) {
                *number = offer.number;
                *spi = offer.spi;
                return true;
            }
        }
    }
    return false;
}

/* ---- replies without state ---- */

void gateway_reply_first(struct gateway *gateway, const struct message *message,
                         const struct chain *chain, uint64_t spi_r)
{
    uint8_t out[4096];
    struct ike_header header = {.spi_i = message->header.spi_i,
                                .spi_r = spi_r,
                                .version = gateway->config.ikev1 ? 0x10 : IKE_VERSION,
                                .exchange = message->header.exchange,
                                .flags = IKE_FLAG_RESPONSE};
    size_t len = message_write(&header, chain, out, sizeof out);

    sim_require(len > 0, "the first response");
    gateway_send(gateway, bytes_of(out, len));
    if (spi_r != 0) {
        gateway->attempts[gateway->n_attempts++ % GATEWAY_ATTEMPTS_MAX] = header.spi_i;
        gateway_set(&gateway->init_request, message->octets);
        gateway_set(&gateway->init_response, bytes_of(out, len));
    }
}

void gateway_reply_notify(struct gateway *gateway, const struct message *message, uint16_t type,
                          struct bytes data)
{
    uint8_t buffer[256];
    struct chain chain = chain_of(buffer, sizeof buffer);

    notify_write(&chain, 0, (struct bytes){0}, type, data);
    gateway_reply_first(gateway, message, &chain, 0);
}

struct bytes gateway_notify_data(const struct message *message, uint16_t type, bool *found)
{
    const struct payload *payload;
    struct notify notify;

    *found = false;
    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) == OK && notify.type == type) {
            *found = true;
            return notify.data;
        }
    }
    return (struct bytes){0};
}

/* The cookie follows from the client's nonce and how often one was demanded (RFC 7296 2.6). */
static void make_cookie(unsigned generation, struct bytes nonce, uint8_t out[COOKIE_LEN])
{
    struct sim_random hash = {.state = generation};

    for (size_t i = 0; i < nonce.len; i++) {
        hash.state = sim_random(&hash) ^ nonce.data[i];
    }
    for (size_t i = 0; i < COOKIE_LEN; i++) {
        out[i] = (uint8_t)sim_random(&hash);
    }
}

/* `cookies` counts those that came back; the last one stays good. */
bool gateway_demand_cookie(struct gateway *gateway, const struct message *message)
{
    struct bytes nonce = message_find(message, P_NONCE, 0)->body;
    unsigned wanted = gateway->config.cookies;
    uint8_t cookie[COOKIE_LEN];
    bool found;
    struct bytes given = gateway_notify_data(message, N_COOKIE, &found);

    if (wanted == 0 || (gateway->config.cookie_passes && gateway->demanded)) {
        return false;
    }
    gateway->demanded = true;
    make_cookie(MIN(gateway->cookies, wanted - 1), nonce, cookie);
    if (found && bytes_equal(given, bytes_of(cookie, sizeof cookie))) {
        if (gateway->cookies < wanted) {
            gateway->cookies++;
        }
        if (gateway->cookies == wanted) {
            return false;
        }
        make_cookie(gateway->cookies, nonce, cookie);
    }
    gateway_reply_notify(gateway, message, N_COOKIE, bytes_of(cookie, sizeof cookie));
    return true;
}

/*
 * The group that the gateway wants now; it changes with each request that has the one demanded
 * before. The client's own when all demands are met, and the chosen one when there are none.
 */
static uint16_t wanted_group(struct gateway *gateway, uint16_t group, uint16_t chosen)
{
    const struct gateway_config *config = &gateway->config;

    if (config->n_demands == 0) {
        return chosen;
    }
    if (gateway->demands < config->n_demands && group == config->demands[gateway->demands]) {
        gateway->demands++;
        if (gateway->demands == config->n_demands && config->demand_forever) {
            gateway->demands = 0;
        }
    }
    return gateway->demands < config->n_demands ? config->demands[gateway->demands]
                                                : config->demands[config->n_demands - 1];
}

/* Puts the wanted group into the choice, or demands it. */
static bool demand_group(struct gateway *gateway, const struct message *message, uint16_t group,
                         const struct alg **chosen)
{
    uint16_t id = wanted_group(gateway, group, (*chosen)->id);
    uint8_t wanted[2] = {(uint8_t)(id >> 8), (uint8_t)id};

    if (id == group) {
        *chosen = alg_find(TRANSFORM_KE, id, 0);
        return false;
    }
    gateway_reply_notify(gateway, message, N_INVALID_KE_PAYLOAD, bytes_of(wanted, 2));
    return true;
}

/* ---- accepting ---- */

void gateway_write_nat_detection(struct gateway *gateway, const struct gateway_sa *sa,
                                 struct chain *chain)
{
    static const uint16_t types[] = {N_NAT_DETECTION_SOURCE_IP, N_NAT_DETECTION_DESTINATION_IP};

    for (size_t i = 0; i < 2; i++) {
        const struct endpoint *endpoint = i == 0 ? &gateway->path.local : &gateway->path.remote;
        uint8_t octets[64], hash[SHA1_LEN];
        struct writer w = writer_of(octets, sizeof octets);
        struct bytes part;

        wr_u64(&w, sa->spi_i);
        wr_u64(&w, sa->spi_r);
        wr_bytes(&w, addr_bytes(&endpoint->addr));
        wr_u16(&w, (uint16_t)(endpoint->port + gateway->config.nat));
        part = wr_written(&w);
        sim_require(sha1_parts(&part, 1, hash) == OK, "NAT detection");
        notify_write(chain, 0, (struct bytes){0}, types[i], bytes_of(hash, sizeof hash));
    }
}

void gateway_write_support(struct gateway *gateway, const struct message *message,
                           struct chain *chain)
{
    const struct bytes none = {0};

    (void)gateway_notify_data(message, N_FRAGMENTATION_SUPPORTED, &gateway->peer_fragments);
    gateway_write_nat_detection(gateway, gateway->sa, chain);
    if (gateway->config.fragment > 0) {
        notify_write(chain, 0, none, N_FRAGMENTATION_SUPPORTED, none);
    }
    if (gateway->config.childless) {
        notify_write(chain, PROTO_IKE, none, N_CHILDLESS_IKEV2_SUPPORTED, none);
    }
}

static void derive(struct gateway *gateway, struct bytes shared)
{
    struct key_seed seed = {.ni = secret_bytes(&gateway->sa->ni),
                            .nr = secret_bytes(&gateway->sa->nr),
                            .spi_i = gateway->sa->spi_i,
                            .spi_r = gateway->sa->spi_r};

    ike_keys_free(&gateway->sa->keys);
    sim_require(ike_keys_derive(&gateway->sa->keys, &gateway->sa->suite, &seed, shared) == OK,
                "keys");
    gateway_sa_keyed(gateway->sa);
}

static void accept_client(struct gateway *gateway, const struct message *message, uint8_t number,
                          const struct proposal *choice, const struct ke_payload *theirs)
{
    static const uint8_t hashes[] = {0, 2, 0, 3, 0, 4, 0, 5};
    const struct bytes none = {0};
    uint8_t buffer[3000], spi[8];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct secret shared = {0};
    struct ke *ke = NULL;
    struct reader r;
    bool found;

    gateway_new_attempt(gateway);
    gateway_suite(&gateway->sa->suite, choice);
    sim_require(ke_new(&ke, gateway->sa->suite.ke, &gateway->rng) == OK, "key exchange");
    if (ke_shared(ke, theirs->data, &shared) != OK) {
        ke_free(ke); /* corrupted on the way: as if it had not come */
        return;
    }
    sim_require(rng_fill(&gateway->rng, spi, sizeof spi) == OK &&
                    secret_alloc(&gateway->sa->nr, NONCE_LEN) &&
                    rng_fill(&gateway->rng, gateway->sa->nr.data, NONCE_LEN) == OK &&
                    secret_set(&gateway->sa->ni, message_find(message, P_NONCE, 0)->body),
                "random values");
    r = reader_of(bytes_of(spi, sizeof spi));
    gateway->sa->spi_i = message->header.spi_i;
    gateway->sa->spi_r = rd_u64(&r);
    derive(gateway, secret_bytes(&shared));
    sa_write_choice(&chain, number, choice, none);
    ke_write(&chain, gateway->sa->suite.ke->id, ke_public(ke));
    chain_add(&chain, P_NONCE, secret_bytes(&gateway->sa->nr));
    gateway_write_support(gateway, message, &chain);
    (void)gateway_notify_data(message, N_SIGNATURE_HASH_ALGORITHMS, &found);
    if (found) {
        notify_write(&chain, 0, none, N_SIGNATURE_HASH_ALGORITHMS, bytes_of(hashes, sizeof hashes));
    }
    gateway_reply_first(gateway, message, &chain, gateway->sa->spi_r);
    gateway->phase = GATEWAY_INIT_DONE;
    gateway->sa->expected = 1;
    gateway->sa->state = GATEWAY_SA_UP;
    gateway->sa->sealed = 0;
    secret_free(&shared);
    ke_free(ke);
}

bool gateway_answer_again(struct gateway *gateway, const struct message *message)
{
    if (gateway->init_request != NULL &&
        bytes_equal(message->octets,
                    bytes_of(gateway->init_request->data, gateway->init_request->len))) {
        if (gateway->sa->expected == 1) {
            gateway_send(gateway,
                         bytes_of(gateway->init_response->data, gateway->init_response->len));
        }
        return true;
    }
    if (gateway->config.cookie_passes && gateway->phase == GATEWAY_INIT_DONE &&
        gateway->sa->spi_i == message->header.spi_i) {
        /* To some, who tell requests by SPI and message ID, it is the same. */
        gateway_send(gateway, bytes_of(gateway->init_response->data, gateway->init_response->len));
        return true;
    }
    /* An old copy of an attempt that has been answered, or given up. */
    for (size_t i = 0; i < MIN(gateway->n_attempts, GATEWAY_ATTEMPTS_MAX); i++) {
        if (gateway->attempts[i] == message->header.spi_i &&
            (gateway->phase > GATEWAY_INIT_DONE || gateway->sa->spi_i != message->header.spi_i)) {
            return true;
        }
    }
    return false;
}

/* False when the client does not want to be (RFC 5685 3). */
static bool redirect(struct gateway *gateway, const struct message *message, struct bytes nonce)
{
    uint8_t buffer[700];
    struct chain chain = chain_of(buffer, sizeof buffer);
    bool supported;

    (void)gateway_notify_data(message, N_REDIRECT_SUPPORTED, &supported);
    if (!supported) {
        return false;
    }
    gateway_write_redirect(&chain, gateway->config.redirect_init, nonce);
    gateway_reply_first(gateway, message, &chain, 0);
    return true;
}

void gateway_init_request(struct gateway *gateway, const struct message *message)
{
    const struct payload *sa = message_find(message, P_SA, 0);
    const struct payload *ke = message_find(message, P_KE, 0);
    const struct payload *nonce = message_find(message, P_NONCE, 0);
    struct proposal_list accepted;
    struct proposal choice;
    struct ke_payload theirs;
    struct bytes spi;
    uint8_t number;

    if (gateway->config.silent_init || gateway->ignored++ < gateway->config.answer_after ||
        (message->header.flags & IKE_FLAG_RESPONSE) != 0 || sa == NULL || ke == NULL ||
        nonce == NULL || ke_parse(&theirs, ke->body) != OK) {
        return;
    }
    if (gateway_answer_again(gateway, message)) {
        return;
    }
    if (gateway->config.init_error != 0 || gateway->config.ikev1) {
        gateway_reply_notify(gateway, message, gateway->config.init_error, (struct bytes){0});
        return;
    }
    if (gateway_demand_cookie(gateway, message)) {
        return;
    }
    if (gateway->config.redirect_init != GATEWAY_REDIRECT_NONE &&
        redirect(gateway, message, nonce->body)) {
        return;
    }
    gateway_ike_proposals(gateway, &accepted);
    if (!gateway_choose(sa->body, &accepted, &choice, &number, &spi)) {
        gateway_reply_notify(gateway, message, N_NO_PROPOSAL_CHOSEN, (struct bytes){0});
        return;
    }
    for (size_t i = 0; i < choice.n_algs; i++) {
        if (choice.algs[i]->type == TRANSFORM_KE &&
            demand_group(gateway, message, theirs.group, &choice.algs[i])) {
            return;
        }
    }
    accept_client(gateway, message, number, &choice, &theirs);
}
