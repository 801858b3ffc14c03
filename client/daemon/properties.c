/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/properties.h"

struct properties {
    const GDBusInterfaceInfo *info;
    GHashTable *values;  /* GVariant by name */
    GHashTable *changed; /* names */
};

static GVariant *empty_value(const GVariantType *type)
{
    GVariantBuilder builder;
    switch (*g_variant_type_peek_string(type)) {
    case 's':
        return g_variant_new_string("");
    case 'b':
        return g_variant_new_boolean(FALSE);
    case 'q':
        return g_variant_new_uint16(0);
    case 'u':
        return g_variant_new_uint32(0);
    case 't':
        return g_variant_new_uint64(0);
    case 'x':
        return g_variant_new_int64(0);
    default:
        break;
    }
    g_variant_builder_init(&builder, type);
    if (g_variant_type_is_tuple(type)) {
        for (const GVariantType *item = g_variant_type_first(type); item;
             item = g_variant_type_next(item)) {
            g_variant_builder_add_value(&builder, empty_value(item));
        }
    }
    return g_variant_builder_end(&builder);
}

struct properties *properties_new(const GDBusInterfaceInfo *info)
{
    struct properties *properties = g_new0(struct properties, 1);
    properties->info = info;
    properties->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
    properties->changed = g_hash_table_new(g_str_hash, g_str_equal);
    for (GDBusPropertyInfo **one = info->properties; *one; one++) {
        GVariant *value = empty_value(G_VARIANT_TYPE((*one)->signature));
        g_hash_table_insert(properties->values, (*one)->name, g_variant_ref_sink(value));
    }
    return properties;
}

void properties_free(struct properties *properties)
{
    if (properties) {
        g_hash_table_unref(properties->values);
        g_hash_table_unref(properties->changed);
        g_free(properties);
    }
}

void properties_set(struct properties *properties, const char *name, GVariant *value)
{
    gpointer key, old;
    g_variant_ref_sink(value);
    if (g_hash_table_lookup_extended(properties->values, name, &key, &old) &&
        g_variant_is_of_type(value, g_variant_get_type(old)) && !g_variant_equal(value, old)) {
        g_hash_table_insert(properties->values, key, g_variant_ref(value));
        g_hash_table_add(properties->changed, key);
    }
    g_variant_unref(value);
}

GVariant *properties_get(const struct properties *properties, const char *name)
{
    return g_hash_table_lookup(properties->values, name);
}

GVariant *properties_all(const struct properties *properties)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    for (GDBusPropertyInfo **one = properties->info->properties; *one; one++) {
        g_variant_builder_add(&builder, "{sv}", (*one)->name,
                              properties_get(properties, (*one)->name));
    }
    return g_variant_builder_end(&builder);
}

GVariant *properties_take_changes(struct properties *properties)
{
    GVariantBuilder builder;
    GHashTableIter iter;
    gpointer name;
    if (g_hash_table_size(properties->changed) == 0) {
        return NULL;
    }
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_hash_table_iter_init(&iter, properties->changed);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        g_variant_builder_add(&builder, "{sv}", name, properties_get(properties, name));
    }
    g_hash_table_remove_all(properties->changed);
    return g_variant_new("(sa{sv}as)", properties->info->name, &builder, NULL);
}
