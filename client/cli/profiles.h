/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_PROFILES_H
#define GODWIT_CLI_PROFILES_H

#include "cli/bus.h"
#include "profile/profile.h"

/* A profile that there is, ours or this computer's. */
struct known {
    char *name;    /* of the file */
    char *title;   /* what people call it */
    char *gateway; /* may be NULL */
    char *why;     /* it cannot be used; NULL = it can */
    gboolean system;
    GVariant *values; /* a system profile's a{sv} as the service tells it, else NULL */
};

/* Ours and then the computer's, sorted by name; those that only the service may read are missing
 * when `bus` is NULL or the service does not answer. */
GPtrArray *known_profiles(struct bus *bus, unsigned flags);
/* The system profile of that name as the service tells it. NULL and *error when there is none. */
struct known *known_system(struct bus *bus, const char *name, GError **error);
void known_free(struct known *known);

/* PROFILE as a file: loads it, *path tells from where. NULL and *error. */
struct profile *profiles_load(const char *name, char **path, GError **error);

/* A profile of this computer, which the service may know where we find or read no file; else NULL,
 * and *error stays as it was. */
struct known *profiles_ask_service(const char *name, GError **error);

/* Actions of godwit profile. */
extern const struct command action_add;
extern const struct command action_check;
extern const struct command action_delete;
extern const struct command action_edit;

#endif
