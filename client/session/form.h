/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_FORM_H
#define GODWIT_SESSION_FORM_H

#include "common/channel.h"
#include "session/session.h"

/* The worker's questions become a secrets form, one at a time. */
struct form;

/* `fields` are borrowed for the call, bounded, and free of control characters. */
typedef void (*form_ask_cb)(void *context, const struct session_field *fields, gsize n_fields);

/* `channel` is borrowed. */
struct form *form_new(struct channel *channel, form_ask_cb ask, void *context);
/* MESSAGE_SECRETS_REQUIRED came. FALSE when it may not: a question is open, it has no fields or too
 * many, it asks for what no profile holds, or for trust and something else. */
gboolean form_required(struct form *form, GVariant *fields);
/* The open question has a field `id`, of the kind choice or trust, and the worker offered `value`
 * for it. FALSE on a NULL form. */
gboolean form_offers(const struct form *form, const char *id, struct bytes value);
/* Answers the open question with the values of its fields (GBytes by id), which are wiped; NULL
 * cancels. Harmless when no question is open and on a NULL form. */
void form_answer(struct form *form, GHashTable *values);
void form_free(struct form *form);

#endif
