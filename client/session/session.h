/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_SESSION_H
#define GODWIT_SESSION_SESSION_H

#include <glib.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/net_config.h"
#include "common/vpn1.h"
#include "profile/profile.h"
#include "session/worker.h"

/*
 * A connection as the privileged side sees it: makes the TUN and the UDP sockets, starts the
 * worker, applies what it reports, undoes it at the end. Used by godwitd and by `godwit connect
 * --standalone`. Runs on the thread-default GMainContext.
 */
struct session;

struct session_field { /* of a secrets form */
    const char *id, *label, *prompt;
    const char *kind;  /* VPN1_FIELD_… */
    GVariant *details; /* of that kind, a{sv}; NULL = none. Borrowed */
};

struct session_info { /* valid while connected; borrowed */
    const char *name;
    const char *interface;
    const struct net_config *net;
    GHashTable *summary;    /* strings by name, see MESSAGE_CONNECTED */
    const char *dns_method; /* how DNS was set, for people: "/etc/resolv.conf", or why it was not */
    const char *dns_answers; /* see ops->dns_answers; NULL or "" = not known yet */
    gboolean full_tunnel;
    gboolean
        again; /* it was connected before: another IKE SA has taken over, or `net` is another */
};

/* Called from the main context; any may be NULL but `ended`. A session may not be freed inside a
 * callback. */
struct session_ops {
    void (*phase)(void *context, const char *phase, const char *text, guint64 at_us);
    /* What an attempt came to that another one follows; `detail` as in ended(). The phase that says
     * so comes next. */
    void (*failed)(void *context, enum reason reason, const char *detail);
    void (*trace)(void *context, const char *line, gboolean outbound, gboolean retransmission,
                  guint64 at_us);
    /* Answer later with session_provide_secrets(). NULL = secrets cannot be asked for. */
    void (*secrets_required)(void *context, const struct session_field *fields, gsize n_fields);
    /* May come again, see `info`. */
    void (*connected)(void *context, const struct session_info *info);
    /* Some time after connected(): whether a name server answers by the tunnel, for people:
     * "10.99.0.1 answers in 12 ms", or not. Again when it is another. */
    void (*dns_answers)(void *context, const char *text);
    /* Another MTU of the interface, after connected(). */
    void (*mtu)(void *context, guint16 mtu);
    /* Last call; everything on the host has been reverted. `detail` is translated, may be "". */
    void (*ended)(void *context, enum reason reason, const char *detail);
};

/* `profile` is copied. */
struct session *session_new(const char *name, const struct profile *profile, gboolean trace,
                            const struct session_ops *ops, void *context);
/*
 * Before the start: somebody else sets up addresses, routes and DNS, from what `connected` tells,
 * which then comes again for another MTU as well. Only the TUN is made, and what the firewall is to
 * hold.
 */
void session_leave_host(struct session *session);
/* Before the start: what other dead sessions left behind is not removed, which the start does
 * otherwise. For sessions that are begun again one after another: each inherits its own. Where that
 * is a kill switch which still holds, the connection is not begun but lost: it is tried until it is
 * up, what it fails with is final, or somebody has enough. */
void session_spare_leftovers(struct session *session);
/* Before the start: whose it is; applications that the profile names are this user's alone. 0, as
 * it is without this call: everybody's. */
void session_set_owner(struct session *session, uid_t owner);
/* Before the start: that of what the worker says, as in LC_MESSAGES; NULL, as it is without this
 * call: that of our own environment. Copied. */
void session_set_language(struct session *session, const char *language);
/* The programs in the control group of the process, of a user `uid` who asks for it, use the
 * connection (`inside`, of a profile with include-apps) or leave beside it. FALSE and *error, a
 * sentence, when that cannot be. */
gboolean session_add_app(struct session *session, int pidfd, uid_t uid, gboolean inside,
                         GError **error);
/* Before the start: takes over a worker that was started beforehand, so as to be ready sooner. NULL
 * = there is none, and it starts one of its own. */
void session_use_worker(struct session *session, struct worker *worker);
/*
 * While it is connected, of session_leave_host(): descriptors with which another process, of the
 * user `keeper`, carries it over the end of ours; borrowed. FALSE and *error when that cannot be.
 * `interface` keeps the interface alive; `state` is as lent_read() has it.
 */
gboolean session_lend(struct session *session, uid_t keeper, int *interface, int *state,
                      GError **error);
/* Before the start, of session_leave_host(): what was lent comes back, and the session goes on
 * where the one before has left off, whose name it has: that of session_lent_name(). Takes over
 * `interface`; `kept` of lent_read(). */
void session_adopt(struct session *session, uid_t keeper, int interface, GVariant *kept);
/* For an interface that comes back: the name of what it was lent by. NULL and *error when it is
 * none. */
char *session_lent_name(int interface, GError **error);
/* Frees it without a word to the gateway; what it lent, or has adopted and not lent again yet,
 * waits for session_adopt(), and all on the host stays as it is. FALSE when nothing is lent:
 * nothing is done. */
gboolean session_abandon(struct session *session);
void session_free(struct session *session); /* ends it at once when it still runs */
/* Begins; failures arrive by `ended` too (never from inside this call). */
void session_start(struct session *session);
/* Graceful: Delete, then revert; `ended` follows, within 2 s. A second call ends it at once. */
void session_disconnect(struct session *session);
/* One value per field id; wiped by the session after use. NULL table cancels. */
void session_provide_secrets(struct session *session, GHashTable *values_bytes_by_id);

/* Removes what dead sessions left behind (undo records whose process is gone), but for what they
 * lent. Returns how many were cleaned. */
guint session_clean_leftovers(void);
/* How many sessions wait for session_adopt(); and the end of the wait, which returns how many were
 * cleaned. */
guint session_count_lent(void);
guint session_clean_lent(void);
/* After session_start(), in a process that has freed memory overwritten (M_PERTURB): what takes time
 * when the session connects is done while there is time. */
void session_make_room(void);
/* How many there are, as far as the caller may see. */
guint session_leftovers(void);
/* Why the programs of this host cannot be told apart, translated; NULL = they can. */
const char *session_apps_missing(void);
/* By which way a session would set DNS now, for people: "systemd-resolved". Never NULL. */
const char *session_dns_way(void);

struct session_traffic { /* since the interface was made */
    guint64 rx_octets, rx_packets, tx_octets, tx_packets;
};
/* FALSE when there is no such interface. */
gboolean session_traffic(const char *interface, struct session_traffic *out);

/* For `status`: what runs now, from the records in the run directory. */
struct session_record {
    char *name, *interface, *gateway, *gateway_id;
    char *state; /* "connected" or "reconnecting" */
    char *why;   /* for people, may be "" */
    char **addresses;
    char **dns_servers;
    char *dns_method, *dns_answers; /* as in struct session_info */
    gint64 since;                   /* seconds since 1970 */
    pid_t pid;
    guint64 rx_octets, tx_octets, rx_packets, tx_packets; /* of the interface */
};
void session_record_free(struct session_record *record);
GPtrArray *session_records(void);

#endif
