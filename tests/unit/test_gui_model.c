/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user interface knows, over a bus with a stand-in for godwitd (fake_service.c). */
#include "config.h"

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/vpn1.h"
#include "gui/model/attempt.h"
#include "gui/model/text.h"
#include "gui/model/world.h"
#include "unit/vectors.h"

static char *folder;
static GTestDBus *bus;
static GodwitWorld *world;

/* ---- the bed ---- */

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void write_file(const char *name, const char *text)
{
    g_autofree char *path = in_folder(name);
    g_autofree char *parent = g_path_get_dirname(path);

    ck_assert_int_eq(g_mkdir_with_parents(parent, 0700), 0);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

static void write_profile(const char *name, const char *keys)
{
    g_autofree char *file = g_strdup_printf("config/godwit/%s.conf", name);
    g_autofree char *text = g_strdup_printf("[godwit]\ngateway=vpn.example.org\n%s", keys);

    write_file(file, text);
}

static void bus_up(void)
{
    g_autofree char *services = in_folder("services");

    write_file("services/org.godwit.VPN1.service",
               "[D-BUS Service]\nName=org.godwit.VPN1\n"
               "Exec=" TOP_BUILDDIR "/tests/unit/fake_service\n");
    bus = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_add_service_dir(bus, services);
    g_test_dbus_up(bus);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(bus), TRUE);
}

static void bus_down(void)
{
    g_test_dbus_stop(bus);
    g_clear_object(&bus);
}

static void script(const char *text)
{
    write_file("script", text);
}

static char *calls(void)
{
    char *text;

    return g_file_get_contents(g_getenv("FAKE_CALLS"), &text, NULL, NULL) ? text : g_strdup("");
}

static void setup(void)
{
    folder = g_dir_make_tmp("godwit-model-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    g_autofree char *config = in_folder("config"), *told = in_folder("calls"),
                    *played = in_folder("script");
    g_setenv("XDG_CONFIG_HOME", config, TRUE);
    g_setenv("FAKE_CALLS", told, TRUE);
    g_setenv("FAKE_SCRIPT", played, TRUE);
    g_unsetenv("FAKE_API");
    g_unsetenv("LANGUAGE");
    write_profile("work", "user=alice\n");
    script("connect|full;wait");
    bus_up();
    world = godwit_world_new();
}

static void teardown(void)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);

    g_clear_object(&world);
    if (bus != NULL) {
        bus_down();
    }
    while (system(command) != 0) { /* the service writes until it has seen that the bus is gone */
    }
    g_free(folder);
}

/* Until `condition` holds; check's own limit is for what never comes. */
#define until(condition)                                                                           \
    while (!(condition)) {                                                                         \
        g_main_context_iteration(NULL, TRUE);                                                      \
    }

static GodwitProfile *profile_at(guint i)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(world));
    GodwitProfile *profile = g_list_model_get_item(profiles, i);

    ck_assert_ptr_nonnull(profile);
    g_object_unref(profile);
    return profile;
}

static guint n_profiles(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(godwit_world_get_profiles(world)));
}

static enum godwit_state state(void)
{
    return godwit_world_get_state(world);
}

static GodwitSession *main_session(void)
{
    return godwit_world_get_main_session(world);
}

static void expect_text(char *text, const char *wanted)
{
    ck_assert_str_eq(text, wanted);
    g_free(text);
}

static void connect_work(void)
{
    godwit_world_connect(world, profile_at(0));
}

/* ---- a connection ---- */

