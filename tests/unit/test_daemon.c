/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "generated/vpn1.h"
#include "unit/daemon_bed.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

#define OTHERS "org.godwit.VPN1.manage-others"

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

static char *objects_of(struct user_on_bus *user)
{
    g_autoptr(GVariant) reply = user_gets(user, "", OBJECT_MANAGER, "GetManagedObjects", NULL);
    return g_variant_print(reply, FALSE);
}

static void expect_sees(struct user_on_bus *user, const char *path, gboolean wanted)
{
    g_autofree char *objects = objects_of(user);
    g_autofree char *quoted = g_strdup_printf("/org/godwit/VPN1%s'", path);
    ck_assert_msg((strstr(objects, quoted) != NULL) == wanted, "%s %s", path, objects);
}

static void disconnect(struct user_on_bus *user, const char *path)
{
    g_variant_unref(user_gets(user, path, SESSION, "Disconnect", NULL));
}

/* ---- a connection ---- */

START_TEST(connects_and_tells)
{
    g_free(objects_of(alice));
    g_autofree char *path = user_connects(alice, "phase|init|192.0.2.1:500;connect|full;wait", "",
                                          "{'origin': <'cli'>}");
    user_hears(alice, " InterfacesAdded ");
    user_hears(alice, "Phase ('init', '192.0.2.1:500'");
    user_sees(alice, path, "State", "'connected'");
    user_hears(alice, "'State': <'connected'>");
    user_sees(alice, path, "Owner", "65534");
    user_sees(alice, path, "Origin", "'cli'");
    user_sees(alice, path, "Gateway", "'vpn.example.org'");
    user_sees(alice, path, "GatewayAddress", "'192.0.2.1:4500'");
    user_sees(alice, path, "GatewayIdentity", "'vpn.example.org'");
    user_sees(alice, path, "Interface", "'godwit0'");
    user_sees(alice, path, "Addresses", "['10.1.0.5/32', '2001:db8::5/128']");
    user_sees(alice, path, "Dns", "['10.99.0.1']");
    user_sees(alice, path, "Domains", "['corp.example']");
    user_sees(alice, path, "FullTunnel", "true");
    user_sees(alice, path, "Mtu", "1422");
    user_sees(alice, path, "DnsMethod", "'/etc/resolv.conf'");
    user_sees(alice, path, "CurrentPhase", "'init'");
    g_autoptr(GVariant) traffic = user_gets(alice, path, SESSION, "GetTraffic", NULL);
    g_autofree char *counted = g_variant_print(traffic, FALSE);
    ck_assert_str_eq(counted, "(1, 2, 3, 4)");
    disconnect(alice, path);
    user_hears(alice, "Phase ('disconnecting'");
    user_hears(alice, "Ended ('user', ");
    user_hears(alice, " InterfacesRemoved ");
    user_fails(alice, path, SESSION, "Disconnect", NULL, UNKNOWN_OBJECT);
    expect_sees(alice, path, FALSE);
}
END_TEST

START_TEST(connects_once)
{
    const char *error = ERROR("AlreadyConnected");
    g_free(user_connects(alice, "wait", "", "{'once': <true>}"));
    GVariant *again = g_variant_new_parsed(
        "('wait', {'gateway': <'b.example'>}, {'once': <true>, 'trace': <true>})");
    bed->asked = 0;
    user_fails(alice, "", MANAGER, "Connect", again, error);
    ck_assert_uint_eq(bed->asked, 0); /* nobody types a password for that */
    g_free(user_connects(bob, "wait", "", "{'once': <true>}"));
    g_free(user_connects(alice, "phase|init|x;wait", "", "{'once': <true>}"));
    g_free(user_connects(alice, "wait", "", "{}"));
}
END_TEST

START_TEST(who_connects_may_listen)
{
    g_autofree char *path = user_connects(alice, "phase|init|x;wait", "", "{'listen': <true>}");
    g_autofree char *added = g_strdup_printf(" InterfacesAdded ('/org/godwit/VPN1%s'", path);
    user_hears(alice, added);
    user_hears(alice, "Phase ('init', 'x'");
    g_free(user_connects(bob, "wait", "", "{}"));
    g_autofree char *other = user_connects(alice, "phase|init|y;wait", "", "{}");
    user_hears(alice, "Phase ('init', 'y'");
    ck_assert_uint_eq(bed->asked, 3); /* only whether they may connect */
}
END_TEST

