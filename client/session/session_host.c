/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/session_private.h"

#include <net/if.h>
#include <unistd.h>

#include "common/i18n.h"
#include "common/net_config_variant.h"
#include "host/apps.h"

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

static void record_facts(struct session *session)
{
    static const char *const kept[] = {"gateway", "gateway-id", "asked"};
    g_autoptr(GString) addresses = g_string_new(NULL), servers = g_string_new(NULL);
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < session->net.n_addresses; i++) {
        g_string_append_printf(addresses, "%s%s", i ? " " : "",
                               addr_text(&session->net.addresses[i].addr, text));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        const char *value = g_hash_table_lookup(session->summary, kept[i]);
        host_record(session->host, kept[i], value ? value : "");
    }
    for (size_t i = 0; i < session->net.n_dns; i++) {
        g_string_append_printf(servers, "%s%s", i ? " " : "",
                               addr_text(&session->net.dns[i], text));
    }
    host_record(session->host, "profile-gateway", profile_get(session->profile, "gateway"));
    host_record(session->host, "addresses", addresses->str);
    host_record(session->host, "dns-servers", servers->str);
}

void session_record_connected(struct session *session)
{
    record_facts(session);
    session_record_state(session, "connected", "");
}

/* All traffic goes through the tunnel: the profile asks for it and the gateway grants it. */
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

/* Name servers that the tunnel can carry, but that are in none of the networks that go through it,
 * get routes of their own. */
static void carry_name_servers(struct net_config *net, const struct net_config *granted)
{
    for (size_t i = 0; i < net->n_dns && net->n_routes < NET_ROUTES_MAX; i++) {
        const struct addr *server = &net->dns[i];
        if (net_config_carries(granted, server) && !net_config_carries(net, server)) {
            net->routes[net->n_routes++] = (struct prefix){*server, addr_bits(server->family)};
        }
    }
}

/* The profile's own servers and domains, instead of the gateway's. */
static void take_own_dns(const struct profile *profile, struct net_config *net)
{
    g_auto(GStrv) servers = profile_get_list(profile, "dns-servers");
    g_auto(GStrv) domains = profile_get_list(profile, "dns-domains");
    net->n_dns = *servers ? 0 : net->n_dns;
    for (char **server = servers; *server && net->n_dns < NET_DNS_MAX; server++) {
        net->n_dns += addr_parse(&net->dns[net->n_dns], *server) ? 1 : 0;
    }
    net->n_domains = *domains ? 0 : net->n_domains;
    for (char **domain = domains; *domain && net->n_domains < NET_DOMAINS_MAX; domain++) {
        g_strlcpy(net->domains[net->n_domains++], *domain, NET_DOMAIN_LEN);
    }
}

static enum host_dns dns_of(const struct profile *profile)
{
    const char *choice = profile_get(profile, "dns");
    return g_str_equal(choice, "all")       ? HOST_DNS_ALL
           : g_str_equal(choice, "domains") ? HOST_DNS_DOMAINS
           : g_str_equal(choice, "off")     ? HOST_DNS_OFF
                                            : HOST_DNS_AUTO;
}

/* The routes that the profile names, in place of the gateway's. */
static void take_own_routes(struct net_config *net, char *const *prefixes)
{
    net->n_routes = 0;
    for (; *prefixes && net->n_routes < NET_ROUTES_MAX; prefixes++) {
        net->n_routes += prefix_parse(&net->routes[net->n_routes], *prefixes, false);
    }
}

static enum host_kill_switch kill_switch_of(const struct profile *profile)
{
    const char *level = profile_get(profile, "kill-switch");
    return g_str_equal(level, "always")      ? HOST_KILL_SWITCH_ALWAYS
           : g_str_equal(level, "connected") ? HOST_KILL_SWITCH_CONNECTED
                                             : HOST_KILL_SWITCH_OFF;
}

static enum host_apps apps_of(const struct profile *profile)
{
    return profile_is_set(profile, "include-apps")   ? HOST_APPS_ONLY
           : profile_is_set(profile, "exclude-apps") ? HOST_APPS_EXCEPT
                                                     : HOST_APPS_ALL;
}