START_TEST(nothing_starts_the_service_but_a_wish)
{
    until(godwit_world_get_service(world) == GODWIT_ASLEEP);
    ck_assert_uint_eq(state(), GODWIT_OFF);
    ck_assert_uint_eq(n_profiles(), 1);
    ck_assert_str_eq(godwit_profile_get_title(profile_at(0)), "work");
    expect_text(calls(), "");

    connect_work();
    ck_assert_uint_eq(state(), GODWIT_CONNECTING);
    ck_assert(godwit_world_is_asked(world, profile_at(0)));
    until(state() == GODWIT_ON);
    ck_assert_uint_eq(godwit_world_get_service(world), GODWIT_READY);
    ck_assert_str_eq(godwit_world_get_version(world), "0.1.0");
    ck_assert_ptr_eq(godwit_world_find_session(world, profile_at(0)), main_session());
    expect_text(godwit_session_dup_text(main_session(), "GatewayIdentity"), "vpn.example.org");
    expect_text(godwit_session_dup_list(main_session(), "Addresses"),
                "10.1.0.5/32, 2001:db8::5/128");
    expect_text(godwit_session_dup_fact(main_session(), "gateway-version"), "evil?[2J");
    expect_text(godwit_session_dup_fact(main_session(), "no-such"), "");
    expect_text(godwit_session_dup_banner(main_session()), "Welcome.\nBe good.");
    expect_text(godwit_session_dup_words(main_session()), "Connected");
    ck_assert(godwit_session_get_switch(main_session(), "FullTunnel"));
    ck_assert_int_ge(godwit_session_get_seconds(main_session()), 0);
    /* The computer's profiles are known now. */
    until(n_profiles() == 3);
    ck_assert_ptr_null(godwit_profile_get_path(profile_at(2)));

    godwit_world_disconnect(world, profile_at(0));
    until(state() == GODWIT_OFF);
    ck_assert_ptr_null(main_session());
    ck_assert_ptr_null(godwit_world_get_failure(world));
}
END_TEST

START_TEST(is_not_begun_twice)
{
    g_autofree char *told = NULL;

    connect_work();
    godwit_world_connect(world, profile_at(0));
    until(state() == GODWIT_ON);
    godwit_world_connect(world, profile_at(0));
    godwit_world_disconnect(world, profile_at(0));
    until(state() == GODWIT_OFF);
    told = calls();
    ck_assert_ptr_nonnull(strstr(told, "Connect ('work', {'gateway': <'vpn.example.org'>"));
    ck_assert_ptr_null(strstr(strchr(told, '\n') + 1, "Connect"));
}
END_TEST

START_TEST(can_be_called_off_before_it_began)
{
    connect_work();
    godwit_world_disconnect(world, profile_at(0));
    ck_assert_uint_eq(state(), GODWIT_CONNECTING);
    until(state() == GODWIT_OFF);
    until(main_session() == NULL);
}
END_TEST

/* Of somebody else on the same bus. */
static GDBusConnection *other_connection(void)
{
    GDBusConnection *other =
        g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(bus),
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, NULL);

    ck_assert_ptr_nonnull(other);
    return other;
}

static void begin_elsewhere(const char *method, const char *arguments)
{
    g_autoptr(GDBusConnection) other = other_connection();
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        other, VPN1_NAME, VPN1_PATH, VPN1_MANAGER_INTERFACE, method,
        g_variant_new_parsed(arguments), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

    ck_assert_ptr_nonnull(reply);
}

/* Whoever began it. */
START_TEST(sessions_of_others_are_seen_and_ended)
{
    until(godwit_world_get_service(world) == GODWIT_ASLEEP);
    begin_elsewhere("ConnectSystem", "('office', @a{sv} {})");
    until(state() == GODWIT_ON);
    until(n_profiles() == 3);
    expect_text(godwit_session_dup_text(main_session(), "Name"), "office");
    ck_assert_ptr_null(godwit_world_find_session(world, profile_at(0)));
    ck_assert_ptr_eq(godwit_world_find_session(world, profile_at(2)), main_session());
    godwit_world_end(world, main_session());
    until(state() == GODWIT_OFF);
}
END_TEST

