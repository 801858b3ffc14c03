/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <check.h>
#include <signal.h>

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

/* ---- a connection ---- */

START_TEST(connects_and_tells)
{
    g_free(user_lists(alice));
    g_autofree char *path = user_connects(alice, "phase|init|192.0.2.1:500;connect|full;wait", "",
                                          "{'origin': <'cli'>, 'language': <'sr_RS.UTF-8@latin'>}");
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
    user_disconnects(alice, path);
    user_hears(alice, "Phase ('disconnecting'");
    user_hears(alice, "Ended ('user', ");
    user_hears(alice, " InterfacesRemoved ");
    user_fails(alice, path, SESSION, "Disconnect", NULL, UNKNOWN_OBJECT);
    user_expects(alice, path, FALSE);
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
    g_free(user_lists(alice));
    g_free(user_connects(alice, "end|gateway-unreachable|No answer.", "", "{}"));
    user_hears(alice, "Ended ('gateway-unreachable', ");
    ck_assert(user_has_heard(alice, "'No answer.'"));
}
END_TEST

START_TEST(reconnecting_is_told)
{
    g_free(user_lists(alice));
    g_autofree char *path = user_connects(
        alice, "connect|full;failed|worker-died|Gone.;phase|reconnecting|;wait", "", "{}");
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
    user_disconnects(alice, path);
    for (GDBusObject *object = NULL; (object = g_dbus_object_manager_get_object(manager, full));
         g_object_unref(object)) {
        daemon_bed_turn();
    }
}
END_TEST

/* ---- who sees what ---- */

START_TEST(others_do_not_exist)
{
    g_free(user_lists(alice));
    g_free(user_lists(bob));
    g_autofree char *path = user_connects(alice, "connect|full;ask|password|P|;wait", "", "{}");
    user_sees(alice, path, "State", "'connected'");
    user_expects(alice, path, TRUE);
    user_expects(root, path, TRUE);
    user_expects(bob, path, FALSE);
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
    user_disconnects(root, path);
    user_hears(alice, "Ended ('user', ");
    user_hears(root, "InterfacesRemoved");
    /* What was on the way to Bob has come by now. */
    g_free(user_lists(bob));
    ck_assert_uint_eq(bob->signals->len, 0);
    ck_assert_uint_gt(root->signals->len, 0);
}
END_TEST

START_TEST(who_may_manage_others_sees_and_ends)
{
    g_autofree char *path = user_connects(alice, "ask|password|P|;wait", "", "{}");
    daemon_bed_polkit_says(bed, OTHERS, "yes");
    user_expects(bob, path, TRUE);
    user_sees(bob, path, "Owner", "65534");
    user_fails(bob, path, SESSION, "ProvideSecrets",
               g_variant_new_parsed("(@u 1, {'password': @ay [120]})"), ERROR("NotAuthorized"));
    user_fails(bob, path, SESSION, "CancelSecrets", g_variant_new("(u)", 1),
               ERROR("NotAuthorized"));
    user_disconnects(bob, path);
    user_hears(bob, "Ended ('user', ");
}
END_TEST

START_TEST(nobody_who_does_not_ask_is_told)
{
    g_free(user_lists(root));
    g_autofree char *path = user_connects(alice, "connect|full;wait", "", "{}");
    user_disconnects(alice, path);
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

START_TEST(polkit_decides)
{
    daemon_bed_polkit_says(bed, CONNECT, "no");
    user_cannot_connect(alice, ERROR("NotAuthorized"));
    daemon_bed_polkit_says(bed, CONNECT, "challenge");
    user_cannot_connect(alice, ERROR("NotAuthorized"));
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
    user_cannot_connect(alice, ERROR("NotAuthorized"));
    g_free(user_lists(alice));
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
    g_free(user_lists(alice));
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

int main(void)
{
    const struct daemon_case cases[] = {
        {"connection",
         start,
         stop,
         {connects_and_tells, connects_once, who_connects_may_listen, failure_names_reason_and_hint,
          reconnecting_is_told, name_comes_from_profile_or_gateway, generated_client_follows}},
        {"sight",
         start,
         stop,
         {others_do_not_exist, who_may_manage_others_sees_and_ends, nobody_who_does_not_ask_is_told,
          introspection_tells_no_sessions}},
        {"polkit", start, stop, {polkit_decides, a_person_is_asked_when_the_caller_wants}},
        {"no polkit", start_without_polkit, stop, {without_polkit_only_root_may}},
        {"secrets", start, stop, {form_is_answered_once, form_is_cancelled}},
        {"history", start, stop, {ladder_goes_to_who_asked, log_keeps_phases}},
    };
    return daemon_bed_suite("daemon", cases, G_N_ELEMENTS(cases));
}
