/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_APP_AUTOSTART_H
#define GODWIT_GUI_APP_AUTOSTART_H

#include <glib.h>

/* Whether the program starts with the desktop session: a file of the user's own, in the folder of
 * which every desktop knows (XDG autostart). */
gboolean autostart_is_on(void);
/* FALSE and *error when the file can't be written or removed. */
gboolean autostart_set(gboolean on, GError **error);

#endif
