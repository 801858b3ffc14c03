/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"
#include "vectors.h"

/* Errors that end an IKE SA without a Delete (RFC 7296 2.21), and whether to try again then. */

#define SECONDS(n) ((uint64_t)(n)*1000 * MS)
#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static const struct bytes none;

/* ---- errors of the gateway in the IKE SA ---- */

START_TEST(authentication_withdrawn)
{
    gw_start();
    gw_connect_tunnel();
    gw_notify(0, N_AUTHENTICATION_FAILED, none);
    gw_expect_down(REASON_AUTH_FAILED);
    ck_assert(!gw.retry);
    ck_assert(!gw_pull());
    gw_finish();
}
END_TEST

START_TEST(authentication_withdrawn_in_a_replaced_ike_sa)
{
    struct ike_sa made;

    peer_start();
    peer_ask_ike(IKE_SPI, 1);
    peer_ike_answered(&made);
    gw_notify(gw.sa.next_id++, N_AUTHENTICATION_FAILED, none);
    peer_use(&made);
    ike_sa_free(&made);
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_finish();
}
END_TEST

/* Other errors in a request say nothing that we could do anything about. */
START_TEST(other_errors_in_a_request)
{
    static const uint16_t types[] = {N_INVALID_SYNTAX, N_UNSUPPORTED_CRITICAL_PAYLOAD,
                                     N_INVALID_IKE_SPI, N_TEMPORARY_FAILURE, 8192};

    gw_start();
    gw_connect_tunnel();
    gw_notify(0, types[_i], none);
    gw_drain();
    ck_assert(!gw.down);
    ck_assert(!gw_pull());
    gw_finish();
}
END_TEST

/* RFC 7296 2.21.3: it has deleted the IKE SA. */
START_TEST(fatal_answers)
{
    peer_start();
    if (_i / 2 == 0) {
        ike_rekey_child(gw.ike, 0, gw.now);
        peer_take_child();
    } else {
        ike_rekey(gw.ike, gw.now);
        peer_take_ike();
    }
    peer_answer_notify(_i % 2 == 0 ? N_INVALID_SYNTAX : N_AUTHENTICATION_FAILED, none);
    gw_expect_down(REASON_GATEWAY_REFUSED);
    ck_assert(gw.retry);
    ck_assert(!gw_pull());
    peer_finish();
}
END_TEST

/* RFC 7296 2.21: no error message for a bad response, but a Delete. */
START_TEST(malformed_answers)
{
    struct chain chain = gw_new_chain();

    peer_start_rekeying();
    chain_add(&chain, (enum payload_type)200, none);
    chain.w.start[_i == 0 ? 1 : 3] = _i == 0 ? 0x80 : 0xff;
    gw_send_sealed(X_CREATE_CHILD_SA, peer.asked_id, true, &chain);
    gw_drain();
    gw_expect_delete();
    gw_answer_empty(gw.message.header.message_id);
    gw_expect_down(REASON_PROTOCOL);
    ck_assert(gw.retry);
    peer_finish();
}
END_TEST

/* 0 = SA and Nonce are malformed, 1 = the chain is, 2 and on: SA, Nonce, or both are missing. */
static void write_malformed(struct chain *chain, int how)
{
    if (how == 1) {
        chain_add(chain, (enum payload_type)200, none);
        chain->w.start[3] = 0xff;
    }
    if (how == 0 || how == 2) {
        chain_add(chain, P_NONCE,
                  how == 0 ? bytes_of("short", 5) : bytes_of_string("0123456789abcdef"));
    }
    if (how == 0 || how == 3) {
        chain_add(chain, P_SA, none);
    }
}

/* RFC 7296 2.21.3: our INVALID_SYNTAX is the last word. */
START_TEST(malformed_requests)
{
    struct chain chain = gw_new_chain();

    peer_start();
    write_malformed(&chain, _i);
    gw_send_sealed(X_CREATE_CHILD_SA, 0, false, &chain);
    gw_drain();
    peer_expect_notify(X_CREATE_CHILD_SA, N_INVALID_SYNTAX);
    gw_expect_down(REASON_PROTOCOL);
    ck_assert(gw.retry);
    ck_assert(!gw_pull());
    peer_finish();
}
END_TEST

/* In an IKE SA that another has replaced it ends that one alone, and its repetition is answered. */
START_TEST(malformed_requests_in_a_replaced_ike_sa)
{
    struct ike_sa made;
    struct chain chain;

    peer_start();
    peer_ask_ike(IKE_SPI, 1);
    peer_ike_answered(&made);
    chain = gw_new_chain();
    write_malformed(&chain, _i);
    for (unsigned i = 0; i < 2; i++) {
        gw_send_sealed(X_CREATE_CHILD_SA, 1, false, &chain);
        gw_drain();
        peer_expect_notify(X_CREATE_CHILD_SA, N_INVALID_SYNTAX);
    }
    peer_use(&made);
    peer_check_alive(PEER_FIRST_SPI, 1);
    ike_sa_free(&made);
    peer_finish();
}
END_TEST

