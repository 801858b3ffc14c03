/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_CLI_H
#define GODWIT_CLI_CLI_H

#include <glib.h>

#include "cli/options.h"
#include "common/error.h"

/*
 * A command, or an action of one. The help, the manual and the shells' completions are made from
 * these tables.
 */
struct command {
    const char *name;
    const char *summary; /* for godwit --help, N_(); NULL for an action */
    const struct usage *usage;
    /* Returns the exit code. */
    int (*run)(const struct options *options);
    const struct command *const *actions; /* NULL-ended; then usage and run are NULL */
};

extern const struct command command_answer;
extern const struct command command_cleanup;
extern const struct command command_connect;
extern const struct command command_disconnect;
extern const struct command command_doctor;
extern const struct command command_killswitch;
extern const struct command command_list;
extern const struct command command_log;
extern const struct command command_portal;
extern const struct command command_profile;
extern const struct command command_run;
extern const struct command command_status;

/* All of them, NULL-ended. */
extern const struct command *const cli_commands[];

/* Runs what argv[1] … name. Returns the exit code. */
int cli_run(int argc, char **argv);

/* Failures of the command line and of the service: the code is an enum reason. */
#define CLI_ERROR cli_error_quark()
GQuark cli_error_quark(void);

/* "godwit: SENTENCE DETAIL" and the hint on stderr; returns the reason's exit code. */
int cli_fail(enum reason reason, const char *detail);
/* The same with the message of *error, which is freed; its own reason if it is a CLI_ERROR. */
int cli_fail_error(enum reason reason, GError *error);
/*
 * Sets *error to `sentence`, which is taken over, and to what of `names` was probably meant with
 * `word`: 'There is no profile "hom". Did you mean "home"?'
 */
void cli_not_found(GError **error, char *sentence, const char *word, const GPtrArray *names);

#endif
