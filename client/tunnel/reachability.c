/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/reachability.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static const guint16 ports[] = REACHABILITY_PORTS;

void reachability_start(struct reachability *r, int fd, const struct addr *host)
{
    *r = (struct reachability){.fd = fd, .host = *host};
    (void)reachability_next(r);
}

/* A socket that is let go of can be connected again (connect(2)). */
static void let_go(const struct reachability *r)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    (void)connect(r->fd, &nowhere, sizeof nowhere);
}

gboolean reachability_next(struct reachability *r)
{
    struct sockaddr_storage at;

    if (reachability_answered(r) || r->fd < 0 || r->asked == G_N_ELEMENTS(ports)) {
        return FALSE;
    }
    let_go(r);
    const struct endpoint to = {.addr = r->host, .port = ports[r->asked++]};
    socklen_t len = endpoint_to_sockaddr(&to, &at);
    /* Hosts nearby answer at once. */
    r->answered = connect(r->fd, (struct sockaddr *)&at, len) == 0 || errno == ECONNREFUSED;
    return TRUE;
}

gboolean reachability_answered(struct reachability *r)
{
    struct pollfd poll_fd = {.fd = r->fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;

    if (!r->answered && r->asked > 0 && poll(&poll_fd, 1, 0) == 1 &&
        getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0) {
        /* That nobody is there in the own network shows as POLLERR alone, on the error queue. */
        r->answered = (error == 0 && (poll_fd.revents & (POLLOUT | POLLHUP)) == POLLOUT) ||
                      error == ECONNREFUSED;
    }
    return r->answered;
}

void reachability_end(struct reachability *r)
{
    if (r->asked > 0 && r->fd >= 0) {
        let_go(r);
    }
    *r = (struct reachability){.fd = -1};
}
