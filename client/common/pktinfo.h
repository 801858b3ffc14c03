/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_PKTINFO_H
#define GODWIT_COMMON_PKTINFO_H

#include <sys/socket.h>

#include "common/addr.h"

/* Which of the host's addresses a datagram leaves from, and which one it came to (IP_PKTINFO,
 * IPV6_PKTINFO; RFC 3542 6). */

#define PKTINFO_SPACE 40 /* octets of the longer control message */

/*
 * Appends the control message that fixes the source, so that a host with several addresses answers
 * from the one that the other side knows; nothing when it is 'any'. msg_control has room for it
 * behind msg_controllen. `ifindex` is the interface to leave by, which a link-local source needs; 0
 * = as the routing table says, whatever the source.
 */
void pktinfo_add(struct msghdr *message, const struct addr *source, uint32_t ifindex);
/* Fills address and scope of `local` from a received control message; false when it is another one.
 */
bool pktinfo_read(const struct cmsghdr *control, struct endpoint *local);
/* Appends any control message, in the same way. */
void control_add(struct msghdr *message, int level, int type, const void *value, size_t len);

#endif
