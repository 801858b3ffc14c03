/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/payload.h"

#define RESERVED_LEN 3 /* behind the first octet of ID, AUTH, TS and CP */

/* ---- KE (RFC 7296 3.4), nonce (3.9) ---- */

enum err ke_parse(struct ke_payload *out, struct bytes body)
{
    struct reader r = reader_of(body);
    struct ke_payload ke;

    ke.group = rd_u16(&r);
    rd_skip(&r, 2);
    ke.data = rd_rest(&r);
    if (r.failed || ke.data.len == 0) {
        return ERR_SYNTAX;
    }
    *out = ke;
    return OK;
}

void ke_write(struct chain *chain, uint16_t group, struct bytes data)
{
    chain_begin(chain, P_KE);
    wr_u16(&chain->w, group);
    wr_zeros(&chain->w, 2);
    wr_bytes(&chain->w, data);
    chain_end(chain);
}

enum err nonce_parse(struct bytes *out, struct bytes body)
{
    if (body.len < NONCE_MIN || body.len > NONCE_MAX) {
        return ERR_SYNTAX;
    }
    *out = body;
    return OK;
}

/* ---- ID (RFC 7296 3.5) ---- */

enum err id_payload_parse(struct id *out, struct bytes body)
{
    struct reader r = reader_of(body);
    uint8_t type = rd_u8(&r);
    struct bytes data;

    rd_skip(&r, RESERVED_LEN);
    data = rd_rest(&r);
    return !r.failed && id_from_wire(out, type, data) ? OK : ERR_SYNTAX;
}

void id_payload_write(struct chain *chain, enum payload_type type, const struct id *id)
{
    chain_begin(chain, type);
    wr_u8(&chain->w, (uint8_t)id->type);
    wr_zeros(&chain->w, RESERVED_LEN);
    wr_bytes(&chain->w, bytes_of(id->data, id->len));
    chain_end(chain);
}

/* ---- CERT, CERTREQ (RFC 7296 3.6, 3.7) ---- */

enum err cert_parse(uint8_t *encoding, struct bytes *data, struct bytes body)
{
    struct reader r = reader_of(body);
    uint8_t octet = rd_u8(&r);

    if (r.failed) {
        return ERR_SYNTAX;
    }
    *encoding = octet;
    *data = rd_rest(&r);
    return OK;
}

void cert_write(struct chain *chain, enum payload_type type, uint8_t encoding, struct bytes data)
{
    chain_begin(chain, type);
    wr_u8(&chain->w, encoding);
    wr_bytes(&chain->w, data);
    chain_end(chain);
}

/* ---- AUTH (RFC 7296 3.8) ---- */

enum err auth_parse(struct auth_payload *out, struct bytes body)
{
    struct reader r = reader_of(body);
    struct auth_payload auth;

    auth.method = rd_u8(&r);
    rd_skip(&r, RESERVED_LEN);
    auth.data = rd_rest(&r);
    if (r.failed || auth.data.len == 0) {
        return ERR_SYNTAX;
    }
    *out = auth;
    return OK;
}

void auth_write(struct chain *chain, uint8_t method, struct bytes data)
{
    chain_begin(chain, P_AUTH);
    wr_u8(&chain->w, method);
    wr_zeros(&chain->w, RESERVED_LEN);
    wr_bytes(&chain->w, data);
    chain_end(chain);
}

/* ---- delete (RFC 7296 3.11) ---- */

enum err delete_parse(struct delete_payload *out, struct bytes body)
{
    struct reader r = reader_of(body);
    struct delete_payload payload;
    bool ike;

    payload.protocol = rd_u8(&r);
    payload.spi_octets = rd_u8(&r);
    payload.n_spis = rd_u16(&r);
    payload.spis = rd_rest(&r);
    ike = payload.protocol == PROTO_IKE;
    if (r.failed || (!ike && payload.protocol != PROTO_AH && payload.protocol != PROTO_ESP) ||
        payload.spi_octets != (ike ? 0 : 4) ||
        payload.spis.len != (size_t)payload.n_spis * payload.spi_octets) {
        return ERR_SYNTAX;
    }
    *out = payload;
    return OK;
}

void delete_write(struct chain *chain, uint8_t protocol, const uint32_t *spis, size_t n_spis)
{
    bool ike = protocol == PROTO_IKE;

    chain_begin(chain, P_DELETE);
    wr_u8(&chain->w, protocol);
    wr_u8(&chain->w, ike ? 0 : 4);
    wr_u16(&chain->w, (uint16_t)(ike ? 0 : n_spis));
    for (size_t i = 0; !ike && i < n_spis; i++) {
        wr_u32(&chain->w, spis[i]);
    }
    chain_end(chain);
}

/* ---- names ---- */

const char *exchange_name(uint8_t exchange)
{
    static const char *const names[] = {
        "IKE_SA_INIT",        "IKE_AUTH",         "CREATE_CHILD_SA",  "INFORMATIONAL",
        "IKE_SESSION_RESUME", "GSA_AUTH",         "GSA_REGISTRATION", "GSA_REKEY",
        "GSA_INBAND_REKEY",   "IKE_INTERMEDIATE", "IKE_FOLLOWUP_KE",
    };

    if (exchange < X_IKE_SA_INIT ||
        (size_t)(exchange - X_IKE_SA_INIT) >= sizeof names / sizeof names[0]) {
        return "exchange ?";
    }
    return names[exchange - X_IKE_SA_INIT];
}

const char *payload_name(uint8_t type)
{
    static const char *const names[] = {
        "SA",  "KE",  "IDi", "IDr", "CERT", "CERTREQ", "AUTH", "Nonce", "N",  "D",   "V",
        "TSi", "TSr", "SK",  "CP",  "EAP",  "GSPM",    "IDg",  "GSA",   "KD", "SKF", "PS",
    };

    if (type < P_SA || (size_t)(type - P_SA) >= sizeof names / sizeof names[0]) {
        return "?";
    }
    return names[type - P_SA];
}
