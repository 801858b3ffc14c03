/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "unit/program.h"
#include "vectors.h"

/* Exit codes of godwit(1). */
enum {
    PROFILE = 3,
    AUTH_FAILED = 15,
    SECRET_MISSING = 19,
    UNAVAILABLE = 29,
    REFUSED = 30,
    NOT_AUTHORIZED = 31,
    NOT_FOUND = 32,
};

/* ---- the bus ---- */

static GTestDBus *bus;

/* What the service was asked; "" = nothing. */
static char *calls(void)
{
    char *text;

    return g_file_get_contents(g_getenv("FAKE_CALLS"), &text, NULL, NULL) ? text : g_strdup("");
}

/* A bus that starts the service when it is needed. */
static void bus_up(void)
{
    char *folder = program_folder("services");
    char *file = program_folder("services/org.godwit.VPN1.service");
    char *text = g_strdup_printf("[D-BUS Service]\nName=org.godwit.VPN1\n"
                                 "Exec=%s/tests/unit/fake_service\n",
                                 TOP_BUILDDIR);

    ck_assert_int_eq(g_mkdir_with_parents(folder, 0700), 0);
    ck_assert(g_file_set_contents(file, text, -1, NULL));
    (void)g_remove(g_getenv("FAKE_CALLS"));
    bus = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_add_service_dir(bus, folder);
    g_test_dbus_up(bus);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(bus), TRUE);
    g_free(text);
    g_free(file);
    g_free(folder);
}

static void bus_down(void)
{
    g_test_dbus_down(bus);
    g_clear_object(&bus);
}

/* ---- connecting ---- */

#define SCRIPT                                                                                     \
    "phase|init|;phase|gateway-answered|aes256gcm16-prfsha384-x25519;trace|IKE_SA_INIT SA KE|1;"   \
    "trace|IKE_SA_INIT SA KE|1|again;connect|split;"

START_TEST(connects_and_returns)
{
    struct program_result result =
        program_run(SCRIPT "wait", "connect vpn.example.org --user alice");
    char *asked = calls();

    ck_assert_msg(result.code == 0, "%s", result.err);
    expect_contains(result.out, " ms  Looking up the gateway\n");
    expect_contains(result.out, " ms  Contacting the gateway\n");
    expect_contains(result.out, " ms  Gateway answered: aes256gcm16-prfsha384-x25519\n");
    expect_contains(result.out, "\nConnected to vpn.example.org in ");
    expect_contains(result.out,
                    "Gateway    192.0.2.1:4500, vpn.example.org, ECDSA with SHA2-256\n");
    expect_contains(result.out, "Software   evil?[2J\n");
    expect_contains(result.out, "User       alice, EAP-MSCHAPv2\n");
    expect_contains(result.out, "Addresses  10.1.0.5/32, 2001:db8::5/128\n");
    expect_contains(result.out, "DNS        10.99.0.1 for corp.example (/etc/resolv.conf)\n");
    expect_contains(result.out, "Routes     10.0.0.0/24, 10.0.1.0/24");
    expect_contains(result.out, " and 2 more\n");
    expect_contains(result.out, "Interface  godwit0, MTU 1422\n");
    expect_contains(result.out, "  | Welcome.\n  | Be good.\n");
    expect_contains(result.out, "\ngodwit disconnect vpn.example.org ends it.\n");
    ck_assert_str_eq(result.err, "");
    program_clear(&result);
    /* It is asked once, and for nothing that nobody wanted. */
    expect_contains(asked, "Connect ('vpn.example.org', {'gateway': <'vpn.example.org'>, 'user': "
                           "<'alice'>}, {'origin': <'cli'>, 'once': <true>, 'listen': <true>, "
                           "'language': <'C.UTF-8'>})\n");
    ck_assert_ptr_eq(strchr(asked, '\n') + 1, asked + strlen(asked));
    g_free(asked);

    /* Once more would be a second tunnel beside it. */
    program_expect("connect|full;wait", "connect vpn.example.org", REFUSED, NULL,
                   "\"vpn.example.org\" is connected, or about to be; godwit disconnect ends it.");
    program_expect("", "status --names", 0, "vpn.example.org\n", NULL);
    program_expect("", "disconnect vpn.example.org", 0, "Disconnected vpn.example.org.\n", NULL);
    program_expect("", "status", 0, "Nothing is connected.\n", NULL);
}
END_TEST

