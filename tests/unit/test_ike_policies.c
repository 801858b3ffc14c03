/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"

#include <stdio.h>

#include "vectors.h"

/* Gateways that make a Child SA for each network (RFC 7296 2.9), refuse that of IKE_AUTH (1.2), or
 * make none in it (RFC 6023). */

#define ESP "aes128gcm16-noesn"
#define SPI(n) (0xc0000000U + (uint32_t)(n))
#define OPENING_S 6
#define N_NETWORKS 3

/* 10.1.0.0/16, 10.2.0.0/16… */
static struct ts network(unsigned n)
{
    struct ts ts = {.port_high = UINT16_MAX};

    ts.start = ts.end = (struct addr){.family = FAMILY_IPV4, .octets = {10, (uint8_t)n}};
    ts.end.octets[2] = ts.end.octets[3] = 0xff;
    return ts;
}

static void start(unsigned n_networks, bool childless)
{
    static struct ike_config config;

    peer_reset();
    config = (struct ike_config){.request_ipv4 = true, .childless = childless};
    for (unsigned i = 1; i <= n_networks; i++) {
        config.remote_ts.items[config.remote_ts.n++] = network(i);
    }
    gw_start_with(config);
}

/* <-- IDr, AUTH, CP and what is in the chain then */
static struct chain auth_chain(void)
{
    struct chain chain;

    gw_until_auth();
    chain = gw_new_chain();
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    return chain;
}

static void answer_auth(const struct chain *chain)
{
    gw_send_sealed(X_IKE_AUTH, 1, true, chain);
    gw_drain();
}

static void grant_first(unsigned n, bool more)
{
    struct chain chain = auth_chain();
    char first[32], last[32];

    snprintf(first, sizeof first, "10.%u.0.0", n);
    snprintf(last, sizeof last, "10.%u.255.255", n);
    gw_write_child_ts(&chain, ESP, first, last);
    if (more) {
        notify_write(&chain, 0, (struct bytes){0}, N_ADDITIONAL_TS_POSSIBLE, (struct bytes){0});
    }
    answer_auth(&chain);
}

static void refuse_first(uint16_t type)
{
    struct chain chain = auth_chain();

    notify_write(&chain, 0, (struct bytes){0}, type, (struct bytes){0});
    answer_auth(&chain);
}

/* --> CREATE_CHILD_SA that rekeys nothing and asks for these networks */
static void take_new(unsigned first, unsigned last)
{
    struct ts_list ts;

    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, 0);
    ck_assert_int_eq(ts_parse(&ts, message_find(&gw.message, P_TSr, 0)->body), OK);
    ck_assert_uint_eq(ts.n, last - first + 1);
    for (unsigned i = first; i <= last; i++) {
        ck_assert_uint_eq(ts.items[i - first].start.octets[1], i);
        ck_assert_uint_eq(ts.items[i - first].end.octets[1], i);
    }
}

static void grant(unsigned n)
{
    char first[32], last[32];

    snprintf(first, sizeof first, "10.%u.0.0", n);
    snprintf(last, sizeof last, "10.%u.255.255", n);
    peer_answer_child_ts(SPI(n), HIGH, first, last);
}

static void check_routes(unsigned n)
{
    ck_assert(gw.up);
    ck_assert_uint_eq(gw.net.n_routes, n);
}

static void check_up(size_t n)
{
    struct chain chain = gw_new_chain();

    gw_drain();
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.n_inbound, n);
    peer_request(X_INFORMATIONAL, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert(!gw_pull());
}

/* --> D(IKE), and why */
static void check_refused(enum reason reason)
{
    peer_take_ike_delete();
    gw_drain();
    ck_assert(gw.down && !gw.up);
    ck_assert_int_eq(gw.reason, reason);
    gw_finish();
}

/* ---- one network in each ---- */

static void connect_all(void)
{
    start(N_NETWORKS, false);
    grant_first(1, false);
    ck_assert(!gw.up);
    take_new(2, 3);
    grant(2);
    ck_assert(!gw.up);
    take_new(3, 3);
    grant(3);
    check_routes(N_NETWORKS);
    check_up(N_NETWORKS);
}

