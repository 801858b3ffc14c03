/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/subscribers.h"

struct subscribers {
    GDBusConnection *bus;
    GHashTable *callers; /* held */
};

struct subscribers *subscribers_new(GDBusConnection *bus)
{
    struct subscribers *subscribers = g_new0(struct subscribers, 1);
    subscribers->bus = g_object_ref(bus);
    subscribers->callers = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)caller_release, NULL);
    return subscribers;
}

struct subscribers *subscribers_like(const struct subscribers *subscribers)
{
    return subscribers_new(subscribers->bus);
}

void subscribers_free(struct subscribers *subscribers)
{
    GHashTableIter iter;
    gpointer key;
    if (subscribers) {
        g_hash_table_iter_init(&iter, subscribers->callers);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            ((struct caller *)key)->user->subscribers--;
        }
        g_hash_table_unref(subscribers->callers);
        g_object_unref(subscribers->bus);
        g_free(subscribers);
    }
}

gboolean subscribers_add(struct subscribers *subscribers, struct caller *caller)
{
    if (caller->gone || g_hash_table_contains(subscribers->callers, caller)) {
        return TRUE;
    }
    if (caller->user->subscribers >= USER_SUBSCRIBERS_MAX) {
        return FALSE;
    }
    caller->user->subscribers++;
    g_hash_table_add(subscribers->callers, caller_hold(caller));
    return TRUE;
}

void subscribers_remove(struct subscribers *subscribers, struct caller *caller)
{
    if (g_hash_table_contains(subscribers->callers, caller)) {
        caller->user->subscribers--;
        g_hash_table_remove(subscribers->callers, caller);
    }
}

void subscribers_emit(const struct subscribers *subscribers, subscriber_filter filter,
                      const void *context, const char *path, const char *interface,
                      const char *signal, GVariant *body)
{
    GHashTableIter iter;
    gpointer key;
    g_variant_ref_sink(body);
    g_hash_table_iter_init(&iter, subscribers->callers);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const struct caller *caller = key;
        if (!filter || filter(context, caller)) {
            /* Fails with the connection, which ends the service. */
            (void)g_dbus_connection_emit_signal(subscribers->bus, caller->name, path, interface,
                                                signal, body, NULL);
        }
    }
    g_variant_unref(body);
}
