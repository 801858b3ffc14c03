/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_PORTAL_H
#define GODWIT_GUI_WINDOW_PORTAL_H

#include <gtk/gtk.h>

#include "gui/model/world.h"

/* Lets web and DNS traffic out beside the kill switch for some minutes, so that a person can sign
 * in to the network of a hotel, and tells her so, or why not. */
void portal_allow(GtkWindow *parent, GodwitWorld *world);

#endif
