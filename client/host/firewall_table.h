/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_FIREWALL_TABLE_H
#define GODWIT_HOST_FIREWALL_TABLE_H

#include <glib.h>

/* What one session, or the permanent kill switch, adds to the table, and how it is kept. */

enum share_word {
    SHARE_INTERFACE, /* the tunnel's */
    SHARE_MARK,
    SHARE_INNER,    /* addresses of the tunnel */
    SHARE_HELD,     /* families that do not leave outside: "ipv4 ipv6" */
    SHARE_NETWORKS, /* prefixes that do not leave outside */
    SHARE_EXCLUDED, /* prefixes that do nevertheless */
    SHARE_LOCAL,    /* local networks: "LINK PREFIX LINK PREFIX", or SHARE_NO_LOCAL */
    SHARE_DNS,      /* SHARE_HOLD_DNS, or nothing */
    SHARE_OUTSIDE,  /* control groups of programs that leave beside the tunnel */
    SHARE_SERVERS,  /* name servers that these ask through the tunnel nevertheless */
    SHARE_EMPTY,  /* families that are led to the tunnel for these alone: it does not carry them */
    SHARE_INSIDE, /* control groups of programs that alone use the tunnel */
    SHARE_ONLY,   /* the mark of their packets */
    SHARE_ONLY_HELD, /* families of theirs that do not leave outside */
    N_SHARE_WORDS
};

#define SHARE_NO_LOCAL "no" /* they are not let out */
#define SHARE_HOLD_DNS "held"
#define SHARE_EVERYTHING "ipv4 ipv6"

struct firewall_share {
    char *words[N_SHARE_WORDS]; /* lists with blanks between; NULL = empty */
};

struct firewall_share *firewall_share_new(void);
void firewall_share_free(gpointer share); /* NULL is harmless */
/* NULL when the file has none. */
struct firewall_share *firewall_share_load(GKeyFile *file);
void firewall_share_save(const struct firewall_share *share, GKeyFile *file);
void firewall_share_forget(GKeyFile *file);
/* It holds more than a family that the tunnel does not carry. */
gboolean firewall_share_is_switch(const struct firewall_share *share);
/* Some programs go another way than the others. */
gboolean firewall_share_has_apps(const struct firewall_share *share);
/* Both may be NULL. */
gboolean firewall_share_equal(const struct firewall_share *a, const struct firewall_share *b);

/* nft(8) commands that make the table what all the shares (struct firewall_share) want; without any
 * share they remove it. `worker` is the user of our workers, -1 = unknown. `found`: the gateway is,
 * so that resolvers need not ask outside any more. `had_apps`: there may be a table for
 * programs already. */
char *firewall_table(const GPtrArray *shares, gint64 worker, gboolean found, gboolean had_apps);
/* ... that let these users ask for names outside. */
char *firewall_table_resolvers(const GArray *uids);
/* ... that let a user out of all tunnels for so many seconds; they need the table. */
char *firewall_table_portal(const GPtrArray *shares, guint32 uid, guint seconds);

#endif