/* What does not depend on what the gateway grants. */
static struct host_options options_of(const struct profile *profile)
{
    struct host_options options = {
        .block_other_family = profile_get_bool(profile, "block-other-family"),
        .local_network = profile_get_bool(profile, "local-network"),
        .own_routes = profile_is_set(profile, "include"),
        .kill_switch = kill_switch_of(profile),
        .hold_everything = g_str_equal(profile_get(profile, "tunnel"), "full"),
        .dns = dns_of(profile),
        .own_domains = profile_is_set(profile, "dns-domains"),
        .apps = apps_of(profile),
        .fwmark = HOST_FWMARK_DEFAULT,
    };
    g_auto(GStrv) excluded = profile_get_list(profile, "exclude");
    for (char **text = excluded; *text && options.n_excluded < HOST_EXCLUDED_MAX; text++) {
        options.n_excluded += prefix_parse(&options.excluded[options.n_excluded], *text, false);
    }
    return options;
}

gboolean session_apply(struct session *session, GError **error)
{
    const struct profile *profile = session->profile;
    struct host_options options = options_of(profile);
    take_own_dns(profile, &session->net);
    const struct net_config granted = session->net;
    if (!options.hold_everything) {
        drop_default_routes(&session->net);
    }
    if (session->net.n_joined > 0) {
        g_message(_("The gateway names more than %d networks: some go through the tunnel together "
                    "with what is between them."),
                  NET_ROUTES_MAX);
    }
    if (options.own_routes) {
        g_auto(GStrv) prefixes = profile_get_list(profile, "include");
        take_own_routes(&session->net, prefixes);
    }
    carry_name_servers(&session->net, &granted);
    g_auto(GStrv) apps =
        profile_get_list(profile, options.apps == HOST_APPS_ONLY ? "include-apps" : "exclude-apps");
    options.app_names = (const char *const *)apps;
    options.app_owner = session->owner;
    options.full_tunnel = is_full_tunnel(session);
    options.gateway = gateway_address(session);
    if (session->leaves_host) {
        return host_apply_beside(session->host, &session->net, &options, error);
    }
    return host_apply(session->host, &session->net, &options, error);
}

gboolean session_add_app(struct session *session, int pidfd, uid_t uid, gboolean inside,
                         GError **error)
{
    if (session->leaves_host || !session->host) {
        g_set_error_literal(error, HOST_ERROR, HOST_ERROR_CONFIG,
                            session->leaves_host
                                ? _("Another program sets the routes of this connection.")
                                : _("Nothing is connected yet."));
        return FALSE;
    }
    g_autofree char *group = apps_group_of(pidfd, uid, error);
    return group && host_add_app(session->host, group, inside, error);
}

const char *session_apps_missing(void)
{
    return apps_missing();
}

gboolean session_hold(const struct session *session, GError **error)
{
    const struct host_options options = options_of(session->profile);
    gboolean wanted = options.kill_switch == HOST_KILL_SWITCH_ALWAYS && !host_is_held();
    return (!wanted || host_hold(&options, error)) && host_let_resolvers_ask(error);
}

/* ---- what is told of it ---- */

static void announce(struct session *session)
{
    const struct session_info info = {
        .name = session->name,
        .interface = session->interface,
        .net = &session->net,
        .summary = session->summary,
        .dns_method = session->leaves_host ? "" : host_dns_method(session->host),
        .dns_answers = session->dns_answers,
        .full_tunnel = is_full_tunnel(session),
        .again = session->announced,
    };
    session->announcing = FALSE;
    session->announced = TRUE;
    if (session->ops->connected) {
        session->ops->connected(session->context, &info);
    }
}

void session_announce(struct session *session)
{
    session->announcing = TRUE;
    session_dns_changed(session);
}

/* TRUE when there is something new to tell. */
static gboolean take_dns_answers(struct session *session)
{
    const char *answers = host_dns_answers(session->host);
    gboolean same = g_strcmp0(answers, session->dns_answers) == 0;
    if (!same) {
        g_free(session->dns_answers);
        session->dns_answers = g_strdup(answers);
    }
    return !same && *answers;
}

