/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/questions/keyring.h"

#include <libsecret/secret.h>

#include "common/i18n.h"
#include "gui/questions/ask_form.h"

#define SERVICE_TIME 5000U /* milliseconds that the keyring may take */
#define PERSON_TIME 90000U /* that a person may take to unlock it */
#define CANCEL_TIME 1000U  /* from the end of these until it is given up */
#define SCHEMA "xdg:schema"

struct keyring_call {
    grefcount references; /* ours until it is over, and that of what libsecret does */
    GCancellable *cancellable;
    guint late, abandoned; /* timers */
    gboolean is_late, over;
    /* The result, or NULL when it did not come. */
    void (*finish)(struct keyring_call *call, GAsyncResult *result);
    char *schema, *key;
    gboolean of_any_schema, unlock;
    GHashTable *attributes;
    keyring_loaded loaded;
    keyring_done done;
    void *context;
};

static void call_unref(struct keyring_call *call)
{
    if (g_ref_count_dec(&call->references)) {
        g_object_unref(call->cancellable);
        g_hash_table_unref(call->attributes);
        g_free(call->schema);
        g_free(call->key);
        g_free(call);
    }
}

static struct keyring_call *call_new(const struct keyring_owner *owner, void *context)
{
    struct keyring_call *call = g_new0(struct keyring_call, 1);

    g_ref_count_init(&call->references);
    call->cancellable = g_cancellable_new();
    call->schema = g_strdup(owner->schema);
    call->key = g_strdup(owner->key);
    call->of_any_schema = owner->of_any_schema;
    call->attributes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (const char *const *at = owner->attributes; *at != NULL; at += 2) {
        g_hash_table_insert(call->attributes, g_strdup(at[0]), g_strdup(at[1]));
    }
    call->context = context;
    return call;
}

static void stop_timers(struct keyring_call *call)
{
    g_clear_handle_id(&call->late, g_source_remove);
    g_clear_handle_id(&call->abandoned, g_source_remove);
}

void keyring_drop(struct keyring_call *call)
{
    if (call != NULL) {
        call->over = TRUE;
        stop_timers(call);
        g_cancellable_cancel(call->cancellable);
        call_unref(call);
    }
}

/* ---- waiting, not for ever ---- */

static gboolean on_late(gpointer data)
{
    struct keyring_call *call = data;

    call->late = 0;
    call->is_late = TRUE;
    g_cancellable_cancel(call->cancellable);
    return G_SOURCE_REMOVE;
}

static void came(struct keyring_call *call, GAsyncResult *result)
{
    if (!call->over) {
        stop_timers(call);
        call->finish(call, result);
    }
}

static gboolean on_abandoned(gpointer data)
{
    struct keyring_call *call = data;

    call->abandoned = 0;
    came(call, NULL);
    return G_SOURCE_REMOVE;
}

/* It may come after nobody has waited any more. */
static void on_result(GObject *source, GAsyncResult *result, gpointer data)
{
    struct keyring_call *call = data;

    (void)source;
    came(call, result);
    call_unref(call);
}

/* What libsecret is given as data of on_result(). */
static gpointer wait_for(struct keyring_call *call, guint milliseconds)
{
    call->late = g_timeout_add(milliseconds, on_late, call);
    call->abandoned = g_timeout_add(milliseconds + CANCEL_TIME, on_abandoned, call);
    g_ref_count_inc(&call->references);
    return call;
}

