/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_CONNECTION_PAGE_H
#define GODWIT_GUI_WINDOW_CONNECTION_PAGE_H

#include <adwaita.h>

#include "gui/model/world.h"

/* All that is known of one connection, and what can be done with it. It follows the world. */
#define GODWIT_TYPE_CONNECTION_PAGE (godwit_connection_page_get_type())
G_DECLARE_FINAL_TYPE(GodwitConnectionPage, godwit_connection_page, GODWIT, CONNECTION_PAGE, AdwBin)

void godwit_connection_page_set_world(GodwitConnectionPage *page, GodwitWorld *world);
/* Of a profile, whether it is connected or not, or of a session that has none here. */
void godwit_connection_page_show(GodwitConnectionPage *page, GodwitProfile *profile,
                                 GodwitSession *session);
/* Gives the focus to the button that most will want. */
void godwit_connection_page_focus(GodwitConnectionPage *page);
/* Whether there is nothing left of what it shows. */
gboolean godwit_connection_page_is_over(GodwitConnectionPage *page);

#endif
