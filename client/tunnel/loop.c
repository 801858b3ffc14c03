/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib-unix.h>

#include "common/boottime.h"
#include "tunnel/tunnel_private.h"

/* Datagrams at a time, so that a flood of them keeps nobody from timers, signals and the session.
 */
#define BURST 64

/* ---- datagrams ---- */

/* In the order in which they are asked what they want: the one in use first. Any may be NULL. */
#define SLOTS (2 + RIVALS_MAX + LEAVING_MAX)
static struct link *link_at(const struct tunnel *t, gsize slot)
{
    if (slot < 2) {
        return slot == 0 ? t->current : t->next;
    }
    slot -= 2;
    return slot < RIVALS_MAX ? t->race.rivals[slot] : t->leaving[slot - RIVALS_MAX];
}

/* The one whose SPIs it bears. */
static struct link *link_of(const struct tunnel *t, struct bytes datagram)
{
    for (gsize slot = 0; slot < SLOTS; slot++) {
        if (link_owns(link_at(t, slot), datagram)) {
            return link_at(t, slot);
        }
    }
    return NULL;
}

static void input(struct tunnel *t, const struct path *path, struct bytes datagram)
{
    struct link *link = link_of(t, datagram);

    if (link != NULL) {
        ike_input(link->ike, path, datagram, boottime_now());
        loop_run(t);
    }
}

/* Believed, if at all, of those that are being made. */
static void unreachable(struct tunnel *t, const struct ike_socket_error *error)
{
    for (gsize slot = 0; slot < SLOTS; slot++) {
        struct link *link = link_at(t, slot);

        if (link != NULL && link->ike != NULL) {
            ike_unreachable(link->ike, &error->path, error->icmp, &error->reporter, boottime_now());
        }
    }
    loop_run(t);
}

static void read_errors(struct tunnel *t, int fd)
{
    gboolean more = TRUE;

    while (more && !t->ended) {
        struct ike_socket_error error;

        if (ike_socket_unreachable(fd, &error, &more)) {
            unreachable(t, &error);
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
            input(t, &path, datagram);
        }
    }
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
        size_t len = datapath_ike_receive(t->traffic.datapath, t->buffer, sizeof t->buffer,
                                          &path.local, &path.remote, &marker);

        if (len == 0) {
            break;
        }
        if (marker == (path.remote.port != IKE_PORT)) {
            input(t, &path, bytes_of(t->buffer, len));
        }
    }
    return G_SOURCE_CONTINUE;
}

/* The one of whose Child SAs this is one. */
static struct link *owner_of(struct tunnel *t, guint32 spi_in)
{
    for (gsize slot = 0; slot < SLOTS; slot++) {
        struct link *link = link_at(t, slot);

        if (link != NULL && link_has_child(link, spi_in)) {
            return link;
        }
    }
    return NULL;
}

static void about_child(struct link *link, const struct datapath_event *event)
{
    if (event->type == DATAPATH_HEARD) {
        ike_child_received(link->ike, event->spi_in, boottime_now());
    } else {
        ike_rekey_child(link->ike, event->spi_in, boottime_now());
    }
}

static gboolean on_datapath_event(int fd, GIOCondition condition, gpointer data)
{
    struct tunnel *t = data;
    struct datapath_event event;

    (void)fd;
    (void)condition;
    while (!t->ended && datapath_next_event(t->traffic.datapath, &event)) {
        struct link *link = owner_of(t, event.spi_in);

        if (event.type == DATAPATH_LARGE) {
            mtu_large_sent(t);
        } else if (event.type == DATAPATH_SINGLY) {
            g_message(
                "runs of datagrams are refused here; each is sent by itself, which is slower");
        } else if (link != NULL && link->ike != NULL) {
            about_child(link, &event);
        }
        loop_run(t);
    }
    return G_SOURCE_CONTINUE;
}

static void stop_watching(struct tunnel *t)
{
    for (gsize i = 0; i < G_N_ELEMENTS(t->watches); i++) {
        if (t->watches[i] != NULL) {
            g_source_destroy(t->watches[i]);
            g_clear_pointer(&t->watches[i], g_source_unref);
        }
    }
}

