/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "common/net_config_variant.h"
#include "unit/vectors.h"

static struct prefix prefix_of(const char *text)
{
    struct prefix prefix;
    ck_assert(prefix_parse(&prefix, text, true));
    return prefix;
}

static struct net_config good(void)
{
    struct net_config config = {
        .mtu = 1400, .n_addresses = 2, .n_routes = 2, .n_joined = 3, .n_dns = 2, .n_domains = 2};
    config.addresses[0] = prefix_of("10.1.2.3/24");
    config.addresses[1] = prefix_of("2001:db8::5/64");
    config.routes[0] = prefix_of("0.0.0.0/0");
    config.routes[1] = prefix_of("2001:db8::/32");
    config.dns[0] = prefix_of("10.1.2.1").addr;
    config.dns[1] = prefix_of("2001:db8::53").addr;
    g_strlcpy(config.domains[0], "example.org", NET_DOMAIN_LEN);
    g_strlcpy(config.domains[1], "_tcp.a-b.x1", NET_DOMAIN_LEN);
    g_strlcpy(config.banner, "Welcome\n\nto \xc3\xa9 \xd8\x80", NET_BANNER_LEN);
    return config;
}

/* Through the octets of a message, as over the socket. */
static gboolean carried(GVariant *sent, struct net_config *out, const char **why)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(sent);
    g_autoptr(GBytes) wire = g_variant_get_data_as_bytes(owned);
    g_autoptr(GVariant) received =
        g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE_VARDICT, wire, FALSE));
    return net_config_from_variant(received, out, why);
}

static void expect_refused(const struct net_config *config, const char *part_of_why)
{
    struct net_config out;
    const char *why = NULL;
    ck_assert(!carried(net_config_to_variant(config), &out, &why));
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, part_of_why) != NULL, "refused with \"%s\"", why);
    ck_assert_uint_eq(out.n_addresses, 0);
}

static void expect_accepted(const struct net_config *config)
{
    struct net_config out;
    const char *why = NULL;
    ck_assert_msg(carried(net_config_to_variant(config), &out, &why), "refused with \"%s\"", why);
}

START_TEST(round_trip)
{
    struct net_config in = good(), out;
    const char *why = "unset";
    ck_assert(carried(net_config_to_variant(&in), &out, &why));
    ck_assert_ptr_null(why);
    ck_assert_uint_eq(out.n_addresses, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(addr_equal(&in.addresses[i].addr, &out.addresses[i].addr));
        ck_assert_uint_eq(in.addresses[i].len, out.addresses[i].len);
        ck_assert(addr_equal(&in.routes[i].addr, &out.routes[i].addr));
        ck_assert_uint_eq(in.routes[i].len, out.routes[i].len);
        ck_assert(addr_equal(&in.dns[i], &out.dns[i]));
        ck_assert_str_eq(in.domains[i], out.domains[i]);
    }
    ck_assert_uint_eq(out.n_routes, 2);
    ck_assert_uint_eq(out.n_dns, 2);
    ck_assert_uint_eq(out.n_domains, 2);
    ck_assert_str_eq(in.banner, out.banner);
    ck_assert_uint_eq(out.mtu, 1400);
    ck_assert_uint_eq(out.n_joined, 3);
}
END_TEST

START_TEST(largest)
{
    struct net_config in = good(), out;
    const char *why;
    in.n_routes = NET_ROUTES_MAX;
    for (size_t i = 0; i < NET_ROUTES_MAX; i++) {
        in.routes[i] = prefix_of("10.0.0.0/24");
        in.routes[i].addr.octets[2] = (uint8_t)i;
    }
    in.n_dns = NET_DNS_MAX;
    for (size_t i = 0; i < NET_DNS_MAX; i++) {
        in.dns[i] = in.dns[0];
    }
    ck_assert(carried(net_config_to_variant(&in), &out, &why));
    ck_assert_uint_eq(out.n_routes, NET_ROUTES_MAX);
    ck_assert_uint_eq(out.routes[255].addr.octets[2], 255);
}
END_TEST

static const char *const bad_addresses[] = {
    "0.0.0.0/32",   "0.1.2.3/32",         "127.0.0.1/32",        "127.255.0.1/8", "224.0.0.1/32",
    "239.1.1.1/24", "255.255.255.255/32", "240.0.0.1/32",        "::/128",        "::1/128",
    "ff02::1/128",  "fe80::1/64",         "::ffff:10.0.0.1/128", "10.0.0.1/0",    "2001:db8::1/0",
};

