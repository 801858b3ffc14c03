/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/ike.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"
#include "common/log.h"
#include "ike/engine.h"

#define CLOSE_US UINT64_C(1000000)

/* ---- what to send next ---- */

/* The ladder: the first job whose time has come is done when no request is in flight. */
static const struct job {
    enum ike_state due;
    bool (*ready)(const struct ike *); /* NULL = always */
    enum exchange_type exchange;
    enum err (*build)(struct ike *, struct chain *);
    enum ike_state next;
} order[] = {
    {ST_CLOSE_TODO, NULL, X_INFORMATIONAL, informational_build_close, ST_CLOSE_SENT},
    {ST_RESUME_TODO, NULL, X_IKE_SESSION_RESUME, resume_build, ST_RESUME_SENT},
    {ST_RESUME_AUTH_TODO, NULL, X_IKE_AUTH, auth_build, ST_RESUME_AUTH_SENT},
    {ST_INIT_TODO, NULL, X_IKE_SA_INIT, init_build, ST_INIT_SENT},
    {ST_AUTH_TODO, auth_ready, X_IKE_AUTH, auth_build, ST_AUTH_SENT},
    {ST_EAP_TODO, auth_eap_ready, X_IKE_AUTH, auth_eap_build, ST_EAP_SENT},
    {ST_FINISH_TODO, NULL, X_IKE_AUTH, auth_build_finish, ST_FINISH_SENT},
};

static enum err job_do(struct ike *ike, const struct job *job)
{
    uint8_t *buffer = malloc(IKE_MESSAGE_MAX);
    struct chain chain;
    enum err err;

    if (buffer == NULL) {
        return ERR_MEMORY;
    }
    chain = chain_of(buffer, IKE_MESSAGE_MAX);
    err = job->build(ike, &chain);
    if (err == OK && ike->state == job->due) {
        err = exchange_request(&ike->sa, job->exchange, &chain, ike_room(ike), ike->now);
        if (err == OK) {
            ike->state = job->next;
            rung_request(ike, &ike->sa, false);
        }
    }
    secret_wipe(buffer, chain.w.len);
    free(buffer);
    return err;
}

void ike_run(struct ike *ike)
{
    enum err err;

    /* First, so that a failure there is told to the gateway at once. */
    tasks_run(ike);
    auth_ask_signature(ike);
    for (size_t i = 0; i < sizeof order / sizeof order[0] && !ike->sa.request.busy; i++) {
        if (order[i].due != ike->state || (order[i].ready != NULL && !order[i].ready(ike))) {
            continue;
        }
        err = job_do(ike, &order[i]);
        if (err != OK) {
            ike_close_error(ike, err, exchange_name((uint8_t)order[i].exchange));
        }
    }
}

/* ---- shared by the concerns ---- */

void ike_emit(struct ike *ike, const struct ike_event *event)
{
    if (events_push(&ike->events, event) != OK) {
        ike_close(ike, CLOSE_SILENTLY, REASON_INTERNAL, _("Memory is exhausted."));
    }
}

void ike_phase(struct ike *ike, enum ike_phase phase, const char *format, ...)
{
    char text[DETAIL_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_PHASE, .phase = phase, .text = text});
}

/* RFC 5723 6.2: a ticket lives as long as its IKE SA, unless that is merely lost. */
static bool outlives(enum reason reason)
{
    return reason == REASON_GATEWAY_LOST || reason == REASON_GATEWAY_UNREACHABLE ||
           reason == REASON_PORT_UNREACHABLE || reason == REASON_UDP_BLOCKED ||
           reason == REASON_INTERNAL;
}

void ike_close(struct ike *ike, enum close_how how, enum reason reason, const char *format, ...)
{
    struct opening *opening = &ike->opening;
    va_list args;

    if (how == CLOSE_NOT_YET) {
        opening->reason = reason;
        va_start(args, format);
        (void)vsnprintf(opening->detail, sizeof opening->detail, format, args);
        va_end(args);
        return;
    }
    if (ike->ending.reason == REASON_NONE) {
        bool said = opening->on && opening->reason != REASON_NONE && reason != REASON_USER;

        ike->ending.reason = said ? opening->reason : reason;
        ike->ending.transient = said ? opening->transient : ike->ending.transient;
        ike->ending.was_up = ike->state == ST_UP;
        va_start(args, format);
        (void)vsnprintf(ike->ending.detail, sizeof ike->ending.detail, format, args);
        va_end(args);
        if (said) {
            (void)strcpy(ike->ending.detail, opening->detail);
        }
        if (!outlives(ike->ending.reason)) {
            tickets_void(ike);
        }
    }
    if (how == CLOSE_SILENTLY) {
        ike->state = ST_DOWN;
    } else if (ike->state < ST_CLOSE_TODO) {
        ike->ending.how = how;
        ike->ending.deadline = ike->now + CLOSE_US;
        ike->state = ST_CLOSE_TODO;
    }
}

