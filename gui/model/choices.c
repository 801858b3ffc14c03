/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/choices.h"

#include <string.h>

#define GROUP "untrusted-networks"
#define CONNECTS "connect"
#define PROFILE "profile"
#define TRUSTED "trusted"
#define SYSTEM "/" /* before the name of one of the computer's */

static char *path_of_file(void)
{
    return g_build_filename(g_get_user_config_dir(), "godwit", "tray.ini", NULL);
}

struct choices *choices_load(void)
{
    struct choices *choices = g_new(struct choices, 1);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *path = path_of_file();
    g_auto(GStrv) trusted = NULL;

    (void)g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL);
    *choices = (struct choices){
        .connects = g_key_file_get_boolean(file, GROUP, CONNECTS, NULL),
        .profile = g_key_file_get_string(file, GROUP, PROFILE, NULL),
        .trusted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    if (choices->profile == NULL) {
        choices->profile = g_strdup("");
    }
    trusted = g_key_file_get_string_list(file, GROUP, TRUSTED, NULL, NULL);
    for (char **uuid = trusted; uuid != NULL && *uuid != NULL; uuid++) {
        g_hash_table_add(choices->trusted, g_strdup(*uuid));
    }
    return choices;
}

gboolean choices_save(const struct choices *choices, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *path = path_of_file(), *folder = g_path_get_dirname(path);
    guint n = 0;
    g_autofree const char **trusted =
        (const char **)g_hash_table_get_keys_as_array(choices->trusted, &n);

    g_key_file_set_boolean(file, GROUP, CONNECTS, choices->connects);
    g_key_file_set_string(file, GROUP, PROFILE, choices->profile);
    g_key_file_set_string_list(file, GROUP, TRUSTED, trusted, n);
    (void)g_mkdir_with_parents(folder, 0700);
    return g_key_file_save_to_file(file, path, error);
}

void choices_free(struct choices *choices)
{
    g_hash_table_unref(choices->trusted);
    g_free(choices->profile);
    g_free(choices);
}

char *choices_name_of(GodwitProfile *profile)
{
    return g_strconcat(godwit_profile_get_path(profile) == NULL ? SYSTEM : "",
                       godwit_profile_get_name(profile), NULL);
}

GodwitProfile *choices_find_profile(const struct choices *choices, GListModel *profiles)
{
    for (guint i = 0; i < g_list_model_get_n_items(profiles); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(profiles, i);
        g_autofree char *name = choices_name_of(profile);

        if (*choices->profile == '\0' ? godwit_profile_get_why(profile) == NULL
                                      : strcmp(name, choices->profile) == 0) {
            return profile; /* the list keeps it */
        }
    }
    return NULL;
}
