/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/manager.h"

#include "daemon/connect_options.h"
#include "daemon/names.h"
#include "daemon/system_profiles.h"
#include "daemon/wire_profile.h"
#include "generated/vpn1-info.h"

#define API_VERSION 1

struct manager {
    struct sessions *sessions;       /* borrowed */
    struct subscribers *subscribers; /* borrowed */
    struct properties *properties;
};

/* ---- connecting ---- */

struct connecting { /* what a request asks for */
    struct profile *profile;
    char *system_profile; /* NULL = none */
    struct connect_options options;
};

static void connecting_free(gpointer data)
{
    struct connecting *connecting = data;
    profile_free(connecting->profile);
    g_free(connecting->system_profile);
    g_free(connecting);
}

static const char *name_of(const struct connecting *connecting)
{
    return profile_is_set(connecting->profile, "name") ? profile_get(connecting->profile, "name")
           : connecting->system_profile                ? connecting->system_profile
                                        : profile_get(connecting->profile, "gateway");
}

static void start(struct request *request)
{
    struct manager *manager = request->context;
    const struct connecting *connecting = request->data;
    g_autoptr(GError) error = NULL;
    const struct session_wish wish = {
        .name = name_of(connecting),
        .origin = connecting->options.origin,
        .system_profile = connecting->system_profile ? connecting->system_profile : "",
        .profile = connecting->profile,
        .owner =
            connecting->options.has_owner ? connecting->options.owner : request->caller->user->uid,
        .trace = connecting->options.trace,
        .configures_host = connecting->options.configures_host,
        .bound_to = connecting->options.bound ? request->caller : NULL,
    };
    if (request->caller->user->uid != 0 && !user_takes_start(request->caller->user)) {
        request_fail(request, "TooMany", "You begin connections too fast; wait a second.");
        return;
    }
    struct session_object *object = sessions_start(manager->sessions, &wish, &error);
    if (!object) {
        request_fail(request,
                     g_error_matches(error, SESSIONS_ERROR, SESSIONS_ERROR_STOPPING) ? "Busy"
                                                                                     : "TooMany",
                     "%s", error->message);
        return;
    }
    request_return(request, g_variant_new("(o)", session_object_path(object)));
}

/* FALSE: the request is answered. */
static gboolean read_options(struct request *request, GVariant *dict)
{
    struct connecting *connecting = request->data;
    g_autoptr(GError) error = NULL;
    if (!connect_options_read(&connecting->options, dict, &error)) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS, "%s", error->message);
        return FALSE;
    }
    if (connecting->options.has_owner && request->caller->user->uid != 0) {
        request_fail(request, "NotAuthorized", "Only root begins connections for others.");
        return FALSE;
    }
    return TRUE;
}

static void call_connect(struct request *request)
{
    g_autoptr(GVariant) dict = NULL, options = NULL;
    g_autoptr(GError) error = NULL;
    const char *name;
    struct connecting *connecting = g_new0(struct connecting, 1);
    request->data = connecting;
    request->free_data = connecting_free;
    GDBusMessage *message = g_dbus_method_invocation_get_message(request->invocation);
    g_variant_get(request_arguments(request), "(&s@a{sv}@a{sv})", &name, &dict, &options);
    if (!read_options(request, options)) {
        return;
    }
    connecting->profile = wire_profile(dict, g_dbus_message_get_unix_fd_list(message), &error);
    if (!connecting->profile || !profile_validate(connecting->profile, &error) ||
        (*name != '\0' && !profile_set(connecting->profile, "name", name, NULL, &error))) {
        request_fail(request, "InvalidProfile", "%s", error->message);
        return;
    }
    request_authorise(
        request, connecting->options.configures_host ? ACTION_CONNECT : ACTION_CONFIGURE_ELSEWHERE,
        start);
}

/* Once it is allowed: what a file of /etc/godwit holds is nobody else's business. */
static void start_system(struct request *request)
{
    struct connecting *connecting = request->data;
    g_autoptr(GError) error = NULL;
    connecting->profile = system_profile_load(connecting->system_profile, &error);
    if (connecting->profile) {
        start(request);
    } else {
        request_fail(request, "InvalidProfile", "%s", error->message);
    }
}

static void fail_unknown_profile(struct request *request, const char *name)
{
    request_fail(request, "NotFound", "There is no profile \"%.64s\" in %s/godwit.",
                 system_profile_is_name(name) ? name : "?", SYSCONFDIR);
}

static void call_connect_system(struct request *request)
{
    g_autoptr(GVariant) options = NULL;
    const char *name;
    struct connecting *connecting = g_new0(struct connecting, 1);
    request->data = connecting;
    request->free_data = connecting_free;
    g_variant_get(request_arguments(request), "(&s@a{sv})", &name, &options);
    if (!read_options(request, options)) {
        return;
    }
    if (!system_profile_exists(name)) {
        fail_unknown_profile(request, name);
    } else if (!connecting->options.configures_host) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS,
                          "The service itself configures the host for its own profiles.");
    } else {
        connecting->system_profile = g_strdup(name);
        request_authorise(request, ACTION_CONNECT_SYSTEM, start_system);
    }
}

