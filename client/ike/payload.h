/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_PAYLOAD_H
#define GODWIT_IKE_PAYLOAD_H

#include "common/addr.h"
#include "crypto/algs.h"
#include "crypto/cert.h"
#include "ike/message.h"

/* The bodies of payloads: each has a parser that validates and then fills a struct, and a writer.
 * Pure; borrowed octets stay borrowed. */

/* ---- SA (RFC 7296 3.3) ---- */
#define SA_TRANSFORMS_MAX 128
struct sa_transform {
    uint8_t type;
    uint16_t id;
    uint16_t key_bits; /* 0 = no Key Length attribute */
    bool unknown_attribute;
};
struct sa_proposal {
    uint8_t number;
    uint8_t protocol;
    struct bytes spi;
    struct sa_transform transforms[SA_TRANSFORMS_MAX];
    size_t n_transforms;
};
/* Walks the proposals of an SA body: `for (r = reader_of(body); sa_next(&r, &p); )`; afterwards
 * r.failed tells of bad syntax. */
bool sa_next(struct reader *r, struct sa_proposal *out);
/* Writes all proposals of a list, numbered from 1, each with `spi` (empty for the first IKE SA). */
void sa_write(struct chain *chain, const struct proposal_list *list, struct bytes spi);
/* Writes one proposal as a responder does: the offer's number, one transform of each type in
 * `choice`. */
void sa_write_choice(struct chain *chain, uint8_t number, const struct proposal *choice,
                     struct bytes spi);
/*
 * The responder's choice: exactly one proposal, whose number and transforms we offered, one per
 * type, PRF etc. as the protocol needs. ERR_SYNTAX when malformed, ERR_UNSUPPORTED when it chose
 * what was not offered. *spi is the responder's (ESP 4 octets; IKE 8 in a rekey, else empty). A
 * missing sequence-number transform means 32 bits where we offered them.
 */
enum err sa_parse_choice(struct suite *out, struct bytes *spi, struct bytes body,
                         const struct proposal_list *offered) ERR_CHECK;

/* ---- KE, nonce ---- */
struct ke_payload {
    uint16_t group;
    struct bytes data;
};
enum err ke_parse(struct ke_payload *out, struct bytes body) ERR_CHECK;
void ke_write(struct chain *chain, uint16_t group, struct bytes data);
#define NONCE_MIN 16
#define NONCE_MAX 256
/* 16..256 octets (RFC 7296 3.9) */
enum err nonce_parse(struct bytes *out, struct bytes body) ERR_CHECK;

/* ---- ID, CERT, CERTREQ, AUTH, EAP ---- */
enum err id_payload_parse(struct id *out, struct bytes body) ERR_CHECK;
void id_payload_write(struct chain *chain, enum payload_type type, const struct id *id);
#define CERT_ENCODING_X509_SIGNATURE 4
/* Both for CERT and for CERTREQ. */
enum err cert_parse(uint8_t *encoding, struct bytes *data, struct bytes body) ERR_CHECK;
void cert_write(struct chain *chain, enum payload_type type, uint8_t encoding, struct bytes data);
struct auth_payload {
    uint8_t method;
    struct bytes data;
};
enum err auth_parse(struct auth_payload *out, struct bytes body) ERR_CHECK;
void auth_write(struct chain *chain, uint8_t method, struct bytes data);

