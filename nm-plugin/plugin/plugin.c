/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <NetworkManager.h>

#include "common/i18n.h"
#include "nm-plugin/plugin/load_editor.h"
#include "nm-plugin/shared/settings.h"

/*
 * What programs that edit NetworkManager's connections load: the name, import and export. No GTK in
 * here, for nmcli loads it as well: the editors are modules of their own.
 */
#define GODWIT_TYPE_EDITOR_PLUGIN (godwit_editor_plugin_get_type())
G_DECLARE_FINAL_TYPE(GodwitEditorPlugin, godwit_editor_plugin, GODWIT, EDITOR_PLUGIN, GObject)

struct _GodwitEditorPlugin {
    GObject parent;
};

static void implement(NMVpnEditorPluginInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE(GodwitEditorPlugin, godwit_editor_plugin, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(NM_TYPE_VPN_EDITOR_PLUGIN, implement))

enum { PROPERTY_NAME = 1, PROPERTY_DESCRIPTION, PROPERTY_SERVICE };

/* ---- import and export ---- */

#define FLAGS_ALL                                                                                  \
    (NM_SETTING_SECRET_FLAG_AGENT_OWNED | NM_SETTING_SECRET_FLAG_NOT_SAVED |                       \
     NM_SETTING_SECRET_FLAG_NOT_REQUIRED)

/* With the rights of whose program has loaded us; what is no file to read is refused as in a
 * profile.
 */
static GBytes *read_own(gpointer context, const char *path, GError **error)
{
    struct profile *scratch = profile_new();
    GBytes *content = NULL;
    (void)context;
    if (profile_set(scratch, "ca", path, NULL, error)) {
        struct bytes octets = profile_get_bytes(scratch, "ca");
        content = g_bytes_new(octets.data, octets.len);
    }
    profile_free(scratch);
    return content;
}

/* Addresses as the gateway assigns them. */
static void add_automatic(NMConnection *connection, NMSetting *setting)
{
    g_object_set(setting, NM_SETTING_IP_CONFIG_METHOD, NM_SETTING_IP4_CONFIG_METHOD_AUTO, NULL);
    nm_connection_add_setting(connection, setting);
}

/* What another plugin of NetworkManager's keeps in the keyring, or not at all, is no file's. */
static void take_flags(NMConnection *connection, const char *path)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    const char *auth = nm_setting_vpn_get_data_item(setting, "auth");
    gboolean has_key = g_strcmp0(auth, "certificate") == 0;
    (void)g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL);
    gint flags = g_key_file_get_integer(file, "vpn", "password-flags", NULL);
    if (flags > 0 && flags <= FLAGS_ALL) {
        (void)nm_setting_set_secret_flags(
            NM_SETTING(setting), has_key ? "private-key-password" : settings_secret_of(auth, NULL),
            (NMSettingSecretFlags)flags, NULL);
    }
}

static NMConnection *import_from_file(NMVpnEditorPlugin *plugin, const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;
    (void)plugin;
    struct profile *profile = profile_import(path, &cause);
    if (!profile) {
        g_set_error_literal(error, NM_VPN_PLUGIN_ERROR, NM_VPN_PLUGIN_ERROR_BAD_ARGUMENTS,
                            cause->message);
        return NULL;
    }
    NMConnection *connection = nm_simple_connection_new();
    g_autofree char *base = g_path_get_basename(path);
    gsize stem = strcspn(base, ".");
    g_autofree char *id = profile_quotable(bytes_of(base, stem > 0 ? stem : strlen(base)));
    NMSetting *common = nm_setting_connection_new();
    g_object_set(common, NM_SETTING_CONNECTION_ID, id, NULL);
    nm_connection_add_setting(connection, common);
    add_automatic(connection, nm_setting_ip4_config_new());
    add_automatic(connection, nm_setting_ip6_config_new());
    settings_from_profile(profile, connection);
    profile_free(profile);
    take_flags(connection, path);
    return connection;
}

static gboolean export_to_file(NMVpnEditorPlugin *plugin, const char *path,
                               NMConnection *connection, GError **error)
{
    g_autoptr(GError) cause = NULL;
    (void)plugin;
    struct profile *profile = settings_to_profile(connection, read_own, NULL, &cause);
    gboolean done = profile && profile_export(profile, path, &cause);
    if (!done) {
        g_set_error_literal(error, NM_VPN_PLUGIN_ERROR, NM_VPN_PLUGIN_ERROR_FAILED, cause->message);
    }
    profile_free(profile);
    return done;
}

static char *get_suggested_filename(NMVpnEditorPlugin *plugin, NMConnection *connection)
{
    const char *id = nm_connection_get_id(connection);
    (void)plugin;
    char *name = g_strconcat(id ? id : "godwit", ".conf", NULL);
    return g_strdelimit(name, "/", '_');
}

static NMVpnEditorPluginCapability get_capabilities(NMVpnEditorPlugin *plugin)
{
    (void)plugin;
    return NM_VPN_EDITOR_PLUGIN_CAPABILITY_IMPORT | NM_VPN_EDITOR_PLUGIN_CAPABILITY_EXPORT |
           NM_VPN_EDITOR_PLUGIN_CAPABILITY_IPV6;
}

static void implement(NMVpnEditorPluginInterface *interface)
{
    interface->get_editor = load_editor;
    interface->get_capabilities = get_capabilities;
    interface->import_from_file = import_from_file;
    interface->export_to_file = export_to_file;
    interface->get_suggested_filename = get_suggested_filename;
}

/* ---- the object ---- */

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    switch (id) {
    case PROPERTY_NAME:
        g_value_set_string(value, _("Godwit (IKEv2)"));
        break;
    case PROPERTY_DESCRIPTION:
        g_value_set_string(value, _("IKEv2 gateways of any make, by name and password, certificate "
                                    "or shared key; stays up while you move."));
        break;
    case PROPERTY_SERVICE:
        g_value_set_string(value, SETTINGS_SERVICE);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void godwit_editor_plugin_class_init(GodwitEditorPluginClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    object->get_property = get_property;
    g_object_class_override_property(object, PROPERTY_NAME, NM_VPN_EDITOR_PLUGIN_NAME);
    g_object_class_override_property(object, PROPERTY_DESCRIPTION,
                                     NM_VPN_EDITOR_PLUGIN_DESCRIPTION);
    g_object_class_override_property(object, PROPERTY_SERVICE, NM_VPN_EDITOR_PLUGIN_SERVICE);
}

static void godwit_editor_plugin_init(GodwitEditorPlugin *self)
{
    (void)self;
}

G_MODULE_EXPORT NMVpnEditorPlugin *nm_vpn_editor_plugin_factory(GError **error)
{
    (void)error;
    bindtextdomain(PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    return g_object_new(GODWIT_TYPE_EDITOR_PLUGIN, NULL);
}