START_TEST(each_network_is_asked_for)
{
    connect_all();
    peer_finish();
}
END_TEST

/* What is not granted is left out; the rest is had. */
START_TEST(network_that_is_refused)
{
    static const uint16_t refusals[] = {N_TS_UNACCEPTABLE, N_NO_ADDITIONAL_SAS,
                                        N_SINGLE_PAIR_REQUIRED, N_INTERNAL_ADDRESS_FAILURE, 8192};

    start(2, false);
    grant_first(1, false);
    take_new(2, 2);
    peer_answer_notify(refusals[_i], (struct bytes){0});
    check_routes(1);
    check_up(1);
    peer_finish();
}
END_TEST

/* A gateway that wants one in each even then. */
START_TEST(rest_is_refused_as_a_whole)
{
    start(N_NETWORKS, false);
    grant_first(2, false);
    peer_take_child();
    peer_answer_notify(N_TS_UNACCEPTABLE, (struct bytes){0});
    take_new(1, 1);
    grant(1);
    take_new(3, 3);
    peer_answer_notify(N_TS_UNACCEPTABLE, (struct bytes){0});
    check_routes(2);
    check_up(2);
    peer_finish();
}
END_TEST

START_TEST(busy_gateway_is_asked_again)
{
    start(2, false);
    grant_first(1, false);
    take_new(2, 2);
    peer_answer_notify(N_TEMPORARY_FAILURE, (struct bytes){0});
    ck_assert(!gw.up && !gw_pull());
    peer_wait(3);
    take_new(2, 2);
    grant(2);
    check_routes(2);
    check_up(2);
    peer_finish();
}
END_TEST

/* It is not waited for for ever. */
START_TEST(gateway_that_stays_busy)
{
    start(2, false);
    grant_first(1, false);
    for (unsigned i = 0; !gw.up; i++) {
        ck_assert_uint_lt(i, 4);
        if (_i == 0) {
            take_new(2, 2);
            peer_answer_notify(N_TEMPORARY_FAILURE, (struct bytes){0});
        }
        peer_wait(OPENING_S / 2);
    }
    check_routes(1);
    ck_assert_uint_eq(gw.n_inbound, 1);
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

/* What comes after the tunnel was opened without it. */
START_TEST(late_answer)
{
    start(N_NETWORKS, false);
    grant_first(1, false);
    take_new(2, 3);
    peer_wait(OPENING_S);
    while (gw_pull()) {
    }
    check_routes(1);
    if (_i == 0) {
        peer_answer_notify(N_TS_UNACCEPTABLE, (struct bytes){0});
        check_up(1);
    } else {
        grant(2);
        check_up(2);
        check_routes(2);
    }
    peer_finish();
}
END_TEST

/* A full tunnel that is narrowed is asked for in full only when the gateway says so. */
START_TEST(narrowed_without_a_word)
{
    start(0, false);
    grant_first(1, false);
    check_routes(1);
    check_up(1);
    peer_finish();
}
END_TEST

START_TEST(additional_selectors_possible)
{
    struct ts_list ts;

    start(0, false);
    grant_first(1, true);
    peer_take_child();
    ck_assert_int_eq(ts_parse(&ts, message_find(&gw.message, P_TSr, 0)->body), OK);
    ck_assert_uint_eq(ts.n, 2);
    ck_assert_uint_eq(ts.items[0].end.octets[1], 0);
    ck_assert_uint_eq(ts.items[1].start.octets[1], 2);
    grant(7);
    check_routes(2);
    check_up(2);
    peer_finish();
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
    start(POLICIES_MAX + 4, false);
    grant_first(1, false);
    for (unsigned i = 2; i <= POLICIES_MAX; i++) {
        take_new(i, POLICIES_MAX + 4);
        grant(i);
    }
    check_routes(POLICIES_MAX);
    check_up(POLICIES_MAX);
    peer_finish();
}
END_TEST

/* ---- their life ---- */

static void rekey_by_us(unsigned n, uint32_t spi)
{
    uint32_t old = gw.inbound[n - 1];

    ike_rekey_child(gw.ike, old, gw.now);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, old);
    {
        char first[32], last[32];

        snprintf(first, sizeof first, "10.%u.0.0", n);
        snprintf(last, sizeof last, "10.%u.255.255", n);
        peer_answer_child_ts(spi, HIGH, first, last);
    }
    peer_take_delete(old);
    peer_answer_delete(SPI(n));
}

