/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/message.h"

#define FRAGMENT_HEADER_LEN 4 /* Fragment Number, Total Fragments (RFC 7383 2.5) */
#define CRITICAL 0x80

enum err ike_header_parse(struct ike_header *out, struct bytes datagram)
{
    struct reader r = reader_of(datagram);
    struct ike_header header;

    header.spi_i = rd_u64(&r);
    header.spi_r = rd_u64(&r);
    header.next_payload = rd_u8(&r);
    header.version = rd_u8(&r);
    header.exchange = rd_u8(&r);
    header.flags = rd_u8(&r);
    header.message_id = rd_u32(&r);
    header.length = rd_u32(&r);
    if (r.failed || header.version >> 4 == 0) {
        return ERR_SYNTAX;
    }
    /* RFC 7296 2.5: the version decides before anything else is believed. */
    if (header.version >> 4 > IKE_VERSION >> 4) {
        *out = header;
        return ERR_UNSUPPORTED;
    }
    if (header.length != datagram.len) {
        return ERR_SYNTAX;
    }
    *out = header;
    return OK;
}

static bool type_is_known(uint8_t type)
{
    return (type >= P_SA && type <= P_EAP) || type == P_SKF;
}

static bool type_is_protected(uint8_t type)
{
    return type == P_SK || type == P_SKF;
}

/*
 * Walks a chain to its end before judging critical payloads, so that ERR_CRITICAL means "well
 * formed but for that one". `inner` is where the Next Payload of a closing SK or SKF goes; NULL
 * where those may not stand.
 */
static enum err walk(struct message *out, uint8_t type, struct bytes chain, uint8_t *inner,
                     uint8_t *unknown)
{
    struct reader r = reader_of(chain);
    bool critical_unknown = false;

    while (type != P_NONE) {
        struct payload *payload;
        uint8_t next = rd_u8(&r);
        uint8_t flags = rd_u8(&r);
        uint16_t length = rd_u16(&r);

        if (length < IKE_PAYLOAD_HEADER_LEN || out->n_payloads == IKE_PAYLOADS_MAX) {
            return ERR_SYNTAX;
        }
        payload = &out->payloads[out->n_payloads];
        payload->type = type;
        payload->critical = (flags & CRITICAL) != 0;
        payload->body = rd_bytes(&r, (size_t)length - IKE_PAYLOAD_HEADER_LEN);
        if (r.failed) {
            return ERR_SYNTAX;
        }
        out->n_payloads++;
        out->present |= type_is_known(type) ? P_BIT(type) : 0;
        /* RFC 7296 2.5: the critical bit of a payload type that we know says nothing. */
        if (payload->critical && !type_is_known(type) && !critical_unknown) {
            critical_unknown = true;
            *unknown = type;
        }
        if (type_is_protected(type)) {
            if (inner == NULL) {
                return ERR_SYNTAX;
            }
            *inner = next;
            next = P_NONE;
        }
        type = next;
    }
    if (!rd_done(&r)) {
        return ERR_SYNTAX;
    }
    return critical_unknown ? ERR_CRITICAL : OK;
}

enum err message_parse(struct message *out, struct bytes datagram, uint8_t *inner, uint8_t *unknown)
{
    enum err err;

    out->octets = datagram;
    out->n_payloads = 0;
    out->present = 0;
    *inner = P_NONE;
    *unknown = P_NONE;
    err = ike_header_parse(&out->header, datagram);
    if (err != OK) {
        return err;
    }
    /* The numbers of IKEv1 payloads mean other things (the class of strongSwan's CVE-2015-3991). */
    if (out->header.version >> 4 != IKE_VERSION >> 4) {
        return ERR_UNSUPPORTED;
    }
    return walk(out, out->header.next_payload,
                bytes_of(datagram.data + IKE_HEADER_LEN, datagram.len - IKE_HEADER_LEN), inner,
                unknown);
}

