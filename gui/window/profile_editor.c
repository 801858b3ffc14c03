/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/profile_editor.h"

#include <adwaita.h>

#include "common/i18n.h"
#include "gui/editor/editor.h"
#include "gui/model/store.h"
#include "gui/questions/shown.h"

struct profile_editor {
    GtkWidget *window, *form, *said;
    char *path;         /* NULL = a new one */
    const char *action; /* NULL = none */
};

static void say(struct profile_editor *editor, const GError *error)
{
    g_autofree char *text = error == NULL ? g_strdup("") : shown_text(error->message);

    gtk_label_set_text(GTK_LABEL(editor->said), text);
    gtk_widget_set_visible(editor->said, *text != '\0');
}

static void on_changed(gpointer context)
{
    say(context, NULL);
}

static void on_save(struct profile_editor *editor)
{
    g_autoptr(GError) error = NULL;

    if (store_write(editor->path, editor_values(editor->form), &error)) {
        GtkWindow *parent = gtk_window_get_transient_for(GTK_WINDOW(editor->window));

        if (editor->action != NULL && parent != NULL) {
            (void)gtk_widget_activate_action(GTK_WIDGET(parent), editor->action, NULL);
        }
        gtk_window_destroy(GTK_WINDOW(editor->window));
    } else {
        say(editor, error);
        editor_point_out(editor->form);
    }
}

static void on_destroy(struct profile_editor *editor)
{
    editor_forget(editor->form);
    g_object_unref(editor->form);
    g_free(editor->path);
    g_free(editor);
}

static GtkWidget *button(const char *label, GCallback pressed, gpointer data)
{
    GtkWidget *made = gtk_button_new_with_mnemonic(label);

    g_signal_connect_swapped(made, "clicked", pressed, data);
    return made;
}

static GtkWidget *header_of(struct profile_editor *editor)
{
    GtkWidget *header = adw_header_bar_new();
    GtkWidget *save = button(_("_Save"), G_CALLBACK(on_save), editor);

    adw_header_bar_set_show_end_title_buttons(ADW_HEADER_BAR(header), FALSE);
    adw_header_bar_set_show_start_title_buttons(ADW_HEADER_BAR(header), FALSE);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header),
                              button(_("_Cancel"), G_CALLBACK(gtk_window_destroy), editor->window));
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), save);
    gtk_widget_add_css_class(save, "suggested-action");
    gtk_window_set_default_widget(GTK_WINDOW(editor->window), save);
    return header;
}

static GtkWidget *said_of(void)
{
    GtkWidget *said = gtk_label_new(NULL);

    gtk_label_set_wrap(GTK_LABEL(said), TRUE);
    gtk_label_set_xalign(GTK_LABEL(said), 0);
    gtk_widget_add_css_class(said, "failure");
    gtk_widget_set_visible(said, FALSE);
    return said;
}

static gboolean close_window(GtkWidget *window, GVariant *arguments, gpointer data)
{
    (void)arguments;
    (void)data;
    gtk_window_destroy(GTK_WINDOW(window));
    return TRUE;
}

static void add_escape(GtkWidget *window)
{
    GtkEventController *keys = gtk_shortcut_controller_new();

    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                         gtk_callback_action_new(close_window, NULL, NULL)));
    gtk_widget_add_controller(window, keys);
}

/* Takes over `values`; NULL = there is an error to tell, and an empty form is shown. */
static void show(GtkWindow *parent, const char *title, const char *path, struct values *values,
                 const char *action, const GError *error)
{
    static const struct editor_options options = {.hidden = NULL};
    struct profile_editor *editor = g_new0(struct profile_editor, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *clamp = adw_clamp_new();
    GtkWidget *scrolled = gtk_scrolled_window_new();

    editor->path = values == NULL ? NULL : g_strdup(path);
    editor->action = action;
    editor->window = adw_window_new();
    editor->said = said_of();
    editor->form = g_object_ref_sink(
        editor_new(values == NULL ? values_new() : values, &options, on_changed, editor));
    gtk_widget_add_css_class(editor->form, "form");
    adw_clamp_set_child(ADW_CLAMP(clamp), editor->form);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), clamp);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_widget_set_vexpand(scrolled, TRUE);
    gtk_box_append(GTK_BOX(box), header_of(editor));
    gtk_box_append(GTK_BOX(box), editor->said);
    gtk_box_append(GTK_BOX(box), scrolled);
    adw_window_set_content(ADW_WINDOW(editor->window), box);
    add_escape(editor->window);
    gtk_window_set_title(GTK_WINDOW(editor->window), title);
    gtk_window_set_default_size(GTK_WINDOW(editor->window), 560, 640);
    gtk_window_set_transient_for(GTK_WINDOW(editor->window), parent);
    gtk_window_set_modal(GTK_WINDOW(editor->window), TRUE);
    g_signal_connect_swapped(editor->window, "destroy", G_CALLBACK(on_destroy), editor);
    say(editor, error);
    gtk_window_present(GTK_WINDOW(editor->window));
    (void)gtk_widget_child_focus(editor->form, GTK_DIR_TAB_FORWARD);
}

void profile_editor_show(GtkWindow *parent, const char *path)
{
    g_autoptr(GError) error = NULL;
    struct values *values = store_read(path, &error);

    show(parent, _("Edit Connection"), path, values, NULL, error);
}

void profile_editor_show_copy(GtkWindow *parent, const char *path)
{
    g_autoptr(GError) error = NULL;
    struct values *values = store_read_copy(path, &error);

    show(parent, _("New Connection"), NULL, values, NULL, error);
}

void profile_editor_show_new(GtkWindow *parent, struct values *values, const char *action)
{
    show(parent, _("New Connection"), NULL, values, action, NULL);
}
