/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/vectors.h"

#include <stdlib.h>

#include "ike/message.h"

#define UNKNOWN_TYPE 200

static const struct ike_header request = {
    .spi_i = UINT64_C(0x1122334455667788),
    .spi_r = UINT64_C(0x99aabbccddeeff00),
    .version = IKE_VERSION,
    .exchange = X_IKE_AUTH,
    .flags = IKE_FLAG_INITIATOR,
    .message_id = 1,
};

static uint8_t inner, unknown;
static struct message message;

/* A message with this first payload type and exactly these octets behind the header. */
static struct bytes raw(uint8_t first, struct bytes chain)
{
    uint8_t octets[IKE_MESSAGE_MAX];
    struct writer w = writer_of(octets, sizeof octets);

    wr_u64(&w, request.spi_i);
    wr_u64(&w, request.spi_r);
    wr_u8(&w, first);
    wr_u8(&w, IKE_VERSION);
    wr_u8(&w, X_IKE_AUTH);
    wr_u8(&w, IKE_FLAG_INITIATOR);
    wr_u32(&w, 1);
    wr_u32(&w, (uint32_t)(IKE_HEADER_LEN + chain.len));
    wr_bytes(&w, chain);
    ck_assert(!w.failed);
    return bytes_of(octets_copy(wr_written(&w)), w.len);
}

static enum err parse(uint8_t first, const char *chain)
{
    return message_parse(&message, raw(first, hex(chain)), &inner, &unknown);
}

static struct crypt *cipher(const char *encr_name, const char *integ_name)
{
    const struct alg *encr = alg_find_name(bytes_of_string(encr_name));
    const struct alg *integ = integ_name ? alg_find_name(bytes_of_string(integ_name)) : NULL;
    uint8_t key[64] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct crypt *crypt = NULL;

    ck_assert_ptr_nonnull(encr);
    ck_assert_int_eq(crypt_new(&crypt, encr, integ, bytes_of(key, crypt_encr_key_len(encr)),
                               bytes_of(key, crypt_integ_key_len(integ))),
                     OK);
    return crypt;
}

/* ---- header ---- */

START_TEST(header_fields)
{
    struct ike_header h;
    struct bytes octets = hex("0102030405060708 1112131415161718 21 20 22 28 000000ff 0000001c");

    ck_assert_int_eq(ike_header_parse(&h, octets), OK);
    ck_assert(h.spi_i == UINT64_C(0x0102030405060708) && h.spi_r == UINT64_C(0x1112131415161718));
    ck_assert_uint_eq(h.next_payload, P_SA);
    ck_assert_uint_eq(h.version, IKE_VERSION);
    ck_assert_uint_eq(h.exchange, X_IKE_SA_INIT);
    ck_assert_uint_eq(h.flags, IKE_FLAG_INITIATOR | IKE_FLAG_RESPONSE);
    ck_assert_uint_eq(h.message_id, 255);
    ck_assert_uint_eq(h.length, 28);
}
END_TEST

START_TEST(header_truncated_at_every_length)
{
    struct bytes whole = raw(P_NONE, (struct bytes){0});
    struct ike_header h;

    for (size_t len = 0; len < whole.len; len++) {
        struct bytes part = bytes_of(octets_copy(bytes_of(whole.data, len)), len);

        ck_assert_int_eq(ike_header_parse(&h, part), ERR_SYNTAX);
    }
}
END_TEST

START_TEST(header_length_must_fit_the_datagram)
{
    uint8_t *octets = octets_copy(raw(P_NONE, (struct bytes){0}));
    static const uint32_t wrong[] = {0, 27, 29, 0xffffffff, 0x80000000, 0x1c000000};
    struct ike_header h;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct writer w = writer_of(octets + 24, 4);

        wr_u32(&w, wrong[i]);
        ck_assert_int_eq(ike_header_parse(&h, bytes_of(octets, IKE_HEADER_LEN)), ERR_SYNTAX);
    }
}
END_TEST

