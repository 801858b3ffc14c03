/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_KILL_SWITCH_H
#define GODWIT_SESSION_KILL_SWITCH_H

#include <glib.h>

/*
 * The kill switch while nothing is connected: nothing leaves the host but by a tunnel, see
 * host/firewall.h. It holds over the end of every session and process until kill_switch_release(),
 * not over a restart of the machine. Sessions whose profile says kill-switch=always begin it too,
 * and leave it.
 */

/* `excepted`: prefixes as text that may be reached nevertheless, NULL-terminated, at most
 * HOST_EXCLUDED_MAX. Repeated, it changes both. */
gboolean kill_switch_hold(gboolean local_network, const char *const *excepted, GError **error);
gboolean kill_switch_release(GError **error); /* harmless when nothing is held */
gboolean kill_switch_is_held(void);
/* Lets TCP and DNS of a user out beside kill switch and tunnels for so many seconds, an hour at
 * most, for a captive portal; the kernel ends it. 0 ends it now. */
gboolean kill_switch_let_user_out(guint32 uid, guint seconds, GError **error);

/* Follows which networks are local, and makes the kill switch anew when somebody else flushes the
 * firewall, while there is no session that does. Runs on the thread-default
 * context; harmless while nothing is held. */
struct kill_switch_follower;
struct kill_switch_follower *kill_switch_follow(GError **error);
void kill_switch_follower_free(struct kill_switch_follower *follower); /* NULL is harmless */

#endif
