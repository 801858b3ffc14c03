/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/form.h"

#include "common/gateway_facts_variant.h"
#include "common/i18n.h"
#include "common/log.h"
#include "common/pkcs11_uri.h"
#include "common/secret.h"

#define FIELDS_MAX 8
#define CHOICES_MAX 16
#define TEXT_MAX 1024 /* octets of a prompt */

struct form {
    struct channel *channel;
    GPtrArray *ids;     /* of the open question; empty when none is */
    GPtrArray *details; /* of its fields, GVariant */
    form_ask_cb ask;
    void *context;
};

static void forget(struct form *form)
{
    g_ptr_array_set_size(form->ids, 0);
    g_ptr_array_set_size(form->details, 0);
}

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
        forget(form);
        /* Copied before the call returns, so that the values can be wiped after it. */
        channel_send(form->channel, MESSAGE_SECRETS, g_variant_builder_end(&builder));
    }
    if (values) {
        g_hash_table_foreach(values, wipe_value, NULL);
    }
}

/*
 * How a connection may ask its user for this; NULL = never. The words are ours: a worker that is
 * not what we started could ask for anything else, and in the clear.
 */
static const char *kind_of(const struct profile_key *key)
{
    return key->type == PROFILE_SECRET                     ? VPN1_FIELD_SECRET
           : g_str_equal(key->name, "user")                ? VPN1_FIELD_TEXT
           : g_str_equal(key->name, "gateway-fingerprint") ? VPN1_FIELD_TRUST
           : g_str_equal(key->name, "certificate")         ? VPN1_FIELD_CHOICE
                                                           : NULL;
}

static gboolean is_one_of(GVariantIter *choices, struct bytes value)
{
    const char *choice;
    while (g_variant_iter_next(choices, "(&s&s&s)", &choice, NULL, NULL)) {
        if (bytes_equal(value, bytes_of_string(choice))) {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean form_offers(const struct form *form, const char *id, struct bytes value)
{
    g_autoptr(GVariantIter) choices = NULL;
    const char *fingerprint;
    guint at;
    if (!form || !g_ptr_array_find_with_equal_func(form->ids, id, g_str_equal, &at)) {
        return FALSE;
    }
    GVariant *details = form->details->pdata[at];
    if (g_variant_lookup(details, "choices", "a(sss)", &choices)) {
        return is_one_of(choices, value);
    }
    return g_variant_lookup(details, "fingerprint", "&s", &fingerprint) &&
           bytes_equal(value, bytes_of_string(fingerprint));
}

/* NULL when there are none, or too many. Floating. */
static GVariant *checked_choices(GVariant *details)
{
    g_autoptr(GVariantIter) choices = NULL;
    GVariantBuilder builder;
    GVariantDict dict;
    const char *value, *title, *detail;
    char titles[TEXT_MAX], more[TEXT_MAX];
    struct bytes at;
    gboolean fine = TRUE;
    if (!g_variant_lookup(details, "choices", "a(sss)", &choices) ||
        g_variant_iter_n_children(choices) == 0 ||
        g_variant_iter_n_children(choices) > CHOICES_MAX) {
        return NULL;
    }
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sss)"));
    while (g_variant_iter_next(choices, "(&s&s&s)", &value, &title, &detail)) {
        fine = fine && !pkcs11_uri_check(bytes_of_string(value), true, &at);
        g_variant_builder_add(&builder, "(sss)", value,
                              text_printable(bytes_of_string(title), titles, TEXT_MAX),
                              text_printable(bytes_of_string(detail), more, TEXT_MAX));
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert_value(&dict, "choices", g_variant_builder_end(&builder));
    if (!fine) {
        g_variant_dict_clear(&dict);
        return NULL;
    }
    return g_variant_dict_end(&dict);
}

/* As the worker's, but checked; NULL when they cannot be. Floating. */
static GVariant *checked_details(const char *kind, GVariant *details)
{
    struct gateway_facts facts;
    if (g_str_equal(kind, VPN1_FIELD_CHOICE)) {
        return checked_choices(details);
    }
    if (!g_str_equal(kind, VPN1_FIELD_TRUST)) {
        return g_variant_new("a{sv}", NULL);
    }
    return gateway_facts_from_variant(details, &facts) ? gateway_facts_to_variant(&facts) : NULL;
}

/* FALSE when it is none that a worker may have. `shown` borrows from `field` and `text`. */
static gboolean read_field(GVariant *field, struct session_field *shown, char text[static TEXT_MAX])
{
    g_autoptr(GVariant) details = NULL;
    const char *id, *prompt;
    g_variant_get(field, "(&s&s@a{sv})", &id, &prompt, &details);
    const struct profile_key *key = profile_key_find(id);
    const char *kind = key ? kind_of(key) : NULL;
    GVariant *checked = kind ? checked_details(kind, details) : NULL;
    if (checked) {
        *shown = (struct session_field){
            .id = key->name,
            .label = _(key->label),
            .prompt = text_printable(bytes_of_string(prompt), text, TEXT_MAX),
            .kind = kind,
            .details = g_variant_ref_sink(checked),
        };
    }
    return checked != NULL;
}

static gboolean has_trust(const struct session_field *fields, gsize n)
{
    gboolean has = FALSE;
    for (gsize i = 0; i < n; i++) {
        has |= g_str_equal(fields[i].kind, VPN1_FIELD_TRUST);
    }
    return has;
}

gboolean form_required(struct form *form, GVariant *fields)
{
    struct session_field shown[FIELDS_MAX];
    char texts[FIELDS_MAX][TEXT_MAX];
    gsize n = g_variant_n_children(fields), read = 0;
    if (form->ids->len > 0 || n == 0 || n > FIELDS_MAX) {
        return FALSE;
    }
    while (read < n) {
        g_autoptr(GVariant) field = g_variant_get_child_value(fields, read);
        if (!read_field(field, &shown[read], texts[read])) {
            break;
        }
        g_ptr_array_add(form->details, g_variant_ref(shown[read].details));
        g_ptr_array_add(form->ids, g_strdup(shown[read++].id));
    }
    gboolean fine = read == n && (n == 1 || !has_trust(shown, n));
    if (fine) {
        form->ask(form->context, shown, n);
    } else {
        forget(form);
    }
    for (gsize i = 0; i < read; i++) {
        g_variant_unref(shown[i].details);
    }
    return fine;
}

struct form *form_new(struct channel *channel, form_ask_cb ask, void *context)
{
    struct form *form = g_new0(struct form, 1);
    form->channel = channel;
    form->ids = g_ptr_array_new_with_free_func(g_free);
    form->details = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
    form->ask = ask;
    form->context = context;
    return form;
}

void form_free(struct form *form)
{
    if (form) {
        form_answer(form, NULL);
        g_ptr_array_unref(form->ids);
        g_ptr_array_unref(form->details);
        g_free(form);
    }
}
