/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/addr.h"

#include <arpa/inet.h>

#include "unit/vectors.h"

static struct addr addr(const char *text)
{
    struct addr parsed;

    ck_assert_msg(addr_parse(&parsed, text), "%s", text);
    return parsed;
}

START_TEST(addresses)
{
    static const struct {
        const char *text;
        const char *shown;
        const char *octets;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", "c0000201"},
        {"0.0.0.0", "0.0.0.0", "00000000"},
        {"255.255.255.255", "255.255.255.255", "ffffffff"},
        {"::", "::", "00000000000000000000000000000000"},
        {"2001:DB8:0:0::1", "2001:db8::1", "20010db8000000000000000000000001"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1", "00000000000000000000ffffc0000201"},
    };
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct addr a = addr(cases[i].text);
        struct addr same = addr_of(a.family, hex(cases[i].octets).data);

        ck_assert_str_eq(addr_text(&a, text), cases[i].shown);
        ck_assert_octets(addr_bytes(&a), hex(cases[i].octets));
        ck_assert(addr_equal(&a, &same));
        ck_assert_uint_eq(addr_len(a.family) * 8, addr_bits(a.family));
    }
}
END_TEST

START_TEST(not_addresses)
{
    static const char *const cases[] = {
        "",           "vpn.example.org", "192.0.2",      "192.0.2.256",
        "192.0.2.1 ", " 192.0.2.1",      "192.0.2.01.1", "::1%lo",
        "[::1]",      "2001:db8::1/64",  ":::",          "1:2:3:4:5:6:7:8:9"};
    struct addr none = {0};
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct addr parsed = addr("192.0.2.1");

        ck_assert_msg(!addr_parse(&parsed, cases[i]), "%s", cases[i]);
        ck_assert(addr_equal(&parsed, &none));
    }
    ck_assert_str_eq(addr_text(&none, text), "none");
    ck_assert_uint_eq(addr_bytes(&none).len, 0);
}
END_TEST

START_TEST(order)
{
    static const char *const ascending[] = {"0.0.0.0", "9.255.255.255", "10.0.0.0",   "255.0.0.1",
                                            "::",      "::1",           "2001:db8::", "ff02::1"};

    for (size_t i = 0; i < G_N_ELEMENTS(ascending); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(ascending); j++) {
            struct addr a = addr(ascending[i]);
            struct addr b = addr(ascending[j]);
            int sign = addr_compare(&a, &b);

            ck_assert_int_eq((sign > 0) - (sign < 0), (i > j) - (i < j));
            ck_assert_int_eq(addr_equal(&a, &b), i == j);
        }
    }
}
END_TEST

START_TEST(any)
{
    struct addr none = {0};
    struct addr any4 = addr("0.0.0.0");
    struct addr any6 = addr("::");
    struct addr one4 = addr("0.0.0.1");
    struct addr one6 = addr("::1");

    ck_assert(addr_is_any(&none));
    ck_assert(addr_is_any(&any4));
    ck_assert(addr_is_any(&any6));
    ck_assert(!addr_is_any(&one4));
    ck_assert(!addr_is_any(&one6));
    ck_assert(!addr_equal(&any4, &any6));
}
END_TEST

static const struct {
    const char *text;
    bool good;
} endpoint_texts[] = {
    {"192.0.2.1:500", true},
    {"[2001:db8::1]:4500", true},
    {"[fe80::1%4294967295]:65535", true},
    {"192.0.2.1", false},
    {"192.0.2.1:", false},
    {"192.0.2.1:65536", false},
    {"192.0.2.1:5x", false},
    {"192.0.2.1%1:500", false},
    {"2001:db8::1:500", false},
    {"[192.0.2.1]:500", false},
    {"[2001:db8::1]", false},
    {"[2001:db8::1:500", false},
    {"[fe80::1%]:500", false},
    {"[fe80::1%x]:500", false},
    {"[fe80::1%4294967296]:500", false},
    {"vpn.example.org:500", false},
    {"", false},
    {":", false},
    {"[", false},
    {"99999999999:1", false},
    {"192.0.2.1:99999999999999", false},
};

START_TEST(endpoint_text_and_back)
{
    struct endpoint endpoint;
    char text[ADDR_TEXT_MAX];

    ck_assert_msg(endpoint_parse(&endpoint, endpoint_texts[_i].text) == endpoint_texts[_i].good,
                  "%s", endpoint_texts[_i].text);
    if (endpoint_texts[_i].good) {
        ck_assert_str_eq(endpoint_text(&endpoint, text), endpoint_texts[_i].text);
    } else {
        ck_assert_int_eq(endpoint.addr.family, FAMILY_NONE);
    }
}
END_TEST

