/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/field_row.h"

#include <adwaita.h>

GtkWidget *field_row_new(GtkWidget *entry, const char *title, GtkWidget *beside)
{
    GtkWidget *row = adw_preferences_row_new(), *label = gtk_label_new_with_mnemonic(title);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), entry);
    gtk_widget_add_css_class(label, "caption");
    gtk_widget_add_css_class(row, "field");
    gtk_widget_set_hexpand(entry, TRUE);
    gtk_box_append(GTK_BOX(line), entry);
    if (beside != NULL) {
        gtk_box_append(GTK_BOX(line), beside);
    }
    gtk_box_append(GTK_BOX(box), label);
    gtk_box_append(GTK_BOX(box), line);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
    gtk_widget_set_focusable(row, FALSE);
    return row;
}

void field_mark(GtkWidget *entry, gboolean wrong)
{
    if (wrong) {
        gtk_widget_add_css_class(entry, "error");
        gtk_accessible_update_state(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_STATE_INVALID,
                                    GTK_ACCESSIBLE_INVALID_TRUE, -1);
    } else {
        gtk_widget_remove_css_class(entry, "error");
        gtk_accessible_reset_state(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_STATE_INVALID);
    }
}
