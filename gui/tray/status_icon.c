/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/tray/status_icon.h"

#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/vpn1.h"
#include "gui/questions/shown.h"
#include "gui/tray/pixmaps.h"

#define ITEM "org.kde.StatusNotifierItem"
#define ITEM_PATH "/StatusNotifierItem"
#define WATCHER "org.kde.StatusNotifierWatcher"
#define WATCHER_PATH "/StatusNotifierWatcher"
#define AN_ICON "icons/hicolor/symbolic/apps/godwit-on-symbolic.svg"

struct status_icon {
    GDBusConnection *bus;
    const struct status_icon_ops *ops;
    void *context;
    char *menu, *name; /* name: ours on the bus */
    enum godwit_state state;
    char *tip;
    char *token; /* lets a window come to the front; NULL = none has been given */
    GVariant *pixmaps[GODWIT_STATES]; /* as they are asked for */
    GDBusProxy *watcher; /* NULL while there is none */
    GCancellable *over;
    guint object, owner, watch;
    gboolean named;
};

static const char item_xml[] =
    "<node><interface name='" ITEM "'>"
    "<method name='Activate'><arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
    "<method name='SecondaryActivate'><arg type='i' direction='in'/>"
    "<arg type='i' direction='in'/></method>"
    "<method name='ContextMenu'><arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
    "<method name='ProvideXdgActivationToken'><arg type='s' direction='in'/></method>"
    "<method name='Scroll'><arg type='i' direction='in'/><arg type='s' direction='in'/></method>"
    "<signal name='NewTitle'/><signal name='NewIcon'/><signal name='NewAttentionIcon'/>"
    "<signal name='NewToolTip'/><signal name='NewIconAccessibleDesc'/>"
    "<signal name='NewStatus'><arg type='s'/></signal>"
    "<property name='Category' type='s' access='read'/>"
    "<property name='Id' type='s' access='read'/>"
    "<property name='Title' type='s' access='read'/>"
    "<property name='Status' type='s' access='read'/>"
    "<property name='WindowId' type='i' access='read'/>"
    "<property name='IconThemePath' type='s' access='read'/>"
    "<property name='IconName' type='s' access='read'/>"
    "<property name='IconPixmap' type='a(iiay)' access='read'/>"
    "<property name='IconAccessibleDesc' type='s' access='read'/>"
    "<property name='OverlayIconName' type='s' access='read'/>"
    "<property name='AttentionIconName' type='s' access='read'/>"
    "<property name='AttentionIconPixmap' type='a(iiay)' access='read'/>"
    "<property name='ToolTip' type='(sa(iiay)ss)' access='read'/>"
    "<property name='ItemIsMenu' type='b' access='read'/>"
    "<property name='Menu' type='o' access='read'/>"
    "</interface></node>";

/* ---- what it says ---- */

static const char *status_of(const struct status_icon *icon)
{
    return icon->state == GODWIT_ATTENTION ? "NeedsAttention" : "Active";
}

/* Whether hosts find our drawings by name. Where they do not, some show a drawing of their own for
 * it, others nothing; pictures that come without a name they all show. */
static gboolean hosts_know_names(void)
{
    gboolean known = FALSE;

    for (const char *const *dir = g_get_system_data_dirs(); *dir != NULL && !known; dir++) {
        g_autofree char *path = g_build_filename(*dir, AN_ICON, NULL);

        known = g_file_test(path, G_FILE_TEST_EXISTS);
    }
    return known;
}

static GVariant *icon_name(enum godwit_state state)
{
    return hosts_know_names() ? g_variant_new_printf("godwit-%s-symbolic", godwit_state_name(state))
                              : g_variant_new_string("");
}

static GVariant *pixmaps(struct status_icon *icon, enum godwit_state state)
{
    if (icon->pixmaps[state] == NULL) {
        icon->pixmaps[state] = g_variant_ref_sink(pixmaps_of(state));
    }
    return g_variant_ref(icon->pixmaps[state]);
}

/* All of it is the title: LXQt shows nothing else. Xfce adds a description that is another text. */
static GVariant *tooltip(const struct status_icon *icon)
{
    return g_variant_new("(s@a(iiay)ss)", "", g_variant_new_array(G_VARIANT_TYPE("(iiay)"), NULL, 0),
                         icon->tip, "");
}