START_TEST(bad_address)
{
    struct net_config config = good();
    config.addresses[0] = prefix_of(bad_addresses[_i]);
    expect_refused(&config, "internal address");
}
END_TEST

static const char *const bad_routes[] = {
    "10.0.0.1/8",  "0.0.0.1/0",   "2001:db8::1/32", "8000::/0",  "127.0.0.0/8", "127.0.0.1/32",
    "224.0.0.0/4", "239.0.0.0/8", "::1/128",        "fe80::/64", "ff02::/16",
};

START_TEST(bad_route)
{
    struct net_config config = good();
    config.routes[1] = prefix_of(bad_routes[_i]);
    expect_refused(&config, "a route");
}
END_TEST

static const char *const good_routes[] = {
    "0.0.0.0/0",          "::/0",           "224.0.0.0/3", "0.0.0.0/1",
    "169.254.169.254/32", "192.168.1.1/32", "fc00::/7"};

START_TEST(good_route)
{
    struct net_config config = good();
    config.routes[1] = prefix_of(good_routes[_i]);
    expect_accepted(&config);
}
END_TEST

static const char *const bad_dns[] = {"0.0.0.0", "127.0.0.53", "224.0.0.251",
                                      "::1",     "ff02::fb",   "fe80::1"};

START_TEST(bad_dns_server)
{
    struct net_config config = good();
    config.dns[1] = prefix_of(bad_dns[_i]).addr;
    expect_refused(&config, "DNS server");
}
END_TEST

static const char *const bad_domains[] = {
    "",
    ".",
    "example.org.",
    ".org",
    "a..b",
    "-a.org",
    "a-.org",
    "a b",
    "a\nnameserver 192.0.2.66",
    "\xc3\xa9.org",
    "a/b",
    "a;b",
    "a#b",
    "a123456789012345678901234567890123456789012345678901234567890123.org",
};

START_TEST(bad_domain)
{
    struct net_config config = good();
    g_strlcpy(config.domains[1], bad_domains[_i], NET_DOMAIN_LEN);
    expect_refused(&config, "domain");
}
END_TEST

START_TEST(bad_banner)
{
    static const char *const banners[] = {"\x1b[2J", "a\tb",       "\xe2\x80\xae", "\x7f",
                                          "a\r\n",   "b\n\x1b[2J", "\xe2\x80\xa8"};
    struct net_config config = good();
    for (size_t i = 0; i < G_N_ELEMENTS(banners); i++) {
        g_strlcpy(config.banner, banners[i], NET_BANNER_LEN);
        expect_refused(&config, "banner");
    }
}
END_TEST

START_TEST(bad_mtu)
{
    struct net_config config = good();
    config.mtu = 1279;
    expect_refused(&config, "MTU");
    config.n_addresses = 1;
    expect_accepted(&config);
    config.mtu = 399;
    expect_refused(&config, "MTU");
    config.mtu = 0;
    expect_refused(&config, "MTU");
}
END_TEST

START_TEST(no_address)
{
    struct net_config config = good();
    config.n_addresses = 0;
    expect_refused(&config, "no internal address");
}
END_TEST

/* What only a worker that does not use our code can send: `key` replaced by `value`. */
static void expect_raw_refused(const char *key, GVariant *value, const char *part_of_why)
{
    struct net_config config = good(), out;
    const char *why = NULL;
    g_autoptr(GVariant) from = g_variant_ref_sink(net_config_to_variant(&config));
    GVariantDict dict;
    g_variant_dict_init(&dict, from);
    if (value) {
        g_variant_dict_insert_value(&dict, key, value);
    } else {
        g_variant_dict_remove(&dict, key);
    }
    ck_assert(!carried(g_variant_dict_end(&dict), &out, &why));
    ck_assert_msg(strstr(why, part_of_why) != NULL, "refused with \"%s\"", why);
}

static GVariant *many(const char *element, const char *type, int n)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE(type));
    for (int i = 0; i < n; i++) {
        g_variant_builder_add_parsed(&builder, element);
    }
    return g_variant_builder_end(&builder);
}

