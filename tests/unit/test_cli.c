/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profile/profile.h"
#include "unit/program.h"
#include "vectors.h"

/* Exit codes of godwit(1). */
enum { USAGE = 2, PROFILE = 3, NOT_ROOT = 4, AUTH_FAILED = 15, SECRET_MISSING = 19 };

/* ---- the command line ---- */

START_TEST(help_and_version)
{
    static const char *const helped[] = {
        "connect",       "status",        "cleanup",      "list",           "profile show",
        "profile check", "profile add",   "profile edit", "profile delete", "disconnect",
        "log",           "killswitch on", "portal"};

    program_expect("", "--version", 0, PACKAGE_STRING, NULL);
    program_expect("", "--help", 0, "connect to a gateway", NULL);
    program_expect("", "profile --help", 0, "profile check PROFILE", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(helped); i++) {
        char *words = g_strdup_printf("%s --help", helped[i]);
        char *usage = g_strdup_printf("Usage: godwit %s", helped[i]);

        program_expect("", words, 0, usage, NULL);
        g_free(usage);
        g_free(words);
    }
}
END_TEST

static const struct {
    const char *words;
    const char *err;
} wrong[] = {
    {"", "What is to be done? One of: connect, disconnect"},
    {"conect", "There is no command \"conect\". Did you mean \"connect\"?"},
    {"connect x --standalone --no-such-option", "Unknown option --no-such-option"},
    {"connect x --standalone --usr alice", "--usr (did you mean --user?)"},
    {"connect x --standalone --user", "--user"},
    {"connect x --standalone --name Home", "--name"},
    {"connect x y --standalone", "\"y\" is one word too many."},
    {"connect --standalone", "Which gateway?"},
    {"connect x --standalone --port 99999", "--port: \"99999\" is not between 1 and 65535"},
    {"connect x --standalone --auth magic", "--auth: \"magic\" is none of"},
    {"connect x --standalone --auth certificate", "certificate: missing"},
    {"connect --standalone --user alice", "gateway: missing"},
    {"connect 'a b' --standalone", "gateway: \"a b\": neither"},
    {"connect x --standalone --password sesame", "--password: secrets are not taken"},
    {"connect x --standalone --password=sesame", "--password: secrets are not taken"},
    {"connect x --standalone --psk sesame", "--psk: secrets are not taken"},
    {"connect x --standalone --private-key-password sesame", "secrets are not taken"},
    {"connect x --standalone --password-fd five", "--password-fd: a descriptor's number"},
    {"connect x --standalone --password-fd -1", "--password-fd: a descriptor's number"},
    {"status now then", "\"then\" is one word too many."},
    {"disconnect home --all", "exclude each other"},
    {"portal 601", "is not between 0 and 600"},
    {"killswitch on --except somewhere", "--except: \"somewhere\" is no network"},
    {"profile add new user", "\"user\" is no KEY=VALUE"},
    {"profile add new usr=alice", "unknown key \"usr\" (did you mean \"user\"?)"},
    {"profile add new gateway=x password=sesame", "password: secrets are not taken"},
    {"profile add new user=alice", "gateway: missing"},
    {"status --user alice", "Unknown option --user"},
    {"profile", "What is to be done? One of: list, show"},
    {"profile show", "godwit profile show PROFILE"},
    {"profile chek", "There is no action \"chek\". Did you mean \"check\"?"},
};

