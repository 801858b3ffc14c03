/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profile/profile.h"
#include "vectors.h"

/* Exit codes of godwit(1). */
enum { USAGE = 2, PROFILE = 3, NOT_ROOT = 4, AUTH_FAILED = 15, SECRET_MISSING = 19 };

static char *folder; /* of the whole program: profiles, what the fake session wrote */

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static char *program(void)
{
    return g_build_filename(TOP_BUILDDIR, "tests/unit/godwit_fake", NULL);
}

/* ---- running it ---- */

struct result {
    int code;
    char *out, *err;
};

static void clear(struct result *result)
{
    g_free(result->out);
    g_free(result->err);
    *result = (struct result){0};
}

/* The words as the shell would split them; `fake` is what the session does. */
static struct result run(const char *fake, const char *words)
{
    char *line = g_strdup_printf("%s/tests/unit/godwit_fake %s", TOP_BUILDDIR, words);
    struct result result;
    GError *error = NULL;
    char **argv;
    int status;

    ck_assert(g_shell_parse_argv(line, NULL, &argv, NULL));
    g_setenv("FAKE", fake, TRUE);
    ck_assert_msg(g_spawn_sync(NULL, argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL,
                               &result.out, &result.err, &status, &error),
                  "%s", error == NULL ? "?" : error->message);
    ck_assert_msg(WIFEXITED(status), "ended by signal %d: %s", WTERMSIG(status), result.err);
    result.code = WEXITSTATUS(status);
    g_strfreev(argv);
    g_free(line);
    return result;
}

/* The same through a shell, for descriptors. */
static struct result run_shell(const char *fake, const char *words)
{
    char *path = program();
    char *line = g_strdup_printf("%s %s", path, words);
    char *quoted = g_shell_quote(line);
    char *command = g_strdup_printf("/bin/sh -c %s", quoted);
    struct result result;
    char **argv;
    int status;

    ck_assert(g_shell_parse_argv(command, NULL, &argv, NULL));
    g_setenv("FAKE", fake, TRUE);
    ck_assert(g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &result.out, &result.err,
                           &status, NULL));
    result.code = WEXITSTATUS(status);
    g_strfreev(argv);
    g_free(command);
    g_free(quoted);
    g_free(line);
    g_free(path);
    return result;
}

#define expect_contains(text, part)                                                                \
    ck_assert_msg(strstr((text), (part)) != NULL, "no \"%s\" in: %s", (part), (text))
#define expect_lacks(text, part)                                                                   \
    ck_assert_msg(strstr((text), (part)) == NULL, "\"%s\" in: %s", (part), (text))

static void expect(const char *fake, const char *words, int code, const char *in_out,
                   const char *in_err)
{
    struct result result = run(fake, words);

    ck_assert_msg(result.code == code, "exit code %d, not %d: %s%s", result.code, code, result.out,
                  result.err);
    if (in_out != NULL) {
        expect_contains(result.out, in_out);
    }
    if (in_err != NULL) {
        expect_contains(result.err, in_err);
    } else {
        ck_assert_str_eq(result.err, "");
    }
    clear(&result);
}

/* ---- the command line ---- */

START_TEST(help_and_version)
{
    static const char *const helped[] = {"connect",      "status",       "cleanup",
                                         "profile list", "profile show", "profile check",
                                         "profile save"};

    expect("", "--version", 0, PACKAGE_STRING, NULL);
    expect("", "--help", 0, "connect to a gateway", NULL);
    expect("", "profile --help", 0, "profile check PROFILE", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(helped); i++) {
        char *words = g_strdup_printf("%s --help", helped[i]);
        char *usage = g_strdup_printf("Usage: godwit %s", helped[i]);

        expect("", words, 0, usage, NULL);
        g_free(usage);
        g_free(words);
    }
}
END_TEST

