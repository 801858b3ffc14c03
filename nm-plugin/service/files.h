/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_SERVICE_FILES_H
#define GODWIT_NM_SERVICE_FILES_H

#include <NetworkManager.h>

/*
 * Reads a file that a connection names by its path with no more rights than those whose connection
 * it is (CVE-2025-9615's class): of the one user that it is limited to, in a process that has
 * become that user; a connection for everybody is made by an administrator, and read as root.
 * `context` is the NMConnection. Regular files of 1..PROFILE_FILE_MAX octets only; NULL and *error
 * (GIOError).
 */
GBytes *files_read(gpointer context, const char *path, GError **error);

/* User name that the connection is limited to; NULL = nobody, or several (then *several). Borrowed.
 */
const char *files_owner(NMConnection *connection, gboolean *several);

#endif
