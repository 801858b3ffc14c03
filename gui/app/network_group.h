/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_APP_NETWORK_GROUP_H
#define GODWIT_GUI_APP_NETWORK_GROUP_H

#include <gtk/gtk.h>

#include "gui/app/untrusted.h"

/* The preferences for networks that are not trusted, an AdwPreferencesGroup. They hold at once. */
GtkWidget *network_group_new(GodwitWorld *world, struct untrusted *untrusted);

/* A row of such a group with a switch, of which its state is followed; the switch. Also for others.
 */
GtkWidget *switch_row_new(const char *title, const char *subtitle, gboolean on, GtkWidget **row);

#endif
