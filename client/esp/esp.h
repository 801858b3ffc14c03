/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_ESP_H
#define GODWIT_ESP_ESP_H

#include "common/addr.h"
#include "common/bytes.h"
#include "common/error.h"
#include "crypto/algs.h"

/* Tunnel-mode ESP (RFC 4303), one packet at a time, in place, without locks or allocation. The
 * threads are in datapath.h. */

#define ESP_REPLAY_WINDOW 4096 /* packets; a multiple of 64 */
#define ESP_SELECTORS_MAX 255  /* as many as one TS payload holds */

/* What may pass through an SA (RFC 4301 5.2): protocol 0 = any, ports in host order. */
struct esp_selector {
    uint8_t protocol;
    uint16_t port_low, port_high;
    struct addr start, end;
};

/* Everything about one direction of a Child SA. Keys are borrowed and copied. */
struct esp_params {
    uint32_t spi; /* host order */
    struct suite suite;
    struct bytes encr_key;                        /* key | salt */
    struct bytes integ_key;                       /* empty for AEAD */
    struct esp_selector local[ESP_SELECTORS_MAX]; /* our side, after narrowing */
    size_t n_local;
    struct esp_selector remote[ESP_SELECTORS_MAX]; /* the gateway's side */
    size_t n_remote;
    uint64_t first_sequence; /* of the first packet; 0 normally, meaning 1; tests start near 2^32 to
                                cross it */
};

/* Octets of ESP around an inner packet: header, IV, at most this much padding and trailer, ICV. */
size_t esp_headroom(const struct suite *suite); /* SPI, SN, IV */
size_t esp_tailroom(const struct suite *suite); /* longest padding, pad length, next header, ICV */
/* Octets of the ESP packet that esp_seal makes of an inner packet of `len` octets: exact. */
size_t esp_sealed_len(const struct suite *suite, size_t len);
/* Largest inner packet whose ESP-in-UDP datagram fits an outer path MTU: exact, padding included
 * (RFC 4303, RFC 3948). 0 when none fits. */
uint16_t esp_inner_mtu(const struct suite *suite, uint16_t path_mtu, enum family outer,
                       bool udp_encapsulated);

/* One of several packets of one SA: octets in place, and what became of them. */
struct esp_packet {
    uint8_t *data; /* to seal: the inner packet; to open: ESP, SPI first */
    size_t len;
    uint8_t ecn;       /* to open: of the outer header */
    uint64_t sequence; /* to seal: the number that esp_wrap() gave it */
    uint8_t *result;   /* sealed: ESP, SPI first; opened: the inner packet */
    size_t result_len;
    enum err err; /* as from esp_seal or esp_open */
};

struct crypt_lanes;

/* ---- outbound ---- */
struct flow; /* selector.h */
struct esp_out;
/* For use in the thread of `lanes` (crypt.h); NULL = GnuTLS. */
enum err esp_out_new(struct esp_out **out, const struct esp_params *params,
                     struct crypt_lanes *lanes) ERR_CHECK;
void esp_out_free(struct esp_out *sa);
/*
 * Turns the inner IP packet at `packet` (`len` octets, esp_headroom before it and esp_tailroom
 * behind it writable) into ESP in place; *esp and *esp_len name the result (SPI first). Does not
 * touch the inner header. ERR_STATE when the sequence number would cycle.
 */
enum err esp_seal(struct esp_out *sa, uint8_t *packet, size_t len, uint8_t **esp,
                  size_t *esp_len) ERR_CHECK;
/*
 * The same for many, in two steps. One thread wraps, in the order in which the packets are to be
 * sent: it gives each its number, header and trailer, and result and result_len are known. Several
 * threads may then encrypt what was wrapped at the same time, each as a sealer of its own, below
 * ESP_SEALERS, of which 0 is there from the beginning.
 */
#define ESP_SEALERS 2
void esp_wrap(struct esp_out *sa, struct esp_packet *packet);
void esp_encrypt(const struct esp_out *sa, unsigned sealer, struct esp_packet *packets, size_t n);
/* One more, of the thread of `lanes`; before packets are wrapped, with the same `params`. */
enum err esp_out_add_sealer(struct esp_out *sa, unsigned sealer, const struct esp_params *params,
                            struct crypt_lanes *lanes) ERR_CHECK;
bool esp_out_selects(const struct esp_out *sa, const struct flow *flow);

/* ---- inbound ---- */
struct esp_in;
enum err esp_in_new(struct esp_in **out, const struct esp_params *params,
                    struct crypt_lanes *lanes) ERR_CHECK;
void esp_in_free(struct esp_in *sa);
/*
 * Opens the ESP packet in place: check replay, verify and decrypt, commit replay (in that order).
 * *inner may be empty: a dummy packet (next header 59, OK) or one that the selectors, its next
 * header (not a tunnel) or ECN refuse (ERR_STATE). TFC padding behind the inner packet is cut by
 * its own length. ERR_REPLAY, ERR_INTEGRITY, ERR_SYNTAX otherwise. `outer_ecn` (0..3) is combined
 * into the inner header by RFC 6040.
 */
enum err esp_open(struct esp_in *sa, uint8_t *packet, size_t len, uint8_t outer_ecn,
                  uint8_t **inner, size_t *inner_len) ERR_CHECK;
/* As esp_open for each of any number of packets, in their order. */
void esp_open_batch(struct esp_in *sa, struct esp_packet *packets, size_t n);

/* DSCP|ECN octet for the outer header of an inner packet: ECN copied (RFC 6040 normal mode), DSCP
 * copied. */
uint8_t esp_outer_tos(const uint8_t *packet, size_t len);

#endif
