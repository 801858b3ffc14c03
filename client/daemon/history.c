/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/history.h"

struct history {
    char *type;
    GQueue elements;
};

struct history *history_new(const char *type)
{
    struct history *history = g_new0(struct history, 1);
    history->type = g_strdup(type);
    g_queue_init(&history->elements);
    return history;
}

void history_free(struct history *history)
{
    if (history) {
        g_queue_clear_full(&history->elements, (GDestroyNotify)g_variant_unref);
        g_free(history->type);
        g_free(history);
    }
}

void history_add(struct history *history, GVariant *element)
{
    if (g_queue_get_length(&history->elements) == HISTORY_MAX) {
        g_variant_unref(g_queue_pop_head(&history->elements));
    }
    g_queue_push_tail(&history->elements, g_variant_ref_sink(element));
}

GVariant *history_array(const struct history *history)
{
    GVariantBuilder builder;
    g_autofree char *type = g_strconcat("a", history->type, NULL);
    g_variant_builder_init(&builder, G_VARIANT_TYPE(type));
    for (GList *at = history->elements.head; at; at = at->next) {
        g_variant_builder_add_value(&builder, at->data);
    }
    return g_variant_builder_end(&builder);
}
