/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"

#include "vectors.h"

/* Ladders of liveness (RFC 7296 2.4), and of what the path's MTU is probed with. */

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* ---- liveness ---- */

START_TEST(gateway_is_asked_when_nothing_comes_back)
{
    uint64_t start;

    peer_start();
    /* idle: nobody asks */
    peer_wait(120);
    ck_assert(!gw.ike->sa.request.busy);
    /* answered traffic: nobody asks */
    ike_sent_traffic(gw.ike, gw.now - 10 * MS);
    ike_received_traffic(gw.ike, gw.now);
    peer_wait(60);
    ck_assert(!gw.ike->sa.request.busy);
    /* traffic that goes on and on, and nothing back */
    while (gw_pull()) {
    }
    start = gw.now;
    for (unsigned i = 0; i < 30; i++) {
        ck_assert_msg(!gw.ike->sa.request.busy, "asked after %u s", i);
        ike_sent_traffic(gw.ike, gw.now);
        peer_wait(1);
    }
    ck_assert_uint_le(gw.now, start + 30000 * MS);
    gw_expect(X_INFORMATIONAL, false);
    ck_assert_uint_eq(gw.message.n_payloads, 0);
    if (_i == 0) {
        gw_answer_empty(gw.message.header.message_id);
        peer_wait(60);
        ck_assert(!gw.ike->sa.request.busy);
        ck_assert(!gw.down);
    } else {
        peer_wait(61);
        gw_expect_down(REASON_GATEWAY_LOST);
    }
    peer_finish();
}
END_TEST

/* As the carrier tells it, after so many milliseconds, once more: what went out, and what came in.
 */
static void traffic(unsigned ms, bool in)
{
    ike_sent_traffic(gw.ike, gw.now);
    if (in) {
        ike_received_traffic(gw.ike, gw.now + 1);
    }
    gw_tick_at(gw.now + ms * MS);
    gw_drain();
}

/* Both ways for a while. The last packet goes out, as an acknowledgement does. */
static void traffic_both_ways(void)
{
    for (unsigned i = 0; i < 50; i++) {
        traffic(100, true);
        ck_assert(!gw.ike->sa.request.busy);
    }
    ike_sent_traffic(gw.ike, gw.now);
    while (gw_pull()) {
    }
}

/* Goes out alone until the gateway is asked, which answers; returns how long: milliseconds. */
static unsigned until_asked(void)
{
    uint64_t start = gw.now;

    while (!gw.ike->sa.request.busy) {
        ck_assert_uint_le(gw.now, start + 30000 * MS);
        traffic(100, false);
    }
    while (gw_pull() && gw.len == 1) {
    }
    gw_open(X_INFORMATIONAL, false);
    gw_answer_empty(gw.message.header.message_id);
    return (unsigned)((gw.now - start) / MS);
}

START_TEST(traffic_that_becomes_one_way_is_asked_about_soon)
{
    unsigned waited;

    peer_start();
    traffic_both_ways();
    waited = until_asked();
    ck_assert_uint_ge(waited, 900);
    ck_assert_uint_le(waited, 1500);
    /* Once: what stays one-way may be meant so. */
    waited = until_asked();
    ck_assert_uint_ge(waited, 29000);
    peer_finish();
}
END_TEST

/* Something comes in now and then. */
START_TEST(stalls_in_a_row_make_no_storm)
{
    unsigned asked = 0;

    peer_start();
    traffic_both_ways();
    for (unsigned i = 0; i < 600; i++) {
        traffic(100, i % 20 == 0);
        while (gw_pull()) {
            if (gw.len > 1) {
                gw_open(X_INFORMATIONAL, false);
                gw_answer_empty(gw.message.header.message_id);
                asked++;
            }
        }
    }
    ck_assert_uint_ge(asked, 3);
    ck_assert_uint_le(asked, 5);
    peer_finish();
}
END_TEST

/* The gateway is there, but what we send along the Child SA gets no answer: it may have lost that.
 */
START_TEST(child_without_an_answer_is_renewed)
{
    uint32_t first;

    peer_start();
    first = peer.first_child;
    traffic_both_ways();
    (void)until_asked();
    ck_assert(!gw_pull());
    ck_assert_uint_ge(until_asked(), 29000);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, first);
    peer_answer_notify(N_CHILD_SA_NOT_FOUND, (struct bytes){0});
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, 0);
    peer_answer_child(NEW_SPI, HIGH);
    gw_drain();
    ck_assert_uint_eq(gw.outbound, NEW_SPI);
    /* Once: what stays one-way may be meant so. */
    for (unsigned i = 0; i < 4; i++) {
        (void)until_asked();
        ck_assert(!gw.ike->sa.request.busy);
    }
    peer_finish();
}
END_TEST

