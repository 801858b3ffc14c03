/* SPDX-License-Identifier: GPL-2.0-or-later */
/* godwitd as it is installed, with what stands in for the worker: what it does to the host. */
#include "config.h"

#include <check.h>
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "unit/daemon_bed.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

#define CYCLES_FIRST 10 /* until caches and pools are filled */
#ifdef SANITIZED
#define CYCLES 20 /* each takes many times as long, and memory is not compared */
#else
#define CYCLES 40
#endif
#define GROWTH_PERCENT 4 /* at most, by CYCLES */

static struct daemon_bed *bed;
static struct user_on_bus *root;
static char *before;

static void start(void)
{
    bed = daemon_bed_new();
    sandbox_uplink();
    g_setenv("GODWIT_TUNNEL", TOP_BUILDDIR "/tests/unit/fake_worker", TRUE);
    sandbox_do("printf 'nameserver 192.0.2.53\n' >/etc/resolv.conf; mkdir -p /run/godwit");
    before = sandbox_snapshot();
    daemon_bed_starts(bed, "godwitd", "--no-idle-exit");
    root = user_arrives(0);
}

/* The path of a session with a worker that behaves so. */
static char *connects(const char *name, const char *mode)
{
    g_autofree char *text =
        g_strdup_printf("(%%s, {'gateway': <'%s'>, 'user': <'alice'>}, @a{sv} {})", mode);
    g_autoptr(GVariant) reply =
        user_gets(root, "", MANAGER, "Connect", g_variant_new_parsed(text, name));
    const char *path;
    g_variant_get(reply, "(&o)", &path);
    return g_strdup(path + strlen("/org/godwit/VPN1"));
}

static char *is_up(const char *name)
{
    char *path = connects(name, "happy");
    user_sees(root, path, "State", "'connected'");
    return path;
}

static void ends(void)
{
    daemon_bed_ends_well(bed, SIGTERM);
    sandbox_expect_same(before);
}

static guint links(void)
{
    g_autofree char *counted = sandbox_run("ip -o link | grep -c godwit; true");
    return (guint)atoi(counted);
}

/* A worker of one that was killed goes moments after it, and its interface with it. */
static void is_as_before(void)
{
    wait_until(links() == 0);
    sandbox_expect_same(before);
}

START_TEST(end_of_the_service_restores_the_host)
{
    g_free(is_up("one"));
    g_free(is_up("one")); /* of the same name */
    ck_assert_uint_eq(links(), 2);
    ends();
}
END_TEST

START_TEST(next_service_restores_what_a_killed_one_left)
{
    g_free(is_up("one"));
    g_free(is_up("two"));
    (void)daemon_bed_ends(bed, SIGKILL);
    g_autofree char *between = sandbox_snapshot();
    ck_assert_str_ne(between, before);
    daemon_bed_starts(bed, "godwitd", "--no-idle-exit");
    is_as_before();
    g_free(is_up("one"));
    ends();
}
END_TEST

/* At whatever moment: of the start, of the end, of a connection that takes long. */
START_TEST(killed_at_any_moment)
{
    for (guint i = (guint)_i; i < 12; i += 3) {
        g_autofree char *path = connects("one", _i == 2 ? "slow" : "happy");
        if (_i == 1) {
            user_sees(root, path, "State", "'connected'");
            g_variant_unref(user_gets(root, path, SESSION, "Disconnect", NULL));
        }
        wait_let_pass(i * 1500);
        (void)daemon_bed_ends(bed, SIGKILL);
        daemon_bed_starts(bed, "godwitd", "--no-idle-exit");
        is_as_before();
    }
    ends();
}
END_TEST

/* ---- what another process keeps over the end of the service ---- */

static GVariant *connect_elsewhere(const char *more)
{
    g_autofree char *text = g_strdup_printf(
        "('one', {'gateway': <'dies-once'>, 'user': <'alice'>, 'kill-switch': <'connected'>},"
        " {'host-configuration': <false>, 'bound': <true>, 'listen': <true>%s})",
        more);
    return g_variant_new_parsed(text);
}

static gboolean has_interface(void)
{
    g_autofree char *links = sandbox_run("ip -o link | grep -c godwit0; true");
    return g_str_equal(links, "1\n");
}

static char *session_of(GVariant *reply)
{
    const char *path;
    g_variant_get(reply, "(&o)", &path);
    return g_strdup(path + strlen("/org/godwit/VPN1"));
}

