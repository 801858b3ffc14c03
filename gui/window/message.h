/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_MESSAGE_H
#define GODWIT_GUI_WINDOW_MESSAGE_H

#include <gtk/gtk.h>

/* Tells something in a window of its own, before `parent` when there is one. The text may be
 * anybody's; it is plain. */
void message_show(GtkWindow *parent, const char *heading, const char *text);

#endif
