/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_WINDOW_H
#define GODWIT_GUI_WINDOW_WINDOW_H

#include <adwaita.h>

#include "gui/model/attempt.h"
#include "gui/model/world.h"

/* The window: the list of connections, and the page of one of them. It follows the world. */
#define GODWIT_TYPE_WINDOW (godwit_window_get_type())
G_DECLARE_FINAL_TYPE(GodwitWindow, godwit_window, GODWIT, WINDOW, AdwApplicationWindow)

GtkWidget *godwit_window_new(GtkApplication *application, GodwitWorld *world,
                             GodwitAttempt *attempt);
/* Whether a panel shows our icon: if none does, it is said. */
void godwit_window_set_hosted(GodwitWindow *window, gboolean hosted);

#endif
