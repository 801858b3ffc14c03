/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenarios.h"
#include "sim/sim.h"

static void check_good(const struct sim *sim)
{
    ck_assert_msg(sim->violations->len == 0, "%s%s", sim->ladder->str, sim->violations->str);
}

static struct sim *connected(const struct setup *setup)
{
    struct sim *sim = sim_new(setup, 1);

    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(2)), "%s", sim->ladder->str);
    sim_run(sim, NULL, sim->now + 100000);
    return sim;
}

static bool answered(const struct sim *sim)
{
    return sim->gateway.responses > 0;
}

/* ---- the gateway asks ---- */

START_TEST(liveness_is_answered)
{
    struct setup setup = {0};
    struct sim *sim = connected(&setup);

    gateway_liveness(&sim->gateway, sim->now);
    ck_assert(sim_run(sim, answered, sim->now + SECONDS(1)));
    ck_assert_uint_eq(sim->gateway.last_response->len, 0);
    ck_assert(!sim->down);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(lost_answers_are_repeated_from_the_cache)
{
    struct setup setup = {0};
    struct sim *sim = connected(&setup);

    sim->network.faults.lose_to_gateway = UINT64_C(7) << sim->network.sent_to_gateway;
    gateway_delete_child(&sim->gateway, sim->now);
    ck_assert_msg(sim_run(sim, answered, sim->now + SECONDS(6)), "%s", sim->ladder->str);
    ck_assert_uint_eq(sim->n_child_down, 1);
    ck_assert_uint_gt(sim->gateway.last_response->len, 0);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(delete_of_the_ike_sa)
{
    struct setup setup = {0};
    struct sim *sim = connected(&setup);

    gateway_delete_ike(&sim->gateway, sim->now);
    ck_assert(sim_run(sim, answered, sim->now + SECONDS(1)));
    ck_assert(sim_run(sim, sim_ended, sim->now + SECONDS(1)));
    ck_assert_int_eq(sim->reason, REASON_GATEWAY_CLOSED);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(delete_of_the_child_sa)
{
    struct setup setup = {0};
    struct sim *sim = connected(&setup);
    struct message message = {0};
    struct delete_payload deletion;
    uint8_t unknown;

    gateway_delete_child(&sim->gateway, sim->now);
    ck_assert(sim_run(sim, answered, sim->now + SECONDS(1)));
    ck_assert_uint_eq(sim->n_child_down, 1);
    /* RFC 7296 1.4.1: the response deletes the other half. */
    ck_assert_int_eq(message_parse_chain(&message, sim->gateway.last_response_first,
                                         bytes_of(sim->gateway.last_response->data,
                                                  sim->gateway.last_response->len),
                                         &unknown),
                     OK);
    ck_assert_ptr_nonnull(message_find(&message, P_DELETE, 0));
    ck_assert_int_eq(delete_parse(&deletion, message_find(&message, P_DELETE, 0)->body), OK);
    ck_assert_uint_eq(deletion.n_spis, 1);
    ck_assert(sim_run(sim, sim_ended, sim->now + SECONDS(10)));
    ck_assert_int_eq(sim->reason, REASON_GATEWAY_CLOSED);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* Odd requests of an authenticated gateway. The connection survives them, but for those without the
 * payloads of their exchange, which end it on both sides (RFC 7296 2.21.3). */
static const struct {
    uint8_t exchange;
    enum payload_type type;
    const char *body;
    size_t len;
    bool critical;
    uint16_t notify; /* that the answer must hold; 0 = any answer will do */
} odd[] = {
    {X_CREATE_CHILD_SA, P_NONCE, "0123456789abcdef", 16, false, N_INVALID_SYNTAX},
    {X_CREATE_CHILD_SA, P_SA, "", 0, false, N_INVALID_SYNTAX},
    {X_INFORMATIONAL, P_NOTIFY, "\0\0\x23\x28", 4, false, 0},
    {X_INFORMATIONAL, P_NOTIFY, "\0\0\xa0\0", 4, false, 0},
    {X_INFORMATIONAL, P_DELETE, "\3\4\0\1\xde\xad\xbe\xef", 8, false, 0},
    {X_INFORMATIONAL, P_DELETE, "\3\4\xff\xff", 4, false, 0},
    {X_INFORMATIONAL, P_VENDOR, "", 0, false, 0},
    {X_INFORMATIONAL, (enum payload_type)200, "x", 1, false, 0},
    {X_INFORMATIONAL, (enum payload_type)200, "x", 1, true, N_UNSUPPORTED_CRITICAL_PAYLOAD},
    {X_IKE_AUTH, P_EAP, "\1\1\0\5\1", 5, false, 0},
    {43, P_NONCE, "0123456789abcdef", 16, false, 0},
    /* cve_2023_38710 */
    {X_CREATE_CHILD_SA, P_NOTIFY, "\0\4\x40\x09\xc0\xff\xee\1", 8, false, N_INVALID_SYNTAX},
    {X_CREATE_CHILD_SA, P_NOTIFY, "\1\4\x40\x09\xc0\xff\xee\1", 8, false, N_INVALID_SYNTAX},
};

START_TEST(odd_requests)
{
    struct setup setup = {0};
    struct sim *sim = connected(&setup);
    uint8_t buffer[256];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct message message = {0};
    uint8_t unknown;

    chain_add(&chain, odd[_i].type, bytes_of(odd[_i].body, odd[_i].len));
    buffer[1] = odd[_i].critical ? 0x80 : 0;
    gateway_request(&sim->gateway, odd[_i].exchange, &chain, sim->now);
    ck_assert_msg(sim_run(sim, answered, sim->now + SECONDS(1)), "%s", sim->ladder->str);
    if (odd[_i].notify != 0) {
        struct notify notify;

        ck_assert_int_eq(message_parse_chain(&message, sim->gateway.last_response_first,
                                             bytes_of(sim->gateway.last_response->data,
                                                      sim->gateway.last_response->len),
                                             &unknown),
                         OK);
        ck_assert_ptr_nonnull(message_find(&message, P_NOTIFY, 0));
        ck_assert_int_eq(notify_parse(&notify, message_find(&message, P_NOTIFY, 0)->body), OK);
        ck_assert_uint_eq(notify.type, odd[_i].notify);
    }
    if (odd[_i].notify == N_INVALID_SYNTAX) {
        ck_assert(sim->down);
        ck_assert_int_eq(sim->reason, REASON_PROTOCOL);
        ck_assert(sim->retry);
    } else {
        sim->gateway.responses = 0;
        gateway_liveness(&sim->gateway, sim->now);
        ck_assert(sim_run(sim, answered, sim->now + SECONDS(1)));
        ck_assert_msg(!sim->down, "%s", sim->ladder->str);
    }
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* ---- requests before the IKE SA is established (CVE-2019-12312, CVE-2026-78135) ---- */

static unsigned wanted_requests;

static bool reached(const struct sim *sim)
{
    return sim->gateway.requests_answered >= wanted_requests && sim->gateway.sa->out != NULL;
}

START_TEST(requests_before_it_is_established)
{
    struct setup setup = {0};
    struct sim *sim = sim_new(&setup, 1);
    uint8_t buffer[64];
    struct chain chain = chain_of(buffer, sizeof buffer);

    wanted_requests = (unsigned)_i / 3;
    ck_assert(sim_run(sim, reached, SIM_START + SECONDS(1)));
    if (_i % 3 == 0) {
        gateway_delete_ike(&sim->gateway, sim->now);
    } else if (_i % 3 == 1) {
        gateway_liveness(&sim->gateway, sim->now);
    } else {
        chain_add(&chain, P_SA, (struct bytes){0});
        chain_add(&chain, P_NONCE, bytes_of_string("0123456789abcdef"));
        gateway_request(&sim->gateway, X_CREATE_CHILD_SA, &chain, sim->now);
    }
    /* Whatever it asks, the handshake goes on; what was asked too early is answered when it is
     * repeated. */
    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(2)), "%s", sim->ladder->str);
    ck_assert_uint_eq(sim->gateway.responses, 0);
    ck_assert_msg(sim_run(sim, answered, SIM_START + SECONDS(5)), "%s", sim->ladder->str);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* RFC 7296 2.23: a gateway behind NAT may come from another port; only its authenticated requests
 * tell. */
START_TEST(gateway_moves_behind_nat)
{
    struct setup setup = {.gateway = {.nat = _i == 0}};
    struct sim *sim = connected(&setup);

    sim->path_seen = false;
    sim->gateway.ike_path.local.port = 4711;
    gateway_liveness(&sim->gateway, sim->now);
    ck_assert(sim_run(sim, answered, sim->now + SECONDS(1)));
    ck_assert_int_eq(sim->path_seen, setup.gateway.nat);
    ck_assert(!sim->down);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* A long request comes in fragments; its repetition is answered once, from the cache (RFC
 * 7383 2.6.1). */
START_TEST(request_in_fragments)
{
    struct setup setup = {.gateway = {.fragment = 256}};
    struct sim *sim = connected(&setup);
    uint8_t buffer[1024], text[800] = {0};
    struct chain chain = chain_of(buffer, sizeof buffer);
    size_t sent = sim->sent;

    chain_add(&chain, P_VENDOR, bytes_of(text, sizeof text));
    sim->network.faults.lose_to_gateway = UINT64_C(1) << sim->network.sent_to_gateway;
    gateway_request(&sim->gateway, X_INFORMATIONAL, &chain, sim->now);
    ck_assert_uint_ge(sim->gateway.sa->request->len, 4);
    ck_assert_msg(sim_run(sim, answered, sim->now + SECONDS(2)), "%s", sim->ladder->str);
    ck_assert_uint_eq(sim->sent - sent, 2);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* RFC 7383 2.6: pieces of a finer cut take the place of those that came before, whichever were lost
 * or are late, in requests and in responses. */
START_TEST(cut_again_in_smaller_pieces)
{
    struct setup setup = {.gateway = {.fragment = 400, .refragments = true}};
    struct sim *sim;
    uint8_t buffer[2048], text[1200] = {0};
    struct chain chain = chain_of(buffer, sizeof buffer);

    setup.faults.lose_to_client = UINT64_C(1) << (unsigned)_i;
    sim = sim_new(&setup, 1);
    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(3)), "%s", sim->ladder->str);
    chain_add(&chain, P_VENDOR, bytes_of(text, sizeof text));
    sim->network.faults.lose_to_client = UINT64_C(1)
                                         << (sim->network.sent_to_client + (unsigned)_i % 4);
    /* Late pieces of the coarser cut among those of the finer. */
    sim->network.faults.hold_to_client = UINT64_C(1)
                                         << (sim->network.sent_to_client + (unsigned)_i / 4);
    sim->network.faults.hold_us = 1001000;
    gateway_request(&sim->gateway, X_INFORMATIONAL, &chain, sim->now);
    ck_assert_uint_ge(sim->gateway.sa->request->len, 4);
    ck_assert_msg(sim_run(sim, answered, sim->now + SECONDS(3)), "%s", sim->ladder->str);
    ck_assert(!sim->down);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* ---- a cluster fails over (RFC 6311) ---- */

static const struct {
    bool rekeys;    /* a request of ours is on its way to the member that fails */
    uint32_t stale; /* requests of ours that the new member has not seen */
    uint64_t lose_up, lose_down;
} failovers[] = {
    {.stale = 0},
    {.stale = 2},
    {.stale = 2, .lose_up = 1},
    {.stale = 1, .lose_down = 3},
    {.rekeys = true, .lose_up = 1},
    {.rekeys = true, .stale = 2, .lose_up = 3},
    {.rekeys = true, .stale = 1, .lose_up = 3, .lose_down = 3},
};

START_TEST(cluster_fails_over)
{
    struct setup setup = {.gateway.cluster = true};
    struct sim *sim = connected(&setup);
    struct gateway *gateway = &sim->gateway;

    sim->network.faults.lose_to_gateway = failovers[_i].lose_up << sim->network.sent_to_gateway;
    sim->network.faults.lose_to_client = failovers[_i].lose_down << sim->network.sent_to_client;
    for (unsigned i = 0; i < 3; i++) {
        if (failovers[_i].rekeys && i == 0) {
            ike_rekey_child(sim->ike, 0, sim->now);
            sim_pump(sim);
        }
        gateway_failover(gateway, failovers[_i].stale, sim->now);
        gateway->responses = 0;
        ck_assert(sim_run(sim, answered, sim->now + SECONDS(5)));
        ck_assert(sim_run(sim, sim_quiet, sim->now + SECONDS(10)));
        gateway->responses = 0;
        gateway_liveness(gateway, sim->now);
        ck_assert(sim_run(sim, answered, sim->now + SECONDS(5)));
        ike_rekey(sim->ike, sim->now);
        sim_pump(sim);
        sim_run(sim, NULL, sim->now + SECONDS(1));
        ck_assert(sim_run(sim, sim_quiet, sim->now + SECONDS(10)));
    }
    ck_assert_uint_eq(gateway->ike_rekeys, 3);
    ck_assert_uint_eq(gateway->child_rekeys, failovers[_i].rekeys ? 1 : 0);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* ---- the end ---- */

START_TEST(disconnect_with_a_silent_gateway)
{
    struct setup setup = {0};
    struct sim *sim = connected(&setup);
    uint64_t began = sim->now;

    sim->network.faults.partition = true;
    ike_disconnect(sim->ike, sim->now);
    sim_pump(sim);
    ck_assert(sim_run(sim, sim_ended, sim->now + SECONDS(5)));
    ck_assert_int_eq(sim->reason, REASON_USER);
    ck_assert_uint_le(sim->down_at - began, SECONDS(1) + 100000);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* The user gives up at each moment of the handshake. */
START_TEST(disconnect_while_connecting)
{
    struct setup setup = {0};
    struct sim *sim = sim_new(&setup, 1);

    sim_run(sim, NULL, SIM_START + (uint64_t)_i * 2500);
    if (!sim->down) {
        ike_disconnect(sim->ike, sim->now);
        sim_pump(sim);
    }
    ck_assert_msg(sim_run(sim, sim_ended, sim->now + SECONDS(3)), "%s", sim->ladder->str);
    ck_assert_int_eq(sim->reason, REASON_USER);
    sim_run(sim, NULL, sim->now + SECONDS(1));
    /* What the gateway has established is not left behind. */
    ck_assert_msg(sim->gateway.phase != GATEWAY_UP, "%s", sim->ladder->str);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(keepalives_while_idle)
{
    struct setup setup = {.gateway.nat = true};
    struct sim *sim = connected(&setup);
    size_t sent = sim->sent;

    sim_run(sim, NULL, sim->now + SECONDS(205));
    /* RFC 3948 4: every 20 s by default, and nothing else. */
    ck_assert_uint_ge(sim->sent - sent, 9);
    ck_assert_uint_le(sim->sent - sent, 11);
    ck_assert(!sim->down);
    check_good(sim);
    sim_free(sim);
}
END_TEST

TCase *scenarios_established(void)
{
    TCase *tcase = tcase_create("established");

    tcase_add_test(tcase, liveness_is_answered);
    tcase_add_test(tcase, lost_answers_are_repeated_from_the_cache);
    tcase_add_test(tcase, delete_of_the_ike_sa);
    tcase_add_test(tcase, delete_of_the_child_sa);
    tcase_add_loop_test(tcase, odd_requests, 0, G_N_ELEMENTS(odd));
    tcase_add_loop_test(tcase, requests_before_it_is_established, 0, 15);
    tcase_add_loop_test(tcase, gateway_moves_behind_nat, 0, 2);
    tcase_add_test(tcase, request_in_fragments);
    tcase_add_loop_test(tcase, cut_again_in_smaller_pieces, 0, 16);
    tcase_add_loop_test(tcase, cluster_fails_over, 0, G_N_ELEMENTS(failovers));
    tcase_add_test(tcase, disconnect_with_a_silent_gateway);
    tcase_add_loop_test(tcase, disconnect_while_connecting, 0, 30);
    tcase_add_test(tcase, keepalives_while_idle);
    return tcase;
}