START_TEST(endpoints)
{
    struct endpoint v4 = {.addr = addr("192.0.2.1"), .port = 500};
    struct endpoint v6 = {.addr = addr("2001:db8::1"), .port = 4500};
    struct endpoint link_local = {.addr = addr("fe80::1"), .port = 65535, .scope = 4294967295u};
    struct endpoint back;
    struct sockaddr_storage storage;
    struct sockaddr_storage other = {.ss_family = AF_UNIX};
    char text[ADDR_TEXT_MAX];

    ck_assert_str_eq(endpoint_text(&v4, text), "192.0.2.1:500");
    ck_assert_str_eq(endpoint_text(&v6, text), "[2001:db8::1]:4500");
    ck_assert_str_eq(endpoint_text(&link_local, text), "[fe80::1%4294967295]:65535");
    ck_assert_uint_eq(endpoint_to_sockaddr(&v4, &storage), sizeof(struct sockaddr_in));
    ck_assert(endpoint_from_sockaddr(&back, (struct sockaddr *)&storage));
    ck_assert(endpoint_equal(&back, &v4));
    ck_assert_uint_eq(endpoint_to_sockaddr(&link_local, &storage), sizeof(struct sockaddr_in6));
    ck_assert(endpoint_from_sockaddr(&back, (struct sockaddr *)&storage));
    ck_assert(endpoint_equal(&back, &link_local));
    back.scope = 1;
    ck_assert(!endpoint_equal(&back, &link_local));
    back = v4;
    back.port = 501;
    ck_assert(!endpoint_equal(&back, &v4));
    ck_assert(!endpoint_from_sockaddr(&back, (struct sockaddr *)&other));
    back = (struct endpoint){0};
    ck_assert_uint_eq(endpoint_to_sockaddr(&back, &storage), 0);
    ck_assert_str_eq(endpoint_text(&back, text), "none:0");
}
END_TEST

/* The longest texts must fit. */
START_TEST(longest_texts)
{
    struct endpoint e = {.addr = addr("2001:db80:1111:2222:3333:4444:5555:6666"),
                         .port = 65535,
                         .scope = 4294967295u};
    struct prefix p = {.addr = addr("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"), .len = 128};
    char text[ADDR_TEXT_MAX];

    ck_assert_str_eq(endpoint_text(&e, text),
                     "[2001:db80:1111:2222:3333:4444:5555:6666%4294967295]:65535");
    ck_assert(g_str_has_suffix(prefix_text(&p, text), "/128"));
}
END_TEST

START_TEST(prefixes)
{
    static const struct {
        const char *text;
        const char *shown; /* NULL: refused */
        const char *with_host_bits;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.1", "192.0.2.1/32", "192.0.2.1/32"},
        {"192.0.2.1/24", NULL, "192.0.2.1/24"},
        {"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0"},
        {"128.0.0.0/1", "128.0.0.0/1", "128.0.0.0/1"},
        {"192.0.2.0/33", NULL, NULL},
        {"192.0.2.0/", NULL, NULL},
        {"192.0.2.0/-1", NULL, NULL},
        {"192.0.2.0/ 24", NULL, NULL},
        {"192.0.2.0/024", "192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.0/0024", NULL, NULL},
        {"192.0.2.0/2x", NULL, NULL},
        {"192.0.2.0/256", NULL, NULL},
        {"192.0.2.0/999", NULL, NULL},
        {"192.0.2.0/24/24", NULL, NULL},
        {"2001:db8::/32", "2001:db8::/32", "2001:db8::/32"},
        {"2001:db8::1/128", "2001:db8::1/128", "2001:db8::1/128"},
        {"2001:db8::1/127", NULL, "2001:db8::1/127"},
        {"2001:db8::/129", NULL, NULL},
        {"::/0", "::/0", "::/0"},
        {"/24", NULL, NULL},
        {"", NULL, NULL},
        {"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111/8",
         NULL, NULL},
    };
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct prefix p;

        ck_assert_msg(prefix_parse(&p, cases[i].text, false) == (cases[i].shown != NULL), "%s",
                      cases[i].text);
        if (cases[i].shown != NULL) {
            ck_assert_str_eq(prefix_text(&p, text), cases[i].shown);
        } else {
            ck_assert_uint_eq(p.addr.family, FAMILY_NONE);
        }
        ck_assert_msg(prefix_parse(&p, cases[i].text, true) == (cases[i].with_host_bits != NULL),
                      "%s", cases[i].text);
        if (cases[i].with_host_bits != NULL) {
            ck_assert_str_eq(prefix_text(&p, text), cases[i].with_host_bits);
        }
    }
}
END_TEST

static void check_contains(const char *prefix, const char *inside, const char *outside)
{
    struct prefix p;
    struct addr in = addr(inside);
    struct addr out = addr(outside);

    ck_assert(prefix_parse(&p, prefix, true));
    ck_assert_msg(prefix_contains(&p, &in), "%s holds %s", prefix, inside);
    ck_assert_msg(!prefix_contains(&p, &out), "%s does not hold %s", prefix, outside);
}