/* What is printed does not tell who makes the connection. */
START_TEST(prints_what_standalone_prints)
{
    static const char fake[] = "traced;" SCRIPT "phase|reconnecting|The gateway stopped answering.;"
                               "connect|again;phase|redirected|192.0.2.9;end|user|";
    struct program_result remote, own;
    char *first, *second;
    GRegex *times = g_regex_new(" *[0-9]+\\.[0-9] ms|in [0-9]+ ms", 0, 0, NULL);

    if (geteuid() != 0) {
        return;
    }
    remote = program_run(fake, "connect vpn.example.org --foreground --trace");
    own = program_run("phase|resolve|;" SCRIPT "phase|reconnecting|The gateway stopped answering.;"
                      "connect|again;phase|redirected|192.0.2.9;end|user|",
                      "connect vpn.example.org --standalone --trace");
    first = g_regex_replace(times, remote.out, -1, 0, "T", 0, NULL);
    second = g_regex_replace(times, own.out, -1, 0, "T", 0, NULL);
    ck_assert_str_eq(first, second);
    expect_contains(first, "Connected again: ");
    g_free(first);
    g_free(second);
    first = g_regex_replace(times, remote.err, -1, 0, "T", 0, NULL);
    second = g_regex_replace(times, own.err, -1, 0, "T", 0, NULL);
    ck_assert_str_eq(first, second);
    expect_contains(first, "-> IKE_SA_INIT SA KE (again)\n");
    ck_assert_int_eq(remote.code, own.code);
    g_free(first);
    g_free(second);
    program_clear(&remote);
    program_clear(&own);
    g_regex_unref(times);
}
END_TEST

START_TEST(failure)
{
    struct program_result result =
        program_run("phase|init|;end|auth-failed|The gateway says: E=691", "connect x");

    ck_assert_int_eq(result.code, AUTH_FAILED);
    ck_assert_str_eq(result.err,
                     "godwit: The gateway refused the credentials. The gateway says: E=691\n"
                     "Hint: Check user name and password, or the certificate or key.\n");
    expect_contains(result.out, "There is no profile \"x\"; taking it for the gateway's name.\n");
    program_clear(&result);
    /* A reason that only a newer service knows. */
    program_expect("end|moon-phase|", "connect x", 1, NULL, "A sentence of the service.");
}
END_TEST

static const struct {
    const char *script;
    int code;
    const char *err;
} refusals[] = {
    {"refuse|NotAuthorized|polkit does not allow connect.", NOT_AUTHORIZED,
     "godwit: You are not allowed to do that. polkit does not allow connect.\n"
     "Hint: Use sudo, or ask this computer's administrator.\n"},
    {"refuse|InvalidProfile|gateway: missing", PROFILE,
     "godwit: The profile cannot be used. gateway: missing\n"},
    {"refuse|TooMany|You have 16 connections already.", REFUSED,
     "godwit: The system service does not do that now. You have 16 connections already.\n"},
    {"refuse|Busy|The TUN device cannot be opened.", REFUSED, "does not do that now. The TUN"},
    {"refuse|NoTun|The TUN device cannot be opened.", 5,
     "godwit: The TUN device cannot be opened.\nHint: Load the kernel module"},
    {"die", UNAVAILABLE,
     "godwit: The system service godwitd is not available. It ended meanwhile.\n"},
    {"connect|full;wait;", 0, ""},
    {"old;connect|full;wait;", 0, ""},
};

