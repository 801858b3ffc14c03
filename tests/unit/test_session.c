/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/gateway_facts_variant.h"
#include "common/i18n.h"
#include "common/network.h"
#include "session/session.h"
#include "unit/fake_bus.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_S 20
/* A worker that crashes so often is not replaced. */
#define CRASHES 5

struct watch {
    struct session *session;
    GMainLoop *loop;
    GString *log; /* what was called, in order */
    enum reason reason;
    char *failed; /* reason and detail of the last attempt that did */
    char *detail, *phase_text, *label, *prompt, *gateway_id, *dns;
    guint connects;
    char *state, *why; /* in the record, when a password was asked for */
    gboolean connected, ended, full_tunnel, stop_when_connected, stop_when_asked;
    const char *password; /* NULL cancels */
    const char *stop_at;  /* text of a phase */
    GTimer *since_stop;
};

static void on_phase(void *context, const char *phase, const char *text, guint64 at_us)
{
    struct watch *watch = context;
    (void)at_us;
    g_string_append_printf(watch->log, "%s ", phase);
    g_free(watch->phase_text);
    watch->phase_text = g_strdup(text);
    if (watch->stop_at && strstr(text, watch->stop_at)) {
        g_main_loop_quit(watch->loop);
    }
    if (g_str_equal(phase, "established")) {
        session_disconnect(watch->session);
    }
}

static void on_failed(void *context, enum reason reason, const char *detail)
{
    struct watch *watch = context;
    g_free(watch->failed);
    watch->failed = g_strdup_printf("%s: %s", reason_name(reason), detail);
}

static void on_trace(void *context, const char *line, gboolean outbound, gboolean retransmission,
                     guint64 at_us)
{
    struct watch *watch = context;
    (void)line;
    (void)at_us;
    g_string_append(watch->log, outbound && !retransmission ? "trace " : "odd-trace ");
}

static void on_connected(void *context, const struct session_info *info)
{
    struct watch *watch = context;
    ck_assert_int_eq(info->again, watch->connects > 0);
    watch->connects++;
    g_free(watch->gateway_id);
    g_free(watch->dns);
    watch->connected = TRUE;
    watch->full_tunnel = info->full_tunnel;
    watch->gateway_id = g_strdup(g_hash_table_lookup(info->summary, "gateway-id"));
    watch->dns = g_strdup(info->dns_method);
    ck_assert(!g_hash_table_contains(info->summary, "surprise"));
    g_string_append(watch->log, "connected ");
    if (watch->stop_when_connected) {
        g_timer_start(watch->since_stop);
        session_disconnect(watch->session);
    } else {
        g_main_loop_quit(watch->loop);
    }
}

static void on_ended(void *context, enum reason reason, const char *detail)
{
    struct watch *watch = context;
    ck_assert(!watch->ended);
    watch->ended = TRUE;
    watch->reason = reason;
    watch->detail = g_strdup(detail);
    g_string_append(watch->log, "ended");
    g_main_loop_quit(watch->loop);
}

static void on_secrets(void *context, const struct session_field *fields, gsize n_fields)
{
    struct watch *watch = context;
    g_autoptr(GHashTable) values =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_bytes_unref);
    ck_assert_uint_eq(n_fields, 1);
    ck_assert_str_eq(fields[0].id, "password");
    ck_assert_str_eq(fields[0].kind, VPN1_FIELD_SECRET);
    if (watch->connected) {
        g_autoptr(GPtrArray) records = session_records();
        const struct session_record *record = records->pdata[0];
        watch->state = g_strdup(record->state);
        watch->why = g_strdup(record->why);
    }
    watch->label = g_strdup(fields[0].label);
    watch->prompt = g_strdup(fields[0].prompt);
    g_string_append(watch->log, "asked ");
    if (watch->stop_when_asked) {
        session_disconnect(watch->session);
        return;
    }
    if (!watch->password) {
        session_provide_secrets(watch->session, NULL);
        return;
    }
    GBytes *value = g_bytes_new(watch->password, strlen(watch->password));
    g_hash_table_insert(values, (char *)"password", g_bytes_ref(value));
    session_provide_secrets(watch->session, values);
    const char *octets = g_bytes_get_data(value, NULL);
    for (gsize i = 0; i < g_bytes_get_size(value); i++) {
        ck_assert_int_eq(octets[i], 0);
    }
    g_bytes_unref(value);
}

