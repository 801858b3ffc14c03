/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/gateway_facts_variant.h"
#include "common/network.h"
#include "unit/fake_bus.h"
#include "unit/sandbox.h"
#include "unit/session_watch.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

static const struct session_ops ops_few = {.ended = watch_on_ended};

START_TEST(happy)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "happy", &watch_ops);
    watch_run(&watch);
    ck_assert(watch.connected);
    ck_assert(watch.full_tunnel);
    ck_assert_str_eq(watch.log->str, "init trace connected ");
    ck_assert_str_eq(watch.phase_text, "Hello?[2J");
    ck_assert_str_eq(watch.gateway_id, "vpn?[2J.example.org");
    ck_assert_str_eq(watch.dns, "/etc/resolv.conf");
    g_autofree char *route = sandbox_run("ip route get 203.0.113.5");
    ck_assert_ptr_nonnull(strstr(route, "dev godwit0"));

    g_autoptr(GPtrArray) records = session_records();
    ck_assert_uint_eq(records->len, 1);
    const struct session_record *record = records->pdata[0];
    ck_assert_str_eq(record->name, "test");
    ck_assert_str_eq(record->interface, "godwit0");
    ck_assert_str_eq(record->gateway, "192.0.2.7:4500");
    ck_assert_str_eq(record->addresses[0], "10.9.0.5");
    ck_assert_int_eq(record->pid, getpid());

    session_disconnect(watch.session);
    ck_assert(!watch.ended);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    ck_assert_str_eq(watch.detail, "");
    watch_finish(&watch);
    watch_expect_clean(before);
    g_autoptr(GPtrArray) none = session_records();
    ck_assert_uint_eq(none->len, 0);
}
END_TEST

/* Another IKE SA, with another address: the host follows, and all is undone at the end. */
START_TEST(reconnects)
{
    struct watch watch = {.password = "opensesame"};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "reconnects", &watch_ops);
    while (watch.connects < 2) {
        watch_run(&watch);
    }
    ck_assert_str_eq(watch.log->str, "init trace connected reconnecting asked connected ");
    ck_assert_str_eq(watch.state, "reconnecting");
    ck_assert_str_eq(watch.why, "Lost?[2J.");
    ck_assert_str_eq(watch.failed, "gateway-lost: It?[2J went.");
    g_autofree char *route = sandbox_run("ip route get 203.0.113.5");
    ck_assert_ptr_nonnull(strstr(route, "dev godwit0"));
    ck_assert_ptr_nonnull(strstr(route, "src 10.9.0.6"));
    g_autofree char *addresses = sandbox_run("ip -o addr show godwit0");
    ck_assert_ptr_null(strstr(addresses, "10.9.0.5"));
    g_autoptr(GPtrArray) records = session_records();
    const struct session_record *record = records->pdata[0];
    ck_assert_str_eq(record->state, "connected");
    ck_assert_str_eq(record->addresses[0], "10.9.0.6");
    session_disconnect(watch.session);
    watch_run(&watch);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

/* The gateway allows everything; a split tunnel takes only what it names. */
static const struct {
    const char *mode, *tunnel, *inside, *outside;
} splits[] = {{"names-subnets", "split", "dev godwit0", "dev up0"},
              {"names-subnets", "full", "dev godwit0", "dev godwit0"},
              {"happy", "split", "dev up0", "dev up0"}};

START_TEST(split)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    watch_mode(&watch, splits[_i].mode, splits[_i].tunnel, &watch_ops);
    watch_run(&watch);
    ck_assert(watch.connected);
    ck_assert_int_eq(watch.full_tunnel, g_str_equal(splits[_i].tunnel, "full"));
    watch_expect_way("10.9.77.1", splits[_i].inside);
    watch_expect_way("203.0.113.5", splits[_i].outside);
    session_disconnect(watch.session);
    watch_run(&watch);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

START_TEST(stop_at_once)
{
    struct watch watch = {.stop_when_connected = TRUE};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "happy", &watch_ops);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

