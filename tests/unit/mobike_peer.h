/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_MOBIKE_PEER_H
#define GODWIT_TESTS_MOBIKE_PEER_H

#include "ike_gateway.h"

/* A scripted gateway with MOBIKE (RFC 4555), for test_ike_mobike.c and test_ike_moved.c. */

#define SECOND (1000 * MS)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define WIFI "10.0.0.1"
#define CABLE "10.1.1.1"
#define PHONE "100.64.9.9"
#define SIX "2001:db8:1::5"
#define GATEWAY "192.0.2.1"
#define GATEWAY2 "192.0.2.2"
#define GATEWAY6 "2001:db8:2::1"

struct addr move_addr(const char *text);
/* An address of the host; its interface is told from the second octet. */
struct ike_local move_local(const char *text, unsigned rank);
/* The pair at port 4500. */
struct path move_pair(const char *local, const char *remote);
/* The host has these, the better one first; NULL = none. */
void move_locals(const char *first, const char *second);
/* An engine that may use MOBIKE; the gateway takes part in NAT detection. */
void move_start(const char *local);
/* The gateway supports MOBIKE and has these addresses too (NULL ends them, or stands for none). */
void move_finish_auth(const char *const *addrs);
/* The tunnel is up from WIFI to GATEWAY. */
void move_connect(const char *const *addrs);
/* gw.message has that notify. */
bool move_has(uint16_t type, struct bytes *data);
void move_check_pair(const struct path *path, const char *local, const char *remote);
/* The next datagram is an INFORMATIONAL request between these; an update of the addresses. */
void move_expect_request(const char *local, const char *remote);
void move_expect_update(const char *local, const char *remote);
bool move_silent(void);
/* An answer to the request in gw.message of a gateway that sees us at `mapping`; 1024 octets fit.
 */
void move_seal_answer(uint8_t *out, size_t *len, const char *mapping, uint16_t error);
/* The same sent back along the pair that the request came by; an error notify in its place. */
void move_answer_as(const char *mapping, uint16_t error);
void move_answer(void);
/* The clock moves, once. */
void move_later(uint64_t us);
/* Time passes in which nothing but keepalives is sent. */
void move_pass(uint64_t us);
/* Throws away what is sent now; returns how many, and along which pairs. */
size_t move_pairs_sent(struct path *out, size_t cap);

#endif
