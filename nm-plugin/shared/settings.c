/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/shared/settings.h"

#include <string.h>

#include "common/i18n.h"
#include "common/pkcs11_uri.h"
#include "common/secret.h"

#define BASE64 "base64:"
#define FLAGS_SUFFIX "-flags"
/* NetworkManager keeps data and its own "timeout" in one group of a file: so our key is that one.
 * It waits so many seconds longer than we do, and hears why. */
#define TIMEOUT "timeout"
#define TIMEOUT_MORE 2

gboolean settings_is_secret(const struct profile_key *key)
{
    return key->type == PROFILE_SECRET || g_str_equal(key->name, "private-key");
}

/* "password-flags", which NetworkManager keeps beside "password". */
static gboolean is_flags_of_secret(const char *name)
{
    if (!g_str_has_suffix(name, FLAGS_SUFFIX)) {
        return FALSE;
    }
    g_autofree char *secret = g_strndup(name, strlen(name) - strlen(FLAGS_SUFFIX));
    const struct profile_key *key = profile_key_find(secret);
    return key && settings_is_secret(key);
}

static gboolean is_uri(const char *text)
{
    return text && pkcs11_is_uri(bytes_of_string(text));
}

/* ---- to a profile ---- */

struct reading {
    struct profile *profile;
    settings_reader reader;
    gpointer context;
    GError *error; /* the first */
};

static void read_file(struct reading *reading, const char *name, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) content = reading->reader(reading->context, path, &error);
    if (!content) {
        g_autofree char *shown = profile_quotable(bytes_of_string(path));
        g_set_error(&reading->error, PROFILE_ERROR, PROFILE_ERROR_FILE, "%s: %s: %s", name, shown,
                    error->message);
        return;
    }
    gsize length;
    const void *octets = g_bytes_get_data(content, &length);
    (void)profile_set_bytes(reading->profile, name, bytes_of(octets, length), &reading->error);
}

/* A path is never opened by the profile itself, which would do so with our own rights. */
static void take_text(struct reading *reading, const struct profile_key *key, const char *text)
{
    gboolean on_token = (key->flags & PROFILE_TOKEN) && is_uri(text);
    if (key->type == PROFILE_FILE && !g_str_has_prefix(text, BASE64) && !on_token) {
        read_file(reading, key->name, text);
    } else if (on_token || (key->type == PROFILE_SECRET && !(key->flags & PROFILE_OCTETS))) {
        (void)profile_set_bytes(reading->profile, key->name, bytes_of_string(text),
                                &reading->error);
    } else {
        (void)profile_set(reading->profile, key->name, text, NULL, &reading->error);
    }
}

static void take_data(const char *name, const char *text, gpointer data)
{
    struct reading *reading = data;
    const struct profile_key *key = profile_key_find(name);
    if (reading->error || (!key && is_flags_of_secret(name))) {
        return;
    }
    if (key) {
        take_text(reading, key, text);
    } else {
        (void)profile_set(reading->profile, name, text, NULL, &reading->error);
    }
}

static void take_secret(const char *name, const char *text, gpointer data)
{
    struct reading *reading = data;
    const struct profile_key *key = profile_key_find(name);
    if (reading->error) {
        return;
    }
    /* A user name that was asked for comes back as the agents' other answers do. */
    if (!key || !(settings_is_secret(key) || g_str_equal(name, "user"))) {
        g_autofree char *shown = profile_quotable(bytes_of_string(name));
        g_set_error(&reading->error, PROFILE_ERROR, PROFILE_ERROR_KEY, _("unknown secret \"%s\""),
                    shown);
    } else {
        take_text(reading, key, text);
    }
}

/* NULL = it is not set. */
static char *timeout_text(NMSettingVpn *setting)
{
    guint32 seconds = nm_setting_vpn_get_timeout(setting);
    return seconds == 0 ? NULL
                        : g_strdup_printf("%u", MAX(seconds, TIMEOUT_MORE + 1) - TIMEOUT_MORE);
}

static void take_timeout(struct reading *reading, NMSettingVpn *setting)
{
    g_autofree char *text = timeout_text(setting);
    if (text && !reading->error && !profile_is_set(reading->profile, TIMEOUT)) {
        (void)profile_set(reading->profile, TIMEOUT, text, NULL, &reading->error);
    }
}

char *settings_text(NMSettingVpn *setting, const struct profile_key *key)
{
    const char *text =
        settings_is_secret(key) ? nm_setting_vpn_get_secret(setting, key->name) : NULL;
    text = text ? text : nm_setting_vpn_get_data_item(setting, key->name);
    return !text && g_str_equal(key->name, TIMEOUT) ? timeout_text(setting) : g_strdup(text);
}

