/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "gui/app/application.h"

#include <stdio.h>

#include "common/i18n.h"
#include "gui/app/asking.h"
#include "gui/app/notifications.h"
#include "gui/app/preferences.h"
#include "gui/app/untrusted.h"
#include "gui/model/attempt.h"
#include "gui/model/text.h"
#include "gui/tray/menu.h"
#include "gui/tray/status_icon.h"
#include "gui/window/importing.h"
#include "gui/window/message.h"
#include "gui/window/window.h"

struct _GodwitApplication {
    AdwApplication parent;
    GodwitWorld *world;
    GodwitAttempt *attempt;
    struct status_icon *icon;
    struct tray_menu *menu;
    struct notifications *notifications;
    struct asking *asking;
    struct untrusted *untrusted;
    GtkWidget *window; /* NULL while it is closed */
    char *token;       /* of the click that opens the window; NULL = none has come with it */
    guint clock;
    gboolean hidden; /* started without a window */
    gboolean held;
};

G_DEFINE_FINAL_TYPE(GodwitApplication, godwit_application, ADW_TYPE_APPLICATION)

/* ---- the icon ---- */

/* "Work: Connected", and in lines below "vpn.example.org" and "12:00" */
static char *tip_of(GodwitSession *session)
{
    gint64 seconds = godwit_session_get_seconds(session);
    g_autofree char *name = godwit_session_dup_text(session, "Name");
    g_autofree char *words = godwit_session_dup_words(session);
    g_autofree char *gateway = godwit_session_dup_text(session, "Gateway");
    GString *tip = g_string_new(NULL);

    g_string_append_printf(tip, "%s: %s", name, words);
    if (*gateway != '\0') {
        g_string_append_printf(tip, "\n%s", gateway);
    }
    if (seconds >= 0) {
        g_autofree char *time = duration_text(seconds / 60 * 60);

        g_string_append_printf(tip, "\n%s", time);
    }
    return g_string_free(tip, FALSE);
}

static void show_icon(GodwitApplication *application)
{
    GodwitWorld *world = application->world;
    GodwitSession *session = godwit_world_get_main_session(world);
    const struct godwit_failure *failure = godwit_world_get_failure(world);
    const char *words = godwit_state_words(godwit_world_get_protection(world));
    g_autofree char *now = session != NULL ? tip_of(session) : g_strdup_printf("Godwit: %s", words);
    g_autofree char *failed = failure == NULL ? NULL : godwit_failure_dup_line(failure);
    g_autofree char *tip = failed == NULL ? g_strdup(now) : g_strdup_printf("%s\n%s", now, failed);

    status_icon_set(application->icon, godwit_world_get_state(world), tip);
}

static gboolean on_minute(gpointer application)
{
    show_icon(application);
    return G_SOURCE_CONTINUE;
}

static void on_changed(GodwitApplication *application)
{
    if (application->icon != NULL) {
        gboolean timed = godwit_world_get_main_session(application->world) != NULL;

        show_icon(application);
        if (timed && application->clock == 0) {
            application->clock = g_timeout_add_seconds(60, on_minute, application);
        } else if (!timed) {
            g_clear_handle_id(&application->clock, g_source_remove);
        }
    }
}

static gboolean is_hosted(GodwitApplication *application)
{
    return application->icon != NULL && status_icon_is_hosted(application->icon);
}

static void on_hosted(void *context)
{
    GodwitApplication *application = context;

    if (application->window != NULL) {
        godwit_window_set_hosted(GODWIT_WINDOW(application->window), is_hosted(application));
    }
}

static void open_window(void *context)
{
    g_application_activate(G_APPLICATION(context));
}

static void on_icon_clicked(void *context, const char *token)
{
    GodwitApplication *application = context;

    g_free(application->token);
    application->token = g_strdup(token);
    open_window(application);
}

/* The middle button: ends what is there. What to begin is chosen from the menu. */
static void on_icon_toggled(void *context)
{
    GodwitApplication *application = context;
    GodwitSession *session = godwit_world_get_main_session(application->world);

    if (session != NULL) {
        godwit_world_end(application->world, session);
    } else {
        open_window(application);
    }
}