void ike_close_error(struct ike *ike, enum err err, const char *during)
{
    /* Once established, the gateway is told that it is over (RFC 7296 2.21.3). */
    enum close_how how = ike->state == ST_UP ? CLOSE_DELETE : CLOSE_SILENTLY;

    switch (err) {
    case OK:
        return;
    case ERR_SYNTAX:
    case ERR_CRITICAL:
    case ERR_INTEGRITY:
    case ERR_REPLAY:
    case ERR_UNSUPPORTED:
    case ERR_KEY:
    case ERR_STATE:
        ike_close(ike, how, REASON_PROTOCOL, _("%s: the gateway's message is malformed."), during);
        return;
    case ERR_MEMORY:
        ike_close(ike, how, REASON_INTERNAL, _("%s: memory is exhausted."), during);
        return;
    case ERR_SPACE:
        ike_close(ike, how, REASON_INTERNAL, _("%s: the message is too long."), during);
        return;
    case ERR_CRYPTO:
    case ERR_PASSWORD:
        ike_close(ike, how, REASON_INTERNAL, _("%s: the cryptographic library failed."), during);
        return;
    }
}

void ike_close_malformed(struct ike *ike, struct ike_sa *sa, const char *during)
{
    if (!others_ended(ike, sa)) {
        ike_close(ike, CLOSE_SILENTLY, REASON_PROTOCOL,
                  _("%s: the gateway's message is malformed."), during);
    }
}

/* The connection ends by what is suspected. */
static void believe(struct ike *ike)
{
    ike->ending.transient = ike->refusal.transient;
    ike_close(ike, CLOSE_SILENTLY, ike->refusal.reason, "%s", ike->refusal.detail);
}

void ike_suspect(struct ike *ike, enum reason reason, uint64_t patience, const char *format, ...)
{
    struct refusal *refusal = &ike->refusal;
    va_list args;

    if (refusal->reason == reason && ike->sa.request.tries > refusal->tries) {
        believe(ike);
        return;
    }
    /* What a message says is worth more than an ICMP error. */
    if (refusal->reason != REASON_NONE && refusal->reason != REASON_PORT_UNREACHABLE &&
        refusal->reason != REASON_UDP_BLOCKED) {
        return;
    }
    if (refusal->reason == reason) {
        return;
    }
    refusal->reason = reason;
    refusal->transient = false;
    refusal->tries = ike->sa.request.tries;
    refusal->believe_at = patience == IKE_NEVER ? IKE_NEVER : ike->now + patience;
    va_start(args, format);
    (void)vsnprintf(refusal->detail, sizeof refusal->detail, format, args);
    va_end(args);
}

size_t ike_room(const struct ike *ike)
{
    /* What the first hop carries is no promise of the path (RFC 7383 2.5.1). */
    return exchange_room(ike->config.path_mtu < PATH_MTU_SAFE ? ike->config.path_mtu
                                                              : PATH_MTU_SAFE,
                         &ike->path.remote);
}

/* ---- life ---- */

enum err ike_new(struct ike **out, const struct ike_config *config, uint64_t now)
{
    enum err err = settings_check(config);
    struct ike *ike;

    *out = NULL;
    if (err != OK) {
        return err;
    }
    ike = calloc(1, sizeof *ike);
    if (ike == NULL) {
        return ERR_MEMORY;
    }
    ike->state = ST_INIT_TODO;
    ike->sa.initiator = true;
    ike->tickets.ask_at = IKE_NEVER;
    ike->now = ike->began = ike->last_sent = now;
    ike->path = config->path;
    ike->paths.lost_at = ike->paths.settle_at = ike->paths.join_at = IKE_NEVER;
    err = settings_copy(ike, config);
    if (err == OK) {
        ike->connect_deadline = now + ike->config.timeout_us;
        err = auth_new(ike);
    }
    if (err == OK) {
        err = resume_new(ike, config->ticket);
    }
    if (err != OK) {
        ike_free(ike);
        return err;
    }
    ike_run(ike);
    *out = ike;
    return OK;
}