static GSource *watch(struct tunnel *t, int fd, GUnixFDSourceFunc callback)
{
    GSource *source = g_unix_fd_source_new(fd, G_IO_IN | G_IO_ERR);

    g_source_set_callback(source, G_SOURCE_FUNC(callback), t, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

void loop_watch_datapath(struct tunnel *t)
{
    stop_watching(t);
    t->watches[2] = watch(t, datapath_ike_fd(t->traffic.datapath), on_ike_queue);
    t->watches[3] = watch(t, datapath_event_fd(t->traffic.datapath), on_datapath_event);
}

/* ---- time ---- */

/* Only what has passed since it is in use says something of this IKE SA. */
static void tell_of_traffic(struct tunnel *t)
{
    struct ike *ike = t->current->ike;
    struct datapath_counters counters;

    datapath_get_counters(t->traffic.datapath, &counters);
    if (counters.last_out_us > t->current->up_since) {
        ike_sent_traffic(ike, counters.last_out_us);
    }
    if (counters.last_in_us > t->current->up_since) {
        ike_received_traffic(ike, counters.last_in_us);
    }
    traffic_tell_drops(&t->traffic, &counters);
}

static void tick(struct link *link)
{
    if (link != NULL && link->ike != NULL) {
        ike_tick(link->ike, boottime_now());
    }
}

static gboolean on_timer(gpointer data)
{
    struct tunnel *t = data;

    if (t->ended) {
        return G_SOURCE_CONTINUE;
    }
    if (t->current != NULL) {
        tell_of_traffic(t);
    }
    for (gsize slot = 0; slot < SLOTS; slot++) {
        tick(link_at(t, slot));
    }
    race_tick(t);
    mtu_tick(t);
    loop_run(t);
    return G_SOURCE_CONTINUE;
}

static gboolean dispatch_timer(GSource *source, GSourceFunc callback, gpointer data)
{
    g_source_set_ready_time(source, -1);
    return callback(data);
}

static guint64 earlier(guint64 at, const struct link *link)
{
    guint64 deadline = link != NULL && link->ike != NULL ? ike_deadline(link->ike) : IKE_NEVER;

    return MIN(at, deadline);
}

static void arm_timer(struct tunnel *t)
{
    guint64 at = MIN(succession_deadline(t), mtu_deadline(t)), now = boottime_now();

    for (gsize slot = 0; slot < SLOTS; slot++) {
        at = earlier(at, link_at(t, slot));
    }
    if (at == IKE_NEVER) {
        g_source_set_ready_time(t->timer, -1);
    } else {
        g_source_set_ready_time(t->timer,
                                g_get_monotonic_time() + (at > now ? (gint64)(at - now) : 0));
    }
}

/* ---- the engines ---- */

/* What is sent may rely on what was reported: an answer may promise that a Child SA receives. Last
 * words come before the end. */
static void pump(struct tunnel *t, struct link *link)
{
    struct ike_event event;

    if (link == NULL || link->ike == NULL) {
        return;
    }
    while (!t->ended && !link->down && ike_next_event(link->ike, &event)) {
        engine_event(t, link, &event);
    }
    link_send(link, &t->sockets, t->buffer);
}

void loop_run(struct tunnel *t)
{
    gboolean more = TRUE;

    /* What is done about one engine may be reported by way of another. */
    if (t->running) {
        return;
    }
    t->running = TRUE;
    while (more && !t->ended) {
        for (gsize slot = 0; slot < SLOTS; slot++) {
            pump(t, link_at(t, slot));
        }
        more = !t->ended && succession_settle(t);
    }
    t->running = FALSE;
    if (!t->ended && t->timer != NULL) {
        arm_timer(t);
    }
}

void loop_start(struct tunnel *t)
{
    static GSourceFuncs timer_funcs = {.dispatch = dispatch_timer};

    t->timer = g_source_new(&timer_funcs, sizeof(GSource));
    g_source_set_callback(t->timer, on_timer, t, NULL);
    g_source_attach(t->timer, g_main_context_get_thread_default());
    if (t->sockets.fd4 >= 0) {
        t->watches[0] = watch(t, t->sockets.fd4, on_udp);
    }
    if (t->sockets.fd6 >= 0) {
        t->watches[1] = watch(t, t->sockets.fd6, on_udp);
    }
}

void loop_stop(struct tunnel *t)
{
    stop_watching(t);
    if (t->timer != NULL) {
        g_source_destroy(t->timer);
        g_clear_pointer(&t->timer, g_source_unref);
    }
}