static GVariant *on_get(GDBusConnection *bus, const char *sender, const char *path,
                        const char *interface, const char *name, GError **error, gpointer data)
{
    struct status_icon *icon = data;

    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)error;
    return strcmp(name, "Category") == 0              ? g_variant_new_string("SystemServices")
           : strcmp(name, "Id") == 0                  ? g_variant_new_string("godwit-tray")
           : strcmp(name, "Title") == 0               ? g_variant_new_string("Godwit")
           : strcmp(name, "Status") == 0              ? g_variant_new_string(status_of(icon))
           : strcmp(name, "WindowId") == 0            ? g_variant_new_int32(0)
           : strcmp(name, "IconName") == 0            ? icon_name(icon->state)
           : strcmp(name, "IconPixmap") == 0          ? pixmaps(icon, icon->state)
           : strcmp(name, "IconAccessibleDesc") == 0  ? g_variant_new_string(icon->tip)
           : strcmp(name, "AttentionIconName") == 0   ? icon_name(GODWIT_ATTENTION)
           : strcmp(name, "AttentionIconPixmap") == 0 ? pixmaps(icon, GODWIT_ATTENTION)
           : strcmp(name, "ToolTip") == 0             ? tooltip(icon)
           : strcmp(name, "ItemIsMenu") == 0          ? g_variant_new_boolean(FALSE)
           : strcmp(name, "Menu") == 0                ? g_variant_new_object_path(icon->menu)
                                                      : g_variant_new_string("");
}

static void on_call(GDBusConnection *bus, const char *sender, const char *path,
                    const char *interface, const char *method, GVariant *arguments,
                    GDBusMethodInvocation *invocation, gpointer data)
{
    struct status_icon *icon = data;

    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    g_dbus_method_invocation_return_value(invocation, NULL);
    if (strcmp(method, "ProvideXdgActivationToken") == 0) {
        g_free(icon->token);
        g_variant_get(arguments, "(s)", &icon->token);
    } else if (strcmp(method, "Activate") == 0) {
        g_autofree char *token = g_steal_pointer(&icon->token);

        icon->ops->activated(icon->context, token);
    } else if (strcmp(method, "SecondaryActivate") == 0) {
        icon->ops->toggled(icon->context);
    }
}

static void tell(const struct status_icon *icon, const char *signal, GVariant *arguments)
{
    (void)g_dbus_connection_emit_signal(icon->bus, NULL, ITEM_PATH, ITEM, signal, arguments, NULL);
}

void status_icon_set(struct status_icon *icon, enum godwit_state state, const char *tip)
{
    g_autofree char *harmless = shown_unmarked(tip);

    if (strcmp(icon->tip, harmless) != 0) {
        g_free(icon->tip);
        icon->tip = g_steal_pointer(&harmless);
        tell(icon, "NewToolTip", NULL);
        tell(icon, "NewIconAccessibleDesc", NULL); /* heard by GNOME's extension alone */
    }
    if (icon->state != state) {
        gboolean was_attention = icon->state == GODWIT_ATTENTION;

        icon->state = state;
        tell(icon, "NewIcon", NULL);
        if (was_attention || state == GODWIT_ATTENTION) {
            tell(icon, "NewStatus", g_variant_new("(s)", status_of(icon)));
        }
    }
}

/* ---- who shows it ---- */

gboolean status_icon_is_hosted(const struct status_icon *icon)
{
    g_autoptr(GVariant) hosted =
        icon->watcher == NULL
            ? NULL
            : g_dbus_proxy_get_cached_property(icon->watcher, "IsStatusNotifierHostRegistered");

    return hosted != NULL && g_variant_is_of_type(hosted, G_VARIANT_TYPE_BOOLEAN) &&
           g_variant_get_boolean(hosted);
}

static void offer(struct status_icon *icon)
{
    if (icon->watcher != NULL && icon->named) {
        g_dbus_proxy_call(icon->watcher, "RegisterStatusNotifierItem",
                          g_variant_new("(s)", icon->name), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                          icon->over, NULL, NULL);
    }
}

static void on_hosted_known(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, &error);
    struct status_icon *icon = data;
    g_autoptr(GVariant) hosted = NULL;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        return;
    }
    if (reply != NULL && g_variant_is_of_type(reply, G_VARIANT_TYPE("(v)"))) {
        g_variant_get(reply, "(v)", &hosted);
        g_dbus_proxy_set_cached_property(G_DBUS_PROXY(source), "IsStatusNotifierHostRegistered",
                                         hosted);
    }
    icon->ops->hosted(icon->context);
}

