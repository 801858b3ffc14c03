/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <fcntl.h>

#include "common/boottime.h"
#include "common/vpn1.h"
#include "daemon/session_object_private.h"
#include "generated/vpn1-info.h"
#include "profile/profile.h"

/* ---- telling ---- */

gboolean session_object_visible_to(const struct session_object *object, const struct caller *caller)
{
    return caller->user->uid == 0 || caller->user->uid == object->owner || caller->manages;
}

static gboolean sees(const void *context, const struct caller *caller)
{
    return session_object_visible_to(context, caller);
}

static void tell(struct session_object *object, const char *signal, GVariant *body)
{
    subscribers_emit(object->subscribers, sees, object, object->path, VPN1_SESSION_INTERFACE,
                     signal, body);
}

void session_object_publish(struct session_object *object)
{
    GVariant *changes = properties_take_changes(object->properties);
    if (changes) {
        subscribers_emit(object->subscribers, sees, object, object->path, DBUS_PROPERTIES,
                         "PropertiesChanged", changes);
    }
}

static void set_string(struct session_object *object, const char *property, const char *value)
{
    properties_set(object->properties, property, g_variant_new_string(value ? value : ""));
}

static GVariant *failure_variant(enum reason reason, const char *detail)
{
    const char *raw = reason_hint(reason);
    g_autofree char *hint = profile_words(raw ? raw : "", FALSE);
    return g_variant_new("(ssss)", reason_name(reason), reason_sentence(reason),
                         detail ? detail : "", hint);
}

/* ---- what the session tells ---- */

static void on_phase(void *context, const char *phase, const char *text, guint64 at_us)
{
    struct session_object *object = context;
    history_add(object->phases, g_variant_new("(sst)", phase, text, at_us));
    set_string(object, "CurrentPhase", phase);
    set_string(object, "PhaseText", text);
    if (g_str_equal(phase, "disconnecting")) {
        set_string(object, "State", phase);
    } else if (g_str_equal(phase, "reconnecting") && (object->connected || object->again)) {
        set_string(object, "State", phase);
    }
    tell(object, "Phase", g_variant_new("(sst)", phase, text, at_us));
    session_object_publish(object);
}

static void on_failed(void *context, enum reason reason, const char *detail)
{
    struct session_object *object = context;
    properties_set(object->properties, "LastError", failure_variant(reason, detail));
    session_object_publish(object);
}

static void on_trace(void *context, const char *line, gboolean outbound, gboolean retransmission,
                     guint64 at_us)
{
    struct session_object *object = context;
    GVariant *rung =
        g_variant_ref_sink(g_variant_new("(sbbt)", line, outbound, retransmission, at_us));
    history_add(object->rungs, rung);
    subscribers_emit(object->watchers, NULL, NULL, object->path, VPN1_SESSION_INTERFACE, "Rung",
                     rung);
    g_variant_unref(rung);
}

void session_object_close_form(struct session_object *object)
{
    g_clear_pointer(&object->form_ids, g_ptr_array_unref);
    properties_set(object->properties, "Form", g_variant_new(VPN1_FORM_TYPE, 0, NULL));
}

static GVariant *details_of(const struct session_field *field)
{
    return field->details ? field->details : g_variant_new("a{sv}", NULL);
}

static void on_secrets_required(void *context, const struct session_field *fields, gsize n_fields)
{
    struct session_object *object = context;
    GVariantBuilder builder;
    session_object_close_form(object);
    if (*object->system_profile && g_str_equal(fields[0].kind, VPN1_FIELD_TRUST)) {
        /* Its secrets are the administrator's, and so is whom they are shown to. */
        session_provide_secrets(object->session, NULL);
        return;
    }
    object->form_ids = g_ptr_array_new_with_free_func(g_free);
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a" VPN1_FIELD_TYPE));
    for (gsize i = 0; i < n_fields; i++) {
        g_ptr_array_add(object->form_ids, g_strdup(fields[i].id));
        g_variant_builder_add(&builder, "(ssss@a{sv})", fields[i].id, fields[i].label,
                              fields[i].prompt, fields[i].kind, details_of(&fields[i]));
    }
    properties_set(object->properties, "Form",
                   g_variant_new(VPN1_FORM_TYPE, ++object->form, &builder));
    session_object_publish(object);
}

static GVariant *summary_variant(GHashTable *summary)
{
    GVariantBuilder builder;
    GHashTableIter iter;
    gpointer key, value;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
    g_hash_table_iter_init(&iter, summary);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        g_variant_builder_add(&builder, "{ss}", key, value);
    }
    return g_variant_builder_end(&builder);
}

