/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/world.h"

#include <string.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/vpn1.h"
#include "common/vpn1_variant.h"
#include "generated/vpn1.h"
#include "gui/editor/values.h"
#include "gui/model/link.h"
#include "gui/model/pending.h"
#include "gui/model/text.h"
#include "profile/profile.h"

#define API_VERSION 1

struct _GodwitWorld {
    GObject parent;
    GodwitLink *link;
    GListStore *sessions;
    GodwitProfiles *profiles;
    struct pending *pending;
    GPtrArray *doubtful;  /* paths of what had begun before godwitd listed its sessions */
    Vpn1Manager *manager; /* NULL unless it runs */
    gboolean holding;     /* as last known: it outlasts godwitd */
    char **excepted;
    struct godwit_failure *failure;
    gboolean failed_up; /* that connection was up nevertheless */
    guint telling;
};

enum { CHANGED, BEGAN, ENDED, FAILED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(GodwitWorld, godwit_world, G_TYPE_OBJECT)

static void check_doubtful(GodwitWorld *world);
static void check_failure(GodwitWorld *world);

static gboolean tell_changed(gpointer data)
{
    GodwitWorld *world = data;

    world->telling = 0;
    check_doubtful(world);
    check_failure(world);
    g_signal_emit(world, signals[CHANGED], 0);
    return G_SOURCE_REMOVE;
}

static void changed(GodwitWorld *world)
{
    if (world->telling == 0) {
        world->telling = g_idle_add_full(G_PRIORITY_DEFAULT, tell_changed, world, NULL);
    }
}

/* ---- failures ---- */

/* Takes it over. */
static void fail(GodwitWorld *world, struct godwit_failure *failure)
{
    godwit_failure_free(world->failure);
    world->failure = failure;
    g_free(failure->settings);
    failure->settings = godwit_profiles_dup_settings(world->profiles, failure->name);
    world->failed_up = godwit_world_is_up(world, failure->name);
    g_signal_emit(world, signals[FAILED], 0);
    changed(world);
}

const struct godwit_failure *godwit_world_get_failure(GodwitWorld *world)
{
    return world->failure;
}

void godwit_world_dismiss_failure(GodwitWorld *world)
{
    if (world->failure != NULL) {
        g_clear_pointer(&world->failure, godwit_failure_free);
        changed(world);
    }
}

/* What has worked since, whoever has begun it, is none any more. */
static void check_failure(GodwitWorld *world)
{
    gboolean up = world->failure != NULL && godwit_world_is_up(world, world->failure->name);

    if (up && !world->failed_up) {
        g_clear_pointer(&world->failure, godwit_failure_free);
    }
    world->failed_up = up;
}

/* ---- sessions ---- */

static GodwitSession *session_at(GodwitWorld *world, guint i)
{
    g_autoptr(GodwitSession) session = g_list_model_get_item(G_LIST_MODEL(world->sessions), i);

    return session; /* the list keeps it */
}

static guint n_sessions(GodwitWorld *world)
{
    return g_list_model_get_n_items(G_LIST_MODEL(world->sessions));
}

static void end_path(GodwitWorld *world, const char *title, const char *path);

/* It has appeared, or never will. */
static void forget_pending(GodwitWorld *world, const char *path)
{
    const char *title = pending_title_of(world->pending, path);

    if (title != NULL) {
        g_autofree char *copy = g_strdup(title);

        pending_forget(world->pending, copy);
        changed(world);
    }
}

static void begin_session(GodwitWorld *world, GDBusObject *object)
{
    const char *path = g_dbus_object_get_object_path(object);
    const char *title = pending_title_of(world->pending, path);
    g_autoptr(GDBusInterface) proxy = g_dbus_object_get_interface(object, VPN1_SESSION_INTERFACE);
    g_autoptr(GodwitSession) session = NULL;
    g_autofree char *origin = NULL;

    if (proxy == NULL || godwit_world_find_path(world, path) != NULL) {
        return;
    }
    if (title != NULL && pending_take_unwanted(world->pending, title)) {
        end_path(world, title, path);
    }
    forget_pending(world, path);
    session = godwit_session_new(G_DBUS_PROXY(proxy));
    g_signal_connect_object(session, "changed", G_CALLBACK(changed), world, G_CONNECT_SWAPPED);
    origin = godwit_session_dup_raw(session, "Origin");
    if (strcmp(origin, "tray") == 0) {
        godwit_session_watch_trace(session);
    }
    g_list_store_append(world->sessions, session);
    g_signal_emit(world, signals[BEGAN], 0, session);
    changed(world);
}

/* It has ended by itself; NULL = before we could see it. Takes over the failure. */
static void fail_session(GodwitWorld *world, GodwitSession *session, struct godwit_failure *failure)
{
    if (session != NULL) {
        GodwitTrace *trace = godwit_session_get_trace(session);
        g_autofree char *words = g_strdup_printf(
            "%s%s%s", failure->sentence, *failure->detail == '\0' ? "" : " ", failure->detail);

        godwit_trace_add_end(trace, words);
        g_set_object(&failure->trace, trace);
    }
    fail(world, failure);
}

static void end_session(GodwitWorld *world, GodwitSession *session)
{
    guint at;

    if (g_list_store_find(world->sessions, session, &at)) {
        g_object_ref(session);
        g_list_store_remove(world->sessions, at);
        g_signal_emit(world, signals[ENDED], 0, session);
        g_object_unref(session);
        changed(world);
    }
}

/* What the service says of the end. It may be another user's, or root may have ended it. */
static void on_ended(GodwitWorld *world, const char *path, const char *reason, const char *sentence,
                     const char *detail, const char *hint)
{
    GodwitSession *session = godwit_world_find_path(world, path);
    const char *title = pending_title_of(world->pending, path);
    g_autofree char *name =
        session == NULL ? g_strdup(title) : godwit_session_dup_raw(session, "Name");

    if (name == NULL) {
        return;
    }
    if (strcmp(reason, "user") != 0 && (session == NULL || godwit_session_is_ours(session))) {
        fail_session(world, session, godwit_failure_told(name, reason, sentence, detail, hint));
    }
    if (session != NULL) {
        end_session(world, session);
    }
    forget_pending(world, path);
}

static void fail_lost(GodwitWorld *world, GodwitSession *session, const char *name)
{
    fail_session(world, session,
                 godwit_failure_new(name, REASON_SERVICE_UNAVAILABLE, _("It ended meanwhile.")));
}

/* What the list of them lacked was over before we could hear of it. */
static void check_doubtful(GodwitWorld *world)
{
    for (guint i = 0; i < world->doubtful->len; i++) {
        const char *path = world->doubtful->pdata[i];
        g_autofree char *title = g_strdup(pending_title_of(world->pending, path));

        forget_pending(world, path);
        if (title != NULL) {
            fail_lost(world, NULL, title);
        }
    }
    g_ptr_array_set_size(world->doubtful, 0);
}

/* ---- the manager ---- */

static void read_manager(GodwitWorld *world)
{
    const char *const *excepted = vpn1_manager_get_kill_switch_excepted(world->manager);

    world->holding = vpn1_manager_get_kill_switch_always(world->manager);
    g_strfreev(world->excepted);
    world->excepted = excepted == NULL ? g_new0(char *, 1) : g_strdupv((char **)excepted);
    changed(world);
}

static void on_system_profiles(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitWorld) world = data;
    g_autoptr(GVariant) list = NULL;

