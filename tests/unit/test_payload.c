/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/bodies.h"
#include "unit/vectors.h"

static void parse_list(struct proposal_list *out, enum protocol protocol, const char *text)
{
    struct bytes at;
    const char *why = "";

    ck_assert_msg(proposal_parse(out, protocol, text, true, &at, &why), "%s: %s", text, why);
}

/* ---- SA ---- */

START_TEST(sa_offer_round_trip)
{
    struct proposal_list list;
    struct sa_proposal p;
    struct chain chain = fresh();
    struct reader r;
    struct bytes body;
    size_t n = 0;

    parse_list(&list, PROTO_ESP, "aes256gcm16-aes128gcm16-noesn,aes256-sha256-esn,3des-sha1-noesn");
    sa_write(&chain, &list, hex("c0ffee01"));
    body = body_of(&chain);
    for (r = reader_of(body); sa_next(&r, &p); n++) {
        ck_assert_uint_eq(p.number, n + 1);
        ck_assert_uint_eq(p.protocol, PROTO_ESP);
        ck_assert_octets(p.spi, hex("c0ffee01"));
        ck_assert_uint_eq(p.n_transforms, list.items[n].n_algs);
        for (size_t i = 0; i < p.n_transforms; i++) {
            ck_assert_uint_eq(p.transforms[i].type, list.items[n].algs[i]->type);
            ck_assert_uint_eq(p.transforms[i].id, list.items[n].algs[i]->id);
            ck_assert_uint_eq(p.transforms[i].key_bits, list.items[n].algs[i]->key_bits);
            ck_assert(!p.transforms[i].unknown_attribute);
        }
    }
    ck_assert(rd_done(&r));
    ck_assert_uint_eq(n, 3);
    for (size_t len = 1; len < body.len; len++) {
        for (r = reader_of(prefix_of(body, len)); sa_next(&r, &p);) {
        }
        ck_assert(r.failed);
    }
}
END_TEST

START_TEST(sa_defaults_fit_a_message)
{
    static const enum protocol protocols[] = {PROTO_IKE, PROTO_ESP};

    for (size_t i = 0; i < 4; i++) {
        struct proposal_list list;
        struct sa_proposal p;
        struct chain chain = fresh();
        struct reader r;
        size_t n = 0;

        proposal_defaults(&list, protocols[i / 2], i % 2 == 1);
        sa_write(&chain, &list, hex(i / 2 == 0 ? "" : "c0ffee01"));
        ck_assert(!chain.w.failed);
        for (r = reader_of(body_of(&chain)); sa_next(&r, &p);) {
            n++;
        }
        ck_assert(rd_done(&r));
        ck_assert_uint_eq(n, list.n);
    }
}
END_TEST

START_TEST(sa_malformed)
{
    static const struct {
        const char *body;
        bool ok;
    } cases[] = {
        {"0000000801010000", true},                            /* no transform: well formed */
        {"000000080101000000", false},                         /* octet behind it */
        {"0200000801010000", false},                           /* says more, there is none */
        {"0300000801010000", false},                           /* 3 is for transforms */
        {"0000000701010000", false},                           /* length below the header */
        {"0000000001010000", false},                           /* length zero */
        {"0000ffff01010000", false},                           /* length above */
        {"0000000801010400", false},                           /* SPI missing */
        {"0000000801010001", false},                           /* transform missing */
        {"000000100101000103000008010000 14", false},          /* last transform says more */
        {"00000010010100010000000801000014", true},            /* one transform */
        {"00000010010100000000000801000014", false},           /* count too small */
        {"00000010010100020000000801000014", false},           /* count too large */
        {"00000010010100010000000701000014", false},           /* transform length 7 */
        {"00000010010100010000000001000014", false},           /* transform length 0 */
        {"00000012010100010000000a01000014800e", false},       /* attribute cut off */
        {"0000001401010001 0000000c01000014 800e0100", true},  /* Key Length 256 */
        {"0000001401010001 0000000c01000014 000e0000", true},  /* as TLV: an unknown attribute */
        {"0000001401010001 0000000c01000014 000e0001", false}, /* TLV value missing */
        {"0000001801010002 03000008 01000014 00000008 01000014", true},
        {"0000001801010002 00000008 01000014 00000008 01000014", false}, /* last in the middle */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reader r = reader_of(hex(cases[i].body));
        struct sa_proposal p;

        while (sa_next(&r, &p)) {
        }
        ck_assert_msg(rd_done(&r) == cases[i].ok, "case %zu: %s", i, cases[i].body);
    }
}
END_TEST

