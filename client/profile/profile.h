/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_PROFILE_PROFILE_H
#define GODWIT_PROFILE_PROFILE_H

#include <glib.h>

#include "common/bytes.h"
#include "common/error.h"

/*
 * ONE key table drives the profile parser, the command-line options, the D-Bus form, the man page
 * and later the editors. A key is added in one place: profile_keys.c.
 */

enum profile_type {
    PROFILE_STRING,
    PROFILE_HOST,   /* name or numeric address */
    PROFILE_BOOL,   /* true/false, yes/no, on/off, 1/0; kept as "true" or "false" */
    PROFILE_UINT,   /* min..max */
    PROFILE_CHOICE, /* one of `choices` */
    PROFILE_FILE,   /* a path in the keyfile; its octets once loaded */
    PROFILE_SECRET, /* never printed */
    PROFILE_LIST,   /* comma-separated; each element checked; kept without blanks */
};

enum profile_flags {
    PROFILE_REQUIRED = 1,
    PROFILE_NO_OPTION = 2, /* no command-line option of its own (secrets: --NAME-fd instead) */
    PROFILE_ADVANCED = 4,
    PROFILE_OCTETS = 8, /* SECRET: any octets, not only text */
    PROFILE_UNITS = 16, /* UINT: may end in K, M, G or T (powers of 1024); kept as the plain number */
    PROFILE_TOKEN = 32, /* FILE: may be a PKCS#11 URI instead, which then is path and content */
};

/* The pages of a form; what is PROFILE_ADVANCED comes behind the rest. */
enum profile_group {
    PROFILE_CONNECTION,
    PROFILE_IDENTITY,
    PROFILE_ALGORITHMS,
    PROFILE_ROUTES,
    PROFILE_KILL_SWITCH,
    PROFILE_DNS,
    PROFILE_ROAMING,
    PROFILE_RENEWAL,
    PROFILE_GROUPS, /* how many there are */
};

#define PROFILE_FILE_MAX (1024 * 1024) /* octets of a keyfile, and of each file that it names */
#define PROFILE_SECRET_MAX 65536       /* octets */
#define PROFILE_TEXT_MAX 65536         /* octets of any other value */
#define PROFILE_LIST_MAX 32            /* elements, where the key's `max` does not say otherwise */

struct profile_key {
    const char *name; /* "remote-identity": also "--remote-identity" */
    enum profile_type type;
    enum profile_group group;
    const char *auth; /* the method, as "auth" has it, that alone uses the key; NULL = every one */
    unsigned flags;
    const char *fallback; /* default as text; NULL = none */
    const char *const *choices;
    const char *const *choice_labels; /* of CHOICE, in the same order, for forms, N_() */
    const char *metavar; /* "ID", N_() */
    const char *label;   /* for forms, N_() */
    const char *unit;    /* "seconds": of a number, for forms, N_(); NULL = none */
    const char *help;    /* for --help and the man page, N_() */
    /*
     * NULL when `text` (of a LIST: one element) is fine, else an untranslated reason, N_(), to
     * stand behind a colon. *at is the whole text and may be narrowed to the word that is wrong.
     */
    const char *(*check)(const char *text, struct bytes *at);
    guint64 min, max; /* PROFILE_UINT; of a LIST, max = how many elements */
};

/* The whole table, ended by a row whose name is NULL. */
const struct profile_key *profile_keys(void);
const struct profile_key *profile_key_find(const char *name);
/* The key whose name is most like `name` ("gatway" -> "gateway"); NULL when none is near. */
const char *profile_key_suggest(const char *name);
/* For messages: at most 60 characters of `text`, printable. The caller frees it. */
char *profile_quotable(struct bytes text);
/* The word of the NULL-ended list that is most like `word`; NULL when none is near. Borrowed. */
const char *nearest_word(const char *word, const char *const *words);

/*
 * A sentence with its keys, "{dns}", as keyfiles and the command line have them, or with the labels
 * that forms have for them; the caller frees it. Translate it before.
 */
char *profile_words(const char *text, gboolean labels);
/* What to try after that failure, translated and in such words, "" = nothing; the caller frees it.
 * `window`: for who has forms and no command line. */
char *profile_hint(enum reason reason, gboolean window);

/* Untranslated, N_(). */
const char *profile_group_title(enum profile_group group);

struct profile;

#define PROFILE_ERROR profile_error_quark()
GQuark profile_error_quark(void);
enum profile_error {
    PROFILE_ERROR_FILE,
    PROFILE_ERROR_SYNTAX,
    PROFILE_ERROR_KEY,
    PROFILE_ERROR_VALUE,
    PROFILE_ERROR_MISSING,
};

struct profile *profile_new(void);
void profile_free(struct profile *profile); /* wipes secrets; NULL is harmless */
struct profile *profile_copy(const struct profile *profile);
/*
 * Loads a keyfile (group [godwit]); files that it names are read now, relative to its folder.
 * Errors name file, line, key and why. NULL and *error on failure; the caller frees. Rules across
 * keys are profile_validate()'s.
 */
