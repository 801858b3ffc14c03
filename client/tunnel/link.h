/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_LINK_H
#define GODWIT_TUNNEL_LINK_H

#include "esp/datapath.h"
#include "tunnel/ike_socket.h"

/*
 * One IKE SA on the worker's sockets: an engine and the way that its messages and its ESP take.
 * Nothing here calls back: whoever owns it pulls the events and sends what is to be sent.
 */
struct link {
    struct ike *ike;
    struct datapath_path path; /* of its ESP */
    guint16 path_mtu;          /* outer */
};

/* What link_open() came to. */
enum link_result {
    LINK_OPENED,
    LINK_NO_ROUTE,
    LINK_CONTRADICTION, /* the settings contradict each other */
    LINK_FAILED,
};

/* Begins to connect to `gateway`. Fills in what of `config` depends on the network and the time.
 * `path_mtu` 0 = ask the route. */
enum link_result link_open(struct link **out, struct ike_config *config,
                           const struct endpoint *gateway, guint16 path_mtu);
/* Wipes; NULL is harmless. Nothing is sent. */
void link_free(struct link *link);
/* Sends what the engine wants sent; `buffer` holds IKE_MESSAGE_MAX octets. */
void link_send(struct link *link, const struct ike_sockets *sockets, uint8_t *buffer);

/* Microseconds of CLOCK_BOOTTIME: the engine's clock, which goes on while the machine sleeps. */
guint64 link_now(void);

#endif
