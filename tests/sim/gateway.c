/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

#include <stdio.h>
#include <stdlib.h>

/* Messages of the gateway: what is sealed, opened, put together, cached and repeated. */

#define REPEAT_US UINT64_C(1000000)
#define REPEATS_MAX 20
#define HALF_OPEN_US UINT64_C(20000000)
#define CUTS_MAX 1 /* the client takes 64 pieces */
#define REPEATS_MOBIKE_MAX 300

void sim_require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "the simulator is wrong: %s\n", what);
        abort();
    }
}

void gateway_set(GByteArray **to, struct bytes from)
{
    if (*to != NULL) {
        g_byte_array_unref(*to);
    }
    *to = g_byte_array_new();
    if (from.len > 0) {
        g_byte_array_append(*to, from.data, (guint)from.len);
    }
}

static void free_array(GByteArray **array)
{
    if (*array != NULL) {
        g_byte_array_unref(*array);
        *array = NULL;
    }
}

static GPtrArray *new_datagrams(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
}

void gateway_complain(struct gateway *gateway, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_string_append_vprintf(gateway->complaints, format, args);
    va_end(args);
    g_string_append_c(gateway->complaints, '\n');
}

static void free_queued(gpointer data)
{
    struct gateway_datagram *queued = data;

    g_byte_array_unref(queued->octets);
    g_free(queued);
}

static void begin(struct gateway *gateway)
{
    gateway->out_queue = g_ptr_array_new_with_free_func(free_queued);
    gateway->todo = g_array_new(FALSE, FALSE, sizeof(struct gateway_todo));
    gateway->complaints = g_string_new(NULL);
    gateway->nonce_i = gateway->nonce_r = GATEWAY_RANDOM;
    gateway->sa = gateway_sa_new(gateway);
}

void gateway_init(struct gateway *gateway, const struct gateway_config *config,
                  const struct pki *pki, uint64_t seed)
{
    *gateway = (struct gateway){.config = *config, .pki = pki};
    gateway->rng = rng_from_seed(&gateway->rng_state, seed ^ UINT64_C(0x6761746577617921));
    begin(gateway);
}

/* ---- IKE SAs ---- */

static void forget_parts(struct gateway_sa *sa)
{
    for (size_t i = 0; i < GATEWAY_FRAGMENTS_MAX; i++) {
        free_array(&sa->parts[i]);
    }
    sa->n_parts = sa->parts_total = 0;
}

static void forget_draft(struct gateway_draft *draft)
{
    free_array(&draft->plain);
    *draft = (struct gateway_draft){0};
}

static void forget_request(struct gateway_sa *sa)
{
    forget_draft(&sa->request_draft);
    if (sa->request != NULL) {
        g_ptr_array_unref(sa->request);
        sa->request = NULL;
    }
    sa->ask = GATEWAY_ASK_NOTHING;
}

void gateway_forget_exchanges(struct gateway_sa *sa)
{
    forget_request(sa);
    forget_parts(sa);
    g_ptr_array_set_size(sa->response, 0);
}

void gateway_sa_free(struct gateway_sa *sa)
{
    crypt_free(sa->in);
    crypt_free(sa->out);
    ike_keys_free(&sa->keys);
    secret_free(&sa->ni);
    secret_free(&sa->nr);
    forget_parts(sa);
    forget_request(sa);
    if (sa->response != NULL) {
        g_ptr_array_unref(sa->response);
    }
    forget_draft(&sa->response_draft);
    *sa = (struct gateway_sa){0};
}

struct gateway_sa *gateway_sa_new(struct gateway *gateway)
{
    struct gateway_sa *sa = NULL;

    for (size_t i = 0; i < GATEWAY_SAS_MAX && sa == NULL; i++) {
        if (gateway->sas[i].state == GATEWAY_SA_NONE) {
            sa = &gateway->sas[i];
        }
    }
    for (size_t i = 0; i < GATEWAY_SAS_MAX && sa == NULL; i++) {
        if (gateway->sas[i].state == GATEWAY_SA_GONE && &gateway->sas[i] != gateway->sa) {
            sa = &gateway->sas[i];
        }
    }
    sim_require(sa != NULL, "too many IKE SAs");
    gateway_sa_free(sa);
    sa->state = GATEWAY_SA_UP;
    sa->response = new_datagrams();
    return sa;
}

