/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loaded into a program of GTK 4: when SIGUSR1 comes, it writes to /run/bed/inspected what a person
 * would not like about its windows and no screen reader could tell: text that is cut or broken
 * within a word, what reaches beyond its window, icons that are not there, and what the Tab key
 * does not reach. A line each; the file is there when it is whole.
 */
#include "config.h"

#include <glib-unix.h>
#include <gtk/gtk.h>
#include <signal.h>
#include <stdio.h>

#define RESULT "/run/bed/inspected"
enum { STEPS_MAX = 300 };
#define TOLERANCE 1.5f /* pixels: themes let header bars overlap by one */

static void complain(GString *found, GtkWidget *widget, const char *what, const char *text)
{
    g_autofree char *line = g_strescape(text, NULL);

    g_string_append_printf(found, "%s: %s: %.60s\n", gtk_widget_get_css_name(widget), what, line);
}

/* ---- text ---- */

static gboolean breaks_a_word(PangoLayout *layout)
{
    const char *text = pango_layout_get_text(layout);
    const PangoLogAttr *attributes = pango_layout_get_log_attrs_readonly(layout, NULL);

    for (int i = 1; i < pango_layout_get_line_count(layout); i++) {
        int start = pango_layout_get_line_readonly(layout, i)->start_index;

        if (!attributes[g_utf8_pointer_to_offset(text, text + start)].is_line_break) {
            return TRUE;
        }
    }
    return FALSE;
}

static void look_at_label(GString *found, GtkWidget *widget)
{
    GtkLabel *label = GTK_LABEL(widget);
    PangoLayout *layout = gtk_label_get_layout(label);

    if (pango_layout_is_ellipsized(layout)) {
        complain(found, widget, "cut", gtk_label_get_text(label));
    } else if (breaks_a_word(layout)) {
        complain(found, widget, "broken within a word", gtk_label_get_text(label));
    }
}

/* ---- places ---- */

static gboolean scrolls_sideways(GtkWidget *widget)
{
    GtkWidget *scrolled = gtk_widget_get_ancestor(widget, GTK_TYPE_SCROLLED_WINDOW);
    GtkPolicyType policy = GTK_POLICY_NEVER;

    if (scrolled != NULL) {
        gtk_scrolled_window_get_policy(GTK_SCROLLED_WINDOW(scrolled), &policy, NULL);
    }
    return policy != GTK_POLICY_NEVER;
}

static void look_at_place(GString *found, GtkWidget *widget, GtkWidget *window)
{
    graphene_rect_t place;

    if (gtk_widget_compute_bounds(widget, window, &place) && place.size.width > 0 &&
        (place.origin.x < -TOLERANCE ||
         place.origin.x + place.size.width > (float)gtk_widget_get_width(window) + TOLERANCE) &&
        !scrolls_sideways(widget)) {
        g_autofree char *where = g_strdup_printf(
            "%s at %.0f, %.0f wide of %d", gtk_widget_get_name(widget), (double)place.origin.x,
            (double)place.size.width, gtk_widget_get_width(window));

        complain(found, widget, "reaches beyond its window", where);
    }
}

static void look_at_icon(GString *found, GtkWidget *widget)
{
    const char *name = gtk_image_get_icon_name(GTK_IMAGE(widget));

    if (name != NULL && !gtk_icon_theme_has_icon(
                            gtk_icon_theme_get_for_display(gtk_widget_get_display(widget)), name)) {
        complain(found, widget, "no such icon", name);
    }
}

/* ---- the keyboard ---- */

