/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/apps.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

#define SOMEBODY 2001
#define ANOTHER 2002

static char *top; /* the group that holds those of a test, "godwit-test-1234/1235" */

static char *path_of(const char *group)
{
    return g_build_filename(APPS_ROOT, top, group, NULL);
}

static void make(const char *group)
{
    g_autofree char *path = path_of(group);
    ck_assert_int_eq(g_mkdir_with_parents(path, 0755), 0);
}

static void take_away(const char *group)
{
    g_autofree char *path = path_of(group);
    ck_assert_msg(rmdir(path) == 0, "%s: %s", path, strerror(errno));
}

/* A process of that user in that group, which waits to be killed. */
static pid_t live_in(const char *group, uid_t uid)
{
    g_autofree char *path = path_of(group);
    g_autofree char *file = g_build_filename(path, "cgroup.procs", NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(file, O_WRONLY);
        if (fd < 0 || write(fd, "0", 1) != 1 || setresuid(uid, uid, uid) != 0 ||
            prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
            _exit(1);
        }
        (void)kill(getpid(), SIGSTOP);
        pause();
        _exit(0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    ck_assert(WIFSTOPPED(status));
    return pid;
}

static void end(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static int pidfd(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* ---- names ---- */

static const struct {
    const char *group, *name;
    gboolean is;
} names[] = {
    {"app-firefox-1234.scope", "firefox", TRUE},
    {"app-gnome-firefox-1234.scope", "firefox", TRUE},
    {"app-gnome-firefox\\x2desr-1234.scope", "firefox-esr", TRUE},
    {"app-gnome-firefox\\x2desr-1234.scope", "firefox", FALSE},
    {"app-flatpak-org.mozilla.firefox-77.scope", "org.mozilla.firefox", TRUE},
    {"app-flatpak-org.mozilla.firefox-77.scope", "firefox", TRUE},
    {"app-gnome-org.gnome.Evolution-9.scope", "evolution", TRUE},
    {"app-gnome-org.gnome.Evolution-9.scope", "gnome", FALSE},
    {"app-org.kde.konsole@abc.service", "konsole", TRUE},
    {"app-gnome-org.gnome.Calls@autostart.service", "org.gnome.Calls", TRUE},
    {"app-firefox.slice", "firefox", TRUE},
    {"app-firefox.scope", "firefox", TRUE},
    {"snap.firefox.firefox-2a1b.scope", "firefox", TRUE},
    {"snap.firefoxy.firefox-2a1b.scope", "firefox", FALSE},
    {"backup.service", "backup.service", TRUE},
    {"backup.service", "backup", FALSE},
    {"firefox-1234.scope", "firefox", FALSE},
    {"app-x-1234.scope", "1234", FALSE},
    {"app-.scope", "firefox", FALSE},
    {"app-firefox-1", "firefox", FALSE},
};

START_TEST(names_of_groups)
{
    ck_assert_msg(apps_is_group_of(names[_i].group, names[_i].name) == names[_i].is, "%s: %s",
                  names[_i].group, names[_i].name);
}
END_TEST

/* ---- the groups there are ---- */

static void count(void *context)
{
    ++*(guint *)context;
}

/* Whether the groups that are found below `top` are these: others may be tested beside us. */
static gboolean are(const struct apps *apps, const char *wanted)
{
    g_auto(GStrv) found = g_strsplit(apps_groups(apps), " ", 0);
    g_auto(GStrv) all = g_strsplit(wanted, " ", 0);
    guint n = 0;
    for (char **one = found; *one; one++) {
        const char *own = g_str_has_prefix(*one, top) ? *one + strlen(top) + 1 : NULL;
        if (own && !g_strv_contains((const char *const *)all, own)) {
            return FALSE;
        }
        n += own != NULL;
    }
    return n == g_strv_length(all);
}

static void wait_for(const struct apps *apps, const char *wanted)
{
    while (!are(apps, wanted)) {
        g_main_context_iteration(NULL, TRUE);
    }
}

#define ALICE "user.slice/user-2001.slice/user@2001.service/app.slice/"
#define BOB "user.slice/user-2002.slice/user@2002.service/app.slice/"

START_TEST(groups_come_and_go)
{
    static const char *const wanted[] = {"firefox", "backup.service", NULL};
    g_autoptr(GError) error = NULL;
    guint changes = 0;
    make(ALICE "app-firefox-1.scope");
    make(ALICE "app-konsole-2.scope");
    struct apps *apps = apps_new(wanted, 0, count, &changes, &error);
    ck_assert_msg(apps != NULL, "%s", error ? error->message : "");
    ck_assert_msg(are(apps, ALICE "app-firefox-1.scope"), "%s", apps_groups(apps));
    make(BOB "app-gnome-firefox-3.scope");
    wait_for(apps, ALICE "app-firefox-1.scope " BOB "app-gnome-firefox-3.scope");
    make("system.slice/backup.service");
    wait_for(apps, ALICE "app-firefox-1.scope " BOB
                         "app-gnome-firefox-3.scope system.slice/backup.service");
    take_away(ALICE "app-firefox-1.scope");
    wait_for(apps, BOB "app-gnome-firefox-3.scope system.slice/backup.service");
    ck_assert_uint_ge(changes, 3);
    apps_free(apps);
}
END_TEST

/* Inside of his own he can make groups of any name. */
START_TEST(groups_of_others_are_not_found)
{
    static const char *const wanted[] = {"firefox", NULL};
    make(ALICE "app-firefox-1.scope");
    make(BOB "app-firefox-2.scope");
    make(BOB "user-2001.slice/app-firefox-3.scope");
    make("system.slice/app-firefox-4.scope");
    struct apps *apps = apps_new(wanted, SOMEBODY, NULL, NULL, NULL);
    ck_assert_msg(are(apps, ALICE "app-firefox-1.scope"), "%s", apps_groups(apps));
    apps_free(apps);
}
END_TEST

START_TEST(names_that_nft_would_misread_are_passed_over)
{
    static const char *const wanted[] = {"a b.service", "a\"b.service", "b.service", NULL};
    make("a b.service");
    make("a\"b.service");
    make("x y/b.service");
    make("y/b.service");
    struct apps *apps = apps_new(wanted, 0, NULL, NULL, NULL);
    ck_assert_msg(are(apps, "y/b.service"), "%s", apps_groups(apps));
    apps_free(apps);
}
END_TEST

START_TEST(added_groups_stay_until_they_are_gone)
{
    static const char *const none[] = {NULL};
    g_autofree char *group = g_build_filename(top, "mine", NULL);
    g_autofree char *second = g_build_filename(top, "second", NULL);
    struct apps *apps = apps_new(none, SOMEBODY, NULL, NULL, NULL);
    make("mine");
    make("second");
    ck_assert(apps_add(apps, group, NULL));
    ck_assert(apps_add(apps, group, NULL));
    ck_assert(are(apps, "mine"));
    take_away("mine");
    g_autofree char *left = apps_existing(apps_groups(apps));
    ck_assert_str_eq(left, "");
    ck_assert(apps_add(apps, second, NULL));
    ck_assert_msg(are(apps, "second"), "%s", apps_groups(apps));
    apps_free(apps);
}
END_TEST

START_TEST(without_control_groups_it_is_said)
{
    static const char *const wanted[] = {"firefox", NULL};
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(umount2(APPS_ROOT, MNT_DETACH), 0);
    ck_assert_ptr_null(apps_new(wanted, 0, NULL, NULL, &error));
    ck_assert_str_eq(error->message,
                     "Applications cannot be told apart: this system has no control "
                     "groups of version 2 at /sys/fs/cgroup.");
}
END_TEST

/* ---- the group of a process ---- */

static void expect_refused(int fd, uid_t uid, const char *why)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *group = apps_group_of(fd, uid, &error);
    ck_assert_ptr_null(group);
    ck_assert_str_eq(error->message, why);
}

START_TEST(process_of_its_own)
{
    make("mine");
    pid_t pid = live_in("mine", SOMEBODY);
    g_autofree char *wanted = g_build_filename(top, "mine", NULL);
    g_autofree char *group = apps_group_of(pidfd(pid), SOMEBODY, NULL);
    ck_assert_str_eq(group, wanted);
    end(pid);
}
END_TEST

START_TEST(process_of_somebody_else)
{
    make("mine");
    pid_t pid = live_in("mine", SOMEBODY);
    expect_refused(pidfd(pid), ANOTHER, "The process is not yours.");
    end(pid);
}
END_TEST

START_TEST(process_beside_those_of_others)
{
    make("shared");
    pid_t own = live_in("shared", SOMEBODY), other = live_in("shared", ANOTHER);
    expect_refused(pidfd(own), SOMEBODY,
                   "The control group of the process holds processes of other users.");
    end(own);
    end(other);
}
END_TEST

START_TEST(process_of_a_group_of_groups)
{
    make("slice/inner");
    pid_t pid = live_in("slice", SOMEBODY);
    expect_refused(pidfd(pid), SOMEBODY, "The control group of the process holds others.");
    end(pid);
}
END_TEST

START_TEST(process_without_a_group)
{
    pid_t pid = live_in("../..", SOMEBODY);
    expect_refused(pidfd(pid), SOMEBODY, "The process has no control group of its own.");
    end(pid);
}
END_TEST

START_TEST(process_that_has_ended)
{
    make("mine");
    pid_t pid = live_in("mine", SOMEBODY);
    int fd = pidfd(pid);
    end(pid);
    expect_refused(fd, SOMEBODY, "This is no process that runs.");
}
END_TEST

START_TEST(what_is_no_process)
{
    int pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    int others[] = {pipes[0], open("/dev/null", O_RDONLY), open("/proc/self", O_PATH), -1};
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        expect_refused(others[i], SOMEBODY, "This is no process that runs.");
    }
}
END_TEST

/* ---- all of it ---- */

static void begin(void)
{
    top = g_strdup_printf("godwit-test-%d/%d", (int)getppid(), (int)getpid());
    make("");
}

/* The hierarchy is one for the whole machine: what is made in it is taken away again. */
static void remove_all(void)
{
    sandbox_do("for i in $(seq 100); do find " APPS_ROOT "/godwit-test-%d -depth -type d "
               "-exec rmdir {} \\; 2>/dev/null; test -e " APPS_ROOT "/godwit-test-%d || break; "
               "done",
               (int)getpid(), (int)getpid());
}

int main(void)
{
    sandbox_enter();
    if (mount("cgroup2", APPS_ROOT, "cgroup2", 0, NULL) != 0) {
        fprintf(stderr, "skipped: no control groups: %s\n", strerror(errno));
        return 77;
    }
    Suite *suite = suite_create("apps");
    TCase *table = tcase_create("names"), *tree = tcase_create("groups");
    tcase_add_loop_test(table, names_of_groups, 0, (int)G_N_ELEMENTS(names));
    tcase_add_checked_fixture(tree, begin, NULL);
    tcase_add_test(tree, groups_come_and_go);
    tcase_add_test(tree, groups_of_others_are_not_found);
    tcase_add_test(tree, names_that_nft_would_misread_are_passed_over);
    tcase_add_test(tree, added_groups_stay_until_they_are_gone);
    tcase_add_test(tree, process_of_its_own);
    tcase_add_test(tree, process_of_somebody_else);
    tcase_add_test(tree, process_beside_those_of_others);
    tcase_add_test(tree, process_of_a_group_of_groups);
    tcase_add_test(tree, process_without_a_group);
    tcase_add_test(tree, process_that_has_ended);
    tcase_add_test(tree, what_is_no_process);
    TCase *none = tcase_create("none");
    tcase_add_test(none, without_control_groups_it_is_said);
    suite_add_tcase(suite, table);
    suite_add_tcase(suite, tree);
    suite_add_tcase(suite, none);
    int result = run_suite(suite);
    remove_all();
    return result;
}
