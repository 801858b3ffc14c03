/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "unit/fake_engine.h"
#include "unit/tunnel_bed.h"
#include "unit/vectors.h"

/* A connection over several IKE SAs: what it makes when, and what the session hears. */

static void tell_of(guint32 generation, const char *address)
{
    struct network network = {.generation = generation, .n = 1};
    struct uplink *uplink = &network.uplinks[0];

    ck_assert(addr_parse(&uplink->address.addr, address));
    uplink->address.len = 24;
    uplink->ifindex = 7;
    uplink->has_default = true;
    tunnel_network(bed.tunnel, &network);
}

/* ---- reconnecting ---- */

START_TEST(reconnects)
{
    bed_begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "No answer.");
    bed_wait_heard("failed-gateway-lost(No answer.) reconnecting(The gateway stopped answering. "
                   "No answer.) ");
    bed_wait_engines(2);
    ck_assert_uint_eq(fake_out[1], 0);
    ck_assert(!fake_engines[0].initial_contact);
    ck_assert(fake_engines[1].initial_contact);
    ck_assert_str_eq(fake_engines[1].want, "10.9.0.5");
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    fake_up(1, 200, "10.9.0.6/32");
    bed_wait_heard("connected-192.0.2.1-10.9.0.6 ");
    ck_assert_uint_eq(fake_out[1], 200);
    /* What is under way still comes in. */
    ck_assert_str_eq(fake_in->str, "100 200 ");
}
END_TEST

/* Another device of this user may have the gateway's favour now: neither ends the other. */
START_TEST(what_is_left_at_the_gateway)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(2);
    fake_down(0, _i == 0 ? REASON_GATEWAY_CLOSED : REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_freed(0);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    bed_wait_engines(3);
    ck_assert_int_eq(fake_engines[2].initial_contact, _i != 0);
}
END_TEST

START_TEST(reconnects_until_it_works)
{
    bed_begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_engines(2);
    /* A gateway that is not ready yet says no to what it has accepted before. */
    fake_down(1, REASON_NO_PROPOSAL_CHOSEN, FALSE, "");
    bed_wait_heard(
        "reconnecting(The gateway accepts none of the offered algorithms. Next attempt in ");
    bed_wait_engines(3);
    fake_up(2, 200, "10.9.0.5/32");
    bed_wait_heard("connected-");
}
END_TEST

static const struct {
    const char *settings;
    enum reason reason;
    gboolean retry;
} ends[] = {
    {"reconnect false", REASON_GATEWAY_LOST, TRUE},
    {"", REASON_INTERNAL, FALSE},
    {"", REASON_GATEWAY_CLOSED, TRUE}, /* so soon */
};

START_TEST(does_not_reconnect)
{
    char *wanted = g_strdup_printf("down-%s(why) ", reason_name(ends[_i].reason));

    bed_begin_up(ends[_i].settings);
    fake_down(0, ends[_i].reason, ends[_i].retry, "why");
    bed_wait_heard(wanted);
    ck_assert_uint_eq(fake_n_engines, 1);
    g_free(wanted);
}
END_TEST

START_TEST(reconnecting_ends_for_good)
{
    bed_begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_engines(2);
    fake_down(1, REASON_GATEWAY_UNTRUSTED, FALSE, "who?");
    bed_wait_heard("down-gateway-untrusted(who?) ");
}
END_TEST

START_TEST(wakes_while_it_waits)
{
    gint64 before;

    bed_begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    for (gsize i = 1; i < 4; i++) {
        bed_wait_engines(i + 1);
        fake_down(i, REASON_GATEWAY_UNREACHABLE, TRUE, "");
        bed_wait_heard("Next attempt in ");
        before = g_get_monotonic_time();
        tunnel_wake(bed.tunnel);
        bed_wait_engines(i + 2);
        ck_assert_int_lt(g_get_monotonic_time() - before, 500000);
    }
    /* One that nobody has answered yet begins again. */
    tunnel_wake(bed.tunnel);
    bed_wait_engines(6);
    ck_assert(fake_engines[4].freed);
    /* One that goes on well does not. */
    fake_phase(5, IKE_PHASE_GATEWAY_ANSWERED);
    bed_wait_taken(5);
    tunnel_wake(bed.tunnel);
    bed_let_pass(20);
    ck_assert_uint_eq(fake_n_engines, 6);
}
END_TEST

