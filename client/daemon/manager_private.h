/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_MANAGER_PRIVATE_H
#define GODWIT_DAEMON_MANAGER_PRIVATE_H

#include "daemon/holding.h"
#include "daemon/manager.h"
#include "daemon/portals.h"
#include "daemon/spare.h"

/* What the calls of org.godwit.VPN1.Manager share. */

struct manager {
    struct sessions *sessions;       /* borrowed */
    struct subscribers *subscribers; /* borrowed */
    struct holding *holding;
    struct portals *portals;
    struct properties *properties;
    struct spare *spare;
    gboolean preparing; /* a worker is started for a request that may yet be refused */
};

/* manager_kill_switch.c */
void manager_call_set_kill_switch(struct request *request);
void manager_call_allow_portal(struct request *request);

/* manager_profiles.c: /etc/godwit */
void manager_call_list_system_profiles(struct request *request);
void manager_call_save_system_profile(struct request *request);
void manager_call_delete_system_profile(struct request *request);
/* "There is no profile …" */
void manager_fail_unknown_profile(struct request *request, const char *name);

#endif
