/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/boottime.h"
#include "tunnel/tunnel_private.h"

/*
 * The MTU of the path, found out by probes (pmtu.h) while large packets go out, and the tunnel's
 * that follows from it. An idle connection asks nothing.
 */

/* Smaller packets pass everywhere, and are no reason to look. */
#define LARGE_FROM 1280
/* After large packets have gone out something comes back within that time, or there is doubt. */
#define PATIENCE (2 * G_USEC_PER_SEC)
/* On a new path, where the engine has to settle first. */
#define PATIENCE_FIRST (G_USEC_PER_SEC / 2)
/* Not again so soon after a probe was answered: traffic may have one direction only. */
#define DOUBT_INTERVAL (10 * G_USEC_PER_SEC)
/* While everything seems well. */
#define CONFIRM_INTERVAL (30 * G_USEC_PER_SEC)

static guint16 octets_around(const struct link *link)
{
    /* IP and UDP. */
    return link->path.remote.addr.family == FAMILY_IPV6 ? 48 : 28;
}

static gboolean same_path(const struct datapath_path *a, const struct datapath_path *b)
{
    return addr_equal(&a->local.addr, &b->local.addr) &&
           addr_equal(&a->remote.addr, &b->remote.addr);
}

static void watch_large(struct tunnel *t)
{
    guint16 from = MIN(LARGE_FROM, t->mtu.pmtu.current - 100);

    t->mtu.look_at = IKE_NEVER;
    if (t->mtu.pmtu.ceiling > t->mtu.pmtu.floor && t->config.path_mtu == 0) {
        datapath_watch_large(t->traffic.datapath, (guint16)(from - octets_around(t->current)));
    }
}

guint16 mtu_of_path(const struct tunnel *t, const struct link *link)
{
    return t->current != NULL && same_path(&t->mtu.path, &link->path) ? t->mtu.pmtu.current
                                                                      : link->path_mtu;
}

static void apply(struct tunnel *t)
{
    struct link *link = t->current;
    guint16 before = t->net.mtu;

    link->path_mtu = t->mtu.pmtu.current;
    traffic_set_mtu(&t->traffic, &t->net, &link->path, link->path_mtu);
    if (t->net.mtu != before) {
        t->ops->mtu(t->context, t->net.mtu);
    }
}

/* What the kernel makes of the route's interface and of ICMP. */
static guint16 route_mtu(const struct tunnel *t, const struct link *link)
{
    struct addr local;
    uint16_t mtu;

    return ike_socket_route_to(&t->sockets, &link->path.remote, &local, &mtu) ? mtu : 0;
}

static void start(struct tunnel *t, guint16 path_mtu)
{
    const struct link *link = t->current;
    gboolean v6 = link->path.remote.addr.family == FAMILY_IPV6;

    t->mtu.path = link->path;
    pmtu_start(&t->mtu.pmtu, path_mtu, v6 ? PMTU_MIN_IPV6 : PMTU_MIN_IPV4);
}

void mtu_taken_over(struct tunnel *t)
{
    if (!same_path(&t->mtu.path, &t->current->path)) {
        start(t, t->current->path_mtu);
    }
    watch_large(t);
}

void mtu_moved(struct tunnel *t)
{
    guint16 mtu;

    if (same_path(&t->mtu.path, &t->current->path)) {
        return;
    }
    mtu = t->config.path_mtu != 0 ? t->config.path_mtu : route_mtu(t, t->current);
    start(t, mtu != 0 ? mtu : t->current->path_mtu);
    apply(t);
    watch_large(t);
}

static void ask(struct tunnel *t)
{
    guint16 size = pmtu_next(&t->mtu.pmtu, boottime_now());

    if (size != 0) {
        ike_probe_mtu(t->current->ike, size, boottime_now());
    }
}

void mtu_large_sent(struct tunnel *t)
{
    guint64 now = boottime_now();

    if (t->current == NULL) {
        return;
    }
    t->mtu.large_at = now;
    t->mtu.look_at = now + (t->mtu.pmtu.confirmed_at == 0 ? PATIENCE_FIRST : PATIENCE);
}

guint64 mtu_deadline(const struct tunnel *t)
{
    return t->current != NULL ? MIN(t->mtu.look_at, pmtu_deadline(&t->mtu.pmtu)) : IKE_NEVER;
}

/* Whether what went out was worth its while. */
static void look(struct tunnel *t, guint64 now)
{
    struct pmtu *pmtu = &t->mtu.pmtu;
    struct datapath_counters counters;
    gboolean answered;
    guint16 hint;

    datapath_get_counters(t->traffic.datapath, &counters);
    answered = counters.last_in_us > t->mtu.large_at;
    hint = route_mtu(t, t->current);
    if (hint >= pmtu->current) {
        hint = 0;
    }
    /* ICMP of somebody's own is no reason to ask all the time. */
    if (now - pmtu->confirmed_at >= (answered && hint == 0 ? CONFIRM_INTERVAL : DOUBT_INTERVAL)) {
        pmtu_doubt(pmtu, hint);
    }
    pmtu_raise(pmtu, now);
    watch_large(t);
}

void mtu_tick(struct tunnel *t)
{
    guint64 now = boottime_now();

    if (t->current == NULL || now < mtu_deadline(t)) {
        return;
    }
    if (now >= t->mtu.look_at) {
        look(t, now);
    }
    ask(t);
}

void mtu_answer(struct tunnel *t, struct link *link, guint16 size, gboolean passed)
{
    if (link != t->current) {
        return;
    }
    if (pmtu_answer(&t->mtu.pmtu, size, passed, boottime_now())) {
        apply(t);
        watch_large(t);
    }
    ask(t);
}
