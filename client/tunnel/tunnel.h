/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_TUNNEL_H
#define GODWIT_TUNNEL_TUNNEL_H

#include <glib.h>

#include "common/error.h"
#include "common/gateway_facts.h"
#include "common/net_config.h"
#include "common/network.h"
#include "ike/ike.h"
#include "profile/profile.h"

/*
 * One connection inside the worker: joins the IKEv2 engine, EAP and the ESP datapath to sockets,
 * clock and the main loop. IKE SAs come and go in it (reauthentication, redirection, a gateway that
 * was lost); the connection ends when the user wants it or when there can be no other. Reports
 * through callbacks; the channel to the session (control.h) and tests hang on them.
 */
struct tunnel;

struct tunnel_fds {
    /* -1 = absent; not owned. `token`: to a godwit-token. */
    int tun, udp4, udp6, lookup4, lookup6, tcp4, tcp6, token;
};

struct tunnel_summary {
    struct ike_summary ike;
    char gateway[ADDR_TEXT_MAX]; /* endpoint in use */
    char asked[ADDR_TEXT_MAX];   /* endpoint that answered first */
    const char *esp_library;     /* whose ciphers ESP is served by */
};

struct tunnel_choice {
    const char *value, *title, *detail;
};

/* Called from the main loop; a tunnel may not be freed inside one. */
struct tunnel_ops {
    void (*phase)(void *context, const char *phase, const char *text, guint64 at_us);
    /* What an attempt came to that another one follows; the phase that says so comes next. */
    void (*failed)(void *context, enum reason reason, const char *detail);
    void (*trace)(void *context, const char *line, gboolean outbound, gboolean retransmission,
                  guint64 at_us);
    /* Answer with tunnel_provide_secret(). `id` is a profile key ("password", "psk",
     * "private-key-password", "user"). */
    void (*secret_required)(void *context, const char *id, const char *prompt);
    /* One of several is to be chosen: value, title and detail of each. Answer with
     * tunnel_provide_secret(): the value, or anything else for the first. `id` is "certificate". */
    void (*choice_required)(void *context, const char *id, const struct tunnel_choice *choices,
                            gsize n);
    /* The gateway's certificate is not trusted, and a person may decide otherwise. Answer with
     * tunnel_provide_secret() of "gateway-fingerprint": its digits, or anything else for no. */
    void (*trust_required)(void *context, const struct gateway_facts *facts);
    /* Each time when another IKE SA carries the traffic, and when what the gateway assigns has
     * changed: `net` takes the place of what it was before. */
    void (*connected)(void *context, const struct net_config *net,
                      const struct tunnel_summary *summary);
    /* The TUN's MTU is another one from now on. */
    void (*mtu)(void *context, guint16 mtu);
    /* What tunnel_options.kept of another worker is to be, should this one be ended by a fault; as
     * secret as a password. Floating. */
    void (*keep)(void *context, GVariant *kept);
    void (*down)(void *context, enum reason reason, const char *detail); /* last call */
};

/* `scout` as of scout_start(), not owned; -1 = there is none. */
struct tunnel *tunnel_new(int scout, const struct tunnel_ops *ops, void *context);
/* For one that waits to be connected: does what is the same for every connection. */
void tunnel_prepare(struct tunnel *tunnel);
void tunnel_free(struct tunnel *tunnel);
struct tunnel_options {
    gboolean trace, vnet_hdr;
    guint16 path_mtu;          /* 0 = ask the route */
    GVariant *kept;            /* by a worker before this one, a{sv}; NULL = there was none */
    struct endpoint ask_first; /* if the gateway's name stands for it; none = in the usual order */
};

/* Takes over `profile`. Resolves the gateway and connects. Called once. When it returns, nothing
 * has been read from the network, and no file will be opened any more. */
void tunnel_connect(struct tunnel *tunnel, struct profile *profile, const struct tunnel_fds *fds,
                    const struct tunnel_options *options);
/* An empty value cancels. The value is copied. */
void tunnel_provide_secret(struct tunnel *tunnel, const char *id, struct bytes value);
/* Deletes the IKE SA; `down` with REASON_USER follows, at once when there is none. */
void tunnel_disconnect(struct tunnel *tunnel);
/* The host's uplinks or connectivity are these now; copied. Also before tunnel_connect(). */
void tunnel_network(struct tunnel *tunnel, const struct network *network);
/* The machine is about to sleep: what it does to the network on its way is no reason to move. */
void tunnel_sleep(struct tunnel *tunnel);
/* It is awake again; the network is as told last. */
void tunnel_wake(struct tunnel *tunnel);

#endif
