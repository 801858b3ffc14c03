/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <unistd.h>

#include "common/boottime.h"
#include "common/i18n.h"
#include "common/log.h"
#include "common/net_config_variant.h"
#include "session/session_private.h"
#include "session/ways.h"

#define TEXT_MAX 8192 /* octets of a text that the worker sends */

/* ---- what the worker says ---- */

static const char *printable(const char *text, char out[static TEXT_MAX])
{
    return text_printable(bytes_of_string(text), out, TEXT_MAX);
}

static gboolean known_phase(const char *phase)
{
    static const char *const phases[] = {
        "resolve",
        "token",
        "init",
        "gateway-answered",
        "gateway-verified",
        "user-auth",
        "user-accepted",
        "established",
        "disconnecting",
        "reconnecting",
        "reauthenticating",
        "redirected",
        "moving",
        NULL,
    };
    return g_strv_contains(phases, phase);
}

static void tell_failed(struct session *session, enum reason reason, const char *detail)
{
    if (session->ops->failed) {
        session->ops->failed(session->context, reason, detail);
    }
}

char *session_replacing_text(const struct session *session)
{
    return g_strdup_printf(
        session->bereft ? _("%s The tunnel's traffic is held until the connection is made again.")
                        : _("%s It is started again."),
        session->lost);
}

void session_replacing(struct session *session)
{
    guint64 now = boottime_now();
    g_autofree char *text = session_replacing_text(session);
    session_record_state(session, "reconnecting", text);
    tell_failed(session, session->bereft ? REASON_HOST_CONFIG : REASON_WORKER_DIED, session->lost);
    if (session->ops->phase) {
        session->ops->phase(session->context, "reconnecting", text, now);
    }
}

static void on_failed(struct session *session, GVariant *body)
{
    const char *reason_text, *detail;
    char shown[TEXT_MAX];
    g_variant_get(body, "(&s&s)", &reason_text, &detail);
    if (session->state != ENDED) {
        tell_failed(session, reason_from_name(reason_text), printable(detail, shown));
    }
}

static void on_phase(struct session *session, GVariant *body)
{
    const char *phase, *text;
    guint64 at;
    char shown[TEXT_MAX];
    g_variant_get(body, "(&s&st)", &phase, &text, &at);
    if (session->state == ENDED || !known_phase(phase)) {
        return;
    }
    printable(text, shown);
    if (session->was_up && session->state != ENDING && g_str_equal(phase, "reconnecting")) {
        session_record_state(session, phase, shown);
    }
    if (session->ops->phase) {
        session->ops->phase(session->context, phase, shown, at);
    }
}

static void on_trace(struct session *session, GVariant *body)
{
    const char *line;
    gboolean outbound, retransmission;
    guint64 at;
    char shown[TEXT_MAX];
    g_variant_get(body, "(&sbbt)", &line, &outbound, &retransmission, &at);
    if (session->ops->trace && session->trace && session->state != ENDED) {
        session->ops->trace(session->context, printable(line, shown), outbound, retransmission, at);
    }
}

static void read_summary(struct session *session, GVariant *dict)
{
    static const char *const known[] = {
        "gateway",   "gateway-id", "gateway-auth", "gateway-subject", "local-id", "user-auth",
        "ike-suite", "esp-suite",  "esp-library",  "gateway-version", "asked",    NULL,
    };
    GVariantIter iter;
    const char *key, *value;
    char shown[TEXT_MAX];
    g_variant_iter_init(&iter, dict);
    while (g_variant_iter_next(&iter, "{&s&s}", &key, &value)) {
        if (g_strv_contains(known, key)) {
            g_hash_table_replace(session->summary, g_strdup(key),
                                 g_strdup(printable(value, shown)));
        }
    }
}

static void on_connected(struct session *session, GVariant *body)
{
    g_autoptr(GVariant) config = g_variant_get_child_value(body, 0);
    g_autoptr(GVariant) summary = g_variant_get_child_value(body, 1);
    g_autoptr(GError) error = NULL;
    const char *why;
    if (session->state != CONNECTING && session->state != UP) {
        return;
    }
    if (!net_config_from_variant(config, &session->net, &why)) {
        g_autofree char *detail =
            g_strdup_printf(_("What the gateway assigned cannot be used: %s."), _(why));
        session_end_gracefully(session, REASON_HOST_CONFIG, detail);
        return;
    }
    g_hash_table_remove_all(session->summary);
    read_summary(session, summary);
    if (!session_apply(session, &error)) {
        session_end_gracefully(session, REASON_HOST_CONFIG, error->message);
        return;
    }
    session_record_connected(session);
    ways_remember(surroundings_network(session->surroundings),
                  profile_get(session->profile, "gateway"),
                  g_hash_table_lookup(session->summary, "asked"));
    session->state = UP;
    session->was_up = TRUE;
    session->renewals = 0;
    session_announce(session);
}