START_TEST(header_versions)
{
    uint8_t *octets = octets_copy(raw(P_NONE, (struct bytes){0}));
    struct bytes datagram = bytes_of(octets, IKE_HEADER_LEN);
    struct ike_header h;

    octets[17] = 0x10; /* IKEv1 is recognised, but is not a message of ours */
    ck_assert_int_eq(ike_header_parse(&h, datagram), OK);
    ck_assert_int_eq(message_parse(&message, datagram, &inner, &unknown), ERR_UNSUPPORTED);
    octets[17] = 0x30;
    ck_assert_int_eq(ike_header_parse(&h, datagram), ERR_UNSUPPORTED);
    octets[17] = 0x2f; /* minor versions are ignored on receipt (RFC 7296 3.1) */
    ck_assert_int_eq(ike_header_parse(&h, datagram), OK);
    ck_assert_int_eq(message_parse(&message, datagram, &inner, &unknown), OK);
    octets[17] = 0x00;
    ck_assert_int_eq(ike_header_parse(&h, datagram), ERR_SYNTAX);
}
END_TEST

/* ---- chains ---- */

START_TEST(chain_round_trip)
{
    uint8_t payloads[512], out[512];
    struct chain chain = chain_of(payloads, sizeof payloads);
    size_t len;

    chain_add(&chain, P_NONCE, hex("00112233"));
    chain_begin(&chain, P_NOTIFY);
    wr_u32(&chain.w, 0x00004001);
    chain_end(&chain);
    chain_add(&chain, P_VENDOR, (struct bytes){0});
    chain_add(&chain, P_NOTIFY, hex("00004002"));
    len = message_write(&request, &chain, out, sizeof out);
    ck_assert_uint_eq(len, IKE_HEADER_LEN + 8 + 8 + 4 + 8);

    ck_assert_int_eq(message_parse(&message, bytes_of(out, len), &inner, &unknown), OK);
    ck_assert_uint_eq(inner, P_NONE);
    ck_assert_uint_eq(message.n_payloads, 4);
    ck_assert_uint_eq(message.header.message_id, 1);
    ck_assert_uint_eq(message.header.length, len);
    ck_assert(message.present == (P_BIT(P_NONCE) | P_BIT(P_NOTIFY) | P_BIT(P_VENDOR)));
    ck_assert_octets(message_find(&message, P_NONCE, 0)->body, hex("00112233"));
    ck_assert_octets(message_find(&message, P_NOTIFY, 1)->body, hex("00004002"));
    ck_assert_ptr_null(message_find(&message, P_NOTIFY, 2));
    ck_assert_ptr_null(message_find(&message, P_SA, 0));
}
END_TEST

START_TEST(chain_that_does_not_fit_writes_nothing)
{
    uint8_t payloads[64], out[128];
    struct chain chain;

    for (size_t cap = 0; cap < 24; cap++) {
        chain = chain_of(payloads, cap);
        chain_add(&chain, P_NONCE, hex("0011223344556677"));
        chain_add(&chain, P_VENDOR, hex("0011223344556677"));
        ck_assert_uint_eq(message_write(&request, &chain, out, sizeof out), 0);
    }
    chain = chain_of(payloads, 24);
    chain_add(&chain, P_NONCE, hex("0011223344556677"));
    chain_add(&chain, P_VENDOR, hex("0011223344556677"));
    for (size_t cap = 0; cap < 52; cap++) {
        ck_assert_uint_eq(message_write(&request, &chain, out, cap), 0);
    }
    ck_assert_uint_eq(message_write(&request, &chain, out, 52), 52);
}
END_TEST

START_TEST(payload_longer_than_its_length_field_is_refused)
{
    uint8_t *payloads = g_malloc(80000);
    uint8_t *out = g_malloc(80000);
    struct chain chain = chain_of(payloads, 80000);

    chain_begin(&chain, P_VENDOR);
    wr_zeros(&chain.w, 65532);
    chain_end(&chain);
    ck_assert(chain.w.failed);
    chain = chain_of(payloads, 80000);
    chain_begin(&chain, P_VENDOR);
    wr_zeros(&chain.w, 65531); /* fits a payload, but not a message together with its header */
    chain_end(&chain);
    ck_assert(!chain.w.failed);
    ck_assert_uint_eq(message_write(&request, &chain, out, 80000), 0);
    g_free(payloads);
    g_free(out);
}
END_TEST

