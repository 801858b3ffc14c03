/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "common/i18n.h"
#include "profile/profile_private.h"

static const GVariantType *variant_type_of(const struct profile_key *key)
{
    switch (key->type) {
    case PROFILE_BOOL:
        return G_VARIANT_TYPE_BOOLEAN;
    case PROFILE_UINT:
        return G_VARIANT_TYPE_UINT64;
    case PROFILE_FILE:
    case PROFILE_SECRET:
        return G_VARIANT_TYPE_BYTESTRING;
    case PROFILE_STRING:
    case PROFILE_HOST:
    case PROFILE_CHOICE:
    case PROFILE_LIST:
        break;
    }
    return G_VARIANT_TYPE_STRING;
}

static GVariant *value_to_variant(const struct profile *profile, const struct profile_key *key)
{
    struct bytes octets = profile_get_bytes(profile, key->name);

    switch (key->type) {
    case PROFILE_BOOL:
        return g_variant_new_boolean(profile_get_bool(profile, key->name));
    case PROFILE_UINT:
        return g_variant_new_uint64(profile_get_uint(profile, key->name));
    case PROFILE_FILE:
    case PROFILE_SECRET:
        return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, octets.data, octets.len, 1);
    case PROFILE_STRING:
    case PROFILE_HOST:
    case PROFILE_CHOICE:
    case PROFILE_LIST:
        break;
    }
    return g_variant_new_string(profile_get(profile, key->name));
}

GVariant *profile_to_variant(const struct profile *profile)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        if (profile_is_set(profile, key->name)) {
            g_variant_builder_add(&builder, "{sv}", key->name, value_to_variant(profile, key));
        }
    }
    return g_variant_builder_end(&builder);
}

static gboolean set_from_variant(struct profile *profile, const struct profile_key *key,
                                 GVariant *value, GError **error)
{
    struct bytes octets;
    char *number;
    gboolean ok;

    switch (key->type) {
    case PROFILE_BOOL:
        return profile_set(profile, key->name, g_variant_get_boolean(value) ? "true" : "false",
                           NULL, error);
    case PROFILE_UINT:
        number = g_strdup_printf("%" PRIu64, g_variant_get_uint64(value));
        ok = profile_set(profile, key->name, number, NULL, error);
        g_free(number);
        return ok;
    case PROFILE_FILE:
    case PROFILE_SECRET:
        octets.data = g_variant_get_fixed_array(value, &octets.len, 1);
        return profile_set_octets(profile, key, octets, key->name, error);
    case PROFILE_STRING:
    case PROFILE_HOST:
    case PROFILE_CHOICE:
    case PROFILE_LIST:
        break;
    }
    return profile_set(profile, key->name, g_variant_get_string(value, NULL), NULL, error);
}

static gboolean take_entry(struct profile *profile, const char *name, GVariant *value,
                           GError **error)
{
    const struct profile_key *key = profile_key_find(name);
    char *shown;

    if (key == NULL) {
        shown = profile_quotable(bytes_of_string(name));
        profile_fail(error, PROFILE_ERROR_KEY, shown, _("unknown key"));
        g_free(shown);
        return FALSE;
    }
    if (!g_variant_is_of_type(value, variant_type_of(key))) {
        return profile_fail(error, PROFILE_ERROR_VALUE, name, _("the type is %s instead of %s"),
                            g_variant_get_type_string(value),
                            g_variant_type_peek_string(variant_type_of(key)));
    }
    if (profile_is_set(profile, name)) {
        return profile_fail(error, PROFILE_ERROR_SYNTAX, name, _("given twice"));
    }
    return set_from_variant(profile, key, value, error);
}

struct profile *profile_from_variant(GVariant *dict, GError **error)
{
    struct profile *profile;
    GVariantIter iter;
    const char *name;
    GVariant *value;
    gboolean ok = TRUE;

    if (!g_variant_is_of_type(dict, G_VARIANT_TYPE_VARDICT)) {
        profile_fail(error, PROFILE_ERROR_SYNTAX, _("profile"), _("not a dictionary"));
        return NULL;
    }
    profile = profile_new();
    g_variant_iter_init(&iter, dict);
    while (ok && g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        ok = take_entry(profile, name, value, error);
        g_variant_unref(value);
    }
    if (!ok) {
        g_clear_pointer(&profile, profile_free);
    }
    return profile;
}
