/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/text_window.h"

#include <adwaita.h>

#include "common/i18n.h"

static void on_copy(GtkButton *button, GtkTextBuffer *buffer)
{
    GtkTextIter start, end;

    gtk_text_buffer_get_bounds(buffer, &start, &end);
    g_autofree char *text = gtk_text_buffer_get_text(buffer, &start, &end, FALSE);
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(button)), text);
}

static GtkWidget *header_of(GtkTextBuffer *buffer)
{
    GtkWidget *header = adw_header_bar_new(), *copy = gtk_button_new_from_icon_name("edit-copy-symbolic");

    gtk_widget_set_tooltip_text(copy, _("Copy"));
    g_signal_connect(copy, "clicked", G_CALLBACK(on_copy), buffer);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), copy);
    return header;
}

static GtkWidget *view_of(const char *text)
{
    GtkWidget *view = gtk_text_view_new();

    gtk_text_buffer_set_text(gtk_text_view_get_buffer(GTK_TEXT_VIEW(view)), text, -1);
    gtk_text_view_set_editable(GTK_TEXT_VIEW(view), FALSE);
    gtk_text_view_set_cursor_visible(GTK_TEXT_VIEW(view), FALSE);
    gtk_text_view_set_monospace(GTK_TEXT_VIEW(view), TRUE);
    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(view), GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(view), 12);
    gtk_text_view_set_right_margin(GTK_TEXT_VIEW(view), 12);
    gtk_text_view_set_top_margin(GTK_TEXT_VIEW(view), 12);
    gtk_text_view_set_bottom_margin(GTK_TEXT_VIEW(view), 12);
    return view;
}

static gboolean close_window(GtkWidget *window, GVariant *arguments, gpointer data)
{
    (void)arguments;
    (void)data;
    gtk_window_close(GTK_WINDOW(window));
    return TRUE;
}

void text_window_show(GtkWindow *parent, const char *title, const char *text)
{
    GtkWidget *window = adw_window_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *scrolled = gtk_scrolled_window_new(), *view = view_of(text);
    GtkEventController *keys = gtk_shortcut_controller_new();

    gtk_accessible_update_property(GTK_ACCESSIBLE(view), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), view);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(box), header_of(gtk_text_view_get_buffer(GTK_TEXT_VIEW(view))));
    gtk_box_append(GTK_BOX(box), scrolled);
    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                         gtk_callback_action_new(close_window, NULL, NULL)));
    gtk_widget_add_controller(window, keys);
    adw_window_set_content(ADW_WINDOW(window), box);
    gtk_window_set_title(GTK_WINDOW(window), title);
    gtk_window_set_default_size(GTK_WINDOW(window), 760, 480);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_present(GTK_WINDOW(window));
}