START_TEST(disconnected_while_it_waits)
{
    bed_begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_engines(2);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    bed_wait_heard("Next attempt in ");
    tunnel_disconnect(bed.tunnel);
    bed_wait_heard("down-user() ");
}
END_TEST

/* ---- beside the one in use ---- */

START_TEST(reauthenticates)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_heard("reauthenticating() ");
    bed_wait_engines(2);
    ck_assert(!fake_engines[1].initial_contact);
    ck_assert_str_eq(fake_engines[1].want, "10.9.0.5");
    ck_assert(!fake_engines[0].disconnected);
    ck_assert_uint_eq(fake_out[1], 100);
    fake_report(0, IKE_EVENT_REAUTH);
    fake_up(1, 200, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.1-10.9.0.5 ");
    ck_assert_uint_eq(fake_out[1], 200);
    ck_assert_str_eq(fake_in->str, "100 200 ");
    bed_wait_freed(0);
    ck_assert(fake_engines[0].disconnected);
    ck_assert_uint_eq(fake_n_engines, 2);
    ck_assert(!bed.over);
}
END_TEST

START_TEST(several_child_sas_go_over_together)
{
    bed_begin_up("");
    fake_up_too(0, 101, 2);
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(2);
    fake_up(1, 200, "10.9.0.5/32");
    fake_up_too(1, 201, 2);
    bed_wait_freed(0);
    ck_assert_uint_eq(fake_out[1], 200);
    ck_assert_uint_eq(fake_out[2], 201);
    ck_assert_uint_eq(fake_gaps, 0);
    ck_assert_uint_eq(fake_commits, 2); /* the first and its successor */
    ck_assert(!fake_held);
}
END_TEST

/* Faster than what is under way can come in: the oldest goes. */
START_TEST(one_after_the_other_without_end)
{
    char **spis;

    bed_begin_up("");
    for (gsize i = 1; i < 12; i++) {
        fake_report(i - 1, IKE_EVENT_REAUTH);
        bed_wait_engines(i + 1);
        fake_up(i, 100 + (guint32)i, "10.9.0.5/32");
        bed_wait_heard("connected-");
        bed_wait_freed(i - 1);
    }
    ck_assert_uint_eq(fake_out[1], 111);
    ck_assert_uint_eq(fake_gaps, 0);
    spis = g_strsplit(fake_in->str, " ", 0);
    ck_assert_uint_eq(g_strv_length(spis), 1 + 4 + 1); /* the one in use, four before, nothing */
    g_strfreev(spis);
}
END_TEST

/* A gateway with one IKE SA per user deletes the old one as soon as the new one is there. */
START_TEST(old_one_goes_first)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(2);
    fake_down(0, REASON_GATEWAY_CLOSED, TRUE, "");
    bed_wait_freed(0);
    fake_up(1, 200, "10.9.0.5/32");
    bed_wait_heard("connected-");
    ck_assert_uint_eq(fake_out[1], 200);
    ck_assert(!bed_heard("reconnecting"));
}
END_TEST

START_TEST(old_one_goes_and_the_new_one_fails)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(2);
    fake_down(0, REASON_GATEWAY_CLOSED, TRUE, "");
    bed_wait_freed(0);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    bed_wait_heard("reconnecting(The gateway does not answer.");
    bed_wait_engines(3);
}
END_TEST

