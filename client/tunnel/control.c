/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/control.h"

#include <unistd.h>

#include "common/channel.h"
#include "common/gateway_facts_variant.h"
#include "common/i18n.h"
#include "common/net_config_variant.h"
#include "common/network_variant.h"
#include "tunnel/cage.h"

#define FLUSH_TIME 1000 /* milliseconds for the last words */

/* In what struct tunnel_fds is. */
static const struct {
    const char *name;
    gsize offset;
} descriptors[] = {
    {"tun", offsetof(struct tunnel_fds, tun)},
    {"udp4", offsetof(struct tunnel_fds, udp4)},
    {"udp6", offsetof(struct tunnel_fds, udp6)},
    {"lookup4", offsetof(struct tunnel_fds, lookup4)},
    {"lookup6", offsetof(struct tunnel_fds, lookup6)},
    {"tcp4", offsetof(struct tunnel_fds, tcp4)},
    {"tcp6", offsetof(struct tunnel_fds, tcp6)},
    {"token", offsetof(struct tunnel_fds, token)},
};

struct control {
    GMainLoop *loop;
    int report;
    struct channel *channel;
    char *asked; /* profile key of the secret that is being asked for */
    struct tunnel *tunnel;
    struct tunnel_fds fds;
    GSource *preparing;  /* until there is something else to do */
    gboolean connecting; /* CONNECT came */
};

/* ---- what the tunnel reports ---- */

static void report_phase(void *context, const char *phase, const char *text, guint64 at_us)
{
    struct control *control = context;

    channel_send(control->channel, MESSAGE_PHASE, g_variant_new("(sst)", phase, text, at_us));
}

static void report_failed(void *context, enum reason reason, const char *detail)
{
    struct control *control = context;

    channel_send(control->channel, MESSAGE_FAILED,
                 g_variant_new("(ss)", reason_name(reason), detail));
}

static void report_trace(void *context, const char *line, gboolean outbound,
                         gboolean retransmission, guint64 at_us)
{
    struct control *control = context;

    channel_send(control->channel, MESSAGE_TRACE,
                 g_variant_new("(sbbt)", line, outbound, retransmission, at_us));
}

static void report_connected(void *context, const struct net_config *net,
                             const struct tunnel_summary *summary)
{
    struct control *control = context;
    const struct {
        const char *name, *value;
    } rows[] = {
        {"gateway", summary->gateway},
        {"asked", summary->asked},
        {"gateway-id", summary->ike.gateway_id},
        {"gateway-auth", summary->ike.gateway_auth},
        {"gateway-subject", summary->ike.gateway_subject},
        {"gateway-version", summary->ike.gateway_version},
        {"local-id", summary->ike.local_id},
        {"user-auth", summary->ike.user_auth},
        {"ike-suite", summary->ike.ike_suite},
        {"esp-suite", summary->ike.esp_suite},
        {"esp-library", summary->esp_library},
    };
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].value[0] != '\0') {
            g_variant_builder_add(&builder, "{ss}", rows[i].name, rows[i].value);
        }
    }
    channel_send(control->channel, MESSAGE_CONNECTED,
                 g_variant_new("(@a{sv}@a{ss})", net_config_to_variant(net),
                               g_variant_builder_end(&builder)));
}

static void report_mtu(void *context, guint16 mtu)
{
    struct control *control = context;

    channel_send(control->channel, MESSAGE_MTU, g_variant_new("(q)", mtu));
}

static void report_keep(void *context, GVariant *kept)
{
    struct control *control = context;

    channel_send(control->channel, MESSAGE_KEEP, g_variant_new("(@a{sv})", kept));
}

static void send_down(struct control *control, enum reason reason, const char *detail)
{
    channel_send(control->channel, MESSAGE_DOWN,
                 g_variant_new("(ss)", reason_name(reason), detail));
    channel_flush(control->channel, FLUSH_TIME);
    g_main_loop_quit(control->loop);
}

static void report_down(void *context, enum reason reason, const char *detail)
{
    send_down(context, reason, detail);
}

/* ---- secrets ---- */

