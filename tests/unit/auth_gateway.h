/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_AUTH_GATEWAY_H
#define GODWIT_TESTS_AUTH_GATEWAY_H

#include "eap/mschapv2_crypto.h"
#include "ike_gateway.h"
#include "pki.h"

/*
 * The gateway of ike_gateway.h when it proves itself by certificate and asks for the user by
 * EAP-MSCHAPv2. Every function fails the test when something is not as it must be.
 */

#define USER "alice"
#define PASSWORD "open sesame"

/* Made once for all tests of a case (an unchecked fixture). */
extern struct cert_trust *trust;
extern struct cert_credential *gateway_key; /* vpn.example.org by the authority in `trust` */
extern struct cert_credential *other_key;   /* another name, same authority */
extern struct cert_credential *foreign_key; /* vpn.example.org by a foreign authority */
extern struct cert_credential *user_key;
void auth_pki_make(void);
void auth_pki_free(void);

/* The client's first IKE_AUTH request is taken. */
void start_eap(const char *user, const char *password);

/* AUTH; IDr, CERT and AUTH */
void write_signature(struct chain *chain, const struct cert_credential *credential);
void write_proof(struct chain *chain, const struct cert_credential *credential);
/* An EAP packet: code, identifier, length, then what follows. */
void write_eap(struct chain *chain, uint8_t code, uint8_t id, struct bytes rest);
void write_mschapv2(struct chain *chain, uint8_t id, uint8_t opcode, struct bytes rest);
void send_challenge(uint32_t message_id);
/* The proof with a request for the identity */
void send_identity_request(const struct cert_credential *credential);
/* Checks the client's answer in gw.message as a server does; fills msk and success_text. */
extern uint8_t msk[MSCHAPV2_MSK_LEN];
extern char success_text[64];
void check_response(void);
/* Until the client has sent its AUTH that proves the MSK */
void until_finish(void);
/* The same when the identity has been asked for. */
void until_finish_of_identified(void);
/* <-- AUTHENTICATION_FAILED, and nothing of EAP before or after; it is over for this reason. */
void expect_authentication_failed(enum reason reason);

#endif
