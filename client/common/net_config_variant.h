/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_NET_CONFIG_VARIANT_H
#define GODWIT_COMMON_NET_CONFIG_VARIANT_H

#include <glib.h>

#include "common/net_config.h"

/* struct net_config as it travels from the worker to the privileged side (a{sv}). Floating reference. */
GVariant *net_config_to_variant(const struct net_config *config);
/*
 * Validates everything again, because the worker is not trusted: families, prefix lengths, host bits, counts, multicast or loopback
 * addresses, names, MTU (576..65535; 1280 at least with IPv6). FALSE and *why (untranslated) on the first fault.
 */
gboolean net_config_from_variant(GVariant *dict, struct net_config *out, const char **why);

#endif
