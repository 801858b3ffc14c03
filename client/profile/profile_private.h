/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_PROFILE_PROFILE_PRIVATE_H
#define GODWIT_PROFILE_PROFILE_PRIVATE_H

#include "common/secret.h"
#include "profile/profile.h"

/* What the files of this folder share. */

/* Before octets that a keyfile cannot hold as text, and before the content of a file without a
 * path. */
#define PROFILE_BASE64 "base64:"

struct profile_value {
    char *text;           /* FILE: absolute path or NULL; SECRET: NULL; else normalised text */
    struct secret octets; /* FILE: content; SECRET */
};

struct profile {
    struct profile_value *values; /* one for each row of the key table, in its order */
};

/* How many rows the key table has. */
gsize profile_key_count(void);
/* The value of a key that is in the table; a programming error otherwise. */
struct profile_value *profile_value_at(const struct profile *profile,
                                       const struct profile_key *key);
gboolean profile_value_is_set(const struct profile_value *value);
void profile_value_clear(struct profile_value *value);

/* Sets *error to "WHERE: MESSAGE"; returns FALSE. */
gboolean profile_fail(GError **error, enum profile_error code, const char *where,
                      const char *format, ...) G_GNUC_PRINTF(4, 5);

/*
 * As profile_set(), from octets: text of a keyfile, which may hold anything. Relative FILE paths
 * start at `folder` (NULL = the working directory).
 */
gboolean profile_set_text(struct profile *profile, const struct profile_key *key, struct bytes text,
                          const char *folder, const char *where, GError **error);

/* The content of a FILE or SECRET key, whatever it was before. */
gboolean profile_set_octets(struct profile *profile, const struct profile_key *key,
                            struct bytes octets, const char *where, GError **error);

/*
 * Reads a regular file of 1..PROFILE_FILE_MAX octets. FALSE and *error, which says "WHERE: …", for
 * everything else.
 */
gboolean profile_read_file(const char *path, const char *where, struct secret *out, GError **error);

/* ---- the text of keyfiles ---- */

#define PROFILE_GROUP "[godwit]"

enum profile_line_kind {
    PROFILE_LINE_COMMENT, /* or nothing */
    PROFILE_LINE_GROUP,   /* PROFILE_GROUP */
    PROFILE_LINE_PAIR,
    PROFILE_LINE_OTHER_GROUP,
    PROFILE_LINE_NONE, /* nothing that a keyfile may hold */
};

/* A line without the blanks around it, with its parts where they stand. */
struct profile_line {
    enum profile_line_kind kind;
    struct bytes text;
    struct bytes name, value;      /* of a pair; the value as it is written */
    const struct profile_key *key; /* of that name; NULL = none */
};

/* With or without its line feed. */
struct profile_line profile_line_read(struct bytes line);
/* With its line feed, if it has one; of a text that is not empty. */
struct bytes profile_first_line(struct bytes text);
/* Without the byte order mark that Windows' editors put before it. */
struct bytes profile_without_mark(struct bytes text);
/* As profile_set_text(), from a value as keyfiles have it. */
gboolean profile_set_written(struct profile *profile, const struct profile_key *key,
                             struct bytes written, const char *folder, const char *where,
                             GError **error);
/*
 * The keyfile that says what the profile does, as `old` was written: its comments, its order and
 * every line that says the same stay, a line that another value has keeps its blanks, a key that is
 * not set any more goes, and what no profile may hold becomes a comment. Relative FILE paths start
 * at `folder`. FALSE when memory is out.
 */
gboolean profile_to_text(const struct profile *profile, struct bytes old, const char *folder,
                         struct secret *text);

/* ---- checks of single values (profile_check.c); reasons are N_() ---- */

/* The one place that refuses control characters, direction overrides and what is not UTF-8. */
const char *check_text(struct bytes text);
const char *check_name(const char *text, struct bytes *at);
const char *check_host(const char *text, struct bytes *at);
const char *check_fingerprint(const char *text, struct bytes *at);
const char *check_identity(const char *text, struct bytes *at);
const char *check_prefix(const char *text, struct bytes *at);
const char *check_network(const char *text, struct bytes *at);
const char *check_dns_server(const char *text, struct bytes *at);
const char *check_domain(const char *text, struct bytes *at);
const char *check_app(const char *text, struct bytes *at);
const char *check_mtu(const char *text, struct bytes *at);
const char *check_octets(const char *text, struct bytes *at);
const char *check_ike_proposal(const char *text, struct bytes *at);
const char *check_esp_proposal(const char *text, struct bytes *at);

#endif