START_TEST(each_is_rekeyed_on_its_own)
{
    connect_all();
    rekey_by_us(2, SPI(12));
    check_up(N_NETWORKS + 1);
    peer_wait(PEER_LINGER_S);
    check_up(N_NETWORKS);
    ck_assert_uint_eq(gw.outbound, SPI(12));
    peer_finish();
}
END_TEST

/* The gateway deletes one: the others go on; one that is not new is asked for again. */
START_TEST(one_is_deleted)
{
    uint32_t second;

    connect_all();
    second = gw.inbound[1];
    if (_i > 0) {
        peer_wait(20);
    }
    peer_delete_child(SPI(2));
    peer_child_deleted(second);
    /* RFC 7296 1.4.1: nothing goes out along it any more */
    ck_assert_uint_eq(gw.n_inbound, 2);
    if (_i > 0) {
        take_new(2, 2);
        if (_i == 1) {
            peer_answer_child_ts(SPI(22), HIGH, "10.2.0.0", "10.2.255.255");
        } else {
            for (unsigned i = 0; i < 3; i++) {
                peer_answer_notify(N_NO_ADDITIONAL_SAS, (struct bytes){0});
                peer_wait(20);
                take_new(2, 2);
            }
            peer_answer_notify(N_NO_ADDITIONAL_SAS, (struct bytes){0});
            /* it does not want that one; the others are not rekeyed */
            ck_assert_uint_eq(gw.n_reauths, 0);
        }
    }
    peer_wait(PEER_LINGER_S);
    check_up(_i == 1 ? 3 : 2);
    peer_wait(60);
    check_up(_i == 1 ? 3 : 2);
    peer_finish();
}
END_TEST

START_TEST(all_are_deleted)
{
    uint32_t ours[N_NETWORKS];

    connect_all();
    memcpy(ours, gw.inbound, sizeof ours);
    for (unsigned i = 2; i <= N_NETWORKS; i++) {
        peer_delete_child(SPI(i));
        peer_child_deleted(ours[i - 1]);
    }
    ck_assert(!gw.down);
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(ours[0]);
    peer_take_ike_delete();
    gw_expect_down(REASON_GATEWAY_CLOSED);
    peer_finish();
}
END_TEST

START_TEST(one_is_rekeyed_by_the_gateway)
{
    connect_all();
    peer_ask_child(SPI(3), SPI(13), HIGH, ESP, NULL);
    gw_expect(X_CREATE_CHILD_SA, true);
    ck_assert_ptr_nonnull(message_find(&gw.message, P_SA, 0));
    peer_delete_child(SPI(3));
    peer_child_deleted(gw.inbound[2]);
    peer_wait(PEER_LINGER_S);
    check_up(N_NETWORKS);
    ck_assert_uint_eq(gw.outbound, SPI(13));
    peer_finish();
}
END_TEST

/* ---- while the tunnel is being opened ---- */

START_TEST(gateway_rekeys_too_early)
{
    start(2, false);
    grant_first(1, false);
    take_new(2, 2);
    peer_ask_child(PEER_FIRST_SPI, SPI(9), HIGH, ESP, NULL);
    peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
    peer_answer_child_ts(SPI(2), HIGH, "10.2.0.0", "10.2.255.255");
    check_routes(2);
    peer_finish();
}
END_TEST

/* It takes back what it has granted before it was announced. */
START_TEST(gateway_deletes_too_early)
{
    start(2, false);
    grant_first(1, false);
    take_new(2, 2);
    peer_delete_child(PEER_FIRST_SPI);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert(!gw.up);
    grant(2);
    ck_assert(gw.up);
    ck_assert_uint_eq(gw.n_inbound, 1);
    peer_wait(PEER_LINGER_S);
    check_up(1);
    peer_finish();
}
END_TEST

