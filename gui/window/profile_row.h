/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_PROFILE_ROW_H
#define GODWIT_GUI_WINDOW_PROFILE_ROW_H

#include <adwaita.h>

#include "gui/model/world.h"

/* A connection in the list: of a profile, or a session that has none here. Its switch connects and
 * disconnects; who presses the row wants to see more of it. It follows the world by itself. */
#define GODWIT_TYPE_PROFILE_ROW (godwit_profile_row_get_type())
G_DECLARE_FINAL_TYPE(GodwitProfileRow, godwit_profile_row, GODWIT, PROFILE_ROW, AdwActionRow)

GtkWidget *godwit_profile_row_new(GodwitWorld *world, GodwitProfile *profile);
GtkWidget *godwit_profile_row_new_for_session(GodwitWorld *world, GodwitSession *session);
/* Either may be NULL; borrowed. */
GodwitProfile *godwit_profile_row_get_profile(GodwitProfileRow *row);
GodwitSession *godwit_profile_row_get_session(GodwitProfileRow *row);

#endif
