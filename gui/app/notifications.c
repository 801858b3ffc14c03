/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/app/notifications.h"

#include <gtk/gtk.h>

#include "common/boottime.h"
#include "common/i18n.h"
#include "gui/model/text.h"

enum {
    LOST_SECONDS = 5, /* after which a lost connection is worth a word */
    ANSWER_MS = 2000, /* after which a question is: till then the keyring may have answered it */
};
#define FAILURE "failure"
#define HOLDING "holding"

struct notifications {
    GApplication *application;
    GodwitWorld *world;
    GHashTable *told; /* struct told by session */
    gboolean holding;
    guint64 started_us; /* of CLOCK_BOOTTIME */
};

struct told {
    struct notifications *notifications;
    GodwitSession *session; /* borrowed: it is the key */
    char *id;
    enum godwit_state state; /* as last looked at */
    gboolean was_on;         /* once connected */
    gboolean lost;           /* it was told that it is lost */
    guint timer;
};

/* Who has the main window in front sees it there. No other one is the application's: to GTK the
 * editor and the preferences are only its transients. */
static gboolean is_looked_at(struct notifications *notifications)
{
    GtkWindow *window =
        gtk_application_get_active_window(GTK_APPLICATION(notifications->application));

    return window != NULL && gtk_window_is_active(window);
}

/* Names are anybody's, and some desktops take the words for markup. */
static GNotification *notification_of(const char *title, const char *body)
{
    g_autofree char *harmless_title = shown_unmarked(title), *harmless_body = shown_unmarked(body);
    GNotification *notification = g_notification_new(harmless_title);

    g_notification_set_body(notification, harmless_body);
    return notification;
}

static void send(struct told *told, const char *title, const char *body, gboolean urgent)
{
    g_autoptr(GNotification) notification = notification_of(title, body);
    const char *path = godwit_session_get_path(told->session);

    g_notification_set_priority(notification, urgent ? G_NOTIFICATION_PRIORITY_HIGH
                                                     : G_NOTIFICATION_PRIORITY_NORMAL);
    if (told->state == GODWIT_ATTENTION) {
        g_notification_set_default_action_and_target(notification, "app.answer", "s", path);
        g_notification_add_button_with_target(notification, _("Answer"), "app.answer", "s", path);
    } else {
        g_notification_set_default_action(notification, "app.open");
        g_notification_add_button_with_target(notification, _("Disconnect"), "app.disconnect", "s",
                                              path);
    }
    if (urgent || !is_looked_at(told->notifications)) {
        g_application_send_notification(told->notifications->application, told->id, notification);
    }
}

static gboolean on_lost(gpointer data)
{
    struct told *told = data;
    g_autofree char *name = godwit_session_dup_text(told->session, "Name");
    g_autofree char *title = g_strdup_printf(_("%s is interrupted"), name);

    told->timer = 0;
    told->lost = TRUE;
    send(told, title, _("It is being connected again. Until then its traffic waits."), FALSE);
    return G_SOURCE_REMOVE;
}

static void on_connected(struct told *told)
{
    g_autofree char *name = godwit_session_dup_text(told->session, "Name");
    g_autofree char *gateway = godwit_session_dup_text(told->session, "GatewayIdentity");
    g_autofree char *title =
        g_strdup_printf(told->was_on ? _("%s is connected again") : _("%s is connected"), name);
    g_autofree char *body = g_strdup_printf(_("The gateway is %s."), gateway);

    if (!told->was_on || told->lost) {
        send(told, title, body, FALSE);
    }
    told->was_on = TRUE;
    told->lost = FALSE;
}

static gboolean on_question(gpointer data)
{
    struct told *told = data;
    g_autofree char *name = godwit_session_dup_text(told->session, "Name");
    g_autofree char *title = g_strdup_printf(_("%s needs your attention"), name);

    told->timer = 0;
    send(told, title, _("The gateway has a question."), TRUE);
    return G_SOURCE_REMOVE;
}

