/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_APP_PREFERENCES_H
#define GODWIT_GUI_APP_PREFERENCES_H

#include <gtk/gtk.h>

#include "gui/app/untrusted.h"
#include "gui/model/world.h"

/* The window with the program's settings, and those of the computer that are the same for every
 * connection. They hold at once. */
void preferences_show(GtkWindow *parent, GodwitWorld *world, struct untrusted *untrusted);

#endif
