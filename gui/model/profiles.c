/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/profiles.h"

#include <string.h>

#include "common/i18n.h"
#include "gui/editor/values.h"
#include "gui/model/text.h"
#include "profile/profile.h"

enum { SETTING_CHARACTERS = 2000 };

/* ---- one ---- */

struct _GodwitProfile {
    GObject parent;
    char *name, *title, *gateway, *path, *why;
    GVariant *values; /* of the computer's, without secrets; NULL = the user's */
};

G_DEFINE_FINAL_TYPE(GodwitProfile, godwit_profile, G_TYPE_OBJECT)

static void godwit_profile_finalize(GObject *object)
{
    GodwitProfile *profile = GODWIT_PROFILE(object);

    g_free(profile->name);
    g_free(profile->title);
    g_free(profile->gateway);
    g_free(profile->path);
    g_free(profile->why);
    g_clear_pointer(&profile->values, g_variant_unref);
    G_OBJECT_CLASS(godwit_profile_parent_class)->finalize(object);
}

static void godwit_profile_class_init(GodwitProfileClass *class)
{
    G_OBJECT_CLASS(class)->finalize = godwit_profile_finalize;
}

static void godwit_profile_init(GodwitProfile *profile)
{
    (void)profile;
}

const char *godwit_profile_get_name(GodwitProfile *profile)
{
    return profile->name;
}

const char *godwit_profile_get_title(GodwitProfile *profile)
{
    return profile->title;
}

const char *godwit_profile_get_gateway(GodwitProfile *profile)
{
    return profile->gateway;
}

const char *godwit_profile_get_path(GodwitProfile *profile)
{
    return profile->path;
}

const char *godwit_profile_get_why(GodwitProfile *profile)
{
    return profile->why;
}

/* ---- its settings ---- */

static void add_setting(GString *text, const struct profile *profile, const struct profile_key *key)
{
    gboolean is_file = key->type == PROFILE_FILE;
    const char *path = is_file ? profile_get_path(profile, key->name) : NULL;
    g_autofree char *value = is_file || key->type == PROFILE_SECRET
                                 ? NULL
                                 : shown_line(profile_get(profile, key->name), SETTING_CHARACTERS);

    if (path != NULL) {
        value = shown_line(path, SETTING_CHARACTERS);
    } else if (is_file && strcmp(key->name, "private-key") != 0) {
        value = g_strdup_printf("(%zu B)", profile_get_bytes(profile, key->name).len);
    }
    g_string_append_printf(text, "%s=%s\n", key->name, value == NULL ? "(…)" : value);
}

static char *settings_of(GodwitProfile *profile)
{
    struct profile *loaded = profile->values == NULL ? profile_load(profile->path, NULL)
                                                     : profile_from_variant(profile->values, NULL);
    GString *text = g_string_new(NULL);

    for (const struct profile_key *key = profile_keys(); loaded != NULL && key->name != NULL;
         key++) {
        if (profile_is_set(loaded, key->name)) {
            add_setting(text, loaded, key);
        }
    }
    profile_free(loaded);
    return g_string_free(text, FALSE);
}

/* ---- where it comes from ---- */

static GodwitProfile *profile_of_file(const char *folder, const char *file)
{
    GodwitProfile *made = g_object_new(GODWIT_TYPE_PROFILE, NULL);
    g_autoptr(GError) error = NULL;
    struct profile *profile;

    made->name = g_strndup(file, strlen(file) - strlen(".conf"));
    made->path = g_build_filename(folder, file, NULL);
    profile = profile_load(made->path, &error);
    if (profile == NULL || !values_check_profile(profile, &error)) {
        /* Files that cannot be read are told with their folder, which is not worth its room. */
        gsize known = g_str_has_prefix(error->message, made->path) ? strlen(folder) + 1 : 0;

        made->why = shown_text(error->message + known);
    }
    if (profile != NULL) {
        made->title = g_strdup(profile_get(profile, "name"));
        made->gateway = g_strdup(profile_get(profile, "gateway"));
    }
    profile_free(profile);
    if (made->title == NULL) {
        made->title = g_strdup(made->name);
    }
    if (made->gateway == NULL) {
        made->gateway = g_strdup("");
    }
    return made;
}

