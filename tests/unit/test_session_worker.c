/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a session starts its worker, what that one may do, and what becomes of one that dies. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/spare.h"
#include "unit/sandbox.h"
#include "unit/session_watch.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

/* A worker that crashes so often is not replaced. */
#define CRASHES 5

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
    watch_hurried_ms = 10000;
    watch_begin(&watch, "happy", &watch_ops);
    watch_run(&watch);
    ck_assert_str_eq(reason_name(watch.reason), reason_name(early_failures[_i].reason));
    ck_assert_msg(strstr(watch.detail, early_failures[_i].detail) != NULL, "%s", watch.detail);
    watch_finish(&watch);
    watch_expect_clean(before);
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
    watch_begin(&watch, crashes[_i].mode, &watch_ops);
    while (!watch.phase_text || !strstr(watch.phase_text, crashes[_i].why)) {
        watch_run(&watch);
    }
    ck_assert_uint_eq(watch.connects, 1);
    watch_expect_way("203.0.113.5", "dev godwit0");
    expect_record("reconnecting", crashes[_i].why);
    ck_assert_str_eq(watch.failed, crashes[_i].failed);
    while (watch.connects < 2) {
        watch_run(&watch);
    }
    expect_record("connected", "");
    ck_assert_str_eq(watch.phase_text, "opaque");
    ck_assert_str_eq(watch.log->str, "init trace connected reconnecting init trace connected ");
    session_disconnect(watch.session);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    watch_finish(&watch);
    watch_expect_clean(before);
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
    watch_begin(&watch, loops[_i].mode, &watch_ops);
    while (!watch.ended) {
        watch_run(&watch);
    }
    ck_assert_uint_eq(watch.connects, CRASHES);
    ck_assert_int_eq(watch.reason, REASON_WORKER_DIED);
    ck_assert_str_eq(watch.detail, loops[_i].why);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

/* Its program is not there for a while, as when packages are renewed; the host stays as it is. */
START_TEST(program_is_away)
{
    struct watch watch = {.stop_at = "cannot be started"};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "dies-once", &watch_ops);
    g_setenv("GODWIT_TUNNEL", "/nonexistent/godwit-tunnel", TRUE);
    for (guint missed = 0; missed < 2; missed++) {
        g_clear_pointer(&watch.phase_text, g_free);
        watch_until_told(&watch, "/nonexistent/godwit-tunnel cannot be started: No such file");
    }
    watch_expect_way("203.0.113.5", "dev godwit0");
    g_setenv("GODWIT_TUNNEL", TOP_BUILDDIR "/tests/unit/fake_worker", TRUE);
    while (watch.connects < 2) {
        watch_run(&watch);
    }
    expect_record("connected", "");
    session_disconnect(watch.session);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

START_TEST(program_is_gone)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "dies-once", &watch_ops);
    g_setenv("GODWIT_TUNNEL", "/nonexistent/godwit-tunnel", TRUE);
    while (!watch.ended) {
        watch_run(&watch);
    }
    ck_assert_uint_eq(watch.connects, 1);
    ck_assert_int_eq(watch.reason, REASON_WORKER_DIED);
    ck_assert_str_eq(watch.detail, "That happened 5 times in a short time. "
                                   "/nonexistent/godwit-tunnel cannot be started: "
                                   "No such file or directory.");
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

START_TEST(disconnect_after_crash)
{
    struct watch watch = {.stop_at = "It is started again."};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "dies-up", &watch_ops);
    /* The second time there is a moment before it is. */
    for (guint crashed = 0; crashed < 2;) {
        watch_run(&watch);
        crashed += strstr(watch.log->str, "reconnecting") != NULL;
        g_string_truncate(watch.log, 0);
    }
    session_disconnect(watch.session);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

/* ---- somebody removes the interface ---- */

#define REMOVED "Another program has removed the tunnel's interface."

static void begin_with_kill_switch(struct watch *watch)
{
    struct profile *profile = profile_new();
    ck_assert(profile_set(profile, "gateway", "happy", "test", NULL));
    ck_assert(profile_set(profile, "kill-switch", "connected", "test", NULL));
    watch_profile(watch, profile, &watch_ops);
}

static void remove_interface(struct watch *watch)
{
    sandbox_do("ip link del godwit0");
    g_clear_pointer(&watch->phase_text, g_free);
    watch_until_told(watch, REMOVED);
    ck_assert_str_eq(watch->phase_text, REMOVED " The tunnel's traffic is held until the "
                                                "connection is made again.");
    expect_record("reconnecting", watch->phase_text);
    ck_assert_str_eq(watch->failed, "host-config: " REMOVED);
    sandbox_do("nft list table inet godwit >/dev/null");
}

