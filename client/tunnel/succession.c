/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/boottime.h"
#include "common/i18n.h"
#include "tunnel/tunnel_private.h"

/*
 * One IKE SA after the other. Traffic has one of them, `current`; `next` is being made, for the
 * reason in `purpose`; those in `leaving` have had their time and only take in what is under way.
 * While there is a current one its successor is made beside it (make before break) and may fail
 * without harm.
 */

/* What a gateway sent along an SA before it learned of its end may still be under way. */
#define LINGER_TIME (5 * G_USEC_PER_SEC)
/* What is answered behind a gateway comes back by that one, as long as it has the SA. */
#define ANSWERS_TIME (G_USEC_PER_SEC / 2)

static guint32 random_number(const struct tunnel *t)
{
    guint32 number = 0;

    return rng_fill(&t->config.ike.rng, (uint8_t *)&number, sizeof number) == OK ? number : 0;
}

/* ---- what the session hears ---- */

static const char *purpose_phase(enum purpose purpose)
{
    switch (purpose) {
    case PURPOSE_REAUTH:
        return "reauthenticating";
    case PURPOSE_REDIRECT:
        return "redirected";
    case PURPOSE_MOVE:
        return "moving";
    case PURPOSE_RECONNECT:
        return "reconnecting";
    case PURPOSE_NONE:
    case PURPOSE_CONNECT:
        break;
    }
    return NULL;
}

static void say(struct tunnel *t, const char *text)
{
    const char *phase = purpose_phase(t->purpose);

    if (phase != NULL) {
        t->ops->phase(t->context, phase, text, boottime_now());
    }
}

/* Why the last one came to nothing and when the next one comes. */
static void say_failure(struct tunnel *t, enum reason reason, const char *detail, guint64 delay)
{
    const char *sentence = _(reason_sentence(reason));
    char *explained = uplinks_explain(&t->uplinks, reason, detail);
    char *text =
        *explained != '\0' ? g_strdup_printf("%s %s", sentence, explained) : g_strdup(sentence);

    t->ops->failed(t->context, reason, explained);
    g_free(explained);
    if (delay != IKE_NEVER && delay > 0) {
        char *when =
            g_strdup_printf(_("%s Next attempt in %.0f s."), text, (double)delay / G_USEC_PER_SEC);

        g_free(text);
        text = when;
    }
    say(t, text);
    g_free(text);
}

/* ---- links that go ---- */

void succession_drop(struct tunnel *t, struct link *link)
{
    for (gsize i = 0; link != NULL && i < LINK_CHILDREN_MAX; i++) {
        if (link->children[i] != 0) {
            (void)traffic_remove(&t->traffic, link->children[i]);
        }
    }
    if (t->ticket_of == link) {
        t->ticket_of = NULL;
    }
    if (t->ticket_with == link) {
        t->ticket_with = NULL;
    }
    link_free(link);
}

static void close_now(struct link *link)
{
    link->close_at = 0;
    ike_disconnect(link->ike, boottime_now());
}

static void leave(struct tunnel *t, struct link *link)
{
    gsize slot = 0;

    /* The oldest makes room. */
    while (slot < LEAVING_MAX && t->leaving[slot] != NULL) {
        slot++;
    }
    if (slot == LEAVING_MAX) {
        if (t->leaving[0]->close_at != 0) {
            close_now(t->leaving[0]);
            link_send(t->leaving[0], &t->sockets, t->buffer);
        }
        succession_drop(t, t->leaving[0]);
        slot--;
        memmove(&t->leaving[0], &t->leaving[1], slot * sizeof t->leaving[0]);
    }
    for (gsize i = 0; i < LINK_CHILDREN_MAX; i++) {
        if (link->children[i] != 0 && !traffic_remove_out(&t->traffic, link->children[i])) {
            tunnel_end(t, REASON_INTERNAL, "");
        }
    }
    link->until = boottime_now() + LINGER_TIME;
    t->leaving[slot] = link;
}