/* ---- notify (RFC 7296 3.10) ---- */
enum notify_type {
    N_UNSUPPORTED_CRITICAL_PAYLOAD = 1,
    N_INVALID_IKE_SPI = 4,
    N_INVALID_MAJOR_VERSION = 5,
    N_INVALID_SYNTAX = 7,
    N_INVALID_MESSAGE_ID = 9,
    N_INVALID_SPI = 11,
    N_NO_PROPOSAL_CHOSEN = 14,
    N_INVALID_KE_PAYLOAD = 17,
    N_AUTHENTICATION_FAILED = 24,
    N_SINGLE_PAIR_REQUIRED = 34,
    N_NO_ADDITIONAL_SAS = 35,
    N_INTERNAL_ADDRESS_FAILURE = 36,
    N_FAILED_CP_REQUIRED = 37,
    N_TS_UNACCEPTABLE = 38,
    N_INVALID_SELECTORS = 39,
    N_UNACCEPTABLE_ADDRESSES = 40,
    N_UNEXPECTED_NAT_DETECTED = 41,
    N_TEMPORARY_FAILURE = 43,
    N_CHILD_SA_NOT_FOUND = 44,
    N_AUTHORIZATION_FAILED = 46,
    N_STATUS_FIRST = 16384,
    N_INITIAL_CONTACT = 16384,
    N_SET_WINDOW_SIZE = 16385,
    N_ADDITIONAL_TS_POSSIBLE = 16386,
    N_IPCOMP_SUPPORTED = 16387,
    N_NAT_DETECTION_SOURCE_IP = 16388,
    N_NAT_DETECTION_DESTINATION_IP = 16389,
    N_COOKIE = 16390,
    N_USE_TRANSPORT_MODE = 16391,
    N_HTTP_CERT_LOOKUP_SUPPORTED = 16392,
    N_REKEY_SA = 16393,
    N_ESP_TFC_PADDING_NOT_SUPPORTED = 16394,
    N_NON_FIRST_FRAGMENTS_ALSO = 16395,
    N_MOBIKE_SUPPORTED = 16396,
    N_ADDITIONAL_IP4_ADDRESS = 16397,
    N_ADDITIONAL_IP6_ADDRESS = 16398,
    N_NO_ADDITIONAL_ADDRESSES = 16399,
    N_UPDATE_SA_ADDRESSES = 16400,
    N_COOKIE2 = 16401,
    N_NO_NATS_ALLOWED = 16402,
    N_AUTH_LIFETIME = 16403,
    N_MULTIPLE_AUTH_SUPPORTED = 16404,
    N_REDIRECT_SUPPORTED = 16406,
    N_REDIRECT = 16407,
    N_REDIRECTED_FROM = 16408,
    N_TICKET_LT_OPAQUE = 16409,
    N_TICKET_REQUEST = 16410,
    N_TICKET_ACK = 16411,
    N_TICKET_NACK = 16412,
    N_TICKET_OPAQUE = 16413,
    N_EAP_ONLY_AUTHENTICATION = 16417,
    N_CHILDLESS_IKEV2_SUPPORTED = 16418,
    N_QCD_TOKEN = 16419,
    N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED = 16420,
    N_IKEV2_MESSAGE_ID_SYNC = 16422,
    N_IPSEC_REPLAY_COUNTER_SYNC = 16423,
    N_FRAGMENTATION_SUPPORTED = 16430,
    N_SIGNATURE_HASH_ALGORITHMS = 16431,
};
struct notify {
    uint8_t protocol;
    struct bytes spi;
    uint16_t type;
    struct bytes data;
};
enum err notify_parse(struct notify *out, struct bytes body) ERR_CHECK;
void notify_write(struct chain *chain, uint8_t protocol, struct bytes spi, uint16_t type,
                  struct bytes data);
/* The first notify of that type; false when there is none. */
bool notify_find(const struct message *message, uint16_t type, struct notify *out);
static inline bool notify_is_error(uint16_t type)
{
    return type < N_STATUS_FIRST;
}
/* "NO_PROPOSAL_CHOSEN" or "NOTIFY 8192"; every type of the IANA list. Returns out. */
const char *notify_name(uint16_t type, char *out, size_t cap);

/* ---- delete (RFC 7296 3.11) ---- */
struct delete_payload {
    uint8_t protocol; /* PROTO_IKE: no SPIs */
    uint8_t spi_octets;
    uint16_t n_spis;
    struct bytes spis;
};
enum err delete_parse(struct delete_payload *out, struct bytes body) ERR_CHECK;
void delete_write(struct chain *chain, uint8_t protocol, const uint32_t *spis, size_t n_spis);

