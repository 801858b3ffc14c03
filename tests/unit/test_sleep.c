/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/sleep.h"

#include <check.h>
#include <sys/timerfd.h>
#include <time.h>

#include "host/connectivity.h"
#include "unit/fake_bus.h"
#include "unit/vectors.h"

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_S 20

static struct fake_bus *bus;
static struct sleep *watched;
static GString *told; /* in order: S, W and the number of inhibitors held when it was told */
static gboolean free_when_told;

/* ---- the clocks of this program (linked with --wrap) ---- */

static gint64 slept_us;       /* that CLOCK_BOOTTIME is ahead, beyond what it is */
static int alarm_flags;       /* of the timer */
static gboolean clock_is_set; /* all the while */
static guint looks;           /* at CLOCK_BOOTTIME */

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = __real_clock_gettime(clock, now);
    if (clock == CLOCK_BOOTTIME) {
        looks++;
        gint64 us = now->tv_nsec / 1000 + slept_us;
        now->tv_sec += us / G_USEC_PER_SEC;
        now->tv_nsec = us % G_USEC_PER_SEC * 1000;
    }
    return result;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old)
{
    static const struct itimerspec soon = {{0, 0}, {0, 5000000}};
    alarm_flags = flags;
    return clock_is_set ? __real_timerfd_settime(fd, 0, &soon, old)
                        : __real_timerfd_settime(fd, flags, value, old);
}

/* ---- */

static void tell(char what)
{
    g_string_append_printf(told, "%c%u ", what, fake_logind_inhibitors(bus));
    if (free_when_told) {
        g_clear_pointer(&watched, sleep_free);
    }
}

static void on_sleeping(void *context)
{
    ck_assert_ptr_eq(context, &watched);
    tell('S');
}

static void on_awake(void *context)
{
    ck_assert_ptr_eq(context, &watched);
    tell('W');
}

static const struct sleep_ops ops = {.sleeping = on_sleeping, .awake = on_awake};

static gboolean on_overdue(gpointer data)
{
    (void)data;
    ck_abort_msg("nothing happened for %d s; told: %s", PATIENCE_S, told->str);
    return G_SOURCE_REMOVE;
}

static gboolean on_look(gpointer data)
{
    (void)data;
    return G_SOURCE_CONTINUE;
}

static void until_woken(gboolean (*condition)(const void *wanted), const void *wanted)
{
    guint overdue = g_timeout_add_seconds(PATIENCE_S, on_overdue, NULL);
    while (!condition(wanted)) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(overdue);
}

/* Some of it happens in threads of GDBus, which do not wake our loop: hence the looking. */
static void until(gboolean (*condition)(const void *wanted), const void *wanted)
{
    guint look = g_timeout_add(5, on_look, NULL);
    until_woken(condition, wanted);
    g_source_remove(look);
}

static gboolean is_told(const void *wanted)
{
    return g_str_equal(told->str, wanted);
}

static gboolean is_held(const void *wanted)
{
    return fake_logind_inhibitors(bus) == *(const guint *)wanted;
}

static const guint none, one = 1, many = 30;

static void set_up(void)
{
    told = g_string_new(NULL);
    bus = fake_bus_new();
}

static void tear_down(void)
{
    sleep_free(watched);
    fake_bus_free(bus);
    g_string_free(told, TRUE);
}

START_TEST(logind)
{
    fake_logind_start(bus);
    watched = sleep_new(&ops, &watched);
    until(is_held, &one);
    fake_logind_prepare_for_sleep(bus, TRUE);
    until(is_told, "S1 "); /* logind waits until we have done what there is to do, */
    until(is_held, &none); /* and no longer */
    fake_logind_prepare_for_sleep(bus, FALSE);
    until(is_told, "S1 W0 ");
    until(is_held, &one);
    fake_logind_prepare_for_sleep(bus, TRUE);
    fake_logind_prepare_for_sleep(bus, FALSE);
    until(is_told, "S1 W0 S1 W0 ");
    until(is_held, &one);
}
END_TEST

/* The clocks are quicker than logind's word. */
START_TEST(logind_and_clocks_tell_once)
{
    fake_logind_start(bus);
    watched = sleep_new(&ops, &watched);
    until(is_held, &one);
    fake_logind_prepare_for_sleep(bus, TRUE);
    until(is_told, "S1 ");
    slept_us = G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC;
    g_main_context_wakeup(NULL);
    until(is_told, "S1 W0 ");
    fake_logind_prepare_for_sleep(bus, FALSE);
    until(is_held, &one);
    ck_assert_str_eq(told->str, "S1 W0 ");
}
END_TEST