/* Only now: its successor may have more than one Child SA. */
static gboolean settle_replaced(struct tunnel *t)
{
    struct link *link = g_steal_pointer(&t->replaced);

    if (link != NULL) {
        leave(t, link);
        if (addr_compare(&link->gateway, &t->current->gateway) == 0) {
            close_now(link);
        } else {
            link->close_at = boottime_now() + ANSWERS_TIME;
        }
    }
    traffic_commit(&t->traffic);
    return link != NULL;
}

static gboolean settle_leaving(struct tunnel *t)
{
    gboolean changed = FALSE;

    for (gsize i = 0; i < LEAVING_MAX; i++) {
        struct link *link = t->leaving[i];

        if (link == NULL) {
            continue;
        }
        if (link->down && link->ike != NULL) {
            link->close_at = 0;
            ike_free(g_steal_pointer(&link->ike));
        }
        if (link->close_at != 0 && (t->disconnecting || boottime_now() >= link->close_at)) {
            close_now(link);
            changed = TRUE;
        }
        if (link->ike == NULL && boottime_now() >= link->until) {
            succession_drop(t, g_steal_pointer(&t->leaving[i]));
        }
    }
    return changed;
}

/* ---- an attempt ---- */

static gboolean needs_system_trust(const struct tunnel *t)
{
    return t->config.trust == NULL && t->config.ike.gateway_fingerprint.len == 0 &&
           t->config.ike.auth != IKE_AUTH_PSK && t->system_trust == NULL;
}

/* Without it every certificate is untrusted, which is said. */
static void load_system_trust(struct tunnel *t)
{
    size_t n;
    enum err err;

    if (!needs_system_trust(t)) {
        return;
    }
    if (t->bundle != NULL) {
        err = cert_trust_from_data(&t->system_trust, bytes_of(t->bundle, t->bundle_len), &n);
    } else {
        err = cert_trust_system(&t->system_trust, &n);
    }
    if (err != OK) {
        t->system_trust = NULL;
    }
    free(g_steal_pointer(&t->bundle));
}

void succession_read_trust(struct tunnel *t)
{
    if (needs_system_trust(t) && cert_trust_bundle(&t->bundle, &t->bundle_len) != OK) {
        t->bundle = NULL;
        load_system_trust(t);
    }
}

/* The first request is on its way: the store is read while the gateway computes. */
void succession_give_trust(struct tunnel *t, struct link *link)
{
    if (t->system_trust == NULL) {
        link_send(link, &t->sockets, t->buffer);
        load_system_trust(t);
    }
    if (t->config.trust != NULL || t->system_trust != NULL) {
        ike_set_trust(link->ike, t->config.trust != NULL ? t->config.trust : t->system_trust);
    }
}

static gboolean resumes(const struct tunnel *t)
{
    return t->ticket.opaque.len > 0 &&
           (t->purpose == PURPOSE_RECONNECT || t->purpose == PURPOSE_MOVE);
}

/*
 * RFC 7296 2.4: INITIAL_CONTACT is not for credentials that a user has on several devices, which
 * would end each other's connections; names with passwords and shared keys are such, certificates
 * rarely. But an IKE SA of ours that the gateway does not know to be lost keeps our internal
 * address from us. One that is told by the gateway that it is over may have had to make room for
 * another device, and must not do the same to that.
 */
static gboolean contacts_initially(const struct tunnel *t)
{
    if (t->current != NULL && t->purpose != PURPOSE_MOVE) {
        return FALSE; /* what is being replaced still carries the traffic */
    }
    return t->left_behind || t->current != NULL || t->config.ike.auth == IKE_AUTH_CERTIFICATE;
}

static void fill_config(struct tunnel *t)
{
    struct ike_config *config = &t->config.ike;

    config->trace = t->trace;
    config->initial_contact = contacts_initially(t);
    config->redirected_from = addr_bytes(&t->redirected_from);
    /* It spares the authentication, which is what a successor is for that was asked to repeat it.
     */
    config->ticket = resumes(t) ? &t->ticket : NULL;
    config->want_ipv4 = config->want_ipv6 = (struct addr){0};
    for (size_t i = 0; i < t->net.n_addresses; i++) {
        const struct addr *addr = &t->net.addresses[i].addr;
        struct addr *want = addr->family == FAMILY_IPV6 ? &config->want_ipv6 : &config->want_ipv4;

        if (want->family == FAMILY_NONE) {
            *want = *addr;
        }
    }
    typed_apply(t);
}