/* A key that is added to the table must show up wherever people look. */
START_TEST(every_key_has_an_option)
{
    struct result help = run("", "connect --help");
    char *conf, *manual;

    ck_assert(g_file_get_contents(TOP_BUILDDIR "/generated/godwit.conf.5", &conf, NULL, NULL));
    ck_assert(g_file_get_contents(TOP_BUILDDIR "/generated/godwit.1", &manual, NULL, NULL));
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        gboolean secret = key->type == PROFILE_SECRET;
        char *option = g_strdup_printf("--%s%s", key->name, secret ? "-fd N" : "");
        char *bare = g_strdup_printf("--%s\n", key->name);
        char **parts = g_strsplit(key->name, "-", -1);
        char *escaped = g_strjoinv("\\-", parts);
        char *term = g_strdup_printf("\n\\fB%s\\fR=", escaped);

        expect_contains(conf, term);
        if (secret || (key->flags & PROFILE_NO_OPTION) == 0) {
            expect_contains(help.out, option);
            expect_contains(manual, escaped);
        }
        if (secret) {
            expect_lacks(help.out, bare);
        }
        g_free(term);
        g_free(escaped);
        g_strfreev(parts);
        g_free(bare);
        g_free(option);
    }
    for (char *line = strtok(help.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ck_assert_msg(g_utf8_strlen(line, -1) <= 80, "too wide: %s", line);
    }
    g_free(conf);
    g_free(manual);
    clear(&help);
}
END_TEST

static const struct {
    const char *words;
    const char *err;
} wrong[] = {
    {"", "A command is missing."},
    {"conect", "There is no command \"conect\"."},
    {"connect x --standalone --no-such-option", "Unknown option --no-such-option"},
    {"connect x --standalone --usr alice", "--usr (did you mean --user?)"},
    {"connect x --standalone --user", "--user"},
    {"connect x --standalone --name Home", "--name"},
    {"connect x y --standalone", "\"y\" is one word too many."},
    {"connect --standalone", "Which gateway?"},
    {"connect x", "needs --standalone"},
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
    {"status now", "\"now\" is one word too many."},
    {"status --user alice", "Unknown option --user"},
    {"profile", "An action is missing"},
    {"profile show", "godwit profile show PROFILE"},
    {"profile frob", "An action is missing"},
};

START_TEST(wrong_command_line)
{
    struct result result = run("end|internal|it ran", wrong[_i].words);
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
    clear(&result);
}
END_TEST

START_TEST(missing_authority_file)
{
    expect("", "connect x --standalone --ca /nonexistent/ca.pem", PROFILE, NULL,
           "--ca: \"/nonexistent/ca.pem\" cannot be read");
}
END_TEST

/* ---- connecting ---- */

#define SCRIPT                                                                                     \
    "phase|init|;phase|gateway-answered|aes256gcm16-prfsha384-x25519;trace|IKE_SA_INIT SA KE|1;"   \
    "trace|IKE_SA_INIT SA KE|1|again;connect|split;"

START_TEST(progress_and_summary)
{
    struct result result = run(SCRIPT "end|user|", "connect vpn.example.org --standalone");

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
    clear(&result);

    expect("connect|full;end|user|", "connect vpn.example.org --standalone", 0,
           "Routes     all IPv4 and IPv6 traffic\n", NULL);
}
END_TEST

START_TEST(connected_again)
{
    struct result result = run("connect|full;phase|reconnecting|The gateway stopped answering.;"
                               "connect|again;phase|redirected|192.0.2.9;end|user|",
                               "connect vpn.example.org --standalone");

    expect_contains(result.out, " ms  Reconnecting: The gateway stopped answering.\n");
    expect_contains(result.out, " ms  Connected again: 192.0.2.1:4500, vpn.example.org, ECDSA with "
                                "SHA2-256; 10.1.0.5/32, 2001:db8::5/128\n");
    expect_contains(result.out, " ms  Redirected: 192.0.2.9\n");
    clear(&result);
}
END_TEST

START_TEST(trace_goes_to_stderr)
{
    struct result result = run(SCRIPT "end|user|", "connect vpn.example.org --standalone --trace");

    expect_contains(result.err, " ms  -> IKE_SA_INIT SA KE\n");
    expect_contains(result.err, " ms  -> IKE_SA_INIT SA KE (again)\n");
    expect_lacks(result.out, "IKE_SA_INIT");
    clear(&result);
}
END_TEST