START_TEST(sa_transforms_are_bounded)
{
    for (size_t n = SA_TRANSFORMS_MAX - 1; n <= 255; n++) {
        struct chain chain = fresh();
        struct sa_proposal p;
        struct reader r;

        wr_u16(&chain.w, 0);
        wr_u16(&chain.w, (uint16_t)(8 + 8 * n));
        wr_bytes(&chain.w, hex("010100"));
        wr_u8(&chain.w, (uint8_t)n);
        for (size_t i = 0; i < n; i++) {
            wr_u32(&chain.w, i + 1 == n ? 8 : 0x03000008);
            wr_u32(&chain.w, 0x04000001);
        }
        r = reader_of(wr_written(&chain.w));
        ck_assert(sa_next(&r, &p) == (n <= SA_TRANSFORMS_MAX));
    }
}
END_TEST

/* The gateway's answer `choice`, written as proposal `number`, against `offer`. */
static enum err choose(enum protocol protocol, const char *offer, uint8_t number,
                       const char *choice, const char *spi, struct suite *suite)
{
    struct proposal_list offered, chosen;
    struct chain chain = fresh();
    struct bytes got_spi;
    enum err err;

    parse_list(&offered, protocol, offer);
    parse_list(&chosen, protocol, choice);
    sa_write_choice(&chain, number, &chosen.items[0], hex(spi));
    err = sa_parse_choice(suite, &got_spi, body_of(&chain), &offered);
    if (err == OK) {
        ck_assert_octets(got_spi, hex(spi));
    }
    return err;
}

START_TEST(sa_choice_accepted)
{
    struct suite suite;
    char text[128];

    ck_assert_int_eq(choose(PROTO_IKE,
                            "aes256gcm16-aes128gcm16-prfsha384-prfsha256-x25519-ecp256,"
                            "aes256-sha256-prfsha256-modp2048",
                            1, "aes128gcm16-prfsha256-ecp256", "", &suite),
                     OK);
    ck_assert_str_eq(suite_text(&suite, text, sizeof text), "aes128gcm16-prfsha256-ecp256");
    ck_assert_int_eq(choose(PROTO_IKE,
                            "aes256gcm16-prfsha384-x25519,aes256-sha256-prfsha256-modp2048", 2,
                            "aes256-sha256-prfsha256-modp2048", "", &suite),
                     OK);
    ck_assert_int_eq(choose(PROTO_IKE, "aes256gcm16-prfsha384-x25519", 1,
                            "aes256gcm16-prfsha384-x25519", "1122334455667788", &suite),
                     OK);
    ck_assert_int_eq(
        choose(PROTO_ESP, "aes256gcm16-esn-noesn", 1, "aes256gcm16-esn", "c0ffee01", &suite), OK);
    ck_assert(suite.esn);
    ck_assert_int_eq(
        choose(PROTO_ESP, "aes256gcm16-esn-noesn", 1, "aes256gcm16-noesn", "c0ffee01", &suite), OK);
    ck_assert(!suite.esn);
    ck_assert_int_eq(choose(PROTO_ESP, "aes256-sha256-modp2048-noesn", 1,
                            "aes256-sha256-modp2048-noesn", "c0ffee01", &suite),
                     OK);
    ck_assert_uint_eq(suite.ke->id, KE_MODP_2048);
}
END_TEST

