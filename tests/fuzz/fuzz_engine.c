/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "fuzz/fuzz_engine.h"
#include "ike/engine.h"

/*
 * The whole engine in one of several states, and then whatever an input says: datagrams of a
 * stranger, messages under the right keys, time, calls of the carrier. The format is in
 * fuzz_engine.h.
 */

#define RECORDS_MAX 64
#define TICKS_MAX 32
#define OUTPUTS_MAX 4096
#define PSK "a shared secret"

static const struct path gateway_path = {
    .local = {.addr = {.family = FAMILY_IPV4, .octets = {192, 0, 2, 10}}, .port = IKE_PORT},
    .remote = {.addr = {.family = FAMILY_IPV4, .octets = {192, 0, 2, 1}}, .port = IKE_PORT},
};

struct run {
    struct ike *ike;
    struct rng_seeded seed;
    struct ts_list *remote; /* of the config */
    uint64_t now, counter;
    unsigned n_outputs;
    bool down;
};

static uint8_t datagram[IKE_MESSAGE_MAX], output[IKE_MESSAGE_MAX];

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* ---- the engine ---- */

static void proposals(struct proposal_list *out, enum protocol protocol, const char *text)
{
    struct bytes at;
    const char *why;

    require(proposal_parse(out, protocol, text, true, &at, &why));
}

static bool resumes(enum fuzz_state state)
{
    return state == FUZZ_RESUME || state == FUZZ_RESUME_AUTH;
}

/* As an engine with this config has got it before. */
static void make_ticket(struct ike_ticket *out, const struct ike_config *config)
{
    static const uint8_t sk_d[32] = {1};
    struct ike *before;

    require(ike_new(&before, config, 1) == OK);
    *out = (struct ike_ticket){
        .expires_at = IKE_NEVER,
        .suite = {.encr = alg_find(TRANSFORM_ENCR, ENCR_AES_GCM_16, 128),
                  .prf = alg_find(TRANSFORM_PRF, PRF_HMAC_SHA2_256, 0),
                  .ke = alg_find(TRANSFORM_KE, KE_CURVE25519, 0)},
        .local_id = config->local_id,
        .gateway_id = config->remote_id,
    };
    memcpy(out->profile, before->resume.profile, sizeof out->profile);
    require(secret_set(&out->opaque, bytes_of_string("ticket")) &&
            secret_set(&out->sk_d, bytes_of(sk_d, sizeof sk_d)));
    ike_free(before);
}

static void start(struct run *run, enum fuzz_state state)
{
    static struct ike_ticket ticket;
    static struct proposal_list ike_list, esp_list;
    static struct ike_config config;
    bool eap = state == FUZZ_EAP || state == FUZZ_EAP_AUTH;

    proposals(&ike_list, PROTO_IKE, FUZZ_IKE_SUITE);
    proposals(&esp_list, PROTO_ESP, FUZZ_ESP_SUITE);
    config = (struct ike_config){
        .path = gateway_path,
        .ike = &ike_list,
        .esp = &esp_list,
        .auth = eap ? IKE_AUTH_EAP : IKE_AUTH_PSK,
        .psk = bytes_of_string(PSK),
        .eap = {.user = "alice", .password = bytes_of_string("password"), .have_password = true},
        .request_ipv4 = true,
        .request_ipv6 = state == FUZZ_CHILDLESS,
        .childless = state == FUZZ_CHILDLESS,
        .mobike = true,
        .trace = true,
    };
    if (state == FUZZ_NETWORKS || state == FUZZ_CHILDLESS) {
        config.remote_ts.n = 2;
        for (uint8_t i = 0; i < 2; i++) {
            struct ts *ts = &config.remote_ts.items[i];

            *ts = (struct ts){.port_high = UINT16_MAX};
            ts->start = ts->end = (struct addr){.family = FAMILY_IPV4, .octets = {10, i}};
            ts->end.octets[2] = ts->end.octets[3] = 0xff;
        }
    }
    run->now = 1000000;
    config.rng = rng_from_seed(&run->seed, 1);
    require(id_parse(&config.local_id, "alice") && id_parse(&config.remote_id, "gw.example.org"));
    if (resumes(state)) {
        make_ticket(&ticket, &config);
        config.ticket = &ticket;
    }
    require(ike_new(&run->ike, &config, run->now) == OK);
    ike_ticket_free(&ticket);
}

