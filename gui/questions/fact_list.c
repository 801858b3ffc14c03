/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/questions/fact_list.h"

#include "gui/questions/frame.h"

GtkWidget *fact_list_new(void)
{
    GtkWidget *list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    return list;
}

static GtkWidget *fact_label(const char *text, const char *style)
{
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    frame_wrap(GTK_LABEL(label));
    if (style) {
        gtk_widget_add_css_class(label, style);
    }
    return label;
}

void fact_list_add(GtkWidget *list, const char *name, const char *value, const char *style)
{
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    GtkWidget *title = fact_label(name, "caption"), *text = fact_label(value, style);
    gtk_widget_add_css_class(title, "dim-label");
    gtk_label_set_selectable(GTK_LABEL(text), TRUE);
    gtk_accessible_update_relation(GTK_ACCESSIBLE(text), GTK_ACCESSIBLE_RELATION_LABELLED_BY, title,
                                   NULL, -1);
    gtk_widget_set_margin_start(box, 12);
    gtk_widget_set_margin_end(box, 12);
    gtk_widget_set_margin_top(box, 8);
    gtk_widget_set_margin_bottom(box, 8);
    gtk_box_append(GTK_BOX(box), title);
    gtk_box_append(GTK_BOX(box), text);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
    gtk_widget_set_focusable(row, FALSE);
    gtk_list_box_append(GTK_LIST_BOX(list), row);
}
