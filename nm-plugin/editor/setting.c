/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/editor/setting.h"

#include <string.h>

#include "common/secret.h"
#include "nm-plugin/shared/settings.h"

static void load(struct values *values, NMSettingVpn *setting, const struct profile_key *key)
{
    char *text = settings_text(setting, key);
    values_load(values, key->name, text);
    if (text) {
        secret_wipe(text, strlen(text));
        g_free(text);
    }
}

static gboolean has(NMSettingVpn *setting, const struct profile_key *key)
{
    return nm_setting_vpn_get_secret(setting, key->name) ||
           nm_setting_vpn_get_data_item(setting, key->name);
}

struct values *setting_to_values(NMConnection *connection)
{
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    struct values *values = values_new();
    gboolean is_new = !setting || nm_setting_vpn_get_num_data_items(setting) == 0;
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
        if (setting && !is_new) {
            load(values, setting, key);
        }
        if (key->type == PROFILE_SECRET && is_new) {
            flags = NM_SETTING_SECRET_FLAG_AGENT_OWNED;
        } else if (settings_is_secret(key)) {
            (void)nm_setting_get_secret_flags(NM_SETTING(setting), key->name, &flags, NULL);
        }
        values_set_storage(values, key->name, flags);
    }
    return values;
}

static NMSettingVpn *setting_of(NMConnection *connection)
{
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    if (!setting) {
        setting = NM_SETTING_VPN(nm_setting_vpn_new());
        nm_connection_add_setting(connection, NM_SETTING(setting));
    }
    g_object_set(setting, NM_SETTING_VPN_SERVICE_TYPE, SETTINGS_SERVICE, NULL);
    return setting;
}

/* Where a secret is kept is told of those that the method of authentication uses. */
static void put_storage(NMSettingVpn *setting, const struct values *values,
                        const struct profile_key *key)
{
    unsigned storage = values_storage(values, key->name);
    NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
    (void)nm_setting_get_secret_flags(NM_SETTING(setting), key->name, &flags, NULL);
    if (flags != storage && (values_touched(values, key->name) ||
                             (key->auth && g_str_equal(key->auth, values_auth(values))))) {
        (void)nm_setting_set_secret_flags(NM_SETTING(setting), key->name, storage, NULL);
    }
}

void setting_from_values(const struct values *values, NMConnection *connection)
{
    NMSettingVpn *setting = setting_of(connection);
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        const char *text = values_get(values, key->name);
        gboolean secret = settings_is_secret(key);
        if (secret && !values_keeps(values_storage(values, key->name))) {
            text = NULL;
        }
        if (values_touched(values, key->name) || (text && !has(setting, key))) {
            settings_put(setting, key, text);
        }
        if (secret) {
            put_storage(setting, values, key);
        }
    }
}