START_TEST(wrong_command_line)
{
    struct program_result result = program_run("end|internal|it ran", wrong[_i].words);
    int lines = 0;

    ck_assert_msg(result.code == USAGE, "exit code %d: %s", result.code, result.err);
    expect_contains(result.err, wrong[_i].err);
    expect_lacks(result.err, "sesame");
    expect_lacks(result.err, "it ran");
    ck_assert(g_str_has_prefix(result.err, "godwit: "));
    for (const char *c = result.err; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    ck_assert_msg(lines == 2, "one sentence and a hint are wanted: %s", result.err);
    program_clear(&result);
}
END_TEST

START_TEST(missing_authority_file)
{
    program_expect("", "connect x --standalone --ca /nonexistent/ca.pem", PROFILE, NULL,
                   "--ca: \"/nonexistent/ca.pem\" cannot be read");
}
END_TEST

/* ---- connecting ---- */

#define SCRIPT                                                                                     \
    "phase|init|;phase|gateway-answered|aes256gcm16-prfsha384-x25519;trace|IKE_SA_INIT SA KE|1;"   \
    "trace|IKE_SA_INIT SA KE|1|again;connect|split;"

START_TEST(progress_and_summary)
{
    struct program_result result =
        program_run(SCRIPT "end|user|", "connect vpn.example.org --standalone");

    ck_assert_int_eq(result.code, 0);
    expect_contains(result.out, " ms  Contacting the gateway\n");
    expect_contains(result.out, " ms  Gateway answered: aes256gcm16-prfsha384-x25519\n");
    expect_contains(result.out, "\nConnected to vpn.example.org in ");
    expect_contains(result.out,
                    "Gateway    192.0.2.1:4500, vpn.example.org, ECDSA with SHA2-256\n");
    expect_contains(result.out, "User       alice, EAP-MSCHAPv2\n");
    expect_contains(result.out, "Addresses  10.1.0.5/32, 2001:db8::5/128\n");
    expect_contains(result.out, "DNS        10.99.0.1 for corp.example (/etc/resolv.conf)\n");
    expect_contains(result.out, "Routes     10.0.0.0/24, 10.0.1.0/24");
    expect_contains(result.out, " and 2 more\n");
    expect_contains(result.out, "IKE        aes256gcm16-prfsha384-x25519\n");
    expect_contains(result.out, "ESP        aes256gcm16\n");
    expect_contains(result.out, "Interface  godwit0, MTU 1422\n");
    expect_contains(result.out, "  | Welcome.\n  | Be good.\n");
    expect_contains(result.out, "Disconnected.\n");
    /* No colour in a pipe, and what the gateway says cannot bring its own. */
    expect_lacks(result.out, "\033");
    expect_contains(result.out, "Software   evil?[2J\n");
    ck_assert_str_eq(result.err, "");
    program_clear(&result);

    program_expect("connect|full;end|user|", "connect vpn.example.org --standalone", 0,
                   "Routes     all IPv4 and IPv6 traffic\n", NULL);
}
END_TEST

START_TEST(connected_again)
{
    struct program_result result =
        program_run("connect|full;phase|reconnecting|The gateway stopped answering.;"
                    "connect|again;phase|redirected|192.0.2.9;end|user|",
                    "connect vpn.example.org --standalone");

    expect_contains(result.out, " ms  Reconnecting: The gateway stopped answering.\n");
    expect_contains(result.out, " ms  Connected again: 192.0.2.1:4500, vpn.example.org, ECDSA with "
                                "SHA2-256; 10.1.0.5/32, 2001:db8::5/128\n");
    expect_contains(result.out, " ms  Redirected: 192.0.2.9\n");
    program_clear(&result);
}
END_TEST

START_TEST(trace_goes_to_stderr)
{
    struct program_result result =
        program_run(SCRIPT "end|user|", "connect vpn.example.org --standalone --trace");

    expect_contains(result.err, " ms  -> IKE_SA_INIT SA KE\n");
    expect_contains(result.err, " ms  -> IKE_SA_INIT SA KE (again)\n");
    expect_lacks(result.out, "IKE_SA_INIT");
    program_clear(&result);
}
END_TEST

START_TEST(failure)
{
    struct program_result result =
        program_run("end|auth-failed|The gateway says: E=691", "connect x --standalone");

    ck_assert_int_eq(result.code, AUTH_FAILED);
    ck_assert_str_eq(result.err,
                     "godwit: The gateway refused the credentials. The gateway says: E=691\n"
                     "Hint: Check user name and password, or the certificate or key.\n");
    expect_contains(result.out, "There is no profile \"x\"; taking it for the gateway's name.\n");
    program_clear(&result);
}
END_TEST

/* What reaches the session is the profile, with the options on top. */
START_TEST(options_override_the_profile)
{
    char *conf = program_folder("home.conf"), *seen = program_folder("seen.conf"), *words;
    struct profile *profile;

    ck_assert(g_file_set_contents(conf,
                                  "[godwit]\ngateway=vpn.example.org\nuser=alice\nport=4500\n"
                                  "legacy=yes\ndns=all\n",
                                  -1, NULL));
    g_setenv("FAKE_PROFILE", seen, TRUE);
    words = g_strdup_printf("connect %s --standalone --user bob --no-legacy --rsa-pss --dns=off "
                            "--request-ipv6 false --trace",
                            conf);
    program_expect("end|user|", words, 0, NULL, NULL);
    g_unsetenv("FAKE_PROFILE");
    profile = profile_load(seen, NULL);
    ck_assert_ptr_nonnull(profile);
    ck_assert_str_eq(profile_get(profile, "gateway"), "vpn.example.org");
    ck_assert_str_eq(profile_get(profile, "user"), "bob");
    ck_assert_uint_eq(profile_get_uint(profile, "port"), 4500);
    ck_assert(!profile_get_bool(profile, "legacy"));
    ck_assert(profile_get_bool(profile, "rsa-pss"));
    ck_assert_str_eq(profile_get(profile, "dns"), "off");
    ck_assert(!profile_get_bool(profile, "request-ipv6"));
    profile_free(profile);
    g_free(words);
    g_free(seen);
    g_free(conf);
}
END_TEST

START_TEST(switch_before_the_gateway)
{
    program_expect("connect|full;end|user|", "connect --legacy vpn.example.org --standalone", 0,
                   "Connected to vpn.example.org in ", NULL);
    program_expect("connect|full;end|user|", "connect --standalone --gateway vpn.example.org", 0,
                   "Connected to vpn.example.org in ", NULL);
}
END_TEST

START_TEST(bad_profiles)
{
    char *conf = program_folder("bad.conf"),
         *words = g_strdup_printf("connect %s --standalone", conf);
    char *want = g_strdup_printf("%s:2: unknown key \"gatway\" (did you mean \"gateway\"?)", conf);

    program_expect("", words, PROFILE, NULL, "cannot be read");
    ck_assert(g_file_set_contents(conf, "[godwit]\ngatway=x\n", -1, NULL));
    program_expect("", words, PROFILE, NULL, want);
    g_free(want);
    want = g_strdup_printf("%s: gateway: missing", conf);
    ck_assert(g_file_set_contents(conf, "[godwit]\nuser=x\n", -1, NULL));
    program_expect("", words, PROFILE, NULL, want);
    g_free(want);
    g_free(words);
    g_free(conf);
}
END_TEST

/* Before anything else happens: the profile does not exist either. */
START_TEST(not_root)
{
    char *path = program_path();
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        /* Opened while still allowed to look into the build folder. */
        int fd = open(path, O_PATH);
        char *const argv[] = {(char *)"godwit", (char *)"connect", (char *)"/nonexistent.conf",
                              (char *)"--standalone", NULL};

        if (fd < 0 || setgid(65534) != 0 || setuid(65534) != 0 ||
            freopen("/dev/null", "w", stderr) == NULL) {
            _exit(126);
        }
        fexecve(fd, argv, environ);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), NOT_ROOT);
    g_free(path);
}
END_TEST

