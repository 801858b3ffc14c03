/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdio.h>

#include "vectors.h"

/* CFG_REPLY and traffic selectors to struct net_config, with what gateways send and what they
 * should not. */

static uint8_t buffer[65535];
static struct chain chain;
static struct ike_config config;
static struct ts_list remote_ts;
static struct net_config net;
static struct ike_summary summary;

static void begin(void)
{
    chain = chain_of(buffer, sizeof buffer);
    config = (struct ike_config){.request_ipv4 = true};
    remote_ts = (struct ts_list){0};
    memset(&summary, 0, sizeof summary);
    cp_write_begin(&chain, CFG_REPLY);
}

static void attr(uint16_t type, const char *text)
{
    cp_write_attr(&chain, type, hex(text));
}

static void attr_text(uint16_t type, const char *text)
{
    cp_write_attr(&chain, type, bytes_of_string(text));
}

static enum err read_it(void)
{
    struct payload cp = {.type = P_CP};

    chain_end(&chain);
    cp.body = bytes_of(buffer + IKE_PAYLOAD_HEADER_LEN, chain.w.len - IKE_PAYLOAD_HEADER_LEN);
    return config_read(&net, &config, &cp, &remote_ts, &summary);
}

static void add_ts(const char *start, const char *end)
{
    struct ts *ts = &remote_ts.items[remote_ts.n++];

    *ts = (struct ts){.port_high = 65535};
    ck_assert(addr_parse(&ts->start, start));
    ck_assert(addr_parse(&ts->end, end));
}

static void route_is(size_t index, const char *want)
{
    char text[ADDR_TEXT_MAX];

    ck_assert_uint_lt(index, net.n_routes);
    ck_assert_str_eq(prefix_text(&net.routes[index], text), want);
}

START_TEST(everything_at_once)
{
    char text[ADDR_TEXT_MAX];

    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000005");
    attr(INTERNAL_IP4_ADDRESS, "0a000006");
    attr(INTERNAL_IP4_NETMASK, "ffffff00");
    attr(INTERNAL_IP6_ADDRESS, "20010db8000000000000000000000005 40");
    attr(INTERNAL_IP6_ADDRESS, "20010db8000000000000000000000006");
    attr(INTERNAL_IP4_DNS, "0a000001");
    attr(INTERNAL_IP4_DNS, "0a000001");
    attr(INTERNAL_IP4_DNS, "0a000002");
    attr(INTERNAL_IP6_DNS, "20010db8000000000000000000000053");
    attr_text(INTERNAL_DNS_DOMAIN, "Corp.Example.");
    attr_text(UNITY_DEF_DOMAIN, "example.net");
    attr_text(UNITY_SPLITDNS_NAME, "a.example,b.example, corp.example");
    attr_text(UNITY_BANNER, "Hello\r\nworld\x1b[31m");
    attr(INTERNAL_IP4_SUBNET, "ac100000 fff00000");
    attr(INTERNAL_IP6_SUBNET, "20010db8000100000000000000000000 30");
    attr(UNITY_SPLIT_INCLUDE, "c0a80100ffffff00000000000000 c0a80200ffffff00000000000000");
    attr_text(APPLICATION_VERSION, "gateway 1.0\n");
    attr(INTERNAL_IP4_SERVER_MS, "0a0000fe");
    attr(31000, "00");
    add_ts("10.0.0.0", "10.255.255.255");
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_eq(net.n_addresses, 4);
    ck_assert_str_eq(prefix_text(&net.addresses[0], text), "10.0.0.5/24");
    ck_assert_str_eq(prefix_text(&net.addresses[1], text), "10.0.0.6/24");
    ck_assert_str_eq(prefix_text(&net.addresses[2], text), "2001:db8::5/64");
    ck_assert_str_eq(prefix_text(&net.addresses[3], text), "2001:db8::6/128");
    ck_assert_uint_eq(net.n_dns, 3);
    ck_assert_uint_eq(net.n_domains, 4);
    ck_assert_str_eq(net.domains[0], "corp.example");
    ck_assert_str_eq(net.domains[1], "example.net");
    ck_assert_str_eq(net.domains[3], "b.example");
    ck_assert_str_eq(net.banner, "Hello\nworld?[31m");
    ck_assert_uint_eq(net.n_routes, 5);
    route_is(0, "10.0.0.0/8");
    route_is(1, "172.16.0.0/12");
    route_is(2, "2001:db8:1::/48");
    route_is(3, "192.168.1.0/24");
    route_is(4, "192.168.2.0/24");
    ck_assert_str_eq(summary.gateway_version, "gateway 1.0?");
}
END_TEST

