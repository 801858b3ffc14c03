/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_DNS_H
#define GODWIT_HOST_DNS_H

#include "common/net_config.h"
#include "host/record.h"

/*
 * DNS of one tunnel: chosen among the ways that the host offers, kept while others meddle with it,
 * asked once whether it answers, undone. Runs on the thread-default GMainContext; no call waits.
 */

struct dns_plan {
    struct addr servers[NET_DNS_MAX];
    size_t n_servers;
    char domains[NET_DOMAINS_MAX][NET_DOMAIN_LEN];
    size_t n_domains;
    /* Every name is asked of the servers, the domains are a search list; else only names in the
     * domains are, as far as the host can tell them apart. */
    gboolean all;
    gboolean strict; /* with `all` off: where the host cannot tell them apart, nothing is set */
    /* The user has named the domains, and so wants them resolved without DNSSEC, which their public
     * parents would make fail (RFC 8598 8). */
    gboolean exempt;
};

struct dns;

/* All are borrowed; `changed` is called when one of the answers below becomes another, never from
 * inside one of these functions. */
struct dns *dns_new(struct record *record, const char *interface, int ifindex,
                    void (*changed)(void *context), void *context);
void dns_free(struct dns *dns); /* does not revert */
/* Sets and watches nothing any more, so that what is set can be undone. */
void dns_stop(struct dns *dns);

/* Sets DNS as planned, in place of what was set before; a plan without servers only undoes. Must
 * be called without the lock of record_lock(), which it takes. */
void dns_apply(struct dns *dns, const struct dns_plan *plan);
/* It is not known yet how; seconds at the most. */
gboolean dns_pending(const struct dns *dns);
/* How it was set, for people: "systemd-resolved", or why it was not. Borrowed. */
const char *dns_method(const struct dns *dns);
/* Whether a server answers by the tunnel: "10.99.0.1 in 12 ms", or what came instead; "" before
 * that is known. */
const char *dns_answers(const struct dns *dns);

/* By which way DNS would be set now, for people: "systemd-resolved". Never NULL. */
const char *dns_way_now(void);

/* Undoes what the record says; needs the lock. Harmless when nothing was set, or all is undone. */
void dns_revert(struct record *record);

#endif
