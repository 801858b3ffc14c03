/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tunnel/ike_socket.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/pktinfo.h"

#define NON_ESP_MARKER_LEN 4
#define KEEPALIVE 0xff

union control {
    char octets[PKTINFO_SPACE +
                CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
    struct cmsghdr align;
};

static gboolean is_keepalive(struct bytes datagram)
{
    return datagram.len == 1 && datagram.data[0] == KEEPALIVE;
}

/* Sets what the kernel does about the path's MTU (ip(7); the values of both families are equal);
 * returns what it did before, or -1. */
static int discover(int fd, gboolean v6, int how)
{
    int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP, option = v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
    int before;
    socklen_t len = sizeof before;

    return getsockopt(fd, level, option, &before, &len) == 0 &&
                   setsockopt(fd, level, option, &how, sizeof how) == 0
               ? before
               : -1;
}

/*
 * The sockets forbid IP fragments, for the sake of ESP. An IKE message to a gateway without RFC
 * 7383 has no other way to be larger than the path, so that for this one datagram they are allowed;
 * for a probe they are forbidden, whatever goes for ESP.
 */
static ssize_t send_as(int fd, const struct msghdr *message, int how)
{
    const struct sockaddr *remote = message->msg_name;
    gboolean v6 = remote->sa_family == AF_INET6;
    int before = discover(fd, v6, how), failed;
    ssize_t sent;

    if (before < 0) {
        return -1;
    }
    sent = sendmsg(fd, message, MSG_NOSIGNAL);
    failed = errno;
    (void)discover(fd, v6, before);
    errno = failed;
    return sent;
}

gboolean ike_socket_send(const struct ike_sockets *sockets, const struct path *path,
                         struct bytes datagram)
{
    static const uint8_t marker[NON_ESP_MARKER_LEN];
    gboolean marked = path->remote.port != IKE_PORT && !is_keepalive(datagram);
    int fd = path->remote.addr.family == FAMILY_IPV6 ? sockets->fd6 : sockets->fd4;
    struct sockaddr_storage remote;
    union control control = {0};
    struct iovec parts[2] = {
        {.iov_base = (void *)marker, .iov_len = marked ? sizeof marker : 0},
        {.iov_base = (void *)datagram.data, .iov_len = datagram.len},
    };
    struct msghdr message = {
        .msg_name = &remote,
        .msg_namelen = endpoint_to_sockaddr(&path->remote, &remote),
        .msg_iov = parts,
        .msg_iovlen = G_N_ELEMENTS(parts),
        .msg_control = control.octets,
    };
    ssize_t sent;

    if (fd < 0) {
        errno = EAFNOSUPPORT;
        return FALSE;
    }
    pktinfo_add(&message, &path->local.addr,
                path->ifindex != 0 ? path->ifindex : path->local.scope);
    /* A queued ICMP error of an earlier datagram surfaces in the next call and says nothing about
     * this one. */
    for (int tries = 0; tries < 3; tries++) {
        sent = send_as(fd, &message, path->whole ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
        if (sent >= 0 || (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != EINTR)) {
            break;
        }
    }
    return sent >= 0;
}

void ike_sockets_fragment_esp(const struct ike_sockets *sockets, gboolean allow)
{
    /* The kernel's own idea of the path comes from ICMP, which is anybody's word: not used. */
    (void)discover(sockets->fd4, FALSE, allow ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE);
    (void)discover(sockets->fd6, TRUE, allow ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE);
}

static void read_destination(struct msghdr *message, struct path *path)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        (void)pktinfo_read(c, &path->local);
    }
}

static struct bytes strip_marker(const uint8_t *buffer, size_t len, uint16_t remote_port)
{
    static const uint8_t marker[NON_ESP_MARKER_LEN];

    if (remote_port == IKE_PORT) {
        return bytes_of(buffer, len);
    }
    if (len <= sizeof marker || memcmp(buffer, marker, sizeof marker) != 0) {
        return (struct bytes){0};
    }
    return bytes_of(buffer + sizeof marker, len - sizeof marker);
}

gboolean ike_socket_receive(int fd, uint8_t *buffer, size_t cap, struct path *path,
                            struct bytes *datagram)
{
    for (;;) {
        struct sockaddr_storage remote;
        union control control;
        struct iovec part = {.iov_base = buffer, .iov_len = cap};
        struct msghdr message = {
            .msg_name = &remote,
            .msg_namelen = sizeof remote,
            .msg_iov = &part,
            .msg_iovlen = 1,
            .msg_control = control.octets,
            .msg_controllen = sizeof control.octets,
        };
        ssize_t len = recvmsg(fd, &message, MSG_DONTWAIT);

        if (len < 0) {
            if (errno == EINTR || errno == ECONNREFUSED || errno == EHOSTUNREACH) {
                continue;
            }
            return FALSE;
        }
        *path = (struct path){.transport = TRANSPORT_UDP};
        *datagram = (struct bytes){0};
        if ((message.msg_flags & MSG_TRUNC) == 0 &&
            endpoint_from_sockaddr(&path->remote, (struct sockaddr *)&remote)) {
            read_destination(&message, path);
            *datagram = strip_marker(buffer, (size_t)len, path->remote.port);
        }
        return TRUE;
    }
}

