/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_REACHABILITY_H
#define GODWIT_TUNNEL_REACHABILITY_H

#include <glib.h>

#include "common/addr.h"

/* HTTPS and HTTP, as portals and SSL VPN have them, and IKE over TCP (RFC 9329). */
#define REACHABILITY_PORTS                                                                         \
    {                                                                                              \
        443, 80, 4500                                                                              \
    }

/*
 * Whether a host that leaves IKE unanswered is there at all: TCP connections to ports that VPN
 * gateways often have beside IKE are begun, one after the other. Accepting one and refusing one are
 * both an answer. It tells a network that blocks UDP from a gateway that is off.
 */
struct reachability {
    int fd; /* borrowed; -1 = nobody is asked */
    struct addr host;
    gsize asked; /* of the ports */
    gboolean answered;
};

/* For the answer of one port: a SYN and its first repetition have gone out by then. */
#define REACHABILITY_WAIT (2 * G_USEC_PER_SEC)

/* Begins to ask. `fd`: a TCP socket of the host's family that takes no tunnel, -1 = there is none;
 * reachability_end() is to come before it is used again. */
void reachability_start(struct reachability *reachability, int fd, const struct addr *host);
/* Asks the next port unless there was an answer; FALSE when there is nothing more to ask. Nothing
 * waits and nothing is ever sent but the SYN. */
gboolean reachability_next(struct reachability *reachability);
/* TRUE when an answer has come by now. */
gboolean reachability_answered(struct reachability *reachability);
/* Harmless when nothing was begun. */
void reachability_end(struct reachability *reachability);

#endif