void gateway_sa_keyed(struct gateway_sa *sa)
{
    const struct ike_keys *keys = &sa->keys;

    crypt_free(sa->in);
    crypt_free(sa->out);
    sim_require(crypt_new(sa->ours ? &sa->out : &sa->in, sa->suite.encr, sa->suite.integ,
                          secret_bytes(&keys->ei), secret_bytes(&keys->ai)) == OK &&
                    crypt_new(sa->ours ? &sa->in : &sa->out, sa->suite.encr, sa->suite.integ,
                              secret_bytes(&keys->er), secret_bytes(&keys->ar)) == OK,
                "ciphers");
}

void gateway_free(struct gateway *gateway)
{
    GByteArray **arrays[] = {
        &gateway->init_request, &gateway->init_response, &gateway->idi,
        &gateway->idr,          &gateway->saved_cp,      &gateway->saved_sa,
        &gateway->saved_tsi,    &gateway->saved_tsr,     &gateway->last_response};

    for (size_t i = 0; i < GATEWAY_SAS_MAX; i++) {
        gateway_sa_free(&gateway->sas[i]);
    }
    gateway_children_free(gateway);
    gateway_attempt_free(gateway);
    gateway_tickets_free(gateway);
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        free_array(arrays[i]);
    }
    g_array_unref(gateway->todo);
    g_string_free(gateway->complaints, TRUE);
    g_ptr_array_unref(gateway->out_queue);
}

void gateway_restart(struct gateway *gateway)
{
    struct gateway kept = *gateway;

    if (!gateway->config.loses_tickets) {
        memset(gateway->tickets, 0, sizeof gateway->tickets);
    }
    gateway_free(gateway);
    *gateway = (struct gateway){.config = kept.config,
                                .pki = kept.pki,
                                .rng = kept.rng,
                                .rng_state = kept.rng_state,
                                .path = kept.path,
                                .ike_path = kept.ike_path,
                                .esp_path = kept.esp_path,
                                .now = kept.now};
    gateway->rng.context = &gateway->rng_state;
    if (!kept.config.loses_tickets) {
        memcpy(gateway->tickets, kept.tickets, sizeof gateway->tickets);
        gateway->n_tickets = kept.n_tickets;
    }
    begin(gateway);
}

void gateway_new_attempt(struct gateway *gateway)
{
    gateway->resuming = NULL;
    gateway->sent_proof = false;
    gateway->half_open_until = gateway->now + HALF_OPEN_US;
    if (gateway->phase >= GATEWAY_UP) {
        gateway->before = gateway->sa;
        gateway->sa = gateway_sa_new(gateway);
        return;
    }
    /* One that came to nothing. */
    gateway_sa_free(gateway->sa);
    gateway->sa->state = GATEWAY_SA_UP;
    gateway->sa->response = new_datagrams();
}

static bool half_open(const struct gateway *gateway)
{
    return gateway->before != NULL && gateway->before != gateway->sa &&
           gateway->before->state == GATEWAY_SA_UP && gateway->phase != GATEWAY_UP;
}

/* It was an old copy of a first message, or the client has given up. */
static void forget_half_open(struct gateway *gateway)
{
    gateway_sa_free(gateway->sa);
    gateway->sa = gateway->before;
    gateway->before = NULL;
    gateway->resuming = NULL;
    gateway->phase = GATEWAY_UP;
}

void gateway_attempt_succeeded(struct gateway *gateway)
{
    for (size_t i = 0; i < GATEWAY_SAS_MAX; i++) {
        if (&gateway->sas[i] != gateway->sa && gateway->sas[i].state != GATEWAY_SA_NONE) {
            gateway_sa_free(&gateway->sas[i]);
        }
    }
    gateway->had_client = true;
    gateway->before = NULL;
    gateway_attempt_free(gateway);
    g_array_set_size(gateway->todo, 0);
    gateway_children_free(gateway);
}

unsigned gateway_live_sas(const struct gateway *gateway)
{
    unsigned n = 0;

    for (size_t i = 0; i < GATEWAY_SAS_MAX; i++) {
        n += gateway->sas[i].state == GATEWAY_SA_UP;
    }
    return n;
}

