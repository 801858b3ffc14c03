/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

#include <stdio.h>

#include "eap/eap.h"
#include "eap/mschapv2_crypto.h"

/* The authenticator's side of EAP-Identity and EAP-MSCHAPv2 (RFC 3748, RFC 2759,
 * draft-kamath-pppext-eap-mschapv2). */

enum eap_code { CODE_REQUEST = 1, CODE_RESPONSE = 2, CODE_SUCCESS = 3, CODE_FAILURE = 4 };
enum mschap_code { OP_CHALLENGE = 1, OP_RESPONSE = 2, OP_SUCCESS = 3, OP_FAILURE = 4 };

#define RESPONSE_VALUE_LEN 49 /* peer challenge, 8 zeros, NT response, flags */

static void write_packet(struct gateway *gateway, struct chain *reply, enum eap_code code,
                         uint8_t type, struct bytes data)
{
    size_t len = 4u + (type != 0) + data.len;

    chain_begin(reply, P_EAP);
    wr_u8(&reply->w, (uint8_t)code);
    wr_u8(&reply->w, gateway->eap_id);
    wr_u16(&reply->w, (uint16_t)len);
    if (type != 0) {
        wr_u8(&reply->w, type);
    }
    wr_bytes(&reply->w, data);
    chain_end(reply);
}

static void finish(struct gateway *gateway, struct chain *reply, enum eap_code code)
{
    write_packet(gateway, reply, code, 0, (struct bytes){0});
}

void gateway_eap_begin(struct gateway *gateway, struct chain *reply)
{
    gateway->eap_id = 1;
    if (gateway->config.success_at_once) {
        finish(gateway, reply, CODE_SUCCESS);
        gateway->phase = GATEWAY_FINAL_AUTH;
        return;
    }
    write_packet(gateway, reply, CODE_REQUEST, EAP_IDENTITY, (struct bytes){0});
    gateway->phase = GATEWAY_EAP_IDENTITY;
}

static void write_mschap(struct gateway *gateway, struct chain *reply, enum mschap_code op,
                         struct bytes value, const char *text)
{
    uint8_t buffer[256];
    struct writer w = writer_of(buffer, sizeof buffer);
    size_t text_len = strlen(text);

    wr_u8(&w, (uint8_t)op);
    wr_u8(&w, gateway->eap_id);
    wr_u16(&w, (uint16_t)(4 + (value.len > 0 ? 1 + value.len : 0) + text_len));
    if (value.len > 0) {
        wr_u8(&w, (uint8_t)value.len);
        wr_bytes(&w, value);
    }
    wr_bytes(&w, bytes_of(text, text_len));
    write_packet(gateway, reply, CODE_REQUEST, EAP_MSCHAPV2, wr_written(&w));
}

static void challenge(struct gateway *gateway, struct chain *reply)
{
    sim_require(rng_fill(&gateway->rng, gateway->challenge, sizeof gateway->challenge) == OK,
                "challenge");
    write_mschap(gateway, reply, OP_CHALLENGE,
                 bytes_of(gateway->challenge, sizeof gateway->challenge), "gw");
    gateway->phase = GATEWAY_EAP_RESPONSE;
}

static void fail(struct gateway *gateway, struct chain *reply, unsigned error)
{
    char text[128];

    snprintf(text, sizeof text, "E=%u R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=No", error);
    write_mschap(gateway, reply, OP_FAILURE, (struct bytes){0}, text);
    gateway->phase = GATEWAY_EAP_FAILED;
}

static void check_response(struct gateway *gateway, struct reader *r, struct chain *reply)
{
    uint8_t hash[MSCHAPV2_HASH_LEN], short_challenge[8];
    uint8_t expected[MSCHAPV2_NT_RESPONSE_LEN], proof[MSCHAPV2_AUTHENTICATOR_LEN];
    uint8_t op = rd_u8(r);
    uint8_t value_len;
    struct bytes peer, response, name;
    char text[64] = "S=";

    rd_skip(r, 3);
    value_len = rd_u8(r);
    peer = rd_bytes(r, MSCHAPV2_CHALLENGE_LEN);
    rd_skip(r, 8);
    response = rd_bytes(r, MSCHAPV2_NT_RESPONSE_LEN);
    rd_skip(r, 1);
    name = rd_rest(r);
    sim_require(!r->failed && op == OP_RESPONSE && value_len == RESPONSE_VALUE_LEN,
                "the client's MSCHAPv2 response");
    sim_require(mschapv2_password_hash(bytes_of_string(PKI_PASSWORD), hash) == OK, "MD4");
    mschapv2_challenge_hash(peer.data, gateway->challenge, name, short_challenge);
    mschapv2_nt_response(short_challenge, hash, expected);
    if (gateway->config.mschap_error != 0 ||
        !bytes_equal(response, bytes_of(expected, sizeof expected)) ||
        !bytes_equal(name, bytes_of_string(PKI_USER))) {
        fail(gateway, reply,
             gateway->config.mschap_error != 0 ? gateway->config.mschap_error : 691);
        return;
    }
    mschapv2_authenticator_response(short_challenge, hash, expected, proof);
    mschapv2_msk(hash, expected, gateway->msk);
    for (size_t i = 0; i < sizeof proof; i++) {
        snprintf(text + 2 + 2 * i, 3, "%02X", proof[i]);
    }
    write_mschap(gateway, reply, OP_SUCCESS, (struct bytes){0}, text);
    gateway->phase = GATEWAY_EAP_ACK;
}

void gateway_eap(struct gateway *gateway, struct bytes packet, struct chain *reply)
{
    struct reader r = reader_of(packet);
    uint8_t code = rd_u8(&r), id = rd_u8(&r), type;

    rd_skip(&r, 2);
    type = rd_u8(&r);
    gateway->saw_credential = true;
    gateway->credential_before_proof |= !gateway->sent_proof || gateway->config.wrong_auth ||
                                        gateway->config.impostor || gateway->config.wrong_name;
    sim_require(!r.failed && code == CODE_RESPONSE && id == gateway->eap_id &&
                    (type == EAP_IDENTITY || type == EAP_MSCHAPV2),
                "the client's EAP packet");
    gateway->eap_id++;
    switch (gateway->phase) {
    case GATEWAY_EAP_IDENTITY:
        if (gateway->config.success_early) {
            finish(gateway, reply, CODE_SUCCESS);
            gateway->phase = GATEWAY_FINAL_AUTH;
        } else {
            challenge(gateway, reply);
        }
        break;
    case GATEWAY_EAP_RESPONSE:
        check_response(gateway, &r, reply);
        break;
    case GATEWAY_EAP_ACK:
        finish(gateway, reply, CODE_SUCCESS);
        gateway->phase = GATEWAY_FINAL_AUTH;
        break;
    case GATEWAY_EAP_FAILED:
        finish(gateway, reply, CODE_FAILURE);
        gateway->phase = GATEWAY_CLOSED;
        break;
    case GATEWAY_IDLE:
    case GATEWAY_INIT_DONE:
    case GATEWAY_FINAL_AUTH:
    case GATEWAY_UP:
    case GATEWAY_CLOSED:
        break;
    }
}
