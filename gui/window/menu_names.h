/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_MENU_NAMES_H
#define GODWIT_GUI_WINDOW_MENU_NAMES_H

#include <gtk/gtk.h>

/* Items of its menu have names for screen readers, as GTK 4.18 gives them none. */
void menu_names_give(GtkMenuButton *button);

#endif