START_TEST(failure)
{
    struct result result = run("end|auth-failed|The gateway says: E=691", "connect x --standalone");

    ck_assert_int_eq(result.code, AUTH_FAILED);
    ck_assert_str_eq(result.err,
                     "godwit: The gateway refused the credentials. The gateway says: E=691\n"
                     "Hint: Check user name and password, or the certificate or key.\n");
    expect_contains(result.out, "There is no profile \"x\"; taking it for the gateway's name.\n");
    clear(&result);
}
END_TEST

/* What reaches the session is the profile, with the options on top. */
START_TEST(options_override_the_profile)
{
    char *conf = in_folder("home.conf"), *seen = in_folder("seen.conf"), *words;
    struct profile *profile;

    ck_assert(g_file_set_contents(conf,
                                  "[godwit]\ngateway=vpn.example.org\nuser=alice\nport=4500\n"
                                  "legacy=yes\ndns=yes\n",
                                  -1, NULL));
    g_setenv("FAKE_PROFILE", seen, TRUE);
    words = g_strdup_printf("connect %s --standalone --user bob --no-legacy --rsa-pss --dns=off "
                            "--request-ipv6 false --trace",
                            conf);
    expect("end|user|", words, 0, NULL, NULL);
    g_unsetenv("FAKE_PROFILE");
    profile = profile_load(seen, NULL);
    ck_assert_ptr_nonnull(profile);
    ck_assert_str_eq(profile_get(profile, "gateway"), "vpn.example.org");
    ck_assert_str_eq(profile_get(profile, "user"), "bob");
    ck_assert_uint_eq(profile_get_uint(profile, "port"), 4500);
    ck_assert(!profile_get_bool(profile, "legacy"));
    ck_assert(profile_get_bool(profile, "rsa-pss"));
    ck_assert(!profile_get_bool(profile, "dns"));
    ck_assert(!profile_get_bool(profile, "request-ipv6"));
    profile_free(profile);
    g_free(words);
    g_free(seen);
    g_free(conf);
}
END_TEST

START_TEST(switch_before_the_gateway)
{
    expect("connect|full;end|user|", "connect --legacy vpn.example.org --standalone", 0,
           "Connected to vpn.example.org in ", NULL);
    expect("connect|full;end|user|", "connect --standalone --gateway vpn.example.org", 0,
           "Connected to vpn.example.org in ", NULL);
}
END_TEST

START_TEST(bad_profiles)
{
    char *conf = in_folder("bad.conf"), *words = g_strdup_printf("connect %s --standalone", conf);
    char *want = g_strdup_printf("%s:2: unknown key \"gatway\" (did you mean \"gateway\"?)", conf);

    expect("", words, PROFILE, NULL, "cannot be read");
    ck_assert(g_file_set_contents(conf, "[godwit]\ngatway=x\n", -1, NULL));
    expect("", words, PROFILE, NULL, want);
    g_free(want);
    want = g_strdup_printf("%s: gateway: missing", conf);
    ck_assert(g_file_set_contents(conf, "[godwit]\nuser=x\n", -1, NULL));
    expect("", words, PROFILE, NULL, want);
    g_free(want);
    g_free(words);
    g_free(conf);
}
END_TEST

/* Before anything else happens: the profile does not exist either. */
START_TEST(not_root)
{
    char *path = program();
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
    char *path = in_folder("values"), *text;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, want);
    ck_assert_int_eq(g_remove(path), 0);
    g_free(text);
    g_free(path);
}

