/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike_gateway.h"
#include "vectors.h"

/* The engine's main paths as ladders; rungs that the gateway sends are gw_send_… and gw_answer_… */

START_TEST(handshake_and_disconnect)
{
    struct child_keys keys;
    struct suite esp = {.encr = alg_find_name(bytes_of_string("aes128gcm16"))};
    char text[ADDR_TEXT_MAX];

    gw_start();
    gw_connect_tunnel();
    ck_assert_int_eq(child_keys_derive(&keys, gw.sa.suite.prf, secret_bytes(&gw.sa.keys.d), &esp,
                                       (struct bytes){0}, secret_bytes(&gw.sa.ni),
                                       bytes_of(gw.nonce, sizeof gw.nonce)),
                     OK);
    ck_assert_octets(gw.child_in_key, secret_bytes(&keys.encr_r));
    child_keys_free(&keys);
    ck_assert_uint_eq(gw.child_spi_out, gw.spi_in);
    ck_assert_uint_eq(gw.net.n_addresses, 1);
    ck_assert_str_eq(prefix_text(&gw.net.addresses[0], text), "10.77.0.1/32");
    ck_assert_uint_eq(gw.net.n_routes, 1);
    ck_assert_str_eq(prefix_text(&gw.net.routes[0], text), "10.99.0.0/16");
    ike_disconnect(gw.ike, gw.now);
    gw_expect_delete();
    ck_assert(!gw.down);
    gw_answer_empty(2);
    gw_expect_down(REASON_USER);
    ck_assert_uint_eq(ike_deadline(gw.ike), IKE_NEVER);
    gw_finish();
}
END_TEST

START_TEST(delete_is_not_waited_for_long)
{
    gw_start();
    gw_connect_tunnel();
    ike_disconnect(gw.ike, gw.now);
    gw_expect_delete();
    gw_tick_at(gw.now + 500 * MS);
    gw_expect_delete();
    gw_tick_at(gw.now + 500 * MS);
    gw_drain();
    ck_assert(gw.down);
    gw_finish();
}
END_TEST

/* RFC 7296 2.1: the same octets, at growing intervals, for a limited time. */
START_TEST(a_silent_gateway_is_given_up)
{
    uint8_t first[2048];
    size_t len;
    unsigned sent = 1;
    uint64_t last = 0;
    uint64_t begin;

    gw_start();
    begin = gw.now;
    ck_assert(gw_pull());
    len = gw.len;
    memcpy(first, gw.datagram, len);
    ck_assert_uint_eq(ike_deadline(gw.ike), begin + 500 * MS);
    for (uint64_t at; (at = ike_deadline(gw.ike)) != IKE_NEVER;) {
        gw_tick_at(at);
        if (gw_pull()) {
            ck_assert_octets(bytes_of(gw.datagram, gw.len), bytes_of(first, len));
            ck_assert(last == 0 || at - begin > last);
            last = at - begin;
            sent++;
        }
    }
    gw_expect_down(REASON_GATEWAY_UNREACHABLE);
    ck_assert_uint_eq(gw.now, begin + 30000 * MS);
    ck_assert_uint_ge(sent, 6);
    ck_assert_uint_le(sent, 10);
    ck_assert_ptr_nonnull(strstr(gw.detail, "192.0.2.1:500"));
    gw_finish();
}
END_TEST

