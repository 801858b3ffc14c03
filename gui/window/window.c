/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/window.h"

#include "common/i18n.h"
#include "gui/model/text.h"
#include "gui/window/assistant.h"
#include "gui/window/connection_page.h"
#include "gui/window/failure_bar.h"
#include "gui/window/importing.h"
#include "gui/window/menu_names.h"
#include "gui/window/portal.h"
#include "gui/window/profile_row.h"
#include "gui/window/state_image.h"

struct _GodwitWindow {
    AdwApplicationWindow parent;
    GodwitWorld *world;
    GListStore *others;     /* sessions that have no profile here */
    gboolean hosted, first; /* nothing was there to be shown but the assistant */
    GtkWidget *pages, *back, *add, *main, *failure, *connection, *assistant, *state_icon,
        *state_words, *state_more, *portal, *profiles_group, *profiles, *others_group, *others_list,
        *notes_group, *notes;
};

G_DEFINE_FINAL_TYPE(GodwitWindow, godwit_window, ADW_TYPE_APPLICATION_WINDOW)

/* ---- the head ---- */

static char *more_of(GodwitWindow *window, enum godwit_state state)
{
    GodwitSession *session = godwit_world_get_main_session(window->world);
    g_autofree char *name = NULL, *why = NULL;

    if (state == GODWIT_BLOCKED) {
        return g_strdup(_("The kill switch lets nothing out until something is connected."));
    }
    if (session == NULL || godwit_session_get_state(session) != state) {
        return g_strdup(state == GODWIT_OFF ? _("Godwit is not protecting your traffic.") : "");
    }
    name = godwit_session_dup_text(session, "Name");
    why = godwit_session_dup_why(session);
    return *why == '\0' ? g_steal_pointer(&name) : g_strdup_printf("%s: %s", name, why);
}

static void show_head(GodwitWindow *window)
{
    enum godwit_state state =
        godwit_world_get_protection(window->world); /* the bar tells the rest */
    g_autofree char *more = more_of(window, state);

    state_image_show(GTK_IMAGE(window->state_icon), state);
    gtk_label_set_text(GTK_LABEL(window->state_words), godwit_state_words(state));
    gtk_label_set_text(GTK_LABEL(window->state_more), more);
    gtk_widget_set_visible(window->state_more, *more != '\0');
    gtk_widget_set_visible(window->portal, godwit_world_is_stopped(window->world));
}

/* ---- what else there is to say ---- */

static void add_note(GString *notes, const char *note)
{
    g_string_append_printf(notes, "%s%s", notes->len == 0 ? "" : "\n\n", note);
}

static gboolean is_on_gnome(void)
{
    const char *desktops = g_getenv("XDG_CURRENT_DESKTOP"); /* with colons */
    g_auto(GStrv) names = g_strsplit(desktops == NULL ? "" : desktops, ":", -1);

    return g_strv_contains((const char *const *)names, "GNOME");
}

static void show_notes(GodwitWindow *window)
{
    GString *notes = g_string_new(NULL);
    g_autofree char *version = shown_text(godwit_world_get_version(window->world));
    g_autofree char *other = g_strdup_printf(
        _("The system service is godwitd %s, which this program does not understand. "
          "Install both in the same version, then start this program again."),
        version);

    if (g_list_model_get_n_items(G_LIST_MODEL(godwit_world_get_profiles(window->world))) == 0) {
        add_note(notes,
                 _("There is no connection yet. Add one with the button above, or drop a file "
                   "with one here."));
    }
    switch (godwit_world_get_service(window->world)) {
    case GODWIT_NO_BUS:
        add_note(notes, _("This computer's system bus is not there, so nothing can be connected."));
        break;
    case GODWIT_OTHER_VERSION:
        add_note(notes, other);
        break;
    case GODWIT_ASLEEP:
    case GODWIT_READY:
        break;
    }
    if (!window->hosted) {
        add_note(notes,
                 _("The panel of this desktop shows no icons of programs, so you see Godwit in "
                   "this window only. Closing it leaves connections as they are."));
        if (is_on_gnome()) {
            g_string_append_printf(notes, " %s",
                                   _("GNOME shows them with its extension AppIndicator."));
        }
    }
    gtk_label_set_text(GTK_LABEL(window->notes), notes->str);
    gtk_widget_set_visible(window->notes_group, notes->len > 0);
    g_string_free(notes, TRUE);
}

void godwit_window_set_hosted(GodwitWindow *window, gboolean hosted)
{
    window->hosted = hosted;
    show_notes(window);
}

/* ---- the lists ---- */

static gboolean has_profile(GodwitWindow *window, GodwitSession *session)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(window->world));

    for (guint i = 0; i < g_list_model_get_n_items(profiles); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(profiles, i);

        if (godwit_world_find_session(window->world, profile) == session) {
            return TRUE;
        }
    }
    return FALSE;
}

