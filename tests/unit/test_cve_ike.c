/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>

#include "rekey_peer.h"
#include "vectors.h"

/*
 * Faults that broke other IKE implementations, sent to the whole engine. What holds after each: no
 * crash, no hang, nothing up that was not proved, and (where a forger could have sent it) the
 * connection still comes up or stays.
 *
 * What broke, and the test of it; (x) = in test_x.c, else here.
 *
 * CVE-2025-62291 MSCHAPv2 Failure length     (eap_mschapv2) cve_2025_62291_failure_length
 * CVE-2021-45079 early EAP-Success           (eap_mschapv2) cve_2021_45079_*, (ike_auth)
 *                                            cve_2021_45079_early_eap_success
 * CVE-2015-4171 credentials before the       (ike_auth)
 *   gateway has proved itself                cve_2015_4171_no_credentials_before_gateway,
 *                                            (cve_auth) cve_2015_4171_eap_before_proof
 * CVE-2015-8023 opcodes out of order         (eap_mschapv2) cve_2015_8023_opcode_matrix
 * CVE-2026-78126 messages out of order       (cve_auth) cve_2026_78126_eap_state_matrix
 * CVE-2026-35330, 2026-35333 zero lengths    (cursor) cve_2026_35330_zero_length_attribute,
 *                                            cve_2026_35330_empty_payloads_in_*,
 *                                            (cve_init) cve_2026_35330_empty_payloads_in_init
 * CVE-2026-78135 exchanges before the end    (cve_init) cve_2026_78135_requests_after_the_end,
 *   of IKE_AUTH                              (cve_auth) cve_2026_78135_requests_during_eap
 * CVE-2019-12312 INFORMATIONAL without keys  (cve_init) cve_2019_12312_requests_in_each_state,
 *                                            (ike) cve_2019_12312_requests_before_auth
 * CVE-2026-78133 rekey collisions            (ike_collide) all of it, under the sanitizer; one
 *                                            key exchange each: there are no additional ones
 * CVE-2026-78127 leak of the log builder     cve_2026_78127_200_payloads, (trace)
 *                                            cve_2026_78127_hundreds_of_payloads
 * CVE-2026-47895 empty identities            (payload) cve_2026_47895_empty_identities, (cert_id)
 *                                            parse_refuses, (eap_mschapv2)
 *                                            cve_2026_47895_empty_identity_request
 * CVE-2026-78123, 78124, 78129 to 78132,     (cve_auth) cve_2026_78123_cert_encodings: nothing
 *   35329, 35334 PKCS #7 and the like        but X.509 is read
 * CVE-2026-35331 name constraints            (cert) cve_2026_35331_*
 * CVE-2021-41990, 2018-17540, 2018-16151,    (cert_auth) cve_2021_41990_pss_salt_length,
 *   2017-11185 RSA signatures                cve_2017_11185_rsa_modulus_sizes,
 *                                            wycheproof_signatures
 * CVE-2026-50722, 50721 PKCS #1 v1.5         (cert_auth) cve_2026_50722_*
 * CVE-2013-2944, 2020-16088 error taken for  (cert_auth) cve_2013_2944_ecdsa_negative, (cve_auth)
 *   success                                  cve_2013_2944_signature_garbage
 * CVE-2026-12413 unknown payloads, then SKF  (cve_init), (message)
 * CVE-2026-14957 zero in a public key        (cert_auth) cve_2026_14957_*, (cve_auth)
 *                                            cve_2026_14957_cert_garbage
 * CVE-2023-23009 malformed selectors         (ts) cve_2023_23009_malformed_ts,
 *                                            cve_2023_23009_malformed_ts_in_*
 * CVE-2023-38710 REKEY_SA echoed             cve_2023_38710_rekey_sa
 * CVE-2024-2357 no credential                (ike) cve_2024_2357_missing_credentials
 * CVE-2015-3240, 2014-9221, 2018-10811 key   cve_2015_3240_*, (cve_init) cve_2015_3240_*,
 *   exchange values, groups and failures     (ke) cve_2015_3240_*, cve_2018_10811_*
 * CVE-2023-41913, 2015-3991 length of KE,    (ke) cve_2023_41913_ke_length, (message)
 *   payloads of IKEv1                        cve_2015_3991_ikev1_payload_numbers
 * CVE-2025-9242 long identities              cve_2025_9242_identity_lengths, (payload)
 * CVE-2019-12823 long names in certificates  (cert_match) cve_2019_12823_long_alternative_names
 * OpenIKED baf0c8e endpoint moved            openiked_baf0c8e_replayed_from_elsewhere, (ike)
 *                                            openiked_baf0c8e_spoofed_source; ESP has no code that
 *                                            moves it: (datapath) test_ike_and_strangers
 * OpenIKED 0141f2d, 2695060, 29fd01b         openiked_0141f2d_*, openiked_29fd01b_*, (cert_id)
 *                                            openiked_2695060_text_is_printable
 *
 * CVE-2023-26463 (an untrusted certificate is taken) is of EAP-TLS; for IKE's own certificates:
 * (cert) unknown_authority, self_signed_gateway, expired.
 *
 * What cannot exist here, as there is no such code: CVE-2026-25075, 2026-35328, 2026-35332,
 * 2026-78134, 2023-52160 (EAP-TLS, TTLS and PEAP are not built in); AKA and SIM themselves
 * (the same); CVE-2022-40617, 2019-16239, 2019-12105 (nothing is fetched, nor is there HTTP);
 * CVE-2021-41991, 2017-9022, 2017-9023 (no certificate cache, no X.509 parser of our own).
 */