START_TEST(states_are_as_the_service_tells)
{
    g_autoptr(GVariant) form = NULL;

    script("phase|gateway-verified|x;ask|password|Password|Say it;connect|full;"
           "phase|reconnecting|The gateway stopped answering.;wait");
    connect_work();
    until(state() == GODWIT_ATTENTION);
    form = godwit_session_dup_form(main_session());
    ck_assert_ptr_nonnull(form);
    ck_assert_ptr_null(godwit_world_get_failure(world));
    g_autoptr(GDBusConnection) other = other_connection();
    g_dbus_connection_call(other, VPN1_NAME, godwit_session_get_path(main_session()),
                           VPN1_SESSION_INTERFACE, "ProvideSecrets",
                           g_variant_new_parsed("(uint32 1, {'password': b'x'})"), NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
    until(state() == GODWIT_ROAMING);
    expect_text(godwit_session_dup_words(main_session()),
                "Reconnecting: The gateway stopped answering.");
}
END_TEST

/* ---- a first connection ---- */

static void note_saved(GodwitAttempt *attempt, GodwitProfile *profile, gpointer path)
{
    (void)attempt;
    *(char **)path = g_strdup(godwit_profile_get_path(profile));
}

/* Its file, or NULL when it has failed. */
static char *attempted(const char *server, const char *user, const char *password,
                       enum godwit_attempt_field *field)
{
    g_autoptr(GodwitAttempt) attempt = godwit_attempt_new(world);
    char *path = NULL;

    g_signal_connect(attempt, "saved", G_CALLBACK(note_saved), &path);
    godwit_attempt_begin(attempt, server, user, password, FALSE);
    until(!godwit_attempt_is_running(attempt));
    *field = godwit_attempt_get_field(attempt);
    return path;
}

START_TEST(a_first_connection_is_written_when_it_works)
{
    enum godwit_attempt_field field;
    g_autofree char *told = NULL, *path = NULL, *text = NULL, *second = NULL;

    path = attempted(" vpn.example.net ", "alice", "s3cret", &field);
    ck_assert_ptr_nonnull(path);
    ck_assert(g_str_has_suffix(path, "/config/godwit/vpn.example.net.conf"));
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_ptr_nonnull(strstr(text, "user=alice"));
    ck_assert_ptr_null(strstr(text, "s3cret"));
    told = calls();
    ck_assert_ptr_nonnull(strstr(told, "'password': <[byte 0x73, 0x33, 0x63"));
    /* Another one to the same gateway has another name. */
    second = attempted("vpn.example.net", "bob", "", &field);
    ck_assert_ptr_nonnull(second);
    ck_assert(g_str_has_suffix(second, "/config/godwit/vpn.example.net 2.conf"));
    ck_assert_ptr_eq(
        godwit_world_find_profile(world, godwit_world_find_title(world, "vpn.example.net 2")),
        profile_at(1));
}
END_TEST

START_TEST(a_first_connection_that_fails_leaves_nothing)
{
    static const struct {
        const char *script, *server, *password;
        enum godwit_attempt_field field;
    } cases[] = {
        {"phase|gateway-verified|;end|auth-failed|", "a.example", "x", GODWIT_ATTEMPT_PASSWORD},
        {"end|auth-failed|", "a.example", "x", GODWIT_ATTEMPT_MORE},
        {"end|resolve|", "a.example", "x", GODWIT_ATTEMPT_SERVER},
        {"end|account-disabled|", "a.example", "x", GODWIT_ATTEMPT_USER},
        {"end|moon-phase|", "a.example", "x", GODWIT_ATTEMPT_NOWHERE},
        {"refuse|NotAuthorized|You may not.", "a.example", "x", GODWIT_ATTEMPT_NOWHERE},
        {"wait", "<b>\033[2J", "x", GODWIT_ATTEMPT_SERVER},
        {"wait", "../../etc/passwd", "x", GODWIT_ATTEMPT_SERVER},
        {"wait", "", "x", GODWIT_ATTEMPT_SERVER},
    };

    /* Of what ends before the service has told what it has, no more is known. */
    godwit_world_wake(world);
    until(godwit_world_get_service(world) == GODWIT_READY);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        enum godwit_attempt_field field;

        script(cases[i].script);
        ck_assert_ptr_null(attempted(cases[i].server, "alice", cases[i].password, &field));
        ck_assert_int_eq(field, cases[i].field);
        godwit_world_dismiss_failure(world);
    }
    godwit_profiles_look(godwit_world_get_profiles(world));
    until(n_profiles() == 3); /* and the computer's two */
}
END_TEST

