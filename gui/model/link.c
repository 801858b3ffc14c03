/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/link.h"

#include "common/vpn1.h"
#include "generated/vpn1.h"

enum { RETRY_MS = 500, RETRY_MAX_MS = 10000 };

struct _GodwitLink {
    GObject parent;
    GCancellable *over; /* of what goes on with this bus */
    GDBusConnection *bus;
    GDBusObjectManager *objects;
    guint ended; /* subscription */
    guint retry, wait_ms;
};

enum { BUS, APPEARED, REMOVED, SESSION_ENDED, LOST, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(GodwitLink, godwit_link, G_TYPE_OBJECT)

gboolean godwit_link_has_bus(GodwitLink *link)
{
    return link->bus != NULL;
}

GDBusConnection *godwit_link_get_bus(GodwitLink *link)
{
    return link->bus;
}

/* ---- objects ---- */

/* Of whichever object: a session may be over before it is known. */
static void on_ended(GDBusConnection *bus, const char *sender, const char *path,
                     const char *interface, const char *name, GVariant *arguments, gpointer link)
{
    const char *reason, *sentence, *detail, *hint;

    (void)bus;
    (void)sender;
    (void)interface;
    (void)name;
    if (g_variant_is_of_type(arguments, G_VARIANT_TYPE("(ssss)"))) {
        g_variant_get(arguments, "(&s&s&s&s)", &reason, &sentence, &detail, &hint);
        g_signal_emit(link, signals[SESSION_ENDED], 0, path, reason, sentence, detail, hint);
    }
}

static void on_added(GodwitLink *link, GDBusObject *object)
{
    g_signal_emit(link, signals[APPEARED], 0, object);
}

static void on_removed(GodwitLink *link, GDBusObject *object)
{
    g_autofree char *owner =
        g_dbus_object_manager_client_get_name_owner(G_DBUS_OBJECT_MANAGER_CLIENT(link->objects));

    if (owner != NULL) {
        g_signal_emit(link, signals[REMOVED], 0, g_dbus_object_get_object_path(object));
    }
}

static void on_owner(GodwitLink *link)
{
    g_autofree char *owner =
        g_dbus_object_manager_client_get_name_owner(G_DBUS_OBJECT_MANAGER_CLIENT(link->objects));

    if (owner == NULL) {
        g_signal_emit(link, signals[LOST], 0);
    }
}

static void add_all(GodwitLink *link)
{
    GList *all = g_dbus_object_manager_get_objects(link->objects);

    for (GList *each = all; each != NULL; each = each->next) {
        on_added(link, each->data);
    }
    g_list_free_full(all, g_object_unref);
}

static void on_objects(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GodwitLink) link = data;
    g_autoptr(GDBusObjectManager) objects = vpn1_object_manager_client_new_finish(result, &error);

    (void)source;
    if (objects == NULL) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
            g_warning("godwitd's objects: %s", error->message);
        }
        return;
    }
    /* This bus may be gone since, and another one there. */
    if (link->bus == NULL || link->objects != NULL ||
        link->bus !=
            g_dbus_object_manager_client_get_connection(G_DBUS_OBJECT_MANAGER_CLIENT(objects))) {
        return;
    }
    link->objects = g_object_ref(objects);
    g_signal_connect_object(objects, "object-added", G_CALLBACK(on_added), link, G_CONNECT_SWAPPED);
    g_signal_connect_object(objects, "object-removed", G_CALLBACK(on_removed), link,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(objects, "notify::name-owner", G_CALLBACK(on_owner), link,
                            G_CONNECT_SWAPPED);
    add_all(link);
}

/* ---- the bus ---- */

static void open_bus(GodwitLink *link);

static gboolean on_retry(gpointer data)
{
    GodwitLink *link = data;

    link->retry = 0;
    open_bus(link);
    return G_SOURCE_REMOVE;
}

static void retry(GodwitLink *link)
{
    if (link->retry == 0) {
        link->retry = g_timeout_add(link->wait_ms, on_retry, link);
        link->wait_ms = MIN(2 * link->wait_ms, RETRY_MAX_MS);
    }
}