#define X25519 "aes128gcm16-prfsha256-x25519"
#define ECP256 "aes128gcm16-prfsha256-ecp256"
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- IKE_AUTH responses: authentic frame, bad contents ---- */

enum part { PART_IDR, PART_AUTH, PART_CP, PART_SA, PART_TSI, PART_TSR, PARTS };

/* The good response with one payload's body replaced. */
static void send_auth_with(enum part bad, struct bytes body)
{
    static const enum payload_type types[] = {P_IDr, P_AUTH, P_CP, P_SA, P_TSi, P_TSr};
    static struct message good;
    struct chain chain = gw_new_chain();
    struct chain out = gw_large_chain();
    uint8_t unknown;

    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    memset(&good, 0, sizeof good);
    ck_assert_int_eq(message_parse_chain(&good, chain.first, wr_written(&chain.w), &unknown), OK);
    for (enum part part = PART_IDR; part < PARTS; part++) {
        chain_add(&out, types[part],
                  part == bad ? body : message_find(&good, types[part], 0)->body);
    }
    gw_send_large(X_IKE_AUTH, 1, true, &out);
}

/* Not up; over, or closed with what RFC 7296 2.21.2 asks for, with a reason. */
static void expect_refusal(void)
{
    ck_assert(!gw.up);
    if (!gw.down) {
        gw_expect(X_INFORMATIONAL, false);
        gw_answer_empty(2);
    }
    ck_assert(gw.down);
    ck_assert(!gw.up);
    ck_assert_int_ne(gw.reason, REASON_NONE);
    ck_assert_int_ne(gw.reason, REASON_USER);
    ck_assert_int_ne(gw.reason, REASON_INTERNAL);
    ck_assert(!gw_pull());
}

/* Each payload as zeros of each short length; the configuration alone may be empty of meaning. */
START_TEST(cve_2026_35330_empty_payloads_in_auth)
{
    static const uint8_t zeros[16];

    for (size_t len = 0; len <= sizeof zeros; len++) {
        gw_start();
        gw_until_auth();
        send_auth_with((enum part)_i, bytes_of(zeros, len));
        expect_refusal();
        gw_finish();
    }
}
END_TEST

