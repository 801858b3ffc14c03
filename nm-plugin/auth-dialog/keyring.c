/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/auth-dialog/keyring.h"

#include <libsecret/secret.h>

#include "common/i18n.h"

#define SERVICE_TIME 5000U /* milliseconds that the keyring may take */
#define PERSON_TIME 90000U /* that a person may take to unlock it */
#define CANCEL_TIME 1000U  /* from the end of these until it is given up */

#define UUID "connection-uuid"
#define SETTING "setting-name"
#define KEY "setting-key"
#define VPN "vpn"
#define SCHEMA "xdg:schema"

/* As in nm-applet and GNOME Shell; what others have stored may be of an older schema. */
static const SecretSchema schema = {
    .name = "org.freedesktop.NetworkManager.Connection",
    .flags = SECRET_SCHEMA_DONT_MATCH_NAME,
    .attributes = {{UUID, SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {SETTING, SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {KEY, SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {NULL, SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* ---- waiting, not for ever ---- */

/* One call. Its callback may come after we have stopped waiting. */
struct call {
    grefcount references;
    GCancellable *cancellable;
    GAsyncResult *result;
    gboolean late, abandoned;
};

static struct call *call_new(void)
{
    struct call *call = g_new0(struct call, 1);
    g_ref_count_init(&call->references);
    call->cancellable = g_cancellable_new();
    return call;
}

static void call_unref(struct call *call)
{
    if (g_ref_count_dec(&call->references)) {
        g_clear_object(&call->result);
        g_object_unref(call->cancellable);
        g_free(call);
    }
}

static struct call *call_ref(struct call *call)
{
    g_ref_count_inc(&call->references);
    return call;
}

static void on_result(GObject *source, GAsyncResult *result, gpointer data)
{
    struct call *call = data;
    (void)source;
    call->result = g_object_ref(result);
    call_unref(call);
}

static gboolean on_late(gpointer data)
{
    struct call *call = data;
    call->late = TRUE;
    g_cancellable_cancel(call->cancellable);
    return G_SOURCE_REMOVE;
}

static gboolean on_abandoned(gpointer data)
{
    struct call *call = data;
    call->abandoned = TRUE;
    return G_SOURCE_REMOVE;
}

static void on_gone(GCancellable *gone, gpointer cancellable)
{
    (void)gone;
    g_cancellable_cancel(cancellable);
}

static GSource *timer(guint milliseconds, GSourceFunc function, struct call *call)
{
    GSource *source = g_timeout_source_new(milliseconds);
    g_source_set_callback(source, function, call, NULL);
    g_source_attach(source, NULL);
    return source;
}

static void stop(GSource *source)
{
    g_source_destroy(source);
    g_source_unref(source);
}

/* The result, borrowed, or NULL when it did not come. */
static GAsyncResult *wait_for(struct call *call, guint milliseconds, GCancellable *gone)
{
    GSource *late = timer(milliseconds, on_late, call);
    GSource *abandoned = timer(milliseconds + CANCEL_TIME, on_abandoned, call);
    gulong id =
        gone ? g_signal_connect(gone, "cancelled", G_CALLBACK(on_gone), call->cancellable) : 0;
    if (g_cancellable_is_cancelled(gone)) {
        g_cancellable_cancel(call->cancellable);
    }
    while (!call->result && !call->abandoned) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (gone) {
        g_signal_handler_disconnect(gone, id);
    }
    stop(late);
    stop(abandoned);
    return call->result;
}

/* ---- what went wrong ---- */

static gboolean is_absent(const GError *error)
{
    return error->domain == G_DBUS_ERROR
               ? error->code == G_DBUS_ERROR_SERVICE_UNKNOWN ||
                     error->code == G_DBUS_ERROR_NAME_HAS_NO_OWNER ||
                     (error->code >= G_DBUS_ERROR_SPAWN_EXEC_FAILED &&
                      error->code <= G_DBUS_ERROR_SPAWN_NO_MEMORY)
               : g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
                     g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

static char *why(const struct call *call, GError *error)
{
    if (call->late) {
        return g_strdup(_("The keyring does not answer."));
    }
    if (!error || is_absent(error)) {
        return g_strdup(_("There is no keyring."));
    }
    (void)g_dbus_error_strip_remote_error(error);
    return g_strdup_printf(_("The keyring refuses: %s"), error->message);
}

/* ---- reading ---- */

static gboolean is_locked(GList *items)
{
    for (GList *at = items; at; at = at->next) {
        if (secret_item_get_locked(at->data)) {
            return TRUE;
        }
    }
    return FALSE;
}

static void take_item(SecretItem *item, GHashTable *found)
{
    g_autoptr(GHashTable) attributes = secret_item_get_attributes(item);
    g_autoptr(SecretValue) value = secret_item_get_secret(item);
    const char *key = g_hash_table_lookup(attributes, KEY);
    const char *text = value ? secret_value_get_text(value) : NULL;
    /* What agents of old have left beside it is not what was stored last. */
    gboolean current = g_strcmp0(g_hash_table_lookup(attributes, SCHEMA), schema.name) == 0;
    if (key && text && (current || !g_hash_table_contains(found, key))) {
        g_hash_table_insert(found, g_strdup(key), g_strdup(text));
    }
}

static char *search(const char *uuid, gboolean unlock, GList **items, GCancellable *gone)
{
    g_autoptr(GHashTable) attributes = secret_attributes_build(&schema, UUID, uuid, SETTING, VPN, NULL);
    g_autoptr(GError) error = NULL;
    struct call *call = call_new();
    char *sentence = NULL;
    secret_service_search(NULL, &schema, attributes,
                          SECRET_SEARCH_ALL | SECRET_SEARCH_LOAD_SECRETS |
                              (unlock ? SECRET_SEARCH_UNLOCK : SECRET_SEARCH_NONE),
                          call->cancellable, on_result, call_ref(call));
    GAsyncResult *result = wait_for(call, unlock ? PERSON_TIME : SERVICE_TIME, gone);
    *items = result ? secret_service_search_finish(NULL, result, &error) : NULL;
    if (!result || error) {
        sentence = why(call, error);
    }
    call_unref(call);
    return sentence;
}

static void free_items(GList *items)
{
    g_list_free_full(items, g_object_unref);
}

char *keyring_load(const char *uuid, gboolean unlock, GHashTable *found, GCancellable *gone)
{
    GList *items;
    char *sentence = search(uuid, FALSE, &items, gone);
    if (!sentence && unlock && is_locked(items)) {
        free_items(items);
        sentence = search(uuid, TRUE, &items, gone);
    }
    if (!sentence && is_locked(items)) {
        sentence = g_strdup(_("The keyring is locked."));
    }
    for (GList *at = items; at; at = at->next) {
        take_item(at->data, found);
    }
    free_items(items);
    return sentence;
}

/* ---- writing ---- */

char *keyring_store(const char *uuid, const char *name, const char *service, const char *key,
                    const char *value, GCancellable *gone)
{
    g_autoptr(GHashTable) attributes =
        secret_attributes_build(&schema, UUID, uuid, SETTING, VPN, KEY, key, NULL);
    g_autofree char *label = g_strdup_printf("VPN %s secret for %s/%s/" VPN, key, name, service);
    g_autoptr(SecretValue) secret = secret_value_new(value, -1, "text/plain");
    g_autoptr(GError) error = NULL;
    struct call *call = call_new();
    char *sentence = NULL;
    secret_service_store(NULL, &schema, attributes, SECRET_COLLECTION_DEFAULT, label, secret,
                         call->cancellable, on_result, call_ref(call));
    GAsyncResult *result = wait_for(call, PERSON_TIME, gone);
    if (!result || !secret_service_store_finish(NULL, result, &error)) {
        sentence = why(call, error);
    }
    call_unref(call);
    return sentence;
}
