/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_EDITOR_H
#define GODWIT_CLI_EDITOR_H

#include "profile/profile.h"

/*
 * Opens a copy of the profile at `path` in the person's editor. It takes the file's place when it
 * can be used; else what is wrong is said, and it may be edited again. FALSE and *error leave the
 * file as it was.
 */
gboolean editor_edit_file(const char *path, GError **error);
/* The same with a profile that is not a file, called `name`; rules across keys are not looked at.
 * The edited one, or NULL and *error. */
struct profile *editor_edit_profile(const struct profile *profile, const char *name,
                                    GError **error);

#endif
