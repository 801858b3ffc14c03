/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_PROGRAM_H
#define GODWIT_TESTS_PROGRAM_H

#include <check.h>
#include <glib.h>
#include <string.h>

/*
 * The command line's program around a session that does nothing (fake_session.c), run in a pipe or
 * on a terminal, with a folder of its own for profiles.
 */

/* Runs a suite of one case in such a folder; the exit code of main(). */
int program_suite(const char *name, void (*add_tests)(TCase *));
char *program_folder(const char *name); /* a path in the folder; g_free() */
char *program_path(void);

struct program_result {
    int code;
    char *out, *err;
};
void program_clear(struct program_result *result);

/* The words as the shell would split them; `fake` is what the session does. */
struct program_result program_run(const char *fake, const char *words);
/* The same through a shell, for descriptors. */
struct program_result program_run_shell(const char *fake, const char *words);
/* Runs it; standard error must be empty when `in_err` is NULL. */
void program_expect(const char *fake, const char *words, int code, const char *in_out,
                    const char *in_err);

#define expect_contains(text, part)                                                                \
    ck_assert_msg(strstr((text), (part)) != NULL, "no \"%s\" in: %s", (part), (text))
#define expect_lacks(text, part)                                                                   \
    ck_assert_msg(strstr((text), (part)) == NULL, "\"%s\" in: %s", (part), (text))

struct terminal {
    int fd;
    pid_t pid;
    GString *shown;
};
/* Any program on a terminal. */
struct terminal terminal_open(const char *path, const char *const *arguments);
struct terminal terminal_start(const char *fake, const char *const *arguments);
/* Waits until `text` has been shown; "" waits for the end. */
void terminal_await(struct terminal *terminal, const char *text);
void terminal_type(const struct terminal *terminal, const char *text);
gboolean terminal_echoes(const struct terminal *terminal);
/* Waits for the end; the exit code, or 1000 and the signal. */
int terminal_end(struct terminal *terminal);

#endif
