/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_LINK_H
#define GODWIT_GUI_MODEL_LINK_H

#include <gio/gio.h>

/*
 * The way to godwitd: a connection to the system bus, made anew when that is gone, and godwitd's
 * objects while it runs. Signals:
 *   "bus"             the bus is there, or no longer
 *   "appeared" (GDBusObject)   an object with its proxies
 *   "removed" (path)           it is gone
 *   "session-ended" (path, reason, sentence, detail, hint)   before it is removed; it may not even
 *                     have appeared
 *   "lost"            godwitd has ended, and every object with it, which is not told one by one
 */
#define GODWIT_TYPE_LINK (godwit_link_get_type())
G_DECLARE_FINAL_TYPE(GodwitLink, godwit_link, GODWIT, LINK, GObject)

GodwitLink *godwit_link_new(void);
gboolean godwit_link_has_bus(GodwitLink *link);
GDBusConnection *godwit_link_get_bus(GodwitLink *link); /* NULL = none; borrowed */

#endif
