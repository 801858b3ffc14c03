/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_EDITOR_EDITOR_H
#define GODWIT_GUI_EDITOR_EDITOR_H

#include <gtk/gtk.h>

#include "gui/editor/page.h"

/*
 * The form of a connection, made from the key table and compiled for GTK 3 and for GTK 4: gateway
 * and authentication, and the rest in a window behind a button. It knows nothing of where a
 * connection comes from.
 */
struct editor_options {
    const char *const *hidden;      /* keys that whoever shows the form cares for; NULL-ended */
    gboolean has_keyring;           /* see struct page_owner */
    page_make_chooser make_chooser; /* see struct page_owner; NULL = there are files alone */
};

/*
 * A widget, floating, which takes over `values` and frees them in its end. `changed` is called
 * after each change by a person. The options are copied, the array of hidden keys is not.
 */
GtkWidget *editor_new(struct values *values, const struct editor_options *options,
                      page_changed changed, gpointer context);
/* Borrowed; as the form shows them. */
const struct values *editor_values(GtkWidget *editor);
/*
 * For who is asked to save what values_check() refuses: marks the first key that is at fault, which
 * nobody may have touched yet, and moves the focus there.
 */
void editor_point_out(GtkWidget *editor);
/* `changed` is not called any more. */
void editor_forget(GtkWidget *editor);

#endif
