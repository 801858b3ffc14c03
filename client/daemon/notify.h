/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_NOTIFY_H
#define GODWIT_DAEMON_NOTIFY_H

#include <glib.h>

/* Tells systemd, where it has started us, how it goes: sd_notify(3), of which the protocol is the
 * interface. "READY=1", "STOPPING=1", "WATCHDOG=1". */
void notify(const char *state);
/* How often systemd wants to hear WATCHDOG=1; 0 = it does not. */
guint notify_watchdog_seconds(void);

#endif
