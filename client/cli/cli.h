/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_CLI_H
#define GODWIT_CLI_CLI_H

#include <glib.h>

#include "common/error.h"

/* A sub-command: argv[0] is its name. Returns the exit code. */
struct command {
    const char *name;
    const char *summary; /* for godwit --help, N_() */
    int (*run)(int argc, char **argv);
};

int command_connect(int argc, char **argv);
int command_status(int argc, char **argv);
int command_profile(int argc, char **argv);
int command_cleanup(int argc, char **argv);

/* Runs the command that argv[1] names; the table ends with a NULL name. -1 when there is none. */
int command_run(const struct command *table, int argc, char **argv);

/* "godwit: SENTENCE DETAIL" and the hint on stderr; returns the reason's exit code. */
int cli_fail(enum reason reason, const char *detail);
/* The same with the message of *error, which is freed. */
int cli_fail_error(enum reason reason, GError *error);

#endif