START_TEST(secrets_from_descriptors)
{
    char *seen = in_folder("seen.conf");
    struct result result;
    struct profile *profile;

    g_setenv("FAKE_PROFILE", seen, TRUE);
    result = run_shell("end|user|", "connect x --standalone --auth psk --password-fd 3 --psk-fd 3 "
                                    "3<<END\ns\xc3\xa9same \r\nthe second\nmore\nEND\n");
    g_unsetenv("FAKE_PROFILE");
    ck_assert_msg(result.code == 0, "%s", result.err);
    profile = profile_load(seen, NULL);
    ck_assert_octets(profile_get_bytes(profile, "password"), bytes_of_string("s\xc3\xa9same "));
    ck_assert_octets(profile_get_bytes(profile, "psk"), bytes_of_string("the second"));
    profile_free(profile);
    clear(&result);

    result = run_shell("", "connect x --standalone --password-fd 3 3</dev/null");
    ck_assert_int_eq(result.code, SECRET_MISSING);
    expect_contains(result.err, "--password-fd 3: that descriptor holds nothing");
    clear(&result);
    result = run_shell("", "connect x --standalone --password-fd 77");
    ck_assert_int_eq(result.code, SECRET_MISSING);
    expect_contains(result.err, "--password-fd 77: that descriptor is not open");
    clear(&result);
    result = run_shell("", "connect x --standalone --password-fd 3 3</dev/zero");
    ck_assert_int_eq(result.code, SECRET_MISSING);
    expect_contains(result.err, "longer than 4095");
    clear(&result);
    g_free(seen);
}
END_TEST

START_TEST(nobody_to_ask)
{
    char *path = program();
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

struct terminal {
    int fd;
    pid_t pid;
    GString *shown;
};

static struct terminal terminal_start(const char *fake, const char *const *arguments)
{
    struct terminal terminal = {.shown = g_string_new(NULL)};
    char *path = program();

    g_setenv("FAKE", fake, TRUE);
    terminal.pid = forkpty(&terminal.fd, NULL, NULL, NULL);
    ck_assert_int_ge(terminal.pid, 0);
    if (terminal.pid == 0) {
        execv(path, (char *const *)arguments);
        _exit(127);
    }
    g_free(path);
    return terminal;
}

/* Waits until `text` has been shown; "" waits for the end. */
static void terminal_await(struct terminal *terminal, const char *text)
{
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (*text == '\0' || strstr(terminal->shown->str, text) == NULL) {
        struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};
        char buffer[4096];
        ssize_t n;

        ck_assert_msg(g_get_monotonic_time() < deadline, "no \"%s\" in: %s", text,
                      terminal->shown->str);
        if (poll(&ready, 1, 1000) <= 0) {
            continue;
        }
        n = read(terminal->fd, buffer, sizeof buffer);
        if (n <= 0) {
            ck_assert_msg(*text == '\0', "it ended without \"%s\": %s", text, terminal->shown->str);
            return;
        }
        g_string_append_len(terminal->shown, buffer, n);
    }
}

static void terminal_type(const struct terminal *terminal, const char *text)
{
    ck_assert_int_eq(write(terminal->fd, text, strlen(text)), (ssize_t)strlen(text));
}

static gboolean terminal_echoes(const struct terminal *terminal)
{
    struct termios now;

    ck_assert_int_eq(tcgetattr(terminal->fd, &now), 0);
    return (now.c_lflag & ECHO) != 0;
}

static int terminal_end(struct terminal *terminal)
{
    int status;

    terminal_await(terminal, "");
    ck_assert_int_eq(waitpid(terminal->pid, &status, 0), terminal->pid);
    close(terminal->fd);
    g_string_free(terminal->shown, TRUE);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

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

/* ---- the other commands ---- */

START_TEST(what_is_connected)
{
    struct result result;
    JsonParser *parser = json_parser_new();
    JsonObject *first;

    expect("", "status", 0, "Nothing is connected.\n", NULL);
    expect("", "status --json", 0, "[]\n", NULL);
    g_setenv("FAKE_RECORDS", "home,of\"fice\001", TRUE);
    result = run("", "status");
    expect_contains(result.out, "home\n  Gateway    vpn.example.org (192.0.2.1:4500)\n");
    expect_contains(result.out, "  Addresses  10.1.0.5/32, 2001:db8::5/128\n");
    expect_contains(result.out, "  Connected  2 min ");
    expect_contains(result.out, " in 1000 packets\n");
    expect_contains(result.out, "of\"fice?\n");
    clear(&result);
    result = run("", "status --json");
    ck_assert(json_parser_load_from_data(parser, result.out, -1, NULL));
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(json_parser_get_root(parser))), 2);
    first = json_array_get_object_element(json_node_get_array(json_parser_get_root(parser)), 1);
    ck_assert_str_eq(json_object_get_string_member(first, "name"), "of\"fice\001");
    ck_assert_int_eq(json_object_get_int_member(first, "pid"), 4711);
    first = json_object_get_object_member(first, "received");
    ck_assert_int_eq(json_object_get_int_member(first, "octets"), 1234567);
    clear(&result);
    g_setenv("FAKE_STATE", "reconnecting", TRUE);
    result = run("", "status");
    expect_contains(result.out,
                    "home\n  State      reconnecting: The gateway stopped answering.\n");
    clear(&result);
    g_unsetenv("FAKE_STATE");
    g_unsetenv("FAKE_RECORDS");
    g_object_unref(parser);
}
END_TEST

