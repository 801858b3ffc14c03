/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tunnel/resolve.h"
#include "tunnel/scout.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

/* What the worker has asked for it by another process. */

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_S 20

static struct {
    int scout;
    GMainLoop *loop;
    struct addr found[SCOUT_FOUND_MAX];
    gsize n;
    char *error;
} test;

static void setup(void)
{
    memset(&test, 0, sizeof test);
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    test.scout = scout_start();
    ck_assert_int_ge(test.scout, 0);
    test.loop = g_main_loop_new(NULL, FALSE);
}

/* It ends with the one that asks. */
static void teardown(void)
{
    int status = -1;
    close(test.scout);
    ck_assert_int_gt(wait(&status), 0);
    ck_assert_int_eq(status, 0);
    g_main_loop_unref(test.loop);
    g_free(test.error);
}

static gboolean on_patience(gpointer data)
{
    (void)data;
    ck_abort_msg("no answer within %d s", PATIENCE_S);
    return G_SOURCE_REMOVE;
}

static void on_found(void *context, const struct addr *found, gsize n, const char *error)
{
    (void)context;
    memcpy(test.found, found, n * sizeof found[0]);
    test.n = n;
    test.error = g_strdup(n == 0 ? error : "");
    g_main_loop_quit(test.loop);
}

static void look_up(int scout, const char *name)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);
    struct resolve *resolve = resolve_start(scout, name, on_found, NULL);
    g_main_loop_run(test.loop);
    resolve_free(resolve);
    g_source_remove(patience);
}

START_TEST(name_is_found)
{
    char text[ADDR_TEXT_MAX];
    look_up(test.scout, "vpn.example.org");
    ck_assert_uint_eq(test.n, 1);
    ck_assert_str_eq(addr_text(&test.found[0], text), "192.0.2.77");
}
END_TEST

static const struct {
    const char *name, *error;
} unknown[] = {
    {"nowhere.invalid", "nowhere.invalid: "},
    {"", ": "},
};

START_TEST(name_is_not_found)
{
    look_up(test.scout, unknown[_i].name);
    ck_assert_uint_eq(test.n, 0);
    ck_assert_msg(g_str_has_prefix(test.error, unknown[_i].error) &&
                      !strstr(test.error, "cannot be asked"),
                  "%s", test.error);
}
END_TEST

START_TEST(name_is_too_long)
{
    g_autofree char *name = g_strnfill(300, 'x');
    look_up(test.scout, name);
    ck_assert_ptr_nonnull(strstr(test.error, "The name service cannot be asked."));
}
END_TEST

START_TEST(nobody_to_ask)
{
    look_up(-1, "vpn.example.org");
    ck_assert_str_eq(test.error, "vpn.example.org: The name service cannot be asked.");
}
END_TEST

/* Of two questions the second does not wait for the first, which nobody wants answered any more. */
START_TEST(question_is_dropped)
{
    struct resolve *dropped = resolve_start(test.scout, "nowhere.invalid", on_found, NULL);
    resolve_free(dropped);
    look_up(test.scout, "vpn.example.org");
    ck_assert_uint_eq(test.n, 1);
}
END_TEST

static gboolean status_has(const char *line)
{
    g_autofree char *status = sandbox_run(
        "set -- $(cat /proc/%d/task/%d/children) && cat /proc/$1/status", getpid(), getpid());
    return strstr(status, line) != NULL;
}

START_TEST(is_confined)
{
    wait_until(status_has("Seccomp:\t2"));
    ck_assert(status_has("Name:\tgodwit-scout"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scout");
    TCase *all = tcase_create("all");

    sandbox_enter();
    sandbox_do("ip link set lo up; echo 192.0.2.77 vpn.example.org >>/etc/hosts; "
               "echo hosts: files >/etc/nsswitch.conf");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, name_is_found);
    tcase_add_loop_test(all, name_is_not_found, 0, G_N_ELEMENTS(unknown));
    tcase_add_test(all, name_is_too_long);
    tcase_add_test(all, nobody_to_ask);
    tcase_add_test(all, question_is_dropped);
    tcase_add_test(all, is_confined);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
