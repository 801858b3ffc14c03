/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_SERVICE_PLUGIN_H
#define GODWIT_NM_SERVICE_PLUGIN_H

#include <NetworkManager.h>

/* NetworkManager's VPN service over godwitd: one process and one of these per connection. */
#define GODWIT_TYPE_PLUGIN (godwit_plugin_get_type())
G_DECLARE_FINAL_TYPE(GodwitPlugin, godwit_plugin, GODWIT, PLUGIN, NMVpnServicePlugin)

/* On the bus under `bus_name`; NULL and *error when that cannot be. */
GodwitPlugin *godwit_plugin_new(const char *bus_name, GError **error);

#endif
