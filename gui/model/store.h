/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_STORE_H
#define GODWIT_GUI_MODEL_STORE_H

#include <glib.h>

#include "gui/editor/values.h"
#include "profile/profile.h"

/* The user's profiles as files: read for an editor, and written. Errors are sentences for people.
 */

/* What an editor edits, from a file; values_free(). NULL and *error when it can't be read. */
struct values *store_read(const char *path, GError **error);
/* The same for another one like it, with a name that is free. */
struct values *store_read_copy(const char *path, GError **error);
/* Writes to `path`, or to a new file as store_add() when that is NULL. FALSE and *error when the
 * values are no usable profile, or can't be written. */
gboolean store_write(const char *path, const struct values *values, GError **error);
/* A new file, named after the connection, which gets another name when there is one of its own. */
gboolean store_add(struct profile *profile, GError **error);
/* What a file has, of ours or of another program, for store_add(); profile_free(). */
struct profile *store_offered(const char *path, GError **error);
/* Writes what another computer can use: files that are named stand in it. Passwords and private
 * keys only with `with_secrets`. */
gboolean store_export(const char *path, const char *target, gboolean with_secrets, GError **error);
gboolean store_delete(const char *path, GError **error);

#endif
