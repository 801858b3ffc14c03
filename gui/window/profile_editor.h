/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_PROFILE_EDITOR_H
#define GODWIT_GUI_WINDOW_PROFILE_EDITOR_H

#include <gtk/gtk.h>

#include "gui/editor/values.h"

/* A window with the form of a profile: of the user's file `path`. What can't be read or written is
 * told in it; a file that can't be read stays, and a new one is made. */
void profile_editor_show(GtkWindow *parent, const char *path);
/* The same of a new one with what is in the file `path`. */
void profile_editor_show_copy(GtkWindow *parent, const char *path);
/* Of a new one with these values, which it takes over; `action` of the parent is activated when it
 * is saved. */
void profile_editor_show_new(GtkWindow *parent, struct values *values, const char *action);

#endif
