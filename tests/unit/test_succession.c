/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "tunnel/tunnel.h"
#include "unit/fake_engine.h"
#include "unit/vectors.h"

/* A connection over several IKE SAs: what it makes when, and what the session hears. */

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_S 20

static struct {
    struct tunnel *tunnel;
    GString *log; /* what the session heard, each with a blank behind it */
    GVariant *kept; /* what another worker is to begin with */
    gboolean over;
} test;

/* ---- what the session hears ---- */

static void on_phase(void *context, const char *phase, const char *text, guint64 at)
{
    (void)context;
    (void)at;
    g_string_append_printf(test.log, "%s(%s) ", phase, text);
}

static void on_trace(void *context, const char *line, gboolean outbound, gboolean retransmission,
                     guint64 at)
{
    (void)context;
    (void)line;
    (void)outbound;
    (void)retransmission;
    (void)at;
}

static void on_secret(void *context, const char *id, const char *prompt)
{
    (void)context;
    (void)prompt;
    g_string_append_printf(test.log, "asked-%s ", id);
}

static void on_connected(void *context, const struct net_config *net,
                         const struct tunnel_summary *summary)
{
    char text[ADDR_TEXT_MAX];

    (void)context;
    g_string_append_printf(test.log, "connected-%s-%s ", summary->ike.gateway_id,
                           addr_text(&net->addresses[0].addr, text));
}

static void on_keep(void *context, GVariant *kept)
{
    (void)context;
    g_clear_pointer(&test.kept, g_variant_unref);
    test.kept = g_variant_ref_sink(kept);
}

static void on_mtu(void *context, guint16 mtu)
{
    (void)context;
    g_string_append_printf(test.log, "mtu-%u ", mtu);
}

static void on_down(void *context, enum reason reason, const char *detail)
{
    (void)context;
    ck_assert(!test.over);
    test.over = TRUE;
    g_string_append_printf(test.log, "down-%s(%s) ", reason_name(reason), detail);
}

static const struct tunnel_ops ops = {
    .phase = on_phase,
    .trace = on_trace,
    .secret_required = on_secret,
    .connected = on_connected,
    .mtu = on_mtu,
    .keep = on_keep,
    .down = on_down,
};

/* ---- the test's hand ---- */

static gboolean on_patience(gpointer data)
{
    (void)data;
    ck_abort_msg("nothing happened for %d s; heard: %s; %zu engines", PATIENCE_S, test.log->str,
                 fake_n_engines);
    return G_SOURCE_REMOVE;
}

static gboolean heard(const char *text)
{
    return strstr(test.log->str, text) != NULL;
}

/* Until the session has heard this, or there are so many engines; what was heard is then forgotten.
 */
static void wait_heard(const char *text)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);

    while (!heard(text)) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(patience);
    g_string_erase(test.log, 0, strstr(test.log->str, text) - test.log->str + (gssize)strlen(text));
}

static void wait_engines(gsize n)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);

    while (fake_n_engines < n) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(patience);
    ck_assert_uint_eq(fake_n_engines, n);
}

static void wait_freed(gsize engine)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);

    while (!fake_engines[engine].freed) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(patience);
}

/* Everything that is due is done, and more. */
static void let_pass(guint milliseconds)
{
    gint64 end = g_get_monotonic_time() + milliseconds * 1000;

    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(500);
    }
}

static void begin_with(const char *settings, struct tunnel_options options)
{
    const struct tunnel_fds fds = {-1, -1, -1, -1, -1, -1, -1, -1};
    struct profile *profile = profile_new();
    char **words = g_strsplit(settings, " ", 0);

    ck_assert(profile_set(profile, "gateway", "vpn.example.org", "test", NULL));
    ck_assert(profile_set(profile, "user", "alice", "test", NULL));
    /* One port, so that one address is asked once. */
    ck_assert(profile_set(profile, "port", "4500", "test", NULL));
    /* The system's store of authorities takes its time to read. */
    ck_assert(profile_set(profile, "auth", "psk", "test", NULL));
    ck_assert(profile_set_bytes(profile, "psk", bytes_of_string("sesame"), NULL));
    for (char **word = words; *word != NULL && **word != '\0'; word += 2) {
        ck_assert(profile_set(profile, word[0], word[1], "test", NULL));
    }
    g_strfreev(words);
    test.log = g_string_new("");
    test.tunnel = tunnel_new(&fds, &ops, NULL);
    tunnel_connect(test.tunnel, profile, &options);
}

