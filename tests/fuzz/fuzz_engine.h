/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_FUZZ_ENGINE_H
#define GODWIT_TESTS_FUZZ_ENGINE_H

#include "ike/payload.h"

/*
 * Inputs of fuzz_engine: one octet with the state that the engine is brought to, then records: op,
 * which IKE SA, exchange, type of the first payload, length (2 octets), data.
 */

enum fuzz_state {
    FUZZ_INIT,        /* IKE_SA_INIT is out */
    FUZZ_AUTH,        /* IKE_AUTH is out, with PSK */
    FUZZ_EAP_AUTH,    /* without a proof of ours */
    FUZZ_EAP,         /* EAP runs */
    FUZZ_UP,          /* established */
    FUZZ_NETWORKS,    /* established, and a second Child SA is asked for */
    FUZZ_CHILDLESS,   /* established without a Child SA yet */
    FUZZ_REKEY_CHILD, /* our request is out */
    FUZZ_REKEY_IKE,
    FUZZ_CLOSE,
    FUZZ_RESUME,      /* IKE_SESSION_RESUME is out */
    FUZZ_RESUME_AUTH, /* IKE_AUTH is out, by the ticket */
    FUZZ_STATES
};

enum fuzz_op {
    FUZZ_RAW,      /* a datagram as it is */
    FUZZ_RESPONSE, /* sealed, to our request in flight */
    FUZZ_REQUEST,  /* sealed, with the next message ID */
    FUZZ_REPEATED, /* sealed, with another message ID */
    FUZZ_CLEAR,    /* payloads of IKE_SA_INIT or IKE_SESSION_RESUME */
    FUZZ_TIME,     /* 2^first microseconds pass */
    FUZZ_CALL,     /* of the carrier's functions */
    FUZZ_OPS       /* op / FUZZ_OPS: in so many fragments */
};

struct fuzz_record {
    uint8_t op, which, exchange, first;
    struct bytes data;
};

#define FUZZ_IKE_SUITE "aes128gcm16-prfsha256-x25519"
#define FUZZ_ESP_SUITE "aes128gcm16-noesn"

static inline bool fuzz_next(struct reader *r, struct fuzz_record *out)
{
    size_t len;

    out->op = rd_u8(r);
    out->which = rd_u8(r);
    out->exchange = rd_u8(r);
    out->first = rd_u8(r);
    len = rd_u16(r);
    out->data = rd_bytes(r, len < r->left ? len : r->left);
    return !r->failed;
}

/* CFG_REPLY with an address */
static inline void fuzz_write_config(struct chain *chain)
{
    cp_write_begin(chain, CFG_REPLY);
    cp_write_attr(chain, INTERNAL_IP4_ADDRESS, bytes_of("\x0a\x63\0\5", 4));
    chain_end(chain);
}

/* SA with the n-th proposal that was offered, TSi and TSr 10.0.0.0/16 */
static inline void fuzz_write_child(struct chain *chain, uint8_t number)
{
    static struct ts_list ts;
    struct proposal_list choice;
    struct bytes at;
    const char *why;

    if (proposal_parse(&choice, PROTO_ESP, FUZZ_ESP_SUITE, false, &at, &why)) {
        sa_write_choice(chain, number, &choice.items[0], bytes_of("\xc0\xff\xee\1", 4));
    }
    ts.n = 1;
    ts.items[0] = (struct ts){.port_high = UINT16_MAX};
    ts.items[0].start = ts.items[0].end =
        (struct addr){.family = FAMILY_IPV4, .octets = {10, 99, 0, 5}};
    ts_write(chain, P_TSi, &ts);
    ts.items[0].start = ts.items[0].end = (struct addr){.family = FAMILY_IPV4, .octets = {10}};
    ts.items[0].end.octets[2] = ts.items[0].end.octets[3] = 0xff;
    ts_write(chain, P_TSr, &ts);
}

#endif