static void on_mtu(struct session *session, GVariant *body)
{
    g_autoptr(GError) error = NULL;
    guint16 mtu;
    g_variant_get(body, "(q)", &mtu);
    if (session->state != UP || !net_config_mtu_fits(&session->net, mtu)) {
        return;
    }
    session->net.mtu = mtu;
    if (session->leaves_host) {
        session_announce(session);
    } else if (!host_set_mtu(session->host, mtu, &error)) {
        g_message("%s", error->message);
    } else if (session->ops->mtu) {
        session->ops->mtu(session->context, mtu);
    }
}

static void on_keep(struct session *session, GVariant *body)
{
    if (g_variant_get_size(body) > CHANNEL_KEPT_MAX) {
        session_breach(session);
        return;
    }
    g_clear_pointer(&session->kept, g_variant_unref);
    session->kept = g_variant_get_child_value(body, 0);
    if (session->lent) {
        lent_write(session->lent, session->kept);
    }
}

static void on_down(struct session *session, GVariant *body)
{
    const char *reason_text, *detail;
    char shown[TEXT_MAX];
    g_variant_get(body, "(&s&s)", &reason_text, &detail);
    enum reason reason = reason_from_name(reason_text);
    if (session->state == LOST || session->state == ENDED) {
        return;
    }
    gboolean asked = session->state == ENDING;
    session_decide(session, reason == REASON_NONE ? REASON_INTERNAL : reason,
                   printable(detail, shown));
    session_revert(session);
    if (!asked) {
        session_limit_time(session, EXIT_TIME);
    }
}

/* ---- secrets ---- */

static void on_form(void *context, const struct session_field *fields, gsize n_fields)
{
    struct session *session = context;
    if (session->state == ENDING || session->state == ENDED || !session->ops->secrets_required) {
        form_answer(session->form, NULL);
        return;
    }
    g_autofree struct session_field *shown = g_memdup2(fields, n_fields * sizeof *fields);
    g_autoptr(GVariant) once = g_variant_ref_sink(g_variant_new_parsed("{'once': <true>}"));
    for (gsize i = 0; i < n_fields; i++) {
        if (g_str_equal(fields[i].id, "private-key-password") &&
            profile_needs_token(session->profile)) {
            shown[i].label = _("PIN");
            shown[i].details = once;
        }
    }
    session->ops->secrets_required(session->context, shown, n_fields);
}

/* For the worker that may take this one's place: what it was offered, and nothing else. */
static void keep_choices(struct session *session, GHashTable *values)
{
    static const char *const ids[] = {"gateway-fingerprint", "certificate"};
    for (gsize i = 0; values && i < G_N_ELEMENTS(ids); i++) {
        GBytes *value = g_hash_table_lookup(values, ids[i]);
        gsize len = 0;
        const void *octets = value ? g_bytes_get_data(value, &len) : NULL;
        if (value && form_offers(session->form, ids[i], bytes_of(octets, len))) {
            (void)profile_set_bytes(session->profile, ids[i], bytes_of(octets, len), NULL);
        }
    }
}

void session_provide_secrets(struct session *session, GHashTable *values_bytes_by_id)
{
    keep_choices(session, values_bytes_by_id);
    form_answer(session->form, values_bytes_by_id);
}

static void on_accepted(struct session *session)
{
    if (session->state != STARTING) {
        return;
    }
    session->state = CONNECTING;
    /* When it has ended already, the limit is for its last words. */
    if (worker_running(session->worker)) {
        session_limit_time(session, 0);
    }
}

