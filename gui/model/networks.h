/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_NETWORKS_H
#define GODWIT_GUI_MODEL_NETWORKS_H

#include <gio/gio.h>

/* A network that NetworkManager knows: one of its connections. */
struct godwit_network {
    char *uuid, *name; /* the name as NetworkManager has it, not fit to be shown */
    enum godwit_network_kind {
        GODWIT_NETWORK_WIFI,
        GODWIT_NETWORK_OPEN_WIFI, /* without a password: whoever likes can have one of that name */
        GODWIT_NETWORK_CABLE,
        GODWIT_NETWORK_MOBILE,
    } kind;
};

/*
 * What NetworkManager knows of networks. It is never started, and only listened to. Signals:
 *   "changed"   another network is used, or is used in another way; or the list is another one
 */
#define GODWIT_TYPE_NETWORKS (godwit_networks_get_type())
G_DECLARE_FINAL_TYPE(GodwitNetworks, godwit_networks, GODWIT, NETWORKS, GObject)

GodwitNetworks *godwit_networks_new(void);
/* The system bus, NULL = there is none. Again with the same one: nothing. */
void godwit_networks_set_bus(GodwitNetworks *networks, GDBusConnection *bus);

gboolean godwit_networks_is_running(GodwitNetworks *networks); /* NetworkManager */
/* What the computer reaches the rest of the world by, without VPNs; "" = nothing that is a network.
 * `joining` is another text each time that one is joined. Both borrowed. */
const char *godwit_networks_get_current(GodwitNetworks *networks);
const char *godwit_networks_get_joining(GodwitNetworks *networks);
/* It leads no further than to a captive portal, or nowhere. */
gboolean godwit_networks_is_closed(GodwitNetworks *networks);

/* Asks for all that are known; "changed" follows. */
void godwit_networks_list(GodwitNetworks *networks);
/* What that has brought, struct godwit_network, by name; borrowed. */
const GPtrArray *godwit_networks_get_known(GodwitNetworks *networks);

#endif