struct profile *profile_load(const char *path, GError **error);
/*
 * The same from memory: `origin` stands for the file in messages, `folder` is where relative paths
 * start.
 */
struct profile *profile_parse(struct bytes text, const char *origin, const char *folder,
                              GError **error);
/*
 * The same from what other programs write, told by its content: our own keyfile, or a connection of
 * NetworkManager-strongswan as NetworkManager keeps it. Complete but for what exports leave out
 * (profile_validate_without_secrets()), or an error that says what of it cannot be taken over.
 */
struct profile *profile_import(const char *path, GError **error);
/* The same of a file's content; certificates and keys that it names are read. */
struct profile *profile_import_text(struct bytes text, const char *path, GError **error);
/*
 * Writes every key that is set, atomically, mode 0600; loads back identically. Of a file that is
 * there all else stays as somebody has written it, with its comments, and a link to it stays one.
 */
gboolean profile_save(const struct profile *profile, const char *path, GError **error);
/* The same for a file that is handed on: nothing of one that is there stays. */
gboolean profile_export(const struct profile *profile, const char *path, GError **error);
/* Sets one key of the file that is there, as profile_set(), and saves it. */
gboolean profile_set_in_file(const char *path, const char *key, const char *text, GError **error);
/* The line of the file that sets the key, from 1; 0 = none. */
unsigned profile_line_of(const char *path, const char *key);
/*
 * Finds PROFILE by name: as a path when it has a slash or ends in .conf (whether it exists or not),
 * else ~/.config/godwit/NAME.conf, then /etc/godwit/NAME.conf; NULL when there is none.
 */
char *profile_find(const char *name);
/* Where a new profile of that name belongs: root's in /etc/godwit, a user's in ~/.config/godwit. */
char *profile_path_for(const char *name);
/* Names of all profiles found in both folders, sorted; g_strfreev(). */
char **profile_list(void);

/*
 * Sets from text, checked; FILE keys read the file, relative to the working directory. `where`
 * names the origin for messages ("--ca", "home.conf:12: ca"); NULL = the key. An empty text is an
 * error.
 */
gboolean profile_set(struct profile *profile, const char *key, const char *text, const char *where,
                     GError **error);
/* Sets octets directly: a file's content, or a secret read from a descriptor. */
gboolean profile_set_bytes(struct profile *profile, const char *key, struct bytes value,
                           GError **error);
void profile_unset(struct profile *profile, const char *key);
gboolean profile_is_set(const struct profile *profile, const char *key);
/* Value or default as text; NULL when neither. Not for FILE and SECRET. Borrowed. */
const char *profile_get(const struct profile *profile, const char *key);
gboolean profile_get_bool(const struct profile *profile, const char *key);
guint64 profile_get_uint(const struct profile *profile, const char *key);
/* Elements of a LIST, never NULL; g_strfreev(). */
char **profile_get_list(const struct profile *profile, const char *key);
struct bytes profile_get_bytes(const struct profile *profile, const char *key); /* FILE, SECRET */
/* FILE: the absolute path that it was read from, or a PKCS#11 URI; NULL when it came as octets. */
const char *profile_get_path(const struct profile *profile, const char *key);
/* It is a PKCS#11 URI, for which pkcs11_uri_check() has nothing to say. */
gboolean profile_is_on_token(const struct profile *profile, const char *key);
/* The connection needs a token: its private key is on one. */
gboolean profile_needs_token(const struct profile *profile);
/* Rules across keys: auth=certificate needs certificate and private-key…; the message names the
 * key. */
gboolean profile_validate(const struct profile *profile, GError **error);
/* The same of one whose secrets are elsewhere: what exports leave out may be given later. */
gboolean profile_validate_without_secrets(const struct profile *profile, GError **error);

/* What profile_validate() finds, for those who call keys and values by their labels. */
struct profile_breach {
    const char *key;   /* whose value is at fault */
    gboolean missing;  /* it has none, and needs one */
    const char *other; /* the key with whose value it does not go together; NULL = none */
    char *why;         /* in the words of keyfiles, translated, to stand behind a colon */
};
/* NULL when every rule is kept; else the first that is not, for profile_breach_free(). */
struct profile_breach *profile_find_breach(const struct profile *profile);
void profile_breach_free(struct profile_breach *breach); /* NULL is harmless */

/*
 * What travels over D-Bus (a{sv}): strings, booleans, uint64, ay for FILE and SECRET. Only what is
 * set. Floating reference. The receiver checks every value again; unknown keys and wrong types are
 * errors.
 */
GVariant *profile_to_variant(const struct profile *profile);
struct profile *profile_from_variant(GVariant *dict, GError **error);

#endif
