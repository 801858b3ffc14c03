/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/vpn1_variant.h"

#include "common/language.h"

void vpn1_add_language(GVariantDict *options)
{
    const char *language = language_of_messages();

    if (language != NULL) {
        g_variant_dict_insert(options, "language", "s", language);
    }
}

GVariant *vpn1_without_language(GVariant *arguments)
{
    gsize n = g_variant_n_children(arguments);
    g_autoptr(GVariant) last = n == 0 ? NULL : g_variant_get_child_value(arguments, n - 1);
    GVariantBuilder builder;
    GVariantDict options;

    if (last == NULL || !g_variant_is_of_type(last, G_VARIANT_TYPE_VARDICT)) {
        return NULL;
    }
    g_variant_dict_init(&options, last);
    if (!g_variant_dict_remove(&options, "language")) {
        g_variant_dict_clear(&options);
        return NULL;
    }
    g_variant_builder_init(&builder, g_variant_get_type(arguments));
    for (gsize i = 0; i + 1 < n; i++) {
        g_autoptr(GVariant) value = g_variant_get_child_value(arguments, i);

        g_variant_builder_add_value(&builder, value);
    }
    g_variant_builder_add_value(&builder, g_variant_dict_end(&options));
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}
