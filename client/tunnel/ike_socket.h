/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_IKE_SOCKET_H
#define GODWIT_TUNNEL_IKE_SOCKET_H

#include <glib.h>

#include "common/net_config.h"
#include "ike/ike.h"

/* The worker's use of the two UDP sockets for IKE. Until the datapath starts the main loop reads
 * them; afterwards it only sends. */
struct ike_sockets {
    int fd4, fd6;                   /* -1 = the host lacks the family; not owned */
    int lookup4, lookup6;           /* for ike_socket_route_to() */
    const struct net_config *inner; /* whose addresses are the tunnel's own; borrowed */
};

/* Sends one datagram of the engine along `path`, with the non-ESP marker where the port asks for
 * one (RFC 3948 2.2), and in IP fragments if need be unless it is to stay whole. FALSE and errno
 * when the kernel refuses; a lost datagram is the engine's business. */
gboolean ike_socket_send(const struct ike_sockets *sockets, const struct path *path,
                         struct bytes datagram);
/*
 * Takes one waiting IKE datagram of socket `fd` into `buffer`; *datagram is it without the marker.
 * FALSE when none is left. It is empty for ESP and keepalives, which are dropped before the
 * datapath runs.
 */
gboolean ike_socket_receive(int fd, uint8_t *buffer, size_t cap, struct path *path,
                            struct bytes *datagram);
/* Takes one ICMP error off the queue of socket `fd`: TRUE when it is of those that
 * ike_unreachable() is told of. *more is FALSE when the queue is empty. */
struct ike_socket_error {
    struct path path; /* of the datagram; its remote end alone */
    enum ike_icmp icmp;
    struct addr reporter;
};
gboolean ike_socket_unreachable(int fd, struct ike_socket_error *out, gboolean *more);
/* Whether ESP may be cut into IP fragments: for a path that is smaller than what an inner link must
 * carry. */
void ike_sockets_fragment_esp(const struct ike_sockets *sockets, gboolean allow);
/* Source address that the host would use for our packets to `remote`, and the outer MTU of that
 * route. FALSE when there is no route, or one whose interface has lost its address: the host would
 * then send from the tunnel's. */
gboolean ike_socket_route_to(const struct ike_sockets *sockets, const struct endpoint *remote,
                             struct addr *local, uint16_t *mtu);

#endif