static void begin(struct tunnel *t)
{
    t->next_at = IKE_NEVER;
    if (t->redirected_from.family != FAMILY_NONE && t->redirected.n == 0) {
        tunnel_look_up_redirect(t, t->redirected_to);
        return;
    }
    fill_config(t);
    race_start(t);
}

/* Another one is to be made beside the one in use, at once. */
static void want(struct tunnel *t, enum purpose purpose, const char *why)
{
    /* What is being made for another reason does for this one. */
    if (t->purpose != PURPOSE_NONE || t->disconnecting) {
        return;
    }
    t->purpose = purpose;
    t->next_at = boottime_now();
    retry_was_up(&t->retry, boottime_now() - t->current->up_since);
    say(t, why);
}

void succession_start(struct tunnel *t)
{
    t->purpose = t->was_up ? PURPOSE_RECONNECT : PURPOSE_CONNECT;
    if (gateways_prefer(&t->known, &t->ask_first.addr)) {
        t->answered_port = t->ask_first.port;
    }
    t->connect_by =
        boottime_now() + profile_get_uint(t->config.profile, "timeout") * G_USEC_PER_SEC;
    loop_start(t);
    begin(t);
    loop_run(t);
}

/* ---- an attempt succeeds ---- */

void succession_answered(struct tunnel *t, struct link *link)
{
    race_won(t, link);
    if (link != t->next || t->purpose != PURPOSE_MOVE || t->current == NULL) {
        return;
    }
    if (link_can_move(t->current)) {
        /* It may be heard again as well, and be moved sooner than a successor is made. */
        ike_network_changed(t->current->ike, boottime_now());
    } else {
        const struct path path = {
            .local = link->path.local, .remote = link->path.remote, .ifindex = link->path.ifindex};

        /* No ESP can go on in it, and only its end sets our internal address free, for the
         * successor to be given it again. */
        ike_disconnect_along(t->current->ike, &path, boottime_now());
    }
}

void succession_take_over(struct tunnel *t, struct link *link)
{
    struct link *before = t->current;

    t->current = link;
    t->next = NULL;
    link->up_since = boottime_now();
    gateways_worked(&t->known, &link->gateway);
    t->redirected_from = (struct addr){0};
    t->purpose = PURPOSE_NONE;
    t->answered_port = link->port;
    t->next_at = IKE_NEVER;
    t->doomed = REASON_NONE;
    t->stale = FALSE;
    t->left_behind = FALSE;
    t->was_up = TRUE;
    t->replaced = before;
}

/* ---- an attempt fails ---- */

/* The one in use stays, to its end. When the authentication could not be repeated, this is why. */
static void give_up_successor(struct tunnel *t, enum reason reason, const char *detail)
{
    say_failure(t, reason, detail, IKE_NEVER);
    if (t->purpose == PURPOSE_REAUTH) {
        t->stale = FALSE;
        t->doomed = reason;
        g_free(t->doomed_detail);
        t->doomed_detail = g_strdup(detail);
    }
    t->purpose = PURPOSE_NONE;
    t->next_at = IKE_NEVER;
    t->redirected_from = (struct addr){0};
}

static gboolean reconnects(const struct tunnel *t)
{
    return profile_get_bool(t->config.profile, "reconnect");
}

static void try_again(struct tunnel *t, enum reason reason, const char *detail)
{
    guint64 delay = retry_delay(&t->retry, random_number(t));

    if (t->current == NULL) {
        /* Whoever sent us there may send us elsewhere; and the name may stand for something else by
         * now. */
        t->redirected_from = (struct addr){0};
        tunnel_look_up(t);
    }
    t->next_at = boottime_now() + delay;
    say_failure(t, reason, detail, delay);
}

