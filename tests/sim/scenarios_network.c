/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenarios.h"
#include "sim/sim.h"

#define LOSSES 16

static void check_good(const struct sim *sim)
{
    ck_assert_msg(sim->violations->len == 0, "%s%s", sim->ladder->str, sim->violations->str);
}

static const struct setup psk = {.auth = IKE_AUTH_PSK, .gateway.auth = GATEWAY_AUTH_PSK};

/* ---- loss ---- */

/* The _i-th datagram is lost, in one direction or the other: it still connects, by one repetition.
 */
START_TEST(any_one_datagram_lost)
{
    struct setup setup = {.gateway = {.fragment = _i % 2 == 0 ? 300 : 0, .cookies = 1}};
    struct sim *sim;

    if (_i < LOSSES) {
        setup.faults.lose_to_gateway = UINT64_C(1) << _i;
    } else {
        setup.faults.lose_to_client = UINT64_C(1) << (_i - LOSSES);
    }
    sim = sim_new(&setup, 1);
    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(2)), "%s", sim->ladder->str);
    check_good(sim);
    ck_assert_uint_le(sim->gateway.requests_answered, 5);
    sim_free(sim);
}
END_TEST

START_TEST(every_datagram_twice)
{
    struct setup setup = {.faults.duplicate = 1000, .gateway = {.fragment = 300, .cookies = 1}};
    struct sim *sim = sim_new(&setup, 1);

    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(1)), "%s", sim->ladder->str);
    sim_run(sim, NULL, sim->now + SECONDS(1));
    ck_assert_uint_eq(sim->n_child_up, 1);
    ck_assert(!sim->down);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(every_datagram_out_of_order)
{
    struct setup setup = {
        .faults = {.delay_min_us = 1000, .delay_max_us = 400000, .duplicate = 500},
        .gateway.fragment = 256};
    struct sim *sim = sim_new(&setup, (uint64_t)_i);

    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(20)), "%s", sim->ladder->str);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* RFC 7296 2.1, 2.4: back-off with jitter, the first repetition after 500 ms, and an end. */
START_TEST(repetitions_back_off)
{
    struct setup setup = {.gateway.silent_init = true};
    struct sim *sim = sim_new(&setup, (uint64_t)_i);
    uint64_t last_gap = 0;

    ck_assert(sim_run(sim, sim_ended, SIM_START + SECONDS(31)));
    ck_assert_uint_ge(sim->sent_at->len, 6);
    ck_assert_uint_le(sim->sent_at->len, 12);
    for (guint i = 1; i < sim->sent_at->len; i++) {
        uint64_t gap =
            g_array_index(sim->sent_at, uint64_t, i) - g_array_index(sim->sent_at, uint64_t, i - 1);

        if (i == 1) {
            ck_assert_uint_eq(gap, 500000);
        }
        /* Grows by a factor of about two: never less than half of that, with jitter, up to a limit.
         */
        ck_assert_uint_ge(gap, MIN(last_gap, 5000000));
        ck_assert_uint_le(gap, 10000000);
        last_gap = gap;
    }
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(jitter_differs_from_run_to_run)
{
    struct setup setup = {.gateway.silent_init = true};
    uint64_t third[2];

    for (size_t i = 0; i < 2; i++) {
        struct sim *sim = sim_new(&setup, i + 1);

        sim_run(sim, sim_ended, SIM_START + SECONDS(31));
        third[i] = g_array_index(sim->sent_at, uint64_t, 2);
        sim_free(sim);
    }
    ck_assert_uint_ne(third[0], third[1]);
}
END_TEST

START_TEST(runs_can_be_replayed)
{
    struct setup setup = {.faults = {.lose = 200, .duplicate = 200, .delay_max_us = 300000}};
    struct sim *a = sim_new(&setup, 7), *b = sim_new(&setup, 7);

    sim_run(a, sim_settled, SIM_START + SECONDS(31));
    sim_run(b, sim_settled, SIM_START + SECONDS(31));
    ck_assert_str_eq(a->ladder->str, b->ladder->str);
    sim_free(a);
    sim_free(b);
}
END_TEST

/* ---- strangers ---- */

static struct bytes notify_from_nobody(struct sim *sim, uint16_t type, struct bytes data)
{
    static uint8_t out[256];
    uint8_t buffer[128];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct ike_header header = {
        .version = IKE_VERSION, .exchange = X_IKE_SA_INIT, .flags = IKE_FLAG_RESPONSE};
    struct datagram *first = g_ptr_array_index(sim->network.in_flight, 0);
    struct reader r = reader_of(bytes_of(first->data, first->len));

    header.spi_i = rd_u64(&r);
    notify_write(&chain, 0, (struct bytes){0}, type, data);
    return bytes_of(out, message_write(&header, &chain, out, sizeof out));
}

static const struct {
    uint16_t type;
    const char *data;
    size_t len;
    bool misleads; /* it changes our request, as the gateway's own word would */
} forgeries[] = {
    {N_NO_PROPOSAL_CHOSEN, "", 0, false},
    {N_INVALID_SYNTAX, "", 0, false},
    {N_AUTHENTICATION_FAILED, "", 0, false},
    {N_INVALID_MAJOR_VERSION, "", 0, false},
    {N_INVALID_KE_PAYLOAD, "\x27\x0f", 2, false},
    {N_INVALID_KE_PAYLOAD, "", 0, false},
    {N_COOKIE, "", 0, false},
    {8192, "", 0, false},
    {N_UNSUPPORTED_CRITICAL_PAYLOAD, "\x21", 1, false},
    {N_INVALID_KE_PAYLOAD, "\0\x14", 2, true},
    {N_COOKIE, "forged", 6, true},
};

/*
 * RFC 7296 2.21.1: an unprotected error must not kill the handshake at once; the true answer
 * follows. Somebody who reads our request can mislead us about cookie and group, as he could by an
 * answer of his own: then it may fail, but in order.
 */
START_TEST(forged_notify_before_the_answer)
{
    struct setup setup = {0};
    struct sim *sim = sim_new(&setup, 1);

    sim_run(sim, NULL, SIM_START + 1000);
    sim_forge(sim,
              notify_from_nobody(sim, forgeries[_i].type,
                                 bytes_of(forgeries[_i].data, forgeries[_i].len)),
              IKE_PORT);
    ck_assert(!sim->down);
    if (forgeries[_i].misleads) {
        ck_assert_msg(sim_run(sim, sim_settled, SIM_START + SECONDS(31)), "%s", sim->ladder->str);
        ck_assert(!sim->down || sim->down_at > SIM_START + 500000);
    } else {
        ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(2)), "%s", sim->ladder->str);
    }
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* An answer of a stranger with our SPI and rubbish inside does not stop the true one either. */
START_TEST(forged_answers)
{
    static const char *const chains[] = {"", "00000004", "28000004 00000004", "00000003",
                                         "0000000801010000"};
    static const uint8_t firsts[] = {P_NONE, P_SA, P_KE, P_NONCE, P_SK, P_SKF, P_EAP, P_AUTH, 200};
    struct setup setup = {0};
    struct sim *sim = sim_new(&setup, 1);
    struct datagram *request;
    struct reader r;
    uint64_t spi;

    sim_run(sim, NULL, SIM_START + 1000);
    request = g_ptr_array_index(sim->network.in_flight, 0);
    r = reader_of(bytes_of(request->data, request->len));
    spi = rd_u64(&r);
    for (size_t f = 0; f < sizeof firsts; f++) {
        for (size_t c = 0; c < G_N_ELEMENTS(chains); c++) {
            uint8_t octets[128];
            struct writer w = writer_of(octets, sizeof octets);
            const char *text = chains[c];

            wr_u64(&w, spi);
            wr_u64(&w, 77);
            wr_u8(&w, firsts[f]);
            wr_u8(&w, IKE_VERSION);
            wr_u8(&w, X_IKE_SA_INIT);
            wr_u8(&w, IKE_FLAG_RESPONSE);
            wr_u32(&w, 0);
            wr_u32(&w, 0);
            for (; text[0] != '\0' && text[1] != '\0'; text += text[2] == ' ' ? 3 : 2) {
                wr_u8(&w, (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 |
                                    g_ascii_xdigit_value(text[1])));
            }
            wr_patch_u16(&w, 26, (uint16_t)w.len);
            sim_forge(sim, wr_written(&w), IKE_PORT);
        }
    }
    ck_assert(!sim->down);
    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(2)), "%s", sim->ladder->str);
    check_good(sim);
    sim_free(sim);
}
END_TEST

