/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/questions/frame.h"

#include <adwaita.h>
#include <string.h>

#include "common/i18n.h"

/* Pixels, at the usual size of text. */
#define WIDTH 440
#define CONTENT_WIDTH 480
#define HEIGHT_MAX 680  /* what is higher is scrolled */
#define SCREEN_LEFT 120 /* of the screen's, for panels and the window's own edges */
#define SYMBOL_SIZE 48
#define SPACING 18

struct frame {
    frame_closed closed;
    void *owner;
    GDestroyNotify free_owner;
    GtkWidget *header, *clamp, *content, *cancel, *accept;
    gboolean over;
};

static struct frame *frame_of(GtkWindow *window)
{
    return g_object_get_data(G_OBJECT(window), "frame");
}

static void free_frame(gpointer data)
{
    struct frame *frame = data;
    frame->free_owner(frame->owner);
    g_free(frame);
}

static void finish(GtkWindow *window, gboolean accepted)
{
    struct frame *frame = frame_of(window);
    if (!frame->over) {
        frame->over = TRUE;
        frame->closed(frame->owner, accepted);
        gtk_window_destroy(window);
    }
}

static void on_cancel(GtkWindow *window)
{
    finish(window, FALSE);
}

static gboolean on_close_request(GtkWindow *window)
{
    finish(window, FALSE);
    return GDK_EVENT_STOP;
}

static gboolean on_escape(GtkWidget *window, GVariant *arguments, gpointer data)
{
    (void)arguments;
    (void)data;
    finish(GTK_WINDOW(window), FALSE);
    return GDK_EVENT_STOP;
}

static void add_escape(GtkWidget *window)
{
    GtkEventController *keys = gtk_shortcut_controller_new();
    GtkShortcut *escape = gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                                           gtk_callback_action_new(on_escape, NULL, NULL));
    /* Before an entry takes the key for itself. */
    gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
    gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys), escape);
    gtk_widget_add_controller(window, keys);
}

static double text_scale(void)
{
    int dpi = 0;
    g_object_get(gtk_settings_get_default(), "gtk-xft-dpi", &dpi, NULL);
    return CLAMP(dpi / (96.0 * 1024.0), 1.0, 2.5);
}

static GtkWidget *make_header(GtkWindow *window, struct frame *frame, const struct frame_look *look)
{
    GtkWidget *header = adw_header_bar_new();
    adw_header_bar_set_show_start_title_buttons(ADW_HEADER_BAR(header), FALSE);
    adw_header_bar_set_show_end_title_buttons(ADW_HEADER_BAR(header), FALSE);
    adw_header_bar_set_title_widget(ADW_HEADER_BAR(header), adw_window_title_new("", ""));
    frame->cancel = gtk_button_new_with_mnemonic(_("_Cancel"));
    frame->accept = gtk_button_new_with_mnemonic(look->accept);
    g_signal_connect_swapped(frame->cancel, "clicked", G_CALLBACK(on_cancel), window);
    g_signal_connect_swapped(frame->accept, "clicked", G_CALLBACK(frame_accept), window);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), frame->cancel);
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), frame->accept);
    if (look->accept_by_default) {
        gtk_widget_add_css_class(frame->accept, "suggested-action");
    }
    gtk_window_set_default_widget(window, look->accept_by_default ? frame->accept : frame->cancel);
    return header;
}

void frame_wrap(GtkLabel *label)
{
    PangoAttrList *attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
    gtk_label_set_attributes(label, attributes);
    pango_attr_list_unref(attributes);
    gtk_label_set_wrap(label, TRUE);
    gtk_label_set_wrap_mode(label, PANGO_WRAP_WORD_CHAR);
}

static GtkWidget *make_label(const char *text, const char *style)
{
    GtkWidget *label = gtk_label_new(text);
    frame_wrap(GTK_LABEL(label));
    gtk_label_set_natural_wrap_mode(GTK_LABEL(label), GTK_NATURAL_WRAP_NONE);
    gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
    if (style) {
        gtk_widget_add_css_class(label, style);
    }
    return label;
}

static GtkWidget *make_content(struct frame *frame, const struct frame_look *look)
{
    GtkWidget *symbol =
        g_object_new(GTK_TYPE_IMAGE, "icon-name", look->symbol, "accessible-role",
                     GTK_ACCESSIBLE_ROLE_PRESENTATION, NULL); /* the title says it */
    GtkWidget *scrolled = gtk_scrolled_window_new();
    frame->clamp = adw_clamp_new();
    frame->content = gtk_box_new(GTK_ORIENTATION_VERTICAL, SPACING);
    gtk_widget_set_margin_start(frame->content, SPACING);
    gtk_widget_set_margin_end(frame->content, SPACING);
    gtk_widget_set_margin_top(frame->content, SPACING);
    gtk_widget_set_margin_bottom(frame->content, SPACING * 4 / 3);
    gtk_image_set_pixel_size(GTK_IMAGE(symbol), (int)(SYMBOL_SIZE * text_scale()));
    gtk_box_append(GTK_BOX(frame->content), symbol);
    adw_clamp_set_maximum_size(ADW_CLAMP(frame->clamp), (int)(CONTENT_WIDTH * text_scale()));
    adw_clamp_set_child(ADW_CLAMP(frame->clamp), frame->content);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), frame->clamp);
    gtk_widget_set_vexpand(scrolled, TRUE);
    return scrolled;
}

