/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/* CREATE_CHILD_SA and Delete of the gateway's own, and what becomes of them when the client does
 * the same (RFC 7296 2.8). */

#define RETRY_US UINT64_C(2000000)
#define REDUNDANT_US UINT64_C(20000000)

void gateway_attempt_free(struct gateway *gateway)
{
    struct gateway_attempt *attempt = &gateway->attempt;

    ke_free(attempt->ke);
    secret_free(&attempt->ni);
    secret_free(&attempt->theirs_lowest);
    *attempt = (struct gateway_attempt){0};
}

void gateway_rekey_keys(struct gateway_sa *out, const struct gateway_sa *old,
                        const struct suite *suite, struct bytes shared)
{
    const struct key_seed seed = {.ni = secret_bytes(&out->ni),
                                  .nr = secret_bytes(&out->nr),
                                  .spi_i = out->spi_i,
                                  .spi_r = out->spi_r};

    out->suite = *suite;
    sim_require(ike_keys_rekey(&out->keys, suite, &seed, shared, old->suite.prf,
                               secret_bytes(&old->keys.d)) == OK,
                "keys");
    gateway_sa_keyed(out);
}

/* ---- what waits ---- */

void gateway_add_todo(struct gateway *gateway, const struct gateway_todo *todo)
{
    g_array_append_val(gateway->todo, *todo);
}

static void add(struct gateway *gateway, enum gateway_ask ask, uint64_t now)
{
    const struct gateway_todo todo = {.ask = ask, .at = now};

    gateway->now = now;
    gateway_add_todo(gateway, &todo);
    gateway_run_todo(gateway);
}

void gateway_delete_ike(struct gateway *gateway, uint64_t now)
{
    add(gateway, GATEWAY_ASK_DELETE_IKE, now);
}

void gateway_delete_child(struct gateway *gateway, uint64_t now)
{
    add(gateway, GATEWAY_ASK_DELETE_CHILD, now);
}

void gateway_rekey_ike(struct gateway *gateway, uint64_t now)
{
    add(gateway, GATEWAY_ASK_REKEY_IKE, now);
}

void gateway_rekey_child(struct gateway *gateway, uint64_t now)
{
    add(gateway, GATEWAY_ASK_REKEY_CHILD, now);
}

/* What is to be done in the IKE SA in use waits until a client that begins again has proved itself.
 */
static bool waits(const struct gateway *gateway, const struct gateway_todo *todo)
{
    return todo->sa == NULL && gateway->had_client && gateway->phase < GATEWAY_UP;
}

uint64_t gateway_todo_deadline(const struct gateway *gateway)
{
    uint64_t at = IKE_NEVER;

    for (guint i = 0; i < gateway->todo->len; i++) {
        const struct gateway_todo *todo = &g_array_index(gateway->todo, struct gateway_todo, i);
        const struct gateway_sa *sa = todo->sa != NULL ? todo->sa : gateway->sa;

        if (sa->request == NULL && !waits(gateway, todo)) {
            at = MIN(at, todo->at);
        }
    }
    for (size_t i = 0; i < GATEWAY_SAS_MAX; i++) {
        if (gateway->sas[i].state == GATEWAY_SA_REDUNDANT) {
            at = MIN(at, gateway->sas[i].until);
        }
    }
    return at;
}

bool gateway_busy(const struct gateway *gateway)
{
    bool busy = gateway->todo->len > 0;

    for (size_t i = 0; i < GATEWAY_SAS_MAX; i++) {
        busy =
            busy || gateway->sas[i].request != NULL || gateway->sas[i].state == GATEWAY_SA_REPLACED;
    }
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        busy = busy || gateway->children[i].state == GATEWAY_CHILD_REPLACED ||
               gateway->children[i].state == GATEWAY_CHILD_DELETING;
    }
    return busy;
}

/* ---- requests ---- */