void succession_failed(struct tunnel *t, enum reason reason, const char *detail,
                       gboolean engine_retry)
{
    if (t->disconnecting) {
        return;
    }
    if (t->purpose == PURPOSE_CONNECT) {
        tunnel_end(t, reason, detail);
    } else if (reason == REASON_AUTH_FAILED && typed_forget(t)) {
        /* It is asked for once more. */
        say_failure(t, reason, detail, IKE_NEVER);
        t->next_at = boottime_now();
    } else if (retry_after_failure(reason, engine_retry) && (t->current != NULL || reconnects(t))) {
        try_again(t, reason, detail);
    } else if (t->current != NULL) {
        give_up_successor(t, reason, detail);
    } else {
        tunnel_end(t, reason, detail);
    }
}

static void redirected_too_often(struct tunnel *t)
{
    char *detail = g_strdup_printf(_("That happened more than %d times within %d s: gateways may "
                                     "be sending it in a circle."),
                                   REDIRECTS_MAX, (int)(REDIRECTS_PERIOD / G_USEC_PER_SEC));

    succession_failed(t, REASON_REDIRECTED, detail, FALSE);
    g_free(detail);
}

static gboolean settle_next(struct tunnel *t)
{
    struct link *link = t->next;

    if (link == NULL || !link->down) {
        return FALSE;
    }
    t->next = NULL;
    if (doubt_begin(t, link)) {
        /* Somebody is asked. */
    } else if (link->reason != REASON_REDIRECTED) {
        succession_failed(t, link->reason, link->detail, link->retry);
    } else if (t->redirected_from.family == FAMILY_NONE) {
        redirected_too_often(t);
    }
    succession_drop(t, link);
    return TRUE;
}

static void abandon_next(struct tunnel *t)
{
    race_stop(t);
    succession_drop(t, g_steal_pointer(&t->next));
}

/* ---- the one in use is lost ---- */

/* TUN, routes and DNS stay as they are: what would leave beside the tunnel waits for the next one.
 */
static void reconnect(struct tunnel *t, enum reason reason, const char *detail)
{
    gboolean making = t->next != NULL;

    t->purpose = PURPOSE_RECONNECT;
    if (!making) {
        guint64 delay = retry_delay(&t->retry, random_number(t));

        t->next_at = boottime_now() + delay;
        say_failure(t, reason, detail, delay);
    }
}

static gboolean settle_current(struct tunnel *t)
{
    struct link *link = t->current;
    guint64 up;

    if (link == NULL || !link->down) {
        return FALSE;
    }
    t->current = NULL;
    t->left_behind = link->reason != REASON_GATEWAY_CLOSED;
    up = boottime_now() - link->up_since;
    leave(t, link);
    retry_was_up(&t->retry, up);
    if (t->disconnecting) {
        return TRUE;
    }
    /* Also after a successor was refused: gateways that allow a user one IKE SA, or have one
     * address for each, may want the old one to go first. */
    if (t->next != NULL || (reconnects(t) && retry_after_loss(link->reason, link->retry, up))) {
        reconnect(t, link->reason, link->detail);
    } else if (t->doomed != REASON_NONE && link->reason == REASON_GATEWAY_CLOSED) {
        tunnel_end(t, t->doomed, t->doomed_detail);
    } else {
        tunnel_end(t, link->reason, link->detail);
    }
    return TRUE;
}

/* ---- redirection ---- */

/*
 * RFC 5685 3: the gateway that we are sent to must be one that the same entry of the PAD allows,
 * whatever the state in which we are sent there. So remote_id stays what the user configured (or
 * typed as the gateway): a redirection changes where we ask, never whom we trust. Were the new name
 * enough, anybody on the way could answer IKE_SA_INIT with the name of a host of his own, with a
 * certificate that is quite in order, and be given the password.
 */
static void go_to(struct tunnel *t, const struct addr *from, const char *to)
{
    struct addr addr;

    t->redirected_from = *from;
    t->redirected.n = 0;
    g_free(t->redirected_to);
    t->redirected_to = g_strdup(to);
    t->next_at = IKE_NEVER;
    if (addr_parse(&addr, to)) {
        succession_found(t, TRUE, &addr, 1, NULL);
    } else {
        tunnel_look_up_redirect(t, to);
    }
}

