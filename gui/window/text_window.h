/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_TEXT_WINDOW_H
#define GODWIT_GUI_WINDOW_TEXT_WINDOW_H

#include <gtk/gtk.h>

/* A window with a long text to be read and copied, such as a trace; the text is plain, and fit to be
 * shown. */
void text_window_show(GtkWindow *parent, const char *title, const char *text);

#endif