static const struct session_ops ops = {.phase = on_phase,
                                       .failed = on_failed,
                                       .trace = on_trace,
                                       .secrets_required = on_secrets,
                                       .connected = on_connected,
                                       .ended = on_ended};
static const struct session_ops ops_few = {.ended = on_ended};

static gboolean on_patience(gpointer data)
{
    (void)data;
    ck_abort_msg("nothing happened for %d s", PATIENCE_S);
    return G_SOURCE_REMOVE;
}

static void run(struct watch *watch)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);
    g_main_loop_run(watch->loop);
    g_source_remove(patience);
}

static void begin_with(struct watch *watch, struct profile *profile,
                       const struct session_ops *with)
{
    watch->loop = g_main_loop_new(NULL, FALSE);
    watch->log = g_string_new(NULL);
    watch->since_stop = g_timer_new();
    watch->session = session_new("test", profile, TRUE, with, watch);
    profile_free(profile);
    session_start(watch->session);
    ck_assert(!watch->ended);
}

static void begin_profile(struct watch *watch, const char *mode, const char *tunnel,
                          const struct session_ops *with)
{
    g_autoptr(GError) error = NULL;
    struct profile *profile = profile_new();
    ck_assert(profile_set(profile, "gateway", mode, "test", &error));
    ck_assert(profile_set(profile, "tunnel", tunnel, "test", &error));
    begin_with(watch, profile, with);
}

static void begin(struct watch *watch, const char *mode, const struct session_ops *with)
{
    begin_profile(watch, mode, "full", with);
}

static void finish(struct watch *watch)
{
    session_free(watch->session);
    g_main_loop_unref(watch->loop);
    g_string_free(watch->log, TRUE);
    g_timer_destroy(watch->since_stop);
    g_free(watch->detail);
    g_free(watch->phase_text);
    g_free(watch->label);
    g_free(watch->prompt);
    g_free(watch->gateway_id);
    g_free(watch->dns);
    g_free(watch->state);
    g_free(watch->why);
    g_free(watch->failed);
}

/* No process of ours, and the host as before. */
static void expect_clean(const char *before)
{
    sandbox_expect_same(before);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

START_TEST(happy)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, "happy", &ops);
    run(&watch);
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
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    ck_assert_str_eq(watch.detail, "");
    finish(&watch);
    expect_clean(before);
    g_autoptr(GPtrArray) none = session_records();
    ck_assert_uint_eq(none->len, 0);
}
END_TEST

/* Another IKE SA, with another address: the host follows, and all is undone at the end. */
START_TEST(reconnects)
{
    struct watch watch = {.password = "opensesame"};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, "reconnects", &ops);
    while (watch.connects < 2) {
        run(&watch);
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
    run(&watch);
    finish(&watch);
    expect_clean(before);
}
END_TEST

/* The gateway allows everything; a split tunnel takes only what it names. */
static const struct {
    const char *mode, *tunnel, *inside, *outside;
} splits[] = {{"names-subnets", "split", "dev godwit0", "dev up0"},
              {"names-subnets", "full", "dev godwit0", "dev godwit0"},
              {"happy", "split", "dev up0", "dev up0"}};

static void expect_way(const char *to, const char *device)
{
    g_autofree char *way = sandbox_run("ip route get %s", to);
    ck_assert_msg(strstr(way, device) != NULL, "%s", way);
}

START_TEST(split)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    begin_profile(&watch, splits[_i].mode, splits[_i].tunnel, &ops);
    run(&watch);
    ck_assert(watch.connected);
    ck_assert_int_eq(watch.full_tunnel, g_str_equal(splits[_i].tunnel, "full"));
    expect_way("10.9.77.1", splits[_i].inside);
    expect_way("203.0.113.5", splits[_i].outside);
    session_disconnect(watch.session);
    run(&watch);
    finish(&watch);
    expect_clean(before);
}
END_TEST

