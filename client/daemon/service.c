/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/service.h"

#include "common/vpn1.h"
#include "daemon/autoconnect.h"
#include "daemon/notify.h"
#include "daemon/objects.h"
#include "host/connectivity.h"
#include "session/session.h"

#define LENT_TIME 10 /* seconds that the interface of what was lent may stay away */

struct service {
    struct service_options options;
    GMainLoop *loop;
    GDBusConnection *bus;
    guint name, idle, watchdog, waiting;
    guint waited; /* seconds, for what a service before this one has lent */
    gboolean named, stopping;
    int status;
    struct callers *callers;
    struct authority *authority;
    struct subscribers *subscribers;
    struct sessions *sessions;
    struct manager *manager;
    struct requests *requests;
    struct objects *objects;
    struct autoconnect *autoconnect;
    struct connectivity_watch *connectivity;
    GCancellable *cancellable;
};

/* ---- the end ---- */

static void quit_when_over(struct service *service)
{
    if (service->stopping && sessions_count(service->sessions) == 0) {
        g_main_loop_quit(service->loop);
    }
}

void service_stop(struct service *service)
{
    service->stopping = TRUE;
    notify("STOPPING=1");
    sessions_stop(service->sessions);
    quit_when_over(service);
}

static gboolean is_busy(const struct service *service)
{
    return sessions_count(service->sessions) > 0 || requests_count(service->requests) > 0 ||
           (service->autoconnect && autoconnect_waits(service->autoconnect)) ||
           manager_holds_traffic(service->manager) || service->waiting != 0;
}

static void own_name(struct service *service);

/* Everything that was addressed to us while we had the name has come. */
static void on_left(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    struct service *service = data;
    g_clear_pointer(&reply, g_variant_unref);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    if (is_busy(service)) {
        own_name(service);
    } else {
        service_stop(service);
    }
}

/* Whoever calls from now on starts the next service. */
static gboolean on_idle(gpointer data)
{
    struct service *service = data;
    service->idle = 0;
    g_message("nothing to do");
    g_clear_handle_id(&service->name, g_bus_unown_name);
    g_dbus_connection_call(service->bus, DBUS_NAME, DBUS_PATH, DBUS_NAME, "GetId", NULL, NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, service->cancellable, on_left, service);
    return G_SOURCE_REMOVE;
}

/* Something began or ended. */
static void on_changed(void *context)
{
    struct service *service = context;
    g_clear_handle_id(&service->idle, g_source_remove);
    if (service->options.idle_seconds > 0 && !service->stopping && !is_busy(service)) {
        service->idle = g_timeout_add_seconds(service->options.idle_seconds, on_idle, service);
    }
    quit_when_over(service);
}

static void on_sessions_changed(void *context)
{
    struct service *service = context;
    manager_refresh(service->manager);
    on_changed(service);
}

static void on_session_ended(void *context, const struct session_object *object, enum reason reason)
{
    struct service *service = context;
    /* Whom our own end has ended is connected again with us. */
    if (service->autoconnect && (!service->stopping || session_object_is_dismissed(object))) {
        autoconnect_ended(service->autoconnect, object, reason);
    }
}

static void on_caller_gone(void *context, struct caller *caller)
{
    struct service *service = context;
    subscribers_remove(service->subscribers, caller);
    sessions_caller_gone(service->sessions, caller);
}

/* ---- the bus ---- */

static void on_name(GDBusConnection *bus, const char *name, gpointer data)
{
    struct service *service = data;
    (void)bus;
    (void)name;
    service->named = TRUE;
    notify("READY=1");
}

static void on_name_lost(GDBusConnection *bus, const char *name, gpointer data)
{
    struct service *service = data;
    if (!bus || g_dbus_connection_is_closed(bus)) {
        g_warning("The system bus is gone.");
    } else {
        g_warning(service->named ? "The name %s was taken." : "The name %s is not to be had.",
                  name);
    }
    service->status = 1;
    service_stop(service);
}

static void own_name(struct service *service)
{
    service->name =
        g_bus_own_name_on_connection(service->bus, VPN1_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                     on_name, on_name_lost, service, NULL);
}