static void quit(void *context)
{
    g_application_quit(G_APPLICATION(context));
}

/* ---- the window ---- */

static void on_told(GtkApplication *application, const char *heading, const char *text)
{
    message_show(gtk_application_get_active_window(application), heading, text);
}

/* Without a panel that shows the icon nobody would find the program again. */
static gboolean on_close(GtkWindow *window, gpointer data)
{
    GodwitApplication *application = data;

    (void)window;
    if (!is_hosted(application) && application->held) {
        application->held = FALSE;
        g_application_release(G_APPLICATION(application));
    }
    return FALSE;
}

static void hold(GodwitApplication *application)
{
    if (!application->held) {
        application->held = TRUE;
        g_application_hold(G_APPLICATION(application));
    }
}

static void show_window(GodwitApplication *application)
{
    hold(application);
    if (application->window == NULL) {
        application->window = godwit_window_new(GTK_APPLICATION(application), application->world,
                                                application->attempt);
        g_object_add_weak_pointer(G_OBJECT(application->window), (gpointer *)&application->window);
        g_signal_connect(application->window, "close-request", G_CALLBACK(on_close), application);
        godwit_window_set_hosted(GODWIT_WINDOW(application->window), is_hosted(application));
        godwit_world_wake(application->world);
    }
    if (application->token != NULL) {
        gtk_window_set_startup_id(GTK_WINDOW(application->window), application->token);
        g_clear_pointer(&application->token, g_free);
    }
    gtk_window_present(GTK_WINDOW(application->window));
}

static void godwit_application_activate(GApplication *app)
{
    GodwitApplication *application = GODWIT_APPLICATION(app);

    if (application->hidden) {
        hold(application);
        application->hidden = FALSE;
    } else {
        show_window(application);
    }
}

/* Files with connections, opened from a file manager. */
static void godwit_application_open(GApplication *app, GFile **files, int n, const char *hint)
{
    GodwitApplication *application = GODWIT_APPLICATION(app);

    (void)hint;
    application->hidden = FALSE;
    show_window(application);
    for (int i = 0; i < n && i < IMPORTING_FILES_MAX; i++) {
        importing_offer(GTK_WINDOW(application->window), files[i]);
    }
}

/* ---- actions ---- */

static void on_quit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    (void)action;
    (void)parameter;
    quit(data);
}

static void on_open(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    (void)action;
    (void)parameter;
    open_window(data);
}

static void on_preferences(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GodwitApplication *application = data;

    (void)action;
    (void)parameter;
    open_window(application);
    preferences_show(GTK_WINDOW(application->window), application->world, application->untrusted);
}

static void on_about(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GodwitApplication *application = data;

    (void)action;
    (void)parameter;
    open_window(application);
    adw_show_about_window(
        GTK_WINDOW(application->window), "application-name", "Godwit", "application-icon",
        APPLICATION_ID, "version", PACKAGE_VERSION, "license-type", GTK_LICENSE_GPL_2_0, "comments",
        _("A VPN that stays up while the computer moves, sleeps and changes networks"), NULL);
}

static void on_answer(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GodwitApplication *application = data;

    (void)action;
    asking_show(application->asking, g_variant_get_string(parameter, NULL));
}

static void on_disconnect(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GodwitApplication *application = data;
    GodwitSession *session =
        godwit_world_find_path(application->world, g_variant_get_string(parameter, NULL));

    (void)action;
    if (session != NULL) {
        godwit_world_end(application->world, session);
    }
}

static void add_actions(GodwitApplication *application)
{
    static const GActionEntry entries[] = {
        {.name = "quit", .activate = on_quit},
        {.name = "open", .activate = on_open},
        {.name = "preferences", .activate = on_preferences},
        {.name = "about", .activate = on_about},
        {.name = "answer", .activate = on_answer, .parameter_type = "s"},
        {.name = "disconnect", .activate = on_disconnect, .parameter_type = "s"},
    };
    static const char *const quit_keys[] = {"<Control>q", NULL};
    static const char *const preferences_keys[] = {"<Control>comma", NULL};

    g_action_map_add_action_entries(G_ACTION_MAP(application), entries, G_N_ELEMENTS(entries),
                                    application);
    gtk_application_set_accels_for_action(GTK_APPLICATION(application), "app.quit", quit_keys);
    gtk_application_set_accels_for_action(GTK_APPLICATION(application), "app.preferences",
                                          preferences_keys);
}

