/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NETWORK_VARIANT_H
#define GODWIT_NETWORK_VARIANT_H

#include <glib.h>

#include "common/network.h"

/* generation, connectivity, uplinks: address, length of its prefix, interface index, interface,
 * kind, has a default route, metric, MTU */
#define NETWORK_VARIANT_TYPE "(uya(ayyusybuq))"

/* Floating. Without `via`. */
GVariant *network_to_variant(const struct network *network);
/* Of NETWORK_VARIANT_TYPE, as the channel ensures. FALSE, and *out empty, when it is no network
 * that the session could have told of. */
gboolean network_from_variant(GVariant *variant, struct network *out);

#endif
