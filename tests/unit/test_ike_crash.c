/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"
#include "vectors.h"

/* A gateway that has lost its state: quick crash detection (RFC 6290), hints (RFC
 * 7296 1.5, 2.21.4).
 */

#define SECONDS(n) ((uint64_t)(n)*1000 * MS)
#define TOKEN bytes_of("0123456789abcdef0123456789abcdef", 32)
#define OTHER_TOKEN bytes_of("0123456789abcdef0123456789abcdeF", 32)
#define THIRD_TOKEN bytes_of("fedcba9876543210", 16)

static const struct bytes none;

/* ---- what goes over the wire in the clear ---- */

struct clear {
    uint8_t buffer[2048];
    struct chain chain;
    struct ike_header header;
};

/* A message about gw.sa: what a gateway makes of a liveness check that it does not understand. */
static void clear_begin(struct clear *clear)
{
    *clear = (struct clear){.header = {.spi_i = gw.sa.spi_i,
                                       .spi_r = gw.sa.spi_r,
                                       .version = IKE_VERSION,
                                       .exchange = X_INFORMATIONAL,
                                       .flags = IKE_FLAG_RESPONSE,
                                       .message_id = 2}};
    clear->chain = chain_of(clear->buffer, sizeof clear->buffer);
}

static void clear_send_from(const struct clear *clear, const struct path *path)
{
    uint8_t out[4096];

    gw_deliver_from(path, out, message_write(&clear->header, &clear->chain, out, sizeof out));
    gw_drain();
}

static void clear_send(const struct clear *clear)
{
    clear_send_from(clear, &gw.path);
}

/* N(INVALID_IKE_SPI), and N(QCD_TOKEN) unless it is empty */
static void say_unknown(struct bytes token)
{
    struct clear clear;

    clear_begin(&clear);
    notify_write(&clear.chain, 0, none, N_INVALID_IKE_SPI, none);
    if (token.len > 0) {
        notify_write(&clear.chain, PROTO_IKE, none, N_QCD_TOKEN, token);
    }
    clear_send(&clear);
}

/* The tunnel is up, and the gateway has had the time to be restarted. */
static void connect_with_token(struct bytes token)
{
    gw_start();
    gw_connect_with(N_QCD_TOKEN, token);
    gw.now += SECONDS(2);
}

static void expect_restarted(void)
{
    gw_expect_down(REASON_GATEWAY_LOST);
    ck_assert(gw.retry);
    ck_assert_ptr_nonnull(strstr(gw.detail, "restarted"));
    /* RFC 6290 4.5: silently. */
    ck_assert(!gw_pull());
}

/* The check that a hint brings about, and nothing else; answered. */
static void expect_check(void)
{
    gw_expect(X_INFORMATIONAL, false);
    ck_assert_uint_eq(gw.message.n_payloads, 0);
    ck_assert(!gw_pull());
    gw_answer_empty(gw.message.header.message_id);
    ck_assert(!gw.down);
    ck_assert(!gw_pull());
}

static void expect_nothing(void)
{
    gw_drain();
    ck_assert(!gw.down);
    ck_assert(!gw_pull());
}

/* ---- tokens ---- */

START_TEST(token_of_the_handshake)
{
    connect_with_token(TOKEN);
    say_unknown(TOKEN);
    expect_restarted();
    gw_finish();
}
END_TEST

/* Our request has overtaken the answer that made the IKE SA: the gateway is there. */
START_TEST(token_of_a_gateway_that_was_just_heard)
{
    gw_start();
    gw_connect_with(N_QCD_TOKEN, TOKEN);
    say_unknown(TOKEN);
    expect_check();
    gw.now += SECONDS(2) - 1;
    say_unknown(TOKEN);
    expect_nothing();
    gw.now++;
    say_unknown(TOKEN);
    expect_restarted();
    ck_assert_uint_eq(gw.ike->crash.refused, 0);
    gw_finish();
}
END_TEST

