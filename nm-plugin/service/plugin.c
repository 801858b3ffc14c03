/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/service/plugin.h"

#include <pwd.h>
#include <string.h>

#include "common/i18n.h"
#include "common/secret.h"
#include "common/vpn1.h"
#include "nm-plugin/service/failure.h"
#include "nm-plugin/service/files.h"
#include "nm-plugin/service/ip_config.h"
#include "nm-plugin/service/link.h"
#include "nm-plugin/shared/settings.h"

#define REFUSALS_MAX 3  /* many gateways lock an account after five wrong passwords */
#define ANSWER_TIME 120 /* seconds */
#define TIMEOUT_MAX 55  /* seconds: libnm gives up after 60, without a word why */

struct _GodwitPlugin {
    NMVpnServicePlugin parent;
    struct link *link;
    char *uuid;           /* of the connection */
    char *dns;            /* the profile's key of that name */
    GVariant *form;       /* what is being asked, NULL = nothing */
    gboolean interactive; /* there is somebody to ask */
    enum reason reason;   /* why it has ended */
    const char *typed;    /* the key of the secret that an agent has given, NULL = none */
    guint refusals;       /* of it, in a row */
    gboolean up;          /* it was connected */
    gboolean anew;        /* the refused secret is being asked for again */
    guint unanswered;     /* ends the wait for an answer that does not come by NetworkManager */
    guint leaving;        /* idle source that ends a failed connection */
};

G_DEFINE_FINAL_TYPE(GodwitPlugin, godwit_plugin, NM_TYPE_VPN_SERVICE_PLUGIN)

/* ---- what godwitd tells ---- */

static void give(void (*set)(NMVpnServicePlugin *, GVariant *), GodwitPlugin *self,
                 GVariant *config)
{
    if (config) {
        g_autoptr(GVariant) held = g_variant_ref_sink(config);
        set(NM_VPN_SERVICE_PLUGIN(self), held);
    }
}

static void on_connected(void *context, Vpn1Session *session)
{
    GodwitPlugin *self = context;
    GVariant *ip4 = ip_config_4(session, self->dns), *ip6 = ip_config_6(session, self->dns);
    self->up = TRUE;
    g_clear_handle_id(&self->unanswered, g_source_remove);
    give(nm_vpn_service_plugin_set_config, self,
         ip_config_general(session, ip4 != NULL, ip6 != NULL));
    give(nm_vpn_service_plugin_set_ip4_config, self, ip4);
    give(nm_vpn_service_plugin_set_ip6_config, self, ip6);
}

/* The journal has it under the field that nmcli says to look for when a connection has failed. */
static void log_line(const GodwitPlugin *self, GLogLevelFlags level, const char *word,
                     const char *text)
{
    g_log_structured(G_LOG_DOMAIN, level, "NM_CONNECTION", self->uuid, "MESSAGE", "%s%s%s", word,
                     *text ? ": " : "", text);
}

static void on_phase(void *context, const char *phase, const char *text)
{
    log_line(context, G_LOG_LEVEL_MESSAGE, phase, text);
}

/* Outside of the link's callbacks, as it is freed here. */
static gboolean leave(gpointer data)
{
    GodwitPlugin *self = data;
    self->leaving = 0;
    (void)nm_vpn_service_plugin_disconnect(NM_VPN_SERVICE_PLUGIN(self), NULL);
    return G_SOURCE_REMOVE;
}

static void leave_soon(GodwitPlugin *self)
{
    if (self->leaving == 0) {
        self->leaving = g_idle_add(leave, self);
    }
}

/* NetworkManager would give the same secret again and again, and never ask the person. */
static gboolean asks_anew(GodwitPlugin *self, enum reason reason, const char *sentence)
{
    const char *hints[] = {self->typed, NULL};
    if (reason != REASON_AUTH_FAILED || !self->typed || self->up || !self->interactive ||
        ++self->refusals >= REFUSALS_MAX) {
        return FALSE;
    }
    self->anew = TRUE;
    nm_vpn_service_plugin_secrets_required(NM_VPN_SERVICE_PLUGIN(self), _(sentence), hints);
    return TRUE;
}