static struct gateway_child *pick_child(struct gateway *gateway, uint32_t spi)
{
    struct gateway_child *child = gateway_child_in(gateway, spi != 0 ? spi : gateway->outbound);

    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX && spi == 0; i++) {
        if (child == NULL || child->state != GATEWAY_CHILD_UP) {
            child = &gateway->children[i];
        }
    }
    return child;
}

bool gateway_deleted_wantonly(const struct gateway *gateway, uint32_t spi_in)
{
    for (unsigned i = 0; i < GATEWAY_WANTON_MAX; i++) {
        if (gateway->wanton[i] == spi_in) {
            return true;
        }
    }
    return false;
}

static void delete_child(struct gateway *gateway, struct gateway_sa *sa,
                         const struct gateway_todo *todo)
{
    struct gateway_child *child = pick_child(gateway, todo->spi);
    uint8_t buffer[64];
    struct chain chain = chain_of(buffer, sizeof buffer);

    if (child == NULL || child->state == GATEWAY_CHILD_NONE ||
        child->state == GATEWAY_CHILD_LINGERING) {
        return;
    }
    if (todo->spi == 0) {
        gateway->wanton[gateway->n_wanton++ % GATEWAY_WANTON_MAX] = child->spi_in;
    }
    child->state = GATEWAY_CHILD_DELETING;
    delete_write(&chain, PROTO_ESP, &child->spi_in, 1);
    (void)gateway_send_request(gateway, sa, X_INFORMATIONAL, &chain);
    sa->ask = GATEWAY_ASK_DELETE_CHILD;
    sa->ask_spi = child->spi_in;
}

static void delete_ike(struct gateway *gateway, struct gateway_sa *sa)
{
    uint8_t buffer[64];
    struct chain chain = chain_of(buffer, sizeof buffer);

    if (sa->state == GATEWAY_SA_GONE) {
        return;
    }
    delete_write(&chain, PROTO_IKE, NULL, 0);
    (void)gateway_send_request(gateway, sa, X_INFORMATIONAL, &chain);
    sa->ask = GATEWAY_ASK_DELETE_IKE;
}

static void begin_attempt(struct gateway *gateway, const struct gateway_todo *todo, bool with_ke)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    uint16_t group = todo->group != 0 ? todo->group : gateway->config.asks_group;

    gateway_attempt_free(gateway);
    gateway_nonce(gateway, &attempt->ni, gateway->nonce_i);
    if (!with_ke) {
        return;
    }
    attempt->group = group != 0 ? alg_find(TRANSFORM_KE, group, 0) : gateway->sa->suite.ke;
    sim_require(attempt->group != NULL && ke_new(&attempt->ke, attempt->group, &gateway->rng) == OK,
                "key exchange");
}

static void offer_child(struct gateway *gateway)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    static struct proposal_list ike;

    gateway_esp_proposals(gateway, &attempt->offer);
    gateway_ike_proposals(gateway, &ike);
    for (size_t p = 0; p < attempt->offer.n; p++) {
        struct proposal *proposal = &attempt->offer.items[p];
        size_t n = 0;

        for (size_t a = 0; a < proposal->n_algs; a++) {
            if (proposal->algs[a]->type != TRANSFORM_KE) {
                proposal->algs[n++] = proposal->algs[a];
            }
        }
        proposal->n_algs = n;
        for (size_t a = 0; a < ike.items[0].n_algs && attempt->ke != NULL; a++) {
            if (ike.items[0].algs[a]->type == TRANSFORM_KE) {
                proposal->algs[proposal->n_algs++] = ike.items[0].algs[a];
            }
        }
    }
}

