/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_UPLINKS_H
#define GODWIT_HOST_UPLINKS_H

#include "common/network.h"
#include "host/netlink.h"

/*
 * Reads links, addresses and default routes and lists the uplinks, the preferred one first: those
 * with a default route before the others, then by its metric and the kind of link, then as the
 * kernel has them; of one link and family only the first few, so that no link crowds the others
 * out. Leaves generation and connectivity alone. FALSE when the kernel does not tell.
 */
gboolean uplinks_read(struct netlink *nl, struct network *out, GError **error);

/* What a notification of the kernel may mean for the list. */
enum uplinks_hint { UPLINKS_SAME, UPLINKS_OTHER, UPLINKS_FEWER };
enum uplinks_hint uplinks_hint(struct nlmsghdr *notification);

/* The same uplinks in the same order. */
gboolean uplinks_equal(const struct network *a, const struct network *b);
/* One of `before` is missing in `after`, or without its default route. */
gboolean uplinks_lost(const struct network *before, const struct network *after);

#endif