START_TEST(failure_names_reason_and_hint)
{
    g_free(objects_of(alice));
    g_free(user_connects(alice, "end|gateway-unreachable|No answer.", "", "{}"));
    user_hears(alice, "Ended ('gateway-unreachable', ");
    ck_assert(user_has_heard(alice, "'No answer.'"));
}
END_TEST

START_TEST(reconnecting_is_told)
{
    g_free(objects_of(alice));
    g_autofree char *path =
        user_connects(alice, "connect|full;failed|worker-died|Gone.;phase|reconnecting|;wait", "", "{}");
    user_sees(alice, path, "State", "'reconnecting'");
    user_sees(alice, path, "LastError",
              "('worker-died', 'The tunnel process ended unexpectedly.', 'Gone.', '')");
    g_autofree char *other =
        user_connects(alice, "connect|full;failed|auth-failed;phase|reconnecting;wait", "", "{}");
    user_sees(alice, other, "LastError",
              "('auth-failed', 'The gateway refused the credentials.', '', 'Check user name and "
              "password, or the certificate or key.')");
    g_autofree char *healed =
        user_connects(alice, "failed|auth-failed;connect|full;phase|moving;wait", "", "{}");
    user_sees(alice, healed, "CurrentPhase", "'moving'");
    user_sees(alice, healed, "LastError", "('', '', '', '')");
}
END_TEST

START_TEST(name_comes_from_profile_or_gateway)
{
    g_autofree char *named = user_connects(alice, "", ", 'name': <'wait'>", "{}");
    user_sees(alice, named, "Name", "'wait'");
    g_autofree char *unnamed = user_connects(bob, "", "", "{}");
    user_sees(bob, unnamed, "Name", "'vpn.example.org'");
}
END_TEST

static void on_client(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusObjectManager **manager = data;
    (void)source;
    *manager = vpn1_object_manager_client_new_finish(result, &error);
    ck_assert_msg(*manager != NULL, "%s", error ? error->message : "");
}

/* What GDBus makes of the XML for programs of the user. */
START_TEST(generated_client_follows)
{
    g_autoptr(GDBusObjectManager) manager = NULL;
    vpn1_object_manager_client_new(alice->bus, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_NONE,
                                   "org.godwit.VPN1", "/org/godwit/VPN1", NULL, on_client,
                                   &manager);
    while (!manager) {
        daemon_bed_turn();
    }
    g_autofree char *path = user_connects(alice, "connect|full;ask|password|P|;wait", "", "{}");
    g_autofree char *full = g_strconcat("/org/godwit/VPN1", path, NULL);
    g_autoptr(Vpn1Session) session = NULL;
    while (
        !(session = (Vpn1Session *)g_dbus_object_manager_get_interface(manager, full, SESSION))) {
        daemon_bed_turn();
    }
    while (g_strcmp0(vpn1_session_get_state(session), "connected") != 0) {
        daemon_bed_turn();
    }
    ck_assert_uint_eq(vpn1_session_get_owner(session), ALICE);
    disconnect(alice, path);
    for (GDBusObject *object = NULL; (object = g_dbus_object_manager_get_object(manager, full));
         g_object_unref(object)) {
        daemon_bed_turn();
    }
}
END_TEST

/* ---- who sees what ---- */

