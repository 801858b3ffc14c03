/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"
#include "vectors.h"

/*
 * Faults of other implementations, as in test_cve_ike.c: what anybody can send who hears the
 * handshake, before the gateway has proved anything, and what comes after the end.
 */

#define X25519 "aes128gcm16-prfsha256-x25519"
#define ECP256 "aes128gcm16-prfsha256-ecp256"
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* The handshake ends well from here on: nothing before has harmed it. */
static void connect_after_init(const char *group)
{
    struct chain chain;

    gw_answer_init(group);
    gw_expect(X_IKE_AUTH, false);
    ck_assert(secret_set(&gw.idi, message_find(&gw.message, P_IDi, 0)->body));
    chain = gw_new_chain();
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    ck_assert(gw.up);
    ck_assert(!gw.down);
}

/* ---- IKE_SA_INIT responses, which anybody can forge ---- */

/* SA, KE and nonce as given, for the request in gw.message. */
static void send_init(const char *suite, uint16_t group, struct bytes value, struct bytes nonce)
{
    static uint8_t out[IKE_MESSAGE_MAX];
    struct chain chain = gw_large_chain();
    struct ike_header h = {.spi_i = gw.message.header.spi_i,
                           .spi_r = 0x55,
                           .version = IKE_VERSION,
                           .exchange = X_IKE_SA_INIT,
                           .flags = IKE_FLAG_RESPONSE};
    struct proposal_list choice;
    struct bytes at;
    const char *why;
    size_t len;

    ck_assert(proposal_parse(&choice, PROTO_IKE, suite, true, &at, &why));
    sa_write(&chain, &choice, (struct bytes){0});
    ke_write(&chain, group, value);
    chain_add(&chain, P_NONCE, nonce);
    len = message_write(&h, &chain, out, sizeof out);
    ck_assert_uint_gt(len, 0);
    gw_deliver(octets_copy(bytes_of(out, len)), len);
    gw_drain();
}

static void start_with_group(bool ecp)
{
    static const uint8_t group[] = {0, KE_ECP_256};

    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    if (ecp) {
        gw_send_notify_init(N_INVALID_KE_PAYLOAD, bytes_of(group, sizeof group));
        gw_expect(X_IKE_SA_INIT, false);
    }
}

static const struct {
    bool ecp;
    const char *suite;
    uint16_t group;
    size_t len;
    uint8_t fill; /* every octet, but for the last */
    uint8_t last;
} values[] = {
    {false, X25519, KE_CURVE25519, 0, 0, 0},
    {false, X25519, KE_CURVE25519, 1, 0, 9},
    {false, X25519, KE_CURVE25519, 31, 9, 9},
    {false, X25519, KE_CURVE25519, 33, 9, 9},
    {false, X25519, KE_CURVE25519, 60000, 9, 9},
    {false, X25519, KE_CURVE25519, 32, 0, 0},    /* zero: all-zero secret */
    {false, X25519, KE_CURVE25519, 32, 0, 0x80}, /* the same, the unused bit set */
    {false, X25519, KE_ECP_256, 64, 9, 9},       /* not the group of the SA */
    {false, X25519, KE_MODP_2048, 256, 0, 1},    /* one */
    {false, X25519, 0, 32, 9, 9},                /* no group */
    {false, X25519, 1025, 128, 9, 9},            /* of somebody's private range */
    {false, X25519, 65535, 32, 9, 9},            /* the same */
    {false, ECP256, KE_ECP_256, 64, 9, 9},       /* offered, but not what we have sent */
    {true, ECP256, KE_ECP_256, 64, 0, 0},        /* zero */
    {true, ECP256, KE_ECP_256, 64, 0, 1},        /* not on the curve */
    {true, ECP256, KE_ECP_256, 64, 0xff, 0xff},  /* beyond the field */
    {true, ECP256, KE_ECP_256, 63, 9, 9},        /* short */
    {true, ECP256, KE_ECP_256, 65, 4, 9},        /* long: with the octet of SEC 1 */
    {true, ECP256, KE_ECP_256, 32, 9, 9},        /* x alone */
    {true, ECP256, KE_ECP_256, 1, 0, 0},         /* infinity in SEC 1 */
    {true, ECP256, KE_ECP_256, 0, 0, 0},         /* nothing */
    {true, ECP256, KE_CURVE25519, 32, 9, 9},     /* not the group of the SA */
};

