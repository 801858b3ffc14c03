/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_TRAY_MENU_H
#define GODWIT_GUI_TRAY_MENU_H

#include "gui/model/world.h"

/*
 * The menu of the icon, over com.canonical.dbusmenu: what is connected and how, a switch for each
 * profile and each session of others, the window, the end. It follows the world by itself.
 */
struct tray_menu;

#define TRAY_MENU_PATH "/org/godwit/Tray/Menu"

struct tray_menu_ops {
    void (*open)(void *context);
    void (*quit)(void *context);
};

struct tray_menu *tray_menu_new(GodwitWorld *world, const struct tray_menu_ops *ops, void *context);
void tray_menu_free(struct tray_menu *menu); /* NULL is harmless */

#endif
