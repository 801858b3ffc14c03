/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_HOST_H
#define GODWIT_HOST_HOST_H

#include <glib.h>

#include "common/net_config.h"
#include "common/network.h"

/*
 * What changes on the host for a tunnel, and its undoing. Every step is written to the undo record
 * (in the run directory) before it is done, so that after kill -9 the next start can revert it.
 */

/* Mark of what our sockets send. One for all sessions: with one each, two full tunnels would carry
 * each other. */
#define HOST_FWMARK_DEFAULT 0x676f
/* ... and of the packets of the programs that alone use godwit0; godwit1 has the next, … */
#define HOST_FWMARK_ONLY 0x676f0000U
#define HOST_INTERFACE_PREFIX "godwit" /* our interfaces are godwit0, godwit1, … */
#define HOST_SESSIONS_MAX 1000
#define HOST_TABLE_FIRST 0x676f /* routing table of godwit0; godwit1 has the next, … */

enum host_error { HOST_ERROR_NO_TUN, HOST_ERROR_CONFIG, HOST_ERROR_PERMISSION };
#define HOST_ERROR host_error_quark()
GQuark host_error_quark(void);

/* Makes a TUN device (IFF_TUN | IFF_NO_PI, IFF_VNET_HDR with TSO/USO where the kernel can) named
 * godwit0, godwit1, …; returns its descriptor (close-on-exec, non-blocking) or -1. *vnet_hdr tells
 * whether packets carry struct virtio_net_hdr. It is down until host_apply(). */
int host_tun_open(char name[static 16], gboolean *vnet_hdr, GError **error);
/* Whether `fd` is such a device of ours in this network namespace, made by a process that is gone:
 * what it is then, and it is set as a new one, or FALSE and *error. */
gboolean host_tun_adopt(int fd, char name[static 16], gboolean *vnet_hdr, GError **error);
/* A UDP socket of the family, bound to an ephemeral port on any address, non-blocking,
 * close-on-exec, SO_MARK set, DF set for path MTU discovery, IP_PKTINFO and error queue on. -1 with
 * *error NULL when the host lacks the family. */
int host_udp_open(enum family family, guint32 fwmark, GError **error);

/* A socket of the family that sends nothing: connecting it asks the kernel which way a packet with
 * our mark would take. Else as host_udp_open(). */
int host_lookup_open(enum family family, guint32 fwmark, GError **error);

/* A TCP socket, not yet connected, whose connections take the way of our UDP. Else as
 * host_udp_open(). */
int host_tcp_open(enum family family, guint32 fwmark, GError **error);

#define HOST_EXCLUDED_MAX 32

enum host_kill_switch {
    HOST_KILL_SWITCH_OFF,
    HOST_KILL_SWITCH_CONNECTED, /* from host_apply() to host_revert(), lost connections included */
    HOST_KILL_SWITCH_ALWAYS,    /* and before and after that: see host_hold() */
};

enum host_dns {
    HOST_DNS_OFF,
    HOST_DNS_AUTO, /* every name in a full tunnel, or when there are no domains; else the domains */
    HOST_DNS_ALL,
    HOST_DNS_DOMAINS, /* the domains, or nothing at all where they cannot be told apart */
};

enum host_apps {
    HOST_APPS_ALL,    /* use the tunnel */
    HOST_APPS_EXCEPT, /* all but some, which leave beside it */
    HOST_APPS_ONLY,   /* some do, the others leave beside it */
};

struct host_options {
    /* All traffic of both families, but for `excluded` and local networks. Else only the tunnel's
     * routes. */
    gboolean full_tunnel;
    /* Of a full tunnel: a family that the gateway does not carry goes nowhere. */
    gboolean block_other_family;
    /* The private networks that the host's links are in are reached beside the tunnel. */
    gboolean local_network;
    /* The routes are the user's choice: those of a family without internal address go nowhere. */
    gboolean own_routes;
    /* Reached beside the tunnel; host bits zero, none has length 0. */
    struct prefix excluded[HOST_EXCLUDED_MAX];
    size_t n_excluded;
    enum host_kill_switch kill_switch;
    /* The kill switch holds all traffic, else only what is for the tunnel's networks. */
    gboolean hold_everything;
    enum host_dns dns;    /* which names are asked of the tunnel's servers */
    gboolean own_domains; /* the user has named the domains: see struct dns_plan */
    enum host_apps apps;
    /* Which applications those some are, as apps.h names them; NULL = none yet. Borrowed for the
     * call. */
    const char *const *app_names;
    uid_t app_owner;     /* whose; 0 = everybody's */
    guint32 fwmark;      /* as given to host_udp_open() */
    struct addr gateway; /* outer address; FAMILY_NONE = unknown */
};

struct host; /* one tunnel's changes and its undo record */
/* Starts the undo record. Fails when a session of that name lives; of a dead one the kill switch is
 * inherited and the rest reverted. What other dead ones left is for host_clean_leftovers(). */
struct host *host_new(const char *session_name, const char *interface, GError **error);
/* A fact, as of host_record(), of the session whose kill switch was inherited: "profile-gateway",
 * "asked" or "addresses", as they were when it was connected last. NULL = there is none. */
char *host_inherited(const struct host *host, const char *key);
/* The same for an interface that host_lend() has lent to the user `keeper` and that comes back:
 * what the firewall holds for it, it goes on holding. It is still lent. Fails when there is none.
 */
