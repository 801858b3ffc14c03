/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_EDITOR_SETTING_H
#define GODWIT_NM_EDITOR_SETTING_H

#include <NetworkManager.h>

#include "gui/editor/values.h"

/*
 * Between a connection of NetworkManager and what the editor edits: vpn.data and vpn.secrets have
 * the profile's keys by their names (nm-plugin/shared/settings.h).
 */

/* Everything that has one of our keys' names, as it is. Never NULL; the caller frees. */
struct values *setting_to_values(NMConnection *connection);
/*
 * Puts what a person has changed into the connection's VPN setting, made when there is none;
 * everything else there stays.
 */
void setting_from_values(const struct values *values, NMConnection *connection);

#endif
