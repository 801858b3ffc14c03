/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_PLUGIN_LOAD_EDITOR_H
#define GODWIT_NM_PLUGIN_LOAD_EDITOR_H

#include <NetworkManager.h>

/*
 * The editor for the GTK that the program has, from its module, which lies beside this one. The
 * caller owns it; NULL and *error (NM_VPN_PLUGIN_ERROR) where there is no GTK or no module.
 */
NMVpnEditor *load_editor(NMVpnEditorPlugin *plugin, NMConnection *connection, GError **error);

#endif