/* What a carrier does after each call. */
static void pump(struct run *run)
{
    struct ike_event event;
    struct path path;
    ssize_t n;

    while (ike_next_event(run->ike, &event)) {
        require(!run->down);
        run->down = event.type == IKE_EVENT_DOWN;
        require(event.type != IKE_EVENT_CHILD_UP || (event.child != NULL && event.net != NULL));
    }
    while ((n = ike_output(run->ike, &path, output, sizeof output, run->now)) > 0) {
        require(++run->n_outputs < OUTPUTS_MAX);
    }
    require(n == 0 && !ike_next_event(run->ike, &event));
    /* Nothing is due that has just been done. */
    require(run->down || ike_deadline(run->ike) >= run->now);
}

static void deliver(struct run *run, struct bytes octets)
{
    struct path path = gateway_path;
    uint8_t *exact = malloc(octets.len > 0 ? octets.len : 1);

    /* exactly as long, so that a sanitizer sees an overrun */
    require(exact != NULL);
    if (octets.len > 0) {
        memcpy(exact, octets.data, octets.len);
    }
    path.remote.port = run->ike->path.remote.port;
    ike_input(run->ike, &path, bytes_of(exact, octets.len), run->now);
    free(exact);
    pump(run);
}

static void advance(struct run *run, uint64_t until)
{
    for (unsigned i = 0; i < TICKS_MAX && !run->down && ike_deadline(run->ike) <= until; i++) {
        uint64_t at = ike_deadline(run->ike);

        run->now = at > run->now ? at : run->now;
        ike_tick(run->ike, run->now);
        pump(run);
    }
    run->now = until > run->now ? until : run->now;
    ike_tick(run->ike, run->now);
    pump(run);
}

/* ---- messages under the right keys ---- */

static struct ike_header header_of(const struct ike_sa *sa, uint8_t exchange, uint32_t id,
                                   bool response)
{
    return (struct ike_header){
        .spi_i = sa->spi_i,
        .spi_r = sa->spi_r,
        .version = IKE_VERSION,
        .exchange = exchange,
        .flags = (uint8_t)((response ? IKE_FLAG_RESPONSE : 0U) |
                           (sa->initiator ? 0U : IKE_FLAG_INITIATOR)),
        .message_id = id,
    };
}

/* The gateway's way of sealing, from the keys that the engine opens with. */
static struct crypt *crypt_of(const struct ike_sa *sa)
{
    const struct ike_keys *keys = &sa->keys;
    struct crypt *crypt = NULL;

    if (sa->in == NULL) {
        return NULL;
    }
    require(crypt_new(&crypt, sa->suite.encr, sa->suite.integ,
                      secret_bytes(sa->initiator ? &keys->er : &keys->ei),
                      secret_bytes(sa->initiator ? &keys->ar : &keys->ai)) == OK);
    return crypt;
}

static void send_sealed(struct run *run, const struct ike_sa *sa, const struct ike_header *header,
                        uint8_t first, struct bytes plain, unsigned pieces)
{
    struct crypt *crypt = crypt_of(sa);
    const struct chain chain = {
        .w = {.start = (uint8_t *)(uintptr_t)plain.data, .len = plain.len, .cap = plain.len},
        .first = first,
    };
    size_t len;

    if (crypt == NULL) {
        return;
    }
    if (pieces <= 1) {
        len = message_seal(header, &chain, crypt, run->counter++, datagram, sizeof datagram);
        deliver(run, bytes_of(datagram, len));
    }
    for (unsigned i = 0; pieces > 1 && plain.len > 0 && i < pieces; i++) {
        size_t at = plain.len * i / pieces, end = plain.len * (i + 1) / pieces;

        len = message_seal_fragment(header, first, bytes_of(plain.data + at, end - at),
                                    (uint16_t)(i + 1), (uint16_t)pieces, crypt, run->counter++,
                                    datagram, sizeof datagram);
        deliver(run, bytes_of(datagram, len));
    }
    crypt_free(crypt);
}

