/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/form.h"

#include "common/i18n.h"
#include "common/log.h"
#include "common/secret.h"

#define FIELDS_MAX 8
#define TEXT_MAX 1024 /* octets of a prompt */

struct form {
    struct channel *channel;
    GPtrArray *ids; /* of the open question; empty when none is */
    form_ask_cb ask;
    void *context;
};

static void wipe_value(gpointer key, gpointer value, gpointer data)
{
    gsize len;
    const void *octets = g_bytes_get_data(value, &len);
    (void)key;
    (void)data;
    if (len > 0) {
        secret_wipe((void *)octets, len);
    }
}

void form_answer(struct form *form, GHashTable *values)
{
    if (form && form->ids->len > 0) {
        GVariantBuilder builder;
        g_variant_builder_init(&builder, G_VARIANT_TYPE("a{say}"));
        for (guint i = 0; values && i < form->ids->len; i++) {
            GBytes *value = g_hash_table_lookup(values, form->ids->pdata[i]);
            if (value) {
                g_variant_builder_add(
                    &builder, "{s@ay}", form->ids->pdata[i],
                    g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, value, TRUE));
            }
        }
        g_ptr_array_set_size(form->ids, 0);
        /* Copied before the call returns, so that the values can be wiped after it. */
        channel_send(form->channel, MESSAGE_SECRETS, g_variant_builder_end(&builder));
    }
    if (values) {
        g_hash_table_foreach(values, wipe_value, NULL);
    }
}

/*
 * What a connection may need of its user. The words are ours: a worker that is not what we started
 * could ask for anything else, and in the clear.
 */
static const struct profile_key *askable(const char *id)
{
    const struct profile_key *key = profile_key_find(id);
    return key && (key->type == PROFILE_SECRET || g_str_equal(id, "user")) ? key : NULL;
}

gboolean form_required(struct form *form, GVariant *fields)
{
    struct session_field shown[FIELDS_MAX];
    char texts[FIELDS_MAX][TEXT_MAX];
    gsize n = g_variant_n_children(fields);
    if (form->ids->len > 0 || n == 0 || n > FIELDS_MAX) {
        return FALSE;
    }
    for (gsize i = 0; i < n; i++) {
        const char *id, *prompt;
        g_variant_get_child(fields, i, "(&s&s)", &id, &prompt);
        const struct profile_key *key = askable(id);
        if (!key) {
            g_ptr_array_set_size(form->ids, 0);
            return FALSE;
        }
        g_ptr_array_add(form->ids, g_strdup(key->name));
        shown[i] = (struct session_field){
            .id = key->name,
            .label = _(key->label),
            .prompt = text_printable(bytes_of_string(prompt), texts[i], TEXT_MAX),
            .kind = key->type == PROFILE_SECRET ? VPN1_FIELD_SECRET : VPN1_FIELD_TEXT,
        };
    }
    form->ask(form->context, shown, n);
    return TRUE;
}

struct form *form_new(struct channel *channel, form_ask_cb ask, void *context)
{
    struct form *form = g_new0(struct form, 1);
    form->channel = channel;
    form->ids = g_ptr_array_new_with_free_func(g_free);
    form->ask = ask;
    form->context = context;
    return form;
}

void form_free(struct form *form)
{
    if (form) {
        form_answer(form, NULL);
        g_ptr_array_unref(form->ids);
        g_free(form);
    }
}
