/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_CONNECT_OPTIONS_H
#define GODWIT_DAEMON_CONNECT_OPTIONS_H

#include <gio/gunixfdlist.h>

#include "common/language.h"

/* The options of Connect and ConnectSystem. */
struct connect_options {
    gboolean trace;
    gboolean configures_host;    /* the service does; else the caller */
    gboolean bound;              /* to the caller's connection to the bus */
    gboolean once;               /* not beside another of that name */
    gboolean listen;             /* the caller is told what happens */
    gboolean has_owner;          /* else the caller is */
    guint32 owner;               /* user id */
    char origin[32];             /* "" = not told */
    char language[LANGUAGE_MAX]; /* "" = not told */
    int interface, state;        /* what was lent, and comes back; -1 = nothing does */
};

/* FALSE and *error for one that is unknown, of another type, or no value that it may have. `fds`:
 * of the message, NULL = none. Descriptors are borrowed from it. */
gboolean connect_options_read(struct connect_options *options, GVariant *dict, GUnixFDList *fds,
                              GError **error);

#endif
