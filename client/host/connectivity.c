/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/connectivity.h"

#include <gio/gio.h>

#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

struct connectivity_watch {
    connectivity_cb changed;
    void *context;
    enum connectivity now;
    GCancellable *cancellable;
    GDBusConnection *bus;
    guint name_watch, signal;
};

static void set(struct connectivity_watch *watch, guint32 value)
{
    enum connectivity now = value <= CONNECTIVITY_FULL ? value : CONNECTIVITY_UNKNOWN;
    if (now != watch->now) {
        watch->now = now;
        watch->changed(watch->context, now);
    }
}

static void on_got(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    g_autoptr(GVariant) value = NULL;
    if (!reply) {
        /* Cancelled with the watch, or NetworkManager is gone again, or it does not want to tell.
         */
        return;
    }
    g_variant_get(reply, "(v)", &value);
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32)) {
        set(data, g_variant_get_uint32(value));
    }
}

static void on_properties(GDBusConnection *bus, const char *sender, const char *path,
                          const char *interface, const char *signal, GVariant *body, gpointer data)
{
    g_autoptr(GVariant) changed = NULL;
    guint32 value;
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    if (g_variant_is_of_type(body, G_VARIANT_TYPE("(sa{sv}as)"))) {
        changed = g_variant_get_child_value(body, 1);
        if (g_variant_lookup(changed, "Connectivity", "u", &value)) {
            set(data, value);
        }
    }
}

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    struct connectivity_watch *watch = data;
    (void)name;
    (void)owner;
    g_dbus_connection_call(bus, NM, NM_PATH, PROPERTIES, "Get",
                           g_variant_new("(ss)", NM, "Connectivity"), G_VARIANT_TYPE("(v)"),
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, watch->cancellable, on_got, watch);
}

static void on_vanished(GDBusConnection *bus, const char *name, gpointer data)
{
    (void)bus;
    (void)name;
    set(data, CONNECTIVITY_UNKNOWN);
}

static void on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus = g_bus_get_finish(result, &error);
    (void)source;
    if (!bus) {
        return; /* cancelled with the watch, or there is none */
    }
    struct connectivity_watch *watch = data;
    g_dbus_connection_set_exit_on_close(bus, FALSE);
    watch->bus = bus;
    watch->signal =
        g_dbus_connection_signal_subscribe(bus, NM, PROPERTIES, "PropertiesChanged", NM_PATH, NM,
                                           G_DBUS_SIGNAL_FLAGS_NONE, on_properties, watch, NULL);
    watch->name_watch = g_bus_watch_name_on_connection(bus, NM, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                       on_appeared, on_vanished, watch, NULL);
}

struct connectivity_watch *connectivity_watch_new(connectivity_cb changed, void *context)
{
    struct connectivity_watch *watch = g_new0(struct connectivity_watch, 1);
    watch->changed = changed;
    watch->context = context;
    watch->cancellable = g_cancellable_new();
    g_bus_get(G_BUS_TYPE_SYSTEM, watch->cancellable, on_bus, watch);
    return watch;
}

void connectivity_watch_free(struct connectivity_watch *watch)
{
    if (!watch) {
        return;
    }
    g_cancellable_cancel(watch->cancellable);
    g_object_unref(watch->cancellable);
    if (watch->bus) {
        g_bus_unwatch_name(watch->name_watch);
        g_dbus_connection_signal_unsubscribe(watch->bus, watch->signal);
        g_object_unref(watch->bus);
    }
    g_free(watch);
}
