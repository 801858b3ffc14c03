/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_TUNNEL_PRIVATE_H
#define GODWIT_TUNNEL_TUNNEL_PRIVATE_H

#include "esp/pmtu.h"
#include "tunnel/gateways.h"
#include "tunnel/link.h"
#include "tunnel/reachability.h"
#include "tunnel/resolve.h"
#include "tunnel/retry.h"
#include "tunnel/signer.h"
#include "tunnel/traffic.h"
#include "tunnel/tunnel.h"
#include "tunnel/worker_config.h"

/* Inside of a connection: what the files of struct tunnel share. */

#define DETAIL_MAX 1024
#define LEAVING_MAX 4
/* Every address on both ports, but one. */
#define RIVALS_MAX (2 * GATEWAYS_MAX - 1)

/* Why an IKE SA is being made, or is to be. */
enum purpose {
    PURPOSE_NONE,
    PURPOSE_CONNECT,   /* the first one */
    PURPOSE_REAUTH,    /* the authentication of the one in use is to be repeated */
    PURPOSE_REDIRECT,  /* its gateway sends us to another one */
    PURPOSE_MOVE,      /* it cannot follow us to another path */
    PURPOSE_RECONNECT, /* there is none in use any more */
};

/* What the user has typed; all empty when the profile has it. */
struct typed {
    struct secret password;
    char *user;
    unsigned answers; /* passwords given in the authentication that runs */
};

/* Whether the gateway is to be trusted, which somebody is asked; see doubt.c. */
struct doubt {
    struct gateway_facts *facts; /* NULL = nobody is */
    enum reason reason;          /* if not */
    char *detail;
};

/* The private key on a token, see token_key.c. */
struct token_key {
    struct signer *signer; /* NULL = not yet, or it is over */
    struct secret given;   /* the PIN that was given last */
    struct secret refused; /* the one that was wrong */
    gboolean asking;       /* the user is asked */
    gboolean chosen;       /* a certificate has been, or is about to be */
    GPtrArray *choices;    /* URIs of certificates, one of which is asked for; NULL = none is */
};

/* The attempt that runs, until an answer comes: see race.c. */
struct race {
    struct link *rivals[RIVALS_MAX]; /* asked beside `next` */
    gsize asked;                     /* of the addresses and ports in their order */
    struct addr first;
    guint64 next_at;   /* when one more is asked */
    guint64 answer_by; /* of anyone */
    guint64 tcp_at;    /* when the host is asked (again) whether it is there */
    struct reachability tcp;
    enum reason reason; /* the most telling of those that came to nothing */
    gboolean unasked;   /* it is only that there is no route to one of them */
    char *detail;
};

struct tunnel {
    struct ike_sockets sockets;
    const struct tunnel_ops *ops;
    void *context;

    struct worker_config config;
    gboolean configured; /* the engine's settings are made */
    gboolean trace;
    guint16 path_mtu; /* 0 = ask the route */
    struct cert_trust *system_trust;
    uint8_t *bundle; /* that it is to be made from; NULL = there is none, or no more */
    gsize bundle_len;
    struct typed typed;
    struct ike_ticket ticket; /* to begin with next time; empty = none */
    /* Whose engine has got it, and whose presents it; only to be compared. */
    const struct link *ticket_of, *ticket_with;

    int scout; /* scout.h */
    int token; /* to a godwit-token; -1 = there is none */
    struct token_key token_key;
    struct doubt doubt;
    gboolean prepared; /* GnuTLS is started */
    int tcp4, tcp6;    /* for reachability.h; -1 = absent */
    struct resolve *resolving;
    gboolean resolving_redirect;
    struct gateways known, redirected;
    struct addr redirected_from; /* FAMILY_NONE = not redirected: `known` is used */
    char *redirected_to;
    struct redirects redirects;

    struct uplinks uplinks;
    struct link *current; /* carries the traffic */
    struct link *next;    /* is being made */
    struct race race;
    struct endpoint ask_first;         /* at the start */
    guint16 answered_port;             /* on which the last one began; 0 = none yet */
    struct link *replaced;             /* has just been */
    struct link *leaving[LEAVING_MAX]; /* have carried it */

    enum purpose purpose;
    guint64 next_at;    /* when the next attempt begins; IKE_NEVER = not yet known */
    guint64 connect_by; /* of the first attempt */
    struct retry retry;
    enum reason doomed; /* why its authentication could not be repeated */
    char *doomed_detail;
    gboolean stale;         /* the authentication of the one in use is to be repeated */
    gboolean was_up;        /* once */
    gboolean left_behind;   /* the gateway may still have an IKE SA of ours that we have not */
    gboolean disconnecting; /* the user wants the end */
    gboolean ended;

    struct traffic traffic;
    struct net_config net; /* as the session has it */
    struct {
        struct datapath_path path; /* that `pmtu` is about */
        struct pmtu pmtu;
        guint64 large_at; /* when a large packet went out last */
        guint64 look_at;  /* when it is seen to what came of it; IKE_NEVER */
    } mtu;

    GSource *timer;
    GSource *watches[4]; /* udp4, udp6 until the datapath runs; then its IKE queue and events */
    gboolean running;    /* inside loop_run() */
    uint8_t buffer[IKE_MESSAGE_MAX];
};

/* ---- tunnel.c ---- */
void tunnel_end(struct tunnel *tunnel, enum reason reason, const char *detail);
/* Turns the profile into what the engine takes, as far as it can; then begins. */
void tunnel_configure(struct tunnel *tunnel);
/* Looks the profile's gateway up again; what is found is known from then on. */
void tunnel_look_up(struct tunnel *tunnel);
/* The name of a gateway that we are redirected to. */
void tunnel_look_up_redirect(struct tunnel *tunnel, const char *name);

