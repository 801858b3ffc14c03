/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_ADDR_H
#define GODWIT_COMMON_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/bytes.h"

enum family { FAMILY_NONE = 0, FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };

/* An IP address in network order: 4 or 16 octets of `octets`. All zero = none. */
struct addr {
    enum family family;
    uint8_t octets[16];
};

struct endpoint {
    struct addr addr;
    uint16_t port;  /* host order */
    uint32_t scope; /* interface index of a link-local IPv6 address, else 0 */
};

struct prefix {
    struct addr addr;
    uint8_t len; /* 0..32 or 0..128 */
};

/* Text form with room for the longest "addr%scope" plus port and prefix. */
#define ADDR_TEXT_MAX 80

size_t addr_len(enum family family);   /* 4, 16 or 0 */
uint8_t addr_bits(enum family family); /* 32, 128 or 0 */
struct addr addr_of(enum family family, const uint8_t *octets);
struct bytes addr_bytes(const struct addr *addr);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_any(const struct addr *addr);                    /* none, 0.0.0.0 or :: */
int addr_compare(const struct addr *a, const struct addr *b); /* <0, 0, >0; families first */
bool addr_parse(struct addr *out, const char *text); /* numeric only; false when it is none */
const char *addr_text(const struct addr *addr, char out[static ADDR_TEXT_MAX]);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/* "192.0.2.1:500" or "[2001:db8::1]:500" */
const char *endpoint_text(const struct endpoint *endpoint, char out[static ADDR_TEXT_MAX]);
/* The way back: false, and all zero, when it is none. */
bool endpoint_parse(struct endpoint *out, const char *text);
bool endpoint_from_sockaddr(struct endpoint *out, const struct sockaddr *from);
socklen_t endpoint_to_sockaddr(const struct endpoint *from, struct sockaddr_storage *out);
/* "192.0.2.0/24"; a missing length means a host. The host part must be zero unless
 * `host_bits_allowed`. */
bool prefix_parse(struct prefix *out, const char *text, bool host_bits_allowed);
const char *prefix_text(const struct prefix *prefix, char out[static ADDR_TEXT_MAX]);
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
void prefix_mask(struct prefix *prefix); /* clears the host part */
/*
 * What a gateway may assign: the engine passes over the rest and the session refuses it, by the
 * same rule. An address that a host, or a server beyond the tunnel, can have: none that is
 * loopback, link-local IPv6, multicast, reserved...
 */
bool addr_is_assignable(const struct addr *addr);
/* ... and a network that can lie behind a tunnel: none within those of loopback, link-local IPv6,
 * multicast, broadcast. */
bool prefix_is_routable(const struct prefix *prefix);
/* Length of an IPv4 netmask, or -1 when its ones are not contiguous. */
int netmask_len(const uint8_t mask[static 4]);
/*
 * Covers the range start..end (same family, start <= end) with the fewest prefixes; writes at most
 * `cap` and returns how many there are (a return above `cap` means that some are missing).
 */
size_t range_to_prefixes(const struct addr *start, const struct addr *end, struct prefix *out,
                         size_t cap);

#endif