START_TEST(what_the_service_refuses)
{
    program_expect(refusals[_i].script, "connect vpn.example.org", refusals[_i].code, NULL,
                   *refusals[_i].err == '\0' ? NULL : refusals[_i].err);
}
END_TEST

START_TEST(no_service)
{
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
    program_expect("", "connect vpn.example.org", UNAVAILABLE, NULL,
                   "godwit: The system service godwitd is not available. There is no system bus: ");
    program_expect("", "killswitch status", UNAVAILABLE, NULL,
                   "root can connect with --standalone.\n");
    program_expect("", "status", 0, "Nothing is connected.\n", NULL);
    program_expect("", "log", UNAVAILABLE, NULL, "There is no system bus");
}
END_TEST

/* A bus, but nobody on it, and nobody who could be started. */
START_TEST(nobody_on_the_bus)
{
    GTestDBus *bare = g_test_dbus_new(G_TEST_DBUS_NONE);

    g_test_dbus_up(bare);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(bare), TRUE);
    program_expect("", "connect vpn.example.org", UNAVAILABLE, NULL,
                   "was not provided by any .service");
    program_expect("", "status", 0, "Nothing is connected.\n", NULL);
    program_expect("", "disconnect --all", 0, "Nothing is connected.\n", NULL);
    g_test_dbus_down(bare);
    g_object_unref(bare);
}
END_TEST

/* Octets of what the user can read; the service opens no path. */
START_TEST(profile_as_octets)
{
    char *config = program_folder("config/godwit"),
         *path = program_folder("config/godwit/home.conf");
    char *ca = program_folder("config/godwit/ca.pem"), *asked;

    ck_assert_int_eq(g_mkdir_with_parents(config, 0700), 0);
    ck_assert(g_file_set_contents(ca, "PEM", -1, NULL));
    ck_assert(g_file_set_contents(
        path, "[godwit]\nname=At home\ngateway=vpn.example.org\nca=ca.pem\n", -1, NULL));
    program_expect("connect|full;wait", "connect home --legacy", 0,
                   "\ngodwit disconnect 'At home' ends it.\n", NULL);
    asked = calls();
    expect_contains(asked, "Connect ('At home', {");
    expect_contains(asked, "'ca': <[byte 0x50, 0x45, 0x4d]>");
    expect_contains(asked, "'legacy': <true>");
    g_free(asked);
    program_expect("", "list", 0, "  home    vpn.example.org, connected\n", NULL);
    /* The word that connected it names it too. */
    program_expect("", "status home --names", 0, "At home\n", NULL);
    program_expect("", "disconnect home", 0, "Disconnected At home.\n", NULL);
    ck_assert_int_eq(g_remove(path), 0);
    program_expect("", "connect config/home.conf", PROFILE, NULL, "cannot be read");
    g_free(ca);
    g_free(path);
    g_free(config);
}
END_TEST