/* IDr of each type and length; the longest is what a datagram can hold. */
START_TEST(cve_2025_9242_identity_lengths)
{
    static const size_t lengths[] = {0, 1, 3, 4, 15, 16, 17, 254, 255, 256, 4095, 4096, 64000};
    static uint8_t body[4 + 64000];

    for (int i = 0; i < COUNT(lengths); i++) {
        for (unsigned fill = 0; fill < 2; fill++) {
            memset(body, fill == 0 ? 0x30 : 0xff, sizeof body);
            body[0] = (uint8_t)_i;
            gw_start();
            gw_until_auth();
            send_auth_with(PART_IDR, bytes_of(body, 4 + lengths[i]));
            expect_refusal();
            gw_finish();
        }
    }
}
END_TEST

static const char *const bad_ts[] = {
    "",
    "01",
    "01000000",
    "00000000",
    "00000000 07000010 0000ffff 00000000 ffffffff", /* counts that do not match */
    "02000000 07000010 0000ffff 00000000 ffffffff",
    "ff000000 07000010 0000ffff 00000000 ffffffff",
    "01000000 07000000",
    "01000000 07000007 000000",
    "01000000 0700ffff 0000ffff 00000000 ffffffff",
    "01000000 08000010 0000ffff 00000000 ffffffff", /* v6 as long as v4 */
    "01000000 07000010 0000ffff 0a000002 0a000001", /* start > end */
    "01000000 07000010 00020001 0a000001 0a000002",
    "01000000 09000010 0000ffff 0a000001 0a000002", /* nothing that we know */
    "01000000 07000010 0000ffff 0a4d0001 0a4d0001 00",
};

START_TEST(cve_2023_23009_malformed_ts_in_auth)
{
    for (enum part part = PART_TSI; part <= PART_TSR; part++) {
        gw_start();
        gw_until_auth();
        send_auth_with(part, hex(bad_ts[_i]));
        expect_refusal();
        gw_finish();
    }
}
END_TEST

/* RFC 7296 2.5: the flag on what is known means nothing; on what is unknown it refuses. */
START_TEST(critical_payloads_in_auth)
{
    struct chain chain = gw_new_chain();
    size_t at;

    gw_start();
    gw_until_auth();
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    chain.w.start[1] |= 0x80;
    at = chain.w.len;
    chain_add(&chain, (enum payload_type)(_i == 1 ? 200 : P_VENDOR), bytes_of("x", 1));
    chain.w.start[at + 1] |= _i == 2 ? 0 : 0x80;
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    if (_i == 1) {
        expect_refusal();
    } else {
        ck_assert(gw.up);
    }
    gw_finish();
}
END_TEST

/* ---- requests once it is up ---- */

/* <-- the answer; whether it ends the connection with INVALID_SYNTAX (RFC 7296 2.21.3) or keeps it.
 */
static void expect_answer_and_sense(uint8_t exchange)
{
    const struct payload *payload;
    struct notify notify;
    bool fatal = false;

    gw_expect(exchange, true);
    payload = message_find(&gw.message, P_NOTIFY, 0);
    if (payload != NULL) {
        ck_assert_int_eq(notify_parse(&notify, payload->body), OK);
        fatal = notify.type == N_INVALID_SYNTAX;
    }
    gw_drain();
    ck_assert_int_eq(gw.down, fatal);
    if (!fatal) {
        peer_check_alive(PEER_FIRST_SPI, 1);
    }
}

/* A notify whose SPI Size says what it likes. */
static void write_rekey(struct chain *chain, uint8_t protocol, uint8_t spi_size, size_t spi_len)
{
    static const uint8_t spi[256] = {0xaa, 0xbb, 0xcc, 0xdd};

    chain_begin(chain, P_NOTIFY);
    wr_u8(&chain->w, protocol);
    wr_u8(&chain->w, spi_size);
    wr_u16(&chain->w, N_REKEY_SA);
    wr_bytes(&chain->w, bytes_of(spi, spi_len));
    chain_end(chain);
}