/* ---- typed.c: what the user types ---- */
/* IKE_EVENT_SECRET of the link that is being made. */
void typed_required(struct tunnel *tunnel, enum eap_secret secret, const char *prompt);
void typed_provide(struct tunnel *tunnel, enum eap_secret secret, struct bytes value);
/* Puts it into the settings of the next attempt. */
void typed_apply(struct tunnel *tunnel);
/* The gateway has refused it; TRUE when there was something to forget, so that it can be asked for
 * again. */
gboolean typed_forget(struct tunnel *tunnel);

/* ---- token_key.c: a private key on a token ---- */
/* Makes the credential of the settings, which are then made. */
void token_key_open(struct tunnel *tunnel);
/* IKE_EVENT_SIGN of the link that is being made. */
void token_key_sign(struct tunnel *tunnel, const struct link *link);
/* FALSE when neither a PIN nor a choice is awaited. Empty cancels, or is the first. */
gboolean token_key_provide(struct tunnel *tunnel, struct bytes value);
void token_key_free(struct tunnel *tunnel);

/* ---- doubt.c: a gateway that is not trusted ---- */
/* The link came to nothing. TRUE when somebody is asked whether to trust its gateway. */
gboolean doubt_begin(struct tunnel *tunnel, struct link *link);
/* The digits of the certificate that was asked about: it is trusted. Anything else: it is not. */
void doubt_answer(struct tunnel *tunnel, struct bytes value);
/* Nobody is asked any more. */
void doubt_end(struct tunnel *tunnel);

/* ---- kept.c: for a worker in the place of this one ---- */
/* Tells the session what such a one needs, in the place of what it was told before. Nothing before
 * the first connection. */
void kept_report(struct tunnel *tunnel);
/* Of a worker before this one, for the profile in its settings: afterwards the connection counts as
 * one that was up. Nothing happens when it cannot be used. */
void kept_restore(struct tunnel *tunnel, GVariant *kept);

/* ---- loop.c: the main loop's side ---- */
void loop_start(struct tunnel *tunnel);
void loop_stop(struct tunnel *tunnel);
/* From now on the datapath reads the sockets. */
void loop_watch_datapath(struct tunnel *tunnel);
/* Does what the engines report, sends what they want sent, and what follows from it. */
void loop_run(struct tunnel *tunnel);

/* ---- mtu.c ---- */
/* What the path of that IKE SA is known to carry. */
guint16 mtu_of_path(const struct tunnel *tunnel, const struct link *link);
/* The IKE SA in use is another one; takes another path than before. */
void mtu_taken_over(struct tunnel *tunnel);
void mtu_moved(struct tunnel *tunnel);
/* DATAPATH_LARGE and IKE_EVENT_MTU. */
void mtu_large_sent(struct tunnel *tunnel);
void mtu_answer(struct tunnel *tunnel, struct link *link, guint16 size, gboolean passed);
guint64 mtu_deadline(const struct tunnel *tunnel);
void mtu_tick(struct tunnel *tunnel);

/* ---- engine_events.c ---- */
void engine_event(struct tunnel *tunnel, struct link *link, const struct ike_event *event);

/* ---- succession.c: one IKE SA after the other ---- */
/* Begins with the first one: settings and addresses are there. */
void succession_start(struct tunnel *tunnel);
/* IKE_EVENT_PATH_LOST and IKE_EVENT_PATH. */
void succession_path_lost(struct tunnel *tunnel, struct link *link, const char *why);
void succession_path_found(struct tunnel *tunnel, struct link *link);
/* The gateway that the link asks has answered. */
void succession_answered(struct tunnel *tunnel, struct link *link);
/* The first Child SA of the link that was made is in the datapath: it is the one in use. */
void succession_take_over(struct tunnel *tunnel, struct link *link);
/* IKE_EVENT_REDIRECT of the one in use, or of the one that is being made. */
void succession_redirect(struct tunnel *tunnel, struct link *link, const char *to);
/* The addresses of a name have been found, or not: `error` is for people. */
void succession_found(struct tunnel *tunnel, gboolean redirect, const struct addr *found, gsize n,
                      const char *error);
/* The attempt that is being made has come to nothing. */
void succession_failed(struct tunnel *tunnel, enum reason reason, const char *detail,
                       gboolean engine_retry);
/* What has become of the links; TRUE when something has been done about it. */
gboolean succession_settle(struct tunnel *tunnel);
/* Addresses, routes or links of the host have changed, or it has slept. */
void succession_network_changed(struct tunnel *tunnel);
guint64 succession_deadline(const struct tunnel *tunnel);
/* The authorities to trust, to a link whose first request is ready to be sent. */
void succession_give_trust(struct tunnel *tunnel, struct link *link);
/* Reads the octets of these authorities, while files can be read. */
void succession_read_trust(struct tunnel *tunnel);
/* Takes what belongs to the link out of the datapath and frees it; NULL is harmless. */
void succession_drop(struct tunnel *tunnel, struct link *link);

/* ---- race.c: the addresses of a gateway, asked one beside the other ---- */
/* Begins the attempt that the settings are filled in for; when nobody can be asked it has failed.
 */
void race_start(struct tunnel *tunnel);
/* Asks nobody any more but `next`. */
void race_stop(struct tunnel *tunnel);
/* This one has been answered, and goes on alone. Harmless for one that takes no part. */
void race_won(struct tunnel *tunnel, struct link *link);
/* TRUE when something has been done about those that came to nothing. */
gboolean race_settle(struct tunnel *tunnel);
guint64 race_deadline(const struct tunnel *tunnel);
void race_tick(struct tunnel *tunnel);

#endif