/* RFC 7296 2.6, 2.6.1 */
START_TEST(cookie_then_another_group)
{
    static const uint8_t group[] = {0, KE_ECP_256};
    uint8_t cookie[32] = {7};
    uint64_t spi;
    struct notify notify;

    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    spi = gw.message.header.spi_i;
    gw_send_notify_init(N_COOKIE, bytes_of(cookie, sizeof cookie));
    gw_expect(X_IKE_SA_INIT, false);
    ck_assert_uint_eq(gw.message.payloads[0].type, P_NOTIFY);
    ck_assert_int_eq(notify_parse(&notify, gw.message.payloads[0].body), OK);
    ck_assert_octets(notify.data, bytes_of(cookie, sizeof cookie));
    gw_send_notify_init(N_INVALID_KE_PAYLOAD, bytes_of(group, sizeof group));
    gw_expect(X_IKE_SA_INIT, false);
    ck_assert_uint_eq(gw.message.header.spi_i, spi);
    ck_assert_uint_eq(gw.message.header.message_id, 0);
    ck_assert_int_eq(notify_parse(&notify, gw.message.payloads[0].body), OK);
    ck_assert_uint_eq(notify.type, N_COOKIE);
    gw_answer_init("ecp256");
    gw_expect(X_IKE_AUTH, false);
    ck_assert(secret_set(&gw.idi, message_find(&gw.message, P_IDi, 0)->body));
    gw_check_shared_auth(bytes_of_string(PSK_TEXT));
    gw_finish();
}
END_TEST

/* RFC 7296 1.2: a forger may neither choose a group that was not offered nor keep us busy. */
START_TEST(groups_are_changed_once_and_only_to_offered_ones)
{
    static const uint8_t ecp[] = {0, KE_ECP_256};
    static const uint8_t weak[] = {0, KE_MODP_1024};
    static const uint8_t first[] = {0, KE_CURVE25519};

    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    gw_send_notify_init(N_INVALID_KE_PAYLOAD, bytes_of(weak, 2));
    ck_assert(!gw_pull());
    gw_send_notify_init(N_INVALID_KE_PAYLOAD, bytes_of(ecp, 2));
    gw_expect(X_IKE_SA_INIT, false);
    gw_send_notify_init(N_INVALID_KE_PAYLOAD, bytes_of(first, 2));
    ck_assert(!gw_pull());
    gw_drain();
    ck_assert(!gw.down);
    gw_tick_at(ike_deadline(gw.ike));
    gw_expect(X_IKE_SA_INIT, false);
    gw_send_notify_init(N_INVALID_KE_PAYLOAD, bytes_of(first, 2));
    gw_drain();
    ck_assert_int_eq(gw.reason, REASON_NO_PROPOSAL_CHOSEN);
    gw_finish();
}
END_TEST

/* RFC 7296 2.21.1: an error in the clear is believed only when nothing better comes. */
START_TEST(a_forged_refusal_does_no_harm)
{
    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    gw_send_notify_init(N_NO_PROPOSAL_CHOSEN, (struct bytes){0});
    gw_drain();
    ck_assert(!gw.down);
    gw_answer_init("x25519");
    gw_expect(X_IKE_AUTH, false);
    ck_assert(secret_set(&gw.idi, message_find(&gw.message, P_IDi, 0)->body));
    gw_check_shared_auth(bytes_of_string(PSK_TEXT));
    gw_finish();
}
END_TEST

START_TEST(a_true_refusal_is_reported_soon)
{
    uint64_t begin;

    gw_start();
    begin = gw.now;
    gw_expect(X_IKE_SA_INIT, false);
    gw.now += 20 * MS;
    gw_send_notify_init(N_NO_PROPOSAL_CHOSEN, (struct bytes){0});
    while (!gw.down) {
        gw_tick_at(ike_deadline(gw.ike));
        gw_drain();
    }
    ck_assert_int_eq(gw.reason, REASON_NO_PROPOSAL_CHOSEN);
    ck_assert_uint_lt(gw.now - begin, 2000 * MS);
    gw_finish();
}
END_TEST

START_TEST(an_ikev1_gateway_is_named)
{
    uint8_t out[IKE_HEADER_LEN];

    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    memcpy(out, gw.datagram, sizeof out);
    out[17] = 0x10;
    out[19] = 0;
    memset(out + 24, 0, 4);
    out[27] = sizeof out;
    gw_deliver(out, sizeof out);
    gw_tick_at(ike_deadline(gw.ike));
    gw_deliver(out, sizeof out);
    gw_drain();
    ck_assert_int_eq(gw.reason, REASON_GATEWAY_REFUSED);
    ck_assert_ptr_nonnull(strstr(gw.detail, "version 1"));
    gw_finish();
}
END_TEST