START_TEST(raw_types)
{
    static const char *const names[] = {"addresses", "routes", "joined", "dns",
                                        "domains",   "banner", "mtu"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        expect_raw_refused(names[i], NULL, "missing or of the wrong type");
        expect_raw_refused(names[i], g_variant_new_int64(7), "missing or of the wrong type");
    }
    expect_raw_refused("mtu", g_variant_new_uint32(1400), "wrong type");
    expect_raw_refused("dns", g_variant_new_parsed("['10.0.0.1']"), "wrong type");
}
END_TEST

START_TEST(raw_counts)
{
    expect_raw_refused("routes", many("([byte 10,0,0,0], byte 8)", "a(ayy)", 257),
                       "too many routes");
    expect_raw_refused("addresses", many("([byte 10,0,0,1], byte 8)", "a(ayy)", 17),
                       "too many addresses");
    expect_raw_refused("dns", many("[byte 10,0,0,1]", "aay", 9), "too many DNS");
    expect_raw_refused("domains", many("'a.org'", "as", 33), "too many domains");
}
END_TEST

START_TEST(raw_octets)
{
    expect_raw_refused("routes", g_variant_new_parsed("[([byte 10,0,0], byte 8)]"), "octets");
    expect_raw_refused("routes", g_variant_new_parsed("[(@ay [], byte 0)]"), "octets");
    expect_raw_refused("addresses", g_variant_new_parsed("[([byte 10,0,0,1,1], byte 8)]"),
                       "octets");
    expect_raw_refused("dns", g_variant_new_parsed("[[byte 10,0,0]]"), "DNS server");
    expect_raw_refused("routes", g_variant_new_parsed("[([byte 10,0,0,0], byte 33)]"), "longer");
    expect_raw_refused("routes", g_variant_new_parsed("[([byte 10,0,0,0], byte 255)]"), "longer");
}
END_TEST

START_TEST(raw_long_texts)
{
    g_autofree char *name = g_strnfill(300, 'a');
    const char *list[] = {name};
    g_autofree char *banner = g_strnfill(NET_BANNER_LEN, 'a');
    GString *long_name = g_string_new("a");
    while (long_name->len < NET_DOMAIN_LEN) {
        g_string_append(long_name, ".a");
    }
    expect_raw_refused("domains", g_variant_new_strv(list, 1), "domain");
    list[0] = long_name->str;
    expect_raw_refused("domains", g_variant_new_strv(list, 1), "domain");
    expect_raw_refused("banner", g_variant_new_string(banner), "banner");
    g_string_free(long_name, TRUE);
}
END_TEST

START_TEST(not_a_dictionary)
{
    struct net_config out;
    const char *why = NULL;
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_string("x"));
    ck_assert(!net_config_from_variant(value, &out, &why));
    ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(carries)
{
    struct net_config config = good();
    const struct net_config none = {0};
    static const struct {
        const char *addr;
        bool carried;
    } rows[] = {{"10.9.0.0", true},     {"10.9.255.255", true}, {"10.8.255.255", false},
                {"2001:db8::53", true}, {"2001:db9::1", false}, {"::a09:1", false}};
    config.routes[0] = prefix_of("10.9.0.0/16");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct addr addr = prefix_of(rows[i].addr).addr;
        ck_assert_msg(net_config_carries(&config, &addr) == rows[i].carried, "%s", rows[i].addr);
        ck_assert(!net_config_carries(&none, &addr));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net_config");
    TCase *tcase = tcase_create("variant");
    tcase_add_test(tcase, round_trip);
    tcase_add_test(tcase, largest);
    tcase_add_loop_test(tcase, bad_address, 0, G_N_ELEMENTS(bad_addresses));
    tcase_add_loop_test(tcase, bad_route, 0, G_N_ELEMENTS(bad_routes));
    tcase_add_loop_test(tcase, good_route, 0, G_N_ELEMENTS(good_routes));
    tcase_add_loop_test(tcase, bad_dns_server, 0, G_N_ELEMENTS(bad_dns));
    tcase_add_loop_test(tcase, bad_domain, 0, G_N_ELEMENTS(bad_domains));
    tcase_add_test(tcase, bad_banner);
    tcase_add_test(tcase, bad_mtu);
    tcase_add_test(tcase, no_address);
    tcase_add_test(tcase, raw_types);
    tcase_add_test(tcase, raw_counts);
    tcase_add_test(tcase, raw_octets);
    tcase_add_test(tcase, raw_long_texts);
    tcase_add_test(tcase, not_a_dictionary);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("routes");
    tcase_add_test(tcase, carries);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