static void ask(struct control *control, const char *id, const char *prompt, GVariant *details)
{
    if (control->asked == NULL) {
        control->asked = g_strdup(id);
        channel_send(control->channel, MESSAGE_SECRETS_REQUIRED,
                     g_variant_new_parsed("[(%s, %s, %@a{sv})]", id, prompt, details));
    } else {
        g_variant_unref(g_variant_ref_sink(details));
    }
}

static void ask_secret(void *context, const char *id, const char *prompt)
{
    ask(context, id, prompt, g_variant_new("a{sv}", NULL));
}

static void ask_choice(void *context, const char *id, const struct tunnel_choice *choices, gsize n)
{
    GVariantBuilder builder;
    GVariantDict details;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sss)"));
    for (gsize i = 0; i < n; i++) {
        g_variant_builder_add(&builder, "(sss)", choices[i].value, choices[i].title,
                              choices[i].detail);
    }
    g_variant_dict_init(&details, NULL);
    g_variant_dict_insert_value(&details, "choices", g_variant_builder_end(&builder));
    ask(context, id, "", g_variant_dict_end(&details));
}

static void ask_trust(void *context, const struct gateway_facts *facts)
{
    ask(context, "gateway-fingerprint", "", gateway_facts_to_variant(facts));
}

static void on_secrets(struct control *control, GVariant *values)
{
    char *id = g_steal_pointer(&control->asked);
    GVariant *value;
    struct bytes octets = {0};

    if (id == NULL) {
        return;
    }
    value = g_variant_lookup_value(values, id, G_VARIANT_TYPE_BYTESTRING);
    if (value != NULL) {
        octets.data = g_variant_get_fixed_array(value, &octets.len, 1);
    }
    tunnel_provide_secret(control->tunnel, id, octets);
    g_clear_pointer(&value, g_variant_unref);
    g_free(id);
}

static const struct tunnel_ops ops = {
    .phase = report_phase,
    .failed = report_failed,
    .trace = report_trace,
    .secret_required = ask_secret,
    .choice_required = ask_choice,
    .trust_required = ask_trust,
    .connected = report_connected,
    .mtu = report_mtu,
    .keep = report_keep,
    .down = report_down,
};

/* ---- what the session asks ---- */

static void stop_preparing(struct control *control)
{
    if (control->preparing != NULL) {
        g_source_destroy(control->preparing);
        g_clear_pointer(&control->preparing, g_source_unref);
    }
}

static int *descriptor_at(struct tunnel_fds *fds, gsize i)
{
    return (int *)(gpointer)((guint8 *)fds + descriptors[i].offset);
}

/* FALSE when those that are named did not come. */
static gboolean take_descriptors(struct control *control, GVariant *options)
{
    GVariantIter *names = NULL;
    const char *name;
    gboolean all = g_variant_lookup(options, "descriptors", "as", &names);

    while (all && g_variant_iter_next(names, "&s", &name)) {
        int fd = channel_take_fd(control->channel);

        all = fd >= 0;
        for (gsize i = 0; i < G_N_ELEMENTS(descriptors); i++) {
            if (g_str_equal(descriptors[i].name, name)) {
                *descriptor_at(&control->fds, i) = fd;
            }
        }
    }
    g_clear_pointer(&names, g_variant_iter_free);
    return all && control->fds.tun >= 0;
}

static void connect_tunnel(struct control *control, struct profile *profile,
                           const struct tunnel_options *settings)
{
    channel_send(control->channel, MESSAGE_ACCEPTED, NULL);
    tunnel_connect(control->tunnel, profile, &control->fds, settings);
    if (!cage_enter(control->report)) {
        send_down(control, REASON_INTERNAL, _("godwit-tunnel cannot give up its rights."));
    }
}