static void begin_asking(const char *settings, const char *ask_first)
{
    struct tunnel_options options = {0};

    ck_assert(endpoint_parse(&options.ask_first, ask_first));
    begin_with(settings, options);
}

static void begin(const char *settings)
{
    begin_with(settings, (struct tunnel_options){0});
}

/* Engine 0 carries the traffic, by SPI 100. */
static void begin_up(const char *settings)
{
    begin(settings);
    wait_engines(1);
    fake_up(0, 100, "10.9.0.5/32");
    wait_heard("connected-192.0.2.1-10.9.0.5 ");
    ck_assert_uint_eq(fake_out[1], 100);
}

static void setup(void)
{
    memset(&test, 0, sizeof test);
    fake_reset();
}

static void teardown(void)
{
    tunnel_free(test.tunnel);
    for (gsize i = 0; i < fake_n_engines; i++) {
        ck_assert_msg(fake_engines[i].freed, "engine %zu is left", i);
    }
    g_string_free(test.log, TRUE);
    g_clear_pointer(&test.kept, g_variant_unref);
}

/* ---- the first connection ---- */

START_TEST(next_address_of_the_name)
{
    fake_names = "192.0.2.1 192.0.2.2 192.0.2.3";
    fake_unroutable = " 192.0.2.1 ";
    begin("");
    wait_engines(1);
    ck_assert_str_eq(fake_engines[0].gateway, "192.0.2.2");
    fake_down(0, REASON_PORT_UNREACHABLE, TRUE, "closed");
    wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.3");
    fake_up(1, 100, "10.9.0.5/32");
    wait_heard("connected-192.0.2.3-10.9.0.5 ");
    /* The one that worked comes first. */
    fake_down(1, REASON_GATEWAY_LOST, TRUE, "");
    wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.3");
    fake_down(2, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    fake_unroutable = "";
    wait_engines(4);
    ck_assert_str_eq(fake_engines[3].gateway, "192.0.2.1");
}
END_TEST

START_TEST(last_address_of_the_name)
{
    fake_names = "192.0.2.1 192.0.2.2";
    begin("");
    wait_engines(1);
    fake_down(0, REASON_GATEWAY_UNREACHABLE, TRUE, "first");
    wait_engines(2);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "second");
    wait_heard("down-gateway-unreachable(first) ");
}
END_TEST

/* An answer is an answer: the other addresses would say the same. */
START_TEST(refused_by_the_first_address)
{
    fake_names = "192.0.2.1 192.0.2.2";
    begin("");
    wait_engines(1);
    fake_down(0, REASON_AUTH_FAILED, FALSE, "no");
    wait_heard("down-auth-failed(no) ");
}
END_TEST

/* Asked beside each other, a little after each other. */
START_TEST(second_address_answers)
{
    fake_names = "192.0.2.1 192.0.2.2";
    begin("");
    wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.2");
    ck_assert(!fake_engines[0].freed);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    wait_freed(0);
    fake_up(1, 100, "10.9.0.5/32");
    wait_heard("connected-192.0.2.2-10.9.0.5 ");
}
END_TEST

START_TEST(second_address_refuses)
{
    fake_names = "192.0.2.1 192.0.2.2";
    begin("");
    wait_engines(2);
    fake_down(1, REASON_NO_PROPOSAL_CHOSEN, FALSE, "no");
    wait_heard("down-no-proposal-chosen(no) ");
}
END_TEST

/* What one of them says is worth more than the silence of the others. */
START_TEST(only_one_says_why)
{
    fake_names = "192.0.2.1 192.0.2.2 192.0.2.3";
    begin("");
    wait_engines(3);
    fake_down(0, REASON_GATEWAY_UNREACHABLE, TRUE, "silent");
    fake_down(1, REASON_PORT_UNREACHABLE, TRUE, "closed");
    fake_down(2, REASON_GATEWAY_UNREACHABLE, TRUE, "silent");
    wait_heard("down-port-unreachable(closed) ");
}
END_TEST