static void rekey_child(struct gateway *gateway, struct gateway_sa *sa,
                        const struct gateway_todo *todo)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    struct gateway_child *child = pick_child(gateway, todo->spi);
    static uint8_t buffer[8192];
    struct chain chain = chain_of(buffer, sizeof buffer);
    static struct ts_list ts;
    uint8_t spi[4];
    struct writer w = writer_of(spi, sizeof spi);

    if (child == NULL || child->state != GATEWAY_CHILD_UP) {
        return;
    }
    begin_attempt(gateway, todo, gateway->config.asks_pfs);
    offer_child(gateway);
    attempt->child = child->spi_in;
    attempt->network = child->network;
    attempt->spi = gateway_child_spi(gateway);
    wr_u32(&w, child->spi_in);
    notify_write(&chain, PROTO_ESP, wr_written(&w), N_REKEY_SA, (struct bytes){0});
    w = writer_of(spi, sizeof spi);
    wr_u32(&w, attempt->spi);
    sa_write(&chain, &attempt->offer, wr_written(&w));
    chain_add(&chain, P_NONCE, secret_bytes(&attempt->ni));
    if (attempt->ke != NULL) {
        ke_write(&chain, attempt->group->id, ke_public(attempt->ke));
    }
    sim_require(ts_parse(&ts, bytes_of(gateway->saved_tsr->data, gateway->saved_tsr->len)) == OK,
                "TSr");
    ts_write(&chain, P_TSi, &ts);
    sim_require(ts_parse(&ts, bytes_of(gateway->saved_tsi->data, gateway->saved_tsi->len)) == OK,
                "TSi");
    if (gateway->config.ts != GATEWAY_TS_ORIGINAL && ts.items[0].start.family == FAMILY_IPV4) {
        ts.n = 1;
        sim_require(addr_parse(&ts.items[0].start, "10.99.0.5"), "address");
        ts.items[0].end = ts.items[0].start;
    }
    ts_write(&chain, P_TSr, &ts);
    (void)gateway_send_request(gateway, sa, X_CREATE_CHILD_SA, &chain);
    sa->ask = GATEWAY_ASK_REKEY_CHILD;
}

static void rekey_ike(struct gateway *gateway, struct gateway_sa *sa,
                      const struct gateway_todo *todo)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    static uint8_t buffer[8192];
    struct chain chain = chain_of(buffer, sizeof buffer);
    uint8_t spi[8];
    struct reader r = reader_of(bytes_of(spi, sizeof spi));

    if (sa->state != GATEWAY_SA_UP) {
        return;
    }
    begin_attempt(gateway, todo, true);
    gateway_ike_proposals(gateway, &attempt->offer);
    sim_require(rng_fill(&gateway->rng, spi, sizeof spi) == OK, "SPI");
    attempt->ike_spi = rd_u64(&r);
    sa_write(&chain, &attempt->offer, bytes_of(spi, sizeof spi));
    chain_add(&chain, P_NONCE, secret_bytes(&attempt->ni));
    ke_write(&chain, attempt->group->id, ke_public(attempt->ke));
    (void)gateway_send_request(gateway, sa, X_CREATE_CHILD_SA, &chain);
    sa->ask = GATEWAY_ASK_REKEY_IKE;
}

static void start(struct gateway *gateway, const struct gateway_todo *todo)
{
    struct gateway_sa *sa = todo->sa != NULL ? todo->sa : gateway->sa;

    if (sa->out == NULL || gateway->phase == GATEWAY_CLOSED) {
        return;
    }
    switch (todo->ask) {
    case GATEWAY_ASK_DELETE_CHILD:
        delete_child(gateway, sa, todo);
        break;
    case GATEWAY_ASK_DELETE_IKE:
        delete_ike(gateway, sa);
        break;
    case GATEWAY_ASK_REKEY_CHILD:
        rekey_child(gateway, sa, todo);
        break;
    case GATEWAY_ASK_REKEY_IKE:
        rekey_ike(gateway, sa, todo);
        break;
    case GATEWAY_ASK_NOTIFY:
        gateway_notify(gateway, sa, todo);
        break;
    case GATEWAY_ASK_NOTHING:
    case GATEWAY_ASK_OTHER:
    case GATEWAY_ASK_ROUTABILITY:
    case GATEWAY_ASK_ADDRESSES:
    case GATEWAY_ASK_SYNC:
        break;
    }
}