static const struct {
    const char *mode;
    enum reason reason;
    const char *detail;
    guint after_ms;
} failures[] = {
    {"dies-on-connect", REASON_WORKER_DIED, "exit code 7", 0},
    {"dies-early", REASON_WORKER_DIED, "exit code 7", 0},
    {"forbidden", REASON_WORKER_DIED, "it must not make the system call execve.", 0},
    {"dies-traced", REASON_WORKER_DIED, "exit code 7", 0},
    {"refuses", REASON_PROFILE, "bad profile", 0},
    {"fails", REASON_AUTH_FAILED, "E=691", 0},
    {"closes", REASON_WORKER_DIED, "does not respond", 1000},
    {"dies-with-heir", REASON_WORKER_DIED, "exit code 7", 1000},
    {"lies-multicast", REASON_HOST_CONFIG, "internal address", 0},
    {"lies-host-bits", REASON_HOST_CONFIG, "host bits", 0},
    {"lies-300-routes", REASON_HOST_CONFIG, "too many routes", 0},
    {"lies-type", REASON_HOST_CONFIG, "wrong type", 0},
    {"lies-body", REASON_INTERNAL, "does not follow the protocol", 0},
    {"asks-too-much", REASON_INTERNAL, "does not follow the protocol", 0},
    {"asks-oddly", REASON_INTERNAL, "does not follow the protocol", 0},
    {"asks-trust-oddly", REASON_INTERNAL, "does not follow the protocol", 0},
    {"asks-trust-beside", REASON_INTERNAL, "does not follow the protocol", 0},
    {"asks-choice-oddly", REASON_INTERNAL, "does not follow the protocol", 0},
    {"asks-choice-of-none", REASON_INTERNAL, "does not follow the protocol", 0},
    {"asks-choice-of-many", REASON_INTERNAL, "does not follow the protocol", 0},
    {"hangs-connect", REASON_WORKER_DIED, "does not respond", 10000},
};

START_TEST(failure)
{
    struct watch watch = {.stop_when_connected = TRUE};
    g_autofree char *before = sandbox_snapshot();
    watch_hurried_ms = failures[_i].after_ms;
    watch_begin(&watch, failures[_i].mode, &watch_ops);
    watch_run(&watch);
    ck_assert(!watch.connected);
    ck_assert_int_eq(watch_n_hurried > 0, failures[_i].after_ms > 0);
    ck_assert_str_eq(reason_name(watch.reason), reason_name(failures[_i].reason));
    ck_assert_msg(strstr(watch.detail, failures[_i].detail) != NULL, "%s", watch.detail);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

/* What was set of it before that is undone, and the gateway told. */
START_TEST(host_refuses)
{
    struct watch watch = {0};
    sandbox_do("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "only-ipv6", &watch_ops);
    watch_run(&watch);
    ck_assert(!watch.connected);
    ck_assert_int_eq(watch.reason, REASON_HOST_CONFIG);
    ck_assert_ptr_nonnull(strstr(watch.detail, "IPv6 switched off"));
    watch_finish(&watch);
    watch_expect_clean(before);
    sandbox_do("echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
}
END_TEST

START_TEST(disconnect_before_anything)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "happy", &watch_ops);
    session_disconnect(watch.session);
    ck_assert(!watch.ended);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

START_TEST(free_while_up)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "happy", &watch_ops);
    watch_run(&watch);
    watch_finish(&watch);
    ck_assert(!watch.ended);
    watch_expect_clean(before);
}
END_TEST

static const struct {
    const char *password;
    enum reason reason;
    const char *detail;
} answers[] = {{"opensesame", REASON_USER, ""},
               {"wrong", REASON_AUTH_FAILED, "E=691"},
               {NULL, REASON_SECRET_MISSING, "cancelled"}};

START_TEST(secrets)
{
    struct watch watch = {.stop_when_connected = TRUE, .password = answers[_i].password};
    watch_begin(&watch, "asks", &watch_ops);
    watch_run(&watch);
    ck_assert_str_eq(watch.label, "Password");
    ck_assert_str_eq(watch.prompt, "?[31mCode");
    ck_assert_int_eq(watch.reason, answers[_i].reason);
    ck_assert_str_eq(watch.detail, answers[_i].detail);
    watch_finish(&watch);
}
END_TEST