START_TEST(chain_truncated_at_every_length)
{
    struct bytes chain = hex("2900000800112233 2b00000c000040010011aabb 00000004");

    for (size_t len = 0; len < chain.len; len++) {
        enum err err =
            message_parse(&message, raw(P_NONCE, bytes_of(chain.data, len)), &inner, &unknown);

        ck_assert_int_eq(err, ERR_SYNTAX);
    }
    ck_assert_int_eq(message_parse(&message, raw(P_NONCE, chain), &inner, &unknown), OK);
}
END_TEST

START_TEST(payload_lengths_below_the_header)
{
    ck_assert_int_eq(parse(P_NONCE, "00000000"), ERR_SYNTAX); /* would loop for ever */
    ck_assert_int_eq(parse(P_NONCE, "28000000"), ERR_SYNTAX);
    ck_assert_int_eq(parse(P_NONCE, "00000001"), ERR_SYNTAX);
    ck_assert_int_eq(parse(P_NONCE, "00000003"), ERR_SYNTAX);
    ck_assert_int_eq(parse(P_NONCE, "0000ffff"), ERR_SYNTAX);
    ck_assert_int_eq(parse(P_NONCE, "00000004"), OK); /* empty is well formed; the codec decides */
    ck_assert_uint_eq(message.payloads[0].body.len, 0);
}
END_TEST

START_TEST(octets_behind_the_last_payload)
{
    ck_assert_int_eq(parse(P_NONCE, "00000004 00"), ERR_SYNTAX);
    ck_assert_int_eq(parse(P_NONE, "00"), ERR_SYNTAX);
    ck_assert_int_eq(parse(P_NONE, ""), OK);
    ck_assert_uint_eq(message.n_payloads, 0);
}
END_TEST

START_TEST(reserved_bits_are_ignored)
{
    ck_assert_int_eq(parse(P_NONCE, "007f0004"), OK);
    ck_assert(!message.payloads[0].critical);
}
END_TEST

START_TEST(unknown_payloads)
{
    /* Not critical: kept, and no bit of `present` is theirs. */
    ck_assert_int_eq(parse(UNKNOWN_TYPE, "28000006abcd 00000004"), OK);
    ck_assert_uint_eq(message.n_payloads, 2);
    ck_assert(message.present == P_BIT(P_NONCE));
    ck_assert_octets(message_find(&message, UNKNOWN_TYPE, 0)->body, hex("abcd"));
    /* Critical: named, the first one of several. */
    ck_assert_int_eq(parse(UNKNOWN_TYPE, "c9800006abcd 00800004"), ERR_CRITICAL);
    ck_assert_uint_eq(unknown, UNKNOWN_TYPE);
    /* Known payloads may carry the bit; it means nothing (RFC 7296 2.5). */
    ck_assert_int_eq(parse(P_NONCE, "00800004"), OK);
    /* A message that is broken behind the critical payload is broken. */
    ck_assert_int_eq(parse(UNKNOWN_TYPE, "28800006abcd 00000003"), ERR_SYNTAX);
    /* Registered, but nothing of ours: GSPM, PS. */
    ck_assert_int_eq(parse(49, "00800004"), ERR_CRITICAL);
    ck_assert_int_eq(parse(54, "00800004"), ERR_CRITICAL);
    ck_assert_uint_eq(unknown, 54);
}
END_TEST

START_TEST(cve_2015_3991_ikev1_payload_numbers)
{
    for (uint8_t type = 1; type < P_SA; type++) {
        ck_assert_int_eq(parse(type, "00000008ffffffff"), OK);
        ck_assert(message.present == 0);
        ck_assert_int_eq(parse(type, "00800008ffffffff"), ERR_CRITICAL);
        ck_assert_uint_eq(unknown, type);
    }
}
END_TEST

/* `n` empty payloads of an unknown type and then, unless P_NONE, one of `last`. */
static enum err parse_many(size_t n, uint8_t last)
{
    uint8_t octets[2048] = {0};
    size_t total = n + (last != P_NONE);

    for (size_t i = 0; i < total; i++) {
        octets[4 * i] = i + 1 == total ? P_NONE : i + 1 == n ? last : UNKNOWN_TYPE;
        octets[4 * i + 3] = 4;
    }
    if (last == P_NONE) {
        octets[4 * (total - 1)] = P_NONE;
    }
    return message_parse(&message, raw(UNKNOWN_TYPE, bytes_of(octets, 4 * total)), &inner,
                         &unknown);
}

