/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_QUESTIONS_FACT_LIST_H
#define GODWIT_GUI_QUESTIONS_FACT_LIST_H

#include <gtk/gtk.h>

/* Facts that a person judges by, one below the other: a name and its value, which can be copied. */
GtkWidget *fact_list_new(void);
/* Plain text; it is made harmless before. `style`: a class of the value's, NULL = none. */
void fact_list_add(GtkWidget *list, const char *name, const char *value, const char *style);

#endif