static void on_trust(void *context, const struct session_field *fields, gsize n_fields)
{
    struct watch *watch = context;
    struct gateway_facts facts;
    ck_assert_uint_eq(n_fields, 1);
    ck_assert_str_eq(fields[0].id, "gateway-fingerprint");
    ck_assert_str_eq(fields[0].kind, VPN1_FIELD_TRUST);
    ck_assert(gateway_facts_from_variant(fields[0].details, &facts));
    ck_assert_str_eq(facts.subject, "CN=?[2Jgw");
    ck_assert_uint_eq(facts.problems, GATEWAY_SELF_SIGNED);
    g_autoptr(GHashTable) values =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_bytes_unref);
    if (watch->password) {
        g_hash_table_insert(values, (char *)"gateway-fingerprint",
                            g_bytes_new(watch->password, strlen(watch->password)));
    }
    session_provide_secrets(watch->session, watch->password ? values : NULL);
}

#define ZEROS "00000000000000000000"
#define ITS_FINGERPRINT "abcd" ZEROS ZEROS ZEROS
#define ANOTHER_FINGERPRINT "abce" ZEROS ZEROS ZEROS

/* The worker that takes the place of one that died has what that one offered, and nothing else. */
static const struct {
    const char *mode, *password;
    enum reason reason;
    const char *detail;
} trusts[] = {
    {"asks-trust", "abcd", REASON_GATEWAY_UNTRUSTED, "abcd"},
    {"asks-trust", NULL, REASON_SECRET_MISSING, "cancelled"},
    {"asks-trust-dies", ITS_FINGERPRINT, REASON_GATEWAY_UNTRUSTED, ITS_FINGERPRINT},
    {"asks-trust-dies", ANOTHER_FINGERPRINT, REASON_GATEWAY_UNTRUSTED, "none"},
};

START_TEST(trust)
{
    static const struct session_ops trust_ops = {.secrets_required = on_trust,
                                                 .ended = watch_on_ended};
    struct watch watch = {.password = trusts[_i].password};
    watch_begin(&watch, trusts[_i].mode, &trust_ops);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, trusts[_i].reason);
    ck_assert_str_eq(watch.detail, trusts[_i].detail);
    watch_finish(&watch);
}
END_TEST

START_TEST(secrets_nobody_to_ask)
{
    struct watch watch = {0};
    watch_begin(&watch, "asks", &ops_few);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_SECRET_MISSING);
    watch_finish(&watch);
}
END_TEST

START_TEST(disconnect_while_asked)
{
    struct watch watch = {.stop_when_asked = TRUE};
    watch_begin(&watch, "asks", &watch_ops);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    watch_finish(&watch);
}
END_TEST

#define UPLINKS "192.0.2.2 up0, 2001:db8:1::2 up0"

/* The worker hears of the network before its profile, and of each change. */
START_TEST(network_is_told)
{
    struct watch watch = {0};
    watch_begin(&watch, "tells", &watch_ops);
    watch_run(&watch);
    ck_assert(watch.connected);
    ck_assert_str_eq(watch.phase_text, "1 0: " UPLINKS);
    sandbox_do("ip addr add 10.1.0.2/24 dev up0");
    watch_until_told(&watch, "2 0: 192.0.2.2 up0, 10.1.0.2 up0, 2001:db8:1::2 up0");
    sandbox_do("ip addr del 10.1.0.2/24 dev up0");
    watch_until_told(&watch, "3 0: " UPLINKS);
    session_disconnect(watch.session);
    watch_run(&watch);
    watch_finish(&watch);
}
END_TEST