START_TEST(stop_at_once)
{
    struct watch watch = {.stop_when_connected = TRUE};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, "happy", &ops);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    finish(&watch);
    expect_clean(before);
}
END_TEST

static const struct {
    const char *mode;
    enum reason reason;
    const char *detail;
} failures[] = {
    {"dies-on-connect", REASON_WORKER_DIED, "exit code 7"},
    {"dies-early", REASON_WORKER_DIED, "exit code 7"},
    {"forbidden", REASON_WORKER_DIED, "it must not make the system call execve."},
    {"dies-traced", REASON_WORKER_DIED, "exit code 7"},
    {"refuses", REASON_PROFILE, "bad profile"},
    {"fails", REASON_AUTH_FAILED, "E=691"},
    {"closes", REASON_WORKER_DIED, "does not respond"},
    {"lies-multicast", REASON_HOST_CONFIG, "internal address"},
    {"lies-host-bits", REASON_HOST_CONFIG, "host bits"},
    {"lies-300-routes", REASON_HOST_CONFIG, "too many routes"},
    {"lies-type", REASON_HOST_CONFIG, "wrong type"},
    {"lies-body", REASON_INTERNAL, "does not follow the protocol"},
    {"asks-too-much", REASON_INTERNAL, "does not follow the protocol"},
    {"asks-oddly", REASON_INTERNAL, "does not follow the protocol"},
    {"asks-trust-oddly", REASON_INTERNAL, "does not follow the protocol"},
    {"asks-trust-beside", REASON_INTERNAL, "does not follow the protocol"},
    {"hangs-connect", REASON_WORKER_DIED, "does not respond"},
};

START_TEST(failure)
{
    struct watch watch = {.stop_when_connected = TRUE};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, failures[_i].mode, &ops);
    run(&watch);
    ck_assert(!watch.connected);
    ck_assert_str_eq(reason_name(watch.reason), reason_name(failures[_i].reason));
    ck_assert_msg(strstr(watch.detail, failures[_i].detail) != NULL, "%s", watch.detail);
    finish(&watch);
    expect_clean(before);
}
END_TEST

static const struct {
    const char *environment;
    enum reason reason;
    const char *detail;
} early_failures[] = {{"dies-at-start", REASON_WORKER_DIED, "exit code 3"},
                      {"babbles", REASON_INTERNAL, "does not follow the protocol"},
                      {"hangs-at-start", REASON_WORKER_DIED, "does not respond"}};

START_TEST(early_failure)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    g_setenv("LC_FAKE", early_failures[_i].environment, TRUE);
    begin(&watch, "happy", &ops);
    run(&watch);
    ck_assert_str_eq(reason_name(watch.reason), reason_name(early_failures[_i].reason));
    ck_assert_msg(strstr(watch.detail, early_failures[_i].detail) != NULL, "%s", watch.detail);
    finish(&watch);
    expect_clean(before);
}
END_TEST

static void expect_record(const char *state, const char *why)
{
    g_autoptr(GPtrArray) records = session_records();
    const struct session_record *record = records->pdata[0];
    ck_assert_str_eq(record->state, state);
    ck_assert_str_eq(record->why, why);
}

static const struct {
    const char *mode, *why, *failed;
} crashes[] = {
    {"dies-once", "godwit-tunnel was ended by signal 9 (Killed). It is started again.",
     "worker-died: godwit-tunnel was ended by signal 9 (Killed)."},
    {"breaks-once", "godwit-tunnel does not follow the protocol. It is started again.",
     "worker-died: godwit-tunnel does not follow the protocol."},
};

/* Another worker goes on with what the first one left for it, and the host stays as it is. */
START_TEST(crashes_once)
{
    struct watch watch = {.stop_at = crashes[_i].why};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, crashes[_i].mode, &ops);
    while (!watch.phase_text || !strstr(watch.phase_text, crashes[_i].why)) {
        run(&watch);
    }
    ck_assert_uint_eq(watch.connects, 1);
    expect_way("203.0.113.5", "dev godwit0");
    expect_record("reconnecting", crashes[_i].why);
    ck_assert_str_eq(watch.failed, crashes[_i].failed);
    while (watch.connects < 2) {
        run(&watch);
    }
    expect_record("connected", "");
    ck_assert_str_eq(watch.phase_text, "opaque");
    ck_assert_str_eq(watch.log->str, "init trace connected reconnecting init trace connected ");
    session_disconnect(watch.session);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    finish(&watch);
    expect_clean(before);
}
END_TEST

