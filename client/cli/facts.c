/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/facts.h"

struct facts {
    GHashTable *values;
};

struct facts *facts_new(void)
{
    struct facts *facts = g_new(struct facts, 1);

    facts->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
    return facts;
}

void facts_free(struct facts *facts)
{
    if (facts != NULL) {
        g_hash_table_destroy(facts->values);
        g_free(facts);
    }
}

void facts_set(struct facts *facts, const char *name, GVariant *value)
{
    g_hash_table_replace(facts->values, g_strdup(name), g_variant_ref_sink(value));
}

void facts_update(struct facts *facts, GVariant *changed)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iter, changed);
    while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        facts_set(facts, name, value);
        g_variant_unref(value);
    }
}

gboolean facts_has(const struct facts *facts, const char *name, GVariant *value)
{
    GVariant *known = g_hash_table_lookup(facts->values, name);

    return known != NULL && g_variant_equal(known, value);
}

GVariant *facts_value(const struct facts *facts, const char *name, const char *type)
{
    GVariant *value = g_hash_table_lookup(facts->values, name);

    return value != NULL && g_variant_is_of_type(value, (const GVariantType *)type) ? value : NULL;
}

const char *facts_text(const struct facts *facts, const char *name)
{
    GVariant *value = facts_value(facts, name, "s");

    return value == NULL ? "" : g_variant_get_string(value, NULL);
}

char **facts_texts(const struct facts *facts, const char *name)
{
    GVariant *value = facts_value(facts, name, "as");

    return value == NULL ? g_new0(char *, 1) : g_variant_dup_strv(value, NULL);
}

guint64 facts_number(const struct facts *facts, const char *name)
{
    GVariant *value = g_hash_table_lookup(facts->values, name);

    if (value == NULL) {
        return 0;
    }
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_UINT16:
        return g_variant_get_uint16(value);
    case G_VARIANT_CLASS_UINT32:
        return g_variant_get_uint32(value);
    case G_VARIANT_CLASS_UINT64:
        return g_variant_get_uint64(value);
    case G_VARIANT_CLASS_INT64:
        return (guint64)MAX(0, g_variant_get_int64(value));
    case G_VARIANT_CLASS_BOOLEAN:
    case G_VARIANT_CLASS_BYTE:
    case G_VARIANT_CLASS_INT16:
    case G_VARIANT_CLASS_INT32:
    case G_VARIANT_CLASS_HANDLE:
    case G_VARIANT_CLASS_DOUBLE:
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
    case G_VARIANT_CLASS_VARIANT:
    case G_VARIANT_CLASS_MAYBE:
    case G_VARIANT_CLASS_ARRAY:
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
        break;
    }
    return 0;
}

gboolean facts_bool(const struct facts *facts, const char *name)
{
    GVariant *value = facts_value(facts, name, "b");

    return value != NULL && g_variant_get_boolean(value);
}