START_TEST(sa_choice_refused)
{
    static const struct {
        enum protocol protocol;
        const char *offer;
        uint8_t number;
        const char *choice, *spi;
        enum err err;
    } cases[] = {
        /* not offered: strength, group, PRF, cipher, integrity */
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519", 1, "aes128gcm16-prfsha384-x25519", "",
         ERR_UNSUPPORTED},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519", 1, "aes256gcm16-prfsha384-modp1024", "",
         ERR_UNSUPPORTED},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519", 1, "aes256gcm16-prfsha1-x25519", "",
         ERR_UNSUPPORTED},
        {PROTO_IKE, "aes256-sha256-prfsha256-x25519", 1, "3des-sha256-prfsha256-x25519", "",
         ERR_UNSUPPORTED},
        {PROTO_IKE, "aes256-sha256-prfsha256-x25519", 1, "aes256-sha1-prfsha256-x25519", "",
         ERR_UNSUPPORTED},
        /* offered, but in another proposal */
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519,aes256-sha256-prfsha256-modp2048", 1,
         "aes256-sha256-prfsha256-modp2048", "", ERR_UNSUPPORTED},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519", 2, "aes256gcm16-prfsha384-x25519", "",
         ERR_UNSUPPORTED},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519", 0, "aes256gcm16-prfsha384-x25519", "",
         ERR_UNSUPPORTED},
        /* two of one type */
        {PROTO_IKE, "aes256gcm16-aes128gcm16-prfsha384-x25519", 1,
         "aes256gcm16-aes128gcm16-prfsha384-x25519", "", ERR_SYNTAX},
        {PROTO_ESP, "aes256gcm16-esn-noesn", 1, "aes256gcm16-esn-noesn", "c0ffee01", ERR_SYNTAX},
        /* PFS was offered without "none" */
        {PROTO_ESP, "aes256gcm16-x25519-noesn", 1, "aes256gcm16-noesn", "c0ffee01",
         ERR_UNSUPPORTED},
        /* SPIs */
        {PROTO_ESP, "aes256gcm16-noesn", 1, "aes256gcm16-noesn", "", ERR_SYNTAX},
        {PROTO_ESP, "aes256gcm16-noesn", 1, "aes256gcm16-noesn", "00000000", ERR_SYNTAX},
        {PROTO_ESP, "aes256gcm16-noesn", 1, "aes256gcm16-noesn", "000000ff", ERR_SYNTAX},
        {PROTO_ESP, "aes256gcm16-noesn", 1, "aes256gcm16-noesn", "0000000000000100", ERR_SYNTAX},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519", 1, "aes256gcm16-prfsha384-x25519", "c0ffee01",
         ERR_SYNTAX},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519", 1, "aes256gcm16-prfsha384-x25519",
         "0000000000000000", ERR_SYNTAX},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct suite suite;

        ck_assert_msg(choose(cases[i].protocol, cases[i].offer, cases[i].number, cases[i].choice,
                             cases[i].spi, &suite) == cases[i].err,
                      "case %zu", i);
    }
}
END_TEST

START_TEST(sa_choice_raw)
{
    static const struct {
        const char *body;
        enum err err;
    } cases[] = {
        {"", ERR_SYNTAX},
        {"0000000c01020400 c0ffee01", ERR_UNSUPPORTED},            /* AH for ESP */
        {"0000000c01030400 c0ffee01", ERR_UNSUPPORTED},            /* nothing chosen */
        {"0000001801030401c0ffee01 0000000c01000014800e0100", OK}, /* silence: no ESN */
        {"0000001801030401c0ffee01 0000000c01000014800e0080", ERR_UNSUPPORTED},
        {"0000001401030401c0ffee01 0000000801000014", ERR_UNSUPPORTED}, /* no Key Length */
        {"0000001c01030401c0ffee01 0000001001000014800e0100 800f0001", ERR_UNSUPPORTED},
        {"0000001c01030401c0ffee01 0000001001000014800e0100 800e0100", ERR_UNSUPPORTED},
        {"0000002001030402c0ffee01 0300000c01000014800e0100 0000000803000000", OK}, /* INTEG NONE */
        {"0000002001030402c0ffee01 0300000c01000014800e0100 0000000804000000", OK}, /* KE NONE */
        {"0000002001030402c0ffee01 0300000c01000014800e0100 0000000805000000", OK},
        {"0000002001030402c0ffee01 0300000c01000014800e0100 0000000805000001", ERR_UNSUPPORTED},
        {"0000002001030402c0ffee01 0300000c01000014800e0100 00000008ff000000", ERR_UNSUPPORTED},
        /* two proposals in an answer */
        {"0200001801030401c0ffee01 0000000c01000014800e0100"
         "0000001802030401c0ffee01 0000000c01000014800e0100",
         ERR_SYNTAX},
    };
    struct proposal_list offered;

    parse_list(&offered, PROTO_ESP, "aes256gcm16-noesn");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct suite suite;
        struct bytes spi;

        ck_assert_msg(sa_parse_choice(&suite, &spi, hex(cases[i].body), &offered) == cases[i].err,
                      "case %zu: %s", i, cases[i].body);
    }
}
END_TEST