static void on_connect(struct control *control, GVariant *body)
{
    struct tunnel_options settings = {0};
    const char *ask_first;
    GError *error = NULL;
    GVariant *dict, *options;
    struct profile *profile;

    if (control->connecting) {
        return;
    }
    control->connecting = TRUE;
    stop_preparing(control);
    g_variant_get(body, "(@a{sv}@a{sv})", &dict, &options);
    g_variant_lookup(options, "trace", "b", &settings.trace);
    g_variant_lookup(options, "have-vnet-hdr", "b", &settings.vnet_hdr);
    g_variant_lookup(options, "path-mtu", "q", &settings.path_mtu);
    if (g_variant_lookup(options, "ask-first", "&s", &ask_first)) {
        (void)endpoint_parse(&settings.ask_first, ask_first);
    }
    profile = profile_from_variant(dict, &error);
    if (profile != NULL && !profile_validate(profile, &error)) {
        g_clear_pointer(&profile, profile_free);
    }
    g_variant_unref(dict);
    if (profile == NULL) {
        send_down(control, REASON_PROFILE, error->message);
        g_error_free(error);
    } else if (!take_descriptors(control, options)) {
        profile_free(profile);
        send_down(control, REASON_INTERNAL, _("godwit-tunnel did not get its sockets."));
    } else {
        settings.kept = g_variant_lookup_value(options, "kept", G_VARIANT_TYPE_VARDICT);
        connect_tunnel(control, profile, &settings);
        g_clear_pointer(&settings.kept, g_variant_unref);
    }
    g_variant_unref(options);
}

static void on_network(struct control *control, GVariant *body)
{
    struct network network;

    if (network_from_variant(body, &network)) {
        tunnel_network(control->tunnel, &network);
    }
}

static void on_message(void *context, enum channel_message kind, GVariant *body)
{
    struct control *control = context;

    switch (kind) {
    case MESSAGE_CONNECT:
        on_connect(control, body);
        break;
    case MESSAGE_DISCONNECT:
        control_terminate(control);
        break;
    case MESSAGE_SECRETS:
        on_secrets(control, body);
        break;
    case MESSAGE_NETWORK:
        on_network(control, body);
        break;
    case MESSAGE_SLEEP:
        tunnel_sleep(control->tunnel);
        break;
    case MESSAGE_WAKE:
        tunnel_wake(control->tunnel);
        break;
    case MESSAGE_ACCEPTED:
    case MESSAGE_PHASE:
    case MESSAGE_FAILED:
    case MESSAGE_TRACE:
    case MESSAGE_SECRETS_REQUIRED:
    case MESSAGE_CONNECTED:
    case MESSAGE_MTU:
    case MESSAGE_KEEP:
    case MESSAGE_DOWN:
    case N_MESSAGES:
        break; /* the channel lets none of these reach a worker */
    }
}

static void on_closed(void *context, gboolean breach)
{
    struct control *control = context;

    (void)breach;
    /* The session is gone, and with it everything this worker is for; Delete still leaves, without
     * waiting for its answer. */
    tunnel_disconnect(control->tunnel);
    g_main_loop_quit(control->loop);
}

static gboolean on_idle(gpointer data)
{
    struct control *control = data;

    stop_preparing(control);
    tunnel_prepare(control->tunnel);
    return G_SOURCE_REMOVE;
}

struct control *control_new(int fd, int report, int scout, GMainLoop *loop)
{
    struct control *control = g_new0(struct control, 1);

    control->loop = loop;
    control->report = report;
    control->tunnel = tunnel_new(scout, &ops, control);
    control->channel = channel_new(fd, CHANNEL_WORKER, on_message, on_closed, control);
    for (gsize i = 0; i < G_N_ELEMENTS(descriptors); i++) {
        *descriptor_at(&control->fds, i) = -1;
    }
    /* Who is started beforehand has time for it; else CONNECT is there already. */
    control->preparing = g_idle_source_new();
    g_source_set_callback(control->preparing, on_idle, control, NULL);
    g_source_attach(control->preparing, g_main_context_get_thread_default());
    return control;
}

void control_terminate(struct control *control)
{
    tunnel_disconnect(control->tunnel);
}

void control_free(struct control *control)
{
    stop_preparing(control);
    tunnel_free(control->tunnel);
    channel_free(control->channel);
    for (gsize i = 0; i < G_N_ELEMENTS(descriptors); i++) {
        int fd = *descriptor_at(&control->fds, i);

        if (fd >= 0) {
            close(fd);
        }
    }
    g_free(control->asked);
    g_free(control);
}
