/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_FIELD_ROW_H
#define GODWIT_GUI_WINDOW_FIELD_ROW_H

#include <gtk/gtk.h>

/*
 * A row of a list with an entry of GTK's own below its title: a screen reader hears its text and
 * the focus, which libadwaita 1.2 does not tell it of its own rows with entries, and a title that
 * is too long for one line has several. `title` may have a mnemonic; `beside` is at the entry's
 * end, or NULL.
 */
GtkWidget *field_row_new(GtkWidget *entry, const char *title, GtkWidget *beside);

/* For the eye and for screen readers. */
void field_mark(GtkWidget *entry, gboolean wrong);

#endif