START_TEST(cve_2015_3240_ke_values)
{
    static uint8_t value[60000];
    static const uint8_t nonce[32] = {1};
    size_t len = values[_i].len;

    memset(value, values[_i].fill, sizeof value);
    if (len > 0) {
        value[len - 1] = values[_i].last;
    }
    start_with_group(values[_i].ecp);
    send_init(values[_i].suite, values[_i].group, bytes_of(value, len),
              bytes_of(nonce, sizeof nonce));
    ck_assert_int_eq(gw.ike->state, ST_INIT_SENT);
    ck_assert(!gw.down);
    ck_assert(!gw_pull());
    connect_after_init(values[_i].ecp ? "ecp256" : "x25519");
    gw_finish();
}
END_TEST

START_TEST(cve_2015_3240_nonce_lengths)
{
    static const size_t lengths[] = {0, 1, 15, 257, 60000};
    static const uint8_t nonce[60000] = {1};
    uint8_t point[32] = {9};

    start_with_group(false);
    for (int i = 0; i < COUNT(lengths); i++) {
        send_init(X25519, KE_CURVE25519, bytes_of(point, sizeof point),
                  bytes_of(nonce, lengths[i]));
        ck_assert_int_eq(gw.ike->state, ST_INIT_SENT);
    }
    ck_assert(!gw_pull());
    connect_after_init("x25519");
    gw_finish();
}
END_TEST

/* What a forger can put into an answer in the clear: the connection comes up all the same. */
static void forge(uint8_t exchange, uint8_t flags, uint32_t id, const struct chain *chain)
{
    static uint8_t out[IKE_MESSAGE_MAX];
    struct ike_header h = {.spi_i = gw.message.header.spi_i,
                           .spi_r = gw.sa.spi_r,
                           .version = IKE_VERSION,
                           .exchange = exchange,
                           .flags = flags,
                           .message_id = id};
    size_t len = message_write(&h, chain, out, sizeof out);

    ck_assert_uint_gt(len, 0);
    gw_deliver(octets_copy(bytes_of(out, len)), len);
    gw_drain();
}

/* Every payload type, IKEv1's and unknown ones too: empty, one octet, eight zeros; critical too. */
START_TEST(cve_2026_35330_empty_payloads_in_init)
{
    static const uint8_t zeros[8];
    static const size_t lengths[] = {0, 1, 3, 4, 8};
    enum payload_type type = (enum payload_type)_i;

    start_with_group(false);
    for (int i = 0; i < COUNT(lengths); i++) {
        for (unsigned critical = 0; critical < 2; critical++) {
            struct chain chain = gw_large_chain();

            chain_add(&chain, type, bytes_of(zeros, lengths[i]));
            chain.w.start[1] = (uint8_t)(critical << 7);
            forge(X_IKE_SA_INIT, IKE_FLAG_RESPONSE, 0, &chain);
            ck_assert(!gw.down);
        }
    }
    while (gw_pull()) {
        ck_assert_uint_eq(gw.datagram[18], X_IKE_SA_INIT);
    }
    connect_after_init("x25519");
    gw_finish();
}
END_TEST

/* Hundreds of unknown payloads in front of SK or SKF, in every unauthenticated state. */
START_TEST(cve_2026_12413_unknown_payloads_before_skf)
{
    static const uint8_t body[64] = {0, 1, 0, 2};
    static const enum payload_type last[] = {P_SK, P_SKF, P_NOTIFY};

    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    for (unsigned state = 0; state < 2; state++) {
        for (int i = 0; i < COUNT(last); i++) {
            for (size_t n = 0; n <= 300; n += 50) {
                struct chain chain = gw_large_chain();

                for (size_t k = 0; k < n; k++) {
                    chain_add(&chain, (enum payload_type)200, (struct bytes){0});
                }
                chain_add(&chain, last[i], bytes_of(body, sizeof body));
                forge(X_IKE_AUTH, IKE_FLAG_RESPONSE, 1, &chain);
                forge(X_IKE_SA_INIT, IKE_FLAG_RESPONSE, 0, &chain);
                forge(X_INFORMATIONAL, 0, 0, &chain);
                ck_assert(!gw.down);
            }
        }
        if (state == 0) {
            while (gw_pull()) {
            }
            connect_after_init("x25519");
        }
    }
    ck_assert(!gw_pull());
    gw_finish();
}
END_TEST