static void on_ended(void *context, enum reason reason, const char *sentence, const char *detail)
{
    GodwitPlugin *self = context;
    if (reason != REASON_USER) {
        g_autofree char *text = g_strdup_printf("%s %s", _(sentence), detail);
        log_line(self, G_LOG_LEVEL_WARNING, reason_name(reason), g_strchomp(text));
    }
    self->reason = reason;
    if (!asks_anew(self, reason, sentence)) {
        leave_soon(self);
    }
}

static gboolean on_unanswered(gpointer data)
{
    GodwitPlugin *self = data;
    guint32 number;
    self->unanswered = 0;
    g_variant_get_child(self->form, 0, "u", &number);
    link_cancel(self->link, number);
    return G_SOURCE_REMOVE;
}

/* NetworkManager passes over questions of a connection that is up, when it is to be authenticated
 * anew. Whose it is may answer godwitd, for a while: a tunnel that stands still must not look well.
 */
static void wait_for_answer(GodwitPlugin *self, GVariant *form)
{
    log_line(self, G_LOG_LEVEL_MESSAGE, "asks",
             _("The gateway wants an answer; give it with \"godwit answer\"."));
    g_clear_pointer(&self->form, g_variant_unref);
    self->form = g_variant_ref(form);
    g_clear_handle_id(&self->unanswered, g_source_remove);
    self->unanswered = g_timeout_add_seconds(ANSWER_TIME, on_unanswered, self);
}

static void on_asks(void *context, GVariant *form)
{
    GodwitPlugin *self = context;
    g_autoptr(GPtrArray) hints = g_ptr_array_new();
    g_autoptr(GString) message = g_string_new(NULL);
    g_autoptr(GVariantIter) fields = NULL;
    const char *id, *prompt, *kind;
    guint32 number;
    g_variant_get(form, VPN1_FORM_TYPE, &number, &fields);
    if (self->up) {
        wait_for_answer(self, form);
        return;
    }
    if (!self->interactive) {
        link_cancel(self->link, number);
        return;
    }
    g_clear_pointer(&self->form, g_variant_unref);
    self->form = g_variant_ref(form);
    while (g_variant_iter_next(fields, "(&s&s&s&s@a{sv})", &id, NULL, &prompt, &kind, NULL)) {
        if (!g_str_equal(kind, VPN1_FIELD_TEXT) && !g_str_equal(kind, VPN1_FIELD_SECRET)) {
            /* NetworkManager's agents have no way to ask that. */
            g_clear_pointer(&self->form, g_variant_unref);
            link_cancel(self->link, number);
            return;
        }
        g_ptr_array_add(hints, (gpointer)id);
        if (*prompt) {
            g_string_append_printf(message, "%s%s", message->len > 0 ? "\n" : "", prompt);
        }
    }
    g_ptr_array_add(hints, NULL);
    nm_vpn_service_plugin_secrets_required(NM_VPN_SERVICE_PLUGIN(self), message->str,
                                           (const char **)hints->pdata);
}

/* ---- what NetworkManager asks ---- */

static guint32 uid_of(NMConnection *connection)
{
    gboolean several;
    const char *owner = files_owner(connection, &several);
    const struct passwd *user = owner ? getpwnam(owner) : NULL;
    return user ? user->pw_uid : 0;
}

static void drop_link(GodwitPlugin *self)
{
    g_clear_handle_id(&self->leaving, g_source_remove);
    g_clear_handle_id(&self->unanswered, g_source_remove);
    g_clear_pointer(&self->form, g_variant_unref);
    g_clear_pointer(&self->link, link_free);
    g_clear_pointer(&self->dns, g_free);
    g_clear_pointer(&self->uuid, g_free);
    self->reason = REASON_NONE;
    self->up = self->anew = FALSE;
}