void gateway_run_todo(struct gateway *gateway)
{
    for (guint i = 0; i < gateway->todo->len;) {
        const struct gateway_todo todo = g_array_index(gateway->todo, struct gateway_todo, i);
        const struct gateway_sa *sa = todo.sa != NULL ? todo.sa : gateway->sa;

        if (todo.at > gateway->now || waits(gateway, &todo) ||
            (sa->request != NULL && sa->state != GATEWAY_SA_GONE)) {
            i++;
            continue;
        }
        g_array_remove_index(gateway->todo, i);
        start(gateway, &todo);
        i = 0;
    }
}

/* ---- responses ---- */

static bool find_error(const struct message *message, struct notify *out)
{
    const struct payload *payload;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(out, payload->body) == OK && notify_is_error(out->type)) {
            return true;
        }
    }
    return false;
}

/* The client has refused; it is tried again where RFC 7296 2.25 says so. */
static void refused(struct gateway *gateway, enum gateway_ask ask, uint32_t spi,
                    const struct notify *notify)
{
    struct gateway_todo todo = {.ask = ask, .spi = spi, .at = gateway->now};
    struct reader r = reader_of(notify->data);

    gateway->refusals++;
    if (notify->type == N_INVALID_KE_PAYLOAD) {
        todo.group = rd_u16(&r);
        if (!rd_done(&r) || alg_find(TRANSFORM_KE, todo.group, 0) == NULL) {
            gateway_complain(gateway, "INVALID_KE_PAYLOAD without a group");
            return;
        }
        gateway_add_todo(gateway, &todo);
    } else if (notify->type == N_TEMPORARY_FAILURE) {
        todo.at += gateway->config.retry_us != 0 ? gateway->config.retry_us : RETRY_US;
        gateway_add_todo(gateway, &todo);
    }
}

static void remove_child(struct gateway *gateway, struct gateway_child *child)
{
    const struct gateway_todo todo = {
        .ask = GATEWAY_ASK_DELETE_CHILD, .spi = child->spi_in, .at = gateway->now};

    if (gateway->config.leaves_behind) {
        child->state = GATEWAY_CHILD_REPLACED;
        return;
    }
    child->state = GATEWAY_CHILD_DELETING;
    gateway_add_todo(gateway, &todo);
}

static bool read_child(struct gateway *gateway, const struct message *message,
                       struct gateway_child *out, struct bytes *nr)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    const struct payload *sa = message_find(message, P_SA, 0);
    const struct payload *nonce = message_find(message, P_NONCE, 0);
    const struct payload *payload = message_find(message, P_KE, 0);
    struct secret shared = {0};
    struct ke_payload ke = {0};
    struct bytes spi;
    struct reader r;
    bool good = sa != NULL && nonce != NULL &&
                sa_parse_choice(&out->suite, &spi, sa->body, &attempt->offer) == OK &&
                nonce_parse(nr, nonce->body) == OK;

    if (good && out->suite.ke != NULL) {
        good = payload != NULL && ke_parse(&ke, payload->body) == OK && attempt->ke != NULL &&
               ke_shared(attempt->ke, ke.data, &shared) == OK;
    }
    if (good) {
        r = reader_of(spi);
        out->spi_out = rd_u32(&r);
        good = child_keys_derive(&out->keys, gateway->sa->suite.prf,
                                 secret_bytes(&gateway->sa->keys.d), &out->suite,
                                 secret_bytes(&shared), secret_bytes(&attempt->ni), *nr) == OK;
    }
    secret_free(&shared);
    return good;
}

/* RFC 7296 2.8.1: that whose exchange has the lowest of the four nonces is closed by who made it.
 */