static GodwitProfile *profile_of_service(GVariant *entry)
{
    GodwitProfile *made = g_object_new(GODWIT_TYPE_PROFILE, NULL);
    g_autofree char *why = NULL;

    g_variant_get(entry, "(s@a{sv}s)", &made->name, &made->values, &why);
    if (!g_variant_lookup(made->values, "name", "s", &made->title)) {
        made->title = g_strdup(made->name);
    }
    if (!g_variant_lookup(made->values, "gateway", "s", &made->gateway)) {
        made->gateway = g_strdup("");
    }
    made->why = *why == '\0' ? NULL : shown_text(why);
    return made;
}

static gboolean is_same(const GodwitProfile *a, const GodwitProfile *b)
{
    return g_strcmp0(a->name, b->name) == 0 && g_strcmp0(a->title, b->title) == 0 &&
           g_strcmp0(a->gateway, b->gateway) == 0 && g_strcmp0(a->path, b->path) == 0 &&
           g_strcmp0(a->why, b->why) == 0 &&
           (a->values == NULL || b->values == NULL ? a->values == b->values
                                                   : g_variant_equal(a->values, b->values));
}

static gint compare(gconstpointer first, gconstpointer second)
{
    const GodwitProfile *a = *(GodwitProfile *const *)first, *b = *(GodwitProfile *const *)second;
    int titles;

    if ((a->path == NULL) != (b->path == NULL)) {
        return a->path == NULL ? 1 : -1;
    }
    titles = g_utf8_collate(a->title, b->title);
    return titles != 0 ? titles : g_strcmp0(a->name, b->name);
}

/* ---- all of them ---- */

struct _GodwitProfiles {
    GObject parent;
    GPtrArray *all;
    char *folder;
    GFileMonitor *monitor;
    guint later;
    GVariant *system;
};

static GType get_item_type(GListModel *model)
{
    (void)model;
    return GODWIT_TYPE_PROFILE;
}

static guint get_n_items(GListModel *model)
{
    return GODWIT_PROFILES(model)->all->len;
}

static gpointer get_item(GListModel *model, guint position)
{
    const GodwitProfiles *profiles = GODWIT_PROFILES(model);

    return position < profiles->all->len ? g_object_ref(profiles->all->pdata[position]) : NULL;
}

static void implement_list(GListModelInterface *interface)
{
    interface->get_item_type = get_item_type;
    interface->get_n_items = get_n_items;
    interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(GodwitProfiles, godwit_profiles, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, implement_list))

static void add_files(GPtrArray *all, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *file;

    while (dir != NULL && (file = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(file, ".conf") && file[0] != '.' && g_utf8_validate(file, -1, NULL)) {
            g_ptr_array_add(all, profile_of_file(folder, file));
        }
    }
}

static void add_told(GPtrArray *all, GVariant *list)
{
    GVariantIter iter;
    GVariant *entry;

    g_variant_iter_init(&iter, list);
    while ((entry = g_variant_iter_next_value(&iter)) != NULL) {
        g_ptr_array_add(all, profile_of_service(entry));
        g_variant_unref(entry);
    }
}

/* Entries that are as they were stay the same objects. */
static gboolean keep_known(GPtrArray *all, const GPtrArray *known)
{
    gboolean same = all->len == known->len;

    for (guint i = 0; i < all->len; i++) {
        gboolean found = FALSE;

        for (guint j = 0; j < known->len && !found; j++) {
            found = is_same(all->pdata[i], known->pdata[j]);
            if (found) {
                g_object_unref(all->pdata[i]);
                all->pdata[i] = g_object_ref(known->pdata[j]);
                same = same && i == j;
            }
        }
        same = same && found;
    }
    return same;
}

