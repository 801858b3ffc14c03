/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/sessions.h"

#include "common/vpn1.h"
#include "daemon/properties.h"
#include "session/session.h"

struct sessions {
    struct subscribers *subscribers; /* borrowed */
    GHashTable *objects;             /* by number */
    GPtrArray *ended;                /* to be freed when the main loop runs again */
    guint newest, sweep;
    gboolean stopping;
    const struct sessions_ops *ops;
    void *context;
};

G_DEFINE_QUARK(godwit - sessions - error - quark, sessions_error)

static gboolean sees(const void *context, const struct caller *caller)
{
    return session_object_visible_to(context, caller);
}

/* ---- the end of one ---- */

static gboolean on_sweep(gpointer data)
{
    struct sessions *sessions = data;
    sessions->sweep = 0;
    g_ptr_array_set_size(sessions->ended, 0);
    return G_SOURCE_REMOVE;
}

static void on_ended(void *context, struct session_object *object, enum reason reason)
{
    static const char *const interfaces[] = {VPN1_SESSION_INTERFACE, NULL};
    struct sessions *sessions = context;
    g_hash_table_steal(sessions->objects, GUINT_TO_POINTER(session_object_number(object)));
    g_ptr_array_add(sessions->ended, object);
    if (sessions->sweep == 0) {
        sessions->sweep = g_idle_add(on_sweep, sessions);
    }
    subscribers_emit(sessions->subscribers, sees, object, VPN1_PATH, DBUS_OBJECT_MANAGER,
                     "InterfacesRemoved",
                     g_variant_new("(o^as)", session_object_path(object), interfaces));
    g_message("session %u of user %u ended: %s", session_object_number(object),
              (guint)session_object_owner(object), reason_name(reason));
    sessions->ops->ended(sessions->context, object, reason);
    sessions->ops->changed(sessions->context);
}

/* ---- the start of one ---- */

static guint count_of(const struct sessions *sessions, uid_t uid)
{
    GHashTableIter iter;
    gpointer value;
    guint n = 0;
    g_hash_table_iter_init(&iter, sessions->objects);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        n += session_object_owner(value) == uid;
    }
    return n;
}

static gboolean may_start(const struct sessions *sessions, uid_t owner, GError **error)
{
    if (sessions->stopping) {
        g_set_error(error, SESSIONS_ERROR, SESSIONS_ERROR_STOPPING, "The service is stopping.");
    } else if (sessions_count(sessions) >= SESSIONS_MAX) {
        g_set_error(error, SESSIONS_ERROR, SESSIONS_ERROR_TOO_MANY,
                    "There are %u connections already; no more are made.", SESSIONS_MAX);
    } else if (owner != 0 && count_of(sessions, owner) >= SESSIONS_OF_USER_MAX) {
        g_set_error(error, SESSIONS_ERROR, SESSIONS_ERROR_TOO_MANY,
                    "You have %u connections already; no more are made.", SESSIONS_OF_USER_MAX);
    } else {
        return TRUE;
    }
    return FALSE;
}

/* Records on disk are told apart by their names, and users may well choose the same. */
static char *record_name_for(const struct sessions *sessions, const char *name, guint number)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, sessions->objects);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (g_str_equal(session_object_record_name(value), name)) {
            return g_strdup_printf("%s #%u", name, number);
        }
    }
    return g_strdup(name);
}

static GVariant *interfaces_of(const struct session_object *object)
{
    return g_variant_new_parsed("{%s: %@a{sv}}", VPN1_SESSION_INTERFACE,
                                properties_all(session_object_properties(object)));
}