/* Asked once, and nothing happens meanwhile; then the next one is for that certificate alone. */
START_TEST(gateway_in_doubt)
{
    static const char digits[] = "abababababababababababababababababababababababababababababababab";

    bed_begin("");
    bed_wait_engines(1);
    fake_phase(0, IKE_PHASE_GATEWAY_ANSWERED);
    fake_untrusted(0, REASON_GATEWAY_UNTRUSTED, 0xab);
    bed_wait_heard("trust-abab ");
    bed_wait_freed(0);
    tell_of(1, "198.51.100.7");
    tunnel_wake(bed.tunnel);
    bed_let_pass(20);
    ck_assert_uint_eq(fake_n_engines, 1);
    ck_assert(!bed.over);
    if (_i == 0) {
        tunnel_provide_secret(bed.tunnel, "gateway-fingerprint", bytes_of_string(digits));
        bed_wait_engines(2);
        ck_assert_uint_eq(fake_engines[0].pinned, 0);
        ck_assert_uint_eq(fake_engines[1].pinned, 0xab);
        fake_untrusted(1, REASON_GATEWAY_CHANGED, 0xab);
        bed_wait_heard("trust-abab ");
        tunnel_disconnect(bed.tunnel);
        bed_wait_heard("down-user() ");
    } else {
        tunnel_provide_secret(bed.tunnel, "gateway-fingerprint",
                              bytes_of_string(_i == 1 ? "" : "cdabab"));
        bed_wait_heard("down-gateway-untrusted(Who is it?) ");
    }
}
END_TEST

/* A connection that was up asks nobody. */
START_TEST(gateway_in_doubt_later)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(2);
    fake_untrusted(1, REASON_GATEWAY_UNTRUSTED, 0xab);
    bed_wait_heard("failed-gateway-untrusted(Who is it?) ");
    ck_assert(!bed_heard("trust-"));
    fake_down(0, REASON_GATEWAY_CLOSED, TRUE, "");
    bed_wait_heard("down-gateway-untrusted(Who is it?) ");
}
END_TEST

START_TEST(successor_fails)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(2);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    bed_wait_heard("reauthenticating(The gateway does not answer.) ");
    bed_wait_engines(3);
    fake_down(2, REASON_AUTH_FAILED, FALSE, "no");
    bed_wait_heard(
        "failed-auth-failed(no) reauthenticating(The gateway refused the credentials. no) ");
    bed_let_pass(50);
    /* The old one lives as long as it may; then this is why it ends. */
    ck_assert_uint_eq(fake_n_engines, 3);
    ck_assert_uint_eq(fake_out[1], 100);
    fake_down(0, REASON_GATEWAY_CLOSED, TRUE, "");
    bed_wait_heard("down-auth-failed(no) ");
}
END_TEST

/* It is no reason to end what is lost for another one. */
START_TEST(lost_after_a_successor_was_refused)
{
    bed_begin_up("");
    fake_redirect(0, "192.0.2.9");
    bed_wait_engines(2);
    fake_down(1, REASON_GATEWAY_IDENTITY_MISMATCH, FALSE, "who?");
    bed_wait_heard("redirected(The gateway is not who you asked for. who?) ");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.1");
    fake_down(2, REASON_AUTH_FAILED, FALSE, "no");
    bed_wait_heard("reauthenticating(The gateway refused the credentials. no) ");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_heard("reconnecting(The gateway stopped answering.");
    bed_wait_engines(4);
    ck_assert_str_eq(fake_engines[3].gateway, "192.0.2.1");
}
END_TEST

START_TEST(path_is_lost)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_PATH_LOST);
    bed_wait_heard("moving() ");
    bed_wait_engines(2);
    ck_assert(fake_engines[1].initial_contact);
    /* The gateway is heard again after all. */
    fake_report(0, IKE_EVENT_PATH);
    bed_wait_freed(1);
    ck_assert(!bed.over);
    fake_report(0, IKE_EVENT_PATH_LOST);
    bed_wait_engines(3);
    fake_up(2, 300, "10.9.0.5/32");
    bed_wait_heard("connected-");
    ck_assert_uint_eq(fake_out[1], 300);
}
END_TEST

/* It may be heard again while its successor is still being authenticated: nothing is lost then. */
START_TEST(dead_path_is_alive_when_another_answers)
{
    bed_begin_up("auth eap");
    fake_engines[0].mobike = TRUE;
    fake_report(0, IKE_EVENT_PATH_LOST);
    bed_wait_engines(2);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    while (!fake_engines[0].told_of_network) {
        g_main_context_iteration(NULL, TRUE);
    }
    fake_report(0, IKE_EVENT_PATH);
    bed_wait_freed(1);
    ck_assert(!fake_engines[0].disconnected);
    ck_assert(!bed.over);
}
END_TEST

