/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_TARGET_H
#define GODWIT_CLI_TARGET_H

#include "cli/options.h"

/* What the word after `godwit connect` names, with the settings of the command line on top. */
struct target {
    char *name; /* what to call the connection, or of the system profile */
    /* NULL: a profile of /etc/godwit, which the service reads. */
    struct profile *profile;
    char *path;       /* of the profile as it is, with nothing on top; NULL = there is none */
    gboolean perhaps; /* there may be no such system profile: then it is a host */
};

/* A profile that we read, or a host: never a system profile's name alone. */
enum reason target_read(const struct options *options, struct target *target, GError **error);
/* The same when the service connects: a profile of /etc/godwit is left to it. */
enum reason target_find(const struct options *options, struct target *target, GError **error);
/* The word is a host after all. */
enum reason target_host(const struct options *options, struct target *target, GError **error);
void target_clear(struct target *target);

/* What a connection of that profile is called whose settings give it no name; g_free(). */
char *target_name_of_file(const char *path);

/* Whether the word can be the name of a profile of /etc/godwit. */
gboolean target_may_be_system(const char *word);

#endif