struct profile *settings_to_profile(NMConnection *connection, settings_reader reader,
                                    gpointer context, GError **error)
{
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    const char *id = nm_connection_get_id(connection);
    if (!setting) {
        g_set_error(error, PROFILE_ERROR, PROFILE_ERROR_SYNTAX, _("the connection is no VPN"));
        return NULL;
    }
    struct reading reading = {.profile = profile_new(), .reader = reader, .context = context};
    nm_setting_vpn_foreach_data_item(setting, take_data, &reading);
    nm_setting_vpn_foreach_secret(setting, take_secret, &reading);
    take_timeout(&reading, setting);
    if (!reading.error && id && !profile_is_set(reading.profile, "name")) {
        /* An id that is no name for us is no reason to refuse. */
        (void)profile_set(reading.profile, "name", id, NULL, NULL);
    }
    if (reading.error) {
        g_propagate_error(error, reading.error);
        g_clear_pointer(&reading.profile, profile_free);
    }
    return reading.profile;
}

/* ---- from a profile ---- */

static char *text_of(const struct profile *profile, const struct profile_key *key)
{
    if (key->type != PROFILE_FILE && key->type != PROFILE_SECRET) {
        return g_strdup(profile_get(profile, key->name));
    }
    struct bytes octets = profile_get_bytes(profile, key->name);
    if (key->type == PROFILE_FILE && profile_is_on_token(profile, key->name)) {
        return g_strdup(profile_get_path(profile, key->name));
    }
    if (key->type == PROFILE_SECRET && !(key->flags & PROFILE_OCTETS)) {
        return g_strndup((const char *)octets.data, octets.len);
    }
    char *encoded = g_base64_encode(octets.data, octets.len);
    char *text = g_strconcat(BASE64, encoded, NULL);
    secret_wipe(encoded, strlen(encoded));
    g_free(encoded);
    return text;
}

static void take_out(NMSettingVpn *setting, const struct profile_key *key)
{
    if (settings_is_secret(key)) {
        (void)nm_setting_vpn_remove_secret(setting, key->name);
    }
    (void)nm_setting_vpn_remove_data_item(setting, key->name);
}

static void put_timeout(NMSettingVpn *setting, const char *text)
{
    guint64 seconds = text ? g_ascii_strtoull(text, NULL, 10) + TIMEOUT_MORE : 0;
    (void)nm_setting_vpn_remove_data_item(setting, TIMEOUT);
    g_object_set(setting, NM_SETTING_VPN_TIMEOUT, (guint)seconds, NULL);
}

void settings_put(NMSettingVpn *setting, const struct profile_key *key, const char *text)
{
    take_out(setting, key);
    if (g_str_equal(key->name, TIMEOUT)) {
        put_timeout(setting, text);
    } else if (text && settings_is_secret(key) && !is_uri(text)) {
        nm_setting_vpn_add_secret(setting, key->name, text);
    } else if (text) {
        /* The name of a private key is no secret. */
        nm_setting_vpn_add_data_item(setting, key->name, text);
    }
}

void settings_from_profile(const struct profile *profile, NMConnection *connection)
{
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    if (!setting) {
        setting = NM_SETTING_VPN(nm_setting_vpn_new());
        g_object_set(setting, NM_SETTING_VPN_SERVICE_TYPE, SETTINGS_SERVICE, NULL);
        nm_connection_add_setting(connection, NM_SETTING(setting));
    }
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (g_str_equal(key->name, "name")) {
            continue;
        }
        char *text = profile_is_set(profile, key->name) ? text_of(profile, key) : NULL;
        settings_put(setting, key, text);
        if (text) {
            secret_wipe(text, strlen(text));
            g_free(text);
        }
    }
    NMSettingConnection *common = nm_connection_get_setting_connection(connection);
    if (common && profile_is_set(profile, "name")) {
        g_object_set(common, NM_SETTING_CONNECTION_ID, profile_get(profile, "name"), NULL);
    }
}

/* ---- what is missing ---- */

static gboolean is_missing(NMSettingVpn *setting, const char *name)
{
    NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
    (void)nm_setting_get_secret_flags(NM_SETTING(setting), name, &flags, NULL);
    return !nm_setting_vpn_get_secret(setting, name) &&
           !nm_setting_vpn_get_data_item(setting, name) &&
           !(flags & NM_SETTING_SECRET_FLAG_NOT_REQUIRED);
}

const char *settings_secret_of(const char *auth, const char *certificate)
{
    static const struct {
        const char *auth, *secret;
        gboolean on_token; /* then it is there too, and its PIN is asked for when it is known */
    } needs[] = {{"psk", "psk", FALSE}, {"certificate", "private-key", TRUE}};
    for (gsize i = 0; auth && i < G_N_ELEMENTS(needs); i++) {
        if (g_str_equal(needs[i].auth, auth)) {
            return is_uri(certificate) && needs[i].on_token ? NULL : needs[i].secret;
        }
    }
    return "password";
}

const char *settings_missing_secret(NMConnection *connection)
{
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    if (!setting) {
        return NULL;
    }
    const char *needed = settings_secret_of(nm_setting_vpn_get_data_item(setting, "auth"),
                                            nm_setting_vpn_get_data_item(setting, "certificate"));
    return needed && is_missing(setting, needed) ? needed : NULL;
}
