/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/cursor.h"
#include "crypto/crypt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A row of messages of one SA, sealed and opened by GnuTLS one by one and by what is fastest at
 * once: octets and verdicts are the same, and the octets behind stay as they were, which no
 * sanitizer sees in a library of assembler. suite (1 octet), keys (8 octets, repeated), then each
 * message: flags (1 extended numbers, 2 damaged, 4 its place moves by the upper 4 bits), length (2
 * octets), counter (4 octets), place of the damage (2 octets).
 */
#define MESSAGES_MAX 40
#define TEXT_MAX 1600
#define BEHIND 64
#define UNTOUCHED 0xa5

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool suite_number(unsigned wanted, const struct alg **encr, const struct alg **integ)
{
    for (size_t i = 0; (*encr = alg_at(i)) != NULL; i++) {
        if ((*encr)->type != TRANSFORM_ENCR) {
            continue;
        }
        if (((*encr)->flags & ALG_AEAD) != 0) {
            *integ = NULL;
            if (wanted-- == 0) {
                return true;
            }
            continue;
        }
        for (size_t j = 0; (*integ = alg_at(j)) != NULL; j++) {
            if ((*integ)->type == TRANSFORM_INTEG && wanted-- == 0) {
                return true;
            }
        }
    }
    return false;
}

struct row {
    struct crypt *gnutls, *fastest;
    struct crypt_message one[MESSAGES_MAX], many[MESSAGES_MAX];
    uint8_t *memory[2][MESSAGES_MAX];
    uint8_t aad[MESSAGES_MAX][12];
    uint8_t tail[MESSAGES_MAX][4];
    uint16_t damage[MESSAGES_MAX]; /* 0 = none */
    size_t n;
};

/* One message: header and run of octets, the same twice. */
static void add_message(struct row *row, const struct alg *encr, bool aead, struct reader *r)
{
    size_t at = row->n++;
    unsigned flags = rd_u8(r);
    size_t block = encr->block_octets;
    size_t text_len = rd_u16(r) % TEXT_MAX / block * block;
    size_t len = crypt_iv_len(row->gnutls) + text_len + crypt_icv_len(row->gnutls);
    size_t shift = (flags & 4) != 0 ? flags >> 4 : 0;
    uint32_t counter = rd_u32(r);
    uint16_t damage = rd_u16(r);

    row->damage[at] = (flags & 2) != 0 ? damage : 0;
    for (size_t i = 0; i < 12; i++) {
        row->aad[at][i] = (uint8_t)(counter >> (i % 4 * 8));
    }
    for (int side = 0; side < 2; side++) {
        struct crypt_message *message = side == 0 ? &row->one[at] : &row->many[at];
        uint8_t *begin;

        row->memory[side][at] = malloc(shift + 8 + len + BEHIND);
        check(row->memory[side][at] != NULL);
        begin = row->memory[side][at] + shift;
        for (size_t i = 0; i < 8 + len; i++) {
            begin[i] = (uint8_t)(i * 13 + flags);
        }
        memset(begin + 8 + len, UNTOUCHED, BEHIND);
        *message = (struct crypt_message){
            .aad = bytes_of(begin, 8), .data = begin + 8, .len = len, .counter = counter};
        if ((flags & 1) != 0 && aead) {
            message->aad = bytes_of(row->aad[at], 12);
        } else if ((flags & 1) != 0) {
            message->mac_tail = bytes_of(row->tail[at], 4);
        }
    }
}

static void check_behind(const struct row *row)
{
    uint8_t untouched[BEHIND];

    memset(untouched, UNTOUCHED, sizeof(untouched));
    for (size_t i = 0; i < row->n; i++) {
        check(memcmp(row->many[i].data + row->many[i].len, untouched, BEHIND) == 0);
    }
}

static void seal_row(struct row *row)
{
    for (size_t i = 0; i < row->n; i++) {
        crypt_seal_batch(row->gnutls, &row->one[i], 1);
    }
    crypt_seal_batch(row->fastest, row->many, row->n);
    for (size_t i = 0; i < row->n; i++) {
        check(row->one[i].err == OK && row->many[i].err == OK);
        check(memcmp(row->one[i].data, row->many[i].data, row->one[i].len) == 0);
    }
}

static void open_row(struct row *row)
{
    for (size_t i = 0; i < row->n; i++) {
        if (row->damage[i] != 0) {
            size_t at = row->damage[i] % row->one[i].len;

            row->one[i].data[at] ^= (uint8_t)(row->damage[i] % 255 + 1);
            row->many[i].data[at] ^= (uint8_t)(row->damage[i] % 255 + 1);
        }
        crypt_open_batch(row->gnutls, &row->one[i], 1);
    }
    crypt_open_batch(row->fastest, row->many, row->n);
    for (size_t i = 0; i < row->n; i++) {
        check(row->one[i].err == (row->damage[i] != 0 ? ERR_INTEGRITY : OK));
        check(row->many[i].err == row->one[i].err);
        check(row->many[i].text_len == row->one[i].text_len);
        check(row->one[i].text_len == 0 ||
              memcmp(row->many[i].text, row->one[i].text, row->one[i].text_len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crypt_lanes *lanes;
    struct reader r = reader_of(bytes_of(data, size));
    struct row row = {0};
    const struct alg *encr;
    const struct alg *integ;
    uint8_t keys[64];
    struct bytes seed;

    if (lanes == NULL) {
        check(crypt_lanes_new(&lanes, CRYPT_FASTEST) == OK);
    }
    if (!suite_number(rd_u8(&r), &encr, &integ)) {
        return 0;
    }
    seed = rd_bytes(&r, 8);
    for (size_t i = 0; i < sizeof(keys); i++) {
        keys[i] = seed.len == 8 ? (uint8_t)(seed.data[i % 8] + i) : (uint8_t)i;
    }
    check(crypt_new(&row.gnutls, encr, integ, bytes_of(keys, crypt_encr_key_len(encr)),
                    bytes_of(keys, crypt_integ_key_len(integ))) == OK);
    check(crypt_new_in(&row.fastest, lanes, encr, integ, bytes_of(keys, crypt_encr_key_len(encr)),
                       bytes_of(keys, crypt_integ_key_len(integ))) == OK);
    while (r.left > 0 && row.n < MESSAGES_MAX) {
        add_message(&row, encr, integ == NULL, &r);
    }
    seal_row(&row);
    check_behind(&row);
    open_row(&row);
    check_behind(&row);
    for (size_t i = 0; i < row.n; i++) {
        free(row.memory[0][i]);
        free(row.memory[1][i]);
    }
    crypt_free(row.gnutls);
    crypt_free(row.fastest);
    return 0;
}