START_TEST(sleep_is_told)
{
    struct fake_bus *bus = fake_bus_new();
    struct watch watch = {0};
    fake_logind_start(bus);
    fake_nm_connectivity(bus, CONNECTIVITY_PORTAL);
    watch_begin(&watch, "tells", &watch_ops);
    watch_until_told(&watch, "1 2: " UPLINKS);
    fake_nm_connectivity(bus, CONNECTIVITY_FULL);
    watch_until_told(&watch, "1 4: " UPLINKS);
    while (fake_logind_inhibitors(bus) == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    fake_logind_prepare_for_sleep(bus, TRUE);
    watch_until_told(&watch, "sleep");
    fake_logind_prepare_for_sleep(bus, FALSE);
    watch_until_told(&watch, "wake");
    session_disconnect(watch.session);
    watch_run(&watch);
    watch_finish(&watch);
    fake_bus_free(bus);
}
END_TEST

START_TEST(same_name_twice)
{
    struct watch first = {0}, second = {0};
    watch_begin(&first, "happy", &watch_ops);
    watch_run(&first);
    watch_begin(&second, "happy", &watch_ops);
    watch_run(&second);
    ck_assert_int_eq(second.reason, REASON_HOST_CONFIG);
    ck_assert_ptr_nonnull(strstr(second.detail, "already running"));
    watch_finish(&second);
    session_disconnect(first.session);
    watch_run(&first);
    watch_finish(&first);
}
END_TEST

/* The session's process is killed while the tunnel is up; the next start cleans. */
START_TEST(killed_session)
{
    g_autofree char *before = sandbox_snapshot();
    int ready[2];
    char octet;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct watch watch = {0};
        watch_begin(&watch, "happy", &watch_ops);
        watch_run(&watch);
        if (write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        pause();
    }
    ck_assert_int_eq(read(ready[0], &octet, 1), 1);
    close(ready[0]);
    close(ready[1]);
    ck_assert_uint_eq(session_clean_leftovers(), 0);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    g_autofree char *between = sandbox_snapshot();
    ck_assert(strcmp(between, before) != 0);
    ck_assert_uint_eq(session_clean_leftovers(), 1);
    ck_assert_uint_eq(session_clean_leftovers(), 0);
    watch_expect_clean(before);
}
END_TEST

/* A session that is made and ended, until it is killed. */
static void connect_in_a_loop(void)
{
    for (;;) {
        struct watch watch = {.stop_when_connected = TRUE};
        watch_begin(&watch, "happy", &watch_ops);
        watch_run(&watch);
        watch_finish(&watch);
    }
}

static gboolean is_same(const char *before)
{
    g_autofree char *now = sandbox_snapshot();
    return g_str_equal(now, before);
}

/* The worker, and with it a TUN that no record knows of yet, goes a moment after its session. */
static void wait_same(const char *before)
{
    wait_until(is_same(before));
}

/* Whatever it was at: what it leaves is found and undone, and its worker goes with it. */
START_TEST(killed_at_any_moment)
{
    g_autofree char *before = sandbox_snapshot();
    for (guint i = 1; i <= 50; i++) {
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            connect_in_a_loop();
        }
        wait_let_pass((guint)g_random_int_range(0, 30000));
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        (void)session_clean_leftovers();
        if (i % 10 == 0) {
            wait_same(before);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = watch_tests();
    tcase_add_test(tcase, happy);
    tcase_add_test(tcase, reconnects);
    tcase_add_loop_test(tcase, split, 0, G_N_ELEMENTS(splits));
    tcase_add_test(tcase, stop_at_once);
    tcase_add_loop_test(tcase, failure, 0, G_N_ELEMENTS(failures));
    tcase_add_test(tcase, host_refuses);
    tcase_add_test(tcase, disconnect_before_anything);
    tcase_add_test(tcase, free_while_up);
    tcase_add_loop_test(tcase, secrets, 0, G_N_ELEMENTS(answers));
    tcase_add_loop_test(tcase, trust, 0, G_N_ELEMENTS(trusts));
    tcase_add_test(tcase, secrets_nobody_to_ask);
    tcase_add_test(tcase, disconnect_while_asked);
    tcase_add_test(tcase, network_is_told);
    tcase_add_test(tcase, sleep_is_told);
    tcase_add_test(tcase, same_name_twice);
    tcase_add_test(tcase, killed_session);
    tcase_add_test(tcase, killed_at_any_moment);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
