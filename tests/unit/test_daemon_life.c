/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When godwitd begins and ends, and what it keeps: profiles of the system, the kill switch. */
#include "config.h"

#include <check.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/daemon_bed.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

static struct daemon_bed *bed;
static struct user_on_bus *root, *alice, *bob;

static void start(void)
{
    bed = daemon_bed_with_users(&root, &alice, &bob);
}

static void stop(void)
{
    if (bed->daemon) {
        daemon_bed_ends_well(bed, SIGTERM);
    }
}

/* ---- life ---- */

START_TEST(bound_session_ends_with_its_caller)
{
    g_free(user_lists(root));
    g_autofree char *bound = user_connects(alice, "wait", "", "{'bound': <true>}");
    g_autofree char *free = user_connects(alice, "wait", "", "{}");
    user_leaves(alice);
    user_hears(root, "InterfacesRemoved");
    user_expects(root, bound, FALSE);
    user_expects(root, free, TRUE);
}
END_TEST

static guint count_heard(const struct user_on_bus *user, const char *text)
{
    guint n = 0;
    for (guint i = 0; i < user->signals->len; i++) {
        n += strstr(user->signals->pdata[i], text) != NULL;
    }
    return n;
}

START_TEST(service_ends_with_its_sessions_ended)
{
    g_free(user_lists(alice));
    g_free(user_connects(alice, "connect|full;wait", "", "{}"));
    g_free(user_connects(alice, "connect|full;wait", "", "{}"));
    daemon_bed_ends_well(bed, SIGTERM);
    while (count_heard(alice, "Ended ('user', ") < 2) {
        daemon_bed_turn();
    }
}
END_TEST

START_TEST(second_signal_does_not_wait)
{
    g_autofree char *path = user_connects(alice, "stubborn", "", "{}");
    g_free(user_lists(alice));
    kill(bed->daemon, SIGTERM);
    user_sees(alice, path, "State", "'disconnecting'");
    user_cannot_connect(alice, ERROR("Busy"));
    daemon_bed_ends_well(bed, SIGTERM);
}
END_TEST

static void on_reply(GObject *bus, GAsyncResult *result, gpointer data)
{
    (void)bus;
    *(GAsyncResult **)data = g_object_ref(result);
}

/* polkit has not answered yet: who waits for that is told. */
START_TEST(open_questions_end_with_the_service)
{
    g_autoptr(GAsyncResult) result = NULL;
    g_autoptr(GError) error = NULL;
    daemon_bed_polkit_says(bed, CONNECT, "never");
    g_dbus_connection_call(alice->bus, "org.godwit.VPN1", "/org/godwit/VPN1", MANAGER, "Connect",
                           g_variant_new_parsed("('wait', {'gateway': <'a.example'>}, @a{sv} {})"),
                           NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, on_reply, &result);
    while (bed->asked == 0) {
        daemon_bed_turn();
    }
    daemon_bed_ends_well(bed, SIGTERM);
    while (!result) {
        daemon_bed_turn();
    }
    ck_assert_ptr_null(g_dbus_connection_call_finish(alice->bus, result, &error));
    g_autofree char *name = g_dbus_error_get_remote_error(error);
    ck_assert_str_eq(name, ERROR("Busy"));
}
END_TEST

static void start_idle(void)
{
    bed = daemon_bed_new();
    daemon_bed_starts(bed, FAKE, "--idle-exit=1");
    root = user_arrives(0);
}

START_TEST(idle_service_ends)
{
    g_autofree char *path = user_connects(root, "wait", "", "{}");
    wait_let_pass(1200 * 1000); /* longer than the idle time: it stays for the session */
    user_disconnects(root, path);
    daemon_bed_ends_well(bed, 0);
}
END_TEST

START_TEST(service_that_holds_traffic_stays)
{
    g_variant_unref(
        user_gets(root, "", MANAGER, "SetKillSwitch", g_variant_new_parsed("(true, @as [])")));
    wait_let_pass(1200 * 1000); /* longer than the idle time */
    g_variant_unref(
        user_gets(root, "", MANAGER, "SetKillSwitch", g_variant_new_parsed("(false, @as [])")));
    daemon_bed_ends_well(bed, 0);
}
END_TEST

/* Datagrams as systemd reads them. */
static void expect_notice(int fd, const char *wanted)
{
    char notice[64] = "";
    ck_assert_int_gt(recv(fd, notice, sizeof notice - 1, 0), 0);
    ck_assert_str_eq(notice, wanted);
}