START_TEST(user_disconnects_too_early)
{
    start(2, false);
    if (_i == 0) {
        grant_first(1, false);
    } else {
        refuse_first(N_TS_UNACCEPTABLE);
    }
    peer_take_child();
    ike_disconnect(gw.ike, gw.now);
    peer_answer_notify(N_TS_UNACCEPTABLE, (struct bytes){0});
    peer_take_ike_delete();
    gw_drain();
    ck_assert(gw.down && !gw.up);
    ck_assert_int_eq(gw.reason, REASON_USER);
    gw_finish();
}
END_TEST

/* ---- the Child SA of IKE_AUTH is refused (RFC 7296 1.2) ---- */

START_TEST(refused_networks_are_asked_for_one_by_one)
{
    start(N_NETWORKS, false);
    refuse_first(_i == 0 ? N_TS_UNACCEPTABLE : N_SINGLE_PAIR_REQUIRED);
    take_new(1, 1);
    peer_answer_notify(N_TS_UNACCEPTABLE, (struct bytes){0});
    take_new(2, 2);
    grant(2);
    take_new(3, 3);
    grant(3);
    check_routes(2);
    check_up(2);
    peer_finish();
}
END_TEST

START_TEST(refused_algorithms_are_offered_with_a_key_exchange)
{
    start(1, false);
    refuse_first(N_NO_PROPOSAL_CHOSEN);
    take_new(1, 1);
    ck_assert_uint_eq(peer.asked_group, KE_CURVE25519);
    grant(1);
    check_routes(1);
    check_up(1);
    peer_finish();
}
END_TEST

/* When that does not help either, the first word of the gateway is what the user gets to know. */
START_TEST(refused_for_good)
{
    start(2, false);
    refuse_first(N_TS_UNACCEPTABLE);
    switch (_i) {
    case 0:
        for (unsigned i = 1; i <= 2; i++) {
            take_new(i, i);
            peer_answer_notify(N_NO_ADDITIONAL_SAS, (struct bytes){0});
        }
        break;
    case 1: /* it says nothing more */
    case 2: /* it deletes the IKE SA */
        take_new(1, 1);
        if (_i == 1) {
            peer_wait(OPENING_S);
        } else {
            peer_delete_ike();
            peer_ike_deleted();
        }
        ck_assert(gw.down && !gw.up);
        ck_assert_int_eq(gw.reason, REASON_TS_UNACCEPTABLE);
        ck_assert(!gw.retry);
        gw_finish();
        return;
    default:
        break;
    }
    check_refused(REASON_TS_UNACCEPTABLE);
}
END_TEST

/* What no other request can mend ends it at once. */
static const struct {
    uint16_t type;
    unsigned n_networks;
    enum reason reason;
} final[] = {
    {N_TS_UNACCEPTABLE, 1, REASON_TS_UNACCEPTABLE},
    {N_NO_ADDITIONAL_SAS, 2, REASON_GATEWAY_REFUSED},
    {N_INTERNAL_ADDRESS_FAILURE, 2, REASON_ADDRESS_UNAVAILABLE},
    {N_FAILED_CP_REQUIRED, 2, REASON_ADDRESS_UNAVAILABLE},
};

START_TEST(refused_at_once)
{
    start(final[_i].n_networks, false);
    refuse_first(final[_i].type);
    check_refused(final[_i].reason);
}
END_TEST

START_TEST(refused_without_an_address)
{
    struct chain chain;

    start(2, false);
    gw_until_auth();
    chain = gw_new_chain();
    gw_write_idr_auth(&chain);
    notify_write(&chain, 0, (struct bytes){0}, N_TS_UNACCEPTABLE, (struct bytes){0});
    answer_auth(&chain);
    check_refused(REASON_TS_UNACCEPTABLE);
}
END_TEST

/* ---- childless (RFC 6023) ---- */