/* RFC 6290 3, 4.5, 8.2: in whatever message, from wherever. */
START_TEST(token_in_any_clear_message)
{
    static const uint8_t flags[] = {IKE_FLAG_RESPONSE, IKE_FLAG_INITIATOR, 0};
    struct clear clear;
    struct path elsewhere;

    connect_with_token(TOKEN);
    elsewhere = gw.path;
    elsewhere.remote.addr.octets[3]++;
    elsewhere.remote.port = 4711;
    clear_begin(&clear);
    clear.header.message_id = 4711;
    clear.header.exchange = _i % 2 == 0 ? X_CREATE_CHILD_SA : X_INFORMATIONAL;
    clear.header.flags = flags[_i / 2 % 3];
    if (_i >= 6) {
        notify_write(&clear.chain, 0, none, N_INVALID_SPI, bytes_of("\1\2\3\4", 4));
    }
    notify_write(&clear.chain, PROTO_IKE, none, N_QCD_TOKEN, TOKEN);
    clear_send_from(&clear, _i < 9 ? &elsewhere : &gw.path);
    expect_restarted();
    gw_finish();
}
END_TEST

START_TEST(wrong_tokens)
{
    static const struct {
        const char *octets;
        size_t len;
    } wrong[] = {
        {"0123456789abcdef0123456789abcdeF", 32},
        {"0123456789abcdef0123456789abcdef0", 33},
        {"0123456789abcdef0123456789abcde", 31},
        {"0123456789abcdef", 16},
        {"", 0},
    };
    struct clear clear;

    connect_with_token(TOKEN);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        clear_begin(&clear);
        notify_write(&clear.chain, PROTO_IKE, none, N_QCD_TOKEN,
                     bytes_of(wrong[i].octets, wrong[i].len));
        clear_send(&clear);
        expect_nothing();
        ck_assert_uint_eq(gw.ike->crash.refused, i + 1);
    }
    /* For other SPIs it is not even looked at. */
    clear_begin(&clear);
    clear.header.spi_r++;
    notify_write(&clear.chain, PROTO_IKE, none, N_QCD_TOKEN, TOKEN);
    clear_send(&clear);
    expect_nothing();
    gw_finish();
}
END_TEST

/* RFC 6290 8.1: so many in ten seconds; then the right one is late, but it comes. */
START_TEST(guessing_is_limited)
{
    uint64_t start;

    connect_with_token(TOKEN);
    start = gw.now;
    say_unknown(OTHER_TOKEN);
    expect_check();
    for (unsigned i = 1; i < 100; i++) {
        say_unknown(OTHER_TOKEN);
        expect_nothing();
    }
    say_unknown(TOKEN);
    expect_nothing();
    ck_assert_uint_eq(gw.ike->crash.refused, 101);
    gw.now = start + SECONDS(10);
    say_unknown(TOKEN);
    expect_restarted();
    gw_finish();
}
END_TEST

/* RFC 6290 4.5: a gateway that changes its secret sends those of four generations. */
START_TEST(several_tokens)
{
    struct clear clear;

    connect_with_token(TOKEN);
    clear_begin(&clear);
    for (int i = 0; i < 6; i++) {
        notify_write(&clear.chain, PROTO_IKE, none, N_QCD_TOKEN, i == _i ? TOKEN : OTHER_TOKEN);
    }
    clear_send(&clear);
    if (_i < 4) {
        expect_restarted();
    } else {
        expect_nothing();
    }
    gw_finish();
}
END_TEST

/* RFC 6290 5: 16 to 128 octets. */
START_TEST(token_lengths)
{
    static const size_t lengths[] = {0, 15, 16, 128, 129, 255};
    uint8_t token[255] = {1, 2, 3};
    size_t len = lengths[_i];

    connect_with_token(bytes_of(token, len));
    ck_assert_uint_eq(gw.ike->sa.token.len, len >= 16 && len <= 128 ? len : 0);
    say_unknown(bytes_of(token, len));
    ck_assert(gw.down == (len >= 16 && len <= 128));
    gw_finish();
}
END_TEST

/* Whoever has no token from the gateway believes none. */
START_TEST(token_without_another)
{
    gw_start();
    gw_connect_tunnel();
    say_unknown(TOKEN);
    expect_check();
    ck_assert_uint_eq(gw.ike->crash.refused, 0);
    gw_finish();
}
END_TEST