static void on_message(void *context, enum channel_message kind, GVariant *body)
{
    struct session *session = context;
    switch (kind) {
    case MESSAGE_ACCEPTED:
        on_accepted(session);
        break;
    case MESSAGE_PHASE:
        on_phase(session, body);
        break;
    case MESSAGE_FAILED:
        on_failed(session, body);
        break;
    case MESSAGE_TRACE:
        on_trace(session, body);
        break;
    case MESSAGE_SECRETS_REQUIRED:
        if (!form_required(session->form, body)) {
            session_breach(session);
        }
        break;
    case MESSAGE_CONNECTED:
        on_connected(session, body);
        break;
    case MESSAGE_MTU:
        on_mtu(session, body);
        break;
    case MESSAGE_KEEP:
        on_keep(session, body);
        break;
    case MESSAGE_DOWN:
        on_down(session, body);
        break;
    case MESSAGE_CONNECT:
    case MESSAGE_DISCONNECT:
    case MESSAGE_SECRETS:
    case MESSAGE_NETWORK:
    case MESSAGE_SLEEP:
    case MESSAGE_WAKE:
    case N_MESSAGES:
        break; /* the channel lets none of these reach a session */
    }
}

static void on_closed(void *context, gboolean breach)
{
    session_channel_closed(context, breach);
}

/* The descriptors that there are, and their names. */
static gsize list_descriptors(const struct session *session, int fds[CHANNEL_FDS_MAX],
                              GVariantDict *options)
{
    const struct session_fds *all = &session->fds;
    const struct {
        const char *name;
        int fd;
    } descriptors[] = {
        {"tun", all->tun},         {"udp4", all->udp4},       {"udp6", all->udp6},
        {"lookup4", all->lookup4}, {"lookup6", all->lookup6}, {"tcp4", all->tcp4},
        {"tcp6", all->tcp6},       {"token", all->token},
    };
    GVariantBuilder names;
    gsize n = 0;
    G_STATIC_ASSERT(G_N_ELEMENTS(descriptors) <= CHANNEL_FDS_MAX);
    g_variant_builder_init(&names, G_VARIANT_TYPE_STRING_ARRAY);
    for (gsize i = 0; i < G_N_ELEMENTS(descriptors); i++) {
        if (descriptors[i].fd >= 0) {
            g_variant_builder_add(&names, "s", descriptors[i].name);
            fds[n++] = descriptors[i].fd;
        }
    }
    g_variant_dict_insert_value(options, "descriptors", g_variant_builder_end(&names));
    return n;
}

/* What the tunnel carries would go beside it from now on. */
static void on_interface_removed(void *context)
{
    session_lose_interface(context, _("Another program has removed the tunnel's interface."));
}

static void on_interface_fought(void *context)
{
    session_lose_interface(context, _("Another program keeps setting the tunnel's interface down, "
                                      "or removing its addresses, routes or rules."));
}

static const struct surroundings_ops surroundings_ops = {.removed = on_interface_removed,
                                                         .fought = on_interface_fought};

void session_open_channel(struct session *session, int fd)
{
    GVariantDict options;
    int fds[CHANNEL_FDS_MAX];
    session->channel_closed = FALSE;
    session->channel = channel_new(fd, CHANNEL_SESSION, on_message, on_closed, session);
    session->form = form_new(session->channel, on_form, session);
    session->surroundings = surroundings_new(session->channel, session->host, session->ifindex,
                                             &surroundings_ops, session);
    g_variant_dict_init(&options, NULL);
    g_variant_dict_insert(&options, "trace", "b", session->trace);
    g_variant_dict_insert(&options, "have-vnet-hdr", "b", session->vnet_hdr);
    g_autofree char *way = ways_recall(surroundings_network(session->surroundings),
                                       profile_get(session->profile, "gateway"));
    if (way) {
        g_variant_dict_insert(&options, "ask-first", "s", way);
    }
    if (session->kept) {
        g_variant_dict_insert_value(&options, "kept", session->kept);
    }
    gsize n_fds = list_descriptors(session, fds, &options);
    channel_send_fds(session->channel, MESSAGE_CONNECT,
                     g_variant_new("(@a{sv}@a{sv})", profile_to_variant(session->profile),
                                   g_variant_dict_end(&options)),
                     fds, n_fds);
    if (session->fds.token >= 0) {
        close(g_steal_fd(&session->fds.token));
    }
}

void session_close_channel(struct session *session)
{
    g_clear_pointer(&session->surroundings, surroundings_free);
    g_clear_pointer(&session->form, form_free);
    g_clear_pointer(&session->channel, channel_free);
}