    if (vpn1_manager_call_list_system_profiles_finish(VPN1_MANAGER(source), &list, result, NULL)) {
        godwit_profiles_set_system(world->profiles, list);
    }
}

static void list_system_profiles(GodwitWorld *world)
{
    if (godwit_world_get_service(world) == GODWIT_READY) {
        vpn1_manager_call_list_system_profiles(world->manager, NULL, on_system_profiles,
                                               g_object_ref(world));
    }
}

static void on_manager(GodwitWorld *world, GDBusObject *object)
{

    g_autoptr(GDBusInterface) proxy = g_dbus_object_get_interface(object, VPN1_MANAGER_INTERFACE);

    if (proxy == NULL || world->manager != NULL) {
        return;
    }
    world->manager = VPN1_MANAGER(g_object_ref(proxy));
    g_signal_connect_object(world->manager, "g-properties-changed", G_CALLBACK(read_manager), world,
                            G_CONNECT_SWAPPED);
    g_ptr_array_extend_and_steal(world->doubtful, pending_paths(world->pending));
    read_manager(world);
    list_system_profiles(world);
}

static void on_appeared(GodwitWorld *world, GDBusObject *object)
{
    if (strcmp(g_dbus_object_get_object_path(object), VPN1_PATH) == 0) {
        on_manager(world, object);
    } else {
        begin_session(world, object);
    }
}

static void on_removed(GodwitWorld *world, const char *path)
{
    GodwitSession *session = godwit_world_find_path(world, path);

    if (session != NULL) {
        end_session(world, session);
    }
    forget_pending(world, path);
}