START_TEST(last_acknowledgement_is_no_stall)
{
    peer_start();
    traffic_both_ways();
    peer_wait(25);
    ck_assert(!gw.ike->sa.request.busy);
    peer_finish();
}
END_TEST

/* ---- the path's MTU ---- */

#define AROUND (20 + 8 + 4) /* IPv4, UDP, non-ESP marker */

static void take_probe(uint16_t size)
{
    gw_expect(X_INFORMATIONAL, false);
    ck_assert_uint_eq(gw.len + AROUND, size);
    ck_assert(gw.path.whole);
    ck_assert_uint_eq(gw.message.n_payloads, 1);
    peer.asked_id = gw.message.header.message_id;
}

static void expect_mtu(uint16_t size, bool passed)
{
    gw_drain();
    ck_assert_uint_eq(gw.mtu, size);
    ck_assert(gw.mtu_passed == passed);
    gw.mtu = 0;
}

START_TEST(mtu_is_probed)
{
    static const uint16_t sizes[] = {576, 1280, 1281, 1499, 1500, 9000};

    peer_start();
    for (size_t i = 0; i < COUNT(sizes); i++) {
        ike_probe_mtu(gw.ike, sizes[i], gw.now);
        take_probe(sizes[i]);
        gw_drain();
        ck_assert_uint_eq(gw.mtu, 0);
        gw_answer_empty(peer.asked_id);
        expect_mtu(sizes[i], true);
    }
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_finish();
}
END_TEST

/* The path swallows it: what ends the exchange, and frees the window, passes. */
START_TEST(mtu_probe_is_lost)
{
    peer_start();
    ike_probe_mtu(gw.ike, 1500, gw.now);
    take_probe(1500);
    gw_tick_at(ike_deadline(gw.ike));
    take_probe(1500);
    gw_drain();
    ck_assert_uint_eq(gw.mtu, 0);
    gw_tick_at(ike_deadline(gw.ike));
    expect_mtu(1500, false);
    gw_expect(X_INFORMATIONAL, false);
    ck_assert_uint_eq(gw.message.n_payloads, 0);
    ck_assert(!gw.path.whole);
    ck_assert_uint_eq(gw.message.header.message_id, peer.asked_id);
    /* What is asked meanwhile has its turn afterwards; a late answer is no success. */
    ike_probe_mtu(gw.ike, 1400, gw.now);
    ck_assert(!gw_pull());
    gw_answer_empty(peer.asked_id);
    gw_drain();
    ck_assert_uint_eq(gw.mtu, 0);
    take_probe(1400);
    gw_answer_empty(peer.asked_id);
    expect_mtu(1400, true);
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_finish();
}
END_TEST

/* What the gateway answers to us is no traffic: nobody has to look for more of it. */
START_TEST(answer_wakes_nobody_again)
{
    unsigned wakes = 0;
    uint64_t end;

    peer_start();
    peer_wait(120);
    while (gw_pull()) {
    }
    gw.ike->liveness.wanted = true;
    gw_tick_at(gw.now);
    gw_expect(X_INFORMATIONAL, false);
    gw_answer_empty(gw.message.header.message_id);
    end = gw.now + 60 * 1000 * MS;
    for (; ike_deadline(gw.ike) < end; wakes++) {
        gw_tick_at(ike_deadline(gw.ike));
        while (gw_pull()) {
        }
    }
    ck_assert_uint_le(wakes, 3);
    peer_finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike liveness");
    TCase *tcase = tcase_create("ladders");

    tcase_add_loop_test(tcase, gateway_is_asked_when_nothing_comes_back, 0, 2);
    tcase_add_test(tcase, traffic_that_becomes_one_way_is_asked_about_soon);
    tcase_add_test(tcase, stalls_in_a_row_make_no_storm);
    tcase_add_test(tcase, child_without_an_answer_is_renewed);
    tcase_add_test(tcase, last_acknowledgement_is_no_stall);
    tcase_add_test(tcase, answer_wakes_nobody_again);
    tcase_add_test(tcase, mtu_is_probed);
    tcase_add_test(tcase, mtu_probe_is_lost);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
