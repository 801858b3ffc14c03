/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/connection_page.h"

#include "common/i18n.h"
#include "gui/model/text.h"
#include "gui/window/facts.h"
#include "gui/window/graph.h"
#include "gui/window/importing.h"
#include "gui/window/menu_names.h"
#include "gui/window/profile_editor.h"
#include "gui/window/state_image.h"
#include "gui/window/trace_window.h"

enum { HISTORY_SHOWN = 12 };

struct _GodwitConnectionPage {
    AdwBin parent;
    GodwitWorld *world;
    GodwitProfile *profile; /* NULL: of a session alone */
    GodwitSession *session; /* NULL: it is not connected */
    gboolean over;
    struct facts *facts;
    guint clock, later;
    GtkWidget *icon, *title, *words, *time, *answer, *connect, *disconnect, *more, *banner_group,
        *banner, *own_group, *traffic_group, *graph, *received, *sent, *gateway_group,
        *network_group, *security_group, *history_group, *history;
};

G_DEFINE_FINAL_TYPE(GodwitConnectionPage, godwit_connection_page, ADW_TYPE_BIN)

/* ---- its parts ---- */

static enum godwit_state state_of(const GodwitConnectionPage *page)
{
    return page->session != NULL ? godwit_session_get_state(page->session)
           : page->profile != NULL && godwit_world_is_asked(page->world, page->profile)
               ? GODWIT_CONNECTING
               : GODWIT_OFF;
}

static void show_time(GodwitConnectionPage *page)
{
    gint64 seconds = page->session == NULL ? -1 : godwit_session_get_seconds(page->session);
    g_autofree char *time = seconds < 0 ? g_strdup("") : duration_text(seconds);

    gtk_label_set_text(GTK_LABEL(page->time), time);
    gtk_widget_set_visible(page->time, seconds >= 0);
}

static void show_head(GodwitConnectionPage *page)
{
    enum godwit_state state = state_of(page);
    g_autofree char *title = page->profile != NULL
                                 ? shown_text(godwit_profile_get_title(page->profile))
                                 : godwit_session_dup_text(page->session, "Name");
    const char *why = page->profile == NULL ? NULL : godwit_profile_get_why(page->profile);
    g_autofree char *words = page->session != NULL ? godwit_session_dup_words(page->session)
                             : why != NULL         ? g_strdup(why)
                                                   : g_strdup(godwit_state_words(state));
    gboolean usable = page->profile != NULL && why == NULL;
    gboolean ending = page->session != NULL && godwit_session_is_ending(page->session);

    state_image_show(GTK_IMAGE(page->icon), state);
    gtk_label_set_text(GTK_LABEL(page->title), title);
    gtk_label_set_text(GTK_LABEL(page->words), words);
    gtk_widget_set_visible(page->connect, state == GODWIT_OFF);
    gtk_widget_action_set_enabled(GTK_WIDGET(page), "connection.connect", usable);
    gtk_widget_set_visible(page->disconnect, state != GODWIT_OFF);
    gtk_widget_action_set_enabled(GTK_WIDGET(page), "connection.disconnect", !ending);
    gtk_widget_set_visible(page->answer, state == GODWIT_ATTENTION);
    show_time(page);
}

static void show_banner(GodwitConnectionPage *page)
{
    g_autofree char *banner =
        page->session == NULL ? g_strdup("") : godwit_session_dup_banner(page->session);

    gtk_label_set_text(GTK_LABEL(page->banner), banner);
    gtk_widget_set_visible(page->banner_group, *banner != '\0');
}

static void show_traffic(GodwitConnectionPage *page)
{
    gboolean has = page->session != NULL && godwit_session_get_seconds(page->session) >= 0;

    godwit_graph_set_session(GODWIT_GRAPH(page->graph), has ? page->session : NULL);
    gtk_widget_set_visible(page->traffic_group, has);
}

static void on_measured(GodwitConnectionPage *page)
{
    const struct godwit_traffic *traffic = godwit_session_get_traffic(page->session);
    g_autofree char *rx_rate = rate_text(traffic->rx_rate), *rx = g_format_size(traffic->rx);
    g_autofree char *tx_rate = rate_text(traffic->tx_rate), *tx = g_format_size(traffic->tx);
    /* Translators: a rate such as "1.2 MB/s", and octets so far, such as "3.4 GB". */
    g_autofree char *received = g_strdup_printf(_("↓ %s\n%s received"), rx_rate, rx);
    /* Translators: a rate such as "1.2 MB/s", and octets so far, such as "3.4 GB". */
    g_autofree char *sent = g_strdup_printf(_("↑ %s\n%s sent"), tx_rate, tx);

    gtk_label_set_text(GTK_LABEL(page->received), received);
    gtk_label_set_text(GTK_LABEL(page->sent), sent);
}

