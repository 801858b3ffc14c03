/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/auth-dialog/questions.h"

#include <NetworkManager.h>
#include <string.h>

#include "common/i18n.h"
#include "nm-plugin/shared/settings.h"

#define MESSAGE_HINT "x-vpn-message:"
#define UI_GROUP "VPN Plugin UI"

static NMSettingSecretFlags flags_of(GHashTable *data, const char *key)
{
    NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
    (void)nm_vpn_service_plugin_get_secret_flags(data, key, &flags);
    return flags;
}

static void add(GArray *items, GHashTable *data, GHashTable *secrets, const struct profile_key *key,
                gboolean always)
{
    const char *known = g_hash_table_lookup(secrets, key->name);
    gboolean not_saved = (flags_of(data, key->name) & NM_SETTING_SECRET_FLAG_NOT_SAVED) != 0;
    const struct question question = {
        .key = key->name,
        .label = _(key->label),
        .secret = settings_is_secret(key),
        .ask = always || not_saved || !known,
        .value = known ? known : "",
    };
    g_array_append_val(items, question);
}

/* FALSE: there was none. */
static gboolean add_hinted(GArray *items, struct questions *questions, GHashTable *data,
                           GHashTable *secrets, const char *const *hints)
{
    for (; hints && *hints; hints++) {
        const struct profile_key *key = profile_key_find(*hints);
        if (g_str_has_prefix(*hints, MESSAGE_HINT)) {
            questions->message = *hints + strlen(MESSAGE_HINT);
        } else if (key) {
            add(items, data, secrets, key, TRUE);
        }
    }
    return items->len > 0;
}

void questions_make(struct questions *questions, GHashTable *data, GHashTable *secrets,
                    const char *const *hints, gboolean again)
{
    GArray *items = g_array_new(FALSE, TRUE, sizeof(struct question));
    questions->message = "";
    if (!add_hinted(items, questions, data, secrets, hints)) {
        const char *needed = settings_secret_of(g_hash_table_lookup(data, "auth"));
        if ((flags_of(data, needed) & NM_SETTING_SECRET_FLAG_NOT_REQUIRED) == 0 &&
            !g_hash_table_lookup(data, needed)) {
            add(items, data, secrets, profile_key_find(needed), again);
        }
    }
    questions->n = items->len;
    questions->items = (struct question *)(gpointer)g_array_free(items, FALSE);
}

void questions_clear(struct questions *questions)
{
    g_clear_pointer(&questions->items, g_free);
    questions->n = 0;
}

char *questions_to_keyfile(const struct questions *questions, const char *name)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *title = g_strdup_printf(_("Authenticate VPN %s"), name);
    g_autofree char *description = *questions->message
                                       ? g_strdup(questions->message)
                                       : g_strdup_printf(_("The connection \"%s\" needs:"), name);
    g_key_file_set_integer(file, UI_GROUP, "Version", 2);
    g_key_file_set_string(file, UI_GROUP, "Title", title);
    g_key_file_set_string(file, UI_GROUP, "Description", description);
    for (gsize i = 0; i < questions->n; i++) {
        const struct question *question = &questions->items[i];
        g_key_file_set_string(file, question->key, "Value", question->value);
        g_key_file_set_string(file, question->key, "Label", question->label);
        g_key_file_set_boolean(file, question->key, "IsSecret", question->secret);
        g_key_file_set_boolean(file, question->key, "ShouldAsk", question->ask);
    }
    return g_key_file_to_data(file, NULL, NULL);
}
