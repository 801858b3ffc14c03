/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/trace_window.h"

#include <adwaita.h>

#include "common/i18n.h"
#include "gui/questions/shown.h"
#include "gui/window/rung_view.h"

enum { NEAR_THE_END = 48 }; /* pixels */

struct trace_window {
    char *name;
    GtkWidget *window, *toasts, *messages, *search, *list, *pages;
    GtkFilterListModel *shown;
    GtkMultiSelection *selection;
    GtkFilter *filter;
    GtkAdjustment *adjustment; /* of the list */
    gboolean following;        /* the newest is to be seen */
    double value;              /* where the list was before */
    guint scroll;
};

/* ---- what is shown of it ---- */

static gboolean is_wanted(gpointer item, gpointer data)
{
    const struct trace_window *trace = data;
    const char *text = gtk_editable_get_text(GTK_EDITABLE(trace->search));

    return (gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(trace->messages)) ||
            !godwit_step_is_message(item)) &&
           (*text == '\0' || godwit_step_contains(item, text));
}

static void on_wanted(struct trace_window *trace)
{
    gtk_filter_changed(trace->filter, GTK_FILTER_CHANGE_DIFFERENT);
}

static gboolean scroll_to_end(gpointer data)
{
    struct trace_window *trace = data;
    guint n = g_list_model_get_n_items(G_LIST_MODEL(trace->shown));

    trace->scroll = 0;
    if (n > 0) {
        gtk_widget_activate_action(trace->list, "list.scroll-to-item", "u", n - 1);
    }
    return G_SOURCE_REMOVE;
}

/* Once the list knows how high it is. */
static void follow(struct trace_window *trace)
{
    if (trace->following && trace->scroll == 0) {
        trace->scroll = g_idle_add_full(G_PRIORITY_LOW, scroll_to_end, trace, NULL);
    }
}

static void on_steps(GListModel *shown, guint position, guint removed, guint added, gpointer data)
{
    struct trace_window *trace = data;
    guint n = g_list_model_get_n_items(shown);

    (void)position;
    (void)added;
    if (removed >
        1) { /* GTK 4.8 would go on showing a row that is gone, where it has scrolled to */
        gtk_list_view_set_model(GTK_LIST_VIEW(trace->list), NULL);
        gtk_list_view_set_model(GTK_LIST_VIEW(trace->list), GTK_SELECTION_MODEL(trace->selection));
    }
    gtk_stack_set_visible_child_name(GTK_STACK(trace->pages), n > 0 ? "steps" : "nothing");
    follow(trace);
}

static void on_scrolled(struct trace_window *trace, GtkAdjustment *adjustment)
{
    double value = gtk_adjustment_get_value(adjustment);

    if (value + gtk_adjustment_get_page_size(adjustment) >=
        gtk_adjustment_get_upper(adjustment) - NEAR_THE_END) {
        trace->following = TRUE;
    } else if (value < trace->value) {
        trace->following = FALSE;
    }
    trace->value = value;
}

/* ---- rows ---- */

/* Beginning with room for a time. */
static GtkWidget *row_of(void)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12), *time = gtk_label_new(NULL);

    gtk_widget_add_css_class(time, "dim-label");
    gtk_widget_add_css_class(time, "numeric");
    gtk_label_set_width_chars(GTK_LABEL(time), 12);
    gtk_widget_set_valign(time, GTK_ALIGN_START);
    gtk_box_append(GTK_BOX(box), time);
    return box;
}

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *item)
{
    GtkWidget *box = row_of();

    (void)factory;
    gtk_box_append(GTK_BOX(box), godwit_rung_view_new());
    gtk_list_item_set_child(item, box);
}

static void show_step(GtkListItem *item, GodwitStep *step)
{
    GtkWidget *time = gtk_widget_get_first_child(gtk_list_item_get_child(item));
    g_autofree char *text = step == NULL ? g_strdup("") : godwit_step_dup_time(step);

    gtk_label_set_text(GTK_LABEL(time), text);
    godwit_rung_view_set_step(GODWIT_RUNG_VIEW(gtk_widget_get_next_sibling(time)), step);
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *item)
{
    (void)factory;
    show_step(item, gtk_list_item_get_item(item));
}

static void on_unbind(GtkSignalListItemFactory *factory, GtkListItem *item)
{
    (void)factory;
    show_step(item, NULL);
}