/* ---- sending ---- */

/* Takes `octets` over. */
static void queue(struct gateway *gateway, GByteArray *octets, const struct path *path)
{
    struct gateway_datagram *queued = g_new0(struct gateway_datagram, 1);

    queued->path = *path;
    queued->octets = octets;
    g_ptr_array_add(gateway->out_queue, queued);
}

void gateway_send(struct gateway *gateway, struct bytes datagram)
{
    GByteArray *copy = g_byte_array_new();

    g_byte_array_append(copy, datagram.data, (guint)datagram.len);
    queue(gateway, copy, &gateway->path);
}

static void add_datagram(GPtrArray *datagrams, const uint8_t *data, size_t len)
{
    GByteArray *copy = g_byte_array_new();

    sim_require(len > 0, "sealing a message");
    g_byte_array_append(copy, data, (guint)len);
    g_ptr_array_add(datagrams, copy);
}

static GPtrArray *seal(struct gateway *gateway, struct gateway_sa *sa,
                       const struct gateway_draft *draft)
{
    static uint8_t out[IKE_MESSAGE_MAX];
    uint8_t maker = sa->ours ? IKE_FLAG_INITIATOR : 0;
    struct ike_header header = {.spi_i = sa->spi_i,
                                .spi_r = sa->spi_r,
                                .version = IKE_VERSION,
                                .exchange = draft->exchange,
                                .flags = maker | (draft->response ? IKE_FLAG_RESPONSE : 0),
                                .message_id = draft->id};
    GPtrArray *datagrams = new_datagrams();
    struct bytes plain = bytes_of(draft->plain->data, draft->plain->len);
    const struct chain chain = {
        .w = {.start = draft->plain->data, .len = plain.len, .cap = plain.len},
        .first = draft->first};
    size_t limit = gateway->peer_fragments ? gateway->config.fragment >> draft->cuts : 0;
    size_t room = limit > 0 ? message_fragment_room(sa->out, limit) : 0;
    size_t len = message_seal(&header, &chain, sa->out, sa->sealed++, out, sizeof out);

    if (room == 0 || len <= limit) {
        add_datagram(datagrams, out, len);
        return datagrams;
    }
    for (size_t at = 0, n = 1; at < plain.len; at += room, n++) {
        struct bytes part =
            bytes_of(plain.data + at, plain.len - at < room ? plain.len - at : room);

        len = message_seal_fragment(&header, draft->first, part, (uint16_t)n,
                                    (uint16_t)((plain.len + room - 1) / room), sa->out,
                                    sa->sealed++, out, sizeof out);
        add_datagram(datagrams, out, len);
    }
    return datagrams;
}

static void draft(struct gateway_draft *out, uint8_t exchange, uint32_t id, bool response,
                  const struct chain *chain)
{
    forget_draft(out);
    gateway_set(&out->plain, wr_written(&chain->w));
    out->first = chain->first;
    out->exchange = exchange;
    out->id = id;
    out->response = response;
}

static void cut_again(struct gateway *gateway, struct gateway_sa *sa, struct gateway_draft *draft,
                      GPtrArray **datagrams)
{
    if (gateway->config.refragments && draft->plain != NULL && draft->cuts < CUTS_MAX) {
        draft->cuts++;
        g_ptr_array_unref(*datagrams);
        *datagrams = seal(gateway, sa, draft);
    }
}

static void send_all(struct gateway *gateway, const GPtrArray *datagrams, const struct path *path)
{
    for (guint i = 0; i < datagrams->len; i++) {
        queue(gateway, g_byte_array_ref(g_ptr_array_index(datagrams, i)), path);
    }
}

void gateway_respond(struct gateway *gateway, struct gateway_sa *sa, uint8_t exchange, uint32_t id,
                     const struct chain *chain)
{
    g_ptr_array_unref(sa->response);
    draft(&sa->response_draft, exchange, id, true, chain);
    sa->response = seal(gateway, sa, &sa->response_draft);
    send_all(gateway, sa->response, &gateway->path);
    gateway->requests_answered++;
}

