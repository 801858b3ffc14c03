/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"

#include <stdio.h>

#include "vectors.h"

struct peer peer;

static struct child_keys keys; /* of the last Child SA; initiator is who asked */
static bool keys_client_initiates;

void peer_start(void)
{
    gw_start();
    peer_connect();
}

void peer_reset(void)
{
    memset(&peer, 0, sizeof peer);
}

void peer_connect(void)
{
    peer_reset();
    gw_connect_tunnel();
    ck_assert_uint_eq(gw.n_inbound, 1);
    ck_assert_uint_eq(gw.outbound, PEER_FIRST_SPI);
    peer.first_child = gw.inbound[0];
}

void peer_finish(void)
{
    child_keys_free(&keys);
    ke_free(peer.ke);
    gw_finish();
}

void peer_finish_with(uint32_t outbound)
{
    peer_wait(PEER_LINGER_S);
    peer_check_alive(outbound, 1);
    peer_finish();
}

void peer_finish_replaced(uint32_t outbound)
{
    peer_take_delete(peer.first_child);
    peer_answer_delete(PEER_FIRST_SPI);
    peer_finish_with(outbound);
}

/* ---- messages ---- */

static void send_message(uint8_t exchange, uint32_t id, bool response, const struct chain *chain)
{
    uint8_t out[4096];
    size_t len = gw_sealed(out, sizeof out, exchange, id, response, chain);

    if (peer.hold) {
        peer.hold = false;
        memcpy(peer.held, out, len);
        peer.held_len = len;
        return;
    }
    gw_deliver(out, len);
    gw_drain();
}

void peer_request(uint8_t exchange, const struct chain *chain)
{
    send_message(exchange, gw.sa.next_id++, false, chain);
}

static void answer(uint8_t exchange, const struct chain *chain)
{
    send_message(exchange, peer.asked_id, true, chain);
}

void peer_release(void)
{
    gw_deliver(peer.held, peer.held_len);
    gw_drain();
}

static struct notify only_notify(void)
{
    struct notify notify;

    ck_assert_uint_eq(gw.message.n_payloads, 1);
    ck_assert_int_eq(notify_parse(&notify, message_find(&gw.message, P_NOTIFY, 0)->body), OK);
    return notify;
}

void peer_expect_notify(uint8_t exchange, uint16_t type)
{
    gw_expect(exchange, true);
    ck_assert_uint_eq(only_notify().type, type);
}

void peer_answer(const struct chain *chain)
{
    answer(gw.message.header.exchange, chain);
}

void peer_answer_notify(uint16_t type, struct bytes data)
{
    struct chain chain = gw_new_chain();

    notify_write(&chain, 0, (struct bytes){0}, type, data);
    answer(X_CREATE_CHILD_SA, &chain);
}

static void write_spi(uint8_t out[static 4], uint32_t spi)
{
    struct writer w = writer_of(out, 4);

    wr_u32(&w, spi);
}

static void write_sa(struct chain *chain, enum protocol protocol, const char *text, uint64_t spi)
{
    struct proposal_list list;
    struct bytes at;
    const char *why;
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof octets);

    ck_assert(proposal_parse(&list, protocol, text, true, &at, &why));
    wr_u64(&w, spi);
    sa_write(chain, &list, protocol == PROTO_IKE ? bytes_of(octets, 8) : bytes_of(octets + 4, 4));
}

static void write_range(struct chain *chain, enum payload_type type, const char *start,
                        const char *end)
{
    struct ts_list ts = {.n = 1};

    ts.items[0].port_high = 65535;
    ck_assert(addr_parse(&ts.items[0].start, start));
    ck_assert(addr_parse(&ts.items[0].end, end));
    ts_write(chain, type, &ts);
}

static uint64_t spi_of_choice(void)
{
    struct sa_proposal choice;
    struct reader r = reader_of(message_find(&gw.message, P_SA, 0)->body);
    uint64_t spi = 0;

    ck_assert(sa_next(&r, &choice));
    for (size_t i = 0; i < choice.spi.len; i++) {
        spi = spi << 8 | choice.spi.data[i];
    }
    return spi;
}

/* ---- Child SAs ---- */