START_TEST(system_profiles)
{
    struct program_result result;
    char *asked;

    program_expect("connect|full;wait", "list", 0,
                   "  broken  gateway: missing (this computer's)\n"
                   "  office  vpn.corp.example (this computer's)\n",
                   NULL);
    program_expect("", "list --names", 0, "broken\noffice\n", NULL);
    program_expect("", "profile show office", 0, "  tunnel   split\n", NULL);
    program_expect("", "profile check office", 0, "office can be used.\n", NULL);
    program_expect("", "profile check broken", PROFILE, NULL, "gateway: missing");
    program_expect("", "profile edit office --system mtu=1400 tunnel=", 0, "Changed;", NULL);
    program_expect("", "profile edit ofice --system mtu=1400", NOT_FOUND, NULL,
                   "This computer has no profile \"ofice\". Did you mean \"office\"?");
    program_expect("", "profile add office gateway=x.example --system", PROFILE, NULL,
                   "There is a profile of that name.");
    program_expect("", "profile add new gateway=x.example --system", 0, "Saved;", NULL);
    program_expect("", "profile add forbidden gateway=x.example --system", NOT_AUTHORIZED, NULL,
                   "polkit does not allow system-profiles.");
    program_expect("", "profile delete office --system", 0, "Deleted.", NULL);
    program_expect("", "profile delete nowhere --system", NOT_FOUND, NULL,
                   "no such system profile");
    g_setenv("EDITOR", "sed -i s/split/full/", TRUE);
    g_unsetenv("VISUAL");
    program_expect("", "profile edit office --system", 0, "Changed;", NULL);
    asked = calls();
    expect_contains(asked, "SaveSystemProfile ('office', {'gateway': <'vpn.corp.example'>, 'mtu': "
                           "<uint64 1400>}, true)\n");
    expect_contains(asked, "SaveSystemProfile ('new', {'gateway': <'x.example'>}, false)\n");
    expect_contains(asked,
                    "SaveSystemProfile ('office', {'gateway': <'vpn.corp.example'>, 'tunnel': "
                    "<'full'>}, true)\n");
    expect_contains(asked, "DeleteSystemProfile ('office',)\n");
    g_free(asked);
    result = program_run("", "list --json");
    expect_contains(result.out,
                    "{\"name\": \"office\", \"title\": \"office\", \"gateway\": "
                    "\"vpn.corp.example\", \"system\": true, \"error\": null, \"state\": "
                    "null}");
    program_clear(&result);
}
END_TEST

/* ---- secrets ---- */

static const char *const connect_x[] = {"godwit", "connect", "x.example", NULL};
static const char *const connect_foreground[] = {"godwit", "connect", "x.example", "--foreground",
                                                 NULL};

START_TEST(asked_on_the_terminal)
{
    struct terminal t = terminal_start(
        "ask|user|User name|;ask|password|Password|Say\033 friend;connect|full;wait", connect_x);
    char *asked;

    terminal_await(&t, "User name: ");
    ck_assert(terminal_echoes(&t));
    terminal_type(&t, "alice\n");
    terminal_await(&t, "Say? friend\r\nPassword: ");
    ck_assert(!terminal_echoes(&t));
    terminal_type(&t, "sesame\n");
    terminal_await(&t, "ends it.");
    expect_contains(t.shown->str, "\nConnected to \033[1mx.example\033[0m in ");
    ck_assert_int_eq(terminal_end(&t), 0);
    asked = calls();
    expect_contains(asked, "ProvideSecrets (uint32 1, {'user': [byte 0x61, ");
    expect_contains(asked, "ProvideSecrets (uint32 2, {'password': [byte 0x73, ");
    g_free(asked);
}
END_TEST

START_TEST(nobody_to_ask)
{
    char *line = g_strdup_printf("-c 'setsid --wait %s/tests/unit/godwit_fake connect x.example'",
                                 TOP_BUILDDIR);
    struct program_result result = program_run_shell("ask|password|Password|", "--version");

    ck_assert_int_eq(result.code, 0);
    program_clear(&result);
    {
        char *shell = g_strdup_printf("/bin/sh %s", line);
        int status;

        ck_assert(g_spawn_command_line_sync(shell, NULL, &result.err, &status, NULL));
        ck_assert_int_eq(g_spawn_check_wait_status(status, NULL), FALSE);
        expect_contains(result.err, "A password is needed and none was given.");
        g_free(result.err);
        g_free(shell);
    }
    g_free(line);
}
END_TEST

START_TEST(interrupted)
{
    struct terminal t = terminal_start("phase|init|;wait", connect_x);

    /* Before it is up: it is given up. */
    terminal_await(&t, "Contacting");
    terminal_type(&t, "\003");
    terminal_await(&t, "Disconnected.");
    ck_assert_int_eq(terminal_end(&t), 0);
    program_expect("", "status", 0, "Nothing is connected.\n", NULL);

    t = terminal_start("ask|password|Password|", connect_x);
    terminal_await(&t, "Password: ");
    terminal_type(&t, "\003");
    terminal_await(&t, "Disconnected.");
    ck_assert(terminal_echoes(&t));
    ck_assert_int_eq(terminal_end(&t), 0);

    t = terminal_start("connect|full;stubborn", connect_foreground);
    terminal_await(&t, "Interface");
    expect_lacks(t.shown->str, "ends it");
    terminal_type(&t, "\003");
    terminal_await(&t, "Disconnecting");
    terminal_type(&t, "\003");
    terminal_await(&t, "Disconnected.");
    ck_assert_int_eq(terminal_end(&t), 0);
}
END_TEST