static void look(struct told *told)
{
    enum godwit_state state = godwit_session_get_state(told->session);

    if (state == told->state) {
        return;
    }
    told->state = state;
    g_clear_handle_id(&told->timer, g_source_remove);
    switch (state) {
    case GODWIT_ON:
        on_connected(told);
        break;
    case GODWIT_ROAMING:
        told->timer = g_timeout_add_seconds(LOST_SECONDS, on_lost, told);
        break;
    case GODWIT_ATTENTION:
        told->timer = g_timeout_add(ANSWER_MS, on_question, told);
        break;
    case GODWIT_OFF:
    case GODWIT_BLOCKED:
    case GODWIT_CONNECTING:
    case GODWIT_STATES:
        break;
    }
}

/* ---- the world ---- */

static void on_changed(struct notifications *notifications)
{
    gboolean holding = godwit_world_get_state(notifications->world) == GODWIT_BLOCKED;
    GHashTableIter iter;
    gpointer told;

    g_hash_table_iter_init(&iter, notifications->told);
    while (g_hash_table_iter_next(&iter, NULL, &told)) {
        look(told);
    }
    if (godwit_world_get_failure(notifications->world) == NULL) {
        g_application_withdraw_notification(notifications->application, FAILURE);
    }
    if (holding && !notifications->holding && !is_looked_at(notifications)) {
        g_autoptr(GNotification) notification =
            notification_of(_("Traffic is held"),
                            _("The kill switch lets nothing out until something is connected."));

        g_notification_set_default_action(notification, "app.open");
        g_application_send_notification(notifications->application, HOLDING, notification);
    } else if (!holding && notifications->holding) {
        g_application_withdraw_notification(notifications->application, HOLDING);
    }
    notifications->holding = holding;
}

/* What was connected before us is no news; what is by the time that we hear of it is some. */
static void on_began(struct notifications *notifications, GodwitSession *session)
{
    struct told *told = g_new0(struct told, 1);
    gint64 seconds = godwit_session_get_seconds(session);
    guint64 ours = (boottime_now() - notifications->started_us) / G_USEC_PER_SEC;

    told->notifications = notifications;
    told->session = session;
    told->id = g_strdup(godwit_session_get_path(session));
    told->was_on = seconds > (gint64)ours;
    told->state = told->was_on ? godwit_session_get_state(session) : GODWIT_CONNECTING;
    g_hash_table_insert(notifications->told, g_object_ref(session), told);
}

static void on_ended(struct notifications *notifications, GodwitSession *session)
{
    const struct told *told = g_hash_table_lookup(notifications->told, session);

    if (told != NULL) {
        g_application_withdraw_notification(notifications->application, told->id);
        g_hash_table_remove(notifications->told, session);
    }
}

static void on_failed(struct notifications *notifications)
{
    const struct godwit_failure *failure = godwit_world_get_failure(notifications->world);
    g_autoptr(GNotification) notification = NULL;
    g_autofree char *title = *failure->name == '\0'
                                 ? g_strdup("Godwit")
                                 : g_strdup_printf(_("%s is not connected"), failure->name);
    g_autofree char *body = g_strdup_printf("%s %s", failure->sentence, failure->hint);

    if (is_looked_at(notifications)) {
        return;
    }
    notification = notification_of(title, body);
    g_notification_set_default_action(notification, "app.open");
    g_application_send_notification(notifications->application, FAILURE, notification);
}

static void free_told(gpointer data)
{
    struct told *told = data;

    g_clear_handle_id(&told->timer, g_source_remove);
    g_free(told->id);
    g_free(told);
}

struct notifications *notifications_new(GApplication *application, GodwitWorld *world)
{
    struct notifications *notifications = g_new0(struct notifications, 1);

    notifications->application = application;
    notifications->started_us = boottime_now();
    notifications->world = g_object_ref(world);
    notifications->told = g_hash_table_new_full(NULL, NULL, g_object_unref, free_told);
    g_signal_connect_swapped(world, "began", G_CALLBACK(on_began), notifications);
    g_signal_connect_swapped(world, "ended", G_CALLBACK(on_ended), notifications);
    g_signal_connect_swapped(world, "failed", G_CALLBACK(on_failed), notifications);
    g_signal_connect_swapped(world, "changed", G_CALLBACK(on_changed), notifications);
    return notifications;
}

void notifications_free(struct notifications *notifications)
{
    if (notifications != NULL) {
        g_signal_handlers_disconnect_by_data(notifications->world, notifications);
        g_hash_table_unref(notifications->told);
        g_object_unref(notifications->world);
        g_free(notifications);
    }
}
