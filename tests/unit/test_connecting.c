/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "unit/fake_engine.h"
#include "unit/tunnel_bed.h"
#include "unit/vectors.h"

/* The first connection: which of the gateway's addresses and ports are asked, and what is said. */

static void begin_asking(const char *settings, const char *ask_first)
{
    struct tunnel_options options = {0};

    ck_assert(endpoint_parse(&options.ask_first, ask_first));
    bed_begin_with(settings, options);
}

START_TEST(next_address_of_the_name)
{
    fake_names = "192.0.2.1 192.0.2.2 192.0.2.3";
    fake_unroutable = " 192.0.2.1 ";
    bed_begin("");
    bed_wait_engines(1);
    ck_assert_str_eq(fake_engines[0].gateway, "192.0.2.2");
    fake_down(0, REASON_PORT_UNREACHABLE, TRUE, "closed");
    bed_wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.3");
    fake_up(1, 100, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.3-10.9.0.5 ");
    /* The one that worked comes first. */
    fake_down(1, REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.3");
    fake_down(2, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    fake_unroutable = "";
    bed_wait_engines(4);
    ck_assert_str_eq(fake_engines[3].gateway, "192.0.2.1");
}
END_TEST

START_TEST(last_address_of_the_name)
{
    fake_names = "192.0.2.1 192.0.2.2";
    bed_begin("");
    bed_wait_engines(1);
    fake_down(0, REASON_GATEWAY_UNREACHABLE, TRUE, "first");
    bed_wait_engines(2);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "second");
    bed_wait_heard("down-gateway-unreachable(first) ");
}
END_TEST

/* An answer is an answer: the other addresses would say the same. */
START_TEST(refused_by_the_first_address)
{
    fake_names = "192.0.2.1 192.0.2.2";
    bed_begin("");
    bed_wait_engines(1);
    fake_down(0, REASON_AUTH_FAILED, FALSE, "no");
    bed_wait_heard("down-auth-failed(no) ");
}
END_TEST

/* Asked beside each other, a little after each other. */
START_TEST(second_address_answers)
{
    fake_names = "192.0.2.1 192.0.2.2";
    bed_begin("");
    bed_wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.2");
    ck_assert(!fake_engines[0].freed);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    bed_wait_freed(0);
    fake_up(1, 100, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.2-10.9.0.5 ");
}
END_TEST

START_TEST(second_address_refuses)
{
    fake_names = "192.0.2.1 192.0.2.2";
    bed_begin("");
    bed_wait_engines(2);
    fake_down(1, REASON_NO_PROPOSAL_CHOSEN, FALSE, "no");
    bed_wait_heard("down-no-proposal-chosen(no) ");
}
END_TEST

/* What one of them says is worth more than the silence of the others. */
START_TEST(only_one_says_why)
{
    fake_names = "192.0.2.1 192.0.2.2 192.0.2.3";
    bed_begin("");
    bed_wait_engines(3);
    fake_down(0, REASON_GATEWAY_UNREACHABLE, TRUE, "silent");
    fake_down(1, REASON_PORT_UNREACHABLE, TRUE, "closed");
    fake_down(2, REASON_GATEWAY_UNREACHABLE, TRUE, "silent");
    bed_wait_heard("down-port-unreachable(closed) ");
}
END_TEST

START_TEST(the_other_port)
{
    bed_begin("port 500");
    bed_wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.1");
    ck_assert_uint_eq(fake_engines[0].port, 500);
    ck_assert_uint_eq(fake_engines[1].port, 4500);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    fake_up(1, 100, "10.9.0.5/32");
    bed_wait_heard("connected-");
    /* Where it went on the last time it begins the next. */
    fake_down(1, REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_engines(3);
    ck_assert_uint_eq(fake_engines[2].port, 4500);
}
END_TEST

START_TEST(asks_first_what_worked)
{
    fake_names = "192.0.2.1 192.0.2.2";
    begin_asking("port 500", "192.0.2.2:4500");
    bed_wait_engines(1);
    ck_assert_str_eq(fake_engines[0].gateway, "192.0.2.2");
    ck_assert_uint_eq(fake_engines[0].port, 4500);
}
END_TEST

START_TEST(asks_only_who_is_meant)
{
    begin_asking("port 500", "192.0.2.77:4500");
    bed_wait_engines(1);
    ck_assert_str_eq(fake_engines[0].gateway, "192.0.2.1");
    ck_assert_uint_eq(fake_engines[0].port, 500);
}
END_TEST

START_TEST(no_such_name)
{
    fake_names = "";
    bed_begin("");
    bed_wait_heard("down-resolve(There is no such name.) ");
}
END_TEST

START_TEST(no_route)
{
    fake_unroutable = " 192.0.2.1 ";
    bed_begin("");
    bed_wait_heard("down-gateway-unreachable(There is no route to 192.0.2.1.) ");
}
END_TEST

/* That one who was asked keeps silent says more than that the host lacks the other family. */
START_TEST(no_route_to_one_of_them)
{
    fake_names = "2001:db8::1 192.0.2.1";
    fake_unroutable = " 2001:db8::1 ";
    bed_begin("");
    bed_wait_engines(1);
    fake_down(0, REASON_GATEWAY_UNREACHABLE, TRUE, "No answer from 192.0.2.1.");
    bed_wait_heard("down-gateway-unreachable(No answer from 192.0.2.1.) ");
}
END_TEST

/* Before there is an engine. */
START_TEST(disconnected_at_once)
{
    bed_begin("");
    tunnel_disconnect(bed.tunnel);
    bed_wait_heard("down-user() ");
    bed_let_pass(20);
    ck_assert_uint_eq(fake_n_engines, 0);
}
END_TEST

START_TEST(secret_and_wake_before_there_is_an_engine)
{
    bed_begin("");
    tunnel_provide_secret(bed.tunnel, "password", bytes_of_string("x"));
    tunnel_wake(bed.tunnel);
    bed_wait_engines(1);
    fake_up(0, 100, "10.9.0.5/32");
    bed_wait_heard("connected-");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connecting");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, bed_set_up, bed_tear_down);
    tcase_add_test(all, next_address_of_the_name);
    tcase_add_test(all, last_address_of_the_name);
    tcase_add_test(all, refused_by_the_first_address);
    tcase_add_test(all, second_address_answers);
    tcase_add_test(all, second_address_refuses);
    tcase_add_test(all, only_one_says_why);
    tcase_add_test(all, the_other_port);
    tcase_add_test(all, asks_first_what_worked);
    tcase_add_test(all, asks_only_who_is_meant);
    tcase_add_test(all, no_such_name);
    tcase_add_test(all, no_route);
    tcase_add_test(all, no_route_to_one_of_them);
    tcase_add_test(all, disconnected_at_once);
    tcase_add_test(all, secret_and_wake_before_there_is_an_engine);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