static void drop_bus(GodwitLink *link)
{
    if (link->over != NULL) {
        g_cancellable_cancel(link->over);
        g_clear_object(&link->over);
    }
    if (link->objects != NULL) {
        g_signal_handlers_disconnect_by_data(link->objects, link);
        g_clear_object(&link->objects);
    }
    if (link->bus != NULL) {
        g_signal_handlers_disconnect_by_data(link->bus, link);
        g_dbus_connection_signal_unsubscribe(link->bus, link->ended);
        g_clear_object(&link->bus);
    }
}

static void on_closed(GodwitLink *link)
{
    drop_bus(link);
    g_signal_emit(link, signals[LOST], 0);
    g_signal_emit(link, signals[BUS], 0);
    link->wait_ms = RETRY_MS;
    retry(link);
}

/* Takes over `bus`. */
static void use_bus(GodwitLink *link, GDBusConnection *bus)
{
    link->bus = bus;
    link->wait_ms = RETRY_MS;
    g_signal_connect_object(bus, "closed", G_CALLBACK(on_closed), link, G_CONNECT_SWAPPED);
    link->ended =
        g_dbus_connection_signal_subscribe(bus, VPN1_NAME, VPN1_SESSION_INTERFACE, "Ended", NULL,
                                           NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_ended, link, NULL);
    vpn1_object_manager_client_new(bus, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START,
                                   VPN1_NAME, VPN1_PATH, link->over, on_objects,
                                   g_object_ref(link));
    g_signal_emit(link, signals[BUS], 0);
}

static void on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitLink) link = data;
    g_autoptr(GDBusConnection) bus = g_dbus_connection_new_for_address_finish(result, NULL);

    (void)source;
    if (link->over == NULL) {
        return;
    }
    if (bus == NULL) {
        g_clear_object(&link->over);
        retry(link);
        return;
    }
    use_bus(link, g_steal_pointer(&bus));
}

/* A connection of our own: the shared one would not be made anew. */
#define BUS_FLAGS                                                                                  \
    (G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION)

static void open_bus(GodwitLink *link)
{
    g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);

    if (address == NULL) {
        retry(link);
        return;
    }
    link->over = g_cancellable_new();
    g_dbus_connection_new_for_address(address, BUS_FLAGS, NULL, link->over, on_bus,
                                      g_object_ref(link));
}

/* The first time somebody may want something at once, and a bus that is there answers at once. */
static void open_first_bus(GodwitLink *link)
{
    g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);
    GDBusConnection *bus =
        address == NULL
            ? NULL
            : g_dbus_connection_new_for_address_sync(address, BUS_FLAGS, NULL, NULL, NULL);

    if (bus == NULL) {
        retry(link);
        return;
    }
    link->over = g_cancellable_new();
    use_bus(link, bus);
}

/* ---- life ---- */

static void godwit_link_dispose(GObject *object)
{
    GodwitLink *link = GODWIT_LINK(object);

    g_clear_handle_id(&link->retry, g_source_remove);
    drop_bus(link);
    G_OBJECT_CLASS(godwit_link_parent_class)->dispose(object);
}

static void godwit_link_class_init(GodwitLinkClass *class)
{
    GType type = G_TYPE_FROM_CLASS(class), text = G_TYPE_STRING;

    G_OBJECT_CLASS(class)->dispose = godwit_link_dispose;
    signals[BUS] =
        g_signal_new("bus", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[APPEARED] = g_signal_new("appeared", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 1, G_TYPE_DBUS_OBJECT);
    signals[REMOVED] =
        g_signal_new("removed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, text);
    signals[SESSION_ENDED] = g_signal_new("session-ended", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                          NULL, G_TYPE_NONE, 5, text, text, text, text, text);
    signals[LOST] =
        g_signal_new("lost", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void godwit_link_init(GodwitLink *link)
{
    link->wait_ms = RETRY_MS;
    open_first_bus(link);
}

GodwitLink *godwit_link_new(void)
{
    return g_object_new(GODWIT_TYPE_LINK, NULL);
}