START_TEST(a_first_connection_can_be_cancelled)
{
    g_autoptr(GodwitAttempt) attempt = godwit_attempt_new(world);

    script("wait");
    /* Before godwitd has answered, and after it. */
    godwit_attempt_begin(attempt, "a.example", "alice", "x", FALSE);
    godwit_attempt_cancel(attempt);
    until(!godwit_attempt_is_running(attempt));
    until(main_session() == NULL && state() == GODWIT_OFF);
    godwit_attempt_begin(attempt, "a.example", "alice", "x", FALSE);
    until(godwit_attempt_get_session(attempt) != NULL);
    godwit_attempt_cancel(attempt);
    until(!godwit_attempt_is_running(attempt));
    until(state() == GODWIT_OFF);
    ck_assert_str_eq(godwit_attempt_get_advice(attempt), "");
}
END_TEST

/* ---- failures ---- */

START_TEST(a_failure_is_told_until_it_is_dismissed)
{
    const struct godwit_failure *failure;
    g_autofree char *report = NULL;

    script("trace|IKE_SA_INIT SA KE|1;traced;end|auth-failed|EAP-MSCHAPv2\033[2J");
    connect_work();
    until(godwit_world_get_failure(world) != NULL);
    ck_assert_uint_eq(state(), GODWIT_ATTENTION);
    failure = godwit_world_get_failure(world);
    ck_assert_uint_eq(failure->reason, REASON_AUTH_FAILED);
    ck_assert_str_eq(failure->sentence, "The gateway refused the credentials.");
    ck_assert_str_eq(failure->detail, "EAP-MSCHAPv2?[2J");
    ck_assert_str_eq(failure->name, "work");
    ck_assert_str_ne(failure->hint, "");
    report = godwit_failure_report(failure, "0.1.0");
    ck_assert_ptr_nonnull(
        strstr(report, "auth-failed: work\nThe gateway refused the credentials.\n"));
    godwit_world_dismiss_failure(world);
    ck_assert_uint_eq(state(), GODWIT_OFF);

    /* What a newer service has to say is shown as it says it. */
    script("end|moon-phase|");
    godwit_world_connect(world, profile_at(0));
    until(godwit_world_get_failure(world) != NULL);
    ck_assert_str_eq(godwit_world_get_failure(world)->sentence, "A sentence of the service.");

    /* The next attempt is a new one. */
    script("connect|full;wait");
    godwit_world_connect(world, profile_at(0));
    ck_assert_ptr_null(godwit_world_get_failure(world));
    until(state() == GODWIT_ON);
}
END_TEST

/* Begun by a command, NetworkManager, or godwitd itself. */
START_TEST(a_failure_ends_when_its_connection_works)
{
    script("end|auth-failed|");
    connect_work();
    until(godwit_world_get_failure(world) != NULL && main_session() == NULL);

    /* Another one that works is none of its business. */
    script("connect|full;wait");
    begin_elsewhere("Connect", "('other', @a{sv} {}, @a{sv} {})");
    until(main_session() != NULL && godwit_session_get_state(main_session()) == GODWIT_ON);
    ck_assert_uint_eq(state(), GODWIT_ATTENTION);

    begin_elsewhere("Connect", "('work', @a{sv} {}, @a{sv} {})");
    until(state() == GODWIT_ON);
    ck_assert_ptr_null(godwit_world_get_failure(world));
}
END_TEST