static bool we_lose(const struct gateway *gateway, struct bytes nr)
{
    const struct gateway_attempt *attempt = &gateway->attempt;
    struct bytes ours = gateway_lower(secret_bytes(&attempt->ni), nr);
    struct bytes theirs = secret_bytes(&attempt->theirs_lowest);

    return theirs.len > 0 && gateway_lower(ours, theirs).data == ours.data;
}

static void child_rekeyed(struct gateway *gateway, const struct message *message)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    struct gateway_child made = {.ours = true, .replaces = attempt->child, .spi_in = attempt->spi};
    struct gateway_child *old = gateway_child_in(gateway, attempt->child), *ours;
    struct gateway_child *theirs =
        attempt->their_child != 0 ? gateway_child_in(gateway, attempt->their_child) : NULL;
    struct bytes nr = {0};

    if (!read_child(gateway, message, &made, &nr)) {
        gateway_complain(gateway, "an answer to our CREATE_CHILD_SA that is not good");
        return;
    }
    made.network = attempt->network;
    gateway->child_rekeys++;
    ours = gateway_child_add(gateway, &made);
    if (we_lose(gateway, nr)) {
        remove_child(gateway, ours);
        if (old != NULL && old->state == GATEWAY_CHILD_UP) {
            old->state = GATEWAY_CHILD_REPLACED;
        }
        return;
    }
    gateway->outbound = ours->spi_in;
    if (theirs != NULL && theirs->state == GATEWAY_CHILD_UP) {
        theirs->state = GATEWAY_CHILD_REPLACED;
    }
    if (old != NULL && old->state != GATEWAY_CHILD_LINGERING) {
        remove_child(gateway, old);
    }
}

static void child_answered(struct gateway *gateway, const struct message *message)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    struct gateway_child *old = gateway_child_in(gateway, attempt->child);
    struct notify notify;

    if (!find_error(message, &notify)) {
        child_rekeyed(gateway, message);
    } else if (attempt->their_child != 0) {
        /* Theirs is the one that counts. */
        gateway->refusals++;
        if (old != NULL && old->state == GATEWAY_CHILD_UP) {
            old->state = GATEWAY_CHILD_REPLACED;
        }
    } else {
        refused(gateway, GATEWAY_ASK_REKEY_CHILD, attempt->child, &notify);
        if (notify.type == N_CHILD_SA_NOT_FOUND && old != NULL && old->state == GATEWAY_CHILD_UP) {
            gateway_child_deleted(gateway, old);
        }
    }
    gateway_attempt_free(gateway);
}

static bool read_ike(struct gateway *gateway, const struct gateway_sa *old,
                     const struct message *message, struct gateway_sa *out)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    const struct payload *sa = message_find(message, P_SA, 0);
    const struct payload *nonce = message_find(message, P_NONCE, 0);
    const struct payload *payload = message_find(message, P_KE, 0);
    struct secret shared = {0};
    struct ke_payload ke = {0};
    struct suite suite;
    struct bytes spi, nr;
    struct reader r;
    bool good = sa != NULL && nonce != NULL && payload != NULL &&
                sa_parse_choice(&suite, &spi, sa->body, &attempt->offer) == OK && spi.len == 8 &&
                nonce_parse(&nr, nonce->body) == OK && ke_parse(&ke, payload->body) == OK &&
                suite.ke == attempt->group && ke_shared(attempt->ke, ke.data, &shared) == OK;

    if (good) {
        r = reader_of(spi);
        out->ours = true;
        out->spi_i = attempt->ike_spi;
        out->spi_r = rd_u64(&r);
        sim_require(secret_set(&out->ni, secret_bytes(&attempt->ni)) && secret_set(&out->nr, nr),
                    "nonces");
        gateway_rekey_keys(out, old, &suite, secret_bytes(&shared));
    }
    secret_free(&shared);
    return good;
}

