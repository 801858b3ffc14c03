/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/profiles.h"
#include "common/i18n.h"

#define SYSTEM_PROFILES SYSCONFDIR "/godwit/"

void known_free(struct known *known)
{
    g_free(known->name);
    g_free(known->title);
    g_free(known->gateway);
    g_free(known->why);
    g_clear_pointer(&known->values, g_variant_unref);
    g_free(known);
}

static void free_known(gpointer data)
{
    known_free(data);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const struct known *first = *(const struct known *const *)a,
                       *second = *(const struct known *const *)b;

    return first->system != second->system ? first->system - second->system
                                           : g_strcmp0(first->name, second->name);
}

/* ---- files ---- */

static struct known *known_file(const char *name, const char *path)
{
    struct known *known = g_new0(struct known, 1);
    GError *error = NULL;
    struct profile *profile = profile_load(path, &error);

    known->name = g_strdup(name);
    known->system = g_str_has_prefix(path, SYSTEM_PROFILES);
    if (profile == NULL) {
        known->why = g_strdup(error->message);
        g_error_free(error);
    } else {
        known->gateway = g_strdup(profile_get(profile, "gateway"));
        known->title = g_strdup(profile_get(profile, "name"));
    }
    if (known->title == NULL) {
        known->title = g_strdup(name);
    }
    profile_free(profile);
    return known;
}

static void add_files(GPtrArray *all, gboolean system_too)
{
    g_auto(GStrv) names = profile_list();

    for (char **name = names; *name != NULL; name++) {
        g_autofree char *path = profile_find(*name);
        gboolean system = path != NULL && g_str_has_prefix(path, SYSTEM_PROFILES);

        if (path != NULL && (system_too || !system)) {
            g_ptr_array_add(all, known_file(*name, path));
        }
    }
}

/* ---- what the service tells ---- */

static struct known *known_told(GVariant *entry)
{
    struct known *known = g_new0(struct known, 1);

    g_variant_get(entry, "(s@a{sv}s)", &known->name, &known->values, &known->why);
    known->system = TRUE;
    if (!g_variant_lookup(known->values, "name", "s", &known->title)) {
        known->title = g_strdup(known->name);
    }
    if (!g_variant_lookup(known->values, "gateway", "s", &known->gateway)) {
        known->gateway = NULL;
    }
    if (*known->why == '\0') {
        g_clear_pointer(&known->why, g_free);
    }
    return known;
}

static gboolean add_told(GPtrArray *all, struct bus *bus, unsigned flags, GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, VPN1_PATH, VPN1_MANAGER_INTERFACE, "ListSystemProfiles", NULL, flags, error);
    g_autoptr(GVariant) list = NULL;
    GVariantIter iter;
    GVariant *entry;

    if (reply == NULL) {
        return FALSE;
    }
    if (g_variant_is_of_type(reply, G_VARIANT_TYPE("(a(sa{sv}s))"))) {
        list = g_variant_get_child_value(reply, 0);
        g_variant_iter_init(&iter, list);
        while ((entry = g_variant_iter_next_value(&iter)) != NULL) {
            g_ptr_array_add(all, known_told(entry));
            g_variant_unref(entry);
        }
    }
    return TRUE;
}

GPtrArray *known_profiles(struct bus *bus, unsigned flags)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(free_known);

    add_files(all, bus == NULL || !add_told(all, bus, flags, NULL));
    g_ptr_array_sort(all, compare);
    return all;
}

struct known *known_system(struct bus *bus, const char *name, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free_known);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (!add_told(all, bus, BUS_PLAIN, error)) {
        return NULL;
    }
    for (guint i = 0; i < all->len; i++) {
        struct known *known = all->pdata[i];

        if (strcmp(known->name, name) == 0) {
            return g_ptr_array_steal_index(all, i);
        }
        g_ptr_array_add(names, known->name);
    }
    cli_not_found(error, g_strdup_printf(_("This computer has no profile \"%s\"."), name), name,
                  names);
    return NULL;
}
