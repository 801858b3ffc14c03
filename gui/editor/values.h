/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_EDITOR_VALUES_H
#define GODWIT_GUI_EDITOR_VALUES_H

#include <glib.h>

#include "profile/profile.h"

/*
 * What an editor edits: text by the names of the key table, as a keyfile has it (files and keys
 * that are octets as "base64:…"), and where each secret is kept. No widgets, no NetworkManager.
 *
 * What a person has not touched is left alone, be it as wrong as it may: it was there before, and
 * whoever connects will say what is wrong with it. What a person has changed must be right.
 */
struct values;

/* Numbers of NetworkManager's, where they are bits; we know these combinations of them. */
enum values_storage {
    VALUES_FOR_ALL = 0,  /* with the connection */
    VALUES_FOR_USER = 1, /* in the user's keyring */
    VALUES_ASKED = 2,    /* nowhere: asked for each time */
    VALUES_NOT_NEEDED = 4,
};

struct values *values_new(void);
void values_free(struct values *values); /* wipes every text; NULL is harmless */

/* NULL = not set. Borrowed until the key's next change. */
const char *values_get(const struct values *values, const char *key);
/* As it is now: loading. Any text, any octets but NUL. NULL takes it out. */
void values_load(struct values *values, const char *key, const char *text);
/* A person has changed it; blanks around it do not count, and nothing but blanks is not set. */
void values_change(struct values *values, const char *key, const char *text);
gboolean values_touched(const struct values *values, const char *key);
/* A person has been told of it, and did not change it: what is wrong with it may be said. */
void values_touch(struct values *values, const char *key);

/* The number is kept as it was loaded, whatever it is. Default: VALUES_FOR_ALL. */
unsigned values_storage(const struct values *values, const char *key);
void values_set_storage(struct values *values, const char *key, unsigned storage);
/* Whether a secret with that storage is part of the values. */
gboolean values_keeps(unsigned storage);

/* The method of authentication: its key's text, or the default. */
const char *values_auth(const struct values *values);
/* "true" or "false" as "no", "0" and so on mean it, or as the default has it. */
gboolean values_is_true(const struct values *values, const struct profile_key *key);

/*
 * What is wrong with the key, in words that stand beside it; NULL = nothing to be said: right, or
 * not set and not touched. Free it.
 */
char *values_problem(const struct values *values, const char *key);
/*
 * The first key that a person has changed and that is wrong, or that is missing, with the reason in
 * words; NULL and NULL = there is none. Free the reason.
 */
const char *values_fault(const struct values *values, char **reason);
/*
 * FALSE and *error (PROFILE_ERROR), "Label: reason", when there is such a key.
 */
gboolean values_check(const struct values *values, GError **error);
/* profile_validate() in the same words. */
gboolean values_check_profile(const struct profile *profile, GError **error);

#endif
