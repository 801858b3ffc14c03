/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/manager_private.h"

#include "common/vpn1.h"
#include "daemon/actions.h"
#include "daemon/connect_options.h"
#include "daemon/system_profiles.h"
#include "daemon/wire_profile.h"
#include "generated/vpn1-info.h"
#include "session/lent.h"
#include "session/session.h"

#define API_VERSION 1
#define PREPARED_MS 10000 /* for which a worker waits that nobody may want */

/* ---- connecting ---- */

struct connecting { /* what a request asks for */
    struct manager *manager;
    struct worker *worker; /* started while polkit is asked; NULL = none is */
    gboolean prepares;     /* it is the one that may have one */
    struct profile *profile;
    char *system_profile; /* NULL = none */
    struct connect_options options;
    GVariant *lent; /* what is to go on, with options.interface; NULL = nothing */
};

static void connecting_free(gpointer data)
{
    struct connecting *connecting = data;
    if (connecting->prepares) {
        connecting->manager->preparing = FALSE;
    }
    worker_free(connecting->worker);
    profile_free(connecting->profile);
    g_free(connecting->system_profile);
    g_clear_pointer(&connecting->lent, g_variant_unref);
    g_free(connecting);
}

static struct connecting *connecting_new(struct request *request)
{
    struct connecting *connecting = g_new0(struct connecting, 1);
    connecting->manager = request->context;
    request->data = connecting;
    request->free_data = connecting_free;
    return connecting;
}

static const char *name_of(const struct connecting *connecting)
{
    return profile_is_set(connecting->profile, "name") ? profile_get(connecting->profile, "name")
           : connecting->system_profile                ? connecting->system_profile
                                        : profile_get(connecting->profile, "gateway");
}

/* NULL = ours. */
static const char *language_of(const struct connecting *connecting)
{
    return *connecting->options.language ? connecting->options.language : NULL;
}

static uid_t owner_of(const struct request *request)
{
    const struct connecting *connecting = request->data;
    return connecting->options.has_owner ? connecting->options.owner : request->caller->user->uid;
}

/* If it has to be. FALSE: the request is answered. */
static gboolean is_the_only_one(struct request *request)
{
    const struct connecting *connecting = request->data;
    const char *system = connecting->system_profile;
    const char *name = system ? system : name_of(connecting);
    gboolean twice = connecting->options.once && sessions_has(connecting->manager->sessions,
                                                              owner_of(request), name, system);
    if (twice) {
        request_fail(request, "AlreadyConnected", "\"%s\" is connected, or about to be.", name);
    }
    return !twice;
}

/*
 * A worker takes its time to start, and polkit to answer. It has no rights and is told nothing before the
 * answer. One at a time, and counted as a connection begun: whoever may not begin one cannot make us
 * start many.
 */
static void prepare(struct request *request)
{
    struct connecting *connecting = request->data;
    if (!connecting->manager->preparing) {
        connecting->prepares = TRUE;
        connecting->manager->preparing = TRUE;
        connecting->worker = worker_start(WORKER_TUNNEL, language_of(connecting), NULL);
    }
}

static void authorise(struct request *request, const char *action, request_step allowed)
{
    struct user *user = request->caller->user;
    if (!is_the_only_one(request)) {
        return;
    }
    if (user->uid != 0 && !user_takes_start(user)) {
        request_fail(request, "TooMany", "You begin connections too fast; wait a second.");
        return;
    }
    request->meanwhile = prepare;
    request_authorise(request, action, allowed);
}

static void start(struct request *request)
{
    struct manager *manager = request->context;
    struct connecting *connecting = request->data;
    g_autoptr(GError) error = NULL;
    if (!is_the_only_one(request)) {
        return; /* another call came first, while polkit was asked */
    }
    if (!connecting->worker && !language_of(connecting) && request->caller->user->uid == 0) {
        connecting->worker = spare_take(manager->spare);
    }
    const struct session_wish wish = {
        .name = name_of(connecting),
        .origin = connecting->options.origin,
        .language = language_of(connecting),
        .system_profile = connecting->system_profile ? connecting->system_profile : "",
        .profile = connecting->profile,
        .owner = owner_of(request),
        .trace = connecting->options.trace,
        .configures_host = connecting->options.configures_host,
        .bound_to = connecting->options.bound ? request->caller : NULL,
        .worker = &connecting->worker,
        .interface = connecting->options.interface,
        .lent = connecting->lent,
        .keeper = request->caller->user->uid,
    };
    if (connecting->options.listen && !subscribers_add(manager->subscribers, request->caller)) {
        request_fail(request, "TooMany", "Too many programs of yours listen already.");
        return;
    }
    struct session_object *object = sessions_add(manager->sessions, &wish, &error);
    if (!object) {
        request_fail(request,
                     g_error_matches(error, SESSIONS_ERROR, SESSIONS_ERROR_STOPPING)   ? "Busy"
                     : g_error_matches(error, SESSIONS_ERROR, SESSIONS_ERROR_TOO_MANY) ? "TooMany"
                                                                                       : "NotReady",
                     "%s", error->message);
        return;
    }
    request_return(request, g_variant_new("(o)", session_object_path(object)));
    sessions_begin(manager->sessions, object);
}

