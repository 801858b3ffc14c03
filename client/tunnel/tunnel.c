/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/tunnel.h"

#include <gnutls/gnutls.h>

#include "common/boottime.h"
#include "common/i18n.h"
#include "tunnel/tunnel_private.h"

void tunnel_end(struct tunnel *t, enum reason reason, const char *detail)
{
    char *explained;

    if (t->ended) {
        return;
    }
    t->ended = TRUE;
    g_clear_pointer(&t->resolving, resolve_free);
    token_key_free(t);
    loop_stop(t);
    traffic_stop(&t->traffic);
    explained = uplinks_explain(&t->uplinks, reason, detail);
    t->ops->down(t->context, reason, explained);
    g_free(explained);
}

/* ---- names ---- */

/* The name is looked up while the profile is turned into what the engine takes. */
static void start_when_ready(struct tunnel *t)
{
    if (t->known.n > 0 && t->configured) {
        succession_start(t);
        traffic_prepare(&t->traffic); /* while the gateway has something to do */
    }
}

static void on_resolved(void *context, const struct addr *found, gsize n, const char *error)
{
    struct tunnel *t = context;
    gboolean redirect = t->resolving_redirect, first = t->purpose == PURPOSE_NONE && !t->was_up;

    g_clear_pointer(&t->resolving, resolve_free);
    t->resolving_redirect = FALSE;
    if (first && n == 0) {
        tunnel_end(t, REASON_RESOLVE, error);
        return;
    }
    succession_found(t, redirect, found, n, error);
    if (first) {
        start_when_ready(t);
    } else {
        loop_run(t);
    }
}

void tunnel_look_up(struct tunnel *t)
{
    const char *gateway = profile_get(t->config.profile, "gateway");
    struct addr addr;

    if (addr_parse(&addr, gateway)) {
        gateways_set(&t->known, &addr, 1);
    } else if (t->resolving == NULL) {
        t->resolving = resolve_start(t->scout, gateway, on_resolved, t);
    }
}

void tunnel_look_up_redirect(struct tunnel *t, const char *name)
{
    resolve_free(t->resolving);
    t->resolving_redirect = TRUE;
    t->resolving = resolve_start(t->scout, name, on_resolved, t);
}

/* ---- start ---- */

void tunnel_configure(struct tunnel *t)
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
    case WORKER_CONFIG_NEEDS_TOKEN:
        token_key_open(t);
        break;
    case WORKER_CONFIG_FAILED:
        tunnel_end(t, reason, detail);
        break;
    }
}

static void use_descriptors(struct tunnel *t, const struct tunnel_fds *fds)
{
    t->sockets = (struct ike_sockets){
        .fd4 = fds->udp4,
        .fd6 = fds->udp6,
        .lookup4 = fds->lookup4,
        .lookup6 = fds->lookup6,
        .inner = &t->net,
    };
    t->traffic = (struct traffic){.sockets = &t->sockets, .tun_fd = fds->tun};
    t->token = fds->token;
    t->tcp4 = fds->tcp4;
    t->tcp6 = fds->tcp6;
}

struct tunnel *tunnel_new(int scout, const struct tunnel_ops *ops, void *context)
{
    static const struct tunnel_fds none = {-1, -1, -1, -1, -1, -1, -1, -1};
    struct tunnel *t = g_new0(struct tunnel, 1);

    use_descriptors(t, &none);
    t->scout = scout;
    t->race.tcp.fd = -1;
    t->next_at = IKE_NEVER;
    t->ops = ops;
    t->context = context;
    return t;
}

