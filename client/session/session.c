/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/session.h"

#include <unistd.h>

#include "common/channel.h"
#include "common/i18n.h"
#include "common/log.h"
#include "common/net_config_variant.h"
#include "host/host.h"
#include "session/form.h"
#include "session/surroundings.h"
#include "session/ways.h"
#include "session/worker.h"

#define TEXT_MAX 8192 /* octets of a text that the worker sends */

/* How long the worker may take, in milliseconds. */
#define START_TIME 10000 /* from fork to Accepted */
#define DOWN_TIME 1500   /* from Disconnect to Down: Delete and its answer */
#define EXIT_TIME 1000   /* from Down, or from closing its socket, to its end */

enum state { NEW, STARTING, CONNECTING, UP, ENDING, ENDED };

struct session {
    char *name;
    struct profile *profile;
    gboolean trace;
    const struct session_ops *ops;
    void *context;

    enum state state;
    enum reason reason; /* REASON_NONE until it is decided */
    char *detail;
    GSource *timer, *settling;

    struct worker_fds fds;
    char interface[16];
    gboolean vnet_hdr;
    struct host *host;
    struct worker *worker;
    char *worker_end; /* how it ended */

    struct channel *channel;
    gboolean channel_closed; /* and everything read that came by it */
    struct form *form;
    struct surroundings *surroundings;
    struct net_config net;
    GHashTable *summary;
};

/* ---- the end ---- */

static void stop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

