/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/tunnel.h"

#include <glib-unix.h>
#include <gnutls/gnutls.h>

#include "common/i18n.h"
#include "tunnel/link.h"
#include "tunnel/resolve.h"
#include "tunnel/traffic.h"
#include "tunnel/worker_config.h"

#define DETAIL_MAX 1024
/* Datagrams at a time, so that a flood of them keeps nobody from timers, signals and the session.
 */
#define BURST 64

struct tunnel {
    struct ike_sockets sockets;
    const struct tunnel_ops *ops;
    void *context;

    struct worker_config config;
    struct resolve *resolving;
    struct endpoint gateway;
    gboolean found, configured; /* the gateway's address; the engine's settings */
    gboolean trace;
    guint16 path_mtu; /* 0 = ask the route */

    struct link *link;
    struct ike_ticket ticket; /* to begin with next time; empty = none */
    struct cert_trust *system_trust;
    struct traffic traffic;

    GSource *timer;
    GSource *watches[4]; /* udp4, udp6 until the datapath runs; then its IKE queue and events */
    gboolean ended;
    uint8_t buffer[IKE_MESSAGE_MAX];
};

static void pump(struct tunnel *t);

static void stop_watching(struct tunnel *t)
{
    for (gsize i = 0; i < G_N_ELEMENTS(t->watches); i++) {
        if (t->watches[i] != NULL) {
            g_source_destroy(t->watches[i]);
            g_clear_pointer(&t->watches[i], g_source_unref);
        }
    }
}

static void end(struct tunnel *t, enum reason reason, const char *detail)
{
    if (t->ended) {
        return;
    }
    t->ended = TRUE;
    stop_watching(t);
    g_clear_pointer(&t->resolving, resolve_free);
    if (t->timer != NULL) {
        g_source_set_ready_time(t->timer, -1);
    }
    traffic_stop(&t->traffic);
    t->ops->down(t->context, reason, detail != NULL ? detail : "");
}

/* ---- datagrams ---- */

static void read_errors(struct tunnel *t, int fd)
{
    gboolean more = TRUE;

    while (more && t->link != NULL) {
        struct ike_socket_error error;

        if (ike_socket_unreachable(fd, &error, &more)) {
            ike_unreachable(t->link->ike, &error.path, error.icmp, &error.reporter, link_now());
        }
    }
}

static gboolean on_udp(int fd, GIOCondition condition, gpointer data)
{
    struct tunnel *t = data;
    struct path path;
    struct bytes datagram;

    if ((condition & G_IO_ERR) != 0) {
        read_errors(t, fd);
    }
    for (int n = 0; n < BURST && !t->ended && t->traffic.datapath == NULL; n++) {
        if (!ike_socket_receive(fd, t->buffer, sizeof t->buffer, &path, &datagram)) {
            break;
        }
        if (datagram.len > 0) {
            ike_input(t->link->ike, &path, datagram, link_now());
            pump(t);
        }
    }
    pump(t);
    return G_SOURCE_CONTINUE;
}