/* ---- secrets ---- */

static void expect_values(const char *want)
{
    char *path = program_folder("values"), *text;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, want);
    ck_assert_int_eq(g_remove(path), 0);
    g_free(text);
    g_free(path);
}

START_TEST(secrets_from_descriptors)
{
    char *seen = program_folder("seen.conf");
    struct program_result result;
    struct profile *profile;

    g_setenv("FAKE_PROFILE", seen, TRUE);
    result = program_run_shell("end|user|",
                               "connect x --standalone --auth psk --password-fd 3 --psk-fd 3 "
                               "3<<END\ns\xc3\xa9same \r\nthe second\nmore\nEND\n");
    g_unsetenv("FAKE_PROFILE");
    ck_assert_msg(result.code == 0, "%s", result.err);
    profile = profile_load(seen, NULL);
    ck_assert_octets(profile_get_bytes(profile, "password"), bytes_of_string("s\xc3\xa9same "));
    ck_assert_octets(profile_get_bytes(profile, "psk"), bytes_of_string("the second"));
    profile_free(profile);
    program_clear(&result);

    result = program_run_shell("", "connect x --standalone --password-fd 3 3</dev/null");
    ck_assert_int_eq(result.code, SECRET_MISSING);
    expect_contains(result.err, "--password-fd 3: that descriptor holds nothing");
    program_clear(&result);
    result = program_run_shell("", "connect x --standalone --password-fd 77");
    ck_assert_int_eq(result.code, SECRET_MISSING);
    expect_contains(result.err, "--password-fd 77: that descriptor is not open");
    program_clear(&result);
    result = program_run_shell("", "connect x --standalone --password-fd 3 3</dev/zero");
    ck_assert_int_eq(result.code, SECRET_MISSING);
    expect_contains(result.err, "longer than 4095");
    program_clear(&result);
    g_free(seen);
}
END_TEST

START_TEST(nobody_to_ask)
{
    char *path = program_path();
    char *line = g_strdup_printf("/usr/bin/setsid --wait %s connect x --standalone", path);
    char **argv;
    int status;

    ck_assert(g_shell_parse_argv(line, NULL, &argv, NULL));
    g_setenv("FAKE", "ask|password|Password|", TRUE);
    ck_assert(g_spawn_sync(NULL, argv, NULL,
                           G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                           NULL, NULL, &status, NULL));
    ck_assert_int_eq(WEXITSTATUS(status), SECRET_MISSING);
    g_strfreev(argv);
    g_free(line);
    g_free(path);
}
END_TEST

