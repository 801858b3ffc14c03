/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_EAP_PEER_H
#define GODWIT_TESTS_EAP_PEER_H

#include "eap/eap.h"
#include "vectors.h"

/* An EAP peer under test, and what the authenticator of the worked example sends it. */

/* The example of RFC 2759 9.2 framed in EAP (mschapv2-rfc2759-rfc3079.json). */
#define REQUEST_IDENTITY "0100000501"
#define REQUEST_CHALLENGE "012100201a0121001b105b5d7c7d7b3f2f3e3c2c602132262628736572766572"
#define RESPONSE_CHALLENGE                                                                         \
    "0221003f1a0221003a3121402324255e262a28295f2b3a337c7e0000000000000000"                         \
    "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df0055736572"
#define REQUEST_SUCCESS                                                                            \
    "012200381a03210033"                                                                           \
    "533d34303741353538393131354644304436323039463531304645394330343536363933324344413536"         \
    "204d3d4f4b"
#define RESPONSE_SUCCESS "022200061a03"
#define EAP_SUCCESS_PACKET "03220004"
#define EAP_FAILURE_PACKET "04220004"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

extern const struct rng fixed_rng;  /* gives the peer challenge of the example */
extern const struct rng broken_rng; /* gives nothing */
extern uint8_t answer[2048];        /* where `out` writes */
extern struct writer out;           /* the last response */

/* User "User", password "clientPass", fixed_rng. */
struct eap_config example_config(void);
struct eap *peer_with(const struct eap_config *config);
struct eap *peer(void);
enum eap_verdict give(struct eap *eap, struct bytes packet);
enum eap_verdict give_hex(struct eap *eap, const char *packet);
void expect_answer(struct eap *eap, const char *request, const char *response);
/* The note has this reason and a sentence. */
void expect_failure(struct eap *eap, enum reason reason);
/* An MSCHAPv2 packet with exact lengths around `text`. */
struct bytes mschapv2_packet(uint8_t code, uint8_t opcode, const char *text);

#endif