/* Rows of those that stay are left alone: one may just be pressed. */
static void tell_difference(GodwitProfiles *profiles, const GPtrArray *before,
                            const GPtrArray *after)
{
    guint least = MIN(before->len, after->len), head = 0, tail = 0;

    while (head < least && before->pdata[head] == after->pdata[head]) {
        head++;
    }
    while (tail < least - head &&
           before->pdata[before->len - 1 - tail] == after->pdata[after->len - 1 - tail]) {
        tail++;
    }
    g_list_model_items_changed(G_LIST_MODEL(profiles), head, before->len - head - tail,
                               after->len - head - tail);
}

void godwit_profiles_look(GodwitProfiles *profiles)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(g_object_unref), *before = profiles->all;

    add_files(all, profiles->folder);
    if (profiles->system != NULL) {
        add_told(all, profiles->system);
    }
    g_ptr_array_sort(all, compare);
    if (keep_known(all, before)) {
        g_ptr_array_unref(all);
        return;
    }
    profiles->all = all;
    tell_difference(profiles, before, all);
    g_ptr_array_unref(before);
}

static gboolean on_later(gpointer data)
{
    GodwitProfiles *profiles = data;

    profiles->later = 0;
    godwit_profiles_look(profiles);
    return G_SOURCE_REMOVE;
}

/* An editor writes a file in several steps: a moment of quiet is waited for. */
static void on_file(GodwitProfiles *profiles)
{
    if (profiles->later == 0) {
        profiles->later = g_timeout_add(50, on_later, profiles);
    }
}

void godwit_profiles_set_system(GodwitProfiles *profiles, GVariant *list)
{
    g_clear_pointer(&profiles->system, g_variant_unref);
    profiles->system = list == NULL ? NULL : g_variant_ref_sink(list);
    godwit_profiles_look(profiles);
}

char *godwit_profiles_dup_settings(GodwitProfiles *profiles, const char *title)
{
    for (guint i = 0; i < profiles->all->len; i++) {
        GodwitProfile *profile = profiles->all->pdata[i];
        g_autofree char *shown = shown_text(profile->title);

        if (strcmp(shown, title) == 0) {
            return settings_of(profile);
        }
    }
    return g_strdup("");
}

static void godwit_profiles_finalize(GObject *object)
{
    GodwitProfiles *profiles = GODWIT_PROFILES(object);

    g_clear_handle_id(&profiles->later, g_source_remove);
    g_clear_object(&profiles->monitor);
    g_ptr_array_unref(profiles->all);
    g_free(profiles->folder);
    g_clear_pointer(&profiles->system, g_variant_unref);
    G_OBJECT_CLASS(godwit_profiles_parent_class)->finalize(object);
}

static void godwit_profiles_class_init(GodwitProfilesClass *class)
{
    G_OBJECT_CLASS(class)->finalize = godwit_profiles_finalize;
}

static void godwit_profiles_init(GodwitProfiles *profiles)
{
    g_autoptr(GFile) folder = NULL;

    profiles->all = g_ptr_array_new_with_free_func(g_object_unref);
    profiles->folder = g_build_filename(g_get_user_config_dir(), "godwit", NULL);
    /* What is not there is watched by looking now and then, which takes seconds. */
    (void)g_mkdir_with_parents(profiles->folder, 0700);
    folder = g_file_new_for_path(profiles->folder);
    profiles->monitor = g_file_monitor_directory(folder, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
    if (profiles->monitor != NULL) {
        g_signal_connect_object(profiles->monitor, "changed", G_CALLBACK(on_file), profiles,
                                G_CONNECT_SWAPPED);
    }
    godwit_profiles_look(profiles);
}

GodwitProfiles *godwit_profiles_new(void)
{
    return g_object_new(GODWIT_TYPE_PROFILES, NULL);
}
