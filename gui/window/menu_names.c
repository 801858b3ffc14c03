/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/menu_names.h"

/* GTK's own kind of button, whose type it does not tell. */
#define ITEM_TYPE "GtkModelButton"

static void give_name(GtkWidget *item)
{
    g_autofree char *text = NULL;
    g_autoptr(GtkWidget) label = NULL;

    g_object_get(item, "text", &text, NULL);
    label = g_object_ref_sink(gtk_label_new_with_mnemonic(text == NULL ? "" : text));
    /* GTK 4.18 refers to a label that has no name itself. */
    gtk_accessible_reset_relation(GTK_ACCESSIBLE(item), GTK_ACCESSIBLE_RELATION_LABELLED_BY);
    gtk_accessible_update_property(GTK_ACCESSIBLE(item), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   gtk_label_get_text(GTK_LABEL(label)), -1);
}

static void give_names(GtkWidget *widget)
{
    if (g_strcmp0(G_OBJECT_TYPE_NAME(widget), ITEM_TYPE) == 0) {
        give_name(widget);
        return;
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
         child = gtk_widget_get_next_sibling(child)) {
        give_names(child);
    }
}

static void on_active(GtkMenuButton *button)
{
    GtkPopover *menu = gtk_menu_button_get_popover(button);

    if (menu != NULL) {
        give_names(GTK_WIDGET(menu));
    }
}

void menu_names_give(GtkMenuButton *button)
{
    g_signal_connect(button, "notify::active", G_CALLBACK(on_active), NULL);
}