static GVariant *prefixes_variant(const struct prefix *prefixes, size_t n)
{
    GVariantBuilder builder;
    char text[ADDR_TEXT_MAX];
    g_variant_builder_init(&builder, G_VARIANT_TYPE_STRING_ARRAY);
    for (size_t i = 0; i < n; i++) {
        g_variant_builder_add(&builder, "s", prefix_text(&prefixes[i], text));
    }
    return g_variant_builder_end(&builder);
}

static void set_net(struct session_object *object, const struct net_config *net)
{
    GVariantBuilder dns, domains;
    char text[ADDR_TEXT_MAX];
    g_variant_builder_init(&dns, G_VARIANT_TYPE_STRING_ARRAY);
    for (size_t i = 0; i < net->n_dns; i++) {
        g_variant_builder_add(&dns, "s", addr_text(&net->dns[i], text));
    }
    g_variant_builder_init(&domains, G_VARIANT_TYPE_STRING_ARRAY);
    for (size_t i = 0; i < net->n_domains; i++) {
        g_variant_builder_add(&domains, "s", net->domains[i]);
    }
    properties_set(object->properties, "Addresses",
                   prefixes_variant(net->addresses, net->n_addresses));
    properties_set(object->properties, "Routes", prefixes_variant(net->routes, net->n_routes));
    properties_set(object->properties, "Dns", g_variant_builder_end(&dns));
    properties_set(object->properties, "Domains", g_variant_builder_end(&domains));
    properties_set(object->properties, "Mtu", g_variant_new_uint16(net->mtu));
    set_string(object, "Banner", net->banner);
}

static void on_connected(void *context, const struct session_info *info)
{
    struct session_object *object = context;
    if (!object->connected) {
        object->connected = TRUE;
        properties_set(object->properties, "Connected", g_variant_new_uint64(boottime_now()));
        properties_set(object->properties, "ConnectedSince",
                       g_variant_new_int64(g_get_real_time() / G_USEC_PER_SEC));
    }
    set_string(object, "State", "connected");
    properties_set(object->properties, "LastError", g_variant_new("(ssss)", "", "", "", ""));
    set_string(object, "Interface", info->interface);
    set_string(object, "DnsMethod", info->dns_method);
    set_string(object, "DnsAnswers", info->dns_answers ? info->dns_answers : "");
    properties_set(object->properties, "FullTunnel", g_variant_new_boolean(info->full_tunnel));
    set_string(object, "GatewayAddress", g_hash_table_lookup(info->summary, "gateway"));
    set_string(object, "GatewayIdentity", g_hash_table_lookup(info->summary, "gateway-id"));
    properties_set(object->properties, "Summary", summary_variant(info->summary));
    set_net(object, info->net);
    session_object_publish(object);
}

static void on_dns_answers(void *context, const char *text)
{
    struct session_object *object = context;
    set_string(object, "DnsAnswers", text);
    session_object_publish(object);
}

static void on_mtu(void *context, guint16 mtu)
{
    struct session_object *object = context;
    properties_set(object->properties, "Mtu", g_variant_new_uint16(mtu));
    session_object_publish(object);
}

static void on_ended(void *context, enum reason reason, const char *detail)
{
    struct session_object *object = context;
    object->ended = TRUE;
    session_object_close_form(object);
    tell(object, "Ended", failure_variant(reason, detail));
    object->on_ended(object->context, object, reason);
}

/* ---- life ---- */

static void set_first_properties(struct session_object *object, const struct session_wish *wish)
{
    set_string(object, "Name", wish->name);
    set_string(object, "SystemProfile", wish->system_profile);
    properties_set(object->properties, "Owner", g_variant_new_uint32(wish->owner));
    set_string(object, "Origin", wish->origin);
    set_string(object, "State", wish->lent ? "reconnecting" : "connecting");
    set_string(object, "Gateway", profile_get(wish->profile, "gateway"));
    set_string(object, "KillSwitch", profile_get(wish->profile, "kill-switch"));
    properties_set(object->properties, "Started", g_variant_new_uint64(boottime_now()));
    /* Who learns of the object learns these with it. */
    GVariant *changes = properties_take_changes(object->properties);
    g_variant_unref(g_variant_ref_sink(changes));
}