/* RFC 6290 4.4: in any protected message. */
START_TEST(token_renewed)
{
    struct chain chain;

    connect_with_token(TOKEN);
    if (_i == 0) {
        gw_notify(0, N_QCD_TOKEN, THIRD_TOKEN);
    } else {
        ike_sent_traffic(gw.ike, gw.now);
        gw_tick_at(gw.now + SECONDS(30));
        gw_expect(X_INFORMATIONAL, false);
        chain = gw_new_chain();
        notify_write(&chain, PROTO_IKE, none, N_QCD_TOKEN, THIRD_TOKEN);
        gw_send_sealed(X_INFORMATIONAL, 2, true, &chain);
        while (gw_pull()) {
            ck_assert_uint_eq(gw.len, 1); /* NAT keepalive */
        }
    }
    gw.ike->crash.hint_from = IKE_NEVER;
    say_unknown(TOKEN);
    expect_nothing();
    gw.now += SECONDS(2);
    say_unknown(THIRD_TOKEN);
    expect_restarted();
    gw_finish();
}
END_TEST

/* RFC 6290 4.3, 5.3: each IKE SA has its own; with a new one the old one's is no good any more. */
START_TEST(token_of_an_ike_sa_that_we_rekeyed)
{
    struct ike_sa made;

    peer_start();
    gw_notify(gw.sa.next_id++, N_QCD_TOKEN, TOKEN);
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    peer.token = _i == 0 ? THIRD_TOKEN : none;
    peer_answer_ike(&made, IKE_SPI, 1);
    /* The gateway has deleted the old one already, and does not know what we want. */
    if (_i == 1) {
        gw_expect_delete();
        say_unknown(TOKEN);
    } else {
        peer_take_ike_delete();
    }
    expect_nothing();
    peer_use(&made);
    gw.ike->crash.hint_from = IKE_NEVER;
    say_unknown(TOKEN);
    expect_nothing();
    gw.now += SECONDS(2);
    say_unknown(THIRD_TOKEN);
    if (_i == 0) {
        expect_restarted();
    } else {
        expect_nothing();
        peer_check_alive(PEER_FIRST_SPI, 1);
    }
    ike_sa_free(&made);
    peer_finish();
}
END_TEST

START_TEST(token_of_an_ike_sa_that_the_gateway_rekeyed)
{
    struct ike_sa made;

    peer_start();
    gw_notify(gw.sa.next_id++, N_QCD_TOKEN, TOKEN);
    peer_ask_ike(IKE_SPI, 1);
    peer_ike_answered(&made);
    if (_i == 0) {
        peer_delete_ike();
        peer_ike_deleted();
    }
    peer_use(&made);
    gw_notify(gw.sa.next_id++, N_QCD_TOKEN, THIRD_TOKEN);
    gw.ike->crash.hint_from = IKE_NEVER;
    say_unknown(TOKEN);
    expect_nothing();
    gw.now += SECONDS(2);
    say_unknown(THIRD_TOKEN);
    expect_restarted();
    ike_sa_free(&made);
    peer_finish();
}
END_TEST

/* Both sides have rekeyed it, and while its answers were lost the gateway has gone on with its own
 * and forgotten the rest (RFC 7296 2.8.2). */
START_TEST(token_of_an_ike_sa_that_both_rekeyed)
{
    struct ike_sa made;

    peer_start();
    gw_notify(gw.sa.next_id++, N_QCD_TOKEN, TOKEN);
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    peer_ask_ike(IKE_SPI, 1);
    peer_ike_answered(&made);
    gw.now += SECONDS(2);
    say_unknown(TOKEN);
    expect_nothing();
    peer_use(&made);
    peer_check_alive(PEER_FIRST_SPI, 1);
    ike_sa_free(&made);
    peer_finish();
}
END_TEST