static const struct {
    const char *mode, *why;
} loops[] = {{"dies-up", "That happened 5 times in a short time. godwit-tunnel was ended by "
                         "signal 9 (Killed)."},
             {"keeps-too-much", "That happened 5 times in a short time. godwit-tunnel does not "
                                "follow the protocol."}};

START_TEST(crashes_again_and_again)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, loops[_i].mode, &ops);
    while (!watch.ended) {
        run(&watch);
    }
    ck_assert_uint_eq(watch.connects, CRASHES);
    ck_assert_int_eq(watch.reason, REASON_WORKER_DIED);
    ck_assert_str_eq(watch.detail, loops[_i].why);
    finish(&watch);
    expect_clean(before);
}
END_TEST

START_TEST(disconnect_after_crash)
{
    struct watch watch = {.stop_at = "It is started again."};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, "dies-up", &ops);
    /* The second time there is a moment before it is. */
    for (guint crashed = 0; crashed < 2;) {
        run(&watch);
        crashed += strstr(watch.log->str, "reconnecting") != NULL;
        g_string_truncate(watch.log, 0);
    }
    session_disconnect(watch.session);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    finish(&watch);
    expect_clean(before);
}
END_TEST

static const char *const bad_ends[] = {"ignores-disconnect", "dies-on-disconnect", "lingers"};

START_TEST(bad_end)
{
    struct watch watch = {.stop_when_connected = TRUE};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, bad_ends[_i], &ops);
    run(&watch);
    ck_assert(watch.connected);
    ck_assert_int_eq(watch.reason, REASON_USER);
    /* 1.5 s and what a busy machine adds. */
    ck_assert(g_timer_elapsed(watch.since_stop, NULL) < 8.0);
    finish(&watch);
    expect_clean(before);
}
END_TEST

/* Seconds from the second word to the end. */
static double killed_after(void)
{
    struct watch watch = {0};
    begin(&watch, "ignores-disconnect", &ops);
    run(&watch);
    g_timer_start(watch.since_stop);
    session_disconnect(watch.session);
    session_disconnect(watch.session);
    ck_assert(!watch.ended);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    double seconds = g_timer_elapsed(watch.since_stop, NULL);
    finish(&watch);
    return seconds;
}

/* Without it, it would take its 1.5 s each time; a machine may be too busy to show it at first. */
START_TEST(second_disconnect_kills)
{
    for (int i = 0; killed_after() > 1.0; i++) {
        ck_assert_int_lt(i, 20);
    }
}
END_TEST

/* What a worker says last is heard, although its end is seen at the same time. */
START_TEST(last_words)
{
    struct watch watch = {0};
    siginfo_t info;
    begin(&watch, "last-words", &ops);
    run(&watch);
    g_string_truncate(watch.log, 0);
    session_disconnect(watch.session);
    ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    ck_assert_str_eq(watch.log->str, "trace ended");
    finish(&watch);
}
END_TEST

START_TEST(disconnect_before_anything)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, "happy", &ops);
    session_disconnect(watch.session);
    ck_assert(!watch.ended);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    finish(&watch);
    expect_clean(before);
}
END_TEST

START_TEST(free_while_up)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, "happy", &ops);
    run(&watch);
    finish(&watch);
    ck_assert(!watch.ended);
    expect_clean(before);
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
    begin(&watch, "asks", &ops);
    run(&watch);
    ck_assert_str_eq(watch.label, "Password");
    ck_assert_str_eq(watch.prompt, "?[31mCode");
    ck_assert_int_eq(watch.reason, answers[_i].reason);
    ck_assert_str_eq(watch.detail, answers[_i].detail);
    finish(&watch);
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
    static const struct session_ops trust_ops = {.secrets_required = on_trust, .ended = on_ended};
    struct watch watch = {.password = trusts[_i].password};
    begin(&watch, trusts[_i].mode, &trust_ops);
    run(&watch);
    ck_assert_int_eq(watch.reason, trusts[_i].reason);
    ck_assert_str_eq(watch.detail, trusts[_i].detail);
    finish(&watch);
}
END_TEST