static const struct session_ops ops = {
    .phase = on_phase,
    .failed = on_failed,
    .trace = on_trace,
    .secrets_required = on_secrets_required,
    .connected = on_connected,
    .dns_answers = on_dns_answers,
    .mtu = on_mtu,
    .ended = on_ended,
};
static const struct session_ops unattended_ops = {
    .phase = on_phase,
    .failed = on_failed,
    .trace = on_trace,
    .connected = on_connected,
    .dns_answers = on_dns_answers,
    .mtu = on_mtu,
    .ended = on_ended,
};

struct session_object *session_object_new(guint number, const char *record_name,
                                          const struct session_wish *wish,
                                          struct subscribers *subscribers,
                                          session_object_ended_cb ended, void *context)
{
    struct session_object *object = g_new0(struct session_object, 1);
    object->number = number;
    object->path = g_strdup_printf(VPN1_SESSIONS "/%u", number);
    object->record_name = g_strdup(record_name);
    object->system_profile = g_strdup(wish->system_profile);
    object->owner = wish->owner;
    object->bound_to = wish->bound_to ? caller_hold(wish->bound_to) : NULL;
    object->trace = wish->trace;
    object->unattended = wish->unattended;
    object->subscribers = subscribers;
    object->watchers = subscribers_like(subscribers);
    object->properties = properties_new(&org_godwit_vpn1_session_interface);
    object->phases = history_new("(sst)");
    object->rungs = history_new("(sbbt)");
    object->on_ended = ended;
    object->context = context;
    object->session = session_new(record_name, wish->profile, wish->trace,
                                  wish->unattended ? &unattended_ops : &ops, object);
    /* What a profile of the system names is everybody's. */
    session_set_owner(object->session, *wish->system_profile ? 0 : wish->owner);
    session_set_language(object->session, wish->language);
    if (wish->unattended) {
        session_spare_leftovers(object->session);
    }
    session_use_worker(object->session, wish->worker ? g_steal_pointer(wish->worker) : NULL);
    if (!wish->configures_host) {
        session_leave_host(object->session);
    }
    object->lends = !wish->configures_host && wish->bound_to;
    object->again = wish->lent != NULL || wish->unattended;
    if (wish->lent) {
        session_adopt(object->session, wish->keeper, fcntl(wish->interface, F_DUPFD_CLOEXEC, 3),
                      wish->lent);
    }
    set_first_properties(object, wish);
    return object;
}

void session_object_free(struct session_object *object)
{
    if (object) {
        session_free(object->session);
        caller_release(object->bound_to);
        subscribers_free(object->watchers);
        properties_free(object->properties);
        history_free(object->phases);
        history_free(object->rungs);
        g_clear_pointer(&object->form_ids, g_ptr_array_unref);
        g_free(object->path);
        g_free(object->record_name);
        g_free(object->system_profile);
        g_free(object);
    }
}

void session_object_start(struct session_object *object)
{
    session_start(object->session);
    session_make_room(); /* main() has freed memory overwritten */
}

void session_object_disconnect(struct session_object *object)
{
    if (!object->ended) {
        set_string(object, "State", "disconnecting");
        session_object_publish(object);
        session_disconnect(object->session);
    }
}

gboolean session_object_abandon(struct session_object *object)
{
    gboolean left = !object->ended && session_abandon(object->session);
    if (left) {
        object->session = NULL;
    }
    return left;
}

void session_object_caller_gone(struct session_object *object, struct caller *caller)
{
    subscribers_remove(object->watchers, caller);
    if (object->bound_to == caller && !object->dismissed) {
        session_object_disconnect(object);
    }
}

/* ---- facts ---- */

guint session_object_number(const struct session_object *object)
{
    return object->number;
}

const char *session_object_path(const struct session_object *object)
{
    return object->path;
}

uid_t session_object_owner(const struct session_object *object)
{
    return object->owner;
}

const char *session_object_name(const struct session_object *object)
{
    return g_variant_get_string(properties_get(object->properties, "Name"), NULL);
}

const char *session_object_record_name(const struct session_object *object)
{
    return object->record_name;
}

const char *session_object_system_profile(const struct session_object *object)
{
    return object->system_profile;
}

gboolean session_object_is_unattended(const struct session_object *object)
{
    return object->unattended;
}

gboolean session_object_was_connected(const struct session_object *object)
{
    return object->connected;
}

gboolean session_object_is_dismissed(const struct session_object *object)
{
    return object->dismissed;
}

const struct properties *session_object_properties(const struct session_object *object)
{
    return object->properties;
}