struct host *host_adopt(const char *session_name, const char *interface, uid_t keeper,
                        GError **error);
/* Somebody has removed the interface, and `interface` is another in its place: the kill switch
 * holds on until host_apply(), as for host_new(), and the rest is reverted. To be called again when
 * it fails. */
gboolean host_renew(struct host *host, const char *interface, GError **error);
/* For a session with host_apply_beside(): a process of that user keeps the interface beyond the end
 * of ours. What this end leaves behind waits for host_adopt() as long as the interface is there, or
 * until host_clean_lent(). */
gboolean host_lend(struct host *host, uid_t keeper, GError **error);
/* What the session was called whose lent interface waits for host_adopt(); NULL = none does. */
char *host_lent_name(const char *interface);
/* How many wait; and the end of the wait. */
guint host_count_lent(void);
guint host_clean_lent(void);
/* For who has time before host_apply() is urgent: it is quicker then. Changes nothing. */
void host_prepare(void);
/* The same, for a process that has freed memory overwritten (M_PERTURB). */
void host_make_room(void);
/* Addresses, MTU, link up, routes (see routing.h), DNS. Repeated, it changes what is there into
 * what is wanted now, without a moment in which packets could leave beside the tunnel. On failure
 * everything done so far is reverted. That DNS cannot be set is no failure: see host_dns_method(),
 * and it may be known later only: host_dns_pending(). */
gboolean host_apply(struct host *host, const struct net_config *config,
                    const struct host_options *options, GError **error);
/* For a session whose addresses, routes and DNS NetworkManager sets, only what that one does not
 * do: the firewall, addresses of a family beyond its first, and beside_routes.h. The caller reverts
 * when it fails. */
gboolean host_apply_beside(struct host *host, const struct net_config *config,
                           const struct host_options *options, GError **error);
/* What leaves with that mark from an address of `network` leaves by its link, from now on and until
 * host_revert(), and the networks of its links are the local ones; to be called again at each
 * change. Before host_apply() too. */
gboolean host_follow_uplinks(struct host *host, const struct network *network, guint32 fwmark,
                             GError **error);
/* Sets again what host_apply() has set of the link, its addresses, routes and rules and somebody
 * else has removed: *mended when there was any. */
gboolean host_mend(struct host *host, gboolean *mended, GError **error);
/* The firewall learns of them as well: what it lets out to local networks. Apart, since the kernel
 * takes its time for a change of it, and the tunnel need not wait for that: IKE and ESP are let out
 * on every link. */
gboolean host_follow_firewall(struct host *host, GError **error);
/* The programs of a control group, as apps_group_of() has it, are of those some until it is gone:
 * once host_apply() has succeeded. `inside`: they are to use the tunnel, else to leave beside it;
 * which it can be depends on options.apps. */
gboolean host_add_app(struct host *host, const char *group, gboolean inside, GError **error);
/* Another MTU of the interface, as net_config has it; once host_apply() has succeeded. */
gboolean host_set_mtu(struct host *host, guint16 mtu, GError **error);
/* `changed` is called when one of the three below becomes another, never from inside a function of
 * this file. */
void host_watch_dns(struct host *host, void (*changed)(void *context), void *context);
/* It is not known yet how DNS is set; seconds at the most. */
gboolean host_dns_pending(const struct host *host);
/* How DNS was set, for people: "/etc/resolv.conf", or why it was not. Borrowed, translated. */
const char *host_dns_method(const struct host *host);
/* Whether a server answers by the tunnel: "10.99.0.1 answers in 12 ms", or not; "" as long as that
 * is not known. Borrowed, translated. */
const char *host_dns_answers(const struct host *host);
/* Keeps facts for `godwit status` in the record: string by key; host_record_save() puts them on
 * disk. */
void host_record(struct host *host, const char *key, const char *value);
gboolean host_record_save(struct host *host, GError **error);
/* Reverts everything, removes the interface and the record. Harmless when repeated. */
void host_revert(struct host *host);
void host_free(struct host *host); /* does not revert */

/*
 * The kill switch without a session, for the level "always": nothing leaves the host but what
 * firewall.h names, from now on, over the end of every session and process, until host_release();
 * not over a restart of the machine. Of the options local_network, excluded and fwmark count.
 * Repeated, it changes them.
 */
gboolean host_hold(const struct host_options *options, GError **error);
/* Which networks are the local ones, as host_follow_uplinks() does for a session; at first there
 * are none. Harmless when nothing is held. */
gboolean host_hold_follow(const struct network *network, GError **error);
gboolean host_release(GError **error); /* harmless when nothing was held */
gboolean host_is_held(void);
/* A session begins and asks for its gateway's address: while the kill switch holds, resolvers on
 * this host may ask outside until host_apply(), for 30 s at most. */
gboolean host_let_resolvers_ask(GError **error);
/* Lets TCP and DNS of a user out beside kill switch and tunnels for so many seconds, an hour at
 * most, so that he can answer a captive portal; the kernel ends it. 0 ends it now. */
gboolean host_let_user_out(guint32 uid, guint seconds, GError **error);

/* Reverts what processes left behind that are gone, but for what they have lent; returns how many
 * sessions were cleaned. */
guint host_clean_leftovers(void);

#endif