void peer_ask_child(uint32_t old, uint32_t spi, uint8_t nonce, const char *esp, const char *group)
{
    struct chain chain = gw_new_chain();
    uint8_t octets[4];

    memset(peer.ni, nonce, sizeof peer.ni);
    peer.spi = spi;
    ke_free(peer.ke);
    peer.ke = NULL;
    write_spi(octets, old);
    if (old != 0) {
        notify_write(&chain, PROTO_ESP, bytes_of(octets, 4), N_REKEY_SA, (struct bytes){0});
    }
    write_sa(&chain, PROTO_ESP, esp, spi);
    chain_add(&chain, P_NONCE, bytes_of(peer.ni, sizeof peer.ni));
    if (group != NULL) {
        const struct alg *alg = alg_find_name(bytes_of_string(group));

        ck_assert_int_eq(ke_new(&peer.ke, alg, &gw.rng), OK);
        ke_write(&chain, alg->id, ke_public(peer.ke));
    }
    /* MikroTik: not asked for, not in the way */
    cp_write_begin(&chain, CFG_REQUEST);
    chain_end(&chain);
    write_range(&chain, P_TSi, "10.0.0.0", "10.255.255.255");
    write_range(&chain, P_TSr, "0.0.0.0", "255.255.255.255");
    peer_request(X_CREATE_CHILD_SA, &chain);
}

static void derive_child(bool client_initiates, struct bytes shared, struct bytes ni,
                         struct bytes nr)
{
    const struct suite suite = {.encr = alg_find_name(bytes_of_string("aes128gcm16"))};

    child_keys_free(&keys);
    keys_client_initiates = client_initiates;
    ck_assert_int_eq(child_keys_derive(&keys, gw.sa.suite.prf, secret_bytes(&gw.sa.keys.d), &suite,
                                       shared, ni, nr),
                     OK);
}

uint32_t peer_child_answered(void)
{
    struct secret shared = {0};
    struct ke_payload ke;
    struct ts_list ts;
    uint32_t spi;

    gw_expect(X_CREATE_CHILD_SA, true);
    ck_assert_ptr_nonnull(message_find(&gw.message, P_SA, 0));
    spi = (uint32_t)spi_of_choice();
    ck_assert_int_eq(message_find(&gw.message, P_KE, 0) != NULL, peer.ke != NULL);
    if (peer.ke != NULL) {
        ck_assert_int_eq(ke_parse(&ke, message_find(&gw.message, P_KE, 0)->body), OK);
        ck_assert_int_eq(ke_shared(peer.ke, ke.data, &shared), OK);
    }
    /* RFC 7296 2.9.2: what was in use, however wide the offer */
    ck_assert_int_eq(ts_parse(&ts, message_find(&gw.message, P_TSi, 0)->body), OK);
    ck_assert(ts.items[0].start.octets[1] == 99 && ts.items[0].end.octets[1] == 99);
    ck_assert_int_eq(ts_parse(&ts, message_find(&gw.message, P_TSr, 0)->body), OK);
    ck_assert(addr_equal(&ts.items[0].start, &ts.items[0].end));
    derive_child(false, secret_bytes(&shared), bytes_of(peer.ni, sizeof peer.ni),
                 message_find(&gw.message, P_NONCE, 0)->body);
    secret_free(&shared);
    return spi;
}

void peer_check_child(uint32_t spi_client)
{
    const struct secret *in = keys_client_initiates ? &keys.encr_r : &keys.encr_i;
    const struct secret *out = keys_client_initiates ? &keys.encr_i : &keys.encr_r;

    ck_assert_uint_eq(gw.inbound[gw.n_inbound - 1], spi_client);
    ck_assert_octets(gw.child_in_key, secret_bytes(in));
    ck_assert_octets(bytes_of(gw.child_out_key, out->len), secret_bytes(out));
}

static void take_request(void)
{
    const struct payload *nonce;
    const struct payload *payload;
    struct ke_payload ke;

    gw_expect(X_CREATE_CHILD_SA, false);
    peer.asked_id = gw.message.header.message_id;
    nonce = message_find(&gw.message, P_NONCE, 0);
    ck_assert_uint_le(nonce->body.len, sizeof peer.asked_nonce_octets);
    memcpy(peer.asked_nonce_octets, nonce->body.data, nonce->body.len);
    peer.asked_nonce = bytes_of(peer.asked_nonce_octets, nonce->body.len);
    peer.asked_group = 0;
    payload = message_find(&gw.message, P_KE, 0);
    if (payload != NULL) {
        ck_assert_int_eq(ke_parse(&ke, payload->body), OK);
        peer.asked_group = ke.group;
        peer.asked_value_len = ke.data.len;
        memcpy(peer.asked_value, ke.data.data, ke.data.len);
    }
}

void peer_take_child(void)
{
    struct notify notify;
    struct reader r;
    const struct payload *payload;

    take_request();
    peer.asked_spi = (uint32_t)spi_of_choice();
    peer.asked_rekey = 0;
    for (size_t i = 0; (payload = message_find(&gw.message, P_NOTIFY, i)) != NULL; i++) {
        ck_assert_int_eq(notify_parse(&notify, payload->body), OK);
        if (notify.type == N_REKEY_SA) {
            r = reader_of(notify.spi);
            peer.asked_rekey = rd_u32(&r);
        }
    }
}

