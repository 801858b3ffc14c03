/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_STATE_IMAGE_H
#define GODWIT_GUI_WINDOW_STATE_IMAGE_H

#include <gtk/gtk.h>

#include "gui/model/state.h"

/* Lets a GtkImage show a state: the drawing of the panel's icon, with the state's colour
 * (style.css). */
void state_image_show(GtkImage *image, enum godwit_state state);

#endif
