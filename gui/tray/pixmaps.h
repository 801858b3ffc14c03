/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_TRAY_PIXMAPS_H
#define GODWIT_GUI_TRAY_PIXMAPS_H

#include <glib.h>

#include "gui/model/state.h"

/* Where the icons are kept in the program. */
#define ICON_RESOURCES "/org/godwit/Tray/icons/symbolic/apps/"

/*
 * The icon of a state as a(iiay) of a StatusNotifierItem, in several sizes, for a panel that does
 * not find it by its name: light with a dark rim, to be seen on any panel. Floating; empty when
 * there is nothing on this computer that draws SVG.
 */
GVariant *pixmaps_of(enum godwit_state state);

#endif