void peer_answer_child(uint32_t spi, uint8_t nonce)
{
    peer_answer_child_ts(spi, nonce, "10.99.0.0", "10.99.255.255");
}

void peer_answer_child_ts(uint32_t spi, uint8_t nonce, const char *first, const char *last)
{
    struct chain chain = gw_new_chain();
    struct proposal_list list;
    struct bytes at;
    const char *why;
    uint8_t octets[4];
    uint8_t nr[32];

    memset(nr, nonce, sizeof nr);
    write_spi(octets, spi);
    ck_assert(proposal_parse(&list, PROTO_ESP, "aes128gcm16-noesn", false, &at, &why));
    /* the proposal without KE is the second one */
    sa_write_choice(&chain, 2, &list.items[0], bytes_of(octets, 4));
    chain_add(&chain, P_NONCE, bytes_of(nr, sizeof nr));
    write_range(&chain, P_TSi, "10.77.0.1", "10.77.0.1");
    write_range(&chain, P_TSr, first, last);
    derive_child(true, (struct bytes){0}, peer.asked_nonce, bytes_of(nr, sizeof nr));
    answer(X_CREATE_CHILD_SA, &chain);
}

void peer_delete_child(uint32_t spi)
{
    struct chain chain = gw_new_chain();

    delete_write(&chain, PROTO_ESP, &spi, 1);
    peer_request(X_INFORMATIONAL, &chain);
}

static void check_delete(uint32_t spi)
{
    struct delete_payload del;
    struct reader r;

    ck_assert_uint_eq(gw.message.n_payloads, spi != 0 ? 1 : 0);
    if (spi != 0) {
        ck_assert_int_eq(delete_parse(&del, message_find(&gw.message, P_DELETE, 0)->body), OK);
        ck_assert_uint_eq(del.protocol, PROTO_ESP);
        ck_assert_uint_eq(del.n_spis, 1);
        r = reader_of(del.spis);
        ck_assert_uint_eq(rd_u32(&r), spi);
    }
}

void peer_child_deleted(uint32_t spi_client)
{
    gw_expect(X_INFORMATIONAL, true);
    check_delete(spi_client);
}

void peer_take_delete(uint32_t spi_client)
{
    gw_expect(X_INFORMATIONAL, false);
    peer.asked_id = gw.message.header.message_id;
    check_delete(spi_client);
}

void peer_answer_delete(uint32_t spi)
{
    struct chain chain = gw_new_chain();

    if (spi != 0) {
        delete_write(&chain, PROTO_ESP, &spi, 1);
    }
    answer(X_INFORMATIONAL, &chain);
}

/* ---- the IKE SA ---- */

static void ike_keys(struct ike_sa *out, bool initiator, struct bytes shared)
{
    const struct key_seed seed = {
        .ni = secret_bytes(&out->ni),
        .nr = secret_bytes(&out->nr),
        .spi_i = out->spi_i,
        .spi_r = out->spi_r,
    };

    out->initiator = initiator;
    out->suite = gw.sa.suite;
    ck_assert_int_eq(ike_keys_rekey(&out->keys, &out->suite, &seed, shared, gw.sa.suite.prf,
                                    secret_bytes(&gw.sa.keys.d)),
                     OK);
    ck_assert_int_eq(crypt_new(&out->in, out->suite.encr, NULL,
                               secret_bytes(initiator ? &out->keys.er : &out->keys.ei),
                               (struct bytes){0}),
                     OK);
    ck_assert_int_eq(crypt_new(&out->out, out->suite.encr, NULL,
                               secret_bytes(initiator ? &out->keys.ei : &out->keys.er),
                               (struct bytes){0}),
                     OK);
}

void peer_ask_ike(uint64_t spi, uint8_t nonce)
{
    struct chain chain = gw_new_chain();

    memset(peer.ni, nonce, sizeof peer.ni);
    peer.ike_spi = spi;
    ke_free(peer.ke);
    ck_assert_int_eq(ke_new(&peer.ke, alg_find_name(bytes_of_string("x25519")), &gw.rng), OK);
    write_sa(&chain, PROTO_IKE, "aes256gcm16-prfsha384-x25519,aes128gcm16-prfsha256-x25519", spi);
    chain_add(&chain, P_NONCE, bytes_of(peer.ni, sizeof peer.ni));
    ke_write(&chain, KE_CURVE25519, ke_public(peer.ke));
    peer_request(X_CREATE_CHILD_SA, &chain);
}

