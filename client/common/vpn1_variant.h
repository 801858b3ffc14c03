/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_VPN1_VARIANT_H
#define GODWIT_COMMON_VPN1_VARIANT_H

#include <glib.h>

/* The option "language": that of our messages, when it has a name. */
void vpn1_add_language(GVariantDict *options);
/*
 * The arguments of Manager.Connect or ConnectSystem without the option "language", which a godwitd
 * from before an update refuses; new, not floating. NULL when they have none.
 */
GVariant *vpn1_without_language(GVariant *arguments);

#endif