static void until_childless(void)
{
    static const uint8_t types[] = {P_SA, P_TSi, P_TSr};
    struct chain chain;

    start(0, true);
    gw.childless = true;
    chain = auth_chain();
    for (size_t i = 0; i < sizeof types; i++) {
        ck_assert_ptr_null(message_find(&gw.message, types[i], 0));
    }
    ck_assert_ptr_nonnull(message_find(&gw.message, P_CP, 0));
    answer_auth(&chain);
    ck_assert(!gw.up && !gw.down);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, 0);
    ck_assert_uint_eq(peer.asked_group, KE_CURVE25519);
}

START_TEST(childless)
{
    until_childless();
    grant(1);
    check_routes(1);
    check_up(1);
    peer_finish();
}
END_TEST

START_TEST(childless_and_refused)
{
    until_childless();
    peer_answer_notify(N_TS_UNACCEPTABLE, (struct bytes){0});
    check_refused(REASON_TS_UNACCEPTABLE);
}
END_TEST

/* RFC 6023 3: only with gateways that announce it. */
START_TEST(childless_is_not_known)
{
    start(0, true);
    grant_first(1, false);
    check_routes(1);
    check_up(1);
    peer_finish();
}
END_TEST

/* ... and only when we have asked for it. */
START_TEST(childless_without_being_asked)
{
    struct chain chain;

    start(0, false);
    gw.childless = true;
    chain = auth_chain();
    ck_assert_ptr_nonnull(message_find(&gw.message, P_SA, 0));
    answer_auth(&chain);
    check_refused(REASON_PROTOCOL);
}
END_TEST

START_TEST(childless_without_an_address)
{
    struct chain chain;

    start(0, true);
    gw.childless = true;
    gw_until_auth();
    chain = gw_new_chain();
    gw_write_idr_auth(&chain);
    answer_auth(&chain);
    check_refused(REASON_ADDRESS_UNAVAILABLE);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

int main(void)
{
    Suite *suite = suite_create("ike policies");
    TCase *each = tcase_create("each");
    TCase *life = tcase_create("life");
    TCase *opening = tcase_create("opening");
    TCase *refused = tcase_create("refused");
    TCase *later = tcase_create("childless");

    tcase_add_test(each, each_network_is_asked_for);
    tcase_add_loop_test(each, network_that_is_refused, 0, 5);
    tcase_add_test(each, rest_is_refused_as_a_whole);
    tcase_add_test(each, busy_gateway_is_asked_again);
    tcase_add_loop_test(each, gateway_that_stays_busy, 0, 2);
    tcase_add_loop_test(each, late_answer, 0, 2);
    tcase_add_test(each, narrowed_without_a_word);
    tcase_add_test(each, additional_selectors_possible);
    tcase_add_test(each, no_more_than_there_is_room_for);
    suite_add_tcase(suite, each);
    tcase_add_test(life, each_is_rekeyed_on_its_own);
    tcase_add_loop_test(life, one_is_deleted, 0, 3);
    tcase_add_test(life, all_are_deleted);
    tcase_add_test(life, one_is_rekeyed_by_the_gateway);
    suite_add_tcase(suite, life);
    tcase_add_test(opening, gateway_rekeys_too_early);
    tcase_add_test(opening, gateway_deletes_too_early);
    tcase_add_loop_test(opening, user_disconnects_too_early, 0, 2);
    suite_add_tcase(suite, opening);
    tcase_add_loop_test(refused, refused_networks_are_asked_for_one_by_one, 0, 2);
    tcase_add_test(refused, refused_algorithms_are_offered_with_a_key_exchange);
    tcase_add_loop_test(refused, refused_for_good, 0, 3);
    tcase_add_loop_test(refused, refused_at_once, 0, COUNT(final));
    tcase_add_test(refused, refused_without_an_address);
    suite_add_tcase(suite, refused);
    tcase_add_test(later, childless);
    tcase_add_test(later, childless_and_refused);
    tcase_add_test(later, childless_is_not_known);
    tcase_add_test(later, childless_without_being_asked);
    tcase_add_test(later, childless_without_an_address);
    suite_add_tcase(suite, later);
    return run_suite(suite);
}
