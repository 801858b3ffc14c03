/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/cert.h"
#include "vectors.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
    const char *text;
    enum id_type type;
    const char *octets; /* hexadecimal; NULL = not compared */
    const char *shown;
} good[] = {
    {"vpn.example.org", ID_FQDN, "76706e2e6578616d706c652e6f7267", "vpn.example.org"},
    {"vpn.example.org.", ID_FQDN, "76706e2e6578616d706c652e6f7267", "vpn.example.org"},
    {"@vpn.example.org", ID_FQDN, NULL, "vpn.example.org"},
    {"gateway", ID_FQDN, NULL, "gateway"},
    {"fqdn:192.0.2.1", ID_FQDN, NULL, "192.0.2.1"},
    {"DNS:vpn", ID_FQDN, NULL, "vpn"},
    {"m\xc3\xbcnchen.example", ID_FQDN, NULL, "xn--mnchen-3ya.example"},
    {"alice@example.org", ID_RFC822_ADDR, "616c696365406578616d706c652e6f7267",
     "alice@example.org"},
    {"email:a@b", ID_RFC822_ADDR, NULL, "a@b"},
    {"a=b@c", ID_NONE, NULL, NULL},
    {"email:a=b@c", ID_RFC822_ADDR, NULL, "a=b@c"},
    {"192.0.2.1", ID_IPV4_ADDR, "c0000201", "192.0.2.1"},
    {"ipv4:192.0.2.1", ID_IPV4_ADDR, "c0000201", "192.0.2.1"},
    {"2001:db8::1", ID_IPV6_ADDR, "20010db8000000000000000000000001", "2001:db8::1"},
    {"ipv6:::1", ID_IPV6_ADDR, NULL, "::1"},
    {"CN=x", ID_DER_ASN1_DN, "300c310a30080603550403130178", "CN=x"},
    {"dn:CN=x, O=y", ID_DER_ASN1_DN, NULL, "CN=x,O=y"},
    {"asn1dn:O=y, CN=x", ID_DER_ASN1_DN, NULL, "CN=x,O=y"},
    {"C=CH, O=strongSwan, CN=moon", ID_DER_ASN1_DN, NULL, "CN=moon,O=strongSwan,C=CH"},
    {"CN=moon,O=strongSwan,C=CH", ID_DER_ASN1_DN, NULL, "CN=moon,O=strongSwan,C=CH"},
    {"DC=org, DC=example, CN=x", ID_DER_ASN1_DN, NULL, "CN=x,DC=example,DC=org"},
    {"CN=a\\,b, O=y", ID_DER_ASN1_DN, NULL, "CN=a\\,b,O=y"},
    {"O=y, E=a@b", ID_DER_ASN1_DN, NULL, "EMAIL=a@b,O=y"},
    {"keyid:token", ID_KEY_ID, "746f6b656e", "keyid:token"},
    {"keyid:#0102", ID_KEY_ID, "0102", "@#0102"},
    {"@#0102aBfF", ID_KEY_ID, "0102abff", "@#0102abff"},
};

START_TEST(parse)
{
    struct id id;
    struct id again;
    char text[2100];

    if (good[_i].type == ID_NONE) {
        ck_assert(!id_parse(&id, good[_i].text));
        return;
    }
    ck_assert(id_parse(&id, good[_i].text));
    ck_assert_int_eq(id.type, good[_i].type);
    if (good[_i].octets != NULL) {
        ck_assert_octets(bytes_of(id.data, id.len), hex(good[_i].octets));
    }
    ck_assert_str_eq(id_text(&id, text, sizeof(text)), good[_i].shown);
    ck_assert(id_equal(&id, &id));
    /* What came from the wire is the same identity. */
    ck_assert(id_from_wire(&again, (uint8_t)id.type, bytes_of(id.data, id.len)));
    ck_assert(id_equal(&id, &again));
    ck_assert_uint_lt(strlen(id_text(&id, text, 5)), 5);
}
END_TEST

