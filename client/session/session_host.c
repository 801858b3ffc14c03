/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/session_private.h"

#include <unistd.h>

void session_record_state(struct session *session, const char *state, const char *why)
{
    g_autoptr(GError) error = NULL;
    host_record(session->host, "state", state);
    host_record(session->host, "why", why);
    if (!host_record_save(session->host, &error)) {
        g_message("%s", error->message);
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

void session_record_connected(struct session *session)
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
    session_record_state(session, "connected", "");
}

gboolean session_is_full_tunnel(const struct session *session)
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

gboolean session_apply(struct session *session, GError **error)
{
    if (g_strcmp0(profile_get(session->profile, "tunnel"), "split") == 0) {
        drop_default_routes(&session->net);
    }
    if (session->leaves_host) {
        return TRUE;
    }
    const struct host_options options = {
        .full_tunnel = session_is_full_tunnel(session),
        .block_other_family = TRUE,
        .local_network = TRUE,
        .set_dns = profile_get_bool(session->profile, "dns"),
        .fwmark = HOST_FWMARK_DEFAULT,
        .gateway = gateway_address(session),
    };
    return host_apply(session->host, &session->net, &options, error);
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void session_revert(struct session *session)
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

/* ---- the start ---- */

gboolean session_open_sockets(struct session *session, GError **error)
{
    struct worker_fds *fds = &session->fds;
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