START_TEST(systemd_is_told)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/notify"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(daemon_bed_ends(bed, SIGTERM), 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    g_setenv("NOTIFY_SOCKET", address.sun_path, TRUE);
    g_setenv("WATCHDOG_USEC", "2000000", TRUE);
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    expect_notice(fd, "READY=1");
    expect_notice(fd, "WATCHDOG=1");
    kill(bed->daemon, SIGTERM);
    expect_notice(fd, "STOPPING=1");
    ck_assert_int_eq(daemon_bed_ends(bed, 0), 0);
    close(fd);
}
END_TEST

START_TEST(second_service_gives_way)
{
    g_autofree char *path = g_build_filename(TOP_BUILDDIR, FAKE, NULL);
    const char *argv[] = {path, NULL};
    int status = 0;
    ck_assert(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                           NULL, &status, NULL));
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    g_free(user_lists(alice));
}
END_TEST

/* ---- profiles of the system ---- */

static void write_profile(const char *name, const char *text)
{
    g_autofree char *path = g_strdup_printf("%s/%s.conf", bed->folder, name);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

START_TEST(system_profiles_are_listed_without_secrets)
{
    write_profile("work", "[godwit]\ngateway=vpn.example.org\nuser=carol\npassword=secret\n");
    write_profile("broken", "[godwit]\ngatway=vpn.example.org\n");
    g_autoptr(GVariant) reply = user_gets(bob, "", MANAGER, "ListSystemProfiles", NULL);
    g_autofree char *text = g_variant_print(reply, FALSE);
    ck_assert_ptr_nonnull(
        strstr(text, "('work', {'gateway': <'vpn.example.org'>, 'user': <'carol'>}, '')"));
    ck_assert_ptr_nonnull(strstr(text, "('broken', {}, '"));
    ck_assert_ptr_nonnull(strstr(text, "gatway"));
}
END_TEST

START_TEST(system_profile_connects)
{
    write_profile("wait", "[godwit]\ngateway=vpn.example.org\npassword=secret\n");
    GVariant *arguments = g_variant_ref_sink(g_variant_new_parsed("('wait', @a{sv} {})"));
    user_fails(bob, "", MANAGER, "ConnectSystem", arguments, ERROR("NotAuthorized"));
    daemon_bed_polkit_says(bed, "org.godwit.VPN1.connect-system", "yes");
    g_variant_unref(user_gets(bob, "", MANAGER, "ConnectSystem", arguments));
    user_sees(bob, "/session/1", "SystemProfile", "'wait'");
    user_sees(bob, "/session/1", "Owner", "2");
    user_fails(bob, "", MANAGER, "ConnectSystem", g_variant_new_parsed("('none', @a{sv} {})"),
               ERROR("NotFound"));
    user_fails(bob, "", MANAGER, "ConnectSystem",
               g_variant_new_parsed("('../godwit/wait', @a{sv} {})"), ERROR("NotFound"));
    g_variant_unref(arguments);
}
END_TEST

static void save(struct user_on_bus *user, const char *arguments)
{
    g_variant_unref(
        user_gets(user, "", MANAGER, "SaveSystemProfile", g_variant_new_parsed(arguments)));
}

START_TEST(system_profile_is_saved_and_keeps_its_secrets)
{
    g_autofree char *path = g_build_filename(bed->folder, "new.conf", NULL);
    g_autofree char *text = NULL;
    struct stat status;
    const char *first = "('new', {'gateway': <'a.example'>, 'password': <@ay [120, 121]>}, false)";
    user_fails(bob, "", MANAGER, "SaveSystemProfile", g_variant_new_parsed(first),
               ERROR("NotAuthorized"));
    daemon_bed_polkit_says(bed, "org.godwit.VPN1.system-profiles", "yes");
    save(bob, first);
    user_fails(bob, "", MANAGER, "SaveSystemProfile", g_variant_new_parsed(first), ERROR("Busy"));
    save(bob, "('new', {'gateway': <'b.example'>}, true)");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "[godwit]\ngateway=b.example\npassword=xy\n");
    user_fails(bob, "", MANAGER, "SaveSystemProfile",
               g_variant_new_parsed("('../new', {'gateway': <'a.example'>}, true)"), INVALID_ARGS);
    user_fails(bob, "", MANAGER, "SaveSystemProfile",
               g_variant_new_parsed("('bad', {'user': <'u'>}, true)"), ERROR("InvalidProfile"));
    g_variant_unref(
        user_gets(bob, "", MANAGER, "DeleteSystemProfile", g_variant_new("(s)", "new")));
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
    user_fails(bob, "", MANAGER, "DeleteSystemProfile", g_variant_new("(s)", "new"),
               ERROR("NotFound"));
}
END_TEST

/* ---- the kill switch ---- */

