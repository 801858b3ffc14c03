/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_QUESTIONS_KEYRING_H
#define GODWIT_GUI_QUESTIONS_KEYRING_H

#include <gio/gio.h>

/*
 * Secrets that the keyring of the desktop keeps. No call waits, and none is without an end: not for
 * a service that is silent, and not for a person who does not unlock it. Where the build has no
 * libsecret, there is no keyring.
 */

/* Whose secrets: what is stored under these attributes. */
struct keyring_owner {
    const char *schema;
    gboolean of_any_schema; /* found is also what others have stored under these attributes */
    const char *const *attributes; /* name and value in turn, NULL-ended; at most eight pairs */
    const char *key;               /* one attribute more: which of the secrets it is */
};

/* A call that goes on: until it has told its end, or is dropped. Then the pointer is no more. */
struct keyring_call;

/* `found`: strings by key, borrowed. `why`: NULL, or a translated sentence why it could not be
 * read; there may be something nevertheless. */
typedef void (*keyring_loaded)(void *context, GHashTable *found, const char *why);
/* `why` as above. */
typedef void (*keyring_done)(void *context, const char *why);

/* All that is kept for the owner. `unlock`: a person may be asked to open the keyring. */
struct keyring_call *keyring_load(const struct keyring_owner *owner, gboolean unlock,
                                  keyring_loaded loaded, void *context);
/* Keeps or replaces one. `label` is for people. */
struct keyring_call *keyring_store(const struct keyring_owner *owner, const char *label,
                                   const char *key, const char *value, keyring_done done,
                                   void *context);
/* Removes all of the owner's. */
struct keyring_call *keyring_forget(const struct keyring_owner *owner, keyring_done done,
                                    void *context);
/* Its end is not told any more; NULL is harmless. */
void keyring_drop(struct keyring_call *call);

#endif
