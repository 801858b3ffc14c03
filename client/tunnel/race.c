/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/boottime.h"
#include "common/i18n.h"
#include "tunnel/tunnel_private.h"

/*
 * The addresses of a gateway and its two ports, asked one beside the other in the manner of RFC
 * 8305: each a little later than the one before, until one answers. That one goes on; a gateway
 * that is asked twice keeps half an IKE SA of the other for a moment, as of any lost datagram.
 */

/* RFC 8305 5, "Connection Attempt Delay" */
#define NEXT_AFTER (250 * G_TIME_SPAN_MILLISECOND)
/* Who answers IKE does so before: nobody else is troubled. */
#define TCP_AFTER (1 * G_USEC_PER_SEC)
/* For an answer of anyone, when it is not the first connection: then there is a next time. */
#define ANSWER_TIME (10 * G_USEC_PER_SEC)
/* The same once the host has answered TCP. */
#define TELLING_TIME (2 * G_USEC_PER_SEC)

/* ---- who is asked ---- */

/* The addresses to try: the profile's, or those of the gateway that we are sent to. */
static const struct gateways *candidates(const struct tunnel *t)
{
    return t->redirected_from.family != FAMILY_NONE ? &t->redirected : &t->known;
}

/* A successor goes where its predecessor is, unless it was sent elsewhere or cannot get there. */
static gboolean stays(const struct tunnel *t)
{
    return t->current != NULL && t->purpose != PURPOSE_MOVE &&
           t->redirected_from.family == FAMILY_NONE;
}

/* FALSE past the last one. All on the usual port first: RFC 7296 2.23 allows either to begin. */
static gboolean candidate(const struct tunnel *t, gsize index, struct endpoint *out)
{
    guint16 port = (guint16)profile_get_uint(t->config.profile, "port");
    const struct gateways *gateways = candidates(t);
    gsize n = stays(t) ? 1 : gateways->n;
    gsize rounds = port == IKE_PORT ? 2 : 1;

    if (n == 0 || index >= n * rounds) {
        return FALSE;
    }
    out->addr = stays(t) ? t->current->path.remote.addr : gateways->items[index % n];
    out->port = port;
    if (rounds == 2 && (index >= n) != (t->answered_port == IKE_PORT_NATT)) {
        out->port = IKE_PORT_NATT;
    }
    return TRUE;
}

/* ---- what came to nothing ---- */

static gboolean is_silence(enum reason reason)
{
    return reason == REASON_GATEWAY_UNREACHABLE || reason == REASON_PORT_UNREACHABLE ||
           reason == REASON_UDP_BLOCKED;
}

/* What somebody said is worth more than silence, that more than an address of a family which the
 * host does not have, and the first more than what comes after it. */
static void note(struct race *race, enum reason reason, const char *detail)
{
    if (race->reason == REASON_NONE || race->unasked ||
        (race->reason == REASON_GATEWAY_UNREACHABLE && reason != REASON_GATEWAY_UNREACHABLE)) {
        race->reason = reason;
        race->unasked = FALSE;
        g_free(race->detail);
        race->detail = g_strdup(detail);
    }
}

static void note_no_route(struct race *race, const struct addr *addr)
{
    char text[ADDR_TEXT_MAX];
    char *detail;

    if (race->reason == REASON_NONE) {
        detail = g_strdup_printf(_("There is no route to %s."), addr_text(addr, text));
        note(race, REASON_GATEWAY_UNREACHABLE, detail);
        race->unasked = TRUE;
        g_free(detail);
    }
}

static void note_silence(struct race *race)
{
    char text[ADDR_TEXT_MAX];
    char *detail = g_strdup_printf(_("No answer from %s."), addr_text(&race->first, text));

    note(race, REASON_GATEWAY_UNREACHABLE, detail);
    g_free(detail);
}

/* Nobody answers IKE, but the host is there. */
static void suspect_network(struct race *race)
{
    char text[ADDR_TEXT_MAX];

    if (race->reason == REASON_GATEWAY_UNREACHABLE && reachability_answered(&race->tcp)) {
        race->reason = REASON_UDP_BLOCKED;
        g_free(race->detail);
        race->detail =
            g_strdup_printf(_("%s answers TCP, but neither UDP 500 nor 4500: this network may "
                              "block UDP, or the VPN service of that host may be down."),
                            addr_text(&race->first, text));
    }
}

/* ---- asking ---- */

/* Of the first attempt; later ones have all of it each. */
static guint64 time_left(const struct tunnel *t)
{
    guint64 now = boottime_now(), all = profile_get_uint(t->config.profile, "timeout");

    if (t->purpose != PURPOSE_CONNECT) {
        return all * G_USEC_PER_SEC;
    }
    return t->connect_by > now ? t->connect_by - now : 1;
}

static struct link **free_lane(struct tunnel *t)
{
    if (t->next == NULL) {
        return &t->next;
    }
    for (gsize i = 0; i < RIVALS_MAX; i++) {
        if (t->race.rivals[i] == NULL) {
            return &t->race.rivals[i];
        }
    }
    return NULL;
}