static void write_rest_of_rekey(struct chain *chain, struct bytes ts)
{
    struct ts_list everything = {.n = 1};

    sa_write(chain, &gw.ike->offer_esp, bytes_of("\1\2\3\4", 4));
    chain_add(chain, P_NONCE, bytes_of(gw.nonce, sizeof gw.nonce));
    everything.items[0] = (struct ts){.port_high = UINT16_MAX};
    ck_assert(addr_parse(&everything.items[0].start, "0.0.0.0"));
    ck_assert(addr_parse(&everything.items[0].end, "255.255.255.255"));
    if (ts.data != NULL) {
        chain_add(chain, P_TSi, ts);
    } else {
        ts_write(chain, P_TSi, &everything);
    }
    ts_write(chain, P_TSr, &everything);
}

START_TEST(cve_2023_38710_rekey_sa)
{
    static const uint8_t protocols[] = {0, 1, 2, 3, 4, 255};
    static const struct {
        uint8_t size, len;
    } spis[] = {{0, 0}, {0, 4}, {1, 1},     {3, 3},   {4, 3},
                {5, 5}, {8, 8}, {255, 255}, {255, 0}, {4, 4}};

    for (int i = 0; i < COUNT(spis); i++) {
        struct chain chain = gw_new_chain();
        bool good = protocols[_i] == PROTO_ESP && spis[i].size == 4 && spis[i].len == 4;

        peer_start();
        write_rekey(&chain, protocols[_i], spis[i].size, spis[i].len);
        write_rest_of_rekey(&chain, (struct bytes){0});
        gw_send_large(X_CREATE_CHILD_SA, gw.sa.next_id++, false, &chain);
        if (good) {
            gw_expect(X_CREATE_CHILD_SA, true);
            ck_assert_ptr_nonnull(message_find(&gw.message, P_SA, 0));
            ck_assert(!gw.down);
        } else {
            expect_answer_and_sense(X_CREATE_CHILD_SA);
            ck_assert_ptr_null(message_find(&gw.message, P_SA, 0));
        }
        peer_finish();
    }
}
END_TEST

START_TEST(cve_2023_23009_malformed_ts_in_rekey)
{
    struct chain chain = gw_new_chain();
    struct bytes ts = hex(bad_ts[_i]);

    peer_start();
    write_rekey(&chain, PROTO_ESP, 4, 4);
    write_rest_of_rekey(&chain, ts.data != NULL ? ts : bytes_of("", 0));
    gw_send_large(X_CREATE_CHILD_SA, gw.sa.next_id++, false, &chain);
    expect_answer_and_sense(X_CREATE_CHILD_SA);
    ck_assert_ptr_null(message_find(&gw.message, P_SA, 0));
    peer_finish();
}
END_TEST

static const struct {
    const char *suite; /* NULL = ESP without its key exchange */
    size_t spi_len;
    bool ke;
    uint16_t group;
    size_t len;
    uint8_t fill;
} ike_rekeys[] = {
    {X25519, 8, true, KE_CURVE25519, 32, 0},
    {X25519, 8, true, KE_CURVE25519, 31, 9},
    {X25519, 8, true, KE_CURVE25519, 33, 9},
    {X25519, 8, true, KE_CURVE25519, 0, 9},
    {X25519, 8, true, KE_CURVE25519, 4000, 9},
    {X25519, 8, true, 1025, 128, 9},
    {X25519, 8, true, 0, 32, 9},
    {X25519, 8, false, 0, 0, 0},
    {ECP256, 8, true, KE_ECP_256, 64, 9},
    {ECP256, 8, true, KE_ECP_256, 64, 0},
    {X25519, 0, true, KE_CURVE25519, 32, 9},
    {X25519, 4, true, KE_CURVE25519, 32, 9},
    {X25519, 9, true, KE_CURVE25519, 32, 9},
    {X25519, 255, true, KE_CURVE25519, 32, 9},
    {"aes128gcm16-prfsha256", 8, true, KE_CURVE25519, 32, 9}, /* no key exchange at all */
    {"aes128gcm16-prfsha256", 8, false, 0, 0, 0},
};