struct session_object *sessions_add(struct sessions *sessions, const struct session_wish *wish,
                                    GError **error)
{
    if (!may_start(sessions, wish->owner, error)) {
        return NULL;
    }
    guint number = ++sessions->newest;
    g_autofree char *record_name = wish->lent ? session_lent_name(wish->interface, error)
                                              : record_name_for(sessions, wish->name, number);
    if (!record_name) {
        return NULL;
    }
    struct session_object *object =
        session_object_new(number, record_name, wish, sessions->subscribers, on_ended, sessions);
    g_hash_table_insert(sessions->objects, GUINT_TO_POINTER(number), object);
    g_message("session %u of user %u begins (%s)", number, (guint)wish->owner, wish->origin);
    return object;
}

void sessions_begin(struct sessions *sessions, struct session_object *object)
{
    subscribers_emit(
        sessions->subscribers, sees, object, VPN1_PATH, DBUS_OBJECT_MANAGER, "InterfacesAdded",
        g_variant_new("(o@a{sa{sv}})", session_object_path(object), interfaces_of(object)));
    session_object_start(object);
    sessions->ops->changed(sessions->context);
}

gboolean sessions_has(const struct sessions *sessions, uid_t owner, const char *name,
                      const char *system_profile)
{
    GHashTableIter iter;
    gpointer value;
    gboolean has = FALSE;
    g_hash_table_iter_init(&iter, sessions->objects);
    while (!has && g_hash_table_iter_next(&iter, NULL, &value)) {
        has = session_object_owner(value) == owner &&
              (system_profile ? g_str_equal(session_object_system_profile(value), system_profile)
                              : g_str_equal(session_object_name(value), name));
    }
    return has;
}

/* ---- all of them ---- */

struct session_object *sessions_find(const struct sessions *sessions, guint number)
{
    return g_hash_table_lookup(sessions->objects, GUINT_TO_POINTER(number));
}

guint sessions_count(const struct sessions *sessions)
{
    return g_hash_table_size(sessions->objects);
}

guint sessions_hidden_from(const struct sessions *sessions, const struct caller *caller)
{
    GHashTableIter iter;
    gpointer value;
    guint n = 0;
    g_hash_table_iter_init(&iter, sessions->objects);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        n += !session_object_visible_to(value, caller);
    }
    return n;
}

void sessions_list(const struct sessions *sessions, const struct caller *caller,
                   GVariantBuilder *builder)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, sessions->objects);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (session_object_visible_to(value, caller)) {
            g_variant_builder_add(builder, "{o@a{sa{sv}}}", session_object_path(value),
                                  interfaces_of(value));
        }
    }
}

/* Those there are now: to disconnect one may end it, and change the table. */
static GList *snapshot(const struct sessions *sessions)
{
    return g_hash_table_get_values(sessions->objects);
}

void sessions_caller_gone(struct sessions *sessions, struct caller *caller)
{
    g_autoptr(GList) objects = snapshot(sessions);
    for (GList *at = objects; at; at = at->next) {
        session_object_caller_gone(at->data, caller);
    }
}

void sessions_stop(struct sessions *sessions)
{
    g_autoptr(GList) objects = snapshot(sessions);
    sessions->stopping = TRUE;
    for (GList *at = objects; at; at = at->next) {
        guint number = session_object_number(at->data);
        if (session_object_abandon(at->data)) {
            g_hash_table_remove(sessions->objects, GUINT_TO_POINTER(number));
        } else {
            session_object_disconnect(at->data);
        }
    }
}

struct sessions *sessions_new(struct subscribers *subscribers, const struct sessions_ops *ops,
                              void *context)
{
    struct sessions *sessions = g_new0(struct sessions, 1);
    sessions->subscribers = subscribers;
    sessions->objects =
        g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)session_object_free);
    sessions->ended = g_ptr_array_new_with_free_func((GDestroyNotify)session_object_free);
    sessions->ops = ops;
    sessions->context = context;
    return sessions;
}

void sessions_free(struct sessions *sessions)
{
    if (sessions) {
        g_hash_table_unref(sessions->objects);
        g_ptr_array_unref(sessions->ended);
        if (sessions->sweep) {
            g_source_remove(sessions->sweep);
        }
        g_free(sessions);
    }
}
