/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "crypto/crypt.h"
#include "esp/esp.h"
#include "esp/ip.h"
#include "esp/replay.h"
#include "esp/selector.h"
#include "esp/wire.h"

#define HEADER 8u  /* SPI, sequence number */
#define TRAILER 2u /* pad length, next header */
#define UDP_ENCAPSULATION 8u

#define NEXT_DUMMY 59 /* RFC 4303 2.6 */

/* Lengths that follow from the algorithms alone. */
struct layout {
    size_t iv;
    size_t icv;
    size_t align; /* ciphertext is a multiple: the cipher's block, and 4 for the trailer (RFC
                     4303 2.4) */
};

static struct layout layout_of(const struct suite *suite)
{
    size_t block = suite->encr->block_octets;
    return (struct layout){
        .iv = suite->encr->iv_octets,
        .icv = suite->integ != NULL ? suite->integ->icv_octets : suite->encr->icv_octets,
        .align = block > 4 ? block : 4,
    };
}

static size_t padded(const struct layout *layout, size_t len)
{
    return (len + TRAILER + layout->align - 1) / layout->align * layout->align;
}

size_t esp_headroom(const struct suite *suite)
{
    return HEADER + layout_of(suite).iv;
}

size_t esp_tailroom(const struct suite *suite)
{
    struct layout layout = layout_of(suite);
    return layout.align - 1 + TRAILER + layout.icv;
}

size_t esp_sealed_len(const struct suite *suite, size_t len)
{
    struct layout layout = layout_of(suite);
    return HEADER + layout.iv + padded(&layout, len) + layout.icv;
}

uint16_t esp_inner_mtu(const struct suite *suite, uint16_t path_mtu, enum family outer,
                       bool udp_encapsulated)
{
    struct layout layout = layout_of(suite);
    size_t fixed = (outer == FAMILY_IPV6 ? IPV6_HEADER : IPV4_HEADER) +
                   (udp_encapsulated ? UDP_ENCAPSULATION : 0) + HEADER + layout.iv + layout.icv;
    if (path_mtu < fixed + layout.align) {
        return 0;
    }
    return (uint16_t)((path_mtu - fixed) / layout.align * layout.align - TRAILER);
}

uint8_t esp_outer_tos(const uint8_t *packet, size_t len)
{
    return len < 2 ? 0 : ip_tos(packet);
}

/* What both directions need. */
struct sa {
    uint32_t spi;
    bool esn;
    bool aead;
    struct layout layout;
    struct crypt *crypt;
    struct selectors selectors;
};

static void sa_free(struct sa *sa)
{
    crypt_free(sa->crypt);
    selectors_free(&sa->selectors);
}

static enum err sa_init(struct sa *sa, const struct esp_params *params)
{
    *sa = (struct sa){
        .spi = params->spi,
        .esn = params->suite.esn,
        .aead = (params->suite.encr->flags & ALG_AEAD) != 0,
        .layout = layout_of(&params->suite),
    };
    enum err err = selectors_init(&sa->selectors, params);
    if (err == OK) {
        err = crypt_new(&sa->crypt, params->suite.encr, params->suite.integ, params->encr_key,
                        params->integ_key);
    }
    if (err != OK) {
        sa_free(sa);
    }
    return err;
}

/*
 * The octets authenticated beside the packet's own. SPI and the low half stand before the IV on the
 * wire; the high half of an extended number goes between them for AEAD (RFC 4106 5) and behind the
 * ciphertext for a MAC (RFC 4303 2.2.1).
 */
struct associated {
    uint8_t aad[12];
    uint8_t high[4];
    struct bytes head, tail;
};

static void associate(const struct sa *sa, uint64_t sequence, struct associated *out)
{
    put_u32(out->aad, sa->spi);
    put_u32(out->high, (uint32_t)(sequence >> 32));
    out->tail = bytes_of(NULL, 0);
    if (!sa->esn) {
        put_u32(out->aad + 4, (uint32_t)sequence);
        out->head = bytes_of(out->aad, 8);
    } else if (sa->aead) {
        memcpy(out->aad + 4, out->high, 4);
        put_u32(out->aad + 8, (uint32_t)sequence);
        out->head = bytes_of(out->aad, 12);
    } else {
        put_u32(out->aad + 4, (uint32_t)sequence);
        out->head = bytes_of(out->aad, 8);
        out->tail = bytes_of(out->high, 4);
    }
}

/* ---- outbound ---- */

struct esp_out {
    struct sa sa;
    uint64_t next; /* sequence number of the next packet, 0 = exhausted */
    uint64_t last; /* highest allowed */
};

