/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_LOCAL_NETWORKS_H
#define GODWIT_HOST_LOCAL_NETWORKS_H

#include <glib.h>

#include "common/network.h"

/*
 * What a link may claim as its own network beside a tunnel: only ranges that no host on the
 * internet has, or whoever runs an access point would draw off the traffic to any address by
 * calling it local (CVE-2023-36672).
 */

#define LOCAL_RANGES_MAX 4
/* Those ranges (RFC 1918, RFC 3927, RFC 4193, RFC 4291 2.5.6); returns how many. */
size_t local_ranges(enum family family, struct prefix out[static LOCAL_RANGES_MAX]);
/* The network of an uplink's address; FALSE when it is not within one of the ranges. */
gboolean local_network_of(const struct uplink *uplink, struct prefix *out);

#endif
