/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_HOST_TUNNEL_H
#define GODWIT_TESTS_HOST_TUNNEL_H

#include <sys/types.h>

#include "host/host.h"

/* A tunnel of a test of client/host, in a sandbox. Whatever fails fails the test. */
struct host_tunnel {
    int tun;
    char interface[16];
    struct host *host;
};

extern const struct host_options full_tunnel, split_tunnel;

struct prefix prefix_of(const char *text);
/* Words: an address by its prefix, a route by "via" before it, a DNS server by "dns", a domain by
 * "in". */
struct net_config config_of(const char *text);
/* An uplink with a default route; `via` may be "". */
struct uplink uplink_of(const char *address, const char *interface, const char *via);

void tunnel_open(struct host_tunnel *tunnel, const char *name);
void tunnel_apply(struct host_tunnel *tunnel, const char *text, const struct host_options *options);
/* Both. */
void tunnel_up(struct host_tunnel *tunnel, const char *name, const char *text,
               const struct host_options *options);
void tunnel_follow(struct host_tunnel *tunnel, const struct network *network);
void tunnel_down(struct host_tunnel *tunnel);

/* A process with a tunnel up; kills one. */
pid_t tunnel_process(const char *name, const char *text, const struct host_options *options);
void tunnel_kill(pid_t pid);

/* `part` is in what the command prints, or is not. */
void expect(gboolean there, const char *part, const char *command);
/* What `ip route get` says of it has that part. */
void expect_route(const char *to, const char *part);

#endif
