/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_EDITOR_COMPAT_H
#define GODWIT_GUI_EDITOR_COMPAT_H

#include <gtk/gtk.h>

/*
 * Where GTK 3 and GTK 4 differ: the one place that knows. Everything else of this folder is
 * compiled once for each of them.
 */

#if GTK_MAJOR_VERSION < 4

static inline void put_in_box(GtkWidget *box, GtkWidget *child)
{
    gtk_box_pack_start(GTK_BOX(box), child, FALSE, TRUE, 0);
}

static inline void put_in_window(GtkWidget *window, GtkWidget *child)
{
    gtk_container_add(GTK_CONTAINER(window), child);
}

static inline GtkWidget *scrolled(GtkWidget *child)
{
    GtkWidget *window = gtk_scrolled_window_new(NULL, NULL);
    gtk_container_add(GTK_CONTAINER(window), child);
    return window;
}

static inline const char *entry_text(GtkWidget *entry)
{
    return gtk_entry_get_text(GTK_ENTRY(entry));
}

static inline void set_entry_width(GtkWidget *entry, int characters)
{
    gtk_entry_set_width_chars(GTK_ENTRY(entry), characters);
}

static inline void entry_set_text(GtkWidget *entry, const char *text)
{
    gtk_entry_set_text(GTK_ENTRY(entry), text);
}

static inline void wrap_label(GtkWidget *label)
{
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_line_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
}

static inline gboolean check_active(GtkWidget *check)
{
    return gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(check));
}

static inline void check_set_active(GtkWidget *check, gboolean active)
{
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(check), active);
}

static inline GtkWindow *window_of(GtkWidget *widget)
{
    GtkWidget *top = gtk_widget_get_toplevel(widget);
    return GTK_IS_WINDOW(top) ? GTK_WINDOW(top) : NULL;
}

static inline void set_style(GtkWidget *widget, const char *style, gboolean on)
{
    GtkStyleContext *context = gtk_widget_get_style_context(widget);
    if (on) {
        gtk_style_context_add_class(context, style);
    } else {
        gtk_style_context_remove_class(context, style);
    }
}

/* Its owner decides whether it is seen, not whoever shows the whole. */
static inline void show_by_owner(GtkWidget *widget, gboolean shown)
{
    gtk_widget_set_no_show_all(widget, FALSE);
    if (shown) {
        gtk_widget_show_all(widget);
    } else {
        gtk_widget_hide(widget);
    }
    gtk_widget_set_no_show_all(widget, TRUE);
}

static inline void show_window(GtkWidget *window)
{
    gtk_widget_show_all(window);
}

/* Not what a dialog hides of itself. */
static inline void show_dialog(GtkWidget *dialog)
{
    gtk_widget_show_all(gtk_dialog_get_content_area(GTK_DIALOG(dialog)));
    gtk_window_present(GTK_WINDOW(dialog));
}

/* Its close button hides it, and so does Escape. */
static inline void keep_when_closed(GtkWidget *dialog)
{
    g_signal_connect(dialog, "delete-event", G_CALLBACK(gtk_widget_hide_on_delete), NULL);
}

static inline void close_window(GtkWidget *window)
{
    gtk_widget_destroy(window);
}

/* What a screen reader says of it besides its name. */
static inline void describe(GtkWidget *widget, const char *text, gboolean wrong)
{
    (void)wrong; /* ATK has a state for it that nobody can set from outside a widget */
    atk_object_set_description(gtk_widget_get_accessible(widget), text);
}

static inline void give_name(GtkWidget *widget, const char *name)
{
    atk_object_set_name(gtk_widget_get_accessible(widget), name);
}

#else

static inline void put_in_box(GtkWidget *box, GtkWidget *child)
{
    gtk_box_append(GTK_BOX(box), child);
}

static inline void put_in_window(GtkWidget *window, GtkWidget *child)
{
    gtk_window_set_child(GTK_WINDOW(window), child);
}

static inline GtkWidget *scrolled(GtkWidget *child)
{
    GtkWidget *window = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(window), child);
    return window;
}

static inline const char *entry_text(GtkWidget *entry)
{
    return gtk_editable_get_text(GTK_EDITABLE(entry));
}

static inline void set_entry_width(GtkWidget *entry, int characters)
{
    gtk_editable_set_width_chars(GTK_EDITABLE(entry), characters);
}

static inline void entry_set_text(GtkWidget *entry, const char *text)
{
    gtk_editable_set_text(GTK_EDITABLE(entry), text);
}

static inline void wrap_label(GtkWidget *label)
{
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
}

static inline gboolean check_active(GtkWidget *check)
{
    return gtk_check_button_get_active(GTK_CHECK_BUTTON(check));
}

static inline void check_set_active(GtkWidget *check, gboolean active)
{
    gtk_check_button_set_active(GTK_CHECK_BUTTON(check), active);
}

static inline GtkWindow *window_of(GtkWidget *widget)
{
    GtkRoot *root = gtk_widget_get_root(widget);
    return GTK_IS_WINDOW(root) ? GTK_WINDOW(root) : NULL;
}

static inline void set_style(GtkWidget *widget, const char *style, gboolean on)
{
    if (on) {
        gtk_widget_add_css_class(widget, style);
    } else {
        gtk_widget_remove_css_class(widget, style);
    }
}

static inline void show_by_owner(GtkWidget *widget, gboolean shown)
{
    gtk_widget_set_visible(widget, shown);
}

static inline void show_window(GtkWidget *window)
{
    gtk_window_present(GTK_WINDOW(window));
}

static inline void show_dialog(GtkWidget *dialog)
{
    gtk_window_present(GTK_WINDOW(dialog));
}

static inline void keep_when_closed(GtkWidget *dialog)
{
    gtk_window_set_hide_on_close(GTK_WINDOW(dialog), TRUE);
}

static inline void close_window(GtkWidget *window)
{
    gtk_window_destroy(GTK_WINDOW(window));
}

static inline void describe(GtkWidget *widget, const char *text, gboolean wrong)
{
    GtkAccessible *accessible = GTK_ACCESSIBLE(widget);
    gtk_accessible_update_property(accessible, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
    gtk_accessible_update_state(accessible, GTK_ACCESSIBLE_STATE_INVALID,
                                wrong ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE,
                                -1);
}

/* The label that a button has within is its whole name in newer ones of GTK, unless it is told. */
static inline void give_name(GtkWidget *widget, const char *name)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    gtk_accessible_reset_relation(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_RELATION_LABELLED_BY);
}

#endif

static inline void set_margins(GtkWidget *widget, int margin)
{
    gtk_widget_set_margin_start(widget, margin);
    gtk_widget_set_margin_end(widget, margin);
    gtk_widget_set_margin_top(widget, margin);
    gtk_widget_set_margin_bottom(widget, margin);
}

#endif