static void remove_sa(struct gateway *gateway, struct gateway_sa *sa)
{
    const struct gateway_todo todo = {.ask = GATEWAY_ASK_DELETE_IKE, .sa = sa, .at = gateway->now};

    sa->state = GATEWAY_SA_REPLACED;
    if (!gateway->config.leaves_behind) {
        gateway_add_todo(gateway, &todo);
    }
}

static void ike_rekeyed(struct gateway *gateway, struct gateway_sa *old,
                        const struct message *message)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    struct gateway_sa *theirs = attempt->their_sa;
    struct gateway_sa *made = gateway_sa_new(gateway);

    if (!read_ike(gateway, old, message, made)) {
        gateway_complain(gateway, "an answer to our CREATE_CHILD_SA (IKE) that is not good");
        gateway_sa_free(made);
        return;
    }
    gateway->ike_rekeys++;
    if (we_lose(gateway, secret_bytes(&made->nr))) {
        gateway->sa = theirs;
        old->state = GATEWAY_SA_REPLACED;
        remove_sa(gateway, made);
        return;
    }
    gateway->sa = made;
    /* RFC 6290 4.3: the initiator's comes in an exchange of its own. */
    gateway_add_todo(gateway, &(struct gateway_todo){.ask = GATEWAY_ASK_NOTIFY,
                                                     .notify = N_QCD_TOKEN,
                                                     .sa = made,
                                                     .at = gateway->now});
    if (theirs != NULL) {
        theirs->state = GATEWAY_SA_REDUNDANT;
        theirs->until = gateway->now + REDUNDANT_US;
    }
    remove_sa(gateway, old);
}

static void ike_answered(struct gateway *gateway, struct gateway_sa *sa,
                         const struct message *message)
{
    struct gateway_attempt *attempt = &gateway->attempt;
    struct notify notify;

    if (!find_error(message, &notify)) {
        ike_rekeyed(gateway, sa, message);
    } else if (attempt->their_sa != NULL) {
        gateway->refusals++;
        sa->state = GATEWAY_SA_REPLACED;
        gateway->sa = attempt->their_sa;
    } else {
        refused(gateway, GATEWAY_ASK_REKEY_IKE, 0, &notify);
    }
    gateway_attempt_free(gateway);
}

void gateway_answered(struct gateway *gateway, struct gateway_sa *sa, const struct message *message)
{
    struct gateway_child *child;

    switch (sa->ask) {
    case GATEWAY_ASK_REKEY_CHILD:
        child_answered(gateway, message);
        break;
    case GATEWAY_ASK_REKEY_IKE:
        ike_answered(gateway, sa, message);
        break;
    case GATEWAY_ASK_DELETE_CHILD:
        child = gateway_child_in(gateway, sa->ask_spi);
        if (child != NULL && child->state != GATEWAY_CHILD_LINGERING) {
            gateway_child_deleted(gateway, child);
        }
        break;
    case GATEWAY_ASK_DELETE_IKE:
        sa->state = GATEWAY_SA_GONE;
        if (sa == gateway->sa) {
            gateway->phase = GATEWAY_CLOSED;
            gateway_children_free(gateway);
        }
        break;
    case GATEWAY_ASK_NOTIFY:
        if (gateway->last_response->len > 0) {
            gateway_complain(gateway, "an answer that is not empty");
        }
        if (sa->told == N_AUTHENTICATION_FAILED) {
            gateway_lose(gateway, sa);
        }
        break;
    case GATEWAY_ASK_SYNC:
        gateway_synced(gateway, sa, message);
        break;
    case GATEWAY_ASK_ROUTABILITY:
        gateway_mobike_answered(gateway, sa, message);
        break;
    case GATEWAY_ASK_ADDRESSES:
        gateway_told_addresses(gateway);
        break;
    case GATEWAY_ASK_NOTHING:
    case GATEWAY_ASK_OTHER:
        break;
    }
}