static gboolean never_default(NMSettingIPConfig *setting)
{
    return setting && nm_setting_ip_config_get_never_default(setting);
}

/*
 * "Use this connection only for resources on its network", a switch of NetworkManager's own, makes
 * a split tunnel of ours: what NetworkManager sends beside the tunnel must not be held as if it
 * were for it.
 */
static void obey_connection(NMConnection *connection, struct profile *profile)
{
    gboolean ip4 = never_default(nm_connection_get_setting_ip4_config(connection));
    gboolean ip6 = never_default(nm_connection_get_setting_ip6_config(connection));
    if (ip4 && ip6) {
        (void)profile_set(profile, "tunnel", "split", NULL, NULL);
    } else if (ip4 || ip6) {
        (void)profile_set(profile, "block-other-family", "false", NULL, NULL);
    }
    if (profile_get_uint(profile, "timeout") > TIMEOUT_MAX) {
        (void)profile_set(profile, "timeout", G_STRINGIFY(TIMEOUT_MAX), NULL, NULL);
    }
}

/* What people call it elsewhere: unless it is no name of a profile. */
static void take_name(NMConnection *connection, struct profile *profile)
{
    const char *id = nm_connection_get_id(connection);
    if (id && !profile_is_set(profile, "name")) {
        (void)profile_set(profile, "name", id, NULL, NULL);
    }
}

/* Who has given one can be asked for another; what is the system's is changed by editing. */
static const char *typed_secret(NMConnection *connection)
{
    static const char *const typed[] = {"password", "psk", NULL};
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    const char *key = settings_secret_of(nm_setting_vpn_get_data_item(setting, "auth"), NULL);
    NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
    (void)nm_setting_get_secret_flags(NM_SETTING(setting), key, &flags, NULL);
    return flags != NM_SETTING_SECRET_FLAG_NONE && g_strv_contains(typed, key) ? key : NULL;
}

static gboolean begin(GodwitPlugin *self, NMConnection *connection, gboolean interactive,
                      GError **error)
{
    static const struct link_ops ops = {
        .connected = on_connected,
        .asks = on_asks,
        .phase = on_phase,
        .ended = on_ended,
    };
    g_autoptr(GError) cause = NULL;
    drop_link(self);
    const char *uuid = nm_connection_get_uuid(connection);
    self->uuid = g_strdup(uuid ? uuid : "");
    struct profile *profile = settings_to_profile(connection, files_read, connection, &cause);
    if (!profile || !profile_validate(profile, &cause)) {
        log_line(self, G_LOG_LEVEL_WARNING, reason_name(REASON_PROFILE), cause->message);
        g_set_error_literal(error, NM_VPN_PLUGIN_ERROR, NM_VPN_PLUGIN_ERROR_BAD_ARGUMENTS,
                            cause->message);
        profile_free(profile);
        return FALSE;
    }
    obey_connection(connection, profile);
    take_name(connection, profile);
    self->interactive = interactive;
    self->typed = typed_secret(connection);
    self->dns = g_strdup(profile_get(profile, "dns"));
    g_autoptr(GDBusConnection) bus =
        nm_vpn_service_plugin_get_connection(NM_VPN_SERVICE_PLUGIN(self));
    self->link = link_new(bus, profile_is_set(profile, "name") ? profile_get(profile, "name") : "",
                          profile_to_variant(profile), uid_of(connection), &ops, self);
    profile_free(profile);
    return TRUE;
}

static gboolean plugin_connect(NMVpnServicePlugin *plugin, NMConnection *connection, GError **error)
{
    GODWIT_PLUGIN(plugin)->refusals = 0;
    return begin(GODWIT_PLUGIN(plugin), connection, FALSE, error);
}

static gboolean plugin_connect_interactive(NMVpnServicePlugin *plugin, NMConnection *connection,
                                           GVariant *details, GError **error)
{
    (void)details;
    GODWIT_PLUGIN(plugin)->refusals = 0;
    return begin(GODWIT_PLUGIN(plugin), connection, TRUE, error);
}