void ike_free(struct ike *ike)
{
    if (ike == NULL) {
        return;
    }
    events_free(&ike->events);
    init_free(&ike->init);
    auth_free(&ike->auth);
    resume_free(&ike->resume);
    ike_sa_free(&ike->sa);
    others_free(ike);
    children_free(ike);
    policies_free(ike);
    renew_reset(&ike->renew_child);
    renew_reset(&ike->renew_ike);
    secret_free(&ike->psk);
    free(ike->untrusted);
    secret_wipe(ike, sizeof *ike);
    free(ike);
}

void ike_set_trust(struct ike *ike, const struct cert_trust *trust)
{
    ike->trust = trust;
}

/* ---- in ---- */

void ike_advance(struct ike *ike, uint64_t now)
{
    ike_notice(ike, now);
    if (now > ike->now) {
        ike->now = now;
    }
}

void ike_input(struct ike *ike, const struct path *path, struct bytes datagram, uint64_t now)
{
    struct path from = *path;

    ike_advance(ike, now);
    if (ike->state == ST_DOWN) {
        return;
    }
    /* Answers leave by the interface that has the address which was written to. */
    if (from.ifindex == 0) {
        from.ifindex = pairs_interface(ike, &from.local.addr);
    }
    input_datagram(ike, &from, datagram);
    if (ike->state == ST_UP && ike->ending.wanted) {
        ike_close(ike, CLOSE_DELETE, REASON_USER, "%s", "");
    }
    ike_run(ike);
}

void ike_unreachable(struct ike *ike, const struct path *path, enum ike_icmp icmp,
                     const struct addr *reporter, uint64_t now)
{
    char gateway[ADDR_TEXT_MAX], router[ADDR_TEXT_MAX];
    bool own = addr_compare(reporter, &path->remote.addr) == 0;

    ike_advance(ike, now);
    if (!endpoint_equal(&path->remote, &ike->path.remote)) {
        return;
    }
    if (ike->state == ST_UP && own) {
        crash_hint(ike);
        ike_run(ike);
    }
    if (ike->state >= ST_UP || !ike->sa.request.busy) {
        return;
    }
    endpoint_text(&ike->path.remote, gateway);
    if (own && icmp == IKE_ICMP_PORT_UNREACHABLE) {
        ike_suspect(ike, REASON_PORT_UNREACHABLE, IKE_NEVER,
                    _("The host answers that nothing listens on UDP %s (ICMP port unreachable)."),
                    gateway);
    } else if (own) {
        ike_suspect(ike, REASON_UDP_BLOCKED, IKE_NEVER,
                    _("The gateway's own firewall refuses UDP %s (ICMP prohibited)."), gateway);
    } else {
        ike_suspect(ike, REASON_UDP_BLOCKED, IKE_NEVER,
                    _("%s, on the way to the gateway, refuses UDP %s."),
                    addr_text(reporter, router), gateway);
    }
}

void ike_sent_traffic(struct ike *ike, uint64_t at)
{
    ike_notice(ike, at);
    if (at > ike->last_sent) {
        ike->last_sent = at;
    }
    liveness_sent(ike, at);
}

void ike_provide_secret(struct ike *ike, enum eap_secret secret, struct bytes value, uint64_t now)
{
    ike_advance(ike, now);
    if (ike->state == ST_EAP_TODO && ike->auth.waiting_since != 0) {
        auth_eap_provide(ike, secret, value);
        ike_run(ike);
    }
}

void ike_disconnect(struct ike *ike, uint64_t now)
{
    ike_advance(ike, now);
    if (ike->state >= ST_CLOSE_TODO) {
        return;
    }
    if (ike->state == ST_UP) {
        ike_phase(ike, IKE_PHASE_DISCONNECTING, "%s", "");
        ike_close(ike, CLOSE_DELETE, REASON_USER, "%s", "");
    } else if (ike->state == ST_FINISH_SENT || ike->state == ST_RESUME_AUTH_SENT ||
               (ike->state == ST_AUTH_SENT && ike->config.auth != IKE_AUTH_EAP)) {
        /* The gateway may be establishing the IKE SA just now: wait for its response to delete it.
         */
        ike->ending.wanted = true;
        ike->ending.deadline = ike->now + CLOSE_US;
        ike_phase(ike, IKE_PHASE_DISCONNECTING, "%s", "");
    } else {
        ike_close(ike, CLOSE_SILENTLY, REASON_USER, "%s", "");
    }
    ike_run(ike);
}

