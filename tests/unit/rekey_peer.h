/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_REKEY_PEER_H
#define GODWIT_TESTS_REKEY_PEER_H

#include "ike_gateway.h"

/*
 * The gateway of ike_gateway.h once the tunnel is up: CREATE_CHILD_SA and Delete in both
 * directions. Messages go through the IKE SA `gw.sa`; another one is used by exchanging it. Nonces
 * are 32 octets of one value, so that a test chooses who wins a collision. Every function fails the
 * test when something is not as it must be.
 */

#define PEER_FIRST_SPI 0xaabbccddU /* of the gateway's half of the first Child SA */

/* What tests let the gateway choose. */
#define NEW_SPI 0xc0000001U
#define OTHER_SPI 0xc0000002U
#define IKE_SPI UINT64_C(0x1111111111111111)
#define OTHER_IKE_SPI UINT64_C(0x2222222222222222)
#define LOW 0x00 /* octets of nonces */
#define HIGH 0xff
#define PEER_LINGER_S 6 /* after which a deleted Child SA receives no more */

struct peer {
    uint32_t id;          /* of our next request in gw.sa */
    uint32_t first_child; /* the client's half of the first Child SA */
    /* the exchange under way that the gateway began */
    uint8_t ni[32];
    uint32_t spi;
    uint64_t ike_spi;
    struct ke *ke;
    /* the client's request that was taken */
    uint32_t asked_id;
    struct bytes asked_nonce;
    uint8_t asked_nonce_octets[NONCE_MAX];
    uint32_t asked_spi, asked_rekey;
    uint64_t asked_ike_spi;
    uint16_t asked_group;
    uint8_t asked_value[512];
    size_t asked_value_len;
    struct bytes token; /* QCD token of the IKE SA that is made; empty = none */
    /* a message that is on its way */
    bool hold;
    uint8_t held[4096];
    size_t held_len;
};
extern struct peer peer;

/* The tunnel is up; when its IKE_AUTH response announces something, gw_start() comes first. */
void peer_start(void);
void peer_connect(void);
void peer_finish(void);

/* The same once nothing lingers any more and only the Child SA with that SPI of ours is left. */
void peer_finish_with(uint32_t outbound);
/* The same; before, the client deletes the first one. */
void peer_finish_replaced(uint32_t outbound);

/* The tunnel is up, and the gateway has rekeyed the Child SA to NEW_SPI with a low nonce: the
 * client's half of that. */
uint32_t peer_start_rekeyed(void);
/* The tunnel is up, and the client's request to rekey the Child SA has been taken. */
void peer_start_rekeying(void);

/* Forgets what was before; the tunnel is not up yet. */
void peer_reset(void);
/* Sends a request, one ID after the other. */
void peer_request(uint8_t exchange, const struct chain *chain);
/* Delivers what was held since peer.hold. */
void peer_release(void);
/* The response of the client carries this notify alone. */
void peer_expect_notify(uint8_t exchange, uint16_t type);
/* Answers the client's request. */
void peer_answer(const struct chain *chain);
/* Answers the client's request with this notify alone. */
void peer_answer_notify(uint16_t type, struct bytes data);

/* CREATE_CHILD_SA {REKEY_SA(old), SA, Ni, [KE,] TSi, TSr} --> ; group NULL = without KE, `value` of
 * another group when wrong. */
void peer_ask_child(uint32_t old, uint32_t spi, uint8_t nonce, const char *esp, const char *group);
/* <-- {SA, Nr, [KE,] TSi, TSr}: the client's SPI; its keys are the same as ours. */
uint32_t peer_child_answered(void);
/* <-- CREATE_CHILD_SA request of the client: peer.asked_... */
void peer_take_child(void);
/* {SA, Nr, TSi, TSr} --> */
void peer_answer_child(uint32_t spi, uint8_t nonce);
/* The same with TSr from first to last. */
void peer_answer_child_ts(uint32_t spi, uint8_t nonce, const char *first, const char *last);
/* The client has announced a Child SA with these keys of ours. */
void peer_check_child(uint32_t spi_client);

/* INFORMATIONAL {D} --> and the answer, which names the client's half (0 = is empty). */
void peer_delete_child(uint32_t spi);
void peer_child_deleted(uint32_t spi_client);
/* <-- INFORMATIONAL {D(spi of the client)}; answered with ours (0 = empty). */
void peer_take_delete(uint32_t spi_client);
void peer_answer_delete(uint32_t spi);

/* The same for the IKE SA: *out is what comes of it. */
void peer_ask_ike(uint64_t spi, uint8_t nonce);
void peer_ike_answered(struct ike_sa *out);
void peer_take_ike(void);
void peer_answer_ike(struct ike_sa *out, uint64_t spi, uint8_t nonce);
/* Exchanges the IKE SA in use for another one. */
void peer_use(struct ike_sa *sa);
void peer_delete_ike(void);
void peer_ike_deleted(void);
void peer_take_ike_delete(void);

/* The IKE SA in use works in both directions, exactly this Child SA is sent along, so many receive.
 */
void peer_check_alive(uint32_t outbound, size_t n_inbound);
/* The client, left alone, makes its next request so many seconds after the start. */
void peer_wait_for_request(unsigned earliest, unsigned latest);
/* Lets so many seconds pass. */
void peer_wait(unsigned seconds);

#endif
