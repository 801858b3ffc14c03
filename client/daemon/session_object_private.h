/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_SESSION_OBJECT_PRIVATE_H
#define GODWIT_DAEMON_SESSION_OBJECT_PRIVATE_H

#include "daemon/history.h"
#include "daemon/properties.h"
#include "daemon/session_object.h"
#include "session/session.h"

/* What session_object.c (what happens to it) and session_calls.c (what is asked of it) share. */

struct session_object {
    guint number;
    char *path, *record_name, *system_profile;
    uid_t owner;
    struct caller *bound_to;
    struct session *session;
    struct subscribers *subscribers; /* to everything; borrowed */
    struct subscribers *watchers;    /* of the ladder */
    struct properties *properties;
    struct history *phases, *rungs;
    gboolean trace, unattended, connected, ended;
    gboolean lends;      /* to bound_to */
    gboolean again;      /* it goes on where another service has left off, or may */
    gboolean dismissed;  /* somebody wanted it to end */
    guint form;          /* number of the newest */
    GPtrArray *form_ids; /* of the open one; NULL = none is */
    session_object_ended_cb on_ended;
    void *context;
};

/* Tells the subscribers what has changed of the properties. */
void session_object_publish(struct session_object *object);
/* The form that was open is not any more. */
void session_object_close_form(struct session_object *object);

#endif
