/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/callers.h"

#include "common/vpn1.h"

#define BUS_TIMEOUT 10000 /* milliseconds */

/* Callers that nobody holds are remembered as long as there are so few. */
#define REMEMBERED_MAX 64

struct callers {
    GDBusConnection *bus;
    GHashTable *by_name; /* of struct entry */
    GHashTable *users;   /* struct user by uid, for good: who comes back finds its limits */
    GCancellable *cancellable;
    caller_gone_cb gone;
    void *context;
};

struct waiting {
    caller_known_cb known;
    void *context;
};

struct entry {
    struct caller caller; /* first */
    struct callers *all;  /* NULL once it is out of the table */
    guint holds;
    guint watch;
    GArray *waiting; /* struct waiting; NULL once the user is known */
};

static struct entry *entry_of(struct caller *caller)
{
    return (struct entry *)caller;
}

/* ---- life of an entry ---- */

static void forget(struct entry *entry)
{
    struct callers *all = entry->all;
    if (all) {
        entry->all = NULL;
        g_dbus_connection_signal_unsubscribe(all->bus, entry->watch);
        g_hash_table_remove(all->by_name, entry->caller.name);
    }
}

static void entry_free(struct entry *entry)
{
    forget(entry);
    if (entry->waiting) {
        g_array_unref(entry->waiting);
    }
    g_free(entry->caller.name);
    g_free(entry);
}

struct caller *caller_hold(struct caller *caller)
{
    entry_of(caller)->holds++;
    return caller;
}

void caller_release(struct caller *caller)
{
    struct entry *entry = caller ? entry_of(caller) : NULL;
    if (entry && --entry->holds == 0 &&
        (!entry->all || g_hash_table_size(entry->all->by_name) > REMEMBERED_MAX)) {
        entry_free(entry);
    }
}

static void answer(struct entry *entry, gboolean known)
{
    g_autoptr(GArray) waiting = g_steal_pointer(&entry->waiting);
    for (guint i = 0; waiting && i < waiting->len; i++) {
        const struct waiting *one = &g_array_index(waiting, struct waiting, i);
        one->known(one->context, known ? caller_hold(&entry->caller) : NULL);
    }
}

static void on_owner_changed(GDBusConnection *bus, const char *sender, const char *path,
                             const char *interface, const char *signal, GVariant *body,
                             gpointer data)
{
    struct entry *entry = data;
    struct callers *all = entry->all;
    const char *name, *new_owner;
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    if (!all || !g_variant_is_of_type(body, G_VARIANT_TYPE("(sss)"))) {
        return;
    }
    g_variant_get(body, "(&s&s&s)", &name, NULL, &new_owner);
    if (*new_owner != '\0' || !g_str_equal(name, entry->caller.name)) {
        return;
    }
    caller_hold(&entry->caller);
    entry->caller.gone = TRUE;
    forget(entry);
    if (entry->holds > 1 && !entry->waiting) {
        all->gone(all->context, &entry->caller);
    }
    caller_release(&entry->caller);
}

/* ---- whose it is ---- */

static struct user *find_user(struct callers *callers, uid_t uid)
{
    struct user *user = g_hash_table_lookup(callers->users, GUINT_TO_POINTER(uid));
    if (!user) {
        user = g_new0(struct user, 1);
        user->uid = uid;
        user->starts = USER_STARTS_BURST;
        user->counted = g_get_monotonic_time();
        g_hash_table_insert(callers->users, GUINT_TO_POINTER(uid), user);
    }
    return user;
}

static void on_user(GObject *bus, GAsyncResult *result, gpointer data)
{
    struct entry *entry = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    guint32 uid;
    if (reply && entry->all) {
        g_variant_get(reply, "(u)", &uid);
        entry->caller.user = find_user(entry->all, uid);
        answer(entry, TRUE);
    } else {
        forget(entry);
        answer(entry, FALSE);
    }
    caller_release(&entry->caller);
}

static struct entry *look_up(struct callers *callers, const char *name)
{
    struct entry *entry = g_new0(struct entry, 1);
    entry->caller.name = g_strdup(name);
    entry->all = callers;
    entry->waiting = g_array_new(FALSE, FALSE, sizeof(struct waiting));
    g_hash_table_insert(callers->by_name, entry->caller.name, entry);
    /* Before the question: a name that goes after the answer is heard of. */
    entry->watch = g_dbus_connection_signal_subscribe(
        callers->bus, DBUS_NAME, DBUS_NAME, "NameOwnerChanged", DBUS_PATH, name,
        G_DBUS_SIGNAL_FLAGS_NONE, on_owner_changed, entry, NULL);
    g_dbus_connection_call(callers->bus, DBUS_NAME, DBUS_PATH, DBUS_NAME, "GetConnectionUnixUser",
                           g_variant_new("(s)", name), G_VARIANT_TYPE("(u)"),
                           G_DBUS_CALL_FLAGS_NONE, BUS_TIMEOUT, callers->cancellable, on_user,
                           caller_hold(&entry->caller));
    return entry;
}

void callers_identify(struct callers *callers, const char *name, caller_known_cb known,
                      void *context)
{
    struct entry *entry = g_hash_table_lookup(callers->by_name, name);
    const struct waiting waiting = {known, context};
    if (entry && !entry->waiting) {
        known(context, caller_hold(&entry->caller));
        return;
    }
    entry = entry ? entry : look_up(callers, name);
    g_array_append_val(entry->waiting, waiting);
}

gboolean user_takes_start(struct user *user)
{
    gint64 now = g_get_monotonic_time();
    double gained = (double)(now - user->counted) / G_USEC_PER_SEC * USER_STARTS_RATE;
    user->starts = MIN(user->starts + gained, USER_STARTS_BURST);
    user->counted = now;
    if (user->starts < 1) {
        return FALSE;
    }
    user->starts--;
    return TRUE;
}

/* ---- all of them ---- */

struct callers *callers_new(GDBusConnection *bus, caller_gone_cb gone, void *context)
{
    struct callers *callers = g_new0(struct callers, 1);
    callers->bus = g_object_ref(bus);
    callers->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    callers->users = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    callers->cancellable = g_cancellable_new();
    callers->gone = gone;
    callers->context = context;
    return callers;
}

void callers_free(struct callers *callers)
{
    if (!callers) {
        return;
    }
    g_cancellable_cancel(callers->cancellable);
    g_autoptr(GList) entries = g_hash_table_get_values(callers->by_name);
    for (GList *at = entries; at; at = at->next) {
        struct entry *entry = at->data;
        forget(entry);
        if (entry->holds == 0) {
            entry_free(entry);
        }
    }
    g_hash_table_unref(callers->by_name);
    g_hash_table_unref(callers->users);
    g_object_unref(callers->cancellable);
    g_object_unref(callers->bus);
    g_free(callers);
}