void ike_disconnect_along(struct ike *ike, const struct path *path, uint64_t now)
{
    ike_advance(ike, now);
    if (ike->state == ST_UP) {
        ike->path.local.addr = path->local.addr;
        ike->path.ifindex = path->ifindex;
        ike->path.remote.addr = path->remote.addr;
        ike->path.remote.scope = path->remote.scope;
    }
    ike_disconnect(ike, now);
}

/* ---- time ---- */

static bool ending_runs(const struct ike *ike)
{
    return ike->ending.wanted || ike->state == ST_CLOSE_TODO || ike->state == ST_CLOSE_SENT;
}

static bool connecting(const struct ike *ike)
{
    return ike->state < ST_UP;
}

static uint64_t request_limit(const struct ike *ike)
{
    return connecting(ike) || paths_offline(ike)
               ? IKE_NEVER
               : ike->sa.request.started + ike->config.dead_after_us;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t established_deadline(const struct ike *ike)
{
    uint64_t at = earlier(others_deadline(ike), children_deadline(ike));

    at = earlier(at, paths_deadline(ike));
    /* While a request is in flight, or nothing can be sent, nothing new can be started. */
    if (!ike->sa.request.busy && !paths_offline(ike)) {
        at = earlier(at, earlier(rekey_child_deadline(ike), rekey_ike_deadline(ike)));
        at = earlier(at, earlier(liveness_deadline(ike), tickets_deadline(ike)));
    }
    at = earlier(at, reauth_deadline(ike));
    return earlier(at, ike->expires_at);
}

uint64_t ike_deadline(const struct ike *ike)
{
    uint64_t at = IKE_NEVER;

    if (ike->state == ST_DOWN) {
        return IKE_NEVER;
    }
    if (ike->slept) {
        return ike->now;
    }
    if (ending_runs(ike)) {
        at = earlier(at, ike->ending.deadline);
    }
    /* The user is not hurried: the clock stands while a secret is awaited. */
    if (connecting(ike) && ike->auth.waiting_since == 0) {
        at = earlier(at, earlier(ike->connect_deadline, resume_deadline(ike)));
        if (ike->refusal.reason != REASON_NONE) {
            at = earlier(at, ike->refusal.believe_at);
        }
    }
    if (ike->sa.request.busy && !paths_offline(ike)) {
        at = earlier(at, earlier(ike->sa.request.due, request_limit(ike)));
    }
    if (ike->state == ST_UP) {
        at = earlier(at, established_deadline(ike));
    }
    return earlier(at, keepalive_deadline(ike));
}

/* Nobody answered in time: say to what, for how long, and what is known beside. */
static void give_up(struct ike *ike)
{
    char text[ADDR_TEXT_MAX];
    unsigned seconds = (unsigned)((ike->now - ike->began) / 1000000);
    const struct request *request = &ike->sa.request;

    if (ike->refusal.reason != REASON_NONE) {
        believe(ike);
    } else if (others_ended(ike, &ike->sa)) {
        /* RFC 7296 2.8.2: it may have gone on with its own rekeying. */
        others_settle(ike);
        liveness_hint(ike);
    } else if (!connecting(ike)) {
        seconds = (unsigned)((ike->now - request->started) / 1000000);
        ike_close(ike, CLOSE_SILENTLY, REASON_GATEWAY_LOST,
                  _("No answer from %s for %u s to %u messages."),
                  endpoint_text(&ike->path.remote, text), seconds, request->tries);
    } else if (ike->state == ST_INIT_SENT) {
        ike_close(ike, CLOSE_SILENTLY, REASON_GATEWAY_UNREACHABLE,
                  _("No answer from UDP %s within %u s; IKE_SA_INIT was sent %u times."),
                  endpoint_text(&ike->path.remote, text), seconds, request->tries);
    } else if (ike->state == ST_AUTH_SENT) {
        ike_close(ike, CLOSE_SILENTLY, REASON_GATEWAY_UNREACHABLE,
                  ike->init.natd.supported
                      ? _("The gateway answered IKE_SA_INIT, but not IKE_AUTH on UDP %s within %u "
                          "s (sent %u times): large "
                          "packets or that port may be blocked on the way.")
                      : _("The gateway answered IKE_SA_INIT, but not IKE_AUTH on UDP %s within %u "
                          "s (sent %u times); it does "
                          "not announce NAT traversal, which this client needs."),
                  endpoint_text(&ike->path.remote, text), seconds, request->tries);
    } else {
        ike_close(ike, CLOSE_SILENTLY, REASON_GATEWAY_UNREACHABLE,
                  _("The gateway at UDP %s stopped answering in the middle of the authentication, "
                    "%u s after the start "
                    "(last message sent %u times)."),
                  endpoint_text(&ike->path.remote, text), seconds, request->tries);
    }
}

void ike_repeat(struct ike *ike)
{
    enum err err = exchange_repeat(&ike->sa, exchange_room(SMALL_MTU, &ike->path.remote),
                                   &ike->config.rng, ike->now);

    if (err == OK) {
        err = probe_repeated(ike);
    }
    if (err != OK) {
        ike_close_error(ike, err, exchange_name(ike->sa.request.exchange));
    }
    rung_request(ike, &ike->sa, true);
    paths_repeated(ike);
}

static void tick_request(struct ike *ike)
{
    if (!ike->sa.request.busy || paths_offline(ike)) {
        return;
    }
    if (ike->now >= request_limit(ike)) {
        give_up(ike);
    } else if (ike->now >= ike->sa.request.due) {
        ike_repeat(ike);
    }
}

void ike_tick(struct ike *ike, uint64_t now)
{
    ike_advance(ike, now);
    if (ike->slept) {
        ike_woke(ike, now);
    }
    if (ike->state == ST_DOWN) {
        return;
    }
    if (ending_runs(ike) && ike->now >= ike->ending.deadline) {
        ike_close(ike, CLOSE_SILENTLY, REASON_USER, "%s", "");
    } else if (ike->now >= resume_deadline(ike)) {
        (void)resume_fall_back(ike);
    } else if (connecting(ike) && ike->auth.waiting_since == 0 &&
               ike->refusal.reason != REASON_NONE && ike->now >= ike->refusal.believe_at) {
        believe(ike);
    } else if (connecting(ike) && ike->auth.waiting_since == 0 &&
               ike->now >= ike->connect_deadline) {
        give_up(ike);
    } else {
        tick_request(ike);
        if (ike->state == ST_UP) {
            if (paths_offline(ike)) {
                network_hold(ike);
            }
            children_tick(ike);
            others_tick(ike);
            rekey_ike_tick(ike);
            reauth_tick(ike);
            liveness_tick(ike);
            paths_tick(ike);
        }
        keepalive_tick(ike);
    }
    ike_run(ike);
}

/* ---- out ---- */

ssize_t ike_output(struct ike *ike, struct path *path, uint8_t *out, size_t cap, uint64_t now)
{
    struct bytes datagram;
    bool whole;

    ike_advance(ike, now);
    whole = probe_is_whole(ike) && !exchange_has_response(&ike->sa);
    datagram = paths_output(ike, path);
    path->whole = whole && datagram.len > 0;
    if (datagram.len == 0) {
        datagram = others_output(ike, path);
    }
    if (datagram.len > cap) {
        return 0;
    }
    if (datagram.len > 0) {
        memcpy(out, datagram.data, datagram.len);
        ike->keepalive.due = false;
    } else if (ike->keepalive.due && cap > 0) {
        /* RFC 3948 2.3 */
        ike->keepalive.due = false;
        *path = ike->path;
        out[0] = 0xff;
        datagram.len = 1;
    }
    if (datagram.len > 0) {
        ike->last_sent = ike->now;
    }
    return (ssize_t)datagram.len;
}

bool ike_next_event(struct ike *ike, struct ike_event *event)
{
    if (events_pull(&ike->events, event)) {
        return true;
    }
    if (ike->state != ST_DOWN || ike->ending.reported) {
        return false;
    }
    ike->ending.reported = true;
    *event = (struct ike_event){
        .type = IKE_EVENT_DOWN,
        .reason = ike->ending.reason,
        .retry = ending_retry(&ike->ending),
        .text = ike->ending.detail,
        .prompt = "",
        .untrusted = ike->untrusted,
    };
    return true;
}

void ike_get_summary(const struct ike *ike, struct ike_summary *out)
{
    *out = ike->summary;
}