/* Its internal address is free before the next one asks for it. */
START_TEST(dead_path_is_left_when_another_answers)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_PATH_LOST);
    bed_wait_engines(2);
    ck_assert(!fake_engines[0].disconnected);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    bed_wait_freed(0);
    ck_assert(fake_engines[0].disconnected);
    ck_assert(!bed.over);
    fake_up(1, 300, "10.9.0.5/32");
    bed_wait_heard("connected-");
    ck_assert_uint_eq(fake_out[1], 300);
}
END_TEST

/* A handshake goes on from another address, but not from one of the other family. */
START_TEST(moves_while_the_successor_is_made)
{
    bed_begin_up("");
    fake_engines[0].mobike = TRUE;
    tell_of(1, "198.51.100.7");
    fake_report(0, IKE_EVENT_PATH_LOST);
    bed_wait_engines(2);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    bed_wait_taken(1);
    tell_of(2, "198.51.100.8");
    bed_let_pass(20);
    ck_assert(!fake_engines[1].freed);
    tell_of(3, "2001:db8:5::8");
    bed_wait_freed(1);
    bed_wait_engines(3);
    ck_assert(!bed.over);
}
END_TEST

/* Its time comes when what is being made for another reason is not needed after all. */
START_TEST(reauthentication_waits_its_turn)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_PATH_LOST);
    bed_wait_engines(2);
    fake_report(0, IKE_EVENT_REAUTH);
    fake_report(0, IKE_EVENT_PATH);
    bed_wait_heard("reauthenticating() ");
    bed_wait_engines(3);
    fake_up(2, 200, "10.9.0.5/32");
    bed_wait_heard("connected-");
    bed_wait_freed(0);
    bed_let_pass(20);
    ck_assert_uint_eq(fake_n_engines, 3);
}
END_TEST

START_TEST(disconnected_with_two)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(2);
    tunnel_disconnect(bed.tunnel);
    bed_wait_heard("down-user() ");
    ck_assert(fake_engines[0].disconnected);
    ck_assert(fake_engines[1].disconnected);
}
END_TEST

/* ---- redirection ---- */