/* ---- system profiles ---- */

static void call_list_system_profiles(struct request *request)
{
    GVariantBuilder builder;
    g_auto(GStrv) names = system_profile_names();
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sa{sv}s)"));
    for (char **name = names; *name; name++) {
        g_autoptr(GError) error = NULL;
        struct profile *profile = system_profile_load(*name, &error);
        g_variant_builder_add(&builder, "(s@a{sv}s)", *name,
                              profile ? system_profile_public(profile)
                                      : g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0),
                              error ? error->message : "");
        profile_free(profile);
    }
    request_return(request, g_variant_new("(a(sa{sv}s))", &builder));
}

struct saving {
    char *name;
    struct profile *profile;
    gboolean replace;
};

static void saving_free(gpointer data)
{
    struct saving *saving = data;
    profile_free(saving->profile);
    g_free(saving->name);
    g_free(saving);
}

static void save(struct request *request)
{
    const struct saving *saving = request->data;
    g_autoptr(GError) error = NULL;
    if (!saving->replace && system_profile_exists(saving->name)) {
        request_fail(request, "Busy", "There is a profile \"%s\" already.", saving->name);
    } else if (!system_profile_save(saving->name, saving->profile, &error)) {
        request_fail(request,
                     g_error_matches(error, PROFILE_ERROR, PROFILE_ERROR_FILE) ? "HostConfig"
                                                                               : "InvalidProfile",
                     "%s", error->message);
    } else {
        request_return(request, NULL);
    }
}

static void call_save_system_profile(struct request *request)
{
    g_autoptr(GVariant) dict = NULL;
    g_autoptr(GError) error = NULL;
    GDBusMessage *message = g_dbus_method_invocation_get_message(request->invocation);
    struct saving *saving = g_new0(struct saving, 1);
    request->data = saving;
    request->free_data = saving_free;
    g_variant_get(request_arguments(request), "(s@a{sv}b)", &saving->name, &dict, &saving->replace);
    if (!system_profile_is_name(saving->name)) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS, "That is no name for a profile.");
        return;
    }
    saving->profile = wire_profile(dict, g_dbus_message_get_unix_fd_list(message), &error);
    if (!saving->profile) {
        request_fail(request, "InvalidProfile", "%s", error->message);
        return;
    }
    request_authorise(request, ACTION_SYSTEM_PROFILES, save);
}

static void delete (struct request *request)
{
    g_autoptr(GError) error = NULL;
    const char *name;
    g_variant_get(request_arguments(request), "(&s)", &name);
    if (!system_profile_exists(name)) {
        fail_unknown_profile(request, name);
    } else if (!system_profile_delete(name, &error)) {
        request_fail(request, "HostConfig", "%s", error->message);
    } else {
        request_return(request, NULL);
    }
}

static void call_delete_system_profile(struct request *request)
{
    request_authorise(request, ACTION_SYSTEM_PROFILES, delete);
}

/* ---- all of it ---- */

void manager_call(struct manager *manager, struct request *request)
{
    static const struct {
        const char *name;
        request_step call;
    } methods[] = {
        {"Connect", call_connect},
        {"ConnectSystem", call_connect_system},
        {"ListSystemProfiles", call_list_system_profiles},
        {"SaveSystemProfile", call_save_system_profile},
        {"DeleteSystemProfile", call_delete_system_profile},
    };
    const char *name = g_dbus_method_invocation_get_method_name(request->invocation);
    request->context = manager;
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (g_str_equal(methods[i].name, name)) {
            methods[i].call(request);
            return;
        }
    }
    request_fail_dbus(request, G_DBUS_ERROR_UNKNOWN_METHOD, "There is no method %s.", name);
}

struct properties *manager_properties(struct manager *manager, const struct caller *caller)
{
    properties_set(manager->properties, "OtherSessions",
                   g_variant_new_uint32(sessions_hidden_from(manager->sessions, caller)));
    return manager->properties;
}

struct manager *manager_new(struct sessions *sessions, struct subscribers *subscribers)
{
    struct manager *manager = g_new0(struct manager, 1);
    manager->sessions = sessions;
    manager->subscribers = subscribers;
    manager->properties = properties_new(&org_godwit_vpn1_manager_interface);
    properties_set(manager->properties, "Version", g_variant_new_string(PACKAGE_VERSION));
    properties_set(manager->properties, "ApiVersion", g_variant_new_uint32(API_VERSION));
    properties_set(manager->properties, "Connectivity", g_variant_new_string("unknown"));
    return manager;
}

void manager_free(struct manager *manager)
{
    if (manager) {
        properties_free(manager->properties);
        g_free(manager);
    }
}
