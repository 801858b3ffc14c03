/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_IMPORTING_H
#define GODWIT_GUI_WINDOW_IMPORTING_H

#include <gtk/gtk.h>

#include "gui/model/profiles.h"

enum { IMPORTING_FILES_MAX = 16 }; /* that are offered at once; the others are not */

/* Profiles from files and to files, and their end. What goes wrong is told in its own window. */
void importing_choose(GtkWindow *parent);
void importing_accept_drops(GtkWindow *window);
/* Tells what is in the file, and asks whether it is to be imported. */
void importing_offer(GtkWindow *parent, GFile *file);
/* Asks where to, and whether with secrets; of a profile that is a file. */
void exporting_choose(GtkWindow *parent, GodwitProfile *profile);
/* Asks whether the file of the profile is to be deleted, and does it. */
void deleting_ask(GtkWindow *parent, GodwitProfile *profile);

#endif
