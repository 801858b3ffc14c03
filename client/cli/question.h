/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_QUESTION_H
#define GODWIT_CLI_QUESTION_H

#include <glib.h>

#include "common/bytes.h"
#include "session/session.h"

/* A field of a form, as it is asked on a terminal, a line each. */
struct question;

/* Copies. `may_remember`: who trusts a gateway, or chooses, may want that to be remembered. NULL =
 * it is of a kind that is not known here, or not in order. */
struct question *question_new(const struct session_field *field, gboolean may_remember);
void question_free(struct question *question);
const char *question_id(const struct question *question);
/* What is typed is not to be seen. */
gboolean question_is_hidden(const struct question *question);
/* What to write before the line is read; `again`: the last one was no answer. g_free() it. */
char *question_text(const struct question *question, gboolean again);

enum question_result {
    QUESTION_ANSWERED,
    QUESTION_AGAIN,   /* it is no answer */
    QUESTION_MORE,    /* there is something else to ask about it */
    QUESTION_REFUSED, /* no */
};
/* `line` without its end. *value borrows from it or from the question. *remember is set to TRUE
 * when that is wanted. */
enum question_result question_take(struct question *question, struct bytes line,
                                   struct bytes *value, gboolean *remember);

#endif