/* ---- KE, nonce, ID, CERT, AUTH ---- */

START_TEST(ke_round_trip_and_bounds)
{
    struct chain chain = fresh();
    struct ke_payload ke;

    ke_write(&chain, KE_CURVE25519, hex("00112233"));
    ck_assert_octets(body_of(&chain), hex("001f0000 00112233"));
    ck_assert_int_eq(ke_parse(&ke, body_of(&chain)), OK);
    ck_assert_uint_eq(ke.group, KE_CURVE25519);
    ck_assert_octets(ke.data, hex("00112233"));
    ck_assert_int_eq(ke_parse(&ke, hex("001fffff 00")), OK); /* reserved is ignored */
    ck_assert_int_eq(ke_parse(&ke, hex("001f0000")), ERR_SYNTAX);
    ck_assert_int_eq(ke_parse(&ke, hex("001f00")), ERR_SYNTAX);
    ck_assert_int_eq(ke_parse(&ke, hex("")), ERR_SYNTAX);
}
END_TEST

START_TEST(nonce_bounds)
{
    uint8_t octets[300] = {0};
    struct bytes nonce;

    for (size_t len = 0; len < sizeof octets; len++) {
        ck_assert_int_eq(nonce_parse(&nonce, bytes_of(octets, len)),
                         len >= 16 && len <= 256 ? OK : ERR_SYNTAX);
    }
}
END_TEST

START_TEST(id_round_trip)
{
    struct chain chain = fresh();
    struct id id = {.type = ID_FQDN, .data = "vpn.example.org", .len = 15};
    struct id got;

    id_payload_write(&chain, P_IDr, &id);
    ck_assert_octets(body_of(&chain), hex("02000000 76706e2e6578616d706c652e6f7267"));
    ck_assert_int_eq(id_payload_parse(&got, body_of(&chain)), OK);
    ck_assert(id_equal(&id, &got));
}
END_TEST

START_TEST(cve_2026_47895_empty_identities)
{
    static const uint8_t types[] = {ID_IPV4_ADDR,   ID_FQDN,        ID_RFC822_ADDR, ID_IPV6_ADDR,
                                    ID_DER_ASN1_DN, ID_DER_ASN1_GN, ID_KEY_ID};
    struct id id;

    for (size_t i = 0; i < sizeof types; i++) {
        uint8_t body[4] = {types[i]};

        ck_assert_int_eq(id_payload_parse(&id, bytes_of(body, 4)), ERR_SYNTAX);
    }
    ck_assert_int_eq(id_payload_parse(&id, hex("")), ERR_SYNTAX);
    ck_assert_int_eq(id_payload_parse(&id, hex("020000")), ERR_SYNTAX);
    ck_assert_int_eq(id_payload_parse(&id, hex("01000000 c00002")), ERR_SYNTAX);
    ck_assert_int_eq(id_payload_parse(&id, hex("01000000 c0000201")), OK);
    ck_assert_int_eq(id_payload_parse(&id, hex("05000000 c0000201")), ERR_SYNTAX);
}
END_TEST

START_TEST(cve_2025_9242_oversized_identity)
{
    static const size_t lengths[] = {ID_MAX - 1, ID_MAX, ID_MAX + 1, 4096, 65000};
    uint8_t *body = g_malloc0(70000);
    struct id id;

    body[0] = ID_KEY_ID;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        ck_assert_int_eq(id_payload_parse(&id, bytes_of(body, 4 + lengths[i])),
                         lengths[i] <= ID_MAX ? OK : ERR_SYNTAX);
    }
    g_free(body);
}
END_TEST