static void send_chain(struct run *run, uint8_t exchange, uint32_t id, const struct chain *chain)
{
    const struct ike_header header = header_of(&run->ike->sa, exchange, id, true);

    send_sealed(run, &run->ike->sa, &header, chain->first, wr_written(&chain->w), 1);
}

/* ---- a gateway that does everything right ---- */

static void answer_init(struct run *run, bool childless)
{
    static const uint8_t point[32] = {9}, nonce[32] = {1};
    static uint8_t buffer[1024];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct ike_header header = header_of(&run->ike->sa, X_IKE_SA_INIT, 0, true);
    struct proposal_list choice;
    const struct bytes none = {0};

    header.spi_r = 0x1122334455667788;
    proposals(&choice, PROTO_IKE, FUZZ_IKE_SUITE);
    sa_write(&chain, &choice, none);
    ke_write(&chain, KE_CURVE25519, bytes_of(point, sizeof point));
    chain_add(&chain, P_NONCE, bytes_of(nonce, sizeof nonce));
    notify_write(&chain, 0, none, N_FRAGMENTATION_SUPPORTED, none);
    if (childless) {
        notify_write(&chain, 0, none, N_CHILDLESS_IKEV2_SUPPORTED, none);
    }
    deliver(run, bytes_of(datagram, message_write(&header, &chain, datagram, sizeof datagram)));
    require(run->ike->state == ST_AUTH_SENT);
}

static void answer_resume(struct run *run)
{
    static const uint8_t nonce[32] = {1};
    uint8_t buffer[128];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct ike_header header = header_of(&run->ike->sa, X_IKE_SESSION_RESUME, 0, true);

    header.spi_r = 0x1122334455667788;
    chain_add(&chain, P_NONCE, bytes_of(nonce, sizeof nonce));
    deliver(run, bytes_of(datagram, message_write(&header, &chain, datagram, sizeof datagram)));
    require(run->ike->state == ST_RESUME_AUTH_SENT);
}

static void write_proof(struct run *run, struct chain *chain)
{
    static const char idr[] = "\2\0\0\0gw.example.org";
    const struct ike *ike = run->ike;
    struct bytes id = bytes_of(idr, sizeof idr - 1);
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];

    require(auth_octets(&octets, ike->sa.suite.prf, secret_bytes(&ike->init.response),
                        secret_bytes(&ike->sa.ni), secret_bytes(&ike->sa.keys.pr), id) == OK &&
            auth_shared_key(ike->sa.suite.prf, bytes_of_string(PSK), secret_bytes(&octets), mac) ==
                OK);
    secret_free(&octets);
    chain_add(chain, P_IDr, id);
    auth_write(chain, AUTH_METHOD_PSK, bytes_of(mac, prf_len(ike->sa.suite.prf)));
}

static void establish(struct run *run, bool with_child)
{
    static uint8_t buffer[2048];
    struct chain chain = chain_of(buffer, sizeof buffer);
    const struct bytes none = {0};

    write_proof(run, &chain);
    fuzz_write_config(&chain);
    if (with_child) {
        fuzz_write_child(&chain, 1);
    }
    notify_write(&chain, 0, none, N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED, none);
    notify_write(&chain, 0, none, N_MOBIKE_SUPPORTED, none);
    send_chain(run, X_IKE_AUTH, 1, &chain);
    require(run->ike->state == ST_UP);
}

static void reach(struct run *run, enum fuzz_state state)
{
    start(run, state);
    pump(run);
    if (state == FUZZ_INIT || state == FUZZ_RESUME) {
        return;
    }
    if (state == FUZZ_RESUME_AUTH) {
        answer_resume(run);
        return;
    }
    answer_init(run, state == FUZZ_CHILDLESS);
    if (state == FUZZ_AUTH || state == FUZZ_EAP_AUTH) {
        return;
    }
    if (state == FUZZ_EAP) {
        /* as if the gateway had proved itself by a certificate */
        run->ike->state = ST_EAP_SENT;
        return;
    }
    establish(run, state != FUZZ_CHILDLESS);
    if (state == FUZZ_REKEY_CHILD) {
        ike_rekey_child(run->ike, 0, run->now);
    } else if (state == FUZZ_REKEY_IKE) {
        ike_rekey(run->ike, run->now);
    } else if (state == FUZZ_CLOSE) {
        ike_disconnect(run->ike, run->now);
    }
    pump(run);
}

