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

#define BATCH 64 /* packets that are worked on at once */

#define NEXT_DUMMY 59 /* RFC 4303 2.6 */

/* Lengths that follow from the algorithms alone. */
struct layout {
    size_t iv;
    size_t icv;
    size_t align; /* ciphertext is a multiple: the cipher's block, and 4 for the trailer (RFC
                     4303 2.4); a power of two */
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
    return (len + TRAILER + layout->align - 1) & ~(layout->align - 1);
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

static enum err sa_init(struct sa *sa, const struct esp_params *params, struct crypt_lanes *lanes)
{
    *sa = (struct sa){
        .spi = params->spi,
        .esn = params->suite.esn,
        .aead = (params->suite.encr->flags & ALG_AEAD) != 0,
        .layout = layout_of(&params->suite),
    };
    enum err err = selectors_init(&sa->selectors, params);
    if (err == OK) {
        err = crypt_new_in(&sa->crypt, lanes, params->suite.encr, params->suite.integ,
                           params->encr_key, params->integ_key);
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
};

/* The message of the ESP packet at `esp` whose header is written. */
static void associate(const struct sa *sa, uint64_t sequence, uint8_t *esp, size_t len,
                      struct associated *own, struct crypt_message *out)
{
    *out = (struct crypt_message){.aad = bytes_of(esp, HEADER),
                                  .data = esp + HEADER,
                                  .len = len - HEADER,
                                  .counter = sequence};
    if (!sa->esn) {
        return;
    }
    put_u32(own->high, (uint32_t)(sequence >> 32));
    if (sa->aead) {
        memcpy(own->aad, esp, 4);
        memcpy(own->aad + 4, own->high, 4);
        memcpy(own->aad + 8, esp + 4, 4);
        out->aad = bytes_of(own->aad, sizeof(own->aad));
    } else {
        out->mac_tail = bytes_of(own->high, sizeof(own->high));
    }
}

/* ---- outbound ---- */

struct esp_out {
    struct sa sa;
    struct crypt *more[ESP_SEALERS - 1]; /* of the sealers from 1 on */
    uint64_t next;                       /* sequence number of the next packet, 0 = exhausted */
    uint64_t last;                       /* highest allowed */
};

enum err esp_out_new(struct esp_out **out, const struct esp_params *params,
                     struct crypt_lanes *lanes)
{
    *out = NULL;
    struct esp_out *sa = calloc(1, sizeof(*sa));
    if (sa == NULL) {
        return ERR_MEMORY;
    }
    enum err err = sa_init(&sa->sa, params, lanes);
    if (err != OK) {
        free(sa);
        return err;
    }
    sa->next = params->first_sequence == 0 ? 1 : params->first_sequence;
    sa->last = sa->sa.esn ? UINT64_MAX : UINT32_MAX;
    *out = sa;
    return OK;
}

enum err esp_out_add_sealer(struct esp_out *sa, unsigned sealer, const struct esp_params *params,
                            struct crypt_lanes *lanes)
{
    return crypt_new_in(&sa->more[sealer - 1], lanes, params->suite.encr, params->suite.integ,
                        params->encr_key, params->integ_key);
}

void esp_out_free(struct esp_out *sa)
{
    if (sa != NULL) {
        for (unsigned i = 0; i < ESP_SEALERS - 1; i++) {
            crypt_free(sa->more[i]);
        }
        sa_free(&sa->sa);
        free(sa);
    }
}

void esp_wrap(struct esp_out *sa, struct esp_packet *packet)
{
    const struct layout *layout = &sa->sa.layout;
    uint8_t *inner = packet->data;
    packet->err = sa->next == 0 || sa->next > sa->last ? ERR_STATE : OK;
    if (packet->err != OK) {
        return;
    }
    packet->sequence = sa->next++;

    size_t text_len = padded(layout, packet->len);
    uint8_t pad = (uint8_t)(text_len - TRAILER - packet->len);
    for (uint8_t i = 0; i < pad; i++) {
        inner[packet->len + i] = (uint8_t)(i + 1);
    }
    inner[text_len - 2] = pad;
    inner[text_len - 1] = inner[0] >> 4 == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;

    packet->result = inner - layout->iv - HEADER;
    packet->result_len = HEADER + layout->iv + text_len + layout->icv;
    put_u32(packet->result, sa->sa.spi);
    put_u32(packet->result + 4, (uint32_t)packet->sequence);
}

static void encrypt_some(const struct sa *sa, struct crypt *crypt, struct esp_packet *packets,
                         size_t n)
{
    struct crypt_message messages[BATCH];
    struct associated own[BATCH];
    for (size_t i = 0; i < n; i++) {
        associate(sa, packets[i].sequence, packets[i].result, packets[i].result_len, &own[i],
                  &messages[i]);
    }
    crypt_seal_batch(crypt, messages, n);
    for (size_t i = 0; i < n; i++) {
        packets[i].err = messages[i].err;
    }
}

void esp_encrypt(const struct esp_out *sa, unsigned sealer, struct esp_packet *packets, size_t n)
{
    struct crypt *crypt = sealer == 0 ? sa->sa.crypt : sa->more[sealer - 1];
    for (size_t at = 0; at < n; at += BATCH) {
        encrypt_some(&sa->sa, crypt, packets + at, n - at < BATCH ? n - at : BATCH);
    }
}

enum err esp_seal(struct esp_out *sa, uint8_t *packet, size_t len, uint8_t **esp, size_t *esp_len)
{
    struct esp_packet one = {.data = packet, .len = len};
    esp_wrap(sa, &one);
    if (one.err == OK) {
        esp_encrypt(sa, 0, &one, 1);
    }
    *esp = one.result;
    *esp_len = one.result_len;
    return one.err;
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

enum err esp_in_new(struct esp_in **out, const struct esp_params *params, struct crypt_lanes *lanes)
{
    *out = NULL;
    struct esp_in *sa = calloc(1, sizeof(*sa));
    if (sa == NULL) {
        return ERR_MEMORY;
    }
    enum err err = sa_init(&sa->sa, params, lanes);
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

/* A packet on its way through open_some(). */
struct opening {
    struct esp_packet *packet;
    uint64_t sequence;
    struct associated own;
};

static enum err admit(const struct esp_in *sa, struct esp_packet *packet, struct opening *opening,
                      struct crypt_message *message)
{
    uint8_t *esp = packet->data;
    if (packet->len < HEADER || get_u32(esp) != sa->sa.spi) {
        return ERR_SYNTAX;
    }
    if (!replay_check(&sa->replay, get_u32(esp + 4), &opening->sequence)) {
        return ERR_REPLAY;
    }
    opening->packet = packet;
    associate(&sa->sa, opening->sequence, esp, packet->len, &opening->own, message);
    return OK;
}

/* One that verified. It may have come twice in this batch, or the batch may have left it behind. */
static enum err let_in(struct esp_in *sa, const struct opening *opening,
                       const struct crypt_message *message)
{
    struct esp_packet *packet = opening->packet;
    uint64_t sequence;
    if (!replay_check(&sa->replay, (uint32_t)opening->sequence, &sequence) ||
        sequence != opening->sequence) {
        return ERR_REPLAY;
    }
    replay_commit(&sa->replay, sequence);
    return unwrap(sa, message->text, message->text_len, packet->ecn, &packet->result,
                  &packet->result_len);
}

static void open_some(struct esp_in *sa, struct esp_packet *packets, size_t n)
{
    struct crypt_message messages[BATCH];
    struct opening openings[BATCH];
    size_t admitted = 0;
    for (size_t i = 0; i < n; i++) {
        packets[i].result = packets[i].data;
        packets[i].result_len = 0;
        packets[i].err = admit(sa, &packets[i], &openings[admitted], &messages[admitted]);
        admitted += packets[i].err == OK;
    }
    crypt_open_batch(sa->sa.crypt, messages, admitted);
    for (size_t i = 0; i < admitted; i++) {
        openings[i].packet->err =
            messages[i].err == OK ? let_in(sa, &openings[i], &messages[i]) : messages[i].err;
    }
}

void esp_open_batch(struct esp_in *sa, struct esp_packet *packets, size_t n)
{
    for (size_t at = 0; at < n; at += BATCH) {
        open_some(sa, packets + at, n - at < BATCH ? n - at : BATCH);
    }
}

enum err esp_open(struct esp_in *sa, uint8_t *packet, size_t len, uint8_t outer_ecn,
                  uint8_t **inner, size_t *inner_len)
{
    struct esp_packet one = {.data = packet, .len = len, .ecn = outer_ecn};
    open_some(sa, &one, 1);
    *inner = one.result;
    *inner_len = one.result_len;
    return one.err;
}