START_TEST(count_of_payloads_is_bounded)
{
    ck_assert_int_eq(parse_many(256, P_NONE), OK);
    ck_assert_uint_eq(message.n_payloads, 256);
    ck_assert_int_eq(parse_many(257, P_NONE), ERR_SYNTAX);
    ck_assert_int_eq(parse_many(500, P_NONE), ERR_SYNTAX);
}
END_TEST

START_TEST(cve_2026_12413_unknown_payloads_before_skf)
{
    ck_assert_int_eq(parse_many(255, P_SKF), OK);
    ck_assert_uint_eq(message.n_payloads, 256);
    ck_assert_int_eq(parse_many(256, P_SKF), ERR_SYNTAX);
    ck_assert_int_eq(parse_many(256, P_SK), ERR_SYNTAX);
    /* The inner chain goes behind the outer one and has no more room than that. */
    ck_assert_int_eq(parse_many(255, P_SK), OK);
    ck_assert_int_eq(message_parse_chain(&message, P_NONCE, hex("00000004"), &unknown), ERR_SYNTAX);
}
END_TEST

START_TEST(protected_payloads_stand_last)
{
    ck_assert_int_eq(parse(P_SK, "23000008aabbccdd"), OK);
    ck_assert_uint_eq(inner, P_IDi);
    ck_assert(message.present == P_BIT(P_SK));
    ck_assert_int_eq(parse(P_SK, "23000008aabbccdd 00000004"), ERR_SYNTAX);
    ck_assert_int_eq(parse(P_SKF, "2300000c00010002aabbccdd"), OK);
    ck_assert_uint_eq(inner, P_IDi);
    ck_assert_int_eq(parse(P_NOTIFY, "2e00000800004000 29000008aabbccdd"), OK);
    ck_assert_uint_eq(inner, P_NOTIFY);
    ck_assert_uint_eq(message.n_payloads, 2);
}
END_TEST

START_TEST(nested_protected_payloads)
{
    ck_assert_int_eq(parse(P_SK, "2e000008aabbccdd"), OK); /* only the inner chain tells */
    ck_assert_int_eq(message_parse_chain(&message, P_SK, hex("00000008aabbccdd"), &unknown),
                     ERR_SYNTAX);
    ck_assert_int_eq(parse(P_SK, "2e000008aabbccdd"), OK);
    ck_assert_int_eq(message_parse_chain(&message, P_SKF, hex("00000008aabbccdd"), &unknown),
                     ERR_SYNTAX);
    ck_assert_int_eq(parse(P_SK, "28000008aabbccdd"), OK);
    ck_assert_int_eq(
        message_parse_chain(&message, P_NONCE, hex("2e000004 00000008aabbccdd"), &unknown),
        ERR_SYNTAX);
}
END_TEST

START_TEST(inner_chain_joins_the_outer)
{
    ck_assert_int_eq(parse(P_SK, "28000008aabbccdd"), OK);
    ck_assert_int_eq(message_parse_chain(&message, P_NONCE, hex("c900000501 00800004"), &unknown),
                     ERR_CRITICAL);
    ck_assert_uint_eq(unknown, 0xc9);
    ck_assert_int_eq(parse(P_SK, "28000008aabbccdd"), OK);
    ck_assert_int_eq(message_parse_chain(&message, P_NONCE, hex("0000000501"), &unknown), OK);
    ck_assert(message.present == (P_BIT(P_SK) | P_BIT(P_NONCE)));
    ck_assert_int_eq(parse(P_SK, "00000008aabbccdd"), OK);
    ck_assert_int_eq(message_parse_chain(&message, P_NONE, (struct bytes){0}, &unknown), OK);
    ck_assert_int_eq(message_parse_chain(&message, P_NONE, hex("00"), &unknown), ERR_SYNTAX);
}
END_TEST

/* ---- SK and SKF ---- */

static const struct {
    const char *encr, *integ;
} ciphers[] = {
    {"aes256gcm16", NULL},      {"aes128gcm8", NULL},  {"aes128ccm12", NULL},
    {"chacha20poly1305", NULL}, {"aes256", "sha256"},  {"aes128", "sha512"},
    {"aes192ctr", "sha384"},    {"aes128", "aescmac"}, {"3des", "sha1"},
};