static GtkWidget *history_label(const char *text, const char *style)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_yalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    if (style != NULL) {
        gtk_label_set_wrap(GTK_LABEL(label), FALSE);
        gtk_widget_add_css_class(label, style);
        gtk_widget_add_css_class(label, "numeric");
    }
    return label;
}

/* The newest first. */
static void show_history(GodwitConnectionPage *page)
{
    const GPtrArray *entries =
        page->session == NULL ? NULL : godwit_session_get_history(page->session);
    guint n = entries == NULL ? 0 : entries->len;
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(page->history)) != NULL) {
        gtk_grid_remove(GTK_GRID(page->history), child);
    }
    for (guint i = 0; i < MIN(n, HISTORY_SHOWN); i++) {
        const struct godwit_entry *entry = entries->pdata[n - 1 - i];
        g_autofree char *time = clock_text(entry->at_us);

        gtk_grid_attach(GTK_GRID(page->history), history_label(time, "dim-label"), 0, (int)i, 1, 1);
        gtk_grid_attach(GTK_GRID(page->history), history_label(entry->text, NULL), 1, (int)i, 1, 1);
    }
    gtk_widget_set_visible(page->history_group, n > 0);
}

static gboolean on_later(gpointer data)
{
    GodwitConnectionPage *page = data;

    page->later = 0;
    show_history(page);
    return G_SOURCE_REMOVE;
}

static void on_history(GodwitConnectionPage *page)
{
    if (page->later == 0) {
        page->later = g_idle_add(on_later, page);
    }
}

/* ---- which connection ---- */

static void set_session(GodwitConnectionPage *page, GodwitSession *session)
{
    if (page->session == session) {
        return;
    }
    if (page->session != NULL) {
        g_signal_handlers_disconnect_by_data(page->session, page);
    }
    g_set_object(&page->session, session);
    if (session != NULL) {
        g_signal_connect_swapped(session, "history", G_CALLBACK(on_history), page);
        g_signal_connect_swapped(session, "measured", G_CALLBACK(on_measured), page);
    }
    on_history(page);
}

/* An edited profile is another object, of the same file. */
static gboolean is_listed(GodwitConnectionPage *page)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(page->world));

    for (guint i = 0; i < g_list_model_get_n_items(profiles); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(profiles, i);

        if (profile == page->profile) {
            return TRUE;
        }
        if (g_strcmp0(godwit_profile_get_path(profile), godwit_profile_get_path(page->profile)) ==
                0 &&
            g_strcmp0(godwit_profile_get_name(profile), godwit_profile_get_name(page->profile)) ==
                0) {
            g_set_object(&page->profile, profile);
            return TRUE;
        }
    }
    return FALSE;
}

static void update(GodwitConnectionPage *page)
{
    if (page->profile != NULL) {
        set_session(page, godwit_world_find_session(page->world, page->profile));
        page->over = page->session == NULL && !is_listed(page);
    } else if (page->session == NULL ||
               godwit_world_find_path(page->world, godwit_session_get_path(page->session)) !=
                   page->session) {
        page->over = TRUE; /* what it was stays to be read */
        return;
    }
    show_head(page);
    gtk_widget_set_visible(page->own_group, page->profile != NULL &&
                                                godwit_profile_get_path(page->profile) != NULL &&
                                                is_listed(page));
    show_banner(page);
    show_traffic(page);
    facts_show(page->facts, page->profile, page->session);
}

static void on_changed(GodwitWorld *world, gpointer page)
{
    (void)world;
    update(page);
}

void godwit_connection_page_show(GodwitConnectionPage *page, GodwitProfile *profile,
                                 GodwitSession *session)
{
    g_set_object(&page->profile, profile);
    page->over = FALSE;
    set_session(page, session);
    show_history(page); /* that of another one, of which there may be none */
    update(page);
}

void godwit_connection_page_focus(GodwitConnectionPage *page)
{
    GtkWidget *const buttons[] = {page->answer, page->connect, page->disconnect};

    for (gsize i = 0; i < G_N_ELEMENTS(buttons); i++) {
        if (gtk_widget_get_visible(buttons[i])) {
            gtk_widget_grab_focus(buttons[i]);
            return;
        }
    }
}

gboolean godwit_connection_page_is_over(GodwitConnectionPage *page)
{
    return page->over;
}

void godwit_connection_page_set_world(GodwitConnectionPage *page, GodwitWorld *world)
{
    page->world = g_object_ref(world);
    g_signal_connect_object(world, "changed", G_CALLBACK(on_changed), page, 0);
}

/* ---- what can be done ---- */

static void do_connect(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    (void)action;
    (void)parameter;
    godwit_world_connect(page->world, page->profile);
}