/* godwitd is gone, or the bus; ours would have been told of the end of its sessions. */
static void on_lost(GodwitWorld *world)
{
    g_clear_object(&world->manager);
    g_ptr_array_extend_and_steal(world->doubtful, pending_paths(world->pending));
    check_doubtful(world);
    while (n_sessions(world) > 0) {
        GodwitSession *session = session_at(world, 0);

        if (godwit_session_is_ours(session)) {
            g_autofree char *name = godwit_session_dup_raw(session, "Name");

            fail_lost(world, session, name);
        }
        end_session(world, session);
    }
    changed(world);
}

/* ---- what is known ---- */

GDBusConnection *godwit_world_get_bus(GodwitWorld *world)
{
    return godwit_link_get_bus(world->link);
}

enum godwit_service godwit_world_get_service(GodwitWorld *world)
{
    return !godwit_link_has_bus(world->link)                             ? GODWIT_NO_BUS
           : world->manager == NULL                                      ? GODWIT_ASLEEP
           : vpn1_manager_get_api_version(world->manager) != API_VERSION ? GODWIT_OTHER_VERSION
                                                                         : GODWIT_READY;
}

const char *godwit_world_get_version(GodwitWorld *world)
{
    const char *version = world->manager == NULL ? NULL : vpn1_manager_get_version(world->manager);

    return version == NULL ? "" : version;
}

GListModel *godwit_world_get_sessions(GodwitWorld *world)
{
    return G_LIST_MODEL(world->sessions);
}

GodwitProfiles *godwit_world_get_profiles(GodwitWorld *world)
{
    return world->profiles;
}

gboolean godwit_world_is_title_asked(GodwitWorld *world, const char *title)
{
    return pending_is_asked(world->pending, title);
}

gboolean godwit_world_is_asked(GodwitWorld *world, GodwitProfile *profile)
{
    return godwit_world_is_title_asked(world, godwit_profile_get_title(profile));
}

enum godwit_state godwit_world_get_protection(GodwitWorld *world)
{
    enum godwit_state state = pending_is_empty(world->pending) ? GODWIT_OFF : GODWIT_CONNECTING;

    for (guint i = 0; i < n_sessions(world); i++) {
        state = MAX(state, godwit_session_get_state(session_at(world, i)));
    }
    return state == GODWIT_OFF && world->holding ? GODWIT_BLOCKED : state;
}

gboolean godwit_world_is_holding(GodwitWorld *world)
{
    return world->holding;
}

char **godwit_world_dup_excepted(GodwitWorld *world)
{
    return g_strdupv(world->excepted);
}

/* ---- what is wanted ---- */

struct wish {
    GodwitWorld *world;
    char *title;         /* "" = of no connection */
    GVariant *arguments; /* NULL = none */
};

static struct wish *wish_new(GodwitWorld *world, const char *title, GVariant *arguments)
{
    struct wish *wish = g_new(struct wish, 1);

    *wish = (struct wish){g_object_ref(world), g_strdup(title),
                          arguments == NULL ? NULL : g_variant_ref(arguments)};
    return wish;
}

static void wish_free(struct wish *wish)
{
    g_object_unref(wish->world);
    g_clear_pointer(&wish->arguments, g_variant_unref);
    g_free(wish->title);
    g_free(wish);
}

/* Calls godwitd, which starts for it; somebody may be asked for a password by polkit. */
static void call(GodwitWorld *world, const char *title, const char *path, const char *interface,
                 const char *method, GVariant *arguments, GAsyncReadyCallback done)
{
    GDBusConnection *bus = godwit_link_get_bus(world->link);
    g_autoptr(GVariant) body = arguments == NULL ? NULL : g_variant_ref_sink(arguments);

    if (bus == NULL) {
        fail(world, godwit_failure_new(title, REASON_SERVICE_UNAVAILABLE, ""));
        return;
    }
    if (godwit_world_get_service(world) == GODWIT_OTHER_VERSION) {
        fail(world, godwit_failure_new(title, REASON_SERVICE_REFUSED,
                                       _("It is of another version than this program.")));
        return;
    }
    g_dbus_connection_call(bus, VPN1_NAME, path, interface, method, body, NULL,
                           G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL, done,
                           wish_new(world, title, body));
}

static void on_done(GObject *bus, GAsyncResult *result, gpointer data)
{
    struct wish *wish = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    if (reply == NULL) {
        fail(wish->world, godwit_failure_of_call(wish->title, error));
    }
    changed(wish->world); /* a switch that could not be set goes back */
    wish_free(wish);
}