/* For the gateway's administrator: who, what, when; nothing that is to be kept. */
START_TEST(a_report_has_what_helps_and_no_secret)
{
    static const char *const wanted[] = {
        "Godwit " PACKAGE_VERSION ", godwitd 0.1.0, Linux ",
        "\nauth-failed: work\nThe gateway refused the credentials.\nE=691\n",
        "\n[godwit]\n",
        "\ngateway=vpn.example.org\n",
        "\nuser=alice\n",
        "\npassword=(…)\n",
        "\nprivate-key=(…)\n",
        "\ncertificate=(7 B)\n",
        "  Looking up the gateway\n",
        "  → IKE_SA_INIT #0 request  SA(aes256gcm16) N(COOKIE)\n",
        "  → IKE_AUTH #1 request (again)\n",
        "  (dropped: it is not for us)\n",
        "  ← IKE_AUTH #1 response  N(AUTHENTICATION_FAILED)\n",
        "  The gateway refused the credentials. E=691\n",
    };
    g_autofree char *report = NULL;

    write_profile("work",
                  "user=alice\nauth=certificate\ncertificate=base64:VlBOQ0VSVA==\n"
                  "private-key=base64:VlBOS0VZ\npassword=hunter2\nprivate-key-password=hunter3\n");
    until(godwit_profile_get_why(profile_at(0)) == NULL);
    script("traced;trace|IKE_SA_INIT #0 request  SA(aes256gcm16) N(COOKIE)|1;"
           "trace|IKE_AUTH #1 request|1|again;trace|(dropped: it is not for us)|0;"
           "trace|IKE_AUTH #1 response  N(AUTHENTICATION_FAILED)|0;end|auth-failed|E=691");
    connect_work();
    until(godwit_world_get_failure(world) != NULL);
    report = godwit_failure_report(godwit_world_get_failure(world), "0.1.0");
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
        ck_assert_msg(strstr(report, wanted[i]) != NULL, "no '%s' in '%s'", wanted[i], report);
    }
    ck_assert_ptr_null(strstr(report, "hunter"));
    ck_assert_ptr_null(strstr(report, "VPNKEY"));
    ck_assert_ptr_null(strstr(report, "VlBOS0VZ"));
}
END_TEST

/* Whether it is told before or after it was asked for, in the order of time. */
START_TEST(a_trace_is_in_the_order_of_time)
{
    GListModel *trace;

    script("trace|first|1;phase|init|;trace|second|0;connect|full;traced;trace|third  more|1;"
           "phase|reconnecting|x;wait");
    connect_work();
    until(state() == GODWIT_ROAMING);
    trace = G_LIST_MODEL(godwit_session_get_trace(main_session()));
    until(g_list_model_get_n_items(trace) >= 6);
    static const char *const titles[] = {
        "Looking up the gateway", "first", "Contacting the gateway", "second", "third",
        "Reconnecting: x"};
    for (guint i = 0; i < G_N_ELEMENTS(titles); i++) {
        g_autoptr(GodwitStep) step = g_list_model_get_item(trace, i);

        ck_assert_str_eq(godwit_step_get_title(step), titles[i]);
        ck_assert_str_eq(godwit_step_get_more(step), i == 4 ? "more" : "");
        ck_assert_int_eq(godwit_step_contains(step, "FIRST"), i == 1);
    }
}
END_TEST

START_TEST(a_refusal_is_a_failure)
{
    script("refuse|NotAuthorized|You may not.");
    connect_work();
    until(godwit_world_get_failure(world) != NULL);
    ck_assert_uint_eq(godwit_world_get_failure(world)->reason, REASON_NOT_AUTHORIZED);
    ck_assert_str_eq(godwit_world_get_failure(world)->detail, "You may not.");
    ck_assert(!godwit_world_is_asked(world, profile_at(0)));
}
END_TEST

START_TEST(an_older_service_is_asked_once_more)
{
    script("old;connect|full;wait");
    connect_work();
    until(state() == GODWIT_ON);
    ck_assert_ptr_null(godwit_world_get_failure(world));
    godwit_world_end(world, main_session());
    until(state() == GODWIT_OFF);
}
END_TEST

START_TEST(an_older_service_is_not_asked_for_what_was_called_off)
{
    script("old;connect|full;wait");
    connect_work();
    godwit_world_disconnect(world, profile_at(0));
    until(!godwit_world_is_asked(world, profile_at(0)));
    ck_assert_ptr_null(main_session());
    ck_assert_ptr_null(godwit_world_get_failure(world));
    ck_assert_uint_eq(state(), GODWIT_OFF);
}
END_TEST

