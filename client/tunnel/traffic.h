/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_TRAFFIC_H
#define GODWIT_TUNNEL_TRAFFIC_H

#include <glib.h>

#include "esp/datapath.h"
#include "ike/ike.h"
#include "tunnel/drops.h"
#include "tunnel/ike_socket.h"

/*
 * The ESP side of a connection: one datapath on one TUN for as long as the connection lasts,
 * whichever IKE SA its keys come from.
 */
struct traffic {
    const struct ike_sockets *sockets;
    int tun_fd;
    gboolean vnet_hdr;
    struct suite suite; /* of the latest Child SA */
    gboolean narrow;    /* to the assigned addresses: the profile names no networks of ours */

    struct datapath *datapath;                 /* NULL until the first Child SA */
    struct crypt_lanes *lanes[DATAPATH_LANES]; /* made before, for it */
    struct drops drops;
};

/*
 * What `suite` leaves of a path of that outer MTU: it is the datapath's, and the TUN's (net->mtu)
 * unless a link with IPv6 must have more. Then ESP is let into IP fragments.
 */
void traffic_set_mtu(struct traffic *traffic, struct net_config *net,
                     const struct datapath_path *path, guint16 path_mtu);
/* Does what takes time and is the same for every connection; what fails is tried again by
 * traffic_start. */
void traffic_prepare(struct traffic *traffic);
/* Starts the datapath, which from now on reads the sockets alone. */
gboolean traffic_start(struct traffic *traffic);
/* Into the log, when there is something to say; from time to time, once it has been started. */
void traffic_tell_drops(struct traffic *traffic, const struct datapath_counters *counters);
/* NULL fields and one that was never started are harmless. */
void traffic_stop(struct traffic *traffic);

/* What comes in by this Child SA is accepted. */
gboolean traffic_add_in(struct traffic *traffic, const struct ike_child *child,
                        const struct net_config *net);
/* What of the outbound side, its path too, is changed from now on takes effect with the commit, all
 * at once. To commit nothing is harmless. */
void traffic_hold(struct traffic *traffic);
void traffic_commit(struct traffic *traffic);
/* What goes out takes this Child SA. */
gboolean traffic_set_out(struct traffic *traffic, const struct ike_child *child);
/* Nothing goes out by this Child SA any more, unless another one has taken its place already. FALSE
 * when memory is out. */
gboolean traffic_remove_out(struct traffic *traffic, guint32 spi_in);
/* This Child SA is over, in both directions. FALSE when memory is out. */
gboolean traffic_remove(struct traffic *traffic, guint32 spi_in);

#endif