/* ---- traffic selectors (RFC 7296 3.13) ---- */
#define TS_MAX 255 /* as many as the count octet can say: nothing is ever dropped */
struct ts {
    uint8_t protocol; /* 0 = any */
    uint16_t port_low, port_high;
    struct addr start, end; /* same family, start <= end */
};
struct ts_list {
    struct ts items[TS_MAX];
    size_t n;
};
/* Selectors of types other than 7 and 8 are skipped; count mismatch, bad length, start > end are
 * ERR_SYNTAX; none left is ERR_UNSUPPORTED. */
enum err ts_parse(struct ts_list *out, struct bytes body) ERR_CHECK;
void ts_write(struct chain *chain, enum payload_type type, const struct ts_list *list);
/* Every selector of `inner` lies within one of `outer`. */
bool ts_list_within(const struct ts_list *inner, const struct ts_list *outer);
/* What both lists let through, as a responder narrows (RFC 7296 2.9); false when it is nothing.
 * `out` is neither of them. */
bool ts_list_intersect(struct ts_list *out, const struct ts_list *a, const struct ts_list *b);
/* What is left of `from` without the addresses of `less`, as far as those let through what `from`
 * does; false when it is nothing. `out` is neither of them. */
bool ts_list_subtract(struct ts_list *out, const struct ts_list *from, const struct ts_list *less);
/* "10.0.0.0/8, 192.0.2.1-192.0.2.9 tcp/443"; returns out. */
const char *ts_text(const struct ts_list *list, char *out, size_t cap);

/* ---- configuration (RFC 7296 3.15, RFC 8598) ---- */
enum cp_type { CFG_REQUEST = 1, CFG_REPLY = 2, CFG_SET = 3, CFG_ACK = 4 };
enum cp_attribute {
    INTERNAL_IP4_ADDRESS = 1,
    INTERNAL_IP4_NETMASK = 2,
    INTERNAL_IP4_DNS = 3,
    INTERNAL_IP4_NBNS = 4,
    INTERNAL_IP4_DHCP = 6,
    APPLICATION_VERSION = 7,
    INTERNAL_IP6_ADDRESS = 8,
    INTERNAL_IP6_DNS = 10,
    INTERNAL_IP6_DHCP = 12,
    INTERNAL_IP4_SUBNET = 13,
    SUPPORTED_ATTRIBUTES = 14,
    INTERNAL_IP6_SUBNET = 15,
    INTERNAL_DNS_DOMAIN = 25,
    INTERNAL_DNSSEC_TA = 26,
    INTERNAL_IP4_SERVER_MS = 23456,
    INTERNAL_IP6_SERVER_MS = 23457,
    UNITY_BANNER = 28672,
    UNITY_SAVE_PASSWD = 28673,
    UNITY_DEF_DOMAIN = 28674,
    UNITY_SPLITDNS_NAME = 28675,
    UNITY_SPLIT_INCLUDE = 28676,
    UNITY_LOCAL_LAN = 28678,
};
struct cp_attr {
    uint16_t type;
    struct bytes value;
};
/* Reads the CFG type, then walks: `if (cp_begin(&r, &cfg, body)) while (cp_next(&r, &attr)) …`;
 * r.failed tells of bad syntax. */
bool cp_begin(struct reader *r, uint8_t *cfg_type, struct bytes body);
bool cp_next(struct reader *r, struct cp_attr *out);
/* Opens a CP payload; write attributes, then chain_end(). */
void cp_write_begin(struct chain *chain, enum cp_type type);
void cp_write_attr(struct chain *chain, uint16_t type, struct bytes value);
const char *cp_attribute_name(uint16_t type); /* NULL when unknown */

/* ---- names for traces ---- */
const char *exchange_name(uint8_t exchange); /* "IKE_AUTH"; "exchange ?" when unknown */
const char *payload_name(uint8_t type);      /* "SA", "TSi"; "?" when unknown */

#endif
