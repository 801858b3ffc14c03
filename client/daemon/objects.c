/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/objects.h"

#include "common/vpn1.h"
#include "daemon/actions.h"
#include "generated/vpn1-info.h"
#include "session/kill_switch.h"

struct objects {
    GDBusConnection *bus;
    struct requests *requests;
    struct manager *manager;
    struct sessions *sessions;
    struct subscribers *subscribers;
    GDBusNodeInfo *object_manager;
    guint registered[2], subtree;
};

static const char object_manager_xml[] =
    "<node><interface name='" DBUS_OBJECT_MANAGER "'>"
    "<method name='GetManagedObjects'><arg type='a{oa{sa{sv}}}' direction='out'/></method>"
    "<signal name='InterfacesAdded'><arg type='o'/><arg type='a{sa{sv}}'/></signal>"
    "<signal name='InterfacesRemoved'><arg type='o'/><arg type='as'/></signal>"
    "</interface></node>";

static const char *method_of(const struct request *request)
{
    return g_dbus_method_invocation_get_method_name(request->invocation);
}

static const char *interface_of(const struct request *request)
{
    return g_dbus_method_invocation_get_interface_name(request->invocation);
}

/* ---- org.freedesktop.DBus.Properties ---- */

/* Takes the floating a{sv}. */
static void call_properties(GVariant *all, struct request *request)
{
    g_autoptr(GVariant) properties = g_variant_ref_sink(all);
    g_autoptr(GVariant) value = NULL;
    const char *name;
    if (g_str_equal(method_of(request), "GetAll")) {
        request_return(request, g_variant_new("(@a{sv})", properties));
        return;
    }
    g_variant_get_child(request_arguments(request), 1, "&s", &name);
    value = g_variant_lookup_value(properties, name, NULL);
    if (g_str_equal(method_of(request), "Get") && value) {
        request_return(request, g_variant_new("(v)", value));
    } else {
        request_fail_dbus(request, G_DBUS_ERROR_PROPERTY_READ_ONLY,
                          "The properties are not for writing.");
    }
}

/* ---- /org/godwit/VPN1 ---- */

static void list_objects(struct request *request)
{
    struct objects *objects = request->context;
    GVariantBuilder builder;
    if (!subscribers_add(objects->subscribers, request->caller)) {
        request_fail(request, "TooMany", "Too many programs of yours listen already.");
        return;
    }
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
    g_variant_builder_add(
        &builder, "{o@a{sa{sv}}}", VPN1_PATH,
        g_variant_new_parsed("{%s: %@a{sv}}", VPN1_MANAGER_INTERFACE,
                             manager_properties(objects->manager, request->caller)));
    sessions_list(objects->sessions, request->caller, &builder);
    request_return(request, g_variant_new("(a{oa{sa{sv}}})", &builder));
}

static void list_all_objects(struct request *request)
{
    request->caller->manages = TRUE;
    list_objects(request);
}

static void on_manager_known(struct request *request)
{
    struct objects *objects = request->context;
    const char *interface = interface_of(request);
    if (g_str_equal(interface, DBUS_PROPERTIES)) {
        call_properties(manager_properties(objects->manager, request->caller), request);
    } else if (g_str_equal(interface, DBUS_OBJECT_MANAGER)) {
        request_ask(request, ACTION_MANAGE_OTHERS, list_all_objects, list_objects);
    } else {
        manager_call(objects->manager, request);
    }
}

static void on_manager_call(GDBusConnection *bus, const char *sender, const char *path,
                            const char *interface, const char *method, GVariant *arguments,
                            GDBusMethodInvocation *invocation, gpointer data)
{
    struct objects *objects = data;
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)method;
    (void)arguments;
    request_begin(objects->requests, invocation, on_manager_known, objects);
}

/* ---- sessions ---- */

static struct session_object *session_of(const struct request *request)
{
    const struct objects *objects = request->context;
    const char *path = g_dbus_method_invocation_get_object_path(request->invocation);
    guint64 number;
    return g_str_has_prefix(path, VPN1_SESSIONS "/") &&
                   g_ascii_string_to_unsigned(path + strlen(VPN1_SESSIONS "/"), 10, 1, G_MAXUINT,
                                              &number, NULL)
               ? sessions_find(objects->sessions, (guint)number)
               : NULL;
}

static void fail_unknown_session(struct request *request)
{
    request_fail_dbus(request, G_DBUS_ERROR_UNKNOWN_OBJECT, "There is no such session of yours.");
}