bool gateway_send_request(struct gateway *gateway, struct gateway_sa *sa, uint8_t exchange,
                          const struct chain *chain)
{
    if (sa->request != NULL || sa->out == NULL) {
        return false;
    }
    draft(&sa->request_draft, exchange, sa->next_id, false, chain);
    sa->request = seal(gateway, sa, &sa->request_draft);
    sa->request_exchange = exchange;
    sa->request_due = gateway->now + REPEAT_US;
    sa->request_began = gateway->now;
    sa->request_tries = 1;
    sa->ask = GATEWAY_ASK_OTHER;
    send_all(gateway, sa->request, &gateway->ike_path);
    return true;
}

void gateway_request(struct gateway *gateway, uint8_t exchange, const struct chain *chain,
                     uint64_t now)
{
    gateway->now = now;
    (void)gateway_send_request(gateway, gateway->sa, exchange, chain);
}

void gateway_liveness(struct gateway *gateway, uint64_t now)
{
    uint8_t buffer[4];
    struct chain chain = chain_of(buffer, sizeof buffer);

    gateway_request(gateway, X_INFORMATIONAL, &chain, now);
}

uint64_t gateway_deadline(const struct gateway *gateway)
{
    uint64_t at = gateway_todo_deadline(gateway);

    for (size_t i = 0; i < GATEWAY_SAS_MAX; i++) {
        if (gateway->sas[i].request != NULL) {
            at = MIN(at, gateway->sas[i].request_due);
        }
    }
    if (half_open(gateway)) {
        at = MIN(at, gateway->half_open_until);
    }
    return at;
}

static void repeat(struct gateway *gateway, struct gateway_sa *sa)
{
    /* RFC 4555 3.11: five minutes, since it is for the client to move; also in an IKE SA whose
     * rekeying the client may not have heard of. */
    bool patient = gateway->mobike && (sa == gateway->sa || sa->ask != GATEWAY_ASK_DELETE_IKE);

    if (sa->ask == GATEWAY_ASK_ADDRESSES) {
        gateway_tell_from_next(gateway);
    }
    if (sa->request_tries < (patient ? REPEATS_MOBIKE_MAX : REPEATS_MAX)) {
        cut_again(gateway, sa, &sa->request_draft, &sa->request);
        send_all(gateway, sa->request, &gateway->ike_path);
        sa->request_tries++;
        sa->request_due = gateway->now + REPEAT_US;
        return;
    }
    /* RFC 7296 2.4: the client is dead, and with the IKE SA in use everything ends. */
    forget_request(sa);
    sa->state = GATEWAY_SA_GONE;
    sa->forgotten = true;
    if (sa == gateway->sa) {
        gateway->phase = GATEWAY_CLOSED;
        gateway_children_free(gateway);
    }
}

void gateway_tick(struct gateway *gateway, uint64_t now)
{
    gateway->now = now;
    for (size_t i = 0; i < GATEWAY_SAS_MAX; i++) {
        struct gateway_sa *sa = &gateway->sas[i];

        if (sa->request != NULL && sa->request_due <= now) {
            repeat(gateway, sa);
        }
        if (sa->state == GATEWAY_SA_REDUNDANT && sa->until <= now) {
            sa->state = GATEWAY_SA_GONE;
        }
    }
    gateway_mobike_run(gateway);
    if (half_open(gateway) && now >= gateway->half_open_until) {
        forget_half_open(gateway);
    }
    gateway_children_tick(gateway);
    gateway_run_todo(gateway);
}

/* ---- receiving ---- */

/* RFC 7296 2.21.2, 2.21.3: with this the IKE SA has gone on both sides. */
void gateway_lose(struct gateway *gateway, struct gateway_sa *sa)
{
    if (sa == gateway->sa) {
        gateway->phase = GATEWAY_CLOSED;
        gateway_children_free(gateway);
    }
    sa->state = GATEWAY_SA_GONE;
}