/*
 * A kill switch that outlasts the connection is everybody's on this host, and so is what leaves
 * nevertheless. Root that asks for another user (NetworkManager) does so with what that one has
 * written down, and nobody can be asked whether he may.
 */
static void start_if_lasting(struct request *request)
{
    const struct manager *manager = request->context;
    const struct connecting *connecting = request->data;
    const struct profile *profile = connecting->profile;
    const struct connect_options *options = &connecting->options;
    gboolean lasting = g_strcmp0(profile_get(profile, "kill-switch"), "always") == 0;
    gboolean lets_out = holding_is_on(manager->holding) &&
                        (profile_is_set(profile, "exclude") || profile_is_set(profile, "exclude-apps"));
    if (lasting && options->has_owner && options->owner != 0) {
        request_fail(request, "NotAuthorized",
                     "Only a connection for everybody, which an administrator makes, may hold "
                     "traffic when it is not connected (kill-switch=always).");
    } else if (lasting || lets_out) {
        request_authorise(request, ACTION_KILL_SWITCH, start);
    } else {
        start(request);
    }
}

/* FALSE: the request is answered. */
static gboolean read_options(struct request *request, GVariant *dict)
{
    struct connecting *connecting = request->data;
    g_autoptr(GError) error = NULL;
    GDBusMessage *message = g_dbus_method_invocation_get_message(request->invocation);
    GUnixFDList *fds = g_dbus_message_get_unix_fd_list(message);
    if (!connect_options_read(&connecting->options, dict, fds, &error)) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS, "%s", error->message);
        return FALSE;
    }
    if (connecting->options.has_owner && request->caller->user->uid != 0) {
        request_fail(request, "NotAuthorized", "Only root begins connections for others.");
        return FALSE;
    }
    if (connecting->options.state >= 0) {
        connecting->lent = lent_read(connecting->options.state, &error);
        if (!connecting->lent) {
            request_fail(request, "NotReady", "%s", error->message);
            return FALSE;
        }
    }
    return TRUE;
}