enum err message_parse_chain(struct message *out, uint8_t first, struct bytes chain,
                             uint8_t *unknown)
{
    *unknown = P_NONE;
    return walk(out, first, chain, NULL, unknown);
}

const struct payload *message_find(const struct message *message, uint8_t type, size_t n)
{
    for (size_t i = 0; i < message->n_payloads; i++) {
        if (message->payloads[i].type == type && n-- == 0) {
            return &message->payloads[i];
        }
    }
    return NULL;
}

/* ---- building ---- */

struct chain chain_of(uint8_t *out, size_t cap)
{
    return (struct chain){.w = writer_of(out, cap), .first = P_NONE};
}

void chain_begin(struct chain *chain, enum payload_type type)
{
    if (chain->n_payloads == 0) {
        chain->first = (uint8_t)type;
    } else {
        wr_patch_u8(&chain->w, chain->next_at, (uint8_t)type);
    }
    chain->n_payloads++;
    chain->payload_at = chain->w.len;
    chain->next_at = chain->w.len;
    wr_zeros(&chain->w, IKE_PAYLOAD_HEADER_LEN);
}

void chain_end(struct chain *chain)
{
    size_t length = chain->w.len - chain->payload_at;

    if (length > UINT16_MAX) {
        chain->w.failed = true;
        return;
    }
    wr_patch_u16(&chain->w, chain->payload_at + 2, (uint16_t)length);
}

void chain_add(struct chain *chain, enum payload_type type, struct bytes body)
{
    chain_begin(chain, type);
    wr_bytes(&chain->w, body);
    chain_end(chain);
}

static void write_header(struct writer *w, const struct ike_header *header, uint8_t next_payload,
                         size_t length)
{
    wr_u64(w, header->spi_i);
    wr_u64(w, header->spi_r);
    wr_u8(w, next_payload);
    wr_u8(w, header->version);
    wr_u8(w, header->exchange);
    wr_u8(w, header->flags);
    wr_u32(w, header->message_id);
    wr_u32(w, (uint32_t)length);
}

size_t message_write(const struct ike_header *header, const struct chain *chain, uint8_t *out,
                     size_t cap)
{
    struct writer w = writer_of(out, cap);
    size_t length = IKE_HEADER_LEN + chain->w.len;

    if (chain->w.failed || length > IKE_MESSAGE_MAX) {
        return 0;
    }
    write_header(&w, header, chain->first, length);
    wr_bytes(&w, wr_written(&chain->w));
    return w.failed ? 0 : w.len;
}

/* Octets of padding and of the Pad Length octet that make `len` a multiple of the cipher's block
 * (RFC 7296 3.14). */
static size_t padding_for(const struct crypt *crypt, size_t len)
{
    size_t block = crypt_block_len(crypt);

    return 1 + (block - (len + 1) % block) % block;
}

/*
 * What SK and SKF have in common: `extra` stands between the payload header and the IV and is
 * authenticated (RFC 7383 2.5).
 */
static size_t seal(const struct ike_header *header, enum payload_type type, uint8_t first_inner,
                   struct bytes extra, struct bytes text, struct crypt *crypt, uint64_t counter,
                   uint8_t *out, size_t cap)
{
    struct writer w = writer_of(out, cap);
    size_t padding = padding_for(crypt, text.len);
    size_t payload_len = IKE_PAYLOAD_HEADER_LEN + extra.len + crypt_iv_len(crypt) + text.len +
                         padding + crypt_icv_len(crypt);
    size_t aad_len;
    uint8_t *start;

    if (IKE_HEADER_LEN + payload_len > IKE_MESSAGE_MAX) {
        return 0;
    }
    write_header(&w, header, (uint8_t)type, IKE_HEADER_LEN + payload_len);
    wr_u8(&w, first_inner);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)payload_len);
    wr_bytes(&w, extra);
    aad_len = w.len;
    wr_zeros(&w, crypt_iv_len(crypt));
    start = wr_space(&w, text.len + padding);
    wr_zeros(&w, crypt_icv_len(crypt));
    if (w.failed) {
        return 0;
    }
    if (text.len > 0) {
        memcpy(start, text.data, text.len);
    }
    memset(start + text.len, 0, padding);
    start[text.len + padding - 1] = (uint8_t)(padding - 1);
    if (crypt_seal(crypt, counter, bytes_of(out, aad_len), (struct bytes){0}, start,
                   text.len + padding) != OK) {
        secret_wipe(out, w.len);
        return 0;
    }
    return w.len;
}