START_TEST(secrets_nobody_to_ask)
{
    struct watch watch = {0};
    begin(&watch, "asks", &ops_few);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_SECRET_MISSING);
    finish(&watch);
}
END_TEST

START_TEST(disconnect_while_asked)
{
    struct watch watch = {.stop_when_asked = TRUE};
    begin(&watch, "asks", &ops);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    finish(&watch);
}
END_TEST

START_TEST(worker_has_nothing)
{
    static const char *const expected[] = {
        "CapInh:=0000000000000000 ",
        "CapPrm:=0000000000000000 ",
        "CapEff:=0000000000000000 ",
        "CapBnd:=0000000000000000 ",
        "CapAmb:=0000000000000000 ",
        "NoNewPrivs:=1 ",
        "SigBlk:=0000000000000000 ",
        "root=0 core=0 death=9 group=1 session=0 path=0 "
        "terminal=0 files=64 secure=eb fds=0,1,2,3,4, given=tun=device,udp4=socket,udp6=socket,"
        "lookup4=socket,lookup6=socket,tcp4=socket,tcp6=socket,"};
    struct watch watch = {0};
    signal(SIGHUP, SIG_IGN);
    ck_assert_int_ge(dup2(2, 50), 0); /* not close-on-exec */
    /* From a terminal it could read what the user types, and write what moves the cursor. */
    int master = posix_openpt(O_RDWR | O_NOCTTY), before = dup(2);
    ck_assert(master >= 0 && before >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_eq(dup2(slave, 2), 2);
    begin(&watch, "describes", &ops);
    ck_assert_int_eq(dup2(before, 2), 2);
    close(before);
    close(slave);
    run(&watch);
    close(master);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        ck_assert_msg(strstr(watch.phase_text, expected[i]) != NULL, "%s", watch.phase_text);
    }
    /* No supplementary groups. */
    ck_assert_msg(strstr(watch.phase_text, "Groups:= ") || strstr(watch.phase_text, "Groups:== "),
                  "%s", watch.phase_text);
    finish(&watch);
}
END_TEST

static void until_told(struct watch *watch, const char *text)
{
    watch->stop_at = text;
    while (!watch->phase_text || !strstr(watch->phase_text, text)) {
        run(watch);
    }
    watch->stop_at = NULL;
}

#define UPLINKS "192.0.2.2 up0, 2001:db8:1::2 up0"

/* The worker hears of the network before its profile, and of each change. */
START_TEST(network_is_told)
{
    struct watch watch = {0};
    begin(&watch, "tells", &ops);
    run(&watch);
    ck_assert(watch.connected);
    ck_assert_str_eq(watch.phase_text, "1 0: " UPLINKS);
    g_free(sandbox_run("ip addr add 10.1.0.2/24 dev up0"));
    until_told(&watch, "2 0: 192.0.2.2 up0, 10.1.0.2 up0, 2001:db8:1::2 up0");
    g_free(sandbox_run("ip addr del 10.1.0.2/24 dev up0"));
    until_told(&watch, "3 0: " UPLINKS);
    session_disconnect(watch.session);
    run(&watch);
    finish(&watch);
}
END_TEST