/* What is gone already is as it was wanted. */
static void on_end(GObject *bus, GAsyncResult *result, gpointer data)
{
    struct wish *wish = data;
    g_autoptr(GError) error = NULL;
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    struct godwit_failure *failure =
        reply == NULL ? godwit_failure_of_call(wish->title, error) : NULL;

    if (failure != NULL && failure->reason != REASON_NOT_FOUND) {
        fail(wish->world, g_steal_pointer(&failure));
    }
    godwit_failure_free(failure);
    g_clear_pointer(&reply, g_variant_unref);
    changed(wish->world);
    wish_free(wish);
}

static void end_path(GodwitWorld *world, const char *title, const char *path)
{
    call(world, title, path, VPN1_SESSION_INTERFACE, "Disconnect", NULL, on_end);
}

static void ask(GodwitWorld *world, const char *title, GVariant *arguments);

/* The service is one from before an update; meanwhile it may have been called off. */
static void ask_plainly(GodwitWorld *world, const char *title, GVariant *plain)
{
    gboolean unwanted = pending_take_unwanted(world->pending, title);

    pending_forget(world->pending, title);
    if (!unwanted) {
        ask(world, title, plain);
    }
    changed(world);
}

static void on_connect(GObject *bus, GAsyncResult *result, gpointer data)
{
    struct wish *wish = data;
    GodwitWorld *world = wish->world;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    gboolean refused = g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
    g_autoptr(GVariant) plain = refused ? vpn1_without_language(wish->arguments) : NULL;
    const char *path = NULL;

    if (plain != NULL) {
        ask_plainly(world, wish->title, plain);
        wish_free(wish);
        return;
    }
    if (reply == NULL) {
        fail(world, godwit_failure_of_call(wish->title, error));
    } else if (g_variant_is_of_type(reply, G_VARIANT_TYPE("(o)"))) {
        g_variant_get(reply, "(&o)", &path);
    }
    if (path != NULL && pending_take_unwanted(world->pending, wish->title)) {
        end_path(world, wish->title, path);
    }
    if (path != NULL && godwit_world_find_path(world, path) == NULL) {
        pending_begin(world->pending, wish->title, path);
    } else {
        pending_forget(world->pending, wish->title);
    }
    changed(world);
    wish_free(wish);
}

static void ask(GodwitWorld *world, const char *title, GVariant *arguments)
{
    const char *method = g_variant_n_children(arguments) == 3 ? "Connect" : "ConnectSystem";
    enum godwit_service service = godwit_world_get_service(world);

    if (service == GODWIT_ASLEEP || service == GODWIT_READY) {
        pending_ask(world->pending, title);
    }
    call(world, title, VPN1_PATH, VPN1_MANAGER_INTERFACE, method, arguments, on_connect);
    changed(world);
}

static GVariant *connect_options(void)
{
    GVariantDict options;

    g_variant_dict_init(&options, NULL);
    g_variant_dict_insert(&options, "origin", "s", "tray");
    g_variant_dict_insert(&options, "trace", "b", TRUE);
    g_variant_dict_insert(&options, "once", "b", TRUE);
    vpn1_add_language(&options);
    return g_variant_dict_end(&options);
}

void godwit_world_connect_new(GodwitWorld *world, const char *title, const struct profile *profile)
{
    g_autoptr(GError) error = NULL;

    if (godwit_world_is_title_asked(world, title) ||
        godwit_world_find_title(world, title) != NULL) {
        return;
    }
    godwit_world_dismiss_failure(world);
    if (values_check_profile(profile, &error)) {
        ask(world, title,
            g_variant_new("(s@a{sv}@a{sv})", title, profile_to_variant(profile),
                          connect_options()));
    } else {
        fail(world, godwit_failure_new(title, REASON_PROFILE, error->message));
    }
}

static void connect_system(GodwitWorld *world, GodwitProfile *profile)
{
    if (!godwit_world_is_asked(world, profile) &&
        godwit_world_find_session(world, profile) == NULL) {
        godwit_world_dismiss_failure(world);
        ask(world, godwit_profile_get_title(profile),
            g_variant_new("(s@a{sv})", godwit_profile_get_name(profile), connect_options()));
    }
}

void godwit_world_connect(GodwitWorld *world, GodwitProfile *profile)
{
    const char *title = godwit_profile_get_title(profile), *path = godwit_profile_get_path(profile);
    g_autoptr(GError) error = NULL;
    struct profile *loaded;

    if (path == NULL) {
        connect_system(world, profile);
        return;
    }
    loaded = profile_load(path, &error);
    if (loaded != NULL) {
        godwit_world_connect_new(world, title, loaded);
    } else {
        fail(world, godwit_failure_new(title, REASON_PROFILE, error->message));
    }
    profile_free(loaded);
}