START_TEST(a_profile_that_cannot_be_used_says_why)
{
    write_profile("work", "mtu=many\n");
    until(godwit_profile_get_why(profile_at(0)) != NULL);
    ck_assert_ptr_nonnull(strstr(godwit_profile_get_why(profile_at(0)), "mtu"));
    connect_work();
    ck_assert_uint_eq(godwit_world_get_failure(world)->reason, REASON_PROFILE);
    expect_text(calls(), "");

    /* Deleted while its connection is there. */
    write_profile("work", "");
    until(godwit_profile_get_why(profile_at(0)) == NULL);
    connect_work();
    until(state() == GODWIT_ON);
    g_autofree char *path = in_folder("config/godwit/work.conf");
    ck_assert_int_eq(g_remove(path), 0);
    until(n_profiles() == 2);
    ck_assert_uint_eq(state(), GODWIT_ON);
    godwit_world_end(world, main_session());
    until(state() == GODWIT_OFF);
}
END_TEST

START_TEST(traffic_is_stopped_while_it_reconnects)
{
    static const struct {
        const char *level;
        gboolean stopped;
    } rows[] = {{"off", FALSE}, {"connected", TRUE}, {"always", TRUE}};
    g_autofree char *played = g_strdup_printf(
        "put|KillSwitch|%s;connect|full;phase|reconnecting|Lost.;wait", rows[_i].level);

    script(played);
    connect_work();
    ck_assert(!godwit_world_is_stopped(world));
    until(state() == GODWIT_ROAMING);
    ck_assert_int_eq(godwit_world_is_stopped(world), rows[_i].stopped);
    godwit_world_end(world, main_session());
    until(state() == GODWIT_OFF);
    ck_assert(!godwit_world_is_stopped(world));
}
END_TEST

/* ---- ends of others ---- */

START_TEST(a_service_that_dies_takes_its_sessions_along)
{
    script("connect|full;wait");
    connect_work();
    until(state() == GODWIT_ON);
    write_profile("other", "");
    until(n_profiles() == 4);
    script("die");
    godwit_world_connect(world, profile_at(0));
    until(godwit_world_get_service(world) == GODWIT_ASLEEP);
    until(main_session() == NULL && !godwit_world_is_asked(world, profile_at(0)));
    ck_assert_uint_eq(state(), GODWIT_ATTENTION);
    ck_assert_uint_eq(godwit_world_get_failure(world)->reason, REASON_SERVICE_UNAVAILABLE);

    /* The next one is as good. */
    script("connect|full;wait");
    godwit_world_connect(world, profile_at(1));
    until(state() == GODWIT_ON);
}
END_TEST

START_TEST(a_bus_that_ends_is_looked_for_again)
{
    connect_work();
    until(state() == GODWIT_ON);
    bus_down();
    until(godwit_world_get_service(world) == GODWIT_NO_BUS);
    ck_assert_ptr_null(main_session());
    godwit_world_dismiss_failure(world);
    godwit_world_connect(world, profile_at(0));
    ck_assert_uint_eq(godwit_world_get_failure(world)->reason, REASON_SERVICE_UNAVAILABLE);
    bus_up();
    until(godwit_world_get_service(world) == GODWIT_ASLEEP);
    godwit_world_connect(world, profile_at(0));
    until(state() == GODWIT_ON);
}
END_TEST

START_TEST(another_version_is_told)
{
    g_setenv("FAKE_API", "2", TRUE);
    bus_down();
    until(godwit_world_get_service(world) == GODWIT_NO_BUS);
    bus_up();
    until(godwit_world_get_service(world) == GODWIT_ASLEEP);
    godwit_world_wake(world);
    until(godwit_world_get_service(world) == GODWIT_OTHER_VERSION);
    godwit_world_connect(world, profile_at(0));
    ck_assert_str_eq(godwit_world_get_failure(world)->detail,
                     "It is of another version than this program.");
    expect_text(calls(), "");
}
END_TEST