/* ---- what the input says ---- */

static struct ike_sa *sa_of(struct run *run, uint8_t which)
{
    struct ike_sa *sa = &run->ike->sa;

    for (size_t i = 0; i < OTHERS_MAX && which > 0; i++) {
        if (run->ike->others[i].state != OTHER_NONE && --which == 0) {
            sa = &run->ike->others[i].sa;
        }
    }
    return sa;
}

/* What is imported is whole, and comes out as it went in. */
static void import_ticket(struct bytes octets)
{
    struct ike_ticket ticket;
    struct secret again = {0};

    if (ike_ticket_import(&ticket, octets) == OK) {
        require(ike_ticket_export(&ticket, &again) == OK && again.len <= octets.len);
    }
    ike_ticket_free(&ticket);
    secret_free(&again);
}

static void call(struct run *run, uint8_t what, struct bytes data)
{
    uint64_t now = run->now;

    switch (what % 10) {
    case 9:
        import_ticket(data);
        break;
    case 0:
        ike_rekey_child(run->ike, 0, now);
        break;
    case 1:
        ike_rekey(run->ike, now);
        break;
    case 2:
        ike_disconnect(run->ike, now);
        break;
    case 3:
        ike_provide_secret(run->ike, EAP_SECRET_PASSWORD, data, now);
        break;
    case 4:
        ike_unreachable(run->ike, &run->ike->path, IKE_ICMP_PORT_UNREACHABLE,
                        &run->ike->path.remote.addr, now);
        break;
    case 6:
        ike_network_changed(run->ike, now);
        break;
    case 7:
        ike_woke(run->ike, now);
        break;
    case 5:
        ike_sent_traffic(run->ike, now);
        break;
    default:
        ike_received_traffic(run->ike, now);
        break;
    }
    pump(run);
}

static void obey(struct run *run, const struct fuzz_record *record)
{
    struct ike_sa *sa = sa_of(run, record->which);
    struct ike_header header;

    switch ((enum fuzz_op)(record->op % FUZZ_OPS)) {
    case FUZZ_RAW:
        deliver(run, record->data);
        return;
    case FUZZ_RESPONSE:
        header = header_of(sa, sa->request.exchange, sa->request.message_id, true);
        break;
    case FUZZ_REQUEST:
        header = header_of(sa, record->exchange, sa->peer_next_id, false);
        break;
    case FUZZ_REPEATED:
        header = header_of(sa, record->exchange, record->first % 4, record->which % 2 != 0);
        break;
    case FUZZ_CLEAR:
        header = header_of(
            sa, run->ike->state == ST_RESUME_SENT ? X_IKE_SESSION_RESUME : X_IKE_SA_INIT, 0, true);
        header.spi_r = record->which;
        if (record->data.len < sizeof datagram / 2) {
            const struct chain chain = {.w = {.start = (uint8_t *)(uintptr_t)record->data.data,
                                              .len = record->data.len,
                                              .cap = record->data.len},
                                        .first = record->first};

            deliver(run,
                    bytes_of(datagram, message_write(&header, &chain, datagram, sizeof datagram)));
        }
        return;
    case FUZZ_TIME:
        advance(run, run->now + (UINT64_C(1) << record->first % 36));
        return;
    case FUZZ_CALL:
        call(run, record->first, record->data);
        return;
    case FUZZ_OPS:
        return;
    }
    send_sealed(run, sa, &header, record->first, record->data, record->op / FUZZ_OPS % 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));
    struct run run = {0};
    struct fuzz_record record;

    if (size == 0 || size > 16384) {
        return 0;
    }
    reach(&run, (enum fuzz_state)(rd_u8(&r) % FUZZ_STATES));
    for (unsigned i = 0; i < RECORDS_MAX && !run.down && fuzz_next(&r, &record); i++) {
        obey(&run, &record);
    }
    ike_free(run.ike);
    return 0;
}