static GtkWidget *list_of(struct trace_window *trace)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

    g_signal_connect(factory, "setup", G_CALLBACK(on_setup), NULL);
    g_signal_connect(factory, "bind", G_CALLBACK(on_bind), NULL);
    g_signal_connect(factory, "unbind", G_CALLBACK(on_unbind), NULL);
    trace->list = gtk_list_view_new(g_object_ref(GTK_SELECTION_MODEL(trace->selection)), factory);
    gtk_widget_add_css_class(trace->list, "ladder");
    gtk_accessible_update_property(GTK_ACCESSIBLE(trace->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Trace"), -1);
    return trace->list;
}

/* ---- copying and saving ---- */

/* Of the steps that are selected; of all that are shown when none is. */
static char *text_of(struct trace_window *trace)
{
    g_autoptr(GtkBitset) selected =
        gtk_selection_model_get_selection(GTK_SELECTION_MODEL(trace->selection));
    g_autoptr(GListStore) steps = g_list_store_new(GODWIT_TYPE_STEP);
    GtkBitsetIter iter;
    guint at;

    if (gtk_bitset_is_empty(selected)) {
        return godwit_steps_text(G_LIST_MODEL(trace->shown));
    }
    for (gboolean more = gtk_bitset_iter_init_first(&iter, selected, &at); more;
         more = gtk_bitset_iter_next(&iter, &at)) {
        g_autoptr(GodwitStep) step = g_list_model_get_item(G_LIST_MODEL(trace->shown), at);

        g_list_store_append(steps, step);
    }
    return godwit_steps_text(G_LIST_MODEL(steps));
}

static void say(struct trace_window *trace, const char *text)
{
    g_autofree char *markup = g_markup_escape_text(text, -1);

    adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(trace->toasts), adw_toast_new(markup));
}

static void copy(struct trace_window *trace)
{
    g_autofree char *text = text_of(trace);

    gdk_clipboard_set_text(gtk_widget_get_clipboard(trace->window), text);
    say(trace, _("Copied"));
}

static void on_target(GtkNativeDialog *native, int response, gpointer window)
{
    struct trace_window *trace = g_object_get_data(window, "trace");

    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(native));
        g_autofree char *text = text_of(trace);
        g_autoptr(GError) error = NULL;

        if (!g_file_replace_contents(file, text, strlen(text), NULL, FALSE, G_FILE_CREATE_PRIVATE,
                                     NULL, NULL, &error)) {
            say(trace, error->message);
        }
    }
    g_object_unref(native);
}

static void save(struct trace_window *trace)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Save the Trace"), GTK_WINDOW(trace->window),
                                    GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
    g_autofree char *name = g_strdup_printf("%s.txt", trace->name);

    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), g_strdelimit(name, "/\\", '-'));
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_target), trace->window, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- keys ---- */

static gboolean on_escape(GtkWidget *widget, GVariant *arguments, gpointer data)
{
    (void)arguments;
    (void)data;
    gtk_window_close(GTK_WINDOW(widget));
    return TRUE;
}

static gboolean on_copy_key(GtkWidget *widget, GVariant *arguments, gpointer data)
{
    (void)widget;
    (void)arguments;
    copy(data);
    return TRUE;
}

static gboolean on_save_key(GtkWidget *widget, GVariant *arguments, gpointer data)
{
    (void)widget;
    (void)arguments;
    save(data);
    return TRUE;
}

static void add_key(GtkEventController *keys, guint key, GdkModifierType modifiers,
                    GtkShortcutFunc function, gpointer data)
{
    gtk_shortcut_controller_add_shortcut(
        GTK_SHORTCUT_CONTROLLER(keys),
        gtk_shortcut_new(gtk_keyval_trigger_new(key, modifiers),
                         gtk_callback_action_new(function, data, NULL)));
}

static void add_keys(struct trace_window *trace)
{
    GtkEventController *keys = gtk_shortcut_controller_new();

    add_key(keys, GDK_KEY_Escape, 0, on_escape, NULL);
    add_key(keys, GDK_KEY_c, GDK_CONTROL_MASK, on_copy_key, trace);
    add_key(keys, GDK_KEY_s, GDK_CONTROL_MASK, on_save_key, trace);
    gtk_widget_add_controller(trace->window, keys);
}

/* ---- the window ---- */

static GtkWidget *button(const char *icon, const char *words, GCallback pressed, gpointer data)
{
    GtkWidget *made = gtk_button_new_from_icon_name(icon);

    gtk_widget_set_tooltip_text(made, words);
    gtk_accessible_update_property(GTK_ACCESSIBLE(made), GTK_ACCESSIBLE_PROPERTY_LABEL, words, -1);
    g_signal_connect_swapped(made, "clicked", pressed, data);
    return made;
}

static GtkWidget *header_of(struct trace_window *trace)
{
    GtkWidget *header = adw_header_bar_new();
    g_autofree char *name = shown_text(trace->name);

    trace->messages = gtk_toggle_button_new_with_mnemonic(_("_Messages"));
    gtk_widget_set_tooltip_text(trace->messages, _("Show the messages of IKE too"));
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(trace->messages), TRUE);
    g_signal_connect_swapped(trace->messages, "toggled", G_CALLBACK(on_wanted), trace);
    adw_header_bar_set_title_widget(ADW_HEADER_BAR(header), adw_window_title_new(_("Trace"), name));
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), trace->messages);
    adw_header_bar_pack_end(ADW_HEADER_BAR(header),
                            button("document-save-symbolic", _("Save"), G_CALLBACK(save), trace));
    adw_header_bar_pack_end(ADW_HEADER_BAR(header),
                            button("edit-copy-symbolic", _("Copy"), G_CALLBACK(copy), trace));
    return header;
}