START_TEST(what_holds_traffic_outlasts_the_service)
{
    static const char *const excepted[] = {"192.168.1.0/24", NULL};

    until(godwit_world_get_service(world) == GODWIT_ASLEEP);
    godwit_world_set_holding(world, TRUE, excepted);
    until(state() == GODWIT_BLOCKED);
    ck_assert(godwit_world_is_stopped(world));
    g_auto(GStrv) told = godwit_world_dup_excepted(world);
    ck_assert_str_eq(told[0], "192.168.1.0/24");
    script("die");
    godwit_world_connect(world, profile_at(0));
    until(godwit_world_get_service(world) == GODWIT_ASLEEP);
    until(!godwit_world_is_asked(world, profile_at(0)));
    /* A failure does not hide it, and is there all the same. */
    ck_assert_ptr_nonnull(godwit_world_get_failure(world));
    ck_assert_uint_eq(state(), GODWIT_BLOCKED);
    godwit_world_dismiss_failure(world);
    ck_assert_uint_eq(state(), GODWIT_BLOCKED);
}
END_TEST

/* ---- much, and bad ---- */

START_TEST(five_hundred_changes_end_in_the_truth)
{
    GString *steps = g_string_new(NULL);

    for (int i = 0; i < 250; i++) {
        g_string_append(steps, "phase|reconnecting|x;connect|full;");
    }
    g_string_append(steps, "traffic;wait");
    script(steps->str);
    g_string_free(steps, TRUE);
    connect_work();
    until(main_session() != NULL && godwit_session_get_history(main_session())->len >= 251);
    until(state() == GODWIT_ON);
    godwit_session_measure(main_session());
    until(godwit_session_get_traffic(main_session())->rx > 1234567);
}
END_TEST

START_TEST(texts_of_strangers_are_harmless)
{
    GString *huge = g_string_new(NULL);
    char *shown;

    expect_text(shown_text("a\033[2J\u202eb\xff"
                           "c"),
                "a?[2J?b?c");
    expect_text(shown_text("<b>x</b> & y"), "<b>x</b> & y");
    expect_text(shown_lines("one\r\ntwo\n\n\n"), "one\ntwo");
    for (int i = 0; i < 65536; i++) {
        g_string_append(huge, "\u20ac");
    }
    shown = shown_text(huge->str);
    ck_assert_int_eq(g_utf8_strlen(shown, -1), 401);
    ck_assert(g_utf8_validate(shown, -1, NULL));
    g_free(shown);
    g_string_assign(huge, "");
    for (int i = 0; i < 65536; i++) {
        g_string_append_c(huge, '\n');
    }
    expect_text(shown_lines(huge->str), "");
    g_string_free(huge, TRUE);
    expect_text(duration_text(3723), "1:02:03");
    expect_text(duration_text(7), "0:07");
    expect_text(duration_text(-1), "0:00");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gui model");
    TCase *tc = tcase_create("model");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_starts_the_service_but_a_wish);
    tcase_add_test(tc, is_not_begun_twice);
    tcase_add_test(tc, can_be_called_off_before_it_began);
    tcase_add_test(tc, sessions_of_others_are_seen_and_ended);
    tcase_add_test(tc, states_are_as_the_service_tells);
    tcase_add_test(tc, a_first_connection_is_written_when_it_works);
    tcase_add_test(tc, a_first_connection_that_fails_leaves_nothing);
    tcase_add_test(tc, a_first_connection_can_be_cancelled);
    tcase_add_test(tc, a_failure_is_told_until_it_is_dismissed);
    tcase_add_test(tc, a_failure_ends_when_its_connection_works);
    tcase_add_test(tc, a_report_has_what_helps_and_no_secret);
    tcase_add_test(tc, a_trace_is_in_the_order_of_time);
    tcase_add_test(tc, a_refusal_is_a_failure);
    tcase_add_test(tc, an_older_service_is_asked_once_more);
    tcase_add_test(tc, an_older_service_is_not_asked_for_what_was_called_off);
    tcase_add_loop_test(tc, traffic_is_stopped_while_it_reconnects, 0, 3);
    tcase_add_test(tc, a_profile_that_cannot_be_used_says_why);
    tcase_add_test(tc, a_service_that_dies_takes_its_sessions_along);
    tcase_add_test(tc, a_bus_that_ends_is_looked_for_again);
    tcase_add_test(tc, another_version_is_told);
    tcase_add_test(tc, what_holds_traffic_outlasts_the_service);
    tcase_add_test(tc, five_hundred_changes_end_in_the_truth);
    tcase_add_test(tc, texts_of_strangers_are_harmless);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