START_TEST(sleep_is_told)
{
    struct fake_bus *bus = fake_bus_new();
    struct watch watch = {0};
    fake_logind_start(bus);
    fake_nm_connectivity(bus, CONNECTIVITY_PORTAL);
    begin(&watch, "tells", &ops);
    until_told(&watch, "1 2: " UPLINKS);
    fake_nm_connectivity(bus, CONNECTIVITY_FULL);
    until_told(&watch, "1 4: " UPLINKS);
    while (fake_logind_inhibitors(bus) == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    fake_logind_prepare_for_sleep(bus, TRUE);
    until_told(&watch, "sleep");
    fake_logind_prepare_for_sleep(bus, FALSE);
    until_told(&watch, "wake");
    session_disconnect(watch.session);
    run(&watch);
    finish(&watch);
    fake_bus_free(bus);
}
END_TEST

/* A checkout below a home that nobody else may enter. */
START_TEST(program_out_of_reach)
{
    struct watch watch = {.stop_when_connected = TRUE};
    g_free(sandbox_run("mkdir -m 700 -p /run/closed && cp %s /run/closed/",
                       g_getenv("GODWIT_TUNNEL")));
    g_setenv("GODWIT_TUNNEL", "/run/closed/fake_worker", TRUE);
    begin(&watch, "happy", &ops);
    run(&watch);
    ck_assert(watch.connected);
    finish(&watch);
    g_free(sandbox_run("rm -r /run/closed"));
}
END_TEST

START_TEST(same_name_twice)
{
    struct watch first = {0}, second = {0};
    begin(&first, "happy", &ops);
    run(&first);
    begin(&second, "happy", &ops);
    run(&second);
    ck_assert_int_eq(second.reason, REASON_HOST_CONFIG);
    ck_assert_ptr_nonnull(strstr(second.detail, "already running"));
    finish(&second);
    session_disconnect(first.session);
    run(&first);
    finish(&first);
}
END_TEST

static void expect_no_start(enum reason reason, const char *detail)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    begin(&watch, "happy", &ops);
    run(&watch);
    ck_assert_msg(strstr(watch.detail, detail) != NULL, "%s", watch.detail);
    ck_assert_str_eq(reason_name(watch.reason), reason_name(reason));
    finish(&watch);
    expect_clean(before);
}

START_TEST(no_program)
{
    g_setenv("GODWIT_TUNNEL", "/nonexistent/godwit-tunnel", TRUE);
    expect_no_start(REASON_HOST_CONFIG,
                    "/nonexistent/godwit-tunnel cannot be started: No such file");
    g_setenv("GODWIT_TUNNEL", "/etc/passwd", TRUE);
    expect_no_start(REASON_WORKER_DIED,
                    "godwit-tunnel cannot be started: execveat: Permission denied");
}
END_TEST

/* A profile whose key is on a token has a godwit-token started, and no other has. */
static void begin_with_token(struct watch *watch, const char *mode)
{
    struct profile *profile = profile_new();
    ck_assert(profile_set(profile, "gateway", mode, "test", NULL));
    ck_assert(profile_set(profile, "auth", "certificate", "test", NULL));
    ck_assert(profile_set(profile, "certificate", "pkcs11:token=A;id=1", "test", NULL));
    begin_with(watch, profile, &ops);
}

START_TEST(no_token_program)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    g_setenv("GODWIT_TOKEN", "/nonexistent/godwit-token", TRUE);
    begin_with_token(&watch, "happy");
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_HOST_CONFIG);
    ck_assert_ptr_nonnull(
        strstr(watch.detail, "/nonexistent/godwit-token cannot be started: No such file"));
    finish(&watch);
    expect_clean(before);
}
END_TEST

/* Its end is the worker's to tell; the session only sees to it that none stays. */
START_TEST(token_program)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    g_setenv("GODWIT_TOKEN", _i == 0 ? "/bin/false" : "/bin/cat", TRUE);
    begin_with_token(&watch, "happy");
    run(&watch);
    ck_assert(watch.connected);
    session_disconnect(watch.session);
    run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    finish(&watch);
    expect_clean(before);
}
END_TEST

START_TEST(no_user)
{
    g_free(sandbox_run("cp /etc/passwd /run/passwd && sed -i /^godwit:/d /etc/passwd"));
    expect_no_start(REASON_HOST_CONFIG, "There is no system user godwit");
    g_free(sandbox_run("echo godwit:x:0:0::/:/bin/sh >>/etc/passwd"));
    expect_no_start(REASON_HOST_CONFIG, "There is no system user godwit");
    g_free(sandbox_run("mv /run/passwd /etc/passwd"));
}
END_TEST