/* Seals `n` octets of vendor id and opens them again. */
static void seal_and_open(struct crypt *crypt, size_t n)
{
    uint8_t payloads[600], out[1024];
    struct chain chain = chain_of(payloads, sizeof payloads);
    struct bytes plain;
    size_t len;

    chain_begin(&chain, P_VENDOR);
    wr_zeros(&chain.w, n);
    chain_end(&chain);
    len = message_seal(&request, &chain, crypt, n, out, sizeof out);
    ck_assert_uint_gt(len, 0);
    ck_assert_int_eq(message_parse(&message, bytes_of(out, len), &inner, &unknown), OK);
    ck_assert_uint_eq(inner, P_VENDOR);
    ck_assert_int_eq(message_open(out, len, message_find(&message, P_SK, 0), crypt, &plain), OK);
    ck_assert_octets(plain, wr_written(&chain.w));
    ck_assert_int_eq(message_parse_chain(&message, inner, plain, &unknown), OK);
    ck_assert_uint_eq(message_find(&message, P_VENDOR, 0)->body.len, n);
}

START_TEST(sealed_round_trip)
{
    struct crypt *crypt = cipher(ciphers[_i].encr, ciphers[_i].integ);

    for (size_t n = 0; n < 70; n++) {
        seal_and_open(crypt, n);
    }
    crypt_free(crypt);
}
END_TEST

START_TEST(sealed_empty_message)
{
    struct crypt *crypt = cipher(ciphers[_i].encr, ciphers[_i].integ);
    uint8_t payloads[8], out[256];
    struct chain chain = chain_of(payloads, sizeof payloads);
    size_t len = message_seal(&request, &chain, crypt, 7, out, sizeof out);
    struct bytes plain;

    ck_assert_uint_gt(len, 0);
    ck_assert_int_eq(message_parse(&message, bytes_of(out, len), &inner, &unknown), OK);
    ck_assert_uint_eq(inner, P_NONE);
    ck_assert_int_eq(message_open(out, len, message_find(&message, P_SK, 0), crypt, &plain), OK);
    ck_assert_uint_eq(plain.len, 0);
    for (size_t cap = 0; cap < len; cap++) {
        uint8_t *small = g_malloc(cap);

        ck_assert_uint_eq(message_seal(&request, &chain, crypt, 7, small, cap), 0);
        g_free(small);
    }
    crypt_free(crypt);
}
END_TEST

START_TEST(every_corrupted_octet_is_noticed)
{
    struct crypt *crypt = cipher(ciphers[_i].encr, ciphers[_i].integ);
    uint8_t payloads[64], out[256], copy[256];
    struct chain chain = chain_of(payloads, sizeof payloads);
    struct bytes plain;
    size_t len;

    chain_add(&chain, P_NONCE, hex("00112233445566778899aabbccddeeff"));
    len = message_seal(&request, &chain, crypt, 7, out, sizeof out);
    for (size_t at = 0; at < len; at++) {
        memcpy(copy, out, len);
        copy[at] ^= 0x01;
        if (message_parse(&message, bytes_of(copy, len), &inner, &unknown) == OK &&
            message_find(&message, P_SK, 0) != NULL) {
            ck_assert_int_eq(
                message_open(copy, len, message_find(&message, P_SK, 0), crypt, &plain),
                ERR_INTEGRITY);
        }
    }
    crypt_free(crypt);
}
END_TEST

START_TEST(sk_bodies_that_are_too_short)
{
    struct crypt *crypt = cipher(ciphers[_i].encr, ciphers[_i].integ);

    for (size_t n = 0; n < 64; n++) {
        uint8_t zeros[80] = {0};
        struct bytes datagram, plain;
        uint8_t *copy;

        zeros[3] = (uint8_t)(4 + n);
        datagram = raw(P_SK, bytes_of(zeros, 4 + n));
        copy = octets_copy(datagram);
        ck_assert_int_eq(message_parse(&message, bytes_of(copy, datagram.len), &inner, &unknown),
                         OK);
        ck_assert_int_ne(message_open(copy, datagram.len, &message.payloads[0], crypt, &plain), OK);
    }
    crypt_free(crypt);
}
END_TEST