enum err esp_out_new(struct esp_out **out, const struct esp_params *params)
{
    *out = NULL;
    struct esp_out *sa = calloc(1, sizeof(*sa));
    if (sa == NULL) {
        return ERR_MEMORY;
    }
    enum err err = sa_init(&sa->sa, params);
    if (err != OK) {
        free(sa);
        return err;
    }
    sa->next = params->first_sequence == 0 ? 1 : params->first_sequence;
    sa->last = sa->sa.esn ? UINT64_MAX : UINT32_MAX;
    *out = sa;
    return OK;
}

void esp_out_free(struct esp_out *sa)
{
    if (sa != NULL) {
        sa_free(&sa->sa);
        free(sa);
    }
}

enum err esp_seal(struct esp_out *sa, uint8_t *packet, size_t len, uint8_t **esp, size_t *esp_len)
{
    const struct layout *layout = &sa->sa.layout;
    if (sa->next == 0 || sa->next > sa->last) {
        return ERR_STATE;
    }
    uint64_t sequence = sa->next++;

    size_t text_len = padded(layout, len);
    uint8_t pad = (uint8_t)(text_len - TRAILER - len);
    for (uint8_t i = 0; i < pad; i++) {
        packet[len + i] = (uint8_t)(i + 1);
    }
    packet[text_len - 2] = pad;
    packet[text_len - 1] = packet[0] >> 4 == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;

    *esp = packet - layout->iv - HEADER;
    *esp_len = HEADER + layout->iv + text_len + layout->icv;
    put_u32(*esp, sa->sa.spi);
    put_u32(*esp + 4, (uint32_t)sequence);
    struct associated associated;
    associate(&sa->sa, sequence, &associated);
    return crypt_seal(sa->sa.crypt, sequence, associated.head, associated.tail, packet, text_len);
}

bool esp_out_selects(const struct esp_out *sa, const struct flow *flow)
{
    return selectors_match(&sa->sa.selectors, flow, true);
}

/* ---- inbound ---- */

struct esp_in {
    struct sa sa;
    struct replay replay;
};

enum err esp_in_new(struct esp_in **out, const struct esp_params *params)
{
    *out = NULL;
    struct esp_in *sa = calloc(1, sizeof(*sa));
    if (sa == NULL) {
        return ERR_MEMORY;
    }
    enum err err = sa_init(&sa->sa, params);
    if (err != OK) {
        free(sa);
        return err;
    }
    replay_init(&sa->replay, sa->sa.esn,
                params->first_sequence == 0 ? 0 : params->first_sequence - 1);
    *out = sa;
    return OK;
}

void esp_in_free(struct esp_in *sa)
{
    if (sa != NULL) {
        sa_free(&sa->sa);
        free(sa);
    }
}

/*
 * From here on the packet is authentic, but the gateway may still be wrong. The padding's own
 * octets are not compared: RFC 4303 2.4 asks for it as a help for SAs without integrity, which do
 * not exist here, and gateways that pad with zeros do.
 */
static enum err unwrap(const struct esp_in *sa, uint8_t *text, size_t text_len, uint8_t outer_ecn,
                       uint8_t **inner, size_t *inner_len)
{
    if (text_len < TRAILER || (size_t)text[text_len - 2] + TRAILER > text_len) {
        return ERR_SYNTAX;
    }
    uint8_t next = text[text_len - 1];
    size_t payload_len = text_len - TRAILER - text[text_len - 2];
    if (next == NEXT_DUMMY) {
        return OK;
    }
    if (next != IPPROTO_IPIP && next != IPPROTO_IPV6) {
        return ERR_STATE;
    }
    struct ip_info info;
    if (!ip_parse(&info, text, payload_len) ||
        info.family != (next == IPPROTO_IPIP ? FAMILY_IPV4 : FAMILY_IPV6)) {
        return ERR_SYNTAX;
    }
    struct flow flow;
    flow_of(&flow, &info, text);
    if (!selectors_match(&sa->sa.selectors, &flow, false) || !ip_ecn_decapsulate(text, outer_ecn)) {
        return ERR_STATE;
    }
    *inner = text;
    *inner_len = info.total_len;
    return OK;
}

enum err esp_open(struct esp_in *sa, uint8_t *packet, size_t len, uint8_t outer_ecn,
                  uint8_t **inner, size_t *inner_len)
{
    *inner = packet;
    *inner_len = 0;
    if (len < HEADER || get_u32(packet) != sa->sa.spi) {
        return ERR_SYNTAX;
    }
    uint64_t sequence;
    if (!replay_check(&sa->replay, get_u32(packet + 4), &sequence)) {
        return ERR_REPLAY;
    }
    struct associated associated;
    associate(&sa->sa, sequence, &associated);
    uint8_t *text;
    size_t text_len;
    enum err err = crypt_open(sa->sa.crypt, associated.head, associated.tail, packet + HEADER,
                              len - HEADER, &text, &text_len);
    if (err != OK) {
        return err;
    }
    replay_commit(&sa->replay, sequence);
    return unwrap(sa, text, text_len, outer_ecn, inner, inner_len);
}
