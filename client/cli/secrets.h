/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_SECRETS_H
#define GODWIT_CLI_SECRETS_H

#include <glib.h>

#include "common/secret.h"
#include "session/session.h"

/* The first line of a descriptor without its end. NULL when it worked, else why not (untranslated).
 */
const char *secret_read_fd(int fd, struct secret *out);

/*
 * The fields of the service's Form, VPN1_FORM_TYPE, as struct session_field: they borrow from
 * `form`. *number is the form's, 0 = nothing is asked.
 */
GArray *secrets_fields(GVariant *form, guint32 *number);
/* What the person has typed (GBytes by field id) as a{say}, floating. */
GVariant *secrets_values(GHashTable *values);

/* Asks on the terminal, /dev/tty, while the main loop goes on. */
struct prompt;
/*
 * `done` is called once from the main context: with GBytes by field id, or with NULL when the
 * person wants no more. Both are the prompt's. NULL, and no call, when there is no terminal to ask
 * on, or a field of a kind that is not known. `may_remember` as for question_new().
 */
struct prompt *prompt_new(const struct session_field *fields, gsize n_fields, gboolean may_remember,
                          void (*done)(void *context, GHashTable *values), void *context);
/* The person wants the answer to be remembered. */
gboolean prompt_remembers(const struct prompt *prompt);
/* Gives the terminal its echo back; NULL is harmless. */
void prompt_free(struct prompt *prompt);

#endif