START_TEST(pad_length_is_checked)
{
    struct crypt *crypt = cipher("aes256gcm16", NULL);
    static const struct {
        const char *text;
        int plain; /* octets, or -1 for ERR_SYNTAX */
    } cases[] = {
        {"00", 0},
        {"01", -1},
        {"ff", -1},
        {"0001", 0},
        {"000003", -1},
        {"aabb00", 2},
        {"aabbcc0000ff05", 1},
        {"aabbcc0000ff06", 0},
        {"aabbcc0000ff07", -1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes text = hex(cases[i].text);
        uint8_t sk[128] = {0};
        struct bytes datagram, plain;
        uint8_t *copy;
        enum err err;

        sk[3] = (uint8_t)(4 + 8 + text.len + 16);
        datagram = raw(P_SK, bytes_of(sk, sk[3]));
        copy = octets_copy(datagram);
        memcpy(copy + 40, text.data, text.len);
        ck_assert_int_eq(
            crypt_seal(crypt, i, bytes_of(copy, 32), (struct bytes){0}, copy + 40, text.len), OK);
        ck_assert_int_eq(message_parse(&message, bytes_of(copy, datagram.len), &inner, &unknown),
                         OK);
        err = message_open(copy, datagram.len, &message.payloads[0], crypt, &plain);
        ck_assert_int_eq(err, cases[i].plain < 0 ? ERR_SYNTAX : OK);
        if (err == OK) {
            ck_assert_int_eq((int)plain.len, cases[i].plain);
        }
    }
    crypt_free(crypt);
}
END_TEST

START_TEST(fragments_round_trip)
{
    struct crypt *crypt = cipher(ciphers[_i].encr, ciphers[_i].integ);
    uint8_t text[3000], together[3000], out[1280];
    static const size_t limits[] = {576, 1232, 1280, 200};

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)i;
    }
    for (size_t l = 0; l < 4; l++) {
        size_t room = message_fragment_room(crypt, limits[l]);
        uint16_t total = (uint16_t)((sizeof text + room - 1) / room);
        size_t got = 0;

        for (uint16_t number = 1; number <= total; number++) {
            size_t at = (number - 1u) * room;
            size_t n = sizeof text - at < room ? sizeof text - at : room;
            uint16_t parsed_number, parsed_total;
            struct bytes plain;
            size_t len = message_seal_fragment(&request, P_IDi, bytes_of(text + at, n), number,
                                               total, crypt, number, out, sizeof out);

            ck_assert_uint_gt(len, 0);
            ck_assert_uint_le(len, limits[l]);
            ck_assert_int_eq(message_parse(&message, bytes_of(out, len), &inner, &unknown), OK);
            ck_assert_uint_eq(inner, number == 1 ? P_IDi : P_NONE);
            ck_assert_int_eq(message_open_fragment(out, len, message_find(&message, P_SKF, 0),
                                                   crypt, &plain, &parsed_number, &parsed_total),
                             OK);
            ck_assert_uint_eq(parsed_number, number);
            ck_assert_uint_eq(parsed_total, total);
            memcpy(together + got, plain.data, plain.len);
            got += plain.len;
        }
        ck_assert_octets(bytes_of(together, got), bytes_of(text, sizeof text));
    }
    crypt_free(crypt);
}
END_TEST

START_TEST(fragment_room_is_as_large_as_it_can_be)
{
    struct crypt *crypt = cipher(ciphers[_i].encr, ciphers[_i].integ);
    uint8_t text[1300] = {0}, out[1400];

    for (size_t limit = 0; limit < 1300; limit++) {
        size_t room = message_fragment_room(crypt, limit);
        struct bytes part = bytes_of(text, room);

        if (room == 0) {
            ck_assert_uint_lt(limit, 120);
            continue;
        }
        ck_assert_uint_le(
            message_seal_fragment(&request, P_IDi, part, 1, 1, crypt, limit, out, sizeof out),
            limit);
        part.len++;
        ck_assert_uint_gt(
            message_seal_fragment(&request, P_IDi, part, 1, 1, crypt, limit, out, sizeof out),
            limit);
    }
    crypt_free(crypt);
}
END_TEST