static bool keys_exist(const struct sim *sim)
{
    return (sim->phases & 1U << IKE_PHASE_GATEWAY_ANSWERED) != 0;
}

/* From the moment that keys exist, nothing without them changes anything: each datagram of a
 * session with one octet flipped, at each moment of it, from another port. */
START_TEST(nothing_changes_without_the_keys)
{
    struct setup setup = {.gateway = {.fragment = _i == 0 ? 0 : 300, .nat = true}};
    struct sim *sim = sim_new(&setup, 1);
    uint64_t until = SIM_START;

    ck_assert(sim_run(sim, keys_exist, SIM_START + SECONDS(1)));
    while (until < SIM_START + 200000) {
        until = sim->now + 2500;
        sim_run(sim, NULL, until);
        sim_forge_in_flight(sim);
    }
    ck_assert_msg(sim_connected(sim), "%s", sim->ladder->str);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(port_unreachable)
{
    struct setup setup = psk;
    struct path path = {.remote.port = IKE_PORT};
    struct sim *sim;

    setup.gateway.silent_init = true;
    sim = sim_new(&setup, 1);
    ck_assert(addr_parse(&path.remote.addr, SIM_GATEWAY_ADDR));
    for (unsigned i = 0; i < 40 && !sim->down; i++) {
        ike_unreachable(sim->ike, &path, IKE_ICMP_PORT_UNREACHABLE, &path.remote.addr, sim->now);
        sim_pump(sim);
        ck_assert_msg(i > 0 || !sim->down, "believed at once");
        sim_run(sim, sim_ended, sim->now + 600000);
    }
    ck_assert(sim->down);
    ck_assert_int_eq(sim->reason, REASON_PORT_UNREACHABLE);
    check_good(sim);
    sim_free(sim);
}
END_TEST

TCase *scenarios_network(void)
{
    TCase *tcase = tcase_create("network");

    tcase_add_loop_test(tcase, any_one_datagram_lost, 0, 2 * LOSSES);
    tcase_add_test(tcase, every_datagram_twice);
    tcase_add_loop_test(tcase, every_datagram_out_of_order, 0, 20);
    tcase_add_loop_test(tcase, repetitions_back_off, 0, 10);
    tcase_add_test(tcase, jitter_differs_from_run_to_run);
    tcase_add_test(tcase, runs_can_be_replayed);
    tcase_add_loop_test(tcase, forged_notify_before_the_answer, 0, G_N_ELEMENTS(forgeries));
    tcase_add_test(tcase, forged_answers);
    tcase_add_loop_test(tcase, nothing_changes_without_the_keys, 0, 2);
    tcase_add_test(tcase, port_unreachable);
    return tcase;
}
