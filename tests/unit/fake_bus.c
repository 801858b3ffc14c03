/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "unit/fake_bus.h"

#include <check.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INHIBITORS_MAX 16

struct fake_bus {
    GTestDBus *daemon;
    GDBusConnection *connection;
    GDBusNodeInfo *info;
    guint logind_name, logind_object, nm_name, nm_object;
    int inhibitors[INHIBITORS_MAX]; /* ends to read from: hung up when released */
    guint n_inhibitors;
    guint32 connectivity;
};

static const char interfaces[] = "<node>"
                                 "<interface name='org.freedesktop.login1.Manager'>"
                                 "<method name='Inhibit'>"
                                 "<arg type='s' direction='in'/><arg type='s' direction='in'/>"
                                 "<arg type='s' direction='in'/><arg type='s' direction='in'/>"
                                 "<arg type='h' direction='out'/>"
                                 "</method>"
                                 "<signal name='PrepareForSleep'><arg type='b'/></signal>"
                                 "</interface>"
                                 "<interface name='org.freedesktop.NetworkManager'>"
                                 "<property name='Connectivity' type='u' access='read'/>"
                                 "</interface>"
                                 "</node>";

/* Until the bus has carried out everything that was asked. */
static void sync_bus(struct fake_bus *bus)
{
    g_autoptr(GError) error = NULL;
    if (!g_dbus_connection_flush_sync(bus->connection, NULL, &error)) {
        ck_abort_msg("%s", error->message);
    }
}

struct fake_bus *fake_bus_new(void)
{
    struct fake_bus *bus = g_new0(struct fake_bus, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *program = g_find_program_in_path("dbus-daemon");
    if (!program) {
        fprintf(stderr, "skipped: no dbus-daemon\n");
        exit(77);
    }
    bus->daemon = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_up(bus->daemon);
    const char *address = g_test_dbus_get_bus_address(bus->daemon);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", address, TRUE);
    bus->info = g_dbus_node_info_new_for_xml(interfaces, &error);
    ck_assert_msg(bus->info != NULL, "%s", error ? error->message : "");
    bus->connection =
        g_dbus_connection_new_for_address_sync(address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);
    ck_assert_msg(bus->connection != NULL, "%s", error ? error->message : "");
    return bus;
}

void fake_bus_stop(struct fake_bus *bus)
{
    if (bus->daemon) {
        g_test_dbus_stop(bus->daemon);
        g_clear_object(&bus->daemon);
    }
}

void fake_bus_free(struct fake_bus *bus)
{
    fake_logind_stop(bus);
    fake_nm_stop(bus);
    g_object_unref(bus->connection);
    g_dbus_node_info_unref(bus->info);
    fake_bus_stop(bus);
    g_free(bus);
}

static guint export(struct fake_bus *bus, const char *path, guint which,
                    const GDBusInterfaceVTable *table)
{
    g_autoptr(GError) error = NULL;
    guint id = g_dbus_connection_register_object(
        bus->connection, path, bus->info->interfaces[which], table, bus, NULL, &error);
    ck_assert_msg(id != 0, "%s", error ? error->message : "");
    return id;
}

static void withdraw(struct fake_bus *bus, guint *name, guint *object)
{
    if (*name) {
        g_bus_unown_name(*name);
        g_dbus_connection_unregister_object(bus->connection, *object);
        *name = *object = 0;
        if (!g_dbus_connection_is_closed(bus->connection)) {
            sync_bus(bus);
        }
    }
}

/* ---- logind ---- */

static void on_inhibit(GDBusConnection *connection, const char *sender, const char *path,
                       const char *interface, const char *method, GVariant *arguments,
                       GDBusMethodInvocation *invocation, gpointer data)
{
    struct fake_bus *bus = data;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    g_autoptr(GError) error = NULL;
    const char *what, *mode;
    int ends[2];
    (void)connection;
    (void)sender;
    (void)path;
    (void)interface;
    (void)method;
    g_variant_get(arguments, "(&s&s&s&s)", &what, NULL, NULL, &mode);
    ck_assert_str_eq(what, "sleep");
    ck_assert_str_eq(mode, "delay");
    ck_assert_uint_lt(bus->n_inhibitors, INHIBITORS_MAX);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    int handle = g_unix_fd_list_append(fds, ends[1], &error);
    ck_assert_int_ge(handle, 0);
    close(ends[1]);
    bus->inhibitors[bus->n_inhibitors++] = ends[0];
    g_dbus_method_invocation_return_value_with_unix_fd_list(invocation,
                                                            g_variant_new("(h)", handle), fds);
}

void fake_logind_start(struct fake_bus *bus)
{
    static const GDBusInterfaceVTable table = {.method_call = on_inhibit};
    bus->logind_object = export(bus, "/org/freedesktop/login1", 0, &table);
    bus->logind_name =
        g_bus_own_name_on_connection(bus->connection, "org.freedesktop.login1",
                                     G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
}

void fake_logind_stop(struct fake_bus *bus)
{
    withdraw(bus, &bus->logind_name, &bus->logind_object);
    for (guint i = 0; i < bus->n_inhibitors; i++) {
        close(bus->inhibitors[i]);
    }
    bus->n_inhibitors = 0;
}

void fake_logind_prepare_for_sleep(struct fake_bus *bus, gboolean start)
{
    g_autoptr(GError) error = NULL;
    if (!g_dbus_connection_emit_signal(bus->connection, NULL, "/org/freedesktop/login1",
                                       "org.freedesktop.login1.Manager", "PrepareForSleep",
                                       g_variant_new("(b)", start), &error)) {
        ck_abort_msg("%s", error->message);
    }
}

guint fake_logind_inhibitors(struct fake_bus *bus)
{
    guint held = 0;
    for (guint i = 0; i < bus->n_inhibitors; i++) {
        struct pollfd end = {.fd = bus->inhibitors[i], .events = POLLIN};
        held += poll(&end, 1, 0) == 0;
    }
    return held;
}

/* ---- NetworkManager ---- */

static GVariant *on_get(GDBusConnection *connection, const char *sender, const char *path,
                        const char *interface, const char *property, GError **error, gpointer data)
{
    const struct fake_bus *bus = data;
    (void)connection;
    (void)sender;
    (void)path;
    (void)interface;
    (void)property;
    (void)error;
    return g_variant_new_uint32(bus->connectivity);
}

void fake_nm_connectivity(struct fake_bus *bus, guint32 connectivity)
{
    static const GDBusInterfaceVTable table = {.get_property = on_get};
    g_autoptr(GError) error = NULL;
    bus->connectivity = connectivity;
    if (!bus->nm_name) {
        bus->nm_object = export(bus, "/org/freedesktop/NetworkManager", 1, &table);
        bus->nm_name =
            g_bus_own_name_on_connection(bus->connection, "org.freedesktop.NetworkManager",
                                         G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
        return;
    }
    GVariant *changed = g_variant_new_parsed("(%s, {'Connectivity': <%u>}, @as [])",
                                             "org.freedesktop.NetworkManager", connectivity);
    if (!g_dbus_connection_emit_signal(bus->connection, NULL, "/org/freedesktop/NetworkManager",
                                       "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                       changed, &error)) {
        ck_abort_msg("%s", error->message);
    }
}

void fake_nm_stop(struct fake_bus *bus)
{
    withdraw(bus, &bus->nm_name, &bus->nm_object);
}