/* TRUE when this one is asked now. */
static gboolean ask(struct tunnel *t, const struct endpoint *gateway, struct link **lane)
{
    struct ike_config *config = &t->config.ike;

    config->timeout_us = time_left(t);
    switch (link_open(lane, &t->sockets, config, gateway,
                      t->config.path_mtu != 0 ? t->config.path_mtu : t->path_mtu)) {
    case LINK_OPENED:
        /* It is good for one IKE SA (RFC 5723 4.3.1). */
        if (config->ticket != NULL) {
            t->ticket_with = *lane;
            config->ticket = NULL;
        }
        succession_give_trust(t, *lane);
        uplinks_tell(&t->uplinks, *lane, &t->sockets);
        ike_set_gateways((*lane)->ike, candidates(t)->items, candidates(t)->n, boottime_now());
        return TRUE;
    case LINK_NO_ROUTE:
        note_no_route(&t->race, &gateway->addr);
        break;
    case LINK_CONTRADICTION:
        tunnel_end(t, REASON_PROFILE, _("The settings contradict each other."));
        break;
    case LINK_FAILED:
        tunnel_end(t, REASON_INTERNAL, "");
        break;
    }
    return FALSE;
}

/* The next one that there is a route to; NULL when there is none. */
static struct link *ask_next(struct tunnel *t)
{
    struct link **lane = free_lane(t);
    struct endpoint gateway = {0};

    t->race.next_at = IKE_NEVER;
    while (!t->ended && lane != NULL && candidate(t, t->race.asked, &gateway)) {
        t->race.asked++;
        if (ask(t, &gateway, lane)) {
            struct endpoint after;

            if (candidate(t, t->race.asked, &after)) {
                t->race.next_at = boottime_now() + NEXT_AFTER;
            }
            return *lane;
        }
    }
    return NULL;
}

/* Nobody is left. */
static void fails(struct tunnel *t)
{
    suspect_network(&t->race);
    race_stop(t);
    succession_failed(t, t->race.reason, t->race.detail, TRUE);
}

void race_start(struct tunnel *t)
{
    struct race *race = &t->race;

    race_stop(t);
    g_clear_pointer(&race->detail, g_free);
    race->reason = REASON_NONE;
    race->unasked = FALSE;
    race->asked = 0;
    if (ask_next(t) != NULL) {
        race->first = t->next->gateway;
        race->answer_by = t->purpose == PURPOSE_CONNECT ? IKE_NEVER : boottime_now() + ANSWER_TIME;
        race->tcp_at = boottime_now() + TCP_AFTER;
    } else if (!t->ended) {
        fails(t);
    }
}

void race_stop(struct tunnel *t)
{
    struct race *race = &t->race;

    for (gsize i = 0; i < RIVALS_MAX; i++) {
        succession_drop(t, g_steal_pointer(&race->rivals[i]));
    }
    reachability_end(&race->tcp);
    race->next_at = race->answer_by = race->tcp_at = IKE_NEVER;
}

/* ---- the end ---- */

void race_won(struct tunnel *t, struct link *link)
{
    struct race *race = &t->race;

    for (gsize i = 0; i < RIVALS_MAX && link != t->next; i++) {
        if (race->rivals[i] == link) {
            race->rivals[i] = t->next;
            t->next = link;
        }
    }
    if (link == t->next) {
        race_stop(t);
    }
}

/* One that answered with an error has answered too: the gateway's other addresses say the same. */
static gboolean is_refused(const struct link *link)
{
    return link != NULL && link->down && !is_silence(link->reason);
}

static gboolean settle_loser(struct tunnel *t, struct link **lane)
{
    if (*lane == NULL || !(*lane)->down) {
        return FALSE;
    }
    note(&t->race, (*lane)->reason, (*lane)->detail);
    succession_drop(t, g_steal_pointer(lane));
    return TRUE;
}

gboolean race_settle(struct tunnel *t)
{
    gboolean lost;

    for (gsize i = 0; i < RIVALS_MAX; i++) {
        if (is_refused(t->race.rivals[i])) {
            race_won(t, t->race.rivals[i]);
        }
    }
    if (t->next == NULL || t->next->answered || is_refused(t->next)) {
        return FALSE;
    }
    lost = settle_loser(t, &t->next);
    for (gsize i = 0; i < RIVALS_MAX; i++) {
        lost |= settle_loser(t, &t->race.rivals[i]);
        if (t->next == NULL) {
            t->next = g_steal_pointer(&t->race.rivals[i]);
        }
    }
    /* Nobody waits for what is known to fail. */
    if (lost) {
        (void)ask_next(t);
    }
    if (t->next == NULL && !t->ended) {
        fails(t);
    }
    return lost;
}

/* ---- time ---- */

guint64 race_deadline(const struct tunnel *t)
{
    return MIN(t->race.next_at, MIN(t->race.tcp_at, t->race.answer_by));
}

/* TRUE when there may be more to ask later. */
static gboolean ask_for_host(struct tunnel *t)
{
    struct race *race = &t->race;

    if (race->tcp.asked > 0) {
        return reachability_next(&race->tcp);
    }
    reachability_start(&race->tcp, race->first.family == FAMILY_IPV6 ? t->tcp6 : t->tcp4,
                       &race->first);
    return race->tcp.asked > 0;
}

void race_tick(struct tunnel *t)
{
    struct race *race = &t->race;
    guint64 now = boottime_now();

    if (t->next == NULL || t->next->answered) {
        return;
    }
    if (now >= race->next_at) {
        (void)ask_next(t);
    }
    if (now >= race->tcp_at) {
        race->tcp_at = ask_for_host(t) ? now + REACHABILITY_WAIT : IKE_NEVER;
        if (race->answer_by != IKE_NEVER && reachability_answered(&race->tcp)) {
            race->answer_by = MIN(race->answer_by, now + TELLING_TIME);
        }
    }
    if (now >= race->answer_by) {
        note_silence(race);
        succession_drop(t, g_steal_pointer(&t->next));
        fails(t);
    }
}