/* True when it says that the gateway's port, or the way to it, is closed. */
static gboolean is_refusal(const struct sock_extended_err *error, enum ike_icmp *icmp)
{
    if (error->ee_origin == SO_EE_ORIGIN_ICMP && error->ee_type == ICMP_DEST_UNREACH) {
        *icmp =
            error->ee_code == ICMP_PORT_UNREACH ? IKE_ICMP_PORT_UNREACHABLE : IKE_ICMP_PROHIBITED;
        return error->ee_code == ICMP_PORT_UNREACH || error->ee_code == ICMP_PKT_FILTERED ||
               error->ee_code == ICMP_NET_ANO || error->ee_code == ICMP_HOST_ANO;
    }
    if (error->ee_origin == SO_EE_ORIGIN_ICMP6 && error->ee_type == ICMP6_DST_UNREACH) {
        *icmp = error->ee_code == ICMP6_DST_UNREACH_NOPORT ? IKE_ICMP_PORT_UNREACHABLE
                                                           : IKE_ICMP_PROHIBITED;
        return error->ee_code == ICMP6_DST_UNREACH_NOPORT ||
               error->ee_code == ICMP6_DST_UNREACH_ADMIN;
    }
    return FALSE;
}

gboolean ike_socket_unreachable(int fd, struct ike_socket_error *out, gboolean *more)
{
    struct sockaddr_storage remote;
    union control control;
    uint8_t octets[1];
    struct iovec part = {.iov_base = octets, .iov_len = sizeof octets};
    struct msghdr message = {
        .msg_name = &remote,
        .msg_namelen = sizeof remote,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.octets,
        .msg_controllen = sizeof control.octets,
    };

    *more = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0;
    if (!*more) {
        return FALSE;
    }
    *out = (struct ike_socket_error){.path.transport = TRANSPORT_UDP};
    if (!endpoint_from_sockaddr(&out->path.remote, (struct sockaddr *)&remote)) {
        return FALSE;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        struct { /* as ip(7) lays it out */
            struct sock_extended_err error;
            struct sockaddr_in6 offender;
        } said;
        struct endpoint reporter;
        size_t len = c->cmsg_len - CMSG_LEN(0);

        if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
            !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
            continue;
        }
        memset(&said, 0, sizeof said);
        memcpy(&said, CMSG_DATA(c), MIN(len, sizeof said));
        if (is_refusal(&said.error, &out->icmp) &&
            endpoint_from_sockaddr(&reporter, (struct sockaddr *)&said.offender)) {
            out->reporter = reporter.addr;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean is_inner(const struct net_config *net, const struct addr *addr)
{
    for (size_t i = 0; i < net->n_addresses; i++) {
        if (addr_equal(&net->addresses[i].addr, addr)) {
            return TRUE;
        }
    }
    return FALSE;
}

gboolean ike_socket_route_to(const struct ike_sockets *sockets, const struct endpoint *remote,
                             struct addr *local, uint16_t *mtu)
{
    gboolean v6 = remote->addr.family == FAMILY_IPV6;
    int fd = v6 ? sockets->lookup6 : sockets->lookup4;
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    struct sockaddr_storage to, from;
    socklen_t to_len = endpoint_to_sockaddr(remote, &to), from_len = sizeof from;
    struct endpoint source;
    int route_mtu = 0;
    socklen_t mtu_len = sizeof route_mtu;

    /* It would stay with the source of the time before. */
    if (fd < 0 || connect(fd, &nowhere, sizeof nowhere) != 0 ||
        connect(fd, (struct sockaddr *)&to, to_len) != 0 ||
        getsockname(fd, (struct sockaddr *)&from, &from_len) != 0 ||
        !endpoint_from_sockaddr(&source, (struct sockaddr *)&from) ||
        is_inner(sockets->inner, &source.addr)) {
        return FALSE;
    }
    *local = source.addr;
    if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &route_mtu,
                   &mtu_len) != 0 ||
        route_mtu < 576 || route_mtu > UINT16_MAX) {
        route_mtu = route_mtu > UINT16_MAX ? UINT16_MAX : 1280;
    }
    *mtu = (uint16_t)route_mtu;
    return TRUE;
}