/* As often as somebody likes: what the kill switch holds is not let go for it. */
START_TEST(interface_removed)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    begin_with_kill_switch(&watch);
    for (guint i = 0; i < CRASHES + 1; i++) {
        while (watch.connects <= i) {
            watch_run(&watch);
        }
        watch_expect_way("203.0.113.5", "dev godwit0");
        expect_record("connected", "");
        remove_interface(&watch);
    }
    ck_assert(!watch.ended);
    session_disconnect(watch.session);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

static void expect_removed(struct watch *watch, const char *before)
{
    watch_run(watch);
    ck_assert(watch->ended);
    ck_assert_int_eq(watch->reason, REASON_HOST_CONFIG);
    ck_assert_str_eq(watch->detail, REMOVED);
    watch_finish(watch);
    watch_expect_clean(before);
}

START_TEST(interface_removed_without_kill_switch)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "happy", &watch_ops);
    watch_run(&watch);
    sandbox_do("ip link del godwit0");
    expect_removed(&watch, before);
}
END_TEST

/* Nobody watches while a worker is replaced. */
START_TEST(interface_removed_unseen)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "dies-once", &watch_ops);
    watch_until_told(&watch, "It is started again.");
    sandbox_do("ip link del godwit0");
    expect_removed(&watch, before);
}
END_TEST

static const char *const bad_ends[] = {"ignores-disconnect", "dies-on-disconnect", "lingers"};

START_TEST(bad_end)
{
    struct watch watch = {.stop_when_connected = TRUE};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, bad_ends[_i], &watch_ops);
    watch_run(&watch);
    ck_assert(watch.connected);
    ck_assert_int_eq(watch.reason, REASON_USER);
    /* 1.5 s and what a busy machine adds. */
    ck_assert(g_timer_elapsed(watch.since_stop, NULL) < 8.0);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

/* Seconds from the second word to the end. */
static double killed_after(void)
{
    struct watch watch = {0};
    watch_begin(&watch, "ignores-disconnect", &watch_ops);
    watch_run(&watch);
    g_timer_start(watch.since_stop);
    session_disconnect(watch.session);
    session_disconnect(watch.session);
    ck_assert(!watch.ended);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    double seconds = g_timer_elapsed(watch.since_stop, NULL);
    watch_finish(&watch);
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
    watch_begin(&watch, "last-words", &watch_ops);
    watch_run(&watch);
    g_string_truncate(watch.log, 0);
    session_disconnect(watch.session);
    ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    ck_assert_str_eq(watch.log->str, "trace ended");
    watch_finish(&watch);
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
    watch_begin(&watch, "describes", &watch_ops);
    ck_assert_int_eq(dup2(before, 2), 2);
    close(before);
    close(slave);
    watch_run(&watch);
    close(master);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        ck_assert_msg(strstr(watch.phase_text, expected[i]) != NULL, "%s", watch.phase_text);
    }
    /* No supplementary groups. */
    ck_assert_msg(strstr(watch.phase_text, "Groups:= ") || strstr(watch.phase_text, "Groups:== "),
                  "%s", watch.phase_text);
    watch_finish(&watch);
}
END_TEST

/* A checkout below a home that nobody else may enter. */
START_TEST(program_out_of_reach)
{
    struct watch watch = {.stop_when_connected = TRUE};
    sandbox_do("mkdir -m 700 -p /run/closed && cp %s /run/closed/", g_getenv("GODWIT_TUNNEL"));
    g_setenv("GODWIT_TUNNEL", "/run/closed/fake_worker", TRUE);
    watch_begin(&watch, "happy", &watch_ops);
    watch_run(&watch);
    ck_assert(watch.connected);
    watch_finish(&watch);
    sandbox_do("rm -r /run/closed");
}
END_TEST

static void expect_no_start(enum reason reason, const char *detail)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    watch_begin(&watch, "happy", &watch_ops);
    watch_run(&watch);
    ck_assert_msg(strstr(watch.detail, detail) != NULL, "%s", watch.detail);
    ck_assert_str_eq(reason_name(watch.reason), reason_name(reason));
    watch_finish(&watch);
    watch_expect_clean(before);
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
    watch_profile(watch, profile, &watch_ops);
}

