/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_SESSION_OBJECT_H
#define GODWIT_DAEMON_SESSION_OBJECT_H

#include "daemon/request.h"
#include "daemon/subscribers.h"
#include "profile/profile.h"

/* A connection as an object on the bus: a session, what is told of it, and to whom. */
struct session_object;

struct session_wish { /* borrowed for the call */
    const char *name, *origin;
    const char *language;       /* see session_set_language() */
    const char *system_profile; /* "" = none */
    const struct profile *profile;
    uid_t owner;
    gboolean trace;
    gboolean configures_host; /* else the caller does */
    gboolean unattended;      /* nobody is there to answer a form */
    struct caller *bound_to;  /* it ends when that caller leaves; NULL = it stays */
    struct worker **worker;   /* started beforehand and taken over; NULL, or of NULL = none is */
    int interface;            /* with `lent`: that comes back, a duplicate is taken */
    GVariant *lent;           /* that goes on, see session_adopt(); NULL = nothing does */
    uid_t keeper;             /* whose it was */
};

/* The last call; the object may be freed when the main loop runs again, not before. */
typedef void (*session_object_ended_cb)(void *context, struct session_object *object,
                                        enum reason reason);

/* `number` and `record_name` are unique among all sessions. */
struct session_object *session_object_new(guint number, const char *record_name,
                                          const struct session_wish *wish,
                                          struct subscribers *subscribers,
                                          session_object_ended_cb ended, void *context);
void session_object_free(struct session_object *object);
void session_object_start(struct session_object *object);
void session_object_disconnect(struct session_object *object); /* again: at once */
/* The service goes: what is lent stays for the next one; FALSE when nothing is. Then only
 * session_object_free() may follow. */
gboolean session_object_abandon(struct session_object *object);

guint session_object_number(const struct session_object *object);
const char *session_object_path(const struct session_object *object);
uid_t session_object_owner(const struct session_object *object);
const char *session_object_name(const struct session_object *object);
const char *session_object_record_name(const struct session_object *object);
const char *session_object_system_profile(const struct session_object *object);
gboolean session_object_is_unattended(const struct session_object *object);
/* Once, be it only for a moment. */
gboolean session_object_was_connected(const struct session_object *object);
/* Somebody has called Disconnect. */
gboolean session_object_is_dismissed(const struct session_object *object);
const struct properties *session_object_properties(const struct session_object *object);
gboolean session_object_visible_to(const struct session_object *object,
                                   const struct caller *caller);
/* A caller has left the bus. */
void session_object_caller_gone(struct session_object *object, struct caller *caller);
/* A call to org.godwit.VPN1.Session by somebody who may see it; answers the request. */
void session_object_call(struct session_object *object, struct request *request);

#endif
