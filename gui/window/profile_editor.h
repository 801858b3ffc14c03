/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_PROFILE_EDITOR_H
#define GODWIT_GUI_WINDOW_PROFILE_EDITOR_H

#include <gtk/gtk.h>

/* A window with the form of a profile: of the user's file `path`, or of a new one (NULL). What can't
 * be read or written is told in it; a file that can't be read stays, and a new one is made. */
void profile_editor_show(GtkWindow *parent, const char *path);
/* The same of a new one with what is in the file `path`. */
void profile_editor_show_copy(GtkWindow *parent, const char *path);

#endif