START_TEST(the_other_port)
{
    begin("port 500");
    wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.1");
    ck_assert_uint_eq(fake_engines[0].port, 500);
    ck_assert_uint_eq(fake_engines[1].port, 4500);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    fake_up(1, 100, "10.9.0.5/32");
    wait_heard("connected-");
    /* Where it went on the last time it begins the next. */
    fake_down(1, REASON_GATEWAY_LOST, TRUE, "");
    wait_engines(3);
    ck_assert_uint_eq(fake_engines[2].port, 4500);
}
END_TEST

START_TEST(asks_first_what_worked)
{
    fake_names = "192.0.2.1 192.0.2.2";
    begin_asking("port 500", "192.0.2.2:4500");
    wait_engines(1);
    ck_assert_str_eq(fake_engines[0].gateway, "192.0.2.2");
    ck_assert_uint_eq(fake_engines[0].port, 4500);
}
END_TEST

START_TEST(asks_only_who_is_meant)
{
    begin_asking("port 500", "192.0.2.77:4500");
    wait_engines(1);
    ck_assert_str_eq(fake_engines[0].gateway, "192.0.2.1");
    ck_assert_uint_eq(fake_engines[0].port, 500);
}
END_TEST

START_TEST(no_such_name)
{
    fake_names = "";
    begin("");
    wait_heard("down-resolve(There is no such name.) ");
}
END_TEST

START_TEST(no_route)
{
    fake_unroutable = " 192.0.2.1 ";
    begin("");
    wait_heard("down-gateway-unreachable(There is no route to 192.0.2.1.) ");
}
END_TEST

/* Before there is an engine. */
/* That one who was asked keeps silent says more than that the host lacks the other family. */
START_TEST(no_route_to_one_of_them)
{
    fake_names = "2001:db8::1 192.0.2.1";
    fake_unroutable = " 2001:db8::1 ";
    begin("");
    wait_engines(1);
    fake_down(0, REASON_GATEWAY_UNREACHABLE, TRUE, "No answer from 192.0.2.1.");
    wait_heard("down-gateway-unreachable(No answer from 192.0.2.1.) ");
}
END_TEST

START_TEST(disconnected_at_once)
{
    begin("");
    tunnel_disconnect(test.tunnel);
    wait_heard("down-user() ");
    let_pass(20);
    ck_assert_uint_eq(fake_n_engines, 0);
}
END_TEST

START_TEST(secret_and_wake_before_there_is_an_engine)
{
    begin("");
    tunnel_provide_secret(test.tunnel, "password", bytes_of_string("x"));
    tunnel_wake(test.tunnel);
    wait_engines(1);
    fake_up(0, 100, "10.9.0.5/32");
    wait_heard("connected-");
}
END_TEST

/* ---- reconnecting ---- */

START_TEST(reconnects)
{
    begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "No answer.");
    wait_heard("reconnecting(The gateway stopped answering. No answer.) ");
    wait_engines(2);
    ck_assert_uint_eq(fake_out[1], 0);
    ck_assert(!fake_engines[1].successor);
    ck_assert_str_eq(fake_engines[1].want, "10.9.0.5");
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    fake_up(1, 200, "10.9.0.6/32");
    wait_heard("connected-192.0.2.1-10.9.0.6 ");
    ck_assert_uint_eq(fake_out[1], 200);
    /* What is under way still comes in. */
    ck_assert_str_eq(fake_in->str, "100 200 ");
}
END_TEST

START_TEST(reconnects_until_it_works)
{
    begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    wait_engines(2);
    /* A gateway that is not ready yet says no to what it has accepted before. */
    fake_down(1, REASON_NO_PROPOSAL_CHOSEN, FALSE, "");
    wait_heard("reconnecting(The gateway accepts none of the offered algorithms. Next attempt in ");
    wait_engines(3);
    fake_up(2, 200, "10.9.0.5/32");
    wait_heard("connected-");
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

    begin_up(ends[_i].settings);
    fake_down(0, ends[_i].reason, ends[_i].retry, "why");
    wait_heard(wanted);
    ck_assert_uint_eq(fake_n_engines, 1);
    g_free(wanted);
}
END_TEST

