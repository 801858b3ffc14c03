/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_IKE_GATEWAY_H
#define GODWIT_TESTS_IKE_GATEWAY_H

#include "ike/engine.h"

/*
 * A small gateway for tests of the engine: the network is a function call, the clock a number. It
 * proves itself by PSK and agrees to aes128gcm16-prfsha256 with x25519 or ecp256. There is one,
 * `gw`, in each test process. Every function fails the test when something is not as it must be.
 */

#define PSK_TEXT "a shared secret of some length"
#define MS UINT64_C(1000)

struct gateway {
    struct ike *ike;
    uint64_t now;
    struct rng_seeded seeds[2];
    struct rng rng;
    struct ike_sa sa; /* as the responder has it: `in` opens what the client sends */
    struct suite esp;
    struct sa_proposal offer; /* the client's first ESP proposal */
    uint32_t spi_out, spi_in;
    uint8_t nonce[32];
    struct secret init_request, init_response;
    struct secret idi;
    bool fragments; /* announces RFC 7383 */
    bool childless; /* announces RFC 6023 */
    bool natd;      /* takes part in NAT detection */
    const char *psk;
    struct bytes idr;   /* body of its ID payload; empty = vpn.example.org */
    uint16_t announces; /* a notification of its IKE_AUTH response; 0 = none */
    struct bytes announced;
    /* the last datagram of the client */
    uint8_t datagram[IKE_MESSAGE_MAX];
    size_t len;
    struct path path;
    struct message message;
    /* the last event of each kind */
    bool up, down;
    enum reason reason;
    char detail[1024];
    struct gateway_facts untrusted; /* of the end; without problems = none */
    struct net_config net;
    uint32_t child_spi_out;
    struct bytes child_in_key;
    uint8_t child_key[64];
    uint8_t child_out_key[64];
    /* as the datapath has it */
    uint32_t inbound[16];
    size_t n_inbound;
    uint32_t outbound; /* the gateway's SPI */
    enum eap_secret asked;
    uint16_t mtu; /* of the last IKE_EVENT_MTU */
    bool mtu_passed;
    unsigned n_paths, n_lost;
    struct path esp_path;
    struct ike_ticket ticket; /* as a carrier keeps it; empty = none */
    unsigned n_tickets;       /* events about it */
    char redirect[512];
    unsigned n_redirects, n_reauths;
    bool retry;
};
extern struct gateway gw;
extern const struct path gateway_path;

/* Starts the engine; what the config leaves open is filled in. */
void gw_start_with(struct ike_config config);
void gw_start(void);
void gw_finish(void);

/* Takes the client's next datagram; false when there is none. */
bool gw_pull(void);
/* Takes the client's next message of this exchange and opens it: gw.message. */
void gw_expect(uint8_t exchange, bool response);
/* The same with the one that was taken. */
void gw_open(uint8_t exchange, bool response);
/* Datagrams to the client: from the gateway's address, or from any. */
void gw_deliver(const uint8_t *octets, size_t len);
void gw_deliver_from(const struct path *path, const uint8_t *octets, size_t len);
/* Header of a message of the gateway */
struct ike_header gw_header(uint8_t exchange, uint32_t id, bool response);
/* Seals a message of the gateway; returns its length. */
size_t gw_sealed(uint8_t *out, size_t cap, uint8_t exchange, uint32_t id, bool response,
                 const struct chain *chain);
void gw_send_sealed(uint8_t exchange, uint32_t id, bool response, const struct chain *chain);
/* Reads the engine's events into gw. */
void gw_drain(void);
/* It is over, for that reason. */
void gw_expect_down(enum reason reason);
/* Moves the clock and ticks. */
void gw_tick_at(uint64_t at);

/* IKE_SA_INIT response that only notifies */
void gw_send_notify_init(uint16_t type, struct bytes data);
/* IKE_SA_INIT response to gw.message that agrees */
void gw_answer_init(const char *group);
/* What the client signs, and what the gateway signs; owned by the caller. */
void gw_client_octets(struct secret *out);
void gw_octets(struct secret *out);
/* The client's AUTH in gw.message proves this secret. */
void gw_check_shared_auth(struct bytes secret);
/* Parts of the IKE_AUTH response */
void gw_write_idr(struct chain *chain);
void gw_write_shared_auth(struct chain *chain, struct bytes secret);
void gw_write_idr_auth(struct chain *chain); /* both, with gw.psk */
void gw_write_address(struct chain *chain);
void gw_write_child(struct chain *chain, const char *suite);
/* The same with TSr from first to last. */
void gw_write_child_ts(struct chain *chain, const char *suite, const char *first, const char *last);
/* An empty chain with a buffer of its own; the one before is lost. */
struct chain gw_new_chain(void);
/* The same with room for what one datagram can hold, and gw_send_sealed() and gw_drain() of it. */
struct chain gw_large_chain(void);
void gw_send_large(uint8_t exchange, uint32_t id, bool response, const struct chain *chain);
/* IKE_SA_INIT is done and the client's IKE_AUTH request is taken; with PSK, its AUTH is right. */
void gw_until_request(void);
void gw_until_auth(void);
/* The tunnel is up. */
void gw_connect_tunnel(void);
/* The same, and this is announced. */
void gw_connect_with(uint16_t type, struct bytes data);
void gw_expect_delete(void);
/* INFORMATIONAL request of the gateway with this notify alone; the client's answer is empty. */
void gw_notify(uint32_t id, uint16_t type, struct bytes data);
/* The first notify of that type in gw.message, which has one. */
struct notify gw_notify_in(uint16_t type);
/* Whether gw.message has one. */
bool gw_has_notify(uint16_t type);
/* Empty INFORMATIONAL response */
void gw_answer_empty(uint32_t id);

#endif