START_TEST(cert_and_auth)
{
    struct chain chain = fresh();
    struct auth_payload auth;
    struct bytes data;
    uint8_t encoding;

    cert_write(&chain, P_CERT, CERT_ENCODING_X509_SIGNATURE, hex("3000"));
    ck_assert_octets(body_of(&chain), hex("043000"));
    ck_assert_int_eq(cert_parse(&encoding, &data, hex("0c")), OK);
    ck_assert_uint_eq(encoding, 12);
    ck_assert_uint_eq(data.len, 0);
    ck_assert_int_eq(cert_parse(&encoding, &data, hex("")), ERR_SYNTAX);
    chain = fresh();
    auth_write(&chain, AUTH_METHOD_PSK, hex("aabb"));
    ck_assert_octets(body_of(&chain), hex("02000000aabb"));
    ck_assert_int_eq(auth_parse(&auth, hex("0effffff01")), OK);
    ck_assert_uint_eq(auth.method, AUTH_METHOD_DIGITAL_SIGNATURE);
    ck_assert_octets(auth.data, hex("01"));
    ck_assert_int_eq(auth_parse(&auth, hex("0e000000")), ERR_SYNTAX);
    ck_assert_int_eq(auth_parse(&auth, hex("0e0000")), ERR_SYNTAX);
}
END_TEST

/* ---- notify, delete ---- */

START_TEST(notify_round_trip_and_bounds)
{
    struct chain chain = fresh();
    struct notify n;
    char name[64];

    notify_write(&chain, PROTO_ESP, hex("c0ffee01"), N_REKEY_SA, hex("0102"));
    ck_assert_octets(body_of(&chain), hex("03044009 c0ffee01 0102"));
    ck_assert_int_eq(notify_parse(&n, body_of(&chain)), OK);
    ck_assert_uint_eq(n.protocol, PROTO_ESP);
    ck_assert_octets(n.spi, hex("c0ffee01"));
    ck_assert_uint_eq(n.type, N_REKEY_SA);
    ck_assert_octets(n.data, hex("0102"));
    ck_assert_int_eq(notify_parse(&n, hex("00000018")), OK);
    ck_assert(notify_is_error(n.type));
    ck_assert_uint_eq(n.data.len, 0);
    ck_assert_int_eq(notify_parse(&n, hex("00ff0018 0011")), ERR_SYNTAX);
    ck_assert_int_eq(notify_parse(&n, hex("000000")), ERR_SYNTAX);
    ck_assert_int_eq(notify_parse(&n, hex("")), ERR_SYNTAX);
    ck_assert_str_eq(notify_name(14, name, sizeof name), "NO_PROPOSAL_CHOSEN");
    ck_assert_str_eq(notify_name(16430, name, sizeof name), "IKEV2_FRAGMENTATION_SUPPORTED");
    ck_assert_str_eq(notify_name(8999, name, sizeof name), "NOTIFY 8999");
    ck_assert_str_eq(notify_name(14, name, 5), "NO_P");
}
END_TEST