START_TEST(reconnecting_ends_for_good)
{
    begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    wait_engines(2);
    fake_down(1, REASON_GATEWAY_UNTRUSTED, FALSE, "who?");
    wait_heard("down-gateway-untrusted(who?) ");
}
END_TEST

START_TEST(wakes_while_it_waits)
{
    gint64 before;

    begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    for (gsize i = 1; i < 4; i++) {
        wait_engines(i + 1);
        fake_down(i, REASON_GATEWAY_UNREACHABLE, TRUE, "");
        wait_heard("Next attempt in ");
        before = g_get_monotonic_time();
        tunnel_wake(test.tunnel);
        wait_engines(i + 2);
        ck_assert_int_lt(g_get_monotonic_time() - before, 500000);
    }
    /* One that nobody has answered yet begins again. */
    tunnel_wake(test.tunnel);
    wait_engines(6);
    ck_assert(fake_engines[4].freed);
    /* One that goes on well does not. */
    fake_phase(5, IKE_PHASE_GATEWAY_ANSWERED);
    let_pass(20);
    tunnel_wake(test.tunnel);
    let_pass(20);
    ck_assert_uint_eq(fake_n_engines, 6);
}
END_TEST

START_TEST(disconnected_while_it_waits)
{
    begin_up("");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    wait_engines(2);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    wait_heard("Next attempt in ");
    tunnel_disconnect(test.tunnel);
    wait_heard("down-user() ");
}
END_TEST

/* ---- beside the one in use ---- */

START_TEST(reauthenticates)
{
    begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    wait_heard("reauthenticating() ");
    wait_engines(2);
    ck_assert(fake_engines[1].successor);
    ck_assert_str_eq(fake_engines[1].want, "10.9.0.5");
    ck_assert(!fake_engines[0].disconnected);
    ck_assert_uint_eq(fake_out[1], 100);
    fake_report(0, IKE_EVENT_REAUTH);
    fake_up(1, 200, "10.9.0.5/32");
    wait_heard("connected-192.0.2.1-10.9.0.5 ");
    ck_assert_uint_eq(fake_out[1], 200);
    ck_assert_str_eq(fake_in->str, "100 200 ");
    wait_freed(0);
    ck_assert(fake_engines[0].disconnected);
    ck_assert_uint_eq(fake_n_engines, 2);
    ck_assert(!test.over);
}
END_TEST

START_TEST(several_child_sas_go_over_together)
{
    begin_up("");
    fake_up_too(0, 101, 2);
    fake_report(0, IKE_EVENT_REAUTH);
    wait_engines(2);
    fake_up(1, 200, "10.9.0.5/32");
    fake_up_too(1, 201, 2);
    wait_freed(0);
    ck_assert_uint_eq(fake_out[1], 200);
    ck_assert_uint_eq(fake_out[2], 201);
    ck_assert_uint_eq(fake_gaps, 0);
}
END_TEST

