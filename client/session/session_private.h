/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_SESSION_PRIVATE_H
#define GODWIT_SESSION_SESSION_PRIVATE_H

#include "common/channel.h"
#include "host/host.h"
#include "session/form.h"
#include "session/lent.h"
#include "session/session.h"
#include "session/surroundings.h"
#include "session/worker.h"

/* Inside of a session: what its files share. */

#define DOWN_TIME 1500 /* milliseconds from Disconnect to Down: Delete and its answer */
#define EXIT_TIME 1000 /* from Down, or from closing its socket, to its end */

/*
 * A worker that crashes once the connection was up is replaced: the first time at once, then each
 * time after twice as long. As often as this within the period it has the end of the session.
 */
#define CRASHES_MAX 5
#define CRASHES_PERIOD (2 * 60 * G_USEC_PER_SEC)
#define REPLACE_DELAY 200U /* milliseconds, the second time */

struct session_fds {
    int tun, udp4, udp6, lookup4, lookup6, tcp4, tcp6; /* -1 = absent */
    int token; /* to session->token; until the worker has it */
};

enum state { NEW, STARTING, CONNECTING, UP, LOST, REPLACING, ENDING, ENDED };

struct session {
    char *name;
    struct profile *profile;
    char *language; /* of the worker and its godwit-token; NULL = ours */
    gboolean trace;
    const struct session_ops *ops;
    void *context;

    enum state state;
    enum reason reason; /* REASON_NONE until it is decided */
    char *detail;
    GSource *timer, *settling;

    struct session_fds fds;
    char interface[16];
    gboolean vnet_hdr;
    struct host *host;
    struct worker *worker;
    struct worker *token; /* its godwit-token; NULL = the profile names no token */
    char *worker_end;     /* how it ended */

    uid_t owner;
    gboolean spares_leftovers; /* see session_spare_leftovers() */
    gboolean leaves_host;      /* to somebody else, see session_leave_host() */
    gboolean was_up;           /* once; from then on a worker that crashes is replaced */
    gboolean bereft;           /* somebody has removed the interface: another is to be made */
    guint renewals;            /* tries to, since it was connected */
    unsigned ifindex;
    char *lost;                  /* in LOST: why the worker is given up; then for the next one */
    GVariant *kept;              /* for the next one, of MESSAGE_KEEP; NULL = nothing */
    struct lent *lent;           /* where it is kept too; NULL = nothing is lent */
    gboolean adopted;            /* the interface was lent by another process, to */
    uid_t keeper;                /* this user */
    gint64 crashes[CRASHES_MAX]; /* when, in microseconds of the monotonic clock; 0 = not yet */

    struct channel *channel;
    gboolean channel_closed; /* and everything read that came by it */
    struct form *form;
    struct surroundings *surroundings;
    struct net_config net;
    GHashTable *summary;
    gboolean announced;  /* ops->connected() was called */
    gboolean announcing; /* it is to be, once it is known how DNS is set */
    char *dns_answers;   /* that was told */
};

/* ---- session.c: its lifetime ---- */
/* The first reason is the true one; what follows is its consequence. */
void session_decide(struct session *session, enum reason reason, const char *detail);
/* Tells the gateway, within DOWN_TIME, and ends for this reason. */
void session_end_gracefully(struct session *session, enum reason reason, const char *detail);
/* The worker has so long for what it is to do now; 0 = it has done it. */
void session_limit_time(struct session *session, guint milliseconds);
/* The worker is broken, or not what we started: it is killed. */
void session_breach(struct session *session);
/* Somebody has removed the tunnel's interface, or made it useless: with a kill switch that holds
 * traffic since it was connected all is made again, else it ends. */
void session_lose_interface(struct session *session, const char *why);
/* The worker closed its end of the channel; `breach` as for channel_closed_cb. */
void session_channel_closed(struct session *session, gboolean breach);

/* ---- session_worker.c: the conversation with the worker ---- */
/* Takes over `fd`. The worker finds the network and the profile waiting for it when it is up. */
void session_open_channel(struct session *session, int fd);
void session_close_channel(struct session *session);
/* The worker was lost and another one follows: the front door and `godwit status` are told. */
void session_replacing(struct session *session);
/* The same for people. Owned by the caller. */
char *session_replacing_text(const struct session *session);

/* ---- session_host.c: what it changes on the host ---- */
/* The kill switch before there is a connection, when the profile wants it always. */
gboolean session_hold(const struct session *session, GError **error);
/* What the worker is to know of the connection whose kill switch the host has inherited, as of
 * MESSAGE_KEEP; NULL = there is none. */
GVariant *session_inherited(const struct session *session);
/* Made, or taken over. */
gboolean session_open_tun(struct session *session, GError **error);
/* Another interface in the place of the one that somebody has removed. */
gboolean session_renew_host(struct session *session, GError **error);
/* What it carried is held when it is lost. */
gboolean session_has_kill_switch(const struct session *session);
/* The sockets that the worker gets. One that the host lacks the family for stays -1. */
gboolean session_open_sockets(struct session *session, GError **error);
/* Addresses, routes and DNS of session->net, which becomes what the profile wants of it. */
gboolean session_apply(struct session *session, GError **error);
/* `godwit status` tells it. */
void session_record_state(struct session *session, const char *state, const char *why);
void session_record_connected(struct session *session);
/* Tells that it is connected, now or as soon as it is known how DNS is set. */
void session_announce(struct session *session);
/* For host_watch_dns(). */
void session_dns_changed(void *context);
/* Undoes everything and closes TUN and sockets. */
void session_revert(struct session *session);

#endif