START_TEST(no_tun)
{
    g_free(sandbox_run("mkdir -p /run/dev && mount --bind /run/dev /dev/net"));
    expect_no_start(REASON_NO_TUN, "/dev/net/tun cannot be opened: No such file");
}
END_TEST

START_TEST(not_root)
{
    ck_assert_int_eq(seteuid(65534), 0);
    struct watch watch = {0};
    begin(&watch, "happy", &ops);
    run(&watch);
    ck_assert_str_eq(reason_name(watch.reason), "not-root");
    finish(&watch);
    /* For LeakSanitizer, which cannot look into a process that changed its user. */
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
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
        begin(&watch, "happy", &ops);
        run(&watch);
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
    expect_clean(before);
}
END_TEST

/* A session that is made and ended, until it is killed. */
static void connect_in_a_loop(void)
{
    for (;;) {
        struct watch watch = {.stop_when_connected = TRUE};
        begin(&watch, "happy", &ops);
        run(&watch);
        finish(&watch);
    }
}

/* The worker, and with it a TUN that no record knows of yet, goes a moment after its session. */
static void wait_same(const char *before)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    gboolean same = FALSE;
    while (!same && g_get_monotonic_time() < end) {
        g_autofree char *now = sandbox_snapshot();
        same = g_str_equal(now, before);
    }
    sandbox_expect_same(before);
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
        g_usleep((gulong)g_random_int_range(0, 30000));
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        (void)session_clean_leftovers();
        if (i % 10 == 0) {
            wait_same(before);
        }
    }
}
END_TEST

static void each_test(void)
{
    g_setenv("GODWIT_TUNNEL", TOP_BUILDDIR "/tests/unit/fake_worker", TRUE);
    g_unsetenv("LC_FAKE");
}

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("fake worker");
    sandbox_enter();
    sandbox_uplink();
    g_free(sandbox_run("printf 'nameserver 192.0.2.53\\n' >/etc/resolv.conf"));
    tcase_set_timeout(tcase, 2 * PATIENCE_S);
    tcase_add_checked_fixture(tcase, each_test, NULL);
    tcase_add_test(tcase, happy);
    tcase_add_test(tcase, reconnects);
    tcase_add_loop_test(tcase, split, 0, G_N_ELEMENTS(splits));
    tcase_add_test(tcase, stop_at_once);
    tcase_add_loop_test(tcase, failure, 0, G_N_ELEMENTS(failures));
    tcase_add_loop_test(tcase, early_failure, 0, G_N_ELEMENTS(early_failures));
    tcase_add_loop_test(tcase, crashes_once, 0, G_N_ELEMENTS(crashes));
    tcase_add_loop_test(tcase, crashes_again_and_again, 0, G_N_ELEMENTS(loops));
    tcase_add_test(tcase, disconnect_after_crash);
    tcase_add_loop_test(tcase, bad_end, 0, G_N_ELEMENTS(bad_ends));
    tcase_add_test(tcase, second_disconnect_kills);
    tcase_add_test(tcase, last_words);
    tcase_add_test(tcase, disconnect_before_anything);
    tcase_add_test(tcase, free_while_up);
    tcase_add_loop_test(tcase, secrets, 0, G_N_ELEMENTS(answers));
    tcase_add_loop_test(tcase, trust, 0, G_N_ELEMENTS(trusts));
    tcase_add_test(tcase, secrets_nobody_to_ask);
    tcase_add_test(tcase, disconnect_while_asked);
    tcase_add_test(tcase, network_is_told);
    tcase_add_test(tcase, sleep_is_told);
    tcase_add_test(tcase, worker_has_nothing);
    tcase_add_test(tcase, program_out_of_reach);
    tcase_add_test(tcase, same_name_twice);
    tcase_add_test(tcase, no_program);
    tcase_add_test(tcase, no_token_program);
    tcase_add_loop_test(tcase, token_program, 0, 2);
    tcase_add_test(tcase, not_root);
    tcase_add_test(tcase, killed_session);
    tcase_add_test(tcase, killed_at_any_moment);
    /* Last: they spoil what the others need. */
    tcase_add_test(tcase, no_user);
    tcase_add_test(tcase, no_tun);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