START_TEST(redirected_while_connecting)
{
    bed_begin("");
    bed_wait_engines(1);
    fake_redirect(0, "192.0.2.9");
    fake_down(0, REASON_REDIRECTED, TRUE, "");
    bed_wait_heard("redirected(192.0.2.9) ");
    bed_wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.9");
    ck_assert_str_eq(fake_engines[1].from, "192.0.2.1");
    fake_up(1, 100, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.9-10.9.0.5 ");
    /* It comes first from now on, and then those of the profile, as at the start. */
    fake_down(1, REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.9");
    ck_assert_str_eq(fake_engines[2].from, "");
    fake_down(2, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    bed_wait_engines(4);
    ck_assert_str_eq(fake_engines[3].gateway, "192.0.2.1");
}
END_TEST

/* Of the addresses that are asked beside each other one sends us on. */
START_TEST(redirected_by_the_second_address)
{
    fake_names = "192.0.2.1 192.0.2.2";
    bed_begin("");
    bed_wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.2");
    fake_redirect(1, "192.0.2.9");
    fake_down(1, REASON_REDIRECTED, TRUE, "");
    bed_wait_heard("redirected(192.0.2.9) ");
    bed_wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.9");
    ck_assert_str_eq(fake_engines[2].from, "192.0.2.2");
    ck_assert(fake_engines[0].freed);
    fake_up(2, 100, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.9-10.9.0.5 ");
}
END_TEST

START_TEST(redirected_by_name)
{
    bed_begin_up("");
    fake_names = "127.0.0.1 192.0.2.8 192.0.2.9";
    fake_redirect(0, "vpn2.example.org");
    bed_wait_engines(2);
    /* This host is no gateway. */
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.8");
    ck_assert(!fake_engines[1].initial_contact);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    bed_wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.9");
    ck_assert_uint_eq(fake_out[1], 100);
    fake_up(2, 200, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.9-");
    bed_wait_freed(0);
}
END_TEST

/* What is under way behind the first gateway comes back by it. */
START_TEST(answers_come_back_by_the_gateway_before)
{
    bed_begin_up("");
    fake_redirect(0, "192.0.2.9");
    bed_wait_engines(2);
    fake_up(1, 200, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.9-");
    ck_assert_uint_eq(fake_out[1], 200);
    ck_assert(!fake_engines[0].disconnected);
    if (_i == 0) {
        bed_wait_freed(0);
    } else {
        tunnel_disconnect(bed.tunnel);
        bed_wait_heard("down-user() ");
    }
    ck_assert(fake_engines[0].disconnected);
}
END_TEST

START_TEST(redirected_to_an_unknown_name)
{
    bed_begin_up("");
    fake_names = "";
    fake_redirect(0, "vpn2.example.org");
    bed_wait_heard("redirected(The gateway's name could not be resolved. There is no such name.");
    ck_assert_uint_eq(fake_out[1], 100);
    fake_names = "192.0.2.9";
    bed_wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.9");
}
END_TEST

START_TEST(redirected_in_a_circle)
{
    bed_begin("");
    for (gsize i = 0; i < 6; i++) {
        bed_wait_engines(i + 1);
        fake_redirect(i, i % 2 == 0 ? "192.0.2.9" : "192.0.2.1");
        fake_down(i, REASON_REDIRECTED, TRUE, "");
    }
    bed_wait_heard("down-redirected(That happened more than 5 times within 300 s");
    ck_assert_uint_eq(fake_n_engines, 6);
}
END_TEST

/* ---- what the user types ---- */

START_TEST(password_is_kept)
{
    bed_begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    bed_wait_engines(2);
    fake_report(1, IKE_EVENT_SECRET);
    bed_wait_heard("asked-password ");
    tunnel_provide_secret(bed.tunnel, "password", bytes_of_string("opensesame"));
    ck_assert_str_eq(fake_engines[1].provided, "opensesame");
    /* A second one in the same authentication is a code for once. */
    fake_report(1, IKE_EVENT_SECRET);
    bed_wait_heard("asked-password ");
    tunnel_provide_secret(bed.tunnel, "password", bytes_of_string("123456"));
    fake_up(1, 200, "10.9.0.5/32");
    bed_wait_heard("connected-");

    fake_down(1, REASON_GATEWAY_LOST, TRUE, "");
    bed_wait_engines(3);
    ck_assert_str_eq(fake_engines[2].password, "opensesame");
    /* Refused, it is forgotten and asked for once. */
    fake_down(2, REASON_AUTH_FAILED, FALSE, "");
    bed_wait_engines(4);
    ck_assert_str_eq(fake_engines[3].password, "");
    fake_report(3, IKE_EVENT_SECRET);
    bed_wait_heard("asked-password ");
    fake_down(3, REASON_AUTH_FAILED, FALSE, "no");
    bed_wait_heard("down-auth-failed(no) ");
}
END_TEST

/* ---- another worker in the place of one that crashed ---- */

/* It begins with what the one before left, which is then as if it had never been. */
static void crash(const char *settings)
{
    GVariant *kept = g_variant_ref(bed.kept);

    tunnel_free(bed.tunnel);
    g_string_free(bed.log, TRUE);
    bed_begin_with(settings, (struct tunnel_options){.kept = kept});
    g_variant_unref(kept);
}

START_TEST(another_worker_goes_on)
{
    fake_names = "192.0.2.1 192.0.2.2";
    fake_unroutable = " 192.0.2.1 ";
    bed_begin("");
    bed_wait_engines(1);
    ck_assert_ptr_null(bed.kept);
    fake_report(0, IKE_EVENT_SECRET);
    bed_wait_heard("asked-password ");
    tunnel_provide_secret(bed.tunnel, "password", bytes_of_string("opensesame"));
    fake_ticket(0, 7);
    fake_up(0, 100, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.2-10.9.0.5 ");
    fake_ticket(0, 8);
    bed_wait_taken(0);

    /* Nobody is asked for names: who would be may be behind the tunnel. */
    fake_names = "";
    fake_unroutable = "";
    crash("");
    bed_wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.2");
    ck_assert_str_eq(fake_engines[1].want, "10.9.0.5");
    ck_assert_str_eq(fake_engines[1].password, "opensesame");
    ck_assert_uint_eq(fake_engines[1].ticket, 8);
    /* INITIAL_CONTACT: the gateway still has the one before. */
    ck_assert(fake_engines[1].initial_contact);
    /* It was up before, so one failure is not the end. */
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "silent");
    bed_wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.1");
    fake_down(2, REASON_GATEWAY_UNREACHABLE, TRUE, "silent");
    bed_wait_heard("reconnecting(");
    bed_wait_engines(4);
    fake_up(3, 200, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.2-10.9.0.5 ");
}
END_TEST

/* Without a ticket and by another address of the gateway than the profile's. */
START_TEST(another_worker_stays_where_it_was_redirected)
{
    bed_begin_up("");
    fake_redirect(0, "203.0.113.9");
    bed_wait_engines(2);
    fake_up(1, 200, "10.9.0.5/32");
    bed_wait_heard("connected-203.0.113.9-10.9.0.5 ");
    crash("");
    bed_wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "203.0.113.9");
    ck_assert_uint_eq(fake_engines[2].ticket, 0);
}
END_TEST

/* What is no use is as nothing: then it is a first connection. */
START_TEST(another_worker_without_anything)
{
    static const char *const useless[] = {
        "@a{sv} {}",
        "{'gateways': <['nonsense']>, 'ticket': <b'x'>}",
        "{'gateways': <['192.0.2.1']>, 'net': <@a{sv} {}>, 'ticket': <b'x'>}",
    };
    GVariant *kept = g_variant_ref_sink(g_variant_new_parsed(useless[_i]));

    bed_begin_with("", (struct tunnel_options){.kept = kept});
    g_variant_unref(kept);
    bed_wait_engines(1);
    ck_assert_uint_eq(fake_engines[0].ticket, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("succession");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, bed_set_up, bed_tear_down);
    tcase_add_test(all, reconnects);
    tcase_add_loop_test(all, what_is_left_at_the_gateway, 0, 2);
    tcase_add_test(all, reconnects_until_it_works);
    tcase_add_loop_test(all, does_not_reconnect, 0, G_N_ELEMENTS(ends));
    tcase_add_test(all, reconnecting_ends_for_good);
    tcase_add_test(all, wakes_while_it_waits);
    tcase_add_test(all, disconnected_while_it_waits);
    tcase_add_test(all, reauthenticates);
    tcase_add_test(all, several_child_sas_go_over_together);
    tcase_add_test(all, one_after_the_other_without_end);
    tcase_add_test(all, old_one_goes_first);
    tcase_add_test(all, old_one_goes_and_the_new_one_fails);
    tcase_add_loop_test(all, gateway_in_doubt, 0, 3);
    tcase_add_test(all, gateway_in_doubt_later);
    tcase_add_test(all, successor_fails);
    tcase_add_test(all, lost_after_a_successor_was_refused);
    tcase_add_test(all, path_is_lost);
    tcase_add_test(all, dead_path_is_alive_when_another_answers);
    tcase_add_test(all, dead_path_is_left_when_another_answers);
    tcase_add_test(all, moves_while_the_successor_is_made);
    tcase_add_test(all, reauthentication_waits_its_turn);
    tcase_add_test(all, disconnected_with_two);
    tcase_add_test(all, redirected_while_connecting);
    tcase_add_test(all, redirected_by_the_second_address);
    tcase_add_test(all, redirected_by_name);
    tcase_add_loop_test(all, answers_come_back_by_the_gateway_before, 0, 2);
    tcase_add_test(all, redirected_to_an_unknown_name);
    tcase_add_test(all, redirected_in_a_circle);
    tcase_add_test(all, password_is_kept);
    tcase_add_test(all, another_worker_goes_on);
    tcase_add_test(all, another_worker_stays_where_it_was_redirected);
    tcase_add_loop_test(all, another_worker_without_anything, 0, 3);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
