/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "unit/host_tunnel.h"
#include "unit/sandbox.h"
#include "unit/vectors.h"

/* What others add to the host's routes, and what the user lets out of the tunnel. */

#define FULL "10.9.0.5 fd00:9::5 via 0.0.0.0/0 via ::/0"

/* A second link, of a network with this address; the network as the host now knows it. */
static struct network join(const char *address, const char *address6)
{
    struct network network = {.n = 2};
    sandbox_link("lan");
    sandbox_do("ip addr add %s dev lan0; ip -6 addr add %s dev lan0 nodad", address, address6);
    network.uplinks[0] = uplink_of(address, "lan0", "");
    network.uplinks[1] = uplink_of(address6, "lan0", "");
    network.uplinks[0].has_default = network.uplinks[1].has_default = false;
    return network;
}

static void leave(void)
{
    sandbox_do("ip link del lan0");
}

/* Routes of DHCP option 121 (RFC 3442), of any length, and of router advertisements. */
START_TEST(routes_of_the_uplink_take_nothing)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", FULL, &full_tunnel);
    sandbox_do(
        "for to in 0.0.0.0/1 128.0.0.0/1 203.0.113.0/24 203.0.113.5/32; do "
        "ip route add $to via 192.0.2.66; done; "
        "for to in 2000::/4 2001:db8:ffff::5/128; do ip -6 route add $to via 2001:db8:1::66; done");
    expect_route("203.0.113.5", "dev godwit0");
    expect_route("198.51.100.1", "dev godwit0");
    expect_route("2001:db8:ffff::5", "dev godwit0");
    sandbox_do(
        "for to in 0.0.0.0/1 128.0.0.0/1 203.0.113.0/24 203.0.113.5/32; do ip route del $to; done; "
        "for to in 2000::/4 2001:db8:ffff::5/128; do ip -6 route del $to; done");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* The same, when only some networks go through the tunnel. */
START_TEST(routes_of_the_uplink_take_nothing_of_a_split_tunnel)
{
    struct host_tunnel tunnel;
    g_autofree char *before = sandbox_snapshot();
    sandbox_do(
        "ip route add 10.99.0.0/24 via 192.0.2.66; ip route add 10.98.0.0/24 via 192.0.2.66");
    tunnel_up(&tunnel, "a", "10.9.0.5 via 10.99.0.0/16", &split_tunnel);
    expect_route("10.99.0.1", "dev godwit0");
    expect_route("10.98.0.1", "via 192.0.2.66");
    tunnel_down(&tunnel);
    sandbox_do("ip route del 10.99.0.0/24; ip route del 10.98.0.0/24");
    sandbox_expect_same(before);
}
END_TEST

/* An access point whose network has the addresses of the target. */
START_TEST(public_networks_are_not_local)
{
    struct host_tunnel tunnel;
    struct network network = join("203.0.113.2/24", "2001:db8:ffff::2/64");
    tunnel_open(&tunnel, "a");
    tunnel_follow(&tunnel, &network);
    tunnel_apply(&tunnel, FULL, &full_tunnel);
    expect_route("203.0.113.5", "dev godwit0");
    expect_route("2001:db8:ffff::5", "dev godwit0");
    expect_route("203.0.113.5 mark 0x676f", "dev lan0");
    tunnel_down(&tunnel);
    leave();
}
END_TEST