/* What it has no attributes for libsecret takes as it is. */
static SecretSchema schema_of(const struct keyring_call *call)
{
    SecretSchema schema = {
        .name = call->schema,
        .flags = call->of_any_schema ? SECRET_SCHEMA_DONT_MATCH_NAME : SECRET_SCHEMA_NONE,
    };
    GHashTableIter iter;
    gpointer name;
    gsize n = 0;

    schema.attributes[n++] = (SecretSchemaAttribute){call->key, SECRET_SCHEMA_ATTRIBUTE_STRING};
    g_hash_table_iter_init(&iter, call->attributes);
    while (g_hash_table_iter_next(&iter, &name, NULL) && n < G_N_ELEMENTS(schema.attributes) - 1) {
        if (!g_str_equal(name, call->key)) {
            schema.attributes[n++] = (SecretSchemaAttribute){name, SECRET_SCHEMA_ATTRIBUTE_STRING};
        }
    }
    return schema;
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

static char *why(const struct keyring_call *call, GError *error)
{
    if (call->is_late) {
        return g_strdup(_("The keyring does not answer."));
    }
    if (error == NULL || is_absent(error)) {
        return g_strdup(_("There is no keyring."));
    }
    (void)g_dbus_error_strip_remote_error(error);
    return g_strdup_printf(_("The keyring refuses: %s"), error->message);
}

/* ---- reading ---- */

static gboolean is_locked(GList *items)
{
    for (GList *at = items; at != NULL; at = at->next) {
        if (secret_item_get_locked(at->data)) {
            return TRUE;
        }
    }
    return FALSE;
}

static void take_item(const struct keyring_call *call, SecretItem *item, GHashTable *found)
{
    g_autoptr(GHashTable) attributes = secret_item_get_attributes(item);
    g_autoptr(SecretValue) value = secret_item_get_secret(item);
    const char *key = g_hash_table_lookup(attributes, call->key);
    const char *text = value == NULL ? NULL : secret_value_get_text(value);
    /* What agents of old have left beside it is not what was stored last. */
    gboolean current = g_strcmp0(g_hash_table_lookup(attributes, SCHEMA), call->schema) == 0;

    if (key != NULL && text != NULL && (current || !g_hash_table_contains(found, key))) {
        g_hash_table_insert(found, g_strdup(key), g_strdup(text));
    }
}

static void search(struct keyring_call *call, gboolean unlock)
{
    SecretSchema schema = schema_of(call);

    secret_service_search(NULL, &schema, call->attributes,
                          SECRET_SEARCH_ALL | SECRET_SEARCH_LOAD_SECRETS |
                              (unlock ? SECRET_SEARCH_UNLOCK : SECRET_SEARCH_NONE),
                          call->cancellable, on_result,
                          wait_for(call, unlock ? PERSON_TIME : SERVICE_TIME));
}

static void tell_loaded(struct keyring_call *call, GList *items, const char *sentence)
{
    g_autoptr(GHashTable) found = ask_answers_new();

    for (GList *at = items; at != NULL; at = at->next) {
        take_item(call, at->data, found);
    }
    call->over = TRUE;
    call->loaded(call->context, found, sentence);
    call_unref(call);
}

static void finish_load(struct keyring_call *call, GAsyncResult *result)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sentence = NULL;
    GList *items = result == NULL ? NULL : secret_service_search_finish(NULL, result, &error);

    if (result == NULL || error != NULL) {
        sentence = why(call, error);
    } else if (is_locked(items)) {
        sentence = g_strdup(_("The keyring is locked."));
    }
    if (error == NULL && result != NULL && sentence != NULL && call->unlock) {
        call->unlock = FALSE;
        search(call, TRUE);
    } else {
        tell_loaded(call, items, sentence);
    }
    g_list_free_full(items, g_object_unref);
}

struct keyring_call *keyring_load(const struct keyring_owner *owner, gboolean unlock,
                                  keyring_loaded loaded, void *context)
{
    struct keyring_call *call = call_new(owner, context);

    call->loaded = loaded;
    call->unlock = unlock;
    call->finish = finish_load;
    search(call, FALSE);
    return call;
}

/* ---- writing ---- */

static void tell_done(struct keyring_call *call, gboolean done, GError *error)
{
    g_autofree char *sentence = done ? NULL : why(call, error);

    call->over = TRUE;
    call->done(call->context, sentence);
    call_unref(call);
}

static void finish_store(struct keyring_call *call, GAsyncResult *result)
{
    g_autoptr(GError) error = NULL;
    gboolean done = result != NULL && secret_service_store_finish(NULL, result, &error);

    tell_done(call, done, error);
}

struct keyring_call *keyring_store(const struct keyring_owner *owner, const char *label,
                                   const char *key, const char *value, keyring_done done,
                                   void *context)
{
    struct keyring_call *call = call_new(owner, context);
    g_autoptr(SecretValue) secret = secret_value_new(value, -1, "text/plain");
    SecretSchema schema;

    call->done = done;
    call->finish = finish_store;
    g_hash_table_insert(call->attributes, g_strdup(owner->key), g_strdup(key));
    schema = schema_of(call);
    secret_service_store(NULL, &schema, call->attributes, SECRET_COLLECTION_DEFAULT, label, secret,
                         call->cancellable, on_result, wait_for(call, PERSON_TIME));
    return call;
}

static void finish_forget(struct keyring_call *call, GAsyncResult *result)
{
    g_autoptr(GError) error = NULL;

    /* FALSE without an error: there was nothing. */
    (void)(result != NULL && secret_service_clear_finish(NULL, result, &error));
    tell_done(call, result != NULL && error == NULL, error);
}

struct keyring_call *keyring_forget(const struct keyring_owner *owner, keyring_done done,
                                    void *context)
{
    struct keyring_call *call = call_new(owner, context);
    SecretSchema schema = schema_of(call);

    call->done = done;
    call->finish = finish_forget;
    secret_service_clear(NULL, &schema, call->attributes, call->cancellable, on_result,
                         wait_for(call, PERSON_TIME));
    return call;
}