/* CVE-2026-47895's class: nothing behind the prefix. */
static const char *const bad[] = {
    "",         "@",         "@#",       "@#1",      "@#zz",         "fqdn:",
    "dns:",     "email:",    "rfc822:",  "dn:",      "asn1dn:",      "ipv4:",
    "ipv6:",    "keyid:",    "keyid:#",  "keyid:#1", "email:foo",    "email:@b",
    "email:a@", "a@",        "@@",       "ipv4:::1", "ipv6:1.2.3.4", "ipv4:x",
    "dn:x",     "CN=",       "=",        "CN=x,",    ",CN=x",        "CN=x,,O=y",
    "NOSUCH=x", "two words", "fqdn:a@b", "fqdn:a b", "fqdn:\x01",    "a@b c",
    "\xff\xfe", "dn:CN=x\\",
};

START_TEST(parse_refuses)
{
    struct id id;

    ck_assert_msg(!id_parse(&id, bad[_i]), "%s", bad[_i]);
}
END_TEST

START_TEST(parse_too_long)
{
    char text[5000];
    struct id id;

    memset(text, 'a', sizeof(text));
    text[ID_MAX] = '\0';
    ck_assert(id_parse(&id, text));
    text[ID_MAX] = 'a';
    text[ID_MAX + 1] = '\0';
    ck_assert(!id_parse(&id, text));
    text[ID_MAX + 1] = 'a';
    text[sizeof(text) - 1] = '\0';
    ck_assert(!id_parse(&id, text));
    memcpy(text, "CN=", 3);
    ck_assert(!id_parse(&id, text));
    memcpy(text, "@#", 2);
    ck_assert(!id_parse(&id, text));
    for (size_t i = 0; i + 5 < sizeof(text); i += 5) {
        memcpy(text + i, "CN=x,", 5);
    }
    ck_assert(!id_parse(&id, text));
}
END_TEST

static const struct {
    uint8_t type;
    const char *octets;
    bool good;
} wires[] = {
    {ID_IPV4_ADDR, "c0000201", true},
    {ID_IPV4_ADDR, "c00002", false},
    {ID_IPV4_ADDR, "c000020100", false},
    {ID_IPV6_ADDR, "20010db8000000000000000000000001", true},
    {ID_IPV6_ADDR, "c0000201", false},
    {ID_FQDN, "61", true},
    {ID_RFC822_ADDR, "61", true},
    {ID_KEY_ID, "00", true},
    {ID_DER_ASN1_GN, "8201", true},
    {ID_DER_ASN1_DN, "300c310a300806035504030c0178", true},
    {ID_DER_ASN1_DN, "300c310a300806035504030c01", false},
    {ID_DER_ASN1_DN, "616263", false},
    {ID_DER_ASN1_DN, "30ff", false},
    {ID_DER_ASN1_DN, "3000", false}, /* no name at all */
    {ID_DER_ASN1_DN, "300c310a300806035504030c017800", false},
    {ID_DER_ASN1_DN, "30810c310a300806035504030c0178", false}, /* not DER */
    {0, "61", false},
    {4, "61", false},
    {12, "61", false},
    {13, "61", false},
    {255, "61", false},
    /* CVE-2026-47895: empty, of each type */
    {ID_IPV4_ADDR, "", false},
    {ID_FQDN, "", false},
    {ID_RFC822_ADDR, "", false},
    {ID_IPV6_ADDR, "", false},
    {ID_DER_ASN1_DN, "", false},
    {ID_DER_ASN1_GN, "", false},
    {ID_KEY_ID, "", false},
};

START_TEST(from_wire)
{
    struct id id;

    ck_assert_int_eq(id_from_wire(&id, wires[_i].type, hex(wires[_i].octets)), wires[_i].good);
    if (!wires[_i].good) {
        ck_assert_int_eq(id.type, ID_NONE);
        ck_assert_uint_eq(id.len, 0);
    }
}
END_TEST

START_TEST(from_wire_too_long)
{
    uint8_t data[ID_MAX + 1] = {0};
    struct id id;
    char text[16];

    ck_assert(id_from_wire(&id, ID_KEY_ID, bytes_of(data, ID_MAX)));
    ck_assert_uint_lt(strlen(id_text(&id, text, sizeof(text))), sizeof(text));
    ck_assert(!id_from_wire(&id, ID_KEY_ID, bytes_of(data, ID_MAX + 1)));
    ck_assert(!id_from_wire(&id, ID_DER_ASN1_DN, bytes_of(data, ID_MAX + 1)));
}
END_TEST