void peer_ike_answered(struct ike_sa *out)
{
    struct secret shared = {0};
    struct ke_payload ke;

    *out = (struct ike_sa){0};
    gw_expect(X_CREATE_CHILD_SA, true);
    ck_assert_ptr_nonnull(message_find(&gw.message, P_SA, 0));
    ck_assert_int_eq(ke_parse(&ke, message_find(&gw.message, P_KE, 0)->body), OK);
    ck_assert_int_eq(ke_shared(peer.ke, ke.data, &shared), OK);
    out->spi_i = peer.ike_spi;
    out->spi_r = spi_of_choice();
    ck_assert(secret_set(&out->ni, bytes_of(peer.ni, sizeof peer.ni)));
    ck_assert(secret_set(&out->nr, message_find(&gw.message, P_NONCE, 0)->body));
    ike_keys(out, true, secret_bytes(&shared));
    secret_free(&shared);
}

void peer_take_ike(void)
{
    take_request();
    peer.asked_ike_spi = spi_of_choice();
    ck_assert_uint_ne(peer.asked_ike_spi, 0);
    ck_assert_uint_eq(peer.asked_group, KE_CURVE25519);
}

void peer_answer_ike(struct ike_sa *out, uint64_t spi, uint8_t nonce)
{
    struct chain chain = gw_new_chain();
    struct secret shared = {0};
    struct ke *ke;
    uint8_t nr[32];

    *out = (struct ike_sa){.spi_i = peer.asked_ike_spi, .spi_r = spi};
    memset(nr, nonce, sizeof nr);
    ck_assert_int_eq(ke_new(&ke, alg_find_name(bytes_of_string("x25519")), &gw.rng), OK);
    ck_assert_int_eq(ke_shared(ke, bytes_of(peer.asked_value, peer.asked_value_len), &shared), OK);
    write_sa(&chain, PROTO_IKE, "aes128gcm16-prfsha256-x25519", spi);
    chain_add(&chain, P_NONCE, bytes_of(nr, sizeof nr));
    ke_write(&chain, KE_CURVE25519, ke_public(ke));
    ck_assert(secret_set(&out->ni, peer.asked_nonce));
    ck_assert(secret_set(&out->nr, bytes_of(nr, sizeof nr)));
    if (peer.token.len > 0) {
        notify_write(&chain, PROTO_IKE, (struct bytes){0}, N_QCD_TOKEN, peer.token);
    }
    ike_keys(out, false, secret_bytes(&shared));
    secret_free(&shared);
    ke_free(ke);
    answer(X_CREATE_CHILD_SA, &chain);
}

void peer_use(struct ike_sa *sa)
{
    const struct ike_sa before = gw.sa;

    gw.sa = *sa;
    *sa = before;
}

void peer_delete_ike(void)
{
    struct chain chain = gw_new_chain();

    delete_write(&chain, PROTO_IKE, NULL, 0);
    peer_request(X_INFORMATIONAL, &chain);
}

void peer_ike_deleted(void)
{
    gw_expect(X_INFORMATIONAL, true);
    ck_assert_uint_eq(gw.message.n_payloads, 0);
}

void peer_take_ike_delete(void)
{
    struct chain chain = gw_new_chain();

    gw_expect_delete();
    peer.asked_id = gw.message.header.message_id;
    answer(X_INFORMATIONAL, &chain);
}

/* ---- afterwards ---- */

uint32_t peer_start_rekeyed(void)
{
    peer_start();
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, "aes128gcm16-noesn", NULL);
    return peer_child_answered();
}

void peer_start_rekeying(void)
{
    peer_start();
    ike_rekey_child(gw.ike, 0, gw.now);
    peer_take_child();
}

void peer_check_alive(uint32_t outbound, size_t n_inbound)
{
    struct chain chain = gw_new_chain();

    gw_drain();
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.outbound, outbound);
    ck_assert_uint_eq(gw.n_inbound, n_inbound);
    peer_request(X_INFORMATIONAL, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert_uint_eq(gw.message.n_payloads, 0);
}

void peer_wait_for_request(unsigned earliest, unsigned latest)
{
    uint64_t start = gw.now;

    while (!gw.ike->sa.request.busy) {
        while (gw_pull()) {
            ck_assert_uint_eq(gw.len, 1); /* NAT keepalives alone */
        }
        gw_tick_at(ike_deadline(gw.ike));
    }
    gw_drain();
    ck_assert_uint_ge(gw.now, start + earliest * UINT64_C(1000000));
    ck_assert_uint_le(gw.now, start + latest * UINT64_C(1000000));
}

void peer_wait(unsigned seconds)
{
    uint64_t until = gw.now + seconds * 1000 * MS;

    while (ike_deadline(gw.ike) <= until) {
        uint64_t at = ike_deadline(gw.ike);

        gw_tick_at(at > gw.now ? at : gw.now);
        gw_drain();
    }
    gw_tick_at(until);
    gw_drain();
}