START_TEST(logind_comes_late_and_goes)
{
    watched = sleep_new(&ops, &watched);
    fake_logind_start(bus);
    until(is_held, &one);
    fake_logind_prepare_for_sleep(bus, TRUE);
    until(is_told, "S1 ");
    fake_logind_stop(bus);
    until(is_told, "S1 W0 "); /* nobody else would */
    fake_logind_start(bus);
    until(is_held, &one);
}
END_TEST

static gboolean on_idle(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void turn(void)
{
    gboolean done = FALSE;
    g_idle_add(on_idle, &done);
    while (!done) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void clocks(void)
{
    watched = sleep_new(&ops, &watched);
    turn();
    ck_assert_str_eq(told->str, "");
    slept_us += 1900000; /* what is no sleep, */
    turn();
    ck_assert_str_eq(told->str, "");
    slept_us += 200000; /* even in instalments, is one */
    until(is_told, "W0 ");
    turn();
    slept_us += G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC;
    until(is_told, "W0 W0 ");
    turn();
    ck_assert_str_eq(told->str, "W0 W0 ");
}

START_TEST(no_logind)
{
    clocks();
}
END_TEST

START_TEST(no_bus)
{
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
    clocks();
}
END_TEST

static gboolean looked(const void *wanted)
{
    return looks >= *(const guint *)wanted;
}

/* Nothing else wakes the loop. */
START_TEST(setting_of_the_clock_wakes)
{
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
    clock_is_set = TRUE;
    watched = sleep_new(&ops, &watched);
    ck_assert_int_eq(alarm_flags, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    until_woken(looked, &many); /* and it was no sleep */
    ck_assert_str_eq(told->str, "");
    slept_us = 3 * G_USEC_PER_SEC;
    until_woken(is_told, "W0 ");
}
END_TEST

START_TEST(bus_ends)
{
    fake_logind_start(bus);
    watched = sleep_new(&ops, &watched);
    until(is_held, &one);
    fake_bus_stop(bus);
    until(is_held, &none);
    slept_us = 3 * G_USEC_PER_SEC;
    until(is_told, "W0 ");
}
END_TEST

START_TEST(freed_when_told)
{
    fake_logind_start(bus);
    watched = sleep_new(&ops, &watched);
    until(is_held, &one);
    free_when_told = TRUE;
    if (_i == 0) {
        fake_logind_prepare_for_sleep(bus, TRUE);
        until(is_told, "S1 ");
    } else {
        slept_us = 3 * G_USEC_PER_SEC;
        until(is_told, "W1 ");
    }
    until(is_held, &none);
}
END_TEST

START_TEST(freed_at_once)
{
    fake_logind_start(bus);
    sleep_free(sleep_new(&ops, &watched));
    turn();
    ck_assert_uint_eq(fake_logind_inhibitors(bus), 0);
}
END_TEST

/* ---- connectivity ---- */

static void on_connectivity(void *context, enum connectivity connectivity)
{
    ck_assert_ptr_eq(context, &watched);
    g_string_append_printf(told, "%d ", connectivity);
}

START_TEST(connectivity)
{
    struct connectivity_watch *watch = connectivity_watch_new(on_connectivity, &watched);
    turn();
    fake_nm_connectivity(bus, 2);
    until(is_told, "2 ");
    fake_nm_connectivity(bus, 2);
    fake_nm_connectivity(bus, 4);
    until(is_told, "2 4 ");
    fake_nm_connectivity(bus, 77); /* of a later version */
    until(is_told, "2 4 0 ");
    fake_nm_connectivity(bus, 3);
    until(is_told, "2 4 0 3 ");
    fake_nm_stop(bus);
    until(is_told, "2 4 0 3 0 ");
    fake_nm_connectivity(bus, 4);
    until(is_told, "2 4 0 3 0 4 ");
    connectivity_watch_free(watch);
    connectivity_watch_free(connectivity_watch_new(on_connectivity, &watched));
    turn();
    ck_assert_str_eq(told->str, "2 4 0 3 0 4 ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sleep");
    TCase *tcase = tcase_create("sleep");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, logind);
    tcase_add_test(tcase, logind_and_clocks_tell_once);
    tcase_add_test(tcase, logind_comes_late_and_goes);
    tcase_add_test(tcase, no_logind);
    tcase_add_test(tcase, no_bus);
    tcase_add_test(tcase, setting_of_the_clock_wakes);
    tcase_add_test(tcase, bus_ends);
    tcase_add_loop_test(tcase, freed_when_told, 0, 2);
    tcase_add_test(tcase, freed_at_once);
    tcase_add_test(tcase, connectivity);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
