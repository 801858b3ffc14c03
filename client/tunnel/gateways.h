/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_GATEWAYS_H
#define GODWIT_TUNNEL_GATEWAYS_H

#include <glib.h>

#include "common/addr.h"

/* The addresses that a gateway's name stands for, in the order in which they are asked. */
#define GATEWAYS_MAX 16

struct gateways {
    struct addr items[GATEWAYS_MAX];
    gsize n;
};

/* Takes these in place of those before, the families by turns beginning with the first one's (RFC
 * 8305 4); one that worked (it stands first) stays first if it is among them. */
void gateways_set(struct gateways *gateways, const struct addr *found, gsize n);
/* It is asked first from now on; FALSE, and nothing changes, when it is not one of them. */
gboolean gateways_prefer(struct gateways *gateways, const struct addr *addr);
/* It is asked first from now on; added when it is new. */
void gateways_worked(struct gateways *gateways, const struct addr *addr);

/*
 * How often gateways have sent us on (RFC 5685 7): at most REDIRECTS_MAX times within
 * REDIRECTS_PERIOD microseconds, the RFC's own figures.
 */
#define REDIRECTS_MAX 5
#define REDIRECTS_PERIOD (300 * G_USEC_PER_SEC)

struct redirects {
    guint64 at[REDIRECTS_MAX]; /* a ring */
    gsize n;                   /* ever */
};

/* FALSE when it were one too many; else it is counted. */
gboolean redirects_allow(struct redirects *redirects, guint64 now);

#endif
