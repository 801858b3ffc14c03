/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_CALLERS_H
#define GODWIT_DAEMON_CALLERS_H

#include <gio/gio.h>
#include <sys/types.h>

/* Who calls: the user behind each unique name of the bus, and what a user may ask for at a time. */
struct callers;

#define USER_SUBSCRIBERS_MAX 64
#define USER_PENDING_MAX 8   /* requests that wait for polkit */
#define USER_STARTS_BURST 30 /* connections begun at once... */
#define USER_STARTS_RATE 5   /* ... and then a second */

struct user {
    uid_t uid;
    guint subscribers, pending;
    double starts; /* that are left, as of `counted` */
    gint64 counted;
};

struct caller {
    char *name;        /* unique on the bus, and never used again */
    struct user *user; /* lives as long as `callers` */
    gboolean gone;     /* from the bus */
    gboolean manages;  /* it may see and use the sessions of others */
};

/* `gone` comes once for a caller that somebody holds, when its name leaves the bus. */
typedef void (*caller_gone_cb)(void *context, struct caller *caller);
struct callers *callers_new(GDBusConnection *bus, caller_gone_cb gone, void *context);
void callers_free(struct callers *callers);

/* `caller` is held for the callee, who lets go of it with caller_release(); NULL: it is gone. */
typedef void (*caller_known_cb)(void *context, struct caller *caller);
/* Calls back at once when the name is known already, else later. */
void callers_identify(struct callers *callers, const char *name, caller_known_cb known,
                      void *context);
struct caller *caller_hold(struct caller *caller);
void caller_release(struct caller *caller); /* NULL is harmless */

/* Takes one of the connections that the user may begin now; FALSE when none is left. */
gboolean user_takes_start(struct user *user);

#endif
