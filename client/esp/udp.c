/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "common/pktinfo.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static void set_int(int fd, int level, int option, int value)
{
    /* What the kernel does not know or allow, we do without. */
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

void udp_setup(int fd, enum family family)
{
    /*
     * ICMP errors prove nothing (RFC 7296 2.21) and must not make a send fail or keep the socket
     * "readable"; this also empties the queue of those that came so far.
     */
    if (family == FAMILY_IPV4) {
        set_int(fd, IPPROTO_IP, IP_RECVERR, 0);
        set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
        set_int(fd, IPPROTO_IP, IP_RECVTOS, 1);
    } else {
        set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 0);
        set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
    }
    set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    set_int(fd, IPPROTO_UDP, UDP_GRO, 1);
}

void udp_teardown(int fd)
{
    set_int(fd, IPPROTO_UDP, UDP_GRO, 0);
}

void udp_target_set(struct udp_target *target, int fd4, int fd6, const struct endpoint *local,
                    const struct endpoint *remote, uint32_t ifindex)
{
    *target = (struct udp_target){
        .fd = remote->addr.family == FAMILY_IPV4 ? fd4 : fd6,
        .family = remote->addr.family,
        .has_source = local->addr.family == remote->addr.family && !addr_is_any(&local->addr),
        .source = local->addr,
        .ifindex = ifindex != 0 ? ifindex : local->scope,
    };
    target->to_len = endpoint_to_sockaddr(remote, &target->to);
    if (target->to_len == 0) {
        target->fd = -1;
    }
}

union control {
    struct cmsghdr align;
    uint8_t room[PKTINFO_SPACE + 3 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint16_t))];
};

int udp_send(const struct udp_target *target, const uint8_t *data, size_t len, size_t segment,
             uint8_t tos)
{
    union control control = {0};
    struct iovec iov = {(void *)(uintptr_t)data, len};
    struct msghdr msg = {
        .msg_name = (void *)(uintptr_t)&target->to,
        .msg_namelen = target->to_len,
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.room,
    };
    bool v4 = target->family == FAMILY_IPV4;
    if (target->fd < 0) {
        return EAFNOSUPPORT;
    }
    if (target->has_source) {
        pktinfo_add(&msg, &target->source, target->ifindex);
    }
    if (tos != 0) {
        int value = tos;
        control_add(&msg, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &value,
                    sizeof(value));
    }
    if (len > segment) {
        uint16_t value = (uint16_t)segment;
        control_add(&msg, IPPROTO_UDP, UDP_SEGMENT, &value, sizeof(value));
    }
    if (msg.msg_controllen == 0) {
        msg.msg_control = NULL;
    }
    for (;;) {
        if (sendmsg(target->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
}

size_t udp_waiting(int fd, size_t *size)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof(memory);
    (void)getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len);
    *size = memory[SK_MEMINFO_RCVBUF];
    return memory[SK_MEMINFO_RMEM_ALLOC];
}

static int control_int(const struct cmsghdr *c)
{
    int value;
    memcpy(&value, CMSG_DATA(c), sizeof(value));
    return value;
}

static void read_control(struct msghdr *msg, struct udp_meta *meta)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (pktinfo_read(c, &meta->local)) {
            continue;
        }
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            meta->tos = *CMSG_DATA(c);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
            meta->tos = (uint8_t)control_int(c);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            meta->lost = (uint32_t)control_int(c);
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment = control_int(c);
            if (segment > 0) {
                meta->segment = (size_t)segment;
            }
        }
    }
}

int udp_receive(int fd, uint8_t *data, size_t cap, size_t *len, struct udp_meta *meta)
{
    struct sockaddr_storage from;
    from.ss_family = AF_UNSPEC;
    union control control;
    struct iovec iov = {data, cap};
    struct msghdr msg = {
        .msg_name = &from,
        .msg_namelen = sizeof(from),
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof(control.room),
    };
    ssize_t n;
    do {
        n = recvmsg(fd, &msg, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno;
    }
    *meta = (struct udp_meta){.segment = (size_t)n};
    *len = (size_t)n;
    if ((msg.msg_flags & MSG_TRUNC) != 0 ||
        !endpoint_from_sockaddr(&meta->remote, (const struct sockaddr *)&from)) {
        return EMSGSIZE;
    }
    read_control(&msg, meta);
    return 0;
}
