/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_NET_CONFIG_VARIANT_H
#define GODWIT_COMMON_NET_CONFIG_VARIANT_H

#include <glib.h>

#include "common/net_config.h"

/* struct net_config as it travels from the worker to the privileged side (a{sv}). Floating
 * reference. */
GVariant *net_config_to_variant(const struct net_config *config);
/*
 * Validates everything again, because the worker is not trusted: families, prefix lengths, host
 * bits, counts, multicast or loopback addresses, names, MTU (400..65535; 1280 at least with IPv6).
 * FALSE and *why (untranslated) on the first fault.
 */
gboolean net_config_from_variant(GVariant *dict, struct net_config *out, const char **why);

/* Every address of the configuration can live with that MTU (RFC 791, RFC 8200 5). */
bool net_config_mtu_fits(const struct net_config *config, uint16_t mtu);

#endif