/* From the gateway or from a router; ICMP of the one kind or the other. */
static const struct {
    bool router;
    enum ike_icmp icmp;
    enum reason reason;
    const char *detail;
} refusals[] = {
    {false, IKE_ICMP_PORT_UNREACHABLE, REASON_PORT_UNREACHABLE, "nothing listens"},
    {false, IKE_ICMP_PROHIBITED, REASON_UDP_BLOCKED, "own firewall"},
    {true, IKE_ICMP_PORT_UNREACHABLE, REASON_UDP_BLOCKED, "203.0.113.7"},
    {true, IKE_ICMP_PROHIBITED, REASON_UDP_BLOCKED, "203.0.113.7"},
};

static void refuse(bool router, enum ike_icmp icmp)
{
    struct addr reporter = gw.path.remote.addr;

    if (router) {
        ck_assert(addr_parse(&reporter, "203.0.113.7"));
    }
    ike_unreachable(gw.ike, &gw.path, icmp, &reporter, gw.now);
    gw_drain();
}

START_TEST(icmp_error_must_stay_so)
{
    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    refuse(refusals[_i].router, refusals[_i].icmp);
    refuse(refusals[_i].router, refusals[_i].icmp);
    ck_assert(!gw.down);
    gw_tick_at(ike_deadline(gw.ike));
    gw_expect(X_IKE_SA_INIT, false);
    refuse(refusals[_i].router, refusals[_i].icmp);
    ck_assert_int_eq(gw.reason, refusals[_i].reason);
    ck_assert_msg(strstr(gw.detail, refusals[_i].detail) != NULL, "%s", gw.detail);
    gw_finish();
}
END_TEST

/* Nobody but who was asked can answer, however much he knows of the question. */
START_TEST(nobody_else_is_heard)
{
    struct path elsewhere = gateway_path;
    struct chain chain = gw_new_chain();
    struct ike_header header = {
        .version = IKE_VERSION, .exchange = X_IKE_SA_INIT, .flags = IKE_FLAG_RESPONSE};
    uint8_t out[128];
    size_t len;

    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    elsewhere.remote.addr.octets[3] = 66;
    header.spi_i = gw.message.header.spi_i;
    notify_write(&chain, 0, (struct bytes){0}, N_NO_PROPOSAL_CHOSEN, (struct bytes){0});
    len = message_write(&header, &chain, out, sizeof out);
    for (unsigned i = 0; i < 3; i++) {
        if (_i == 0) {
            gw_deliver_from(&elsewhere, out, len);
        } else {
            ike_unreachable(gw.ike, &elsewhere, IKE_ICMP_PORT_UNREACHABLE, &elsewhere.remote.addr,
                            gw.now);
        }
        gw_tick_at(ike_deadline(gw.ike));
        gw_drain();
        ck_assert(!gw.down);
        gw_expect(X_IKE_SA_INIT, false);
    }
    gw_answer_init("x25519");
    gw_expect(X_IKE_AUTH, false);
    gw_finish();
}
END_TEST

/* The key is right, but another of its gateways uses it as well. */
START_TEST(wrong_identity_of_the_gateway)
{
    static const char other[] = "\2\0\0\0other.example.org";
    struct chain chain = gw_new_chain();

    gw_start();
    gw_until_auth();
    gw.idr = bytes_of((const uint8_t *)other, sizeof other - 1);
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_expect(X_INFORMATIONAL, false);
    gw_answer_empty(2);
    ck_assert_int_eq(gw.reason, REASON_GATEWAY_IDENTITY_MISMATCH);
    ck_assert(!gw.up);
    gw_finish();
}
END_TEST

