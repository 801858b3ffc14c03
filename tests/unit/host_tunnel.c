/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/host_tunnel.h"

#include <check.h>
#include <net/if.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/sandbox.h"

const struct host_options full_tunnel = {.full_tunnel = TRUE,
                                         .block_other_family = TRUE,
                                         .local_network = TRUE,
                                         .dns = HOST_DNS_AUTO,
                                         .fwmark = HOST_FWMARK_DEFAULT};
const struct host_options split_tunnel = {.block_other_family = TRUE,
                                          .local_network = TRUE,
                                          .dns = HOST_DNS_AUTO,
                                          .fwmark = HOST_FWMARK_DEFAULT};

struct prefix prefix_of(const char *text)
{
    struct prefix prefix;
    ck_assert(prefix_parse(&prefix, text, true));
    return prefix;
}

struct net_config config_of(const char *text)
{
    struct net_config config = {.mtu = 1400};
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    for (char **word = words; *word; word++) {
        if (g_str_equal(*word, "via")) {
            config.routes[config.n_routes++] = prefix_of(*++word);
        } else if (g_str_equal(*word, "dns")) {
            config.dns[config.n_dns++] = prefix_of(*++word).addr;
        } else if (g_str_equal(*word, "in")) {
            g_strlcpy(config.domains[config.n_domains++], *++word, NET_DOMAIN_LEN);
        } else {
            config.addresses[config.n_addresses++] = prefix_of(*word);
        }
    }
    return config;
}

struct uplink uplink_of(const char *address, const char *interface, const char *via)
{
    struct uplink uplink = {.has_default = true, .ifindex = if_nametoindex(interface)};
    g_strlcpy(uplink.interface, interface, sizeof uplink.interface);
    uplink.address = prefix_of(address);
    ck_assert(!*via || addr_parse(&uplink.via, via));
    return uplink;
}

void tunnel_open(struct host_tunnel *tunnel, const char *name)
{
    g_autoptr(GError) error = NULL;
    gboolean vnet_hdr = FALSE;
    tunnel->tun = host_tun_open(tunnel->interface, &vnet_hdr, &error);
    ck_assert_msg(tunnel->tun >= 0, "%s", error ? error->message : "");
    ck_assert(vnet_hdr);
    tunnel->host = host_new(name, tunnel->interface, &error);
    ck_assert_msg(tunnel->host != NULL, "%s", error ? error->message : "");
}

void tunnel_apply(struct host_tunnel *tunnel, const char *text, const struct host_options *options)
{
    g_autoptr(GError) error = NULL;
    struct net_config config = config_of(text);
    ck_assert_msg(host_apply(tunnel->host, &config, options, &error), "%s",
                  error ? error->message : "");
}

void tunnel_up(struct host_tunnel *tunnel, const char *name, const char *text,
               const struct host_options *options)
{
    tunnel_open(tunnel, name);
    tunnel_apply(tunnel, text, options);
}

void tunnel_follow(struct host_tunnel *tunnel, const struct network *network)
{
    g_autoptr(GError) error = NULL;
    ck_assert_msg(host_follow_uplinks(tunnel->host, network, HOST_FWMARK_DEFAULT, &error) &&
                      host_follow_firewall(tunnel->host, &error),
                  "%s", error ? error->message : "");
}

void tunnel_down(struct host_tunnel *tunnel)
{
    host_revert(tunnel->host);
    host_free(tunnel->host);
    close(tunnel->tun);
}

pid_t tunnel_process(const char *name, const char *text, const struct host_options *options)
{
    int ready[2];
    char octet;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct host_tunnel tunnel;
        tunnel_up(&tunnel, name, text, options);
        _exit(write(ready[1], "x", 1) == 1 ? pause() : 1);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &octet, 1), 1);
    close(ready[0]);
    return pid;
}

void tunnel_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

void expect(gboolean there, const char *part, const char *command)
{
    g_autofree char *out = sandbox_run("%s", command);
    ck_assert_msg((strstr(out, part) != NULL) == there, "%s%s is in the output of %s:\n%s",
                  there ? "not: " : "", part, command, out);
}

void expect_route(const char *to, const char *part)
{
    g_autofree char *command = g_strdup_printf("ip route get %s 2>&1; true", to);
    expect(TRUE, part, command);
}
