/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_NETWORK_H
#define GODWIT_COMMON_NETWORK_H

#include "common/addr.h"

/* The host's ways to the world, as the privileged side sees them and tells the worker. */

#define NETWORK_UPLINKS_MAX 32
#define NETWORK_INTERFACE_LEN 16 /* IFNAMSIZ */

/* The dearer and slower, the later. */
enum uplink_kind { UPLINK_WIRED, UPLINK_WIFI, UPLINK_WWAN, UPLINK_OTHER };

/* An address that packets to a gateway can leave from: of a link that carries, of global scope,
 * not tentative, deprecated for want of another only, and not of a tunnel of ours. Without a
 * default route it may still be one that the host's routing chooses for a gateway: on its link's
 * network, or on the loopback interface of a host that announces it. */
struct uplink {
    struct prefix address; /* with host bits; the length is that of its link's network */
    uint32_t ifindex;
    char interface[NETWORK_INTERFACE_LEN];
    enum uplink_kind kind;
    bool has_default; /* its link has a default route of this family in the main table, ... */
    uint32_t metric;  /* ... of this metric, the lowest it has */
    struct addr
        via;      /* ... to this router; none = on the link. Only the privileged side knows it. */
    uint16_t mtu; /* of the link */
};

/* What a portal detector says of the way that the host prefers; the values are NetworkManager's. */
enum connectivity {
    CONNECTIVITY_UNKNOWN,
    CONNECTIVITY_NONE,
    CONNECTIVITY_PORTAL, /* a web page wants something from the user first */
    CONNECTIVITY_LIMITED,
    CONNECTIVITY_FULL,
};

struct network {
    uint32_t generation; /* another one for each change of the uplinks; never 0 */
    enum connectivity connectivity;
    size_t n;
    struct uplink uplinks[NETWORK_UPLINKS_MAX]; /* the host's preference first */
};

#endif
