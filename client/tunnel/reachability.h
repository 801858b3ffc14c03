/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_REACHABILITY_H
#define GODWIT_TUNNEL_REACHABILITY_H

#include <glib.h>

#include "common/addr.h"

/*
 * Whether a host that leaves IKE unanswered is there at all: TCP connections to ports that VPN
 * gateways often have beside IKE are begun, by the scout (scout.h). Accepting one and refusing one
 * are both an answer. It tells a network that blocks UDP from a gateway that is off.
 */
struct reachability;

/* Begins to ask; nothing waits and nothing is ever sent but the SYN. */
struct reachability *reachability_start(int scout, const struct addr *host);
/* TRUE when an answer has come by now. FALSE on NULL. */
gboolean reachability_answered(struct reachability *reachability);
/* NULL is harmless. */
void reachability_free(struct reachability *reachability);

#endif