void succession_redirect(struct tunnel *t, struct link *link, const char *to)
{
    gboolean in_use = link == t->current;

    if (!in_use) {
        race_won(t, link);
    }
    if ((!in_use && link != t->next) || t->disconnecting) {
        return;
    }
    if (!in_use) {
        t->redirected_from = (struct addr){0};
    }
    t->ops->phase(t->context, "redirected", to, boottime_now());
    if (!redirects_allow(&t->redirects, boottime_now())) {
        /* Of one that is being made the end follows, for this reason. */
        return;
    }
    if (in_use) {
        abandon_next(t);
        retry_was_up(&t->retry, boottime_now() - link->up_since);
        t->purpose = PURPOSE_REDIRECT;
    }
    go_to(t, &link->gateway, to);
}

void succession_found(struct tunnel *t, gboolean redirect, const struct addr *found, gsize n,
                      const char *error)
{
    struct addr usable[GATEWAYS_MAX];
    gsize kept = 0;

    for (gsize i = 0; i < n && kept < GATEWAYS_MAX; i++) {
        /* A name that we are sent to may stand for this host, or for all of a network. */
        if (!redirect || addr_is_assignable(&found[i])) {
            usable[kept++] = found[i];
        }
    }
    if (!redirect) {
        if (kept > 0) {
            gateways_set(&t->known, usable, kept);
        }
        return;
    }
    if (kept == 0) {
        succession_failed(t, REASON_RESOLVE, error != NULL ? error : "", TRUE);
        return;
    }
    gateways_set(&t->redirected, usable, kept);
    t->next_at = boottime_now();
}

/* ---- the network ---- */

void succession_path_lost(struct tunnel *t, struct link *link, const char *why)
{
    if (link == t->current) {
        want(t, PURPOSE_MOVE, why);
    }
}

/* The one in use goes on after all. */
void succession_path_found(struct tunnel *t, struct link *link)
{
    if (link == t->current && t->purpose == PURPOSE_MOVE && (t->next == NULL || !t->next->late)) {
        abandon_next(t);
        t->purpose = PURPOSE_NONE;
        t->next_at = IKE_NEVER;
    }
}

void succession_network_changed(struct tunnel *t)
{
    /* The one that begins now is the one at once. */
    t->retry.failures = MIN(t->retry.failures, 1);
    /* One that has an answer goes on from another address, as long as there is one. */
    if (t->next != NULL &&
        (!t->next->answered || uplinks_strand(&t->uplinks, t->next, &t->sockets))) {
        abandon_next(t);
    }
    if (t->next != NULL) {
        uplinks_tell(&t->uplinks, t->next, &t->sockets);
    }
    if (t->current != NULL) {
        uplinks_tell(&t->uplinks, t->current, &t->sockets);
    }
    if (t->purpose != PURPOSE_NONE && t->next == NULL && !t->resolving_redirect &&
        t->doubt.facts == NULL) {
        if (t->redirected_from.family == FAMILY_NONE) {
            tunnel_look_up(t);
        }
        t->next_at = boottime_now();
    }
}

/* ---- time ---- */

static gboolean due(const struct tunnel *t)
{
    return t->purpose != PURPOSE_NONE && t->next == NULL && !t->disconnecting &&
           boottime_now() >= t->next_at;
}

guint64 succession_deadline(const struct tunnel *t)
{
    guint64 at = t->next != NULL ? race_deadline(t) : t->next_at;

    for (gsize i = 0; i < LEAVING_MAX; i++) {
        const struct link *link = t->leaving[i];

        if (link != NULL && (link->ike == NULL || link->close_at != 0)) {
            at = MIN(at, link->ike == NULL ? link->until : link->close_at);
        }
    }
    return at;
}

gboolean succession_settle(struct tunnel *t)
{
    gboolean changed = settle_replaced(t) | race_settle(t);

    changed |= !t->ended && settle_next(t);
    changed |= !t->ended && settle_current(t);
    changed |= !t->ended && settle_leaving(t);
    if (!t->ended && t->disconnecting && t->current == NULL && t->next == NULL) {
        tunnel_end(t, REASON_USER, "");
    }
    if (!t->ended && t->stale && t->current != NULL) {
        want(t, PURPOSE_REAUTH, "");
    }
    if (!t->ended && due(t)) {
        begin(t);
        changed = TRUE;
    }
    return changed;
}
