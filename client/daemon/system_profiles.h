/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_SYSTEM_PROFILES_H
#define GODWIT_DAEMON_SYSTEM_PROFILES_H

#include "profile/profile.h"

/* The profiles of /etc/godwit, by the names of their files without ".conf". */

/* A name that such a file can have: nothing of it leads elsewhere. */
gboolean system_profile_is_name(const char *name);
/* Sorted; g_strfreev(). */
char **system_profile_names(void);
gboolean system_profile_exists(const char *name);
/* Ready to connect with; NULL and *error. */
struct profile *system_profile_load(const char *name, GError **error);
/* What is set without certificates, keys and secrets: a{sv}, floating. */
GVariant *system_profile_public(const struct profile *profile);
/* Atomically. What `profile` lacks of certificates, keys and secrets stays as it is in the file. */
gboolean system_profile_save(const char *name, struct profile *profile, GError **error);
gboolean system_profile_delete(const char *name, GError **error);

#endif
