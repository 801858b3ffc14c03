/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_AUTOCONNECT_H
#define GODWIT_DAEMON_AUTOCONNECT_H

#include "daemon/sessions.h"

/*
 * Connects with the system profiles that ask for it when the machine starts, and again while there
 * is no network or the gateway is out of reach. What somebody ended, or what was refused, stays
 * ended until the machine restarts, also when the service does.
 */
struct autoconnect;

/* Begins at once. `sessions` is borrowed. */
struct autoconnect *autoconnect_new(struct sessions *sessions);
void autoconnect_free(struct autoconnect *autoconnect);
void autoconnect_ended(struct autoconnect *autoconnect, const struct session_object *object,
                       enum reason reason);
/* Something waits for its next attempt. */
gboolean autoconnect_waits(const struct autoconnect *autoconnect);

#endif