/* Watchers tell of hosts by signals of their own, not by the one for properties. */
static void on_watcher_signal(GDBusProxy *watcher, const char *sender, const char *name,
                              GVariant *arguments, gpointer data)
{
    struct status_icon *icon = data;

    (void)sender;
    (void)arguments;
    if (g_str_has_prefix(name, "StatusNotifierHost")) {
        g_dbus_proxy_call(watcher, DBUS_PROPERTIES ".Get",
                          g_variant_new("(ss)", WATCHER, "IsStatusNotifierHostRegistered"),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, icon->over, on_hosted_known, icon);
    }
}

static void on_watcher_properties(struct status_icon *icon)
{
    icon->ops->hosted(icon->context);
}

static void on_watcher(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    GDBusProxy *watcher = g_dbus_proxy_new_finish(result, &error);
    struct status_icon *icon = data;

    (void)source;
    if (watcher == NULL) {
        return;
    }
    if (icon->watcher != NULL) {
        g_object_unref(watcher);
        return;
    }
    icon->watcher = watcher;
    g_signal_connect(watcher, "g-signal", G_CALLBACK(on_watcher_signal), icon);
    g_signal_connect_swapped(watcher, "g-properties-changed", G_CALLBACK(on_watcher_properties),
                             icon);
    offer(icon);
    icon->ops->hosted(icon->context);
}

static void on_watcher_appeared(GDBusConnection *bus, const char *name, const char *owner,
                                gpointer data)
{
    struct status_icon *icon = data;

    (void)name;
    g_dbus_proxy_new(bus, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, NULL, owner, WATCHER_PATH, WATCHER,
                     icon->over, on_watcher, icon);
}

static void drop_watcher(struct status_icon *icon)
{
    if (icon->watcher != NULL) {
        g_signal_handlers_disconnect_by_data(icon->watcher, icon);
        g_clear_object(&icon->watcher);
    }
}

static void on_watcher_vanished(GDBusConnection *bus, const char *name, gpointer data)
{
    struct status_icon *icon = data;

    (void)bus;
    (void)name;
    drop_watcher(icon);
    icon->ops->hosted(icon->context);
}

static void on_named(GDBusConnection *bus, const char *name, gpointer data)
{
    struct status_icon *icon = data;

    (void)bus;
    (void)name;
    icon->named = TRUE;
    offer(icon);
}

/* ---- life ---- */

struct status_icon *status_icon_new(GDBusConnection *bus, const char *menu,
                                    const struct status_icon_ops *ops, void *context)
{
    static const GDBusInterfaceVTable table = {.method_call = on_call, .get_property = on_get};
    g_autoptr(GDBusNodeInfo) info = g_dbus_node_info_new_for_xml(item_xml, NULL);
    struct status_icon *icon = g_new0(struct status_icon, 1);

    icon->bus = g_object_ref(bus);
    icon->ops = ops;
    icon->context = context;
    icon->menu = g_strdup(menu);
    icon->name = g_strdup_printf(ITEM "-%d-1", getpid());
    icon->tip = g_strdup("Godwit");
    icon->over = g_cancellable_new();
    icon->object = g_dbus_connection_register_object(bus, ITEM_PATH, info->interfaces[0], &table, icon,
                                                     NULL, NULL);
    if (icon->object == 0) {
        status_icon_free(icon);
        return NULL;
    }
    icon->owner = g_bus_own_name_on_connection(bus, icon->name, G_BUS_NAME_OWNER_FLAGS_NONE, on_named,
                                               NULL, icon, NULL);
    icon->watch = g_bus_watch_name_on_connection(bus, WATCHER, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                 on_watcher_appeared, on_watcher_vanished, icon, NULL);
    return icon;
}

void status_icon_free(struct status_icon *icon)
{
    if (icon == NULL) {
        return;
    }
    g_cancellable_cancel(icon->over);
    g_clear_handle_id(&icon->watch, g_bus_unwatch_name);
    g_clear_handle_id(&icon->owner, g_bus_unown_name);
    drop_watcher(icon);
    if (icon->object != 0) {
        g_dbus_connection_unregister_object(icon->bus, icon->object);
    }
    for (int i = 0; i < GODWIT_STATES; i++) {
        g_clear_pointer(&icon->pixmaps[i], g_variant_unref);
    }
    g_object_unref(icon->over);
    g_object_unref(icon->bus);
    g_free(icon->menu);
    g_free(icon->name);
    g_free(icon->tip);
    g_free(icon->token);
    g_free(icon);
}