static const struct {
    const char *a;
    const char *b;
    bool equal;
} pairs[] = {
    {"a.example", "A.EXAMPLE", true},
    {"a.example", "b.example", false},
    {"a.example", "a.example.org", false},
    {"fqdn:a", "keyid:a", false},
    {"u@Host", "u@hOST", true},
    {"U@host", "u@host", false},
    {"keyid:a", "keyid:A", false},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"192.0.2.1", "fqdn:192.0.2.1", false},
    {"CN=x,O=y", "O=y, CN=x", true},
    {"CN=x,O=y", "cn=X,o=Y", true},
    {"CN=a  b,O=y", "CN=a b,O=y", true},
    {"CN=x,O=y", "CN=x,O=y,C=CH", false},
    {"CN=x,O=y", "CN=x,OU=y", false},
    {"CN=x,O=y", "CN=xy", false},
    {"CN=ab", "CN=a b", false},
};

START_TEST(equal)
{
    struct id a;
    struct id b;

    ck_assert(id_parse(&a, pairs[_i].a));
    ck_assert(id_parse(&b, pairs[_i].b));
    ck_assert_int_eq(id_equal(&a, &b), pairs[_i].equal);
    ck_assert_int_eq(id_equal(&b, &a), pairs[_i].equal);
}
END_TEST

/* CN=x as PrintableString, UTF8String and BMPString. */
START_TEST(dn_string_types)
{
    struct id printable;
    struct id utf8;
    struct id bmp;
    struct id multi; /* CN=x+O=y */

    ck_assert(id_from_wire(&printable, ID_DER_ASN1_DN, hex("300c310a30080603550403130178")));
    ck_assert(id_from_wire(&utf8, ID_DER_ASN1_DN, hex("300c310a300806035504030c0178")));
    ck_assert(id_from_wire(&bmp, ID_DER_ASN1_DN, hex("300d310b300906035504031e020078")));
    ck_assert(id_equal(&printable, &utf8));
    ck_assert(!id_equal(&printable, &bmp));
    ck_assert(id_equal(&bmp, &bmp));
    ck_assert(id_from_wire(&multi, ID_DER_ASN1_DN,
                           hex("30163114300806035504030c0178300806035504"
                               "0a0c0179")));
    ck_assert(!id_equal(&multi, &utf8));
    ck_assert(!id_equal(&utf8, &multi));
    ck_assert(id_equal(&multi, &multi));
}
END_TEST

START_TEST(nothing_equals_nothing)
{
    struct id none = {0};
    struct id empty = {.type = ID_FQDN};
    char text[32];

    ck_assert(!id_equal(&none, &none));
    ck_assert(!id_equal(&empty, &empty));
    ck_assert_str_eq(id_text(&none, text, sizeof(text)), "(none)");
    ck_assert_str_eq(id_text(&empty, text, sizeof(text)), "");
    (void)id_text(&none, text, 0);
}
END_TEST

/* What a stranger sends is shown without control characters. */
START_TEST(openiked_2695060_text_is_printable)
{
    struct id id;
    char text[64];

    ck_assert(id_from_wire(&id, ID_FQDN, bytes_of("a\x1b[2Jb\0c", 8)));
    ck_assert_str_eq(id_text(&id, text, sizeof(text)), "a?[2Jb?c");
    ck_assert(id_from_wire(&id, ID_DER_ASN1_GN, bytes_of("\x82\x01", 2)));
    ck_assert_str_eq(id_text(&id, text, sizeof(text)), "general name 8201");
    ck_assert(id_from_wire(&id, ID_KEY_ID, bytes_of("\x1b[2J", 4)));
    ck_assert_str_eq(id_text(&id, text, sizeof(text)), "@#1b5b324a");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cert_id");
    TCase *tests = tcase_create("identities");

    tcase_add_loop_test(tests, parse, 0, COUNT(good));
    tcase_add_loop_test(tests, parse_refuses, 0, COUNT(bad));
    tcase_add_test(tests, parse_too_long);
    tcase_add_loop_test(tests, from_wire, 0, COUNT(wires));
    tcase_add_test(tests, from_wire_too_long);
    tcase_add_loop_test(tests, equal, 0, COUNT(pairs));
    tcase_add_test(tests, dn_string_types);
    tcase_add_test(tests, nothing_equals_nothing);
    tcase_add_test(tests, openiked_2695060_text_is_printable);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