static gboolean takes_focus(GtkWidget *widget)
{
    if (!gtk_widget_get_focusable(widget) || !gtk_widget_is_sensitive(widget)) {
        return FALSE;
    }
    for (; widget != NULL; widget = gtk_widget_get_parent(widget)) {
        if (!gtk_widget_get_can_focus(widget)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* As the Tab key does; the focus is back where it was in the end. NULL while a menu holds it. */
static GHashTable *reached_in(GtkWindow *window)
{
    GtkWidget *before = gtk_window_get_focus(window);
    GHashTable *reached;

    if (before != NULL && gtk_widget_get_ancestor(before, GTK_TYPE_POPOVER) != NULL) {
        return NULL;
    }
    reached = g_hash_table_new(NULL, NULL);
    gtk_window_set_focus(window, NULL);
    for (int i = 0;
         i < STEPS_MAX && gtk_widget_child_focus(GTK_WIDGET(window), GTK_DIR_TAB_FORWARD); i++) {
        /* What has the focus within is reached through what is around it. */
        for (GtkWidget *at = gtk_window_get_focus(window); at != NULL;
             at = gtk_widget_get_parent(at)) {
            g_hash_table_add(reached, at);
        }
    }
    gtk_window_set_focus(window, before);
    return reached;
}

/* How far it is scrolled, for what has to be as before. */
static void remember_scrolling(GtkWidget *widget, GHashTable *values)
{
    if (GTK_IS_SCROLLED_WINDOW(widget)) {
        GtkAdjustment *at = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(widget));
        double *value = g_new(double, 1);

        *value = gtk_adjustment_get_value(at);
        g_hash_table_insert(values, at, value);
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
         child = gtk_widget_get_next_sibling(child)) {
        remember_scrolling(child, values);
    }
}

static void restore_scrolling(gpointer adjustment, gpointer value, gpointer data)
{
    (void)data;
    gtk_adjustment_set_value(adjustment, *(double *)value);
}

/* ---- all of it ---- */

static void walk(GString *found, GtkWidget *widget, GtkWidget *window, GHashTable *by_tab)
{
    /* Scrollbars lie over other things, and partly outside. */
    if (!gtk_widget_get_mapped(widget) || GTK_IS_SCROLLBAR(widget)) {
        return;
    }
    if (GTK_IS_LABEL(widget)) {
        look_at_label(found, widget);
    }
    if (GTK_IS_IMAGE(widget)) {
        look_at_icon(found, widget);
    }
    if (widget != window) {
        look_at_place(found, widget, window);
    }
    if (by_tab != NULL && takes_focus(widget) && !g_hash_table_contains(by_tab, widget)) {
        complain(found, widget, "not reached by the Tab key", gtk_widget_get_name(widget));
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
         child = gtk_widget_get_next_sibling(child)) {
        if (GTK_IS_POPOVER(child)) {
            walk(found, child, child, NULL);
        } else {
            walk(found, child, window, by_tab);
        }
    }
}

/* What stands behind a modal window gets no keys. */
static gboolean is_behind(GtkWindow *window, GList *windows)
{
    for (GList *entry = windows; entry != NULL; entry = entry->next) {
        GtkWindow *other = entry->data;

        if (gtk_widget_get_mapped(GTK_WIDGET(other)) && gtk_window_get_modal(other) &&
            gtk_window_get_transient_for(other) == window) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean on_signal(gpointer data)
{
    g_autoptr(GString) found = g_string_new(NULL);
    g_autoptr(GList) windows = gtk_window_list_toplevels();

    (void)data;
    for (GList *entry = windows; entry != NULL; entry = entry->next) {
        GtkWidget *window = entry->data;

        if (gtk_widget_get_mapped(window)) {
            g_autoptr(GHashTable) scrolled = g_hash_table_new_full(NULL, NULL, NULL, g_free);
            g_autoptr(GHashTable) by_tab = NULL;

            remember_scrolling(window, scrolled);
            by_tab = is_behind(GTK_WINDOW(window), windows) ? NULL : reached_in(GTK_WINDOW(window));
            walk(found, window, window, by_tab);
            g_hash_table_foreach(scrolled, restore_scrolling, NULL);
        }
    }
    g_file_set_contents(RESULT ".part", found->str, -1, NULL);
    (void)rename(RESULT ".part", RESULT);
    return G_SOURCE_CONTINUE;
}

__attribute__((constructor)) static void wait_for_signal(void)
{
    g_unix_signal_add(SIGUSR1, on_signal, NULL);
}