static void show_others(GodwitWindow *window)
{
    GListModel *sessions = godwit_world_get_sessions(window->world);
    GListModel *shown = G_LIST_MODEL(window->others);
    g_autoptr(GPtrArray) wanted = g_ptr_array_new_with_free_func(g_object_unref);
    gboolean same;

    for (guint i = 0; i < g_list_model_get_n_items(sessions); i++) {
        g_autoptr(GodwitSession) session = g_list_model_get_item(sessions, i);

        if (!has_profile(window, session)) {
            g_ptr_array_add(wanted, g_object_ref(session));
        }
    }
    same = wanted->len == g_list_model_get_n_items(shown);
    for (guint i = 0; same && i < wanted->len; i++) {
        g_autoptr(GodwitSession) session = g_list_model_get_item(shown, i);

        same = session == wanted->pdata[i];
    }
    if (!same) {
        g_list_store_splice(window->others, 0, g_list_model_get_n_items(shown), wanted->pdata,
                            wanted->len);
    }
    gtk_widget_set_visible(window->others_group, wanted->len > 0);
}

static GtkWidget *make_row(gpointer item, gpointer data)
{
    GodwitWindow *window = data;

    return GODWIT_IS_PROFILE(item) ? godwit_profile_row_new(window->world, item)
                                   : godwit_profile_row_new_for_session(window->world, item);
}

static void on_profiles(GodwitWindow *window)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(window->world));

    gtk_widget_set_visible(window->profiles_group, g_list_model_get_n_items(profiles) > 0);
    show_others(window);
    show_notes(window);
}

/* ---- pages ---- */

static void show_page(GodwitWindow *window, const char *name)
{
    gboolean list = g_str_equal(name, "list");

    gtk_stack_set_visible_child_name(GTK_STACK(window->pages), name);
    gtk_widget_set_visible(window->back, !list && !window->first);
    gtk_widget_set_visible(window->add, list);
}

static gboolean shows(GodwitWindow *window, const char *name)
{
    return g_str_equal(gtk_stack_get_visible_child_name(GTK_STACK(window->pages)), name);
}

static void show_connection(GodwitWindow *window, GodwitProfile *profile, GodwitSession *session)
{
    godwit_connection_page_show(GODWIT_CONNECTION_PAGE(window->connection), profile, session);
    show_page(window, "connection");
    godwit_connection_page_focus(GODWIT_CONNECTION_PAGE(window->connection));
}

static void on_row(GodwitWindow *window, GtkListBoxRow *row)
{
    GodwitProfileRow *pressed = GODWIT_PROFILE_ROW(row);

    show_connection(window, godwit_profile_row_get_profile(pressed),
                    godwit_profile_row_get_session(pressed));
}

static void go_back(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitWindow *window = GODWIT_WINDOW(widget);

    (void)action;
    (void)parameter;
    if (!window->first) {
        show_page(window, "list");
    }
}

static void add_profile(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitWindow *window = GODWIT_WINDOW(widget);

    (void)action;
    (void)parameter;
    show_page(window, "assistant");
    godwit_assistant_focus(GODWIT_ASSISTANT(window->assistant));
}

/* What was typed is a connection by now. */
static void done(GtkWidget *widget, const char *action, GVariant *parameter)
{
    GodwitWindow *window = GODWIT_WINDOW(widget);

    (void)action;
    (void)parameter;
    window->first = FALSE;
    godwit_assistant_clear(GODWIT_ASSISTANT(window->assistant));
    show_page(window, "list");
}

static gboolean is_empty(GodwitWindow *window)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(window->world));

    return g_list_model_get_n_items(profiles) == 0 &&
           g_list_model_get_n_items(godwit_world_get_sessions(window->world)) == 0;
}

/* A new user begins with the assistant, unless there turns out to be something. */
static void give_way(GodwitWindow *window)
{
    if (window->first && !is_empty(window) &&
        !godwit_attempt_is_running(
            godwit_assistant_get_attempt(GODWIT_ASSISTANT(window->assistant)))) {
        window->first = FALSE;
        show_page(window, godwit_assistant_is_untouched(GODWIT_ASSISTANT(window->assistant))
                              ? "list"
                              : "assistant");
    }
}

static void on_saved(GodwitWindow *window, GodwitProfile *profile)
{
    window->first = FALSE;
    godwit_assistant_clear(GODWIT_ASSISTANT(window->assistant));
    if (shows(window, "assistant")) {
        show_connection(window, profile, NULL);
    }
}

static void allow_portal(GtkWidget *widget, const char *action, GVariant *parameter)
{
    (void)action;
    (void)parameter;
    portal_allow(GTK_WINDOW(widget), GODWIT_WINDOW(widget)->world);
}