static void expect_held(const char *wanted)
{
    g_autofree char *held = NULL;
    (void)g_file_get_contents("/run/fake-held", &held, NULL, NULL);
    ck_assert_pstr_eq(held, wanted);
}

START_TEST(kill_switch_is_kept_over_restarts)
{
    GVariant *on = g_variant_ref_sink(g_variant_new_parsed("(true, ['192.168.1.0/24'])"));
    g_autofree char *state = g_build_filename(bed->folder, "kill-switch", NULL);
    g_free(user_lists(alice));
    user_fails(alice, "", MANAGER, "SetKillSwitch", on, ERROR("NotAuthorized"));
    daemon_bed_polkit_says(bed, "org.godwit.VPN1.kill-switch", "yes");
    user_fails(alice, "", MANAGER, "SetKillSwitch", g_variant_new_parsed("(true, ['x'])"),
               INVALID_ARGS);
    user_fails(alice, "", MANAGER, "SetKillSwitch", g_variant_new_parsed("(true, ['0.0.0.0/0'])"),
               INVALID_ARGS);
    expect_held(NULL);
    g_variant_unref(user_gets(alice, "", MANAGER, "SetKillSwitch", on));
    expect_held("192.168.1.0/24");
    user_hears(alice, "'KillSwitchAlways': <true>");
    (void)daemon_bed_ends(bed, SIGKILL);
    g_unlink("/run/fake-held"); /* the machine restarts */
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    expect_held("192.168.1.0/24");
    g_autofree char *excepted = user_reads(bob, "", MANAGER, "KillSwitchExcepted");
    ck_assert_str_eq(excepted, "['192.168.1.0/24']");
    g_variant_unref(
        user_gets(root, "", MANAGER, "SetKillSwitch", g_variant_new_parsed("(false, @as [])")));
    expect_held(NULL);
    ck_assert(!g_file_test(state, G_FILE_TEST_EXISTS));
    g_variant_unref(on);
}
END_TEST