START_TEST(no_token_program)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    g_setenv("GODWIT_TOKEN", "/nonexistent/godwit-token", TRUE);
    begin_with_token(&watch, "happy");
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_HOST_CONFIG);
    ck_assert_ptr_nonnull(
        strstr(watch.detail, "/nonexistent/godwit-token cannot be started: No such file"));
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

/* Its end is the worker's to tell; the session only sees to it that none stays. */
START_TEST(token_program)
{
    struct watch watch = {0};
    g_autofree char *before = sandbox_snapshot();
    g_setenv("GODWIT_TOKEN", _i == 0 ? "/bin/false" : "/bin/cat", TRUE);
    begin_with_token(&watch, "happy");
    watch_run(&watch);
    ck_assert(watch.connected);
    session_disconnect(watch.session);
    watch_run(&watch);
    ck_assert_int_eq(watch.reason, REASON_USER);
    watch_finish(&watch);
    watch_expect_clean(before);
}
END_TEST

START_TEST(no_user)
{
    sandbox_do("cp /etc/passwd /run/passwd && sed -i /^godwit:/d /etc/passwd");
    expect_no_start(REASON_HOST_CONFIG, "There is no system user godwit");
    sandbox_do("echo godwit:x:0:0::/:/bin/sh >>/etc/passwd");
    expect_no_start(REASON_HOST_CONFIG, "There is no system user godwit");
    sandbox_do("mv /run/passwd /etc/passwd");
}
END_TEST

/* One that is started before anybody asks for it: for a while, and for the first who does. */
START_TEST(spare_worker)
{
    struct spare *spare = spare_new(WAIT_MOST_S * 1000);
    ck_assert_ptr_null(spare_take(spare));
    spare_prepare(spare);
    struct worker *worker = spare_take(spare);
    ck_assert(worker_waits(worker));
    ck_assert_ptr_null(spare_take(spare));
    worker_kill(worker);
    wait_until(!worker_waits(worker));
    worker_free(worker);
    spare_prepare(spare);
    spare_free(spare); /* and with it the worker: else a leak, and a child */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    spare = spare_new(1);
    spare_prepare(spare);
    while (g_main_context_iteration(NULL, TRUE), waitpid(-1, NULL, WNOHANG) == 0) {
    }
    ck_assert_ptr_null(spare_take(spare));
    spare_free(spare);
}
END_TEST

START_TEST(no_tun)
{
    sandbox_do("mkdir -p /run/dev && mount --bind /run/dev /dev/net");
    expect_no_start(REASON_NO_TUN, "/dev/net/tun cannot be opened: No such file");
}
END_TEST

START_TEST(not_root)
{
    ck_assert_int_eq(seteuid(65534), 0);
    struct watch watch = {0};
    watch_begin(&watch, "happy", &watch_ops);
    watch_run(&watch);
    ck_assert_str_eq(reason_name(watch.reason), "not-root");
    watch_finish(&watch);
    /* For LeakSanitizer, which cannot look into a process that changed its user. */
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session's worker");
    TCase *tcase = watch_tests();
    tcase_add_loop_test(tcase, early_failure, 0, G_N_ELEMENTS(early_failures));
    tcase_add_loop_test(tcase, crashes_once, 0, G_N_ELEMENTS(crashes));
    tcase_add_loop_test(tcase, crashes_again_and_again, 0, G_N_ELEMENTS(loops));
    tcase_add_test(tcase, program_is_away);
    tcase_add_test(tcase, program_is_gone);
    tcase_add_test(tcase, disconnect_after_crash);
    tcase_add_test(tcase, interface_removed);
    tcase_add_test(tcase, interface_removed_without_kill_switch);
    tcase_add_test(tcase, interface_removed_unseen);
    tcase_add_loop_test(tcase, bad_end, 0, G_N_ELEMENTS(bad_ends));
    tcase_add_test(tcase, second_disconnect_kills);
    tcase_add_test(tcase, last_words);
    tcase_add_test(tcase, worker_has_nothing);
    tcase_add_test(tcase, program_out_of_reach);
    tcase_add_test(tcase, no_program);
    tcase_add_test(tcase, no_token_program);
    tcase_add_loop_test(tcase, token_program, 0, 2);
    tcase_add_test(tcase, spare_worker);
    tcase_add_test(tcase, not_root);
    /* Last: they spoil what the others need. */
    tcase_add_test(tcase, no_user);
    tcase_add_test(tcase, no_tun);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
