/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_FAILURE_BAR_H
#define GODWIT_GUI_WINDOW_FAILURE_BAR_H

#include <gtk/gtk.h>

#include "gui/model/world.h"

/* Why the last connection ended, with what to do about it, until it is dismissed. */
#define GODWIT_TYPE_FAILURE_BAR (godwit_failure_bar_get_type())
G_DECLARE_FINAL_TYPE(GodwitFailureBar, godwit_failure_bar, GODWIT, FAILURE_BAR, GtkWidget)

void godwit_failure_bar_set_world(GodwitFailureBar *bar, GodwitWorld *world);

#endif