static gboolean plugin_need_secrets(NMVpnServicePlugin *plugin, NMConnection *connection,
                                    const char **setting_name, GError **error)
{
    (void)plugin;
    (void)error;
    if (!settings_missing_secret(connection)) {
        return FALSE;
    }
    *setting_name = NM_SETTING_VPN_SETTING_NAME;
    return TRUE;
}

static gboolean plugin_new_secrets(NMVpnServicePlugin *plugin, NMConnection *connection,
                                   GError **error)
{
    GodwitPlugin *self = GODWIT_PLUGIN(plugin);
    NMSettingVpn *setting = nm_connection_get_setting_vpn(connection);
    g_autoptr(GVariantIter) fields = NULL;
    GVariantBuilder values;
    const char *id;
    guint32 number;
    if (self->anew) {
        return begin(self, connection, TRUE, error);
    }
    if (!self->form || !setting) {
        g_set_error_literal(error, NM_VPN_PLUGIN_ERROR, NM_VPN_PLUGIN_ERROR_WRONG_STATE,
                            _("Nothing was asked."));
        return FALSE;
    }
    g_variant_builder_init(&values, G_VARIANT_TYPE("a{say}"));
    g_variant_get(self->form, VPN1_FORM_TYPE, &number, &fields);
    while (g_variant_iter_next(fields, "(&s&s&s&s@a{sv})", &id, NULL, NULL, NULL, NULL)) {
        const char *value = nm_setting_vpn_get_secret(setting, id);
        if (value) {
            g_variant_builder_add(
                &values, "{s@ay}", id,
                g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value, strlen(value), 1));
        }
    }
    g_clear_handle_id(&self->unanswered, g_source_remove);
    g_clear_pointer(&self->form, g_variant_unref);
    link_answer(self->link, number, g_variant_builder_end(&values));
    return TRUE;
}

/* libnm has told just before, of a connection that was not up yet, that it cannot be made. Of what
 * NetworkManager is told the last word counts. */
static gboolean plugin_disconnect(NMVpnServicePlugin *plugin, GError **error)
{
    GodwitPlugin *self = GODWIT_PLUGIN(plugin);
    (void)error;
    if (self->reason != REASON_NONE && self->reason != REASON_USER) {
        nm_vpn_service_plugin_failure(plugin, failure_of(self->reason));
    }
    drop_link(self);
    return TRUE;
}

/* ---- life ---- */

static void plugin_dispose(GObject *object)
{
    GodwitPlugin *self = GODWIT_PLUGIN(object);
    drop_link(self);
    G_OBJECT_CLASS(godwit_plugin_parent_class)->dispose(object);
}

static void godwit_plugin_class_init(GodwitPluginClass *class)
{
    NMVpnServicePluginClass *service = NM_VPN_SERVICE_PLUGIN_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = plugin_dispose;
    service->connect = plugin_connect;
    service->connect_interactive = plugin_connect_interactive;
    service->need_secrets = plugin_need_secrets;
    service->new_secrets = plugin_new_secrets;
    service->disconnect = plugin_disconnect;
}

static void godwit_plugin_init(GodwitPlugin *self)
{
    (void)self;
}

GodwitPlugin *godwit_plugin_new(const char *bus_name, GError **error)
{
    GodwitPlugin *self =
        g_initable_new(GODWIT_TYPE_PLUGIN, NULL, error, NM_VPN_SERVICE_PLUGIN_DBUS_SERVICE_NAME,
                       bus_name, NM_VPN_SERVICE_PLUGIN_DBUS_WATCH_PEER, TRUE, NULL);
    if (self) {
        g_autoptr(GDBusConnection) bus =
            nm_vpn_service_plugin_get_connection(NM_VPN_SERVICE_PLUGIN(self));

        link_warm_up(bus); /* while NetworkManager finds out what else it needs */
    }
    return self;
}