static void import_profile(GtkWidget *widget, const char *action, GVariant *parameter)
{
    go_back(widget, action, parameter);
    importing_choose(GTK_WINDOW(widget));
}

static void update(GodwitWindow *window)
{
    show_head(window);
    show_notes(window);
    show_others(window);
    give_way(window);
    if (shows(window, "connection") &&
        godwit_connection_page_is_over(GODWIT_CONNECTION_PAGE(window->connection))) {
        show_page(window, "list");
    }
}

static void on_changed(GodwitWorld *world, gpointer window)
{
    (void)world;
    update(window);
}

/* ---- life ---- */

static void godwit_window_dispose(GObject *object)
{
    GodwitWindow *window = GODWIT_WINDOW(object);

    g_clear_object(&window->others);
    g_clear_object(&window->world);
    G_OBJECT_CLASS(godwit_window_parent_class)->dispose(object);
}

static void godwit_window_class_init(GodwitWindowClass *class)
{
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);
    guint back =
        gtk_widget_get_default_direction() == GTK_TEXT_DIR_RTL ? GDK_KEY_Right : GDK_KEY_Left;

    G_OBJECT_CLASS(class)->dispose = godwit_window_dispose;
    g_type_ensure(GODWIT_TYPE_ASSISTANT);
    g_type_ensure(GODWIT_TYPE_CONNECTION_PAGE);
    g_type_ensure(GODWIT_TYPE_FAILURE_BAR);
    gtk_widget_class_set_template_from_resource(widget, "/org/godwit/Tray/window/window.ui");
#define BIND(child) gtk_widget_class_bind_template_child(widget, GodwitWindow, child)
    BIND(pages);
    BIND(back);
    BIND(add);
    BIND(main);
    BIND(failure);
    BIND(connection);
    BIND(assistant);
    BIND(state_icon);
    BIND(state_words);
    BIND(state_more);
    BIND(portal);
    BIND(profiles_group);
    BIND(profiles);
    BIND(others_group);
    BIND(others_list);
    BIND(notes_group);
    BIND(notes);
#undef BIND
    gtk_widget_class_install_action(widget, "window.back", NULL, go_back);
    gtk_widget_class_install_action(widget, "window.add", NULL, add_profile);
    gtk_widget_class_install_action(widget, "window.done", NULL, done);
    gtk_widget_class_install_action(widget, "window.import", NULL, import_profile);
    gtk_widget_class_install_action(widget, "window.portal", NULL, allow_portal);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_n, GDK_CONTROL_MASK, "window.add", NULL);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_o, GDK_CONTROL_MASK, "window.import", NULL);
    gtk_widget_class_add_binding_action(widget, back, GDK_ALT_MASK, "window.back", NULL);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_Escape, 0, "window.back", NULL);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_w, GDK_CONTROL_MASK, "window.close", NULL);
}

static void godwit_window_init(GodwitWindow *window)
{
    gtk_widget_init_template(GTK_WIDGET(window));
    menu_names_give(GTK_MENU_BUTTON(window->add));
    menu_names_give(GTK_MENU_BUTTON(window->main));
    window->others = g_list_store_new(GODWIT_TYPE_SESSION);
    window->hosted = TRUE;
    importing_accept_drops(GTK_WINDOW(window));
}

GtkWidget *godwit_window_new(GtkApplication *application, GodwitWorld *world,
                             GodwitAttempt *attempt)
{
    GodwitWindow *window = g_object_new(GODWIT_TYPE_WINDOW, "application", application, NULL);
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(world));

    window->world = g_object_ref(world);
    godwit_failure_bar_set_world(GODWIT_FAILURE_BAR(window->failure), world);
    godwit_connection_page_set_world(GODWIT_CONNECTION_PAGE(window->connection), world);
    godwit_assistant_set_attempt(GODWIT_ASSISTANT(window->assistant), world, attempt);
    gtk_list_box_bind_model(GTK_LIST_BOX(window->profiles), profiles, make_row, window, NULL);
    gtk_list_box_bind_model(GTK_LIST_BOX(window->others_list), G_LIST_MODEL(window->others),
                            make_row, window, NULL);
    g_signal_connect_swapped(window->profiles, "row-activated", G_CALLBACK(on_row), window);
    g_signal_connect_swapped(window->others_list, "row-activated", G_CALLBACK(on_row), window);
    g_signal_connect_object(world, "changed", G_CALLBACK(on_changed), window, 0);
    g_signal_connect_object(profiles, "items-changed", G_CALLBACK(on_profiles), window,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(attempt, "saved", G_CALLBACK(on_saved), window, G_CONNECT_SWAPPED);
    on_profiles(window);
    window->first = is_empty(window);
    if (window->first || godwit_attempt_is_running(attempt)) {
        add_profile(GTK_WIDGET(window), NULL, NULL);
    }
    update(window);
    return GTK_WIDGET(window);
}
