/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/program.h"

#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "unit/vectors.h"

static char *folder; /* of the whole program: profiles, what the fake session wrote */

char *program_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

char *program_path(void)
{
    return g_build_filename(TOP_BUILDDIR, "tests/unit/godwit_fake", NULL);
}

/* ---- running it ---- */

/* For a session of the program's own, and for one of a service. */
static void set_script(const char *fake)
{
    g_setenv("FAKE", fake, TRUE);
    ck_assert(g_file_set_contents(g_getenv("FAKE_SCRIPT"), fake, -1, NULL));
}

void program_clear(struct program_result *result)
{
    g_free(result->out);
    g_free(result->err);
    *result = (struct program_result){0};
}

/* The words as the shell would split them; `fake` is what the session does. */
struct program_result program_run(const char *fake, const char *words)
{
    char *line = g_strdup_printf("%s/tests/unit/godwit_fake %s", TOP_BUILDDIR, words);
    struct program_result result;
    GError *error = NULL;
    char **argv;
    int status;

    ck_assert(g_shell_parse_argv(line, NULL, &argv, NULL));
    set_script(fake);
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
struct program_result program_run_shell(const char *fake, const char *words)
{
    char *path = program_path();
    char *line = g_strdup_printf("%s %s", path, words);
    char *quoted = g_shell_quote(line);
    char *command = g_strdup_printf("/bin/sh -c %s", quoted);
    struct program_result result;
    char **argv;
    int status;

    ck_assert(g_shell_parse_argv(command, NULL, &argv, NULL));
    set_script(fake);
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

void program_expect(const char *fake, const char *words, int code, const char *in_out,
                    const char *in_err)
{
    struct program_result result = program_run(fake, words);

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
    program_clear(&result);
}

/* ---- on a terminal ---- */

struct terminal terminal_open(const char *path, const char *const *arguments)
{
    struct terminal terminal = {.shown = g_string_new(NULL)};

    terminal.pid = forkpty(&terminal.fd, NULL, NULL, NULL);
    ck_assert_int_ge(terminal.pid, 0);
    if (terminal.pid == 0) {
        execv(path, (char *const *)arguments);
        _exit(127);
    }
    return terminal;
}

struct terminal terminal_start(const char *fake, const char *const *arguments)
{
    char *path = program_path();
    struct terminal terminal;

    set_script(fake);
    terminal = terminal_open(path, arguments);
    g_free(path);
    return terminal;
}

/* As much of it as a message of the test's carries. */
static const char *shown_last(const struct terminal *terminal)
{
    gsize most = 2000, len = terminal->shown->len;

    return terminal->shown->str + (len > most ? len - most : 0);
}

void terminal_await(struct terminal *terminal, const char *text)
{
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (*text == '\0' || strstr(terminal->shown->str, text) == NULL) {
        struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};
        char buffer[4096];
        ssize_t n;

        ck_assert_msg(g_get_monotonic_time() < deadline, "no \"%s\" in: %s", text,
                      shown_last(terminal));
        if (poll(&ready, 1, 1000) <= 0) {
            continue;
        }
        n = read(terminal->fd, buffer, sizeof buffer);
        if (n <= 0) {
            ck_assert_msg(*text == '\0', "it ended without \"%s\": %s", text, shown_last(terminal));
            return;
        }
        g_string_append_len(terminal->shown, buffer, n);
    }
}

void terminal_type(const struct terminal *terminal, const char *text)
{
    ck_assert_int_eq(write(terminal->fd, text, strlen(text)), (ssize_t)strlen(text));
}

gboolean terminal_echoes(const struct terminal *terminal)
{
    struct termios now;

    ck_assert_int_eq(tcgetattr(terminal->fd, &now), 0);
    return (now.c_lflag & ECHO) != 0;
}

int terminal_end(struct terminal *terminal)
{
    int status;

    terminal_await(terminal, "");
    ck_assert_int_eq(waitpid(terminal->pid, &status, 0), terminal->pid);
    close(terminal->fd);
    g_string_free(terminal->shown, TRUE);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- beginning and end ---- */

static void begin(void)
{
    char *config, *values, *script, *calls;

    folder = g_dir_make_tmp("godwit-cli-XXXXXX", NULL);
    config = program_folder("config");
    values = program_folder("values");
    g_setenv("XDG_CONFIG_HOME", config, TRUE);
    g_setenv("FAKE_VALUES", values, TRUE);
    script = program_folder("script");
    calls = program_folder("calls");
    g_setenv("FAKE_SCRIPT", script, TRUE);
    g_setenv("FAKE_CALLS", calls, TRUE);
    g_free(calls);
    g_free(script);
    /* No bus but one of the test's own. */
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_setenv("TERM", "xterm", TRUE);
    g_unsetenv("NO_COLOR");
    g_free(values);
    g_free(config);
}

static void end(void)
{
    char *line = g_strdup_printf("rm -rf %s", folder);

    (void)g_spawn_command_line_sync(line, NULL, NULL, NULL, NULL);
    g_free(line);
    g_clear_pointer(&folder, g_free);
}

int program_suite(const char *name, void (*add_tests)(TCase *))
{
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    int result;

    begin();
    add_tests(tests);
    suite_add_tcase(suite, tests);
    result = run_suite(suite);
    end();
    return result;
}