static void on_connectivity(void *context, enum connectivity connectivity)
{
    struct service *service = context;
    manager_set_connectivity(service->manager, connectivity);
}

/* ---- what the last one left ---- */

static void tell_cleaned(guint n)
{
    if (n > 0) {
        g_message("%u sessions had been left behind; the host is as it was.", n);
    }
}

/* What was lent and has lost its interface is brought back by nobody. */
static gboolean on_waiting(gpointer data)
{
    struct service *service = data;
    gboolean over = ++service->waited >= LENT_TIME;
    tell_cleaned(over ? session_clean_lent() : session_clean_leftovers());
    if (!over && session_count_lent() > 0) {
        return G_SOURCE_CONTINUE;
    }
    service->waiting = 0;
    on_changed(service);
    return G_SOURCE_REMOVE;
}

static void clean(struct service *service)
{
    tell_cleaned(session_clean_leftovers());
    if (session_count_lent() > 0) {
        service->waiting = g_timeout_add_seconds(1, on_waiting, service);
    }
}

/* ---- all of it ---- */

static gboolean on_watchdog(gpointer data)
{
    (void)data;
    notify("WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

static GDBusConnection *connect_bus(GError **error)
{
    GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, error);
    if (bus) {
        g_dbus_connection_set_exit_on_close(bus, FALSE);
    }
    return bus;
}

struct service *service_new(const struct service_options *options, GError **error)
{
    static const struct sessions_ops ops = {.changed = on_sessions_changed,
                                            .ended = on_session_ended};
    GDBusConnection *bus = connect_bus(error);
    if (!bus) {
        return NULL;
    }
    struct service *service = g_new0(struct service, 1);
    service->options = *options;
    service->bus = bus;
    service->cancellable = g_cancellable_new();
    service->loop = g_main_loop_new(NULL, FALSE);
    service->callers = callers_new(bus, on_caller_gone, service);
    service->authority = authority_new(bus);
    service->subscribers = subscribers_new(bus);
    service->sessions = sessions_new(service->subscribers, &ops, service);
    service->manager = manager_new(service->sessions, service->subscribers);
    service->requests = requests_new(service->callers, service->authority, on_changed, service);
    service->objects = objects_new(bus, service->requests, service->manager, service->sessions,
                                   service->subscribers, error);
    if (!service->objects) {
        g_clear_pointer(&service, service_free);
    }
    return service;
}

int service_run(struct service *service)
{
    guint seconds = notify_watchdog_seconds();
    /* First: what is connected again goes on with the kill switch that is left of it. */
    service->autoconnect = autoconnect_new(service->sessions);
    clean(service);
    if (seconds > 0) {
        service->watchdog = g_timeout_add_seconds(MAX(seconds / 2, 1), on_watchdog, NULL);
    }
    own_name(service);
    service->connectivity = connectivity_watch_new(on_connectivity, service);
    on_changed(service);
    g_main_loop_run(service->loop);
    return service->status;
}

void service_free(struct service *service)
{
    if (!service) {
        return;
    }
    g_clear_handle_id(&service->idle, g_source_remove);
    g_clear_handle_id(&service->watchdog, g_source_remove);
    g_clear_handle_id(&service->waiting, g_source_remove);
    g_clear_handle_id(&service->name, g_bus_unown_name);
    g_cancellable_cancel(service->cancellable);
    g_object_unref(service->cancellable);
    connectivity_watch_free(service->connectivity);
    objects_free(service->objects);
    autoconnect_free(service->autoconnect);
    service->autoconnect = NULL;
    sessions_free(service->sessions);
    requests_free(service->requests);
    manager_free(service->manager);
    authority_free(service->authority);
    subscribers_free(service->subscribers);
    callers_free(service->callers);
    /* What was said last reaches the bus. */
    (void)g_dbus_connection_flush_sync(service->bus, NULL, NULL);
    g_object_unref(service->bus);
    g_main_loop_unref(service->loop);
    g_free(service);
}