/* ---- whether to try again ---- */

static const struct {
    uint16_t type;
    enum reason reason;
    bool retry;
} refusals[] = {
    {N_NO_PROPOSAL_CHOSEN, REASON_NO_PROPOSAL_CHOSEN, false},
    {N_TS_UNACCEPTABLE, REASON_TS_UNACCEPTABLE, false},
    {N_FAILED_CP_REQUIRED, REASON_ADDRESS_UNAVAILABLE, false},
    {N_AUTHENTICATION_FAILED, REASON_AUTH_FAILED, false},
    {N_AUTHORIZATION_FAILED, REASON_AUTH_FAILED, false},
    {N_INVALID_SYNTAX, REASON_GATEWAY_REFUSED, false},
    {8192, REASON_GATEWAY_REFUSED, false},
    {N_INTERNAL_ADDRESS_FAILURE, REASON_ADDRESS_UNAVAILABLE, true},
    {N_TEMPORARY_FAILURE, REASON_GATEWAY_REFUSED, true},
    {N_NO_ADDITIONAL_SAS, REASON_GATEWAY_REFUSED, true},
    {15500, REASON_GATEWAY_REFUSED, true},
};

START_TEST(refused_for_a_while_or_for_good)
{
    struct chain chain = gw_new_chain();

    gw_start();
    gw_until_auth();
    notify_write(&chain, 0, none, refusals[_i].type, none);
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    ck_assert_int_eq(gw.reason, refusals[_i].reason);
    ck_assert(gw.retry == refusals[_i].retry);
    gw_finish();
}
END_TEST

START_TEST(refused_in_init)
{
    gw_start();
    gw_expect(X_IKE_SA_INIT, false);
    gw_send_notify_init(_i == 0 ? N_NO_PROPOSAL_CHOSEN : N_TEMPORARY_FAILURE, none);
    if (_i < 2) {
        gw_tick_at(gw.now + SECONDS(1));
    } else {
        gw_tick_at(gw.now + 500 * MS);
        gw_send_notify_init(N_TEMPORARY_FAILURE, none);
    }
    gw_drain();
    ck_assert(gw.down);
    ck_assert(gw.retry == (_i > 0));
    gw_finish();
}
END_TEST

/* What ends by itself, by the user, or by who cannot be the gateway */
START_TEST(prospects)
{
    static const enum reason hopeful[] = {REASON_RESOLVE,          REASON_GATEWAY_UNREACHABLE,
                                          REASON_PORT_UNREACHABLE, REASON_GATEWAY_CLOSED,
                                          REASON_GATEWAY_LOST,     REASON_WORKER_DIED,
                                          REASON_UDP_BLOCKED,      REASON_REDIRECTED};
    static const enum reason once_up[] = {REASON_GATEWAY_REFUSED, REASON_PROTOCOL};

    for (unsigned i = 0; i < REASON_COUNT; i++) {
        struct ending ending = {.reason = (enum reason)i};
        bool retry = false, later = false;

        for (size_t k = 0; k < sizeof hopeful / sizeof hopeful[0]; k++) {
            retry = retry || hopeful[k] == ending.reason;
        }
        for (size_t k = 0; k < sizeof once_up / sizeof once_up[0]; k++) {
            later = later || once_up[k] == ending.reason;
        }
        ck_assert_msg(ending_retry(&ending) == retry, "%s", reason_name(ending.reason));
        ending.was_up = true;
        ck_assert_msg(ending_retry(&ending) == (retry || later), "%s", reason_name(ending.reason));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike errors");
    TCase *errors = tcase_create("errors");

    tcase_add_test(errors, authentication_withdrawn);
    tcase_add_test(errors, authentication_withdrawn_in_a_replaced_ike_sa);
    tcase_add_loop_test(errors, other_errors_in_a_request, 0, 5);
    tcase_add_loop_test(errors, fatal_answers, 0, 4);
    tcase_add_loop_test(errors, malformed_answers, 0, 2);
    tcase_add_loop_test(errors, malformed_requests, 0, 5);
    tcase_add_loop_test(errors, malformed_requests_in_a_replaced_ike_sa, 1, 5);
    tcase_add_loop_test(errors, refused_for_a_while_or_for_good, 0, COUNT(refusals));
    tcase_add_loop_test(errors, refused_in_init, 0, 3);
    tcase_add_test(errors, prospects);
    suite_add_tcase(suite, errors);
    return run_suite(suite);
}
