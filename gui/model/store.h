/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_STORE_H
#define GODWIT_GUI_MODEL_STORE_H

#include <glib.h>

#include "gui/editor/values.h"
#include "profile/profile.h"

/* The user's profiles as files: read for an editor, and written. Errors are sentences for people. */

/* What an editor edits, from a file; values_free(). NULL and *error when it can't be read. */
struct values *store_read(const char *path, GError **error);
/* Writes to `path`, or to a new file named after the connection when that is NULL. FALSE and *error
 * when the values are no usable profile, or can't be written. */
gboolean store_write(const char *path, const struct values *values, GError **error);
/* A new file with what another one has, of ours or of another program. */
gboolean store_import(const char *path, GError **error);
gboolean store_delete(const char *path, GError **error);

#endif