START_TEST(wrong_key_of_the_gateway)
{
    struct chain chain = gw_new_chain();
    struct notify notify;

    gw_start();
    gw.psk = "another secret";
    gw_until_auth();
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    /* RFC 7296 2.21.2 */
    gw_expect(X_INFORMATIONAL, false);
    ck_assert_int_eq(notify_parse(&notify, message_find(&gw.message, P_NOTIFY, 0)->body), OK);
    ck_assert_uint_eq(notify.type, N_AUTHENTICATION_FAILED);
    gw_answer_empty(2);
    ck_assert_int_eq(gw.reason, REASON_GATEWAY_AUTH_FAILED);
    ck_assert(!gw.up);
    gw_finish();
}
END_TEST

static const struct {
    uint16_t notify;
    enum reason reason;
} child_refusals[] = {
    {N_TS_UNACCEPTABLE, REASON_TS_UNACCEPTABLE},
    {N_NO_PROPOSAL_CHOSEN, REASON_NO_PROPOSAL_CHOSEN},
    {N_INTERNAL_ADDRESS_FAILURE, REASON_ADDRESS_UNAVAILABLE},
    {N_FAILED_CP_REQUIRED, REASON_ADDRESS_UNAVAILABLE},
    {8192, REASON_GATEWAY_REFUSED},
};

/* RFC 7296 2.21.2: the IKE SA is up; we delete it. */
START_TEST(child_refused)
{
    struct chain chain = gw_new_chain();

    gw_start();
    gw_until_auth();
    gw_write_idr_auth(&chain);
    notify_write(&chain, 0, (struct bytes){0}, child_refusals[_i].notify, (struct bytes){0});
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_expect_delete();
    gw_answer_empty(2);
    ck_assert_int_eq(gw.reason, child_refusals[_i].reason);
    gw_finish();
}
END_TEST

START_TEST(refused_in_whole)
{
    struct chain chain = gw_new_chain();

    gw_start();
    gw_until_auth();
    notify_write(&chain, 0, (struct bytes){0}, N_AUTHENTICATION_FAILED, (struct bytes){0});
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    ck_assert_int_eq(gw.reason, REASON_AUTH_FAILED);
    ck_assert(!gw_pull());
    gw_finish();
}
END_TEST