static void handle_informational(struct gateway *gateway, struct gateway_sa *sa,
                                 const struct message *message, struct chain *reply)
{
    const struct payload *payload = message_find(message, P_DELETE, 0);
    struct notify notify;

    if (payload != NULL) {
        gateway_delete_request(gateway, sa, payload, reply);
        return;
    }
    if (notify_find(message, N_TICKET_REQUEST, &notify)) {
        gateway_answer_ticket(gateway, sa, reply);
        return;
    }
    payload = message_find(message, P_NOTIFY, 0);
    if (payload != NULL && notify_parse(&notify, payload->body) == OK &&
        notify.type == N_AUTHENTICATION_FAILED) {
        gateway_lose(gateway, sa);
    }
    gateway_mobike_request(gateway, sa, message, reply);
}

static bool fatal(const struct chain *reply)
{
    struct message message = {0};
    struct notify notify;
    uint8_t unknown;

    return message_parse_chain(&message, reply->first, wr_written(&reply->w), &unknown) == OK &&
           message_find(&message, P_NOTIFY, 0) != NULL &&
           notify_parse(&notify, message_find(&message, P_NOTIFY, 0)->body) == OK &&
           notify.type == N_INVALID_SYNTAX;
}

static void handle_request(struct gateway *gateway, struct gateway_sa *sa,
                           const struct message *message)
{
    static uint8_t buffer[IKE_MESSAGE_MAX];
    struct chain reply = chain_of(buffer, sizeof buffer);

    sa->expected++;
    gateway->half_open_until = gateway->now + HALF_OPEN_US;
    if (message->header.exchange == X_IKE_AUTH) {
        gateway_auth_request(gateway, message, &reply);
    } else if (message->header.exchange == X_CREATE_CHILD_SA) {
        gateway_create_request(gateway, sa, message, &reply);
    } else {
        handle_informational(gateway, sa, message, &reply);
    }
    gateway_respond(gateway, sa, message->header.exchange, message->header.message_id, &reply);
    if (fatal(&reply)) {
        gateway_lose(gateway, sa);
    }
}

static void handle_response(struct gateway *gateway, struct gateway_sa *sa,
                            const struct message *message, uint8_t first, struct bytes plain)
{
    gateway->responses++;
    gateway->last_response_first = first;
    gateway_set(&gateway->last_response, plain);
    sa->next_id += sa->ask != GATEWAY_ASK_SYNC;
    g_ptr_array_unref(sa->request);
    sa->request = NULL;
    gateway_answered(gateway, sa, message);
    if (sa->request == NULL) {
        sa->ask = GATEWAY_ASK_NOTHING;
    }
}

static void deliver(struct gateway *gateway, struct gateway_sa *sa, struct message *message,
                    uint8_t first, struct bytes plain)
{
    uint8_t unknown;

    sim_require(message_parse_chain(message, first, plain, &unknown) == OK,
                "the client sends a chain that does not parse");
    /* RFC 7296 2.23 without MOBIKE, RFC 4555 3.8 with it. */
    if (!gateway->mobike || gateway->phase != GATEWAY_UP) {
        gateway->ike_path = gateway->esp_path = gateway->path;
    }
    if ((message->header.flags & IKE_FLAG_RESPONSE) != 0) {
        handle_response(gateway, sa, message, first, plain);
    } else {
        handle_request(gateway, sa, message);
    }
    gateway_run_todo(gateway);
}

/* RFC 7383 2.6: pieces of the latest total; a larger total replaces what was there. */
static void take_part(struct gateway *gateway, struct gateway_sa *sa, struct message *message,
                      uint8_t first, struct bytes plain, uint16_t number, uint16_t total)
{
    GByteArray *whole;

    sim_require(total <= GATEWAY_FRAGMENTS_MAX, "the client sends too many fragments");
    if (message->header.message_id != sa->parts_id || total > sa->parts_total) {
        forget_parts(sa);
        sa->parts_id = message->header.message_id;
        sa->parts_total = total;
    }
    if (total != sa->parts_total || sa->parts[number - 1] != NULL) {
        return;
    }
    gateway_set(&sa->parts[number - 1], plain);
    sa->n_parts++;
    if (number == 1) {
        sa->parts_first = first;
    }
    if (sa->n_parts < total) {
        return;
    }
    whole = g_byte_array_new();
    for (uint16_t i = 0; i < total; i++) {
        g_byte_array_append(whole, sa->parts[i]->data, sa->parts[i]->len);
    }
    forget_parts(sa);
    deliver(gateway, sa, message, sa->parts_first, bytes_of(whole->data, whole->len));
    g_byte_array_unref(whole);
}