/* ---- requests of the gateway before it has proved anything ---- */

static const uint8_t exchanges[] = {
    0, 33, X_IKE_SA_INIT, X_IKE_AUTH, X_CREATE_CHILD_SA, X_INFORMATIONAL, 38, 43, 44, 240, 255};
static const uint32_t ids[] = {0, 1, 2, UINT32_MAX};

/* One request in the clear and, when there are keys, sealed ones: empty, with a Delete, with what
 * CREATE_CHILD_SA needs, with a payload that is unknown and critical, with a broken chain. */
static void send_early(uint8_t exchange, uint32_t id)
{
    struct chain chain = gw_new_chain();

    delete_write(&chain, PROTO_IKE, NULL, 0);
    forge(exchange, 0, id, &chain);
    if (gw.sa.out == NULL) {
        return;
    }
    gw_send_sealed(exchange, id, false, &chain);
    chain = gw_new_chain();
    gw_send_sealed(exchange, id, false, &chain);
    sa_write(&chain, &gw.ike->offer_esp, bytes_of("\1\2\3\4", 4));
    chain_add(&chain, P_NONCE, bytes_of(gw.nonce, sizeof gw.nonce));
    gw_send_sealed(exchange, id, false, &chain);
    chain = gw_new_chain();
    chain_add(&chain, (enum payload_type)200, bytes_of("x", 1));
    chain.w.start[1] = 0x80;
    gw_send_sealed(exchange, id, false, &chain);
    chain.w.start[3] = 0;
    gw_send_sealed(exchange, id, false, &chain);
}

START_TEST(cve_2019_12312_requests_in_each_state)
{
    enum ike_state state;

    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    if (_i == 1) {
        gw_answer_init("x25519");
        gw_expect(X_IKE_AUTH, false);
        ck_assert(secret_set(&gw.idi, message_find(&gw.message, P_IDi, 0)->body));
    }
    state = gw.ike->state;
    ck_assert_int_eq(state, _i == 0 ? ST_INIT_SENT : ST_AUTH_SENT);
    for (int i = 0; i < COUNT(exchanges); i++) {
        for (int k = 0; k < COUNT(ids); k++) {
            send_early(exchanges[i], ids[k]);
        }
    }
    gw_drain();
    ck_assert(!gw_pull());
    ck_assert(!gw.down && !gw.up);
    ck_assert_int_eq(gw.ike->state, state);
    ck_assert_uint_eq(gw.ike->sa.peer_next_id, 0);
    if (_i == 0) {
        connect_after_init("x25519");
    } else {
        struct chain chain = gw_new_chain();

        gw_write_idr_auth(&chain);
        gw_write_address(&chain);
        gw_write_child(&chain, "aes128gcm16-noesn");
        gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
        gw_drain();
        ck_assert(gw.up);
    }
    gw_finish();
}
END_TEST

/* Once it is over, nothing is answered and nothing is reported a second time. */
START_TEST(cve_2026_78135_requests_after_the_end)
{
    struct chain chain = gw_new_chain();

    peer_start();
    delete_write(&chain, PROTO_IKE, NULL, 0);
    gw_send_sealed(X_INFORMATIONAL, 0, false, &chain);
    gw_expect(X_INFORMATIONAL, true);
    gw_drain();
    ck_assert(gw.down);
    gw.down = false;
    for (int i = 0; i < COUNT(exchanges); i++) {
        send_early(exchanges[i], 1);
    }
    gw_drain();
    ck_assert(!gw.down);
    ck_assert(!gw_pull());
    peer_finish();
}
END_TEST

static TCase *init_tests(void)
{
    TCase *tcase = tcase_create("init");

    tcase_add_loop_test(tcase, cve_2015_3240_ke_values, 0, COUNT(values));
    tcase_add_test(tcase, cve_2015_3240_nonce_lengths);
    tcase_add_loop_test(tcase, cve_2026_35330_empty_payloads_in_init, 0, 56);
    tcase_add_test(tcase, cve_2026_12413_unknown_payloads_before_skf);
    tcase_add_loop_test(tcase, cve_2019_12312_requests_in_each_state, 0, 2);
    tcase_add_test(tcase, cve_2026_78135_requests_after_the_end);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("cve init");

    suite_add_tcase(suite, init_tests());
    return run_suite(suite);
}