START_TEST(foreground_is_bound)
{
    struct terminal t = terminal_start("connect|full;wait", connect_foreground);
    char *asked;

    terminal_await(&t, "Interface");
    asked = calls();
    expect_contains(asked, "'bound': <true>");
    g_free(asked);
    program_expect("connect|full;wait", "disconnect", 0, "Disconnected x.example.\n", NULL);
    terminal_await(&t, "Disconnected.");
    ck_assert_int_eq(terminal_end(&t), 0);
}
END_TEST

/* ---- what is connected ---- */

static void connect_one(const char *script, const char *words)
{
    struct program_result result = program_run(script, words);

    ck_assert_msg(result.code == 0, "%s%s", result.out, result.err);
    program_clear(&result);
}

START_TEST(what_is_connected)
{
    JsonParser *parser = json_parser_new();
    struct program_result result;
    JsonObject *first;

    connect_one("connect|full;wait", "connect home.example");
    connect_one("connect|split;phase|reconnecting|The gateway stopped answering.;wait",
                "connect office");
    program_expect("wait", "connect office", REFUSED, NULL, "\"office\" is connected, or");
    g_setenv("FAKE_RECORDS", "lab", TRUE);
    result = program_run("", "status");
    expect_contains(result.out, "home.example\n  Gateway    vpn.example.org (192.0.2.1:4500)\n"
                                "  Addresses  10.1.0.5/32, 2001:db8::5/128\n"
                                "  DNS        10.99.0.1 for corp.example (/etc/resolv.conf)\n"
                                "  Interface  godwit0\n  Begun by   tray\n");
    expect_contains(result.out,
                    "office\n  State      reconnecting: The gateway stopped answering.\n");
    expect_contains(result.out, "\nThere are 2 connections of other users.\n");
    /* Its record has the interface of one that the service has told of. */
    expect_lacks(result.out, "lab");
    program_clear(&result);
    result = program_run("", "status office --json");
    ck_assert(json_parser_load_from_data(parser, result.out, -1, NULL));
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(json_parser_get_root(parser))), 1);
    first = json_array_get_object_element(json_node_get_array(json_parser_get_root(parser)), 0);
    ck_assert_str_eq(json_object_get_string_member(first, "state"), "reconnecting");
    ck_assert_str_eq(json_object_get_string_member(first, "system-profile"), "office");
    ck_assert_int_eq(
        json_object_get_int_member(json_object_get_object_member(first, "received"), "octets"),
        1234567);
    program_clear(&result);
    program_expect("", "status offce", NOT_FOUND, NULL,
                   "There is no connection \"offce\". Did you mean \"office\"?");
    program_expect("", "disconnect", 2, NULL, "There are 2 connections: name some, or use --all.");
    program_expect("", "disconnect home", NOT_FOUND, NULL, "There is no connection \"home\".");
    program_expect("", "disconnect godwit0", 0, "Disconnected home.example.\n", NULL);
    program_expect("", "disconnect --all", 0, "Disconnected office.\n", NULL);
    g_unsetenv("FAKE_RECORDS");
    g_object_unref(parser);
}
END_TEST

static const char *const connect_card[] = {"godwit", "connect", "card", NULL};