void godwit_world_end(GodwitWorld *world, GodwitSession *session)
{
    g_autofree char *name = godwit_session_dup_raw(session, "Name");

    end_path(world, name, godwit_session_get_path(session));
}

static void disconnect(GodwitWorld *world, GodwitSession *session, const char *title)
{
    if (session != NULL) {
        godwit_world_end(world, session);
    } else {
        pending_call_off(world->pending, title);
    }
}

void godwit_world_disconnect(GodwitWorld *world, GodwitProfile *profile)
{
    disconnect(world, godwit_world_find_session(world, profile), godwit_profile_get_title(profile));
}

void godwit_world_disconnect_new(GodwitWorld *world, const char *title)
{
    disconnect(world, godwit_world_find_title(world, title), title);
}

void godwit_world_answer(GodwitWorld *world, GodwitSession *session, guint32 form,
                         GVariant *answers)
{
    g_autofree char *name = godwit_session_dup_raw(session, "Name");

    call(world, name, godwit_session_get_path(session), VPN1_SESSION_INTERFACE,
         answers == NULL ? "CancelSecrets" : "ProvideSecrets",
         answers == NULL ? g_variant_new("(u)", form) : g_variant_new("(u@a{say})", form, answers),
         on_done);
}

static void on_awake(GObject *bus, GAsyncResult *result, gpointer data)
{
    struct wish *wish = data;
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);

    /* That it can't be started is told when it is needed. */
    g_clear_pointer(&reply, g_variant_unref);
    wish_free(wish);
}

void godwit_world_wake(GodwitWorld *world)
{
    GDBusConnection *bus = godwit_link_get_bus(world->link);

    if (world->manager != NULL) {
        list_system_profiles(world);
    } else if (bus != NULL) {
        g_dbus_connection_call(bus, DBUS_NAME, DBUS_PATH, DBUS_NAME, "StartServiceByName",
                               g_variant_new("(su)", VPN1_NAME, 0), NULL, G_DBUS_CALL_FLAGS_NONE,
                               -1, NULL, on_awake, wish_new(world, "", NULL));
    }
}

void godwit_world_set_holding(GodwitWorld *world, gboolean always, const char *const *excepted)
{
    call(world, "", VPN1_PATH, VPN1_MANAGER_INTERFACE, "SetKillSwitch",
         g_variant_new("(b^as)", always, excepted), on_done);
}

/* ---- life ---- */

static void godwit_world_dispose(GObject *object)
{
    GodwitWorld *world = GODWIT_WORLD(object);

    g_clear_object(&world->link);
    g_clear_object(&world->manager);
    g_clear_object(&world->sessions);
    g_clear_object(&world->profiles);
    g_clear_handle_id(&world->telling, g_source_remove);
    G_OBJECT_CLASS(godwit_world_parent_class)->dispose(object);
}

static void godwit_world_finalize(GObject *object)
{
    GodwitWorld *world = GODWIT_WORLD(object);

    pending_free(world->pending);
    g_ptr_array_unref(world->doubtful);
    g_strfreev(world->excepted);
    godwit_failure_free(world->failure);
    G_OBJECT_CLASS(godwit_world_parent_class)->finalize(object);
}

static void godwit_world_class_init(GodwitWorldClass *class)
{
    GType type = G_TYPE_FROM_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = godwit_world_dispose;
    G_OBJECT_CLASS(class)->finalize = godwit_world_finalize;
    signals[CHANGED] =
        g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[BEGAN] = g_signal_new("began", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, GODWIT_TYPE_SESSION);
    signals[ENDED] = g_signal_new("ended", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, GODWIT_TYPE_SESSION);
    signals[FAILED] =
        g_signal_new("failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void godwit_world_init(GodwitWorld *world)
{
    world->sessions = g_list_store_new(GODWIT_TYPE_SESSION);
    world->profiles = godwit_profiles_new();
    world->pending = pending_new();
    world->doubtful = g_ptr_array_new_with_free_func(g_free);
    world->excepted = g_new0(char *, 1);
    world->link = godwit_link_new();
    g_signal_connect_object(world->profiles, "items-changed", G_CALLBACK(changed), world,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(world->link, "appeared", G_CALLBACK(on_appeared), world,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(world->link, "removed", G_CALLBACK(on_removed), world,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(world->link, "session-ended", G_CALLBACK(on_ended), world,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(world->link, "lost", G_CALLBACK(on_lost), world, G_CONNECT_SWAPPED);
    g_signal_connect_object(world->link, "bus", G_CALLBACK(changed), world, G_CONNECT_SWAPPED);
}

GodwitWorld *godwit_world_new(void)
{
    return g_object_new(GODWIT_TYPE_WORLD, NULL);
}