/* A connection whose worker was ended once, so that something is kept; what is lent of it. */
static GUnixFDList *lends(void)
{
    g_autoptr(GError) error = NULL;
    GUnixFDList *fds = NULL;
    g_autoptr(GVariant) reply = user_gets(root, "", MANAGER, "Connect", connect_elsewhere(""));
    g_autofree char *path = session_of(reply);
    g_autofree char *whole = g_strconcat("/org/godwit/VPN1", path, NULL);
    user_sees(root, path, "PhaseText", "'opaque'");
    user_sees(root, path, "State", "'connected'");
    g_autoptr(GVariant) lent = g_dbus_connection_call_with_unix_fd_list_sync(
        root->bus, "org.godwit.VPN1", whole, SESSION, "Lend", NULL, G_VARIANT_TYPE("(hh)"),
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, &fds, NULL, &error);
    ck_assert_msg(lent != NULL, "%s", error ? error->message : "");
    return fds;
}

#define HELD "nft list table inet godwit | grep -c refused; true"

/* The service ends and another one begins. */
static void follows(int signal)
{
    (void)daemon_bed_ends(bed, signal);
    daemon_bed_starts(bed, "godwitd", "--no-idle-exit");
    ck_assert(has_interface());
}

static char *comes_back(struct user_on_bus *user, GUnixFDList *fds)
{
    g_autofree char *error = NULL;
    g_autoptr(GVariant) reply = user_calls_fds(
        user, "", MANAGER, "Connect",
        connect_elsewhere(", 'interface': <handle 0>, 'state': <handle 1>"), fds, &error);
    ck_assert_msg(reply != NULL, "%s", error);
    return session_of(reply);
}

/* Twice: what has come back, and was not lent anew yet, is still with whom it was lent to. */
START_TEST(what_is_lent_outlives_the_service)
{
    const int signal = _i == 0 ? SIGKILL : SIGTERM;
    g_autoptr(GUnixFDList) fds = lends();
    g_autofree char *held = sandbox_run(HELD);
    follows(signal);
    g_autofree char *still = sandbox_run(HELD);
    ck_assert_str_eq(still, held);
    ck_assert_str_ne(still, "0\n");
    /* It is nobody else's, whatever polkit allows. */
    struct user_on_bus *alice = user_arrives(ALICE);
    daemon_bed_polkit_starts(bed);
    daemon_bed_polkit_says(bed, "org.godwit.VPN1.configure-elsewhere", "yes");
    g_free(comes_back(alice, fds));
    user_hears(alice, "No connection left godwit0 behind");
    g_autofree char *first = comes_back(root, fds);
    user_sees(root, first, "State", "'connected'");
    follows(signal);
    g_autofree char *path = comes_back(root, fds);
    user_sees(root, path, "PhaseText", "'opaque'");
    user_sees(root, path, "State", "'connected'");
    g_variant_unref(user_gets(root, path, SESSION, "Disconnect", NULL));
    g_clear_object(&fds);
    is_as_before();
    ends();
}
END_TEST

START_TEST(what_is_lent_and_not_kept_is_undone)
{
    g_object_unref(lends());
    (void)daemon_bed_ends(bed, SIGKILL);
    daemon_bed_starts(bed, "godwitd", "--no-idle-exit");
    is_as_before();
    ends();
}
END_TEST

START_TEST(privileges_are_those_needed)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)bed->daemon);
    g_autofree char *status = NULL;
    ck_assert(g_file_get_contents(path, &status, NULL, NULL));
    /* CAP_KILL 5, CAP_SETGID 6, CAP_SETUID 7, CAP_SETPCAP 8, CAP_NET_ADMIN 12 */
    ck_assert_ptr_nonnull(strstr(status, "CapEff:\t00000000000011e0\n"));
    ck_assert_ptr_nonnull(strstr(status, "CapPrm:\t00000000000011e0\n"));
    ck_assert_ptr_nonnull(strstr(status, "CapBnd:\t00000000000011e0\n"));
    ck_assert_ptr_nonnull(strstr(status, "CapInh:\t0000000000000000\n"));
    ck_assert_ptr_nonnull(strstr(status, "NoNewPrivs:\t1\n"));
    ck_assert_ptr_nonnull(strstr(status, "Seccomp:\t2\n"));
    ends();
}
END_TEST

/* ---- a worker that is started while polkit is asked ---- */

static guint workers(void)
{
    g_autofree char *text = sandbox_run("pgrep -c -P %d fake_worker; true", (int)bed->daemon);
    return (guint)g_ascii_strtoull(text, NULL, 10);
}

