/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_PORTALS_H
#define GODWIT_DAEMON_PORTALS_H

#include <glib.h>
#include <sys/types.h>

/* Users who are let out to a captive portal for a while. */
struct portals;

#define PORTAL_SECONDS_MAX 600

/* `over` is called when the time of a user has come. */
typedef void (*portals_over_cb)(void *context, uid_t uid);
struct portals *portals_new(portals_over_cb over, void *context);
void portals_free(struct portals *portals); /* the kernel knows when it ends */
/* 0 seconds: no longer. */
gboolean portals_allow(struct portals *portals, uid_t uid, guint seconds, GError **error);
/* Microseconds of CLOCK_BOOTTIME; 0 = that user is not. */
guint64 portals_until(const struct portals *portals, uid_t uid);

#endif