static void start_source(GSource **slot, GSource *source, GSourceFunc function,
                         struct session *session)
{
    stop_source(slot);
    g_source_set_callback(source, function, session, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    *slot = source;
}

/* The first reason is the true one; what follows is its consequence. */
static void decide(struct session *session, enum reason reason, const char *detail)
{
    if (session->reason == REASON_NONE) {
        session->reason = reason;
        session->detail = g_strdup(detail);
    }
    session->state = ENDING;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void revert(struct session *session)
{
    g_clear_pointer(&session->surroundings, surroundings_free);
    if (session->host) {
        host_revert(session->host);
        g_clear_pointer(&session->host, host_free);
    }
    close_fd(&session->fds.tun);
    close_fd(&session->fds.udp4);
    close_fd(&session->fds.udp6);
    close_fd(&session->fds.lookup4);
    close_fd(&session->fds.lookup6);
}

static void close_channel(struct session *session)
{
    g_clear_pointer(&session->surroundings, surroundings_free);
    g_clear_pointer(&session->form, form_free);
    g_clear_pointer(&session->channel, channel_free);
}

static gboolean settle(gpointer data)
{
    struct session *session = data;
    stop_source(&session->settling);
    if (session->reason != REASON_NONE && !worker_running(session->worker) &&
        session->state != ENDED) {
        session->state = ENDED;
        stop_source(&session->timer);
        close_channel(session);
        revert(session);
        session->ops->ended(session->context, session->reason, session->detail);
    }
    return G_SOURCE_REMOVE;
}

/* For callers inside a public function, where no callback may come. */
static void settle_later(struct session *session)
{
    start_source(&session->settling, g_idle_source_new(), settle, session);
}

static gboolean on_time_over(gpointer data)
{
    struct session *session = data;
    stop_source(&session->timer);
    if (worker_running(session->worker)) {
        decide(session, REASON_WORKER_DIED, _("godwit-tunnel does not respond and was ended."));
        worker_kill(session->worker);
    } else {
        decide(session, REASON_WORKER_DIED, session->worker_end);
        settle(session);
    }
    return G_SOURCE_REMOVE;
}

static void limit_time(struct session *session, guint milliseconds)
{
    start_source(&session->timer, g_timeout_source_new(milliseconds), on_time_over, session);
}

static void on_worker_ended(void *context, const char *how)
{
    struct session *session = context;
    g_free(session->worker_end);
    session->worker_end = g_strdup(how);
    if (session->reason == REASON_NONE && session->channel && !session->channel_closed) {
        /* What it said last is still on its way: on_closed() comes after it. */
        limit_time(session, EXIT_TIME);
        return;
    }
    decide(session, REASON_WORKER_DIED, how);
    settle(session);
}

/* It is broken, or not what we started. */
static void on_breach(struct session *session)
{
    decide(session, REASON_INTERNAL, _("godwit-tunnel does not follow the protocol."));
    if (worker_running(session->worker)) {
        worker_kill(session->worker);
    } else {
        settle(session);
    }
}

static void on_closed(void *context, gboolean breach)
{
    struct session *session = context;
    session->channel_closed = TRUE;
    if (breach) {
        on_breach(session);
    } else if (worker_running(session->worker)) {
        limit_time(session, EXIT_TIME);
    } else {
        decide(session, REASON_WORKER_DIED, session->worker_end);
        settle(session);
    }
}

/* Tells the gateway, within DOWN_TIME, and ends for this reason. */
static void end_gracefully(struct session *session, enum reason reason, const char *detail)
{
    gboolean connected = session->state == CONNECTING || session->state == UP;
    decide(session, reason, detail);
    if (connected && !session->channel_closed) {
        channel_send(session->channel, MESSAGE_DISCONNECT, NULL);
        limit_time(session, DOWN_TIME);
    } else {
        worker_kill(session->worker);
    }
}

/* ---- what the worker says ---- */

static const char *printable(const char *text, char out[static TEXT_MAX])
{
    return text_printable(bytes_of_string(text), out, TEXT_MAX);
}

static gboolean known_phase(const char *phase)
{
    static const char *const phases[] = {
        "resolve",
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

/* `godwit status` tells it. */
static void record_state(struct session *session, const char *state, const char *why)
{
    g_autoptr(GError) error = NULL;
    host_record(session->host, "state", state);
    host_record(session->host, "why", why);
    if (!host_record_save(session->host, &error)) {
        g_message("%s", error->message);
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
    if (session->state == UP && g_str_equal(phase, "reconnecting")) {
        record_state(session, phase, shown);
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
        "gateway",         "gateway-id", "gateway-auth", "gateway-subject",
        "local-id",        "user-auth",  "ike-suite",    "esp-suite",
        "gateway-version", "asked",      NULL,
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

/* Outer; none when the worker has not told, or told nonsense. */
static struct addr gateway_address(const struct session *session)
{
    const char *text = g_hash_table_lookup(session->summary, "gateway");
    struct endpoint endpoint = {0};
    if (text) {
        (void)endpoint_parse(&endpoint, text);
    }
    return endpoint.addr;
}

static void write_record(struct session *session)
{
    static const char *const kept[] = {"gateway", "gateway-id"};
    g_autoptr(GString) addresses = g_string_new(NULL);
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < session->net.n_addresses; i++) {
        g_string_append_printf(addresses, "%s%s", i ? " " : "",
                               addr_text(&session->net.addresses[i].addr, text));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        const char *value = g_hash_table_lookup(session->summary, kept[i]);
        host_record(session->host, kept[i], value ? value : "");
    }
    host_record(session->host, "addresses", addresses->str);
    record_state(session, "connected", "");
}

/* What the profile asks for, as far as the gateway grants it. */
static gboolean is_full_tunnel(const struct session *session)
{
    gboolean granted = FALSE;
    for (size_t i = 0; i < session->net.n_routes; i++) {
        granted |= session->net.routes[i].len == 0;
    }
    return granted && g_strcmp0(profile_get(session->profile, "tunnel"), "full") == 0;
}

/*
 * A split tunnel never takes the default route: gateways that name their networks as
 * INTERNAL_IP4_SUBNET leave the traffic selectors at everything (RFC 7296 3.15.2).
 */
static void drop_default_routes(struct net_config *net)
{
    size_t kept = 0;
    for (size_t i = 0; i < net->n_routes; i++) {
        if (net->routes[i].len != 0) {
            net->routes[kept++] = net->routes[i];
        }
    }
    net->n_routes = kept;
}

static void on_connected(struct session *session, GVariant *body)
{
    g_autoptr(GVariant) config = g_variant_get_child_value(body, 0);
    g_autoptr(GVariant) summary = g_variant_get_child_value(body, 1);
    g_autoptr(GError) error = NULL;
    const char *why;
    gboolean again = session->state == UP;
    if (session->state != CONNECTING && !again) {
        return;
    }
    if (!net_config_from_variant(config, &session->net, &why)) {
        g_autofree char *detail =
            g_strdup_printf(_("What the gateway assigned cannot be used: %s."), _(why));
        end_gracefully(session, REASON_HOST_CONFIG, detail);
        return;
    }
    g_hash_table_remove_all(session->summary);
    read_summary(session, summary);
    if (g_strcmp0(profile_get(session->profile, "tunnel"), "split") == 0) {
        drop_default_routes(&session->net);
    }
    const struct host_options options = {
        .full_tunnel = is_full_tunnel(session),
        .set_dns = profile_get_bool(session->profile, "dns"),
        .fwmark = HOST_FWMARK_DEFAULT,
        .gateway = gateway_address(session),
    };
    if (!host_apply(session->host, &session->net, &options, &error)) {
        end_gracefully(session, REASON_HOST_CONFIG, error->message);
        return;
    }
    write_record(session);
    ways_remember(surroundings_network(session->surroundings),
                  profile_get(session->profile, "gateway"),
                  g_hash_table_lookup(session->summary, "asked"));
    session->state = UP;
    if (session->ops->connected) {
        const struct session_info info = {
            .name = session->name,
            .interface = session->interface,
            .net = &session->net,
            .summary = session->summary,
            .dns_method = host_dns_method(session->host),
            .full_tunnel = options.full_tunnel,
            .again = again,
        };
        session->ops->connected(session->context, &info);
    }
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
    if (!host_set_mtu(session->host, mtu, &error)) {
        g_message("%s", error->message);
    }
}

static void on_down(struct session *session, GVariant *body)
{
    const char *reason_text, *detail;
    char shown[TEXT_MAX];
    g_variant_get(body, "(&s&s)", &reason_text, &detail);
    enum reason reason = reason_from_name(reason_text);
    if (session->state == ENDED) {
        return;
    }
    gboolean asked = session->state == ENDING;
    decide(session, reason == REASON_NONE ? REASON_INTERNAL : reason, printable(detail, shown));
    revert(session);
    if (!asked) {
        limit_time(session, EXIT_TIME);
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
    session->ops->secrets_required(session->context, fields, n_fields);
}

void session_provide_secrets(struct session *session, GHashTable *values_bytes_by_id)
{
    form_answer(session->form, values_bytes_by_id);
}

/* ---- the start ---- */

static void on_accepted(struct session *session)
{
    if (session->state == STARTING) {
        session->state = CONNECTING;
        stop_source(&session->timer);
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
    case MESSAGE_TRACE:
        on_trace(session, body);
        break;
    case MESSAGE_SECRETS_REQUIRED:
        if (!form_required(session->form, body)) {
            on_breach(session);
        }
        break;
    case MESSAGE_CONNECTED:
        on_connected(session, body);
        break;
    case MESSAGE_MTU:
        on_mtu(session, body);
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

/* The worker finds the network and the profile waiting for it when it is up. */
static void open_channel(struct session *session, int fd)
{
    GVariantDict options;
    session->channel = channel_new(fd, CHANNEL_SESSION, on_message, on_closed, session);
    session->form = form_new(session->channel, on_form, session);
    session->surroundings = surroundings_new(session->channel, session->host);
    g_variant_dict_init(&options, NULL);
    g_variant_dict_insert(&options, "trace", "b", session->trace);
    g_variant_dict_insert(&options, "have-vnet-hdr", "b", session->vnet_hdr);
    g_autofree char *way = ways_recall(surroundings_network(session->surroundings),
                                       profile_get(session->profile, "gateway"));
    if (way) {
        g_variant_dict_insert(&options, "ask-first", "s", way);
    }
    channel_send(session->channel, MESSAGE_CONNECT,
                 g_variant_new("(@a{sv}@a{sv})", profile_to_variant(session->profile),
                               g_variant_dict_end(&options)));
}

/* One that the host lacks the family for stays -1. */
static gboolean open_sockets(struct worker_fds *fds, GError **error)
{
    const struct {
        int *fd;
        int (*open)(enum family family, guint32 fwmark, GError **error);
        enum family family;
    } sockets[] = {
        {&fds->udp4, host_udp_open, FAMILY_IPV4},
        {&fds->udp6, host_udp_open, FAMILY_IPV6},
        {&fds->lookup4, host_lookup_open, FAMILY_IPV4},
        {&fds->lookup6, host_lookup_open, FAMILY_IPV6},
    };
    GError *why = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(sockets) && !why; i++) {
        *sockets[i].fd = sockets[i].open(sockets[i].family, HOST_FWMARK_DEFAULT, &why);
    }
    if (why) {
        g_propagate_error(error, why);
    }
    return !why;
}

/* The worker starts as soon as its descriptors exist; everything else goes on beside its own start.
 */
static gboolean begin(struct session *session, GError **error)
{
    int fd;
    session->fds.tun = host_tun_open(session->interface, &session->vnet_hdr, error);
    if (session->fds.tun < 0) {
        return FALSE;
    }
    if (!open_sockets(&session->fds, error)) {
        return FALSE;
    }
    session->worker = worker_start(&session->fds, &fd, on_worker_ended, session, error);
    if (!session->worker) {
        return FALSE;
    }
    limit_time(session, START_TIME);
    session->host = host_new(session->name, session->interface, error);
    if (!session->host) {
        close(fd);
        return FALSE;
    }
    open_channel(session, fd);
    return TRUE;
}

static enum reason reason_of(const GError *error)
{
    if (g_error_matches(error, HOST_ERROR, HOST_ERROR_NO_TUN)) {
        return REASON_NO_TUN;
    }
    if (g_error_matches(error, HOST_ERROR, HOST_ERROR_PERMISSION)) {
        return geteuid() == 0 ? REASON_HOST_CONFIG : REASON_NOT_ROOT;
    }
    return error->domain == HOST_ERROR     ? REASON_HOST_CONFIG
           : error->domain == WORKER_ERROR ? REASON_HOST_CONFIG
                                           : REASON_INTERNAL;
}

void session_start(struct session *session)
{
    g_autoptr(GError) error = NULL;
    if (session->state != NEW) {
        return;
    }
    session->state = STARTING;
    if (!begin(session, &error)) {
        decide(session, reason_of(error), error->message);
        worker_kill(session->worker);
        settle_later(session);
    }
}

void session_disconnect(struct session *session)
{
    if (session->state == ENDED) {
        return;
    }
    if (session->state == ENDING) {
        worker_kill(session->worker);
    } else {
        end_gracefully(session, REASON_USER, "");
    }
    settle_later(session);
}

struct session *session_new(const char *name, const struct profile *profile, gboolean trace,
                            const struct session_ops *ops, void *context)
{
    struct session *session = g_new0(struct session, 1);
    session->name = g_strdup(name);
    session->profile = profile_copy(profile);
    session->trace = trace;
    session->ops = ops;
    session->context = context;
    session->fds = (struct worker_fds){-1, -1, -1, -1, -1};
    session->summary = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return session;
}

void session_free(struct session *session)
{
    if (!session) {
        return;
    }
    stop_source(&session->timer);
    stop_source(&session->settling);
    close_channel(session);
    worker_free(session->worker);
    revert(session);
    g_hash_table_unref(session->summary);
    profile_free(session->profile);
    g_free(session->worker_end);
    g_free(session->detail);
    g_free(session->name);
    g_free(session);
}