static void call_connect(struct request *request)
{
    g_autoptr(GVariant) dict = NULL, options = NULL;
    g_autoptr(GError) error = NULL;
    const char *name;
    struct connecting *connecting = connecting_new(request);
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
    if (!connecting->options.configures_host &&
        (profile_is_set(connecting->profile, "exclude-apps") ||
         profile_is_set(connecting->profile, "include-apps"))) {
        request_fail(request, "InvalidProfile",
                     "exclude-apps and include-apps need the service to configure the host.");
        return;
    }
    authorise(request,
              connecting->options.configures_host ? ACTION_CONNECT : ACTION_CONFIGURE_ELSEWHERE,
              start_if_lasting);
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

static void call_connect_system(struct request *request)
{
    g_autoptr(GVariant) options = NULL;
    const char *name;
    struct connecting *connecting = connecting_new(request);
    g_variant_get(request_arguments(request), "(&s@a{sv})", &name, &options);
    if (!read_options(request, options)) {
        return;
    }
    if (!system_profile_exists(name)) {
        manager_fail_unknown_profile(request, name);
    } else if (!connecting->options.configures_host) {
        request_fail_dbus(request, G_DBUS_ERROR_INVALID_ARGS,
                          "The service itself configures the host for its own profiles.");
    } else {
        connecting->system_profile = g_strdup(name);
        authorise(request, ACTION_CONNECT_SYSTEM, start_system);
    }
}

static void call_prepare(struct request *request)
{
    const struct manager *manager = request->context;
    if (request->caller->user->uid != 0) {
        request_fail(request, "NotAuthorized", "Only root prepares connections.");
        return;
    }
    spare_prepare(manager->spare);
    request_return(request, NULL);
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
        {"Prepare", call_prepare},
        {"ListSystemProfiles", manager_call_list_system_profiles},
        {"SaveSystemProfile", manager_call_save_system_profile},
        {"DeleteSystemProfile", manager_call_delete_system_profile},
        {"SetKillSwitch", manager_call_set_kill_switch},
        {"AllowPortal", manager_call_allow_portal},
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

/* ---- properties ---- */

static void publish(struct manager *manager)
{
    GVariant *changes = properties_take_changes(manager->properties);
    if (changes) {
        subscribers_emit(manager->subscribers, NULL, NULL, VPN1_PATH, DBUS_PROPERTIES,
                         "PropertiesChanged", changes);
    }
}

void manager_refresh(struct manager *manager)
{
    holding_follow(manager->holding);
    properties_set(manager->properties, "KillSwitchAlways",
                   g_variant_new_boolean(holding_is_on(manager->holding)));
    properties_set(manager->properties, "KillSwitchExcepted",
                   g_variant_new_strv(holding_excepted(manager->holding), -1));
    publish(manager);
}

gboolean manager_holds_traffic(const struct manager *manager)
{
    return holding_is_on(manager->holding);
}

static const char *connectivity_name(enum connectivity connectivity)
{
    switch (connectivity) {
    case CONNECTIVITY_UNKNOWN:
        break;
    case CONNECTIVITY_NONE:
        return "none";
    case CONNECTIVITY_PORTAL:
        return "portal";
    case CONNECTIVITY_LIMITED:
        return "limited";
    case CONNECTIVITY_FULL:
        return "full";
    }
    return "unknown";
}

void manager_set_connectivity(struct manager *manager, enum connectivity connectivity)
{
    properties_set(manager->properties, "Connectivity",
                   g_variant_new_string(connectivity_name(connectivity)));
    publish(manager);
}

static gboolean is_of_user(const void *context, const struct caller *caller)
{
    return caller->user->uid == *(const uid_t *)context;
}

void manager_tell_portal(struct manager *manager, uid_t uid)
{
    GVariantBuilder changed;
    g_variant_builder_init(&changed, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&changed, "{sv}", "PortalAllowedUntil",
                          g_variant_new_uint64(portals_until(manager->portals, uid)));
    subscribers_emit(manager->subscribers, is_of_user, &uid, VPN1_PATH, DBUS_PROPERTIES,
                     "PropertiesChanged",
                     g_variant_new("(sa{sv}as)", VPN1_MANAGER_INTERFACE, &changed, NULL));
}

static void on_portal_over(void *context, uid_t uid)
{
    manager_tell_portal(context, uid);
}

GVariant *manager_properties(struct manager *manager, const struct caller *caller)
{
    g_autoptr(GVariant) all = g_variant_ref_sink(properties_all(manager->properties));
    GVariantDict own;
    g_variant_dict_init(&own, all);
    g_variant_dict_insert(&own, "OtherSessions", "u",
                          sessions_hidden_from(manager->sessions, caller));
    g_variant_dict_insert(&own, "PortalAllowedUntil", "t",
                          portals_until(manager->portals, caller->user->uid));
    return g_variant_dict_end(&own);
}

struct manager *manager_new(struct sessions *sessions, struct subscribers *subscribers)
{
    struct manager *manager = g_new0(struct manager, 1);
    manager->sessions = sessions;
    manager->subscribers = subscribers;
    manager->holding = holding_new();
    manager->portals = portals_new(on_portal_over, manager);
    manager->spare = spare_new(PREPARED_MS);
    manager->properties = properties_new(&org_godwit_vpn1_manager_interface);
    properties_set(manager->properties, "Version", g_variant_new_string(PACKAGE_VERSION));
    properties_set(manager->properties, "ApiVersion", g_variant_new_uint32(API_VERSION));
    properties_set(manager->properties, "Connectivity", g_variant_new_string("unknown"));
    manager_refresh(manager);
    return manager;
}

void manager_free(struct manager *manager)
{
    if (manager) {
        holding_free(manager->holding);
        portals_free(manager->portals);
        spare_free(manager->spare);
        properties_free(manager->properties);
        g_free(manager);
    }
}
