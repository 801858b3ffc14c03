/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_SERVICE_IP_CONFIG_H
#define GODWIT_NM_SERVICE_IP_CONFIG_H

#include "generated/vpn1.h"

/*
 * What NetworkManager is to set up, from the properties of a connected session: dictionaries as
 * nm-vpn-dbus-interface.h has them, floating. NULL when there is no address of the family. `dns`:
 * which names the tunnel's servers are asked for, as the profile's key of that name has it.
 */
GVariant *ip_config_4(Vpn1Session *session, const char *dns);
GVariant *ip_config_6(Vpn1Session *session, const char *dns);
/* `ip4`, `ip6`: whether there is something of the family. */
GVariant *ip_config_general(Vpn1Session *session, gboolean ip4, gboolean ip6);

#endif
