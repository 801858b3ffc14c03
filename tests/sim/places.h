/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SIM_PLACES_H
#define GODWIT_TESTS_SIM_PLACES_H

#include "ike/ike.h"

/* Addresses that come and go, pairs of them that do not work, and a NAT in front of the client. */

#define PLACES_CLIENTS 4
#define PLACES_GATEWAYS 3
/* The last one of each is IPv6. */
extern const char *const places_clients[PLACES_CLIENTS];
extern const char *const places_gateways[PLACES_GATEWAYS];

struct places {
    bool on; /* else every datagram goes wherever it is sent to */
    bool client_up[PLACES_CLIENTS], gateway_up[PLACES_GATEWAYS];
    bool blocked[PLACES_CLIENTS][PLACES_GATEWAYS];
    bool nat;
    uint64_t nat_timeout_us;             /* of silence; 0 = it remembers for ever */
    unsigned generation[PLACES_CLIENTS]; /* of the mapping */
    uint64_t used[PLACES_CLIENTS];       /* when something last went out by it */
};

/* Only the first address of each side is there. */
void places_init(struct places *places, bool on);
/* Translates what is sent along `path` (local is the sender's); false when it arrives nowhere. */
bool places_to_gateway(struct places *places, struct path *path, uint64_t now);
bool places_to_client(const struct places *places, struct path *path, uint64_t now);
/* The client's path works. */
bool places_works(const struct places *places, const struct path *path);
/* Some pair does. */
bool places_any(const struct places *places);
/* The NAT forgets all mappings. */
void places_rebind(struct places *places);
struct addr places_addr(const char *text);

#endif