/* True when the message is one to be looked at: in the window, and not repeated. */
static bool in_window(struct gateway *gateway, struct gateway_sa *sa, const struct message *message)
{
    if ((message->header.flags & IKE_FLAG_RESPONSE) != 0) {
        uint32_t id = sa->ask == GATEWAY_ASK_SYNC ? 0 : sa->next_id;

        return sa->request != NULL && message->header.message_id == id &&
               message->header.exchange == sa->request_exchange;
    }
    if (message->header.message_id + 1 == sa->expected && sa->response->len > 0) {
        gateway->requests_repeated++;
        cut_again(gateway, sa, &sa->response_draft, &sa->response);
        send_all(gateway, sa->response, &gateway->path);
        return false;
    }
    return message->header.message_id == sa->expected;
}

static void open_message(struct gateway *gateway, struct gateway_sa *sa, uint8_t *octets,
                         size_t len, struct message *message, uint8_t first)
{
    const struct payload *sk = message_find(message, P_SK, 0);
    const struct payload *skf = message_find(message, P_SKF, 0);
    uint16_t number = 0, total = 0;
    struct bytes plain;
    enum err err;

    if (sk == NULL && skf == NULL) {
        return;
    }
    err = sk != NULL ? message_open(octets, len, sk, sa->in, &plain)
                     : message_open_fragment(octets, len, skf, sa->in, &plain, &number, &total);
    if (err != OK) {
        gateway->undecipherable++;
        return;
    }
    if (!in_window(gateway, sa, message)) {
        return;
    }
    if (sk != NULL) {
        deliver(gateway, sa, message, first, plain);
    } else {
        take_part(gateway, sa, message, first, plain, number, total);
    }
}

/* While a client proves itself anew, nothing that it has left behind counts. */
static bool deaf(const struct gateway *gateway, const struct gateway_sa *sa)
{
    return gateway->config.silent_auth || (gateway->phase < GATEWAY_UP && sa != gateway->sa) ||
           (gateway->resuming != NULL && gateway->config.resume == GATEWAY_RESUME_AUTH_IGNORED);
}

/* The IKE SA that a message belongs to, by its SPIs and whose message it says to be. */
static struct gateway_sa *find_sa(struct gateway *gateway, const struct ike_header *header)
{
    for (size_t i = 0; i < GATEWAY_SAS_MAX; i++) {
        struct gateway_sa *sa = &gateway->sas[i];

        if (sa->in != NULL && !sa->forgotten &&
            (sa->state != GATEWAY_SA_GONE || !gateway->config.forgets) &&
            header->spi_i == sa->spi_i && header->spi_r == sa->spi_r) {
            /* RFC 7296 3.1: a corrupted octet fails to decipher later. */
            return ((header->flags & IKE_FLAG_INITIATOR) == 0) == sa->ours ? sa : NULL;
        }
    }
    return NULL;
}

void gateway_input(struct gateway *gateway, const struct path *path, struct bytes datagram,
                   uint64_t now)
{
    uint8_t *octets = g_memdup2(datagram.data, datagram.len);
    struct message message;
    struct gateway_sa *sa;
    uint8_t first, unknown;

    gateway->now = now;
    /* A NAT keepalive is one octet and no message. */
    if (message_parse(&message, bytes_of(octets, datagram.len), &first, &unknown) == OK) {
        sa = find_sa(gateway, &message.header);
        if (message.header.exchange == X_IKE_SA_INIT) {
            gateway->path = *path;
            gateway_init_request(gateway, &message);
        } else if (message.header.exchange == X_IKE_SESSION_RESUME) {
            gateway->path = *path;
            gateway_resume_request(gateway, &message);
        } else if (sa != NULL && !deaf(gateway, sa)) {
            gateway->path = *path;
            open_message(gateway, sa, octets, datagram.len, &message, first);
        } else if (sa == NULL && gateway->config.says_unknown &&
                   (message.header.flags & IKE_FLAG_RESPONSE) == 0) {
            gateway->path = *path;
            gateway_say_unknown(gateway, &message);
        }
    }
    g_free(octets);
}
