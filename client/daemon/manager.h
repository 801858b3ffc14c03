/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_MANAGER_H
#define GODWIT_DAEMON_MANAGER_H

#include "common/network.h"
#include "daemon/properties.h"
#include "daemon/sessions.h"

/* org.godwit.VPN1.Manager. */
struct manager;

struct manager *manager_new(struct sessions *sessions, struct subscribers *subscribers);
void manager_free(struct manager *manager);
/* A call of one of its methods; answers the request. */
void manager_call(struct manager *manager, struct request *request);
/* a{sv} as that caller sees them; floating. */
GVariant *manager_properties(struct manager *manager, const struct caller *caller);
/* Something on the host may have changed: tells the subscribers what has. */
void manager_refresh(struct manager *manager);
/* The permanent kill switch does, which is looked after as long as it is on. */
gboolean manager_holds_traffic(const struct manager *manager);
/* What the host's network manager says has changed. */
void manager_set_connectivity(struct manager *manager, enum connectivity connectivity);
/* How long that user is let out to a captive portal is told to its programs. */
void manager_tell_portal(struct manager *manager, uid_t uid);

#endif