START_TEST(local_networks)
{
    struct host_tunnel tunnel;
    struct host_options options = full_tunnel;
    struct network network = join("192.168.7.2/24", "fd77::2/64");
    g_autofree char *before = sandbox_snapshot();
    tunnel_open(&tunnel, "a");
    tunnel_follow(&tunnel, &network);
    tunnel_apply(&tunnel, FULL, &options);
    expect_route("192.168.7.9", "dev lan0");
    expect_route("fd77::9", "dev lan0");
    expect_route("192.168.8.9", "dev godwit0");
    options.local_network = FALSE;
    tunnel_apply(&tunnel, FULL, &options);
    expect_route("192.168.7.9", "dev godwit0");
    expect_route("fd77::9", "dev godwit0");
    expect_route("fe80::1 oif up0", "dev up0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
    leave();
}
END_TEST

/* Wherever the networks overlap, the longer prefix counts, and of two equal ones the tunnel's. */
static const struct {
    const char *route, *to, *through;
} overlaps[] = {
    {"192.168.0.0/16", "192.168.7.9", "dev lan0"},
    {"192.168.0.0/16", "192.168.8.9", "dev godwit0"},
    {"192.168.7.0/24", "192.168.7.9", "dev godwit0"},
    {"192.168.7.64/26", "192.168.7.70", "dev godwit0"},
    {"192.168.7.64/26", "192.168.7.9", "dev lan0"},
    {"fd00::/8", "fd77::9", "dev lan0"},
    {"fd77::/64", "fd77::9", "dev godwit0"},
};

START_TEST(local_networks_within_the_tunnel_s)
{
    struct network network = join("192.168.7.2/24", "fd77::2/64");
    const struct host_options *const options[] = {&split_tunnel, &full_tunnel};
    for (size_t i = 0; i < 2; i++) {
        struct host_tunnel tunnel;
        g_autofree char *config =
            g_strdup_printf("10.9.0.5 fd00:9::5 via %s %s", overlaps[_i].route,
                            i == 0 ? "" : "via 0.0.0.0/0 via ::/0");
        tunnel_open(&tunnel, "a");
        tunnel_follow(&tunnel, &network);
        tunnel_apply(&tunnel, g_strchomp(config), options[i]);
        expect_route(overlaps[_i].to, overlaps[_i].through);
        tunnel_down(&tunnel);
    }
    leave();
}
END_TEST

/* Its names are asked for inside, even if the local router has the server's address. */
START_TEST(servers_of_the_tunnel)
{
    struct host_tunnel tunnel;
    struct network network = join("192.168.7.2/24", "fd77::2/64");
    tunnel_open(&tunnel, "a");
    tunnel_follow(&tunnel, &network);
    tunnel_apply(&tunnel, FULL " dns 192.168.7.1 dns fd77::1", &full_tunnel);
    expect_route("192.168.7.1", "dev godwit0");
    expect_route("192.168.7.9", "dev lan0");
    expect_route("fd77::1", "dev godwit0");
    expect_route("192.168.7.1 mark 0x676f", "dev lan0");
    tunnel_down(&tunnel);
    leave();
}
END_TEST

/* From one local network to another: at no time does the default route of the host count. */
START_TEST(local_network_changes)
{
    struct host_tunnel tunnel;
    struct network network = join("192.168.7.2/24", "fd77::2/64");
    tunnel_open(&tunnel, "a");
    tunnel_follow(&tunnel, &network);
    tunnel_apply(&tunnel, FULL " via 192.168.0.0/16", &full_tunnel);
    leave();
    expect_route("192.168.7.9", "dev godwit0");
    network = join("192.168.8.2/24", "fd78::2/64");
    tunnel_follow(&tunnel, &network);
    expect_route("192.168.8.9", "dev lan0");
    expect_route("192.168.7.9", "dev godwit0");
    expect_route("fd77::9", "dev godwit0");
    tunnel_down(&tunnel);
    leave();
}
END_TEST

static struct host_options excluding(const struct host_options *options, const char *texts)
{
    struct host_options out = *options;
    g_auto(GStrv) words = g_strsplit(texts, " ", 0);
    for (char **word = words; *word; word++) {
        out.excluded[out.n_excluded++] = prefix_of(*word);
    }
    return out;
}

START_TEST(excluded_networks)
{
    struct host_tunnel tunnel;
    struct host_options options =
        excluding(&full_tunnel, "203.0.113.0/24 10.0.0.0/8 2001:db8:ffff::/48 10.9.3.0/24");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", FULL " via 10.9.0.0/16 via 203.0.113.5/32 via 10.9.3.0/24", &options);
    expect_route("203.0.113.9", "via 192.0.2.1 dev up0");
    expect_route("203.0.113.5", "dev godwit0");
    expect_route("10.1.0.1", "via 192.0.2.1 dev up0");
    expect_route("10.9.0.1", "dev godwit0");
    expect_route("10.9.3.1", "via 192.0.2.1 dev up0"); /* of two equal ones the user's counts */
    expect_route("198.51.100.1", "dev godwit0");
    expect_route("2001:db8:ffff::5", "via 2001:db8:1::1 dev up0");
    expect_route("2001:db8:fffe::5", "dev godwit0");
    tunnel_apply(&tunnel, FULL, &full_tunnel);
    expect_route("203.0.113.9", "dev godwit0");
    expect_route("2001:db8:ffff::5", "dev godwit0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(excluded_from_a_split_tunnel)
{
    struct host_tunnel tunnel;
    struct host_options options = excluding(&split_tunnel, "10.9.3.0/24 fd00::/8");
    g_autofree char *before = sandbox_snapshot();
    tunnel_up(&tunnel, "a", "10.9.0.5 via 10.9.0.0/16", &options);
    expect_route("10.9.0.1", "dev godwit0");
    expect_route("10.9.3.1", "via 192.0.2.1 dev up0");
    expect(FALSE, "26479", "ip -6 rule; ip -6 route show table all");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* Routes that the user chose do not leave outside because the gateway assigned no address. */
START_TEST(own_routes_without_an_address)
{
    struct host_tunnel tunnel;
    struct host_options options = split_tunnel;
    g_autofree char *before = sandbox_snapshot();
    options.own_routes = TRUE;
    tunnel_up(&tunnel, "a", "10.9.0.5 via 10.9.0.0/16 via fd00::/8", &options);
    expect_route("fd12::1", "No route to host");
    expect_route("2001:db8:ffff::5", "via 2001:db8:1::1 dev up0");
    tunnel_apply(&tunnel, "10.9.0.5 fd00:9::5 via 10.9.0.0/16 via fd00::/8", &options);
    expect_route("fd12::1", "dev godwit0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(other_family_left_alone)
{
    struct host_tunnel tunnel;
    struct host_options options = full_tunnel;
    g_autofree char *before = sandbox_snapshot();
    options.block_other_family = FALSE;
    tunnel_up(&tunnel, "a", "10.9.0.5 via 0.0.0.0/0", &options);
    expect_route("203.0.113.5", "dev godwit0");
    expect_route("2001:db8:ffff::5", "via 2001:db8:1::1 dev up0");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

/* The networks of one go before everything else of the other, whichever came first. */
START_TEST(full_and_split_at_once)
{
    struct host_tunnel tunnels[2];
    const struct {
        const char *config;
        const struct host_options *options;
    } kinds[] = {{"10.8.0.5 via 10.8.0.0/16", &split_tunnel}, {FULL, &full_tunnel}};
    g_autofree char *before = sandbox_snapshot();
    for (int i = 0; i < 2; i++) {
        int kind = _i == 0 ? i : 1 - i;
        tunnel_up(&tunnels[kind], kind == 0 ? "split" : "full", kinds[kind].config,
                  kinds[kind].options);
    }
    expect_route("10.8.0.1", tunnels[0].interface);
    expect_route("203.0.113.5", tunnels[1].interface);
    tunnel_down(&tunnels[0]);
    expect_route("10.8.0.1", tunnels[1].interface);
    tunnel_down(&tunnels[1]);
    sandbox_expect_same(before);
}
END_TEST

/* ---- beside NetworkManager's routes ---- */

static void apply_beside(struct host_tunnel *tunnel, const char *text,
                         const struct host_options *options)
{
    g_autoptr(GError) error = NULL;
    struct net_config config = config_of(text);
    ck_assert_msg(host_apply_beside(tunnel->host, &config, options, &error), "%s",
                  error ? error->message : "");
}

static struct network both_uplinks(void)
{
    struct network network = {.n = 2};
    network.uplinks[0] = uplink_of("192.0.2.2/24", "up0", "192.0.2.1");
    network.uplinks[1] = uplink_of("2001:db8:1::2/64", "up0", "2001:db8:1::1");
    return network;
}

/* What the kernel took away, and what a change left undone, comes back with the next one. */
START_TEST(excluded_beside_comes_back)
{
    struct host_tunnel tunnel;
    struct host_options options = excluding(&full_tunnel, "203.0.113.0/24 2001:db8:ffff::/48");
    struct network network = both_uplinks(), vanished = network;
    const char *table = "for f in 4 6; do ip -$f route show table 26479; done 2>/dev/null; true";
    g_autofree char *before = sandbox_snapshot();
    g_autoptr(GError) error = NULL;
    tunnel_open(&tunnel, "a");
    tunnel_follow(&tunnel, &network);
    apply_beside(&tunnel, FULL, &options);
    expect_route("203.0.113.5", "table 26479");
    expect_route("2001:db8:ffff::5", "table 26479");
    sandbox_do("ip route flush table 26479");
    expect(FALSE, "203.0.113.0/24", table);
    tunnel_follow(&tunnel, &network);
    expect_route("203.0.113.5", "table 26479");
    vanished.uplinks[0].ifindex = vanished.uplinks[1].ifindex = 99999;
    ck_assert(!host_follow_uplinks(tunnel.host, &vanished, HOST_FWMARK_DEFAULT, &error));
    tunnel_follow(&tunnel, &network);
    expect_route("203.0.113.5", "table 26479");
    expect_route("2001:db8:ffff::5", "table 26479");
    tunnel_down(&tunnel);
    sandbox_expect_same(before);
}
END_TEST

START_TEST(newest_beside_comes_first)
{
    struct host_tunnel tunnels[2];
    struct host_options options = full_tunnel;
    g_autofree char *before = sandbox_snapshot();
    struct network network = join("192.168.7.2/24", "fd77::2/64");
    const char *const names[] = {"a", "b"};
    options.local_network = FALSE;
    for (int i = 0; i < 2; i++) {
        tunnel_open(&tunnels[i], names[i]);
        tunnel_follow(&tunnels[i], &network);
        apply_beside(&tunnels[i], FULL, &options);
    }
    expect_route("192.168.7.9", tunnels[1].interface);
    expect_route("fd77::9", tunnels[1].interface);
    tunnel_down(&tunnels[1]);
    expect_route("192.168.7.9", tunnels[0].interface);
    tunnel_down(&tunnels[0]);
    leave();
    sandbox_expect_same(before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("routing");
    TCase *tcase = tcase_create("routing");
    sandbox_enter();
    sandbox_uplink();
    tcase_add_test(tcase, routes_of_the_uplink_take_nothing);
    tcase_add_test(tcase, routes_of_the_uplink_take_nothing_of_a_split_tunnel);
    tcase_add_test(tcase, public_networks_are_not_local);
    tcase_add_test(tcase, local_networks);
    tcase_add_loop_test(tcase, local_networks_within_the_tunnel_s, 0, G_N_ELEMENTS(overlaps));
    tcase_add_test(tcase, servers_of_the_tunnel);
    tcase_add_test(tcase, local_network_changes);
    tcase_add_test(tcase, excluded_networks);
    tcase_add_test(tcase, excluded_from_a_split_tunnel);
    tcase_add_test(tcase, own_routes_without_an_address);
    tcase_add_test(tcase, other_family_left_alone);
    tcase_add_loop_test(tcase, full_and_split_at_once, 0, 2);
    tcase_add_test(tcase, excluded_beside_comes_back);
    tcase_add_test(tcase, newest_beside_comes_first);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