START_TEST(containing)
{
    struct addr none = {0};
    struct prefix nothing = {0};

    check_contains("10.0.0.0/8", "10.255.255.255", "11.0.0.0");
    check_contains("10.0.0.0/9", "10.127.255.255", "10.128.0.0");
    check_contains("0.0.0.0/0", "255.1.2.3", "::");
    check_contains("192.0.2.1/32", "192.0.2.1", "192.0.2.0");
    check_contains("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::");
    check_contains("::/0", "ff02::1", "0.0.0.0");
    ck_assert(!prefix_contains(&nothing, &none));
}
END_TEST

START_TEST(masking)
{
    struct prefix p;
    char text[ADDR_TEXT_MAX];

    for (uint8_t len = 0; len <= 32; len++) {
        uint32_t expected = len == 0 ? 0 : htonl(UINT32_MAX << (32 - len));
        uint8_t octets[4];

        p = (struct prefix){.addr = addr("255.255.255.255"), .len = len};
        prefix_mask(&p);
        memcpy(octets, &expected, 4);
        ck_assert_octets(addr_bytes(&p.addr), bytes_of(octets, 4));
        ck_assert_int_eq(netmask_len(octets), len);
    }
    ck_assert(prefix_parse(&p, "2001:db8:ffff:ffff::1/51", true));
    prefix_mask(&p);
    ck_assert_str_eq(prefix_text(&p, text), "2001:db8:ffff:e000::/51");
    ck_assert_int_eq(netmask_len(hex("ff00ff00").data), -1);
    ck_assert_int_eq(netmask_len(hex("00ffffff").data), -1);
    ck_assert_int_eq(netmask_len(hex("fffffffd").data), -1);
}
END_TEST

static void check_range(const char *start, const char *end, const char *expected)
{
    struct addr from = addr(start);
    struct addr to = addr(end);
    struct prefix found[300];
    size_t n = range_to_prefixes(&from, &to, found, G_N_ELEMENTS(found));
    GString *all = g_string_new(NULL);
    char text[ADDR_TEXT_MAX];

    ck_assert_uint_le(n, G_N_ELEMENTS(found));
    for (size_t i = 0; i < n; i++) {
        g_string_append_printf(all, "%s%s", i > 0 ? " " : "", prefix_text(&found[i], text));
    }
    ck_assert_str_eq(all->str, expected);
    g_string_free(all, TRUE);
}

START_TEST(ranges)
{
    struct addr start = addr("0.0.0.1");
    struct addr end = addr("255.255.255.254");
    struct addr v6 = addr("ffff::");
    struct addr start6 = addr("::1");
    struct addr end6 = addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
    struct prefix few[3];

    check_range("0.0.0.0", "255.255.255.255", "0.0.0.0/0");
    check_range("10.0.0.0", "10.255.255.255", "10.0.0.0/8");
    check_range("10.0.0.5", "10.0.0.5", "10.0.0.5/32");
    check_range("10.0.0.1", "10.0.0.6", "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32");
    check_range("255.255.255.254", "255.255.255.255", "255.255.255.254/31");
    check_range("10.0.0.2", "10.0.0.1", "");
    check_range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0");
    check_range("2001:db8::", "2001:db8:0:ffff:ffff:ffff:ffff:ffff", "2001:db8::/48");
    check_range("2001:db8::ffff", "2001:db8::1:0", "2001:db8::ffff/128 2001:db8::1:0/128");
    /* The worst cases, and a buffer that is too small: how many there are is still told. */
    ck_assert_uint_eq(range_to_prefixes(&start, &end, few, 3), 62);
    ck_assert_uint_eq(few[2].len, 30);
    ck_assert_uint_eq(range_to_prefixes(&start, &end, NULL, 0), 62);
    ck_assert_uint_eq(range_to_prefixes(&start6, &end6, NULL, 0), 254);
    ck_assert_uint_eq(range_to_prefixes(&start, &v6, NULL, 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("addr");
    TCase *addrs = tcase_create("addresses");
    TCase *nets = tcase_create("prefixes");

    tcase_add_test(addrs, addresses);
    tcase_add_test(addrs, not_addresses);
    tcase_add_test(addrs, order);
    tcase_add_test(addrs, any);
    tcase_add_test(addrs, endpoints);
    tcase_add_loop_test(addrs, endpoint_text_and_back, 0,
                        sizeof endpoint_texts / sizeof endpoint_texts[0]);
    tcase_add_test(addrs, longest_texts);
    suite_add_tcase(suite, addrs);
    tcase_add_test(nets, prefixes);
    tcase_add_test(nets, containing);
    tcase_add_test(nets, masking);
    tcase_add_test(nets, ranges);
    suite_add_tcase(suite, nets);
    return run_suite(suite);
}
