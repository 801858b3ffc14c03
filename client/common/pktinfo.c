/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* struct in6_pktinfo */
#endif
#include "common/pktinfo.h"

#include <netinet/in.h>
#include <string.h>

_Static_assert(PKTINFO_SPACE >= CMSG_SPACE(sizeof(struct in6_pktinfo)), "the longer one");
_Static_assert(PKTINFO_SPACE >= CMSG_SPACE(sizeof(struct in_pktinfo)), "the other one");

void control_add(struct msghdr *message, int level, int type, const void *value, size_t len)
{
    struct cmsghdr *c =
        (struct cmsghdr *)((uint8_t *)message->msg_control + message->msg_controllen);

    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), value, len);
    message->msg_controllen += CMSG_SPACE(len);
}

void pktinfo_add(struct msghdr *message, const struct addr *source, uint32_t ifindex)
{
    struct in_pktinfo info4 = {.ipi_ifindex = (int)ifindex};
    struct in6_pktinfo info6 = {.ipi6_ifindex = ifindex};

    if (addr_is_any(source)) {
        return;
    }
    if (source->family == FAMILY_IPV4) {
        memcpy(&info4.ipi_spec_dst, source->octets, 4);
        control_add(message, IPPROTO_IP, IP_PKTINFO, &info4, sizeof info4);
    } else {
        memcpy(&info6.ipi6_addr, source->octets, 16);
        control_add(message, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof info6);
    }
}

bool pktinfo_read(const struct cmsghdr *control, struct endpoint *local)
{
    struct in_pktinfo info4;
    struct in6_pktinfo info6;

    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
        memcpy(&info4, CMSG_DATA(control), sizeof info4);
        local->addr = addr_of(FAMILY_IPV4, (const uint8_t *)&info4.ipi_addr);
        return true;
    }
    if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
        memcpy(&info6, CMSG_DATA(control), sizeof info6);
        local->addr = addr_of(FAMILY_IPV6, info6.ipi6_addr.s6_addr);
        local->scope = IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr) ? info6.ipi6_ifindex : 0;
        return true;
    }
    return false;
}