size_t message_seal(const struct ike_header *header, const struct chain *chain, struct crypt *crypt,
                    uint64_t counter, uint8_t *out, size_t cap)
{
    if (chain->w.failed) {
        return 0;
    }
    return seal(header, P_SK, chain->first, (struct bytes){0}, wr_written(&chain->w), crypt,
                counter, out, cap);
}

size_t message_seal_fragment(const struct ike_header *header, uint8_t first_inner,
                             struct bytes part, uint16_t number, uint16_t total,
                             struct crypt *crypt, uint64_t counter, uint8_t *out, size_t cap)
{
    uint8_t octets[FRAGMENT_HEADER_LEN];
    struct writer w = writer_of(octets, sizeof octets);

    wr_u16(&w, number);
    wr_u16(&w, total);
    return seal(header, P_SKF, number == 1 ? first_inner : P_NONE, wr_written(&w), part, crypt,
                counter, out, cap);
}

size_t message_room(const struct crypt *crypt, size_t message_max)
{
    size_t overhead =
        IKE_HEADER_LEN + IKE_PAYLOAD_HEADER_LEN + crypt_iv_len(crypt) + crypt_icv_len(crypt);
    size_t room = message_max > overhead ? message_max - overhead : 0;

    room -= room % crypt_block_len(crypt);
    return room > 0 ? room - 1 : 0;
}

size_t message_fragment_room(const struct crypt *crypt, size_t message_max)
{
    return message_room(crypt,
                        message_max > FRAGMENT_HEADER_LEN ? message_max - FRAGMENT_HEADER_LEN : 0);
}

/* ---- opening ---- */

static enum err open_payload(uint8_t *datagram, size_t len, const struct payload *payload,
                             size_t extra, struct crypt *crypt, struct bytes *plain)
{
    size_t at, text_len, padding;
    uint8_t *text;
    enum err err;

    if (payload->body.len < extra + 1 || payload->body.data < datagram ||
        payload->body.data + payload->body.len != datagram + len) {
        return ERR_SYNTAX;
    }
    at = (size_t)(payload->body.data - datagram) + extra;
    err = crypt_open(crypt, bytes_of(datagram, at), (struct bytes){0}, datagram + at, len - at,
                     &text, &text_len);
    if (err != OK) {
        return err;
    }
    if (text_len == 0) {
        return ERR_SYNTAX;
    }
    padding = (size_t)text[text_len - 1] + 1;
    if (padding > text_len) {
        return ERR_SYNTAX;
    }
    *plain = bytes_of(text, text_len - padding);
    return OK;
}

enum err message_open(uint8_t *datagram, size_t len, const struct payload *sk, struct crypt *crypt,
                      struct bytes *plain)
{
    return open_payload(datagram, len, sk, 0, crypt, plain);
}

enum err message_open_fragment(uint8_t *datagram, size_t len, const struct payload *skf,
                               struct crypt *crypt, struct bytes *plain, uint16_t *number,
                               uint16_t *total)
{
    struct reader r = reader_of(skf->body);
    uint16_t n = rd_u16(&r);
    uint16_t of = rd_u16(&r);
    enum err err;

    if (r.failed || n == 0 || n > of) {
        return ERR_SYNTAX;
    }
    err = open_payload(datagram, len, skf, FRAGMENT_HEADER_LEN, crypt, plain);
    if (err == OK) {
        *number = n;
        *total = of;
    }
    return err;
}