/* ---- on a terminal ---- */

static const char *const connect_x[] = {"godwit", "connect", "x", "--standalone", NULL};

START_TEST(asked_on_the_terminal)
{
    struct terminal t = terminal_start("ask|user|User name|;ask|password|Password|Say\033 friend;"
                                       "connect|full;wait",
                                       connect_x);

    terminal_await(&t, "User name: ");
    ck_assert(terminal_echoes(&t));
    terminal_type(&t, "alice\n");
    terminal_await(&t, "Say? friend\r\nPassword: ");
    expect_values("user=alice\n");
    ck_assert(!terminal_echoes(&t));
    /* An empty line is a slip. */
    terminal_type(&t, "\n");
    terminal_await(&t, "Password: \r\nPassword: ");
    terminal_type(&t, "s\xc3\xa9same\n");
    terminal_await(&t, "Interface");
    expect_values("password=s\xc3\xa9same\n");
    ck_assert(terminal_echoes(&t));
    expect_lacks(t.shown->str, "same");
    expect_contains(t.shown->str, "\nConnected to \033[1mx\033[0m in ");
    terminal_type(&t, "\003");
    terminal_await(&t, "Disconnected.");
    ck_assert_int_eq(terminal_end(&t), 0);
}
END_TEST

START_TEST(interrupted_question)
{
    struct terminal t = terminal_start("ask|password|Password|", connect_x);

    terminal_await(&t, "Password: ");
    ck_assert(!terminal_echoes(&t));
    terminal_type(&t, "\003");
    terminal_await(&t, "Disconnected.");
    ck_assert(terminal_echoes(&t));
    ck_assert_int_eq(terminal_end(&t), 0);

    /* Ctrl-D: nothing to say. */
    t = terminal_start("ask|password|Password|", connect_x);
    terminal_await(&t, "Password: ");
    terminal_type(&t, "\004");
    terminal_await(&t, "A password is needed");
    ck_assert(terminal_echoes(&t));
    ck_assert_int_eq(terminal_end(&t), SECRET_MISSING);
}
END_TEST

START_TEST(signals_disconnect)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
        struct terminal t = terminal_start("connect|full;wait", connect_x);

        terminal_await(&t, "Interface");
        ck_assert_int_eq(kill(t.pid, signals[i]), 0);
        terminal_await(&t, "Disconnected.");
        ck_assert_int_eq(terminal_end(&t), 0);
    }
}
END_TEST

START_TEST(second_interrupt)
{
    struct terminal t = terminal_start("connect|full;stubborn", connect_x);

    terminal_await(&t, "Interface");
    terminal_type(&t, "\003");
    terminal_await(&t, "Disconnecting");
    terminal_type(&t, "\003");
    terminal_await(&t, "Disconnected.");
    ck_assert_int_eq(terminal_end(&t), 0);
}
END_TEST

START_TEST(no_colour_on_request)
{
    struct terminal t;

    g_setenv("NO_COLOR", "1", TRUE);
    t = terminal_start("connect|full;end|user|", connect_x);
    g_unsetenv("NO_COLOR");
    terminal_await(&t, "Disconnected.");
    expect_lacks(t.shown->str, "\033");
    ck_assert_int_eq(terminal_end(&t), 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, help_and_version);
    /* --standalone is refused to everybody else before anything happens. */
    if (geteuid() != 0) {
        fputs("not root: connections are not tested\n", stderr);
        return;
    }
    tcase_add_loop_test(tests, wrong_command_line, 0, G_N_ELEMENTS(wrong));
    tcase_add_test(tests, missing_authority_file);
    tcase_add_test(tests, progress_and_summary);
    tcase_add_test(tests, connected_again);
    tcase_add_test(tests, trace_goes_to_stderr);
    tcase_add_test(tests, failure);
    tcase_add_test(tests, options_override_the_profile);
    tcase_add_test(tests, switch_before_the_gateway);
    tcase_add_test(tests, bad_profiles);
    tcase_add_test(tests, not_root);
    tcase_add_test(tests, secrets_from_descriptors);
    tcase_add_test(tests, nobody_to_ask);
    tcase_add_test(tests, asked_on_the_terminal);
    tcase_add_test(tests, interrupted_question);
    tcase_add_test(tests, signals_disconnect);
    tcase_add_test(tests, second_interrupt);
    tcase_add_test(tests, no_colour_on_request);
}

int main(void)
{
    return program_suite("cli", add_tests);
}