START_TEST(others_do_not_exist)
{
    g_free(objects_of(alice));
    g_free(objects_of(bob));
    g_autofree char *path = user_connects(alice, "connect|full;ask|password|P|;wait", "", "{}");
    user_sees(alice, path, "State", "'connected'");
    expect_sees(alice, path, TRUE);
    expect_sees(root, path, TRUE);
    expect_sees(bob, path, FALSE);
    const struct {
        const char *interface, *method, *arguments;
    } calls[] = {
        {PROPERTIES, "Get", "('org.godwit.VPN1.Session', 'Name')"},
        {PROPERTIES, "GetAll", "('org.godwit.VPN1.Session',)"},
        {SESSION, "Disconnect", "()"},
        {SESSION, "ProvideSecrets", "(@u 1, {'password': @ay [120]})"},
        {SESSION, "CancelSecrets", "(@u 1,)"},
        {SESSION, "GetTrace", "()"},
        {SESSION, "GetLog", "()"},
        {SESSION, "GetTraffic", "()"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        user_fails(bob, path, calls[i].interface, calls[i].method,
                   g_variant_new_parsed(calls[i].arguments), UNKNOWN_OBJECT);
        user_fails(bob, "/session/4711", calls[i].interface, calls[i].method,
                   g_variant_new_parsed(calls[i].arguments), UNKNOWN_OBJECT);
    }
    g_autofree char *hidden = user_reads(bob, "", MANAGER, "OtherSessions");
    ck_assert_str_eq(hidden, "1");
    g_autofree char *none = user_reads(alice, "", MANAGER, "OtherSessions");
    ck_assert_str_eq(none, "0");
    disconnect(root, path);
    user_hears(alice, "Ended ('user', ");
    user_hears(root, "InterfacesRemoved");
    /* What was on the way to Bob has come by now. */
    g_free(objects_of(bob));
    ck_assert_uint_eq(bob->signals->len, 0);
    ck_assert_uint_gt(root->signals->len, 0);
}
END_TEST

START_TEST(who_may_manage_others_sees_and_ends)
{
    g_autofree char *path = user_connects(alice, "ask|password|P|;wait", "", "{}");
    daemon_bed_polkit_says(bed, OTHERS, "yes");
    expect_sees(bob, path, TRUE);
    user_sees(bob, path, "Owner", "65534");
    user_fails(bob, path, SESSION, "ProvideSecrets",
               g_variant_new_parsed("(@u 1, {'password': @ay [120]})"), ERROR("NotAuthorized"));
    user_fails(bob, path, SESSION, "CancelSecrets", g_variant_new("(u)", 1),
               ERROR("NotAuthorized"));
    disconnect(bob, path);
    user_hears(bob, "Ended ('user', ");
}
END_TEST

START_TEST(nobody_who_does_not_ask_is_told)
{
    g_free(objects_of(root));
    g_autofree char *path = user_connects(alice, "connect|full;wait", "", "{}");
    disconnect(alice, path);
    user_hears(root, "InterfacesRemoved");
    /* What was on the way to Alice has come by now. */
    g_free(user_reads(alice, "", MANAGER, "Version"));
    ck_assert_uint_eq(alice->signals->len, 0);
}
END_TEST

START_TEST(introspection_tells_no_sessions)
{
    g_autofree char *path = user_connects(alice, "wait", "", "{}");
    g_autoptr(GVariant) reply =
        user_gets(bob, "/session", "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
    const char *xml;
    g_variant_get(reply, "(&s)", &xml);
    ck_assert_ptr_null(strstr(xml, "<node name"));
}
END_TEST

/* ---- polkit ---- */

static void expect_connect_fails(struct user_on_bus *user, const char *error)
{
    user_fails(user, "", MANAGER, "Connect",
               g_variant_new_parsed("('wait', {'gateway': <'vpn.example.org'>}, @a{sv} {})"),
               error);
}

START_TEST(polkit_decides)
{
    daemon_bed_polkit_says(bed, CONNECT, "no");
    expect_connect_fails(alice, ERROR("NotAuthorized"));
    daemon_bed_polkit_says(bed, CONNECT, "challenge");
    expect_connect_fails(alice, ERROR("NotAuthorized"));
    ck_assert(!bed->interactive);
    ck_assert_uint_eq(bed->asked, 2);
    g_free(user_connects(root, "wait", "", "{}"));
    ck_assert_uint_eq(bed->asked, 2);
}
END_TEST

START_TEST(a_person_is_asked_when_the_caller_wants)
{
    g_autoptr(GDBusMessage) call =
        g_dbus_message_new_method_call("org.godwit.VPN1", "/org/godwit/VPN1", MANAGER, "Connect");
    g_dbus_message_set_body(
        call, g_variant_new_parsed("('wait', {'gateway': <'vpn.example.org'>}, @a{sv} {})"));
    g_dbus_message_set_flags(call, G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
    ck_assert(g_dbus_connection_send_message(alice->bus, call, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                             NULL));
    while (bed->asked == 0) {
        daemon_bed_turn();
    }
    ck_assert(bed->interactive);
}
END_TEST

static void start_without_polkit(void)
{
    bed = daemon_bed_new();
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    root = user_arrives(0);
    alice = user_arrives(ALICE);
}

START_TEST(without_polkit_only_root_may)
{
    expect_connect_fails(alice, ERROR("NotAuthorized"));
    g_free(objects_of(alice));
    g_free(user_connects(root, "wait", "", "{}"));
}
END_TEST

/* ---- secrets ---- */

START_TEST(form_is_answered_once)
{
    g_autofree char *path =
        user_connects(alice, "ask|password|Password|Hello;connect|full;wait", "", "{}");
    user_sees(alice, path, "Form", "(1, [('password', 'Password', 'Hello', 'secret', {})])");
    user_fails(alice, path, SESSION, "ProvideSecrets",
               g_variant_new_parsed("(@u 2, {'password': @ay [120]})"), ERROR("NotReady"));
    user_fails(alice, path, SESSION, "ProvideSecrets",
               g_variant_new_parsed("(@u 1, {'psk': @ay [120]})"), INVALID_ARGS);
    g_variant_unref(user_gets(alice, path, SESSION, "ProvideSecrets",
                              g_variant_new_parsed("(@u 1, {'password': @ay [120]})")));
    user_sees(alice, path, "State", "'connected'");
    user_sees(alice, path, "Form", "(0, [])");
    user_fails(alice, path, SESSION, "ProvideSecrets",
               g_variant_new_parsed("(@u 1, {'password': @ay [120]})"), ERROR("NotReady"));
    user_fails(alice, path, SESSION, "CancelSecrets", g_variant_new("(u)", 1), ERROR("NotReady"));
}
END_TEST

START_TEST(form_is_cancelled)
{
    g_free(objects_of(alice));
    g_autofree char *path = user_connects(alice, "ask|password|Password|;wait", "", "{}");
    user_sees(alice, path, "Form", "(1, [('password', 'Password', '', 'secret', {})])");
    g_variant_unref(user_gets(alice, path, SESSION, "CancelSecrets", g_variant_new("(u)", 1)));
    user_hears(alice, "Ended ('secret-missing', ");
}
END_TEST

/* ---- the ladder and the log ---- */

START_TEST(ladder_goes_to_who_asked)
{
    g_autofree char *path = user_connects(alice, "trace|HDR|1;ask|password|P|;trace|SK|0|1;wait",
                                          "", "{'trace': <true>}");
    user_sees(alice, path, "Form", "(1, [('password', 'P', '', 'secret', {})])");
    g_autoptr(GVariant) reply = user_gets(alice, path, SESSION, "GetTrace", NULL);
    g_autofree char *rungs = g_variant_print(reply, FALSE);
    ck_assert_msg(g_str_has_prefix(rungs, "([('HDR', true, false, "), "%s", rungs);
    g_variant_unref(user_gets(alice, path, SESSION, "ProvideSecrets",
                              g_variant_new_parsed("(@u 1, {'password': @ay [120]})")));
    user_hears(alice, "Rung ('SK', false, true, ");
    ck_assert(!user_has_heard(alice, "Phase"));
    g_autofree char *untraced = user_connects(alice, "wait", "", "{}");
    user_fails(alice, untraced, SESSION, "GetTrace", NULL, ERROR("NotReady"));
}
END_TEST

START_TEST(log_keeps_phases)
{
    g_autofree char *path = user_connects(alice, "phase|resolve|a;phase|init|b;wait", "", "{}");
    user_sees(alice, path, "CurrentPhase", "'init'");
    g_autoptr(GVariant) reply = user_gets(alice, path, SESSION, "GetLog", NULL);
    g_autofree char *log = g_variant_print(reply, FALSE);
    ck_assert(g_str_has_prefix(log, "([('resolve', 'a', "));
    ck_assert_ptr_nonnull(strstr(log, "('init', 'b', "));
}
END_TEST

/* ---- life ---- */

START_TEST(bound_session_ends_with_its_caller)
{
    g_free(objects_of(root));
    g_autofree char *bound = user_connects(alice, "wait", "", "{'bound': <true>}");
    g_autofree char *free = user_connects(alice, "wait", "", "{}");
    user_leaves(alice);
    user_hears(root, "InterfacesRemoved");
    expect_sees(root, bound, FALSE);
    expect_sees(root, free, TRUE);
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
    g_free(objects_of(alice));
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
    g_free(objects_of(alice));
    kill(bed->daemon, SIGTERM);
    user_sees(alice, path, "State", "'disconnecting'");
    expect_connect_fails(alice, ERROR("Busy"));
    daemon_bed_ends_well(bed, SIGTERM);
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
    g_usleep(1200 * 1000); /* longer than the idle time: it stays for the session */
    disconnect(root, path);
    daemon_bed_ends_well(bed, 0);
}
END_TEST

START_TEST(service_that_holds_traffic_stays)
{
    g_variant_unref(
        user_gets(root, "", MANAGER, "SetKillSwitch", g_variant_new_parsed("(true, @as [])")));
    g_usleep(1200 * 1000); /* longer than the idle time */
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
    g_free(objects_of(alice));
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
    g_free(objects_of(alice));
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
    g_free(objects_of(alice));
    g_free(objects_of(bob));
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
    g_free(objects_of(root));
}

/* It begins moments after the service has its name. */
static void expect_connected(void)
{
    g_autofree char *objects = objects_of(root);
    while (!strstr(objects, "'connected'")) {
        g_free(objects);
        objects = objects_of(root);
    }
}

START_TEST(autoconnect_profile_is_connected)
{
    start_automatic("connect|full;wait");
    expect_connected();
    user_sees(root, "/session/1", "Origin", "'autoconnect'");
    user_sees(root, "/session/1", "SystemProfile", "'auto'");
    user_sees(root, "/session/1", "Owner", "0");
    expect_sees(root, "/session/2", FALSE);
    /* A crash of the service ends nothing for good, a person does. */
    (void)daemon_bed_ends(bed, SIGKILL);
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    expect_connected();
    (void)daemon_bed_ends(bed, SIGTERM);
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    expect_connected();
    disconnect(root, "/session/1");
    (void)daemon_bed_ends(bed, SIGTERM);
    daemon_bed_starts(bed, FAKE, "--no-idle-exit");
    expect_sees(root, "/session/1", FALSE);
    daemon_bed_ends_well(bed, SIGTERM);
}
END_TEST

/* The idle time passes meanwhile. */
START_TEST(autoconnect_is_tried_again)
{
    start_automatic("end|resolve|No network.");
    sandbox_uplink();
    user_hears(root, "/session/2");
    daemon_bed_ends_well(bed, SIGTERM);
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

static Suite *suite(void)
{
    Suite *all = suite_create("daemon");
    const struct {
        const char *name;
        void (*setup)(void);
        const TTest *tests[12];
    } cases[] = {
        {"connection",
         start,
         {connects_and_tells, connects_once, who_connects_may_listen, failure_names_reason_and_hint, reconnecting_is_told,
          name_comes_from_profile_or_gateway, generated_client_follows}},
        {"sight",
         start,
         {others_do_not_exist, who_may_manage_others_sees_and_ends, nobody_who_does_not_ask_is_told,
          introspection_tells_no_sessions}},
        {"polkit", start, {polkit_decides, a_person_is_asked_when_the_caller_wants}},
        {"no polkit", start_without_polkit, {without_polkit_only_root_may}},
        {"secrets", start, {form_is_answered_once, form_is_cancelled}},
        {"history", start, {ladder_goes_to_who_asked, log_keeps_phases}},
        {"life",
         start,
         {bound_session_ends_with_its_caller, service_ends_with_its_sessions_ended,
          second_signal_does_not_wait, second_service_gives_way, systemd_is_told}},
        {"idle", start_idle, {idle_service_ends, service_that_holds_traffic_stays}},
        {"system profiles",
         start,
         {system_profiles_are_listed_without_secrets, system_profile_connects,
          system_profile_is_saved_and_keeps_its_secrets}},
        {"kill switch",
         start,
         {kill_switch_is_kept_over_restarts, kill_switch_is_set_wholly_or_not,
          lasting_kill_switch_of_a_profile_is_not_for_everybody, portal_is_allowed_for_a_while}},
        {"autoconnect",
         NULL,
         {autoconnect_profile_is_connected, autoconnect_is_tried_again,
          autoconnect_gives_up_what_is_refused}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        TCase *one = tcase_create(cases[i].name);
        tcase_add_checked_fixture(one, cases[i].setup, cases[i].setup ? stop : NULL);
        for (gsize j = 0; cases[i].tests[j]; j++) {
            tcase_add_test(one, cases[i].tests[j]);
        }
        suite_add_tcase(all, one);
    }
    return all;
}

int main(void)
{
    sandbox_enter(); /* or skip: each test enters one of its own in it */
    return run_suite(suite());
}