/* ---- life ---- */

static void godwit_application_startup(GApplication *app)
{
    static const struct status_icon_ops icon_ops = {
        .activated = on_icon_clicked, .toggled = on_icon_toggled, .hosted = on_hosted};
    static const struct tray_menu_ops menu_ops = {.open = open_window, .quit = quit};
    GodwitApplication *application = GODWIT_APPLICATION(app);
    GDBusConnection *bus = g_application_get_dbus_connection(app);

    G_APPLICATION_CLASS(godwit_application_parent_class)->startup(app);
    gtk_window_set_default_icon_name(APPLICATION_ID);
    add_actions(application);
    application->world = godwit_world_new();
    application->attempt = godwit_attempt_new(application->world);
    g_signal_connect_object(application->attempt, "told", G_CALLBACK(on_told), application,
                            G_CONNECT_SWAPPED);
    application->notifications = notifications_new(app, application->world);
    application->asking =
        asking_new(GTK_APPLICATION(app), application->world, application->attempt);
    application->untrusted = untrusted_new(application->world);
    if (bus != NULL) {
        application->menu = tray_menu_new(application->world, &menu_ops, application);
        application->icon = status_icon_new(bus, TRAY_MENU_PATH, &icon_ops, application);
    }
    g_signal_connect_swapped(application->world, "changed", G_CALLBACK(on_changed), application);
    on_changed(application);
    /* Traffic may be held since this computer was started, which nobody has told us. */
    godwit_world_wake(application->world);
}

static void godwit_application_shutdown(GApplication *app)
{
    GodwitApplication *application = GODWIT_APPLICATION(app);

    g_clear_handle_id(&application->clock, g_source_remove);
    g_clear_pointer(&application->token, g_free);
    if (application->world != NULL) {
        g_signal_handlers_disconnect_by_data(application->world, application);
    }
    g_clear_pointer(&application->icon, status_icon_free);
    g_clear_pointer(&application->menu, tray_menu_free);
    g_clear_pointer(&application->notifications, notifications_free);
    g_clear_pointer(&application->untrusted, untrusted_free);
    g_clear_pointer(&application->asking, asking_free);
    g_clear_object(&application->attempt);
    g_clear_object(&application->world);
    G_APPLICATION_CLASS(godwit_application_parent_class)->shutdown(app);
}

static int godwit_application_handle_local_options(GApplication *app, GVariantDict *options)
{
    gboolean hidden = FALSE;

    if (g_variant_dict_contains(options, "version")) {
        puts("godwit-tray " PACKAGE_VERSION);
        return 0;
    }
    if (g_variant_dict_lookup(options, "hidden", "b", &hidden) && hidden) {
        GODWIT_APPLICATION(app)->hidden = TRUE;
        /* One that runs already stays as it is. */
        if (g_application_register(app, NULL, NULL) && g_application_get_is_remote(app)) {
            return 0;
        }
    }
    return -1;
}

static void godwit_application_class_init(GodwitApplicationClass *class)
{
    GApplicationClass *application = G_APPLICATION_CLASS(class);

    application->startup = godwit_application_startup;
    application->activate = godwit_application_activate;
    application->open = godwit_application_open;
    application->shutdown = godwit_application_shutdown;
    application->handle_local_options = godwit_application_handle_local_options;
}

static void godwit_application_init(GodwitApplication *application)
{
    static const GOptionEntry entries[] = {
        {"hidden", 0, 0, G_OPTION_ARG_NONE, NULL,
         N_("Start without a window, with the icon in the panel"), NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Print the version"), NULL},
        {.long_name = NULL},
    };

    g_application_add_main_option_entries(G_APPLICATION(application), entries);
}

GApplication *godwit_application_new(void)
{
    return g_object_new(GODWIT_TYPE_APPLICATION, "application-id", APPLICATION_ID, "flags",
                        G_APPLICATION_HANDLES_OPEN, "resource-base-path", "/org/godwit/Tray", NULL);
}