/* The subnets stay beside it: a split tunnel wants them alone. */
START_TEST(default_routes_stay)
{
    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000005");
    attr(INTERNAL_IP4_SUBNET, "ac100000 fff00000");
    add_ts("0.0.0.0", "255.255.255.255");
    add_ts("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_eq(net.n_routes, 3);
    route_is(0, "0.0.0.0/0");
    route_is(1, "::/0");
    route_is(2, "172.16.0.0/12");
}
END_TEST

/* Order does not matter: what a wider route covers is not repeated. */
START_TEST(wider_routes_swallow_narrower_ones)
{
    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000005");
    attr(INTERNAL_IP4_SUBNET, "0a000000 ff000000");
    add_ts("10.1.0.0", "10.1.255.255");
    add_ts("10.2.0.0", "10.2.0.255");
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_eq(net.n_routes, 1);
    route_is(0, "10.0.0.0/8");
}
END_TEST

/* strongSwan's forecast plugin brings multicast to clients that want it; the session refuses such
 * routes, and the tunnel must not fail over them. */
START_TEST(selectors_of_multicast_are_no_routes)
{
    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000005");
    add_ts("10.0.0.0", "10.255.255.255");
    add_ts("224.0.0.0", "239.255.255.255");
    add_ts("255.255.255.255", "255.255.255.255");
    add_ts("127.0.0.1", "127.0.0.1");
    add_ts("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    add_ts("fe80::", "fe80::ffff");
    add_ts("224.0.0.0", "255.255.255.255");
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_eq(net.n_routes, 2);
    route_is(0, "10.0.0.0/8");
    route_is(1, "224.0.0.0/3");
}
END_TEST

/* A range that is no prefix: RRAS and FortiGate send such. */
START_TEST(ranges_become_prefixes)
{
    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000005");
    add_ts("10.0.0.1", "10.0.0.6");
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_eq(net.n_routes, 4);
    route_is(0, "10.0.0.1/32");
    route_is(1, "10.0.0.2/31");
    route_is(2, "10.0.0.4/31");
    route_is(3, "10.0.0.6/32");
}
END_TEST

static const struct {
    uint16_t type;
    const char *value;
} nonsense[] = {
    {INTERNAL_IP4_ADDRESS, ""},
    {INTERNAL_IP4_ADDRESS, "00000000"},
    {INTERNAL_IP4_ADDRESS, "7f000001"},
    {INTERNAL_IP4_ADDRESS, "e0000001"},
    {INTERNAL_IP4_ADDRESS, "ffffffff"},
    {INTERNAL_IP4_ADDRESS, "0a0000"},
    {INTERNAL_IP4_ADDRESS, "0a00000500"},
    {INTERNAL_IP6_ADDRESS, "ff020000000000000000000000000001 40"},
    {INTERNAL_IP6_ADDRESS, "00000000000000000000000000000001 80"},
    {INTERNAL_IP6_ADDRESS, "20010db8000000000000000000000005 81"},
    {INTERNAL_IP6_ADDRESS, "20010db8"},
    {INTERNAL_IP6_ADDRESS, "fe800000000000000000000000000001 40"},
    {INTERNAL_IP6_ADDRESS, "00000000000000000000ffff0a000001 80"},
    {INTERNAL_IP4_DNS, "7f000001"},
    {INTERNAL_IP4_DNS, "0a00"},
    {INTERNAL_IP6_DNS, "00000000000000000000000000000001"},
    {INTERNAL_IP6_DNS, "fe800000000000000000000000000053"},
    {INTERNAL_IP4_SUBNET, "7f000000 ff000000"},
    {INTERNAL_IP4_SUBNET, "e0000000 f0000000"},
    {INTERNAL_IP6_SUBNET, "fe800000000000000000000000000000 40"},
    {INTERNAL_IP6_SUBNET, "00000000000000000000000000000001 80"},
    {INTERNAL_IP4_SUBNET, "0a000000 ff00ff00"},
    {INTERNAL_IP4_SUBNET, "0a000000"},
    {INTERNAL_IP4_SUBNET, "0a000000 ff000000 00"},
    {INTERNAL_IP6_SUBNET, "20010db8000100000000000000000000"},
    {INTERNAL_IP6_SUBNET, "20010db8000100000000000000000000 30 00"},
    {INTERNAL_IP6_SUBNET, "20010db8000100000000000000000000 81"},
    {INTERNAL_IP4_SUBNET, "7f000000 ff000000"}, /* never behind a gateway */
    {INTERNAL_IP4_SUBNET, "e0000100 ffffff00"},
    {INTERNAL_IP6_SUBNET, "00000000000000000000000000000001 80"},
    {INTERNAL_IP6_SUBNET, "fe800000000000000000000000000000 40"},
    {INTERNAL_IP6_SUBNET, "ff020000000000000000000000000000 10"},
    {INTERNAL_DNS_DOMAIN, ""},
    {INTERNAL_DNS_DOMAIN, "2e"},
    {INTERNAL_DNS_DOMAIN, "612e2e62"},   /* a..b */
    {INTERNAL_DNS_DOMAIN, "2d61"},       /* -a */
    {INTERNAL_DNS_DOMAIN, "612d"},       /* a- */
    {INTERNAL_DNS_DOMAIN, "612d2e62"},   /* a-.b */
    {INTERNAL_DNS_DOMAIN, "6120623b63"}, /* "a b;c" */
    {INTERNAL_DNS_DOMAIN, "610a6e616d6573657276657220"},
    {UNITY_SPLIT_INCLUDE, "c0a80100ffffff0000"},
    {UNITY_SPLITDNS_NAME, "2c2c2c"},
};

START_TEST(nonsense_is_passed_over)
{
    begin();
    attr(nonsense[_i].type, nonsense[_i].value);
    attr(INTERNAL_IP4_ADDRESS, "0a000009");
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_eq(net.n_addresses, 1);
    ck_assert_uint_eq(net.n_dns + net.n_domains + net.n_routes, 0);
}
END_TEST

START_TEST(surplus_is_dropped)
{
    begin();
    for (unsigned i = 0; i < 300; i++) {
        uint8_t address[] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
        uint8_t subnet[] = {20, (uint8_t)(i >> 8), (uint8_t)i, 0, 255, 255, 255, 0};
        char domain[] = "aaa.example";

        domain[0] = (char)('a' + i % 26);
        domain[1] = (char)('a' + i / 26);
        cp_write_attr(&chain, INTERNAL_IP4_ADDRESS, bytes_of(address, 4));
        cp_write_attr(&chain, INTERNAL_IP4_DNS, bytes_of(address, 4));
        cp_write_attr(&chain, INTERNAL_IP4_SUBNET, bytes_of(subnet, 8));
        cp_write_attr(&chain, INTERNAL_DNS_DOMAIN, bytes_of_string(domain));
    }
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_eq(net.n_addresses, NET_ADDRESSES_MAX);
    ck_assert_uint_eq(net.n_dns, NET_DNS_MAX);
    ck_assert_uint_eq(net.n_domains, NET_DOMAINS_MAX);
    ck_assert_uint_eq(net.n_routes, NET_ROUTES_MAX);
}
END_TEST

static bool is_routed(const char *text)
{
    struct addr addr;
    bool routed = false;

    ck_assert(addr_parse(&addr, text));
    for (size_t i = 0; i < net.n_routes && !routed; i++) {
        routed = prefix_contains(&net.routes[i], &addr);
    }
    return routed;
}

/* None may be left out, or its traffic would leave beside the tunnel: the nearest ones share a
 * wider route. */
START_TEST(too_many_routes_are_joined)
{
    char text[ADDR_TEXT_MAX];

    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000005");
    attr(INTERNAL_IP6_SUBNET, "20010db8000100000000000000000000 30");
    attr(INTERNAL_IP4_SUBNET, "c0a80000 ffff0000");
    for (unsigned i = 0; i < 600; i++) {
        uint8_t subnet[] = {20, (uint8_t)(i >> 7), (uint8_t)(i << 1), 0, 255, 255, 255, 0};

        cp_write_attr(&chain, INTERNAL_IP4_SUBNET, bytes_of(subnet, 8));
    }
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_le(net.n_routes, NET_ROUTES_MAX);
    ck_assert_uint_gt(net.n_routes, NET_ROUTES_MAX / 2);
    ck_assert_uint_gt(net.n_joined, 0);
    for (unsigned i = 0; i < 600; i++) {
        (void)snprintf(text, sizeof text, "20.%u.%u.7", i >> 7, (i << 1) & 255);
        ck_assert_msg(is_routed(text), "%s is not routed", text);
    }
    ck_assert(is_routed("192.168.3.4"));
    ck_assert(is_routed("2001:db8:1::7"));
    /* No wider than it takes. */
    ck_assert(!is_routed("192.169.0.1"));
    ck_assert(!is_routed("20.5.0.1"));
    ck_assert(!is_routed("2001:db8:2::7"));
    for (size_t i = 0; i < net.n_routes; i++) {
        ck_assert_uint_gt(net.routes[i].len, 1);
    }
}
END_TEST

/* A default route is not what others are joined to: a split tunnel leaves it out. */
START_TEST(default_routes_are_not_joined)
{
    size_t defaults = 0;

    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000005");
    add_ts("0.0.0.0", "255.255.255.255");
    add_ts("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    for (unsigned i = 0; i < 300; i++) {
        uint8_t subnet[] = {
            (uint8_t)(20 + 60 * (i / 128)), (uint8_t)(i % 128 * 2), 0, 0, 255, 255, 0, 0};

        cp_write_attr(&chain, INTERNAL_IP4_SUBNET, bytes_of(subnet, 8));
    }
    ck_assert_int_eq(read_it(), OK);
    for (size_t i = 0; i < net.n_routes; i++) {
        defaults += net.routes[i].len == 0;
    }
    ck_assert_uint_eq(defaults, 2);
}
END_TEST

START_TEST(long_banner_is_cut)
{
    char text[3000];

    memset(text, 'x', sizeof text);
    for (size_t i = 50; i < sizeof text; i += 50) {
        text[i] = '\n';
    }
    text[sizeof text - 1] = '\0';
    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000009");
    attr_text(UNITY_BANNER, text);
    ck_assert_int_eq(read_it(), OK);
    ck_assert_uint_lt(strlen(net.banner), sizeof net.banner);
    ck_assert_uint_gt(strlen(net.banner), 900);
}
END_TEST

START_TEST(no_address_is_an_error_only_when_one_was_asked_for)
{
    begin();
    attr(INTERNAL_IP4_DNS, "0a000001");
    ck_assert_int_eq(read_it(), ERR_STATE);
    begin();
    config.request_ipv4 = false;
    ck_assert_int_eq(read_it(), OK);
    ck_assert_int_eq(config_read(&net, &config, NULL, &remote_ts, &summary), OK);
    config.request_ipv6 = true;
    ck_assert_int_eq(config_read(&net, &config, NULL, &remote_ts, &summary), ERR_STATE);
}
END_TEST

/* Only a reply says what we have; what else comes in its place is nothing to us. */
START_TEST(other_types_are_no_reply)
{
    static const enum cp_type types[] = {CFG_REQUEST, CFG_SET, CFG_ACK};

    begin();
    wr_patch_u8(&chain.w, IKE_PAYLOAD_HEADER_LEN, (uint8_t)types[_i]);
    attr(INTERNAL_IP4_ADDRESS, "0a000009");
    ck_assert_int_eq(read_it(), ERR_STATE);
    ck_assert_uint_eq(net.n_addresses, 0);
}
END_TEST

START_TEST(truncated_attributes)
{
    struct payload cp = {.type = P_CP};

    begin();
    attr(INTERNAL_IP4_ADDRESS, "0a000009");
    attr(INTERNAL_IP4_DNS, "0a000001");
    chain_end(&chain);
    for (size_t len = 0; len < chain.w.len - IKE_PAYLOAD_HEADER_LEN; len++) {
        cp.body = bytes_of(octets_copy(bytes_of(buffer + IKE_PAYLOAD_HEADER_LEN, len)), len);
        ck_assert_int_ne(config_read(&net, &config, &cp, &remote_ts, &summary),
                         len == 4 + 8 ? ERR_SYNTAX : OK);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike config");
    TCase *tcase = tcase_create("config");

    tcase_add_test(tcase, everything_at_once);
    tcase_add_test(tcase, default_routes_stay);
    tcase_add_test(tcase, wider_routes_swallow_narrower_ones);
    tcase_add_test(tcase, selectors_of_multicast_are_no_routes);
    tcase_add_test(tcase, ranges_become_prefixes);
    tcase_add_loop_test(tcase, nonsense_is_passed_over, 0,
                        (int)(sizeof nonsense / sizeof nonsense[0]));
    tcase_add_test(tcase, surplus_is_dropped);
    tcase_add_test(tcase, too_many_routes_are_joined);
    tcase_add_test(tcase, default_routes_are_not_joined);
    tcase_add_test(tcase, long_banner_is_cut);
    tcase_add_test(tcase, no_address_is_an_error_only_when_one_was_asked_for);
    tcase_add_loop_test(tcase, other_types_are_no_reply, 0, 3);
    tcase_add_test(tcase, truncated_attributes);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