START_TEST(fragment_numbers)
{
    static const uint16_t bad[][2] = {{0, 0}, {0, 1}, {2, 1}, {1, 0}, {65535, 65534}};
    struct crypt *crypt = cipher("aes256gcm16", NULL);
    uint8_t out[128];
    uint16_t number, total;
    struct bytes plain;
    size_t len;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        len = message_seal_fragment(&request, P_IDi, hex("0011"), bad[i][0], bad[i][1], crypt, i,
                                    out, sizeof out);
        ck_assert_int_eq(message_parse(&message, bytes_of(out, len), &inner, &unknown), OK);
        ck_assert_int_eq(
            message_open_fragment(out, len, &message.payloads[0], crypt, &plain, &number, &total),
            ERR_SYNTAX);
    }
    /* The numbers are authenticated (RFC 7383 2.5). */
    len = message_seal_fragment(&request, P_IDi, hex("0011"), 1, 2, crypt, 9, out, sizeof out);
    out[IKE_HEADER_LEN + 5] = 2;
    ck_assert_int_eq(message_parse(&message, bytes_of(out, len), &inner, &unknown), OK);
    ck_assert_int_eq(
        message_open_fragment(out, len, &message.payloads[0], crypt, &plain, &number, &total),
        ERR_INTEGRITY);
    /* Bodies shorter than the fragment header. */
    for (size_t n = 0; n < 40; n++) {
        uint8_t zeros[64] = {0};
        struct bytes datagram;
        uint8_t *copy;

        zeros[3] = (uint8_t)(4 + n);
        zeros[5] = zeros[7] = 1;
        datagram = raw(P_SKF, bytes_of(zeros, 4 + n));
        copy = octets_copy(datagram);
        ck_assert_int_eq(message_parse(&message, bytes_of(copy, datagram.len), &inner, &unknown),
                         OK);
        ck_assert_int_ne(message_open_fragment(copy, datagram.len, &message.payloads[0], crypt,
                                               &plain, &number, &total),
                         OK);
    }
    crypt_free(crypt);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("message");
    TCase *plain = tcase_create("header and chains");
    TCase *sealed = tcase_create("SK and SKF");
    int n = sizeof ciphers / sizeof ciphers[0];

    tcase_add_test(plain, header_fields);
    tcase_add_test(plain, header_truncated_at_every_length);
    tcase_add_test(plain, header_length_must_fit_the_datagram);
    tcase_add_test(plain, header_versions);
    tcase_add_test(plain, chain_round_trip);
    tcase_add_test(plain, chain_that_does_not_fit_writes_nothing);
    tcase_add_test(plain, payload_longer_than_its_length_field_is_refused);
    tcase_add_test(plain, chain_truncated_at_every_length);
    tcase_add_test(plain, payload_lengths_below_the_header);
    tcase_add_test(plain, octets_behind_the_last_payload);
    tcase_add_test(plain, reserved_bits_are_ignored);
    tcase_add_test(plain, unknown_payloads);
    tcase_add_test(plain, cve_2015_3991_ikev1_payload_numbers);
    tcase_add_test(plain, count_of_payloads_is_bounded);
    tcase_add_test(plain, cve_2026_12413_unknown_payloads_before_skf);
    tcase_add_test(plain, protected_payloads_stand_last);
    tcase_add_test(plain, nested_protected_payloads);
    tcase_add_test(plain, inner_chain_joins_the_outer);
    suite_add_tcase(suite, plain);
    tcase_add_loop_test(sealed, sealed_round_trip, 0, n);
    tcase_add_loop_test(sealed, sealed_empty_message, 0, n);
    tcase_add_loop_test(sealed, every_corrupted_octet_is_noticed, 0, n);
    tcase_add_loop_test(sealed, sk_bodies_that_are_too_short, 0, n);
    tcase_add_test(sealed, pad_length_is_checked);
    tcase_add_loop_test(sealed, fragments_round_trip, 0, n);
    tcase_add_loop_test(sealed, fragment_room_is_as_large_as_it_can_be, 0, n);
    tcase_add_test(sealed, fragment_numbers);
    suite_add_tcase(suite, sealed);
    return run_suite(suite);
}
