/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_OPTIONS_H
#define GODWIT_CLI_OPTIONS_H

#include <glib.h>

#include "common/error.h"
#include "profile/profile.h"

/* An option of one command: on or off, or with a value. */
struct flag {
    const char *name;    /* NULL ends the list */
    const char *help;    /* N_() */
    const char *metavar; /* of the value, N_(); NULL = on or off */
};

/* What words that are no options may be, for completion. */
enum words { WORDS_OTHER, WORDS_PROFILES, WORDS_SESSIONS };

/* What a sub-command takes, and what its --help says. */
struct usage {
    const char *synopsis; /* "godwit connect PROFILE|HOST [OPTION…]", N_() */
    const char *about;    /* N_() */
    const struct flag *flags;
    gboolean keys;              /* an option for each key of a profile */
    guint min_words, max_words; /* words that are no options */
    enum words words;
    gboolean command; /* the words are another program's command line, options and all */
};

/* What was given. */
struct options {
    guint64 start_us; /* when the command began, CLOCK_BOOTTIME */
    gboolean *flags;  /* one for each of usage.flags */
    char **values;    /* the same, of those with a metavar; NULL = not given */
    guint n_flags;
    char **words; /* never NULL */
    guint n_words;
    GArray *settings; /* of keys, in order */
    gboolean help;    /* --help was given, and answered */
};

/* FALSE and *error when the command line is wrong. argv[0] is the sub-command's name. */
gboolean options_parse(struct options *options, const struct usage *usage, int argc, char **argv,
                       GError **error);
void options_clear(struct options *options);
/*
 * Sets the keys that were given in `profile`, reading secrets from their descriptors. REASON_NONE,
 * or what kind of failure *error is.
 */
enum reason options_apply(const struct options *options, struct profile *profile, GError **error);

/* The --help of a sub-command. */
void usage_print(const struct usage *usage);
/* Help of a key with its choices and its default; free it. */
char *key_help(const struct profile_key *key);

#endif
