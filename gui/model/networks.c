/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/networks.h"

#include <string.h>

#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"
#define SETTINGS NM ".Settings"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define NOTHING "/" /* NetworkManager's path of none */

enum { CONNECTIVITY_NONE = 1, CONNECTIVITY_PORTAL = 2 }; /* NMConnectivityState */

struct _GodwitNetworks {
    GObject parent;
    GDBusConnection *bus;
    GCancellable *over;    /* of what goes on with this bus */
    GCancellable *listing; /* of the last one */
    GDBusProxy *manager;
    char *joining, *current;
    GPtrArray *known;
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE(GodwitNetworks, godwit_networks, G_TYPE_OBJECT)

static void tell(GodwitNetworks *networks)
{
    g_signal_emit(networks, changed_signal, 0);
}

static void give_up(GCancellable **cancellable)
{
    g_cancellable_cancel(*cancellable);
    g_clear_object(cancellable);
}

static void set_current(GodwitNetworks *networks, const char *uuid)
{
    g_free(networks->current);
    networks->current = g_strdup(uuid);
    tell(networks);
}

/* ---- the network that is used ---- */

static gboolean kind_of(const char *type, enum godwit_network_kind *kind)
{
    static const struct {
        const char *type;
        enum godwit_network_kind kind;
    } types[] = {
        {"802-11-wireless", GODWIT_NETWORK_WIFI}, {"802-3-ethernet", GODWIT_NETWORK_CABLE},
        {"gsm", GODWIT_NETWORK_MOBILE},           {"cdma", GODWIT_NETWORK_MOBILE},
        {"bluetooth", GODWIT_NETWORK_MOBILE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].type, type) == 0) {
            *kind = types[i].kind;
            return TRUE;
        }
    }
    return FALSE;
}

static void on_active(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitNetworks) networks = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    g_autoptr(GVariant) properties = NULL;
    const char *uuid = "", *type = "";
    enum godwit_network_kind kind;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    if (reply != NULL) {
        properties = g_variant_get_child_value(reply, 0);
        (void)g_variant_lookup(properties, "Uuid", "&s", &uuid);
        (void)g_variant_lookup(properties, "Type", "&s", &type);
    }
    set_current(networks, kind_of(type, &kind) ? uuid : "");
}

static char *primary_of(GodwitNetworks *networks)
{
    g_autoptr(GVariant) path =
        g_dbus_proxy_get_cached_property(networks->manager, "PrimaryConnection");

    return path == NULL || !g_variant_is_of_type(path, G_VARIANT_TYPE_OBJECT_PATH)
               ? g_strdup(NOTHING)
               : g_variant_dup_string(path, NULL);
}

static void look(GodwitNetworks *networks)
{
    g_autofree char *primary = primary_of(networks);

    if (strcmp(primary, networks->joining) == 0) {
        tell(networks); /* of its connectivity */
        return;
    }
    g_free(networks->joining);
    networks->joining = g_steal_pointer(&primary);
    set_current(networks, "");
    if (strcmp(networks->joining, NOTHING) != 0) {
        g_dbus_connection_call(networks->bus, NM, networks->joining, PROPERTIES, "GetAll",
                               g_variant_new("(s)", NM ".Connection.Active"),
                               G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                               networks->over, on_active, g_object_ref(networks));
    }
}

static void on_manager(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitNetworks) networks = data;
    g_autoptr(GError) error = NULL;
    GDBusProxy *manager = g_dbus_proxy_new_finish(result, &error);

    (void)source;
    if (manager == NULL) {
        return;
    }
    if (networks->manager != NULL || networks->bus != g_dbus_proxy_get_connection(manager)) {
        g_object_unref(manager);
        return;
    }
    networks->manager = manager;
    g_signal_connect_object(manager, "g-properties-changed", G_CALLBACK(look), networks,
                            G_CONNECT_SWAPPED);
    /* When it ends it takes its properties along, when it starts they are read anew. */
    g_signal_connect_object(manager, "notify::g-name-owner", G_CALLBACK(look), networks,
                            G_CONNECT_SWAPPED);
    look(networks);
}

void godwit_networks_set_bus(GodwitNetworks *networks, GDBusConnection *bus)
{
    if (bus == networks->bus) {
        return;
    }
    give_up(&networks->listing);
    give_up(&networks->over);
    g_clear_object(&networks->manager);
    g_set_object(&networks->bus, bus);
    g_free(networks->joining);
    networks->joining = g_strdup(NOTHING);
    set_current(networks, "");
    if (bus != NULL) {
        networks->over = g_cancellable_new();
        g_dbus_proxy_new(bus, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, NULL, NM, NM_PATH, NM,
                         networks->over, on_manager, g_object_ref(networks));
    }
}

gboolean godwit_networks_is_running(GodwitNetworks *networks)
{
    g_autofree char *owner =
        networks->manager == NULL ? NULL : g_dbus_proxy_get_name_owner(networks->manager);

    return owner != NULL;
}