/* Of several on a token, in the profile if that is wanted. */
START_TEST(chosen_certificate)
{
    static const char script[] = "choose|Which one?|CN=alice|until 2030;connect|full;wait";
    char *config = program_folder("config/godwit"),
         *path = program_folder("config/godwit/card.conf"), *kept;
    struct terminal t;

    ck_assert_int_eq(g_mkdir_with_parents(config, 0700), 0);
    ck_assert(g_file_set_contents(path,
                                  "[godwit]\ngateway=vpn.example.org\nauth=certificate\n"
                                  "certificate=pkcs11:token=Card\n",
                                  -1, NULL));
    for (guint i = 0; i < 2; i++) {
        t = terminal_start(script, connect_card);
        terminal_await(&t, "  1  CN=alice");
        terminal_await(&t, ", 1 to 2: ");
        terminal_type(&t, "1\n");
        terminal_await(&t, "Remember my choice? yes or no: ");
        terminal_type(&t, i == 0 ? "no\n" : "maybe\nyes\n");
        terminal_await(&t, "ends it.");
        ck_assert_int_eq(terminal_end(&t), 0);
        ck_assert(g_file_get_contents(path, &kept, NULL, NULL));
        ck_assert_int_eq(strstr(kept, "certificate=pkcs11:token=Card\n") != NULL, i == 0);
        g_free(kept);
        program_expect("", "disconnect card", 0, "Disconnected card.\n", NULL);
    }
    ck_assert_int_eq(g_remove(path), 0);
    g_free(path);
    g_free(config);
}
END_TEST

static const char *const answer_home[] = {"godwit", "answer", NULL};

START_TEST(answered_later)
{
    struct program_result result = {0};
    struct terminal t;
    char *asked;

    program_expect("", "answer", NOT_FOUND, NULL, "Nothing is asked.");
    connect_one("connect|full;ask|password|Password|Once more;wait", "connect home.example");
    /* It asks a moment after godwit connect has returned. */
    do {
        program_clear(&result);
        result = program_run("", "status");
    } while (strstr(result.out, "Asks for   Password\n") == NULL);
    program_clear(&result);
    t = terminal_start("", answer_home);
    terminal_await(&t, "Once more\r\nPassword: ");
    ck_assert(!terminal_echoes(&t));
    terminal_type(&t, "sesame\n");
    ck_assert_int_eq(terminal_end(&t), 0);
    asked = calls();
    expect_contains(asked, "ProvideSecrets (uint32 1, {'password': [byte 0x73, ");
    g_free(asked);
    program_expect("", "answer home.example", NOT_FOUND, NULL, "Nothing is asked.");
}
END_TEST

static const char *const watch_home[] = {"godwit", "status", "home.example", "--watch", NULL};

START_TEST(watched_until_it_ends)
{
    struct terminal t;
    struct program_result result;

    connect_one("connect|full;traffic;wait", "connect home.example");
    t = terminal_start("", watch_home);
    terminal_await(&t, "Received");
    terminal_await(&t, "kB/s (1.2\xc2\xa0MB in 1000 packets)");
    result = program_run("", "disconnect");
    program_clear(&result);
    terminal_await(&t, "Disconnected.");
    ck_assert_int_eq(terminal_end(&t), 0);
    /* It went without a word. */
    connect_one("connect|full;ask|password|Password|;vanish", "connect home.example");
    t = terminal_start("", watch_home);
    terminal_await(&t, "Asks for");
    program_expect("", "status", 0, "  Asks for   Password\n", NULL);
    ck_assert_int_eq(kill(t.pid, SIGINT), 0);
    ck_assert_int_eq(terminal_end(&t), 1000 + SIGINT);
}
END_TEST

START_TEST(log_of_a_connection)
{
    struct program_result result;

    program_expect("", "log", NOT_FOUND, NULL, "Nothing is connected.");
    connect_one(SCRIPT "wait", "connect home.example --trace");
    result = program_run("", "log");
    ck_assert_int_eq(result.code, 0);
    expect_contains(result.out, "  Looking up the gateway\n");
    expect_contains(result.out, "  Gateway answered: aes256gcm16-prfsha384-x25519\n");
    expect_lacks(result.out, "IKE_SA_INIT");
    program_clear(&result);
}
END_TEST