void session_dns_changed(void *context)
{
    struct session *session = context;
    g_autoptr(GError) error = NULL;
    if (session->state != UP || host_dns_pending(session->host)) {
        return;
    }
    gboolean answered = take_dns_answers(session);
    host_record(session->host, "dns", host_dns_method(session->host));
    host_record(session->host, "dns-answers", host_dns_answers(session->host));
    if (!host_record_save(session->host, &error)) {
        g_message("%s", error->message);
    }
    if (session->announcing) {
        announce(session);
    } else if (answered && session->ops->dns_answers) {
        session->ops->dns_answers(session->context, session->dns_answers);
    }
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
    close_fd(&session->fds.tcp4);
    close_fd(&session->fds.tcp6);
    close_fd(&session->fds.token);
}

/* ---- the start ---- */

GVariant *session_inherited(const struct session *session)
{
    g_autofree char *name = host_inherited(session->host, "profile-gateway");
    g_autofree char *asked = host_inherited(session->host, "asked");
    g_autofree char *addresses = host_inherited(session->host, "addresses");
    g_auto(GStrv) words = g_strsplit(addresses ? addresses : "", " ", 0);
    struct net_config net = {.mtu = 1280}; /* one that fits all; it is found anew */
    struct endpoint endpoint;
    GVariantBuilder builder;
    char text[ADDR_TEXT_MAX];
    /* The profile may be about another gateway by now. */
    if (g_strcmp0(name, profile_get(session->profile, "gateway")) != 0 || !asked ||
        !endpoint_parse(&endpoint, asked)) {
        return NULL;
    }
    for (char **word = words; *word && net.n_addresses < NET_ADDRESSES_MAX; word++) {
        net.n_addresses += prefix_parse(&net.addresses[net.n_addresses], *word, false);
    }
    const char *const gateways[] = {addr_text(&endpoint.addr, text), NULL};
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "gateways", g_variant_new_strv(gateways, -1));
    g_variant_builder_add(&builder, "{sv}", "port", g_variant_new_uint16(endpoint.port));
    g_variant_builder_add(&builder, "{sv}", "net", net_config_to_variant(&net));
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

gboolean session_open_tun(struct session *session, GError **error)
{
    gboolean open;
    if (session->adopted) {
        open = host_tun_adopt(session->fds.tun, session->interface, &session->vnet_hdr, error);
    } else {
        session->fds.tun = host_tun_open(session->interface, &session->vnet_hdr, error);
        open = session->fds.tun >= 0;
    }
    session->ifindex = open ? if_nametoindex(session->interface) : 0;
    return open;
}

gboolean session_renew_host(struct session *session, GError **error)
{
    close_fd(&session->fds.tun);
    if (!session_hold(session, error) || !session_open_tun(session, error) ||
        !host_renew(session->host, session->interface, error)) {
        return FALSE;
    }
    g_autofree char *text = session_replacing_text(session);
    session->bereft = session->announcing = FALSE;
    record_facts(session);
    session_record_state(session, "reconnecting", text);
    return TRUE;
}

gboolean session_has_kill_switch(const struct session *session)
{
    return kill_switch_of(session->profile) != HOST_KILL_SWITCH_OFF && !session->leaves_host;
}

gboolean session_open_sockets(struct session *session, GError **error)
{
    struct session_fds *fds = &session->fds;
    const struct {
        int *fd;
        int (*open)(enum family family, guint32 fwmark, GError **error);
        enum family family;
    } sockets[] = {
        {&fds->udp4, host_udp_open, FAMILY_IPV4},
        {&fds->udp6, host_udp_open, FAMILY_IPV6},
        {&fds->lookup4, host_lookup_open, FAMILY_IPV4},
        {&fds->lookup6, host_lookup_open, FAMILY_IPV6},
        {&fds->tcp4, host_tcp_open, FAMILY_IPV4},
        {&fds->tcp6, host_tcp_open, FAMILY_IPV6},
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
