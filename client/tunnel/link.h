/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_LINK_H
#define GODWIT_TUNNEL_LINK_H

#include "esp/datapath.h"
#include "tunnel/ike_socket.h"
#include "tunnel/uplinks.h"

/* Child SAs of one IKE SA whose inbound halves live at once: the engine has fewer. */
#define LINK_CHILDREN_MAX 64

/*
 * One IKE SA on the worker's sockets: an engine, the way that its messages and its ESP take, and
 * what of it is in the datapath. Nothing here calls back: whoever owns it pulls the events and
 * sends what is to be sent.
 */
struct link {
    struct ike *ike;                     /* NULL once it is over */
    struct datapath_path path;           /* of its ESP */
    struct uplinks_told told;            /* of the host's network */
    struct addr gateway;                 /* that was asked */
    guint16 port;                        /* on which it was */
    guint16 path_mtu;                    /* outer */
    guint64 up_since;                    /* 0 = not yet */
    gboolean answered;                   /* by a gateway that does IKE */
    gboolean late;                       /* the gateway may have established it already */
    guint32 children[LINK_CHILDREN_MAX]; /* inbound SPIs in the datapath; 0 = none */
    guint64 until;                       /* they are accepted until then */
    guint64 close_at;                    /* then the gateway is told of the end; 0 = not any more */

    /* IKE_EVENT_DOWN has come: */
    gboolean down, retry;
    enum reason reason;
    char *detail;
    struct gateway_facts *untrusted; /* NULL = it was about something else */
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
enum link_result link_open(struct link **out, const struct ike_sockets *sockets,
                           struct ike_config *config, const struct endpoint *gateway,
                           guint16 path_mtu);
/* Wipes; NULL is harmless. Nothing is sent. */
void link_free(struct link *link);
/* The datagram bears SPIs of this IKE SA. False on NULL. */
gboolean link_owns(const struct link *link, struct bytes datagram);
/* The engine's path for ESP is this now. */
void link_set_path(struct link *link, const struct path *path);
/* Both sides can MOBIKE. */
gboolean link_can_move(const struct link *link);
/* Sends what the engine wants sent; `buffer` holds IKE_MESSAGE_MAX octets. */
void link_send(struct link *link, const struct ike_sockets *sockets, uint8_t *buffer);
/* IKE_EVENT_DOWN: keeps what it says. */
void link_ended(struct link *link, const struct ike_event *event);
/* Notes a Child SA of the datapath; FALSE when there are too many. */
gboolean link_add_child(struct link *link, guint32 spi_in);
gboolean link_has_child(const struct link *link, guint32 spi_in);
void link_remove_child(struct link *link, guint32 spi_in);

#endif