GtkWindow *frame_new(GtkWindow *parent, const struct frame_look *look, frame_closed closed,
                     void *owner, GDestroyNotify free_owner)
{
    struct frame *frame = g_new0(struct frame, 1);
    GtkWindow *window = g_object_new(ADW_TYPE_WINDOW, "accessible-role", GTK_ACCESSIBLE_ROLE_DIALOG,
                                     "title", look->title, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    *frame = (struct frame){.closed = closed, .owner = owner, .free_owner = free_owner};
    g_object_set_data_full(G_OBJECT(window), "frame", frame, free_frame);
    frame->header = make_header(window, frame, look);
    gtk_box_append(GTK_BOX(box), frame->header);
    gtk_box_append(GTK_BOX(box), make_content(frame, look));
    GtkWidget *heading = make_label(look->heading, "title-2");
    frame_add(window, heading);
    gtk_accessible_update_relation(GTK_ACCESSIBLE(window), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                   heading, NULL, -1);
    adw_window_set_content(ADW_WINDOW(window), box);
    add_escape(GTK_WIDGET(window));
    g_signal_connect(window, "close-request", G_CALLBACK(on_close_request), NULL);
    if (parent) {
        gtk_window_set_transient_for(window, parent);
        gtk_window_set_modal(window, TRUE);
        gtk_window_set_destroy_with_parent(window, TRUE);
    }
    return window;
}

/* Of the smallest screen, as nobody knows on which the window will be. */
static GdkRectangle screen_size(GtkWindow *window)
{
    GListModel *screens = gdk_display_get_monitors(gtk_widget_get_display(GTK_WIDGET(window)));
    GdkRectangle least = {.width = G_MAXINT, .height = G_MAXINT};
    for (guint i = 0; i < g_list_model_get_n_items(screens); i++) {
        g_autoptr(GdkMonitor) screen = g_list_model_get_item(screens, i);
        GdkRectangle size;
        gdk_monitor_get_geometry(screen, &size);
        least.width = MIN(least.width, size.width);
        least.height = MIN(least.height, size.height);
    }
    return least;
}

void frame_fit(GtkWindow *window)
{
    const struct frame *frame = frame_of(window);
    GdkRectangle screen = screen_size(window);
    int width = MIN((int)(WIDTH * text_scale()), screen.width), header, header_width, content;
    gtk_widget_measure(frame->header, GTK_ORIENTATION_HORIZONTAL, -1, &header_width, NULL, NULL,
                       NULL);
    width = MAX(width, header_width);
    gtk_widget_measure(frame->header, GTK_ORIENTATION_VERTICAL, -1, NULL, &header, NULL, NULL);
    /* A scrolled window would ask for the height that its content has in another width. */
    gtk_widget_measure(frame->clamp, GTK_ORIENTATION_VERTICAL, width, NULL, &content, NULL, NULL);
    int height = MIN(header + content, (int)(HEIGHT_MAX * text_scale()));
    gtk_window_set_default_size(window, width, MIN(height, screen.height - SCREEN_LEFT));
}

void frame_add(GtkWindow *window, GtkWidget *widget)
{
    gtk_box_append(GTK_BOX(frame_of(window)->content), widget);
}

void frame_add_text(GtkWindow *window, const char *text, const char *style)
{
    if (*text) {
        frame_add(window, make_label(text, style));
    }
}

GtkWidget *frame_add_error(GtkWindow *window, const char *text)
{
    GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "accessible-role", GTK_ACCESSIBLE_ROLE_ALERT,
                                    "label", text, "justify", GTK_JUSTIFY_CENTER, NULL);
    frame_wrap(GTK_LABEL(label));
    gtk_widget_add_css_class(label, "error");
    gtk_widget_set_visible(label, *text != '\0');
    frame_add(window, label);
    return label;
}

void frame_set_acceptable(GtkWindow *window, gboolean acceptable)
{
    gtk_widget_set_sensitive(frame_of(window)->accept, acceptable);
}

void frame_accept(GtkWindow *window)
{
    if (gtk_widget_get_sensitive(frame_of(window)->accept)) {
        finish(window, TRUE);
    }
}

void frame_dismiss(GtkWindow *window)
{
    struct frame *frame = frame_of(window);
    if (!frame->over) {
        frame->over = TRUE;
        gtk_window_destroy(window);
    }
}

/* ---- mnemonics ---- */

GString *frame_used_mnemonics(GtkWindow *window)
{
    const struct frame *frame = frame_of(window);
    GString *used = g_string_new(NULL);
    GtkWidget *buttons[] = {frame->cancel, frame->accept};
    for (gsize i = 0; i < G_N_ELEMENTS(buttons); i++) {
        const char *label = gtk_button_get_label(GTK_BUTTON(buttons[i]));
        const char *mark = strchr(label, '_');
        if (mark) {
            g_string_append_unichar(used, g_unichar_tolower(g_utf8_get_char(mark + 1)));
        }
    }
    return used;
}
