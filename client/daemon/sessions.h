/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_SESSIONS_H
#define GODWIT_DAEMON_SESSIONS_H

#include "daemon/session_object.h"

/* All sessions, of all users. */
struct sessions;

#define SESSIONS_MAX 64
#define SESSIONS_OF_USER_MAX 16 /* but root's */

struct sessions_ops {
    /* Their number is another. */
    void (*changed)(void *context);
    void (*ended)(void *context, const struct session_object *object, enum reason reason);
};

struct sessions *sessions_new(struct subscribers *subscribers, const struct sessions_ops *ops,
                              void *context);
void sessions_free(struct sessions *sessions); /* those that run end at once */

#define SESSIONS_ERROR sessions_error_quark()
GQuark sessions_error_quark(void);
enum sessions_error { SESSIONS_ERROR_TOO_MANY, SESSIONS_ERROR_STOPPING };

/* Borrowed; NULL and *error when there may be no more, or what
 * comes back is nothing of ours. sessions_begin() follows. */
struct session_object *sessions_add(struct sessions *sessions, const struct session_wish *wish,
                                    GError **error);
/* Announces it, and it begins. */
void sessions_begin(struct sessions *sessions, struct session_object *object);
/* Whether that user has one of that system profile (NULL = any, or none), or else of that name. */
gboolean sessions_has(const struct sessions *sessions, uid_t owner, const char *name,
                      const char *system_profile);
struct session_object *sessions_find(const struct sessions *sessions, guint number);
guint sessions_count(const struct sessions *sessions);
/* Of them, how many the caller does not see. */
guint sessions_hidden_from(const struct sessions *sessions, const struct caller *caller);
/* Adds those that the caller sees to an a{oa{sa{sv}}}. */
void sessions_list(const struct sessions *sessions, const struct caller *caller,
                   GVariantBuilder *builder);
void sessions_caller_gone(struct sessions *sessions, struct caller *caller);
/* Ends all of them but what is lent, which is left to the next service, and none begins any more;
 * again: at once. */
void sessions_stop(struct sessions *sessions);

#endif
