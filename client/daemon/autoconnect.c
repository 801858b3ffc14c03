/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/autoconnect.h"

#include <gio/gio.h>

#include "daemon/system_profiles.h"

/* Who is not connected again; gone with the machine's restart. */
#define OVER_FILE RUNDIR "/autoconnect"
#define OVER_GROUP "over"

/* Seconds between attempts; they double. */
#define DELAY_FIRST 5
#define DELAY_MAX 300

struct autoconnect {
    struct sessions *sessions;
    GNetworkMonitor *monitor;
    gulong changed;
    GHashTable *entries; /* by name */
};

struct entry {
    struct autoconnect *all;
    char *name;
    guint delay, timer; /* no timer: it runs */
};

/* ---- what is over ---- */

static gboolean is_over(const char *name)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    return g_key_file_load_from_file(file, OVER_FILE, G_KEY_FILE_NONE, NULL) &&
           g_key_file_has_key(file, OVER_GROUP, name, NULL);
}

static void set_over(const char *name, enum reason reason)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    (void)g_key_file_load_from_file(file, OVER_FILE, G_KEY_FILE_NONE, NULL);
    g_key_file_set_string(file, OVER_GROUP, name, reason_name(reason));
    (void)g_mkdir_with_parents(RUNDIR, 0755);
    if (!g_key_file_save_to_file(file, OVER_FILE, &error)) {
        g_message("%s", error->message);
    }
}

/* It may be otherwise in a while, without anybody changing anything: a machine may begin with a wrong
 * clock, without its modules or its token, with a full disk. */
static gboolean may_pass(enum reason reason)
{
    static const enum reason passing[] = {
        REASON_RESOLVE,        REASON_GATEWAY_UNREACHABLE, REASON_PORT_UNREACHABLE,
        REASON_UDP_BLOCKED,    REASON_GATEWAY_LOST,        REASON_GATEWAY_CLOSED,
        REASON_GATEWAY_EXPIRED, REASON_ADDRESS_UNAVAILABLE, REASON_WORKER_DIED,
        REASON_NO_TUN,         REASON_HOST_CONFIG,         REASON_TOKEN_MISSING,
    };
    for (gsize i = 0; i < G_N_ELEMENTS(passing); i++) {
        if (passing[i] == reason) {
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- attempts ---- */

static gboolean attempt(gpointer data)
{
    struct entry *entry = data;
    g_autoptr(GError) error = NULL;
    entry->timer = 0;
    struct profile *profile = system_profile_load(entry->name, &error);
    if (profile) {
        const char *name = profile_get(profile, "name");
        const struct session_wish wish = {
            .name = name ? name : entry->name,
            .origin = "autoconnect",
            .system_profile = entry->name,
            .profile = profile,
            .configures_host = TRUE,
            .unattended = TRUE,
        };
        struct session_object *object = sessions_add(entry->all->sessions, &wish, &error);
        if (object) {
            sessions_begin(entry->all->sessions, object);
        }
    }
    profile_free(profile);
    if (error) {
        g_warning("%s is not connected: %s", entry->name, error->message);
        g_hash_table_remove(entry->all->entries, entry->name);
    }
    return G_SOURCE_REMOVE;
}

void autoconnect_ended(struct autoconnect *autoconnect, const struct session_object *object,
                       enum reason reason)
{
    const char *name = session_object_system_profile(object);
    struct entry *entry = g_hash_table_lookup(autoconnect->entries, name);
    if (!entry || entry->timer || !session_object_is_unattended(object)) {
        return;
    }
    if (may_pass(reason)) {
        entry->delay = session_object_was_connected(object) ? DELAY_FIRST : entry->delay;
        entry->timer = g_timeout_add_seconds(entry->delay, attempt, entry);
        entry->delay = MIN(2 * entry->delay, DELAY_MAX);
    } else {
        set_over(name, reason);
        g_hash_table_remove(autoconnect->entries, name);
    }
}

/* With another network the way may be open. */
static void on_network(GNetworkMonitor *monitor, gboolean available, gpointer data)
{
    struct autoconnect *autoconnect = data;
    GHashTableIter iter;
    gpointer value;
    (void)monitor;
    g_hash_table_iter_init(&iter, autoconnect->entries);
    while (available && g_hash_table_iter_next(&iter, NULL, &value)) {
        struct entry *entry = value;
        if (entry->timer) {
            g_source_remove(entry->timer);
            entry->delay = DELAY_FIRST;
            /* Not at once: of one change several are told. */
            entry->timer = g_timeout_add_seconds(1, attempt, entry);
        }
    }
}

gboolean autoconnect_waits(const struct autoconnect *autoconnect)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, autoconnect->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (((const struct entry *)value)->timer) {
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- all of them ---- */

static void entry_free(gpointer data)
{
    struct entry *entry = data;
    g_clear_handle_id(&entry->timer, g_source_remove);
    g_free(entry->name);
    g_free(entry);
}

static gboolean wants(const char *name)
{
    g_autoptr(GError) error = NULL;
    struct profile *profile = system_profile_load(name, &error);
    gboolean wanted = profile && profile_get_bool(profile, "autoconnect");
    if (error) {
        g_message("%s", error->message);
    }
    profile_free(profile);
    return wanted && !is_over(name);
}

struct autoconnect *autoconnect_new(struct sessions *sessions)
{
    struct autoconnect *autoconnect = g_new0(struct autoconnect, 1);
    g_auto(GStrv) names = system_profile_names();
    autoconnect->sessions = sessions;
    autoconnect->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    for (char **name = names; *name; name++) {
        if (wants(*name)) {
            struct entry *entry = g_new0(struct entry, 1);
            entry->all = autoconnect;
            entry->name = g_strdup(*name);
            entry->delay = DELAY_FIRST;
            g_hash_table_insert(autoconnect->entries, entry->name, entry);
            attempt(entry);
        }
    }
    if (g_hash_table_size(autoconnect->entries) > 0) {
        autoconnect->monitor = g_object_ref(g_network_monitor_get_default());
        autoconnect->changed = g_signal_connect(autoconnect->monitor, "network-changed",
                                                G_CALLBACK(on_network), autoconnect);
    }
    return autoconnect;
}

void autoconnect_free(struct autoconnect *autoconnect)
{
    if (autoconnect) {
        if (autoconnect->monitor) {
            g_signal_handler_disconnect(autoconnect->monitor, autoconnect->changed);
            g_object_unref(autoconnect->monitor);
        }
        g_hash_table_unref(autoconnect->entries);
        g_free(autoconnect);
    }
}