/* The session may have ended while somebody was asked for a password. */
static void call_session(struct request *request)
{
    struct session_object *object = session_of(request);
    if (!object) {
        fail_unknown_session(request);
    } else if (g_str_equal(interface_of(request), DBUS_PROPERTIES)) {
        call_properties(properties_all(session_object_properties(object)), request);
    } else {
        session_object_call(object, request);
    }
}

/* ... of what is held for everybody. */
static gboolean lets_out(const struct request *request)
{
    return g_str_equal(interface_of(request), VPN1_SESSION_INTERFACE) &&
           g_str_equal(method_of(request), "AddProcess") && kill_switch_is_held();
}

static void on_session_known(struct request *request)
{
    const struct session_object *object = session_of(request);
    if (!object) {
        fail_unknown_session(request);
    } else if (session_object_visible_to(object, request->caller)) {
        if (lets_out(request)) {
            request_authorise(request, ACTION_KILL_SWITCH, call_session);
        } else {
            call_session(request);
        }
    } else {
        request_ask(request, ACTION_MANAGE_OTHERS, call_session, fail_unknown_session);
    }
}

static void on_session_call(GDBusConnection *bus, const char *sender, const char *path,
                            const char *interface, const char *method, GVariant *arguments,
                            GDBusMethodInvocation *invocation, gpointer data)
{
    struct objects *objects = data;
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)method;
    (void)arguments;
    request_begin(objects->requests, invocation, on_session_known, objects);
}

/* Which sessions there are is not told by introspection. */
static char **enumerate(GDBusConnection *bus, const char *sender, const char *path, gpointer data)
{
    (void)bus;
    (void)sender;
    (void)path;
    (void)data;
    return g_new0(char *, 1);
}

static GDBusInterfaceInfo **introspect(GDBusConnection *bus, const char *sender, const char *path,
                                       const char *node, gpointer data)
{
    GDBusInterfaceInfo **interfaces = g_new0(GDBusInterfaceInfo *, 2);
    (void)bus;
    (void)sender;
    (void)path;
    (void)data;
    if (node) {
        interfaces[0] =
            g_dbus_interface_info_ref((GDBusInterfaceInfo *)&org_godwit_vpn1_session_interface);
    }
    return interfaces;
}

static const GDBusInterfaceVTable *dispatch(GDBusConnection *bus, const char *sender,
                                            const char *path, const char *interface,
                                            const char *node, gpointer *out, gpointer data)
{
    static const GDBusInterfaceVTable table = {.method_call = on_session_call};
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    *out = data;
    return node ? &table : NULL;
}

/* ---- all of them ---- */

static gboolean add_objects(struct objects *objects, GError **error)
{
    static const GDBusInterfaceVTable table = {.method_call = on_manager_call};
    static const GDBusSubtreeVTable tree = {
        .enumerate = enumerate, .introspect = introspect, .dispatch = dispatch};
    GDBusInterfaceInfo *const infos[] = {
        (GDBusInterfaceInfo *)&org_godwit_vpn1_manager_interface,
        objects->object_manager->interfaces[0],
    };
    for (gsize i = 0; i < G_N_ELEMENTS(infos); i++) {
        objects->registered[i] = g_dbus_connection_register_object(
            objects->bus, VPN1_PATH, infos[i], &table, objects, NULL, error);
        if (objects->registered[i] == 0) {
            return FALSE;
        }
    }
    objects->subtree = g_dbus_connection_register_subtree(
        objects->bus, VPN1_SESSIONS, &tree, G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
        objects, NULL, error);
    return objects->subtree != 0;
}

struct objects *objects_new(GDBusConnection *bus, struct requests *requests,
                            struct manager *manager, struct sessions *sessions,
                            struct subscribers *subscribers, GError **error)
{
    struct objects *objects = g_new0(struct objects, 1);
    objects->bus = g_object_ref(bus);
    objects->requests = requests;
    objects->manager = manager;
    objects->sessions = sessions;
    objects->subscribers = subscribers;
    objects->object_manager = g_dbus_node_info_new_for_xml(object_manager_xml, error);
    if (!objects->object_manager || !add_objects(objects, error)) {
        g_clear_pointer(&objects, objects_free);
    }
    return objects;
}

void objects_free(struct objects *objects)
{
    if (!objects) {
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(objects->registered); i++) {
        if (objects->registered[i]) {
            g_dbus_connection_unregister_object(objects->bus, objects->registered[i]);
        }
    }
    if (objects->subtree) {
        g_dbus_connection_unregister_subtree(objects->bus, objects->subtree);
    }
    g_clear_pointer(&objects->object_manager, g_dbus_node_info_unref);
    g_object_unref(objects->bus);
    g_free(objects);
}
