/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_TRAY_STATUS_ICON_H
#define GODWIT_GUI_TRAY_STATUS_ICON_H

#include "gui/model/world.h"

/*
 * The icon in the panel: an org.kde.StatusNotifierItem on the session bus, offered to whoever is
 * the watcher, and again when that is another one. Plain data: it follows what it is told.
 */
struct status_icon;

struct status_icon_ops {
    /* It was clicked. `token`: lets a window come to the front where windows may not do so by
     * themselves (xdg-activation of Wayland); NULL = there is none. */
    void (*activated)(void *context, const char *token);
    void (*toggled)(void *context); /* clicked with the middle button */
    void (*hosted)(void *context);  /* whether a panel shows it may be another answer */
};

/* `menu`: the path of the object with the menu. NULL when the bus does not take it. */
struct status_icon *status_icon_new(GDBusConnection *bus, const char *menu,
                                    const struct status_icon_ops *ops, void *context);
void status_icon_free(struct status_icon *icon); /* NULL is harmless */

/* `tip` is plain, of one or more lines. What is as it was is not told again. */
void status_icon_set(struct status_icon *icon, enum godwit_state state, const char *tip);
/* Whether a panel shows it. */
gboolean status_icon_is_hosted(const struct status_icon *icon);

#endif