const char *godwit_networks_get_current(GodwitNetworks *networks)
{
    return networks->current;
}

const char *godwit_networks_get_joining(GodwitNetworks *networks)
{
    return networks->joining;
}

gboolean godwit_networks_is_closed(GodwitNetworks *networks)
{
    g_autoptr(GVariant) value =
        networks->manager == NULL
            ? NULL
            : g_dbus_proxy_get_cached_property(networks->manager, "Connectivity");
    guint32 connectivity = value == NULL || !g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32)
                               ? 0
                               : g_variant_get_uint32(value);

    return connectivity == CONNECTIVITY_NONE || connectivity == CONNECTIVITY_PORTAL;
}

/* ---- all that are known ---- */

static void free_network(gpointer data)
{
    struct godwit_network *network = data;

    g_free(network->uuid);
    g_free(network->name);
    g_free(network);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const struct godwit_network *const *first = a, *const *second = b;
    int names = g_utf8_collate((*first)->name, (*second)->name);

    return names != 0 ? names : strcmp((*first)->uuid, (*second)->uuid);
}

static void add_known(GodwitNetworks *networks, GVariant *settings)
{
    g_autoptr(GVariant) common =
        g_variant_lookup_value(settings, "connection", G_VARIANT_TYPE_VARDICT);
    g_autoptr(GVariant) security =
        g_variant_lookup_value(settings, "802-11-wireless-security", G_VARIANT_TYPE_VARDICT);
    const char *uuid = "", *id = "", *type = "";
    struct godwit_network *network;
    enum godwit_network_kind kind;

    if (common != NULL) {
        (void)g_variant_lookup(common, "uuid", "&s", &uuid);
        (void)g_variant_lookup(common, "id", "&s", &id);
        (void)g_variant_lookup(common, "type", "&s", &type);
    }
    if (*uuid != '\0' && kind_of(type, &kind)) {
        network = g_new(struct godwit_network, 1);
        *network = (struct godwit_network){
            g_strdup(uuid), g_strdup(id),
            kind == GODWIT_NETWORK_WIFI && security == NULL ? GODWIT_NETWORK_OPEN_WIFI : kind};
        g_ptr_array_add(networks->known, network);
        g_ptr_array_sort(networks->known, compare);
        tell(networks);
    }
}

static void on_settings(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitNetworks) networks = data;
    g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);
    g_autoptr(GVariant) settings = reply == NULL ? NULL : g_variant_get_child_value(reply, 0);

    if (settings != NULL) { /* another user's is not told */
        add_known(networks, settings);
    }
}

static void on_list(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitNetworks) networks = data;
    g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);
    g_autoptr(GVariantIter) paths = NULL;
    const char *path;

    if (reply == NULL) {
        return;
    }
    g_ptr_array_set_size(networks->known, 0);
    g_variant_get(reply, "(ao)", &paths);
    while (g_variant_iter_next(paths, "&o", &path)) {
        g_dbus_connection_call(networks->bus, NM, path, SETTINGS ".Connection", "GetSettings", NULL,
                               G_VARIANT_TYPE("(a{sa{sv}})"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                               networks->listing, on_settings, g_object_ref(networks));
    }
}

void godwit_networks_list(GodwitNetworks *networks)
{
    give_up(&networks->listing);
    if (networks->bus != NULL) {
        networks->listing = g_cancellable_new();
        g_dbus_connection_call(networks->bus, NM, NM_PATH "/Settings", SETTINGS, "ListConnections",
                               NULL, G_VARIANT_TYPE("(ao)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                               networks->listing, on_list, g_object_ref(networks));
    }
}

const GPtrArray *godwit_networks_get_known(GodwitNetworks *networks)
{
    return networks->known;
}

/* ---- life ---- */

static void godwit_networks_dispose(GObject *object)
{
    GodwitNetworks *networks = GODWIT_NETWORKS(object);

    give_up(&networks->listing);
    give_up(&networks->over);
    g_clear_object(&networks->manager);
    g_clear_object(&networks->bus);
    G_OBJECT_CLASS(godwit_networks_parent_class)->dispose(object);
}

static void godwit_networks_finalize(GObject *object)
{
    GodwitNetworks *networks = GODWIT_NETWORKS(object);

    g_ptr_array_unref(networks->known);
    g_free(networks->joining);
    g_free(networks->current);
    G_OBJECT_CLASS(godwit_networks_parent_class)->finalize(object);
}

static void godwit_networks_class_init(GodwitNetworksClass *class)
{
    G_OBJECT_CLASS(class)->dispose = godwit_networks_dispose;
    G_OBJECT_CLASS(class)->finalize = godwit_networks_finalize;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void godwit_networks_init(GodwitNetworks *networks)
{
    networks->joining = g_strdup(NOTHING);
    networks->current = g_strdup("");
    networks->known = g_ptr_array_new_with_free_func(free_network);
}

GodwitNetworks *godwit_networks_new(void)
{
    return g_object_new(GODWIT_TYPE_NETWORKS, NULL);
}
