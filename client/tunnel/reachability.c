/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/reachability.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* HTTPS and HTTP, as portals and SSL VPN have them, and IKE over TCP (RFC 9329). */
static const guint16 ports[] = {443, 80, 4500};

struct reachability {
    int fds[G_N_ELEMENTS(ports)];
    gboolean refused; /* at once, as hosts nearby do */
};

struct reachability *reachability_start(const struct addr *host)
{
    struct reachability *r = g_new0(struct reachability, 1);
    int family = host->family == FAMILY_IPV6 ? AF_INET6 : AF_INET;

    for (gsize i = 0; i < G_N_ELEMENTS(ports); i++) {
        struct endpoint to = {.addr = *host, .port = ports[i]};
        struct sockaddr_storage at;
        socklen_t len = endpoint_to_sockaddr(&to, &at);

        r->fds[i] = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (r->fds[i] >= 0 && connect(r->fds[i], (struct sockaddr *)&at, len) != 0 &&
            errno == ECONNREFUSED) {
            r->refused = TRUE;
        }
    }
    return r;
}

static gboolean answered(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;

    return fd >= 0 && poll(&poll_fd, 1, 0) == 1 &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
           (error == 0 || error == ECONNREFUSED);
}

gboolean reachability_answered(const struct reachability *r)
{
    gboolean any = r != NULL && r->refused;

    for (gsize i = 0; r != NULL && i < G_N_ELEMENTS(ports); i++) {
        any |= answered(r->fds[i]);
    }
    return any;
}

void reachability_free(struct reachability *r)
{
    for (gsize i = 0; r != NULL && i < G_N_ELEMENTS(ports); i++) {
        if (r->fds[i] >= 0) {
            close(r->fds[i]);
        }
    }
    g_free(r);
}