START_TEST(delete_round_trip_and_bounds)
{
    static const struct {
        const char *body;
        enum err err;
    } cases[] = {
        {"01000000", OK},
        {"03040000", OK},
        {"03040001c0ffee01", OK},
        {"02040001c0ffee01", OK},
        {"03040001", ERR_SYNTAX},
        {"03040002c0ffee01", ERR_SYNTAX},
        {"03040001c0ffee0102", ERR_SYNTAX},
        {"0304ffffc0ffee01", ERR_SYNTAX},
        {"03000000", ERR_SYNTAX},
        {"0300ffff", ERR_SYNTAX},
        {"030800011122334455667788", ERR_SYNTAX},
        {"010800011122334455667788", ERR_SYNTAX}, /* RFC 7296 3.11: no SPI for IKE */
        {"00040001c0ffee01", ERR_SYNTAX},
        {"04040001c0ffee01", ERR_SYNTAX},
        {"030400", ERR_SYNTAX},
        {"", ERR_SYNTAX},
    };
    static const uint32_t spis[] = {0xc0ffee01, 0xc0ffee02};
    struct chain chain = fresh();
    struct delete_payload d;

    delete_write(&chain, PROTO_ESP, spis, 2);
    ck_assert_int_eq(delete_parse(&d, body_of(&chain)), OK);
    ck_assert_uint_eq(d.n_spis, 2);
    ck_assert_octets(d.spis, hex("c0ffee01c0ffee02"));
    chain = fresh();
    delete_write(&chain, PROTO_IKE, spis, 2);
    ck_assert_octets(body_of(&chain), hex("01000000"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(delete_parse(&d, hex(cases[i].body)) == cases[i].err, "%s", cases[i].body);
    }
}
END_TEST

/* ---- CP ---- */

START_TEST(cp_round_trip)
{
    struct chain chain = fresh();
    struct cp_attr attr;
    struct reader r;
    struct bytes body;
    uint8_t type;

    cp_write_begin(&chain, CFG_REPLY);
    cp_write_attr(&chain, INTERNAL_IP4_ADDRESS, hex("0a010005"));
    cp_write_attr(&chain, INTERNAL_IP6_DNS, (struct bytes){0});
    chain_end(&chain);
    body = body_of(&chain);
    ck_assert_octets(body, hex("02000000 00010004 0a010005 000a0000"));
    ck_assert(cp_begin(&r, &type, body));
    ck_assert_uint_eq(type, CFG_REPLY);
    ck_assert(cp_next(&r, &attr));
    ck_assert_uint_eq(attr.type, INTERNAL_IP4_ADDRESS);
    ck_assert_octets(attr.value, hex("0a010005"));
    ck_assert(cp_next(&r, &attr));
    ck_assert_uint_eq(attr.type, INTERNAL_IP6_DNS);
    ck_assert_uint_eq(attr.value.len, 0);
    ck_assert(!cp_next(&r, &attr));
    ck_assert(rd_done(&r));
    for (size_t len = 5; len < 16; len++) {
        ck_assert(cp_begin(&r, &type, prefix_of(body, len)));
        while (cp_next(&r, &attr)) {
        }
        ck_assert_msg(r.failed == (len != 12), "%zu", len);
    }
    for (size_t len = 0; len < 4; len++) {
        ck_assert(!cp_begin(&r, &type, prefix_of(body, len)));
        ck_assert(!cp_next(&r, &attr));
    }
}
END_TEST

START_TEST(cp_reserved_bit_and_names)
{
    struct cp_attr attr;
    struct reader r;
    uint8_t type;

    ck_assert(cp_begin(&r, &type, hex("02ffffff 80010000")));
    ck_assert(cp_next(&r, &attr));
    ck_assert_uint_eq(attr.type, INTERNAL_IP4_ADDRESS);
    ck_assert_str_eq(cp_attribute_name(INTERNAL_DNS_DOMAIN), "INTERNAL_DNS_DOMAIN");
    ck_assert_ptr_null(cp_attribute_name(5));
}
END_TEST

START_TEST(names)
{
    ck_assert_str_eq(exchange_name(X_IKE_SA_INIT), "IKE_SA_INIT");
    ck_assert_str_eq(exchange_name(44), "IKE_FOLLOWUP_KE");
    ck_assert_str_eq(exchange_name(33), "exchange ?");
    ck_assert_str_eq(exchange_name(45), "exchange ?");
    ck_assert_str_eq(payload_name(P_SA), "SA");
    ck_assert_str_eq(payload_name(P_EAP), "EAP");
    ck_assert_str_eq(payload_name(P_SKF), "SKF");
    ck_assert_str_eq(payload_name(54), "PS");
    ck_assert_str_eq(payload_name(32), "?");
    ck_assert_str_eq(payload_name(55), "?");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("payload");
    TCase *sa = tcase_create("SA");
    TCase *rest = tcase_create("others");

    tcase_add_test(sa, sa_offer_round_trip);
    tcase_add_test(sa, sa_defaults_fit_a_message);
    tcase_add_test(sa, sa_malformed);
    tcase_add_test(sa, sa_transforms_are_bounded);
    tcase_add_test(sa, sa_choice_accepted);
    tcase_add_test(sa, sa_choice_refused);
    tcase_add_test(sa, sa_choice_raw);
    suite_add_tcase(suite, sa);
    tcase_add_test(rest, ke_round_trip_and_bounds);
    tcase_add_test(rest, nonce_bounds);
    tcase_add_test(rest, id_round_trip);
    tcase_add_test(rest, cve_2026_47895_empty_identities);
    tcase_add_test(rest, cve_2025_9242_oversized_identity);
    tcase_add_test(rest, cert_and_auth);
    tcase_add_test(rest, notify_round_trip_and_bounds);
    tcase_add_test(rest, delete_round_trip_and_bounds);
    tcase_add_test(rest, cp_round_trip);
    tcase_add_test(rest, cp_reserved_bit_and_names);
    tcase_add_test(rest, names);
    suite_add_tcase(suite, rest);
    return run_suite(suite);
}