START_TEST(log_followed_to_the_end)
{
    static const char *const follow[] = {"godwit",   "log",     "home.example",
                                         "--follow", "--trace", NULL};
    struct terminal t;

    connect_one("connect|full;traced;trace|IKE_SA_INIT SA KE|1;wait;", "connect home.example");
    t = terminal_start("", follow);
    terminal_await(&t, "Looking up the gateway");
    terminal_await(&t, "-> IKE_SA_INIT SA KE");
    program_expect("", "disconnect", 0, "Disconnected home.example.\n", NULL);
    terminal_await(&t, "Disconnected.");
    ck_assert_int_eq(terminal_end(&t), 0);
}
END_TEST

/* ---- the kill switch ---- */

START_TEST(kill_switch)
{
    char *asked;

    program_expect("", "killswitch status", 0, "Traffic may leave when nothing is connected.\n",
                   NULL);
    program_expect("", "killswitch on --except '192.168.1.0/24, 2001:db8::/32'", 0,
                   "Traffic is held while nothing is connected.\n", NULL);
    program_expect("", "status", 0,
                   "Nothing is connected.\nTraffic is held while nothing is connected.\n"
                   "If that is not wanted: godwit killswitch off\n",
                   NULL);
    program_expect("", "portal", 0, "may leave for 300 seconds", NULL);
    program_expect("", "killswitch status", 0, "Excepted: 192.168.1.0/24, 2001:db8::/32\nA captive",
                   NULL);
    program_expect("", "portal 0", 0, "held again", NULL);
    program_expect("", "killswitch off", 0, "Traffic may leave", NULL);
    asked = calls();
    expect_contains(asked, "SetKillSwitch (true, ['192.168.1.0/24', '2001:db8::/32'])\n");
    expect_contains(asked, "AllowPortal (uint32 300,)\n");
    expect_contains(asked, "SetKillSwitch (false, @as [])\n");
    g_free(asked);
}
END_TEST

START_TEST(doctor)
{
    struct program_result result = program_run("", "doctor office");

    ck_assert_int_eq(result.code, 1);
    expect_contains(result.out, "ok  System service: godwitd 0.1.0 answers.\n");
    expect_contains(result.out, "ok  Kill switch: traffic may leave when nothing is connected.\n");
    expect_contains(result.out,
                    "problem  Network: there is a captive portal. Sign in with a browser;");
    expect_contains(result.out, "problem  polkit: it is not there. Install polkitd:");
    /* The profile is the service's. */
    expect_contains(result.out, "Gateway's name: vpn.corp.example");
    program_clear(&result);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, bus_up, bus_down);
    tcase_add_test(tests, connects_and_returns);
    tcase_add_test(tests, prints_what_standalone_prints);
    tcase_add_test(tests, failure);
    tcase_add_loop_test(tests, what_the_service_refuses, 0, G_N_ELEMENTS(refusals));
    tcase_add_test(tests, no_service);
    tcase_add_test(tests, nobody_on_the_bus);
    tcase_add_test(tests, profile_as_octets);
    tcase_add_test(tests, system_profiles);
    tcase_add_test(tests, asked_on_the_terminal);
    tcase_add_test(tests, nobody_to_ask);
    tcase_add_test(tests, interrupted);
    tcase_add_test(tests, foreground_is_bound);
    tcase_add_test(tests, what_is_connected);
    tcase_add_test(tests, chosen_certificate);
    tcase_add_test(tests, answered_later);
    tcase_add_test(tests, watched_until_it_ends);
    tcase_add_test(tests, log_of_a_connection);
    tcase_add_test(tests, log_followed_to_the_end);
    tcase_add_test(tests, kill_switch);
    tcase_add_test(tests, doctor);
}

int main(void)
{
    return program_suite("cli_bus", add_tests);
}