/* Faster than what is under way can come in: the oldest goes. */
START_TEST(one_after_the_other_without_end)
{
    char **spis;

    begin_up("");
    for (gsize i = 1; i < 12; i++) {
        fake_report(i - 1, IKE_EVENT_REAUTH);
        wait_engines(i + 1);
        fake_up(i, 100 + (guint32)i, "10.9.0.5/32");
        wait_heard("connected-");
        wait_freed(i - 1);
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
    begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    wait_engines(2);
    fake_down(0, REASON_GATEWAY_CLOSED, TRUE, "");
    wait_freed(0);
    fake_up(1, 200, "10.9.0.5/32");
    wait_heard("connected-");
    ck_assert_uint_eq(fake_out[1], 200);
    ck_assert(!heard("reconnecting"));
}
END_TEST

START_TEST(old_one_goes_and_the_new_one_fails)
{
    begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    wait_engines(2);
    fake_down(0, REASON_GATEWAY_CLOSED, TRUE, "");
    wait_freed(0);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    wait_heard("reconnecting(The gateway does not answer.");
    wait_engines(3);
}
END_TEST

START_TEST(successor_fails)
{
    begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    wait_engines(2);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    wait_heard("reauthenticating(The gateway does not answer.) ");
    wait_engines(3);
    fake_down(2, REASON_AUTH_FAILED, FALSE, "no");
    wait_heard("reauthenticating(The gateway refused the credentials. no) ");
    let_pass(50);
    /* The old one lives as long as it may; then this is why it ends. */
    ck_assert_uint_eq(fake_n_engines, 3);
    ck_assert_uint_eq(fake_out[1], 100);
    fake_down(0, REASON_GATEWAY_CLOSED, TRUE, "");
    wait_heard("down-auth-failed(no) ");
}
END_TEST

/* It is no reason to end what is lost for another one. */
START_TEST(lost_after_a_successor_was_refused)
{
    begin_up("");
    fake_redirect(0, "192.0.2.9");
    wait_engines(2);
    fake_down(1, REASON_GATEWAY_IDENTITY_MISMATCH, FALSE, "who?");
    wait_heard("redirected(The gateway is not who you asked for. who?) ");
    fake_report(0, IKE_EVENT_REAUTH);
    wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.1");
    fake_down(2, REASON_AUTH_FAILED, FALSE, "no");
    wait_heard("reauthenticating(The gateway refused the credentials. no) ");
    fake_down(0, REASON_GATEWAY_LOST, TRUE, "");
    wait_heard("reconnecting(The gateway stopped answering.");
    wait_engines(4);
    ck_assert_str_eq(fake_engines[3].gateway, "192.0.2.1");
}
END_TEST

START_TEST(path_is_lost)
{
    begin_up("");
    fake_report(0, IKE_EVENT_PATH_LOST);
    wait_heard("moving() ");
    wait_engines(2);
    ck_assert(!fake_engines[1].successor);
    /* The gateway is heard again after all. */
    fake_report(0, IKE_EVENT_PATH);
    wait_freed(1);
    ck_assert(!test.over);
    fake_report(0, IKE_EVENT_PATH_LOST);
    wait_engines(3);
    fake_up(2, 300, "10.9.0.5/32");
    wait_heard("connected-");
    ck_assert_uint_eq(fake_out[1], 300);
}
END_TEST

/* It may be heard again while its successor is still being authenticated: nothing is lost then. */
START_TEST(dead_path_is_alive_when_another_answers)
{
    begin_up("auth eap");
    fake_engines[0].mobike = TRUE;
    fake_report(0, IKE_EVENT_PATH_LOST);
    wait_engines(2);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    while (!fake_engines[0].told_of_network) {
        g_main_context_iteration(NULL, TRUE);
    }
    fake_report(0, IKE_EVENT_PATH);
    wait_freed(1);
    ck_assert(!fake_engines[0].disconnected);
    ck_assert(!test.over);
}
END_TEST

/* Its internal address is free before the next one asks for it. */
START_TEST(dead_path_is_left_when_another_answers)
{
    begin_up("");
    fake_report(0, IKE_EVENT_PATH_LOST);
    wait_engines(2);
    ck_assert(!fake_engines[0].disconnected);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    wait_freed(0);
    ck_assert(fake_engines[0].disconnected);
    ck_assert(!test.over);
    fake_up(1, 300, "10.9.0.5/32");
    wait_heard("connected-");
    ck_assert_uint_eq(fake_out[1], 300);
}
END_TEST

static void tell_of(guint32 generation, const char *address)
{
    struct network network = {.generation = generation, .n = 1};
    struct uplink *uplink = &network.uplinks[0];

    ck_assert(addr_parse(&uplink->address.addr, address));
    uplink->address.len = 24;
    uplink->ifindex = 7;
    uplink->has_default = true;
    tunnel_network(test.tunnel, &network);
}

/* A handshake goes on from another address, but not from one of the other family. */
START_TEST(moves_while_the_successor_is_made)
{
    begin_up("");
    fake_engines[0].mobike = TRUE;
    tell_of(1, "198.51.100.7");
    fake_report(0, IKE_EVENT_PATH_LOST);
    wait_engines(2);
    fake_phase(1, IKE_PHASE_GATEWAY_ANSWERED);
    let_pass(20);
    tell_of(2, "198.51.100.8");
    let_pass(20);
    ck_assert(!fake_engines[1].freed);
    tell_of(3, "2001:db8:5::8");
    wait_freed(1);
    wait_engines(3);
    ck_assert(!test.over);
}
END_TEST

/* Its time comes when what is being made for another reason is not needed after all. */
START_TEST(reauthentication_waits_its_turn)
{
    begin_up("");
    fake_report(0, IKE_EVENT_PATH_LOST);
    wait_engines(2);
    fake_report(0, IKE_EVENT_REAUTH);
    fake_report(0, IKE_EVENT_PATH);
    wait_heard("reauthenticating() ");
    wait_engines(3);
    fake_up(2, 200, "10.9.0.5/32");
    wait_heard("connected-");
    wait_freed(0);
    let_pass(20);
    ck_assert_uint_eq(fake_n_engines, 3);
}
END_TEST

START_TEST(disconnected_with_two)
{
    begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    wait_engines(2);
    tunnel_disconnect(test.tunnel);
    wait_heard("down-user() ");
    ck_assert(fake_engines[0].disconnected);
    ck_assert(fake_engines[1].disconnected);
}
END_TEST

/* ---- redirection ---- */

START_TEST(redirected_while_connecting)
{
    begin("");
    wait_engines(1);
    fake_redirect(0, "192.0.2.9");
    fake_down(0, REASON_REDIRECTED, TRUE, "");
    wait_heard("redirected(192.0.2.9) ");
    wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.9");
    ck_assert_str_eq(fake_engines[1].from, "192.0.2.1");
    fake_up(1, 100, "10.9.0.5/32");
    wait_heard("connected-192.0.2.9-10.9.0.5 ");
    /* It comes first from now on, and then those of the profile, as at the start. */
    fake_down(1, REASON_GATEWAY_LOST, TRUE, "");
    wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.9");
    ck_assert_str_eq(fake_engines[2].from, "");
    fake_down(2, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    wait_engines(4);
    ck_assert_str_eq(fake_engines[3].gateway, "192.0.2.1");
}
END_TEST

/* Of the addresses that are asked beside each other one sends us on. */
START_TEST(redirected_by_the_second_address)
{
    fake_names = "192.0.2.1 192.0.2.2";
    begin("");
    wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.2");
    fake_redirect(1, "192.0.2.9");
    fake_down(1, REASON_REDIRECTED, TRUE, "");
    wait_heard("redirected(192.0.2.9) ");
    wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.9");
    ck_assert_str_eq(fake_engines[2].from, "192.0.2.2");
    ck_assert(fake_engines[0].freed);
    fake_up(2, 100, "10.9.0.5/32");
    wait_heard("connected-192.0.2.9-10.9.0.5 ");
}
END_TEST

START_TEST(redirected_by_name)
{
    begin_up("");
    fake_names = "127.0.0.1 192.0.2.8 192.0.2.9";
    fake_redirect(0, "vpn2.example.org");
    wait_engines(2);
    /* This host is no gateway. */
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.8");
    ck_assert(fake_engines[1].successor);
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "");
    wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.9");
    ck_assert_uint_eq(fake_out[1], 100);
    fake_up(2, 200, "10.9.0.5/32");
    wait_heard("connected-192.0.2.9-");
    wait_freed(0);
}
END_TEST

START_TEST(redirected_to_an_unknown_name)
{
    begin_up("");
    fake_names = "";
    fake_redirect(0, "vpn2.example.org");
    wait_heard("redirected(The gateway's name could not be resolved. There is no such name.");
    ck_assert_uint_eq(fake_out[1], 100);
    fake_names = "192.0.2.9";
    wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.9");
}
END_TEST

START_TEST(redirected_in_a_circle)
{
    begin("");
    for (gsize i = 0; i < 6; i++) {
        wait_engines(i + 1);
        fake_redirect(i, i % 2 == 0 ? "192.0.2.9" : "192.0.2.1");
        fake_down(i, REASON_REDIRECTED, TRUE, "");
    }
    wait_heard("down-redirected(That happened more than 5 times within 300 s");
    ck_assert_uint_eq(fake_n_engines, 6);
}
END_TEST

/* ---- what the user types ---- */

START_TEST(password_is_kept)
{
    begin_up("");
    fake_report(0, IKE_EVENT_REAUTH);
    wait_engines(2);
    fake_report(1, IKE_EVENT_SECRET);
    wait_heard("asked-password ");
    tunnel_provide_secret(test.tunnel, "password", bytes_of_string("opensesame"));
    ck_assert_str_eq(fake_engines[1].provided, "opensesame");
    /* A second one in the same authentication is a code for once. */
    fake_report(1, IKE_EVENT_SECRET);
    wait_heard("asked-password ");
    tunnel_provide_secret(test.tunnel, "password", bytes_of_string("123456"));
    fake_up(1, 200, "10.9.0.5/32");
    wait_heard("connected-");

    fake_down(1, REASON_GATEWAY_LOST, TRUE, "");
    wait_engines(3);
    ck_assert_str_eq(fake_engines[2].password, "opensesame");
    /* Refused, it is forgotten and asked for once. */
    fake_down(2, REASON_AUTH_FAILED, FALSE, "");
    wait_engines(4);
    ck_assert_str_eq(fake_engines[3].password, "");
    fake_report(3, IKE_EVENT_SECRET);
    wait_heard("asked-password ");
    fake_down(3, REASON_AUTH_FAILED, FALSE, "no");
    wait_heard("down-auth-failed(no) ");
}
END_TEST

/* ---- another worker in the place of one that crashed ---- */

/* It begins with what the one before left, which is then as if it had never been. */
static void crash(const char *settings)
{
    GVariant *kept = g_variant_ref(test.kept);

    tunnel_free(test.tunnel);
    g_string_free(test.log, TRUE);
    begin_with(settings, (struct tunnel_options){.kept = kept});
    g_variant_unref(kept);
}

START_TEST(another_worker_goes_on)
{
    fake_names = "192.0.2.1 192.0.2.2";
    fake_unroutable = " 192.0.2.1 ";
    begin("");
    wait_engines(1);
    ck_assert_ptr_null(test.kept);
    fake_report(0, IKE_EVENT_SECRET);
    wait_heard("asked-password ");
    tunnel_provide_secret(test.tunnel, "password", bytes_of_string("opensesame"));
    fake_ticket(0, 7);
    fake_up(0, 100, "10.9.0.5/32");
    wait_heard("connected-192.0.2.2-10.9.0.5 ");
    fake_ticket(0, 8);
    let_pass(20);

    /* Nobody is asked for names: who would be may be behind the tunnel. */
    fake_names = "";
    fake_unroutable = "";
    crash("");
    wait_engines(2);
    ck_assert_str_eq(fake_engines[1].gateway, "192.0.2.2");
    ck_assert_str_eq(fake_engines[1].want, "10.9.0.5");
    ck_assert_str_eq(fake_engines[1].password, "opensesame");
    ck_assert_uint_eq(fake_engines[1].ticket, 8);
    /* INITIAL_CONTACT: the gateway still has the one before. */
    ck_assert(!fake_engines[1].successor);
    /* It was up before, so one failure is not the end. */
    fake_down(1, REASON_GATEWAY_UNREACHABLE, TRUE, "silent");
    wait_engines(3);
    ck_assert_str_eq(fake_engines[2].gateway, "192.0.2.1");
    fake_down(2, REASON_GATEWAY_UNREACHABLE, TRUE, "silent");
    wait_heard("reconnecting(");
    wait_engines(4);
    fake_up(3, 200, "10.9.0.5/32");
    wait_heard("connected-192.0.2.2-10.9.0.5 ");
}
END_TEST

/* Without a ticket and by another address of the gateway than the profile's. */
START_TEST(another_worker_stays_where_it_was_redirected)
{
    begin_up("");
    fake_redirect(0, "203.0.113.9");
    wait_engines(2);
    fake_up(1, 200, "10.9.0.5/32");
    wait_heard("connected-203.0.113.9-10.9.0.5 ");
    crash("");
    wait_engines(3);
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

    begin_with("", (struct tunnel_options){.kept = kept});
    g_variant_unref(kept);
    wait_engines(1);
    ck_assert_uint_eq(fake_engines[0].ticket, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("succession");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
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
    tcase_add_test(all, reconnects);
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
    tcase_add_test(all, redirected_to_an_unknown_name);
    tcase_add_test(all, redirected_in_a_circle);
    tcase_add_test(all, password_is_kept);
    tcase_add_test(all, another_worker_goes_on);
    tcase_add_test(all, another_worker_stays_where_it_was_redirected);
    tcase_add_loop_test(all, another_worker_without_anything, 0, 3);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