static void do_disconnect(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    (void)action;
    (void)parameter;
    if (page->session != NULL) {
        godwit_world_end(page->world, page->session);
    } else {
        godwit_world_disconnect(page->world, page->profile);
    }
}

static void do_answer(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    (void)action;
    (void)parameter;
    if (page->session != NULL) {
        g_action_group_activate_action(
            G_ACTION_GROUP(g_application_get_default()), "answer",
            g_variant_new_string(godwit_session_get_path(page->session)));
    }
}

static void do_edit(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    (void)action;
    (void)parameter;
    profile_editor_show(GTK_WINDOW(gtk_widget_get_root(widget)),
                        godwit_profile_get_path(page->profile));
}

static void do_duplicate(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    (void)action;
    (void)parameter;
    profile_editor_show_copy(GTK_WINDOW(gtk_widget_get_root(widget)),
                             godwit_profile_get_path(page->profile));
}

static void do_export(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    (void)action;
    (void)parameter;
    exporting_choose(GTK_WINDOW(gtk_widget_get_root(widget)), page->profile);
}

static void do_delete(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    (void)action;
    (void)parameter;
    deleting_ask(GTK_WINDOW(gtk_widget_get_root(widget)), page->profile);
}

static void do_trace(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    (void)action;
    (void)parameter;
    if (page->session != NULL) {
        g_autofree char *name = godwit_session_dup_text(page->session, "Name");

        godwit_session_watch_trace(page->session);
        trace_window_show(GTK_WINDOW(gtk_widget_get_root(widget)), name,
                          godwit_session_get_trace(page->session));
    }
}

/* ---- life ---- */

static gboolean on_second(gpointer page)
{
    show_time(page);
    return G_SOURCE_CONTINUE;
}

static void godwit_connection_page_map(GtkWidget *widget)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    GTK_WIDGET_CLASS(godwit_connection_page_parent_class)->map(widget);
    page->clock = g_timeout_add_seconds(1, on_second, page);
}

static void godwit_connection_page_unmap(GtkWidget *widget)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(widget);

    g_clear_handle_id(&page->clock, g_source_remove);
    GTK_WIDGET_CLASS(godwit_connection_page_parent_class)->unmap(widget);
}

static void godwit_connection_page_dispose(GObject *object)
{
    GodwitConnectionPage *page = GODWIT_CONNECTION_PAGE(object);

    set_session(page, NULL);
    g_clear_handle_id(&page->later, g_source_remove);
    g_clear_handle_id(&page->clock, g_source_remove);
    g_clear_object(&page->profile);
    g_clear_object(&page->world);
    g_clear_pointer(&page->facts, facts_free);
    G_OBJECT_CLASS(godwit_connection_page_parent_class)->dispose(object);
}

static void godwit_connection_page_class_init(GodwitConnectionPageClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = godwit_connection_page_dispose;
    widget->map = godwit_connection_page_map;
    widget->unmap = godwit_connection_page_unmap;
    g_type_ensure(GODWIT_TYPE_GRAPH);
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/godwit/Tray/window/connection_page.ui");
#define BIND(child) gtk_widget_class_bind_template_child(widget, GodwitConnectionPage, child)
    BIND(icon);
    BIND(title);
    BIND(words);
    BIND(time);
    BIND(answer);
    BIND(connect);
    BIND(disconnect);
    BIND(more);
    BIND(banner_group);
    BIND(banner);
    BIND(own_group);
    BIND(traffic_group);
    BIND(graph);
    BIND(received);
    BIND(sent);
    BIND(gateway_group);
    BIND(network_group);
    BIND(security_group);
    BIND(history_group);
    BIND(history);
#undef BIND
    gtk_widget_class_install_action(widget, "connection.connect", NULL, do_connect);
    gtk_widget_class_install_action(widget, "connection.disconnect", NULL, do_disconnect);
    gtk_widget_class_install_action(widget, "connection.answer", NULL, do_answer);
    gtk_widget_class_install_action(widget, "connection.edit", NULL, do_edit);
    gtk_widget_class_install_action(widget, "connection.duplicate", NULL, do_duplicate);
    gtk_widget_class_install_action(widget, "connection.export", NULL, do_export);
    gtk_widget_class_install_action(widget, "connection.delete", NULL, do_delete);
    gtk_widget_class_install_action(widget, "connection.trace", NULL, do_trace);
}

static void godwit_connection_page_init(GodwitConnectionPage *page)
{
    gtk_widget_init_template(GTK_WIDGET(page));
    menu_names_give(GTK_MENU_BUTTON(page->more));
    page->facts = facts_new(
        &(struct facts_groups){page->gateway_group, page->network_group, page->security_group});
}