static void asks(struct user_on_bus *user)
{
    guint before_it = bed->asked;
    g_dbus_connection_call(
        user->bus, "org.godwit.VPN1", "/org/godwit/VPN1", MANAGER, "Connect",
        g_variant_new_parsed("('one', {'gateway': <'happy'>, 'user': <'alice'>}, @a{sv} {})"), NULL,
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
    while (bed->asked == before_it) {
        daemon_bed_turn();
    }
}

START_TEST(polkit_has_not_answered)
{
    struct user_on_bus *alice = user_arrives(ALICE);
    daemon_bed_polkit_starts(bed);
    daemon_bed_polkit_says(bed, CONNECT, "never");
    asks(alice);
    wait_until(workers() == 1); /* it has our name once it is executed */
    asks(alice);
    ck_assert_uint_eq(workers(), 1); /* for all of them together */
    sandbox_expect_same(before);     /* nothing is done to the host */
    g_free(is_up("two"));
    ends();
}
END_TEST

START_TEST(polkit_says_no)
{
    struct user_on_bus *alice = user_arrives(ALICE);
    daemon_bed_polkit_starts(bed);
    daemon_bed_polkit_says(bed, CONNECT, "no");
    asks(alice);
    wait_until(workers() == 0);
    sandbox_expect_same(before);
    ends();
}
END_TEST

/* ---- a worker that is started because somebody will ask ---- */

static char *worker_of_daemon(void)
{
    return sandbox_run("pgrep -P %d fake_worker; true", (int)bed->daemon);
}

static void prepares(void)
{
    g_variant_unref(user_gets(root, "", MANAGER, "Prepare", NULL));
}

/* It is the one that the next connection has, of root alone. One that is gone is not missed. */
START_TEST(connection_is_prepared)
{
    struct user_on_bus *alice = user_arrives(ALICE);
    user_fails(alice, "", MANAGER, "Prepare", NULL, ERROR("NotAuthorized"));
    prepares();
    prepares();
    wait_until(workers() == 1);
    g_autofree char *prepared = worker_of_daemon();
    sandbox_expect_same(before);
    g_autofree char *path = is_up("one");
    g_autofree char *used = worker_of_daemon();
    ck_assert_str_eq(used, prepared);
    user_disconnects(root, path);
    wait_until(workers() == 0);
    prepares();
    wait_until(workers() == 1);
    g_autofree char *unlucky = worker_of_daemon();
    sandbox_do("kill -9 %d; until grep -q 'State:.Z' /proc/%d/status; do :; done", atoi(unlucky),
               atoi(unlucky));
    g_free(is_up("two"));
    prepares();
    wait_until(workers() == 2);
    ends();
}
END_TEST

static guint64 memory_kib(void)
{
    g_autofree char *text = sandbox_run("grep VmRSS /proc/%d/status | tr -cd 0-9", bed->daemon);
    return g_ascii_strtoull(text, NULL, 10);
}

static guint64 descriptors(void)
{
    g_autofree char *text = sandbox_run("ls /proc/%d/fd | wc -l", bed->daemon);
    return g_ascii_strtoull(text, NULL, 10);
}

static void is_gone(const char *path)
{
    g_autofree char *error = NULL;
    while (!error) {
        GVariant *reply =
            user_calls(root, path, PROPERTIES, "GetAll", g_variant_new("(s)", SESSION), &error);
        g_clear_pointer(&reply, g_variant_unref);
    }
    ck_assert_str_eq(error, UNKNOWN_OBJECT);
}

static void cycle(guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = is_up("one");
        g_variant_unref(user_gets(root, path, SESSION, "Disconnect", NULL));
        is_gone(path);
    }
}

START_TEST(cycles_leave_nothing)
{
    guint64 open = descriptors();
    cycle(CYCLES_FIRST);
    guint64 first = memory_kib();
    cycle(CYCLES);
    guint64 last = memory_kib();
    /* AddressSanitizer keeps what is freed for a while. */
#ifdef SANITIZED
    first = last;
#endif
    ck_assert_msg(last * 100 <= first * (100 + GROWTH_PERCENT), "%lu KiB, then %lu",
                  (unsigned long)first, (unsigned long)last);
    wait_until(descriptors() <= open);
    sandbox_expect_same(before);
    ends();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("daemon host");
    TCase *tcase = tcase_create("fake worker");
    sandbox_enter(); /* or skip: each test enters one of its own in it */
    tcase_add_checked_fixture(tcase, start, NULL);
    tcase_add_test(tcase, end_of_the_service_restores_the_host);
    tcase_add_test(tcase, next_service_restores_what_a_killed_one_left);
    tcase_add_loop_test(tcase, killed_at_any_moment, 0, 3);
    tcase_add_loop_test(tcase, what_is_lent_outlives_the_service, 0, 2);
    tcase_add_test(tcase, what_is_lent_and_not_kept_is_undone);
    tcase_add_test(tcase, privileges_are_those_needed);
    tcase_add_test(tcase, polkit_has_not_answered);
    tcase_add_test(tcase, polkit_says_no);
    tcase_add_test(tcase, connection_is_prepared);
    tcase_add_test(tcase, cycles_leave_nothing);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