START_TEST(cleanup)
{
    expect("", "cleanup", 0, "There was nothing to clean up.\n", NULL);
    g_setenv("FAKE_LEFTOVERS", "2", TRUE);
    expect("", "cleanup", 0, "Cleaned up after 2 connections.\n", NULL);
    g_unsetenv("FAKE_LEFTOVERS");
}
END_TEST

START_TEST(profiles)
{
    char *path = in_folder("office.conf");
    char *save = g_strdup_printf("profile save %s --gateway vpn.example.org --user alice "
                                 "--password-fd 3 3<<END\nsesame\nEND\n",
                                 path);
    char *show = g_strdup_printf("profile show %s", path);
    char *check = g_strdup_printf("profile check %s", path);
    char *change = g_strdup_printf("profile save %s --port 4500", path);
    struct result result = run_shell("", save);
    GStatBuf saved;

    ck_assert_msg(result.code == 0, "%s", result.err);
    expect_contains(result.out, "Saved ");
    clear(&result);
    ck_assert_int_eq(g_stat(path, &saved), 0);
    ck_assert_int_eq(saved.st_mode & 0777, 0600);
    expect("", change, 0, "Changed ", NULL);
    result = run("", show);
    expect_contains(result.out, "gateway   vpn.example.org\n");
    expect_contains(result.out, "port      4500\n");
    expect_contains(result.out, "password  (secret)\n");
    expect_lacks(result.out, "sesame");
    clear(&result);
    expect("", check, 0, " can be used.\n", NULL);
    expect("", "profile check nowhere", PROFILE, NULL, "There is no profile \"nowhere\".");
    ck_assert(g_file_set_contents(path, "[godwit]\nuser=x\n", -1, NULL));
    expect("", check, PROFILE, NULL, "office.conf: gateway: missing");
    expect("", change, PROFILE, NULL, "gateway: missing");
    g_free(change);
    g_free(check);
    g_free(show);
    g_free(save);
    g_free(path);
}
END_TEST

START_TEST(profile_by_name)
{
    char *config = in_folder("config/godwit"), *path = in_folder("config/godwit/work.conf");

    ck_assert_int_eq(g_mkdir_with_parents(config, 0700), 0);
    ck_assert(g_file_set_contents(path, "[godwit]\ngateway=vpn.example.org\n", -1, NULL));
    expect("", "profile list", 0, "  work  vpn.example.org\n", NULL);
    expect("connect|full;end|user|", "connect work --standalone", 0, "Connected to work in ", NULL);
    ck_assert(
        g_file_set_contents(path, "[godwit]\nname=At work\ngateway=vpn.example.org\n", -1, NULL));
    expect("connect|full;end|user|", "connect work --standalone", 0, "Connected to At work in ",
           NULL);
    g_free(path);
    g_free(config);
}
END_TEST

/* ---- what is generated ---- */

static char *complete(const char *line)
{
    char *script = g_strdup_printf("source %s/generated/completions/godwit; COMP_WORDS=(%s); "
                                   "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _godwit; "
                                   "printf '%%s ' \"${COMPREPLY[@]}\"",
                                   TOP_BUILDDIR, line);
    const char *argv[] = {"bash", "-c", script, NULL};
    char *out, *err;

    ck_assert(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
                           NULL, NULL));
    ck_assert_str_eq(err, "");
    g_free(err);
    g_free(script);
    return out;
}