static gboolean on_ike_queue(int fd, GIOCondition condition, gpointer data)
{
    struct tunnel *t = data;
    struct path path = {.transport = TRANSPORT_UDP};
    bool marker;

    (void)fd;
    (void)condition;
    for (int n = 0; n < BURST && !t->ended; n++) {
        size_t len = datapath_ike_receive(t->traffic.datapath, t->buffer, sizeof t->buffer, &path.local,
                                          &path.remote, &marker);

        if (len == 0) {
            break;
        }
        if (marker == (path.remote.port != IKE_PORT)) {
            ike_input(t->link->ike, &path, bytes_of(t->buffer, len), link_now());
        }
        pump(t);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_datapath_event(int fd, GIOCondition condition, gpointer data)
{
    struct tunnel *t = data;
    struct datapath_event event;

    (void)fd;
    (void)condition;
    while (!t->ended && datapath_next_event(t->traffic.datapath, &event)) {
        switch (event.type) {
        case DATAPATH_HEARD:
            ike_child_received(t->link->ike, event.spi_in, link_now());
            break;
        case DATAPATH_WORN:
            ike_rekey_child(t->link->ike, event.spi_in, link_now());
            break;
        }
        pump(t);
    }
    return G_SOURCE_CONTINUE;
}

static GSource *watch(struct tunnel *t, int fd, GUnixFDSourceFunc callback)
{
    GSource *source = g_unix_fd_source_new(fd, G_IO_IN | G_IO_ERR);

    g_source_set_callback(source, G_SOURCE_FUNC(callback), t, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

/* ---- events of the engine ---- */

static const char *phase_name(enum ike_phase phase)
{
    switch (phase) {
    case IKE_PHASE_INIT:
        return "init";
    case IKE_PHASE_GATEWAY_ANSWERED:
        return "gateway-answered";
    case IKE_PHASE_GATEWAY_VERIFIED:
        return "gateway-verified";
    case IKE_PHASE_USER_AUTH:
        return "user-auth";
    case IKE_PHASE_USER_ACCEPTED:
        return "user-accepted";
    case IKE_PHASE_ESTABLISHED:
        return "established";
    case IKE_PHASE_DISCONNECTING:
        return "disconnecting";
    }
    return "";
}

static void child_up(struct tunnel *t, const struct ike_event *event)
{
    struct traffic *traffic = &t->traffic;
    const struct link *link = t->link;
    struct net_config *net = g_memdup2(event->net, sizeof *event->net);
    struct tunnel_summary summary = {0};
    gboolean first = traffic->datapath == NULL;

    net->mtu = traffic_mtu(traffic, event->child, net, &link->path, link->path_mtu);
    if (first) {
        stop_watching(t);
        if (!traffic_start(traffic, net->mtu)) {
            end(t, REASON_INTERNAL, _("The datapath could not be started."));
            goto out;
        }
        t->watches[2] = watch(t, datapath_ike_fd(traffic->datapath), on_ike_queue);
        t->watches[3] = watch(t, datapath_event_fd(traffic->datapath), on_datapath_event);
    }
    datapath_set_mtu(traffic->datapath, net->mtu);
    if (datapath_set_path(traffic->datapath, &link->path) != OK ||
        !traffic_add_in(traffic, event->child, net) ||
        (!event->held && !traffic_set_out(traffic, event->child))) {
        end(t, REASON_INTERNAL, _("The keys of the tunnel could not be installed."));
        goto out;
    }
    if (first) {
        ike_get_summary(link->ike, &summary.ike);
        endpoint_text(&link->path.remote, summary.gateway);
        t->ops->connected(t->context, net, &summary);
    }
out:
    g_free(net);
}

static void child_out(struct tunnel *t, const struct ike_child *child)
{
    if (t->traffic.datapath != NULL && !traffic_set_out(&t->traffic, child)) {
        end(t, REASON_INTERNAL, _("The keys of the tunnel could not be installed."));
    }
}

static const char *secret_id(enum eap_secret secret)
{
    return secret == EAP_SECRET_USER ? "user" : "password";
}

static void keep_ticket(struct tunnel *t, const struct ike_ticket *ticket)
{
    ike_ticket_free(&t->ticket);
    /* Without memory for it the next start is a full one. */
    if (ticket != NULL && !ike_ticket_copy(&t->ticket, ticket)) {
        g_debug("the ticket is lost");
    }
}

static void handle_event(struct tunnel *t, const struct ike_event *event)
{
    switch (event->type) {
    case IKE_EVENT_PHASE:
        t->ops->phase(t->context, phase_name(event->phase), event->text != NULL ? event->text : "",
                      link_now());
        break;
    case IKE_EVENT_SECRET:
        t->ops->secret_required(t->context, secret_id(event->secret),
                                event->prompt != NULL ? event->prompt : "");
        break;
    case IKE_EVENT_CHILD_UP:
        child_up(t, event);
        break;
    case IKE_EVENT_CHILD_OUT:
        child_out(t, event->child);
        break;
    case IKE_EVENT_CHILD_DOWN:
        if (!traffic_remove(&t->traffic, event->spi_in)) {
            end(t, REASON_INTERNAL, "");
        }
        break;
    case IKE_EVENT_PATH:
        t->link->path =
            (struct datapath_path){.local = event->path.local, .remote = event->path.remote};
        if (t->traffic.datapath != NULL &&
            datapath_set_path(t->traffic.datapath, &t->link->path) != OK) {
            end(t, REASON_INTERNAL, "");
        }
        break;
    case IKE_EVENT_PATH_LOST:
        g_debug("%s", event->text);
        break;
    case IKE_EVENT_TICKET:
        keep_ticket(t, event->ticket);
        break;
    case IKE_EVENT_TRACE:
        t->ops->trace(t->context, event->text, event->outbound, event->retransmission, event->at);
        break;
    case IKE_EVENT_REDIRECT:
    case IKE_EVENT_REAUTH:
        break;
    case IKE_EVENT_DOWN:
        end(t, event->reason, event->text);
        break;
    }
}

static void arm_timer(struct tunnel *t)
{
    guint64 deadline = ike_deadline(t->link->ike), now = link_now();

    if (deadline == IKE_NEVER) {
        g_source_set_ready_time(t->timer, -1);
    } else {
        g_source_set_ready_time(t->timer, g_get_monotonic_time() +
                                              (deadline > now ? (gint64)(deadline - now) : 0));
    }
}

/* Does what the engine reports, then sends what it wants sent: an answer may promise that a Child
 * SA receives. Its last words come before its end. */
static void pump(struct tunnel *t)
{
    struct ike_event event;

    while (!t->ended && ike_next_event(t->link->ike, &event)) {
        if (event.type == IKE_EVENT_DOWN) {
            link_send(t->link, &t->sockets, t->buffer);
        }
        handle_event(t, &event);
    }
    if (!t->ended) {
        link_send(t->link, &t->sockets, t->buffer);
        arm_timer(t);
    }
}

static gboolean on_timer(gpointer data)
{
    struct tunnel *t = data;

    if (t->ended || t->link == NULL) {
        return G_SOURCE_CONTINUE;
    }
    if (t->traffic.datapath != NULL) {
        struct datapath_counters counters;

        datapath_get_counters(t->traffic.datapath, &counters);
        if (counters.last_out_us != 0) {
            ike_sent_traffic(t->link->ike, counters.last_out_us);
        }
        if (counters.last_in_us != 0) {
            ike_received_traffic(t->link->ike, counters.last_in_us);
        }
    }
    ike_tick(t->link->ike, link_now());
    pump(t);
    return G_SOURCE_CONTINUE;
}

static gboolean dispatch_timer(GSource *source, GSourceFunc callback, gpointer data)
{
    g_source_set_ready_time(source, -1);
    return callback(data);
}

/* ---- start ---- */

static void load_system_trust(struct tunnel *t)
{
    size_t n;

    /* The first request is on its way: the store is read while the gateway computes. */
    if (t->config.trust == NULL && t->config.ike.auth != IKE_AUTH_PSK &&
        cert_trust_system(&t->system_trust, &n) == OK) {
        ike_set_trust(t->link->ike, t->system_trust);
    }
}

static void no_route(struct tunnel *t)
{
    char text[ADDR_TEXT_MAX];
    char *detail =
        g_strdup_printf(_("There is no route to %s."), addr_text(&t->gateway.addr, text));

    end(t, REASON_GATEWAY_UNREACHABLE, detail);
    g_free(detail);
}

static gboolean open_link(struct tunnel *t)
{
    guint16 path_mtu = t->config.path_mtu != 0 ? t->config.path_mtu : t->path_mtu;

    t->config.ike.trace = t->trace;
    t->config.ike.ticket = t->ticket.opaque.len > 0 ? &t->ticket : NULL;
    switch (link_open(&t->link, &t->config.ike, &t->gateway, path_mtu)) {
    case LINK_OPENED:
        return TRUE;
    case LINK_NO_ROUTE:
        no_route(t);
        break;
    case LINK_CONTRADICTION:
        end(t, REASON_PROFILE, _("The settings contradict each other."));
        break;
    case LINK_FAILED:
        end(t, REASON_INTERNAL, "");
        break;
    }
    return FALSE;
}

static void start_engine(struct tunnel *t)
{
    if (!open_link(t)) {
        return;
    }
    if (t->config.trust != NULL) {
        ike_set_trust(t->link->ike, t->config.trust);
    }
    if (t->sockets.fd4 >= 0) {
        t->watches[0] = watch(t, t->sockets.fd4, on_udp);
    }
    if (t->sockets.fd6 >= 0) {
        t->watches[1] = watch(t, t->sockets.fd6, on_udp);
    }
    pump(t);
    if (!t->ended) {
        load_system_trust(t);
    }
}

static gboolean usable(const struct tunnel *t, const struct endpoint *endpoint)
{
    struct addr local;
    uint16_t mtu;

    return (endpoint->addr.family == FAMILY_IPV6 ? t->sockets.fd6 : t->sockets.fd4) >= 0 &&
           ike_socket_route_to(endpoint, &local, &mtu);
}

/* The name is looked up while the profile is turned into what the engine takes. */
static void start_when_ready(struct tunnel *t)
{
    if (t->found && t->configured) {
        start_engine(t);
    }
}

static void on_resolved(void *context, const struct addr *found, gsize n, const char *error)
{
    struct tunnel *t = context;
    gboolean have = FALSE;

    if (n == 0) {
        end(t, REASON_RESOLVE, error);
        return;
    }
    for (gsize i = 0; i < n && !have; i++) {
        t->gateway.addr = found[i];
        have = usable(t, &t->gateway);
    }
    t->found = TRUE;
    start_when_ready(t);
}

static void find_gateway(struct tunnel *t)
{
    const char *gateway = profile_get(t->config.profile, "gateway");

    t->gateway.port = (uint16_t)profile_get_uint(t->config.profile, "port");
    t->found = addr_parse(&t->gateway.addr, gateway);
    if (!t->found) {
        t->ops->phase(t->context, "resolve", gateway, link_now());
        t->resolving = resolve_start(gateway, on_resolved, t);
    }
}

static void configure(struct tunnel *t)
{
    char detail[DETAIL_MAX] = "";
    enum reason reason = REASON_INTERNAL;
    const char *missing = NULL;

    switch (worker_config_build(&t->config, &missing, &reason, detail, sizeof detail)) {
    case WORKER_CONFIG_OK:
        t->configured = TRUE;
        t->traffic.narrow = t->config.ike.local_ts.n == 0;
        start_when_ready(t);
        break;
    case WORKER_CONFIG_NEEDS_SECRET:
        t->ops->secret_required(t->context, missing, "");
        break;
    case WORKER_CONFIG_FAILED:
        end(t, reason, detail);
        break;
    }
}

struct tunnel *tunnel_new(const struct tunnel_fds *fds, const struct tunnel_ops *ops, void *context)
{
    static GSourceFuncs timer_funcs = {.dispatch = dispatch_timer};
    struct tunnel *t = g_new0(struct tunnel, 1);

    t->sockets = (struct ike_sockets){.fd4 = fds->udp4, .fd6 = fds->udp6};
    t->traffic = (struct traffic){.sockets = &t->sockets, .tun_fd = fds->tun};
    t->ops = ops;
    t->context = context;
    t->timer = g_source_new(&timer_funcs, sizeof(GSource));
    g_source_set_callback(t->timer, on_timer, t, NULL);
    g_source_attach(t->timer, g_main_context_get_thread_default());
    return t;
}

void tunnel_free(struct tunnel *t)
{
    if (t == NULL) {
        return;
    }
    resolve_free(t->resolving);
    stop_watching(t);
    g_source_destroy(t->timer);
    g_source_unref(t->timer);
    traffic_stop(&t->traffic);
    link_free(t->link);
    ike_ticket_free(&t->ticket);
    cert_trust_free(t->system_trust);
    worker_config_clear(&t->config);
    secret_wipe(t->buffer, sizeof t->buffer);
    g_free(t);
}

void tunnel_connect(struct tunnel *t, struct profile *profile, gboolean trace, gboolean vnet_hdr,
                    guint16 path_mtu)
{
    t->config.profile = profile;
    t->trace = trace;
    t->traffic.vnet_hdr = vnet_hdr;
    t->path_mtu = path_mtu;
    find_gateway(t);
    /* While the name is looked up. */
    if (gnutls_global_init() != GNUTLS_E_SUCCESS) {
        end(t, REASON_INTERNAL, _("GnuTLS cannot be started."));
        return;
    }
    configure(t);
}

void tunnel_provide_secret(struct tunnel *t, const char *id, struct bytes value)
{
    GError *error = NULL;

    if (t->ended) {
        return;
    }
    if (t->link != NULL) {
        ike_provide_secret(t->link->ike, g_str_equal(id, "user") ? EAP_SECRET_USER : EAP_SECRET_PASSWORD,
                           value, link_now());
        pump(t);
        return;
    }
    if (value.len == 0) {
        end(t, REASON_SECRET_MISSING, "");
    } else if (!profile_set_bytes(t->config.profile, id, value, &error)) {
        end(t, REASON_PROFILE, error->message);
        g_error_free(error);
    } else {
        configure(t);
    }
}

void tunnel_disconnect(struct tunnel *t)
{
    if (t->ended) {
        return;
    }
    if (t->link == NULL) {
        end(t, REASON_USER, "");
        return;
    }
    ike_disconnect(t->link->ike, link_now());
    pump(t);
}
