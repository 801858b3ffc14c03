/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/fuzz_ike.h"

#include <stdlib.h>

static uint8_t room[IKE_MESSAGE_MAX];

void fuzz_require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* What stands behind the generic header of the only payload of a chain. */
static struct bytes only_body(const struct chain *chain)
{
    struct bytes all = wr_written(&chain->w);

    fuzz_require(all.len >= IKE_PAYLOAD_HEADER_LEN);
    return bytes_of(all.data + IKE_PAYLOAD_HEADER_LEN, all.len - IKE_PAYLOAD_HEADER_LEN);
}

void fuzz_ts(struct bytes body)
{
    static struct ts_list list, again;
    static char text[2][1024];
    struct chain chain = chain_of(room, sizeof room);

    if (ts_parse(&list, body) != OK) {
        return;
    }
    fuzz_require(list.n > 0 && list.n <= TS_MAX);
    ts_write(&chain, P_TSi, &list);
    fuzz_require(ts_parse(&again, only_body(&chain)) == OK);
    fuzz_require(list.n == again.n);
    fuzz_require(ts_list_within(&list, &again) && ts_list_within(&again, &list));
    fuzz_require(strcmp(ts_text(&list, text[0], sizeof text[0]),
                        ts_text(&again, text[1], sizeof text[1])) == 0);
}

void fuzz_cp(struct bytes body)
{
    struct chain chain = chain_of(room, sizeof room);
    struct reader r, again;
    struct cp_attr attr, same;
    uint8_t type, type_again;

    if (!cp_begin(&r, &type, body)) {
        return;
    }
    cp_write_begin(&chain, (enum cp_type)type);
    while (cp_next(&r, &attr)) {
        (void)cp_attribute_name(attr.type);
        cp_write_attr(&chain, attr.type, attr.value);
    }
    if (r.failed) {
        return;
    }
    chain_end(&chain);
    fuzz_require(cp_begin(&r, &type, body));
    fuzz_require(cp_begin(&again, &type_again, only_body(&chain)) && type == type_again);
    while (cp_next(&r, &attr)) {
        fuzz_require(cp_next(&again, &same) && attr.type == same.type &&
                     bytes_equal(attr.value, same.value));
    }
    fuzz_require(rd_done(&again));
}

static void fuzz_sa(struct bytes body)
{
    static struct proposal_list lists[2];
    static struct sa_proposal proposal;
    struct reader r = reader_of(body);
    struct suite suite = {0};
    struct bytes spi;

    if (lists[0].n == 0) {
        proposal_defaults(&lists[0], PROTO_IKE, true);
        proposal_defaults(&lists[1], PROTO_ESP, true);
    }
    while (sa_next(&r, &proposal)) {
        fuzz_require(proposal.n_transforms <= SA_TRANSFORMS_MAX);
    }
    if (sa_parse_choice(&suite, &spi, body, &lists[0]) == OK) {
        fuzz_require(suite.encr != NULL && suite.prf != NULL && suite.ke != NULL);
    }
    if (sa_parse_choice(&suite, &spi, body, &lists[1]) == OK) {
        fuzz_require(suite.encr != NULL && spi.len == 4);
    }
}

static void fuzz_id(struct bytes body)
{
    struct chain chain = chain_of(room, sizeof room);
    struct id id, again;
    char text[64];

    if (id_payload_parse(&id, body) != OK) {
        return;
    }
    (void)id_text(&id, text, sizeof text);
    id_payload_write(&chain, P_IDi, &id);
    fuzz_require(id_payload_parse(&again, only_body(&chain)) == OK);
    fuzz_require(id.type == again.type && id.len == again.len && id.len > 0);
}

static void fuzz_notify(struct bytes body)
{
    struct chain chain = chain_of(room, sizeof room);
    struct notify notify;

    if (notify_parse(&notify, body) == OK) {
        notify_write(&chain, notify.protocol, notify.spi, notify.type, notify.data);
        fuzz_require(bytes_equal(body, only_body(&chain)));
    }
}

static void fuzz_delete(struct bytes body)
{
    struct delete_payload payload;

    if (delete_parse(&payload, body) == OK) {
        fuzz_require(payload.spis.len == 4u * payload.n_spis || payload.protocol == PROTO_IKE);
    }
}

void fuzz_payloads(const struct message *message)
{
    static char line[TRACE_LINE_MAX];

    for (size_t i = 0; i < message->n_payloads; i++) {
        struct bytes body = message->payloads[i].body;
        struct ke_payload ke;
        struct auth_payload auth;
        struct bytes data;
        uint8_t encoding;

        /* Each body goes through every parser: a wrong type is one more malformed input. */
        fuzz_sa(body);
        fuzz_id(body);
        fuzz_notify(body);
        fuzz_delete(body);
        fuzz_ts(body);
        fuzz_cp(body);
        (void)!ke_parse(&ke, body);
        (void)!nonce_parse(&data, body);
        (void)!cert_parse(&encoding, &data, body);
        (void)!auth_parse(&auth, body);
    }
    for (size_t cap = 1; cap <= sizeof line; cap *= 2) {
        fuzz_require(memchr(trace_message(message, line, cap), '\0', cap) != NULL);
    }
}