START_TEST(cve_2015_3240_ke_values_in_ike_rekey)
{
    static uint8_t value[4000];
    static const uint8_t spi[255] = {1};
    struct chain chain = gw_new_chain();
    struct proposal_list offer;
    struct bytes at;
    const char *why;

    peer_start();
    memset(value, ike_rekeys[_i].fill, sizeof value);
    if (!proposal_parse(&offer, PROTO_IKE, ike_rekeys[_i].suite, true, &at, &why)) {
        /* The parser wants a key exchange: takes it away afterwards. */
        ck_assert(proposal_parse(&offer, PROTO_IKE, X25519, true, &at, &why));
        offer.items[0].n_algs--;
        ck_assert_int_eq(offer.items[0].algs[offer.items[0].n_algs]->type, TRANSFORM_KE);
    }
    sa_write(&chain, &offer, bytes_of(spi, ike_rekeys[_i].spi_len));
    chain_add(&chain, P_NONCE, bytes_of(gw.nonce, sizeof gw.nonce));
    if (ike_rekeys[_i].ke) {
        ke_write(&chain, ike_rekeys[_i].group, bytes_of(value, ike_rekeys[_i].len));
    }
    gw_send_large(X_CREATE_CHILD_SA, gw.sa.next_id++, false, &chain);
    expect_answer_and_sense(X_CREATE_CHILD_SA);
    ck_assert_ptr_null(message_find(&gw.message, P_SA, 0));
    peer_finish();
}
END_TEST

/* Every payload type of zeros of each short length, in both exchanges. */
START_TEST(cve_2026_35330_empty_payloads_in_requests)
{
    static const uint8_t zeros[8];
    static const size_t lengths[] = {0, 1, 3, 4, 5, 8};

    for (int i = 0; i < 2 * COUNT(lengths); i++) {
        struct chain chain = gw_new_chain();
        uint8_t exchange = i % 2 == 0 ? X_INFORMATIONAL : X_CREATE_CHILD_SA;

        peer_start();
        if (exchange == X_CREATE_CHILD_SA) {
            write_rekey(&chain, PROTO_ESP, 4, 4);
        }
        chain_add(&chain, (enum payload_type)_i, bytes_of(zeros, lengths[i / 2]));
        if (exchange == X_CREATE_CHILD_SA && _i != P_SA) {
            sa_write(&chain, &gw.ike->offer_esp, bytes_of("\1\2\3\4", 4));
        }
        if (exchange == X_CREATE_CHILD_SA && _i != P_NONCE) {
            chain_add(&chain, P_NONCE, bytes_of(gw.nonce, sizeof gw.nonce));
        }
        gw_send_large(exchange, gw.sa.next_id++, false, &chain);
        expect_answer_and_sense(exchange);
        peer_finish();
    }
}
END_TEST

/* ---- Delete ---- */

static void write_delete(struct chain *chain, uint8_t protocol, uint8_t size, uint16_t count,
                         size_t octets)
{
    chain_begin(chain, P_DELETE);
    wr_u8(&chain->w, protocol);
    wr_u8(&chain->w, size);
    wr_u16(&chain->w, count);
    for (size_t i = 0; i < octets; i++) {
        wr_u8(&chain->w, (uint8_t)i);
    }
    chain_end(chain);
}

static const struct {
    uint8_t protocol, size;
    uint16_t count;
    size_t octets;
} deletes[] = {
    {PROTO_ESP, 4, 65535, 0},  {PROTO_ESP, 4, 65535, 4},
    {PROTO_ESP, 4, 0, 4},      {PROTO_ESP, 0, 65535, 0},
    {PROTO_ESP, 255, 255, 65}, {PROTO_ESP, 8, 2, 16},
    {PROTO_ESP, 1, 4, 4},      {PROTO_ESP, 4, 15000, 60000},
    {PROTO_AH, 4, 1, 4},       {0, 4, 1, 4},
    {255, 255, 65535, 60000},  {PROTO_IKE, 8, 1, 8},
    {PROTO_IKE, 0, 65535, 0},  {PROTO_IKE, 255, 65535, 60000},
};