START_TEST(kill_switch_is_set_wholly_or_not)
{
    GVariant *on = g_variant_ref_sink(g_variant_new_parsed("(true, @as [])"));
    g_autofree char *state = g_build_filename(bed->folder, "kill-switch", NULL);
    ck_assert(g_file_set_contents("/run/fake-refuses", "", -1, NULL));
    user_fails(root, "", MANAGER, "SetKillSwitch", on, ERROR("HostConfig"));
    ck_assert(!g_file_test(state, G_FILE_TEST_EXISTS));
    g_unlink("/run/fake-refuses");
    /* Nothing can be written: a folder is in the way. */
    ck_assert_int_eq(g_mkdir(state, 0700), 0);
    user_fails(root, "", MANAGER, "SetKillSwitch", on, ERROR("HostConfig"));
    expect_held(NULL);
    g_autofree char *always = user_reads(root, "", MANAGER, "KillSwitchAlways");
    ck_assert_str_eq(always, "false");
    /* On a file system that has become read-only what is not set can be lifted all the same. */
    ck_assert_int_eq(g_rmdir(state), 0);
    ck_assert_int_eq(mount(bed->folder, bed->folder, NULL, MS_BIND, NULL), 0);
    ck_assert_int_eq(mount(NULL, bed->folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
    user_fails(root, "", MANAGER, "SetKillSwitch", on, ERROR("HostConfig"));
    g_variant_unref(
        user_gets(root, "", MANAGER, "SetKillSwitch", g_variant_new_parsed("(false, @as [])")));
    ck_assert_int_eq(umount2(bed->folder, MNT_DETACH), 0);
    g_variant_unref(on);
}
END_TEST

START_TEST(lasting_kill_switch_of_a_profile_is_not_for_everybody)
{
    user_fails(alice, "", MANAGER, "Connect",
               g_variant_new_parsed("('wait', {'gateway': <'vpn.example.org'>, 'kill-switch': "
                                    "<'always'>}, @a{sv} {})"),
               ERROR("NotAuthorized"));
    daemon_bed_polkit_says(bed, "org.godwit.VPN1.kill-switch", "yes");
    g_autofree char *path = user_connects(alice, "wait", ", 'kill-switch': <'always'>", "{}");
    user_sees(alice, path, "KillSwitch", "'always'");
    g_autofree char *other = user_connects(alice, "wait", ", 'kill-switch': <'connected'>", "{}");
    user_sees(alice, other, "KillSwitch", "'connected'");
}
END_TEST

START_TEST(portal_is_allowed_for_a_while)
{
    g_free(user_lists(alice));
    g_free(user_lists(bob));
    user_fails(alice, "", MANAGER, "AllowPortal", g_variant_new("(u)", 60), ERROR("NotAuthorized"));
    daemon_bed_polkit_says(bed, "org.godwit.VPN1.kill-switch-pause", "yes");
    user_fails(alice, "", MANAGER, "AllowPortal", g_variant_new("(u)", 601), INVALID_ARGS);
    g_variant_unref(user_gets(alice, "", MANAGER, "AllowPortal", g_variant_new("(u)", 1)));
    user_hears(alice, "'PortalAllowedUntil': <");
    g_autofree char *others = user_reads(bob, "", MANAGER, "PortalAllowedUntil");
    ck_assert_str_eq(others, "0");
    user_hears(alice, "'PortalAllowedUntil': <uint64 0>");
    ck_assert(!user_has_heard(bob, "Portal"));
}
END_TEST

/* ---- connecting by itself ---- */

static const char automatic[] = "[godwit]\ngateway=vpn.example.org\nautoconnect=true\nname=";

static void start_automatic(const char *script)
{
    g_autofree char *text = g_strconcat(automatic, script, "\n", NULL);
    bed = daemon_bed_new();
    write_profile("manual", "[godwit]\ngateway=vpn.example.org\n");
    write_profile("broken", "[godwit]\nautoconnect=true\n");
    write_profile("auto", text);
    daemon_bed_starts(bed, FAKE, "--idle-exit=1");
    root = user_arrives(0);
    g_free(user_lists(root));
}

/* It begins moments after the service has its name. */
static void expect_connected(void)
{
    g_autofree char *objects = user_lists(root);
    while (!strstr(objects, "'connected'")) {
        g_free(objects);
        objects = user_lists(root);
    }
}

START_TEST(autoconnect_profile_is_connected)
{
    start_automatic("connect|full;wait");
    expect_connected();
    user_sees(root, "/session/1", "Origin", "'autoconnect'");
    user_sees(root, "/session/1", "SystemProfile", "'auto'");
    user_sees(root, "/session/1", "Owner", "0");
    user_expects(root, "/session/2", FALSE);
    /* A crash of the service ends nothing for good, a person does. */
    (void)daemon_bed_ends(bed, SIGKILL);
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    expect_connected();
    (void)daemon_bed_ends(bed, SIGTERM);
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    expect_connected();
    user_disconnects(root, "/session/1");
    (void)daemon_bed_ends(bed, SIGTERM);
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    user_expects(root, "/session/1", FALSE);
    daemon_bed_ends_well(bed, SIGTERM);
}
END_TEST

/* The idle time passes meanwhile. */
static void expect_tried_again(const char *script)
{
    start_automatic(script);
    sandbox_uplink();
    user_hears(root, "/session/2");
    daemon_bed_ends_well(bed, SIGTERM);
}

START_TEST(autoconnect_is_tried_again)
{
    expect_tried_again("end|resolve|No network.");
}
END_TEST

/* That of a machine without a battery is wrong when it starts. */
START_TEST(autoconnect_waits_for_the_clock)
{
    expect_tried_again("end|gateway-expired|");
}
END_TEST

START_TEST(autoconnect_gives_up_what_is_refused)
{
    start_automatic("ask|password|Password|");
    daemon_bed_ends_well(bed, 0);
    g_autofree char *over = NULL;
    ck_assert(g_file_get_contents("/run/godwit/autoconnect", &over, NULL, NULL));
    ck_assert_str_eq(over, "[over]\nauto=secret-missing\n");
}
END_TEST

int main(void)
{
    const struct daemon_case cases[] = {
        {"life",
         start,
         stop,
         {bound_session_ends_with_its_caller, service_ends_with_its_sessions_ended,
          second_signal_does_not_wait, open_questions_end_with_the_service,
          second_service_gives_way, systemd_is_told}},
        {"idle", start_idle, stop, {idle_service_ends, service_that_holds_traffic_stays}},
        {"system profiles",
         start,
         stop,
         {system_profiles_are_listed_without_secrets, system_profile_connects,
          system_profile_is_saved_and_keeps_its_secrets}},
        {"kill switch",
         start,
         stop,
         {kill_switch_is_kept_over_restarts, kill_switch_is_set_wholly_or_not,
          lasting_kill_switch_of_a_profile_is_not_for_everybody, portal_is_allowed_for_a_while}},
        {"autoconnect",
         NULL,
         NULL,
         {autoconnect_profile_is_connected, autoconnect_is_tried_again,
          autoconnect_waits_for_the_clock, autoconnect_gives_up_what_is_refused}},
    };
    return daemon_bed_suite("daemon's life", cases, G_N_ELEMENTS(cases));
}
