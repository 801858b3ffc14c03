/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_AUTH_DIALOG_AGENT_H
#define GODWIT_NM_AUTH_DIALOG_AGENT_H

#include <gio/gio.h>

/*
 * Whoever started us: one of NetworkManager's agents, which writes the connection to our standard
 * input and "QUIT" when it needs us no more, and reads the secrets from our standard output.
 */
struct agent;

/* Watches both from now on; what is read of standard input is gone. */
struct agent *agent_new(void);
void agent_free(struct agent *agent); /* NULL is harmless */

/* Cancelled when it needs us no more: it says so, or reads no more. Borrowed; NULL for NULL. */
GCancellable *agent_gone(const struct agent *agent);
/* Returns when it has gone or closed standard input, at the latest after so many seconds. */
void agent_wait(struct agent *agent, guint seconds);

#endif