/* What is protected is heard as such, whatever stands before it in the clear. */
START_TEST(notify_in_front_of_a_protected_payload)
{
    struct chain chain = gw_new_chain();
    uint8_t sealed[512], out[600];
    struct clear clear;
    size_t len;

    connect_with_token(TOKEN);
    clear_begin(&clear);
    notify_write(&clear.chain, PROTO_IKE, none, N_QCD_TOKEN, TOKEN);
    len = gw_sealed(sealed, sizeof sealed, X_INFORMATIONAL, 0, false, &chain);
    /* It breaks the seal, which covers all. */
    memcpy(out, sealed, IKE_HEADER_LEN);
    out[16] = P_NOTIFY;
    memcpy(out + IKE_HEADER_LEN, clear.chain.w.start, clear.chain.w.len);
    out[IKE_HEADER_LEN] = P_SK;
    memcpy(out + IKE_HEADER_LEN + clear.chain.w.len, sealed + IKE_HEADER_LEN, len - IKE_HEADER_LEN);
    len += clear.chain.w.len;
    out[27] = (uint8_t)len;
    gw_deliver(out, len);
    expect_nothing();
    gw_finish();
}
END_TEST

/* ---- hints ---- */

/* RFC 7296 2.21.4: no answer, no change; a check, and not too often. */
START_TEST(a_hint_makes_us_ask)
{
    uint64_t start;

    gw_start();
    gw_connect_tunnel();
    start = gw.now;
    say_unknown(none);
    gw_expect(X_INFORMATIONAL, false);
    ck_assert_uint_eq(gw.message.n_payloads, 0);
    /* While we wait, nobody need ask again. */
    say_unknown(none);
    expect_nothing();
    gw_answer_empty(gw.message.header.message_id);
    for (unsigned i = 0; i < 10; i++) {
        say_unknown(none);
        expect_nothing();
        gw_tick_at(start + SECONDS(i));
    }
    gw_tick_at(start + SECONDS(10));
    say_unknown(none);
    expect_check();
    gw_finish();
}
END_TEST

START_TEST(a_gateway_that_has_really_forgotten)
{
    gw_start();
    gw_connect_tunnel();
    for (uint64_t at = gw.now; !gw.down; at = ike_deadline(gw.ike)) {
        gw_tick_at(at);
        gw_drain();
        say_unknown(none);
        while (gw_pull()) {
        }
    }
    ck_assert_int_eq(gw.reason, REASON_GATEWAY_LOST);
    ck_assert_uint_le(gw.now, SECONDS(62));
    gw_finish();
}
END_TEST

/* It was silent for long: the carrier begins another IKE SA beside this one. Who says it a moment
 * after it was heard gets nothing. */
