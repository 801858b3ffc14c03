/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_MENDER_H
#define GODWIT_SESSION_MENDER_H

#include "host/host.h"

/*
 * Sets again what another program takes away of a tunnel's link, addresses, routes and rules:
 * `ip link set godwit0 down`, a restart of systemd-networkd (ManageForeignRoutingPolicyRules=). At
 * once the first time; then seldom enough for `ip route flush`, which goes on until nothing comes
 * back; and not for ever.
 */
struct mender;

/* `host` must outlive it. `fought`: somebody takes it away again and again, it is given up. From
 * inside that call the mender may be freed. */
struct mender *mender_new(struct host *host, void (*fought)(void *context), void *context);
/* Something may be missing. Looks soon, on the thread-default context. */
void mender_look(struct mender *mender);
void mender_free(struct mender *mender); /* NULL is harmless */

#endif