START_TEST(completion)
{
    static const char *const cases[][2] = {
        {"godwit co", "connect "},
        {"godwit connect x --request-", "--request-ipv4 --request-ipv6 "},
        {"godwit connect x --password", "--password-fd "},
        {"godwit connect --stand", "--standalone "},
        {"godwit connect --auth c", "certificate "},
        {"godwit connect --tunnel ''", "full split "},
        {"godwit connect --port 4", " "},
        {"godwit connect --ca /etc/host", "/etc/host.conf /etc/hostname /etc/hosts "},
        {"godwit connect wo", "work "},
        {"godwit profile sh", "show "},
        {"godwit profile show wo", "work "},
        {"godwit profile save x --eap-i", "--eap-identity "},
        {"godwit profile show x --eap-i", " "},
        {"godwit status --j", "--json "},
    };
    char *config = in_folder("config/godwit"), *path = in_folder("config/godwit/work.conf");

    ck_assert_int_eq(g_mkdir_with_parents(config, 0700), 0);
    ck_assert(g_file_set_contents(path, "[godwit]\ngateway=vpn.example.org\n", -1, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *got = complete(cases[i][0]);

        if (strchr(cases[i][0], '/') != NULL) {
            expect_contains(got, "/etc/host");
        } else {
            ck_assert_str_eq(got, cases[i][1]);
        }
        g_free(got);
    }
    g_free(path);
    g_free(config);
}
END_TEST

START_TEST(manual_is_clean)
{
    static const char *const pages[] = {"godwit.1", "godwit.conf.5"};
    char *groff = g_find_program_in_path("groff");

    for (gsize i = 0; groff != NULL && i < G_N_ELEMENTS(pages); i++) {
        char *line = g_strdup_printf("%s -ww -man -Kutf8 -Tutf8 -z %s/generated/%s", groff,
                                     TOP_BUILDDIR, pages[i]);
        char *err;

        ck_assert(g_spawn_command_line_sync(line, NULL, &err, NULL, NULL));
        ck_assert_str_eq(err, "");
        g_free(err);
        g_free(line);
    }
    if (groff == NULL) {
        fputs("groff is not installed: the manual is not checked\n", stderr);
    }
    g_free(groff);
}
END_TEST

START_TEST(manual_has_every_exit_code)
{
    char *manual;

    ck_assert(g_file_get_contents(TOP_BUILDDIR "/generated/godwit.1", &manual, NULL, NULL));
    for (int i = 0; i < REASON_COUNT; i++) {
        char *term = g_strdup_printf("\n\\fB%d\\fR\n", reason_exit_code((enum reason)i));

        expect_contains(manual, term);
        g_free(term);
    }
    g_free(manual);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, help_and_version);
    tcase_add_test(tests, every_key_has_an_option);
    tcase_add_test(tests, what_is_connected);
    tcase_add_test(tests, profiles);
    tcase_add_test(tests, completion);
    tcase_add_test(tests, manual_is_clean);
    tcase_add_test(tests, manual_has_every_exit_code);
}

/* --standalone is refused to everybody else before anything happens. */
static void add_tests_for_root(TCase *tests)
{
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
    tcase_add_test(tests, cleanup);
    tcase_add_test(tests, profile_by_name);
}

int main(void)
{
    Suite *suite = suite_create("cli");
    TCase *tests = tcase_create("cli");
    char *config, *values;
    int result;

    folder = g_dir_make_tmp("godwit-cli-XXXXXX", NULL);
    config = in_folder("config");
    values = in_folder("values");
    g_setenv("XDG_CONFIG_HOME", config, TRUE);
    g_setenv("FAKE_VALUES", values, TRUE);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_setenv("TERM", "xterm", TRUE);
    g_unsetenv("NO_COLOR");
    add_tests(tests);
    if (geteuid() == 0) {
        add_tests_for_root(tests);
    } else {
        fputs("not root: connections are not tested\n", stderr);
    }
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    result = run_suite(suite);
    {
        char *line = g_strdup_printf("rm -rf %s", folder);

        (void)g_spawn_command_line_sync(line, NULL, NULL, NULL, NULL);
        g_free(line);
    }
    g_free(values);
    g_free(config);
    g_free(folder);
    return result;
}