START_TEST(a_hint_after_a_long_sleep)
{
    gw_start();
    gw_connect_tunnel();
    gw.now += SECONDS(_i == 0 ? 600 : 20);
    ike_woke(gw.ike, gw.now);
    gw_expect(X_INFORMATIONAL, false);
    say_unknown(none);
    gw_tick_at(gw.now);
    gw_drain();
    ck_assert_uint_eq(gw.n_lost, _i == 0);
    say_unknown(none);
    gw_tick_at(gw.now);
    expect_nothing();
    ck_assert_uint_eq(gw.n_lost, _i == 0);
    gw_answer_empty(2);
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

/* ESP whose SPI it does not know: the message tells nothing of the IKE SA. */
START_TEST(a_hint_about_a_child_sa)
{
    uint8_t spi[4];
    struct writer w = writer_of(spi, sizeof spi);
    struct clear clear;
    struct path path;

    gw_start();
    gw_connect_tunnel();
    clear_begin(&clear);
    clear.header.spi_i = clear.header.spi_r = 0;
    clear.header.flags = IKE_FLAG_INITIATOR;
    clear.header.message_id = 0;
    wr_u32(&w, gw.spi_in + (_i == 1));
    notify_write(&clear.chain, 0, none, N_INVALID_SPI, bytes_of(spi, _i == 2 ? 3 : 4));
    path = gw.path;
    path.remote.addr.octets[3] ^= _i == 3;
    path.remote.port = 500;
    clear_send_from(&clear, &path);
    if (_i == 0) {
        expect_check();
    } else {
        expect_nothing();
    }
    gw_finish();
}
END_TEST

/* Of the gateway's host, not of a router that may have been told to. */
START_TEST(a_hint_by_icmp)
{
    struct addr reporter = gateway_path.remote.addr;

    gw_start();
    gw_connect_tunnel();
    reporter.octets[3] ^= _i == 1;
    for (int i = 0; i < 3; i++) {
        ike_unreachable(gw.ike, &gw.path, IKE_ICMP_PORT_UNREACHABLE, &reporter, gw.now);
        if (_i == 0 && i == 0) {
            expect_check();
        } else {
            expect_nothing();
        }
    }
    gw_finish();
}
END_TEST

/* In the IKE SA it is no hint, but still no more than a reason to rekey. */
START_TEST(the_gateway_does_not_know_a_child_sa)
{
    uint8_t spi[4];
    struct writer w = writer_of(spi, sizeof spi);

    peer_start();
    wr_u32(&w, PEER_FIRST_SPI + (_i == 1));
    gw_notify(gw.sa.next_id++, N_INVALID_SPI, bytes_of(spi, _i == 2 ? 3 : 4));
    if (_i > 0) {
        expect_nothing();
        peer_check_alive(PEER_FIRST_SPI, 1);
        peer_finish();
        return;
    }
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, peer.first_child);
    /* It has really lost it. */
    peer_answer_notify(N_CHILD_SA_NOT_FOUND, none);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, 0);
    peer_answer_child(0xc0000001, 1);
    ck_assert_uint_eq(gw.outbound, 0xc0000001);
    /* not again so soon */
    w = writer_of(spi, sizeof spi);
    wr_u32(&w, 0xc0000001);
    gw_notify(gw.sa.next_id++, N_INVALID_SPI, bytes_of(spi, 4));
    expect_nothing();
    peer_finish();
}
END_TEST

/* Who never wants to know is not made to ask either; and nothing while connecting or closing. */
START_TEST(hints_that_are_not_taken)
{
    gw_start_with((struct ike_config){.request_ipv4 = true, .dpd_us = _i == 0 ? IKE_NEVER : 0});
    if (_i < 2) {
        gw_connect_tunnel();
    } else {
        gw_until_auth();
    }
    if (_i == 1) {
        ike_disconnect(gw.ike, gw.now);
        gw_expect_delete();
    }
    say_unknown(none);
    expect_nothing();
    gw_finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike crash");
    TCase *qcd = tcase_create("tokens");
    TCase *hints = tcase_create("hints");

    tcase_add_test(qcd, token_of_the_handshake);
    tcase_add_test(qcd, token_of_a_gateway_that_was_just_heard);
    tcase_add_loop_test(qcd, token_in_any_clear_message, 0, 12);
    tcase_add_test(qcd, wrong_tokens);
    tcase_add_test(qcd, guessing_is_limited);
    tcase_add_loop_test(qcd, several_tokens, 0, 6);
    tcase_add_loop_test(qcd, token_lengths, 0, 6);
    tcase_add_test(qcd, token_without_another);
    tcase_add_loop_test(qcd, token_renewed, 0, 2);
    tcase_add_loop_test(qcd, token_of_an_ike_sa_that_we_rekeyed, 0, 2);
    tcase_add_loop_test(qcd, token_of_an_ike_sa_that_the_gateway_rekeyed, 0, 2);
    tcase_add_test(qcd, token_of_an_ike_sa_that_both_rekeyed);
    tcase_add_test(qcd, notify_in_front_of_a_protected_payload);
    suite_add_tcase(suite, qcd);
    tcase_add_test(hints, a_hint_makes_us_ask);
    tcase_add_test(hints, a_gateway_that_has_really_forgotten);
    tcase_add_loop_test(hints, a_hint_after_a_long_sleep, 0, 2);
    tcase_add_loop_test(hints, a_hint_about_a_child_sa, 0, 4);
    tcase_add_loop_test(hints, a_hint_by_icmp, 0, 2);
    tcase_add_loop_test(hints, the_gateway_does_not_know_a_child_sa, 0, 3);
    tcase_add_loop_test(hints, hints_that_are_not_taken, 0, 3);
    suite_add_tcase(suite, hints);
    return run_suite(suite);
}