START_TEST(no_address)
{
    struct chain chain = gw_new_chain();

    gw_start();
    gw_until_auth();
    gw_write_idr_auth(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_expect_delete();
    gw_answer_empty(2);
    ck_assert_int_eq(gw.reason, REASON_ADDRESS_UNAVAILABLE);
    gw_finish();
}
END_TEST

START_TEST(address_outside_of_the_selectors)
{
    static const uint8_t address[] = {10, 66, 0, 1};
    struct chain chain;

    gw_start();
    gw_until_auth();
    chain = gw_new_chain();
    gw_write_idr_auth(&chain);
    cp_write_begin(&chain, CFG_REPLY);
    cp_write_attr(&chain, INTERNAL_IP4_ADDRESS, bytes_of(address, sizeof address));
    chain_end(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_expect_delete();
    gw_answer_empty(2);
    ck_assert_int_eq(gw.reason, REASON_TS_UNACCEPTABLE);
    ck_assert_ptr_nonnull(strstr(gw.detail, "10.66.0.1"));
    gw_finish();
}
END_TEST

START_TEST(child_algorithms_that_were_not_offered)
{
    struct chain chain = gw_new_chain();

    gw_start();
    gw_until_auth();
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes256-sha256-noesn");
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_expect_delete();
    gw_answer_empty(2);
    ck_assert_int_eq(gw.reason, REASON_PROTOCOL);
    gw_finish();
}
END_TEST

/* CVE-2019-12312, CVE-2026-78135: before the IKE SA is up, requests change nothing and get no
 * answer. */
START_TEST(cve_2019_12312_requests_before_auth)
{
    struct chain chain = gw_new_chain();

    gw_start();
    gw_until_auth();
    gw_send_sealed(X_INFORMATIONAL, 0, false, &chain);
    delete_write(&chain, PROTO_IKE, NULL, 0);
    gw_send_sealed(X_INFORMATIONAL, 0, false, &chain);
    gw_send_sealed(X_CREATE_CHILD_SA, 0, false, &chain);
    ck_assert(!gw_pull());
    gw_drain();
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.ike->sa.peer_next_id, 0);
    ck_assert_int_eq(gw.ike->state, ST_AUTH_SENT);
    gw_finish();
}
END_TEST

START_TEST(requests_of_the_gateway)
{
    uint8_t out[512];
    uint8_t answer[512];
    struct chain chain = gw_new_chain();
    struct notify notify;
    size_t len;
    size_t answer_len;

    gw_start();
    gw_connect_tunnel();
    /* liveness, and its repetition from the cache */
    len = gw_sealed(out, sizeof out, X_INFORMATIONAL, 0, false, &chain);
    gw_deliver(octets_copy(bytes_of(out, len)), len);
    ck_assert(gw_pull());
    answer_len = gw.len;
    memcpy(answer, gw.datagram, answer_len);
    ck_assert(!gw_pull());
    gw_deliver(out, len);
    ck_assert(gw_pull());
    ck_assert_octets(bytes_of(gw.datagram, gw.len), bytes_of(answer, answer_len));
    /* out of the window */
    gw_send_sealed(X_INFORMATIONAL, 5, false, &chain);
    ck_assert(!gw_pull());
    /* rekeying is refused in a way that keeps the tunnel */
    chain = gw_new_chain();
    sa_write(&chain, &gw.ike->offer_esp, bytes_of("\1\2\3\4", 4));
    chain_add(&chain, P_NONCE, bytes_of(gw.nonce, sizeof gw.nonce));
    gw_send_sealed(X_CREATE_CHILD_SA, 1, false, &chain);
    gw_expect(X_CREATE_CHILD_SA, true);
    ck_assert_int_eq(notify_parse(&notify, message_find(&gw.message, P_NOTIFY, 0)->body), OK);
    ck_assert_uint_eq(notify.type, N_NO_ADDITIONAL_SAS);
    /* an exchange of the future */
    chain = gw_new_chain();
    gw_send_sealed(99, 2, false, &chain);
    gw_expect(99, true);
    ck_assert_uint_eq(gw.message.n_payloads, 0);
    gw_drain();
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

/* RFC 7296 2.5 */
START_TEST(unknown_critical_payload)
{
    struct chain chain = gw_new_chain();
    struct notify notify;

    gw_start();
    gw_connect_tunnel();
    chain_add(&chain, (enum payload_type)200, bytes_of("x", 1));
    chain.w.start[1] = 0x80;
    gw_send_sealed(X_INFORMATIONAL, 0, false, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert_int_eq(notify_parse(&notify, message_find(&gw.message, P_NOTIFY, 0)->body), OK);
    ck_assert_uint_eq(notify.type, N_UNSUPPORTED_CRITICAL_PAYLOAD);
    ck_assert_octets(notify.data, bytes_of("\xc8", 1));
    gw_drain();
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

START_TEST(the_gateway_deletes)
{
    struct chain chain = gw_new_chain();

    gw_start();
    gw_connect_tunnel();
    if (_i == 0) {
        delete_write(&chain, PROTO_IKE, NULL, 0);
    } else {
        delete_write(&chain, PROTO_ESP, &gw.spi_in, 1);
    }
    gw_send_sealed(X_INFORMATIONAL, 0, false, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert_uint_eq(gw.message.n_payloads, (size_t)_i);
    if (_i == 1) {
        gw_expect_delete();
        gw_answer_empty(2);
    }
    gw_drain();
    ck_assert_int_eq(gw.reason, REASON_GATEWAY_CLOSED);
    gw_finish();
}
END_TEST

/* OpenIKED baf0c8e: only what is authentic moves anything. */
START_TEST(openiked_baf0c8e_spoofed_source)
{
    struct chain chain = gw_new_chain();
    struct path elsewhere = gateway_path;
    uint8_t out[512];
    size_t len;

    gw_start();
    gw_connect_tunnel();
    elsewhere.remote.addr.octets[3] = 66;
    delete_write(&chain, PROTO_IKE, NULL, 0);
    len = gw_sealed(out, sizeof out, X_INFORMATIONAL, 0, false, &chain);
    for (size_t i = 0; i < len; i++) {
        uint8_t *copy = octets_copy(bytes_of(out, len));

        copy[i] ^= 1;
        gw_deliver_from(&elsewhere, copy, len);
        gw_deliver_from(&elsewhere, copy, i);
    }
    gw_drain();
    ck_assert(!gw.down);
    ck_assert(!gw_pull());
    ck_assert(endpoint_equal(&gw.ike->path.remote, &gw.path.remote));
    gw_finish();
}
END_TEST

/* RFC 7383: a response in pieces, in any order; pieces of a coarser cut are forgotten. */
START_TEST(response_in_fragments)
{
    static const uint16_t order[] = {3, 1, 1, 4, 2};
    struct chain chain = gw_new_chain();
    const struct ike_header h = {.version = IKE_VERSION,
                                 .exchange = X_IKE_AUTH,
                                 .flags = IKE_FLAG_RESPONSE,
                                 .message_id = 1};
    struct ike_header full = h;
    uint8_t out[1024];
    struct bytes plain;
    size_t part;

    gw_start();
    gw_until_auth();
    full.spi_i = gw.sa.spi_i;
    full.spi_r = gw.sa.spi_r;
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    plain = wr_written(&chain.w);
    gw_deliver(out, message_seal_fragment(&full, chain.first, bytes_of(plain.data, 10), 1, 2,
                                          gw.sa.out, gw.sa.sealed++, out, sizeof out));
    part = (plain.len + 3) / 4;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        size_t at = (order[i] - 1U) * part;
        size_t len = plain.len - at < part ? plain.len - at : part;

        gw_drain();
        ck_assert(!gw.up);
        gw_deliver(out,
                   message_seal_fragment(&full, chain.first, bytes_of(plain.data + at, len),
                                         order[i], 4, gw.sa.out, gw.sa.sealed++, out, sizeof out));
    }
    gw_drain();
    ck_assert(gw.up);
    gw_finish();
}
END_TEST

/* RFC 7383 2.5.2: what is lost twice comes in pieces for every path. */
START_TEST(lost_requests_become_smaller)
{
    struct ike_config config = {.request_ipv4 = true, .local_id = {.type = ID_KEY_ID, .len = 500}};
    size_t pieces = 0;

    memset(config.local_id.data, 'x', config.local_id.len);
    gw_start_with(config);
    gw_expect(X_IKE_SA_INIT, false);
    gw_answer_init("x25519");
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(gw_pull());
        ck_assert_uint_gt(gw.len, SMALL_MTU);
        ck_assert(!gw_pull());
        gw_tick_at(ike_deadline(gw.ike));
    }
    while (gw_pull()) {
        ck_assert_uint_le(gw.len, SMALL_MTU - 32);
        pieces++;
    }
    ck_assert_uint_eq(pieces, 2);
    gw_finish();
}
END_TEST

/* Whatever an authentic gateway sends: the tunnel is up or the connection over, and nothing breaks.
 */
START_TEST(mutated_auth_responses)
{
    size_t len = 1;

    for (size_t at = 0; at < len; at++) {
        struct chain chain;

        gw_start();
        gw_until_auth();
        chain = gw_new_chain();
        gw_write_idr_auth(&chain);
        gw_write_address(&chain);
        gw_write_child(&chain, "aes128gcm16-noesn");
        len = chain.w.len;
        switch (_i) {
        case 0:
            chain.w.start[at] ^= 0x80;
            break;
        case 1:
            chain.w.start[at] = 0xff;
            break;
        case 2:
            chain.w.start[at]++;
            break;
        case 3:
            chain.w.len = at;
            break;
        default:
            chain.w.start[at] = 0;
            break;
        }
        gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
        gw_drain();
        while (!gw.up && !gw.down) {
            ck_assert_uint_ne(ike_deadline(gw.ike), IKE_NEVER);
            gw_tick_at(ike_deadline(gw.ike));
            while (gw_pull()) {
            }
            gw_drain();
        }
        gw_finish();
    }
}
END_TEST

START_TEST(keepalives_when_nothing_else_is_sent)
{
    uint64_t sent;

    gw_start();
    gw_connect_tunnel();
    sent = gw.now;
    ike_sent_traffic(gw.ike, sent + 5000 * MS);
    while (gw.now < sent + 25000 * MS) {
        ck_assert(!gw_pull());
        gw_tick_at(ike_deadline(gw.ike));
    }
    ck_assert_uint_eq(gw.now, sent + 25000 * MS);
    ck_assert(gw_pull());
    ck_assert_octets(bytes_of(gw.datagram, gw.len), bytes_of("\xff", 1));
    ck_assert(!gw_pull());
    gw_finish();
}
END_TEST

START_TEST(cve_2024_2357_missing_credentials)
{
    struct ike_config config = {
        .path = gateway_path, .auth = IKE_AUTH_PSK, .psk = bytes_of_string("x")};
    static const uint8_t fingerprint[FINGERPRINT_LEN];
    struct rng_seeded seed;
    struct ike *ike;

    config.rng = rng_from_seed(&seed, 3);
    ck_assert_int_eq(ike_new(&ike, &config, 0), ERR_UNSUPPORTED); /* nobody to expect */
    ck_assert_ptr_null(ike);
    ck_assert(id_parse(&config.remote_id, "vpn.example.org"));
    config.gateway_fingerprint = bytes_of(fingerprint, sizeof fingerprint);
    ck_assert_int_eq(ike_new(&ike, &config, 0), ERR_UNSUPPORTED); /* it would not be looked at */
    config.gateway_fingerprint = config.psk = (struct bytes){0};
    ck_assert_int_eq(ike_new(&ike, &config, 0), ERR_UNSUPPORTED);
    config.auth = IKE_AUTH_CERTIFICATE;
    ck_assert_int_eq(ike_new(&ike, &config, 0), ERR_UNSUPPORTED);
    ike_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike");
    TCase *tcase = tcase_create("ladders");

    tcase_add_test(tcase, handshake_and_disconnect);
    tcase_add_test(tcase, delete_is_not_waited_for_long);
    tcase_add_test(tcase, a_silent_gateway_is_given_up);
    tcase_add_test(tcase, cookie_then_another_group);
    tcase_add_test(tcase, groups_are_changed_once_and_only_to_offered_ones);
    tcase_add_test(tcase, a_forged_refusal_does_no_harm);
    tcase_add_test(tcase, a_true_refusal_is_reported_soon);
    tcase_add_test(tcase, an_ikev1_gateway_is_named);
    tcase_add_loop_test(tcase, icmp_error_must_stay_so, 0, sizeof refusals / sizeof refusals[0]);
    tcase_add_test(tcase, wrong_key_of_the_gateway);
    tcase_add_test(tcase, wrong_identity_of_the_gateway);
    tcase_add_loop_test(tcase, nobody_else_is_heard, 0, 2);
    tcase_add_loop_test(tcase, child_refused, 0,
                        (int)(sizeof child_refusals / sizeof child_refusals[0]));
    tcase_add_test(tcase, refused_in_whole);
    tcase_add_test(tcase, no_address);
    tcase_add_test(tcase, address_outside_of_the_selectors);
    tcase_add_test(tcase, child_algorithms_that_were_not_offered);
    tcase_add_test(tcase, cve_2019_12312_requests_before_auth);
    tcase_add_test(tcase, requests_of_the_gateway);
    tcase_add_test(tcase, unknown_critical_payload);
    tcase_add_loop_test(tcase, the_gateway_deletes, 0, 2);
    tcase_add_test(tcase, openiked_baf0c8e_spoofed_source);
    tcase_add_test(tcase, response_in_fragments);
    tcase_add_test(tcase, lost_requests_become_smaller);
    tcase_add_loop_test(tcase, mutated_auth_responses, 0, 5);
    tcase_add_test(tcase, keepalives_when_nothing_else_is_sent);
    tcase_add_test(tcase, cve_2024_2357_missing_credentials);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
