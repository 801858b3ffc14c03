/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_CHILD_H
#define GODWIT_CLI_CHILD_H

#include <glib.h>

#include "common/bytes.h"

/* One of godwit's own programs that parse what we do not. */
struct child {
    const char *name;     /* "godwit-token" */
    const char *variable; /* of the environment: another path of it, for tests */
    const char *option;   /* what it is to do */
};

/*
 * Runs it to its end as whoever runs us, or as the worker's user when that is root; its standard
 * input is `in`, NULL = nothing. FALSE and *error when it cannot be run or fails; *out is what it
 * has printed, also when it has failed, NULL when it was not run. The caller frees it.
 */
gboolean child_run(const struct child *child, struct bytes in, char **out, GError **error);

#endif
