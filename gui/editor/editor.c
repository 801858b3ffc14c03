/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/editor/editor.h"

#include "common/i18n.h"
#include "gui/editor/compat.h"

#define BETWEEN_PARTS 12
#define MARGIN 18
#define WINDOW_WIDTH 720
#define WINDOW_HEIGHT 460

struct editor {
    struct values *values;
    struct editor_options options;
    page_changed changed; /* NULL = nobody listens */
    gpointer context;
    struct page_owner owner;
    GtkWidget *box, *more; /* the whole, and the button for the window */
    struct page *main;
    GPtrArray *others; /* pages of the window, while it is there; borrowed */
    GtkWidget *window;
};

static struct editor *editor_of(GtkWidget *widget)
{
    return g_object_get_data(G_OBJECT(widget), "godwit-editor");
}

static gboolean is_hidden(const struct editor *editor, const struct profile_key *key)
{
    return editor->options.hidden && g_strv_contains(editor->options.hidden, key->name);
}

/* What everybody needs stands on the first page. */
static gboolean is_main(const struct profile_key *key)
{
    return !(key->flags & PROFILE_ADVANCED) &&
           (key->group == PROFILE_CONNECTION || key->group == PROFILE_IDENTITY);
}

static void refresh(struct editor *editor)
{
    (void)page_refresh(editor->main);
    for (guint i = 0; i < editor->others->len; i++) {
        struct page *page = g_ptr_array_index(editor->others, i);
        show_by_owner(page_view(page), page_refresh(page));
    }
}

static void changed(gpointer data)
{
    struct editor *editor = data;
    refresh(editor);
    if (editor->changed) {
        editor->changed(editor->context);
    }
}

/* ---- the window behind the button ---- */

static void add_group(struct editor *editor, GtkWidget *notebook, enum profile_group group)
{
    struct page *page = NULL;
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (key->group == group && !is_main(key) && !is_hidden(editor, key)) {
            page = page ? page : page_new(&editor->owner);
            page_add(page, key);
        }
    }
    if (page) {
        GtkWidget *view = page_view(page);
        set_margins(page_widget(page), MARGIN);
        gtk_widget_set_hexpand(view, TRUE);
        gtk_notebook_append_page(GTK_NOTEBOOK(notebook), view,
                                 gtk_label_new(_(profile_group_title(group))));
        g_ptr_array_add(editor->others, page);
    }
}

static void window_gone(gpointer data, GObject *window)
{
    struct editor *editor = data;
    (void)window;
    editor->window = NULL;
    g_ptr_array_set_size(editor->others, 0);
}

static void responded(GtkWidget *window, int response, gpointer data)
{
    (void)response;
    (void)data;
    close_window(window);
}

static void open_window(GtkWidget *button, gpointer data)
{
    struct editor *editor = data;
    GtkWidget *notebook = gtk_notebook_new();
    editor->window = gtk_dialog_new_with_buttons(_("Advanced settings"), window_of(button),
                                                 GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                                                 _("_Close"), GTK_RESPONSE_CLOSE, NULL);
    gtk_window_set_default_size(GTK_WINDOW(editor->window), WINDOW_WIDTH, WINDOW_HEIGHT);
    gtk_dialog_set_default_response(GTK_DIALOG(editor->window), GTK_RESPONSE_CLOSE);
    gtk_notebook_set_tab_pos(GTK_NOTEBOOK(notebook), GTK_POS_LEFT);
    gtk_widget_set_vexpand(notebook, TRUE);
    for (enum profile_group group = 0; group < PROFILE_GROUPS; group++) {
        add_group(editor, notebook, group);
    }
    put_in_box(gtk_dialog_get_content_area(GTK_DIALOG(editor->window)), notebook);
    g_signal_connect(editor->window, "response", G_CALLBACK(responded), NULL);
    g_object_weak_ref(G_OBJECT(editor->window), window_gone, editor);
    refresh(editor);
    show_dialog(editor->window);
}

/* ---- the first page ---- */

static GtkWidget *heading(const char *text)
{
    GtkWidget *label = gtk_label_new(text);
    PangoAttrList *attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
    gtk_label_set_attributes(GTK_LABEL(label), attributes);
    pango_attr_list_unref(attributes);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    return label;
}

static void add_part(struct editor *editor, enum profile_group group)
{
    GtkWidget *title = heading(_(profile_group_title(group)));
    gtk_widget_set_margin_top(title, group == PROFILE_CONNECTION ? 0 : BETWEEN_PARTS);
    page_add_widget(editor->main, title);
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (key->group == group && is_main(key) && !is_hidden(editor, key)) {
            page_add(editor->main, key);
        }
    }
}

static void add_button(struct editor *editor)
{
    g_autofree char *text = page_mnemonic(editor->main, _("Advanced…"));
    GtkWidget *button = gtk_button_new_with_mnemonic(text);
    give_name(button, _("Advanced…"));
    gtk_widget_set_halign(button, GTK_ALIGN_END);
    g_signal_connect(button, "clicked", G_CALLBACK(open_window), editor);
    page_add_widget(editor->main, button);
    editor->more = button;
}

static void editor_free(gpointer data)
{
    struct editor *editor = data;
    if (editor->window) {
        g_object_weak_unref(G_OBJECT(editor->window), window_gone, editor);
        close_window(editor->window);
    }
    g_ptr_array_unref(editor->others);
    values_free(editor->values);
    g_free(editor);
}

GtkWidget *editor_new(struct values *values, const struct editor_options *options,
                      page_changed listener, gpointer context)
{
    struct editor *editor = g_new0(struct editor, 1);
    editor->values = values;
    editor->options = *options;
    editor->changed = listener;
    editor->context = context;
    editor->owner = (struct page_owner){.values = values,
                                        .changed = changed,
                                        .context = editor,
                                        .make_chooser = options->make_chooser,
                                        .has_keyring = options->has_keyring};
    editor->others = g_ptr_array_new();
    editor->main = page_new(&editor->owner);
    add_part(editor, PROFILE_CONNECTION);
    add_part(editor, PROFILE_IDENTITY);
    page_add_reveal(editor->main);
    add_button(editor);
    refresh(editor);
    /* Around the page, whose own end comes first and needs the editor. */
    editor->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    g_object_set_data_full(G_OBJECT(editor->box), "godwit-editor", editor, editor_free);
    set_margins(page_widget(editor->main), MARGIN);
    put_in_box(editor->box, page_widget(editor->main));
    return editor->box;
}

const struct values *editor_values(GtkWidget *widget)
{
    return editor_of(widget)->values;
}

void editor_point_out(GtkWidget *widget)
{
    struct editor *editor = editor_of(widget);
    g_autofree char *reason = NULL;
    const char *key = values_fault(editor->values, &reason);
    if (key) {
        values_touch(editor->values, key);
        refresh(editor);
        if (!page_focus(editor->main, key)) {
            gtk_widget_grab_focus(editor->more);
        }
    }
}

void editor_forget(GtkWidget *widget)
{
    editor_of(widget)->changed = NULL;
}
