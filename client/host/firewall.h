/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_FIREWALL_H
#define GODWIT_HOST_FIREWALL_H

#include "common/network.h"
#include "host/host.h"
#include "host/record.h"

/*
 * One nftables table, inet godwit, for all sessions of the host. It is always made from what the
 * records of all sessions and the permanent kill switch say, and replaced in one transaction, so
 * that it does not matter who made it last or who has died since; it stays until somebody with the
 * lock finds that it is not needed any more. It only ever refuses: other tables may refuse more.
 *
 * inner    What comes in for an inner address by another interface than its tunnel's is dropped
 *          (CVE-2019-14899), with or without kill switch.
 * out      What the host sends, and
 * forward  what it passes on for others (containers, guests): what the kill switch holds leaves by
 *          a tunnel or a loopback interface or not at all, but for
 *          - IKE and ESP: UDP with our mark;
 *          - DHCP, neighbour and router discovery, multicast listener reports;
 *          - DNS of our workers, who must find the gateway: they are told by their user. Programs
 * on a host with a resolver of its own (systemd-resolved, dnsmasq) all ask through that one, so
 * that it is let through too, but only while a session starts, for at most FIREWALL_RESOLVER_TIME,
 * and until the tunnel is up;
 *          - what the user excluded;
 *          - the local networks, when allowed: addresses of the links' own private networks on
 * these very links, but not DNS;
 *          - a user who was let out to a captive portal, see firewall_portal().
 *          What is refused fails at once (ICMP administratively prohibited).
 *
 * dns      Where a tunnel has taken every name, DNS leaves by a tunnel or not at all, kill switch
 * or not: what DHCP says of servers and domains, and what programs insist on, does not count. The
 * exceptions are those above, but for the local networks.
 *
 * In a table beside it, inet godwit-apps, while there are such programs:
 * lead     Programs that leave beside the tunnel get our mark, which routes them again, and the
 * nat      address of that way; but what they ask the tunnel's name servers goes to these. The
 *          chains above let them out, whatever they send. Programs that alone use the tunnel get a
 * led      mark and the address of it; the kill switch is for them alone then.
 *
 * The kill switch holds everything, when the profile wants a full tunnel, even if the gateway
 * grants less; of a split tunnel the tunnel's networks. A family that a full tunnel does not carry
 * is held without it too, unless block_other_family is off.
 */

#define FIREWALL_TABLE "godwit"
#define FIREWALL_RESOLVER_TIME 30 /* seconds */
#define FIREWALL_PORTAL_MAX 3600  /* seconds */

struct firewall_wish {
    const char *interface;
    const struct net_config *config;
    const struct host_options *options;
    const struct network *network;
    gboolean hold_dns; /* the tunnel's servers are asked for every name */
    /* As apps_groups() has them: those that options->apps is about. */
    const char *apps;
    guint32 only_mark; /* of their packets, with HOST_APPS_ONLY */
};

/* For who has time before firewall_apply() is urgent, which is quicker then. Changes nothing, and
 * needs no lock. */
void firewall_prepare(void);

/* All need the lock of record_lock(). On failure the table is as it was, and *error is
 * HOST_ERROR_PERMISSION or HOST_ERROR_CONFIG with a sentence. */

/* What a session needs, instead of what it needed before; saves the record. Without a change
 * nothing is done. */
gboolean firewall_apply(struct record *record, const struct firewall_wish *wish, GError **error);
/* The session, or what it left behind, needs nothing any more. */
gboolean firewall_revert(struct record *record, GError **error);

/* A kill switch holds something for it. */
gboolean firewall_has_switch(const struct record *record);
/* A dead session's firewall holds on for the record of the session that takes its place: what it
 * held, without its tunnel unless that has the same interface. The caller saves the record. */
void firewall_inherit(struct record *heir, const struct record *dead, gboolean same_interface);

/* The kill switch without a session: host_hold() and host_hold_follow(). */
gboolean firewall_hold(const struct host_options *options, GError **error);
gboolean firewall_hold_follow(const struct network *network, GError **error);
gboolean firewall_release(GError **error);
gboolean firewall_is_held(void);

/* Makes the table anew, which somebody has removed, if anything needs it. */
gboolean firewall_mend(GError **error);
/* Lets the host's resolvers ask outside for FIREWALL_RESOLVER_TIME from now on, or until a session
 * first calls firewall_apply(). */
gboolean firewall_let_resolvers_ask(GError **error);
/* Lets TCP and DNS of that user out for so many seconds (at most FIREWALL_PORTAL_MAX), past the
 * kill switch and every tunnel: the kernel ends it. 0 ends it now. Success when nothing is held. */
gboolean firewall_portal(guint32 uid, guint seconds, GError **error);

#endif
