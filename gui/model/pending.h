/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_PENDING_H
#define GODWIT_GUI_MODEL_PENDING_H

#include <glib.h>

/*
 * Connections that were asked for and whose session has not appeared yet: godwitd has not answered,
 * or it has and the session's object is on its way. By title, which one of them has at a time.
 */
struct pending;

struct pending *pending_new(void);
void pending_free(struct pending *pending);

void pending_ask(struct pending *pending, const char *title);
gboolean pending_is_asked(const struct pending *pending, const char *title);
gboolean pending_is_empty(const struct pending *pending);
/* Nobody wants it any more; nothing when it was not asked for. */
void pending_call_off(struct pending *pending, const char *title);
/* Whether it is to be ended; the second time it is not, as somebody has done it. */
gboolean pending_take_unwanted(struct pending *pending, const char *title);
void pending_forget(struct pending *pending, const char *title);

/* godwitd has answered: the session of that path is to appear. */
void pending_begin(struct pending *pending, const char *title, const char *path);
/* The title of what is to appear there, NULL = nothing. Borrowed until it is forgotten. */
const char *pending_title_of(const struct pending *pending, const char *path);
/* Paths of all that is to appear; the caller's, and every path is. */
GPtrArray *pending_paths(const struct pending *pending);

#endif
