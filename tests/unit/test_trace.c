/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/vectors.h"

#include <stdio.h>

#include "ike/trace.h"

static const struct ike_header response = {
    .spi_i = 1,
    .spi_r = 2,
    .version = IKE_VERSION,
    .exchange = X_IKE_SA_INIT,
    .flags = IKE_FLAG_RESPONSE,
};

static char line[TRACE_LINE_MAX];
static struct message message;

/* The rung for a message of these octets. */
static const char *rung(struct bytes datagram)
{
    uint8_t inner, unknown;
    enum err err = message_parse(&message, datagram, &inner, &unknown);

    ck_assert(err == OK || err == ERR_CRITICAL);
    return trace_message(&message, line, sizeof line);
}

static const char *rung_of_payload(enum payload_type type, const char *body)
{
    static uint8_t payloads[4096], out[4096];
    struct chain chain = chain_of(payloads, sizeof payloads);

    chain_add(&chain, type, hex(body));
    return rung(bytes_of(out, message_write(&response, &chain, out, sizeof out)));
}

START_TEST(rungs_of_payloads)
{
    static const struct {
        enum payload_type type;
        const char *body, *shown;
    } cases[] = {
        {P_KE, "001f0000 00112233", "KE(x25519)"},
        {P_KE, "03e80000 00112233", "KE(KE 1000)"},
        {P_KE, "03e8", "KE(malformed)"},
        {P_NONCE, "00112233445566778899aabbccddeeff", "Nr(16)"},
        {P_NONCE, "00", "Nr(1 malformed)"},
        {P_NOTIFY, "0000000e", "N(NO_PROPOSAL_CHOSEN)"},
        {P_NOTIFY, "00000018", "N(AUTHENTICATION_FAILED)"},
        {P_NOTIFY, "00000011 0013", "N(INVALID_KE_PAYLOAD wants ecp256)"},
        {P_NOTIFY, "00000011", "N(INVALID_KE_PAYLOAD)"},
        {P_NOTIFY, "00000001 c8", "N(UNSUPPORTED_CRITICAL_PAYLOAD payload 200)"},
        {P_NOTIFY, "00004006 0011223344", "N(COOKIE 5 octets)"},
        {P_NOTIFY, "0000402f 00020003 00040005 0009",
         "N(SIGNATURE_HASH_ALGORITHMS sha256 sha384 sha512 identity 9)"},
        {P_NOTIFY, "03044009 c0ffee01", "N(REKEY_SA esp c0ffee01)"},
        {P_NOTIFY, "00004013 00000e10", "N(AUTH_LIFETIME 3600 s)"},
        {P_NOTIFY, "00003039 80070005", "N(MS_NOTIFY_STATUS error 0x80070005)"},
        {P_NOTIFY, "00004017 0104 c0000201", "N(REDIRECT 192.0.2.1)"},
        {P_NOTIFY, "00004017 0305 612e620a63", "N(REDIRECT a.b?c)"},
        {P_NOTIFY, "00004017 03ff 61", "N(REDIRECT malformed)"},
        {P_NOTIFY, "00004018 0210 20010db8000000000000000000000007",
         "N(REDIRECTED_FROM 2001:db8::7)"},
        {P_NOTIFY, "00000004", "N(INVALID_IKE_SPI)"},
        {P_NOTIFY, "0000000b c0ffee01", "N(INVALID_SPI c0ffee01)"},
        /* a secret */
        {P_NOTIFY, "01004023 00112233445566778899aabbccddeeff", "N(QUICK_CRASH_DETECTION)"},
        {P_NOTIFY, "0000400d c0000201", "N(ADDITIONAL_IP4_ADDRESS 192.0.2.1)"},
        {P_NOTIFY, "0000", "N(malformed)"},
        {P_DELETE, "01000000", "D(IKE)"},
        {P_DELETE, "03040002 c0ffee01 00000102", "D(esp c0ffee01 00000102)"},
        {P_DELETE, "03040002 c0ffee01", "D(malformed)"},
        {P_IDr, "02000000 76706e2e6578616d706c652e6f7267", "IDr(vpn.example.org)"},
        {P_IDr, "02000000 760a6e", "IDr(v?n)"},
        {P_IDr, "02", "IDr(malformed)"},
        {P_CERTREQ, "04 0000000000000000000000000000000000000000", "CERTREQ(1 authority)"},
        {P_CERTREQ, "04", "CERTREQ(0 authorities)"},
        {P_CERT, "04 3000", "CERT(unreadable, 2 octets)"},
        {P_CERT, "0c 0011", "CERT(encoding 12, 2 octets)"},
        {P_TSi, "01000000 07000010 0000ffff 00000000 ffffffff", "TSi(0.0.0.0/0)"},
        {P_TSr, "01000000", "TSr(malformed)"},
        {P_CP, "01000000 00010000 00030000 70000000",
         "CP(REQUEST IP4_ADDRESS, IP4_DNS, UNITY_BANNER)"},
        {P_CP,
         "02000000 00010004 0a010005 00020004 ffffff00 00080011 "
         "20010db8000000000000000000000005 40 000d0008 0a000000ff000000 0019000b "
         "6578616d706c652e6f7267 00070003 610762 23280002 0001",
         "CP(REPLY IP4_ADDRESS 10.1.0.5, IP4_NETMASK 255.255.255.0, "
         "IP6_ADDRESS 2001:db8::5/64, IP4_SUBNET 10.0.0.0/8, DNS_DOMAIN example.org, "
         "APPLICATION_VERSION a?b, attribute 9000 2 octets)"},
        {P_CP, "02000000 00010004 0a", "CP(REPLY malformed)"},
        {P_VENDOR, "882fe56d6fd20dbc2251613b2ebe5beb", "V(strongSwan)"},
        {P_VENDOR, "0011", "V(0011)"},
        {P_SA, "0000001c01030401c0ffee01 0000001001000014800e0100 800f0001",
         "SA(esp aes256gcm16(unknown attribute) spi c0ffee01)"},
        {P_SA, "0000000801010001", "SA(malformed)"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = rung_of_payload(cases[i].type, cases[i].body);
        const char *start = "IKE_SA_INIT #0 response  ";

        ck_assert_msg(g_str_has_prefix(text, start), "%s", text);
        ck_assert_str_eq(text + strlen(start), cases[i].shown);
    }
}
END_TEST

START_TEST(init_request)
{
    static uint8_t payloads[4096], out[4096];
    struct chain chain = chain_of(payloads, sizeof payloads);
    struct ike_header header = response;
    struct proposal_list list;
    struct bytes at;
    const char *why;

    ck_assert(proposal_parse(&list, PROTO_IKE,
                             "aes256gcm16-aes128gcm16-prfsha384-x25519-ecp256,"
                             "aes256-sha256-prfsha256-modp2048",
                             false, &at, &why));
    header.flags = IKE_FLAG_INITIATOR;
    sa_write(&chain, &list, (struct bytes){0});
    ke_write(&chain, KE_CURVE25519, hex("0011"));
    notify_write(&chain, 0, hex(""), N_NAT_DETECTION_SOURCE_IP, hex("0011"));
    notify_write(&chain, 0, hex(""), N_REDIRECT_SUPPORTED, hex(""));
    notify_write(&chain, 0, hex(""), N_INVALID_SYNTAX, hex(""));
    notify_write(&chain, 0, hex(""), N_MOBIKE_SUPPORTED, hex(""));
    chain_add(&chain, P_NONCE, hex("00112233445566778899aabbccddeeff"));
    ck_assert_str_eq(
        rung(bytes_of(out, message_write(&header, &chain, out, sizeof out))),
        "IKE_SA_INIT #0 request  "
        "SA(aes256gcm16/aes128gcm16-prfsha384-x25519/ecp256, aes256-sha256-prfsha256-modp2048) "
        "KE(x25519) N(NAT_DETECTION_SOURCE_IP, REDIRECT_SUPPORTED) N(INVALID_SYNTAX) "
        "N(MOBIKE_SUPPORTED) Ni(16)");
}
END_TEST

START_TEST(protected_messages)
{
    uint8_t unknown;

    /* Not opened, empty, opened. */
    ck_assert_str_eq(rung(hex("00000000000000010000000000000002 2e202508 00000003 00000024"
                              "00000008 aabbccdd")),
                     "INFORMATIONAL #3 request  SK { }");
    ck_assert_str_eq(rung(hex("00000000000000010000000000000002 35202320 00000001 00000028"
                              "2400000c 00020003 aabbccdd")),
                     "IKE_AUTH #1 response  SKF 2/3 { }");
    rung(hex("00000000000000010000000000000002 2e202508 00000003 00000024 2a000008 aabbccdd"));
    ck_assert_int_eq(message_parse_chain(&message, P_DELETE,
                                         hex("29000008 01000000 0000000800004000"), &unknown),
                     OK);
    ck_assert_str_eq(trace_message(&message, line, sizeof line),
                     "INFORMATIONAL #3 request  SK { D(IKE) N(INITIAL_CONTACT) }");
}
END_TEST

START_TEST(strange_messages)
{
    struct message old = {.header = {.version = 0x10, .exchange = 2}};

    ck_assert_str_eq(trace_message(&old, line, sizeof line), "IKEv1 message, exchange 2");
    ck_assert_str_eq(rung(hex("00000000000000010000000000000002 c820f008 00000003 00000024"
                              "00800008 aabbccdd")),
                     "exchange 240 #3 request  payload 200(4 octets, critical)");
    ck_assert_str_eq(rung(hex("00000000000000010000000000000002 00202208 00000000 0000001c")),
                     "IKE_SA_INIT #0 request ");
}
END_TEST

START_TEST(line_that_does_not_fit)
{
    rung_of_payload(P_NOTIFY, "0000000e");
    for (size_t cap = 0; cap <= sizeof line; cap++) {
        char *small = g_malloc(cap);

        trace_message(&message, small, cap);
        if (cap > 4) {
            ck_assert_uint_lt(strlen(small), cap);
            ck_assert(strlen(small) == strlen(line) || g_str_has_suffix(small, "..."));
        }
        g_free(small);
    }
}
END_TEST

START_TEST(cve_2026_78127_hundreds_of_payloads)
{
    static uint8_t payloads[8192], out[8192];
    struct chain chain = chain_of(payloads, sizeof payloads);

    for (size_t i = 0; i < 250; i++) {
        notify_write(&chain, 0, hex(""), N_NAT_DETECTION_SOURCE_IP, hex("0011"));
    }
    rung(bytes_of(out, message_write(&response, &chain, out, sizeof out)));
    ck_assert_uint_eq(strlen(line), sizeof line - 1);
    ck_assert(g_str_has_suffix(line, "..."));
}
END_TEST

START_TEST(strongswan_session)
{
    JsonObject *trace = vectors_load("strongswan-traces/eapmsc.json");
    JsonArray *messages = vector_array(trace, "messages");
    GString *ladder = g_string_new(NULL);

    for (guint i = 0; i < json_array_get_length(messages); i++) {
        JsonObject *vector = json_array_get_object_element(messages, i);
        uint8_t unknown;

        rung(vector_hex(vector, "hex"));
        if (vector_has(vector, "inner_plaintext") && !vector_has(vector, "fragment")) {
            ck_assert_int_eq(message_parse_chain(&message,
                                                 (uint8_t)vector_int(vector, "first_inner_payload"),
                                                 vector_hex(vector, "inner_plaintext"), &unknown),
                             OK);
            trace_message(&message, line, sizeof line);
        }
        g_string_append_printf(ladder, "%s\n", line);
    }
    ck_assert_msg(strstr(ladder->str, "chacha20poly1305-prfsha256-x25519") != NULL, "%s",
                  ladder->str);
    ck_assert_msg(strstr(ladder->str, "malformed") == NULL, "%s", ladder->str);
    ck_assert_msg(strstr(ladder->str, "IP4_ADDRESS 10.") != NULL, "%s", ladder->str);
    if (g_getenv("LADDER") != NULL) {
        fputs(ladder->str, stderr);
    }
    g_string_free(ladder, TRUE);
    json_object_unref(trace);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace");
    TCase *tcase = tcase_create("rungs");

    tcase_add_test(tcase, rungs_of_payloads);
    tcase_add_test(tcase, init_request);
    tcase_add_test(tcase, protected_messages);
    tcase_add_test(tcase, strange_messages);
    tcase_add_test(tcase, line_that_does_not_fit);
    tcase_add_test(tcase, cve_2026_78127_hundreds_of_payloads);
    tcase_add_test(tcase, strongswan_session);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