void tunnel_free(struct tunnel *t)
{
    if (t == NULL) {
        return;
    }
    resolve_free(t->resolving);
    token_key_free(t);
    doubt_end(t);
    loop_stop(t);
    traffic_stop(&t->traffic);
    link_free(t->current);
    link_free(t->next);
    link_free(t->replaced);
    race_stop(t);
    g_free(t->race.detail);
    for (gsize i = 0; i < LEAVING_MAX; i++) {
        link_free(t->leaving[i]);
    }
    cert_trust_free(t->system_trust);
    free(t->bundle);
    worker_config_clear(&t->config);
    ike_ticket_free(&t->ticket);
    secret_free(&t->typed.password);
    g_free(t->typed.user);
    g_free(t->redirected_to);
    g_free(t->doomed_detail);
    secret_wipe(t->buffer, sizeof t->buffer);
    g_free(t);
}

static void start_library(struct tunnel *t)
{
    t->prepared = t->prepared || gnutls_global_init() == GNUTLS_E_SUCCESS;
}

void tunnel_prepare(struct tunnel *t)
{
    /* Should it fail, it fails again when it is needed, and that is told. */
    start_library(t);
    traffic_prepare(&t->traffic);
}

void tunnel_connect(struct tunnel *t, struct profile *profile, const struct tunnel_fds *fds,
                    const struct tunnel_options *options)
{
    t->config.profile = profile;
    use_descriptors(t, fds);
    t->trace = options->trace;
    t->traffic.vnet_hdr = options->vnet_hdr;
    t->path_mtu = options->path_mtu;
    t->ask_first = options->ask_first;
    if (options->kept != NULL) {
        kept_restore(t, options->kept);
    }
    /* The name service may be behind the tunnel that is down. */
    if (t->known.n == 0) {
        tunnel_look_up(t);
    }
    if (t->resolving != NULL) {
        t->ops->phase(t->context, "resolve", profile_get(profile, "gateway"), boottime_now());
    }
    /* While the name is looked up. */
    start_library(t);
    if (!t->prepared) {
        tunnel_end(t, REASON_INTERNAL, _("GnuTLS cannot be started."));
        return;
    }
    tunnel_configure(t);
    if (!t->ended) {
        succession_read_trust(t);
    }
}

/* ---- what the session asks ---- */

void tunnel_provide_secret(struct tunnel *t, const char *id, struct bytes value)
{
    GError *error = NULL;

    if (t->ended || token_key_provide(t, value)) {
        return;
    }
    if (t->doubt.facts != NULL) {
        doubt_answer(t, value);
        return;
    }
    if (t->configured) {
        typed_provide(t, g_str_equal(id, "user") ? EAP_SECRET_USER : EAP_SECRET_PASSWORD, value);
        loop_run(t);
        return;
    }
    if (value.len == 0) {
        tunnel_end(t, REASON_SECRET_MISSING, "");
    } else if (!profile_set_bytes(t->config.profile, id, value, &error)) {
        tunnel_end(t, REASON_PROFILE, error->message);
        g_error_free(error);
    } else {
        tunnel_configure(t);
    }
}

/* What is waited for is tried at once. */
static void network_changed(struct tunnel *t)
{
    if (!t->ended && !t->disconnecting && (t->was_up || t->purpose != PURPOSE_NONE)) {
        succession_network_changed(t);
        loop_run(t);
    }
}

void tunnel_network(struct tunnel *t, const struct network *network)
{
    if (uplinks_set(&t->uplinks, network) && !t->uplinks.asleep) {
        network_changed(t);
    }
}

void tunnel_sleep(struct tunnel *t)
{
    t->uplinks.asleep = TRUE;
}

void tunnel_wake(struct tunnel *t)
{
    t->uplinks.asleep = FALSE;
    if (!t->ended && t->current != NULL) {
        ike_woke(t->current->ike, boottime_now());
    }
    network_changed(t);
}

void tunnel_disconnect(struct tunnel *t)
{
    if (t->ended) {
        return;
    }
    t->disconnecting = TRUE;
    race_stop(t);
    if (t->current != NULL) {
        ike_disconnect(t->current->ike, boottime_now());
    }
    if (t->next != NULL) {
        ike_disconnect(t->next->ike, boottime_now());
    }
    loop_run(t);
}