static GtkWidget *search_of(struct trace_window *trace)
{
    GtkWidget *clamp = adw_clamp_new();

    trace->search = gtk_search_entry_new();
    gtk_accessible_update_property(GTK_ACCESSIBLE(trace->search), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Search"), -1);
    gtk_search_entry_set_key_capture_widget(GTK_SEARCH_ENTRY(trace->search), trace->window);
    g_signal_connect_swapped(trace->search, "search-changed", G_CALLBACK(on_wanted), trace);
    g_signal_connect_swapped(trace->search, "stop-search", G_CALLBACK(gtk_window_close),
                             trace->window);
    adw_clamp_set_child(ADW_CLAMP(clamp), trace->search);
    gtk_widget_add_css_class(clamp, "search");
    return clamp;
}

/* Whose lines are below. */
static GtkWidget *ends_of(void)
{
    GtkWidget *box = row_of(), *ends = gtk_center_box_new();
    GtkWidget *here = gtk_label_new(_("This Computer")), *there = gtk_label_new(_("Gateway"));

    gtk_widget_add_css_class(here, "heading");
    gtk_widget_add_css_class(there, "heading");
    gtk_center_box_set_start_widget(GTK_CENTER_BOX(ends), here);
    gtk_center_box_set_end_widget(GTK_CENTER_BOX(ends), there);
    gtk_widget_set_hexpand(ends, TRUE);
    gtk_box_append(GTK_BOX(box), ends);
    gtk_widget_add_css_class(box, "ladder-ends");
    return box;
}

static GtkWidget *pages_of(struct trace_window *trace)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(),
              *nothing = gtk_label_new(_("Nothing was found."));

    gtk_widget_add_css_class(nothing, "dim-label");
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), list_of(trace));
    trace->adjustment = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scrolled));
    g_object_ref(trace->adjustment);
    g_signal_connect_swapped(trace->adjustment, "changed", G_CALLBACK(follow), trace);
    g_signal_connect_swapped(trace->adjustment, "value-changed", G_CALLBACK(on_scrolled), trace);
    trace->pages = gtk_stack_new();
    gtk_stack_add_named(GTK_STACK(trace->pages), scrolled, "steps");
    gtk_stack_add_named(GTK_STACK(trace->pages), nothing, "nothing");
    gtk_widget_set_vexpand(trace->pages, TRUE);
    return trace->pages;
}

static void on_destroy(struct trace_window *trace)
{
    g_clear_handle_id(&trace->scroll, g_source_remove);
    g_signal_handlers_disconnect_by_data(trace->shown, trace);
    g_signal_handlers_disconnect_by_data(trace->adjustment, trace);
    g_object_unref(trace->adjustment);
    gtk_list_view_set_model(GTK_LIST_VIEW(trace->list), NULL);
    g_object_unref(trace->selection);
    g_free(trace->name);
    g_free(trace);
}

void trace_window_show(GtkWindow *parent, const char *name, GodwitTrace *steps)
{
    struct trace_window *trace = g_new0(struct trace_window, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

    trace->name = g_strdup(name);
    trace->following = TRUE;
    trace->window = adw_window_new();
    gtk_box_append(GTK_BOX(box), header_of(trace));
    gtk_box_append(GTK_BOX(box), search_of(trace));
    trace->filter = GTK_FILTER(gtk_custom_filter_new(is_wanted, trace, NULL));
    trace->shown = gtk_filter_list_model_new(g_object_ref(G_LIST_MODEL(steps)), trace->filter);
    trace->selection = gtk_multi_selection_new(G_LIST_MODEL(trace->shown));
    gtk_box_append(GTK_BOX(box), ends_of());
    gtk_box_append(GTK_BOX(box), pages_of(trace));
    trace->toasts = adw_toast_overlay_new();
    adw_toast_overlay_set_child(ADW_TOAST_OVERLAY(trace->toasts), box);
    adw_window_set_content(ADW_WINDOW(trace->window), trace->toasts);
    add_keys(trace);
    g_signal_connect(trace->shown, "items-changed", G_CALLBACK(on_steps), trace);
    g_object_set_data(G_OBJECT(trace->window), "trace", trace);
    g_signal_connect_swapped(trace->window, "destroy", G_CALLBACK(on_destroy), trace);
    gtk_window_set_title(GTK_WINDOW(trace->window), _("Trace"));
    gtk_window_set_default_size(GTK_WINDOW(trace->window), 760, 640);
    gtk_window_set_transient_for(GTK_WINDOW(trace->window), parent);
    on_steps(G_LIST_MODEL(trace->shown), 0, 0, 0, trace);
    gtk_widget_grab_focus(trace->list);
    gtk_window_present(GTK_WINDOW(trace->window));
}
