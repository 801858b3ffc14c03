/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_DNS_BACKEND_H
#define GODWIT_HOST_DNS_BACKEND_H

#include "host/dns.h"

/* One way to set DNS on this host. The table of them and their order are in dns.c. */

/* Milliseconds that a service may take for an answer. */
#define DNS_PATIENCE 2000

struct dns_target { /* borrowed for as long as the way is used */
    struct record *record;
    const char *interface;
    int ifindex;
    const struct dns_plan *plan;
};

enum dns_reach { /* which programs of this host would go that way */
                 DNS_NOBODY,
                 DNS_SOME,
                 DNS_EVERYBODY,
};

/* Set, or not, and `why`, a sentence without final dot. May come from inside start(), and again
 * later: a service that dies unsets, one that comes back sets. */
typedef void (*dns_told)(void *context, gboolean set, const char *why);

struct dns_backend {
    const char *id;   /* in the undo record */
    const char *name; /* for people */
    /* From files alone, in no time. */
    enum dns_reach (*reach)(void);
    /* Starts to set DNS as target->plan has it, in place of what an earlier start() has set. */
    void *(*start)(const struct dns_target *target, dns_told told, void *context);
    /* Sets no more and watches no more; what is set stays. */
    void (*stop)(void *way);
    /* Another program has changed /etc/resolv.conf. NULL = does not matter. */
    void (*meddled)(void *way);
    /* Undoes what the record says; with the lock. */
    void (*revert)(struct record *record);
};

extern const struct dns_backend dns_resolved;
extern const struct dns_backend dns_dnsmasq;
extern const struct dns_backend dns_openresolv;
extern const struct dns_backend dns_file;

/* /etc/resolv.conf names a server among `servers` (NULL-ended), and only such. */
gboolean dns_file_names(const char *const *servers);

#endif
