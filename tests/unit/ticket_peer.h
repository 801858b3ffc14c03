/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_TICKET_PEER_H
#define GODWIT_TESTS_TICKET_PEER_H

#include "ike_gateway.h"

/* The gateway of ike_gateway.h gives tickets (RFC 5723 4.1), for test_ike_resume.c and
 * test_ike_tickets.c; it proves itself by PSK, or by certificate to who comes with EAP. */

#define TICKET "an opaque ticket of the gateway"
#define LIFETIME_S 7200

struct ticket_peer {
    struct ike_ticket kept; /* of the connection before */
    uint8_t sk_d[32];       /* of its IKE SA */
};
extern struct ticket_peer ticket_peer;

/* N(TICKET_LT_OPAQUE) */
void ticket_peer_write(struct chain *chain, uint32_t lifetime_s, const char *ticket);
/* gw.message asks for one. */
void ticket_peer_check_asked(void);
struct ike_config ticket_peer_psk(void);
struct ike_config ticket_peer_eap(const char *user);
/* The handshake with the pre-shared key from its first request on; its last response has this
 * notify about the ticket (N_TICKET_LT_OPAQUE: TICKET), 0 = none. */
void ticket_peer_connect(uint16_t type);
/* One whole connection, whose ticket is kept. With EAP the user's name is configured, or asked for
 * when it is empty. */
void ticket_peer_get(void);
void ticket_peer_get_by_eap(const char *user);
void ticket_peer_forget(void);

#endif
