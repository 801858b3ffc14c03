/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/dns_bus.h"

#include "common/i18n.h"

#define RESTART 2000 /* milliseconds that a service may be gone for */

struct dns_bus {
    const struct dns_service *service;
    const struct dns_target *target;
    dns_told told;
    void *context;
    GCancellable *cancellable; /* of all calls */
    GDBusConnection *connection;
    guint name_watch, signal;
    gboolean here, been_here;
    guint round;   /* of telling; answers to an earlier one no longer count */
    guint waiting; /* for answers of this round */
    char *failure;
    GSource *gone;
};

/* It died before it answered: on_vanished() or on_appeared() follow. */
static gboolean has_died(const GError *error)
{
    return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

/* One call under way. */
struct call {
    struct dns_bus *bus;
    guint round;
    gboolean must;
    void (*got)(struct dns_bus *bus, GVariant *value);
};

static void stay(struct dns_bus *bus)
{
    if (bus->gone) {
        g_source_destroy(bus->gone);
        g_clear_pointer(&bus->gone, g_source_unref);
    }
}

static void tell_absent(struct dns_bus *bus)
{
    g_autofree char *why = g_strdup_printf(_("%s is not running"), bus->service->name);
    bus->told(bus->context, FALSE, why);
}

static void finish(struct dns_bus *bus)
{
    if (bus->waiting > 0) {
        return;
    }
    g_autofree char *failure = g_steal_pointer(&bus->failure);
    bus->told(bus->context, failure == NULL, failure);
}

/* D-Bus errors bring their name along; a service that does not answer is told as such. */
static char *failure_text(const struct dns_bus *bus, GError *error)
{
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        return g_strdup_printf(_("%s does not answer"), bus->service->name);
    }
    g_dbus_error_strip_remote_error(error);
    return g_strdup_printf("%s: %s", bus->service->name, error->message);
}

static void on_replied(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree struct call *call = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    struct dns_bus *bus = call->bus;
    if (call->round != bus->round || (!call->got && has_died(error))) {
        return;
    }
    if (!reply && call->must && !bus->failure) {
        bus->failure = failure_text(bus, error);
    }
    if (call->got) {
        g_autoptr(GVariant) value = NULL;
        if (reply) {
            g_variant_get(reply, "(v)", &value);
        }
        call->got(bus, value);
    }
    bus->waiting--;
    finish(bus);
}

static void send_call(struct dns_bus *bus, const char *name, const char *path,
                      const char *interface, const char *method, GVariant *arguments,
                      const GVariantType *reply, const struct call *call)
{
    struct call *own = g_new(struct call, 1);
    *own = *call;
    bus->waiting++;
    g_dbus_connection_call(bus->connection, name, path, interface, method, arguments, reply,
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, DNS_PATIENCE, bus->cancellable,
                           on_replied, own);
}

void dns_bus_call(struct dns_bus *bus, const char *path, const char *interface, const char *method,
                  GVariant *arguments, gboolean must)
{
    const struct call call = {.bus = bus, .round = bus->round, .must = must};
    send_call(bus, bus->service->bus_name, path, interface, method, arguments, NULL, &call);
}

void dns_bus_get(struct dns_bus *bus, const char *name, const char *path, const char *interface,
                 const char *property, void (*got)(struct dns_bus *bus, GVariant *value))
{
    const struct call call = {.bus = bus, .round = bus->round, .got = got};
    send_call(bus, name, path, "org.freedesktop.DBus.Properties", "Get",
              g_variant_new("(ss)", interface, property), G_VARIANT_TYPE("(v)"), &call);
}

void dns_bus_fail(struct dns_bus *bus, const char *why)
{
    g_free(bus->failure);
    bus->failure = g_strdup(why);
}

static void tell_all(struct dns_bus *bus)
{
    if (bus->here) {
        bus->round++;
        bus->waiting = 0;
        g_clear_pointer(&bus->failure, g_free);
        bus->service->come(bus);
    }
}

/* ---- without the main loop ---- */

struct wait {
    GDBusConnection *connection;
    gboolean over; /* it is had, or it cannot be */
};

static void on_had(GObject *source, GAsyncResult *result, gpointer data)
{
    struct wait *wait = data;
    (void)source;
    wait->connection = g_bus_get_finish(result, NULL);
    wait->over = TRUE;
}

