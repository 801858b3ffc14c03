/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_WAYS_H
#define GODWIT_SESSION_WAYS_H

#include <glib.h>

#include "common/network.h"

/*
 * Which of a gateway's addresses and ports answered last, network by network, so that the next
 * connection there asks it first. Kept in RUNDIR until the machine restarts, as digests: where
 * somebody has been cannot be read from it. To lose it costs a moment.
 */

/* "192.0.2.1:4500", or NULL; g_free(). NULL arguments are harmless in both. */
char *ways_recall(const struct network *network, const char *gateway);
void ways_remember(const struct network *network, const char *gateway, const char *way);

#endif