START_TEST(openiked_0141f2d_delete_counts)
{
    struct chain chain = gw_large_chain();

    peer_start();
    write_delete(&chain, deletes[_i].protocol, deletes[_i].size, deletes[_i].count,
                 deletes[_i].octets);
    gw_send_large(X_INFORMATIONAL, gw.sa.next_id++, false, &chain);
    if (deletes[_i].protocol == PROTO_IKE && deletes[_i].size == 0) {
        /* means what it says: there is one IKE SA */
        gw_expect(X_INFORMATIONAL, true);
        ck_assert(gw.down);
    } else {
        expect_answer_and_sense(X_INFORMATIONAL);
        ck_assert_uint_eq(gw.n_inbound, gw.down ? 0 : 1);
    }
    peer_finish();
}
END_TEST

/* The same SPI thousands of times, in one payload and in 200: it goes once, is answered once. */
START_TEST(openiked_0141f2d_delete_repeated)
{
    static uint32_t spis[15000];
    struct chain chain = gw_large_chain();
    struct delete_payload del;

    peer_start();
    for (int i = 0; i < COUNT(spis); i++) {
        spis[i] = PEER_FIRST_SPI;
    }
    if (_i == 0) {
        delete_write(&chain, PROTO_ESP, spis, (size_t)COUNT(spis));
    } else {
        for (size_t i = 0; i < 200; i++) {
            delete_write(&chain, PROTO_ESP, spis, 3);
        }
    }
    gw_send_large(X_INFORMATIONAL, gw.sa.next_id++, false, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert_uint_eq(gw.message.n_payloads, 1);
    ck_assert_int_eq(delete_parse(&del, message_find(&gw.message, P_DELETE, 0)->body), OK);
    ck_assert_uint_eq(del.n_spis, 1);
    ck_assert_uint_eq(gw.n_inbound, 0);
    peer_finish();
}
END_TEST

/* ---- leaks ---- */

/* 200 payloads each, 1000 rounds: traced, answered, and memory stays where it was. */
START_TEST(cve_2026_78127_200_payloads)
{
    struct chain chain = gw_large_chain();
    size_t before = 0;

    peer_start();
    ck_assert(gw.ike->config.trace);
    for (size_t i = 0; i < 200; i++) {
        if (i % 4 == 0) {
            cp_write_begin(&chain, CFG_SET);
            for (size_t k = 0; k < 5; k++) {
                cp_write_attr(&chain, (uint16_t)(i + k), bytes_of("\12\0\0\1", 4));
            }
            chain_end(&chain);
        } else {
            notify_write(&chain, PROTO_ESP, bytes_of("abcd", 4), (uint16_t)(N_STATUS_FIRST + i),
                         bytes_of("ef", 2));
        }
    }
    for (unsigned round = 0; round < 1000; round++) {
        gw_send_large(X_INFORMATIONAL, gw.sa.next_id++, false, &chain);
        gw_expect(X_INFORMATIONAL, true);
        if (round == 100) {
            before = mallinfo2().uordblks;
        }
    }
    ck_assert_uint_le(mallinfo2().uordblks, before + 1024);
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_finish();
}
END_TEST

/* ---- randomness, IVs ---- */

static enum err no_randomness(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0, len);
    return ERR_CRYPTO;
}

/* No key is made from a nonce or private value that never came. */
START_TEST(cve_2018_10811_no_randomness_at_rekey)
{
    peer_start();
    gw.ike->config.rng = (struct rng){.fill = no_randomness};
    if (_i == 0) {
        peer_ask_child(PEER_FIRST_SPI, 0x01020304, 1, "aes128gcm16-noesn", NULL);
    } else if (_i == 1) {
        peer_ask_ike(77, 1);
    } else if (_i == 2) {
        ike_rekey_child(gw.ike, 0, gw.now);
    } else {
        ike_rekey(gw.ike, gw.now);
    }
    gw_drain();
    while (gw_pull()) {
        ck_assert_uint_ne(gw.datagram[18], X_CREATE_CHILD_SA);
    }
    ck_assert(gw.n_inbound <= 1);
    peer_finish();
}
END_TEST