static gboolean on_limit(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* A bus that takes connections and says nothing has no end of its own: then `wait` stays with the
 * thread that waits for it. */
GDBusConnection *dns_bus_now(void)
{
    struct wait *wait = g_new0(struct wait, 1);
    GMainContext *own = g_main_context_new();
    GSource *limit = g_timeout_source_new(DNS_PATIENCE);
    GDBusConnection *connection = NULL;
    gboolean late = FALSE;
    g_source_set_callback(limit, on_limit, &late, NULL);
    g_source_attach(limit, own);
    g_main_context_push_thread_default(own);
    g_bus_get(G_BUS_TYPE_SYSTEM, NULL, on_had, wait);
    while (!wait->over && !late) {
        g_main_context_iteration(own, TRUE);
    }
    g_main_context_pop_thread_default(own);
    g_source_destroy(limit);
    g_source_unref(limit);
    if (wait->over) {
        connection = wait->connection;
        g_free(wait);
    }
    g_main_context_unref(own);
    return connection;
}

static void on_appeared(GDBusConnection *connection, const char *name, const char *owner,
                        gpointer data)
{
    struct dns_bus *bus = data;
    (void)connection;
    (void)name;
    (void)owner;
    stay(bus);
    bus->here = bus->been_here = TRUE;
    tell_all(bus);
}

static gboolean on_gone(gpointer data)
{
    struct dns_bus *bus = data;
    stay(bus);
    tell_absent(bus);
    return G_SOURCE_REMOVE;
}

/* A service that is restarted is back soon; until then names are not resolved, but not beside the
 * tunnel either. */
static void on_vanished(GDBusConnection *connection, const char *name, gpointer data)
{
    struct dns_bus *bus = data;
    (void)connection;
    (void)name;
    bus->here = FALSE;
    if (!bus->been_here) {
        tell_absent(bus);
    } else if (!bus->gone) {
        bus->gone = g_timeout_source_new(RESTART);
        g_source_set_callback(bus->gone, on_gone, bus, NULL);
        g_source_attach(bus->gone, g_main_context_get_thread_default());
    }
}

static void on_followed(GDBusConnection *connection, const char *sender, const char *path,
                        const char *interface, const char *signal, GVariant *body, gpointer data)
{
    (void)connection;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    (void)body;
    tell_all(data);
}

static void on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_bus_get_finish(result, &error);
    (void)source;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    struct dns_bus *bus = data;
    if (!connection) {
        bus->told(bus->context, FALSE, _("there is no system bus"));
        return;
    }
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    bus->connection = connection;
    if (bus->service->followed_name) {
        bus->signal = g_dbus_connection_signal_subscribe(
            connection, bus->service->followed_name, "org.freedesktop.DBus.Properties",
            "PropertiesChanged", bus->service->followed_path, bus->service->followed_interface,
            G_DBUS_SIGNAL_FLAGS_NONE, on_followed, bus, NULL);
    }
    bus->name_watch = g_bus_watch_name_on_connection(connection, bus->service->bus_name,
                                                     bus->service->auto_start
                                                         ? G_BUS_NAME_WATCHER_FLAGS_AUTO_START
                                                         : G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                     on_appeared, on_vanished, bus, NULL);
}

struct dns_bus *dns_bus_new(const struct dns_service *service, const struct dns_target *target,
                            dns_told told, void *context)
{
    struct dns_bus *bus = g_new0(struct dns_bus, 1);
    bus->service = service;
    bus->target = target;
    bus->told = told;
    bus->context = context;
    bus->cancellable = g_cancellable_new();
    g_bus_get(G_BUS_TYPE_SYSTEM, bus->cancellable, on_bus, bus);
    return bus;
}

const struct dns_target *dns_bus_target(const struct dns_bus *bus)
{
    return bus->target;
}

void dns_bus_free(struct dns_bus *bus)
{
    g_cancellable_cancel(bus->cancellable);
    g_object_unref(bus->cancellable);
    stay(bus);
    if (bus->connection) {
        g_bus_unwatch_name(bus->name_watch);
        if (bus->signal) {
            g_dbus_connection_signal_unsubscribe(bus->connection, bus->signal);
        }
        g_object_unref(bus->connection);
    }
    g_free(bus->failure);
    g_free(bus);
}
