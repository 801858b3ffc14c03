/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_OBJECTS_H
#define GODWIT_DAEMON_OBJECTS_H

#include "daemon/manager.h"

/*
 * The objects on the bus: /org/godwit/VPN1 and the sessions below it. Every call becomes a request;
 * who may not see a session is told that there is none.
 */
struct objects;

/* All borrowed. NULL and *error when they cannot be registered. */
struct objects *objects_new(GDBusConnection *bus, struct requests *requests,
                            struct manager *manager, struct sessions *sessions,
                            struct subscribers *subscribers, GError **error);
void objects_free(struct objects *objects);

#endif