START_TEST(openiked_29fd01b_iv_never_repeats)
{
    static uint64_t seen[256];
    size_t n = 0;

    peer_start();
    for (unsigned i = 0; i < 200; i++) {
        struct chain chain = gw_new_chain();
        uint64_t iv;

        gw_send_sealed(X_INFORMATIONAL, gw.sa.next_id++, false, &chain);
        ck_assert(gw_pull());
        memcpy(&iv, gw.datagram + IKE_HEADER_LEN + IKE_PAYLOAD_HEADER_LEN, sizeof iv);
        for (size_t k = 0; k < n; k++) {
            ck_assert(seen[k] != iv);
        }
        seen[n++] = iv;
    }
    peer_finish();
}
END_TEST

/* An authentic datagram that somebody caught and sends again from elsewhere moves nothing. */
START_TEST(openiked_baf0c8e_replayed_from_elsewhere)
{
    struct chain chain = gw_new_chain();
    struct path elsewhere = gateway_path;
    uint8_t out[512];
    size_t len;

    peer_start();
    elsewhere.remote.addr.octets[3] = 66;
    elsewhere.remote.port = IKE_PORT_NATT;
    gw.ike->init.natd.remote_behind = true; /* where it may move at all */
    len = gw_sealed(out, sizeof out, X_INFORMATIONAL, gw.sa.next_id++, false, &chain);
    gw_deliver(out, len);
    ck_assert(gw_pull());
    gw_drain();
    gw.n_paths = 0;
    for (unsigned i = 0; i < 3; i++) {
        gw_deliver_from(&elsewhere, out, len);
        gw_drain();
        ck_assert_uint_eq(gw.n_paths, 0);
        ck_assert_uint_eq(gw.ike->path.remote.addr.octets[3], 1);
    }
    while (gw_pull()) {
    }
    peer_check_alive(PEER_FIRST_SPI, 1);
    ck_assert_uint_eq(gw.path.remote.addr.octets[3], 1);
    peer_finish();
}
END_TEST

static TCase *auth_tests(void)
{
    TCase *tcase = tcase_create("auth");

    tcase_add_loop_test(tcase, cve_2026_35330_empty_payloads_in_auth, PART_IDR, PARTS);
    tcase_add_loop_test(tcase, cve_2025_9242_identity_lengths, 0, 14);
    tcase_add_loop_test(tcase, cve_2023_23009_malformed_ts_in_auth, 0, COUNT(bad_ts));
    tcase_add_loop_test(tcase, critical_payloads_in_auth, 0, 3);
    return tcase;
}

static TCase *up_tests(void)
{
    TCase *tcase = tcase_create("up");

    tcase_add_loop_test(tcase, cve_2023_38710_rekey_sa, 0, 6);
    tcase_add_loop_test(tcase, cve_2023_23009_malformed_ts_in_rekey, 0, COUNT(bad_ts));
    tcase_add_loop_test(tcase, cve_2015_3240_ke_values_in_ike_rekey, 0, COUNT(ike_rekeys));
    tcase_add_loop_test(tcase, cve_2026_35330_empty_payloads_in_requests, 33, 56);
    tcase_add_loop_test(tcase, openiked_0141f2d_delete_counts, 0, COUNT(deletes));
    tcase_add_loop_test(tcase, openiked_0141f2d_delete_repeated, 0, 2);
    tcase_add_test(tcase, cve_2026_78127_200_payloads);
    tcase_add_loop_test(tcase, cve_2018_10811_no_randomness_at_rekey, 0, 4);
    tcase_add_test(tcase, openiked_29fd01b_iv_never_repeats);
    tcase_add_test(tcase, openiked_baf0c8e_replayed_from_elsewhere);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("cve ike");

    suite_add_tcase(suite, auth_tests());
    suite_add_tcase(suite, up_tests());
    return run_suite(suite);
}
